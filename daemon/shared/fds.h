/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors handed to us by systemd, by s2sd --all or by the broker: LISTEN_FDS, LISTEN_FDNAMES,
 * LISTEN_PID (sd_listen_fds(3)), one path for all. */
#pragma once

#include "attr.h"

#include <stddef.h>

#define FDS_MAX 32

/* Reads the environment once, removes the variables, sets FD_CLOEXEC. Names beyond FDS_MAX are
 * closed. */
void fds_open(void);
/* Takes the first descriptor of that name: -1 when there is none. */
int fds_take(const char *name);
/* Closes what nobody took. */
void fds_close_rest(void);

/* A child program to start: fork + execve with exactly these descriptors, from 3 on, and LISTEN_*
 * set. Everything else is closed. */
struct fds_child {
    const char *path; /* absolute path of the program */
    char *const *argv;
    const int *fds;
    const char *const *names;
    size_t n;
};
/* Returns the pid, or -errno. The child dies with SIGTERM when the parent dies (PR_SET_PDEATHSIG).
 */
int fds_spawn(const struct fds_child *c) WARN_UNUSED;
/* Absolute path of a sister program: beside our own binary (build tree), in ../libexec/s2sd from
 * there, else where libexec was at compile time. Returns out or NULL. */
char *fds_program(const char *name, char *out, size_t out_len);
