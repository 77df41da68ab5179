/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io.s2sd.control: its connections. */
#pragma once

#include "burst.h"
#include "control_call.h"
#include "door.h"
#include "peer.h"

#include <sys/queue.h>

/* What a waiting Refresh knows of one partner. */
struct refresh_part {
    char *name;           /* owned */
    unsigned answered_by; /* the attempt that is waited for (refresher_now), 0: none any more */
    enum reason reason;
    char detail[256];
    bool changed;
};

struct control_conn {
    LIST_ENTRY(control_conn) next;
    struct control *control;
    struct varlink_conn *varlink;
    struct peer_id peer;
    struct refresh_part *parts; /* a Refresh waits */
    size_t n_parts;
    bool reloading;  /* a Reload waits */
    bool is_rolling; /* an order to the signer waits */
    bool dry_run;    /* ... that only asks */
    uint32_t roll_id;
    struct buf roll_notes;      /* ... and what we have to say about it, lines */
    void (*on_gone)(void *arg); /* another call waits (control_wait) */
    void *gone_arg;
};

struct order_wait;

#define CONTROL_METHODS_MAX 32

struct control {
    struct broker *broker;
    struct door *door;
    LIST_HEAD(, control_conn) all;
    LIST_HEAD(, order_wait) orders; /* that are answered when every worker has them */
    unsigned connections;
    int64_t complained_ms; /* of a refused connection, 0: never */
    struct burst refusals; /* of a missing right */
    struct varlink_method methods[CONTROL_METHODS_MAX];
    struct varlink_interface interface;
    const struct varlink_interface *interfaces[1];
    struct varlink_ops ops;
};

static inline struct control_conn *control_conn_of(const struct varlink_call *call)
{
    return varlink_conn_arg(varlink_call_conn(call));
}

/* A connection that ends while a Refresh or a Reload waits on it. */
void control_refresh_closed(struct control_conn *c);
/* The same while an order to the signer waits. */
void control_keys_closed(struct control_conn *c);
/* The workers are leaving and would never answer: who waits for a reload is told. */
void control_refresh_stop(struct control_conn *c);
