/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "check_key.h"
#include "check_user.h"
#include "principal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The three tokens that open this door. A bit each, so that a rung can name those it is for. */
enum token_kind {
    APP = 1 << 0,   /* signed: the application itself, or an actor token on its own */
    OUTER = 1 << 1, /* unsigned, around a signed actor token */
    USER = 1 << 2   /* signed whole by an s2sd partner */
};
#define ANY (APP | OUTER | USER)

struct check_scratch {
    struct jws_scratch *whole, *actor;
};

/* What the rungs hand upwards. Everything but against, scratch and v points into token or scratch.
 */
struct judging {
    const struct check_against *against;
    struct check_scratch *scratch;
    struct token_checked *v;
    struct span token;
    enum token_kind kind;
    const char *subject; /* how details call the token whose claims are looked at */
    /* From here on the signed token: the whole one, or the actor token inside an outer one. */
    struct jws_scratch *reader;
    struct jws_parts parts;
    struct jws_header header;
    struct span signature;
    struct claims claims;
    const struct partner_trust *trust; /* NULL when nothing is known of the partner yet */
    const struct partner_key *key;
    /* The outer token, unproven until the rungs of STEP_ACTOR have bound it to the actor. */
    struct claims outer;
    struct user_named user;
};

typedef enum reason climb_function(struct judging *j);
static climb_function split_token, read_header, open_outer, open_actor, read_claims;
static climb_function find_partner, require_fresh, find_key, judge_key, verify_signature;
static climb_function judge_times, judge_outer_times, judge_audience;
static climb_function judge_kind, judge_application, judge_trust_level;
static climb_function refuse_forbidden, require_delegation, bind_outer, bind_act;
static climb_function name_user, name_signed_user, judge_policy;
static bool is_worth_fetching(const struct judging *j);

/* The whole protocol, in the order of rule R29: nothing above verify_signature believes anything,
 * nothing in here writes state. The first rung that refuses ends it. */
static const struct rung {
    enum check_step step;
    unsigned kinds;
    climb_function *climb;
} ladder[] = {
    {STEP_FORM, ANY, split_token},             /* R1, R2 */
    {STEP_FORM, ANY, read_header},             /* R3, R4, R6-R8 */
    {STEP_FORM, OUTER, open_outer},            /* R20, R21 */
    {STEP_FORM, OUTER, open_actor},            /* R22 */
    {STEP_FORM, ANY, read_claims},             /* R3, R4, R17, R18 */
    {STEP_ISSUER, ANY, find_partner},          /* R15 */
    {STEP_ISSUER, ANY, require_fresh},         /* R37 */
    {STEP_KEY, ANY, find_key},                 /* R13 */
    {STEP_KEY, ANY, judge_key},                /* R12, R14 */
    {STEP_SIGNATURE, ANY, verify_signature},   /* R9 */
    {STEP_TIME, ANY, judge_times},             /* R17 */
    {STEP_TIME, OUTER, judge_outer_times},     /* R17, R23 */
    {STEP_AUDIENCE, ANY, judge_audience},      /* R16 */
    {STEP_KIND, ANY, judge_kind},              /* R19, R25 */
    {STEP_KIND, ANY, judge_application},       /* R27 */
    {STEP_KIND, ANY, judge_trust_level},       /* R24 */
    {STEP_ACTOR, OUTER, refuse_forbidden},     /* R26 */
    {STEP_ACTOR, OUTER, require_delegation},   /* R24 */
    {STEP_ACTOR, OUTER, bind_outer},           /* R23 */
    {STEP_ACTOR, USER, bind_act},              /* R23 */
    {STEP_USER, OUTER, name_user},             /* R18 */
    {STEP_USER, USER, name_signed_user},       /* R18 */
    {STEP_POLICY, OUTER | USER, judge_policy}, /* R24 */
};

/* Clears what decides and the first byte of each text: the rest is written before it is read. */
static void verdict_start(struct token_checked *v)
{
    char *const texts[] = {v->issuer, v->app, v->audience, v->user, v->nameid, v->nii, v->upn,
        v->smtp, v->sip, v->detail};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        texts[i][0] = '\0';
    v->reason = REASON_INTERNAL;
    v->delegated = v->user_signed = v->signature_believed = v->key_expired_warning = false;
    v->worth_fetching = false;
    v->partner = NULL;
    v->nbf = v->exp = 0;
    memset(v->x5t, 0, sizeof(v->x5t));
}

