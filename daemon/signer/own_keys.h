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

struct own_keys {
    const char *state_dir;   /* not owned */
    struct signkey *current; /* signs */
    struct keyring ring;
    /* Read at PREPARE, or applied in vain because the disk was full; NULL: nothing is waiting. */
    struct signkey *wanted;
    struct cert *wanted_next; /* owned copy; NULL: no next key announced */
    int64_t wanted_keep_s;
};

/* Start: reads the state folder and, as Source= says, the key files; makes the first key in managed
 * mode. The ring is written when it changed. 0, or -errno with a sentence in `why`: nothing is ever
 * replaced that the ring still names. */
int own_keys_start(struct own_keys *k, const struct settings *s, const char *state_dir, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
void own_keys_done(struct own_keys *k);

/* PREPARE: reads and judges the key files of `s` and keeps them wanted. 0 or -errno with a
 * sentence. Managed: nothing to do. */
int own_keys_prepare(struct own_keys *k, const struct settings *s, char why[OWN_KEYS_WHY_MAX])
    WARN_UNUSED;
void own_keys_forget(struct own_keys *k); /* ABORT */
/* COMMIT, and again after a failure: what is wanted becomes the ring on disk, then in memory. 0
 * when done or nothing was wanted; *ret_old gets the key that signed before when another took its
 * place (the caller frees it when no child uses it), else NULL. -errno: disk; still wanted. */
int own_keys_apply(struct own_keys *k, int64_t now, struct signkey **ret_old) WARN_UNUSED;
/* Lets PREVIOUS run out. True when the ring changed (written; a failed write is logged and tried
 * again). */
bool own_keys_tick(struct own_keys *k, int64_t now);
/* The broker serves this generation. True when a stamp was set. */
bool own_keys_published(struct own_keys *k, uint64_t generation, int64_t now);
