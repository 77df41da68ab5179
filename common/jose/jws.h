/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS (RFC 7515 section 7.1): split and judge the form; nothing is believed here. */
#pragma once

#include "jwk.h"

#define JWS_TOKEN_MAX 16384
#define JWS_HEADER_MAX 2048  /* decoded */
#define JWS_CLAIMS_MAX 12288 /* decoded */
#define JWS_ACTOR_MAX 8192   /* a nested token, as text */

/* The three texts of a token, and what was signed. All point into the token. */
struct jws_parts {
    struct span header, payload, signature; /* base64url */
    struct span signing_input;              /* header "." payload */
};

/* Exactly two dots, non-empty header and payload, at most `max` characters; counts by scanning
 * (rules R1, R2). */
enum reason jws_split(struct span token, size_t max, struct jws_parts *ret) WARN_UNUSED;

/* A header whose members are only alg, typ, kid, x5t, x5t#S256, all strings (rule R6). */
struct jws_header {
    struct span alg, typ, kid;
    bool has_typ, has_kid, has_x5t, has_x5t_s256;
    uint8_t x5t[X5T_LEN]; /* decoded; base64url or standard base64 */
    uint8_t x5t_s256[X5T_S256_LEN];
    bool x5t_malformed; /* x5t or x5t#S256 was there but is no thumbprint: matches no key */
    unsigned members;   /* how many there were */
};

/* Scratch of one reader: decoded bytes and parsed JSON of header and payload. Reused from token to
 * token. */
struct jws_scratch;
struct jws_scratch *jws_scratch_new(void) WARN_UNUSED;
void jws_scratch_free(struct jws_scratch *s);
void jws_scratch_freep(struct jws_scratch **s);

/* Decodes and parses the header. Spans live until the scratch is used for another token. A missing
 * alg leaves an empty span. REASON_TOO_LARGE, REASON_TOKEN_ENCODING, REASON_JSON_*, or
 * REASON_TOKEN_HEADER. */
enum reason jws_read_header(struct jws_scratch *s, struct span header_b64, struct jws_header *ret)
    WARN_UNUSED;
/* Decodes and parses the payload into one JSON object of at most 64 members; anything else than an
 * object is REASON_JSON_FIELD. */
enum reason jws_read_payload(
    struct jws_scratch *s, struct span payload_b64, const struct json_value **ret) WARN_UNUSED;
/* Decodes the signature: at most 1024 bytes, more is REASON_SIGNATURE. An empty one gives an empty
 * span. */
enum reason jws_read_signature(struct jws_scratch *s, struct span sig_b64, struct span *ret)
    WARN_UNUSED;

/* The JWS layer alone (rules R1-R9, R13; tests and key sets without a domain): one signed token,
 * any non-empty payload, and the keys it may be signed by. A kid must match exactly one key;
 * without one there must be only one key; a key set of JWKs has no thumbprints, so x5t in the
 * header matches none. REASON_OK, REASON_ALGORITHM, REASON_NO_KEY_ID, REASON_UNKNOWN_KEY,
 * REASON_SIGNATURE or a reason of form. */
enum reason jws_verify_rs256(
    struct jws_scratch *s, struct span token, const struct jwk *keys, size_t n) WARN_UNUSED;
