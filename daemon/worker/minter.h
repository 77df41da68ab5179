/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for tokens: which rule and partner, may it be, is one at hand, else the signer. Never
 * parses a token. */
#pragma once

#include "methods.h"

/* A request waits this long for a signer that is being restarted, then it is told to come again. */
#define MINTER_SIGNER_GRACE_MS 2000
/* And this long for an answer in all, whatever happens to the signer meanwhile. */
#define MINTER_ANSWER_MS 3000
/* Orders that wait; beyond that a new one is over quota. */
#define MINTER_ORDERS_MAX 1024

struct minter;
struct minter *minter_new(struct worker *w) WARN_UNUSED;
void minter_free(struct minter *m);

void minter_run(struct worker *w, struct request *r);
void minter_cancel(struct worker *w, struct request *r);

/* A connected mint link (taken over), or -1: the signer is away. */
void minter_on_signer_link(struct worker *w, int fd);
bool minter_has_signer(const struct minter *m);
/* Our document has that key first now. Tokens that another key signed are forgotten: a receiver
 * that believes the first key only (protocol note 1.4) must not meet one after it has read the
 * document.
 */
void minter_on_signing_key(struct worker *w, const uint8_t x5t[X5T_LEN]);
/* An administrator has suspended the partner: orders that wait are refused. */
void minter_on_suspended(struct worker *w, struct span partner);
/* Other settings are in force: tokens of old rules are forgotten. */
void minter_on_commit(struct worker *w);
/* Requests that wait for the signer. */
size_t minter_waiting(const struct minter *m);
