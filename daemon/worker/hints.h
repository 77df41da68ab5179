/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for a newer document of their partner: one question to the broker for each
 * partner, at most 3 s, a capped number of waiters. What the broker would not fetch for is not
 * asked and nobody waits for it: within its cooldown, and for key ids that were looked for a moment
 * ago.
 */
#pragma once

#include "methods.h"
#include "msg_hint.h"

#define HINT_WAIT_MS 3000
/* After a question that was not answered in time that partner's unknown keys are refused at once
 * for this long. */
#define HINT_QUIET_MS 1000
/* Key ids of one partner that a document did not hold: refused at once for so long, or until the
 * partner's keys change. The oldest makes room. */
#define HINT_NEGATIVE_MAX 256
#define HINT_NEGATIVE_MS 300000

struct hints;

/* Judges a waiting request again. `last`: it must be answered now; else it may be left waiting
 * (return false). */
typedef bool hints_judge_fn(struct worker *w, struct request *r, bool last);

struct hints *hints_new(struct worker *w, hints_judge_fn *judge) WARN_UNUSED;
/* No request may be waiting any more. */
void hints_free(struct hints *h);

/* Lets `r`, which was refused as `v` says, wait for a newer document, asking the broker if nobody
 * has yet: REASON_OK. Otherwise it must be answered now: with the verdict as it is
 * (REASON_UNKNOWN_KEY: waiting is in vain); REASON_QUOTA (too many wait already for this partner or
 * for this user) or REASON_OUT_OF_MEMORY when the token could not be judged. What is not asked is
 * counted. */
enum reason hints_park(struct hints *h, struct request *r, const struct token_checked *v)
    WARN_UNUSED;
/* Forgets a waiting request without an answer. */
void hints_cancel(struct hints *h, struct request *r);
/* That partner's trust has come, perhaps with other keys: judges who waits for it. */
void hints_on_trust(struct hints *h, struct span partner);
/* The broker has answered: nobody waits any longer. */
void hints_on_done(struct hints *h, const struct msg_hint_done *m);
/* Everything may have changed: all are judged now, and nothing is remembered. */
void hints_wake_all(struct hints *h);
