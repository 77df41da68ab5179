/* SPDX-License-Identifier: Apache-2.0 */
/* The private half stays inside OpenSSL's objects, whose private numbers live in the secure heap;
 * what is read or written on the way (PEM, DER) goes through secure memory too and is wiped. */
#include "signkey_internal.h"

#include "cleanup.h"
#include "digest.h"
#include "evp_scope.h"
#include "pem.h"
#include "signkey_cert.h"
#include "signkey_der.h"

#include <openssl/pem.h>

#define NEW_KEY_BITS 2048
#define ROOT_KEY_BITS 3072 /* it is to last for decades, and signs once in years */

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

enum reason signkey_settled(enum reason r)
{
    const bool starved = evp_forget_errors();
    return r != REASON_OK && starved ? REASON_OUT_OF_MEMORY : r;
}

static EVP_PKEY_CTX *make_signer(EVP_PKEY *pkey)
{
    CLEANUP(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || !evp_set_rs256(ctx))
        return NULL;
    return TAKE(ctx);
}

enum reason signkey_assemble(EVP_PKEY *pkey, struct cert *cert, struct signkey **ret)
{
    struct signkey *key = calloc(1, sizeof(*key));
    EVP_PKEY_CTX *signer = make_signer(pkey);
    if (!key || !signer) {
        free(key);
        EVP_PKEY_CTX_free(signer);
        EVP_PKEY_free(pkey);
        cert_free(cert);
        return REASON_OUT_OF_MEMORY;
    }
    *key = (struct signkey){.pkey = pkey, .signer = signer, .cert = cert};
    *ret = key;
    return REASON_OK;
}

/* A fresh key and the certificate that `plan` says, whose pkey is filled in here. */
static enum reason generate(struct cert_plan *plan, unsigned bits, struct signkey **ret)
{
    if (!*plan->name || plan->not_after <= plan->not_before)
        return REASON_INVALID_REQUEST;
    CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = EVP_RSA_gen(bits);
    CLEANUP(cert_freep) struct cert *cert = NULL;
    if (!pkey)
        return signkey_settled(REASON_OUT_OF_MEMORY);
    plan->pkey = pkey;
    enum reason r = signkey_make_cert(plan, &cert);
    return signkey_settled(r == REASON_OK ? signkey_assemble(TAKE(pkey), TAKE(cert), ret) : r);
}

enum reason signkey_generate(
    const char *name, int64_t not_before, int64_t not_after, struct signkey **ret)
{
    struct cert_plan plan = {
        .kind = CERT_SELF_SIGNED, .name = name, .not_before = not_before, .not_after = not_after};
    return generate(&plan, NEW_KEY_BITS, ret);
}

enum reason signkey_generate_root(
    const char *name, int64_t not_before, int64_t not_after, struct signkey **ret)
{
    struct cert_plan plan = {
        .kind = CERT_ROOT, .name = name, .not_before = not_before, .not_after = not_after};
    return generate(&plan, ROOT_KEY_BITS, ret);
}

enum reason signkey_issue(const struct signkey *root, const char *name, int64_t not_before,
    int64_t not_after, struct signkey **ret)
{
    struct cert_plan plan = {.kind = CERT_ISSUED,
        .name = name,
        .not_before = not_before,
        .not_after = not_after,
        .issuer_pkey = root->pkey,
        .issuer = root->cert};
    if (not_before < root->cert->not_before || not_after > root->cert->not_after)
        return REASON_INVALID_REQUEST;
    return generate(&plan, NEW_KEY_BITS, ret);
}

/* The one key and the one certificate of a text. */
struct halves {
    struct span key_label, key, cert;
};

static enum reason find_halves(struct span pem, struct halves *h)
{
    struct span label, body;
    enum pem_step step;
    while ((step = pem_next(&pem, &label, &body)) == PEM_BLOCK) {
        bool is_cert = span_eq(label, SPAN("CERTIFICATE"));
        bool is_key =
            span_eq(label, SPAN("PRIVATE KEY")) || span_eq(label, SPAN("RSA PRIVATE KEY"));
        if (span_eq(label, SPAN("EC PRIVATE KEY")))
            return REASON_KEY_TYPE;
        if (!(is_cert && !h->cert.p) && !(is_key && !h->key.p))
            return REASON_KEY_FORM;
        *(is_cert ? &h->cert : &h->key) = body;
        if (is_key)
            h->key_label = label;
    }
    return step == PEM_END && h->key.p && h->cert.p ? REASON_OK : REASON_KEY_FORM;
}

/* A key whose numbers contradict each other would sign wrongly, and a wrong CRT part gives the
 * factors away. */
