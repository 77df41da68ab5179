/* SPDX-License-Identifier: Apache-2.0 */
/* Inside pool_members. */
#pragma once

#include "clock_watch.h"
#include "pool_members.h"
#include "schedule.h"

#include <sys/queue.h>

struct pool_entry {
    struct pool_members *pool;
    struct pool_member member;
    struct schedule schedule;
    struct fetch *fetch;        /* under way */
    bool wanted;                /* an attempt shall be made now */
    bool save_failed;           /* told once, until a write works again */
    enum pool_state told_state; /* as last told in the log */
};

struct pool_wait {
    LIST_ENTRY(pool_wait) next;
    void (*done)(void *arg);
    void *arg;
};

struct pool_members {
    char *dir; /* STATE/pool */
    const struct pool_members_ops *ops;
    void *arg;
    struct fetch_link *fl;
    bool started;
    const struct settings *settings;
    bool has_id;
    uint8_t id[METADATA_MEMBER_LEN]; /* who of the pool we are */
    struct pool_entry *list[SETTINGS_POOL_MAX];
    size_t n;
    struct event *wake, *tick;
    struct clock_watch clock;
    const struct cert *fellows[METADATA_KEYS_MAX]; /* the members' own */
    size_t n_fellows, left_out;
    uint8_t told[METADATA_KEYS_MAX][X5T_S256_LEN]; /* the union as on_changed last told it */
    size_t n_told;
    LIST_HEAD(, pool_wait) waits;
};

/* Before anything is done with the wall clock: follows it when somebody has set it (which the
 * refresher tells), and asks everybody when the machine has slept. */
void pool_look_at_clock(struct pool_members *pm);
/* Works the union out anew; true when it is another one than was last told. */
bool pool_settle(struct pool_members *pm);
/* Arms the timer for the earliest attempt. */
void pool_plan(struct pool_members *pm);

/* On disk (pool_state.c). Files that are damaged are put aside. */
void pool_load_id(struct pool_members *pm); /* or makes one */
bool pool_load(const struct pool_members *pm, const char *url, struct pool_member *ret) WARN_UNUSED;
void pool_save(struct pool_members *pm, struct pool_entry *e);
/* Removes the files of whoever is no member, so that no key comes back with an old address. */
void pool_sweep(const struct pool_members *pm);
