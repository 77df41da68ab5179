/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in any number for the tests of the domain. One is made by the signer's own function;
 * the others are that one with another serial number and another modulus, which is all that tells
 * keys apart: no signature of a certificate is ever looked at (rule R12). */
#pragma once

#include "cert.h"
#include "cleanup.h"
#include "signkey.h"

#include "unit.h"

#define T0 INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define DAY INT64_C(86400)

static inline struct signkey *fixture_signkey(const char *name, int64_t from, int64_t to)
{
    struct signkey *key = NULL;
    if (signkey_generate(name, from, to, &key) != REASON_OK)
        abort(); /* also called outside of tests, where ck_assert has nobody to tell */
    return key;
}

/* The certificate that all others are made from: valid 2025-12-02 to 2027-12-02. */
static inline const struct cert *fixture_base(void)
{
    static struct signkey *base;
    if (!base)
        base = fixture_signkey("fixture", T0 - 30 * DAY, T0 + 700 * DAY);
    return signkey_cert(base);
}

/* A certificate of `seed`: equal seeds give equal keys, `serial` gives another certificate of the
 * same key. The caller frees it. */
static inline struct cert *fixture_cert_of(unsigned seed, unsigned serial)
{
    const struct cert *base = fixture_base();
    struct span n = pubkey_n(base->key);
    struct cert *made = NULL;
    /* Not every change of the modulus passes the key policy: look for the next that does. */
    for (unsigned attempt = 0; !made; attempt++) {
        CLEANUP(freep) unsigned char *der = malloc(base->der_len);
        ck_assert_ptr_nonnull(der);
        memcpy(der, base->der, base->der_len);
        unsigned char *modulus = memmem(der, base->der_len, n.p, n.n);
        ck_assert_ptr_nonnull(modulus);
        modulus[8] = (unsigned char)(seed >> 8);
        modulus[9] = (unsigned char)seed;
        modulus[100] = (unsigned char)(attempt >> 8);
        modulus[101] = (unsigned char)attempt;
        /* SEQUENCE SEQUENCE [0] INTEGER: the serial number's last byte */
        ck_assert_uint_eq(der[13], 0x02);
        der[14 + der[14]] = (unsigned char)serial;
        if (cert_parse(span_bytes(der, base->der_len), &made) != REASON_OK)
            made = NULL;
    }
    return made;
}

static inline struct cert *fixture_cert(unsigned seed)
{
    return fixture_cert_of(seed, 1);
}
