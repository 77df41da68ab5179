/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys as ListKeys shows them. */
#include "control_views.h"

#include "b64.h"
#include "cleanup.h"

static void put_certificate(struct json_out *j, const struct cert *c)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(CERT_DER_MAX * 2);
    b64_put(&text, c->der, c->der_len);
    if (text.failed)
        j->b->failed = true;
    json_out_span(j, "certificate", buf_span(&text));
}

/* Evidence of each partner; those that take part and have given none that counts. */
static void put_seen(const struct broker *b, const struct cert *c, struct json_out *j)
{
    const struct sightings *known = witness_sightings(b->witness);
    const struct settings *s = b->settings;
    const struct sighting *best;
    json_out_array(j, "seen");
    for (size_t i = 0; i < s->n_partners; i++) {
        (void)rollout_seen(known, &s->partners[i], c->x5t_s256, &best);
        if (!best)
            continue;
        json_out_object(j, NULL);
        json_out_str(j, "partner", s->partners[i].name);
        json_out_int(j, "at", best->at);
        json_out_str(j, "how", sighting_how_name(best->how));
        json_out_object_end(j);
    }
    json_out_array_end(j);
    json_out_array(j, "notSeen");
    for (size_t i = 0; i < s->n_partners; i++)
        if (rollout_takes_part(&s->partners[i]) &&
            !rollout_seen(known, &s->partners[i], c->x5t_s256, &best))
            json_out_str(j, NULL, s->partners[i].name);
    json_out_array_end(j);
}

static void put_next(const struct broker *b, const struct keyring *ring, struct json_out *j)
{
    const char *why;
    int64_t effective_at = rollout_activation(ring, false);
    int64_t last_resort_at = rollout_activation(ring, true);
    bool held = witness_held(b->witness, &why);
    if (effective_at > 0)
        json_out_int(j, "effectiveAt", effective_at);
    if (last_resort_at > 0)
        json_out_int(j, "lastResortAt", last_resort_at);
    json_out_bool(j, "held", held);
    if (held)
        json_out_str(j, "holdReason", why);
}

static void put_own_key(const struct broker *b, const struct keyring *ring,
    const struct ring_slot *slot, struct json_out *j)
{
    json_out_object(j, NULL);
    view_key_names(j, slot->cert->x5t);
    put_certificate(j, slot->cert);
    json_out_str(j, "state", key_state_name(slot->state));
    json_out_int(j, "notBefore", slot->cert->not_before);
    json_out_int(j, "notAfter", slot->cert->not_after);
    json_out_int(j, "since", slot->since);
    json_out_int(j, "publishedSince", slot->published_since);
    if (slot->state == KEY_PREVIOUS)
        json_out_int(j, "until", slot->until);
    if (slot->state == KEY_NEXT)
        put_next(b, ring, j);
    else
        json_out_bool(j, "held", false);
    json_out_bool(j, "forced", slot->forced);
    put_seen(b, slot->cert, j);
    json_out_object_end(j);
}

static void put_partner(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_str(j, "name", e->partner->name);
    json_out_bool(j, "enabled", e->partner->enabled);
    json_out_bool(j, "selfRefresh", e->partner->self_refresh);
    const struct partner_sightings *p =
        sightings_partner(witness_sightings(b->witness), span_of(e->partner->name));
    char how_to[ROLLOUT_TEXT_MAX];
    json_out_bool(j, "announces", p && p->announced_at > 0);
    json_out_str(j, "howTo", rollout_how_to(b->settings, e->partner, how_to));
    view_partner_keys(b, e, j);
    json_out_object_end(j);
}

void view_own_keys(const struct broker *b, struct json_out *j)
{
    const struct keyring *ring = signer_link_ring(b->signer);
    json_out_int(j, "generation", ring ? (int64_t)ring->generation : 0);
    json_out_str(j, "source", key_source_name(b->settings->signing_key.source));
    json_out_int(j, "publishLead", ring ? ring->lead_s : b->settings->signing_key.publish_lead_s);
    if (rollout_earliest(ring) > 0)
        json_out_int(j, "earliestRoll", rollout_earliest(ring));
    json_out_array(j, "keys");
    for (size_t i = 0; ring && i < ring->n; i++)
        put_own_key(b, ring, &ring->slots[i], j);
    json_out_array_end(j);
    json_out_array(j, "partners");
    for (size_t i = 0; i < partners_count(b->partners); i++)
        put_partner(b, partners_at(b->partners, i), j);
    json_out_array_end(j);
}
