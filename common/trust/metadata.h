/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication metadata documents: every shape seen in the wild is read, the full Exchange shape
 * is written (protocol note 1). */
#pragma once

#include "cert.h"
#include "json.h"
#include "settings.h"

#define METADATA_MAX (1024 * 1024)
#define METADATA_KEYS_MAX 64         /* entries of the array, usable or not */
#define METADATA_MEMBER_LEN 16       /* bytes that tell members of a pool apart */
#define METADATA_KEY_BYTES_MAX 40960 /* moduli together, so that one frame can carry a partner */

/* A partner's document after judging. */
struct metadata {
    struct cert *certs[METADATA_KEYS_MAX]; /* usable now or later, in document order, owned */
    size_t n_certs;
    /* A pool member says with `s2s_own_keys`: N that the first N entries are keys of its own, with
     * `s2s_member` who of the pool it is. */
    bool says_own_keys;
    bool of_pool; /* a partner's document says the former: the next one may be of another member */
    size_t n_own; /* usable certificates among them: the first of `certs` */
    uint8_t member[METADATA_MEMBER_LEN]; /* zero: not said */
    /* Came from where anybody may have kept a copy of an older one, so a withdrawn key needs proof
     * that this one is younger (update.h). False for a certificate that an administrator put there.
     */
    bool may_be_replayed;
    char *signed_metadata;   /* the member of that name, owned; nothing of it is believed here (see
                                signed_document.h). NULL: none, or no string of lawful length */
    unsigned skipped;        /* weak, expired, unreadable or foreign keys left out */
    unsigned x5t_mismatches; /* published thumbprint differs from the certificate's */
    char detail[256];        /* why keys were skipped, or what differs from the pins; safe to log */
};

/* Reads a document of at most METADATA_MAX bytes under the partner's pins. Names and enum values
 * match ASCII case-insensitively. Clock: `now`, skew 300 s. Expired certificates are left out
 * unless the partner has ExpiredKeys=warn; those whose time has not come are kept, because a 304
 * brings no second reading: their dates are judged at each use (partner_key_judge). Own and foreign
 * keys are kept too: store_settle_disputes sees all partners. REASON_OK: identity right, at least
 * one key usable now. REASON_DOCUMENT_KEYS: right identity, none usable now (the installed set
 * stays). REASON_DOCUMENT_PINS: none at all, and PinnedKeys= is why. REASON_DOCUMENT_FORM, _ISSUER,
 * _OURS (issuer equals self->issuer), _PRIVATE, REASON_JSON_*, REASON_TOO_LARGE,
 * REASON_OUT_OF_MEMORY: refused whole, no certificates. `self` NULL reads the document of a pool
 * member: its issuer is ours, and `pins` say so. *ret need not be initialised; ret->detail is
 * filled in any case; the caller calls metadata_done. */
enum reason metadata_parse(struct span text, const struct partner *pins,
    const struct identity *self, int64_t now, struct metadata *ret) WARN_UNUSED;
void metadata_done(struct metadata *m);
/* Drops the certificates that `keep` says no to; `why` goes into the detail for each. */
void metadata_filter(struct metadata *m, bool (*keep)(const struct cert *c, const void *arg),
    const void *arg, const char *why);

/* Our own document, byte-stable: certificates in the order given, the signing one first. */
struct metadata_own {
    const struct identity *identity;
    const char *url; /* [Metadata] URL */
    const struct cert *const *certs;
    size_t n_certs;
    struct span signed_metadata; /* empty: none */
    /* In a pool: how many of them, from the front, are our own, and who of the pool we are. NULL:
     * there is no pool, and the document says nothing of it. */
    const uint8_t *member; /* METADATA_MEMBER_LEN bytes */
    size_t n_own;
};
/* Each appends to `out`: REASON_OK or REASON_OUT_OF_MEMORY (also when out->max is too small).
 * The full Exchange-style document. `id` is "_" + a UUID (version 5 form, from SHA-1) of issuer and
 * keys. */
enum reason metadata_render(const struct metadata_own *own, struct buf *out) WARN_UNUSED;
/* RFC 7517 key set of the same certificates. */
enum reason metadata_render_jwks(const struct metadata_own *own, struct buf *out) WARN_UNUSED;
/* OpenID discovery: issuer (the https origin of own->url, lower case), jwks_uri, and what the
 * specification demands. REASON_INVALID_REQUEST when the URL is not https. */
enum reason metadata_render_openid(const struct metadata_own *own, struct buf *out) WARN_UNUSED;

/* Every path at which partners are known to ask for a metadata document (protocol note 1.1); ASCII
 * case does not matter, a final slash neither. */
bool metadata_is_path(struct span path);
