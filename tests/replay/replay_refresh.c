/* SPDX-License-Identifier: Apache-2.0 */
/* A partner's life as the broker sees it: documents, failures, restarts, clocks (DESIGN 5 and 8,
 * style note 9.4). */
#include "stage.h"

static struct stage s;

static void set_up(void)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
}

static void tear_down(void)
{
    stage_close(&s);
}

/* The first fetch, answered well. */
static void first_document(const char *keys)
{
    stage_wait(&s, 0);
    stage_answer_keys(keys);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), keys);
}

START_TEST(a_partner_without_a_document_is_fetched_at_once)
{
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 1);
    ck_assert_str_eq(
        stage_open_request()->url, "https://exch.contoso.example/autodiscover/metadata/json/1");
    ck_assert_str_eq(stage_open_request()->etag, "");
    stage_answer_keys("01");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    ck_assert_uint_eq(s.trust_news, 1);
    ck_assert_uint_eq(s.ends, 1);
    ck_assert(s.last.good && s.last.keys_changed && s.last.document_changed);
    ck_assert_int_ge(stage_due_in(&s, "exch"), 3240);
    ck_assert_int_le(stage_due_in(&s, "exch"), 3600);
    const struct partner_state *st = &stage_partner(&s, "exch")->state;
    ck_assert_int_eq(st->trust.good_at, s.wall);
    ck_assert(st->history && strstr(st->history, " added"));
    ck_assert(temp_dir_has(&s.dir, "partners/exch.state"));
}
END_TEST

START_TEST(only_one_request_is_under_way_for_a_partner)
{
    stage_wait(&s, 0);
    stage_wait(&s, 3600);
    ck_assert_uint_eq(stage_asked, 1);
    ck_assert(stage_hint(&s, "exch", 1));
    struct partner_entry *e = stage_partner(&s, "exch");
    unsigned answered_by = refresher_now(s.refresher, e, 0);
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 1);
    stage_answer_keys("0");
    ck_assert_uint_eq(s.ends, 1);
    ck_assert_uint_lt(e->attempts, answered_by); /* the administrator asked after it had begun */
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2);
    stage_answer_keys("0");
    ck_assert_uint_eq(e->attempts, answered_by);
}
END_TEST

START_TEST(a_partner_that_is_down_keeps_its_last_document)
{
    static const int64_t longest_s[] = {30, 60, 120, 240, 480, 900, 900};
    first_document("0");
    uint64_t generation = stage_partner(&s, "exch")->state.trust.generation;
    int64_t good_at = s.wall;
    stage_wait(&s, 3600);
    for (size_t i = 0; i < ARRAY_LEN(longest_s); i++) {
        stage_answer_failure(REASON_FETCH_CONNECT);
        ck_assert(!s.last.good);
        ck_assert_int_eq(stage_partner(&s, "exch")->state.last_reason, REASON_FETCH_CONNECT);
        ck_assert_int_le(stage_due_in(&s, "exch"), longest_s[i]);
        stage_wait(&s, longest_s[i]);
        ck_assert_uint_eq(stage_asked, 3 + i);
    }
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    ck_assert_uint_eq(stage_partner(&s, "exch")->state.trust.generation, generation);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.good_at, good_at);
    ck_assert_uint_eq(s.trust_news, 1);
    stage_answer_keys("0");
    ck_assert_uint_eq(stage_partner(&s, "exch")->state.failures, 0);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.good_at, s.wall);
}
END_TEST

START_TEST(an_error_with_retry_after_waits_as_long)
{
    first_document("0");
    stage_wait(&s, 3600);
    struct msg_fetched busy = stage_status(500, "");
    busy.retry_after_s = 1800;
    stage_answer(busy, "");
    ck_assert_int_eq(stage_due_in(&s, "exch"), 1800);
    stage_wait(&s, 1799);
    ck_assert_uint_eq(stage_asked, 2);
    stage_wait(&s, 1);
    ck_assert_uint_eq(stage_asked, 3);
}
END_TEST

