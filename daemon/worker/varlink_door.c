/* SPDX-License-Identifier: Apache-2.0 */
/* The Varlink door: io.s2sd.mint and io.s2sd.validate over the same methods as the HTTP door. */
#include "doors.h"
#include "interfaces.h"
#include "verdict.h"

#include "cleanup.h"
#include "clock.h"

#include <stddef.h>

#define MESSAGE_TIMEOUT_MS 5000
#define ANSWER_MAX ((size_t)64 * 1024)
/* An optional number that is not there; no wish is that small. */
#define ABSENT INT64_MIN

static struct visitor *visitor_of_call(struct varlink_call *call)
{
    return varlink_conn_arg(varlink_call_conn(call));
}

static struct varlink_call *call_of(struct request *r)
{
    return varlink_conn_call(visitor_of(r)->varlink);
}

/* When the worker is leaving this was the connection's last call. */
static void leave_after(struct visitor *v)
{
    if (v->worker->leaving)
        varlink_conn_close(v->varlink);
}

/* The class of a refusal is the error, its data are in the interface file. */
static void put_refusal(struct buf *b, const struct outcome *o)
{
    struct json_out j;
    enum answer_class class = answer_class_of(o->reason);
    json_out_start(&j, b);
    json_out_object(&j, NULL);
    json_out_str(&j, "reason", reason_code(o->reason));
    if (class == ANSWER_NOT_PERMITTED && o->detail[0])
        json_out_str(&j, "detail", o->detail);
    if (class == ANSWER_INVALID_TARGET && o->detail[0])
        json_out_str(&j, "candidates", o->detail);
    if (class == ANSWER_REFUSED)
        json_out_str(&j, "sentence", reason_sentence(o->reason));
    if (class == ANSWER_NOT_READY)
        json_out_int(&j, "retryAfter", o->retry_after_s);
    json_out_object_end(&j);
}

/* The error of our interface for that class of answer. */
static const char *error_name(const struct worker *w, enum reason r)
{
    static const char *const names[][ANSWER_NOT_READY + 1] = {
        [WORKER_MINTER] = {[ANSWER_DONE] = "io.s2sd.mint.NotReady",
            [ANSWER_NOT_PERMITTED] = "io.s2sd.mint.NotPermitted",
            [ANSWER_INVALID_TARGET] = "io.s2sd.mint.InvalidTarget",
            [ANSWER_REFUSED] = "io.s2sd.mint.Refused",
            [ANSWER_NOT_READY] = "io.s2sd.mint.NotReady"},
        [WORKER_VALIDATOR] = {[ANSWER_DONE] = "io.s2sd.validate.NotReady",
            [ANSWER_NOT_PERMITTED] = "io.s2sd.validate.NotPermitted",
            [ANSWER_INVALID_TARGET] = "io.s2sd.validate.NotReady",
            [ANSWER_REFUSED] = "io.s2sd.validate.NotReady",
            [ANSWER_NOT_READY] = "io.s2sd.validate.NotReady"},
    };
    return names[w->kind][answer_class_of(r)];
}

static void send_refusal(struct visitor *v, struct varlink_call *call, const struct outcome *o)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    put_refusal(&b, o);
    leave_after(v);
    varlink_error(
        call, error_name(v->worker, o->reason), b.failed ? (struct span){0} : buf_span(&b));
}

/* Mint */

struct mint_args {
    struct span resource, user, user_type;
    int64_t lifetime, min_valid;
};

static const struct json_field mint_fields[] = {
    {"resource", JSON_STRING, offsetof(struct mint_args, resource), JSON_MANDATORY},
    {"user", JSON_STRING, offsetof(struct mint_args, user), JSON_OPTIONAL},
    {"userType", JSON_STRING, offsetof(struct mint_args, user_type), JSON_OPTIONAL},
    {"lifetime", JSON_NUMBER, offsetof(struct mint_args, lifetime), JSON_OPTIONAL},
    {"minValidPeriod", JSON_NUMBER, offsetof(struct mint_args, min_valid), JSON_OPTIONAL},
};

