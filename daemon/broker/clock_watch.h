/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that somebody has set the wall clock, by comparing it with the clock that nobody sets. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

/* A difference that changes by no more between two looks is the slow correction of a time service.
 */
#define CLOCK_JUMP_S 5

/* Zero it; the first look only takes the measure. */
struct clock_watch {
    bool is_set;
    int64_t wall_ms;  /* the wall clock, less the one that counts sleep */
    int64_t sleep_ms; /* the one that counts sleep, less the monotonic one */
};

struct clock_change {
    int64_t by_s;           /* the wall clock was set so far forward; 0: it was not */
    int64_t old_ms, new_ms; /* wall clock less the other, before and after */
    int64_t slept_s;        /* the machine has slept so long; it is no jump */
};

/* True when something is to be told; the new difference is then the measure. */
bool clock_watch_look(struct clock_watch *w, struct clock_change *ret);
