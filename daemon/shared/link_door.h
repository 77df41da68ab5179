/* SPDX-License-Identifier: Apache-2.0 */
/* The accepting side of link sockets: a door (door.h) that judges the uid of each peer. */
#pragma once

#include "attr.h"

#include <event2/event.h>

struct link_door;

/* Called with the connected descriptor of a peer with the right uid; the callee owns it. */
typedef void link_door_fn(int fd, void *arg);

/* Takes over `listener`. `uid`: the only one that may connect. NULL: out of memory, listener
 * closed. */
struct link_door *link_door_new(struct event_base *base, int listener, unsigned uid,
    link_door_fn *on_link, void *arg) WARN_UNUSED;
/* Closes the listener; NULL is fine. */
void link_door_free(struct link_door *d);
