/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: a caller pairs begin and end, everything else is right by construction. */
#include "json.h"
#include "utf8.h"

#include <inttypes.h>

void json_out_start(struct json_out *j, struct buf *b)
{
    *j = (struct json_out){.b = b};
}

/* One escape of a byte that must not stand in a string as it is. */
static void put_escape(struct buf *b, unsigned char c)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (size_t i = 0; i + 1 < sizeof letters; i += 2)
        if ((unsigned char)letters[i] == c) {
            buf_put_char(b, '\\');
            buf_put_char(b, letters[i + 1]);
            return;
        }
    buf_printf(b, "\\u%04x", c);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(struct buf *b, struct span s)
{
    /* NULL + 0 is undefined in C */
    const unsigned char *p = (const unsigned char *)(s.p ? s.p : ""), *end = p + s.n;
    buf_put_char(b, '"');
    while (p < end) {
        const unsigned char *from = p;
        while (p < end && is_plain(*p))
            p++;
        buf_put(b, from, (size_t)(p - from));
        if (p == end)
            break;
        size_t n = *p < 0x80 ? 0 : utf8_len((const char *)p, (const char *)end);
        if (n > 0)
            buf_put(b, p, n);
        else if (*p < 0x80)
            put_escape(b, *p);
        else
            buf_put_str(b, "\xef\xbf\xbd"); /* U+FFFD */
        p += n ? n : 1;
    }
    buf_put_char(b, '"');
}

/* Comma and name of the next value. */
static void lead(struct json_out *j, const char *name)
{
    if (j->need_comma)
        buf_put_char(j->b, ',');
    if (name) {
        put_string(j->b, span_of(name));
        buf_put_char(j->b, ':');
    }
    j->need_comma = true;
}

static void begin(struct json_out *j, const char *name, char c)
{
    lead(j, name);
    buf_put_char(j->b, c);
    j->depth++;
    j->need_comma = false;
}

static void end(struct json_out *j, char c)
{
    buf_put_char(j->b, c);
    j->depth--;
    j->need_comma = true;
}

void json_out_object(struct json_out *j, const char *name)
{
    begin(j, name, '{');
}

void json_out_object_end(struct json_out *j)
{
    end(j, '}');
}

void json_out_array(struct json_out *j, const char *name)
{
    begin(j, name, '[');
}

void json_out_array_end(struct json_out *j)
{
    end(j, ']');
}

void json_out_str(struct json_out *j, const char *name, const char *text)
{
    if (text)
        json_out_span(j, name, span_of(text));
}

void json_out_span(struct json_out *j, const char *name, struct span text)
{
    lead(j, name);
    put_string(j->b, text);
}

void json_out_int(struct json_out *j, const char *name, int64_t v)
{
    lead(j, name);
    buf_printf(j->b, "%" PRId64, v);
}

void json_out_bool(struct json_out *j, const char *name, bool v)
{
    lead(j, name);
    buf_put_str(j->b, v ? "true" : "false");
}

void json_out_null(struct json_out *j, const char *name)
{
    lead(j, name);
    buf_put_str(j->b, "null");
}

void json_out_raw(struct json_out *j, const char *name, struct span json)
{
    lead(j, name);
    buf_put_span(j->b, json);
}
