/* SPDX-License-Identifier: Apache-2.0 */
/* Judging: may this peer ask, what is the verdict, and what to do about a key that nobody here
 * knows. */
#pragma once

#include "methods.h"
#include "msg_hint.h"

struct validator;
struct validator *validator_new(struct worker *w) WARN_UNUSED;
void validator_free(struct validator *v);

void validator_run(struct worker *w, struct request *r);
void validator_cancel(struct worker *w, struct request *r);

/* News from the broker: that partner's keys have changed, or the refresh that a hint asked for has
 * ended. */
void validator_on_trust(struct worker *w, struct span partner);
void validator_on_hint_done(struct worker *w, const struct msg_hint_done *m);
/* Other settings are in force: pointers into the old ones are gone, who waits is judged now. */
void validator_on_commit(struct worker *w);
/* Nobody waits any longer: everybody is judged as things stand. */
void validator_drain(struct worker *w);