enum reason check_token(struct check_scratch *scratch, const struct check_against *against,
    struct span token, struct token_checked *v)
{
    struct judging j = {.against = against,
        .scratch = scratch,
        .v = v,
        .token = token,
        .kind = APP,
        .subject = "the token",
        .reader = scratch->whole};

    verdict_start(v);
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        if (!(ladder[i].kinds & j.kind))
            continue;
        v->step = ladder[i].step;
        v->reason = ladder[i].climb(&j);
        if (v->reason == REASON_OK)
            continue;
        v->worth_fetching = is_worth_fetching(&j);
        return v->reason;
    }
    v->step = STEP_COUNT;
    return v->reason;
}

/* ---- what a newer document could change ---- */

/* The rungs above the signature, on trial: nobody is told what they find. */
static bool rest_would_pass(const struct judging *j)
{
    struct token_checked trial = *j->v;
    struct judging t = *j;
    t.v = &trial;
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++)
        if (ladder[i].step > STEP_SIGNATURE && (ladder[i].kinds & t.kind) &&
            ladder[i].climb(&t) != REASON_OK)
            return false;
    return true;
}

/* DESIGN 7: all of it is judged before anybody is asked for a newer document. */
static bool is_worth_fetching(const struct judging *j)
{
    bool curable = j->v->reason == REASON_UNKNOWN_KEY ||
                   (j->v->reason == REASON_SIGNATURE && !check_key_is_pinned(j->key, &j->header));
    return curable && check_key_id(&j->header, j->v->key_id) && rest_would_pass(j);
}

/* ---- a verdict that was given before ---- */

void check_recall(struct token_checked *v, const uint8_t x5t[X5T_LEN], int64_t nbf, int64_t exp)
{
    verdict_start(v);
    memcpy(v->x5t, x5t, X5T_LEN);
    v->nbf = nbf;
    v->exp = exp;
}

/* The bytes have not changed, so their form and signature stand; every other rung is climbed
 * again. */
enum reason check_again(const struct check_against *against, struct token_checked *v)
{
    struct judging j = {.against = against,
        .v = v,
        .kind = APP,
        .subject = "the token",
        .header = {.has_x5t = true},
        .claims = {.iss = span_of(v->issuer),
            .nameid = span_of(v->app),
            .aud = span_of(v->audience),
            .has_nbf = true,
            .has_exp = true,
            .nbf = v->nbf,
            .exp = v->exp}};

    memcpy(j.header.x5t, v->x5t, X5T_LEN);
    v->signature_believed = true;
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        v->step = ladder[i].step;
        if (!(ladder[i].kinds & APP) || v->step == STEP_FORM || v->step == STEP_SIGNATURE)
            continue;
        v->reason = ladder[i].climb(&j);
        if (v->reason != REASON_OK)
            return v->reason;
    }
    v->step = STEP_COUNT;
    return v->reason;
}

/* ---- what the rungs share ---- */

/* Refuses with words for explain: ours, and numbers; nothing that was in the token. */
static enum reason PRINTF(3, 4) refuse(struct judging *j, enum reason r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->v->detail, sizeof(j->v->detail), fmt, ap);
    va_end(ap);
    return r;
}

/* Identity strings are at most CLAIM_TEXT_MAX bytes, so they fit. */
static void note(char to[USER_TEXT_MAX], struct span text)
{
    if (text.n)
        memcpy(to, text.p, text.n);
    to[text.n] = '\0';
}

/* ---- form ---- */

static enum reason split_token(struct judging *j)
{
    const enum reason r = jws_split(j->token, JWS_TOKEN_MAX, &j->parts);
    return r == REASON_TOO_LARGE ? refuse(j, r, "%zu bytes; %d are read", j->token.n, JWS_TOKEN_MAX)
                                 : r;
}

/* R7, R8. The only place where an algorithm has a name: "none" leads to open_outer and nowhere else
 * (R20). */
