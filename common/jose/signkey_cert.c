/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves have the shape of the certificate that Exchange makes for itself, so that partners see
 * nothing unusual. */
#include "signkey_cert.h"

#include "evp_scope.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SERIAL_LEN 16

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

static void x509_name_freep(X509_NAME **name)
{
    X509_NAME_free(*name);
}

static void bn_freep(BIGNUM **bn)
{
    BN_free(*bn);
}

/* 128 random bits with the two highest 01: positive, always 16 bytes long. */
static bool set_serial(X509 *x)
{
    unsigned char bytes[SERIAL_LEN];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x3F) | 0x40);
    CLEANUP(bn_freep) BIGNUM *bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
    return bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
}

/* Length of the name cut to the bound, never inside a UTF-8 character. */
static int name_length(const char *text)
{
    size_t n = strlen(text);
    if (n <= SIGNKEY_NAME_MAX)
        return (int)n;
    n = SIGNKEY_NAME_MAX;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return (int)n;
}

bool signkey_put_name(X509_NAME *name, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
               (const unsigned char *)text, name_length(text), -1, 0) == 1;
}

static bool set_subject(X509 *x, const char *text)
{
    CLEANUP(x509_name_freep) X509_NAME *name = X509_NAME_new();
    return name && signkey_put_name(name, text) && X509_set_subject_name(x, name) == 1;
}

static bool set_dates(X509 *x, int64_t not_before, int64_t not_after)
{
    return ASN1_TIME_set(X509_getm_notBefore(x), not_before) &&
           ASN1_TIME_set(X509_getm_notAfter(x), not_after);
}

/* `issuer`: whose key identifier an extension may speak of. */
static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_leaf_extensions(X509 *x, X509 *issuer)
{
    return add_extension(x, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
           add_extension(x, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
}

/* It can issue our leaves and nothing else: no further authority, no signature of a token. */
static bool add_root_extensions(X509 *x)
{
    return add_extension(x, x, NID_key_usage, "critical,keyCertSign") &&
           add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(x, x, NID_subject_key_identifier, "hash");
}

static bool add_extensions(X509 *x, X509 *issuer, enum cert_kind kind)
{
    switch (kind) {
    case CERT_SELF_SIGNED:
        return add_leaf_extensions(x, x);
    case CERT_ROOT:
        return add_root_extensions(x);
    case CERT_ISSUED:
        return add_leaf_extensions(x, issuer) &&
               add_extension(x, issuer, NID_subject_key_identifier, "hash") &&
               add_extension(x, issuer, NID_authority_key_identifier, "keyid:always");
    }
    return false;
}

static bool fill(X509 *x, X509 *issuer, const struct cert_plan *plan)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           set_subject(x, plan->name) &&
           X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
           set_dates(x, plan->not_before, plan->not_after) && X509_set_pubkey(x, plan->pkey) == 1 &&
           add_extensions(x, issuer, plan->kind) &&
           X509_sign(x, plan->kind == CERT_ISSUED ? plan->issuer_pkey : plan->pkey,
               digest_evp_sha256()) > 0;
}

/* What we publish is what we would accept: read back by our own reader. */
static enum reason read_back(X509 *x, struct cert **ret)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    enum reason r = n > 0 ? cert_parse(span_bytes(der, (size_t)n), ret) : REASON_OUT_OF_MEMORY;
    OPENSSL_free(der);
    return r == REASON_OK || r == REASON_OUT_OF_MEMORY ? r : REASON_INTERNAL;
}

static X509 *x509_of(const struct cert *c)
{
    const unsigned char *p = (const unsigned char *)c->der;
    return d2i_X509(NULL, &p, (long)c->der_len);
}

enum reason signkey_make_cert(const struct cert_plan *plan, struct cert **ret)
{
    CLEANUP(x509_freep) X509 *x = X509_new();
    CLEANUP(x509_freep) X509 *issuer = plan->kind == CERT_ISSUED ? x509_of(plan->issuer) : NULL;
    if (!x || !digest_evp_sha256() || (plan->kind == CERT_ISSUED && !issuer))
        return REASON_OUT_OF_MEMORY;
    return fill(x, issuer ? issuer : x, plan) ? read_back(x, ret) : REASON_INTERNAL;
}
