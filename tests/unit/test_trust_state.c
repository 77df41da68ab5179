/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "metadata.h"
#include "sealed_text.h"
#include "trust_fixture.h"

static struct partner_state s, back;

static struct partner_key *add_key(unsigned seed, enum partner_key_state state)
{
    CLEANUP(cert_freep) struct cert *c = fixture_cert(seed);
    struct partner_key *k = &s.trust.keys[s.trust.n_keys++];
    *k = (struct partner_key){.state = state,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .first_seen_at = T0,
        .last_seen_at = T0 + 1,
        .missing_at = state == PKEY_MISSING ? T0 + 2 : 0,
        .key = pubkey_ref(c->key)};
    memcpy(k->x5t, c->x5t, X5T_LEN);
    memcpy(k->x5t_s256, c->x5t_s256, X5T_S256_LEN);
    return k;
}

#define DOCUMENT "{\"issuer\":\"x\"}\n[key]\nState=valid\n\xff"

/* Nothing in it passes for another part of the file. */
#define HELD "{}\n\n[document]\n{}\n"

static void setup(void)
{
    s = (struct partner_state){.next_try_at = T0 + 50, .last_try_at = T0 + 40, .failures = 3};
    s.trust.name = strdup("exch");
    s.trust.generation = 17;
    s.trust.good_at = T0;
    s.trust.suspended = true;
    s.suspended_at = T0 + 60;
    snprintf(s.suspended_by, sizeof(s.suspended_by), "uid 0");
    s.sequence = 12;
    s.sequence_keys[31] = 7;
    s.signed_until_at = T0 + 7 * DAY;
    s.trust.clock = (struct partner_clock){true, -212};
    s.last_reason = REASON_FETCH_TIMEOUT;
    snprintf(s.etag, sizeof(s.etag), "W/\"a\\b\r\n=\xc3\xa4\"");
    snprintf(s.last_modified, sizeof(s.last_modified), "Thu, 01 Jan 2026 00:00:00 GMT");
    snprintf(s.last_detail, sizeof(s.last_detail), "10 s are over");
    add_key(1, PKEY_VALID)->published = true;
    add_key(2, PKEY_MISSING)->disputed = true;
    struct partner_key *bare = add_key(3, PKEY_BARRED);
    bare->has_x5t = false;
    bare->not_after = INT64_MAX;
    bare->not_before = 0;
    bare->returning_at = T0 + 3;
    snprintf(bare->kid, sizeof(bare->kid), "kid\n1");
    s.document = BUF_INIT(METADATA_MAX);
    buf_put_str(&s.document, DOCUMENT);
    ck_assert_int_eq(
        partner_state_hold(&s, SPAN(HELD), REASON_DOCUMENT_HELD, "why \xc3\xa4", T0), REASON_OK);
    ck_assert_int_eq(partner_state_note(&s, T0, "key added"), REASON_OK);
    ck_assert_int_eq(partner_state_note(&s, T0 + 1, "evil\n[document]\\"), REASON_OK);
}

static void teardown(void)
{
    partner_state_done(&s);
    partner_state_done(&back);
}

static void print(struct buf *out)
{
    *out = BUF_INIT(PARTNER_STATE_MAX);
    ck_assert_int_eq(partner_state_print(&s, out), REASON_OK);
}

static enum reason scan(struct span text)
{
    return partner_state_scan(text, SPAN("exch"), &back);
}

static void same_key(const struct partner_key *a, const struct partner_key *b)
{
    ck_assert_int_eq(a->state, b->state);
    ck_assert_int_eq(a->disputed, b->disputed);
    ck_assert_int_eq(a->has_x5t, b->has_x5t);
    ck_assert_mem_eq(a->x5t, b->x5t, X5T_LEN);
    ck_assert_mem_eq(a->x5t_s256, b->x5t_s256, X5T_S256_LEN);
    ck_assert_str_eq(a->kid, b->kid);
    ck_assert_int_eq(a->not_before, b->not_before);
    ck_assert_int_eq(a->not_after, b->not_after);
    ck_assert_int_eq(a->first_seen_at, b->first_seen_at);
    ck_assert_int_eq(a->last_seen_at, b->last_seen_at);
    ck_assert_int_eq(a->missing_at, b->missing_at);
    ck_assert_int_eq(a->published, b->published);
    ck_assert_int_eq(a->returning_at, b->returning_at);
    ck_assert(pubkey_eq(a->key, b->key));
}

