/* SPDX-License-Identifier: Apache-2.0 */
/* A public RSA key that has passed the key policy (rule R10), and the one verification. OpenSSL is
 * not a policy: it verifies under e = 1 and 512 bits, so a struct pubkey exists only after
 * pubkey_new said yes. */
#pragma once

#include "reason.h"
#include "span.h"

#include <stdint.h>

struct pubkey;

/* From big-endian modulus and exponent. RSA 2048..8192 bits, multiple of 8, odd, no factor below
 * 2^10, not ROCA (CVE-2017-15361), 65537 <= e < 2^32 odd; no leading zero bytes. Returns REASON_OK,
 * REASON_KEY_FORM, REASON_KEY_SIZE, REASON_KEY_WEAK or REASON_OUT_OF_MEMORY. OpenSSL's objects are
 * made lazily by the first verification. */
enum reason pubkey_new(struct span n, struct span e, struct pubkey **ret) WARN_UNUSED;
/* From a DER SubjectPublicKeyInfo; REASON_KEY_TYPE when it is not rsaEncryption. */
enum reason pubkey_from_spki(struct span der, struct pubkey **ret) WARN_UNUSED;
struct pubkey *pubkey_ref(struct pubkey *key); /* one more owner */
void pubkey_free(struct pubkey *key);          /* one owner less; NULL is fine */
void pubkey_freep(struct pubkey **key);
struct span pubkey_n(const struct pubkey *key);
struct span pubkey_e(const struct pubkey *key);
unsigned pubkey_bits(const struct pubkey *key);
bool pubkey_eq(const struct pubkey *a, const struct pubkey *b);
/* SHA-256 of its SubjectPublicKeyInfo, as HTTP pins and `openssl pkey -pubin -outform der` have it.
 * False: out of memory. */
bool pubkey_spki_sha256(const struct pubkey *key, uint8_t out[32]);

/* RS256 (RFC 7518 3.3): REASON_OK when `sig` is exactly modulus long, below the modulus and
 * verifies over `message`, else REASON_SIGNATURE; REASON_OUT_OF_MEMORY proves nothing. Reuses
 * per-key contexts: about 0.96 of the bare RSA arithmetic (performance note 1b). */
enum reason pubkey_verify_rs256(struct pubkey *key, struct span message, struct span sig)
    WARN_UNUSED;
