/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"
#include "evp_scope.h"
#include "pem.h"
#include "signkey_cert.h"
#include "signkey_der.h"
#include "signkey_file.h"
#include "signkey_internal.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define REQUEST_KEY_BITS 2048
#define HOST_NAME_LEN_MAX 253 /* RFC 1035 */

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static void req_freep(X509_REQ **req)
{
    X509_REQ_free(*req);
}

static void extensions_freep(STACK_OF(X509_EXTENSION) * *list)
{
    sk_X509_EXTENSION_pop_free(*list, X509_EXTENSION_free);
}

static bool is_label(struct span s)
{
    if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

/* A host name of two labels or more: authorities want it as subjectAltName too. */
static bool is_host_name(const char *name)
{
    struct span rest = span_of(name);
    size_t dots = 0;
    for (;;) {
        size_t n = span_find(rest, '.');
        if (!is_label((struct span){rest.p, n}))
            return false;
        if (n == rest.n)
            return dots > 0;
        dots++;
        rest = span_skip(rest, n + 1);
    }
}

static bool add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    if (ext && sk_X509_EXTENSION_push(list, ext) > 0)
        return true;
    X509_EXTENSION_free(ext);
    return false;
}

static bool set_extensions(X509_REQ *req, const char *name)
{
    CLEANUP(extensions_freep) STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    char dns[HOST_NAME_LEN_MAX + sizeof("DNS:")];
    snprintf(dns, sizeof(dns), "DNS:%s", name);
    return list &&
           add_extension(list, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
           add_extension(list, NID_ext_key_usage, "serverAuth") &&
           (strlen(name) > HOST_NAME_LEN_MAX || !is_host_name(name) ||
               add_extension(list, NID_subject_alt_name, dns)) &&
           X509_REQ_add_extensions(req, list) == 1;
}

static bool fill(X509_REQ *req, EVP_PKEY *pkey, const char *name)
{
    return X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
           signkey_put_name(X509_REQ_get_subject_name(req), name) &&
           X509_REQ_set_pubkey(req, pkey) == 1 && set_extensions(req, name) &&
           X509_REQ_sign(req, pkey, digest_evp_sha256()) > 0;
}

static bool put_bio(BIO *bio, struct buf *out)
{
    char *text = NULL;
    long n = BIO_get_mem_data(bio, &text);
    buf_put(out, text, n > 0 ? (size_t)n : 0);
    return n > 0 && !out->failed;
}

static bool put_request(X509_REQ *req, struct buf *out)
{
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    return bio && PEM_write_bio_X509_REQ(bio, req) == 1 && put_bio(bio, out);
}

static bool put_key(EVP_PKEY *pkey, struct buf *out)
{
    CLEANUP(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
    return bio && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
           put_bio(bio, out);
}

enum reason signkey_request(const char *name, struct buf *ret_key, struct buf *ret_request)
{
    if (!ret_key->secret)
        return REASON_INTERNAL;
    if (!*name)
        return REASON_INVALID_REQUEST;
    CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = EVP_RSA_gen(REQUEST_KEY_BITS);
    CLEANUP(req_freep) X509_REQ *req = X509_REQ_new();
    if (!pkey || !req || !digest_evp_sha256())
        return signkey_settled(REASON_OUT_OF_MEMORY);
    if (!fill(req, pkey, name))
        return signkey_settled(REASON_INTERNAL);
    bool ok = put_key(pkey, ret_key) && put_request(req, ret_request);
    return signkey_settled(ok ? REASON_OK : REASON_OUT_OF_MEMORY);
}

char *signkey_request_id(const struct pubkey *key, char out[SIGNKEY_REQUEST_ID_LEN])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[SHA256_LEN];
    if (!digest_sha256(pubkey_n(key), hash))
        return NULL;
    for (size_t i = 0; i < (SIGNKEY_REQUEST_ID_LEN - 1) / 2; i++) {
        out[2 * i] = hex[hash[i] >> 4];
        out[2 * i + 1] = hex[hash[i] & 15];
    }
    out[SIGNKEY_REQUEST_ID_LEN - 1] = '\0';
    return out;
}

static enum reason public_half(struct span body, uint8_t *room, struct pubkey **ret)
{
    struct signkey_der numbers;
    long n = pem_decode(body, room);
    enum reason r =
        n < 0 ? REASON_KEY_FORM : signkey_der_read(span_bytes(room, (size_t)n), true, &numbers);
    return r == REASON_OK ? pubkey_new(numbers.n, numbers.e, ret) : r;
}

enum reason signkey_public_half(struct span key_pem, struct pubkey **ret)
{
    struct span label, body;
    if (key_pem.n > SIGNKEY_FILE_MAX || pem_next(&key_pem, &label, &body) != PEM_BLOCK ||
        !span_eq(label, SPAN("PRIVATE KEY")))
        return REASON_KEY_FORM;
    uint8_t *room = OPENSSL_secure_malloc(body.n + 1);
    if (!room)
        return REASON_OUT_OF_MEMORY;
    enum reason r = public_half(body, room, ret);
    OPENSSL_secure_clear_free(room, body.n + 1);
    return r;
}
