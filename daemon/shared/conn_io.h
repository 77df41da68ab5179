/* SPDX-License-Identifier: Apache-2.0 */
/* What both kinds of connection do with a bufferevent beyond its own reading and writing:
 * libevent 2.1 reads 4096 bytes for each wake-up and writes only at the next one, which costs four
 * system calls for three tokens. */
#pragma once

#include "buf.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdint.h>

/* A peer whose answers pile up above this is not read any further until it has taken them. */
#define CONN_PAUSE ((size_t)64 * 1024)
/* A peer that has this much waiting is cut off (only streams get there). */
#define CONN_OUTPUT_MAX ((size_t)1024 * 1024)
/* Bytes taken from a plain socket in one wake-up. */
#define CONN_READ_MAX ((size_t)64 * 1024)

/* Takes from the plain socket what libevent's first read left there, up to CONN_READ_MAX in all.
 * Only for a bufferevent on a socket without TLS, from its read callback. An end or error of the
 * stream is left for libevent to find. */
void conn_io_top_up(struct bufferevent *bev);

/* Sends all of `out` and empties it. `through`: a plain socket, so write now what it takes; the
 * rest (or everything, for TLS) goes to the bufferevent's output. 0, or -errno when the peer is
 * gone or memory ran out. */
int conn_io_send(struct bufferevent *bev, struct buf *out, bool through) WARN_UNUSED;
/* Bytes that wait in the bufferevent for the peer. */
size_t conn_io_waiting(const struct bufferevent *bev);

/* One deadline of a connection. The timer is moved only when a deadline comes nearer, so a busy
 * connection does not touch the heap for each request. */
struct conn_deadline {
    struct event *timer;
    int64_t at_ms;    /* monotonic, 0: none */
    int64_t armed_ms; /* when the timer will look, 0: not armed */
};
/* `on_due` is an event callback that must begin with conn_deadline_due. 0 or -ENOMEM. */
int conn_deadline_init(struct conn_deadline *d, struct event_base *base, event_callback_fn on_due,
    void *arg) WARN_UNUSED;
void conn_deadline_done(struct conn_deadline *d);
/* From now on in `ms` milliseconds; 0: no deadline. */
void conn_deadline_set(struct conn_deadline *d, unsigned ms);
/* In the timer's callback: true when the deadline has really passed, else the timer is set again.
 */
bool conn_deadline_due(struct conn_deadline *d);
