/* SPDX-License-Identifier: Apache-2.0 */
/* The trust store: for each configured partner the keys that count now. The broker writes it from
 * documents, workers get copies. */
#pragma once

#include "cert.h"
#include "frame.h"
#include "settings.h"

#define PARTNER_KEYS_MAX 64
#define PARTNER_NAME_MAX 256 /* section name with its NUL */

enum partner_key_state { PKEY_NEW, PKEY_VALID, PKEY_MISSING, PKEY_GONE, PKEY_BARRED };
/* "new", "valid", "missing", "gone", "barred"; and back. */
const char *partner_key_state_name(enum partner_key_state s);
bool partner_key_state_of(struct span name, enum partner_key_state *ret) WARN_UNUSED;

/* One published key of a partner. */
struct partner_key {
    enum partner_key_state state;
    bool disputed; /* also published by another partner, or ours: never used (R14) */
    bool has_x5t;
    uint8_t x5t[X5T_LEN];
    uint8_t x5t_s256[X5T_S256_LEN];
    char kid[128];                 /* of a JWK; "" when none. An x5t text also matches as kid */
    int64_t not_before, not_after; /* 0, INT64_MAX for a bare JWK */
    int64_t first_seen_at, last_seen_at, missing_at;
    bool published;       /* stands in the last good document; the broker's own knowledge */
    int64_t returning_at; /* GONE: since when every document has held it again, 0: it does not */
    struct pubkey *key;   /* a reference of its own */
};
/* May a signature by this key count at wall time `now`? REASON_OK (VALID, or MISSING within its
 * grace), REASON_KEY_BARRED, REASON_KEY_DISPUTED, REASON_KEY_EXPIRED (outside its dates by more
 * than `skew_s`), REASON_UNKNOWN_KEY (NEW or GONE). */
enum reason partner_key_judge(const struct partner_key *k, int64_t now, int64_t skew_s);
/* The same published key: certificates by SHA-256, bare keys by kid and key. */
bool partner_key_same(const struct partner_key *a, const struct partner_key *b);

/* How a partner's clock stands to ours, from the Date header of its answers. For people only: no
 * rule depends on it. */
struct partner_clock {
    bool known;
    int64_t ahead_s; /* negative: behind */
};

/* What differs by no more is in step: the header says whole seconds. */
#define PARTNER_CLOCK_STEP_S 2

/* What is known of one partner. */
struct partner_trust {
    char *name;          /* section name */
    uint64_t generation; /* moves when the keys change */
    int64_t good_at;     /* wall time of the last good document (or 304), 0: never */
    bool suspended;      /* by an administrator: nothing of it is believed or minted for it */
    struct partner_clock clock;
    struct partner_key keys[PARTNER_KEYS_MAX];
    size_t n_keys;
};

struct store;
struct store *store_new(void) WARN_UNUSED;
void store_free(struct store *st);
void store_freep(struct store **st);
/* Puts a copy in place of what was known under that name. Disputes already settled for a key stay
 * until the next store_settle_disputes; the generation never goes back and moves when the keys
 * differ from those known. REASON_OK or REASON_OUT_OF_MEMORY (store unchanged). */
enum reason store_put(struct store *st, const struct partner_trust *t) WARN_UNUSED;
void store_remove(struct store *st, struct span name);
/* NULL when unknown. Good until that partner is put or removed. */
const struct partner_trust *store_get(const struct store *st, struct span name);
/* Marks disputed keys over all partners and `own` (our own certificates): rule R14. A certificate
 * that appears in a second partner's document disables only the newcomer's copy; both when both
 * were there from the start (equal first_seen_at). Returns how many are disputed; marks generation
 * of those that changed. */
size_t store_settle_disputes(struct store *st, const struct pubkey *const *own, size_t n_own);
/* A document that is about to be applied: who brings which certificates, and which keys are ours.
 */
struct store_claim {
    const char *name; /* the partner */
    struct cert *const *certs;
    size_t n_certs;
    const struct pubkey *const *own;
    size_t n_own;
};
/* How many of the certificates are neither ours nor published by another partner, who was not later
 * than the claimant to do so: whoever copies a certificate harms nobody but himself. With 0 the
 * document must not replace a good set (rule R37): the caller treats it as REASON_DOCUMENT_KEYS. */
size_t store_count_undisputed(const struct store *st, const struct store_claim *claim);
/* Drops every partner that is not in `s`. */
void store_keep_only(struct store *st, const struct settings *s);

void partner_trust_done(struct partner_trust *t);   /* releases keys and name */
void partner_trust_freep(struct partner_trust **t); /* the same, and the struct */
/* A copy with references of its own, or REASON_OUT_OF_MEMORY. The caller releases it with
 * partner_trust_freep. */
enum reason partner_trust_copy(const struct partner_trust *t, struct partner_trust **ret)
    WARN_UNUSED;

/* The frame fields of one partner (for deltas and snapshots). GONE keys are left out: only the
 * broker remembers them. partner_trust_put fails the frame when it does not fit. Reading checks
 * every key against the policy again: REASON_DOCUMENT_FORM for fields of the wrong form or
 * REASON_KEY_*; *ret is untouched on failure; the caller still asks frame_end. */
void partner_trust_put(struct frame_out *f, const struct partner_trust *t);
enum reason partner_trust_get(struct frame_in *f, struct partner_trust *ret) WARN_UNUSED;