static void answer_mint(struct request *r, const struct outcome *o)
{
    struct visitor *v = visitor_of(r);
    struct varlink_call *call = call_of(r);
    visitor_answered(v);
    if (o->reason != REASON_OK) {
        send_refusal(v, call, o);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    struct json_out j;
    int64_t left = o->expires_at - clock_wall_s();
    b.secret = true;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_span(&j, "token", o->token);
    json_out_str(&j, "tokenType", "Bearer");
    json_out_int(&j, "expiresAt", o->expires_at);
    json_out_int(&j, "expiresIn", left > 0 ? left : 0);
    json_out_str(&j, "partner", o->partner);
    json_out_object_end(&j);
    varlink_call_secret(call);
    leave_after(v);
    varlink_reply(call, buf_span(&b), false);
}

static bool user_kind_of(const struct mint_args *a, enum user_kind *ret)
{
    static const struct {
        const char *name;
        enum user_kind kind;
    } kinds[] = {
        {"upn", USER_UPN}, {"smtp", USER_SMTP}, {"sip", USER_SIP}, {"nameid", USER_NAMEID}};
    *ret = a->user.p ? USER_UPN : USER_NONE;
    if (!a->user_type.p)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (span_eq_str(a->user_type, kinds[i].name)) {
            *ret = kinds[i].kind;
            return true;
        }
    return false;
}

static void run_mint(struct varlink_call *call, const void *args)
{
    const struct mint_args *a = args;
    struct visitor *v = visitor_of_call(call);
    enum user_kind kind;
    if (!user_kind_of(a, &kind)) {
        varlink_invalid(call, "userType");
        return;
    }
    if (kind != USER_NONE && a->user.n == 0) {
        varlink_invalid(call, "user");
        return;
    }
    v->request.wish.mint = (struct mint_wish){.resource = a->resource,
        .user_kind = kind,
        .user = a->user,
        .has_lifetime = a->lifetime != ABSENT,
        .lifetime_s = a->lifetime,
        .has_min_valid = a->min_valid != ABSENT,
        .min_valid_s = a->min_valid};
    visitor_run(v, answer_mint);
}

/* Validate */

struct validate_args {
    struct span token, audience;
    bool explain;
};

static const struct json_field validate_fields[] = {
    {"token", JSON_STRING, offsetof(struct validate_args, token), JSON_MANDATORY},
    {"audience", JSON_STRING, offsetof(struct validate_args, audience), JSON_OPTIONAL},
    {"explain", JSON_BOOL, offsetof(struct validate_args, explain), JSON_OPTIONAL},
};

static void answer_validate(struct request *r, const struct outcome *o)
{
    struct visitor *v = visitor_of(r);
    struct varlink_call *call = call_of(r);
    visitor_answered(v);
    if (o->reason != REASON_OK) {
        send_refusal(v, call, o);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    verdict_put(&j, o->verdict, clock_wall_s(), r->wish.validate.explain);
    json_out_object_end(&j);
    leave_after(v);
    varlink_reply(call, buf_span(&b), false);
}

static void run_validate(struct varlink_call *call, const void *args)
{
    const struct validate_args *a = args;
    struct visitor *v = visitor_of_call(call);
    v->request.wish.validate =
        (struct validate_wish){.token = a->token, .audience = a->audience, .explain = a->explain};
    visitor_run(v, answer_validate);
}

/* The tables. */

static const struct mint_args mint_initial = {.lifetime = ABSENT, .min_valid = ABSENT};

static const struct varlink_method mint_methods[] = {
    {.name = "Mint",
        .fields = mint_fields,
        .n_fields = ARRAY_LEN(mint_fields),
        .size = sizeof(struct mint_args),
        .initial = &mint_initial,
        .run = run_mint},
};

static const struct varlink_method validate_methods[] = {
    {.name = "Validate",
        .fields = validate_fields,
        .n_fields = ARRAY_LEN(validate_fields),
        .size = sizeof(struct validate_args),
        .run = run_validate},
};

static const struct varlink_interface mint_interface = {
    "io.s2sd.mint", interface_mint, mint_methods, ARRAY_LEN(mint_methods)};
static const struct varlink_interface validate_interface = {
    "io.s2sd.validate", interface_validate, validate_methods, ARRAY_LEN(validate_methods)};

static const struct varlink_interface *const mint_interfaces[] = {&mint_interface};
static const struct varlink_interface *const validate_interfaces[] = {&validate_interface};

static void on_closed(struct varlink_conn *c, void *arg)
{
    (void)c;
    visitor_free(arg);
}

void varlink_door_ops(const struct worker *w, struct varlink_ops *ret)
{
    *ret = (struct varlink_ops){
        .interfaces = w->kind == WORKER_MINTER ? mint_interfaces : validate_interfaces,
        .n_interfaces = 1,
        .message_timeout_ms = MESSAGE_TIMEOUT_MS,
        .idle_timeout_ms = (unsigned)w->settings->limits.idle_timeout_s * 1000,
        .write_through = true,
        .on_closed = on_closed};
}

bool varlink_door_take(struct visitor *v, struct bufferevent *bev, const struct varlink_ops *ops)
{
    v->varlink = varlink_conn_new(bev, ops, v);
    return v->varlink != NULL;
}

void varlink_door_turn_away(struct visitor *v)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(256);
    const struct outcome o = {.reason = REASON_QUOTA, .retry_after_s = 1, .detail = ""};
    put_refusal(&b, &o);
    varlink_conn_refuse(
        v->varlink, error_name(v->worker, o.reason), b.failed ? (struct span){0} : buf_span(&b));
}
