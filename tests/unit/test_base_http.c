/* SPDX-License-Identifier: Apache-2.0 */
/* The request reader: one shape of each rule of RFC 9112 that two readers could take differently.
 */
#include "buf.h"
#include "cleanup.h"
#include "http.h"
#include "unit.h"

#include <stdint.h>

static const struct http_limits public_door = {.header_max = 16384, .body_max = 0};
static const struct http_limits local_door = {.header_max = 32768, .body_max = 65536};

#define HOST "Host: a.example\r\n"
#define GET "GET /x HTTP/1.1\r\n"

/* status 0: the request is taken. The body of a local request is what follows the head. */
static const struct {
    struct span text;
    unsigned public_status, local_status;
} table[] = {
    /* the plain ones */
    {SPAN(GET HOST "\r\n"), 0, 0},
    {SPAN("HEAD / HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("GET /x HTTP/1.0\r\n\r\n"), 0, 0},
    {SPAN("GET /x HTTP/1.0\r\n" HOST "\r\n"), 0, 0},
    {SPAN(GET "hOsT:a.example\r\n\r\n"), 0, 0},
    {SPAN(GET HOST "X: \t a b \t\r\nY:\r\nZ:\x80\xff\r\n\r\n"), 0, 0},
    {SPAN("\r\n" GET HOST "\r\n"), 0, 0},
    {SPAN(GET HOST "Content-Length: 0\r\n\r\n"), 0, 0},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na\0c"), 413, 0},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 0, 0},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "\r\n"), 0, 411},
    {SPAN("POST /x HTTP/1.0\r\n" HOST "\r\n"), 0, 411},
    {SPAN("get /x HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("PROP!#$%&'*+-.^_`|~FIND /x HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    /* line ends */
    {SPAN("GET /x HTTP/1.1\n" HOST "\r\n"), 400, 400},
    {SPAN(GET "Host: a.example\n\r\n"), 400, 400},
    {SPAN(GET HOST "\n"), 400, 400},
    {SPAN("GET /x HTTP/1.1\rHost: a.example\r\r"), 400, 400},
    {SPAN(GET HOST "X: a\rb\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: a\r\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: a\r\n\r\r\n"), 400, 400},
    {SPAN("\n" GET HOST "\r\n"), 400, 400},
    {SPAN("\r\n\r\n" GET HOST "\r\n"), 400, 400},
    {SPAN("\r" GET HOST "\r\n"), 400, 400},
    /* controls, NUL */
    {SPAN("G\0T /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x\0 HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN(GET "Host: a.example\0b\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: \x01\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: \x7f\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X\x1b: a\r\n\r\n"), 400, 400},
    {SPAN("\x16\x03\x01\x02\x00\x01\x00\x01"), 400, 400},
    /* request line */
    {SPAN("GET  /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x  HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET\t/x\tHTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN(" GET /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/1.1 \r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x \r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET\r\n" HOST "\r\n"), 400, 400},
    {SPAN(" /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("G@T /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("G\xc3\xa9T /x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    /* version */
    {SPAN("GET /x HTTP/0.9\r\n" HOST "\r\n"), 505, 505},
    {SPAN("GET /x HTTP/1.2\r\n" HOST "\r\n"), 505, 505},
    {SPAN("GET /x HTTP/2.0\r\n" HOST "\r\n"), 505, 505},
    {SPAN("GET /x HTTP/3\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/1.10\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/01.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/1.1x\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/-1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x http/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTQ/1.1\r\n" HOST "\r\n"), 400, 400},
    /* target */
    {SPAN("GET /-._~:/?[]@!$&'()*+,;=%41%fF HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("GET /x#f HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /a\\b HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET \\x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /\"<>^`{|} HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /% HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /%4 HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET /%4g HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET * HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("CONNECT evil:443 HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET http://a.example/x HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("GET HTTPS://A.example/x HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("GET http://a.example HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {SPAN("GET http://evil.example/x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET http://a.example:80/x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET http://a.example@evil/x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET http:///x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET http://a.example/x HTTP/1.0\r\n\r\n"), 400, 400},
    {SPAN("GET http:///x HTTP/1.0\r\n\r\n"), 400, 400},
    {SPAN("GET ftp://a.example/x HTTP/1.1\r\n" HOST "\r\n"), 400, 400},
    {SPAN("GET //a.example/x HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    /* Host */
    {SPAN(GET "\r\n"), 400, 400},
    {SPAN(GET HOST HOST "\r\n"), 400, 400},
    {SPAN("GET /x HTTP/1.0\r\n" HOST HOST "\r\n"), 400, 400},
    {SPAN(GET "Host:\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example, b\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a b\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: u@a.example\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example/b\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a%2eexample\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example:443\r\n\r\n"), 0, 0},
    {SPAN(GET "Host: a.example:65535\r\n\r\n"), 0, 0},
    {SPAN(GET "Host: a.example:65536\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example:000443\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example:\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example:x\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: a.example:4:4\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: :443\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: [::1]:443\r\n\r\n"), 0, 0},
    {SPAN(GET "Host: [::1\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: []\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: [::1]x\r\n\r\n"), 400, 400},
    {SPAN(GET "Host: ::1\r\n\r\n"), 400, 400},
    /* header lines */
    {SPAN(GET HOST "X : y\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X\t: y\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X Y: z\r\n\r\n"), 400, 400},
    {SPAN(GET HOST ": x\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "foo\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: a\r\n b\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "X: a\r\n\tb: c\r\n\r\n"), 400, 400},
    {SPAN(GET " " HOST "\r\n"), 400, 400},
    {SPAN(GET HOST "\xc3\xa9: x\r\n\r\n"), 400, 400},
    /* the length of the body */
    {SPAN("POST /x HTTP/1.1\r\n" HOST
          "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        400, 400},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 4\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n"),
        400, 400},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n"),
        400, 400},
    {SPAN(GET HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 501, 501},
    {SPAN(GET HOST "Transfer-Encoding: identity\r\n\r\n"), 501, 501},
    {SPAN(GET HOST "Transfer-Encoding:\r\n\r\n"), 501, 501},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400,
        400},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400,
        400},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: -1\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "Content-Length: +3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 0x3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 03\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 00\r\n\r\n"), 400, 400},
    {SPAN(GET HOST "Content-Length: 3;\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 1e3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 3 3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length:\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: \xd9\xa3\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 18446744073709551619\r\n\r\nabc"), 413, 413},
    {SPAN(GET HOST "Content-Length: 9223372036854775808\r\n\r\nabc"), 413, 413},
    {SPAN(GET HOST "Content-Length: 99999999999999999999999x\r\n\r\nabc"), 400, 400},
    {SPAN(GET HOST "Content-Length: 65537\r\n\r\n"), 413, 413},
    {SPAN(GET HOST "Content-Length: 5\r\n\r\nabcde"), 413, 0},
    {SPAN("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"), 417,
        417},
    {SPAN(GET HOST "Expect: x\r\n\r\n"), 417, 417},
};

static void judge(struct span text, const struct http_limits *door, unsigned want)
{
    char *exact = malloc(text.n); /* a sanitizer sees a read past the end */
    memcpy(exact, text.p, text.n);
    struct http_reader r = {0};
    struct http_request req;
    enum http_step step = http_read(&r, (struct span){exact, text.n}, door, &req);
    ck_assert_msg(r.status == want, "%u instead of %u: %s", r.status, want, text.p);
    ck_assert_int_eq(step, want ? HTTP_REFUSED : HTTP_DONE);
    if (want) {
        ck_assert_ptr_nonnull(r.why);
        ck_assert_int_eq(http_read(&r, (struct span){exact, text.n}, door, &req), HTTP_REFUSED);
    } else {
        ck_assert_uint_eq(req.consumed, text.n);
    }
    free(exact);
}

START_TEST(verdicts)
{
    judge(table[_i].text, &public_door, table[_i].public_status);
    judge(table[_i].text, &local_door, table[_i].local_status);
}
END_TEST

/* Byte by byte with memory that moves: HTTP_MORE before the end, then the same verdict as in one
 * piece. A refusal may come earlier, never another one. */
START_TEST(the_verdict_does_not_depend_on_the_cuts)
{
    struct span text = table[_i].text;
    struct http_reader r = {0};
    struct http_request req;
    enum http_step step = HTTP_MORE;
    size_t n = 0;
    while (step == HTTP_MORE && n < text.n) {
        char *exact = malloc(++n);
        memcpy(exact, text.p, n);
        step = http_read(&r, (struct span){exact, n}, &local_door, &req);
        free(exact);
    }
    ck_assert_uint_eq(r.status, table[_i].local_status);
    ck_assert_int_eq(step, table[_i].local_status ? HTTP_REFUSED : HTTP_DONE);
    if (step == HTTP_DONE)
        ck_assert_uint_eq(n, text.n);
}
END_TEST

static const char sample[] = "POST /a/b%20c?d=e?f HTTP/1.1\r\n"
                             "Host: A.example:8443\r\n"
                             "X-One:  \t v 1\t \r\n"
                             "x-ONE: v2\r\n"
                             "Content-Length: 4\r\n"
                             "Connection: Upgrade\r\n"
                             "\r\n"
                             "body";

static void check_sample(const struct http_request *req)
{
    unsigned n;
    ck_assert_int_eq(req->method, HTTP_POST);
    ck_assert(span_eq_str(req->method_text, "POST"));
    ck_assert(span_eq_str(req->path, "/a/b%20c"));
    ck_assert(span_eq_str(req->query, "d=e?f"));
    ck_assert(span_eq_str(req->host, "A.example"));
    ck_assert_int_eq(req->minor, 1);
    ck_assert(req->keep_alive);
    ck_assert_uint_eq(req->n_headers, 5);
    ck_assert(span_eq_str(req->headers[1].name, "X-One"));
    ck_assert(span_eq_str(http_header(req, "x-one", &n), "v 1"));
    ck_assert_uint_eq(n, 2);
    ck_assert_ptr_null(http_header(req, "x-two", &n).p);
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_null(http_header(req, "x-two", NULL).p);
    ck_assert(span_eq_str(req->body, "body"));
    ck_assert_uint_eq(req->consumed, sizeof sample - 1);
}

/* Two pieces, cut at every place; the second read sees other memory. What follows the request is
 * not touched. */
START_TEST(every_split_gives_the_same_request)
{
    struct span whole = SPAN(sample);
    for (size_t cut = 0; cut <= whole.n; cut++) {
        struct http_reader r = {0};
        struct http_request req;
        char *first = malloc(cut ? cut : 1);
        memcpy(first, whole.p, cut);
        enum http_step step = http_read(&r, (struct span){first, cut}, &local_door, &req);
        ck_assert_int_eq(step, cut < whole.n ? HTTP_MORE : HTTP_DONE);
        if (cut == whole.n)
            check_sample(&req);
        free(first);
        if (cut == whole.n)
            break;
        CLEANUP(buf_done) struct buf all = BUF_INIT(1000);
        buf_put_span(&all, whole);
        buf_put_str(&all, "GET /next");
        ck_assert_int_eq(http_read(&r, buf_span(&all), &local_door, &req), HTTP_DONE);
        check_sample(&req);
    }
}
END_TEST

START_TEST(absolute_form_gives_the_same_path)
{
    static const struct {
        struct span text;
        const char *path, *query;
    } rows[] = {
        {SPAN("GET http://a.example/x/y?z HTTP/1.1\r\n" HOST "\r\n"), "/x/y", "z"},
        {SPAN("GET http://a.example HTTP/1.1\r\n" HOST "\r\n"), "/", ""},
        {SPAN("GET http://a.example?z HTTP/1.1\r\n" HOST "\r\n"), "/", "z"},
        {SPAN("GET /x? HTTP/1.1\r\n" HOST "\r\n"), "/x", ""},
        {SPAN("GET //b/x HTTP/1.1\r\n" HOST "\r\n"), "//b/x", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_reader r = {0};
        struct http_request req;
        ck_assert_int_eq(http_read(&r, rows[i].text, &public_door, &req), HTTP_DONE);
        ck_assert(span_eq_str(req.path, rows[i].path));
        ck_assert(span_eq_str(req.query, rows[i].query));
        ck_assert(span_eq_str(req.host, "a.example"));
    }
}
END_TEST

START_TEST(hosts_lose_their_port_only)
{
    static const char *const rows[][2] = {{"a.example", "a.example"}, {"a.example:1", "a.example"},
        {"[::1]:443", "[::1]"}, {"[fe80::1.2.3.4]", "[fe80::1.2.3.4]"},
        {"10.0.0.1:80", "10.0.0.1"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
        struct http_reader r = {0};
        struct http_request req;
        buf_printf(&b, GET "Host: %s\r\n\r\n", rows[i][0]);
        ck_assert_int_eq(http_read(&r, buf_span(&b), &public_door, &req), HTTP_DONE);
        ck_assert(span_eq_str(req.host, rows[i][1]));
    }
}
END_TEST

START_TEST(keep_alive_follows_version_and_wish)
{
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.0\r\n" HOST "\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: x, Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive ,\tCLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
            true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_reader r = {0};
        struct http_request req;
        ck_assert_int_eq(http_read(&r, span_of(rows[i].text), &public_door, &req), HTTP_DONE);
        ck_assert_int_eq(req.keep_alive, rows[i].keep);
    }
}
END_TEST

static enum http_step read_buf(struct buf *b, const struct http_limits *l, unsigned *ret_status)
{
    struct http_reader r = {0};
    struct http_request req;
    ck_assert(!b->failed);
    enum http_step step = http_read(&r, buf_span(b), l, &req);
    *ret_status = r.status;
    return step;
}

static void fill_with(struct buf *b, char c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_put_char(b, c);
}

/* The head may be exactly header_max bytes, wherever the bytes are; unfinished heads are refused at
 * the same place. */
START_TEST(the_header_limit_is_exact)
{
    for (size_t over = 0; over < 2; over++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
        unsigned status;
        buf_put_str(&b, GET HOST "X: ");
        fill_with(&b, 'a', public_door.header_max - b.n - 4 + over);
        buf_put_str(&b, "\r\n\r\n");
        ck_assert_uint_eq(b.n, public_door.header_max + over);
        ck_assert_int_eq(read_buf(&b, &public_door, &status), over ? HTTP_REFUSED : HTTP_DONE);
        ck_assert_uint_eq(status, over ? 431 : 0);
        buf_reset(&b);
        buf_put_str(&b, GET);
        fill_with(&b, 'a', public_door.header_max - b.n + over);
        ck_assert_int_eq(read_buf(&b, &public_door, &status), over ? HTTP_REFUSED : HTTP_MORE);
        ck_assert_uint_eq(status, over ? 431 : 0);
    }
}
END_TEST

START_TEST(the_request_line_limit_is_exact)
{
    for (unsigned lead = 0; lead < 2; lead++)
        for (size_t over = 0; over < 2; over++) {
            CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
            unsigned status;
            buf_put_str(&b, lead ? "\r\nGET /" : "GET /");
            fill_with(&b, 'a', HTTP_REQUEST_LINE_MAX - 14 + over);
            buf_put_str(&b, " HTTP/1.1\r\n" HOST "\r\n");
            ck_assert_int_eq(read_buf(&b, &public_door, &status), over ? HTTP_REFUSED : HTTP_DONE);
            ck_assert_uint_eq(status, over ? 414 : 0);
        }
}
END_TEST

START_TEST(the_number_of_headers_is_exact)
{
    for (size_t over = 0; over < 2; over++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
        unsigned status;
        buf_put_str(&b, GET HOST);
        for (size_t i = 1; i < HTTP_HEADERS_MAX + over; i++)
            buf_printf(&b, "X%zu: y\r\n", i);
        buf_put_str(&b, "\r\n");
        ck_assert_int_eq(read_buf(&b, &public_door, &status), over ? HTTP_REFUSED : HTTP_DONE);
        ck_assert_uint_eq(status, over ? 431 : 0);
    }
}
END_TEST

START_TEST(the_body_limit_is_exact)
{
    for (size_t over = 0; over < 2; over++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
        struct http_limits l = {.header_max = 1000, .body_max = 10};
        unsigned status;
        buf_printf(&b, "POST /x HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", 10 + over);
        ck_assert_int_eq(read_buf(&b, &l, &status), over ? HTTP_REFUSED : HTTP_MORE);
        ck_assert_uint_eq(status, over ? 413 : 0);
        fill_with(&b, 'a', 9);
        if (!over)
            ck_assert_int_eq(read_buf(&b, &l, &status), HTTP_MORE);
        fill_with(&b, 'a', 5);
        if (!over)
            ck_assert_int_eq(read_buf(&b, &l, &status), HTTP_DONE);
    }
}
END_TEST

/* Endless CRLF, endless header, endless method: each ends at a limit, none at the end of memory. */
START_TEST(endless_input_is_refused)
{
    static const struct {
        const char *head;
        const char *body;
        unsigned status;
    } rows[] = {{"", "\r\n", 400}, {"", "A", 414}, {GET, "a", 431}, {GET, "X: y\r\n", 431}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(1000000);
        struct http_reader r = {0};
        struct http_request req;
        enum http_step step = HTTP_MORE;
        buf_put_str(&b, rows[i].head);
        while (step == HTTP_MORE && b.n < 100000) {
            buf_put_str(&b, rows[i].body);
            step = http_read(&r, buf_span(&b), &public_door, &req);
        }
        ck_assert_int_eq(step, HTTP_REFUSED);
        ck_assert_uint_eq(r.status, rows[i].status);
        ck_assert_uint_le(b.n, public_door.header_max + 8);
    }
}
END_TEST

/* Requests one after the other in one piece of memory, as pipelining brings them. */
START_TEST(pipelined_requests_are_read_one_by_one)
{
    static const char one[] = "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab";
    CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
    for (unsigned i = 0; i < 50; i++)
        buf_put_str(&b, one);
    struct span rest = buf_span(&b);
    for (unsigned i = 0; i < 50; i++) {
        struct http_reader r = {0};
        struct http_request req;
        ck_assert_int_eq(http_read(&r, rest, &local_door, &req), HTTP_DONE);
        ck_assert_uint_eq(req.consumed, sizeof one - 1);
        ck_assert(span_eq_str(req.body, "ab"));
        rest = span_skip(rest, req.consumed);
    }
    ck_assert_uint_eq(rest.n, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, verdicts, 0, (int)ARRAY_LEN(table));
    tcase_add_loop_test(tc, the_verdict_does_not_depend_on_the_cuts, 0, (int)ARRAY_LEN(table));
    tcase_add_test(tc, every_split_gives_the_same_request);
    tcase_add_test(tc, absolute_form_gives_the_same_path);
    tcase_add_test(tc, hosts_lose_their_port_only);
    tcase_add_test(tc, keep_alive_follows_version_and_wish);
    tcase_add_test(tc, the_header_limit_is_exact);
    tcase_add_test(tc, the_request_line_limit_is_exact);
    tcase_add_test(tc, the_number_of_headers_is_exact);
    tcase_add_test(tc, the_body_limit_is_exact);
    tcase_add_test(tc, endless_input_is_refused);
    tcase_add_test(tc, pipelined_requests_are_read_one_by_one);
}

int main(void)
{
    return unit_run("base_http", fill);
}
