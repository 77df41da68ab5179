/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of every token of ours: header, claims, signature in compact form (RFC 7515 7.1).
 */
#pragma once

#include "json.h"
#include "signkey.h"

/* Ten digits is what a receiver reads as a time (rule R17). */
#define TOKEN_TIME_MAX INT64_C(9999999999)
static inline bool token_time_valid(int64_t t)
{
    return t >= 0 && t <= TOKEN_TIME_MAX;
}
/* Times are strings on this wire (protocol note 2.5). */
void token_put_time(struct json_out *j, const char *name, int64_t t);
/* Appends b64url(header) "." b64url(claims) "." and, with a key, the signature over what is before
 * the second dot; without one alg is none and the token ends with the dot. The header names `typ`
 * and, with a key, its x5t. `token` must be empty. REASON_OK, REASON_OUT_OF_MEMORY,
 * REASON_INTERNAL. */
enum reason token_seal(const char *typ, struct span claims, struct signkey *key, struct buf *token)
    WARN_UNUSED;
