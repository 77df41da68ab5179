/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's doors: who may come in (caps over all workers of this kind, fair shares), who it is
 * (asked from the kernel once, at accept), and the connection as both doors see it. */
#pragma once

#include "http_conn.h"
#include "methods.h"
#include "peer.h"
#include "varlink_conn.h"

enum door_kind { DOOR_HTTP, DOOR_VARLINK };

/* A local process at one of our doors: one connection. */
struct visitor {
    LIST_ENTRY(visitor) next;
    struct worker *worker;
    struct peer_id who;
    bool unit_asked;        /* its unit is in `who`, if it has one */
    struct http_conn *http; /* one of the two */
    struct varlink_conn *varlink;
    struct request request; /* the one in flight */
    bool in_flight;
    bool turned_away; /* one connection too many: gets a reason and the end */
    char *memory;     /* HTTP: decoded form fields of the request in flight */
    size_t memory_len;
};

struct doors;
struct doors *doors_new(struct worker *w) WARN_UNUSED;
/* Closes doors and connections; nothing that waits is answered any more. */
void doors_free(struct doors *d);
/* Takes over a listening socket. 0 or -ENOMEM. */
int doors_open(struct doors *d, int listener, enum door_kind kind) WARN_UNUSED;
/* Takes over a connected socket as if it had been accepted. */
void doors_take(struct doors *d, int fd, enum door_kind kind);
/* Other settings are in force: their time limits count, for open connections too. */
void doors_on_commit(struct doors *d);
/* Closes the doors, ends every connection without a request in flight; the others end with their
 * answer. */
void doors_leave(struct doors *d);
size_t doors_visitors(const struct doors *d);

/* For the two doors: starts the request in flight, forgets it, marks it answered. */
void visitor_run(struct visitor *v, request_answer_fn *answer);
void visitor_cancel(struct visitor *v);
void visitor_answered(struct visitor *v);
/* The connection is gone: releases the visitor. */
void visitor_free(struct visitor *v);
static inline struct visitor *visitor_of(struct request *r)
{
    return (struct visitor *)((char *)r - offsetof(struct visitor, request));
}

/* http_door.c, varlink_door.c. `ops` for the settings in force; `bev` is taken over. False: out of
 * memory, bev freed. */
void http_door_ops(const struct worker *w, struct http_conn_ops *ret);
bool http_door_take(struct visitor *v, struct bufferevent *bev, const struct http_conn_ops *ops)
    WARN_UNUSED;
void varlink_door_ops(const struct worker *w, struct varlink_ops *ret);
bool varlink_door_take(struct visitor *v, struct bufferevent *bev, const struct varlink_ops *ops)
    WARN_UNUSED;
/* The reason for a connection that is one too many, then the end. */
void http_door_turn_away(struct visitor *v);
void varlink_door_turn_away(struct visitor *v);
