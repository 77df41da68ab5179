/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include "cleanup.h"
#include "clock.h"
#include "continuity.h"

#include <stdio.h>

/* A signature that ended counts so much longer, as everywhere (metadata.c). */
#define CLOCK_SKEW_S 300

/* Copies a header's value when it fits; a longer one is as good as none. */
static void keep(struct span from, char *to, size_t cap)
{
    size_t n = from.n < cap ? from.n : 0;
    if (n > 0)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static void set_detail(char out[256], struct span detail)
{
    size_t n = detail.n < 255 ? detail.n : 255;
    if (n > 0)
        memcpy(out, detail.p, n);
    out[n] = '\0';
}

struct update_rules judge_rules(const struct partner *pins)
{
    return (struct update_rules){
        .grace_s = pins->grace_s, .hold_down_s = partner_hold_down_s(pins)};
}

/* A history that cannot grow is no reason to refuse keys. */
void judge_note(struct partner_state *state, const struct update_changes *changes,
    const char *source, int64_t now)
{
    char what[400], thumb[THUMBPRINT_TEXT_LEN];
    for (size_t i = 0; i < changes->n; i++) {
        snprintf(what, sizeof(what), "key %s %s%s%s%s",
            thumbprint_text(changes->list[i].x5t, thumb), update_kind_name(changes->list[i].kind),
            source ? " (" : "", source ? source : "", source ? ")" : "");
        (void)!partner_state_note(state, now, what);
    }
    if (changes->all_replaced)
        (void)!partner_state_note(state, now, "all keys were replaced at once");
}

/* Notes the first of a row of equal refusals. */
static void note_refusal(struct partner_state *state, const struct judged *j, int64_t now)
{
    if (!j->newly_refused)
        return;
    char what[512];
    snprintf(what, sizeof(what), "document refused: %s%s%s", reason_code(j->reason),
        j->detail[0] ? ": " : "", j->detail);
    (void)!partner_state_note(state, now, what);
}

static void finish(struct partner_state *state, const char *source, int64_t now, struct judged *j)
{
    /* Screens and the log show both. */
    if (strcmp(j->detail, reason_sentence(j->reason)) == 0)
        j->detail[0] = '\0';
    if (j->good)
        state->trust.good_at = now;
    note_refusal(state, j, now);
    judge_note(state, &j->changes, source, now);
    state->last_try_at = now;
    state->last_reason = j->reason;
    snprintf(state->last_detail, sizeof(state->last_detail), "%s", j->detail);
    state->failures = j->good ? 0 : state->failures + 1;
}

/* When the keys of a document that does not count yet will: the last of them to be believed. */
static void tell_when(
    const struct partner_trust *t, const struct update_rules *rules, struct judged *j)
{
    int64_t last = 0;
    char date[CLOCK_TEXT_LEN];
    for (size_t i = 0; i < t->n_keys; i++) {
        int64_t from = update_believed_from(&t->keys[i], rules);
        last = from > last ? from : last;
    }
    if (last > 0)
        snprintf(j->detail, sizeof(j->detail),
            "its keys are believed when they have stood there until %s", clock_text(last, date));
}

/* Installs what the document says. The usable keys are as before unless everything worked. */
static enum reason install(struct partner_state *state, const struct update_rules *rules,
    const struct metadata *m, int64_t now, struct judged *j)
{
    uint64_t before = state->trust.generation;
    enum reason r = update_apply(&state->trust, m, rules, now, &j->changes);
    if (r == REASON_DOCUMENT_HELD || r == REASON_DOCUMENT_REPLAY)
        tell_when(&state->trust, rules, j);
    if (r != REASON_OK)
        return r;
    j->good = true;
    j->keys_changed = state->trust.generation != before;
    return REASON_OK;
}

static bool holds_good_keys(const struct partner_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if ((t->keys[i].state == PKEY_VALID || t->keys[i].state == PKEY_MISSING) &&
            !t->keys[i].disputed)
            return true;
    return false;
}

/* R37: a document of nothing but other people's keys would leave the partner without any. */
static enum reason judge_whose(const struct partner_state *state, const struct metadata *m,
    const struct judge_others *others, struct judged *j)
{
    const struct store_claim claim = {.name = state->trust.name,
        .certs = m->certs,
        .n_certs = m->n_certs,
        .own = others->own,
        .n_own = others->n_own};
    if (!others->store || !holds_good_keys(&state->trust) ||
        store_count_undisputed(others->store, &claim) > 0)
        return REASON_OK;
    set_detail(j->detail, SPAN("each of its keys is also published by another partner, or ours"));
    return REASON_DOCUMENT_KEYS;
}

/* Keeps the document and what the server wants to hear the next time. */
static void keep_document(
    struct partner_state *state, const struct judge_answer *a, struct buf *copy, struct judged *j)
{
    j->document_changed = !span_eq(buf_span(&state->document), a->body);
    buf_done(&state->document);
    state->document = *copy;
    *copy = BUF_INIT(0);
    keep(a->keep_validators ? a->etag : SPAN(""), state->etag, sizeof(state->etag));
    keep(a->keep_validators ? a->last_modified : SPAN(""), state->last_modified,
        sizeof(state->last_modified));
    partner_state_unhold(state); /* the body may be the held one */
}

/* What an administrator may approve waits for him. Without memory to hold it the next fetch brings
 * it again. */
static void hold(struct partner_state *state, const struct judge_answer *a, enum reason r,
    int64_t now, const struct judged *j)
{
    if (r == REASON_DOCUMENT_HELD || r == REASON_DOCUMENT_REPLAY)
        (void)!partner_state_hold(state, a->body, r, j->detail, now);
}

static enum reason judge_document(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_answer *a, int64_t now, struct judged *j)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    CLEANUP(buf_done) struct buf copy = BUF_INIT(METADATA_MAX);
    struct signed_document proof;
    const struct update_rules rules = judge_rules(pins);
    char why[256] = "";
    enum reason r = metadata_parse(a->body, pins, self, now, &m);
    if (r == REASON_OK)
        r = continuity_judge(state, pins, &m, now, &proof, why);
    set_detail(j->detail, span_of(*why ? why : m.detail));
    buf_put_span(&copy, a->body);
    if (r == REASON_OK && copy.failed)
        r = REASON_OUT_OF_MEMORY;
    if (r == REASON_OK)
        r = judge_whose(state, &m, &a->others, j);
    if (r == REASON_OK)
        r = install(state, &rules, &m, now, j);
    if (r == REASON_OK) {
        keep_document(state, a, &copy, j);
        continuity_keep(state, &proof);
    }
    hold(state, a, r, now, j);
    j->newly_refused = r != REASON_OK && r != REASON_OUT_OF_MEMORY && r != state->last_reason;
    return r;
}

