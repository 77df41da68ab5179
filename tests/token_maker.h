/* SPDX-License-Identifier: Apache-2.0 */
/* Makes tokens for tests, good ones and slightly wrong ones: a base of members, edits to it, a
 * signature. Everything is for one process that ends soon, so running out of memory aborts. */
#pragma once

#include "b64.h"
#include "cleanup.h"
#include "signkey.h"

#include <stdlib.h>

#define MAKER_MEMBERS_MAX 100

/* Members of a JSON object: names, and values as raw JSON. */
struct maker_object {
    char *name[MAKER_MEMBERS_MAX];
    char *value[MAKER_MEMBERS_MAX];
    size_t n;
    char *instead; /* the whole text, whatever the members are */
};

static inline void maker_object_done(struct maker_object *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free(o->name[i]);
        free(o->value[i]);
    }
    free(o->instead);
    *o = (struct maker_object){0};
}

static inline char *maker_copy(const char *p, size_t n)
{
    char *copy = strndup(p, n);
    if (!copy)
        abort();
    return copy;
}

/* Replaces, adds, or (value NULL) takes away. */
static inline void maker_set(struct maker_object *o, const char *name, const char *value)
{
    for (size_t i = 0; i < o->n; i++) {
        if (strcmp(o->name[i], name) != 0)
            continue;
        free(o->value[i]);
        o->value[i] = value ? maker_copy(value, strlen(value)) : NULL;
        return;
    }
    if (!value)
        return;
    if (o->n == MAKER_MEMBERS_MAX)
        abort();
    o->name[o->n] = maker_copy(name, strlen(name));
    o->value[o->n++] = maker_copy(value, strlen(value));
}

/* `name=JSON;name=JSON`: replaces or adds; `name=` takes away; `+name=JSON` adds a second one;
 * `!TEXT` at the start makes TEXT the whole. No value may hold a semicolon. */
static inline void maker_edit(struct maker_object *o, const char *edits)
{
    if (edits && edits[0] == '!') {
        o->instead = maker_copy(edits + 1, strlen(edits + 1));
        return;
    }
    while (edits && *edits) {
        const size_t end = strcspn(edits, ";"), eq = strcspn(edits, "=");
        const bool twice = edits[0] == '+';
        CLEANUP(freep) char *name = maker_copy(edits + twice, eq - twice);
        CLEANUP(freep) char *value = maker_copy(edits + eq + 1, end - eq - 1);
        if (twice && o->n < MAKER_MEMBERS_MAX) {
            o->name[o->n] = TAKE(name);
            o->value[o->n++] = TAKE(value);
        } else {
            maker_set(o, name, *value ? value : NULL);
        }
        edits += end + (edits[end] == ';');
    }
}

static inline void maker_put_object(struct buf *out, const struct maker_object *o)
{
    const char *comma = "";
    if (o->instead) {
        buf_put_str(out, o->instead);
        return;
    }
    buf_put_char(out, '{');
    for (size_t i = 0; i < o->n; i++) {
        if (!o->value[i])
            continue;
        buf_printf(out, "%s\"%s\":%s", comma, o->name[i], o->value[i]);
        comma = ",";
    }
    buf_put_char(out, '}');
}

static inline void maker_put_b64(struct buf *token, const struct maker_object *o)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(1 << 20);
    maker_put_object(&json, o);
    if (json.failed)
        abort();
    b64url_put(token, json.p, json.n);
}

/* What stands behind the second dot. */
enum maker_seal {
    SEAL_RIGHT,     /* a signature by the key */
    SEAL_NONE,      /* nothing, the dot stays */
    SEAL_NO_DOT,    /* nothing, and no dot */
    SEAL_OF_OTHERS, /* a good signature of other bytes */
    SEAL_FLIPPED,   /* one bit changed */
    SEAL_LONGER,    /* a zero byte in front */
    SEAL_ODD        /* not base64url */
};

static inline void maker_put_seal(
    struct buf *token, size_t start, enum maker_seal seal, struct signkey *key)
{
    CLEANUP(buf_done) struct buf signature = BUF_INIT(2048);
    const struct span input = {token->p + start, token->n - start};
    if (seal == SEAL_NO_DOT)
        return;
    if (seal == SEAL_LONGER)
        buf_put_char(&signature, '\0');
    if (seal != SEAL_NONE && seal != SEAL_ODD &&
        signkey_sign_rs256(key, seal == SEAL_OF_OTHERS ? SPAN("e30.e30") : input, &signature) !=
            REASON_OK)
        abort();
    if (seal == SEAL_FLIPPED)
        signature.p[100] = (char)(signature.p[100] ^ 1);
    buf_put_char(token, '.');
    b64url_put(token, signature.p, signature.n);
    if (seal == SEAL_ODD)
        buf_put_str(token, "AAA=");
}

/* header "." claims and the seal, appended to `token`. */
static inline void maker_put_token(struct buf *token, const struct maker_object *header,
    const struct maker_object *claims, enum maker_seal seal, struct signkey *key)
{
    const size_t start = token->n;
    maker_put_b64(token, header);
    buf_put_char(token, '.');
    maker_put_b64(token, claims);
    maker_put_seal(token, start, seal, key);
    if (token->failed)
        abort();
}
