/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "metadata.h"
#include "sealed_text.h"

#define TITLE "s2sd partner state 2"
#define TITLE_1 "s2sd partner state 1" /* of an older edition: no line marked "since 2" */
#define HISTORY_LINES 100
#define HISTORY_MAX 65536
#define NOTE_MAX 400
#define MODULUS_MAX 1024 /* RSA-8192 */
#define EXPONENT_MAX 8
#define HELD_LINE "[held]"
#define CLOCK_KEY "ClockAhead" /* the line is there when it is known */
#define DOCUMENT_LINE "[document]"

void partner_state_done(struct partner_state *s)
{
    partner_trust_done(&s->trust);
    buf_done(&s->document);
    buf_done(&s->held.document);
    free(s->history);
    *s = (struct partner_state){0};
}

/* ------------------------------------------------------------------------------------- writing */

static void put_text(struct buf *out, const char *key, const char *value)
{
    text_put_span(out, key, span_of(value));
}

static void put_operator(struct buf *out, const struct partner_state *s)
{
    text_put_int(out, "Suspended", s->trust.suspended);
    text_put_time(out, "SuspendedAt", s->suspended_at);
    put_text(out, "SuspendedBy", s->suspended_by);
    text_put_int(out, "Sequence", s->sequence);
    text_put_bytes(out, "SequenceKeys", s->sequence_keys, sizeof(s->sequence_keys));
    text_put_time(out, "SignedUntilAt", s->signed_until_at);
}

static void put_schedule(struct buf *out, const struct partner_state *s)
{
    text_put_int(out, "Generation", (int64_t)s->trust.generation);
    text_put_time(out, "GoodAt", s->trust.good_at);
    put_text(out, "ETag", s->etag);
    put_text(out, "LastModified", s->last_modified);
    text_put_time(out, "NextTryAt", s->next_try_at);
    text_put_time(out, "LastTryAt", s->last_try_at);
    put_text(out, "LastReason", reason_code(s->last_reason));
    put_text(out, "LastDetail", s->last_detail);
    text_put_int(out, "Failures", s->failures);
    if (s->trust.clock.known)
        text_put_int(out, CLOCK_KEY, s->trust.clock.ahead_s);
}

static void put_key(struct buf *out, const struct partner_key *k)
{
    struct span n = pubkey_n(k->key), e = pubkey_e(k->key);
    buf_put_str(out, "\n[key]\n");
    put_text(out, "State", partner_key_state_name(k->state));
    text_put_int(out, "Disputed", k->disputed);
    text_put_int(out, "Certificate", k->has_x5t);
    text_put_bytes(out, "X5t", k->x5t, X5T_LEN);
    text_put_bytes(out, "X5tS256", k->x5t_s256, X5T_S256_LEN);
    put_text(out, "Kid", k->kid);
    text_put_time(out, "NotBefore", k->not_before);
    text_put_time(out, "NotAfter", k->not_after);
    text_put_time(out, "FirstSeenAt", k->first_seen_at);
    text_put_time(out, "LastSeenAt", k->last_seen_at);
    text_put_time(out, "MissingAt", k->missing_at);
    text_put_int(out, "Published", k->published);
    text_put_time(out, "ReturningAt", k->returning_at);
    text_put_bytes(out, "Modulus", n.p, n.n);
    text_put_bytes(out, "Exponent", e.p, e.n);
}

/* The history is escaped as one value for each line, so that no line of it can pass for another
 * part of the file. */
static void put_history(struct buf *out, const char *history)
{
    struct span rest = span_of(history);
    buf_put_str(out, "\n[history]\n");
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        text_put_span(out, "Line", (struct span){rest.p, end});
        rest = span_skip(rest, end < rest.n ? end + 1 : end);
    }
}

static void put_held(struct buf *out, const struct partner_held *h)
{
    buf_put_str(out, "\n" HELD_LINE "\n");
    put_text(out, "Reason", reason_code(h->reason));
    text_put_time(out, "Since", h->since);
    put_text(out, "Detail", h->detail);
    text_put_int(out, "Length", (int64_t)h->document.n);
    buf_put_span(out, buf_span(&h->document));
    buf_put_char(out, '\n');
}

enum reason partner_state_print(const struct partner_state *s, struct buf *out)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(PARTNER_STATE_MAX);
    put_schedule(&body, s);
    put_operator(&body, s);
    text_put_int(&body, "Keys", (int64_t)s->trust.n_keys);
    for (size_t i = 0; i < s->trust.n_keys; i++)
        put_key(&body, &s->trust.keys[i]);
    put_history(&body, s->history);
    put_held(&body, &s->held);
    buf_put_str(&body, "\n" DOCUMENT_LINE "\n");
    buf_put_span(&body, buf_span(&s->document));
    if (!body.failed)
        sealed_put(out, TITLE, s->trust.name, buf_span(&body));
    return body.failed || out->failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

/* ------------------------------------------------------------------------------------- reading */

