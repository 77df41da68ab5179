/* SPDX-License-Identifier: Apache-2.0 */
/* Makes moduli of any kind for tests of the key policy. Only the residues matter there, so a random
 * number without small factors stands for an honest product of two primes. */
#pragma once

#include "span.h"

#include <openssl/bn.h>
#include <stdlib.h>

#define MODULUS_MAX 2048

struct modulus {
    unsigned char bytes[MODULUS_MAX];
    size_t n;
};

static inline struct span modulus_span(const struct modulus *m)
{
    return span_bytes(m->bytes, m->n);
}

static inline void modulus_from_bn(struct modulus *m, const BIGNUM *n)
{
    if (BN_num_bytes(n) > MODULUS_MAX)
        abort();
    m->n = (size_t)BN_bn2bin(n, m->bytes);
}

/* The smallest odd divisor below 2^10, or 0. */
static inline BN_ULONG modulus_small_factor(const BIGNUM *n)
{
    for (BN_ULONG d = 3; d < 1024; d += 2)
        if (BN_mod_word(n, d) == 0)
            return d;
    return 0;
}

/* Random, odd, of exactly `bits` bits, no divisor below 2^10 but `factor` (0 or 1: none at all). */
static inline void modulus_make(struct modulus *m, int bits, BN_ULONG factor)
{
    BIGNUM *n = BN_new();
    bool done = false;
    while (!done) {
        if (!n || !BN_rand(n, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD))
            abort();
        BN_ULONG over = factor > 1 ? BN_mod_word(n, factor) : 0;
        BN_sub_word(n, over);
        if (!BN_is_odd(n))
            BN_sub_word(n, factor);
        modulus_from_bn(m, n);
        if (factor > 1)
            BN_div_word(n, factor);
        done = modulus_small_factor(n) == 0 && m->n == (size_t)(bits + 7) / 8;
    }
    BN_free(n);
}

/* p * p for a random odd p. */
static inline void modulus_make_square(struct modulus *m, int bits)
{
    struct modulus half;
    modulus_make(&half, bits / 2, 0);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_bin2bn(half.bytes, (int)half.n, NULL);
    if (!ctx || !p || !BN_sqr(p, p, ctx))
        abort();
    modulus_from_bn(m, p);
    BN_free(p);
    BN_CTX_free(ctx);
}

/* A power of 65537 modulo each prime up to 167 (the structure of CVE-2017-15361), but for one:
 * modulo `spare` (an odd prime up to 167, or 0) it is a number that is no such power. */
static inline void modulus_make_roca(struct modulus *m, int bits, BN_ULONG spare)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *primes = BN_new(), *n = BN_new(), *power = BN_new();
    if (!ctx || !primes || !n || !power || !BN_one(primes))
        abort();
    for (BN_ULONG p = 2; p <= 167; p++) {
        bool prime = true;
        for (BN_ULONG d = 2; d < p; d++)
            prime &= p % d != 0;
        if (prime && p != spare)
            BN_mul_word(primes, p);
    }
    bool done = false;
    while (!done) {
        BIGNUM *e = BN_new(), *g = BN_new();
        if (!e || !g || !BN_set_word(g, 65537) ||
            !BN_rand(e, 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) ||
            !BN_mod_exp(power, g, e, primes, ctx) ||
            !BN_rand(n, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY) ||
            !BN_nnmod(e, n, primes, ctx) || !BN_sub(n, n, e) || !BN_add(n, n, power))
            abort();
        /* 65537 = 10 modulo 11, whose powers are 1 and 10 only. */
        bool spared = !spare || (BN_mod_word(n, spare) != 1 && BN_mod_word(n, spare) != 10);
        done = spared && modulus_small_factor(n) == 0 && BN_num_bits(n) == bits;
        BN_free(e);
        BN_free(g);
    }
    modulus_from_bn(m, n);
    BN_free(primes);
    BN_free(n);
    BN_free(power);
    BN_CTX_free(ctx);
}
