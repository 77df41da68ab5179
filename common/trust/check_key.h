/* SPDX-License-Identifier: Apache-2.0 */
/* One rung of the ladder: which key of the issuer a header names (rule R13). Whether that key may
 * be used is partner_key_judge's business. */
#pragma once

#include "jws.h"
#include "store.h"

/* True when every id that the header gives is this key's: kid as its kid or as the text of its
 * thumbprint, x5t and x5t#S256 as bytes. A header without ids matches every key. */
bool check_key_matches(const struct partner_key *key, const struct jws_header *header);

/* True when the header names this key by its certificate's digest, so that no other key can have
 * that id: a signature that fails under it is forged, whatever a newer document says. */
bool check_key_is_pinned(const struct partner_key *key, const struct jws_header *header);

/* The header's key id in one size, to be compared and remembered: the x5t, or the first 20 bytes of
 * x5t#S256, or of the SHA-256 of the kid. False: it has none that a key could have. */
bool check_key_id(const struct jws_header *header, uint8_t ret[X5T_LEN]) WARN_UNUSED;

/* The single key of `t` that the header names. Keys that are not honoured yet or any more (NEW,
 * GONE) are not there. `t` may be NULL: nothing is known yet. REASON_NO_KEY_ID; REASON_UNKNOWN_KEY,
 * also when several match, because then the ids name none of them. */
enum reason check_key_find(const struct partner_trust *t, const struct jws_header *header,
    const struct partner_key **ret) WARN_UNUSED;
