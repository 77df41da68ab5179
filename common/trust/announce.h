/* SPDX-License-Identifier: Apache-2.0 */
/* The claims by which we say who fetches a partner's document, and which of its keys we hold VALID.
 * What the other side thinks of it is check_announce.h. */
#pragma once

#include "check_announce.h"

struct announcement {
    const struct identity *identity; /* whose word it is */
    struct span url;                 /* that is asked: the audience */
    const uint8_t (*trusts)[X5T_LEN];
    size_t n_trusts; /* at most ANNOUNCE_KEYS_MAX */
    int64_t now;     /* wall seconds */
};
/* Appends the claims as JSON. *ret_expires_at: ANNOUNCE_LIFE_S from now. REASON_OK,
 * REASON_INVALID_REQUEST for too many keys or a moment that is no time, REASON_OUT_OF_MEMORY. */
enum reason announce_compose(
    const struct announcement *a, struct buf *claims, int64_t *ret_expires_at) WARN_UNUSED;
