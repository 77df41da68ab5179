/* SPDX-License-Identifier: Apache-2.0 */
/* The partners for which an administrator has stopped minting, as the broker tells a minter. */
#pragma once

#include "attr.h"
#include "span.h"

/* Sorted names, each owned. Zeroed: none. */
struct suspended {
    char **list;
    size_t n, cap;
};
void suspended_done(struct suspended *s);
bool suspended_has(const struct suspended *s, struct span name);
/* Puts the name in or takes it out. False: out of memory, it is not in. */
bool suspended_set(struct suspended *s, struct span name, bool in) WARN_UNUSED;
