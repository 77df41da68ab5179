/* SPDX-License-Identifier: Apache-2.0 */
/* POST /introspect (RFC 7662). A refused token is {"active":false}; why is told only to who has the
 * right explain. */
#include "http_door.h"

#include "cleanup.h"
#include "clock.h"
#include "verdict.h"

#include <stddef.h>

/* Twelve texts of at most 512 bytes, each byte escaped at worst, and the steps. */
#define ANSWER_MAX ((size_t)64 * 1024)

struct introspect_form {
    struct span token, audience, explain;
};

static const struct form_row rows[] = {
    {"token", offsetof(struct introspect_form, token)},
    {"audience", offsetof(struct introspect_form, audience)},
    {"explain", offsetof(struct introspect_form, explain)},
};

static bool complain(struct http_complaint *c, const char *description)
{
    *c = (struct http_complaint){
        .error = "invalid_request", .description = description, .reason = REASON_INVALID_REQUEST};
    return false;
}

static bool read_request(
    struct visitor *v, const struct http_request *req, struct http_complaint *ret)
{
    struct introspect_form f = {0};
    if (!http_form_read(v, req, rows, ARRAY_LEN(rows), &f, ret))
        return false;
    if (!f.token.p)
        return complain(ret, "token is missing");
    if (f.explain.p && !span_eq_str(f.explain, "1") && !span_eq_str(f.explain, "0"))
        return complain(ret, "explain must be 0 or 1");
    v->request.wish.validate = (struct validate_wish){
        .token = f.token, .audience = f.audience, .explain = span_eq_str(f.explain, "1")};
    return true;
}

static void put_believed(struct json_out *j, const struct token_checked *t)
{
    json_out_bool(j, "active", true);
    json_out_str(j, "iss", t->issuer);
    json_out_str(j, "sub", t->delegated ? t->user : t->app);
    json_out_str(j, "aud", t->audience);
    json_out_int(j, "exp", t->exp);
    json_out_int(j, "nbf", t->nbf);
    json_out_str(j, "client_id", t->app);
    json_out_str(j, "s2s_partner", t->partner->name);
    json_out_str(j, "s2s_trust", trust_level_name(t->partner->trust));
    if (!t->delegated)
        return;
    json_out_object(j, "s2s_user");
    verdict_put_claims(j, t);
    json_out_object_end(j);
}

static void answer(struct request *r, const struct outcome *o)
{
    struct visitor *v = visitor_of(r);
    bool explain = r->wish.validate.explain;
    visitor_answered(v);
    if (o->reason != REASON_OK) {
        http_send_refusal(v->http, o);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    if (o->verdict->reason == REASON_OK)
        put_believed(&j, o->verdict);
    else
        json_out_bool(&j, "active", false);
    if (explain && o->verdict->reason != REASON_OK)
        verdict_put_reasons(&j, o->verdict);
    if (explain)
        verdict_put_steps(&j, o->verdict, clock_wall_s());
    json_out_object_end(&j);
    const struct http_reply reply = {.status = 200};
    http_send_json(v->http, &reply, &b);
}

void http_introspect(struct visitor *v, const struct http_request *req)
{
    struct http_complaint wrong;
    if (read_request(v, req, &wrong)) {
        visitor_run(v, answer);
        return;
    }
    visitor_answered(v);
    http_send_complaint(v->http, &wrong);
}
