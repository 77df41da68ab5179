/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the HTTP door: what its calls share. */
#pragma once

#include "doors.h"
#include "http_conn.h"
#include "json.h"

#define NO_STORE "Cache-Control: no-store\r\n"

/* How a JSON answer goes out. */
struct http_reply {
    unsigned status;
    const char *headers; /* NULL: NO_STORE */
    bool secret;         /* holds a token */
};
/* `body` is a JSON text; a failed one becomes 500. */
void http_send_json(struct http_conn *c, const struct http_reply *r, struct buf *body);

/* Why a request is not taken: an error of RFC 6749 5.2, a sentence, our reason. */
struct http_complaint {
    const char *error;
    const char *description;
    enum reason reason;
    char text[128]; /* room for a sentence */
};
/* 400 {"error":..,"error_description":..,"reason":..}, or 503 when memory ran out */
void http_send_complaint(struct http_conn *c, const struct http_complaint *what);
/* A reason that is not REASON_OK: status, Retry-After and error follow from its class. */
void http_send_refusal(struct http_conn *c, const struct outcome *o);

/* A form field and where it goes: a struct span, p NULL when absent. */
struct form_row {
    const char *name;
    size_t offset;
};
/* Decodes the fields of the request's body into memory that the visitor keeps until its answer.
 * Fields that are not in the table are ignored (RFC 6749 3.2). False: the complaint is filled. */
bool http_form_read(struct visitor *v, const struct http_request *req, const struct form_row *rows,
    size_t n, void *into, struct http_complaint *ret) WARN_UNUSED;

/* The calls. */
void http_token(struct visitor *v, const struct http_request *req);
void http_introspect(struct visitor *v, const struct http_request *req);
