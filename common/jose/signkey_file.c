/* SPDX-License-Identifier: Apache-2.0 */
#include "signkey_file.h"

#include "der.h"
#include "pem.h"
#include "pkcs12.h"
#include "signkey_internal.h"

#include <openssl/crypto.h>

/* Adds one block of a PEM text. `room` holds as many bytes as the block. */
static enum reason add_block(
    struct key_parts *p, struct span label, struct span body, struct span password, uint8_t *room)
{
    bool is_key = span_eq(label, SPAN("PRIVATE KEY"));
    bool is_old_key = span_eq(label, SPAN("RSA PRIVATE KEY"));
    bool is_shrouded = span_eq(label, SPAN("ENCRYPTED PRIVATE KEY"));
    if (span_eq(label, SPAN("EC PRIVATE KEY")))
        return REASON_KEY_TYPE;
    if (!is_key && !is_old_key && !is_shrouded && !span_eq(label, SPAN("CERTIFICATE")))
        return REASON_KEY_FORM;
    long n = pem_decode(body, room);
    struct span der = span_bytes(room, n > 0 ? (size_t)n : 0);
    if (n < 0)
        return REASON_KEY_FORM;
    if (is_shrouded)
        return pkcs12_open_pkcs8(der, password, p);
    return is_key || is_old_key ? key_parts_add_key(p, der, is_key) : key_parts_add_cert(p, der);
}

static enum reason read_blocks(
    struct span pem, struct span password, struct key_parts *p, uint8_t *room)
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
        enum reason r = add_block(p, label, body, password, room);
        if (r != REASON_OK)
            return r;
    }
}

static enum reason read_pem(struct span pem, struct span password, struct key_parts *p)
{
    uint8_t *room = OPENSSL_secure_malloc(pem.n + 1);
    enum reason r = room ? read_blocks(pem, password, p, room) : REASON_OUT_OF_MEMORY;
    OPENSSL_secure_clear_free(room, pem.n + 1);
    return r;
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
