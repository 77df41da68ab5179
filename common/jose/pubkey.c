/* SPDX-License-Identifier: Apache-2.0 */
/* A key is held as its two numbers, next to each other behind the struct (about 0.3 KB); OpenSSL's
 * objects (2 KB) come with the first verification and stay, because setting them up costs as much
 * as a fifth of one (performance note 1b). */
#include "pubkey.h"

#include "cleanup.h"
#include "der.h"
#include "digest.h"
#include "evp_scope.h"
#include "keypolicy.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>

struct pubkey {
    unsigned owners;
    uint16_t n_len, e_len;
    EVP_PKEY_CTX *verifier; /* NULL until the first verification; holds the EVP_PKEY */
    char numbers[];         /* modulus, then exponent */
};

enum reason pubkey_new(struct span n, struct span e, struct pubkey **ret)
{
    enum reason r = keypolicy_check_rsa(n, e);
    if (r != REASON_OK)
        return r;
    struct pubkey *key = malloc(sizeof(*key) + n.n + e.n);
    if (!key)
        return REASON_OUT_OF_MEMORY;
    *key = (struct pubkey){.owners = 1, .n_len = (uint16_t)n.n, .e_len = (uint16_t)e.n};
    memcpy(key->numbers, n.p, n.n);
    memcpy(key->numbers + n.n, e.p, e.n);
    *ret = key;
    return REASON_OK;
}

/* SubjectPublicKeyInfo of RFC 5280 4.1 with the contents of RFC 3279 2.3.1. */
enum reason pubkey_from_spki(struct span der, struct pubkey **ret)
{
    struct span spki, bits, numbers, n, e;
    if (!der_take(&der, DER_SEQUENCE, &spki) || der.n)
        return REASON_KEY_FORM;
    enum reason r = der_rsa_algorithm(&spki);
    if (r != REASON_OK)
        return r;
    if (!der_bits(&spki, &bits) || spki.n)
        return REASON_KEY_FORM;
    if (!der_take(&bits, DER_SEQUENCE, &numbers) || bits.n)
        return REASON_KEY_FORM;
    if (!der_positive(&numbers, &n) || !der_positive(&numbers, &e) || numbers.n)
        return REASON_KEY_FORM;
    return pubkey_new(n, e, ret);
}

struct pubkey *pubkey_ref(struct pubkey *key)
{
    key->owners++;
    return key;
}

void pubkey_free(struct pubkey *key)
{
    if (!key || --key->owners)
        return;
    EVP_PKEY_CTX_free(key->verifier);
    free(key);
}

void pubkey_freep(struct pubkey **key)
{
    pubkey_free(*key);
    *key = NULL;
}

struct span pubkey_n(const struct pubkey *key)
{
    return (struct span){key->numbers, key->n_len};
}

struct span pubkey_e(const struct pubkey *key)
{
    return (struct span){key->numbers + key->n_len, key->e_len};
}

/* The policy lets only moduli pass whose top bit is set. */
unsigned pubkey_bits(const struct pubkey *key)
{
    return key->n_len * 8u;
}

bool pubkey_eq(const struct pubkey *a, const struct pubkey *b)
{
    return span_eq(pubkey_n(a), pubkey_n(b)) && span_eq(pubkey_e(a), pubkey_e(b));
}

/* OSSL_PARAM wants numbers in the byte order of the machine. */
static void to_native(struct span big_endian, unsigned char *out)
{
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    for (size_t i = 0; i < big_endian.n; i++)
        out[little ? big_endian.n - 1 - i : i] = (unsigned char)big_endian.p[i];
}

static EVP_PKEY *make_pkey(const struct pubkey *key)
{
    unsigned char n[RSA_BYTES_MAX], e[RSA_E_BYTES_MAX];
    to_native(pubkey_n(key), n);
    to_native(pubkey_e(key), e);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, key->n_len),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, key->e_len),
        OSSL_PARAM_construct_end(),
    };
    CLEANUP(evp_pkey_ctx_freep) EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *pkey = NULL;
    if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return pkey;
}

bool pubkey_spki_sha256(const struct pubkey *key, uint8_t out[32])
{
    CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = make_pkey(key);
    unsigned char *der = NULL;
    int n = pkey ? i2d_PUBKEY(pkey, &der) : -1;
    bool ok = n > 0 && digest_sha256(span_bytes(der, (size_t)n), out);
    OPENSSL_free(der);
    return ok;
}

static EVP_PKEY_CTX *make_verifier(const struct pubkey *key)
{
    CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = make_pkey(key);
    CLEANUP(evp_pkey_ctx_freep)
    EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    if (!ctx || EVP_PKEY_verify_init(ctx) != 1 || !evp_set_rs256(ctx))
        return NULL;
    return TAKE(ctx);
}

/* OpenSSL's no may be for want of memory: that is no judgement of the signature (rule R45). */
static enum reason no_proof(void)
{
    return evp_forget_errors() ? REASON_OUT_OF_MEMORY : REASON_SIGNATURE;
}

enum reason pubkey_verify_rs256(struct pubkey *key, struct span message, struct span sig)
{
    /* Same length, both big-endian: byte order is number order. */
    if (sig.n != key->n_len || memcmp(sig.p, key->numbers, sig.n) >= 0)
        return REASON_SIGNATURE;
    uint8_t hash[SHA256_LEN];
    if (!digest_sha256(message, hash))
        return REASON_OUT_OF_MEMORY;
    if (!key->verifier)
        key->verifier = make_verifier(key);
    if (!key->verifier)
        return no_proof();
    evp_forget_errors();
    int good =
        EVP_PKEY_verify(key->verifier, (const unsigned char *)sig.p, sig.n, hash, sizeof(hash));
    return good == 1 ? REASON_OK : no_proof();
}
