/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: the processes that another has started. */
#pragma once

#include "cleanup.h"

#include <fcntl.h>
#include <sys/types.h>

/* The processes below another; returns how many. */
static inline unsigned children_of(pid_t parent, pid_t *out, unsigned max)
{
    char path[64], text[512];
    unsigned n = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    int fd = open(path, O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    closep(&fd);
    text[len > 0 ? len : 0] = '\0';
    for (char *p = text, *end; n < max; p = end) {
        long pid = strtol(p, &end, 10);
        if (end == p)
            break;
        out[n++] = (pid_t)pid;
    }
    return n;
}
