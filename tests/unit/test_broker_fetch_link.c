/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the fetcher: each request is answered exactly once, whatever becomes of the fetcher.
 * The fetcher is played at the other end of a real link socket. */
#include "fetch_link.h"

#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "link.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

static struct temp_dir dir;
static struct event_base *base;
static struct fetch_link *fl;
static int listener = -1;

/* The fetcher's end. */
static struct link *theirs;
static unsigned asked;
static uint32_t last_id;
static char last_url[256], last_announce[256];
static bool die_when_asked;

/* What the broker's side was told. */
static unsigned answers;
static enum reason answer_reason;
static char answer_body[256], answer_etag[64];

static void on_answer(const struct msg_fetched *a, struct span body, void *arg)
{
    (void)arg;
    answers++;
    answer_reason = a->reason;
    snprintf(answer_body, sizeof(answer_body), "%.*s", (int)body.n, body.n ? body.p : "");
    snprintf(answer_etag, sizeof(answer_etag), "%.*s", (int)a->etag.n, a->etag.n ? a->etag.p : "");
}

static void on_their_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct msg_fetch m;
    (void)fd;
    (void)arg;
    ck_assert_uint_eq(f->type, MSG_FETCH);
    ck_assert(msg_fetch_get(f, &m));
    asked++;
    last_id = f->id;
    snprintf(last_url, sizeof(last_url), "%.*s", (int)m.url.n, m.url.p);
    snprintf(last_announce, sizeof(last_announce), "%.*s", (int)m.announce.n, m.announce.p);
    if (die_when_asked) {
        link_free(l);
        theirs = NULL;
    }
}

static void on_their_end(struct link *l, void *arg)
{
    (void)arg;
    link_free(l);
    theirs = NULL;
}

/* The fetcher accepts when it is there. */
static void take_peer(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        theirs = link_new(base, fd, on_their_frame, on_their_end, NULL);
}

static void start_fetcher(void)
{
    listener = link_listen(temp_dir_at(&dir, "fetcher.link"), SOCK_SEQPACKET, 0600);
    ck_assert_int_ge(listener, 0);
}

/* Lets the loop run until *count has reached `n`, at most `ms`. */
static void run_until(const unsigned *count, unsigned n, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (*count < n && clock_mono_ms() < end) {
        if (listener >= 0 && !theirs)
            take_peer();
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(2000);
    }
}

static void say(struct msg_fetched m, const char *body, uint32_t id)
{
    uint8_t room[4096];
    struct frame_out f;
    CLEANUP(closep) int fd = body ? file_memfd("document", span_of(body)) : -1;
    frame_start(&f, room, sizeof(room), MSG_FETCHED, id);
    msg_fetched_put(&f, &m);
    ck_assert_int_eq(link_send(theirs, &f, fd), 0);
}

static struct fetch *ask(void)
{
    struct msg_fetch m = {.url = SPAN("https://exch.contoso.example/metadata/json/1"),
        .timeout_ms = 400,
        .connect_timeout_ms = 100,
        .max_bytes = 1000};
    struct fetch *f = fetch_start(fl, &m, on_answer, NULL);
    ck_assert_ptr_nonnull(f);
    return f;
}

/* The signer is asked through this. */
static unsigned signer_asked;
static int signer_says; /* 0, or -errno */
static char signer_partner[64];

static int on_sign(const struct msg_sign *m, uint32_t *ret_id, void *arg)
{
    (void)arg;
    signer_asked++;
    ck_assert_int_eq(m->kind, SIGN_ANNOUNCE);
    snprintf(signer_partner, sizeof(signer_partner), "%.*s", (int)m->partner.n, m->partner.p);
    *ret_id = 41 + signer_asked;
    return signer_says;
}

static struct fetch *ask_announced(void)
{
    struct msg_fetch m = {.url = SPAN("https://exch.contoso.example/metadata/json/1"),
        .timeout_ms = 400,
        .connect_timeout_ms = 100,
        .max_bytes = 1000};
    struct msg_sign sign = {.kind = SIGN_ANNOUNCE, .partner = SPAN("exch"), .url = m.url};
    struct fetch *f = fetch_start_announced(fl, &m, &sign, on_answer, NULL);
    ck_assert_ptr_nonnull(f);
    return f;
}

static void signer_answers(uint32_t id, enum reason reason, const char *token)
{
    struct msg_signed m = {.reason = reason, .token = span_of(token)};
    fetch_link_signed(fl, id, &m);
}

