/* SPDX-License-Identifier: Apache-2.0 */
/* The other servers of our pool: fetches their documents, keeps what is known of each below
 * STATE/pool, says what belongs into our document and whether a new key of ours is everywhere. Each
 * member is fetched on a schedule of its own; one that is down stops nobody. The members share no
 * secret and elect nobody: each reads the documents of the others, and that is all. */
#pragma once

#include "documents.h"
#include "fetch_link.h"
#include "pool_member.h"

#include <event2/event.h>

struct pool_members;

struct pool_members_ops {
    const struct keyring *(*ring)(void *arg); /* ours, NULL: not known yet */
    /* Something is known that was not: which keys the others publish, and (`documents`) what
     * belongs into our document. */
    void (*on_changed)(bool documents, void *arg);
};

/* `state_dir`, whose lock the caller holds, is copied; its folder "pool" is made with the first
 * write. NULL: out of memory. */
struct pool_members *pool_members_new(struct event_base *base, const char *state_dir,
    const struct pool_members_ops *ops, void *arg) WARN_UNUSED;
void pool_members_free(struct pool_members *pm); /* NULL is fine; what is under way is forgotten */
/* These settings are in force (and stay until the next call): members that are no longer among them
 * go, with their keys and their files; new ones are read from disk. False: out of memory,
 * everything is as before. */
bool pool_members_use(struct pool_members *pm, const struct settings *s) WARN_UNUSED;
/* Fetching begins; each member is asked at once. */
void pool_members_start(struct pool_members *pm, struct fetch_link *fl);

/* What of `of` belongs to the pool: who we are, the others' keys behind of->ring. Nothing changes
 * in it when there is no pool. Good until the next call of the loop. */
void pool_members_publish(struct pool_members *pm, struct documents_of *of);
/* Every member that is to be waited for publishes our certificate of that SHA-256 (true without a
 * pool). False: `why` is a sentence without stop that says who does not. */
bool pool_all_publish(
    const struct pool_members *pm, const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len);

/* For the screens. */
struct pool_members_at {
    const struct pool_member *member;
    enum pool_state state;
    int64_t next_try_at; /* wall time, 0: none is planned */
};
size_t pool_members_count(const struct pool_members *pm); /* 0: no pool */
struct pool_members_at pool_members_at(const struct pool_members *pm, size_t i);
/* Keys of the others in our document; good until the next call of the loop. Returns how many. */
size_t pool_members_fellows(const struct pool_members *pm, const struct cert *const **ret_certs);
size_t pool_members_left_out(const struct pool_members *pm); /* keys without room in it */

/* All members are asked now; `done` is called once when the attempts have ended, never before this
 * returns. The wait ends with it, or with pool_wait_cancel. NULL: out of memory, or no pool. */
struct pool_wait;
struct pool_wait *pool_members_refresh(struct pool_members *pm, void (*done)(void *arg), void *arg)
    WARN_UNUSED;
void pool_wait_cancel(struct pool_wait *w);

/* What its timers do when they fire; for tests with a clock of their own. */
void pool_members_wake(struct pool_members *pm);
void pool_members_tick(struct pool_members *pm);
