/* SPDX-License-Identifier: Apache-2.0 */
/* Framing: where the head ends, how long the body is (RFC 9112 sections 2.2, 5 and 6). */
#include "http.h"

#include "http_internal.h"

static enum http_step refuse(struct http_reader *r, struct http_refusal why)
{
    r->status = why.status;
    r->why = why.why;
    return HTTP_REFUSED;
}

/* A CR must have its LF and a LF its CR, and no other control but the tab may stand in a head: each
 * of them ends a line for some readers and not for others. `at` is the place of byte c. */
static const char *bad_byte(struct span in, size_t at, unsigned char c)
{
    bool after_cr = at > 0 && in.p[at - 1] == '\r';
    if (c == '\n')
        return after_cr ? NULL : "A line feed without a carriage return";
    if (after_cr)
        return "A carriage return without a line feed";
    if ((c < 0x20 && c != '\r' && c != '\t') || c == 0x7f)
        return "A control character";
    return NULL;
}

/* Looks at the new bytes up to the end of the head. Every verdict depends on places in the input,
 * never on where a call ended. HTTP_DONE: r->head is set. */
static enum http_step scan_head(
    struct http_reader *r, struct span in, const struct http_limits *limits)
{
    for (; r->scanned < in.n; r->scanned++) {
        size_t at = r->scanned;
        unsigned char c = (unsigned char)in.p[at];
        const char *bad = bad_byte(in, at, c);
        if (bad)
            return refuse(r, HTTP_REFUSE(400, bad));
        if (at >= limits->header_max)
            return refuse(r, HTTP_REFUSE(431, "The headers are too large"));
        if (r->line <= 2 && at - r->line > HTTP_REQUEST_LINE_MAX + 1)
            return refuse(r, HTTP_REFUSE(414, "The request line is too long"));
        if (c != '\n')
            continue;
        bool empty = at - r->line == 1;
        if (empty && r->line > 0) { /* not the one CRLF that may come first */
            r->head = ++r->scanned;
            return HTTP_DONE;
        }
        r->line = at + 1;
    }
    return HTTP_MORE;
}

/* The one number that frames a body: plain digits, once. */
static struct http_refusal parse_length(struct span text, size_t *ret)
{
    if (text.n == 0 || (text.p[0] == '0' && text.n > 1))
        return HTTP_REFUSE(400, "Content-Length is not a plain number");
    size_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!ascii_is_digit(text.p[i]))
            return HTTP_REFUSE(400, "Content-Length is not a plain number");
        if (v < SIZE_MAX / 16) /* no door takes as much; what follows must only be digits */
            v = v * 10 + (size_t)(text.p[i] - '0');
    }
    *ret = v;
    return HTTP_GOOD;
}

static struct http_refusal frame_body(const struct http_request *req, size_t body_max, size_t *ret)
{
    unsigned n_te, n_cl, n_expect;
    (void)http_header(req, "Transfer-Encoding", &n_te);
    (void)http_header(req, "Expect", &n_expect);
    struct span text = http_header(req, "Content-Length", &n_cl);
    if (n_te > 0)
        return n_cl > 0 ? HTTP_REFUSE(400, "Transfer-Encoding and Content-Length together")
                        : HTTP_REFUSE(501, "Transfer-Encoding is not supported");
    if (n_cl > 1)
        return HTTP_REFUSE(400, "Content-Length occurs twice");
    size_t length = 0;
    struct http_refusal bad = n_cl ? parse_length(text, &length) : HTTP_GOOD;
    if (bad.status)
        return bad;
    if (n_expect > 0)
        return HTTP_REFUSE(417, "Expect is not supported");
    if (n_cl == 0 && req->method == HTTP_POST && body_max > 0)
        return HTTP_REFUSE(411, "Content-Length is missing");
    if (length > body_max)
        return HTTP_REFUSE(413, "The body is too large");
    *ret = length;
    return HTTP_GOOD;
}

/* The head without the CRLF that may stand before the request. */
static struct span head_of(const struct http_reader *r, struct span in)
{
    struct span head = {in.p, r->head};
    return span_starts(head, SPAN("\r\n")) ? span_skip(head, 2) : head;
}

static bool parse(struct http_reader *r, struct span in, const struct http_limits *limits,
    struct http_request *ret)
{
    struct http_refusal bad = http_parse_head(head_of(r, in), ret);
    if (!bad.status)
        bad = frame_body(ret, limits->body_max, &r->body);
    if (bad.status)
        refuse(r, bad);
    return !bad.status;
}

enum http_step http_read(struct http_reader *r, struct span in, const struct http_limits *limits,
    struct http_request *ret)
{
    bool judged = r->head > 0; /* by an earlier call, so we only wait for the body */
    if (r->status)
        return HTTP_REFUSED;
    if (!judged) {
        enum http_step step = scan_head(r, in, limits);
        if (step != HTTP_DONE)
            return step;
        if (!parse(r, in, limits, ret))
            return HTTP_REFUSED;
    }
    if (in.n - r->head < r->body)
        return HTTP_MORE;
    if (judged && !parse(r, in, limits, ret)) /* again: the bytes may have moved */
        return HTTP_REFUSED;
    ret->body = span_bytes(in.p + r->head, r->body);
    ret->consumed = r->head + r->body;
    return HTTP_DONE;
}

struct span http_header(const struct http_request *req, const char *name, unsigned *ret_count)
{
    struct span wanted = span_of(name), value = {0};
    unsigned n = 0;
    for (size_t i = 0; i < req->n_headers; i++)
        if (span_eq_nocase(req->headers[i].name, wanted) && n++ == 0)
            value = req->headers[i].value;
    if (ret_count)
        *ret_count = n;
    return value;
}
