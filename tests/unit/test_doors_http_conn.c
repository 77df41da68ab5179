/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP connection over a socket pair: order of answers, keep-alive, deadlines as totals, the
 * close after a refusal, bounded output. */
#include "far_end.h"

#include "conn_io.h"
#include "http_conn.h"

#include <event2/buffer.h>

#define GET "GET /%s HTTP/1.1\r\nHost: a.example\r\n\r\n"

/* The owner: answers with the path, at once or when the test says so. */
struct owner {
    struct event_base *base;
    struct http_conn *conn; /* NULL when closed */
    struct http_conn_ops ops;
    unsigned requests, closed;
    bool late;        /* keep the request */
    bool free_within; /* end the connection instead of an answer */
    bool close;       /* answers say close */
    size_t body;      /* length of the body, 0: the path */
    struct evbuffer *shared;
    struct buf paths;
};

static void answer(struct owner *o)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT((size_t)4 * 1024 * 1024);
    struct http_answer a = {.status = 200, .content_type = "text/plain", .close = o->close};
    if (o->shared) {
        a.shared = o->shared;
        a.shared_len = evbuffer_get_length(o->shared);
    } else if (o->body > 0) {
        memset(buf_reserve(&b, o->body), 'x', o->body);
        a.body = (struct span){b.p, o->body};
    } else {
        buf_put_span(&b, http_conn_request(o->conn)->path);
        a.body = buf_span(&b);
    }
    http_conn_reply(o->conn, &a);
}

static void on_request(struct http_conn *c, const struct http_request *req, void *arg)
{
    struct owner *o = arg;
    o->requests++;
    ck_assert_ptr_eq(c, o->conn);
    ck_assert_ptr_eq(http_conn_arg(c), arg);
    buf_put_span(&o->paths, req->path);
    if (o->free_within)
        http_conn_free(c);
    else if (!o->late)
        answer(o);
}

static void on_closed(struct http_conn *c, void *arg)
{
    struct owner *o = arg;
    ck_assert_ptr_eq(c, o->conn);
    o->closed++;
    o->conn = NULL;
}

static void refusal_body(unsigned status, const char *why, struct buf *b)
{
    buf_printf(b, "{\"status\":%u,\"why\":\"%s\"}", status, why);
}

static void open_conn(struct owner *o, struct far_end *far, int type)
{
    int fd = far_open(far, type);
    o->base = event_base_new();
    o->paths = BUF_INIT(65536);
    o->ops.limits = (struct http_limits){.header_max = 4096, .body_max = 4096};
    o->ops.on_request = on_request;
    o->ops.on_closed = on_closed;
    o->ops.refusal_body = refusal_body;
    o->ops.refusal_headers = "X-Why: refused\r\n";
    o->ops.write_through = true;
    if (!o->ops.request_timeout_ms)
        o->ops.request_timeout_ms = 10000;
    if (!o->ops.idle_timeout_ms)
        o->ops.idle_timeout_ms = 10000;
    struct bufferevent *bev = bufferevent_socket_new(o->base, fd, BEV_OPT_CLOSE_ON_FREE);
    o->conn = http_conn_new(bev, &o->ops, o);
    ck_assert_ptr_nonnull(o->conn);
}

static void close_conn(struct owner *o, struct far_end *far)
{
    http_conn_free(o->conn);
    ck_assert_uint_eq(o->closed, 1);
    event_base_free(o->base);
    buf_done(&o->paths);
    far_close(far);
}

static void say_get(struct far_end *far, const char *path)
{
    char text[256];
    snprintf(text, sizeof text, GET, path);
    far_say(far, text);
}

START_TEST(requests_of_one_write_are_answered_in_order_with_one_write)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_SEQPACKET);
    far_say(&far, "GET /one HTTP/1.1\r\nHost: a\r\n\r\nPOST /two HTTP/1.1\r\nHost: a\r\n"
                  "Content-Length: 3\r\n\r\nabcGET /three HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await(o.base, &far, "HTTP/1.1 200 OK\r\n", 3);
    ck_assert_str_eq(o.paths.p, "/one/two/three");
    ck_assert_uint_eq(far.reads, 1);
    char *one = memmem(far.got.p, far.got.n, "/one", 4);
    char *two = memmem(far.got.p, far.got.n, "/two", 4);
    char *three = memmem(far.got.p, far.got.n, "/three", 6);
    ck_assert(one && two && three && one < two && two < three);
    ck_assert(!far.closed);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    static const char text[] = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        ck_assert_uint_eq(o.requests, 0);
        far_send(&far, (struct span){text + i, 1});
        loop_turn(o.base);
    }
    far_await(o.base, &far, "\r\n\r\n/p", 1);
    ck_assert_uint_eq(o.requests, 1);
    close_conn(&o, &far);
}
END_TEST

