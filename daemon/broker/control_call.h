/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of io.s2sd.control needs to serve a method: who calls and may he, how to answer
 * now, and how to answer later. Methods live in files by subject, each with a group of its own;
 * control.c joins the groups. */
#pragma once

#include "broker.h"
#include "json.h"
#include "varlink_conn.h"

#define CONTROL_INTERFACE "io.s2sd.control"
#define CONTROL_ANSWER_MAX ((size_t)8 * 1024 * 1024)

/* The methods of one file. */
struct control_group {
    const struct varlink_method *methods;
    size_t n;
};
extern const struct control_group control_status, control_refresh, control_keys, control_partners,
    control_pool;

/* Methods that name one partner or none; `name.p` is NULL when none is given. */
struct control_name_args {
    struct span name;
};
extern const struct json_field control_name_optional[1], control_name_mandatory[1];

/* True: the caller has that right. False: NotPermitted has been answered, the call may be gone. */
bool control_permitted(struct varlink_call *call, enum right right) WARN_UNUSED;
struct broker *control_broker(const struct varlink_call *call);
uid_t control_uid(const struct varlink_call *call); /* of the process that calls, from the kernel */
/* The partner of that name, or NULL: NoSuchPartner has been answered. */
struct partner_entry *control_partner(struct varlink_call *call, struct span name) WARN_UNUSED;

/* Answers with the error `error` of our interface ("NoSuchPartner") and one text member. */
void control_error(
    struct varlink_call *call, const char *error, const char *field, struct span value);
/* Member `name`: each line of the text as one string. */
void control_put_lines(struct json_out *j, const char *name, struct span lines);
/* Starts the object of an answer in `b`, and sends it. A buffer that failed becomes an error. */
void control_start(struct buf *b, struct json_out *j);
void control_reply(struct varlink_call *call, struct buf *b, struct json_out *j);

/* The whole answer of a reading method: right status, one object that `view` fills. */
void control_view(
    struct varlink_call *call, void (*view)(const struct broker *b, struct json_out *j));

/* Answers later: until control_waited, `on_gone` is called once when the caller goes away; the
 * call must not be answered any more then. One wait for each call. */
void control_wait(struct varlink_call *call, void (*on_gone)(void *arg), void *arg);
void control_waited(struct varlink_call *call);
