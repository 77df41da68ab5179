/* SPDX-License-Identifier: Apache-2.0 */
#include "children.h"

#include "chance.h"
#include "clock.h"
#include "schedule.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/wait.h>

struct child {
    LIST_ENTRY(child) next;
    pid_t pid;
    child_ended_fn *on_ended;
    void *arg;
};

struct children {
    struct event *on_signal;
    LIST_HEAD(, child) all;
};

/* One that has ended, or NULL. The list may be another after each callback, so each search starts
 * anew. */
static struct child *next_ended(struct children *c, int *ret_status)
{
    struct child *child;
    LIST_FOREACH (child, &c->all, next)
        if (waitpid(child->pid, ret_status, WNOHANG) == child->pid)
            return child;
    return NULL;
}

static void on_sigchld(evutil_socket_t signal, short what, void *arg)
{
    struct children *c = arg;
    struct child *child;
    int status;
    (void)signal;
    (void)what;
    while ((child = next_ended(c, &status))) {
        struct child ended = *child;
        LIST_REMOVE(child, next);
        free(child);
        ended.on_ended(ended.pid, status, ended.arg);
    }
}

struct children *children_new(struct event_base *base)
{
    struct children *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    LIST_INIT(&c->all);
    c->on_signal = evsignal_new(base, SIGCHLD, on_sigchld, c);
    if (!c->on_signal || event_add(c->on_signal, NULL) < 0) {
        children_free(c);
        return NULL;
    }
    return c;
}

void children_free(struct children *c)
{
    if (!c)
        return;
    while (!LIST_EMPTY(&c->all)) {
        struct child *child = LIST_FIRST(&c->all);
        LIST_REMOVE(child, next);
        free(child);
    }
    if (c->on_signal)
        event_free(c->on_signal);
    free(c);
}

bool children_add(struct children *c, pid_t pid, child_ended_fn *on_ended, void *arg)
{
    struct child *child = calloc(1, sizeof(*child));
    if (!child)
        return false;
    child->pid = pid;
    child->on_ended = on_ended;
    child->arg = arg;
    LIST_INSERT_HEAD(&c->all, child, next);
    /* It may have ended before it was on the list. */
    event_active(c->on_signal, EV_SIGNAL, 1);
    return true;
}

size_t children_count(const struct children *c)
{
    size_t n = 0;
    const struct child *child;
    LIST_FOREACH (child, &c->all, next)
        n++;
    return n;
}

void children_signal(const struct children *c, int signal)
{
    const struct child *child;
    LIST_FOREACH (child, &c->all, next)
        kill(child->pid, signal);
}

char *child_ending(int status, char *out, size_t out_len)
{
    if (WIFSIGNALED(status))
        snprintf(out, out_len, "killed by signal %d", WTERMSIG(status));
    else
        snprintf(out, out_len, "ended with status %d", WEXITSTATUS(status));
    return out;
}

/* Whoever lives shorter has not begun to work. */
#define RESPAWN_YOUNG_MS 1000
#define RESPAWN_FIRST_MS 100

void respawn_started(struct respawn *r)
{
    r->started_ms = clock_mono_ms();
}

int64_t respawn_pause_ms(struct respawn *r)
{
    bool young = clock_mono_ms() - r->started_ms < RESPAWN_YOUNG_MS;
    r->young_deaths = young ? r->young_deaths + 1 : 0;
    return r->young_deaths > 1 ? schedule_backoff_ms(r->young_deaths, RESPAWN_FIRST_MS,
                                     RESPAWN_LONGEST_MS, chance_u32())
                               : 0;
}
