/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

size_t utf8_len(const char *text, const char *text_end)
{
    const unsigned char *p = (const unsigned char *)text, *end = (const unsigned char *)text_end;
    size_t left = (size_t)(end - p);
    unsigned char lead = p[0], low = 0x80, high = 0xbf;
    size_t n = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (n == 0 || left < n)
        return 0;
    if (lead == 0xe0)
        low = 0xa0; /* else overlong */
    else if (lead == 0xed)
        high = 0x9f; /* else a surrogate */
    else if (lead == 0xf0)
        low = 0x90; /* else overlong */
    else if (lead == 0xf4)
        high = 0x8f; /* else above U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(struct span s)
{
    while (s.n > 0) {
        size_t n = (unsigned char)s.p[0] < 0x80 ? 1 : utf8_len(s.p, s.p + s.n);
        if (n == 0)
            return false;
        s = span_skip(s, n);
    }
    return true;
}
