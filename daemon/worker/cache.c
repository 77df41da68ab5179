/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <stdlib.h>

/* Slots in which a key may stand. */
#define NEIGHBOURS 8

struct slot {
    void *entry; /* NULL: free */
    uint64_t hash;
    int64_t ends_at;
};

struct cache {
    const struct cache_ops *ops;
    size_t n, used;
    struct slot slots[];
};

struct cache *cache_new(size_t slots, const struct cache_ops *ops)
{
    if (slots > (SIZE_MAX - sizeof(struct cache)) / sizeof(struct slot))
        return NULL;
    struct cache *c = calloc(1, sizeof *c + slots * sizeof(struct slot));
    if (!c)
        return NULL;
    c->ops = ops;
    c->n = slots;
    return c;
}

static void slot_release(struct cache *c, struct slot *s)
{
    if (!s->entry)
        return;
    c->ops->release(s->entry);
    *s = (struct slot){0};
    c->used--;
}

void cache_clear(struct cache *c)
{
    for (size_t i = 0; i < c->n; i++)
        slot_release(c, &c->slots[i]);
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    cache_clear(c);
    free(c);
}

static struct slot *slot_at(const struct cache *c, uint64_t hash, size_t i)
{
    size_t at = ((size_t)(hash % c->n) + i) % c->n;
    return (struct slot *)(uintptr_t)&c->slots[at];
}

static size_t neighbours(const struct cache *c)
{
    return c->n < NEIGHBOURS ? c->n : NEIGHBOURS;
}

static struct slot *slot_of(const struct cache *c, uint64_t hash, const void *key)
{
    for (size_t i = 0; i < neighbours(c); i++) {
        struct slot *s = slot_at(c, hash, i);
        if (s->entry && s->hash == hash && c->ops->is(s->entry, key))
            return s;
    }
    return NULL;
}

void *cache_find(const struct cache *c, uint64_t hash, const void *key)
{
    struct slot *s = slot_of(c, hash, key);
    return s ? s->entry : NULL;
}

/* A free slot, else the one whose entry ends first. */
static struct slot *slot_for_new(struct cache *c, uint64_t hash)
{
    struct slot *best = slot_at(c, hash, 0);
    for (size_t i = 0; i < neighbours(c) && best->entry; i++) {
        struct slot *s = slot_at(c, hash, i);
        if (!s->entry || s->ends_at < best->ends_at)
            best = s;
    }
    return best;
}

void cache_put(struct cache *c, uint64_t hash, const void *key, void *entry, int64_t ends_at)
{
    if (c->n == 0) {
        c->ops->release(entry);
        return;
    }
    struct slot *s = slot_of(c, hash, key);
    if (!s)
        s = slot_for_new(c, hash);
    slot_release(c, s);
    *s = (struct slot){.entry = entry, .hash = hash, .ends_at = ends_at};
    c->used++;
}

void cache_drop(struct cache *c, uint64_t hash, const void *key)
{
    struct slot *s = slot_of(c, hash, key);
    if (s)
        slot_release(c, s);
}

size_t cache_count(const struct cache *c)
{
    return c->used;
}
