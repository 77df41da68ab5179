/* SPDX-License-Identifier: Apache-2.0 */
/* What screens say of how a partner stands. */
#pragma once

#include "answer.h"
#include "screen.h"

#define CLOCK_OFFSET_SHOWN 60 /* seconds; less is not worth a line in a table */

/* Its document is too old, or was never fetched. */
bool partner_is_stale(const struct brief_answer *b);
/* How fresh the document is; returns the colour of that. */
enum colour put_freshness(struct buf *out, const struct style *s, const struct brief_answer *b);
/* "in 48 min", "now", or "-" when there will be none. */
void put_next_try(struct buf *out, const struct style *s, const struct brief_answer *b);
/* "HTTP 503 (fetch_status)", or the sentence when there is no detail. Nothing after a good fetch.
 */
void put_last_failure(struct buf *out, const struct brief_answer *b);
/* "tokens refused from ...", behind "; " when something stands before it. Nothing while fresh. */
void put_refused_from(struct buf *out, const struct style *s, const struct brief_answer *b);
/* "suspended since 2026-11-25 12:00 by uid 0". Nothing when it is not. */
void put_suspended(struct buf *out, const struct style *s, const struct brief_answer *b);
/* "7 s ahead of ours", "in step with ours". Nothing when it is not known. */
void put_clock_offset(struct buf *out, const struct brief_answer *b);