static enum reason kind_of(const struct jws_header *h, enum token_kind *ret)
{
    static const struct {
        struct span typ, alg;
        enum token_kind kind;
    } kinds[] = {
        {SPAN("JWT"), SPAN("RS256"), APP},
        {SPAN("JWT"), SPAN("none"), OUTER},
        {SPAN("s2s-user+jwt"), SPAN("RS256"), USER},
    };
    enum reason r = REASON_TOKEN_TYPE;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!h->has_typ || !span_eq(h->typ, kinds[i].typ))
            continue;
        r = REASON_ALGORITHM;
        if (!span_eq(h->alg, kinds[i].alg))
            continue;
        *ret = kinds[i].kind;
        return REASON_OK;
    }
    return r;
}

static enum reason read_header(struct judging *j)
{
    enum reason r = jws_read_header(j->reader, j->parts.header, &j->header);
    if (r == REASON_OK)
        r = kind_of(&j->header, &j->kind);
    if (r != REASON_OK)
        return r;
    j->v->delegated = j->kind != APP;
    j->v->user_signed = j->kind == USER;
    return REASON_OK;
}

static enum reason read_payload(struct judging *j, enum claims_of of, struct claims *ret)
{
    const struct json_value *payload;
    struct span bad = {0};
    enum reason r = jws_read_payload(j->reader, j->parts.payload, &payload);
    if (r != REASON_OK)
        return r;
    r = claims_read(payload, of, ret, &bad);
    return bad.n ? refuse(j, r, "%s: the claim %.*s", j->subject, (int)bad.n, bad.p) : r;
}

/* R20-R22: bare header, no signature, one actor token. The claims stay unproven. */
static enum reason open_outer(struct judging *j)
{
    j->subject = "the outer token";
    if (j->header.members != 2)
        return refuse(j, REASON_OUTER_SHAPE, "its header has %u members", j->header.members);
    if (j->parts.signature.n != 0)
        return refuse(j, REASON_OUTER_SHAPE, "there is something behind the last dot");
    const enum reason r = read_payload(j, CLAIMS_OUTER, &j->outer);
    if (r != REASON_OK)
        return r;
    return j->outer.actortoken.p ? REASON_OK : REASON_UNSIGNED;
}

/* From here on the actor token is judged like any signed token (R22). */
static enum reason open_actor(struct judging *j)
{
    enum token_kind kind;
    j->subject = "the actor token";
    j->reader = j->scratch->actor;
    enum reason r = jws_split(j->outer.actortoken, JWS_ACTOR_MAX, &j->parts);
    if (r == REASON_OK)
        r = jws_read_header(j->reader, j->parts.header, &j->header);
    if (r == REASON_OK)
        r = kind_of(&j->header, &kind);
    if (r == REASON_TOKEN_SHAPE)
        return REASON_ACTOR_TOKEN;
    if (r == REASON_OK && kind != APP)
        return refuse(j, kind == OUTER ? REASON_ALGORITHM : REASON_TOKEN_TYPE,
            "the actor token must be a signed one of its own");
    return r;
}

static enum reason read_claims(struct judging *j)
{
    const enum claims_of of = j->kind == USER ? CLAIMS_USER : CLAIMS_SIGNED;
    const enum reason r = read_payload(j, of, &j->claims);
    if (r != REASON_OK)
        return r;
    note(j->v->issuer, j->claims.iss);
    note(j->v->app, j->claims.nameid);
    note(j->v->audience, j->claims.aud);
    return jws_read_signature(j->reader, j->parts.signature, &j->signature);
}

/* ---- issuer and key ---- */

/* R15: exact bytes, one partner, and never ourselves. */
static enum reason find_partner(struct judging *j)
{
    const struct settings *s = j->against->settings;
    const struct span iss = j->claims.iss;
    if (!iss.p)
        return refuse(j, REASON_CLAIM, "%s has no issuer", j->subject);
    if (span_eq_str(iss, s->identity.issuer))
        return refuse(j, REASON_UNKNOWN_ISSUER, "the issuer is ourselves");
    j->v->partner = settings_partner_of_issuer(s, iss);
    if (!j->v->partner)
        return REASON_UNKNOWN_ISSUER;
    j->trust = store_get(j->against->store, span_of(j->v->partner->name));
    if (!j->v->partner->enabled)
        return REASON_PARTNER_DISABLED;
    return j->trust && j->trust->suspended ? REASON_PARTNER_SUSPENDED : REASON_OK;
}