/* The last good document is still what the partner publishes. A signature bounds for how long that
 * may be said of an old one (RFC 8414 leaves it to exp). */
static enum reason judge_unchanged(
    struct partner_state *state, const struct partner *pins, int64_t now, struct judged *j)
{
    const struct update_rules rules = judge_rules(pins);
    if (pins->continuity == CONTINUITY_SIGNED && now >= state->signed_until_at + CLOCK_SKEW_S) {
        state->etag[0] = state->last_modified[0] = '\0';
        set_detail(j->detail, SPAN("it is said to be unchanged, but its signature has ended"));
        return REASON_DOCUMENT_HELD;
    }
    partner_state_unhold(state);
    j->keys_changed = update_confirm(&state->trust, &rules, now, &j->changes);
    j->good = true;
    return REASON_OK;
}

/* The header was written half a round trip before it came, and says whole seconds, cut off. */
static void note_clock(struct partner_state *state, const struct judge_answer *a)
{
    if (a->date <= 0 || a->date_seen_ms <= 0)
        return;
    int64_t written_ms = a->date_seen_ms - a->round_trip_ms / 2;
    int64_t ahead_ms = a->date * 1000 + 500 - written_ms;
    state->trust.clock = (struct partner_clock){
        .known = true, .ahead_s = (ahead_ms + (ahead_ms < 0 ? -500 : 500)) / 1000};
}

void judge_answer(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_answer *a, int64_t now, struct judged *ret)
{
    *ret = (struct judged){.reason = a->reason};
    set_detail(ret->detail, a->detail);
    note_clock(state, a);
    if (a->reason == REASON_OK && a->status == 200) {
        ret->reason = judge_document(state, pins, self, a, now, ret);
    } else if (a->reason == REASON_OK && a->status == 304 && state->document.n > 0) {
        ret->reason = judge_unchanged(state, pins, now, ret);
    } else if (a->reason == REASON_OK) {
        ret->reason = REASON_FETCH_STATUS;
        snprintf(ret->detail, sizeof(ret->detail), "unexpected HTTP status %u", a->status);
    }
    finish(state, a->source, now, ret);
}

/* Some key of the last good document is not believed yet. */
static bool has_waiting(const struct partner_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].published && (t->keys[i].state == PKEY_NEW || t->keys[i].state == PKEY_GONE))
            return true;
    return false;
}

/* The held document, else the last good one; it is judged again, because settings may have changed
 * and certificates ended meanwhile. */