static enum reason check_consistency(EVP_PKEY *pkey)
{
    CLEANUP(evp_pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx)
        return REASON_OUT_OF_MEMORY;
    return EVP_PKEY_pairwise_check(ctx) == 1 ? REASON_OK : REASON_KEY_FORM;
}

static enum reason key_from_der(
    struct span der, bool pkcs8, const struct pubkey *expect, EVP_PKEY **ret)
{
    struct signkey_der parts;
    enum reason r = signkey_der_read(der, pkcs8, &parts);
    if (r != REASON_OK)
        return r;
    if (!span_eq(parts.n, pubkey_n(expect)) || !span_eq(parts.e, pubkey_e(expect)))
        return REASON_KEY_MISMATCH;
    const unsigned char *p = (const unsigned char *)parts.rsa.p;
    CLEANUP(evp_pkey_freep)
    EVP_PKEY *pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, (long)parts.rsa.n);
    if (!pkey)
        return REASON_KEY_FORM;
    r = check_consistency(pkey);
    if (r == REASON_OK)
        *ret = TAKE(pkey);
    return r;
}

enum reason signkey_from_der(struct span der, bool pkcs8, struct cert *cert, struct signkey **ret)
{
    CLEANUP(cert_freep) struct cert *own = cert;
    CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = NULL;
    enum reason r = key_from_der(der, pkcs8, own->key, &pkey);
    return r == REASON_OK ? signkey_assemble(TAKE(pkey), TAKE(own), ret) : r;
}

enum reason signkey_from_pem_body(
    struct span body, bool pkcs8, struct cert *cert, struct signkey **ret)
{
    CLEANUP(cert_freep) struct cert *own = cert;
    uint8_t *der = OPENSSL_secure_malloc(body.n + 1);
    if (!der)
        return REASON_OUT_OF_MEMORY;
    long n = pem_decode(body, der);
    enum reason r = n < 0 ? REASON_KEY_FORM
                          : signkey_from_der(span_bytes(der, (size_t)n), pkcs8, TAKE(own), ret);
    OPENSSL_secure_clear_free(der, body.n + 1);
    return r;
}

enum reason signkey_from_pem(struct span pem, struct signkey **ret)
{
    struct halves h = {0};
    if (pem.n > SIGNKEY_FILE_MAX)
        return REASON_KEY_FORM;
    enum reason r = find_halves(pem, &h);
    CLEANUP(cert_freep) struct cert *cert = NULL;
    if (r == REASON_OK)
        r = cert_parse_pem(pem, &cert);
    if (r == REASON_OK)
        r = signkey_from_pem_body(
            h.key, span_eq(h.key_label, SPAN("PRIVATE KEY")), TAKE(cert), ret);
    return signkey_settled(r);
}

static bool write_pem(BIO *bio, const struct signkey *key)
{
    const struct cert *c = key->cert;
    return PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
           PEM_write_bio(bio, "CERTIFICATE", "", (const unsigned char *)c->der, (long)c->der_len) >
               0;
}

enum reason signkey_to_pem(const struct signkey *key, struct buf *out)
{
    if (!out->secret)
        return REASON_INTERNAL;
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || !write_pem(bio, key))
        return signkey_settled(REASON_OUT_OF_MEMORY);
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    buf_put(out, text, n > 0 ? (size_t)n : 0);
    return signkey_settled(out->failed || n <= 0 ? REASON_OUT_OF_MEMORY : REASON_OK);
}

void signkey_free(struct signkey *key)
{
    if (!key)
        return;
    EVP_PKEY_CTX_free(key->signer);
    EVP_PKEY_free(key->pkey); /* clears the private numbers */
    cert_free(key->cert);
    free(key);
}

void signkey_freep(struct signkey **key)
{
    signkey_free(*key);
    *key = NULL;
}

const struct cert *signkey_cert(const struct signkey *key)
{
    return key->cert;
}

enum reason signkey_sign_rs256(struct signkey *key, struct span message, struct buf *out)
{
    uint8_t hash[SHA256_LEN];
    size_t n = pubkey_n(key->cert->key).n, written = n;
    /* Hashed first: the message may stand in `out` itself, which moves when it grows. */
    if (!digest_sha256(message, hash))
        return REASON_OUT_OF_MEMORY;
    char *room = buf_reserve(out, n);
    if (!room)
        return REASON_OUT_OF_MEMORY;
    if (EVP_PKEY_sign(key->signer, (unsigned char *)room, &written, hash, sizeof(hash)) != 1 ||
        written != n)
        return signkey_settled(REASON_INTERNAL);
    out->n += n;
    return REASON_OK;
}
