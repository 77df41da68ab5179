/* SPDX-License-Identifier: Apache-2.0 */
/* What one part's news mean for the others: the callbacks of all parts of the broker. */
#pragma once

#include "broker.h"

extern const struct signer_link_ops wiring_signer;
extern const struct workers_ops wiring_workers;
extern const struct refresher_ops wiring_refresher;
extern const struct own_signature_ops wiring_own_signature;
extern const struct reload_ops wiring_reload;
extern const struct pool_members_ops wiring_pool;

/* e->state.trust is another one: the store and the validators are told. */
void wiring_trust_moved(struct broker *b, struct partner_entry *e);
extern const struct witness_ops wiring_witness;
extern const struct announces_ops wiring_announces;

/* Somebody was shown our keys at the public door. */
void wiring_on_visit(const struct public_visit *v, void *broker);
/* fetch_sign_fn: the signer is asked who we are. */
int wiring_sign(const struct msg_sign *m, uint32_t *ret_id, void *broker);

/* partners_gone_fn: a partner has left the configuration. */
void wiring_on_gone(struct partner_entry *e, void *broker);
/* partners_moved_fn for the time before there are workers. */
void wiring_ignore_moved(struct partner_entry *e, void *broker);
/* Settles disputes the first time, before the signer is there. */
enum reason wiring_settle_first(struct broker *b) WARN_UNUSED;
/* Ends control, reload and refresh and closes the links to signer and fetcher; may be called twice.
 */
void wiring_close(struct broker *b);
