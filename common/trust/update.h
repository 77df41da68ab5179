/* SPDX-License-Identifier: Apache-2.0 */
/* What a good document does to what is known of a partner: a pure function with a transition table
 * (style note 9.4). A new key is believed when it stood in every document for the partner's
 * HoldDown=. A key that vanished is honoured for its Grace=, then it is GONE. A GONE key is
 * remembered and comes back with a document that is proven younger than its withdrawal, because it
 * holds a key first believed after that (rule R37: a replayed document does not), or when it stood
 * in every document for UPDATE_RETURN_AFTER_S, or when an administrator approves the document. In
 * the documents of a pool, whose members learn of each other's keys one after the other, a key may
 * come back for UPDATE_POOL_LAG_S without proof, unless new keys of the partner are held down: then
 * its documents prove nothing by themselves. A certificate from the administrator's own file
 * needs none either. BARRED keys stay so. */
#pragma once

#include "metadata.h"
#include "store.h"

#define UPDATE_RETURN_AFTER_S (24 * 3600)
/* No longer than a replayed document would have to be kept up anyway. */
#define UPDATE_POOL_LAG_S UPDATE_RETURN_AFTER_S

enum update_kind {
    UPDATE_ADDED,
    UPDATE_NEW, /* seen first, believed after the hold-down */
    UPDATE_VALID,
    UPDATE_MISSING,
    UPDATE_RETURNED,
    UPDATE_GONE,
    UPDATE_WITHHELD, /* a withdrawn key is in a document that is not proven younger: stays GONE */
    UPDATE_DROPPED,  /* a new key left the document before it was believed */
    UPDATE_BARRED,
    UPDATE_UNBARRED,
    UPDATE_UNPINNED, /* not one of PinnedKeys= any more */
    UPDATE_COUNT
};
/* "added", "new", "valid", "missing", "returned", "gone", "withheld", "dropped", ... */
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

/* How careful to be with this partner. */
struct update_rules {
    int64_t grace_s;
    int64_t hold_down_s; /* partner_hold_down_s; the first keys of all are believed at once */
    bool approved;       /* an administrator vouches for this document */
};

/* Applies the document `m`, read at wall time `now`, to `t` in place and sets good_at.
 * `generation` moves only when the usable set (VALID, MISSING) changes. Keys of `t` that are barred
 * stay barred. Keys stand in the document's order, those not in it behind; when there are too many,
 * those longest away are forgotten. REASON_OK; or none of the document's keys counts: what is
 * usable, good_at and generation stay, *ret and the marks of the document's keys (since when they
 * stand in every document) are written all the same, so that they count one day:
 * REASON_DOCUMENT_HELD (new keys are held down), REASON_DOCUMENT_REPLAY (every key is barred or
 * withheld). Or t and *ret are unchanged: REASON_TOO_LARGE (barred keys leave no room),
 * REASON_OUT_OF_MEMORY. */
enum reason update_apply(struct partner_trust *t, const struct metadata *m,
    const struct update_rules *rules, int64_t now, struct update_changes *ret) WARN_UNUSED;
/* The last good document is still the partner's (304): stamps good_at and lets the time of its keys
 * come. True when the usable set changed; *ret in any case. */
bool update_confirm(struct partner_trust *t, const struct update_rules *rules, int64_t now,
    struct update_changes *ret);
/* Lets grace times run out without a new document. True when something changed; *ret in any case.
 */
bool update_tick(struct partner_trust *t, const struct update_rules *rules, int64_t now,
    struct update_changes *ret);
/* An administrator bars a key, or ends that: it is then VALID when it stands in the last good
 * document, else GONE. Moves the generation. False: `k` is so already. */
bool update_bar(struct partner_trust *t, struct partner_key *k, bool bar, int64_t now,
    struct update_changes *ret);
/* Forgets keys that are not among PinnedKeys= of `p` (Continuity=pinned), for a configuration that
 * has changed: the partner never withdrew them, so another change brings them back. Barred and
 * withdrawn ones stay known as such, and stand in no document any more. True when
 * something changed; *ret in any case. */
bool update_unpin(struct partner_trust *t, const struct partner *p, struct update_changes *ret);
/* When a NEW key, or a GONE one that stands in the documents again, will be believed if all of
 * them hold it until then. 0: neither. */
int64_t update_believed_from(const struct partner_key *k, const struct update_rules *rules);
