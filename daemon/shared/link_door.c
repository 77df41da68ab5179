/* SPDX-License-Identifier: Apache-2.0 */
#include "link_door.h"

#include "cleanup.h"
#include "link.h"
#include "log.h"

#include <errno.h>

/* Out of descriptors or memory: the listener stays readable, so look again only after this long. */
#define DOOR_REST_MS 100

struct link_door {
    int listener;
    unsigned uid;
    struct event *readable, *rested;
    link_door_fn *on_peer;
    void *arg;
};

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
    struct link_door *d = arg;
    (void)fd;
    (void)what;
    event_add(d->readable, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct link_door *d = arg;
    (void)what;
    int peer = link_accept(fd, d->uid);
    if (peer >= 0) {
        d->on_peer(peer, d->arg);
        return;
    }
    if (peer == -EAGAIN || peer == -EINTR || peer == -ECONNABORTED || peer == -EPERM)
        return;
    log_warning("cannot accept on a link socket: %s", strerror(-peer));
    struct timeval rest = {0, DOOR_REST_MS * 1000};
    event_del(d->readable);
    event_add(d->rested, &rest);
}

struct link_door *link_door_new(
    struct event_base *base, int listener, unsigned uid, link_door_fn *on_peer, void *arg)
{
    struct link_door *d = calloc(1, sizeof(*d));
    if (!d) {
        close(listener);
        return NULL;
    }
    *d = (struct link_door){.listener = listener, .uid = uid, .on_peer = on_peer, .arg = arg};
    evutil_make_socket_nonblocking(listener);
    d->readable = event_new(base, listener, EV_READ | EV_PERSIST, on_readable, d);
    d->rested = event_new(base, -1, 0, on_rested, d);
    if (!d->readable || !d->rested || event_add(d->readable, NULL) < 0) {
        link_door_free(d);
        return NULL;
    }
    return d;
}

void link_door_free(struct link_door *d)
{
    if (!d)
        return;
    if (d->readable)
        event_free(d->readable);
    if (d->rested)
        event_free(d->rested);
    closep(&d->listener);
    free(d);
}
