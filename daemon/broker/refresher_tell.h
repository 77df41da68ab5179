/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of the partners' documents. Everything here only logs. */
#pragma once

#include "clock_watch.h"
#include "partners.h"

/* How a partner stood before an attempt. */
struct refresher_before {
    enum reason reason; /* how the attempt before ended */
    unsigned failures;  /* in a row */
    char detail[sizeof(((struct partner_state *)NULL)->last_detail)];
    char keys[1024]; /* thumbprints of those that counted */
};
void refresher_before(struct refresher_before *before, const struct partner_state *s);

/* An attempt has ended, e->state is as it left it: tells an end that is another than before (a row
 * of equal failures once), keys that are seen and not believed, and each change of keys. */
void refresher_tell_attempt(
    const struct partner_entry *e, const struct refresher_before *before, const struct judged *j);
/* The keys that count are others than `before` says. */
void refresher_tell_keys(const struct partner_entry *e, const char *before, const struct judged *j);
/* e->freshness becomes `f`; what is refused is told with its date. */
void refresher_tell_freshness(
    const struct partner_entry *e, enum freshness f, int64_t stale_after_s);
void refresher_tell_clock(const struct clock_change *c);
