/* SPDX-License-Identifier: Apache-2.0 */
/* Our public documents: each rendered once for a ring and a configuration, then immutable and sent
 * by reference. */
#pragma once

#include "keyring.h"

#include <event2/buffer.h>

#define DOCUMENT_ETAG_LEN 35 /* quoted, 32 hex digits, NUL */

struct document {
    struct evbuffer *body; /* immutable */
    size_t len;
    const char *content_type;
    char etag[DOCUMENT_ETAG_LEN]; /* strong: of the bytes */
    bool holds_keys;              /* who has it knows our keys */
};

struct documents;

/* What is published; nothing of it is kept. */
struct documents_of {
    const struct settings *settings;
    const struct keyring *ring;
    struct span signed_metadata; /* own_signature_token; empty: none */
    /* In a pool: who we are (METADATA_MEMBER_LEN bytes), and keys of the other members, which stand
     * behind ours. NULL: no pool. */
    const uint8_t *member;
    const struct cert *const *fellows;
    size_t n_fellows; /* what does not fit behind our own is left out */
};

/* Renders all of them. REASON_OK or why not. */
enum reason documents_render(const struct documents_of *of, struct documents **ret) WARN_UNUSED;
void documents_free(struct documents *d); /* NULL is fine; what is being sent stays alive */
void documents_freep(struct documents **d);
/* The document at that path, or NULL; without a root of ours there is none at the paths of its
 * certificate. Metadata paths match ASCII case-insensitively with or without
 * a final slash, the others exactly. */
const struct document *documents_find(const struct documents *d, struct span path);
/* "Cache-Control: max-age=..." of these settings; seconds. */
int64_t documents_max_age_s(const struct documents *d);
