/* SPDX-License-Identifier: Apache-2.0 */
#include "control_views.h"

#include "cleanup.h"
#include "clock.h"

void view_key_names(struct json_out *j, const uint8_t x5t[X5T_LEN])
{
    char text[X5T_TEXT_LEN], thumb[THUMBPRINT_TEXT_LEN];
    json_out_str(j, "x5t", x5t_text(x5t, text));
    json_out_str(j, "thumbprint", thumbprint_text(x5t, thumb));
}

/* What becomes of the next key by itself; ListKeys says why it waits. */
static void put_plan(const struct broker *b, const struct keyring *ring,
    const struct ring_slot *next, struct json_out *j)
{
    const char *why;
    int64_t effective_at = rollout_activation(ring, false);
    json_out_int(j, "publishedSince", next->published_since);
    if (effective_at > 0)
        json_out_int(j, "effectiveAt", effective_at);
    json_out_bool(j, "held", witness_held(b->witness, &why));
}

static void put_own_keys(const struct broker *b, struct json_out *j)
{
    const struct keyring *ring = signer_link_ring(b->signer);
    json_out_array(j, "signingKeys");
    for (size_t i = 0; ring && i < ring->n; i++) {
        const struct ring_slot *slot = &ring->slots[i];
        json_out_object(j, NULL);
        view_key_names(j, slot->cert->x5t);
        json_out_str(j, "state", key_state_name(slot->state));
        json_out_int(j, "notBefore", slot->cert->not_before);
        json_out_int(j, "notAfter", slot->cert->not_after);
        if (slot->state == KEY_PREVIOUS)
            json_out_int(j, "until", slot->until);
        if (slot->state == KEY_NEXT)
            put_plan(b, ring, slot, j);
        json_out_object_end(j);
    }
    json_out_array_end(j);
}

