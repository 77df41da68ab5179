/* SPDX-License-Identifier: Apache-2.0 */
/* One Varlink connection over a socket pair: framing, order, the service's own methods and errors,
 * streams, deadlines as totals, bounded output. */
#include "far_end.h"

#include "conn_io.h"
#include "varlink_conn.h"

#include <event2/buffer.h>
#include <stddef.h>

struct echo_args {
    struct span text;
    int64_t n;
    bool flag;
    const struct json_value *list;
};

static const struct json_field echo_fields[] = {
    {"text", JSON_STRING, offsetof(struct echo_args, text), JSON_MANDATORY},
    {"n", JSON_NUMBER, offsetof(struct echo_args, n), JSON_OPTIONAL},
    {"flag", JSON_BOOL, offsetof(struct echo_args, flag), JSON_OPTIONAL},
    {"list", JSON_ARRAY, offsetof(struct echo_args, list), JSON_OPTIONAL},
};

/* The owner. */
struct owner {
    struct event_base *base;
    struct varlink_conn *conn; /* NULL when closed */
    struct varlink_ops ops;
    unsigned calls, closed;
    struct varlink_call *kept; /* Later: not answered yet */
    void *seen_data;           /* of the call in flight when the connection closed */
};

static void run_echo(struct varlink_call *call, const void *args)
{
    const struct echo_args *a = args;
    struct owner *o = varlink_conn_arg(varlink_call_conn(call));
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 21);
    struct json_out j;
    o->calls++;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_span(&j, "text", a->text);
    json_out_int(&j, "n", a->n);
    json_out_object_end(&j);
    varlink_reply(call, buf_span(&b), false);
}

static void run_later(struct varlink_call *call, const void *args)
{
    struct owner *o = varlink_conn_arg(varlink_call_conn(call));
    (void)args;
    o->calls++;
    o->kept = call;
    varlink_call_set_data(call, o);
}

static void run_fail(struct varlink_call *call, const void *args)
{
    (void)args;
    varlink_error(call, "a.b.Broken", SPAN("{\"why\":1}"));
}

static const struct echo_args echo_initial = {.n = 42};
static const struct varlink_method methods[] = {
    {.name = "Echo",
        .fields = echo_fields,
        .n_fields = ARRAY_LEN(echo_fields),
        .size = sizeof(struct echo_args),
        .initial = &echo_initial,
        .run = run_echo},
    {.name = "Later", .run = run_later},
    {.name = "Stream", .run = run_later, .needs_more = true},
    {.name = "Fail", .run = run_fail},
};
static const struct varlink_interface interface = {
    "a.b", "# \"quoted\"\ninterface a.b\n", methods, ARRAY_LEN(methods)};
static const struct varlink_interface *const interfaces[] = {&interface};

static void on_closed(struct varlink_conn *c, void *arg)
{
    struct owner *o = arg;
    ck_assert_ptr_eq(c, o->conn);
    if (varlink_conn_call(c))
        o->seen_data = varlink_call_data(varlink_conn_call(c));
    o->closed++;
    o->conn = NULL;
}

static void open_conn(struct owner *o, struct far_end *far, int type)
{
    int fd = far_open(far, type);
    o->base = event_base_new();
    o->ops.interfaces = interfaces;
    o->ops.n_interfaces = 1;
    o->ops.on_closed = on_closed;
    o->ops.write_through = true;
    if (!o->ops.message_timeout_ms)
        o->ops.message_timeout_ms = 10000;
    struct bufferevent *bev = bufferevent_socket_new(o->base, fd, BEV_OPT_CLOSE_ON_FREE);
    o->conn = varlink_conn_new(bev, &o->ops, o);
    ck_assert_ptr_nonnull(o->conn);
}

static void close_conn(struct owner *o, struct far_end *far)
{
    varlink_conn_free(o->conn);
    ck_assert_uint_eq(o->closed, 1);
    event_base_free(o->base);
    far_close(far);
}

/* A message with its NUL. */
static void say(struct far_end *far, const char *text)
{
    far_send(far, (struct span){text, strlen(text) + 1});
}

