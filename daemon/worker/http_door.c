/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP door: paths and methods, JSON answers (DESIGN 6). */
#include "http_door.h"

#include "cleanup.h"

#include <event2/bufferevent.h>
#include <stdio.h>

#define HEADER_MAX ((size_t)32 * 1024)
#define BODY_MAX ((size_t)64 * 1024)

/* Answering. */

void http_send_json(struct http_conn *c, const struct http_reply *r, struct buf *body)
{
    const struct visitor *visitor = http_conn_arg(c);
    struct http_answer a = {.status = r->status,
        .content_type = "application/json",
        .headers = r->headers ? r->headers : NO_STORE,
        .secret = r->secret,
        .close = visitor->worker->leaving,
        .body = buf_span(body)};
    if (body->failed) {
        a.status = 500;
        a.close = true;
        a.body = SPAN("{\"error\":\"server_error\"}");
    }
    http_conn_reply(c, &a);
}

static void put_error(struct buf *b, const char *error, const char *description, const char *reason)
{
    struct json_out j;
    json_out_start(&j, b);
    json_out_object(&j, NULL);
    json_out_str(&j, "error", error);
    json_out_str(&j, "error_description", description);
    json_out_str(&j, "reason", reason);
    json_out_object_end(&j);
}

void http_send_complaint(struct http_conn *c, const struct http_complaint *what)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    const struct http_reply r = {.status = 400};
    if (what->reason == REASON_OUT_OF_MEMORY) {
        const struct outcome o = {.reason = what->reason, .retry_after_s = 1, .detail = ""};
        http_send_refusal(c, &o);
        return;
    }
    put_error(&b, what->error, what->description, reason_code(what->reason));
    http_send_json(c, &r, &b);
}

void http_send_refusal(struct http_conn *c, const struct outcome *o)
{
    static const struct {
        unsigned status;
        const char *error;
    } of[] = {
        [ANSWER_DONE] = {500, "server_error"},
        [ANSWER_NOT_PERMITTED] = {403, "access_denied"},
        [ANSWER_INVALID_TARGET] = {400, "invalid_target"},
        [ANSWER_REFUSED] = {400, "invalid_request"},
        [ANSWER_NOT_READY] = {503, "temporarily_unavailable"},
    };
    CLEANUP(buf_done) struct buf b = BUF_INIT(8192);
    enum answer_class class = answer_class_of(o->reason);
    char headers[128] = NO_STORE, description[1024];
    const struct http_reply r = {
        .status = o->reason == REASON_QUOTA ? 429 : of[class].status, .headers = headers};
    if (class == ANSWER_NOT_READY)
        snprintf(headers, sizeof headers, NO_STORE "Retry-After: %u\r\n", o->retry_after_s);
    snprintf(description, sizeof description, "%s%s%s", reason_sentence(o->reason),
        o->detail[0] ? ": " : "", o->detail);
    put_error(&b, of[class].error, description, reason_code(o->reason));
    http_send_json(c, &r, &b);
}

/* The small calls. */

static void send_healthz(struct visitor *v, const struct http_request *req)
{
    (void)req;
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);
    const struct http_reply r = {.status = 200};
    buf_put_str(&b, "{\"status\":\"alive\"}");
    http_send_json(v->http, &r, &b);
}

static void send_readyz(struct visitor *v, const struct http_request *req)
{
    (void)req;
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);
    enum reason reasons[4];
    size_t n = methods_not_ready(v->worker, reasons, ARRAY_LEN(reasons));
    const struct http_reply r = {
        .status = n ? 503 : 200, .headers = n ? NO_STORE "Retry-After: 1\r\n" : NULL};
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "status", n ? "not ready" : "ready");
    json_out_array(&j, "reasons");
    for (size_t i = 0; i < n; i++)
        json_out_str(&j, NULL, reason_code(reasons[i]));
    json_out_array_end(&j);
    json_out_object_end(&j);
    http_send_json(v->http, &r, &b);
}

