/* SPDX-License-Identifier: Apache-2.0 */
/* The broker: public HTTPS, trust store, refresh, workers, control. No token keys, no network of
 * its own. This struct is what the parts are hung on; broker.c alone wires them together. */
#pragma once

#include "announces.h"
#include "children.h"
#include "control.h"
#include "fetch_link.h"
#include "listeners.h"
#include "own_signature.h"
#include "partners.h"
#include "pool_members.h"
#include "public_doors.h"
#include "refresher.h"
#include "reload.h"
#include "signer_link.h"
#include "witness.h"
#include "workers.h"

struct broker_options {
    const char *config_dir;  /* NULL: the standard folders */
    const char *runtime_dir; /* where the link sockets are */
    const char *state_dir;
    bool all; /* start signer and fetcher too, and make every socket (no systemd) */
};

/* Exit statuses beside 0 (sysexits(3) has the second). */
#define BROKER_EXIT_FAULT 1
#define BROKER_EXIT_CONFIG 78

struct broker {
    const struct broker_options *options;
    struct event_base *base;
    struct settings *settings; /* in force, owned */
    SSL_CTX *next_tls;         /* prepared by a reload */
    int state_lock;
    int64_t started_at;
    uint64_t trust_generation;
    struct msg_health health;
    bool ready, stopping;
    bool is_published;   /* what is served now is of the ring that came last */
    bool signer_differs; /* it works by another configuration, as last told in the log */
    int exit_status;

    struct children *children;
    struct partners *partners;
    struct pool_members *pool;
    struct fetch_link *fetcher;
    struct refresher *refresher;
    struct signer_link *signer;
    struct workers *workers;
    struct public_doors *public;
    struct own_signature *own_signature;
    struct witness *witness;
    struct announces *announces;
    struct reload *reload;
    struct control *control;
    struct all *all; /* with --all, else NULL */
    struct event *on_term, *on_int, *on_hup, *stop_poll;
    int64_t stop_by_ms;
};

/* Runs until SIGTERM or SIGINT; returns the exit status. fds_open, log_open and notify_open have
 * been called. */
int broker_run(const struct broker_options *o);
