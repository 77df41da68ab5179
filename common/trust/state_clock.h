/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a partner's state when the wall clock is not what it was. They are kept as wall
 * time, but what hangs on them are ages: of the document, of a key that is on trial, in its grace,
 * or withdrawn, and the order in which keys were first seen. Certificates' dates and the end of a
 * signature are other people's and stay. */
#pragma once

#include "state.h"

/* The wall clock was set `by_s` forward (negative: back): every time that was noted moves along, so
 * that no age changes. The partner's clock stays where it was, so it is less ahead of ours by it.
 */
void state_clock_move(struct partner_state *s, int64_t by_s);

/* After reading: what was noted later than `now` counts from now, since the clock was wrong when it
 * was noted or is wrong now. True: there was something. next_try_at is the schedule's business. */
bool state_clock_settle(struct partner_state *s, int64_t now);
