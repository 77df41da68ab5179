/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the word of a list that a mistyped one is closest to. */
#pragma once

#include "span.h"

/* Keeps the best of the words it was shown. */
struct nearest {
    struct span typed;
    const char *best;  /* NULL: none is close enough */
    unsigned distance; /* edits between typed and best */
};

/* About a third of the typed word may differ, at least one edit. */
void nearest_start(struct nearest *n, struct span typed);
/* Shows one candidate; it must outlive `n`. */
void nearest_offer(struct nearest *n, const char *candidate);
