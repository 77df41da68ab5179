/* SPDX-License-Identifier: Apache-2.0 */
/* The worker processes: started, replaced when they die, told what they need to know and nothing
 * else. Validators get the trust and no way to the signer; minters get a way to the signer and no
 * trust, only who is suspended. */
#pragma once

#include "children.h"
#include "counters.h"
#include "listeners.h"
#include "msg_hint.h"
#include "partners.h"

enum workers_kind { WORKERS_VALIDATOR, WORKERS_MINTER };
const char *workers_kind_name(enum workers_kind k);

struct workers;

struct workers_ops {
    /* A validator wishes for a newer document. HINT_IN_VAIN: it is told at once that there will be
     * none now; else workers_ended follows for this partner. */
    enum hint_fate (*on_hint)(struct partner_entry *e, const struct msg_hint *m, void *arg);
    /* Milliseconds in which no other hint for `e` would be heard. */
    int64_t (*hint_pause_ms)(const struct partner_entry *e, void *arg);
    /* The answer to MSG_CONFIG_PREPARE of worker `slot`, with the id of the question. */
    void (*on_config)(size_t slot, uint32_t id, const struct msg_config *m, void *arg);
    /* What a validator found in the token of workers_announce with that ticket. May be NULL. */
    void (*on_announced)(uint64_t ticket, const struct msg_announced *m, void *arg);
    /* A worker is gone; another is started unless they are held. */
    void (*on_dead)(size_t slot, void *arg);
    void (*on_fence)(uint32_t passed, void *arg); /* see workers_fence; may be NULL */
    /* A connected mint link for a new minter: descriptor (taken over) or -errno. */
    int (*mint_link)(void *arg);
};

struct workers_plan {
    const char *config_dir; /* what a worker reads again at a reload; NULL: the standard folders */
    const struct settings *settings; /* what it starts with; must outlive the next workers_resync */
    unsigned validators, minters;
};

/* Everything is kept by reference and outlives it. Nothing is started yet. NULL: out of memory. */
struct workers *workers_new(struct event_base *base, struct children *children,
    struct partners *partners, const struct workers_ops *ops, void *arg) WARN_UNUSED;
/* Closes the links: the workers finish what they have and end. NULL is fine. */
void workers_free(struct workers *w);

/* Starts them; a kind without a door is left out. The doors stay the caller's. 0, or -errno when
 * even the first start of a worker fails. */
int workers_start(struct workers *w, const struct workers_plan *plan, const struct listeners *doors)
    WARN_UNUSED;
/* From now on no worker is replaced, and those that are there finish what they have. */
void workers_stop(struct workers *w);
/* While held, the dead are not replaced: a new one would read a configuration that is not decided
 * yet. */
void workers_hold(struct workers *w, bool hold);

/* partners_adopt has run with `s`: new workers start with it, and those that are there are sent
 * everything again. Names that are gone were told by workers_gone. False: out of memory. */
bool workers_resync(struct workers *w, const struct settings *s, uint64_t trust_generation)
    WARN_UNUSED;
void workers_gone(struct workers *w, const char *partner);
/* The trust of `e` is another one; the new trust generation follows it. */
void workers_trust(struct workers *w, const struct partner_entry *e, uint64_t trust_generation);
/* e->state.trust.suspended is another one: the minters are told. Validators hear it with
 * workers_trust. */
void workers_suspended(struct workers *w, const struct partner_entry *e);
/* Asks every worker whether everything told so far has come; ops->on_fence with this number or a
 * higher one says that all have answered or are gone, and that what takes their place knows it. 0:
 * there is nobody to ask. */
uint32_t workers_fence(struct workers *w);
/* The attempt for `e` has ended, `good`: with a document that is current: whoever hinted may go on.
 */
void workers_ended(struct workers *w, const struct partner_entry *e, bool good);
void workers_health(struct workers *w, struct msg_health health);
/* The signer came or went: the minters get new links, or hear that it is away. */
void workers_signer(struct workers *w, bool up);

/* The signing key of the ring that is about to be published. */
void workers_signing_key(struct workers *w, const uint8_t x5t[X5T_LEN]);

/* Asks each worker whether it is there, and kills one that has not answered several times in a row:
 * another takes its place. Runs by itself every few seconds. */
void workers_ping(struct workers *w);

/* Lets a validator judge an announce token; they take turns. *ret_ticket names the answer, which
 * does not come when that validator dies. 0, -ENOTCONN: there is none, or -errno. */
int workers_announce(struct workers *w, struct span token, uint64_t *ret_ticket) WARN_UNUSED;

size_t workers_count(const struct workers *w);
/* MSG_CONFIG_PREPARE, _COMMIT or _ABORT to one of them. 0 or -errno, -ENOTCONN when it is not
 * running. One that cannot be told would go on with a configuration of its own: it is ended, and
 * replaced as any other that dies. */
int workers_config(struct workers *w, size_t slot, enum msg_type type, uint32_t id) WARN_UNUSED;

/* For Status. */
uint64_t workers_dropped(const struct workers *w); /* frames of workers that were dropped */
struct worker_view {
    enum workers_kind kind;
    pid_t pid; /* 0: being restarted */
    const struct counters *counters;
};
struct worker_view workers_at(const struct workers *w, size_t slot);
