/* SPDX-License-Identifier: Apache-2.0 */
/* The signing children and the orders that wait for them: first come, first served, at most two in
 * flight for each child (one is signed while the next lies in its socket). A dead child is replaced
 * and its orders are handed to another once. */
#pragma once

#include "msg.h"
#include "settings.h"
#include "signkey.h"

#include <event2/event.h>
#include <sys/queue.h>

#define POOL_ORDERS_MAX 1024
#define POOL_IN_FLIGHT 2
/* An order that takes longer than this has met a stuck child. Soon enough for another child to sign
 * it before its minter gives up (MINTER_ANSWER_MS). */
#define POOL_ORDER_MS 1500

/* One order. Made by the mint link, owned by the pool from pool_push until it was answered. */
struct order {
    TAILQ_ENTRY(order) next;
    void *owner;           /* who asked; NULL: has gone, nobody wants the answer */
    uint32_t reply_id;     /* of the asker's frame */
    bool is_seal;          /* `seal` counts, not `asked` */
    struct msg_mint asked; /* spans point behind this struct */
    struct msg_seal seal;  /* likewise */
    struct span host;      /* granted, likewise */
    int64_t lifetime_s;    /* granted */
    unsigned attempts;
    uint32_t child_id; /* id on the child's link */
    int64_t since_ms;  /* pushed, then: sent */
};

/* Copies what `m` points at; NULL: out of memory. */
struct order *order_new(const struct msg_mint *m, struct span host, int64_t lifetime_s) WARN_UNUSED;
/* An order for claims that the signer has composed, copied, with `about` (a partner's name, for the
 * record) in asked.request.partner. NULL: out of memory. */
struct order *order_new_seal(const struct msg_seal *m, struct span about) WARN_UNUSED;
void order_free(struct order *o);

/* An order has ended: exactly one of `minted` and `refused` is there. `kid` names the key that
 * signed. The order is freed after the call. */
typedef void pool_done_fn(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *arg);

struct pool;
struct pool *pool_new(struct event_base *base, unsigned n, pool_done_fn *on_done, void *arg)
    WARN_UNUSED;
/* Ends all children; orders that still wait are dropped without an answer. */
void pool_free(struct pool *p);
/* From now on children have these settings and this key (both must live until the next pool_renew
 * or pool_free). Children of before get no new orders and end after their last answer. 0, or -errno
 * when not a single new child could be started. */
int pool_renew(struct pool *p, const struct settings *s, struct signkey *key) WARN_UNUSED;
/* False when POOL_ORDERS_MAX are waiting: the caller keeps the order. */
bool pool_push(struct pool *p, struct order *o) WARN_UNUSED;
/* The asker has gone: its waiting orders are dropped, answers of the others are thrown away. */
void pool_forget(struct pool *p, const void *owner);
/* While held, orders for tokens wait; those in flight are answered, and what is signed about
 * ourselves goes on. */
void pool_hold(struct pool *p, bool hold);
bool pool_is_idle(const struct pool *p);    /* nobody waits for an answer */
bool pool_is_healthy(const struct pool *p); /* children are there and none is stuck */
/* Signing children alive, draining ones not counted. */
unsigned pool_children(const struct pool *p);
