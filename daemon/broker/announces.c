/* SPDX-License-Identifier: Apache-2.0 */
#include "announces.h"

#include "burst.h"
#include "clock.h"
#include "log.h"

#include <stdlib.h>

/* A validator that has not judged by then has died. */
#define PENDING_MS 10000

/* Of the filter of addresses: few of 10,000 partners share a bit. */
#define ADDRESS_BITS (1U << 17)

struct pending {
    uint64_t ticket;
    int64_t until_ms; /* 0: free */
    struct edition shown;
};

/* So many within each second. */
struct window {
    int64_t began_ms;
    unsigned n;
};

struct announces {
    const struct announces_ops *ops;
    void *arg;
    struct window known, strangers;
    struct pending pending[ANNOUNCES_PENDING_MAX];
    struct announces_counters counters;
    struct burst refusals;               /* told in the log */
    uint8_t addresses[ADDRESS_BITS / 8]; /* one bit for the hash of each; never cleared */
};

void edition_of(const struct keyring *r, struct edition *ret)
{
    ret->n = 0;
    for (size_t i = 0; r && i < r->n; i++)
        if (r->slots[i].state != KEY_RETIRED)
            memcpy(ret->x5t_s256[ret->n++], r->slots[i].cert->x5t_s256, X5T_S256_LEN);
}

struct announces *announces_new(const struct announces_ops *ops, void *arg)
{
    struct announces *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->ops = ops;
    a->arg = arg;
    return a;
}

void announces_free(struct announces *a)
{
    free(a);
}

/* FNV-1a. Who makes an address collide gains nothing: the list is then looked through. */
static uint32_t bit_of(const char *address)
{
    uint32_t h = 2166136261;
    for (; *address; address++)
        h = (h ^ (uint8_t)*address) * 16777619U;
    return (h ^ h >> 15) % ADDRESS_BITS;
}

void announces_learn(struct announces *a, const char *address)
{
    uint32_t bit = bit_of(address);
    if (address[0])
        a->addresses[bit / 8] |= (uint8_t)(1U << bit % 8);
}

bool announces_may_know(const struct announces *a, const char *address)
{
    uint32_t bit = bit_of(address);
    return address[0] && (a->addresses[bit / 8] & 1U << bit % 8) != 0;
}

static bool take(struct window *w)
{
    int64_t now = clock_mono_ms();
    if (w->n == 0 || now - w->began_ms >= 1000)
        *w = (struct window){.began_ms = now};
    if (w->n == ANNOUNCES_PER_S)
        return false;
    w->n++;
    return true;
}

static struct pending *free_place(struct announces *a)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < ANNOUNCES_PENDING_MAX; i++)
        if (a->pending[i].until_ms <= now)
            return &a->pending[i];
    return NULL;
}

void announces_say(struct announces *a, struct span token, bool known, const struct edition *shown)
{
    struct pending *p = free_place(a);
    uint64_t ticket;
    if (!p || !take(known ? &a->known : &a->strangers) ||
        a->ops->judge(token, &ticket, a->arg) < 0) {
        a->counters.suppressed++;
        return;
    }
    *p = (struct pending){
        .ticket = ticket, .until_ms = clock_mono_ms() + PENDING_MS, .shown = *shown};
}

static struct pending *pending_of(struct announces *a, uint64_t ticket)
{
    for (size_t i = 0; i < ANNOUNCES_PENDING_MAX; i++)
        if (a->pending[i].until_ms != 0 && a->pending[i].ticket == ticket)
            return &a->pending[i];
    return NULL;
}

/* Anybody may say anything; the journal need not hear it each time. */
static void refuse(struct announces *a, enum reason reason)
{
    unsigned left_out;
    a->counters.refused++;
    if (!burst_take(&a->refusals, &left_out))
        return;
    if (left_out > 0)
        log_info("announcements: %u further ones were not believed", left_out);
    log_info("announcement of somebody who fetched our document is not believed: %s",
        reason_sentence(reason));
}

/* A partner that asks again and again is not listened to each time; the keys of a document that it
 * had not seen are bounded by the keys that we make. */
static bool is_too_soon(const struct announces *a, const struct msg_announced *m,
    const struct edition *shown, int64_t heard_at)
{
    int64_t since = clock_wall_s() - heard_at;
    if (since < 0 || since >= ANNOUNCES_OF_PARTNER_S)
        return false;
    return !a->ops->is_news || !a->ops->is_news(m, shown, a->arg);
}

void announces_judged(
    struct announces *a, uint64_t ticket, const struct msg_announced *m, int64_t heard_at)
{
    struct pending *p = pending_of(a, ticket);
    if (!p)
        return;
    p->until_ms = 0;
    if (m->reason != REASON_OK) {
        refuse(a, m->reason);
    } else if (is_too_soon(a, m, &p->shown, heard_at)) {
        a->counters.suppressed++;
    } else {
        a->counters.taken++;
        a->ops->on_word(m, &p->shown, a->arg);
    }
}

const struct announces_counters *announces_counted(const struct announces *a)
{
    return &a->counters;
}
