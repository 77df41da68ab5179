/* SPDX-License-Identifier: Apache-2.0 */
/* A partner in trouble for a day, and what log, counters and status say of it: 500 all day, then
 * 503 with Retry-After, then 304, then a new document. */
#include "file.h"
#include "stage.h"

#include <fcntl.h>

static struct stage s;

#define HOUR 3600
#define DAY 86400

static void set_up(void)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
    fflush(stderr);
    int fd = open(temp_dir_at(&s.dir, "log"), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    close(fd);
}

static void tear_down(void)
{
    stage_close(&s);
}

/* How many lines of the log say this. */
static unsigned told(const char *words)
{
    CLEANUP(buf_done) struct buf log = BUF_INIT(1 << 20);
    char why[256];
    unsigned n = 0;
    ck_assert_int_eq(
        file_read(temp_dir_at(&s.dir, "log"), FILE_CONFIG, log.max, &log, why, sizeof why), 0);
    for (const char *at = log.p; at && (at = strstr(at, words)); at++)
        n++;
    return n;
}

static struct partner_state *state(void)
{
    return &stage_partner(&s, "exch")->state;
}

static void answer_status(unsigned status, int64_t retry_after_s, const char *detail)
{
    struct msg_fetched a = stage_status(status, "");
    a.retry_after_s = retry_after_s;
    a.detail = span_of(detail);
    stage_answer(a, "");
}

static void answer_document(const char *keys, const char *etag)
{
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", keys);
    struct msg_fetched a = stage_status(200, etag);
    a.last_modified = SPAN("Tue, 24 Nov 2026 12:00:00 GMT");
    stage_answer(a, doc);
}

static void expect_counts(uint64_t fetches, uint64_t failed, uint64_t unchanged, uint64_t documents)
{
    struct refresher_counts c = refresher_counts(s.refresher);
    ck_assert_uint_eq(c.fetches, fetches);
    ck_assert_uint_eq(c.failed, failed);
    ck_assert_uint_eq(c.unchanged, unchanged);
    ck_assert_uint_eq(c.documents, documents);
}

/* Waits for each attempt as it comes due, `seconds` long, and has it fail. */
static unsigned fail_for(int64_t seconds)
{
    int64_t until = s.mono_ms + seconds * 1000;
    unsigned n = 0;
    while (s.mono_ms < until) {
        stage_wait(&s, 1);
        if (!stage_request())
            continue;
        answer_status(500, -1, "exch.contoso.example: answered 500");
        n++;
    }
    return n;
}

START_TEST(a_day_of_trouble_is_told_right)
{
    stage_wait(&s, 0);
    answer_document("0", "\"v1\"");
    ck_assert_uint_eq(told("document is current"), 1);
    int64_t good_at = s.wall;
    unsigned failed = fail_for(DAY);
    /* full jitter up to a quarter of an hour: some hundred, never a storm */
    ck_assert_uint_ge(failed, 80);
    ck_assert_uint_le(failed, 400);
    ck_assert_uint_eq(told("answered 500"), 1); /* once, not a hundred times */
    ck_assert_uint_eq(state()->failures, failed);
    ck_assert_int_eq(state()->last_reason, REASON_FETCH_STATUS);
    ck_assert_str_eq(state()->last_detail, "exch.contoso.example: answered 500");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    ck_assert_int_eq(state()->trust.good_at, good_at);
    /* it says beforehand what will be refused, and from when */
    char until[CLOCK_TEXT_LEN], words[128];
    snprintf(words, sizeof words,
        "fresh -> warn: last good document is 24 h old; its tokens are "
        "refused from %s",
        clock_text(good_at + 7 * DAY, until));
    ck_assert_uint_eq(told(words), 1);

    while (!stage_request())
        stage_wait(&s, 1);
    answer_status(503, 7200, "exch.contoso.example: answered 503, to be asked again in 7200 s");
    ck_assert_int_eq(stage_due_in(&s, "exch"), 7200);
    ck_assert_uint_eq(told("answered 503, to be asked again in 7200 s"), 1);
    unsigned asked = stage_asked;
    stage_wait(&s, 7199);
    ck_assert_uint_eq(stage_asked, asked);
    stage_wait(&s, 1);
    expect_counts(failed + 2, failed + 1, 0, 1);

    /* Nothing is read again: what is stored could not be. */
    ck_assert_str_eq(stage_open_request()->etag, "\"v1\"");
    ck_assert_str_eq(stage_open_request()->last_modified, "Tue, 24 Nov 2026 12:00:00 GMT");
    memset(state()->document.p, '}', state()->document.n);
    uint64_t generation = state()->trust.generation;
    stage_answer(stage_status(304, ""), "");
    ck_assert_int_eq(state()->trust.good_at, s.wall);
    ck_assert_uint_eq(state()->trust.generation, generation);
    ck_assert_uint_eq(state()->failures, 0);
    ck_assert_str_eq(state()->last_detail, "");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    snprintf(words, sizeof words, "document is current again, after %u attempts that failed",
        failed + 1);
    ck_assert_uint_eq(told(words), 1);
    ck_assert_uint_eq(told("warn -> fresh"), 1);
    expect_counts(failed + 3, failed + 1, 1, 1);

    stage_wait(&s, HOUR);
    answer_document("1", "\"v2\"");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
    ck_assert_uint_eq(told("keys changed: "), 2); /* none -> 0, 0 -> 1 */
    ck_assert_uint_eq(told("all were replaced at once"), 1);
    expect_counts(failed + 4, failed + 1, 1, 2);
    ck_assert_uint_eq(told("document is current"), 2); /* nothing of a good one after a good one */
}
END_TEST

START_TEST(a_stale_partner_is_told_with_its_end)
{
    stage_wait(&s, 0);
    answer_document("0", "\"v1\"");
    char since[CLOCK_TEXT_LEN], words[128];
    snprintf(words, sizeof words, "its tokens are refused since %s",
        clock_text(s.wall + 7 * DAY, since));
    stage_wait(&s, 7 * DAY);
    ck_assert_uint_eq(told(words), 1);
    stage_wait(&s, DAY);
    ck_assert_uint_eq(told(words), 1);
    ck_assert_uint_eq(stage_asked, 2);
}
END_TEST

/* Errors that take turns are different news each time. */
START_TEST(another_status_is_told)
{
    stage_wait(&s, 0);
    for (int i = 0; i < 3; i++) {
        answer_status(500, -1, "exch.contoso.example: answered 500");
        stage_wait(&s, 900);
        answer_status(500, -1, "exch.contoso.example: answered 500");
        stage_wait(&s, 900);
        answer_status(502, -1, "exch.contoso.example: answered 502");
        stage_wait(&s, 900);
    }
    ck_assert_uint_eq(told("answered 500"), 3);
    ck_assert_uint_eq(told("answered 502"), 3);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_day_of_trouble_is_told_right);
    tcase_add_test(tc, a_stale_partner_is_told_with_its_end);
    tcase_add_test(tc, another_status_is_told);
}

int main(void)
{
    return stage_run("troubles", fill);
}