START_TEST(what_is_printed_is_read_back)
{
    CLEANUP(buf_done) struct buf text = {0};
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_OK);
    ck_assert_str_eq(back.trust.name, "exch");
    ck_assert_uint_eq(back.trust.generation, 17);
    ck_assert_int_eq(back.trust.good_at, T0);
    ck_assert_str_eq(back.etag, s.etag);
    ck_assert_str_eq(back.last_modified, s.last_modified);
    ck_assert_int_eq(back.next_try_at, T0 + 50);
    ck_assert_int_eq(back.last_try_at, T0 + 40);
    ck_assert_int_eq(back.last_reason, REASON_FETCH_TIMEOUT);
    ck_assert_str_eq(back.last_detail, "10 s are over");
    ck_assert_uint_eq(back.failures, 3);
    ck_assert(back.trust.clock.known);
    ck_assert_int_eq(back.trust.clock.ahead_s, -212);
    ck_assert_str_eq(back.history, s.history);
    ck_assert(span_eq(buf_span(&back.document), SPAN(DOCUMENT)));
    ck_assert(back.trust.suspended);
    ck_assert_int_eq(back.suspended_at, T0 + 60);
    ck_assert_str_eq(back.suspended_by, "uid 0");
    ck_assert_int_eq(back.sequence, 12);
    ck_assert_int_eq(back.signed_until_at, T0 + 7 * DAY);
    ck_assert_mem_eq(back.sequence_keys, s.sequence_keys, X5T_S256_LEN);
    ck_assert_int_eq(back.held.reason, REASON_DOCUMENT_HELD);
    ck_assert_int_eq(back.held.since, T0);
    ck_assert_str_eq(back.held.detail, "why \xc3\xa4");
    ck_assert(span_eq(buf_span(&back.held.document), SPAN(HELD)));
    ck_assert_uint_eq(back.trust.n_keys, 3);
    for (size_t i = 0; i < 3; i++)
        same_key(&back.trust.keys[i], &s.trust.keys[i]);
}
END_TEST

START_TEST(a_person_can_read_it)
{
    CLEANUP(buf_done) struct buf text = {0};
    print(&text);
    ck_assert_ptr_nonnull(strstr(text.p, "s2sd partner state 2\nName=exch\nLength="));
    ck_assert_ptr_nonnull(strstr(text.p, "\nGoodAt=1767225600 2026-01-01T00:00:00Z\n"));
    ck_assert_ptr_nonnull(strstr(text.p, "\nLastReason=fetch_timeout\n"));
    ck_assert_ptr_nonnull(strstr(text.p, "\nSuspended=1\nSuspendedAt=1767225660 2026-"));
    ck_assert_ptr_nonnull(strstr(text.p, "\n\n[key]\nState=valid\nDisputed=0\n"));
    ck_assert_ptr_nonnull(strstr(text.p, "\nNotAfter=9223372036854775807 never\n"));
    ck_assert_ptr_nonnull(strstr(text.p, "\nLine=2026-01-01T00:00:00Z  key added\n"));
}
END_TEST

START_TEST(a_state_without_anything_is_read_back)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(PARTNER_STATE_MAX);
    struct partner_state empty = {.trust.name = (char[]){"exch"}};
    ck_assert_int_eq(partner_state_print(&empty, &text), REASON_OK);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_OK);
    ck_assert_uint_eq(back.trust.n_keys, 0);
    ck_assert_uint_eq(back.document.n, 0);
    ck_assert_ptr_null(back.history);
}
END_TEST

