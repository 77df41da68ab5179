/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

/* Takes one decoded byte off *s; -1 for a broken escape, NUL, a control or a byte that must be
 * escaped. */
static int take_byte(struct span *s)
{
    char c = s->p[0];
    size_t n = 1;
    int v = c == '+' ? ' ' : (unsigned char)c;
    if (c == '%') {
        int high = s->n > 2 ? ascii_hex(s->p[1]) : -1, low = s->n > 2 ? ascii_hex(s->p[2]) : -1;
        v = high < 0 || low < 0 ? -1 : high * 16 + low;
        n = 3;
    } else if (v < 0x20 || v > 0x7e) {
        v = -1;
    }
    if (v > 0)
        *s = span_skip(*s, n);
    return v > 0 ? v : -1;
}

enum form_match { FORM_BROKEN = -1, FORM_OTHER, FORM_SAME };

/* Decodes s and compares it with `wanted`; all of it is looked at, so that broken encoding never
 * hides. */
static enum form_match match_name(struct span s, struct span wanted)
{
    size_t n = 0;
    bool same = true;
    for (; s.n > 0; n++) {
        int c = take_byte(&s);
        if (c < 0)
            return FORM_BROKEN;
        same = same && n < wanted.n && (unsigned char)wanted.p[n] == c;
    }
    return same && n == wanted.n ? FORM_SAME : FORM_OTHER;
}

/* Decodes s into out (cap bytes with the NUL), or only checks it when out is NULL. */
static bool decode(struct span s, char *out, size_t cap)
{
    for (size_t n = 0; s.n > 0; n++) {
        int c = take_byte(&s);
        if (c < 0 || (out && n + 1 >= cap))
            return false;
        if (out) {
            out[n] = (char)c;
            out[n + 1] = '\0';
        }
    }
    return true;
}

int http_form_get(struct span form, const char *name, char *out, size_t cap)
{
    struct span value = {0};
    int count = 0;
    out[0] = '\0';
    while (form.n > 0) {
        size_t n = span_find(form, '&');
        struct span pair = {form.p, n};
        form = span_skip(form, n < form.n ? n + 1 : n);
        size_t equals = span_find(pair, '=');
        struct span text = span_skip(pair, equals < pair.n ? equals + 1 : equals);
        enum form_match match = match_name((struct span){pair.p, equals}, span_of(name));
        if (match == FORM_BROKEN || !decode(text, NULL, 0))
            return -1;
        if (match == FORM_SAME && count++ == 0)
            value = text;
    }
    if (count == 1 && !decode(value, out, cap)) {
        out[0] = '\0';
        return -1;
    }
    return count;
}

const char *http_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].phrase;
    return "Unknown";
}
