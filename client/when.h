/* SPDX-License-Identifier: Apache-2.0 */
/* A date as people type it behind --effective. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

#define WHEN_FORMS "2027-04-02, 2027-04-02T08:00, 2027-04-02T08:00:00Z or +30d"

/* Wall seconds of `text`: a day (its first second), a day and a time joined by T or a blank, with
 * or without seconds, and behind either Z or an offset such as +02:00; without one it is local
 * time, or UTC when `utc`. Or "+" and a span of time as settings have it, counted from `now`.
 * False: none of these, no such day, before 1970 or beyond the year 9999. */
bool when_read(const char *text, int64_t now, bool utc, int64_t *ret) WARN_UNUSED;

/* Seconds that local clocks are ahead of UTC at that time. */
int64_t when_offset(int64_t at);
/* The time at which local clocks show what UTC clocks show at `local`. In the hour that is skipped
 * when summer time begins, the moment after it. */
int64_t when_of_local(int64_t local);
