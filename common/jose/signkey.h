/* SPDX-License-Identifier: Apache-2.0 */
/* A private signing key with its certificate. Linked into the signer (and tests) only. */
#pragma once

#include "cert.h"

/* Its private numbers live in OpenSSL's secure heap when CRYPTO_secure_malloc_init was called
 * before. */
struct signkey;

/* Makes an RSA-2048 key and a self-signed certificate: CN = `name`, sha256WithRSA, KU
 * digitalSignature + keyEncipherment (critical), EKU serverAuth, CA:FALSE, random serial, valid
 * from `not_before` to `not_after` (as Exchange's Auth certificate). */
enum reason signkey_generate(
    const char *name, int64_t not_before, int64_t not_after, struct signkey **ret) WARN_UNUSED;
/* From PEM holding one unencrypted private key and one certificate, in either order; more is
 * refused. RSA only, both must belong together (REASON_KEY_MISMATCH) and pass the key policy. */
enum reason signkey_from_pem(struct span pem, struct signkey **ret) WARN_UNUSED;
/* PKCS#8 key and certificate in PEM; `out` must be marked secret. */
enum reason signkey_to_pem(const struct signkey *key, struct buf *out) WARN_UNUSED;
void signkey_free(struct signkey *key); /* wipes */
void signkey_freep(struct signkey **key);
const struct cert *signkey_cert(const struct signkey *key);
/* RS256 over `message`; appends the modulus-long signature to `out`. */
enum reason signkey_sign_rs256(struct signkey *key, struct span message, struct buf *out)
    WARN_UNUSED;