static void set_up(void)
{
    temp_dir_make(&dir);
    base = event_base_new();
    fl = fetch_link_new(base, dir.path);
    ck_assert_ptr_nonnull(fl);
}

static void tear_down(void)
{
    fetch_link_free(fl);
    link_free(theirs);
    closep(&listener);
    event_base_free(base);
    temp_dir_remove(&dir);
}

static const struct msg_fetched good = {
    .status = 200, .etag = {"\"v1\"", 4}, .max_age_s = -1, .retry_after_s = -1};

START_TEST(a_document_comes_back_once)
{
    start_fetcher();
    ask();
    ck_assert_uint_eq(answers, 0);
    run_until(&asked, 1, 5000);
    ck_assert_str_eq(last_url, "https://exch.contoso.example/metadata/json/1");
    ck_assert(fetch_link_up(fl));
    say(good, "the document", last_id + 77); /* not an answer to anything */
    say(good, "the document", last_id);
    say(good, "again", last_id);
    run_until(&answers, 2, 200);
    ck_assert_uint_eq(answers, 1);
    ck_assert_int_eq(answer_reason, REASON_OK);
    ck_assert_str_eq(answer_body, "the document");
    ck_assert_str_eq(answer_etag, "\"v1\"");
}
END_TEST

START_TEST(a_request_waits_for_a_fetcher_that_comes)
{
    ask();
    run_until(&answers, 1, 300);
    ck_assert_uint_eq(answers, 0);
    start_fetcher();
    run_until(&asked, 1, 3000);
    ck_assert_uint_eq(asked, 1);
    say(good, "late", last_id);
    run_until(&answers, 1, 1000);
    ck_assert_str_eq(answer_body, "late");
}
END_TEST

START_TEST(a_fetcher_that_stays_away_is_an_answer)
{
    int64_t before = clock_mono_ms();
    ask();
    run_until(&answers, 1, 6000);
    ck_assert_int_eq(answer_reason, REASON_FETCH_AWAY);
    ck_assert_int_ge(clock_mono_ms() - before, 2900);
    ck_assert_int_le(clock_mono_ms() - before, 5000);
}
END_TEST

START_TEST(a_fetcher_that_dies_is_asked_once_more)
{
    start_fetcher();
    die_when_asked = true;
    ask();
    run_until(&asked, 1, 5000);
    die_when_asked = false;
    run_until(&asked, 2, 5000);
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(answers, 0);
    say(good, "second try", last_id);
    run_until(&answers, 1, 1000);
    ck_assert_str_eq(answer_body, "second try");
}
END_TEST

START_TEST(a_request_that_kills_fetchers_is_given_up)
{
    start_fetcher();
    die_when_asked = true;
    ask();
    run_until(&answers, 1, 9000);
    ck_assert_uint_eq(asked, 2);
    ck_assert_int_eq(answer_reason, REASON_FETCH_AWAY);
}
END_TEST

START_TEST(a_fetcher_that_hangs_is_not_waited_for)
{
    start_fetcher();
    int64_t before = clock_mono_ms();
    ask(); /* 400 ms, and two seconds of grace */
    run_until(&answers, 1, 6000);
    ck_assert_int_eq(answer_reason, REASON_FETCH_AWAY);
    ck_assert_int_ge(clock_mono_ms() - before, 2300);
    ck_assert_int_le(clock_mono_ms() - before, 4500);
}
END_TEST

START_TEST(a_document_that_did_not_come_is_no_document)
{
    start_fetcher();
    ask();
    run_until(&asked, 1, 5000);
    say(good, NULL, last_id); /* 200, but no body beside it */
    run_until(&answers, 1, 1000);
    ck_assert_int_eq(answer_reason, REASON_INTERNAL);
    ck_assert_str_eq(answer_body, "");
}
END_TEST

/* The broker's memory is not the fetcher's to fill. */
START_TEST(a_document_larger_than_asked_for_is_none)
{
    char large[1002];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    start_fetcher();
    ask();
    run_until(&asked, 1, 5000);
    say(good, large, last_id);
    run_until(&answers, 1, 1000);
    ck_assert_int_eq(answer_reason, REASON_INTERNAL);
    large[1000] = '\0';
    ask();
    run_until(&asked, 2, 5000);
    say(good, large, last_id);
    run_until(&answers, 2, 1000);
    ck_assert_int_eq(answer_reason, REASON_OK);
}
END_TEST

