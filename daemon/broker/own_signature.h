/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of our own document ([Metadata] Signed=yes): asked of the signer for each ring, and
 * anew before half of its life is over. A document that some partner takes only with its signature
 * waits for it, a moment. */
#pragma once

#include "msg.h"
#include "settings.h"

#include <event2/event.h>

struct own_signature_ops {
    int (*sign)(const struct msg_sign *m, uint32_t *ret_id, void *arg); /* signer_link_sign */
    /* own_signature_token or own_signature_waits is another one: publish again. */
    void (*on_changed)(void *arg);
};

/* A ring is published without a new signature after so long, and a signer that refuses is asked
 * again after so long, doubled each time. */
#define OWN_SIGNATURE_WAIT_S 3
#define OWN_SIGNATURE_RETRY_S 5
#define OWN_SIGNATURE_RETRY_MAX_S 300

struct own_signature;
/* `ops` outlives it. NULL: out of memory. */
struct own_signature *own_signature_new(
    struct event_base *base, const struct own_signature_ops *ops, void *arg) WARN_UNUSED;
void own_signature_free(struct own_signature *o); /* NULL is fine */

/* These settings are in force: is one wanted? */
void own_signature_use(struct own_signature *o, const struct settings *s);
/* The signer has this ring now. */
void own_signature_ring(struct own_signature *o, uint64_t generation);
/* The signer is away: what was asked is never answered. */
void own_signature_lost(struct own_signature *o);
/* An answer of the signer. False: it is to no question of ours. */
bool own_signature_signed(struct own_signature *o, uint32_t id, const struct msg_signed *m);

/* What the document is to carry now; empty: nothing. Good until the next call of another function.
 */
struct span own_signature_token(const struct own_signature *o);
/* The document of this ring is not to be published yet: on_changed says when. */
bool own_signature_waits(const struct own_signature *o);
/* What its timer does; for tests with a clock of their own. */
void own_signature_wake(struct own_signature *o);
