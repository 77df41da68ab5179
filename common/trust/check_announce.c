/* SPDX-License-Identifier: Apache-2.0 */
#include "check_announce.h"

#include "b64.h"
#include "check_key.h"
#include "claims.h"
#include "https_url.h"
#include "metadata.h"

_Static_assert(ANNOUNCE_KEYS_MAX <= 64, "a list in a payload has at most 64 entries");

struct announcing {
    const struct settings *settings;
    const struct store *store;
    struct jws_scratch *scratch;
    int64_t now;
    struct span token;
    struct jws_parts parts;
    struct jws_header header;
    struct span signature;
    const struct json_value *payload;
    struct claims claims;
    int64_t issued_at;
    const struct partner *partner;
    const struct partner_trust *trust;
    const struct partner_key *key;
    struct announce_checked *ret;
};

typedef enum reason rung_function(struct announcing *a);
static rung_function split_token, read_header, read_claims, find_partner, find_key;
static rung_function verify_signature, judge_times, judge_audience, judge_kind, take_list;

/* Nothing above verify_signature believes anything; the partner is named when all is climbed. */
static rung_function *const ladder[] = {
    split_token,      /* R1, R2 */
    read_header,      /* R3, R4, R6-R8 */
    read_claims,      /* R3, R4, R17, R18 */
    find_partner,     /* R15, R37 */
    find_key,         /* R12-R14 */
    verify_signature, /* R9 */
    judge_times,      /* R17, and 60 s at most */
    judge_audience,   /* R16, here: the address of our document */
    judge_kind,       /* R19 */
    take_list,
};

enum reason check_announce(struct jws_scratch *scratch, const struct settings *s,
    const struct store *store, struct span token, int64_t now, struct announce_checked *ret)
{
    struct announcing a = {
        .settings = s, .store = store, .scratch = scratch, .now = now, .token = token, .ret = ret};
    ret->partner = NULL;
    ret->n_trusts = 0;
    ret->issued_at = 0;
    ret->reason = REASON_OK;
    for (size_t i = 0; i < ARRAY_LEN(ladder) && ret->reason == REASON_OK; i++)
        ret->reason = ladder[i](&a);
    if (ret->reason != REASON_OK) {
        ret->n_trusts = 0;
        return ret->reason;
    }
    ret->partner = a.partner;
    ret->issued_at = a.issued_at;
    return REASON_OK;
}

/* ---- form ---- */

static enum reason split_token(struct announcing *a)
{
    return jws_split(a->token, ANNOUNCE_TOKEN_MAX, &a->parts);
}

static enum reason read_header(struct announcing *a)
{
    const enum reason r = jws_read_header(a->scratch, a->parts.header, &a->header);
    if (r != REASON_OK)
        return r;
    if (!a->header.has_typ || !span_eq_str(a->header.typ, ANNOUNCE_TYP))
        return REASON_TOKEN_TYPE;
    return span_eq_str(a->header.alg, "RS256") ? REASON_OK : REASON_ALGORITHM;
}

static enum reason read_claims(struct announcing *a)
{
    struct span bad;
    enum reason r = jws_read_payload(a->scratch, a->parts.payload, &a->payload);
    if (r == REASON_OK)
        r = claims_read(a->payload, CLAIMS_SIGNED, &a->claims, &bad);
    if (r != REASON_OK)
        return r;
    const struct json_value *iat = json_get(a->payload, "iat");
    if (!iat || !claims_seconds(iat, &a->issued_at) || !a->claims.has_exp)
        return REASON_TIME_FORM;
    return jws_read_signature(a->scratch, a->parts.signature, &a->signature);
}

/* ---- issuer and key ---- */

/* A document that is too old to be believed says nothing about who announces either. */
static enum reason find_partner(struct announcing *a)
{
    if (!a->claims.iss.p)
        return REASON_CLAIM;
    a->partner = settings_partner_of_issuer(a->settings, a->claims.iss);
    if (!a->partner)
        return REASON_UNKNOWN_ISSUER;
    if (!a->partner->enabled)
        return REASON_PARTNER_DISABLED;
    a->trust = store_get(a->store, span_of(a->partner->name));
    if (a->trust && a->trust->suspended)
        return REASON_PARTNER_SUSPENDED;
    if (a->trust && a->trust->good_at && a->partner->metadata_urls.n &&
        a->now - a->trust->good_at >= a->settings->refresh.stale_after_s)
        return REASON_PARTNER_STALE;
    return REASON_OK;
}

/* Evidence is never worth an exception: neither Grace= nor ExpiredKeys= helps here. */
static enum reason find_key(struct announcing *a)
{
    const enum reason r = check_key_find(a->trust, &a->header, &a->key);
    if (r != REASON_OK)
        return r;
    if (a->key->state == PKEY_MISSING)
        return REASON_UNKNOWN_KEY;
    return partner_key_judge(a->key, a->now, a->settings->limits.clock_skew_s);
}

static enum reason verify_signature(struct announcing *a)
{
    return pubkey_verify_rs256(a->key->key, a->parts.signing_input, a->signature);
}

/* ---- meaning ---- */

static enum reason judge_times(struct announcing *a)
{
    const int64_t skew = a->settings->limits.clock_skew_s;
    const int64_t life = a->claims.exp - a->issued_at;
    if (life <= 0)
        return REASON_TIME_FORM;
    if (life > ANNOUNCE_LIFE_S)
        return REASON_LIFETIME;
    if (a->now >= a->claims.exp + skew)
        return REASON_EXPIRED;
    return a->issued_at - skew <= a->now ? REASON_OK : REASON_NOT_YET_VALID;
}

static bool is_same_server(const struct https_url *asked, const char *url)
{
    struct https_url ours;
    return https_url_parse(span_of(url), &ours) && span_eq_nocase(asked->authority, ours.authority);
}

/* The partner asks at whichever of our paths its administrator wrote down; in a pool under the name
 * that all share or under that of a member. */
static enum reason judge_audience(struct announcing *a)
{
    struct https_url asked;
    const struct names *members = &a->settings->pool.members;
    if (!a->claims.aud.p || !https_url_parse(a->claims.aud, &asked))
        return REASON_AUDIENCE_FORM;
    if (span_eq_str(a->claims.aud, a->settings->metadata.url))
        return REASON_OK;
    bool ours = is_same_server(&asked, a->settings->metadata.url);
    for (size_t i = 0; !ours && i < members->n; i++)
        ours = is_same_server(&asked, members->list[i]);
    return ours && metadata_is_path(asked.path) ? REASON_OK : REASON_AUDIENCE;
}

/* What speaks for an application or a user is no announcement, whatever its typ says. */
static enum reason judge_kind(struct announcing *a)
{
    static const char *const foreign[] = {"nameid", "sub", "trustedfordelegation"};
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (json_get(a->payload, foreign[i]))
            return REASON_TOKEN_KIND;
    return a->claims.has_nested_actor ? REASON_NESTED_ACTOR : REASON_OK;
}

/* Thumbprints in the one form that we write; the reader of the payload caps their number. */
static enum reason take_list(struct announcing *a)
{
    const struct json_value *list = json_get(a->payload, ANNOUNCE_TRUSTS);
    if (!list || list->type != JSON_ARRAY || list->count > ANNOUNCE_KEYS_MAX)
        return REASON_CLAIM;
    JSON_EACH (v, list) {
        uint8_t *to = a->ret->trusts[a->ret->n_trusts];
        if (v->type != JSON_STRING || b64url_decode(v->text, to, X5T_LEN) != X5T_LEN)
            return REASON_CLAIM;
        a->ret->n_trusts++;
    }
    return REASON_OK;
}