START_TEST(nobody_hears_of_a_cancelled_request)
{
    start_fetcher();
    struct fetch *f = ask();
    run_until(&asked, 1, 5000);
    fetch_cancel(f);
    say(good, "too late", last_id);
    run_until(&answers, 1, 200);
    ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(the_signer_says_who_asks)
{
    start_fetcher();
    fetch_link_signer(fl, on_sign, NULL);
    ask_announced();
    run_until(&asked, 1, 200);
    ck_assert_uint_eq(asked, 0); /* not before the signer has answered */
    ck_assert_str_eq(signer_partner, "exch");
    signer_answers(99, REASON_OK, "other.word.of"); /* nobody has asked that */
    run_until(&asked, 1, 100);
    ck_assert_uint_eq(asked, 0);
    signer_answers(42, REASON_OK, "a.b.c");
    run_until(&asked, 1, 5000);
    ck_assert_str_eq(last_announce, "a.b.c");
    signer_answers(42, REASON_OK, "d.e.f"); /* once is enough */
    say(good, "the document", last_id);
    run_until(&answers, 1, 1000);
    ck_assert_str_eq(answer_body, "the document");
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(a_token_goes_with_the_second_try_as_well)
{
    start_fetcher();
    fetch_link_signer(fl, on_sign, NULL);
    die_when_asked = true;
    ask_announced();
    signer_answers(42, REASON_OK, "a.b.c");
    run_until(&asked, 1, 5000);
    die_when_asked = false;
    last_announce[0] = '\0';
    run_until(&asked, 2, 5000);
    ck_assert_str_eq(last_announce, "a.b.c");
    ck_assert_uint_eq(signer_asked, 1);
}
END_TEST

/* Whatever becomes of the signer, the document is fetched: at once when it refuses or goes, after a
 * second when it is silent. */
START_TEST(without_a_token_it_is_fetched_all_the_same)
{
    static const struct {
        int says;
        enum reason answer; /* REASON_COUNT: none */
        bool lost;
        int64_t least_ms, most_ms;
    } rows[] = {
        {-ENOTCONN, REASON_COUNT, false, 0, 700},
        {0, REASON_SIGN_REFUSED, false, 0, 700},
        {0, REASON_COUNT, true, 0, 700},
        {0, REASON_COUNT, false, 900, 1900},
    };
    start_fetcher();
    fetch_link_signer(fl, on_sign, NULL);
    ask(); /* the link is up from here on */
    run_until(&asked, 1, 5000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t before = clock_mono_ms();
        unsigned n = asked;
        signer_says = rows[i].says;
        ask_announced();
        if (rows[i].answer != REASON_COUNT)
            signer_answers(41 + signer_asked, rows[i].answer, "");
        if (rows[i].lost)
            fetch_link_signer_lost(fl);
        run_until(&asked, n + 1, 5000);
        int64_t took = clock_mono_ms() - before;
        ck_assert_msg(took >= rows[i].least_ms && took <= rows[i].most_ms, "row %zu: %lld ms", i,
            (long long)took);
        ck_assert_str_eq(last_announce, "");
    }
}
END_TEST

START_TEST(a_cancelled_one_is_not_sent_when_the_signer_answers)
{
    start_fetcher();
    fetch_link_signer(fl, on_sign, NULL);
    fetch_cancel(ask_announced());
    signer_answers(42, REASON_OK, "a.b.c");
    run_until(&asked, 1, 300);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_document_comes_back_once);
    tcase_add_test(tc, a_request_waits_for_a_fetcher_that_comes);
    tcase_add_test(tc, a_fetcher_that_stays_away_is_an_answer);
    tcase_add_test(tc, a_fetcher_that_dies_is_asked_once_more);
    tcase_add_test(tc, a_request_that_kills_fetchers_is_given_up);
    tcase_add_test(tc, a_fetcher_that_hangs_is_not_waited_for);
    tcase_add_test(tc, a_document_that_did_not_come_is_no_document);
    tcase_add_test(tc, a_document_larger_than_asked_for_is_none);
    tcase_add_test(tc, nobody_hears_of_a_cancelled_request);
    tcase_add_test(tc, the_signer_says_who_asks);
    tcase_add_test(tc, a_token_goes_with_the_second_try_as_well);
    tcase_add_test(tc, without_a_token_it_is_fetched_all_the_same);
    tcase_add_test(tc, a_cancelled_one_is_not_sent_when_the_signer_answers);
}

int main(void)
{
    return unit_run("fetch_link", fill);
}
