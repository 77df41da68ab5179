/* SPDX-License-Identifier: Apache-2.0 */
/* The asking end of Varlink: one blocking connection to the daemon, one call at a time. A message
 * is one JSON object and a NUL. */
#pragma once

#include "json.h"

#define VARLINK_CLIENT_MAX (1024 * 1024) /* bytes of one message, either way */

struct varlink_client;

/* Connects to DIR/INTERFACE ("io.s2sd.control"). Each call, connecting included, must end within
 * `timeout_ms`. Returns 0, or -errno: -ENOENT and -ECONNREFUSED when there is no daemon, -EACCES
 * when the socket is closed to us, -ENAMETOOLONG. */
int varlink_client_open(const char *dir, const char *interface, unsigned timeout_ms,
    struct varlink_client **ret) WARN_UNUSED;
void varlink_client_free(struct varlink_client *c);
void varlink_client_freep(struct varlink_client **c);

/* What came back. Everything lives until the next call on the connection. */
struct varlink_answer {
    struct span error; /* full name, "io.s2sd.mint.NotPermitted"; empty: a reply */
    const struct json_value *parameters; /* an object; NULL when the message has none */
    struct span raw;                     /* the message as it came, without its NUL */
};

/* Calls "interface.Method" with `parameters`, a JSON object. Buffers are wiped when released, since
 * they may hold tokens. Returns 0 (also for an error of the method), or -errno: -ETIMEDOUT,
 * -ECONNRESET when the daemon closed the connection, -EMSGSIZE, -EBADMSG when what came is no
 * Varlink, -ENOMEM. */
int varlink_client_call(struct varlink_client *c, const char *method, struct span parameters,
    struct varlink_answer *ret) WARN_UNUSED;
/* The same with descriptors beside the message, which stay the caller's; at most
 * VARLINK_CLIENT_FDS_MAX. */
#define VARLINK_CLIENT_FDS_MAX 2
struct varlink_fds {
    int fds[VARLINK_CLIENT_FDS_MAX];
    size_t n;
};
int varlink_client_call_with(struct varlink_client *c, const char *method, struct span parameters,
    const struct varlink_fds *fds, struct varlink_answer *ret) WARN_UNUSED;
