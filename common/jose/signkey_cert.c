/* SPDX-License-Identifier: Apache-2.0 */
/* The same shape as the certificate that Exchange makes for itself, so that partners see nothing
 * unusual. */
#include "signkey_cert.h"

#include "evp_scope.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define COMMON_NAME_MAX 64
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
    if (n <= COMMON_NAME_MAX)
        return (int)n;
    n = COMMON_NAME_MAX;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return (int)n;
}

static bool set_names(X509 *x, const char *text)
{
    CLEANUP(x509_name_freep) X509_NAME *name = X509_NAME_new();
    return name &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
               (const unsigned char *)text, name_length(text), -1, 0) == 1 &&
           X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, name) == 1;
}

static bool set_dates(X509 *x, int64_t not_before, int64_t not_after)
{
    return ASN1_TIME_set(X509_getm_notBefore(x), not_before) &&
           ASN1_TIME_set(X509_getm_notAfter(x), not_after);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = ext && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool fill(X509 *x, EVP_PKEY *pkey, const char *name, int64_t not_before, int64_t not_after)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_names(x, name) &&
           set_dates(x, not_before, not_after) && X509_set_pubkey(x, pkey) == 1 &&
           add_extension(x, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           X509_sign(x, pkey, digest_evp_sha256()) > 0;
}

enum reason signkey_self_sign(
    EVP_PKEY *pkey, const char *name, int64_t not_before, int64_t not_after, struct cert **ret)
{
    CLEANUP(x509_freep) X509 *x = X509_new();
    if (!x || !digest_evp_sha256())
        return REASON_OUT_OF_MEMORY;
    if (!fill(x, pkey, name, not_before, not_after))
        return REASON_INTERNAL;
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    /* Read back by our own reader: what we publish is what we would accept. */
    enum reason r = n > 0 ? cert_parse(span_bytes(der, (size_t)n), ret) : REASON_OUT_OF_MEMORY;
    OPENSSL_free(der);
    return r == REASON_OK || r == REASON_OUT_OF_MEMORY ? r : REASON_INTERNAL;
}
