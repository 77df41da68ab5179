/* SPDX-License-Identifier: Apache-2.0 */
/* POST /token: client_credentials (RFC 6749 4.4, RFC 8707) and token exchange (RFC 8693). No client
 * secret: the kernel says who calls. */
#include "audit.h"
#include "http_door.h"

#include "cleanup.h"
#include "clock.h"

#include <stddef.h>

#define GRANT_CLIENT "client_credentials"
#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE_JWT "urn:ietf:params:oauth:token-type:jwt"
#define TYPE_ACCESS "urn:ietf:params:oauth:token-type:access_token"
#define TYPE_USER "urn:s2sd:params:oauth:token-type:"

/* "{...}" around a token of at most 16 KiB and its few other members */
#define ANSWER_MAX ((size_t)64 * 1024)

struct token_form {
    struct span grant_type, resource, lifetime, min_valid, subject, subject_type, requested_type,
        actor;
};

static const struct form_row rows[] = {
    {"grant_type", offsetof(struct token_form, grant_type)},
    {"resource", offsetof(struct token_form, resource)},
    {"lifetime", offsetof(struct token_form, lifetime)},
    {"min_valid_period", offsetof(struct token_form, min_valid)},
    {"subject_token", offsetof(struct token_form, subject)},
    {"subject_token_type", offsetof(struct token_form, subject_type)},
    {"requested_token_type", offsetof(struct token_form, requested_type)},
    {"actor_token", offsetof(struct token_form, actor)},
};

static enum user_kind user_kind_of(struct span type)
{
    static const struct {
        struct span type;
        enum user_kind kind;
    } kinds[] = {
        {SPAN(TYPE_USER "upn"), USER_UPN},
        {SPAN(TYPE_USER "smtp"), USER_SMTP},
        {SPAN(TYPE_USER "sip"), USER_SIP},
        {SPAN(TYPE_USER "nameid"), USER_NAMEID},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (span_eq(type, kinds[i].type))
            return kinds[i].kind;
    return USER_NONE;
}

/* A whole number of seconds; absent leaves both alone. False: not a number. */
static bool seconds(struct span text, bool *ret_has, int64_t *ret)
{
    if (!text.p)
        return true;
    if (!json_int(text, ret))
        return false;
    *ret_has = true;
    return true;
}

/* NULL, or what is wrong with it. */
static const char *read_exchange(const struct token_form *f, struct mint_wish *wish)
{
    wish->user = f->subject;
    wish->user_kind = user_kind_of(f->subject_type);
    if (f->subject.n == 0)
        return "subject_token is missing";
    if (wish->user_kind == USER_NONE)
        return "subject_token_type must be " TYPE_USER "upn, smtp, sip or nameid";
    if (f->actor.p)
        return "actor_token is not understood: the kernel says who acts";
    if (f->requested_type.p && !span_eq_str(f->requested_type, TYPE_JWT) &&
        !span_eq_str(f->requested_type, TYPE_ACCESS))
        return "requested_token_type must be " TYPE_JWT;
    return NULL;
}

static const char *read_wish(const struct token_form *f, struct mint_wish *wish)
{
    *wish = (struct mint_wish){.resource = f->resource};
    if (f->resource.n == 0)
        return "resource is missing";
    if (!seconds(f->lifetime, &wish->has_lifetime, &wish->lifetime_s))
        return "lifetime must be a whole number of seconds";
    if (!seconds(f->min_valid, &wish->has_min_valid, &wish->min_valid_s))
        return "min_valid_period must be a whole number of seconds";
    if (span_eq_str(f->grant_type, GRANT_EXCHANGE))
        return read_exchange(f, wish);
    return f->subject.p || f->actor.p ? "subject_token belongs to " GRANT_EXCHANGE : NULL;
}

static bool complain(struct http_complaint *c, const char *error, const char *description)
{
    *c = (struct http_complaint){
        .error = error, .description = description, .reason = REASON_INVALID_REQUEST};
    return false;
}

static bool read_request(
    struct visitor *v, const struct http_request *req, struct http_complaint *ret)
{
    struct token_form f = {0};
    if (!http_form_read(v, req, rows, ARRAY_LEN(rows), &f, ret))
        return false;
    if (!f.grant_type.p)
        return complain(ret, "invalid_request", "grant_type is missing");
    if (!span_eq_str(f.grant_type, GRANT_CLIENT) && !span_eq_str(f.grant_type, GRANT_EXCHANGE))
        return complain(ret, "unsupported_grant_type",
            "grant_type must be " GRANT_CLIENT " or " GRANT_EXCHANGE);
    const char *wrong = read_wish(&f, &v->request.wish.mint);
    return wrong ? complain(ret, "invalid_request", wrong) : true;
}

static void answer(struct request *r, const struct outcome *o)
{
    struct visitor *v = visitor_of(r);
    bool exchanged = r->wish.mint.user_kind != USER_NONE;
    visitor_answered(v);
    if (o->reason != REASON_OK) {
        http_send_refusal(v->http, o);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    struct json_out j;
    int64_t left = o->expires_at - clock_wall_s();
    b.secret = true;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_span(&j, "access_token", o->token);
    json_out_str(&j, "token_type", "Bearer");
    json_out_int(&j, "expires_in", left > 0 ? left : 0);
    if (exchanged)
        json_out_str(&j, "issued_token_type", TYPE_JWT);
    json_out_object_end(&j);
    const struct http_reply reply = {.status = 200, .secret = true};
    http_send_json(v->http, &reply, &b);
}

/* A token asked for by way of a proxy would be the proxy's, whoever asked (DESIGN 6). */
static bool came_through_proxy(const struct http_request *req)
{
    static const char *const exact[] = {"Via", "Forwarded", "Origin"};
    static const struct span family = SPAN("X-Forwarded-");
    for (size_t i = 0; i < req->n_headers; i++) {
        struct span name = req->headers[i].name;
        for (size_t k = 0; k < ARRAY_LEN(exact); k++)
            if (span_eq_nocase(name, span_of(exact[k])))
                return true;
        if (name.n >= family.n && span_eq_nocase((struct span){name.p, family.n}, family))
            return true;
    }
    return false;
}

void http_token(struct visitor *v, const struct http_request *req)
{
    struct http_complaint wrong;
    if (came_through_proxy(req)) {
        const struct outcome o = {.reason = REASON_PROXIED, .detail = ""};
        const struct audit_mint a = {.peer = &v->who.peer};
        COUNT(worker_counters(v->worker), mint_refusals);
        COUNT(worker_counters(v->worker), by_reason[REASON_PROXIED]);
        audit_mint_refused(&v->worker->refusals, &a, REASON_PROXIED);
        http_send_refusal(v->http, &o);
    } else if (read_request(v, req, &wrong)) {
        visitor_run(v, answer);
    } else {
        visitor_answered(v);
        http_send_complaint(v->http, &wrong);
    }
}
