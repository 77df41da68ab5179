/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on app-only tokens, by the SHA-256 of the whole token, bound to the partner's generation
 * of keys. Only what was believed is remembered; times, audience, partner and key are judged again
 * on each hit (DESIGN 7, rule R30). */
#pragma once

#include "cache.h"
#include "check.h"
#include "digest.h"

/* A table of them (cache.h), `slots` at most; 0: remembers nothing. NULL: out of memory. */
struct cache *verdict_cache_new(size_t slots) WARN_UNUSED;
/* Fills *v with the verdict remembered for that token and judges it again under `against`. True
 * when it is still believed; else the caller judges the token itself. */
bool verdict_cache_find(struct cache *c, const uint8_t hash[SHA256_LEN],
    const struct check_against *against, struct token_checked *v);
/* Remembers a believed app-only verdict; anything else is left alone. */
void verdict_cache_put(struct cache *c, const uint8_t hash[SHA256_LEN],
    const struct check_against *against, const struct token_checked *v);
