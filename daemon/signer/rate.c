/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

#include <stdlib.h>

/* Levels are counted in thousandths, so that a millisecond of a rate of 1/s is one. */
#define ONE_TOKEN 1000

struct bucket {
    int64_t level; /* thousandths of a token */
    int64_t filled_ms;
};

struct rate {
    const struct settings *settings; /* not owned; outlives us */
    size_t n;
    struct bucket buckets[];
};

static int64_t bucket_size(const struct client_rule *rule)
{
    return (int64_t)rule->rate_per_s * ONE_TOKEN;
}

struct rate *rate_new(const struct settings *s)
{
    struct rate *r = calloc(1, sizeof(*r) + s->n_clients * sizeof(r->buckets[0]));
    if (!r)
        return NULL;
    r->settings = s;
    r->n = s->n_clients;
    for (size_t i = 0; i < r->n; i++)
        r->buckets[i].level = bucket_size(&s->clients[i]);
    return r;
}

void rate_free(struct rate *r)
{
    free(r);
}

void rate_inherit(struct rate *r, const struct rate *old)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct client_rule *rule = &r->settings->clients[i];
        const struct client_rule *same = settings_client(old->settings, span_of(rule->name));
        if (!same)
            continue;
        struct bucket was = old->buckets[same - old->settings->clients];
        /* A rule that had no limit before starts with a full bucket. */
        if (same->rate_per_s > 0 && was.level < bucket_size(rule))
            r->buckets[i] = was;
    }
}

static void fill(struct bucket *b, const struct client_rule *rule, int64_t now_ms)
{
    int64_t passed = now_ms - b->filled_ms;
    b->filled_ms = now_ms;
    /* More than a second fills any bucket; less cannot overflow. */
    b->level = passed >= 1000 ? bucket_size(rule) : b->level + passed * (int64_t)rule->rate_per_s;
    if (b->level > bucket_size(rule))
        b->level = bucket_size(rule);
}

bool rate_take(struct rate *r, const struct client_rule *rule, int64_t now_ms)
{
    struct bucket *b = &r->buckets[rule - r->settings->clients];
    if (rule->rate_per_s == 0)
        return true;
    fill(b, rule, now_ms);
    if (b->level < ONE_TOKEN)
        return false;
    b->level -= ONE_TOKEN;
    return true;
}
