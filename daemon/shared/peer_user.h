/* SPDX-License-Identifier: Apache-2.0 */
/* The uid under which the kernel shows the processes of --peer-user=. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdbool.h>
#include <sys/types.h>

/* What SO_PEERCRED says of a user that our user name space does not know (PrivateUsers=yes). */
#define PEER_USER_OVERFLOW 65534

/* True when the text of /proc/self/uid_map (lines "inside outside count") maps `uid`. */
bool peer_user_is_mapped(struct span uid_map, uid_t uid);

/* Looks `name` up and writes the uid by which its processes are to be known here: its own, or
 * PEER_USER_OVERFLOW when we run in a user name space without it. There the owner and mode of the
 * link socket leave only that user and root, and root is mapped: together exactly that user. 0, or
 * -ENOENT for an unknown name, -errno when the map cannot be read. */
int peer_user_uid(const char *name, uid_t *ret) WARN_UNUSED;
/* The option --peer-user=`name` of `program`: *ret and -1 to go on, or the exit status after a line
 * on standard error. */
int peer_user_option(const char *program, const char *name, uid_t *ret) WARN_UNUSED;
