/* SPDX-License-Identifier: Apache-2.0 */
/* A partner's state file: what is known, its last good document, its schedule, readable by a
 * person; the header holds length and SHA-256 of what follows (rule R44). */
#pragma once

#include "store.h"

/* Bytes of a whole file at most: both documents, keys and history. */
#define PARTNER_STATE_MAX (3 * 1024 * 1024)

/* A document that was not taken, and waits: for an administrator, or for its time. */
struct partner_held {
    enum reason reason;  /* REASON_DOCUMENT_HELD, _REPLAY; REASON_OK: none */
    int64_t since;       /* wall time when these bytes came first */
    char detail[256];    /* safe to show */
    struct buf document; /* owned, empty: none */
};

struct partner_state {
    struct partner_trust trust; /* owned */
    char etag[256], last_modified[64];
    int64_t next_try_at, last_try_at;
    enum reason last_reason; /* of the last attempt */
    char last_detail[256];
    unsigned failures;   /* in a row */
    struct buf document; /* last good one */
    struct partner_held held;
    /* trust.suspended: since when, and by whom ("uid 0"). */
    int64_t suspended_at;
    char suspended_by[64];
    /* Continuity=signed: sequence of the last document taken, and SHA-256 of its list of keys. */
    int64_t sequence;
    uint8_t sequence_keys[X5T_S256_LEN];
    int64_t signed_until_at; /* its signature ends then */
    char *history;           /* lines, newest last, at most 100; NULL: none */
};
void partner_state_done(struct partner_state *s);
void partner_state_freep(struct partner_state **s); /* the same, and the struct */
/* Appends the text of the file to `out`: REASON_OK or REASON_OUT_OF_MEMORY (out->max below
 * PARTNER_STATE_MAX may be too small). */
enum reason partner_state_print(const struct partner_state *s, struct buf *out) WARN_UNUSED;
/* Reads it back, also what an older edition wrote ("s2sd partner state 1", which had neither held
 * documents nor suspension): REASON_DOCUMENT_FORM when header, digest or a line is wrong, or a key
 * does not pass the policy (the caller quarantines the file); REASON_OUT_OF_MEMORY. `name` must be
 * the one inside. *ret (empty before) is written on success only; the caller calls
 * partner_state_done. */
enum reason partner_state_scan(struct span text, struct span name, struct partner_state *ret)
    WARN_UNUSED;
/* Appends a history line "TIME  what" (foreign bytes escaped, cut at 400); drops the oldest above
 * 100. REASON_OUT_OF_MEMORY leaves the history as it was. */
enum reason partner_state_note(struct partner_state *s, int64_t now, const char *what) WARN_UNUSED;
/* Keeps a document that was not taken; `since` of equal bytes stays. REASON_OUT_OF_MEMORY: the one
 * held before stays. */
enum reason partner_state_hold(struct partner_state *s, struct span document, enum reason reason,
    const char *detail, int64_t now) WARN_UNUSED;
void partner_state_unhold(struct partner_state *s);