static void fixed_bytes(struct text_in *in, const char *key, uint8_t *out, size_t n)
{
    if (text_bytes(in, key, out, n) != n)
        in->failed = true;
}

static enum reason scan_reason(struct text_in *in, const char *key)
{
    char code[64];
    text_str(in, key, code, sizeof(code));
    enum reason r = reason_of_code(code);
    if (r == REASON_COUNT)
        in->failed = true;
    return r;
}

/* Since 2. */
static void scan_operator(struct text_in *in, struct partner_state *s)
{
    s->trust.suspended = text_bool(in, "Suspended");
    s->suspended_at = text_time(in, "SuspendedAt");
    text_str(in, "SuspendedBy", s->suspended_by, sizeof(s->suspended_by));
    s->sequence = text_int(in, "Sequence");
    fixed_bytes(in, "SequenceKeys", s->sequence_keys, sizeof(s->sequence_keys));
    s->signed_until_at = text_time(in, "SignedUntilAt");
}

static void scan_schedule(struct text_in *in, struct partner_state *s)
{
    s->trust.generation = (uint64_t)text_int(in, "Generation");
    s->trust.good_at = text_time(in, "GoodAt");
    text_str(in, "ETag", s->etag, sizeof(s->etag));
    text_str(in, "LastModified", s->last_modified, sizeof(s->last_modified));
    s->next_try_at = text_time(in, "NextTryAt");
    s->last_try_at = text_time(in, "LastTryAt");
    s->last_reason = scan_reason(in, "LastReason");
    text_str(in, "LastDetail", s->last_detail, sizeof(s->last_detail));
    int64_t failures = text_int(in, "Failures");
    s->failures = (unsigned)failures;
    if (failures < 0 || failures > UINT32_MAX)
        in->failed = true;
    s->trust.clock.known = span_starts(in->rest, SPAN(CLOCK_KEY "="));
    if (s->trust.clock.known)
        s->trust.clock.ahead_s = text_int(in, CLOCK_KEY);
}

/* Every key is judged again: a file from before a stricter policy must not bring a weak key back.
 */
static enum reason scan_key(struct text_in *in, unsigned edition, struct partner_key *k)
{
    char state[16];
    uint8_t modulus[MODULUS_MAX], exponent[EXPONENT_MAX];
    text_literal(in, "");
    text_literal(in, "[key]");
    text_str(in, "State", state, sizeof(state));
    if (!partner_key_state_of(span_of(state), &k->state))
        in->failed = true;
    k->disputed = text_bool(in, "Disputed");
    k->has_x5t = text_bool(in, "Certificate");
    fixed_bytes(in, "X5t", k->x5t, X5T_LEN);
    fixed_bytes(in, "X5tS256", k->x5t_s256, X5T_S256_LEN);
    text_str(in, "Kid", k->kid, sizeof(k->kid));
    k->not_before = text_time(in, "NotBefore");
    k->not_after = text_time(in, "NotAfter");
    k->first_seen_at = text_time(in, "FirstSeenAt");
    k->last_seen_at = text_time(in, "LastSeenAt");
    k->missing_at = text_time(in, "MissingAt");
    k->published = edition > 1 ? text_bool(in, "Published") : k->state == PKEY_VALID;
    k->returning_at = edition > 1 ? text_time(in, "ReturningAt") : 0;
    size_t n = text_bytes(in, "Modulus", modulus, sizeof(modulus));
    size_t e = text_bytes(in, "Exponent", exponent, sizeof(exponent));
    if (in->failed)
        return REASON_DOCUMENT_FORM;
    return pubkey_new(span_bytes(modulus, n), span_bytes(exponent, e), &k->key);
}

static bool is_known(const struct partner_trust *t, const struct partner_key *k)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (partner_key_same(&t->keys[i], k))
            return true;
    return false;
}

static enum reason scan_keys(struct text_in *in, unsigned edition, struct partner_trust *t)
{
    int64_t n = text_int(in, "Keys");
    if (n < 0 || n > PARTNER_KEYS_MAX)
        return REASON_DOCUMENT_FORM;
    for (int64_t i = 0; i < n; i++) {
        struct partner_key k = {0};
        enum reason r = scan_key(in, edition, &k);
        if (r == REASON_OUT_OF_MEMORY)
            return r;
        if (r != REASON_OK || is_known(t, &k)) {
            pubkey_free(k.key);
            return REASON_DOCUMENT_FORM;
        }
        t->keys[t->n_keys++] = k;
    }
    return REASON_OK;
}

static enum reason scan_history(struct text_in *in, char **ret)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(HISTORY_MAX);
    unsigned lines = 0;
    text_literal(in, "");
    text_literal(in, "[history]");
    while (!in->failed && span_starts(in->rest, SPAN("Line="))) {
        char line[NOTE_MAX * 4];
        text_str(in, "Line", line, sizeof(line));
        if (strchr(line, '\n'))
            return REASON_DOCUMENT_FORM;
        buf_printf(&text, "%s\n", line);
        if (++lines > HISTORY_LINES)
            return REASON_DOCUMENT_FORM;
    }
    if (in->failed)
        return REASON_DOCUMENT_FORM;
    if (text.failed)
        return REASON_OUT_OF_MEMORY;
    *ret = lines ? buf_take(&text) : NULL;
    return lines && !*ret ? REASON_OUT_OF_MEMORY : REASON_OK;
}

