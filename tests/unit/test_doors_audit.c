/* SPDX-License-Identifier: Apache-2.0 */
/* What the doors put into the journal: every kind of refusal is seen there, and nobody can fill it
 * with refusals. */
#include "worker_fixture.h"

#include "log.h"
#include "scratch.h"

#include <sys/un.h>

#define RECORD_MAX 16384

static int journal = -1;

/* A minter with a rule for whoever runs the test, or with none. */
static void open_minter(bool with_rule)
{
    CLEANUP(buf_done) struct buf conf = BUF_INIT(4096);
    buf_put_str(&conf, US LYNC_PARTNER);
    if (with_rule)
        buf_printf(&conf,
            "[Client me]\nUser=%s\nAllow=mint\nDelegation=yes\nActAs=*@contoso.example\n",
            own_name());
    world_open(WORKER_MINTER, conf.p);
}

static void journal_make(void)
{
    scratch_make();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", scratch_path("socket"));
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(journal, (const struct sockaddr *)&a, sizeof a), 0);
    log_set_level(LOG_L_INFO);
    log_open_at("s2sd", a.sun_path);
    ck_assert_int_ge(log_fd(), 0);
}

static void journal_remove(void)
{
    log_close();
    closep(&journal);
    scratch_remove();
}

/* How many records have come since the last call; *ret_first: the first one. */
static unsigned records(char ret_first[RECORD_MAX])
{
    unsigned n = 0;
    char room[RECORD_MAX];
    ssize_t got;
    ret_first[0] = '\0';
    while ((got = recv(journal, room, sizeof room - 1, 0)) > 0) {
        room[got] = '\0';
        if (n++ == 0)
            memcpy(ret_first, room, (size_t)got + 1);
    }
    return n;
}

struct flood {
    bool with_rule;
    const char *form, *reason;
    unsigned status;
};

static const struct flood floods[] = {
    {false, "grant_type=client_credentials&resource=lync", "not_permitted", 403},
    {true, "grant_type=client_credentials&resource=nobody", "no_such_partner", 400},
    {true,
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=lync"
        "&subject_token=eve%40evil.example&subject_token_type=urn:s2sd:params:oauth:token-type:upn",
        "act_as_refused", 403},
};

static void refuse_often(const char *request, unsigned status, unsigned n)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    for (unsigned i = 0; i < n; i++) {
        struct far_end far;
        ask_http(&far, request);
        ck_assert_ptr_nonnull(strstr(far.got.p, line));
        far_close(&far);
    }
}

/* In one second ten are written; the next second begins with how many were not. */
static void expect_bound(const char *request, unsigned status, const char *reason)
{
    char first[RECORD_MAX], tail[128];
    refuse_often(request, status, 10);
    ck_assert_uint_eq(records(first), 10);
    snprintf(tail, sizeof tail, "\nTRUST_REASON=%s\n", reason);
    ck_assert_ptr_nonnull(strstr(first, tail));
    refuse_often(request, status, 35);
    ck_assert_uint_eq(records(first), 0);
    world_pass(1);
    refuse_often(request, status, 1);
    ck_assert_uint_eq(records(first), 2);
    snprintf(tail, sizeof tail, "MESSAGE=35 further orders were refused as %s\n", reason);
    ck_assert_msg(strncmp(first, tail, strlen(tail)) == 0, "%s", first);
    world_pass(1);
    refuse_often(request, status, 1);
    ck_assert_uint_eq(records(first), 1);
}

START_TEST(refused_orders_do_not_fill_the_journal)
{
    const struct flood *f = &floods[_i];
    CLEANUP(buf_done) struct buf request = BUF_INIT(4096);
    open_minter(f->with_rule);
    buf_printf(&request,
        "POST /token HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(f->form), f->form);
    expect_bound(request.p, f->status, f->reason);
    world_close();
}
END_TEST

START_TEST(neither_do_requests_that_came_through_a_proxy)
{
    open_minter(true);
    expect_bound("POST /token HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 edge\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n",
        403, "proxied_request");
    world_close();
}
END_TEST

/* A token of somebody, where the name of a partner or a user belongs. */
#define TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJlLW9mLTMyLWJ5dGVzLWhlcmUtb2s"

static const char *const misplaced[] = {
    "grant_type=client_credentials&resource=" TOKEN,
    "grant_type=client_credentials&resource=Bearer+" TOKEN,
    "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=lync&subject_token=" TOKEN
    "&subject_token_type=urn:s2sd:params:oauth:token-type:upn",
};

START_TEST(a_token_in_the_place_of_a_name_is_not_written)
{
    char first[RECORD_MAX];
    struct far_end far;
    open_minter(true);
    post(&far, "/token", misplaced[_i]);
    ck_assert_uint_eq(records(first), 1);
    ck_assert_msg(strstr(first, "eyJ") == NULL, "%s", first);
    ck_assert_ptr_nonnull(strstr(first, "=(a token)\n"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(a_name_is_written_as_it_came)
{
    char first[RECORD_MAX];
    struct far_end far;
    open_minter(true);
    post(&far, "/token",
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=lync"
        "&subject_token=heyJude%40evil.example"
        "&subject_token_type=urn:s2sd:params:oauth:token-type:upn");
    ck_assert_uint_eq(records(first), 1);
    ck_assert_ptr_nonnull(strstr(first, "\nTRUST_USER=heyJude@evil.example\n"));
    ck_assert_ptr_nonnull(strstr(first, "\nTRUST_RESOURCE=lync\n"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(one_reason_does_not_silence_another)
{
    char first[RECORD_MAX];
    open_minter(true);
    refuse_often("POST /token HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 edge\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n",
        403, 20);
    ck_assert_uint_eq(records(first), 10);
    struct far_end far;
    post(&far, "/token", floods[1].form);
    far_close(&far);
    ck_assert_uint_eq(records(first), 1);
    ck_assert_ptr_nonnull(strstr(first, "\nTRUST_REASON=no_such_partner\n"));
    world_close();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, journal_make, journal_remove);
    tcase_add_loop_test(tc, refused_orders_do_not_fill_the_journal, 0, ARRAY_LEN(floods));
    tcase_add_test(tc, neither_do_requests_that_came_through_a_proxy);
    tcase_add_loop_test(tc, a_token_in_the_place_of_a_name_is_not_written, 0, ARRAY_LEN(misplaced));
    tcase_add_test(tc, a_name_is_written_as_it_came);
    tcase_add_test(tc, one_reason_does_not_silence_another);
}

int main(void)
{
    return unit_run("doors_audit", fill);
}
