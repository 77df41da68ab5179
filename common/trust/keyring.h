/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys in slots, as everybody but the signer sees them: certificates and states, no private
 * part. The full rollover transition table comes to stand here; this edition knows NEXT, CURRENT,
 * PREVIOUS, RETIRED for managed first keys and for keys from files. Pure. */
#pragma once

#include "cert.h"
#include "frame.h"
#include "settings.h"

enum key_state { KEY_NEXT, KEY_CURRENT, KEY_PREVIOUS, KEY_RETIRED };
const char *key_state_name(enum key_state s);

#define KEYRING_MAX 8

struct ring_slot {
    enum key_state state;
    struct cert *cert;       /* owned */
    int64_t since;           /* entered this state */
    int64_t published_since; /* acknowledged by the broker, 0: not yet */
    int64_t until; /* PREVIOUS: published until then; NEXT that has signed before: the same */
    int64_t effective_at; /* NEXT: does not sign by itself before; 0: as soon as the lead allows */
    bool held;            /* NEXT: the broker asks not to activate it by itself yet */
    bool forced;          /* may sign, or signs, without having been published for the lead */
};

struct keyring {
    struct ring_slot slots[KEYRING_MAX];
    size_t n;
    uint64_t generation; /* moves with every change */
    /* What goes with the public view only; the state text does not have it. */
    struct cert *root; /* owned; the root that issued our leaves, NULL: they are self-signed */
    int64_t lead_s;    /* a key is published for so long before it signs */
    enum key_source source;
};
void keyring_done(struct keyring *r);
const struct ring_slot *keyring_current(const struct keyring *r);

/* Makes `current` sign and announces `next` (NULL, or the same: none). What signed before and is
 * not in the new set becomes PREVIOUS until now + keep_s; PREVIOUS whose time is over is RETIRED
 * and dropped; a NEXT that never signed is dropped at once; when the ring is full the PREVIOUS that
 * would end first goes early. Certificates are copied. *ret_changed tells whether anything did. The
 * ring always has exactly one CURRENT, no certificate twice. That the signing key is inside its
 * dates is the caller's check. REASON_OK, or the ring is untouched: REASON_OUT_OF_MEMORY,
 * REASON_KEY_FORM (two certificates with one SHA-1 thumbprint). */
enum reason keyring_set(struct keyring *r, const struct cert *current, const struct cert *next,
    int64_t keep_s, int64_t now, bool *ret_changed) WARN_UNUSED;
/* Drops what has run out. True when something changed. */
bool keyring_tick(struct keyring *r, int64_t now);
/* The broker has published this generation: stamps every slot that is in it, once, without a new
 * generation; an older generation stamps nothing. True when something changed. */
bool keyring_published(struct keyring *r, uint64_t generation, int64_t now);
/* Order of publication, which is also that of the slots: CURRENT, NEXT, PREVIOUS newest first.
 * Returns how many. */
size_t keyring_published_certs(const struct keyring *r, const struct cert *out[KEYRING_MAX]);

/* The public view as frame fields; as readable state text (PEM blocks and `Key=value` lines under a
 * header with length and digest), and back. Reading judges every certificate and the ring again
 * (a ring without keys is lawful): REASON_KEY_* or REASON_OUT_OF_MEMORY, *ret untouched on failure.
 * The caller of keyring_get still asks frame_end. A failed print is out->failed. */
void keyring_put(struct frame_out *f, const struct keyring *r);
enum reason keyring_get(struct frame_in *f, struct keyring *ret) WARN_UNUSED;
void keyring_print(const struct keyring *r, struct buf *out);
enum reason keyring_scan(struct span text, struct keyring *ret) WARN_UNUSED;
