/* SPDX-License-Identifier: Apache-2.0 */
/* What was found in a foreign key file: at most one private key, and certificates of which one may
 * belong to it. For signkey_file.c and pkcs12.c only. */
#pragma once

#include "signkey_file.h"

#define PARTS_CERTS_MAX 16

struct key_parts {
    uint8_t *key; /* DER in secure memory; NULL: none yet */
    size_t key_len;
    bool pkcs8; /* the key is a PrivateKeyInfo, else RSAPrivateKey */
    struct {
        uint8_t *der; /* owned */
        size_t len;
    } certs[PARTS_CERTS_MAX];
    size_t n_certs;
};

void key_parts_done(struct key_parts *p); /* wipes */
/* Both copy. REASON_KEY_FORM: there is one already, or too many; REASON_OUT_OF_MEMORY. */
enum reason key_parts_add_key(struct key_parts *p, struct span der, bool pkcs8) WARN_UNUSED;
enum reason key_parts_add_cert(struct key_parts *p, struct span der) WARN_UNUSED;
/* The key with the certificate that belongs to it. Reasons as signkey_from_file. */
enum reason key_parts_join(const struct key_parts *p, signkey_pending_fn *pending, void *arg,
    struct signkey **ret) WARN_UNUSED;
