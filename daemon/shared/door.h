/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket in the loop: one accept4 for each wake-up, so that workers who share the
 * socket share its peers, and no busy loop when descriptors run out. */
#pragma once

#include "attr.h"

#include <event2/event.h>
#include <stdbool.h>

struct door;

struct door_ops {
    /* Asked before each accept; false: leave the peer to other workers and ask again a little
     * later. NULL: always. */
    bool (*may_accept)(void *arg);
    /* Takes over `fd` (non-blocking, close-on-exec). */
    void (*on_peer)(int fd, void *arg);
};

/* Takes over the listening socket and watches it. NULL: out of memory, socket closed. */
struct door *door_open(struct event_base *base, int listener, const struct door_ops *ops, void *arg)
    WARN_UNUSED;
/* Closes our descriptor of it (others may hold the same socket). NULL is fine. */
void door_close(struct door *d);
