/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding takes four characters at a time through four tables, one for each place in the group: an
 * entry holds the six bits already shifted and one bit that says "this character is in the
 * alphabet". Four entries or-ed together are 24 bits of data and four bits of proof, so there is
 * one test for each group and none for each character. */
#include "b64.h"

#define PLACE_OK(k) (1u << (24 + (k)))
#define ALL_OK 0xFu

/* The alphabets of RFC 4648: 62 common characters, then two that differ. */
/* clang-format off */
#define COMMON_62(X)                                                                               \
    X('A', 0) X('B', 1) X('C', 2) X('D', 3) X('E', 4) X('F', 5) X('G', 6) X('H', 7)                \
    X('I', 8) X('J', 9) X('K', 10) X('L', 11) X('M', 12) X('N', 13) X('O', 14) X('P', 15)          \
    X('Q', 16) X('R', 17) X('S', 18) X('T', 19) X('U', 20) X('V', 21) X('W', 22) X('X', 23)        \
    X('Y', 24) X('Z', 25) X('a', 26) X('b', 27) X('c', 28) X('d', 29) X('e', 30) X('f', 31)        \
    X('g', 32) X('h', 33) X('i', 34) X('j', 35) X('k', 36) X('l', 37) X('m', 38) X('n', 39)        \
    X('o', 40) X('p', 41) X('q', 42) X('r', 43) X('s', 44) X('t', 45) X('u', 46) X('v', 47)        \
    X('w', 48) X('x', 49) X('y', 50) X('z', 51) X('0', 52) X('1', 53) X('2', 54) X('3', 55)        \
    X('4', 56) X('5', 57) X('6', 58) X('7', 59) X('8', 60) X('9', 61)
/* clang-format on */
#define PLACE0(c, v) [c] = (uint32_t)(v) << 18 | PLACE_OK(0),
#define PLACE1(c, v) [c] = (uint32_t)(v) << 12 | PLACE_OK(1),
#define PLACE2(c, v) [c] = (uint32_t)(v) << 6 | PLACE_OK(2),
#define PLACE3(c, v) [c] = (uint32_t)(v) | PLACE_OK(3),
#define LETTER(c, v) c,
#define ALPHABET(c62, c63)                                                                         \
    {                                                                                              \
        {                                                                                          \
            {COMMON_62(PLACE0) PLACE0(c62, 62) PLACE0(c63, 63)},                                   \
            {COMMON_62(PLACE1) PLACE1(c62, 62) PLACE1(c63, 63)},                                   \
            {COMMON_62(PLACE2) PLACE2(c62, 62) PLACE2(c63, 63)},                                   \
            {COMMON_62(PLACE3) PLACE3(c62, 62) PLACE3(c63, 63)},                                   \
        },                                                                                         \
            {COMMON_62(LETTER) c62, c63},                                                          \
    }

struct alphabet {
    uint32_t place[4][256]; /* [place in the group][character] */
    char letter[64];        /* [six bits] */
};

static const struct alphabet url = ALPHABET('-', '_');
static const struct alphabet std = ALPHABET('+', '/');

/* The two or three characters after the last whole group. Bits that belong to no byte must be zero,
 * or two texts would mean the same bytes (rule R3). Returns the group as `place` has it, or 0 when
 * it is refused. */
static uint32_t decode_rest(const struct alphabet *a, const uint8_t *s, size_t rest)
{
    uint32_t v = a->place[0][s[0]] | a->place[1][s[1]] | PLACE_OK(3);
    v |= rest == 3 ? a->place[2][s[2]] : PLACE_OK(2);
    uint32_t unused = rest == 3 ? 0xFF : 0xFFFF;
    return v & unused ? 0 : v;
}

static long decode(const struct alphabet *a, struct span in, uint8_t *out, size_t cap)
{
    const uint8_t *s = (const uint8_t *)in.p;
    const size_t whole = in.n / 4, rest = in.n % 4;
    const size_t n = whole * 3 + (rest ? rest - 1 : 0);
    if (rest == 1 || n > cap)
        return -1;
    uint32_t all = ALL_OK << 24;
    for (size_t i = 0; i < whole; i++, s += 4, out += 3) {
        uint32_t v = a->place[0][s[0]] | a->place[1][s[1]] | a->place[2][s[2]] | a->place[3][s[3]];
        all &= v;
        out[0] = (uint8_t)(v >> 16);
        out[1] = (uint8_t)(v >> 8);
        out[2] = (uint8_t)v;
    }
    if (rest) {
        uint32_t v = decode_rest(a, s, rest);
        all &= v;
        out[0] = (uint8_t)(v >> 16);
        if (rest == 3)
            out[1] = (uint8_t)(v >> 8);
    }
    return all >> 24 == ALL_OK ? (long)n : -1;
}

long b64url_decode(struct span in, uint8_t *out, size_t cap)
{
    return decode(&url, in, out, cap);
}

/* The text without its padding; whether what is left makes sense is decode's to say. */
static struct span without_padding(struct span in)
{
    for (int i = 0; i < 2 && in.n && in.p[in.n - 1] == '='; i++)
        in.n--;
    return in;
}

long b64_decode(struct span in, uint8_t *out, size_t cap)
{
    if (in.n % 4)
        return -1;
    return decode(&std, without_padding(in), out, cap);
}

/* Without padding; returns the number of characters. */
static size_t encode(const struct alphabet *a, const uint8_t *in, size_t n, char *out)
{
    char *o = out;
    for (; n >= 3; n -= 3, in += 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *o++ = a->letter[v >> 18];
        *o++ = a->letter[v >> 12 & 63];
        *o++ = a->letter[v >> 6 & 63];
        *o++ = a->letter[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
        *o++ = a->letter[v >> 18];
        *o++ = a->letter[v >> 12 & 63];
        if (n == 2)
            *o++ = a->letter[v >> 6 & 63];
    }
    return (size_t)(o - out);
}

size_t b64url_encode(const uint8_t *in, size_t n, char *out)
{
    return encode(&url, in, n, out);
}

void b64url_put(struct buf *b, const void *in, size_t n)
{
    char *room = buf_reserve(b, B64URL_ENCODED(n));
    if (!room)
        return;
    b->n += encode(&url, in, n, room);
}

void b64_put(struct buf *b, const void *in, size_t n)
{
    const size_t len = (n + 2) / 3 * 4;
    char *room = buf_reserve(b, len);
    if (!room)
        return;
    for (size_t i = encode(&std, in, n, room); i < len; i++)
        room[i] = '=';
    b->n += len;
}

/* Longest thumbprint: SHA-256. */
#define THUMBPRINT_MAX 32

/* Microsoft's own script replaces '/' but leaves '+' (protocol note, trap 30), so the two alphabets
 * may be mixed. */
bool b64_thumbprint(struct span in, uint8_t *out, size_t n)
{
    char text[B64URL_ENCODED(THUMBPRINT_MAX)];
    uint8_t bytes[THUMBPRINT_MAX];
    if (n > sizeof(bytes) || (in.n % 4 && in.n && in.p[in.n - 1] == '='))
        return false;
    in = without_padding(in);
    if (in.n != B64URL_ENCODED(n))
        return false;
    for (size_t i = 0; i < in.n; i++)
        text[i] = in.p[i] == '+' ? '-' : in.p[i] == '/' ? '_' : in.p[i];
    if (b64url_decode((struct span){text, in.n}, bytes, sizeof(bytes)) != (long)n)
        return false;
    memcpy(out, bytes, n);
    return true;
}