START_TEST(not_modified_stamps_and_parses_nothing)
{
    stage_wait(&s, 0);
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "0");
    stage_answer(stage_status(200, "\"v1\""), doc);
    uint64_t generation = stage_partner(&s, "exch")->state.trust.generation;
    stage_wait(&s, 3600);
    ck_assert_str_eq(stage_open_request()->etag, "\"v1\"");
    stage_answer(stage_status(304, ""), "");
    ck_assert(s.last.good && !s.last.keys_changed && !s.last.document_changed);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.good_at, s.wall);
    ck_assert_uint_eq(stage_partner(&s, "exch")->state.trust.generation, generation);
    ck_assert_uint_eq(s.trust_news, 2); /* workers judge staleness by good_at */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
}
END_TEST

/* From the Date header, whatever the answer; the header says whole seconds and is half a round trip
 * old. */
START_TEST(how_far_the_partners_clock_is_ahead_is_kept)
{
    static const struct {
        unsigned status;
        int64_t date, late_ms; /* of the wall clock; behind the last whole second of ours */
        uint32_t round_trip_ms;
        int64_t ahead_s;
    } rows[] = {{200, 212, 500, 0, 212}, {503, -3600, 500, 0, -3600}, {304, 0, 1400, 2000, 0},
        {304, 0, 20500, 40000, 0}, {304, 0, 20500, 0, -20}};
    struct msg_fetched silent = stage_status(503, "");
    stage_wait(&s, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(freep)
        char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "0");
        struct msg_fetched a = stage_status(rows[i].status, "\"v1\"");
        a.date = s.wall + rows[i].date;
        a.date_seen_ms = s.wall * 1000 + rows[i].late_ms;
        a.round_trip_ms = rows[i].round_trip_ms;
        stage_answer(a, rows[i].status == 200 ? doc : "");
        const struct partner_trust *t = &stage_partner(&s, "exch")->state.trust;
        ck_assert(t->clock.known);
        ck_assert_int_eq(t->clock.ahead_s, rows[i].ahead_s);
        stage_wait(&s, 3600);
    }
    stage_answer(silent, ""); /* nothing new is known */
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 10);
    ck_assert(stage_partner(&s, "exch")->state.trust.clock.known);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.clock.ahead_s, -20);
}
END_TEST

START_TEST(not_modified_without_a_document_is_a_failure)
{
    stage_wait(&s, 0);
    stage_answer(stage_status(304, ""), "");
    ck_assert_int_eq(s.last.reason, REASON_FETCH_STATUS);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.good_at, 0);
}
END_TEST

START_TEST(a_rollover_is_followed_and_noted)
{
    first_document("0");
    stage_wait(&s, 3600);
    stage_answer_keys("01"); /* next is announced */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    stage_wait(&s, 3600);
    stage_answer_keys("10"); /* swapped: the same keys count */
    ck_assert(!s.last.keys_changed && s.last.document_changed);
    stage_wait(&s, 3600);
    stage_answer_keys("1"); /* the old one is withdrawn: not believed any longer */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
    ck_assert(s.last.keys_changed && !s.last.changes.all_replaced);
    const char *history = stage_partner(&s, "exch")->state.history;
    char thumb[THUMBPRINT_TEXT_LEN], line[128];
    for (int k = 0; k < 2; k++) {
        snprintf(line, sizeof(line), "key %s added",
            thumbprint_text(signkey_cert(stage_keys[k])->x5t, thumb));
        ck_assert_ptr_nonnull(strstr(history, line));
    }
}
END_TEST

START_TEST(all_keys_replaced_at_once_is_an_alarm)
{
    first_document("01");
    stage_wait(&s, 3600);
    stage_answer_keys("23");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "23");
    ck_assert(s.last.changes.all_replaced);
    ck_assert_ptr_nonnull(
        strstr(stage_partner(&s, "exch")->state.history, "all keys were replaced at once"));
}
END_TEST

START_TEST(grace_lets_a_vanished_key_count_a_while)
{
    stage_use(&s, STAGE_CONF STAGE_EXCH "Grace=10min\n");
    first_document("01");
    stage_wait(&s, 3600);
    stage_answer_keys("1");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    unsigned news = s.trust_news;
    stage_wait(&s, 599);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    stage_wait(&s, 1);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
    ck_assert_uint_eq(s.trust_news, news + 1); /* without any new document */
}
END_TEST

