/* SPDX-License-Identifier: Apache-2.0 */
/* The raw scan. yajl accepts form feed as a blank, overlong UTF-8, surrogates, lone \u escapes and
 * NUL, and has no depth limit (rule R4), so all of these are refused before it runs. */
#include "json_internal.h"
#include "utf8.h"

struct walk {
    const unsigned char *at, *end;
    unsigned depth;
    unsigned commas[JSON_DEPTH_MAX + 1];
};

/* The code unit of the four digits at p, or -1. */
static int hex_unit(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 4)
        return -1;
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int d = ascii_hex((char)p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* Steps over a \u escape; p is at the 'u'. Surrogates must come as a pair, NUL never. */
static const unsigned char *skip_unicode(const unsigned char *p, const unsigned char *end)
{
    int unit = hex_unit(p + 1, end);
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return NULL;
    p += 5;
    if (unit < 0xd800 || unit > 0xdbff)
        return p;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return NULL;
    int low = hex_unit(p + 2, end);
    return low >= 0xdc00 && low <= 0xdfff ? p + 6 : NULL;
}

/* Steps over one escape; p is at the backslash. NULL: not a lawful one. */
static const unsigned char *skip_escape(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 2)
        return NULL;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        return skip_unicode(p + 1, end);
    default:
        return NULL;
    }
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* High bit set in each byte of w that is zero; bytes above the first hit may be wrong, "none" never
 * is. */
static uint64_t has_zero(uint64_t w)
{
    return (w - ONES) & ~w & HIGHS;
}

/* True when one of eight bytes is a quote, a backslash, a control or not ASCII. */
static bool special_in(uint64_t w)
{
    uint64_t below_blank = (w - ONES * 0x20) & ~w & HIGHS;
    uint64_t quote = has_zero(w ^ (ONES * '"'));
    uint64_t backslash = has_zero(w ^ (ONES * '\\'));
    return ((w & HIGHS) | below_blank | quote | backslash) != 0;
}

static const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (special_in(w))
            break;
        p += 8;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Steps over a string; w->at is behind the opening quote and ends behind the closing one. */
static bool scan_string(struct walk *w, struct json_scan *s)
{
    const unsigned char *p = w->at;
    bool escaped = false;
    for (;;) {
        p = skip_plain(p, w->end);
        if (p == w->end)
            return false;
        if (*p == '"')
            break;
        if (*p == '\\') {
            escaped = true;
            p = skip_escape(p, w->end);
            if (!p)
                return false;
        } else {
            size_t n = utf8_len((const char *)p, (const char *)w->end);
            if (n == 0)
                return false;
            p += n;
        }
    }
    if (escaped) {
        size_t n = (size_t)(p - w->at);
        s->escaped += n;
        s->longest = n > s->longest ? n : s->longest;
    }
    w->at = p + 1;
    return true;
}

/* n commas can only part n + 1 members. */
static enum reason count_comma(struct walk *w, unsigned members, struct json_scan *s)
{
    size_t n = (size_t)++w->commas[w->depth] + 1;
    s->widest = n > s->widest ? n : s->widest;
    return n > members ? REASON_JSON_DEPTH : REASON_OK;
}

/* One byte outside of strings. */
static enum reason scan_outside(
    struct walk *w, unsigned char c, unsigned members, struct json_scan *s)
{
    switch (c) {
    case '[':
    case '{':
        if (w->depth == JSON_DEPTH_MAX)
            return REASON_JSON_DEPTH;
        w->commas[++w->depth] = 0;
        s->values++;
        return REASON_OK;
    case ']':
    case '}':
        if (w->depth == 0)
            return REASON_JSON_SYNTAX;
        w->depth--;
        return REASON_OK;
    case ',':
        s->values++;
        return count_comma(w, members, s);
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return REASON_OK;
    default: /* letters, digits and signs; yajl knows what they may say */
        return c > 0x20 && c < 0x7f ? REASON_OK : REASON_JSON_SYNTAX;
    }
}

enum reason json_scan(struct span text, const struct json_limits *limits, struct json_scan *ret)
{
    if (text.n == 0)
        return REASON_JSON_SYNTAX;
    const unsigned char *p = (const unsigned char *)text.p;
    struct walk w = {.at = p, .end = p + text.n};
    unsigned members = limits->members ? limits->members : JSON_MEMBERS_DEFAULT;
    struct json_scan s = {.values = 1};
    while (w.at < w.end) {
        unsigned char c = *w.at++;
        enum reason r = REASON_OK;
        if (c == '"')
            r = scan_string(&w, &s) ? REASON_OK : REASON_JSON_SYNTAX;
        else
            r = scan_outside(&w, c, members, &s);
        if (r != REASON_OK)
            return r;
    }
    *ret = s;
    return REASON_OK;
}