/* What the edition before wrote: a file of it, as its last users have it. */
START_TEST(a_file_of_the_edition_before_is_read)
{
    CLEANUP(fclosep) FILE *f = fopen("tests/golden/partner-state-1.txt", "r");
    ck_assert_msg(f != NULL, "run from the top of the tree");
    char text[8192];
    size_t n = fread(text, 1, sizeof(text), f);
    CLEANUP(buf_done) struct buf again = BUF_INIT(PARTNER_STATE_MAX);
    ck_assert_int_eq(partner_state_scan((struct span){text, n}, SPAN("fuzz"), &back), REASON_OK);
    ck_assert_uint_eq(back.trust.generation, 2);
    ck_assert_uint_eq(back.trust.n_keys, 3);
    ck_assert(back.trust.keys[0].published && !back.trust.keys[2].published);
    ck_assert(!back.trust.suspended);
    ck_assert_uint_eq(back.held.document.n, 0);
    ck_assert(span_eq(buf_span(&back.document), SPAN("{\"issuer\":\"x\"}")));
    ck_assert_int_eq(partner_state_print(&back, &again), REASON_OK);
    partner_state_done(&back);
    ck_assert_int_eq(partner_state_scan(buf_span(&again), SPAN("fuzz"), &back), REASON_OK);
    ck_assert(back.trust.keys[0].published);
}
END_TEST

