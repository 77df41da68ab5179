/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded table in open addressing: a key may stand in one of a few neighbouring slots; when all
 * are taken the entry that would end first gives way. Never grows, never scans. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

/* What an owner does with its entries. `entry` is never NULL. */
struct cache_ops {
    bool (*is)(const void *entry, const void *key);
    void (*release)(void *entry);
};

/* `slots` entries at most; with 0 it remembers nothing. NULL: out of memory. */
struct cache *cache_new(size_t slots, const struct cache_ops *ops) WARN_UNUSED;
/* Releases all entries too. NULL is fine. */
void cache_free(struct cache *c);
/* The entry of that key or NULL. `hash`: well mixed bits of the key. */
void *cache_find(const struct cache *c, uint64_t hash, const void *key);
/* Takes over `entry` (releases what stood under the same key, or the entry itself without slots).
 * `ends_at`: which entry gives way first. */
void cache_put(struct cache *c, uint64_t hash, const void *key, void *entry, int64_t ends_at);
/* Releases the entry of that key, if any. */
void cache_drop(struct cache *c, uint64_t hash, const void *key);
void cache_clear(struct cache *c);
size_t cache_count(const struct cache *c);