static const struct {
    const char *body; /* NULL: a document of this identity */
    const char *app_id, *realm;
    enum reason reason;
} refusals[] = {
    {NULL, "00000003-0000-0ff1-ce00-000000000000", "contoso.example", REASON_DOCUMENT_ISSUER},
    {NULL, "00000002-0000-0ff1-ce00-000000000000", "evil.example", REASON_DOCUMENT_ISSUER},
    {NULL, "00000004-0000-0ff1-ce00-000000000000", "contoso.example", REASON_DOCUMENT_OURS},
    {"<html>maintenance</html>", NULL, NULL, REASON_JSON_SYNTAX},
    {"{\"hello\":\"world\"}", NULL, NULL, REASON_DOCUMENT_FORM},
    {"{\"issuer\":\"00000002-0000-0ff1-ce00-000000000000@contoso.example\",\"keys\":[]}", NULL,
        NULL, REASON_DOCUMENT_KEYS},
};

START_TEST(a_refused_document_changes_nothing_but_its_reason)
{
    first_document("0");
    const struct partner_state *st = &stage_partner(&s, "exch")->state;
    uint64_t generation = st->trust.generation;
    int64_t good_at = st->trust.good_at;
    CLEANUP(freep) char *own = NULL;
    if (!refusals[_i].body)
        own = stage_document(refusals[_i].app_id, refusals[_i].realm, "1");
    for (int again = 0; again < 2; again++) {
        stage_wait(&s, 3600);
        stage_answer(stage_status(200, "\"evil\""), own ? own : refusals[_i].body);
        ck_assert_int_eq(s.last.reason, refusals[_i].reason);
        ck_assert_int_eq(st->last_reason, refusals[_i].reason);
        ck_assert_str_ne(st->last_detail, reason_sentence(st->last_reason)); /* shown beside it */
        ck_assert(!s.last.good);
        ck_assert_int_eq(s.last.newly_refused, again == 0); /* shouted once, not each time */
    }
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    ck_assert_uint_eq(st->trust.generation, generation);
    ck_assert_int_eq(st->trust.good_at, good_at);
    ck_assert_str_ne(st->etag, "\"evil\""); /* or the next good one would be a 304 */
    ck_assert_ptr_nonnull(strstr(st->history, "document refused"));
    ck_assert_uint_eq(st->failures, 2);
    stage_wait(&s, 900);
    stage_answer_keys("0");
    ck_assert_int_eq(st->last_reason, REASON_OK);
}
END_TEST

START_TEST(a_restart_resumes_with_what_was_known)
{
    first_document("01");
    int64_t due = stage_due_in(&s, "exch");
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 100);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 1); /* nothing is due yet */
    ck_assert_int_le(stage_due_in(&s, "exch"), due - 99);
    ck_assert_int_ge(stage_due_in(&s, "exch"), due - 101);
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    const struct partner_trust *t = partners_trust(s.partners, stage_partner(&s, "exch"));
    ck_assert_uint_eq(t->n_keys, 2);
}
END_TEST

START_TEST(a_restart_with_the_partner_down_goes_on_with_the_last_document)
{
    first_document("0");
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 7200);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    /* overdue: made up for at a moment of the coming hour, and the same after another start */
    int64_t due = stage_due_in(&s, "exch");
    ck_assert_int_le(due, 3600);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 0);
    ck_assert_int_le(due - stage_due_in(&s, "exch"), 1);
    ck_assert_int_ge(due - stage_due_in(&s, "exch"), 0);
    stage_wait(&s, due);
    ck_assert_uint_eq(stage_asked, 2);
    stage_answer_failure(REASON_FETCH_TIMEOUT);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 0);
    ck_assert_int_eq(stage_partner(&s, "exch")->state.last_reason, REASON_FETCH_TIMEOUT);
    ck_assert_uint_eq(stage_partner(&s, "exch")->schedule.failures, 1);
}
END_TEST

START_TEST(a_clock_that_goes_back_delays_nothing)
{
    first_document("0");
    int64_t due = stage_due_in(&s, "exch");
    stage_set_clock(&s, -30 * 86400);
    ck_assert_uint_eq(stage_asked, 1);
    stage_wait(&s, due + 1);
    ck_assert_uint_eq(stage_asked, 2); /* the interval runs on the other clock */
    stage_answer_keys("0");
    ck_assert_int_eq(stage_partner(&s, "exch")->state.trust.good_at, s.wall);
    /* the appointment in the file lies beyond what the limits allow: not waited for */
    stage_set_clock(&s, -30 * 86400);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 0);
    ck_assert_int_le(stage_due_in(&s, "exch"), 3600);
}
END_TEST

