/* SPDX-License-Identifier: Apache-2.0 */
/* One change of the ring: steps on a copy, then the disk, then it counts. For own_keys*.c only. */
#pragma once

#include "own_keys.h"

struct ring_change {
    struct own_keys *keys;
    int64_t now;
    struct keyring ring; /* shares the certificates of keys->ring; new ones are its own */
    unsigned todo;
    struct signkey *loaded; /* signs from now on, read from its file */
};

/* The copy, and the rules of the moment. End it with exactly one of the two below. */
void ring_change_begin(struct ring_change *c, struct own_keys *k, int64_t now);
/* rollover_step; arg->cert (may be NULL) is taken over, also on refusal. */
enum reason ring_change_step(struct ring_change *c, enum roll_event ev, const struct roll_arg *arg);
/* Nothing has happened. */
void ring_change_undo(struct ring_change *c);
/* On disk, then in memory; keys of RETIRED slots are wiped. 0 (also when nothing had changed), or
 * -errno, logged, and nothing has happened. */
int ring_change_commit(struct ring_change *c, struct own_keys_news *ret) WARN_UNUSED;

/* own_keys.c */
struct key_rules own_keys_rules(const struct settings *s);
/* A key of ours, issued by our root or by itself; the second puts it on disk, too. 0 or -errno with
 * a sentence. */
int own_keys_new(struct own_keys *k, int64_t now, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
    WARN_UNUSED;
int own_keys_make(struct own_keys *k, int64_t now, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
    WARN_UNUSED;
/* Steps for the keys that the configuration names. `lines` may be NULL. */
enum reason own_keys_bring(
    struct ring_change *c, const struct brought *b, bool force, struct buf *lines) WARN_UNUSED;
/* What was read again and signs already is not needed twice. */
void own_keys_settle_brought(struct own_keys *k);

/* Destroys what is RETIRED, as far as the disk lets us. */
void own_keys_bury(struct own_keys *k);
struct cert *own_cert_copy(const struct signkey *key) WARN_UNUSED; /* NULL: out of memory */