START_TEST(what_is_not_kept_alive_is_closed_after_its_answer)
{
    static const struct {
        const char *text;
        bool closes;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct owner o = {0};
        struct far_end far;
        open_conn(&o, &far, SOCK_STREAM);
        far_say(&far, rows[i].text);
        far_await(o.base, &far, "\r\n\r\n/", 1);
        loop_turn(o.base);
        far_take(&far);
        ck_assert_msg(far.closed == rows[i].closes, "row %zu", i);
        ck_assert_uint_eq(far_has(&far, "Connection: close\r\n"), rows[i].closes);
        close_conn(&o, &far);
    }
}
END_TEST

START_TEST(nothing_is_answered_after_a_refusal)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    far_say(&far, "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nX : 1\r\n\r\n"
                  "GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await_close(o.base, &far);
    ck_assert_str_eq(o.paths.p, "/a");
    ck_assert_uint_eq(far_count(&far, "HTTP/1.1 "), 2);
    ck_assert(far_has(&far, "HTTP/1.1 400 Bad Request\r\n"));
    ck_assert(far_has(&far, "X-Why: refused\r\nConnection: close\r\n\r\n{\"status\":400,"));
    ck_assert(far_has(&far, "Content-Type: application/json\r\n"));
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_refused_peer_that_goes_on_writing_reads_its_answer)
{
    static char rest[200000];
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    far_say(&far, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    loop_turn(o.base);
    far_send(&far, (struct span){rest, 100000});
    loop_turn(o.base);
    far_send(&far, (struct span){rest, 100000});
    far_await_close(o.base, &far);
    ck_assert(!far.reset);
    ck_assert(far_has(&far, "HTTP/1.1 413 "));
    close_conn(&o, &far);
}
END_TEST

START_TEST(head_and_304_have_no_body)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    far_say(&far, "HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await(o.base, &far, "Content-Length: 5\r\n", 1);
    ck_assert(!far_has(&far, "/head"));
    o.late = true;
    say_get(&far, "x");
    loop_turn(o.base);
    const struct http_answer a = {
        .status = 304, .headers = "ETag: \"e\"\r\n", .body = SPAN("never")};
    http_conn_reply(o.conn, &a);
    far_await(o.base, &far, "HTTP/1.1 304 ", 1);
    ck_assert(far_has(&far, "ETag: \"e\"\r\n\r\n"));
    ck_assert(!far_has(&far, "never"));
    ck_assert_uint_eq(far_count(&far, "Content-Length"), 1);
    close_conn(&o, &far);
}
END_TEST

START_TEST(one_request_is_in_flight_and_the_next_is_read_when_it_is_answered)
{
    struct owner o = {.late = true};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "first");
    say_get(&far, "second");
    loop_turn(o.base);
    ck_assert_uint_eq(o.requests, 1);
    struct evbuffer *in = bufferevent_get_input(http_conn_bev(o.conn));
    size_t before = evbuffer_get_length(in);
    say_get(&far, "third");
    loop_turn(o.base);
    ck_assert_uint_eq(evbuffer_get_length(in), before); /* the request's spans point in there */
    ck_assert_uint_eq(o.requests, 1);
    ck_assert(span_eq_str(http_conn_request(o.conn)->path, "/first"));
    answer(&o); /* brings the second */
    ck_assert_uint_eq(o.requests, 2);
    o.late = false;
    answer(&o);
    far_await(o.base, &far, "HTTP/1.1 200 ", 3);
    ck_assert_str_eq(o.paths.p, "/first/second/third");
    ck_assert_ptr_null(http_conn_request(o.conn));
    close_conn(&o, &far);
}
END_TEST

/* Sends one byte of a request that never ends, again and again. */
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
    d->sent += send(d->far->fd, "a", 1, MSG_NOSIGNAL) == 1;
    event_add(d->timer, &pause);
}

