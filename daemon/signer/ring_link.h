/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's link, for ring_link.c and sign_order.c only. */
#pragma once

#include "signer.h"

struct ring_link {
    LIST_ENTRY(ring_link) next;
    struct signer *signer;
    struct link *link;
    unsigned n_seals;     /* waiting or in flight */
    int64_t seals_second; /* of the monotonic clock, that seals_taken counts */
    unsigned seals_taken;
};

void ring_link_send(struct ring_link *r, const struct frame_out *f);
/* MSG_SIGN: judges it by our own reading of the configuration, composes the claims, hands them to a
 * child; answers at once when it is refused. */
void sign_order_take(struct ring_link *r, uint32_t id, const struct msg_sign *m);