/* Since 2. */
static enum reason scan_held(struct text_in *in, struct partner_held *h)
{
    text_literal(in, "");
    text_literal(in, HELD_LINE);
    h->reason = scan_reason(in, "Reason");
    h->since = text_time(in, "Since");
    text_str(in, "Detail", h->detail, sizeof(h->detail));
    int64_t n = text_int(in, "Length");
    if (in->failed || n < 0 || n > METADATA_MAX || (size_t)n > in->rest.n)
        return REASON_DOCUMENT_FORM;
    h->document = BUF_INIT(METADATA_MAX);
    buf_put(&h->document, in->rest.p, (size_t)n);
    in->rest = span_skip(in->rest, (size_t)n);
    text_literal(in, "");
    return h->document.failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

static enum reason scan_document(struct text_in *in, struct buf *ret)
{
    text_literal(in, "");
    text_literal(in, DOCUMENT_LINE);
    if (in->failed || in->rest.n > METADATA_MAX)
        return REASON_DOCUMENT_FORM;
    *ret = BUF_INIT(METADATA_MAX);
    buf_put_span(ret, in->rest);
    return ret->failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

static enum reason scan_body(struct text_in *in, unsigned edition, struct partner_state *s)
{
    scan_schedule(in, s);
    if (edition > 1)
        scan_operator(in, s);
    enum reason r = scan_keys(in, edition, &s->trust);
    if (r == REASON_OK)
        r = scan_history(in, &s->history);
    if (r == REASON_OK && edition > 1)
        r = scan_held(in, &s->held);
    if (r == REASON_OK)
        r = scan_document(in, &s->document);
    return r;
}

enum reason partner_state_scan(struct span text, struct span name, struct partner_state *ret)
{
    struct text_in in = {0};
    char expected[PARTNER_NAME_MAX];
    if (name.n == 0 || name.n >= sizeof(expected) || memchr(name.p, 0, name.n))
        return REASON_DOCUMENT_FORM;
    memcpy(expected, name.p, name.n);
    expected[name.n] = '\0';
    unsigned edition = 2;
    enum reason r = sealed_open(text, TITLE, expected, &in.rest);
    if (r == REASON_DOCUMENT_FORM) {
        edition = 1;
        r = sealed_open(text, TITLE_1, expected, &in.rest);
    }
    if (r != REASON_OK)
        return r;
    CLEANUP(partner_state_freep) struct partner_state *s = calloc(1, sizeof(*s));
    if (!s || !(s->trust.name = strdup(expected)))
        return REASON_OUT_OF_MEMORY;
    r = scan_body(&in, edition, s);
    if (r != REASON_OK)
        return r;
    *ret = *s;
    *s = (struct partner_state){0};
    return REASON_OK;
}

/* ------------------------------------------------------------------------------------- history */

void partner_state_freep(struct partner_state **s)
{
    if (*s)
        partner_state_done(*s);
    free(*s);
    *s = NULL;
}

static unsigned count_lines(struct span text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

enum reason partner_state_note(struct partner_state *s, int64_t now, const char *what)
{
    char date[CLOCK_TEXT_LEN], safe[NOTE_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(HISTORY_MAX);
    struct span old = span_of(s->history);
    for (unsigned n = count_lines(old); n >= HISTORY_LINES; n--)
        old = span_skip(old, span_find(old, '\n') + 1);
    buf_put_span(&text, old);
    buf_printf(&text, "%s  %s\n", clock_text(now, date), log_safe(span_of(what), safe, NOTE_MAX));
    char *fresh = buf_take(&text);
    if (!fresh)
        return REASON_OUT_OF_MEMORY;
    free(s->history);
    s->history = fresh;
    return REASON_OK;
}

/* ---------------------------------------------------------------------------- held documents */

void partner_state_unhold(struct partner_state *s)
{
    buf_done(&s->held.document);
    s->held = (struct partner_held){.reason = REASON_OK};
}

enum reason partner_state_hold(struct partner_state *s, struct span document, enum reason reason,
    const char *detail, int64_t now)
{
    struct partner_held *h = &s->held;
    bool same = h->document.n > 0 && span_eq(buf_span(&h->document), document);
    CLEANUP(buf_done) struct buf copy = BUF_INIT(METADATA_MAX);
    buf_put_span(&copy, document);
    if (copy.failed)
        return REASON_OUT_OF_MEMORY;
    if (!same)
        h->since = now;
    buf_done(&h->document);
    h->document = copy;
    copy = BUF_INIT(0);
    h->reason = reason;
    snprintf(h->detail, sizeof(h->detail), "%s", detail);
    return REASON_OK;
}
