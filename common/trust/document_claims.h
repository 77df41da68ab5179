/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of signed_metadata of our own document (RFC 8414 2.1): which certificates it holds, in
 * an order of editions that cannot be turned back. What a partner thinks of it is
 * signed_document.h. */
#pragma once

#include "keyring.h"
#include "signed_document.h"

/* A partner that has not read us for so long holds us for stale, too ([Refresh] StaleAfter=). */
#define DOCUMENT_CLAIMS_LIFE_S (7 * 86400)

struct document_claims {
    const struct identity *identity;
    const struct keyring *ring; /* what of it is published */
    int64_t sequence;
    int64_t now; /* wall seconds */
};
/* Appends the claims as JSON. *ret_expires_at: DOCUMENT_CLAIMS_LIFE_S from now. REASON_OK,
 * REASON_INVALID_REQUEST for a moment that is no time, REASON_OUT_OF_MEMORY. */
enum reason document_claims_compose(
    const struct document_claims *d, struct buf *claims, int64_t *ret_expires_at) WARN_UNUSED;
