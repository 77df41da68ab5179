/* SPDX-License-Identifier: Apache-2.0 */
/* The signer: owns the key ring, checks every order against its own reading of the configuration,
 * has it signed by a child, writes the audit record, answers. No network; nothing but files and
 * links. */
#pragma once

#include "link.h"
#include "link_door.h"
#include "own_keys.h"
#include "pool.h"
#include "rate.h"

#define SIGNER_RING_LINKS_MAX 4
#define SIGNER_MINT_LINKS_MAX 64
/* Signatures about ourselves, for one broker: that wait or are in flight, and in a second. */
#define SIGNER_SEALS_PER_LINK 64
#define SIGNER_SEALS_PER_S 20
/* An order is signed, or nobody wants it any more, within this time. */
#define SIGNER_ORDER_LATE_S 5
/* How long orders wait, after another key has become CURRENT, for the document that has it first.
 */
#define SIGNER_PUBLISH_MS 1000
/* Orders of one minter that wait or are in flight. */
#define SIGNER_ORDERS_PER_LINK 256

struct signer_options {
    const char *config_dir; /* NULL: the standard folders */
    const char *state_dir;
    unsigned peer_uid;  /* the only uid that may connect */
    bool until_eof;     /* end when the last ring link has ended */
    bool keys_own_user; /* our own uid may bring and take keys, too, not only root */
};

struct keys_door;
struct ring_link;
struct mint_link;

struct signer {
    const struct signer_options *options;
    struct event_base *base;
    struct settings *settings;
    struct settings *prepared;           /* waits for COMMIT; NULL: nothing does */
    const struct ring_link *prepared_by; /* the link that may commit it */
    struct rate *rate;
    struct own_keys keys;
    struct pool *pool;
    struct link_door *ring_door, *mint_door;
    struct keys_door *keys_door;
    LIST_HEAD(, ring_link) ring_links;
    LIST_HEAD(, mint_link) mint_links;
    struct event *tick, *on_term, *on_int, *stop_late, *publish_late;
    uint64_t waits_for;     /* orders wait until the broker serves this generation; 0: none do */
    uint64_t seals_refused; /* signatures about ourselves */
    int64_t audit_complained_ms; /* 0: not yet */
    bool is_stopping;
};

/* What it listens on; -1: that door stays shut. */
struct signer_listeners {
    int ring, mint, keys;
};

/* Runs until SIGTERM (or the end of the broker's link); takes over the listeners. Returns the exit
 * status. */
int signer_run(const struct signer_options *o, const struct signer_listeners *l);
/* Begins the end: no new orders, those that were taken are finished, 2 s at most. */
void signer_stop(struct signer *s);
/* Ends the loop when stopping and nothing is in flight any more. */
void signer_stop_when_idle(struct signer *s);
/* Takes the prepared settings and keys, starts new children, tells every broker. */
void signer_commit(struct signer *s);

/* The broker serves the document of that generation. */
void signer_published(struct signer *s, uint64_t generation);
/* Does what an event of the ring asks for: new children, brokers told, the timer set anew. */
void signer_follow(struct signer *s, const struct own_keys_news *news);
/* own_keys_stage, and all that follows from it: brokers are told, the timer is set anew. */
enum reason signer_stage(struct signer *s, struct signkey **key, const struct key_order *o,
    struct buf *lines) WARN_UNUSED;

/* ring_link.c: the broker's link. */
void ring_link_accept(int fd, void *signer);
void ring_links_push(struct signer *s); /* MSG_RING to all */
void ring_links_close(struct signer *s);
void ring_link_sealed(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *signer); /* pool_done_fn of SEAL orders */

/* mint_link.c: the minters' links. */
void mint_link_accept(int fd, void *signer);
void mint_link_done(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *signer); /* pool_done_fn */
void mint_links_close(struct signer *s);