static bool messages_done(void *arg)
{
    struct far_wait *w = arg;
    unsigned n = 0;
    far_take(w->far);
    for (size_t i = 0; i < w->far->got.n; i++)
        n += w->far->got.p[i] == '\0';
    return n >= w->times || w->far->closed;
}

/* Waits for so many answers; the text of the last one. */
static const char *await_answers(struct owner *o, struct far_end *far, unsigned n)
{
    struct far_wait w = {far, NULL, n};
    loop_until(o->base, messages_done, &w);
    const char *last = far->got.p;
    for (unsigned i = 1; i < n; i++) {
        last += strlen(last) + 1;
        ck_assert_msg(last < far->got.p + far->got.n, "closed after %u answers", i);
    }
    return last;
}

START_TEST(calls_of_one_write_are_answered_in_order_with_one_write)
{
    static const char text[] =
        "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"one\",\"n\":1}}\0"
        "{\"method\":\"a.b.Fail\"}\0"
        "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"two\"}}";
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_SEQPACKET);
    far_send(&far, (struct span){text, sizeof text});
    await_answers(&o, &far, 3);
    ck_assert_uint_eq(far.reads, 1);
    static const char expected[] = "{\"parameters\":{\"text\":\"one\",\"n\":1}}\0"
                                   "{\"error\":\"a.b.Broken\",\"parameters\":{\"why\":1}}\0"
                                   "{\"parameters\":{\"text\":\"two\",\"n\":42}}";
    ck_assert_uint_eq(far.got.n, sizeof expected);
    ck_assert_mem_eq(far.got.p, expected, sizeof expected);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_message_may_come_byte_by_byte)
{
    static const char text[] = "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\"}}";
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof text; i++) {
            ck_assert_uint_eq(o.calls, (unsigned)round);
            far_send(&far, (struct span){text + i, 1});
            loop_turn(o.base);
        }
    await_answers(&o, &far, 2);
    ck_assert_uint_eq(o.calls, 2);
    close_conn(&o, &far);
}
END_TEST

