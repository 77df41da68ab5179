/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys as administrators bring them and carry them away: certificate requests, PEM with a
 * chain, PKCS#12. Everything is judged under limits before anything is decrypted. Linked into the
 * signer (and tests) only. */
#pragma once

#include "signkey.h"

#define SIGNKEY_PASSWORD_MIN 12 /* characters, to seal with; to open, any will do */
#define SIGNKEY_PASSWORD_MAX 1024
#define SIGNKEY_REQUEST_ID_LEN 33 /* 32 hexadecimal digits and a NUL */

/* Makes an RSA-2048 key and a PKCS#10 request for it (RFC 2986): CN = `name` (cut to 64 bytes), the
 * same as DNS name when it is one, KU and EKU as signkey_generate, signed with sha256WithRSA.
 * Appends PEM to both buffers: the PKCS#8 key to `ret_key`, which must be marked secret, and the
 * request to `ret_request`. REASON_INVALID_REQUEST for an empty name, REASON_INTERNAL for one that
 * no certificate can hold, REASON_OUT_OF_MEMORY. */
enum reason signkey_request(const char *name, struct buf *ret_key, struct buf *ret_request)
    WARN_UNUSED;
/* Names a key by its public half: the same for the PEM key of signkey_request and for the
 * certificate that was issued for it. Returns out, or NULL when OpenSSL has no memory. */
char *signkey_request_id(const struct pubkey *key, char out[SIGNKEY_REQUEST_ID_LEN]);
/* The public half of such a PEM key. Reasons as signkey_from_pem. */
enum reason signkey_public_half(struct span key_pem, struct pubkey **ret) WARN_UNUSED;

/* Asked for the private key of a certificate that came alone: appends its PEM (one key block) to
 * `ret`, which is secret. False: there is none. */
typedef bool signkey_pending_fn(const struct pubkey *key, struct buf *ret, void *arg);

/* From a file of any lawful kind: PKCS#12 in DER or BER (as signkey_from_pkcs12), a certificate in
 * DER, or PEM with at most one private key (PKCS#8, encrypted PKCS#8, RSA PRIVATE KEY) and at most
 * 16 certificates, of which the one that belongs to the key is taken and the chain is passed over.
 * Without a private key `pending` is asked about each certificate (NULL: nobody is). The caller
 * wipes `bytes` and `password`. Reasons as signkey_from_pem and signkey_from_pkcs12, and
 * REASON_KEY_ALONE: only certificates, and none that was waited for. */
enum reason signkey_from_file(struct span bytes, struct span password, signkey_pending_fn *pending,
    void *arg, struct signkey **ret) WARN_UNUSED;

/* From PKCS#12 (RFC 7292) with exactly one private key and its certificate; chain certificates are
 * passed over. Protected by a password and its MAC: PBES2 with PBKDF2 and AES-CBC or 3DES, or the
 * old 3DES scheme; at most 16 certificates, rounds bounded in all before they are run.
 * REASON_KEY_FORM, REASON_KEY_PASSWORD, REASON_KEY_CIPHER (RC2, RC4, scrypt, a MAC we do not know),
 * REASON_KEY_ROUNDS, REASON_KEY_ALONE, REASON_TOO_LARGE, and those of signkey_from_pem. */
enum reason signkey_from_pkcs12(struct span der, struct span password, struct signkey **ret)
    WARN_UNUSED;
/* Appends key and certificate as PKCS#12: PBES2 with AES-256-CBC, PBKDF2 with HMAC-SHA256 and
 * 150,000 rounds, SHA-256 MAC. REASON_PASSWORD_SHORT for a password out of its bounds or with a
 * NUL, REASON_OUT_OF_MEMORY. */
enum reason signkey_to_pkcs12(const struct signkey *key, struct span password, struct buf *out)
    WARN_UNUSED;
