/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between a key of ours and our partners: who has not seen it, whether the next key
 * must wait and for whom, when to remind. Pure judgement over settings, sightings and ring. */
#pragma once

#include "rollover.h"
#include "sightings.h"

/* Reminders of a held key begin so long before it would sign. */
#define ROLLOUT_REMIND_S (30 * 86400)

#define ROLLOUT_TEXT_MAX 512

/* The partner counts when it is asked who has seen a key: it is enabled. One whose document we have
 * never read counts too: it may believe our tokens all the same. */
bool rollout_takes_part(const struct partner *p);
/* It has seen the key: some evidence that counts. *ret_best is the evidence, NULL: none. */
bool rollout_seen(const struct sightings *s, const struct partner *p,
    const uint8_t x5t_s256[X5T_S256_LEN], const struct sighting **ret_best);

/* The command that makes this kind of partner read our document again. Returns out. */
char *rollout_how_to(const struct settings *s, const struct partner *p, char out[ROLLOUT_TEXT_MAX]);
/* One sentence for each partner that takes part and has not seen the key: what is known, what to
 * do; each ended by a line feed. Returns how many. */
size_t rollout_missing(const struct settings *s, const struct sightings *sightings,
    const uint8_t x5t_s256[X5T_S256_LEN], struct buf *lines);

/* True: the key must not begin to sign by itself, for the sake of the partner that `why` names.
 * That is one with SelfRefresh=no that has not seen it, or one that says it does not believe it. */
bool rollout_held(const struct settings *s, const struct sightings *sightings,
    const uint8_t x5t_s256[X5T_S256_LEN], char why[ROLLOUT_TEXT_MAX]);

/* When NEXT of the public ring begins to sign by itself if it is held until then, or if nothing
 * holds it: rollover_activation, asked what if. 0: never, or there is no NEXT. `r` may be NULL. */
int64_t rollout_activation(const struct keyring *r, bool held);
/* When NEXT may be made to sign at the earliest; 0: not known yet. */
int64_t rollout_earliest(const struct keyring *r);
/* A held NEXT that would sign at `effective_at` is to be reminded of now; the last reminder was at
 * `reminded_at`, 0: none. Once a day from ROLLOUT_REMIND_S before. */
bool rollout_reminder_due(int64_t effective_at, int64_t reminded_at, int64_t now);

const struct ring_slot *rollout_next(const struct keyring *r); /* NULL: there is none, or no ring */
