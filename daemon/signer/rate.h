/* SPDX-License-Identifier: Apache-2.0 */
/* RateLimit= of the client rules: a token bucket for each rule that holds one second's worth. Kept
 * in the signer, so that several minters share it. */
#pragma once

#include "settings.h"

struct rate;

/* Buckets for all rules of `s`, full. NULL: out of memory. */
struct rate *rate_new(const struct settings *s) WARN_UNUSED;
void rate_free(struct rate *r);
/* Takes over the levels of rules that have the same name in `old`, so that a reload is no way
 * around the limit. */
void rate_inherit(struct rate *r, const struct rate *old);
/* May one more token be signed for `rule` (of the settings r was made from) at now_ms (monotonic)?
 * Takes it if so. */
bool rate_take(struct rate *r, const struct client_rule *rule, int64_t now_ms);
