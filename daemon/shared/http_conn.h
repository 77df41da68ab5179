/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/1.1 connection on a bufferevent (plain or TLS): common/base/http reads, the owner's
 * function answers, this file keeps deadlines, keep-alive, order of answers and the close after a
 * refusal. One request in flight; the next is read when it is answered. Every time limit is a
 * total, never per read. */
#pragma once

#include "buf.h"
#include "http.h"

#include <event2/bufferevent.h>

struct http_conn;

struct http_conn_ops {
    struct http_limits limits;
    unsigned request_timeout_ms; /* from the first byte of a request to its last (then 408); also a
                                    TLS handshake */
    unsigned idle_timeout_ms;    /* between requests, and for a peer to take what was answered */
    unsigned max_requests;       /* on one connection, then close; 0: no limit */
    bool write_through; /* bev is a plain socket: answers are written at once. Never with TLS */
    bool handshake;     /* bev is still in its TLS handshake when it is handed over */
    /* Called for each whole request; must answer now or later with exactly one http_conn_reply.
     * Spans live until the answer. */
    void (*on_request)(struct http_conn *c, const struct http_request *req, void *arg);
    /* The connection is going away, whoever ends it (http_conn_free included); a request that is
     * not answered yet must not be answered any more. Called exactly once; must not call
     * http_conn_free. May be NULL. */
    void (*on_closed)(struct http_conn *c, void *arg);
    /* Writes the JSON body for a refusal by the reader or the clock (400, 408, 413 ...) into b; may
     * be NULL. */
    void (*refusal_body)(unsigned status, const char *why, struct buf *b);
    /* Further "Name: value\r\n" lines of those refusals, or NULL. */
    const char *refusal_headers;
    /* Says goodbye below HTTP when all is written (TLS: close_notify); NULL: shutdown(2) of the
     * sending side. */
    void (*shut)(struct bufferevent *bev);
};

struct http_answer {
    unsigned status;
    const char *content_type; /* NULL: no body */
    const char *headers;      /* further "Name: value\r\n" lines, or NULL */
    struct span body;         /* copied */
    struct evbuffer *shared;  /* instead of body: an immutable buffer sent by reference, or NULL */
    size_t shared_len;        /* its length */
    bool secret;              /* the body holds a token: wipe the copies that we keep */
    bool close;               /* close after this answer */
};

/* Takes over `bev` (whose callbacks it sets and which it enables). `ops` outlives the connection,
 * `arg` is the owner's. NULL: out of memory, bev freed. */
struct http_conn *http_conn_new(struct bufferevent *bev, const struct http_conn_ops *ops, void *arg)
    WARN_UNUSED;
/* Ends it now, without a last word. NULL is fine. */
void http_conn_free(struct http_conn *c);
/* Answers the request in flight. For HEAD and 304 the body is only counted. The connection may be
 * gone on return. */
void http_conn_reply(struct http_conn *c, const struct http_answer *a);
/* Says a last word that nobody asked for (a connection too many) and closes when the peer has it;
 * nothing is read any more. Only while no request is in flight. The connection may be gone on
 * return. */
void http_conn_refuse(struct http_conn *c, const struct http_answer *a);
/* The request in flight, NULL when there is none. */
const struct http_request *http_conn_request(const struct http_conn *c);
void *http_conn_arg(const struct http_conn *c);
struct bufferevent *http_conn_bev(const struct http_conn *c);
