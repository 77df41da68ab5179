/* SPDX-License-Identifier: Apache-2.0 */
/* What a good document does to what is known of a partner: a pure function with a transition table
 * (style note 9.4). A key that vanished is honoured for the partner's Grace=, then it is GONE. A
 * GONE key is remembered and comes back only with a document that is proven younger than its
 * withdrawal, because it holds a key first seen after that: a replayed document does not (rule
 * R37). A certificate from the administrator's own file needs no such proof. */
#pragma once

#include "metadata.h"
#include "store.h"

enum update_kind {
    UPDATE_ADDED,
    UPDATE_VALID,
    UPDATE_MISSING,
    UPDATE_RETURNED,
    UPDATE_GONE,
    UPDATE_WITHHELD, /* a withdrawn key is in a document that is not proven younger: stays GONE */
    UPDATE_COUNT
};
/* "added", "valid", "missing", "returned", "gone", "withheld". */
const char *update_kind_name(enum update_kind k);

struct update_change {
    enum update_kind kind;
    uint8_t x5t[X5T_LEN];
};

struct update_changes {
    /* At most: every key of the document is new, every known one goes missing and is forgotten. */
    struct update_change list[METADATA_KEYS_MAX + 2 * PARTNER_KEYS_MAX];
    size_t n;
    bool all_replaced; /* no key of before is in the document: always alarmed */
};

/* Applies the document `m`, read at wall time `now`, to `t` in place and sets good_at.
 * `generation` moves only when the usable set (VALID, MISSING) changes. Keys of `t` that are barred
 * stay barred. Keys stand in the document's order, those not in it behind; when there are too many,
 * those longest away are forgotten. REASON_OK; or t and *ret unchanged: REASON_DOCUMENT_REPLAY
 * (every key of the document is barred or withheld), REASON_TOO_LARGE (barred keys leave no room),
 * REASON_OUT_OF_MEMORY. */
enum reason update_apply(struct partner_trust *t, const struct metadata *m, int64_t grace_s,
    int64_t now, struct update_changes *ret) WARN_UNUSED;
/* Lets grace times run out without a new document. True when something changed; *ret in any case.
 */
bool update_tick(struct partner_trust *t, int64_t grace_s, int64_t now, struct update_changes *ret);
