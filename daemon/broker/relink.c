/* SPDX-License-Identifier: Apache-2.0 */
#include "relink.h"

#include "chance.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "schedule.h"

#include <errno.h>
#include <string.h>

#define RELINK_FIRST_MS 100
#define RELINK_LONGEST_MS 5000
/* A link that has lived so long was a good one, though nobody vouched for it. */
#define RELINK_PROVEN_MS 5000

struct relink {
    struct event_base *base;
    char *path;
    const char *what;
    const struct relink_ops *ops;
    void *arg;
    struct event *retry;
    struct link *link;
    int64_t since_ms; /* when it came up */
    unsigned tries;   /* since the other end was last alive */
    bool told;        /* that it is away */
    uint64_t dropped; /* frames, of the connections before this one */
};

struct link *relink_link(struct relink *r)
{
    return r->link;
}

const char *relink_path(const struct relink *r)
{
    return r->path;
}

void relink_alive(struct relink *r)
{
    if (r->told)
        log_notice("link to the %s is up again", r->what);
    r->told = false;
    r->tries = 0;
}

int relink_send(struct relink *r, const struct frame_out *f, int fd)
{
    return r->link ? link_send(r->link, f, fd) : -ENOTCONN;
}

static void try_later(struct relink *r, const char *why)
{
    r->tries++;
    if (!r->told)
        log_warning("link to the %s is down (%s): %s; trying again", r->what, r->path, why);
    r->told = true;
    int64_t ms = schedule_backoff_ms(r->tries, RELINK_FIRST_MS, RELINK_LONGEST_MS, chance_u32());
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};
    if (event_add(r->retry, &wait) < 0)
        log_err("link to the %s: no memory for a timer, it stays down", r->what);
}

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct relink *r = arg;
    (void)l;
    r->ops->on_frame(f, fd, r->arg);
}

uint64_t relink_dropped(const struct relink *r)
{
    return r->dropped + (r->link ? link_dropped(r->link) : 0);
}

static void forget_link(struct relink *r)
{
    r->dropped = relink_dropped(r);
    link_free(TAKE(r->link));
}

static void on_closed(struct link *l, void *arg)
{
    struct relink *r = arg;
    (void)l;
    forget_link(r);
    if (clock_mono_ms() - r->since_ms > RELINK_PROVEN_MS)
        relink_alive(r);
    try_later(r, "the other end has closed it");
    r->ops->on_down(r->arg);
}

void relink_drop(struct relink *r)
{
    if (!r->link)
        return;
    forget_link(r);
    try_later(r, "no sensible answer");
    r->ops->on_down(r->arg);
}

static void on_retry(evutil_socket_t unused, short what, void *arg)
{
    struct relink *r = arg;
    (void)unused;
    (void)what;
    int fd = link_connect(r->path);
    if (fd < 0) {
        try_later(r, strerror(-fd));
        return;
    }
    r->link = link_new(r->base, fd, on_frame, on_closed, r);
    if (!r->link) {
        try_later(r, strerror(ENOMEM));
        return;
    }
    r->since_ms = clock_mono_ms();
    r->ops->on_up(r->arg);
}

struct relink *relink_new(struct event_base *base, const char *path, const char *what,
    const struct relink_ops *ops, void *arg)
{
    struct relink *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct relink){.base = base, .what = what, .ops = ops, .arg = arg};
    r->path = strdup(path);
    r->retry = evtimer_new(base, on_retry, r);
    static const struct timeval now = {0, 0};
    if (!r->path || !r->retry || event_add(r->retry, &now) < 0) {
        relink_free(r);
        return NULL;
    }
    return r;
}

void relink_free(struct relink *r)
{
    if (!r)
        return;
    link_free(r->link);
    if (r->retry)
        event_free(r->retry);
    free(r->path);
    free(r);
}
