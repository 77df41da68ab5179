/* SPDX-License-Identifier: Apache-2.0 */
#include "http_door.h"

#include <stdio.h>
#include <stdlib.h>

/* The decoded values are never longer than the form, plus a NUL for each. */
struct form {
    struct span text;
    char *at;
    size_t left;
};

static bool is_form(const struct http_request *req)
{
    unsigned n = 0;
    struct span type = http_header(req, "Content-Type", &n);
    type.n = span_find(type, ';');
    while (type.n > 0 && type.p[type.n - 1] == ' ')
        type.n--;
    return n == 1 && span_eq_nocase(type, SPAN("application/x-www-form-urlencoded"));
}

/* How often it is there (only once is taken), or negative when something in the form cannot be
 * decoded (http_form_get). */
static int read_field(struct form *f, const char *name, struct span *ret)
{
    int n = http_form_get(f->text, name, f->at, f->left);
    if (n != 1)
        return n;
    *ret = span_of(f->at);
    f->at += ret->n + 1;
    f->left -= ret->n + 1;
    return n;
}

static bool complain(struct http_complaint *c, enum reason reason, const char *description)
{
    *c = (struct http_complaint){
        .error = "invalid_request", .description = description, .reason = reason};
    return false;
}

bool http_form_read(struct visitor *v, const struct http_request *req, const struct form_row *rows,
    size_t n, void *into, struct http_complaint *ret)
{
    if (!is_form(req))
        return complain(
            ret, REASON_INVALID_REQUEST, "Content-Type must be application/x-www-form-urlencoded");
    v->memory_len = req->body.n + n + 1;
    v->memory = malloc(v->memory_len);
    if (!v->memory)
        return complain(ret, REASON_OUT_OF_MEMORY, reason_sentence(REASON_OUT_OF_MEMORY));
    struct form f = {req->body, v->memory, v->memory_len};
    for (size_t i = 0; i < n; i++) {
        struct span *to = (struct span *)(void *)((char *)into + rows[i].offset);
        int times = read_field(&f, rows[i].name, to);
        if (times == 0 || times == 1)
            continue;
        if (times < 0)
            return complain(ret, REASON_INVALID_REQUEST, "The form cannot be decoded");
        complain(ret, REASON_INVALID_REQUEST, ret->text);
        snprintf(ret->text, sizeof ret->text, "%s is there twice", rows[i].name);
        return false;
    }
    return true;
}