/* RFC 8414: lets generic libraries find the calls. Who calls is told by the kernel, hence "none".
 */
static void send_metadata(struct visitor *v, const struct http_request *req)
{
    (void)req;
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);
    const struct http_reply r = {.status = 200};
    buf_put_str(&b, "{\"issuer\":\"http://localhost\","
                    "\"token_endpoint\":\"http://localhost/token\","
                    "\"token_endpoint_auth_methods_supported\":[\"none\"],"
                    "\"grant_types_supported\":[\"client_credentials\","
                    "\"urn:ietf:params:oauth:grant-type:token-exchange\"],"
                    "\"introspection_endpoint\":\"http://localhost/introspect\","
                    "\"introspection_endpoint_auth_methods_supported\":[\"none\"],"
                    "\"response_types_supported\":[]}");
    http_send_json(v->http, &r, &b);
}

/* Paths. */

static const struct route {
    const char *path;
    unsigned kinds; /* of workers that have it, a bit each */
    bool post;      /* POST only; else GET and HEAD */
    void (*take)(struct visitor *v, const struct http_request *req);
} routes[] = {
    {"/introspect", 1 << WORKER_VALIDATOR, true, http_introspect},
    {"/token", 1 << WORKER_MINTER, true, http_token},
    {"/healthz", 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, false, send_healthz},
    {"/readyz", 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, false, send_readyz},
    {"/.well-known/oauth-authorization-server", 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, false,
        send_metadata},
};

static const struct route *route_of(enum worker_kind kind, struct span path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if ((routes[i].kinds & 1U << kind) && span_eq_str(path, routes[i].path))
            return &routes[i];
    return NULL;
}

static void send_wrong(struct http_conn *c, unsigned status, const char *headers)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);
    const struct http_reply r = {.status = status, .headers = headers};
    put_error(&b, "invalid_request", http_phrase(status), reason_code(REASON_INVALID_REQUEST));
    http_send_json(c, &r, &b);
}

static void on_request(struct http_conn *c, const struct http_request *req, void *arg)
{
    struct visitor *v = arg;
    const struct route *r = route_of(v->worker->kind, req->path);
    if (!r)
        send_wrong(c, 404, NULL);
    else if (r->post && req->method != HTTP_POST)
        send_wrong(c, 405, NO_STORE "Allow: POST\r\n");
    else if (!r->post && req->method != HTTP_GET && req->method != HTTP_HEAD)
        send_wrong(c, 405, NO_STORE "Allow: GET, HEAD\r\n");
    else
        r->take(v, req);
}

static void on_closed(struct http_conn *c, void *arg)
{
    (void)c;
    visitor_free(arg);
}

static void refusal_body(unsigned status, const char *why, struct buf *b)
{
    (void)status;
    put_error(b, "invalid_request", why, reason_code(REASON_INVALID_REQUEST));
}

void http_door_ops(const struct worker *w, struct http_conn_ops *ret)
{
    *ret = (struct http_conn_ops){.limits = {HEADER_MAX, BODY_MAX},
        .request_timeout_ms = (unsigned)w->settings->limits.request_timeout_s * 1000,
        .idle_timeout_ms = (unsigned)w->settings->limits.idle_timeout_s * 1000,
        .write_through = true,
        .on_request = on_request,
        .on_closed = on_closed,
        .refusal_body = refusal_body,
        .refusal_headers = NO_STORE};
}

bool http_door_take(struct visitor *v, struct bufferevent *bev, const struct http_conn_ops *ops)
{
    v->http = http_conn_new(bev, ops, v);
    return v->http != NULL;
}

void http_door_turn_away(struct visitor *v)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1024);
    put_error(&b, "temporarily_unavailable", "Too many connections", reason_code(REASON_QUOTA));
    const struct http_answer a = {.status = 503,
        .content_type = "application/json",
        .headers = NO_STORE "Retry-After: 1\r\n",
        .body = buf_span(&b)};
    http_conn_refuse(v->http, &a);
}
