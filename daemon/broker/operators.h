/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of administrators about a partner, kept in its state and in its history. Pure: nothing is
 * logged, written or sent here. */
#pragma once

#include "state.h"

/* Suspends or resumes. False: it is so already. `who` is shown ("uid 0"). */
bool operators_suspend(struct partner_state *state, bool suspend, const char *who, int64_t now);
/* The key that an administrator means: its thumbprint (SHA-1) or SHA-256 in hexadecimal of either
 * case, with or without colons, its x5t as base64url, or its kid. NULL: none, or several. */
struct partner_key *operators_key(struct partner_state *state, struct span text);
/* Bars or unbars a key of `state`. False: it is so already. */
bool operators_bar(
    struct partner_state *state, struct partner_key *k, bool bar, const char *who, int64_t now);
