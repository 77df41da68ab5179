/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include "buf.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* since Linux 6.5; the C library of Debian 12 does not name it */
#endif

#define CGROUP_TEXT_MAX 16384

int peer_read(int fd, struct peer_id *ret)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
        return -errno;
    socklen_t groups = sizeof(ret->groups);
    /* More groups than we look at would make a rule miss: that peer is refused (ERANGE). */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &groups) < 0)
        return -errno;
    ret->peer = (struct peer){.uid = cred.uid,
        .gid = cred.gid,
        .pid = cred.pid,
        .groups = ret->groups,
        .n_groups = groups / sizeof(gid_t)};
    ret->unit[0] = '\0';
    return 0;
}

/* Whole text of a /proc file, which has no size of its own. */
static int read_proc(const char *path, struct buf *out)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        char *room = buf_reserve(out, 4096);
        if (!room)
            return -EFBIG;
        ssize_t n = read(fd, room, 4096);
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        out->n += (size_t)n;
    }
}

/* The path of the cgroup that systemd manages: the line "0::" (unified), else "N:name=systemd:"
 * (legacy). */
static struct span cgroup_path(struct span text)
{
    struct span found = {0};
    while (text.n > 0) {
        size_t end = span_find(text, '\n');
        struct span line = {text.p, end};
        text = span_skip(text, end < text.n ? end + 1 : end);
        struct span rest = span_skip(line, span_find(line, ':'));
        if (span_starts(line, SPAN("0::/")) && (line.n > 4 || !found.p))
            found = span_skip(line, 3);
        if (span_starts(rest, SPAN(":name=systemd:/")) && found.n <= 1)
            found = span_skip(rest, 14);
    }
    return found;
}

static bool ends_with(struct span s, const char *tail)
{
    struct span t = span_of(tail);
    return s.n > t.n && memcmp(s.p + s.n - t.n, t.p, t.n) == 0;
}

/* Takes the next component off the path. */
static struct span next_component(struct span *path)
{
    while (path->n > 0 && path->p[0] == '/')
        *path = span_skip(*path, 1);
    size_t n = span_find(*path, '/');
    struct span c = {path->p, n};
    *path = span_skip(*path, n);
    return c;
}

/* Slices are folders; the first thing that is none is the unit: a service or a scope. */
static bool unit_of_path(struct span path, char out[PEER_UNIT_MAX])
{
    struct span c = next_component(&path);
    while (ends_with(c, ".slice"))
        c = next_component(&path);
    if (c.n > 0 && c.p[0] == '_') /* systemd's escape for names that the kernel uses itself */
        c = span_skip(c, 1);
    if (c.n >= PEER_UNIT_MAX || !(ends_with(c, ".service") || ends_with(c, ".scope")))
        return false;
    memcpy(out, c.p, c.n);
    out[c.n] = '\0';
    return true;
}

/* In a container that shares the host's cgroup view all paths begin with the container's own place:
 * where its process 1 is. */
static struct span without_root(struct span path, struct span init)
{
    struct span tail = SPAN("/init.scope");
    if (init.n <= tail.n || memcmp(init.p + init.n - tail.n, tail.p, tail.n) != 0)
        return path;
    init.n -= tail.n;
    return span_starts(path, init) ? span_skip(path, init.n) : path;
}

bool peer_unit_of(struct span cgroups, struct span init, char out[PEER_UNIT_MAX])
{
    return unit_of_path(without_root(cgroup_path(cgroups), cgroup_path(init)), out);
}

static int read_cgroup(pid_t pid, struct buf *text)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    return read_proc(path, text);
}

static int read_unit(pid_t pid, char out[PEER_UNIT_MAX])
{
    CLEANUP(buf_done) struct buf own = BUF_INIT(CGROUP_TEXT_MAX);
    CLEANUP(buf_done) struct buf init = BUF_INIT(CGROUP_TEXT_MAX);
    int r = read_cgroup(pid, &own);
    if (r < 0)
        return r;
    if (read_cgroup(1, &init) < 0)
        buf_reset(&init);
    return peer_unit_of(buf_span(&own), buf_span(&init), out) ? 0 : -ENODATA;
}

/* A descriptor of the process at the other end. *ret_strong: the kernel says it is that process and
 * no later one with its number. */
static int peer_pidfd(int fd, pid_t pid, bool *ret_strong)
{
    int pidfd = -1;
    socklen_t n = sizeof(pidfd);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0) {
        *ret_strong = true;
        return pidfd;
    }
    if (errno != ENOPROTOOPT)
        return -errno;
    *ret_strong = false;
    pidfd = pidfd_open(pid, 0);
    return pidfd < 0 ? -errno : pidfd;
}

static bool is_alive(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

static bool is_owned_by(pid_t pid, uid_t uid)
{
    char path[32];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return stat(path, &st) == 0 && st.st_uid == uid;
}

int peer_read_unit(int fd, struct peer_id *id)
{
    bool strong = false;
    char unit[PEER_UNIT_MAX];
    id->peer.unit = NULL;
    CLEANUP(closep) int pidfd = peer_pidfd(fd, id->peer.pid, &strong);
    if (pidfd < 0)
        return pidfd;
    int r = read_unit(id->peer.pid, unit);
    if (r < 0)
        return r;
    /* By number alone it could be a later process of another user. */
    if (!strong && !is_owned_by(id->peer.pid, id->peer.uid))
        return -EPERM;
    if (!is_alive(pidfd))
        return -ESRCH;
    memcpy(id->unit, unit, sizeof(unit));
    id->peer.unit = id->unit;
    id->peer.unit_weak = !strong;
    return 0;
}

bool peer_error_is_ours(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}
