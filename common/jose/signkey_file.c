/* SPDX-License-Identifier: Apache-2.0 */
#include "signkey_file.h"

#include "der.h"
#include "pem.h"
#include "pkcs12.h"
#include "signkey_internal.h"

#include <openssl/crypto.h>

/* An RSA-8192 key is 6 KiB, a certificate CERT_DER_MAX at most; in base64 that is a third more. */
#define BLOCK_TEXT_MAX ((size_t)2 * CERT_DER_MAX)

/* What a block of PEM is to us. */
enum block { BLOCK_CERT, BLOCK_KEY, BLOCK_OLD_KEY, BLOCK_SHROUDED, BLOCK_EC, BLOCK_OTHER };

static enum block block_of(struct span label)
{
    static const char *const labels[] = {[BLOCK_CERT] = "CERTIFICATE",
        [BLOCK_KEY] = "PRIVATE KEY",
        [BLOCK_OLD_KEY] = "RSA PRIVATE KEY",
        [BLOCK_SHROUDED] = "ENCRYPTED PRIVATE KEY",
        [BLOCK_EC] = "EC PRIVATE KEY"};
    unsigned i = 0;
    while (i < ARRAY_LEN(labels) && !span_eq_str(label, labels[i]))
        i++;
    return (enum block)i;
}

/* `room` holds as many bytes as the body. */
static enum reason decode_block(
    struct key_parts *p, enum block kind, struct span body, struct span password, uint8_t *room)
{
    long n = pem_decode(body, room);
    struct span der = span_bytes(room, n > 0 ? (size_t)n : 0);
    if (n < 0)
        return REASON_KEY_FORM;
    if (kind == BLOCK_CERT)
        return key_parts_add_cert(p, der);
    if (kind == BLOCK_SHROUDED)
        return pkcs12_open_pkcs8(der, password, p);
    return key_parts_add_key(p, der, kind == BLOCK_KEY);
}

/* The secure memory is small: nothing but keys goes there. */
static enum reason add_block(
    struct key_parts *p, enum block kind, struct span body, struct span password)
{
    if (kind == BLOCK_EC)
        return REASON_KEY_TYPE;
    if (kind == BLOCK_OTHER || body.n > BLOCK_TEXT_MAX)
        return REASON_KEY_FORM;
    uint8_t *room =
        kind == BLOCK_CERT ? OPENSSL_malloc(body.n + 1) : OPENSSL_secure_malloc(body.n + 1);
    enum reason r = room ? decode_block(p, kind, body, password, room) : REASON_OUT_OF_MEMORY;
    OPENSSL_secure_clear_free(room, body.n + 1); /* knows where it came from */
    return r;
}

static enum reason read_pem(struct span pem, struct span password, struct key_parts *p)
{
    struct span label, body;
    for (;;) {
        switch (pem_next(&pem, &label, &body)) {
        case PEM_END:
            return REASON_OK;
        case PEM_BROKEN:
            return REASON_KEY_FORM;
        case PEM_BLOCK:
            break;
        }
        enum reason r = add_block(p, block_of(label), body, password);
        if (r != REASON_OK)
            return r;
    }
}

/* DER is a certificate or PKCS#12; they cannot be taken for each other. */
static enum reason read_der(struct span der, struct span password, struct key_parts *p)
{
    CLEANUP(cert_freep) struct cert *c = NULL;
    if (cert_parse(der, &c) == REASON_OK)
        return key_parts_add_cert(p, der);
    return pkcs12_open(der, password, p);
}

enum reason signkey_from_file(struct span bytes, struct span password, signkey_pending_fn *pending,
    void *arg, struct signkey **ret)
{
    CLEANUP(key_parts_done) struct key_parts parts = {0};
    if (bytes.n > SIGNKEY_FILE_MAX)
        return REASON_TOO_LARGE;
    if (password.n > SIGNKEY_PASSWORD_MAX)
        return REASON_KEY_PASSWORD;
    bool is_der = bytes.n > 0 && (uint8_t)bytes.p[0] == DER_SEQUENCE;
    enum reason r = (is_der ? read_der : read_pem)(bytes, password, &parts);
    if (r == REASON_OK)
        r = key_parts_join(&parts, pending, arg, ret);
    return signkey_settled(r);
}

enum reason signkey_from_pkcs12(struct span der, struct span password, struct signkey **ret)
{
    CLEANUP(key_parts_done) struct key_parts parts = {0};
    if (der.n > SIGNKEY_FILE_MAX)
        return REASON_TOO_LARGE;
    if (password.n > SIGNKEY_PASSWORD_MAX)
        return REASON_KEY_PASSWORD;
    enum reason r = pkcs12_open(der, password, &parts);
    if (r == REASON_OK)
        r = key_parts_join(&parts, NULL, NULL, ret);
    return signkey_settled(r);
}

enum reason signkey_to_pkcs12(const struct signkey *key, struct span password, struct buf *out)
{
    if (password.n < SIGNKEY_PASSWORD_MIN || password.n > SIGNKEY_PASSWORD_MAX ||
        memchr(password.p, '\0', password.n))
        return REASON_PASSWORD_SHORT;
    return signkey_settled(pkcs12_seal(key, password, out));
}