START_TEST(a_dripping_request_is_cut_at_its_total_time)
{
    struct owner o = {.ops = {.request_timeout_ms = 100}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    struct drip d = {.far = &far};
    d.timer = event_new(o.base, -1, 0, on_drip, &d);
    far_say(&far, "GET / HTTP/1.1\r\nX: ");
    on_drip(-1, 0, &d);
    far_await_close(o.base, &far);
    event_free(d.timer);
    ck_assert(far_has(&far, "HTTP/1.1 408 Request Timeout\r\n"));
    ck_assert(far_has(&far, "{\"status\":408,"));
    /* 10 bytes in 100 ms if nobody else used the processor; per-read timers would let all pass */
    ck_assert_uint_lt(d.sent, 200);
    ck_assert_uint_eq(o.requests, 0);
    close_conn(&o, &far);
}
END_TEST

START_TEST(an_idle_connection_ends_without_a_word)
{
    struct owner o = {.ops = {.idle_timeout_ms = 30}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "x");
    far_await(o.base, &far, "\r\n\r\n/x", 1);
    size_t before = far.got.n;
    far_await_close(o.base, &far);
    ck_assert_uint_eq(far.got.n, before);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_request_in_flight_has_no_deadline_of_the_peer)
{
    struct owner o = {.late = true, .ops = {.idle_timeout_ms = 20, .request_timeout_ms = 20}};
    struct far_end far;
    struct far_end other = {.fd = -1};
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "x");
    loop_turn(o.base);
    /* an idle neighbour ends after the same time: then the first would have ended too */
    int fd = far_open(&other, SOCK_STREAM);
    struct owner o2 = {.ops = o.ops, .base = o.base};
    o2.conn =
        http_conn_new(bufferevent_socket_new(o.base, fd, BEV_OPT_CLOSE_ON_FREE), &o2.ops, &o2);
    far_await_close(o.base, &other);
    ck_assert_uint_eq(o2.closed, 1);
    ck_assert_uint_eq(o.closed, 0);
    answer(&o);
    far_await(o.base, &far, "\r\n\r\n/x", 1);
    far_close(&other);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_peer_that_takes_nothing_stops_the_work_and_is_cut)
{
    struct owner o = {.body = 30000, .ops = {.idle_timeout_ms = 50}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    for (unsigned i = 0; i < 1000; i++)
        if (send(far.fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, MSG_NOSIGNAL) != 27)
            break;
    loop_turn(o.base); /* comes back: full buffers do not keep the loop busy */
    struct owner *at = &o;
    while (at->conn) { /* not one byte is read meanwhile */
        ck_assert_uint_le(conn_io_waiting(http_conn_bev(o.conn)), CONN_PAUSE + 2 * o.body);
        ck_assert_int_ge(event_base_loop(o.base, EVLOOP_ONCE), 0);
    }
    ck_assert_uint_lt(o.requests, 100);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_slow_reader_gets_everything_in_the_end)
{
    struct owner o = {.body = 30000};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    for (unsigned i = 0; i < 100; i++)
        say_get(&far, "x");
    far_await(o.base, &far, "HTTP/1.1 200 ", 100);
    ck_assert_uint_eq(o.requests, 100);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_peer_that_ended_its_side_still_gets_its_answers)
{
    struct owner o = {.late = true};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "one");
    say_get(&far, "two");
    shutdown(far.fd, SHUT_WR);
    loop_turn(o.base);
    ck_assert_uint_eq(o.closed, 0);
    o.late = false;
    answer(&o);
    far_await_close(o.base, &far);
    ck_assert(far_has(&far, "/one") && far_has(&far, "/two"));
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_connection_may_be_ended_inside_its_own_request)
{
    struct owner o = {.free_within = true};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "one");
    say_get(&far, "two");
    far_await_close(o.base, &far);
    ck_assert_str_eq(o.paths.p, "/one");
    ck_assert_uint_eq(far.got.n, 0);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_peer_that_goes_away_closes_exactly_once)
{
    struct owner o = {.late = true};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    say_get(&far, "one");
    loop_turn(o.base);
    closep(&far.fd);
    o.late = false;
    answer(&o); /* into the void */
    loop_turn(o.base);
    ck_assert_uint_eq(o.closed, 1);
    close_conn(&o, &far);
}
END_TEST

