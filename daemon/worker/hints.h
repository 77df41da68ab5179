/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for a key of their partner: one question to the broker for each partner, at
 * most 3 s, a capped number of waiters. */
#pragma once

#include "methods.h"

#define HINT_WAIT_MS 3000
/* After an answer that brought nothing, that partner's unknown keys are refused at once for this
 * long: a flood of them costs no more than any other bad token. */
#define HINT_QUIET_MS 1000

struct hints;

/* Judges a waiting request again. `last`: it must be answered now; else it may be left waiting
 * (return false). */
typedef bool hints_judge_fn(struct worker *w, struct request *r, bool last);

struct hints *hints_new(struct worker *w, hints_judge_fn *judge) WARN_UNUSED;
/* No request may be waiting any more. */
void hints_free(struct hints *h);

/* Lets `r` wait for a key of `partner`, asking the broker if nobody has yet: REASON_OK. Otherwise
 * it must be answered now: REASON_UNKNOWN_KEY when the last answer is so fresh that waiting is in
 * vain; REASON_QUOTA (too many wait already for this partner or for this user) or
 * REASON_OUT_OF_MEMORY when the token could not be judged. */
enum reason hints_park(struct hints *h, struct request *r, struct span partner,
    const uint8_t x5t[X5T_LEN]) WARN_UNUSED;
/* Forgets a waiting request without an answer. */
void hints_cancel(struct hints *h, struct request *r);
/* Judges who waits for that partner; `last` also ends the question. */
void hints_wake(struct hints *h, struct span partner, bool last);
/* The same for all partners, with last. */
void hints_wake_all(struct hints *h);
