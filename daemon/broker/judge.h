/* SPDX-License-Identifier: Apache-2.0 */
/* What one attempt to get a partner's document does to what is known of the partner. Pure: the
 * answer and the time are arguments, the state is changed in place; nothing is logged or written
 * here. */
#pragma once

#include "metadata.h"
#include "state.h"
#include "update.h"

/* Who else publishes keys (rules R14, R37). Store NULL: nobody. */
struct judge_others {
    const struct store *store;
    const struct pubkey *const *own; /* ours */
    size_t n_own;
};

/* How the attempt ended on the wire. */
struct judge_answer {
    enum reason reason;              /* REASON_OK for 200 and 304, else a REASON_FETCH_* */
    unsigned status;                 /* HTTP status, 0: there was none */
    struct span body;                /* with 200 */
    struct span etag, last_modified; /* of the answer, empty: none */
    struct span detail;              /* for the administrator, may be empty */
    const char *source;              /* what caused the attempt, for the history; NULL: not said */
    int64_t date;                    /* of its Date header, wall seconds, 0: none */
    int64_t date_seen_ms;            /* our wall clock then */
    uint32_t round_trip_ms;
    bool keep_validators; /* etag and last_modified belong to the address that is asked
                             conditionally */
    struct judge_others others;
};

struct judged {
    enum reason reason;    /* REASON_OK, or why the last good document stays in force */
    bool good;             /* it is current as of now */
    bool document_changed; /* other bytes than the last good one */
    bool keys_changed;     /* the generation of the trust moved */
    bool newly_refused;    /* a document was refused for another reason than the attempt before */
    struct update_changes changes;
    char detail[256]; /* safe to log */
};

/* Judges the answer of the partner's server. 304 stamps good_at and nothing is parsed again; under
 * Continuity=signed it counts only while the signature of that document lasts. A document that is
 * refused (identity, form, no usable key, none of its own in place of good ones, continuity)
 * changes nothing but last_reason and last_detail; one that an administrator may approve is held
 * (state->held) until a good one comes. Every change of keys is noted in the history with its
 * thumbprint and source. Out of memory counts as an attempt that failed. */
void judge_answer(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_answer *a, int64_t now, struct judged *ret);

/* The same for an air-gapped partner (Certificate=): `pem` is the file, empty when it could not be
 * read, and `why` says so. */
void judge_certificate(struct partner_state *state, const struct partner *pins, struct span pem,
    const char *why, int64_t now, struct judged *ret);

/* An administrator vouches for the document that is held, or when none is for the last good one
 * whose keys are not all believed yet: applied without hold-down, withholding and signature.
 * ret->reason: REASON_OK; REASON_NEVER_FETCHED: there is nothing to approve; or why it cannot be
 * taken, it stays held then. `who` is for the history ("uid 0"). */
struct judge_approval {
    const char *who;
    struct judge_others others;
};
void judge_approve(struct partner_state *state, const struct partner *pins,
    const struct identity *self, const struct judge_approval *by, int64_t now, struct judged *ret);

/* What update_apply and update_tick have to know of a partner. */
struct update_rules judge_rules(const struct partner *pins);

/* Notes changes of keys that no document caused; `source` as in judge_answer. */
void judge_note(struct partner_state *state, const struct update_changes *changes,
    const char *source, int64_t now);

/* Judges the last good document again, after a start or under changed pins. False: it is not this
 * partner's, and what was known has to be forgotten. Keys and times are left as they are. */
bool judge_still_lawful(const struct partner_state *state, const struct partner *pins,
    const struct identity *self, int64_t now);

/* How much the trust in a partner is worth now. */
enum freshness { FRESH_FRESH, FRESH_WARN, FRESH_STALE, FRESH_NEVER, FRESH_DISABLED };
enum freshness judge_freshness(const struct partner_trust *t, const struct partner *pins,
    const struct settings *s, int64_t now);
const char *freshness_name(enum freshness f);

/* The thumbprints of the keys that count, "8BF8..., 0123..." or "none": for the log. Returns out.
 */
char *judge_thumbprints(const struct partner_trust *t, char *out, size_t out_len);
