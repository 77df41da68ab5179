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

/* Product of the primes up to 167 without `spare`. */
static inline BIGNUM *modulus_primes(BN_ULONG spare)
{
    BIGNUM *product = BN_new();
    if (!product || !BN_one(product))
        abort();
    for (BN_ULONG p = 2; p <= 167; p++) {
        bool prime = p != spare;
        for (BN_ULONG d = 2; d < p; d++)
            prime &= p % d != 0;
        if (prime && !BN_mul_word(product, p))
            abort();
    }
    return product;
}

/* Puts a random number of `bits` bits into n that is a random power of 65537 modulo `primes`. */
static inline void modulus_roca_try(BIGNUM *n, int bits, const BIGNUM *primes, BN_CTX *ctx)
{
    BIGNUM *rest = BN_new(), *power = BN_new(), *generator = BN_new();
    bool ok = rest && power && generator && BN_set_word(generator, 65537) &&
              BN_rand(rest, 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
              BN_mod_exp(power, generator, rest, primes, ctx) &&
              BN_rand(n, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY) &&
              BN_nnmod(rest, n, primes, ctx) && BN_sub(n, n, rest) && BN_add(n, n, power);
    if (!ok)
        abort();
    BN_free(rest);
    BN_free(power);
    BN_free(generator);
}

/* A power of 65537 modulo each prime up to 167 (the structure of CVE-2017-15361). With `spoilt`,
 * modulo 11 it is no such power: 65537 is 10 there, so the powers are 1 and 10. */
static inline void modulus_make_roca(struct modulus *m, int bits, bool spoilt)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *primes = modulus_primes(spoilt ? 11 : 0), *n = BN_new();
    bool done = false;
    while (!done) {
        if (!ctx || !n)
            abort();
        modulus_roca_try(n, bits, primes, ctx);
        BN_ULONG r = BN_mod_word(n, 11);
        done =
            spoilt == (r != 1 && r != 10) && modulus_small_factor(n) == 0 && BN_num_bits(n) == bits;
    }
    modulus_from_bn(m, n);
    BN_free(primes);
    BN_free(n);
    BN_CTX_free(ctx);
}
