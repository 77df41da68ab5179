/* SPDX-License-Identifier: Apache-2.0 */
#include "signed_document.h"

#include "b64.h"
#include "check_key.h"
#include "claims.h"
#include "digest.h"

struct reading {
    struct jws_scratch *scratch;
    struct span token;
    const struct signed_against *against;
    struct signed_document *ret;
    struct jws_parts parts;
    struct jws_header header;
    struct span signature;
    const struct json_value *payload;
};

typedef enum reason rung_function(struct reading *r);
static rung_function split_token, read_header, read_payload, judge_issuer, find_key;
static rung_function verify_signature, judge_times, read_sequence, read_keys;

/* Nothing above verify_signature believes anything. */
static rung_function *const ladder[] = {split_token, read_header, read_payload, judge_issuer,
    find_key, verify_signature, judge_times, read_sequence, read_keys};

enum reason signed_document_check(struct jws_scratch *scratch, struct span token,
    const struct signed_against *against, struct signed_document *ret)
{
    struct reading r = {.scratch = scratch, .token = token, .against = against, .ret = ret};
    enum reason reason = REASON_OK;
    *ret = (struct signed_document){0};
    for (size_t i = 0; i < ARRAY_LEN(ladder) && reason == REASON_OK; i++)
        reason = ladder[i](&r);
    return reason;
}

bool signed_document_has(const struct signed_document *d, const struct cert *c)
{
    for (size_t i = 0; i < d->n_keys; i++)
        if (memcmp(d->keys[i], c->x5t_s256, X5T_S256_LEN) == 0)
            return true;
    return false;
}

/* ---- form ---- */

static enum reason split_token(struct reading *r)
{
    return jws_split(r->token, JWS_TOKEN_MAX, &r->parts);
}

static enum reason read_header(struct reading *r)
{
    enum reason reason = jws_read_header(r->scratch, r->parts.header, &r->header);
    if (reason != REASON_OK)
        return reason;
    if (!r->header.has_typ || !span_eq_str(r->header.typ, SIGNED_DOCUMENT_TYP))
        return REASON_TOKEN_TYPE;
    return span_eq_str(r->header.alg, "RS256") ? REASON_OK : REASON_ALGORITHM;
}

static enum reason read_payload(struct reading *r)
{
    enum reason reason = jws_read_payload(r->scratch, r->parts.payload, &r->payload);
    return reason != REASON_OK ? reason
                               : jws_read_signature(r->scratch, r->parts.signature, &r->signature);
}

/* ---- issuer and key ---- */

static enum reason judge_issuer(struct reading *r)
{
    const struct json_value *iss = json_get(r->payload, "iss");
    if (!iss || iss->type != JSON_STRING)
        return REASON_CLAIM;
    return span_eq_str(iss->text, r->against->issuer) ? REASON_OK : REASON_UNKNOWN_ISSUER;
}

/* A key in its grace has left the document: it vouches for no new one. */
static enum reason find_key(struct reading *r)
{
    const struct signed_against *a = r->against;
    if (!r->header.has_kid && !r->header.has_x5t && !r->header.has_x5t_s256)
        return REASON_NO_KEY_ID;
    for (size_t i = 0; i < a->n_keys; i++) {
        const struct partner_key *k = &a->keys[i];
        if (k->state == PKEY_VALID && check_key_matches(k, &r->header)) {
            r->ret->signed_by = k;
            return partner_key_judge(k, a->now, a->skew_s);
        }
    }
    return REASON_UNKNOWN_KEY;
}

static enum reason verify_signature(struct reading *r)
{
    return pubkey_verify_rs256(r->ret->signed_by->key, r->parts.signing_input, r->signature);
}

/* ---- meaning ---- */

static enum reason judge_times(struct reading *r)
{
    const struct json_value *iat = json_get(r->payload, "iat");
    const struct json_value *exp = json_get(r->payload, "exp");
    struct signed_document *d = r->ret;
    if (!iat || !exp || !claims_seconds(iat, &d->issued_at) ||
        !claims_seconds(exp, &d->expires_at) || d->expires_at <= d->issued_at)
        return REASON_TIME_FORM;
    if (d->expires_at - d->issued_at > SIGNED_DOCUMENT_LIFE_MAX_S)
        return REASON_LIFETIME;
    if (r->against->now >= d->expires_at + r->against->skew_s)
        return REASON_EXPIRED;
    return d->issued_at - r->against->skew_s <= r->against->now ? REASON_OK : REASON_NOT_YET_VALID;
}

static enum reason read_sequence(struct reading *r)
{
    const struct json_value *v = json_get(r->payload, SIGNED_DOCUMENT_SEQUENCE);
    if (!v || v->type != JSON_NUMBER || !json_int(v->text, &r->ret->sequence) ||
        r->ret->sequence < 1)
        return REASON_CLAIM;
    return REASON_OK;
}

static enum reason read_keys(struct reading *r)
{
    const struct json_value *list = json_get(r->payload, SIGNED_DOCUMENT_KEYS);
    struct signed_document *d = r->ret;
    if (!list || list->type != JSON_ARRAY || list->count < 1 ||
        list->count > SIGNED_DOCUMENT_KEYS_MAX)
        return REASON_CLAIM;
    JSON_EACH (v, list) {
        if (v->type != JSON_STRING ||
            b64url_decode(v->text, d->keys[d->n_keys], X5T_S256_LEN) != X5T_S256_LEN)
            return REASON_CLAIM;
        d->n_keys++;
    }
    return digest_sha256(span_bytes(d->keys, d->n_keys * X5T_S256_LEN), d->keys_digest)
               ? REASON_OK
               : REASON_OUT_OF_MEMORY;
}
