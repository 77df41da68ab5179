/* SPDX-License-Identifier: Apache-2.0 */
/* One Varlink connection on a bufferevent: NUL-framed JSON, a table of interfaces and methods,
 * org.varlink.service served from the same table. Calls may be pipelined; answers come in order;
 * all messages of one read are answered with one write; a message without NUL is cut off at
 * VARLINK_MESSAGE_MAX. */
#pragma once

#include "varlink_message.h"

#include <event2/bufferevent.h>

#define VARLINK_MESSAGE_MAX (1024 * 1024)

/* The interface file of org.varlink.service, for doors that do not use this connection. */
extern const char varlink_service_description[];

struct varlink_conn;
struct varlink_call;

struct varlink_method {
    const char *name;                /* "Mint" */
    const struct json_field *fields; /* of the parameters */
    size_t n_fields;
    size_t size;         /* of the struct the fields go into, at most VARLINK_ARGS_MAX */
    const void *initial; /* the struct before the fields go in; NULL: zeros */
    bool needs_more;     /* streams: a call without `more` gets ExpectedMore */
    /* Called with the filled struct; answers now or later with exactly one varlink_reply or
     * varlink_error. Spans live until the answer. */
    void (*run)(struct varlink_call *call, const void *args);
};
#define VARLINK_ARGS_MAX 512
#define VARLINK_INTERFACES_MAX 8

struct varlink_interface {
    const char *name;        /* "io.s2sd.mint" */
    const char *description; /* the interface file, byte for byte */
    const struct varlink_method *methods;
    size_t n_methods;
};

struct varlink_ops {
    const struct varlink_interface *const *interfaces;
    size_t n_interfaces;         /* VARLINK_INTERFACES_MAX at most */
    unsigned message_timeout_ms; /* from first to last byte of one message, a total */
    unsigned
        idle_timeout_ms; /* between messages, 0: none; also for a peer to take what was answered */
    bool write_through;  /* bev is a plain socket: answers are written at once */
    /* The connection is going away, whoever ends it (varlink_conn_free included); a call that is
     * not answered yet (varlink_conn_call) must not be answered any more. Exactly once; must not
     * call varlink_conn_free. May be NULL. */
    void (*on_closed)(struct varlink_conn *c, void *arg);
};

/* Takes over `bev` (whose callbacks it sets and which it enables). `ops` outlives the connection.
 * NULL: out of memory, bev freed. */
struct varlink_conn *varlink_conn_new(
    struct bufferevent *bev, const struct varlink_ops *ops, void *arg) WARN_UNUSED;
/* Ends it now, without a last word. NULL is fine. */
void varlink_conn_free(struct varlink_conn *c);
/* Sends what was answered up to now plus this error, reads nothing more, and closes when the peer
 * has it or the idle time is over. `error` and `parameters` as in varlink_error. Only while no call
 * is in flight. */
void varlink_conn_refuse(struct varlink_conn *c, const char *error, struct span parameters);
/* Reads nothing more and closes when the call in flight is answered and the peer has its answers.
 */
void varlink_conn_close(struct varlink_conn *c);
void *varlink_conn_arg(const struct varlink_conn *c);
struct bufferevent *varlink_conn_bev(const struct varlink_conn *c);
/* The call in flight of a connection, or NULL. */
struct varlink_call *varlink_conn_call(const struct varlink_conn *c);

struct varlink_conn *varlink_call_conn(const struct varlink_call *call);
bool varlink_call_more(const struct varlink_call *call);
void varlink_call_set_data(struct varlink_call *call, void *data); /* what on_closed must cancel */
void *varlink_call_data(const struct varlink_call *call);
/* What follows holds a token: the copies that we keep of this answer are wiped. */
void varlink_call_secret(struct varlink_call *call);
/* `parameters`: JSON object text; empty: {}. `continues` only for calls with more: the call stays
 * in flight. The connection, and with it the call, may be gone on return. */
void varlink_reply(struct varlink_call *call, struct span parameters, bool continues);
/* `error`: full name "io.s2sd.mint.NotPermitted"; parameters: JSON object text or empty. */
void varlink_error(struct varlink_call *call, const char *error, struct span parameters);
/* org.varlink.service.InvalidParameter naming that field. */
void varlink_invalid(struct varlink_call *call, const char *parameter);
