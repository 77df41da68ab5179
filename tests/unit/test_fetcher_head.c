/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer: what is kept of it, and every shape that two readers could understand
 * differently is refused. */
#include "attr.h"
#include "head.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1735700000)

static struct head head;

/* Reads lines joined by '|', each with CR LF, then the empty line. */
static enum reason read_head(const char *lines)
{
    char line[HEAD_BYTES_MAX + 64];
    head_start(&head);
    for (const char *p = lines; *p;) {
        size_t n = strcspn(p, "|");
        int len = snprintf(line, sizeof(line), "%.*s\r\n", (int)n, p);
        if (!head_line(&head, (struct span){line, (size_t)len}, NOW))
            return head.reason;
        p += n + (p[n] == '|');
    }
    return head_line(&head, SPAN("\r\n"), NOW) ? REASON_OK : head.reason;
}

START_TEST(what_matters_is_kept)
{
    ck_assert_int_eq(read_head("HTTP/1.1 200 OK|ETag: \"abc\"|Content-Length: 12|"
                               "cache-CONTROL: public, Max-Age=600 , x=\"a\"|"
                               "Last-Modified: Tue, 24 Nov 2026 12:00:00 GMT|"
                               "Date: Wed, 01 Jan 2025 02:53:20 GMT|Retry-After: 120|"
                               "Content-Encoding: identity|X-Other:"),
        REASON_OK);
    ck_assert(head.is_whole);
    ck_assert_uint_eq(head.status, 200);
    ck_assert_str_eq(head.etag, "\"abc\"");
    ck_assert_str_eq(head.last_modified, "Tue, 24 Nov 2026 12:00:00 GMT");
    ck_assert_int_eq(head.max_age_s, 600);
    ck_assert_int_eq(head.retry_after_s, 120);
    ck_assert_int_eq(head.date, NOW);
}
END_TEST

START_TEST(what_is_absent_is_said_to_be_so)
{
    ck_assert_int_eq(read_head("HTTP/1.1 404 Not Found"), REASON_OK);
    ck_assert_uint_eq(head.status, 404);
    ck_assert_str_eq(head.etag, "");
    ck_assert_int_eq(head.max_age_s, -1);
    ck_assert_int_eq(head.retry_after_s, -1);
    ck_assert_int_eq(head.date, 0);
}
END_TEST

static const struct {
    const char *lines;
    int64_t max_age_s, retry_after_s;
} numbers[] = {
    {"Cache-Control: max-age=0", 0, -1},
    {"Cache-Control: no-store", 0, -1},
    {"Cache-Control: no-cache, max-age=60", 0, -1},
    {"Cache-Control: max-age=60, no-cache", 0, -1},
    {"Cache-Control: max-age=60|Cache-Control: max-age=90", 60, -1},
    {"Cache-Control: max-age", -1, -1},
    {"Cache-Control: max-age=", -1, -1},
    {"Cache-Control: max-age=-1", -1, -1},
    {"Cache-Control: max-age=1x", -1, -1},
    {"Cache-Control: s-maxage=5", -1, -1},
    {"Cache-Control: ,,max-age=7,,", 7, -1},
    {"Retry-After: Wed, 01 Jan 2025 02:54:20 GMT", -1, 60},
    {"Retry-After: Wed, 01 Jan 2025 02:52:20 GMT", -1, 0}, /* has passed */
    {"Retry-After: soon", -1, -1},
    {"Retry-After: -5", -1, -1},
    {"Retry-After:", -1, -1},
    {"Retry-After: 1000000000", -1, 1000000000},
};

START_TEST(numbers_are_read_strictly)
{
    char lines[512];
    snprintf(lines, sizeof(lines), "HTTP/1.1 200 OK|Content-Length: 0|%s", numbers[_i].lines);
    ck_assert_int_eq(read_head(lines), REASON_OK);
    ck_assert_int_eq(head.max_age_s, numbers[_i].max_age_s);
    ck_assert_int_eq(head.retry_after_s, numbers[_i].retry_after_s);
}
END_TEST

/* However long a number is, it stays one. */
START_TEST(a_number_does_not_overflow)
{
    ck_assert_int_eq(
        read_head("HTTP/1.1 503 Busy|Retry-After: 99999999999999999999999999999999"), REASON_OK);
    ck_assert_int_gt(head.retry_after_s, 1000000000);
}
END_TEST

/* Validators that could not be sent back as they are do not exist. */
START_TEST(a_validator_must_fit_to_be_sent_back)
{
    char lines[1024];
    snprintf(
        lines, sizeof(lines), "HTTP/1.1 304 Same|ETag: \"%0300d\"|Last-Modified: %0100d", 0, 0);
    ck_assert_int_eq(read_head(lines), REASON_OK);
    ck_assert_str_eq(head.etag, "");
    ck_assert_str_eq(head.last_modified, "");
    ck_assert_int_eq(read_head("HTTP/1.1 304 Same|ETag: \"\xc3\xa4\""), REASON_OK);
    ck_assert_str_eq(head.etag, "");
}
END_TEST

