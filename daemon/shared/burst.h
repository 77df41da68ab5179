/* SPDX-License-Identifier: Apache-2.0 */
/* A bound for log lines that anybody can cause: so many of one kind in a second, the rest is only
 * counted. Whoever could fill the journal could make it forget others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BURST_MAX 10

/* One kind of line; all zero at the start. */
struct burst {
    int64_t second; /* of the monotonic clock */
    unsigned written, left_out;
};
/* True when one more line may be written. *ret_left_out, set in any case: how many were left out
 * before this second began, told once; the caller writes it in front of its line. */
bool burst_take(struct burst *b, unsigned *ret_left_out);