/* Each alone on its connection: what is asked, what is answered, whether it goes on. */
static const struct {
    const char *asked, *answer;
    bool closes;
} table[] = {
    {"{\"method\":\"x.y.Z\"}",
        "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"x."
        "y\"}}",
        false},
    {"{\"method\":\"Z\"}",
        "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"\"}}",
        false},
    {"{\"method\":\"a.b.Nope\"}",
        "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.b."
        "Nope\"}}",
        false},
    {"{\"method\":\"a.b.echo\",\"parameters\":{\"text\":\"x\"}}",
        "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.b."
        "echo\"}}",
        false},
    {"{\"method\":\"a.b.Echo\",\"upgrade\":true}",
        "{\"error\":\"org.varlink.service.MethodNotImplemented\",\"parameters\":{\"method\":\"a.b."
        "Echo\"}}",
        false},
    {"{\"method\":\"a.b.Echo\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"text\"}}",
        false},
    {"{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\",\"n\":\"1\"}}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"n\"}}",
        false},
    {"{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\",\"n\":1.5}}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"n\"}}",
        false},
    {"{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\",\"unknown\":1}}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"unknown\"}}",
        false},
    {"{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\",\"n\":null}}",
        "{\"parameters\":{\"text\":\"x\",\"n\":42}}", false},
    {"{\"method\":\"a.b.Stream\"}",
        "{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}", false},
    {"{\"method\":\"org.varlink.service.GetInfo\"}",
        "{\"parameters\":{\"vendor\":\"s2sd\",\"product\":\"s2sd\",\"version\":\"" S2SD_VERSION
        "\",\"url\":\"\",\"interfaces\":[\"a.b\",\"org.varlink.service\"]}}",
        false},
    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
     "\"a.b\"}}",
        "{\"parameters\":{\"description\":\"# \\\"quoted\\\"\\ninterface a.b\\n\"}}", false},
    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
     "\"c.d\"}}",
        "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"c."
        "d\"}}",
        false},
    /* no calls at all */
    {"",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"method\"}}",
        true},
    {"GET / HTTP/1.1", "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
    {"[]", "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
    {"{\"parameters\":{}}", "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
    {"{\"method\":1}", "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
    {"{\"method\":\"a.b.Fail\",\"method\":\"a.b.Echo\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
    {"{\"method\":\"a.b.Fail\",\"parameters\":[]}",
        "{\"error\":\"org.varlink.service.InvalidParameter\"", true},
};

START_TEST(each_call_has_its_answer)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, table[_i].asked);
    say(&far, "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"behind\"}}");
    const char *answer = await_answers(&o, &far, 1);
    if (table[_i].closes) {
        ck_assert_msg(
            strncmp(answer, table[_i].answer, strlen(table[_i].answer)) == 0, "%s", answer);
        far_await_close(o.base, &far);
        ck_assert(!far.reset);
        ck_assert(!far_has(&far, "behind"));
    } else {
        ck_assert_str_eq(answer, table[_i].answer);
        ck_assert_str_eq(
            await_answers(&o, &far, 2), "{\"parameters\":{\"text\":\"behind\",\"n\":42}}");
    }
    close_conn(&o, &far);
}
END_TEST

START_TEST(the_service_describes_itself)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{"
              "\"interface\":\"org.varlink.service\"}}");
    await_answers(&o, &far, 1);
    ck_assert(far_has(&far, "interface org.varlink.service\\n"));
    ck_assert(far_has(&far, "error InvalidParameter(parameter: string)\\n"));
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_message_without_end_is_cut_off)
{
    static char text[4096];
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    memset(text, ' ', sizeof text);
    size_t sent = 0;
    while (!far.closed) {
        ssize_t n = send(far.fd, text, sizeof text, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(o.base);
        far_take(&far);
        /* what the sockets hold on the way comes on top */
        ck_assert_uint_lt(sent, 2 * VARLINK_MESSAGE_MAX);
    }
    ck_assert_uint_gt(sent, VARLINK_MESSAGE_MAX);
    ck_assert(far_has(&far, "org.varlink.service.InvalidParameter"));
    ck_assert_uint_eq(o.calls, 0);
    close_conn(&o, &far);
}
END_TEST

/* A message of exactly n bytes: an Echo padded with blanks. */
static void say_padded(struct owner *o, struct far_end *far, size_t n)
{
    static const char call[] = "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\"}}";
    CLEANUP(freep) char *text = malloc(n + 1);
    memset(text, ' ', n);
    memcpy(text, call, sizeof call - 1);
    text[n] = '\0';
    for (size_t at = 0; at < n + 1 && !far->closed;) {
        ssize_t sent = send(far->fd, text + at, n + 1 - at, MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        loop_turn(o->base);
        far_take(far);
    }
}

START_TEST(the_largest_message_is_taken_and_one_byte_more_is_not)
{
    for (size_t more = 0; more <= 1; more++) {
        struct owner o = {0};
        struct far_end far;
        open_conn(&o, &far, SOCK_STREAM);
        say_padded(&o, &far, VARLINK_MESSAGE_MAX + more);
        await_answers(&o, &far, 1);
        ck_assert_uint_eq(o.calls, 1 - more);
        close_conn(&o, &far);
    }
}
END_TEST

START_TEST(one_call_is_in_flight_and_the_next_runs_when_it_is_answered)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Later\"}");
    say(&far, "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\"}}");
    loop_turn(o.base);
    ck_assert_uint_eq(o.calls, 1);
    ck_assert_ptr_eq(varlink_conn_call(o.conn), o.kept);
    varlink_reply(o.kept, SPAN("{\"late\":true}"), false);
    ck_assert_uint_eq(o.calls, 2);
    ck_assert_str_eq(await_answers(&o, &far, 2), "{\"parameters\":{\"text\":\"x\",\"n\":42}}");
    ck_assert_str_eq(far.got.p, "{\"parameters\":{\"late\":true}}");
    ck_assert_ptr_null(varlink_conn_call(o.conn));
    close_conn(&o, &far);
}
END_TEST

START_TEST(oneway_calls_are_done_and_not_answered)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\"},\"oneway\":true}");
    say(&far, "{\"method\":\"a.b.Fail\",\"oneway\":true}");
    say(&far, "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"y\"}}");
    ck_assert_str_eq(await_answers(&o, &far, 1), "{\"parameters\":{\"text\":\"y\",\"n\":42}}");
    ck_assert_uint_eq(o.calls, 2);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_stream_goes_on_until_its_last_answer)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Stream\",\"more\":true}");
    say(&far, "{\"method\":\"a.b.Fail\"}");
    loop_turn(o.base);
    ck_assert(varlink_call_more(o.kept));
    varlink_reply(o.kept, SPAN("{\"seq\":1}"), true);
    varlink_reply(o.kept, SPAN("{\"seq\":2}"), true);
    ck_assert_str_eq(await_answers(&o, &far, 2), "{\"parameters\":{\"seq\":2},\"continues\":true}");
    varlink_reply(o.kept, (struct span){0}, false);
    ck_assert_str_eq(
        await_answers(&o, &far, 4), "{\"error\":\"a.b.Broken\",\"parameters\":{\"why\":1}}");
    close_conn(&o, &far);
}
END_TEST

