/* SPDX-License-Identifier: Apache-2.0 */
#include "signkey_parts.h"

#include "evp_scope.h"
#include "pem.h"
#include "signkey_der.h"
#include "signkey_internal.h"

#include <openssl/crypto.h>
#include <stdlib.h>

void key_parts_done(struct key_parts *p)
{
    OPENSSL_secure_clear_free(p->key, p->key_len);
    for (size_t i = 0; i < p->n_certs; i++)
        free(p->certs[i].der);
    *p = (struct key_parts){0};
}

enum reason key_parts_add_key(struct key_parts *p, struct span der, bool pkcs8)
{
    if (p->key || der.n == 0)
        return REASON_KEY_FORM;
    p->key = OPENSSL_secure_malloc(der.n);
    if (!p->key)
        return REASON_OUT_OF_MEMORY;
    memcpy(p->key, der.p, der.n);
    p->key_len = der.n;
    p->pkcs8 = pkcs8;
    return REASON_OK;
}

enum reason key_parts_add_cert(struct key_parts *p, struct span der)
{
    if (p->n_certs == PARTS_CERTS_MAX || der.n == 0)
        return REASON_KEY_FORM;
    uint8_t *copy = malloc(der.n);
    if (!copy)
        return REASON_OUT_OF_MEMORY;
    memcpy(copy, der.p, der.n);
    p->certs[p->n_certs].der = copy;
    p->certs[p->n_certs++].len = der.n;
    return REASON_OK;
}

static struct span cert_der(const struct key_parts *p, size_t i)
{
    return span_bytes(p->certs[i].der, p->certs[i].len);
}

/* What to say when no certificate fits: about the only one that is there, its own fault. */
static enum reason no_fit(const struct key_parts *p, enum reason last)
{
    if (p->n_certs == 0)
        return REASON_KEY_FORM;
    return p->n_certs == 1 && last != REASON_OK ? last : REASON_KEY_MISMATCH;
}

static enum reason join_key(const struct key_parts *p, struct signkey **ret)
{
    struct signkey_der numbers;
    struct span key = span_bytes(p->key, p->key_len);
    enum reason r = signkey_der_read(key, p->pkcs8, &numbers), last = REASON_OK;
    if (r != REASON_OK)
        return r;
    for (size_t i = 0; i < p->n_certs; i++) {
        CLEANUP(cert_freep) struct cert *c = NULL;
        last = cert_parse(cert_der(p, i), &c);
        if (last == REASON_OUT_OF_MEMORY)
            return last;
        if (last == REASON_OK && span_eq(pubkey_n(c->key), numbers.n) &&
            span_eq(pubkey_e(c->key), numbers.e))
            return signkey_from_der(key, p->pkcs8, TAKE(c), ret);
    }
    return no_fit(p, last);
}

/* The PEM text of a key that waited. */
static enum reason join_text(struct span pem, struct cert *cert, struct signkey **ret)
{
    CLEANUP(cert_freep) struct cert *own = cert;
    struct span label, body;
    if (pem_next(&pem, &label, &body) != PEM_BLOCK || !span_eq(label, SPAN("PRIVATE KEY")))
        return REASON_KEY_FORM;
    return signkey_from_pem_body(body, true, TAKE(own), ret);
}

static enum reason join_pending(
    const struct key_parts *p, signkey_pending_fn *pending, void *arg, struct signkey **ret)
{
    enum reason last = REASON_KEY_FORM;
    for (size_t i = 0; i < p->n_certs; i++) {
        CLEANUP(cert_freep) struct cert *c = NULL;
        CLEANUP(buf_done) struct buf text = {.max = SIGNKEY_FILE_MAX, .secret = true};
        last = cert_parse(cert_der(p, i), &c);
        if (last == REASON_OUT_OF_MEMORY)
            return last;
        if (last == REASON_OK && pending && pending(c->key, &text, arg))
            return join_text(buf_span(&text), TAKE(c), ret);
    }
    return p->n_certs == 1 && last != REASON_OK ? last
           : p->n_certs                         ? REASON_KEY_ALONE
                                                : REASON_KEY_FORM;
}

enum reason key_parts_join(
    const struct key_parts *p, signkey_pending_fn *pending, void *arg, struct signkey **ret)
{
    return p->key ? join_key(p, ret) : join_pending(p, pending, arg, ret);
}
