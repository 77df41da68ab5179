/* SPDX-License-Identifier: Apache-2.0 */
#include "token_cache.h"

#include "cleanup.h"
#include "digest.h"
#include "secret.h"

#include <inttypes.h>

struct entry {
    struct token_key key;
    int64_t expires_at;
    size_t n;
    char token[];
};

/* Keys. */

static void put_field(struct buf *b, struct span s)
{
    buf_printf(b, "%zu:", s.n);
    buf_put_span(b, s);
}

static void put_user(struct buf *b, struct span user)
{
    buf_printf(b, "%zu:", user.n);
    for (size_t i = 0; i < user.n; i++)
        buf_put_char(b, ascii_lower(user.p[i]));
}

enum reason token_key_make(
    const struct mint_grant *g, enum user_kind kind, struct span user, struct token_key *ret)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(16384);
    uint8_t digest[SHA256_LEN];
    put_field(&b, span_of(g->rule->name));
    put_field(&b, span_of(g->partner->name));
    put_field(&b, span_of(g->host));
    buf_printf(&b, "%" PRId64 ":%d:", g->lifetime_s, (int)kind);
    put_user(&b, user);
    if (b.failed || !digest_sha256(buf_span(&b), digest))
        return REASON_OUT_OF_MEMORY;
    struct token_key k = {.n = b.n};
    memcpy(&k.hash, digest, sizeof k.hash);
    k.text = buf_take(&b);
    if (!k.text)
        return REASON_OUT_OF_MEMORY;
    *ret = k;
    return REASON_OK;
}

void token_key_done(struct token_key *k)
{
    free(k->text);
    *k = (struct token_key){0};
}

bool token_key_eq(const struct token_key *a, const struct token_key *b)
{
    return a->hash == b->hash && a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

/* The table. */

static bool entry_is(const void *entry, const void *key)
{
    return token_key_eq(&((const struct entry *)entry)->key, key);
}

static void entry_release(void *entry)
{
    struct entry *e = entry;
    token_key_done(&e->key);
    secret_wipe(e->token, e->n);
    free(e);
}

static const struct cache_ops entry_ops = {entry_is, entry_release};

struct cache *token_cache_new(size_t slots)
{
    return cache_new(slots, &entry_ops);
}

bool token_cache_find(struct cache *c, const struct token_key *k, int64_t now, int64_t min_valid_s,
    struct span *ret_token, int64_t *ret_expires_at)
{
    const struct entry *e = cache_find(c, k->hash, k);
    if (!e)
        return false;
    int64_t left = e->expires_at - now;
    if (left <= 0) {
        cache_drop(c, k->hash, k);
        return false;
    }
    if (left < min_valid_s)
        return false;
    *ret_token = (struct span){e->token, e->n};
    *ret_expires_at = e->expires_at;
    return true;
}

void token_cache_put(
    struct cache *c, const struct token_key *k, struct span token, int64_t expires_at)
{
    struct entry *e = calloc(1, sizeof *e + token.n);
    if (!e)
        return;
    e->key = (struct token_key){.text = malloc(k->n), .n = k->n, .hash = k->hash};
    if (!e->key.text) {
        free(e);
        return;
    }
    memcpy(e->key.text, k->text, k->n);
    memcpy(e->token, token.p, token.n);
    e->n = token.n;
    e->expires_at = expires_at;
    cache_put(c, k->hash, k, e, expires_at);
}
