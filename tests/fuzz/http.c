/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP request reader: the verdict must not depend on how the input was cut, every span must lie
 * inside the input, and what is taken must be framed without doubt. The first byte chooses door and
 * cut. */
#include "http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct http_limits doors[] = {{16384, 0}, {32768, 65536}, {256, 16}};

static void must(bool good)
{
    if (!good)
        abort();
}

static void inside(struct span s, struct span in)
{
    must(s.n == 0 || (s.p >= in.p && s.p + s.n <= in.p + in.n));
}

static bool has_name(const struct http_request *req, const char *name)
{
    unsigned n;
    (void)http_header(req, name, &n);
    return n > 0;
}

static void check_request(
    const struct http_request *req, struct span in, const struct http_limits *door)
{
    unsigned hosts;
    inside(req->method_text, in);
    inside(req->query, in);
    inside(req->host, in);
    inside(req->body, in);
    must(req->path.n > 0 && req->path.p[0] == '/');
    must(req->n_headers <= HTTP_HEADERS_MAX);
    for (size_t i = 0; i < req->n_headers; i++) {
        inside(req->headers[i].name, in);
        inside(req->headers[i].value, in);
        must(req->headers[i].name.n > 0);
        must(span_find(req->headers[i].value, '\r') == req->headers[i].value.n);
        must(span_find(req->headers[i].value, '\n') == req->headers[i].value.n);
        must(span_find(req->headers[i].value, '\0') == req->headers[i].value.n);
    }
    (void)http_header(req, "host", &hosts);
    must(hosts == 1 || (hosts == 0 && req->minor == 0));
    must(!has_name(req, "transfer-encoding") && !has_name(req, "expect"));
    must(req->body.n == 0 || has_name(req, "content-length"));
    must(req->body.n <= door->body_max && req->consumed <= in.n);
    must(req->consumed - req->body.n <= door->header_max);
}

static void try_form(struct span form)
{
    char out[32];
    int n = http_form_get(form, "token", out, sizeof out);
    must(n >= -1 && strlen(out) < sizeof out && (n == 1 || out[0] == '\0'));
}

/* The whole input at once against first `cut` bytes, then all of them somewhere else. */
static void compare(struct span in, size_t cut, const struct http_limits *door)
{
    struct http_reader whole = {0}, parts = {0};
    struct http_request a, b;
    enum http_step want = http_read(&whole, in, door, &a);
    char *copy = malloc(cut ? cut : 1);
    must(copy != NULL);
    if (cut)
        memcpy(copy, in.p, cut);
    enum http_step got = http_read(&parts, (struct span){copy, cut}, door, &b);
    if (got == HTTP_DONE) {
        check_request(&b, (struct span){copy, cut}, door);
        must(want == HTTP_DONE && a.consumed == b.consumed);
    }
    free(copy);
    if (got == HTTP_MORE)
        got = http_read(&parts, in, door, &b);
    must(got == want && parts.status == whole.status);
    if (got == HTTP_DONE) {
        check_request(&a, in, door);
        must(a.consumed == b.consumed && a.body.n == b.body.n && a.n_headers == b.n_headers);
        try_form(a.body);
        try_form(a.query);
    } else if (got == HTTP_REFUSED) {
        must(whole.why && http_phrase(whole.status)[0] != 'U');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct span in = span_bytes(data + 2, n - 2);
    const struct http_limits *door = &doors[data[0] % ARRAY_LEN(doors)];
    compare(in, in.n * data[1] / 256, door);
    compare(in, in.n, door);
    try_form(in);
    return 0;
}
