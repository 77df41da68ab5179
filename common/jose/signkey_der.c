/* SPDX-License-Identifier: Apache-2.0 */
#include "signkey_der.h"

#include "der.h"

#define PRIVATE_NUMBERS 6 /* d, p, q, d mod p-1, d mod q-1, 1/q mod p */

static bool take_zero(struct span *in)
{
    struct span v;
    return der_integer(in, &v) && v.n == 1 && v.p[0] == 0;
}

/* PrivateKeyInfo: version 0, rsaEncryption, the key, perhaps attributes. */
static enum reason unwrap_pkcs8(struct span der, struct span *ret)
{
    struct span outer, key, attributes;
    if (!der_take(&der, DER_SEQUENCE, &outer) || der.n || !take_zero(&outer))
        return REASON_KEY_FORM;
    enum reason r = der_rsa_algorithm(&outer);
    if (r != REASON_OK)
        return r;
    if (!der_take(&outer, DER_OCTET_STRING, &key))
        return REASON_KEY_FORM;
    if (outer.n && (!der_take(&outer, DER_CONTEXT_0_CONS, &attributes) || outer.n))
        return REASON_KEY_FORM;
    *ret = key;
    return REASON_OK;
}

/* Version 0: two primes. */
static bool read_rsa(struct span der, struct signkey_der *ret)
{
    struct span numbers, ignored;
    struct signkey_der parts = {.rsa = der};
    if (!der_take(&der, DER_SEQUENCE, &numbers) || der.n || !take_zero(&numbers))
        return false;
    if (!der_positive(&numbers, &parts.n) || !der_positive(&numbers, &parts.e))
        return false;
    for (int i = 0; i < PRIVATE_NUMBERS; i++)
        if (!der_positive(&numbers, &ignored))
            return false;
    if (numbers.n)
        return false;
    *ret = parts;
    return true;
}

enum reason signkey_der_read(struct span der, bool pkcs8, struct signkey_der *ret)
{
    enum reason r = pkcs8 ? unwrap_pkcs8(der, &der) : REASON_OK;
    if (r != REASON_OK)
        return r;
    return read_rsa(der, ret) ? REASON_OK : REASON_KEY_FORM;
}