/* R37. A partner without a document (air-gapped, Certificate=) has nothing that could grow old;
 * one that was never fetched has no keys, which is the next rung's answer and worth a fetch. */
static enum reason require_fresh(struct judging *j)
{
    const int64_t stale_after = j->against->settings->refresh.stale_after_s;
    if (!j->trust || !j->trust->good_at || !j->v->partner->metadata_urls.n)
        return REASON_OK;
    const int64_t age = j->against->now - j->trust->good_at;
    return age < stale_after
               ? REASON_OK
               : refuse(j, REASON_PARTNER_STALE,
                     "the last good document is %" PRId64 " s old; %" PRId64 " s are allowed", age,
                     stale_after);
}

static enum reason explain_unknown_key(struct judging *j)
{
    char thumbprint[THUMBPRINT_TEXT_LEN] = "";
    if (j->header.has_x5t && !j->header.x5t_malformed) {
        thumbprint_text(j->header.x5t, thumbprint);
        memcpy(j->v->x5t, j->header.x5t, X5T_LEN);
    }
    return refuse(j, REASON_UNKNOWN_KEY, "its ids%s%s lead to none of the partner's %zu keys",
        thumbprint[0] ? ", x5t " : "", thumbprint, j->trust ? j->trust->n_keys : 0);
}

/* R13: looked up among this issuer's own keys and nowhere else. */
static enum reason find_key(struct judging *j)
{
    const enum reason r = check_key_find(j->trust, &j->header, &j->key);
    if (r == REASON_OK)
        memcpy(j->v->x5t, j->key->x5t, X5T_LEN);
    return r == REASON_UNKNOWN_KEY ? explain_unknown_key(j) : r;
}

/* Times are refused by our clock alone; that the partner's differs may be why. */
static enum reason tell_clock(struct judging *j, enum reason r)
{
    const struct partner_clock *c = j->trust ? &j->trust->clock : NULL;
    size_t n = strlen(j->v->detail);
    if (!c || !c->known)
        return r;
    if (c->ahead_s >= -PARTNER_CLOCK_STEP_S && c->ahead_s <= PARTNER_CLOCK_STEP_S)
        snprintf(j->v->detail + n, sizeof(j->v->detail) - n, "; the partner's clock is in step");
    else
        snprintf(j->v->detail + n, sizeof(j->v->detail) - n,
            "; the partner's clock is %" PRId64 " s %s ours",
            c->ahead_s < 0 ? -c->ahead_s : c->ahead_s, c->ahead_s < 0 ? "behind" : "ahead of");
    return r;
}

/* R12, R14. ExpiredKeys=warn forgives an end, never a beginning. */
static enum reason judge_key(struct judging *j)
{
    const int64_t now = j->against->now, skew = j->against->settings->limits.clock_skew_s;
    const enum reason r = partner_key_judge(j->key, now, skew);
    if (r != REASON_KEY_EXPIRED)
        return r;
    if (now < j->key->not_before)
        return tell_clock(
            j, refuse(j, r, "its certificate begins in %" PRId64 " s", j->key->not_before - now));
    if (j->v->partner->expired_keys != EXPIRED_WARN)
        return tell_clock(
            j, refuse(j, r, "its certificate ended %" PRId64 " s ago", now - j->key->not_after));
    j->v->key_expired_warning = true;
    return REASON_OK;
}

static enum reason verify_signature(struct judging *j)
{
    const enum reason r = pubkey_verify_rs256(j->key->key, j->parts.signing_input, j->signature);
    j->v->signature_believed = r == REASON_OK;
    return r;
}

/* ---- times and audience ---- */

