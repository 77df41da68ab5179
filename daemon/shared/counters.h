/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the workers: one memfd, one page for each worker, mapped by all, written by its owner
 * only, relaxed atomics. The broker sums. */
#pragma once

#include "reason.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define COUNTERS_UIDS 64

struct counters {
    _Atomic uint64_t connections; /* open now */
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused_connections;
    _Atomic uint64_t mints, mints_reused, mint_refusals;
    _Atomic uint64_t validations, validations_remembered, validation_refusals;
    _Atomic uint64_t hints; /* refreshes asked for because of an unknown key */
    /* ... and not asked for: none would be made yet, the key id was looked for a moment ago, the
     * token would be refused all the same, too many wait already. */
    _Atomic uint64_t hints_quiet, hints_negative, hints_hopeless, hints_no_room;
    _Atomic uint64_t by_reason[REASON_COUNT];
    struct {
        _Atomic uint32_t uid_plus_one; /* 0: free */
        _Atomic uint32_t connections;
    } uids[COUNTERS_UIDS];
};

/* Space of one worker in the memfd: a multiple of the page size that holds struct counters. */
size_t counters_stride(void);
/* Makes the memfd for n workers: descriptor or -errno. */
int counters_create(unsigned n) WARN_UNUSED;
/* Maps all n of them; worker i is counters_at(map, i). NULL on failure. */
void *counters_map(int fd, unsigned n) WARN_UNUSED;
struct counters *counters_at(void *map, unsigned i);
#define COUNT(c, field) atomic_fetch_add_explicit(&(c)->field, 1, memory_order_relaxed)