START_TEST(shared_bodies_are_sent_whole)
{
    static const size_t sizes[] = {0, 1, 4000, 16384, 16385, 500000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct owner o = {0};
        struct far_end far;
        char length[64];
        open_conn(&o, &far, SOCK_STREAM);
        o.shared = evbuffer_new();
        for (size_t n = 0; n < sizes[i]; n++)
            evbuffer_add(o.shared, "y", 1);
        far_say(&far, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        far_await_close(o.base, &far);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", sizes[i]);
        ck_assert(far_has(&far, length));
        const char *body = (const char *)memmem(far.got.p, far.got.n, "\r\n\r\n", 4) + 4;
        ck_assert_uint_eq(far.got.n - (size_t)(body - far.got.p), sizes[i]);
        for (size_t n = 0; n < sizes[i]; n++)
            ck_assert_int_eq(body[n], 'y');
        ck_assert_uint_eq(evbuffer_get_length(o.shared), sizes[i]);
        evbuffer_free(o.shared);
        close_conn(&o, &far);
    }
}
END_TEST

START_TEST(a_connection_serves_no_more_than_its_number)
{
    struct owner o = {.ops = {.max_requests = 2}};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    for (int i = 0; i < 3; i++)
        say_get(&far, "x");
    far_await_close(o.base, &far);
    ck_assert_uint_eq(o.requests, 2);
    ck_assert_uint_eq(far_count(&far, "Connection: close\r\n"), 1);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_connection_too_many_is_told_so_and_closed)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    const struct http_answer a = {.status = 503,
        .content_type = "application/json",
        .headers = "Retry-After: 1\r\n",
        .body = SPAN("{}")};
    http_conn_refuse(o.conn, &a);
    say_get(&far, "x");
    far_await_close(o.base, &far);
    ck_assert(!far.reset);
    ck_assert(far_has(&far, "HTTP/1.1 503 "));
    ck_assert(far_has(&far, "Retry-After: 1\r\nConnection: close\r\n\r\n{}"));
    ck_assert_uint_eq(o.requests, 0);
    close_conn(&o, &far);
}
END_TEST

START_TEST(a_long_read_is_taken_in_one_turn)
{
    struct owner o = {0};
    struct far_end far;
    open_conn(&o, &far, SOCK_STREAM);
    CLEANUP(buf_done) struct buf all = BUF_INIT(1 << 20);
    for (int i = 0; i < 400; i++)
        buf_printf(&all, GET, "0123456789");
    far_send(&far, buf_span(&all)); /* 20,400 bytes: libevent alone would take 4096 of them */
    ck_assert_int_ge(event_base_loop(o.base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(o.requests, 400);
    far_await(o.base, &far, "HTTP/1.1 200 ", 400);
    close_conn(&o, &far);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, requests_of_one_write_are_answered_in_order_with_one_write);
    tcase_add_test(tc, a_request_may_come_byte_by_byte);
    tcase_add_test(tc, what_is_not_kept_alive_is_closed_after_its_answer);
    tcase_add_test(tc, nothing_is_answered_after_a_refusal);
    tcase_add_test(tc, a_refused_peer_that_goes_on_writing_reads_its_answer);
    tcase_add_test(tc, head_and_304_have_no_body);
    tcase_add_test(tc, one_request_is_in_flight_and_the_next_is_read_when_it_is_answered);
    tcase_add_test(tc, a_dripping_request_is_cut_at_its_total_time);
    tcase_add_test(tc, an_idle_connection_ends_without_a_word);
    tcase_add_test(tc, a_request_in_flight_has_no_deadline_of_the_peer);
    tcase_add_test(tc, a_peer_that_takes_nothing_stops_the_work_and_is_cut);
    tcase_add_test(tc, a_slow_reader_gets_everything_in_the_end);
    tcase_add_test(tc, a_peer_that_ended_its_side_still_gets_its_answers);
    tcase_add_test(tc, a_connection_may_be_ended_inside_its_own_request);
    tcase_add_test(tc, a_peer_that_goes_away_closes_exactly_once);
    tcase_add_test(tc, shared_bodies_are_sent_whole);
    tcase_add_test(tc, a_connection_serves_no_more_than_its_number);
    tcase_add_test(tc, a_connection_too_many_is_told_so_and_closed);
    tcase_add_test(tc, a_long_read_is_taken_in_one_turn);
}

int main(void)
{
    return unit_run("doors_http_conn", fill);
}
