/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the daemon: one call, every failure turned into words and an exit status. */
#pragma once

#include "ctl.h"

#define ASK_TIMEOUT_MS 10000
#define ASK_TIMEOUT_LONG_MS 90000 /* fetches of all partners, a reload of all programs */

struct question {
    const char *interface;  /* "io.s2sd.control" */
    const char *method;     /* "Status" */
    struct span parameters; /* JSON object */
    unsigned timeout_ms;
    const char *dir;               /* folder of the socket; NULL: ctl->runtime_dir */
    const struct varlink_fds *fds; /* to pass; NULL: none */
};

/* EXIT_YES: *ret is the object of the reply, good until ctl_done. Else what went wrong stands in
 * ctl->err. */
enum exit_status ask(struct ctl *ctl, const struct question *q, const struct json_value **ret)
    WARN_UNUSED;

/* The same, but an error of the method named `but` ("NotPermitted") says nothing and gives its own
 * status. */
enum exit_status ask_quietly(struct ctl *ctl, const struct question *q, const char *but,
    const struct json_value **ret) WARN_UNUSED;

/* EXIT_UNREACHABLE, after saying that the answer is not of the documented form. */
enum exit_status ask_misunderstood(struct ctl *ctl);

/* Writes a value as it is, for --json; name NULL inside an array and at the top. */
void put_json(struct json_out *j, const char *name, const struct json_value *v);
/* One line of JSON on standard output. */
void put_json_line(struct ctl *ctl, const struct json_value *v);
