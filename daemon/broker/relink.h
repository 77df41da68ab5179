/* SPDX-License-Identifier: Apache-2.0 */
/* A link that the broker keeps up: connected at once and again after each loss, with a pause that
 * grows from 100 ms to 5 s. The other end may be away at any time; nobody waits for it. */
#pragma once

#include "link.h"

struct relink;

struct relink_ops {
    void (*on_up)(void *arg); /* connected; frames may be sent */
    /* As link_frame_fn. */
    void (*on_frame)(struct frame_in *f, int *fd, void *arg);
    void (*on_down)(void *arg); /* what was under way is lost */
};

/* `path` of the socket is copied, `what` ("signer") names it in the log and is kept. The first
 * attempt is made from the loop, not here. NULL: out of memory. */
struct relink *relink_new(struct event_base *base, const char *path, const char *what,
    const struct relink_ops *ops, void *arg) WARN_UNUSED;
/* Closes without on_down. NULL is fine. */
void relink_free(struct relink *r);
/* The link when it is up, else NULL. */
struct link *relink_link(struct relink *r);
const char *relink_path(const struct relink *r);
/* Gives this connection up and starts over (on_down is called). */
void relink_drop(struct relink *r);
/* The other end has proved that it is alive: the next loss is answered with the shortest pause. */
void relink_alive(struct relink *r);
/* Sends a finished frame: 0 or -errno, -ENOTCONN when away. */
int relink_send(struct relink *r, const struct frame_out *f, int fd) WARN_UNUSED;
/* Frames of the other end that were dropped, over all connections. */
uint64_t relink_dropped(const struct relink *r);
