/* SPDX-License-Identifier: Apache-2.0 */
/* Continuity=signed: the member `signed_metadata` of an s2sd partner's document (RFC 8414 2.1), a
 * JWT by which a key that is believed already vouches for the keys of the document. Its own small
 * ladder: typ, issuer, signature, times, sequence, list of keys. Pure. */
#pragma once

#include "jws.h"
#include "store.h"

#define SIGNED_DOCUMENT_TYP "s2s-metadata+jwt"
#define SIGNED_DOCUMENT_KEYS "keys"    /* base64url of the SHA-256 of each certificate, in order */
#define SIGNED_DOCUMENT_SEQUENCE "seq" /* JSON integer from 1, rises with each signature */
#define SIGNED_DOCUMENT_KEYS_MAX 64
#define SIGNED_DOCUMENT_LIFE_MAX_S (31 * 86400) /* exp - iat at most */

struct signed_against {
    const char *issuer;             /* the partner's, exact bytes */
    const struct partner_key *keys; /* who may have signed: those of them that are VALID */
    size_t n_keys;
    int64_t now, skew_s; /* wall seconds */
};

struct signed_document {
    int64_t issued_at, expires_at, sequence;
    uint8_t keys[SIGNED_DOCUMENT_KEYS_MAX][X5T_S256_LEN];
    size_t n_keys;                       /* at least 1 */
    uint8_t keys_digest[X5T_S256_LEN];   /* SHA-256 of the list */
    const struct partner_key *signed_by; /* one of against->keys */
};

/* REASON_OK, or the first rung that refuses: REASON_TOO_LARGE, _TOKEN_SHAPE, _TOKEN_ENCODING,
 * _TOKEN_HEADER, _JSON_*, _TOKEN_TYPE, _ALGORITHM, _CLAIM (issuer missing, sequence, list),
 * _UNKNOWN_ISSUER, _NO_KEY_ID, _UNKNOWN_KEY (not among the VALID keys), REASON_KEY_* of
 * partner_key_judge, _SIGNATURE, _TIME_FORM, _LIFETIME, _EXPIRED, _NOT_YET_VALID, _OUT_OF_MEMORY.
 * *ret is meaningful after REASON_OK only. */
enum reason signed_document_check(struct jws_scratch *scratch, struct span token,
    const struct signed_against *against, struct signed_document *ret) WARN_UNUSED;
/* Does the list name the certificate? */
bool signed_document_has(const struct signed_document *d, const struct cert *c);
