/* SPDX-License-Identifier: Apache-2.0 */
/* Who has seen our keys, and what follows from it: takes evidence, keeps STATE/sightings.state,
 * says to the signer whether the next key is held, and reminds in the log of what it waits for. */
#pragma once

#include "announces.h"
#include "rollout.h"

#include <event2/event.h>

struct witness;

struct witness_ops {
    /* The word about NEXT is another one, or is to be repeated for a new link. */
    void (*on_hold)(const struct msg_hold *m, void *arg);
    /* Something else stands against the key: true with a sentence. NULL: nothing does. */
    bool (*else_held)(const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len, void *arg);
};

/* `state_dir`, whose lock the caller holds, is copied; a file that cannot be read is put aside.
 * `ops` outlives it. NULL: out of memory. */
struct witness *witness_new(struct event_base *base, const char *state_dir,
    const struct witness_ops *ops, void *arg) WARN_UNUSED;
void witness_free(struct witness *w); /* writes what is not written yet; NULL is fine */

/* These settings are in force, and stay until the next call. */
void witness_use(struct witness *w, const struct settings *s);
/* The ring of the signer, at each time it comes; stays until the next call. NULL: there is none.
 * on_hold follows at once when there is a NEXT. */
void witness_ring(struct witness *w, const struct keyring *r);
/* What else_held says may be another thing now. */
void witness_look(struct witness *w);

/* Evidence for each of the keys. */
void witness_saw(
    struct witness *w, struct span partner, const struct edition *keys, enum sighting_how how);
/* A partner's word (REASON_OK), and what it had just been shown. */
void witness_heard(struct witness *w, const struct msg_announced *m, const struct edition *shown);

const struct sightings *witness_sightings(const struct witness *w);
/* NEXT is held; `why` (ROLLOUT_TEXT_MAX) is the sentence, "" when it is not. */
bool witness_held(const struct witness *w, const char **ret_why);
/* What its timers do when they fire; for tests with a clock of their own. */
void witness_tick(struct witness *w);
void witness_flush(struct witness *w);
