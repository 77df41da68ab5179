/* SPDX-License-Identifier: Apache-2.0 */
/* The processes we started: reaped on SIGCHLD, each told to its owner once. No zombie stays. */
#pragma once

#include "attr.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct children;

/* `status` as waitpid(2) gives it. Called from the loop. */
typedef void child_ended_fn(pid_t pid, int status, void *arg);

/* NULL: out of memory. */
struct children *children_new(struct event_base *base) WARN_UNUSED;
void children_free(struct children *c); /* NULL is fine; the processes are left alone */
/* From now on the child is ours to reap. False: out of memory. */
bool children_add(struct children *c, pid_t pid, child_ended_fn *on_ended, void *arg) WARN_UNUSED;
size_t children_count(const struct children *c);
/* Sends a signal to all that are left. */
void children_signal(const struct children *c, int signal);

/* "ended with status 1", "killed by signal 9". Returns out. */
char *child_ending(int status, char *out, size_t out_len);

/* A process that is started again whenever it ends: at once the first time, with a growing pause
 * when it dies young again and again. Zeros at the start. */
struct respawn {
    int64_t started_ms;
    unsigned young_deaths; /* in a row */
};
#define RESPAWN_LONGEST_MS 5000
void respawn_started(struct respawn *r);
/* It has ended: how long to wait before the next start, 0: not at all. */
int64_t respawn_pause_ms(struct respawn *r) WARN_UNUSED;
