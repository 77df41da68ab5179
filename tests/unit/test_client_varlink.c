/* SPDX-License-Identifier: Apache-2.0 */
/* The asking end of Varlink: what is sent, and that no answer and no silence takes it by surprise.
 */
#include "cleanup.h"
#include "fake_daemon.h"
#include "temp_dir.h"
#include "unit.h"
#include "varlink_client.h"

#include <errno.h>

#define INTERFACE "io.s2sd.control"

static struct temp_dir folder;
static const char *dir;

static void setup(void)
{
    temp_dir_make(&folder);
    dir = folder.path;
}

static void teardown(void)
{
    temp_dir_remove(&folder);
}

/* One call to a daemon with this script; the answer is checked by the caller. */
static int call(const struct fake_exchange *x, unsigned timeout_ms, struct varlink_client **c,
    struct varlink_answer *a)
{
    struct fake_daemon d = fake_daemon_start(dir, INTERFACE, x, 1);
    int r = varlink_client_open(dir, INTERFACE, timeout_ms, c);
    if (r == 0)
        r = varlink_client_call(*c, "Status", SPAN("{\"a\":1}"), a);
    fake_daemon_stop(&d);
    return r;
}

START_TEST(test_reply)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    struct varlink_answer a;
    const struct fake_exchange x = {
        .request = "{\"method\":\"io.s2sd.control.Status\",\"parameters\":{\"a\":1}}",
        .reply = "{\"parameters\":{\"answer\":42}}"};
    ck_assert_int_eq(call(&x, 5000, &c, &a), 0);
    ck_assert_uint_eq(a.error.n, 0);
    ck_assert(span_eq_str(json_get(a.parameters, "answer")->text, "42"));
    ck_assert(span_eq_str(a.raw, x.reply));
}
END_TEST

START_TEST(test_error)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    struct varlink_answer a;
    const struct fake_exchange x = {
        .reply = "{\"error\":\"io.s2sd.control.NotPermitted\",\"parameters\":{\"reason\":\"r\"}}"};
    ck_assert_int_eq(call(&x, 5000, &c, &a), 0);
    ck_assert(span_eq_str(a.error, "io.s2sd.control.NotPermitted"));
    ck_assert(span_eq_str(json_get(a.parameters, "reason")->text, "r"));
}
END_TEST

/* A door that says no and closes before it is asked anything. */
START_TEST(test_turned_away)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct varlink_answer a;
    static const char no[] = "{\"error\":\"io.s2sd.keys.NotPermitted\"}";
    CLEANUP(closep) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", dir, INTERFACE);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(varlink_client_open(dir, INTERFACE, 5000, &c), 0);
    int door = accept(listener, NULL, NULL);
    ck_assert_int_eq(send(door, no, sizeof(no), 0), (ssize_t)sizeof(no));
    close(door);
    ck_assert_int_eq(varlink_client_call(c, "Status", SPAN("{}"), &a), 0);
    ck_assert(span_eq_str(a.error, "io.s2sd.keys.NotPermitted"));
    ck_assert_int_eq(varlink_client_call(c, "Status", SPAN("{}"), &a), -ECONNRESET);
}
END_TEST

static const struct {
    struct fake_exchange x;
    int result;
} bad[] = {
    {{.reply = "{\"parameters\":{}}", .reply_n = 17}, -ECONNRESET}, /* no NUL */
    {{.reply = "", .reply_n = 1}, -EBADMSG},                        /* nothing before the NUL */
    {{.reply = "{\"parameters\":"}, -EBADMSG},
    {{.reply = "[]"}, -EBADMSG},
    {{.reply = "{\"parameters\":[]}"}, -EBADMSG},
    {{.reply = "{\"error\":7}"}, -EBADMSG},
    {{.reply = "{\"error\":\"\"}"}, -EBADMSG},
    {{.reply = "{\"parameters\":{\"a\":1,\"a\":2}}"}, -EBADMSG},
    {{.reply = "{}\0{}", .reply_n = 6}, -EBADMSG}, /* more than was asked for */
    {{.silent = true}, -ETIMEDOUT},
};

START_TEST(test_bad_answers)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    struct varlink_answer a;
    ck_assert_int_eq(call(&bad[_i].x, bad[_i].x.silent ? 200 : 5000, &c, &a), bad[_i].result);
}
END_TEST

START_TEST(test_too_large_an_answer)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    CLEANUP(freep) char *text = malloc(VARLINK_CLIENT_MAX + 2);
    struct varlink_answer a;
    memset(text, ' ', VARLINK_CLIENT_MAX + 2);
    const struct fake_exchange x = {.reply = text, .reply_n = VARLINK_CLIENT_MAX + 2};
    ck_assert_int_eq(call(&x, 5000, &c, &a), -EMSGSIZE);
}
END_TEST

START_TEST(test_large_answer)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = NULL;
    CLEANUP(freep) char *text = malloc(VARLINK_CLIENT_MAX);
    struct varlink_answer a;
    memset(text, ' ', VARLINK_CLIENT_MAX);
    memcpy(text, "{\"parameters\":{}", 16);
    text[VARLINK_CLIENT_MAX - 2] = '}';
    text[VARLINK_CLIENT_MAX - 1] = '\0';
    const struct fake_exchange x = {.reply = text, .reply_n = VARLINK_CLIENT_MAX};
    ck_assert_int_eq(call(&x, 5000, &c, &a), 0);
}
END_TEST

START_TEST(test_no_daemon)
{
    struct varlink_client *c = NULL;
    char path[300], long_dir[200];
    ck_assert_int_eq(varlink_client_open(dir, INTERFACE, 1000, &c), -ENOENT);
    snprintf(path, sizeof(path), "%s/" INTERFACE, dir);
    /* A socket nobody listens at, as a killed daemon leaves it. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%.100s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    close(fd);
    ck_assert_int_eq(varlink_client_open(dir, INTERFACE, 1000, &c), -ECONNREFUSED);
    memset(long_dir, 'x', sizeof(long_dir) - 1);
    long_dir[sizeof(long_dir) - 1] = '\0';
    ck_assert_int_eq(varlink_client_open(long_dir, INTERFACE, 1000, &c), -ENAMETOOLONG);
    ck_assert_ptr_null(c);
}
END_TEST

/* The daemon is stopped and its queue is full: connecting ends in time as well. */
START_TEST(test_full_queue)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct varlink_client *held[16] = {0};
    int r = 0;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%.80s/" INTERFACE, dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(held) && r == 0; i++)
        r = varlink_client_open(dir, INTERFACE, 100, &held[i]);
    ck_assert_int_eq(r, -ETIMEDOUT);
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        varlink_client_freep(&held[i]);
    close(listener);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_reply);
    tcase_add_test(t, test_error);
    tcase_add_test(t, test_turned_away);
    tcase_add_loop_test(t, test_bad_answers, 0, (int)ARRAY_LEN(bad));
    tcase_add_test(t, test_too_large_an_answer);
    tcase_add_test(t, test_large_answer);
    tcase_add_test(t, test_no_daemon);
    tcase_add_test(t, test_full_queue);
}

int main(void)
{
    return unit_run("client_varlink", fill);
}
