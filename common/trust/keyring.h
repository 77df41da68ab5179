/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys in slots, as everybody but the signer sees them: certificates, states and times, no
 * private part. What moves a slot from state to state is rollover.h. Pure. */
#pragma once

#include "cert.h"
#include "frame.h"
#include "settings.h"

enum key_state { KEY_NEXT, KEY_CURRENT, KEY_PREVIOUS, KEY_RETIRED };
const char *key_state_name(enum key_state s);

#define KEYRING_MAX 8                   /* that are published */
#define KEYRING_SLOTS (2 * KEYRING_MAX) /* with those that wait for their end */

struct ring_slot {
    enum key_state state;
    struct cert *cert;       /* owned */
    int64_t since;           /* entered this state */
    int64_t published_since; /* acknowledged by the broker, 0: not yet */
    int64_t until; /* PREVIOUS: published until then; NEXT that has signed before: the same */
    int64_t effective_at; /* NEXT: the date to begin to sign; 0: none, only on order or when
                             CURRENT's certificate ends */
    bool held;            /* NEXT: the broker asks not to activate it by itself yet */
    bool forced;          /* may sign, or signs, without having been published for the lead */
    bool can_sign;        /* the signer alone: the private part is at hand; in no frame or text */
    bool has_past;        /* the signer alone: may have signed before this run; the same */
};

struct keyring {
    struct ring_slot slots[KEYRING_SLOTS]; /* CURRENT, NEXT, PREVIOUS newest first, RETIRED */
    size_t n;
    uint64_t generation; /* moves with every change */
    /* What goes with the public view only; the state text does not have it. */
    struct cert *root; /* owned; the root that issued our leaves, NULL: they are self-signed */
    int64_t lead_s;    /* a key is published for so long before it signs */
    enum key_source source;
};
void keyring_done(struct keyring *r);
/* NULL: there is none. */
const struct ring_slot *keyring_current(const struct keyring *r);
const struct ring_slot *keyring_next(const struct keyring *r);
struct ring_slot *keyring_find(struct keyring *r, const uint8_t x5t_s256[X5T_S256_LEN]);
/* What must be true of every ring that holds keys: exactly one CURRENT, at most one NEXT, no SHA-1
 * thumbprint twice among those that are published. */
bool keyring_is_sound(const struct keyring *r);
/* Into the order of publication. */
void keyring_sort(struct keyring *r);
size_t keyring_count(const struct keyring *r, enum key_state state);
/* Forgets what is RETIRED. */
void keyring_sweep(struct keyring *r);

/* What is published, in that order; returns how many. Old readers take the first key only (protocol
 * note 1.4). */
size_t keyring_published_certs(const struct keyring *r, const struct cert *out[KEYRING_MAX]);

/* The public view as frame fields; as readable state text (PEM blocks and `Key=value` lines under a
 * header with length and digest), and back. Reading judges every certificate and the ring again
 * (a ring without keys is lawful; texts of the first edition are read, too): REASON_KEY_* or
 * REASON_OUT_OF_MEMORY, *ret untouched on failure. The caller of keyring_get still asks frame_end.
 * A failed print is out->failed. */
void keyring_put(struct frame_out *f, const struct keyring *r);
enum reason keyring_get(struct frame_in *f, struct keyring *ret) WARN_UNUSED;
void keyring_print(const struct keyring *r, struct buf *out);
enum reason keyring_scan(struct span text, struct keyring *ret) WARN_UNUSED;
