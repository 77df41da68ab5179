/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's partners: what is known of each, kept in a file of its own below STATE/partners, and
 * the trust store that is made of it. No network and no timers here. */
#pragma once

#include "judge.h"
#include "keyring.h"
#include "schedule.h"
#include "store.h"

struct partner_entry {
    const struct partner *partner; /* into the settings in force */
    struct partner_state state;
    struct schedule schedule;
    enum freshness freshness; /* as last told in the log */
    bool wanted;              /* an attempt shall be made now */
    char cause[64];           /* of the attempt that is wanted or under way; "": its time came */
    unsigned attempts;        /* begun since the start */
    struct fetch *fetch;      /* under way, the refresher's */
    size_t url_at;            /* ... at this one of the metadata URLs */
    char address[64]; /* where its document came from last, "": not fetched since the start */
    bool save_failed; /* told once, until a write works again */
    size_t index;     /* its place, partners_at(index) */
    unsigned round;   /* of partners_adopt that saw it last */
    void *refresher;  /* the refresher's own, for its callback */
};

struct partners;

/* `state_dir`, whose lock the caller holds, is copied; its folder "partners" is made with the first
 * write. NULL: out of memory. */
struct partners *partners_new(const char *state_dir) WARN_UNUSED;
void partners_free(struct partners *ps); /* NULL is fine */

/* Told by partners_adopt of a partner that is no longer configured, before it is forgotten; it is
 * in no list any more. */
typedef void partners_gone_fn(struct partner_entry *e, void *arg);

/* Takes the partners of `s` over: known ones keep their state, new ones are read from disk, others
 * go. What is known under other pins is forgotten (and logged), a state file that cannot be read is
 * put aside. Entries without a document, and those whose address changed, are wanted. `s` must stay
 * until the next call. False: out of memory, everything is as before. */
bool partners_adopt(struct partners *ps, const struct settings *s, partners_gone_fn *on_gone,
    void *arg) WARN_UNUSED;

size_t partners_count(const struct partners *ps);
struct partner_entry *partners_at(struct partners *ps, size_t i);
struct partner_entry *partners_find(struct partners *ps, struct span name); /* NULL: none */

/* What workers are told: the store's copy with disputes settled. NULL before the first
 * partners_settle. */
const struct partner_trust *partners_trust(
    const struct partners *ps, const struct partner_entry *e);

/* Puts e->state.trust into the store (e NULL: that of all partners) and settles disputes over all
 * and our own ring (NULL: none known). Calls `moved` for `e` and for each other partner whose trust
 * moved by it. */
typedef void partners_moved_fn(struct partner_entry *e, void *arg);
enum reason partners_settle(struct partners *ps, struct partner_entry *e,
    const struct keyring *ring, partners_moved_fn *moved, void *arg) WARN_UNUSED;

/* Certificates of the other members of our pool: as much ours as the ring, from the next
 * partners_settle on. They are copied. */
void partners_set_fellows(struct partners *ps, const struct cert *const *certs, size_t n);

/* The store and our own keys as the last partners_settle saw them; good until the next one. */
struct judge_others partners_others(const struct partners *ps);

/* Takes the plan of `e` up as its state says, see schedule_resume. True: the next attempt is at
 * another time than before; the caller may want to keep that. */
bool partners_resume(struct partner_entry *e, const struct settings *s);

/* Writes the state file. A failure is logged once; the service goes on with what is in memory. */
void partners_save(struct partners *ps, struct partner_entry *e);

/* File name of a partner's state: letters, digits, '-', '_' and inner '.' as they are, all else as
 * %XX, then
 * ".state". Returns out. */
#define PARTNERS_FILE_MAX 1024
char *partners_file_name(const char *name, char out[PARTNERS_FILE_MAX]);
