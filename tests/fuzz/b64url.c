/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: base64url and base64 against a reader of one character at a time, and the way back.
 */
#include "b64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUT_MAX 4096

static int six_bits(uint8_t c, bool url)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (int i = 0; i < 62; i++)
        if (c == (uint8_t)letters[i])
            return i;
    return c == (url ? '-' : '+') ? 62 : c == (url ? '_' : '/') ? 63 : -1;
}

/* The slow way: bits are gathered one character at a time. */
static long plain_decode(const uint8_t *in, size_t n, bool url, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    long len = 0;
    for (size_t i = 0; i < n; i++) {
        int v = six_bits(in[i], url);
        if (v < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)v) & 0xFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[len++] = (uint8_t)(bits >> held);
        }
    }
    return held >= 6 || bits & ((1u << held) - 1) ? -1 : len;
}

static long plain_std(const uint8_t *in, size_t n, uint8_t *out)
{
    if (n % 4)
        return -1;
    for (int i = 0; i < 2 && n && in[n - 1] == '='; i++)
        n--;
    return plain_decode(in, n, false, out);
}

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void check_back(const uint8_t *bytes, long len, struct span text, bool url)
{
    struct buf b = BUF_INIT(2 * INPUT_MAX);
    if (url)
        b64url_put(&b, bytes, (size_t)len);
    else
        b64_put(&b, bytes, (size_t)len);
    expect(!b.failed && span_eq(buf_span(&b), text));
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t fast[INPUT_MAX], slow[INPUT_MAX];
    if (n > INPUT_MAX)
        return 0;
    struct span text = span_bytes(data, n);
    long len = b64url_decode(text, fast, sizeof(fast));
    expect(len == plain_decode(data, n, true, slow));
    expect(len < 0 || memcmp(fast, slow, (size_t)len) == 0);
    if (len >= 0)
        check_back(fast, len, text, true);
    if (len > 0)
        expect(b64url_decode(text, fast, (size_t)len - 1) == -1);
    len = b64_decode(text, fast, sizeof(fast));
    expect(len == plain_std(data, n, slow));
    expect(len < 0 || memcmp(fast, slow, (size_t)len) == 0);
    if (len >= 0)
        check_back(fast, len, text, false);
    uint8_t print[32];
    expect(!b64_thumbprint(text, print, 20) || (n >= 27 && n <= 28));
    expect(!b64_thumbprint(text, print, 32) || (n >= 43 && n <= 44));
    return 0;
}
