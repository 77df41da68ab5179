/* SPDX-License-Identifier: Apache-2.0 */
#include "https_url.h"
#include "principal.h"

/* RFC 3986 without '#', and without what browsers and libraries repair in different ways. */
static bool url_bytes_valid(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"#<>\\^`{|}", c))
            return false;
    }
    return true;
}

bool https_url_parse(struct span text, struct https_url *ret)
{
    const struct span scheme = SPAN("https://");
    if (text.n > HTTPS_URL_MAX || text.n < scheme.n || !url_bytes_valid(text) ||
        !span_eq_nocase((struct span){text.p, scheme.n}, scheme))
        return false;
    struct span rest = span_skip(text, scheme.n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    struct https_url url = {.authority = {rest.p, end},
        .host = {rest.p, end},
        .port = 443,
        .path = span_skip(rest, end)};
    size_t colon = span_find(url.authority, ':');
    if (colon < url.authority.n) {
        url.host.n = colon;
        if (!port_parse(span_skip(url.authority, colon + 1), &url.port))
            return false;
    }
    /* A query straight after the host has no path to belong to. */
    if (!host_valid(url.host) || (url.path.n > 0 && url.path.p[0] != '/'))
        return false;
    *ret = url;
    return true;
}
