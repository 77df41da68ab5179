/* SPDX-License-Identifier: Apache-2.0 */
/* Minted tokens kept for reuse: per (rule, partner, host, life, user), as long as enough of their
 * life is left (DESIGN 7). Token text is wiped when it is dropped. */
#pragma once

#include "buf.h"
#include "cache.h"
#include "policy.h"

/* Names one kind of token: equal keys may get the same token. */
struct token_key {
    char *text; /* owned; the fields with their lengths */
    size_t n;
    uint64_t hash;
};
/* REASON_OK or REASON_OUT_OF_MEMORY. `user` counts without the case of ASCII letters, as tokens
 * carry it. */
enum reason token_key_make(const struct mint_grant *g, enum user_kind kind, struct span user,
    struct token_key *ret) WARN_UNUSED;
void token_key_done(struct token_key *k);
bool token_key_eq(const struct token_key *a, const struct token_key *b);

/* A table of them (cache.h), `slots` at most; 0: remembers nothing. NULL: out of memory. */
struct cache *token_cache_new(size_t slots) WARN_UNUSED;
/* A token of that key that lives for at least `min_valid_s` from `now`; false: none. The span lives
 * until the next call. */
bool token_cache_find(struct cache *c, const struct token_key *k, int64_t now, int64_t min_valid_s,
    struct span *ret_token, int64_t *ret_expires_at);
/* Copies key and token; without memory nothing is remembered. */
void token_cache_put(
    struct cache *c, const struct token_key *k, struct span token, int64_t expires_at);
