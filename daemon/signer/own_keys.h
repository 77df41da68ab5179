/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's keys on disk and in memory: the private key that signs, and the ring of certificates
 * that everybody else sees. What changes is on disk (ring.state, replaced whole) before it counts.
 */
#pragma once

#include "keyring.h"
#include "signkey.h"

#define OWN_KEYS_FILE "current.pem" /* Source=managed: our own key and certificate, 0400 */
#define OWN_KEYS_RING "ring.state"
#define OWN_KEYS_WHY_MAX 768

/* What shall sign and be published. */
struct own_key_set {
    struct signkey *current; /* owned; NULL: there is no such set */
    struct cert *next;       /* owned copy; NULL: no next key announced */
    int64_t keep_s;          /* a key that signed before is published for so long */
};

struct own_keys {
    int lock;                /* of the state folder; -1: none */
    const char *state_dir;   /* not owned */
    struct signkey *current; /* signs */
    struct keyring ring;
    struct own_key_set prepared; /* read at PREPARE, waits for its COMMIT */
    struct own_key_set wanted;   /* committed, not on disk yet: the write is tried until it works */
    uint64_t served;             /* generation that the broker serves, 0: not known */
};
#define OWN_KEYS_NONE ((struct own_keys){.lock = -1})

/* Start: locks and reads the state folder and, as Source= says, the key files; makes the first key
 * in managed mode. The ring is written when it changed. 0, or -errno with a sentence in `why`,
 * -EKEYREJECTED when the key files that the configuration names cannot be used: nothing is ever
 * replaced that the ring still names. */
int own_keys_start(struct own_keys *k, const struct settings *s, const char *state_dir, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
void own_keys_done(struct own_keys *k);

/* PREPARE: reads and judges the key files of `s`; a signing key outside its dates at `now` is
 * refused. 0 or -errno with a sentence. Managed: nothing to do. */
int own_keys_prepare(struct own_keys *k, const struct settings *s, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
void own_keys_forget(struct own_keys *k); /* ABORT: what was prepared */
void own_keys_commit(struct own_keys *k); /* COMMIT: what was prepared, if anything, is wanted */
/* What is wanted becomes the ring on disk, then in memory. 0 when done or nothing was wanted;
 * *ret_old gets the key that signed before when another took its place (the caller frees it when
 * no child uses it), else NULL. -errno: disk; still wanted. */
int own_keys_apply(struct own_keys *k, int64_t now, struct signkey **ret_old) WARN_UNUSED;
/* Lets PREVIOUS run out. True when the ring changed (written; a failed write is logged and tried
 * again). */
bool own_keys_tick(struct own_keys *k, int64_t now);
/* The broker serves this generation. True when a stamp was set; one that could not be written is
 * set by a later own_keys_tick. */
bool own_keys_published(struct own_keys *k, uint64_t generation, int64_t now);
