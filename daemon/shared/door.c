/* SPDX-License-Identifier: Apache-2.0 */
#include "door.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How soon a worker with more than its share looks again. */
#define RECHECK_MS 3
/* How long accepting rests when descriptors or memory are used up (trap: evhttp span there). */
#define EXHAUSTED_MS 250
#define COMPLAIN_EVERY_MS 60000

struct door {
    const struct door_ops *ops;
    void *arg;
    struct event *readable; /* persistent */
    struct event *again;    /* watches again after a rest */
    int fd;
    int64_t complained_ms;
};

static void rest(struct door *d, int ms)
{
    struct timeval tv = {.tv_usec = ms * 1000};
    if (event_add(d->again, &tv) == 0)
        (void)event_del(d->readable);
}

static void complain(struct door *d, int err)
{
    int64_t now = clock_mono_ms();
    if (d->complained_ms != 0 && now - d->complained_ms < COMPLAIN_EVERY_MS)
        return;
    d->complained_ms = now;
    log_err("cannot accept connections for the moment: %s", strerror(err));
}

/* The accept4 errors that belong to one peer say nothing about the next one (accept(2)). */
static void on_accept_error(struct door *d, int err)
{
    switch (err) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        complain(d, err);
        rest(d, EXHAUSTED_MS);
        break;
    default:
        break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct door *d = arg;
    if (d->ops->may_accept && !d->ops->may_accept(d->arg)) {
        rest(d, RECHECK_MS);
        return;
    }
    int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer >= 0)
        d->ops->on_peer(peer, d->arg);
    else
        on_accept_error(d, errno);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct door *d = arg;
    if (event_add(d->readable, NULL) < 0)
        rest(d, EXHAUSTED_MS);
}

struct door *door_open(struct event_base *base, int listener, const struct door_ops *ops, void *arg)
{
    struct door *d = calloc(1, sizeof *d);
    if (!d) {
        close(listener);
        return NULL;
    }
    *d = (struct door){.ops = ops, .arg = arg, .fd = listener};
    d->readable = event_new(base, listener, EV_READ | EV_PERSIST, on_readable, d);
    d->again = event_new(base, -1, 0, on_again, d);
    if (d->readable && d->again && evutil_make_socket_nonblocking(listener) == 0 &&
        event_add(d->readable, NULL) == 0)
        return d;
    door_close(d);
    return NULL;
}

void door_close(struct door *d)
{
    if (!d)
        return;
    if (d->readable)
        event_free(d->readable);
    if (d->again)
        event_free(d->again);
    close(d->fd);
    free(d);
}