START_TEST(continues_needs_more)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Later\"}");
    loop_turn(o.base);
    varlink_reply(o.kept, SPAN("{}"), true);
    ck_assert_str_eq(await_answers(&o, &far, 1), "{\"parameters\":{}}");
    ck_assert_ptr_null(varlink_conn_call(o.conn));
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_stream_that_nobody_takes_is_cut)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 16);
    buf_printf(&b, "{\"x\":\"%030000d\"}", 0);
    say(&far, "{\"method\":\"a.b.Stream\",\"more\":true}");
    loop_turn(o.base);
    unsigned sent = 0;
    for (; o.conn && sent < 1000; sent++)
        varlink_reply(o.kept, buf_span(&b), true);
    ck_assert_ptr_null(o.conn);
    ck_assert_uint_lt(sent, 100); /* 1 MiB and what the socket holds */
    ck_assert_ptr_eq(o.seen_data, &o);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_stream_ends_with_its_reader)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Stream\",\"more\":true}");
    loop_turn(o.base);
    ck_assert_uint_eq(o.closed, 0);
    closep(&far.fd);
    loop_turn(o.base);
    ck_assert_uint_eq(o.closed, 1);
    ck_assert_ptr_eq(o.seen_data, &o);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_peer_that_ended_its_side_still_gets_its_answers)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Later\"}");
    say(&far, "{\"method\":\"a.b.Echo\",\"parameters\":{\"text\":\"x\"}}");
    shutdown(far.fd, SHUT_WR);
    loop_turn(o.base);
    ck_assert_uint_eq(o.closed, 0);
    varlink_reply(o.kept, SPAN("{\"late\":true}"), false);
    far_await_close(o.base, &far);
    ck_assert(far_has(&far, "late") && far_has(&far, "\"x\""));
    close_conn(&o, &far);
}
END_TEST

struct drip {
    struct far_end *far;
    struct event *timer;
    unsigned sent;
};

static void on_drip(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct drip *d = arg;
    const struct timeval pause = {.tv_usec = 10000};
    d->sent += send(d->far->fd, " ", 1, MSG_NOSIGNAL) == 1;
    event_add(d->timer, &pause);
}

