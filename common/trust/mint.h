/* SPDX-License-Identifier: Apache-2.0 */
/* The mint ladder: grant + key + now -> token (protocol note 2.2-2.6). */
#pragma once

#include "policy.h"
#include "signkey.h"

struct mint_order {
    const struct identity *identity;
    const struct partner *partner;
    const char *host;
    enum user_kind user_kind;
    struct span user;   /* an address when acting for a user */
    int64_t lifetime_s; /* of the signed token */
    int64_t now;        /* wall seconds */
};

struct minted {
    struct buf token;   /* secret, compact form; an outer token ends with a dot */
    int64_t expires_at; /* seconds since 1970: when it stops being useful */
};

/* App-only: {typ,alg,x5t}.{aud,iss,nbf,exp,nameid}. Acting for a user at a Microsoft product: actor
 * token with trustedfordelegation "true" inside an unsigned outer token. At an s2sd partner: one
 * token signed whole, typ s2s-user+jwt (DESIGN 7). Times are strings, nbf = now - 300, lower case
 * throughout; the user's address is lower-cased. The audience's realm is the partner's, because the
 * receiver demands its own; an outer token ends with its actor token. Byte-stable for the same
 * input and key. Whether the order may be given is policy_grant's business; only what could not be
 * written is refused here: REASON_LIFETIME_REFUSED (not positive, or beyond ten digits of seconds),
 * REASON_HOST_NOT_OF_PARTNER (not a host name), REASON_USER_FORM, REASON_OUT_OF_MEMORY and what
 * signkey_sign_rs256 says. *ret (which holds no token before) is written on success only; the
 * caller releases it with minted_done. */
enum reason mint_token(const struct mint_order *order, struct signkey *key, struct minted *ret)
    WARN_UNUSED;
void minted_done(struct minted *m);
