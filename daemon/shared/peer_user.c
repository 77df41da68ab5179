/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_user.h"

#include "buf.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>

#define UID_MAP_MAX 4096

/* The next decimal number of a line, blanks before it skipped; false when there is none. */
static bool take_number(struct span *s, uint64_t *ret)
{
    uint64_t v = 0;
    while (s->n && (s->p[0] == ' ' || s->p[0] == '\t'))
        *s = span_skip(*s, 1);
    if (!s->n || s->p[0] < '0' || s->p[0] > '9')
        return false;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9' && v <= UINT32_MAX; *s = span_skip(*s, 1))
        v = v * 10 + (uint64_t)(s->p[0] - '0');
    *ret = v;
    return true;
}

bool peer_user_is_mapped(struct span uid_map, uid_t uid)
{
    while (uid_map.n) {
        const size_t end = span_find(uid_map, '\n');
        struct span line = {uid_map.p, end};
        uint64_t inside, outside, count;
        if (take_number(&line, &inside) && take_number(&line, &outside) &&
            take_number(&line, &count) && uid >= inside && uid - inside < count)
            return true;
        uid_map = span_skip(uid_map, end < uid_map.n ? end + 1 : end);
    }
    return false;
}

int peer_user_uid(const char *name, uid_t *ret)
{
    char map[UID_MAP_MAX];
    const struct passwd *pw = getpwnam(name);
    if (!pw)
        return -ENOENT;
    CLEANUP(closep) int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    const ssize_t n = read(fd, map, sizeof(map));
    if (n < 0)
        return -errno;
    const bool mapped = peer_user_is_mapped(span_bytes(map, (size_t)n), pw->pw_uid);
    *ret = mapped ? pw->pw_uid : PEER_USER_OVERFLOW;
    return 0;
}

int peer_user_option(const char *program, const char *name, uid_t *ret)
{
    int r = peer_user_uid(name, ret);
    if (r == 0)
        return -1;
    fprintf(stderr, "%s: --peer-user=%s: %s\n", program, name,
        r == -ENOENT ? "no such user" : strerror(-r));
    return EX_USAGE;
}
