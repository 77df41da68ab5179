/* SPDX-License-Identifier: Apache-2.0 */
/* A private signing key with its certificate. Linked into the signer (and tests) only. */
#pragma once

#include "cert.h"

/* Larger key files are not read. */
#define SIGNKEY_FILE_MAX ((size_t)128 * 1024)

/* Its private numbers live in OpenSSL's secure heap when CRYPTO_secure_malloc_init was called
 * before. */
struct signkey;

/* Makes an RSA-2048 key and a self-signed certificate: CN = `name` (cut to X.520's 64 bytes),
 * sha256WithRSA, KU digitalSignature + keyEncipherment (critical), EKU serverAuth, CA:FALSE, random
 * serial, valid from `not_before` to `not_after` (as Exchange's Auth certificate).
 * REASON_INVALID_REQUEST for an empty name or dates in the wrong order, REASON_INTERNAL for a name
 * or date no certificate can hold, REASON_OUT_OF_MEMORY. */
enum reason signkey_generate(
    const char *name, int64_t not_before, int64_t not_after, struct signkey **ret) WARN_UNUSED;
/* Makes an RSA-3072 key and a root certificate for it that may issue leaves and nothing else: KU
 * keyCertSign (critical), CA:TRUE with path length 0 (critical), subject key identifier. Errors as
 * signkey_generate. */
enum reason signkey_generate_root(
    const char *name, int64_t not_before, int64_t not_after, struct signkey **ret) WARN_UNUSED;
/* As signkey_generate, but the certificate is issued by `root` (and names its key identifier)
 * instead of by itself. REASON_INVALID_REQUEST also for dates outside of the root's own. */
enum reason signkey_issue(const struct signkey *root, const char *name, int64_t not_before,
    int64_t not_after, struct signkey **ret) WARN_UNUSED;
/* From PEM holding one unencrypted private key (PKCS#8 or RSA PRIVATE KEY) and one certificate, in
 * either order; text outside the blocks is passed over, any other block is refused. RSA of two
 * primes only, the numbers must agree with each other and with the certificate, which passes the
 * key policy. REASON_KEY_FORM, REASON_KEY_TYPE, REASON_KEY_MISMATCH, REASON_KEY_SIZE,
 * REASON_KEY_WEAK, REASON_OUT_OF_MEMORY. The caller wipes `pem`. */
enum reason signkey_from_pem(struct span pem, struct signkey **ret) WARN_UNUSED;
/* PKCS#8 key and certificate in PEM; `out` must be marked secret. */
enum reason signkey_to_pem(const struct signkey *key, struct buf *out) WARN_UNUSED;
void signkey_free(struct signkey *key); /* wipes */
void signkey_freep(struct signkey **key);
const struct cert *signkey_cert(const struct signkey *key);
/* RS256 over `message`; appends the modulus-long signature to `out`. */
enum reason signkey_sign_rs256(struct signkey *key, struct span message, struct buf *out)
    WARN_UNUSED;
