/* SPDX-License-Identifier: Apache-2.0 */
/* A public key as JSON (RFC 7517, 7518 6.3). RSA only in this edition; private or symmetric members
 * are an alarm. */
#pragma once

#include "cert.h"
#include "json.h"

struct jwk {
    struct pubkey *key; /* owned by the caller after jwk_read */
    struct span kid;    /* points into the JSON; p NULL when absent */
    struct span alg;    /* the same */
};

/* REASON_OK; REASON_KEY_PRIVATE for d, p, q, dp, dq, qi, oth or k (looked at first, whatever the
 * kty: rule R11); REASON_KEY_USE for use other than sig or key_ops without verify; REASON_KEY_TYPE
 * for kty other than RSA or alg other than RS256; REASON_KEY_FORM and what pubkey_new says. */
enum reason jwk_read(const struct json_value *v, struct jwk *ret) WARN_UNUSED;
/* Releases the key. Safe to call twice. */
void jwk_done(struct jwk *k);

/* Reads {"keys":[...]} into room for `cap` keys; keys that cannot be used are skipped (rule R11).
 * REASON_OK and the number of usable ones, which may be 0 (the caller gives each to jwk_done);
 * REASON_KEY_PRIVATE for the whole set when any entry has private or symmetric members;
 * REASON_KEY_FORM when it is no key set; REASON_TOO_LARGE for more than `cap` entries. */
enum reason jwks_read(const struct json_value *v, struct jwk *keys, size_t cap, size_t *ret_n)
    WARN_UNUSED;

/* Writes
 * {"kty":"RSA","use":"sig","alg":"RS256","kid":x5t,"x5t":..,"x5t#S256":..,"n":..,"e":..,"x5c":[..]}
 * of a certificate. */
void jwk_write(struct json_out *j, const struct cert *c);
