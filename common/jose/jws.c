/* SPDX-License-Identifier: Apache-2.0 */
#include "jws.h"

#include "b64.h"

#include <stdlib.h>

#define JWS_SIGNATURE_MAX 1024 /* bytes: RSA of 8192 bits */
#define MEMBERS_MAX 64         /* rule R4 */

struct jws_scratch {
    struct json_doc *header_doc, *payload_doc;
    uint8_t header[JWS_HEADER_MAX];
    uint8_t payload[JWS_CLAIMS_MAX];
    uint8_t signature[JWS_SIGNATURE_MAX];
};

enum reason jws_split(struct span token, size_t max, struct jws_parts *ret)
{
    if (token.n > max)
        return REASON_TOO_LARGE;
    size_t first = span_find(token, '.');
    if (first == token.n)
        return REASON_TOKEN_SHAPE;
    struct span after_header = span_skip(token, first + 1);
    size_t second = span_find(after_header, '.');
    if (second == after_header.n)
        return REASON_TOKEN_SHAPE;
    struct span signature = span_skip(after_header, second + 1);
    if (first == 0 || second == 0 || span_find(signature, '.') != signature.n)
        return REASON_TOKEN_SHAPE;
    *ret = (struct jws_parts){
        .header = {token.p, first},
        .payload = {after_header.p, second},
        .signature = signature,
        .signing_input = {token.p, first + 1 + second},
    };
    return REASON_OK;
}

struct jws_scratch *jws_scratch_new(void)
{
    struct jws_scratch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->header_doc = json_doc_new();
    s->payload_doc = json_doc_new();
    if (s->header_doc && s->payload_doc)
        return s;
    jws_scratch_free(s);
    return NULL;
}

void jws_scratch_free(struct jws_scratch *s)
{
    if (!s)
        return;
    json_doc_free(s->header_doc);
    json_doc_free(s->payload_doc);
    free(s);
}

void jws_scratch_freep(struct jws_scratch **s)
{
    jws_scratch_free(*s);
    *s = NULL;
}

/* One part of a token into its room. The size is judged before anything is decoded (rule R1). */
static enum reason decode_part(struct span b64, uint8_t *room, size_t cap, struct span *ret)
{
    if (b64.n > B64URL_ENCODED(cap))
        return REASON_TOO_LARGE;
    long n = b64url_decode(b64, room, cap);
    if (n < 0)
        return REASON_TOKEN_ENCODING;
    *ret = span_bytes(room, (size_t)n);
    return REASON_OK;
}

/* False: the member is not allowed (rule R6). */
static bool read_member(const struct json_value *v, struct jws_header *h)
{
    if (v->type != JSON_STRING)
        return false;
    if (span_eq(v->name, SPAN("alg"))) {
        h->alg = v->text;
    } else if (span_eq(v->name, SPAN("typ"))) {
        h->typ = v->text;
        h->has_typ = true;
    } else if (span_eq(v->name, SPAN("kid"))) {
        h->kid = v->text;
        h->has_kid = true;
    } else if (span_eq(v->name, SPAN("x5t"))) {
        h->has_x5t = true;
        h->x5t_malformed |= !b64_thumbprint(v->text, h->x5t, X5T_LEN);
    } else if (span_eq(v->name, SPAN("x5t#S256"))) {
        h->has_x5t_s256 = true;
        h->x5t_malformed |= !b64_thumbprint(v->text, h->x5t_s256, X5T_S256_LEN);
    } else {
        return false;
    }
    return true;
}

enum reason jws_read_header(struct jws_scratch *s, struct span header_b64, struct jws_header *ret)
{
    static const struct json_limits limits = {.bytes = JWS_HEADER_MAX, .members = MEMBERS_MAX};
    struct span text;
    const struct json_value *object;
    enum reason r = decode_part(header_b64, s->header, sizeof(s->header), &text);
    if (r == REASON_OK)
        r = json_parse(s->header_doc, text, &limits, &object);
    if (r != REASON_OK)
        return r;
    if (object->type != JSON_OBJECT)
        return REASON_TOKEN_HEADER;
    struct jws_header h = {.members = object->count};
    JSON_EACH (v, object)
        if (!read_member(v, &h))
            return REASON_TOKEN_HEADER;
    *ret = h;
    return REASON_OK;
}

enum reason jws_read_payload(
    struct jws_scratch *s, struct span payload_b64, const struct json_value **ret)
{
    static const struct json_limits limits = {.bytes = JWS_CLAIMS_MAX, .members = MEMBERS_MAX};
    struct span text;
    const struct json_value *object;
    enum reason r = decode_part(payload_b64, s->payload, sizeof(s->payload), &text);
    if (r == REASON_OK)
        r = json_parse(s->payload_doc, text, &limits, &object);
    if (r != REASON_OK)
        return r;
    if (object->type != JSON_OBJECT)
        return REASON_JSON_FIELD;
    *ret = object;
    return REASON_OK;
}

enum reason jws_read_signature(struct jws_scratch *s, struct span sig_b64, struct span *ret)
{
    enum reason r = decode_part(sig_b64, s->signature, sizeof(s->signature), ret);
    return r == REASON_TOO_LARGE ? REASON_SIGNATURE : r;
}

/* Rule R13: every id that is given must lead to the same one key; keys are never tried in turn. */
static enum reason choose_key(
    const struct jws_header *h, const struct jwk *keys, size_t n, const struct jwk **ret)
{
    const struct jwk *chosen = NULL;
    if (h->has_x5t || h->has_x5t_s256 || n == 0)
        return REASON_UNKNOWN_KEY;
    if (!h->has_kid && n > 1)
        return REASON_NO_KEY_ID;
    for (size_t i = 0; i < n; i++) {
        if (h->has_kid && (!keys[i].kid.p || !span_eq(keys[i].kid, h->kid)))
            continue;
        if (chosen)
            return REASON_UNKNOWN_KEY;
        chosen = &keys[i];
    }
    if (!chosen)
        return REASON_UNKNOWN_KEY;
    *ret = chosen;
    return REASON_OK;
}

enum reason jws_verify_rs256(
    struct jws_scratch *s, struct span token, const struct jwk *keys, size_t n)
{
    struct jws_parts parts;
    struct jws_header h;
    struct span payload, signature;
    const struct jwk *key;
    enum reason r = jws_split(token, JWS_TOKEN_MAX, &parts);
    if (r == REASON_OK)
        r = jws_read_header(s, parts.header, &h);
    if (r == REASON_OK && !span_eq(h.alg, SPAN("RS256")))
        r = REASON_ALGORITHM;
    if (r == REASON_OK)
        r = decode_part(parts.payload, s->payload, sizeof(s->payload), &payload);
    if (r == REASON_OK)
        r = jws_read_signature(s, parts.signature, &signature);
    if (r == REASON_OK)
        r = choose_key(&h, keys, n, &key);
    if (r != REASON_OK)
        return r;
    return pubkey_verify_rs256(key->key, parts.signing_input, signature);
}