static int64_t load(const _Atomic uint64_t *counter)
{
    return (int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static void put_workers(const struct broker *b, struct json_out *j)
{
    json_out_array(j, "workers");
    for (size_t i = 0; i < workers_count(b->workers); i++) {
        struct worker_view w = workers_at(b->workers, i);
        json_out_object(j, NULL);
        json_out_str(j, "kind", workers_kind_name(w.kind));
        json_out_int(j, "pid", w.pid);
        json_out_int(j, "connections", load(&w.counters->connections));
        json_out_object_end(j);
    }
    json_out_array_end(j);
}

/* What is summed over all workers, and under which name. */
static const struct {
    const char *name;
    size_t offset;
} sums[] = {
    {"connections", offsetof(struct counters, connections)},
    {"accepted", offsetof(struct counters, accepted)},
    {"refusedConnections", offsetof(struct counters, refused_connections)},
    {"mints", offsetof(struct counters, mints)},
    {"mintsReused", offsetof(struct counters, mints_reused)},
    {"mintRefusals", offsetof(struct counters, mint_refusals)},
    {"validations", offsetof(struct counters, validations)},
    {"validationsRemembered", offsetof(struct counters, validations_remembered)},
    {"validationRefusals", offsetof(struct counters, validation_refusals)},
    {"hints", offsetof(struct counters, hints)},
    {"hintsQuiet", offsetof(struct counters, hints_quiet)},
    {"hintsNegative", offsetof(struct counters, hints_negative)},
    {"hintsHopeless", offsetof(struct counters, hints_hopeless)},
    {"hintsNoRoom", offsetof(struct counters, hints_no_room)},
};

static void put_counters(const struct broker *b, struct json_out *j)
{
    json_out_object(j, "counters");
    for (size_t s = 0; s < ARRAY_LEN(sums); s++) {
        int64_t sum = 0;
        for (size_t i = 0; i < workers_count(b->workers); i++) {
            const char *page = (const char *)workers_at(b->workers, i).counters;
            sum += load((const _Atomic uint64_t *)(const void *)(page + sums[s].offset));
        }
        json_out_int(j, sums[s].name, sum);
    }
    struct refresher_counts refresh = refresher_counts(b->refresher);
    json_out_int(j, "fetches", (int64_t)refresh.fetches);
    json_out_int(j, "fetchesFailed", (int64_t)refresh.failed);
    json_out_int(j, "fetchesUnchanged", (int64_t)refresh.unchanged);
    json_out_int(j, "documentsRead", (int64_t)refresh.documents);
    json_out_int(j, "hintFetches", (int64_t)refresh.hint_fetches);
    json_out_int(j, "hintsInVain", (int64_t)refresh.hints_in_vain);
    json_out_int(j, "clockJumps", (int64_t)refresh.clock_jumps);
    json_out_int(j, "publicConnections", public_doors_connections(b->public));
    json_out_int(j, "publicCutOff", (int64_t)public_doors_cut_off(b->public));
    const struct announces_counters *said = announces_counted(b->announces);
    json_out_int(j, "announcesTaken", (int64_t)said->taken);
    json_out_int(j, "announcesRefused", (int64_t)said->refused);
    json_out_int(j, "announcesSuppressed", (int64_t)said->suppressed);
    json_out_int(j, "framesDropped",
        (int64_t)(signer_link_dropped(b->signer) + fetch_link_dropped(b->fetcher) +
                  workers_dropped(b->workers)));
    json_out_object_end(j);
}

static int64_t count_keys(const struct partner_trust *t, const struct settings *s, int64_t now)
{
    int64_t n = 0;
    for (size_t i = 0; t && i < t->n_keys; i++)
        n += partner_key_judge(&t->keys[i], now, s->limits.clock_skew_s) == REASON_OK;
    return n;
}

/* The members of a PartnerBrief. */
static void put_brief(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    const struct partner *p = e->partner;
    const struct settings *s = b->settings;
    int64_t now = clock_wall_s(), good_at = e->state.trust.good_at;
    json_out_str(j, "name", p->name);
    json_out_str(j, "trust", trust_level_name(p->trust));
    json_out_bool(j, "enabled", p->enabled);
    json_out_str(j, "issuer", p->issuer);
    json_out_str(j, "state", freshness_name(judge_freshness(&e->state.trust, p, s, now)));
    json_out_int(j, "goodAt", good_at);
    json_out_int(j, "nextTryAt", refresher_next_try_at(e));
    json_out_str(j, "lastReason", reason_code(e->state.last_reason));
    json_out_str(j, "lastSentence", reason_sentence(e->state.last_reason));
    json_out_str(j, "lastDetail", e->state.last_detail);
    json_out_int(j, "failures", e->state.failures);
    json_out_int(j, "keys", count_keys(partners_trust(b->partners, e), s, now));
    if (p->enabled && good_at > 0)
        json_out_int(j, "refusedFrom", good_at + s->refresh.stale_after_s);
    if (e->state.trust.suspended) {
        json_out_int(j, "suspendedAt", e->state.suspended_at);
        json_out_str(j, "suspendedBy", e->state.suspended_by);
    }
    if (e->state.held.document.n > 0)
        json_out_bool(j, "held", true);
    if (e->state.trust.clock.known)
        json_out_int(j, "clockOffset", e->state.trust.clock.ahead_s);
}

void view_partners(const struct broker *b, struct json_out *j)
{
    json_out_array(j, "partners");
    for (size_t i = 0; i < partners_count(b->partners); i++) {
        json_out_object(j, NULL);
        put_brief(b, partners_at(b->partners, i), j);
        json_out_object_end(j);
    }
    json_out_array_end(j);
}

void view_status(const struct broker *b, struct json_out *j)
{
    const struct settings *s = b->settings;
    json_out_str(j, "version", S2SD_VERSION);
    json_out_str(j, "issuer", s->identity.issuer);
    json_out_str(j, "host", s->identity.hosts[0]);
    json_out_str(j, "metadataUrl", s->metadata.url);
    json_out_int(j, "startedAt", b->started_at);
    json_out_bool(j, "mayMint", b->health.may_mint);
    json_out_bool(j, "mayValidate", b->health.may_validate);
    put_own_keys(b, j);
    json_out_int(j, "rules", (int64_t)s->n_clients);
    put_workers(b, j);
    json_out_str(j, "signer", signer_link_up(b->signer) ? "up" : "away");
    json_out_str(j, "fetcher", fetch_link_up(b->fetcher) ? "up" : "away");
    put_counters(b, j);
    view_partners(b, j);
}

static void put_list(struct json_out *j, const char *name, char *const *list, size_t n)
{
    json_out_array(j, name);
    for (size_t i = 0; i < n; i++)
        json_out_str(j, NULL, list[i]);
    json_out_array_end(j);
}

void view_partner_keys(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    const struct partner_trust *t = partners_trust(b->partners, e);
    const struct update_rules rules = judge_rules(e->partner);
    json_out_array(j, "keys");
    for (size_t i = 0; t && i < t->n_keys; i++) {
        const struct partner_key *k = &t->keys[i];
        json_out_object(j, NULL);
        view_key_names(j, k->x5t);
        json_out_str(j, "state", partner_key_state_name(k->state));
        json_out_int(j, "notBefore", k->not_before);
        json_out_int(j, "notAfter", k->not_after);
        json_out_int(j, "firstSeenAt", k->first_seen_at);
        json_out_int(j, "lastSeenAt", k->last_seen_at);
        int64_t believed_from = update_believed_from(k, &rules);
        if (believed_from > 0)
            json_out_int(j, "believedFrom", believed_from);
        json_out_bool(j, "disputed", k->disputed);
        json_out_object_end(j);
    }
    json_out_array_end(j);
}

/* The document is read again: which keys it holds is not kept beside it. */
static void put_held_keys(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    char thumb[THUMBPRINT_TEXT_LEN];
    json_out_array(j, "thumbprints");
    if (metadata_parse(buf_span(&e->state.held.document), e->partner, &b->settings->identity,
            clock_wall_s(), &m) == REASON_OK)
        for (size_t i = 0; i < m.n_certs; i++)
            json_out_str(j, NULL, thumbprint_text(m.certs[i]->x5t, thumb));
    json_out_array_end(j);
}

static void put_held(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    const struct partner_held *h = &e->state.held;
    if (h->document.n == 0)
        return;
    json_out_object(j, "held");
    json_out_str(j, "reason", reason_code(h->reason));
    json_out_str(j, "sentence", reason_sentence(h->reason));
    json_out_str(j, "detail", h->detail);
    json_out_int(j, "since", h->since);
    put_held_keys(b, e, j);
    json_out_object_end(j);
}

static void put_history(const struct partner_entry *e, struct json_out *j)
{
    struct span lines = span_of(e->state.history);
    json_out_array(j, "history");
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        json_out_span(j, NULL, (struct span){lines.p, n});
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
    json_out_array_end(j);
}

void view_partner(const struct broker *b, const struct partner_entry *e, struct json_out *j)
{
    const struct partner *p = e->partner;
    json_out_object(j, "partner");
    put_brief(b, e, j);
    json_out_object_end(j);
    put_list(j, "metadataUrls", p->metadata_urls.list, p->metadata_urls.n);
    put_list(j, "audienceHosts", p->audience_hosts.list, p->audience_hosts.n);
    put_list(j, "permittedUsers", p->permitted_users.list, p->permitted_users.n);
    put_list(j, "refusedUsers", p->refused_users.list, p->refused_users.n);
    json_out_str(j, "continuity", continuity_name(p->continuity));
    json_out_int(j, "holdDown", partner_hold_down_s(p));
    view_partner_keys(b, e, j);
    put_held(b, e, j);
    put_history(e, j);
}
