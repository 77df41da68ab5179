/* SPDX-License-Identifier: Apache-2.0 */
#include "mint.h"

#include "b64.h"
#include "cleanup.h"
#include "jws.h"
#include "principal.h"
#include "token_seal.h"

/* ACS back-dates by as much (protocol note 2.6), so a receiver whose clock is behind still
 * believes. */
#define BACKDATE_S 300
#define NAME_ID_ISSUER "urn:office:idp:activedirectory"
#define PRINCIPAL_MAX 1024

/* What all tokens of one order share; every text is lower case already (protocol note 2.2). */
struct terms {
    struct buf issuer;   /* appid@realm */
    struct buf audience; /* appid/host@realm of the partner */
    struct buf user;     /* empty: app-only */
    int64_t nbf, exp;
};

static void terms_done(struct terms *t)
{
    buf_done(&t->issuer);
    buf_done(&t->audience);
    buf_done(&t->user);
}

void minted_done(struct minted *m)
{
    buf_done(&m->token);
    m->expires_at = 0;
}

static struct buf secret_buf(size_t max)
{
    return (struct buf){.max = max, .secret = true};
}

static void put_lower(struct buf *b, struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        buf_put_char(b, ascii_lower(text.p[i]));
}

static void put_principal(struct buf *b, const char *app_id, const char *host, const char *realm)
{
    put_lower(b, span_of(app_id));
    if (host) {
        buf_put_char(b, '/');
        put_lower(b, span_of(host));
    }
    buf_put_char(b, '@');
    put_lower(b, span_of(realm));
}

/* The audience's realm is the partner's: the receiver demands its own. */
static enum reason settle(const struct mint_order *o, struct terms *t)
{
    if (o->lifetime_s <= 0 || o->now < BACKDATE_S || o->now > TOKEN_TIME_MAX - o->lifetime_s)
        return REASON_LIFETIME_REFUSED;
    if (!o->host || !host_valid(span_of(o->host)))
        return REASON_HOST_NOT_OF_PARTNER;
    if (o->user_kind != USER_NONE && !user_address_valid(o->user))
        return REASON_USER_FORM;
    t->issuer = t->audience = t->user = BUF_INIT(PRINCIPAL_MAX);
    put_principal(&t->issuer, o->identity->app_id, NULL, o->identity->realm);
    put_principal(&t->audience, o->partner->app_id, o->host, o->partner->realm);
    if (o->user_kind != USER_NONE)
        put_lower(&t->user, o->user);
    t->nbf = o->now - BACKDATE_S;
    t->exp = o->now + o->lifetime_s;
    return t->issuer.failed || t->audience.failed || t->user.failed ? REASON_OUT_OF_MEMORY
                                                                    : REASON_OK;
}

static void put_validity(struct json_out *j, const struct terms *t)
{
    json_out_span(j, "aud", buf_span(&t->audience));
    json_out_span(j, "iss", buf_span(&t->issuer));
    token_put_time(j, "nbf", t->nbf);
    token_put_time(j, "exp", t->exp);
}

static enum reason seal(
    const char *typ, const struct buf *claims, struct signkey *key, struct buf *token)
{
    return claims->failed ? REASON_OUT_OF_MEMORY : token_seal(typ, buf_span(claims), key, token);
}

/* Protocol note 2.4 (A) and (B): the application as itself, with `may_delegate` the actor token. An
 * app-only token must not even carry the claim. */
static enum reason mint_signed(
    const struct terms *t, bool may_delegate, struct signkey *key, struct buf *token)
{
    CLEANUP(buf_done) struct buf claims = secret_buf(JWS_CLAIMS_MAX);
    struct json_out j;
    json_out_start(&j, &claims);
    json_out_object(&j, NULL);
    put_validity(&j, t);
    json_out_span(&j, "nameid", buf_span(&t->issuer));
    if (may_delegate)
        json_out_str(&j, "trustedfordelegation", "true");
    json_out_object_end(&j);
    return seal("JWT", &claims, key, token);
}

static const char *address_claim(enum user_kind kind)
{
    switch (kind) {
    case USER_UPN:
        return "upn";
    case USER_SMTP:
        return "smtp";
    case USER_SIP:
        return "sip"; /* without a scheme, as seen on the wire */
    case USER_NONE:
    case USER_NAMEID:
        break;
    }
    return NULL;
}

/* Protocol note 2.4 (C): issued by the actor, for the same audience, and over when the actor is. */
static enum reason mint_outer(
    const struct terms *t, enum user_kind kind, const struct buf *actor, struct buf *token)
{
    CLEANUP(buf_done) struct buf claims = secret_buf(JWS_CLAIMS_MAX);
    struct json_out j;
    json_out_start(&j, &claims);
    json_out_object(&j, NULL);
    json_out_span(&j, "actortoken", buf_span(actor));
    put_validity(&j, t);
    json_out_span(&j, "nameid", buf_span(&t->user));
    json_out_str(&j, "nii", NAME_ID_ISSUER);
    if (address_claim(kind))
        json_out_span(&j, address_claim(kind), buf_span(&t->user));
    json_out_object_end(&j);
    return seal("JWT", &claims, NULL, token);
}

static enum reason mint_delegated(
    const struct terms *t, enum user_kind kind, struct signkey *key, struct buf *token)
{
    CLEANUP(buf_done) struct buf actor = secret_buf(JWS_ACTOR_MAX);
    enum reason reason = mint_signed(t, true, key, &actor);
    if (reason != REASON_OK)
        return reason;
    return mint_outer(t, kind, &actor, token);
}

/* Between s2sd partners the user token is signed whole (DESIGN 7), so nobody can take it apart. */
static enum reason mint_signed_user(const struct terms *t, struct signkey *key, struct buf *token)
{
    CLEANUP(buf_done) struct buf claims = secret_buf(JWS_CLAIMS_MAX);
    struct json_out j;
    json_out_start(&j, &claims);
    json_out_object(&j, NULL);
    put_validity(&j, t);
    json_out_span(&j, "nameid", buf_span(&t->issuer));
    json_out_span(&j, "sub", buf_span(&t->user));
    json_out_object(&j, "act");
    json_out_span(&j, "sub", buf_span(&t->issuer));
    json_out_object_end(&j);
    json_out_object_end(&j);
    return seal("s2s-user+jwt", &claims, key, token);
}

enum reason mint_token(const struct mint_order *order, struct signkey *key, struct minted *ret)
{
    CLEANUP(terms_done) struct terms terms = {0};
    CLEANUP(buf_done) struct buf token = secret_buf(JWS_TOKEN_MAX);
    enum reason reason = settle(order, &terms);
    if (reason != REASON_OK)
        return reason;
    if (order->user_kind == USER_NONE)
        reason = mint_signed(&terms, false, key, &token);
    else if (order->partner->product == PRODUCT_S2SD)
        reason = mint_signed_user(&terms, key, &token);
    else
        reason = mint_delegated(&terms, order->user_kind, key, &token);
    if (reason != REASON_OK)
        return reason;
    ret->token = token;
    token = (struct buf){0};
    ret->expires_at = terms.exp;
    return REASON_OK;
}