START_TEST(a_clock_that_goes_forward_floods_nobody)
{
    first_document("0");
    stage_set_clock(&s, 86400 * 3);
    ck_assert_uint_eq(stage_asked, 1);
    ck_assert_int_eq(judge_freshness(&stage_partner(&s, "exch")->state.trust,
                         stage_partner(&s, "exch")->partner, s.settings, s.wall),
        FRESH_FRESH); /* the document is as old as it was */
    stage_wait(&s, 3600);
    ck_assert_uint_eq(stage_asked, 2);
}
END_TEST

START_TEST(a_document_ages_from_fresh_to_stale)
{
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert_int_eq(e->state.trust.good_at, 0);
    stage_wait(&s, 0);
    ck_assert_int_eq(e->freshness, FRESH_NEVER);
    stage_answer_keys("0");
    ck_assert_int_eq(e->freshness, FRESH_FRESH);
    stage_wait(&s, 86399);
    ck_assert_int_eq(e->freshness, FRESH_FRESH);
    stage_wait(&s, 1);
    ck_assert_int_eq(e->freshness, FRESH_WARN);
    stage_wait(&s, 6 * 86400);
    ck_assert_int_eq(e->freshness, FRESH_STALE);
    stage_answer_keys("0");
    ck_assert_int_eq(e->freshness, FRESH_FRESH);
    stage_use(&s, STAGE_CONF STAGE_EXCH "Enabled=no\n");
    stage_wait(&s, 7200);
    ck_assert_int_eq(e->freshness, FRESH_DISABLED);
    ck_assert_uint_eq(stage_asked, 2); /* nobody asks a partner that is switched off */
    ck_assert_uint_eq(refresher_now(s.refresher, e, 0), 0);
    ck_assert(!stage_hint(&s, "exch", 1));
}
END_TEST

/* A reload cuts what is under way off and begins it again; whoever waits is not forgotten. */
START_TEST(a_question_of_the_administrator_outlives_a_reload)
{
    struct partner_entry *e = stage_partner(&s, "exch");
    stage_wait(&s, 0);
    unsigned answered_by = refresher_now(s.refresher, e, 0);
    stage_use(&s, STAGE_CONF STAGE_EXCH);
    stage_wait(&s, 0);
    stage_answer_keys("0");
    ck_assert_uint_eq(s.ends, 1);
    ck_assert_uint_ge(e->attempts, answered_by);
    (void)refresher_now(s.refresher, e, 0);
    stage_use(&s, STAGE_CONF STAGE_EXCH "Enabled=no\n");
    ck_assert_uint_eq(s.ends, 2);
    ck_assert_int_eq(s.last.reason, REASON_PARTNER_DISABLED);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_partner_without_a_document_is_fetched_at_once);
    tcase_add_test(tc, only_one_request_is_under_way_for_a_partner);
    tcase_add_test(tc, a_partner_that_is_down_keeps_its_last_document);
    tcase_add_test(tc, an_error_with_retry_after_waits_as_long);
    tcase_add_test(tc, not_modified_stamps_and_parses_nothing);
    tcase_add_test(tc, not_modified_without_a_document_is_a_failure);
    tcase_add_test(tc, how_far_the_partners_clock_is_ahead_is_kept);
    tcase_add_test(tc, a_rollover_is_followed_and_noted);
    tcase_add_test(tc, all_keys_replaced_at_once_is_an_alarm);
    tcase_add_test(tc, grace_lets_a_vanished_key_count_a_while);
    tcase_add_loop_test(
        tc, a_refused_document_changes_nothing_but_its_reason, 0, (int)ARRAY_LEN(refusals));
    tcase_add_test(tc, a_restart_resumes_with_what_was_known);
    tcase_add_test(tc, a_restart_with_the_partner_down_goes_on_with_the_last_document);
    tcase_add_test(tc, a_clock_that_goes_back_delays_nothing);
    tcase_add_test(tc, a_clock_that_goes_forward_floods_nobody);
    tcase_add_test(tc, a_document_ages_from_fresh_to_stale);
    tcase_add_test(tc, a_question_of_the_administrator_outlives_a_reload);
}

int main(void)
{
    return stage_run("refresh", fill);
}
