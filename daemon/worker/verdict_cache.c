/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict_cache.h"

#include "cleanup.h"

/* What cannot change while the token's bytes do not. */
struct entry {
    uint8_t hash[SHA256_LEN];
    uint8_t x5t[X5T_LEN];
    uint64_t generation; /* of the partner's keys when it was believed */
    int64_t nbf, exp;
    size_t n_issuer, n_app, n_audience;
    char texts[]; /* issuer, app, audience, each with its NUL */
};

static bool entry_is(const void *entry, const void *key)
{
    return memcmp(((const struct entry *)entry)->hash, key, SHA256_LEN) == 0;
}

static const struct cache_ops entry_ops = {entry_is, free};

struct cache *verdict_cache_new(size_t slots)
{
    return cache_new(slots, &entry_ops);
}

static uint64_t slot_hash(const uint8_t hash[SHA256_LEN])
{
    uint64_t h;
    memcpy(&h, hash, sizeof h);
    return h;
}

/* Generation of the keys that count for this partner now; 0: nothing is known. */
static uint64_t generation_of(const struct check_against *against, const struct partner *p)
{
    const struct partner_trust *t = p ? store_get(against->store, span_of(p->name)) : NULL;
    return t ? t->generation : 0;
}

static void recall(const struct entry *e, struct token_checked *v)
{
    const char *text = e->texts;
    check_recall(v, e->x5t, e->nbf, e->exp);
    memcpy(v->issuer, text, e->n_issuer);
    memcpy(v->app, text += e->n_issuer, e->n_app);
    memcpy(v->audience, text + e->n_app, e->n_audience);
}

bool verdict_cache_find(struct cache *c, const uint8_t hash[SHA256_LEN],
    const struct check_against *against, struct token_checked *v)
{
    const struct entry *e = cache_find(c, slot_hash(hash), hash);
    if (!e)
        return false;
    recall(e, v);
    if (check_again(against, v) != REASON_OK)
        return false;
    if (e->generation == generation_of(against, v->partner))
        return true;
    cache_drop(c, slot_hash(hash), hash);
    return false;
}

void verdict_cache_put(struct cache *c, const uint8_t hash[SHA256_LEN],
    const struct check_against *against, const struct token_checked *v)
{
    static const uint8_t no_x5t[X5T_LEN];
    if (v->reason != REASON_OK || v->delegated || memcmp(v->x5t, no_x5t, X5T_LEN) == 0)
        return;
    size_t n_issuer = strlen(v->issuer) + 1, n_app = strlen(v->app) + 1,
           n_audience = strlen(v->audience) + 1;
    struct entry *e = malloc(sizeof *e + n_issuer + n_app + n_audience);
    if (!e)
        return;
    *e = (struct entry){.generation = generation_of(against, v->partner),
        .nbf = v->nbf,
        .exp = v->exp,
        .n_issuer = n_issuer,
        .n_app = n_app,
        .n_audience = n_audience};
    memcpy(e->hash, hash, SHA256_LEN);
    memcpy(e->x5t, v->x5t, X5T_LEN);
    memcpy(e->texts, v->issuer, n_issuer);
    memcpy(e->texts + n_issuer, v->app, n_app);
    memcpy(e->texts + n_issuer + n_app, v->audience, n_audience);
    cache_put(c, slot_hash(hash), hash, e, v->exp);
}
