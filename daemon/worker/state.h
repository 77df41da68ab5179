/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a worker share. One loop, no threads, one writer for each field. */
#pragma once

#include "audit.h"
#include "counters.h"
#include "store.h"
#include "suspended.h"

#include <event2/event.h>

enum worker_kind { WORKER_VALIDATOR = 1, WORKER_MINTER };

struct worker {
    enum worker_kind kind;
    struct event_base *base;
    struct settings *settings;    /* in force; owned */
    uint64_t edition;             /* moves when settings do: pointers into the old ones are dead */
    struct store *store;          /* validators: our copy of the trust store; owned */
    void *pages;                  /* counters of all workers */
    unsigned index, of;           /* ours among them */
    bool synced;                  /* everything the broker knew at our start is here */
    bool may_mint, may_validate;  /* the broker's word for /readyz */
    bool leaving;                 /* no new work */
    struct broker_link *broker;   /* NULL in tests without one */
    struct audit_limits refusals; /* of records */
    struct doors *doors;
    struct validator *validator; /* validators only */
    struct minter *minter;       /* minters only */
    struct suspended suspended;  /* minters only: validators have it in the store */
};

static inline struct counters *worker_counters(const struct worker *w)
{
    return counters_at(w->pages, w->index);
}

/* Makes the parts that need no descriptors: store, validator or minter, doors. Takes over
 * `settings`; `pages` stays the caller's. False: out of memory; worker_done may be called all the
 * same. */
bool worker_init(struct worker *w, enum worker_kind kind, struct event_base *base,
    struct settings *settings) WARN_UNUSED;
void worker_done(struct worker *w);
/* Puts other settings in force; takes them over. */
void worker_commit(struct worker *w, struct settings *settings);