/* An older daemon must not take a file of ours for one of its own, and the other way round. */
START_TEST(an_edition_has_its_own_lines)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(PARTNER_STATE_MAX);
    struct span body;
    print(&text);
    ck_assert_int_eq(
        sealed_open(buf_span(&text), "s2sd partner state 2", "exch", &body), REASON_OK);
    sealed_put(&sealed, "s2sd partner state 1", "exch", body);
    ck_assert_int_eq(scan(buf_span(&sealed)), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(a_held_document_keeps_its_first_date)
{
    ck_assert_int_eq(
        partner_state_hold(&s, SPAN(HELD), REASON_DOCUMENT_REPLAY, "x", T0 + 9), REASON_OK);
    ck_assert_int_eq(s.held.since, T0);
    ck_assert_int_eq(s.held.reason, REASON_DOCUMENT_REPLAY);
    ck_assert_int_eq(
        partner_state_hold(&s, SPAN("{}"), REASON_DOCUMENT_HELD, "y", T0 + 10), REASON_OK);
    ck_assert_int_eq(s.held.since, T0 + 10);
    ck_assert(span_eq(buf_span(&s.held.document), SPAN("{}")));
    partner_state_unhold(&s);
    ck_assert_uint_eq(s.held.document.n, 0);
    ck_assert_int_eq(s.held.reason, REASON_OK);
}
END_TEST

/* X05: every byte, every truncation, zeros, another partner's file. */
START_TEST(a_damaged_file_is_refused)
{
    CLEANUP(buf_done) struct buf text = {0};
    print(&text);
    for (size_t i = 0; i < text.n; i++) {
        char original = text.p[i];
        const char damage[] = {(char)(original ^ 1), (char)(original ^ 0x20), '\0', '\n'};
        for (size_t k = 0; k < ARRAY_LEN(damage); k++) {
            text.p[i] = damage[k];
            if (damage[k] != original)
                ck_assert_int_eq(scan(buf_span(&text)), REASON_DOCUMENT_FORM);
        }
        text.p[i] = original;
        ck_assert_int_eq(scan((struct span){text.p, i}), REASON_DOCUMENT_FORM);
    }
    ck_assert_ptr_null(back.trust.name);
}
END_TEST

START_TEST(another_partners_file_is_refused)
{
    CLEANUP(buf_done) struct buf text = {0};
    print(&text);
    ck_assert_int_eq(
        partner_state_scan(buf_span(&text), SPAN("exch2"), &back), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(partner_state_scan(buf_span(&text), SPAN(""), &back), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(
        partner_state_scan(buf_span(&text), SPAN("exch\0"), &back), REASON_DOCUMENT_FORM);
}
END_TEST

/* A body that somebody sealed again with the right digest: the lines themselves must be right. */
static const struct {
    const char *find, *put;
} edits[] = {
    {"Generation=17", "Generation=017"},
    {"Generation=17", "Generation=+17"},
    {"GoodAt=1767225600 2026-01-01T00:00:00Z", "GoodAt=1767225600 2026-01-01T00:00:01Z"},
    {"GoodAt=1767225600 2026-01-01T00:00:00Z", "GoodAt=1767225600"},
    {"LastReason=fetch_timeout", "LastReason=fetch_times"},
    {"Failures=3", "Failures=-1"},
    {"Keys=3", "Keys=4"},
    {"Keys=3", "Keys=2"},
    {"Keys=3", "Keys=65"},
    {"State=valid", "State=Valid"},
    {"Disputed=0", "Disputed=2"},
    {"Exponent=AQAB", "Exponent=AQ"},
    {"Exponent=AQAB", "Exponent="},
    {"Suspended=1", "Suspended=2"},
    {"SequenceKeys=AA", "SequenceKeys=A"},
    {"Published=1", "Published=yes"},
    {"Reason=document_held", "Reason=document_helt"},
    {"Length=18\n", "Length=17\n"},
    {"Length=18\n", "Length=-1\n"},
    {"Length=18\n", "Length=99999\n"},
    {"\n[held]\n", "\n[hold]\n"},
    {"Kid=kid\\x0a1", "Kid=kid\\x0A1"},
    {"Kid=kid\\x0a1", "Kid=kid\\x001"},
    {"Kid=kid\\x0a1", "Kid=kid\\x0"},
    {"Kid=kid\\x0a1", "Kid=kid\\n1"},
    {"\n[history]\n", "\n[histori]\n"},
    {"\n[document]\n", "\n"},
    {"ETag=", "Etag="},
};

START_TEST(a_line_of_another_form_is_refused)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf edited = BUF_INIT(PARTNER_STATE_MAX);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(PARTNER_STATE_MAX);
    struct span body;
    print(&text);
    ck_assert_int_eq(
        sealed_open(buf_span(&text), "s2sd partner state 2", "exch", &body), REASON_OK);
    const char *at = memmem(body.p, body.n, edits[_i].find, strlen(edits[_i].find));
    ck_assert_ptr_nonnull(at);
    buf_put(&edited, body.p, (size_t)(at - body.p));
    buf_put_str(&edited, edits[_i].put);
    buf_put_span(&edited, span_skip(body, (size_t)(at - body.p) + strlen(edits[_i].find)));
    sealed_put(&sealed, "s2sd partner state 2", "exch", buf_span(&edited));
    ck_assert_msg(scan(buf_span(&sealed)) == REASON_DOCUMENT_FORM, "%s", edits[_i].put);
    ck_assert_ptr_null(back.trust.name);
}
END_TEST

START_TEST(one_key_twice_is_refused)
{
    CLEANUP(buf_done) struct buf text = {0};
    add_key(1, PKEY_VALID);
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_DOCUMENT_FORM);
}
END_TEST

/* The body of a state that is printed, without its header. */
static struct span body_of(const struct buf *text)
{
    struct span body;
    ck_assert_int_eq(sealed_open(buf_span(text), "s2sd partner state 2", "exch", &body), REASON_OK);
    return body;
}

static struct span between(struct span text, const char *from, const char *to)
{
    const char *a = memmem(text.p, text.n, from, strlen(from));
    ck_assert_ptr_nonnull(a);
    const char *b = memmem(a, text.n - (size_t)(a - text.p), to, strlen(to));
    ck_assert_ptr_nonnull(b);
    return (struct span){a, (size_t)(b - a)};
}

START_TEST(sixty_five_keys_are_refused)
{
    CLEANUP(buf_done) struct buf one = {0};
    CLEANUP(buf_done) struct buf many = {0};
    CLEANUP(buf_done) struct buf body = BUF_INIT(PARTNER_STATE_MAX);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(PARTNER_STATE_MAX);
    print(&one); /* its first key is of seed 1 */
    for (size_t i = 0; i < s.trust.n_keys; i++)
        pubkey_free(s.trust.keys[i].key);
    s.trust.n_keys = 0;
    for (unsigned i = 0; i < PARTNER_KEYS_MAX; i++)
        add_key(100 + i, PKEY_VALID);
    print(&many);
    ck_assert_int_eq(scan(buf_span(&many)), REASON_OK);
    partner_state_done(&back);
    struct span text = body_of(&many), extra = between(body_of(&one), "[key]\n", "\n\n");
    buf_put_span(&body, between(text, "Generation=", "Keys=64"));
    buf_put_str(&body, "Keys=65\n\n");
    buf_put_span(&body, extra);
    buf_put_str(&body, "\n\n");
    buf_put_span(&body, between(text, "[key]\n", "[document]"));
    buf_put_str(&body, "[document]\n");
    sealed_put(&sealed, "s2sd partner state 2", "exch", buf_span(&body));
    ck_assert_int_eq(scan(buf_span(&sealed)), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(history_keeps_a_hundred_lines)
{
    char what[32];
    for (int i = 0; i < 150; i++) {
        snprintf(what, sizeof(what), "event %d", i);
        ck_assert_int_eq(partner_state_note(&s, T0 + i, what), REASON_OK);
    }
    unsigned lines = 0;
    for (const char *p = s.history; *p; p++)
        lines += *p == '\n';
    ck_assert_uint_eq(lines, 100);
    ck_assert_ptr_nonnull(strstr(s.history, "event 50\n"));
    ck_assert_ptr_null(strstr(s.history, "event 49\n"));
    ck_assert_ptr_nonnull(strstr(s.history, "2026-01-01T00:02:29Z  event 149\n"));
    CLEANUP(buf_done) struct buf text = {0};
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_OK);
    ck_assert_str_eq(back.history, s.history);
}
END_TEST

START_TEST(a_hundred_and_one_lines_are_refused)
{
    CLEANUP(buf_done) struct buf history = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf text = {0};
    for (int i = 0; i < 101; i++)
        buf_printf(&history, "line %d\n", i);
    free(s.history);
    s.history = buf_take(&history);
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(a_note_is_one_harmless_line)
{
    char long_text[2000];
    memset(long_text, '\n', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    free(s.history);
    s.history = NULL;
    ck_assert_int_eq(partner_state_note(&s, T0, long_text), REASON_OK);
    ck_assert_ptr_eq(strchr(s.history, '\n'), s.history + strlen(s.history) - 1);
    ck_assert_uint_lt(strlen(s.history), 450);
}
END_TEST

START_TEST(the_largest_document_fits)
{
    CLEANUP(buf_done) struct buf text = {0};
    char *room = buf_reserve(&s.document, METADATA_MAX - s.document.n);
    ck_assert_ptr_nonnull(room);
    memset(room, ' ', METADATA_MAX - s.document.n);
    s.document.n = METADATA_MAX;
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_OK);
    ck_assert_uint_eq(back.document.n, METADATA_MAX);
    partner_state_done(&back);
    s.document.max++;
    buf_put_char(&s.document, ' ');
    buf_done(&text);
    print(&text);
    ck_assert_int_eq(scan(buf_span(&text)), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_told)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(500);
    ck_assert_int_eq(partner_state_print(&s, &text), REASON_OUT_OF_MEMORY);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_printed_is_read_back);
    tcase_add_test(tc, a_person_can_read_it);
    tcase_add_test(tc, a_state_without_anything_is_read_back);
    tcase_add_test(tc, a_file_of_the_edition_before_is_read);
    tcase_add_test(tc, an_edition_has_its_own_lines);
    tcase_add_test(tc, a_held_document_keeps_its_first_date);
    tcase_add_test(tc, a_damaged_file_is_refused);
    tcase_add_test(tc, another_partners_file_is_refused);
    tcase_add_loop_test(tc, a_line_of_another_form_is_refused, 0, ARRAY_LEN(edits));
    tcase_add_test(tc, one_key_twice_is_refused);
    tcase_add_test(tc, sixty_five_keys_are_refused);
    tcase_add_test(tc, history_keeps_a_hundred_lines);
    tcase_add_test(tc, a_hundred_and_one_lines_are_refused);
    tcase_add_test(tc, a_note_is_one_harmless_line);
    tcase_add_test(tc, the_largest_document_fits);
    tcase_add_test(tc, a_buffer_that_is_too_small_is_told);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_state", add);
}