static enum reason approve(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_answer *a, int64_t now, struct judged *j)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    CLEANUP(buf_done) struct buf copy = BUF_INIT(METADATA_MAX);
    struct signed_document proof;
    struct update_rules rules = judge_rules(pins);
    rules.approved = true;
    enum reason r = metadata_parse(a->body, pins, self, now, &m);
    set_detail(j->detail, span_of(m.detail));
    buf_put_span(&copy, a->body);
    if (r == REASON_OK && copy.failed)
        r = REASON_OUT_OF_MEMORY;
    if (r == REASON_OK)
        r = continuity_approved(pins, &m, now, &proof);
    if (r == REASON_OK)
        r = judge_whose(state, &m, &a->others, j);
    if (r == REASON_OK)
        r = install(state, &rules, &m, now, j);
    if (r != REASON_OK)
        return r;
    keep_document(state, a, &copy, j);
    continuity_keep(state, &proof);
    return REASON_OK;
}

void judge_approve(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_approval *by, int64_t now, struct judged *ret)
{
    const struct buf *held = &state->held.document;
    bool is_held = held->n > 0;
    struct judge_answer a = {
        .body = buf_span(is_held ? held : &state->document), .others = by->others};
    *ret = (struct judged){.reason = REASON_NEVER_FETCHED};
    if (!is_held && !has_waiting(&state->trust))
        return;
    ret->reason = approve(state, pins, self, &a, now, ret);
    if (ret->reason != REASON_OK)
        return;
    char what[160];
    snprintf(what, sizeof(what), "approved by %s", by->who);
    (void)!partner_state_note(state, now, what);
    state->failures = 0;
    state->last_reason = REASON_OK;
    state->last_detail[0] = '\0';
    judge_note(state, &ret->changes, what, now);
}

void judge_certificate(struct partner_state *state, const struct partner *pins, struct span pem,
    const char *why, int64_t now, struct judged *ret)
{
    *ret = (struct judged){.reason = REASON_KEY_FORM};
    CLEANUP(metadata_done) struct metadata m = {0};
    if (pem.n == 0) {
        set_detail(ret->detail, span_of(why));
    } else {
        ret->reason = cert_parse_pem(pem, &m.certs[0]);
        if (ret->reason == REASON_OK) {
            m.n_certs = 1;
            const struct update_rules rules = judge_rules(pins);
            ret->reason = install(state, &rules, &m, now, ret);
        } else {
            set_detail(ret->detail, span_of(pins->certificate));
        }
    }
    ret->document_changed = ret->keys_changed;
    ret->newly_refused = ret->reason != REASON_OK && ret->reason != state->last_reason;
    finish(state, "Certificate=", now, ret);
}

bool judge_still_lawful(const struct partner_state *state, const struct partner *pins,
    const struct identity *self, int64_t now)
{
    if (state->document.n == 0)
        return pins->certificate != NULL || state->trust.n_keys == 0;
    CLEANUP(metadata_done) struct metadata m = {0};
    switch (metadata_parse(buf_span(&state->document), pins, self, now, &m)) {
    case REASON_DOCUMENT_ISSUER:
    case REASON_DOCUMENT_OURS:
    case REASON_OUT_OF_MEMORY: /* never believed by mistake */
        return false;
    default:
        return true; /* keys that have run out meanwhile are judged when they are used */
    }
}

enum freshness judge_freshness(const struct partner_trust *t, const struct partner *pins,
    const struct settings *s, int64_t now)
{
    if (!pins->enabled)
        return FRESH_DISABLED;
    if (t->good_at == 0)
        return FRESH_NEVER;
    int64_t age = now - t->good_at;
    if (age >= s->refresh.stale_after_s)
        return FRESH_STALE;
    return age >= s->refresh.warn_after_s ? FRESH_WARN : FRESH_FRESH;
}

const char *freshness_name(enum freshness f)
{
    static const char *const names[] = {[FRESH_FRESH] = "fresh",
        [FRESH_WARN] = "warn",
        [FRESH_STALE] = "stale",
        [FRESH_NEVER] = "never",
        [FRESH_DISABLED] = "disabled"};
    return names[f];
}

char *judge_thumbprints(const struct partner_trust *t, char *out, size_t out_len)
{
    size_t at = 0;
    snprintf(out, out_len, "none");
    for (size_t i = 0; i < t->n_keys; i++) {
        const struct partner_key *k = &t->keys[i];
        char thumb[THUMBPRINT_TEXT_LEN];
        if (k->state != PKEY_VALID && k->state != PKEY_MISSING)
            continue;
        int n = snprintf(out + at, out_len - at, "%s%s", at ? ", " : "",
            k->has_x5t ? thumbprint_text(k->x5t, thumb) : k->kid);
        if (n < 0 || (size_t)n >= out_len - at)
            break;
        at += (size_t)n;
    }
    return out;
}
