/* SPDX-License-Identifier: Apache-2.0 */
#include "link_door.h"

#include "cleanup.h"
#include "door.h"
#include "link.h"

struct link_door {
    struct door *door;
    unsigned uid;
    link_door_fn *on_peer;
    void *arg;
};

static void on_peer(int fd, void *arg)
{
    const struct link_door *d = arg;
    if (link_peer_is(fd, d->uid))
        d->on_peer(fd, d->arg);
    else
        close(fd);
}

struct link_door *link_door_new(
    struct event_base *base, int listener, unsigned uid, link_door_fn *on_link, void *arg)
{
    static const struct door_ops ops = {.on_peer = on_peer};
    struct link_door *d = calloc(1, sizeof(*d));
    if (!d) {
        close(listener);
        return NULL;
    }
    *d = (struct link_door){.uid = uid, .on_peer = on_link, .arg = arg};
    d->door = door_open(base, listener, &ops, d);
    if (!d->door)
        free(TAKE(d));
    return d;
}

void link_door_free(struct link_door *d)
{
    if (!d)
        return;
    door_close(d->door);
    free(d);
}