static const struct {
    const char *lines;
    enum reason reason;
} refusals[] = {
    {"HTTP/2 200", REASON_FETCH_HEADERS},
    {"HTTP/1.9 200 OK", REASON_FETCH_HEADERS},
    {"HTTP/1.1 999 Odd", REASON_FETCH_HEADERS},
    {"HTTP/1.1 099 Odd", REASON_FETCH_HEADERS},
    {"HTTP/1.1 20 OK", REASON_FETCH_HEADERS},
    {"HTTP/1.1 2000 OK", REASON_FETCH_HEADERS},
    {"HTTP/1.1  200 OK", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: no end of the document", REASON_FETCH_HEADERS},
    {"ICY 200 OK", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|no colon", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|: empty name", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length : 5", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: a| folded: b", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: a|\tfolded", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: a\rb", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: a\x01", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|X: a\x7f", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: 5|content-length: 6", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: +5", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: 5, 5", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: 0x5", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length:", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: chunked", REASON_FETCH_HEADERS},
    {"HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked", REASON_FETCH_ENCODING},
    {"HTTP/1.1 200 OK|Transfer-Encoding: identity", REASON_FETCH_ENCODING},
    {"HTTP/1.1 200 OK|Content-Encoding: gzip", REASON_FETCH_ENCODING},
    {"HTTP/1.1 200 OK|Content-Encoding: identity, br", REASON_FETCH_ENCODING},
};

START_TEST(ambiguous_heads_are_refused)
{
    ck_assert_msg(
        read_head(refusals[_i].lines) == refusals[_i].reason, "row %d: %s", _i, refusals[_i].lines);
    ck_assert_ptr_nonnull(head.why);
}
END_TEST

START_TEST(a_nul_is_refused)
{
    head_start(&head);
    ck_assert(head_line(&head, SPAN("HTTP/1.1 200 OK\r\n"), NOW));
    ck_assert(!head_line(&head, SPAN("X: a\0b\r\n"), NOW));
    ck_assert_int_eq(head.reason, REASON_FETCH_HEADERS);
}
END_TEST

START_TEST(a_hundred_lines_and_no_more)
{
    head_start(&head);
    ck_assert(head_line(&head, SPAN("HTTP/1.1 200 OK\r\n"), NOW));
    for (int i = 0; i < HEAD_LINES_MAX; i++)
        ck_assert(head_line(&head, SPAN("X: y\r\n"), NOW));
    ck_assert(!head_line(&head, SPAN("X: y\r\n"), NOW));
    ck_assert_int_eq(head.reason, REASON_FETCH_HEADERS);
}
END_TEST

START_TEST(bytes_have_an_end)
{
    static char line[HEAD_BYTES_MAX + 8];
    memset(line, 'x', sizeof(line));
    memcpy(line, "X: ", 3);
    head_start(&head);
    ck_assert(head_line(&head, SPAN("HTTP/1.1 200 OK\r\n"), NOW));
    ck_assert(!head_line(&head, (struct span){line, HEAD_BYTES_MAX}, NOW));
    ck_assert_int_eq(head.reason, REASON_FETCH_HEADERS);
}
END_TEST

/* Interim answers say nothing about the final one, and do not go on for ever. */
START_TEST(interim_answers_are_forgotten_and_bounded)
{
    head_start(&head);
    ck_assert(head_line(&head, SPAN("HTTP/1.1 103 Early Hints\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("ETag: \"early\"\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("Content-Length: 5\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("\r\n"), NOW));
    ck_assert(!head.is_whole);
    ck_assert(head_line(&head, SPAN("HTTP/1.1 200 OK\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("Content-Length: 6\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("\r\n"), NOW));
    ck_assert(head.is_whole);
    ck_assert_str_eq(head.etag, "");
    head_start(&head);
    unsigned n = 0;
    while (n < 10000 && head_line(&head, SPAN("HTTP/1.1 100 Continue\r\n"), NOW) &&
           head_line(&head, SPAN("\r\n"), NOW))
        n++;
    ck_assert_uint_lt(n, 10000);
    ck_assert_int_eq(head.reason, REASON_FETCH_HEADERS);
}
END_TEST

START_TEST(trailers_mean_nothing_but_count)
{
    ck_assert_int_eq(
        read_head("HTTP/1.1 200 OK|Transfer-Encoding: chunked|ETag: \"a\""), REASON_OK);
    ck_assert(head_line(&head, SPAN("ETag: \"b\"\r\n"), NOW));
    ck_assert(head_line(&head, SPAN("Content-Encoding: gzip\r\n"), NOW));
    ck_assert_str_eq(head.etag, "\"a\"");
    unsigned n = 0;
    while (n < 1000 && head_line(&head, SPAN("X: y\r\n"), NOW))
        n++;
    ck_assert_uint_lt(n, HEAD_LINES_MAX);
}
END_TEST

START_TEST(the_place_of_a_redirect_is_made_harmless)
{
    ck_assert_int_eq(
        read_head("HTTP/1.1 302 Found|Location: https://evil.example/\"\xe2\x80\xae"), REASON_OK);
    ck_assert_str_eq(head.location, "https://evil.example/\\x22\\xe2\\x80\\xae");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, what_matters_is_kept);
    tcase_add_test(tc, what_is_absent_is_said_to_be_so);
    tcase_add_loop_test(tc, numbers_are_read_strictly, 0, ARRAY_LEN(numbers));
    tcase_add_test(tc, a_number_does_not_overflow);
    tcase_add_test(tc, a_validator_must_fit_to_be_sent_back);
    tcase_add_loop_test(tc, ambiguous_heads_are_refused, 0, ARRAY_LEN(refusals));
    tcase_add_test(tc, a_nul_is_refused);
    tcase_add_test(tc, a_hundred_lines_and_no_more);
    tcase_add_test(tc, bytes_have_an_end);
    tcase_add_test(tc, interim_answers_are_forgotten_and_bounded);
    tcase_add_test(tc, trailers_mean_nothing_but_count);
    tcase_add_test(tc, the_place_of_a_redirect_is_made_harmless);
}

int main(void)
{
    return unit_run("fetcher_head", fill);
}
