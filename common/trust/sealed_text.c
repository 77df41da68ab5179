/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed_text.h"

#include "b64.h"
#include "cleanup.h"
#include "clock.h"
#include "digest.h"
#include "json.h"

#include <inttypes.h>

#define HEADER_MAX 1024
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"
#define PEM_LINE 64

static const char hex[] = "0123456789abcdef";

static void put_header(struct buf *out, const char *title, const char *name, struct span body)
{
    uint8_t digest[SHA256_LEN];
    if (!digest_sha256(body, digest)) {
        out->failed = true;
        return;
    }
    buf_printf(out, "%s\n", title);
    if (name)
        buf_printf(out, "Name=%s\n", name);
    buf_printf(out, "Length=%zu\nSHA256=", body.n);
    for (size_t i = 0; i < sizeof(digest); i++) {
        buf_put_char(out, hex[digest[i] >> 4]);
        buf_put_char(out, hex[digest[i] & 15]);
    }
    buf_put_str(out, "\n\n");
}

void sealed_put(struct buf *out, const char *title, const char *name, struct span body)
{
    put_header(out, title, name, body);
    buf_put_span(out, body);
}

/* One way to write a header means one way to read it: write the one that ought to be there and
 * compare. */
enum reason sealed_open(
    struct span text, const char *title, const char *name, struct span *ret_body)
{
    const char *end = text.n ? memmem(text.p, text.n, "\n\n", 2) : NULL;
    if (!end)
        return REASON_DOCUMENT_FORM;
    size_t header_len = (size_t)(end - text.p) + 2;
    struct span body = span_skip(text, header_len);
    CLEANUP(buf_done) struct buf expected = BUF_INIT(HEADER_MAX);
    put_header(&expected, title, name, body);
    if (expected.failed)
        return REASON_OUT_OF_MEMORY;
    if (!span_eq(buf_span(&expected), (struct span){text.p, header_len}))
        return REASON_DOCUMENT_FORM;
    *ret_body = body;
    return REASON_OK;
}

void text_put_int(struct buf *out, const char *key, int64_t v)
{
    buf_printf(out, "%s=%" PRId64 "\n", key, v);
}

void text_put_time(struct buf *out, const char *key, int64_t wall_s)
{
    char date[CLOCK_TEXT_LEN];
    buf_printf(out, "%s=%" PRId64 " %s\n", key, wall_s, clock_text(wall_s, date));
}

void text_put_span(struct buf *out, const char *key, struct span value)
{
    buf_printf(out, "%s=", key);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c >= ' ' && c <= '~' && c != '\\')
            buf_put_char(out, (char)c);
        else
            buf_printf(out, "\\x%02x", c);
    }
    buf_put_char(out, '\n');
}

void text_put_bytes(struct buf *out, const char *key, const void *bytes, size_t n)
{
    buf_printf(out, "%s=", key);
    b64url_put(out, bytes, n);
    buf_put_char(out, '\n');
}

void text_put_pem(struct buf *out, struct span der)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(CERT_DER_MAX * 2);
    b64_put(&text, der.p, der.n);
    out->failed |= text.failed;
    buf_put_str(out, PEM_BEGIN "\n");
    for (size_t at = 0; at < text.n; at += PEM_LINE) {
        buf_put(out, text.p + at, text.n - at < PEM_LINE ? text.n - at : PEM_LINE);
        buf_put_char(out, '\n');
    }
    buf_put_str(out, PEM_END "\n");
}

struct span text_after(struct text_in *in, const char *prefix)
{
    size_t end = span_find(in->rest, '\n');
    struct span line = {in->rest.p, end};
    if (in->failed || end == in->rest.n || !span_starts(line, span_of(prefix))) {
        in->failed = true;
        return SPAN("");
    }
    in->rest = span_skip(in->rest, end + 1);
    return span_skip(line, strlen(prefix));
}

void text_literal(struct text_in *in, const char *line)
{
    if (text_after(in, line).n != 0)
        in->failed = true;
}

static struct span value_of(struct text_in *in, const char *key)
{
    struct span rest = text_after(in, key);
    if (in->failed || !span_starts(rest, SPAN("="))) {
        in->failed = true;
        return SPAN("");
    }
    return span_skip(rest, 1);
}

static int64_t number(struct text_in *in, struct span digits)
{
    int64_t v;
    if (!in->failed && json_int(digits, &v))
        return v;
    in->failed = true;
    return 0;
}

int64_t text_int(struct text_in *in, const char *key)
{
    return number(in, value_of(in, key));
}

int64_t text_time(struct text_in *in, const char *key)
{
    struct span value = value_of(in, key);
    size_t blank = span_find(value, ' ');
    int64_t v = number(in, (struct span){value.p, blank});
    /* The date is for the reader; one that says something else would deceive him. */
    char date[CLOCK_TEXT_LEN];
    if (in->failed || blank == value.n ||
        !span_eq_str(span_skip(value, blank + 1), clock_text(v, date))) {
        in->failed = true;
        return 0;
    }
    return v;
}

bool text_bool(struct text_in *in, const char *key)
{
    int64_t v = text_int(in, key);
    if (v != 0 && v != 1)
        in->failed = true;
    return v == 1;
}

static int nibble(char c)
{
    const char *at = c ? strchr(hex, c) : NULL;
    return at ? (int)(at - hex) : -1;
}

/* One character of an escaped value; -1 at a broken escape. Advances *value. */
static int unescape(struct span *value)
{
    unsigned char c = (unsigned char)*value->p;
    if (c != '\\') {
        *value = span_skip(*value, 1);
        return c;
    }
    if (value->n < 4 || value->p[1] != 'x')
        return -1;
    int high = nibble(value->p[2]), low = nibble(value->p[3]);
    *value = span_skip(*value, 4);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void text_str(struct text_in *in, const char *key, char *out, size_t max)
{
    struct span value = value_of(in, key);
    size_t n = 0;
    while (value.n && !in->failed) {
        int c = unescape(&value);
        if (c <= 0 || n + 1 >= max)
            in->failed = true;
        else
            out[n++] = (char)c;
    }
    out[in->failed ? 0 : n] = '\0';
}

size_t text_bytes(struct text_in *in, const char *key, uint8_t *out, size_t max)
{
    struct span value = value_of(in, key);
    long n = in->failed ? -1 : b64url_decode(value, out, max);
    if (n <= 0) {
        in->failed = true;
        return 0;
    }
    return (size_t)n;
}

struct cert *text_pem(struct text_in *in)
{
    const char *start = in->rest.p;
    text_literal(in, PEM_BEGIN);
    while (!in->failed && !span_eq_str(text_after(in, ""), PEM_END))
        ;
    if (in->failed)
        return NULL;
    struct cert *c = NULL;
    const enum reason r = cert_parse_pem((struct span){start, (size_t)(in->rest.p - start)}, &c);
    in->failed = r != REASON_OK;
    in->starved = r == REASON_OUT_OF_MEMORY;
    return c;
}
