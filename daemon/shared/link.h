/* SPDX-License-Identifier: Apache-2.0 */
/* A link between two of our processes: SOCK_SEQPACKET, one frame for each message, at most one
 * descriptor with it. What is too large for a frame travels as a sealed memfd. Leftovers,
 * unexpected descriptors and unknown ids are dropped and counted. Never blocks. */
#pragma once

#include "frame.h"

#include <event2/event.h>

struct link;

/* Called for each frame. `fd` is -1 or a descriptor that the callee must take (set *fd to -1) or
 * leave (it is closed). */
typedef void link_frame_fn(struct link *l, struct frame_in *f, int *fd, void *arg);
/* Called once when the peer is gone or broke the protocol; the link is dead but still has to be
 * freed. */
typedef void link_closed_fn(struct link *l, void *arg);

/* Takes over `fd` (connected SEQPACKET). NULL: out of memory, fd closed. */
struct link *link_new(struct event_base *base, int fd, link_frame_fn *on_frame,
    link_closed_fn *on_closed, void *arg) WARN_UNUSED;
void link_free(struct link *l); /* allowed inside its own callbacks; NULL is fine */
/* Sends a finished frame; when the socket is full the frame is queued up to LINK_QUEUE_MAX bytes,
 * beyond that -ENOBUFS. `fd` (or -1) is duplicated, the caller keeps its own. 0 or -errno. */
int link_send(struct link *l, const struct frame_out *f, int fd) WARN_UNUSED;
#define LINK_QUEUE_MAX (4 * 1024 * 1024)
/* Next id of a request sent on this link: never 0. */
uint32_t link_next_id(struct link *l);
/* Frames dropped because they were malformed, of unknown type or id. */
uint64_t link_dropped(const struct link *l);
void link_drop(struct link *l, const char *why); /* count one (logged at debug) */

/* Connects to the link socket at `path`: descriptor or -errno. */
int link_connect(const char *path) WARN_UNUSED;
/* Makes and binds a link listener (or a stream listener) at `path` with `mode`; an old socket file
 * is replaced. Descriptor or -errno. */
int link_listen(const char *path, int type, unsigned mode) WARN_UNUSED;
/* May the peer at the other end of an accepted connection stay? True when its uid is `uid`; false
 * is logged. */
bool link_peer_is(int fd, unsigned uid) WARN_UNUSED;
