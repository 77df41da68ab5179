/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as the key file of an administrator (PKCS#12, PEM, certificate), and as the
 * contents of a PKCS#12 under a right MAC, which random bytes would never get past. A key that
 * comes out belongs to its certificate. */
#include "cleanup.h"
#include "der_maker.h"
#include "signkey_file.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#define PASSWORD SPAN("word") /* of the seeds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void open_file(struct span file)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    enum reason r = signkey_from_file(file, PASSWORD, NULL, NULL, &key);
    expect((r == REASON_OK) == (key != NULL));
    expect(ERR_peek_error() == 0);
    if (!key)
        return;
    CLEANUP(buf_done) struct buf sig = BUF_INIT(4096);
    expect(signkey_sign_rs256(key, SPAN("text"), &sig) == REASON_OK);
    expect(pubkey_verify_rs256(signkey_cert(key)->key, SPAN("text"), buf_span(&sig)) == REASON_OK);
}

/* PFX without MacData around the contents (RFC 7292 section 4). */
static void put_pfx(struct buf *out, struct span contents)
{
    CLEANUP(buf_done) struct buf octets = BUF_INIT(DER_MAX), explicit = BUF_INIT(DER_MAX);
    CLEANUP(buf_done) struct buf content = BUF_INIT(DER_MAX), pfx = BUF_INIT(DER_MAX);
    der_put(&octets, DER_OCTET_STRING, contents);
    der_put(&explicit, DER_CONTEXT_0_CONS, buf_span(&octets));
    der_put(&content, DER_OID, SPAN("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"));
    buf_put_span(&content, buf_span(&explicit));
    der_put(&pfx, DER_INTEGER, SPAN("\x03"));
    der_put(&pfx, DER_SEQUENCE, buf_span(&content));
    der_put(out, DER_SEQUENCE, buf_span(&pfx));
}

static void open_contents(struct span contents)
{
    CLEANUP(buf_done) struct buf pfx = BUF_INIT(DER_MAX);
    put_pfx(&pfx, contents);
    const unsigned char *at = (const unsigned char *)pfx.p;
    PKCS12 *p = pfx.failed ? NULL : d2i_PKCS12(NULL, &at, (long)pfx.n);
    unsigned char *der = NULL;
    if (p && PKCS12_set_mac(p, PASSWORD.p, (int)PASSWORD.n, NULL, 0, 1, EVP_sha256()) == 1) {
        int n = i2d_PKCS12(p, &der);
        ERR_clear_error();
        open_file(span_bytes(der, n > 0 ? (size_t)n : 0));
    }
    ERR_clear_error();
    OPENSSL_free(der);
    PKCS12_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    open_file(span_bytes(data, n));
    open_contents(span_bytes(data, n));
    return 0;
}
