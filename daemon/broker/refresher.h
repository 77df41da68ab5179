/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the partners' documents current: asks the fetcher when the schedule, an unknown key or an
 * administrator says so, has the answer judged, and tells the broker what became of it. */
#pragma once

#include "fetch_link.h"
#include "msg_hint.h"
#include "partners.h"

struct refresher;

struct refresher_ops {
    /* e->state.trust is newer than what the store and the workers have: keys, or only good_at. */
    void (*on_trust)(struct partner_entry *e, void *arg);
    /* An attempt has ended; whoever waits for it may go on. After on_trust. */
    void (*on_ended)(struct partner_entry *e, const struct judged *j, void *arg);
    /* The wall clock was set: every e->state has moved along. May be NULL. */
    void (*on_clock)(void *arg);
    void (*on_freshness)(void *arg); /* some e->freshness is another one; may be NULL */
};

/* `ps`, `fl` and `ops` outlive it. Nothing is fetched before refresher_use. NULL: out of memory. */
struct refresher *refresher_new(struct event_base *base, struct partners *ps, struct fetch_link *fl,
    const struct refresher_ops *ops, void *arg) WARN_UNUSED;
void refresher_free(struct refresher *r); /* NULL is fine; what is under way is forgotten */

/* These settings are in force, partners_adopt has run: stops what is under way (and wants it again,
 * or tells its end where the partner is disabled now) and plans anew. */
void refresher_use(struct refresher *r, const struct settings *s);
/* The partner goes: stops what is under way for it. */
void refresher_forget(struct refresher *r, struct partner_entry *e);

/* A newer document might make a token good (`m`). HINT_JOINS, HINT_FETCHES: on_ended follows.
 * HINT_IN_VAIN: no attempt is made now (cooldown, or the key is known by now, or there is no
 * address to ask); counted. */
enum hint_fate refresher_hint(
    struct refresher *r, struct partner_entry *e, const struct msg_hint *m);
/* Milliseconds in which no hint for `e` would cause an attempt. */
int64_t refresher_hint_pause_ms(const struct refresher *r, const struct partner_entry *e);

struct refresher_counts {
    uint64_t fetches;       /* attempts that have ended */
    uint64_t failed;        /* ... without a document that is current */
    uint64_t unchanged;     /* ... with 304: nothing was read */
    uint64_t documents;     /* ... with a document that was read and judged */
    uint64_t hint_fetches;  /* attempts that hints have caused */
    uint64_t hints_in_vain; /* hints that caused none */
    uint64_t clock_jumps;   /* how often the wall clock was set */
};
struct refresher_counts refresher_counts(const struct refresher *r);
/* An administrator (`asked_by`, for the history) asks: an attempt is made as soon as one of the
 * parallel places is free. Returns which one answers: the question is answered by the on_ended that
 * finds e->attempts at this number or beyond it, or the partner disabled. 0: the partner is
 * disabled now. */
unsigned refresher_now(struct refresher *r, struct partner_entry *e, uid_t asked_by);

/* Wall time of the next attempt, 0: none is planned. */
int64_t refresher_next_try_at(const struct partner_entry *e);
/* What its two timers do when they fire; for tests with a clock of their own. */
void refresher_wake(struct refresher *r); /* starts the attempts that are due */
void refresher_tick(struct refresher *r); /* ages of documents, grace times of keys */
/* Its timers are in time (rule R46). */
bool refresher_in_time(const struct refresher *r);