/* R17: now < exp + skew, nbf - skew <= now, 0 < exp - nbf <= cap. */
static enum reason judge_window(struct judging *j, const struct claims *c)
{
    const int64_t now = j->against->now, skew = j->against->settings->limits.clock_skew_s;
    const int64_t life = c->exp - c->nbf, cap = j->against->settings->limits.inbound_lifetime_s;
    if (!c->has_exp || !c->has_nbf)
        return refuse(j, REASON_TIME_FORM, "%s has no %s", j->subject, c->has_exp ? "nbf" : "exp");
    if (life <= 0)
        return refuse(j, REASON_TIME_FORM, "%s ends before it begins", j->subject);
    if (now >= c->exp + skew)
        return tell_clock(j, refuse(j, REASON_EXPIRED,
                                 "%s expired %" PRId64 " s ago; %" PRId64 " s of skew are allowed",
                                 j->subject, now - c->exp, skew));
    if (c->nbf - skew > now)
        return tell_clock(j, refuse(j, REASON_NOT_YET_VALID,
                                 "%s begins in %" PRId64 " s; %" PRId64 " s of skew are allowed",
                                 j->subject, c->nbf - now, skew));
    if (life > cap)
        return refuse(j, REASON_LIFETIME, "%s lives %" PRId64 " s; %" PRId64 " s are accepted",
            j->subject, life, cap);
    return REASON_OK;
}

static enum reason judge_times(struct judging *j)
{
    j->v->nbf = j->claims.nbf;
    j->v->exp = j->claims.exp;
    return judge_window(j, &j->claims);
}

/* The outer token ends with the actor token at the latest (trap 25). */
static enum reason judge_outer_times(struct judging *j)
{
    j->subject = "the outer token";
    const enum reason r = judge_window(j, &j->outer);
    if (r != REASON_OK)
        return r;
    if (j->outer.nbf > j->v->nbf)
        j->v->nbf = j->outer.nbf;
    if (j->outer.exp < j->v->exp)
        j->v->exp = j->outer.exp;
    return REASON_OK;
}

/* The caller's own narrowing: the hosts its rule allows, and the one it asked for. */
static bool host_wanted(const struct check_against *against, struct span host)
{
    bool allowed = against->audiences == NULL;
    for (size_t i = 0; !allowed && i < against->audiences->n; i++)
        allowed = span_eq_nocase(host, span_of(against->audiences->list[i]));
    return allowed && (against->audience.n == 0 || span_eq_nocase(host, against->audience));
}

/* R16: application and realm exact, host without case. */
static enum reason judge_audience(struct judging *j)
{
    const struct identity *us = &j->against->settings->identity;
    struct principal aud;
    if (!principal_parse_audience(j->claims.aud, &aud))
        return REASON_AUDIENCE_FORM;
    if (!span_eq_str(aud.app_id, us->app_id))
        return refuse(j, REASON_AUDIENCE, "the application is not ours");
    if (!span_eq_str(aud.realm, us->realm))
        return REASON_AUDIENCE_REALM;
    if (!identity_has_host(us, aud.host))
        return refuse(j, REASON_AUDIENCE, "the host is not ours");
    if (!host_wanted(j->against, aud.host))
        return refuse(j, REASON_AUDIENCE, "the host is ours, but not the one that was asked for");
    return REASON_OK;
}

/* ---- kind ---- */

/* R19, R25, and who sends user tokens in which form (DESIGN 7). */
static enum reason judge_kind(struct judging *j)
{
    const struct partner *p = j->v->partner;
    if (j->claims.has_nested_actor)
        return REASON_NESTED_ACTOR;
    if (!j->claims.nameid.p)
        return refuse(j, REASON_TOKEN_KIND, "it has no nameid");
    if (j->kind == USER && p->product != PRODUCT_S2SD)
        return refuse(j, REASON_TOKEN_TYPE, "only a partner with Product=s2sd signs user tokens");
    if (j->kind == OUTER && !p->unsigned_outer)
        return REASON_OUTER_REFUSED;
    return REASON_OK;
}

static bool lists_application(const struct partner *p, struct span app)
{
    for (size_t i = 0; i < p->applications.n; i++)
        if (span_eq_str(app, p->applications.list[i]))
            return true;
    return false;
}

/* R27: a partner speaks for itself, a trust broker also for the applications we listed. */
static enum reason judge_application(struct judging *j)
{
    const struct partner *p = j->v->partner;
    const struct span app = j->claims.nameid;
    const bool its_own = span_eq_str(app, p->issuer);
    return its_own || (p->trust_broker && lists_application(p, app)) ? REASON_OK
                                                                     : REASON_ACTOR_NAME;
}

