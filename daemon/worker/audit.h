/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker decided, as journal records: each reuse of a minted token, refused orders and
 * refused tokens. The signer records signatures itself. Never token text: its hash. */
#pragma once

#include "burst.h"
#include "check.h"
#include "policy.h"

/* Refused tokens come from strangers and refused orders from any process of the machine: of each
 * reason no more than a burst is written. */
struct audit_limits {
    struct burst of[REASON_COUNT];
};

/* A judgement that ended before the signature was believed to be somebody's is nothing but noise
 * from outside: debug level (rule R29). */
void audit_validation_refused(struct audit_limits *limits, const struct peer *peer,
    const struct token_checked *v, struct span token);

/* What is known of a mint when it is decided here. */
struct audit_mint {
    const struct peer *peer;
    const char *rule, *partner, *host; /* NULL: not known yet */
    struct span user;                  /* empty: the application itself */
    struct span resource;              /* as asked for */
};
void audit_mint_refused(
    struct audit_limits *limits, const struct audit_mint *m, enum reason reason);
void audit_mint_reused(const struct audit_mint *m, struct span token, int64_t expires_at);
