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
/* What an administrator wants of the ring, beside the key itself. */
struct key_order {
    int64_t effective_at; /* wall seconds, 0: default */
    bool force, dry_run;
    const char *who; /* uid and reason, for the log */
};
/* A key that was brought (managed only) becomes NEXT: key file first, ring next, then it counts. It
 * is judged: dates, thumbprint, effective date, no other key half way (unless force). Taken over
 * (*key = NULL) when it was staged; not on refusal or dry run. `lines` gets sentences, one a line:
 * what was or would be done, or why not and what to do. REASON_OK, REASON_ROLL_REFUSED,
 * REASON_KEY_FORM, REASON_OUT_OF_MEMORY, REASON_INTERNAL (disk). signer_stage does this and tells
 * the broker. */
enum reason own_keys_stage(struct own_keys *k, struct signkey **key, const struct key_order *o,
    int64_t now, struct buf *lines) WARN_UNUSED;
/* The private key of a certificate in the ring, read from its file (managed) or from where the
 * configuration says. 0 or -errno with a sentence: -ENOENT when the ring has no such key or its
 * private part is not here. The caller frees it. */
int own_keys_load(const struct own_keys *k, const uint8_t x5t[X5T_LEN], struct signkey **ret,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;

/* Lets PREVIOUS run out. True when the ring changed (written; a failed write is logged and tried
 * again). */
bool own_keys_tick(struct own_keys *k, int64_t now);
/* The broker serves this generation. True when a stamp was set; one that could not be written is
 * set by a later own_keys_tick. */
bool own_keys_published(struct own_keys *k, uint64_t generation, int64_t now);