START_TEST(a_dripping_message_is_cut_at_its_total_time)
{
    struct owner o = {.ops = {.message_timeout_ms = 100}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    struct drip d = {.far = &far};
    d.timer = event_new(o.base, -1, 0, on_drip, &d);
    on_drip(-1, 0, &d);
    far_await_close(o.base, &far);
    event_free(d.timer);
    ck_assert_uint_lt(d.sent, 200);
    close_conn(&o, &far);
}
END_TEST

START_TEST(an_idle_connection_ends_when_that_is_wished)
{
    struct owner o = {.ops = {.idle_timeout_ms = 30}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    far_await_close(o.base, &far);
    ck_assert_uint_eq(far.got.n, 0);
    close_conn(&o, &far);
}
END_TEST

/* Takes what has come; the number of whole answers in it. */
static unsigned count_answers(struct far_end *far)
{
    unsigned n = 0;
    far_take(far);
    for (size_t i = 0; i < far->got.n; i++)
        n += far->got.p[i] == '\0';
    buf_reset(&far->got);
    return n;
}

START_TEST(many_calls_of_a_peer_that_does_not_read_are_bounded)
{
    static const char call[] = "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                               "\"parameters\":{\"interface\":\"org.varlink.service\"}}";
    enum { CALLS = 20000 };
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    CLEANUP(buf_done) struct buf all = BUF_INIT(CALLS * sizeof call);
    for (int i = 0; i < CALLS; i++)
        buf_put(&all, call, sizeof call);
    size_t sent = 0;
    for (int i = 0; i < 200; i++) {
        ssize_t n = send(far.fd, all.p + sent, all.n - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(o.base);
        struct bufferevent *bev = varlink_conn_bev(o.conn);
        ck_assert_uint_le(conn_io_waiting(bev), 2 * CONN_PAUSE);
        ck_assert_uint_le(evbuffer_get_length(bufferevent_get_input(bev)),
            VARLINK_MESSAGE_MAX + 2 + CONN_READ_MAX);
    }
    ck_assert_uint_lt(sent, all.n); /* it is not read any further */
    unsigned answers = 0;
    while (answers < CALLS && !far.closed) { /* and all are answered in the end */
        ssize_t n = send(far.fd, all.p + sent, all.n - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(o.base);
        answers += count_answers(&far);
    }
    ck_assert_uint_eq(answers, CALLS);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_connection_too_many_is_told_so_and_closed)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    varlink_conn_refuse(o.conn, "a.b.NotReady", SPAN("{\"retryAfter\":1}"));
    say(&far, "{\"method\":\"a.b.Fail\"}");
    far_await_close(o.base, &far);
    ck_assert_str_eq(far.got.p, "{\"error\":\"a.b.NotReady\",\"parameters\":{\"retryAfter\":1}}");
    ck_assert_uint_eq(far_count(&far, "Broken"), 0);
    ck_assert(!far.reset);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_leaving_connection_answers_its_call_and_no_other)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say(&far, "{\"method\":\"a.b.Later\"}");
    say(&far, "{\"method\":\"a.b.Fail\"}");
    loop_turn(o.base);
    varlink_conn_close(o.conn);
    ck_assert_uint_eq(o.closed, 0);
    varlink_reply(o.kept, SPAN("{\"last\":true}"), false);
    far_await_close(o.base, &far);
    ck_assert_str_eq(far.got.p, "{\"parameters\":{\"last\":true}}");
    ck_assert(!far_has(&far, "Broken"));
    close_conn(&o, &far);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, calls_of_one_write_are_answered_in_order_with_one_write);
    tcase_add_test(tc, a_message_may_come_byte_by_byte);
    tcase_add_loop_test(tc, each_call_has_its_answer, 0, ARRAY_LEN(table));
    tcase_add_test(tc, the_service_describes_itself);
    tcase_add_test(tc, a_message_without_end_is_cut_off);
    tcase_add_test(tc, the_largest_message_is_taken_and_one_byte_more_is_not);
    tcase_add_test(tc, one_call_is_in_flight_and_the_next_runs_when_it_is_answered);
    tcase_add_test(tc, oneway_calls_are_done_and_not_answered);
    tcase_add_test(tc, a_stream_goes_on_until_its_last_answer);
    tcase_add_test(tc, continues_needs_more);
    tcase_add_test(tc, a_stream_that_nobody_takes_is_cut);
    tcase_add_test(tc, a_stream_ends_with_its_reader);
    tcase_add_test(tc, a_peer_that_ended_its_side_still_gets_its_answers);
    tcase_add_test(tc, a_dripping_message_is_cut_at_its_total_time);
    tcase_add_test(tc, an_idle_connection_ends_when_that_is_wished);
    tcase_add_test(tc, many_calls_of_a_peer_that_does_not_read_are_bounded);
    tcase_add_test(tc, a_connection_too_many_is_told_so_and_closed);
    tcase_add_test(tc, a_leaving_connection_answers_its_call_and_no_other);
}

int main(void)
{
    return unit_run("doors_varlink_conn", fill);
}
