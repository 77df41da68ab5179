/* SPDX-License-Identifier: Apache-2.0 */
/* Continuity=signed: may this document follow the one before? Pure. */
#pragma once

#include "metadata.h"
#include "signed_document.h"
#include "state.h"

/* Judges the signature of `m` by what is known of the partner (state->trust, sequence), and leaves
 * in `m` the certificates that its list names. For a partner with another Continuity= everything is
 * well and *ret is zeroed. REASON_OK: *ret is what to keep when the document is taken
 * (continuity_keep). REASON_DOCUMENT_HELD: an administrator has to look at it, `why` tells;
 * REASON_DOCUMENT_KEYS: the list names none of the keys; REASON_OUT_OF_MEMORY. */
enum reason continuity_judge(const struct partner_state *state, const struct partner *pins,
    struct metadata *m, int64_t now, struct signed_document *ret, char why[256]) WARN_UNUSED;
/* The same for a document that an administrator vouches for: any of its own keys may have signed
 * it, and when none has, the sequence stays. */
enum reason continuity_approved(const struct partner *pins, struct metadata *m, int64_t now,
    struct signed_document *ret) WARN_UNUSED;
/* The document was taken. */
void continuity_keep(struct partner_state *state, const struct signed_document *d);