/* Full: itself and users. Application: itself. User: nobody without a token server, and a token of
 * a token server does not come from the partner. */
static enum reason judge_trust_level(struct judging *j)
{
    const enum trust_level level = j->v->partner->trust;
    if (level == TRUST_FULL || (level == TRUST_APPLICATION && j->kind == APP))
        return REASON_OK;
    return refuse(j, REASON_TRUST_LEVEL, "the partner has Trust=%s", trust_level_name(level));
}

/* ---- actor binding ---- */

static enum reason refuse_forbidden(struct judging *j)
{
    return j->outer.has_forbidden ? REASON_FORBIDDEN_CLAIM : REASON_OK;
}

static enum reason require_delegation(struct judging *j)
{
    return j->claims.trusted_for_delegation == DELEGATION_TRUE ? REASON_OK : REASON_NO_DELEGATION;
}

/* R23: MS-XOAUTH 3.2.5.6; all three parts of the audience, or an actor token of one tenant serves
 * in another (CVE-2025-55241). */
static enum reason bind_outer(struct judging *j)
{
    struct principal inner, outer;
    if (!span_eq(j->outer.iss, j->claims.nameid))
        return REASON_OUTER_ISSUER;
    if (!principal_parse_audience(j->claims.aud, &inner) ||
        !principal_parse_audience(j->outer.aud, &outer) || !span_eq(outer.app_id, inner.app_id) ||
        !span_eq_nocase(outer.host, inner.host) || !span_eq(outer.realm, inner.realm))
        return REASON_OUTER_AUDIENCE;
    return REASON_OK;
}

/* RFC 8693 4.1: who acts is who the token is from. */
static enum reason bind_act(struct judging *j)
{
    return span_eq(j->claims.actor, j->claims.nameid)
               ? REASON_OK
               : refuse(j, REASON_ACTOR_NAME, "act.sub is not the nameid");
}

/* ---- user and policy ---- */

static enum reason name_user(struct judging *j)
{
    const enum reason r = check_user_of_outer(&j->outer, j->v->partner->accept_sid, &j->user);
    if (r != REASON_OK)
        return refuse(j, r, "the claim %s", j->user.bad);
    note(j->v->user, j->user.user);
    note(j->v->nameid, j->outer.nameid);
    note(j->v->nii, j->outer.nii);
    note(j->v->upn, j->outer.upn);
    note(j->v->smtp, j->outer.smtp);
    note(j->v->sip, j->outer.sip);
    return REASON_OK;
}

static enum reason name_signed_user(struct judging *j)
{
    const enum reason r = check_user_of_signed(&j->claims, &j->user);
    if (r != REASON_OK)
        return refuse(j, r, "the claim %s", j->user.bad);
    note(j->v->user, j->claims.sub);
    note(j->v->nameid, j->claims.sub);
    return REASON_OK;
}

static enum reason judge_policy(struct judging *j)
{
    const enum reason r = check_user_permitted(&j->user, j->v->partner);
    return r == REASON_OK ? r : refuse(j, r, "PermittedUsers=, RefusedUsers=: the %s", j->user.bad);
}

/* ---- names and scratch ---- */

const char *check_step_name(enum check_step s)
{
    static const char *const names[] = {"form", "issuer", "key", "signature", "times", "audience",
        "kind", "actor", "user", "policy"};
    _Static_assert(ARRAY_LEN(names) == STEP_COUNT, "a name for each step");
    return (unsigned)s < STEP_COUNT ? names[s] : "believed";
}

struct check_scratch *check_scratch_new(void)
{
    CLEANUP(check_scratch_freep) struct check_scratch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->whole = jws_scratch_new();
    s->actor = jws_scratch_new();
    return s->whole && s->actor ? TAKE(s) : NULL;
}

void check_scratch_free(struct check_scratch *s)
{
    if (!s)
        return;
    jws_scratch_free(s->whole);
    jws_scratch_free(s->actor);
    free(s);
}

void check_scratch_freep(struct check_scratch **s)
{
    check_scratch_free(*s);
    *s = NULL;
}
