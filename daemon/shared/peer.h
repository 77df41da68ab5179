/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a local connection, asked from the kernel (ecosystem note 1c, rule
 * R39). */
#pragma once

#include "policy.h"

#define PEER_GROUPS_MAX 256
#define PEER_UNIT_MAX 256

struct peer_id {
    struct peer peer; /* groups and unit point into this struct */
    gid_t groups[PEER_GROUPS_MAX];
    char unit[PEER_UNIT_MAX];
};

/* Fills uid, gid, pid (SO_PEERCRED) and supplementary groups (SO_PEERGROUPS). 0 or -errno. */
int peer_read(int fd, struct peer_id *ret) WARN_UNUSED;
/* Establishes the systemd unit, only asked for when a rule needs it: pidfd first (SO_PEERPIDFD,
 * else pidfd_open of the pid), unit from /proc/PID/cgroup, then the pidfd must still be alive.
 * Without SO_PEERPIDFD /proc/PID must be owned by the peer's uid, and the unit is weak. 0 or
 * -errno; peer.unit stays NULL on failure. */
int peer_read_unit(int fd, struct peer_id *id) WARN_UNUSED;
/* Does that error of peer_read_unit say something about us (descriptors, memory) instead of the
 * peer? Then nothing may be decided about it. */
bool peer_error_is_ours(int error) WARN_UNUSED;
/* The unit that control group lines name: `cgroups` is the text of /proc/PID/cgroup, `init` that of
 * process 1 (empty: not known), which tells where a container's own tree begins. False: no service
 * and no scope. Pure. */
bool peer_unit_of(struct span cgroups, struct span init, char out[PEER_UNIT_MAX]) WARN_UNUSED;
