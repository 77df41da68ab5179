/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as a DER certificate, as PEM, and as the PEM of a signing key. Where OpenSSL
 * reads the same certificate too, both must have read the same dates and the same key. */
#include "cleanup.h"
#include "signkey.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void same_time(int64_t ours, const ASN1_TIME *theirs)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(theirs, &tm) == 1)
        expect(ours == timegm(&tm));
}

static void same_number(struct span ours, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *bn = NULL;
    unsigned char room[1024];
    expect(EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 && BN_num_bytes(bn) <= (int)sizeof(room));
    expect(span_eq(ours, span_bytes(room, (size_t)BN_bn2bin(bn, room))));
    BN_free(bn);
}

static void compare(const struct cert *c)
{
    const unsigned char *p = (const unsigned char *)c->der;
    X509 *x = d2i_X509(NULL, &p, (long)c->der_len);
    if (x) {
        EVP_PKEY *pkey = X509_get0_pubkey(x);
        same_time(c->not_before, X509_get0_notBefore(x));
        same_time(c->not_after, X509_get0_notAfter(x));
        if (pkey) {
            same_number(pubkey_n(c->key), pkey, "n");
            same_number(pubkey_e(c->key), pkey, "e");
        }
    }
    X509_free(x);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(cert_freep) struct cert *der = NULL, *pem = NULL;
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    if (cert_parse(span_bytes(data, n), &der) == REASON_OK) {
        expect(der->der_len == n);
        compare(der);
    }
    if (cert_parse_pem(span_bytes(data, n), &pem) == REASON_OK)
        compare(pem);
    if (signkey_from_pem(span_bytes(data, n), &key) == REASON_OK)
        expect(pem && pubkey_eq(pem->key, signkey_cert(key)->key));
    expect(ERR_peek_error() == 0);
    return 0;
}
