/* SPDX-License-Identifier: Apache-2.0 */
#include "principal.h"

#define DNS_NAME_MAX 253

/* Printable ASCII without the blank; '@' and '/' are looked at by the callers. */
static bool is_word(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static bool has_char(struct span s, char c)
{
    return span_find(s, c) < s.n;
}

/* Cuts `text` at its only '@'. False when there is none, or two, or either side is no word. */
static bool split_realm(struct span text, struct span *ret_left, struct span *ret_realm)
{
    const size_t at = span_find(text, '@');
    if (at == text.n)
        return false;
    const struct span left = {text.p, at}, realm = span_skip(text, at + 1);
    if (!is_word(left) || !is_word(realm) || has_char(realm, '@') || has_char(realm, '/'))
        return false;
    *ret_left = left;
    *ret_realm = realm;
    return true;
}

bool principal_parse_issuer(struct span text, struct principal *ret)
{
    struct span left, realm;
    if (!split_realm(text, &left, &realm) || has_char(left, '/'))
        return false;
    *ret = (struct principal){.app_id = left, .realm = realm};
    return true;
}

bool principal_parse_audience(struct span text, struct principal *ret)
{
    struct span left, realm;
    if (!split_realm(text, &left, &realm))
        return false;
    const size_t slash = span_find(left, '/');
    if (slash == 0 || slash + 1 >= left.n)
        return false;
    const struct span host = span_skip(left, slash + 1);
    if (has_char(host, '/'))
        return false;
    *ret = (struct principal){.app_id = {left.p, slash}, .host = host, .realm = realm};
    return true;
}

bool guid_valid(struct span text)
{
    if (text.n != 36)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.p[i] != '-' : ascii_hex(text.p[i]) < 0)
            return false;
    }
    return true;
}

static bool is_lower(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ascii_lower(text.p[i]))
            return false;
    return true;
}

bool app_id_valid(struct span text)
{
    return guid_valid(text) && is_lower(text);
}

static bool name_valid(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return text.n >= 1 && text.n <= DNS_NAME_MAX;
}

bool realm_valid(struct span text)
{
    return name_valid(text) && is_lower(text);
}

bool port_parse(struct span text, unsigned *ret)
{
    unsigned port = 0;
    if (text.n < 1 || text.n > 5 || text.p[0] == '0')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!ascii_is_digit(text.p[i]))
            return false;
        port = port * 10 + (unsigned)(text.p[i] - '0');
    }
    if (port > 65535)
        return false;
    *ret = port;
    return true;
}

bool host_valid(struct span text)
{
    unsigned port;
    const size_t colon = span_find(text, ':');
    return name_valid((struct span){text.p, colon}) &&
           (colon == text.n || port_parse(span_skip(text, colon + 1), &port));
}
