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

static void put_own_key(const struct broker *b, const struct ring_slot *slot, struct json_out *j)
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
    json_out_bool(j, "held", false);
    json_out_bool(j, "forced", false);
    json_out_array(j, "seen");
    json_out_array_end(j);
    json_out_array(j, "notSeen");
    for (size_t i = 0; i < partners_count(b->partners); i++)
        if (partners_at(b->partners, i)->partner->enabled)
            json_out_str(j, NULL, partners_at(b->partners, i)->partner->name);
    json_out_array_end(j);
    json_out_object_end(j);
}

static void put_partner(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    json_out_object(j, NULL);
    json_out_str(j, "name", e->partner->name);
    json_out_bool(j, "enabled", e->partner->enabled);
    json_out_bool(j, "selfRefresh", e->partner->self_refresh);
    json_out_bool(j, "announces", false);
    view_partner_keys(b, e, j);
    json_out_object_end(j);
}

void view_own_keys(const struct broker *b, struct json_out *j)
{
    const struct keyring *ring = signer_link_ring(b->signer);
    json_out_int(j, "generation", ring ? (int64_t)ring->generation : 0);
    json_out_str(j, "source", b->settings->signing_key.source == KEYS_FILES ? "files" : "managed");
    json_out_int(j, "publishLead", 0);
    json_out_array(j, "keys");
    for (size_t i = 0; ring && i < ring->n; i++)
        put_own_key(b, &ring->slots[i], j);
    json_out_array_end(j);
    json_out_array(j, "partners");
    for (size_t i = 0; i < partners_count(b->partners); i++)
        put_partner(b, partners_at(b->partners, i), j);
    json_out_array_end(j);
}
