/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include "cleanup.h"
#include "clock.h"
#include "control_conn.h"
#include "control_interface.h"
#include "log.h"

/* Connections in all, how many of one user, and how many are kept for root: nobody can lock the
 * administrators out. */
#define CONTROL_CONNECTIONS_MAX 64
#define CONTROL_OF_USER_MAX 16
#define CONTROL_ROOT_RESERVE 16
#define CONTROL_MESSAGE_TIMEOUT_MS 10000
#define CONTROL_COMPLAIN_MS 60000

/* The table. */

static void join_methods(struct control *c)
{
    static const struct control_group *const groups[] = {
        &control_status, &control_partners, &control_refresh, &control_keys, &control_pool};
    size_t n = 0;
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (size_t i = 0; i < groups[g]->n && n < CONTROL_METHODS_MAX; i++)
            c->methods[n++] = groups[g]->methods[i];
    c->interface.methods = c->methods;
    c->interface.n_methods = n;
    c->interfaces[0] = &c->interface;
    c->ops.interfaces = c->interfaces;
}

static void on_closed(struct varlink_conn *v, void *arg)
{
    struct control_conn *c = arg;
    (void)v;
    LIST_REMOVE(c, next);
    c->control->connections--;
    control_refresh_closed(c);
    control_keys_closed(c);
    if (c->on_gone)
        c->on_gone(c->gone_arg);
    free(c);
}

/* Connections. */

static unsigned connections_of(const struct control *control, uid_t uid)
{
    unsigned n = 0;
    const struct control_conn *c;
    LIST_FOREACH (c, &control->all, next)
        n += c->peer.peer.uid == uid;
    return n;
}

static bool has_room(const struct control *c, const struct peer *peer)
{
    if (peer->uid == 0)
        return c->connections < CONTROL_CONNECTIONS_MAX;
    return c->connections < CONTROL_CONNECTIONS_MAX - CONTROL_ROOT_RESERVE &&
           connections_of(c, peer->uid) < CONTROL_OF_USER_MAX;
}

/* Anybody can come again and again; the journal need not hear it each time. */
static void complain(struct control *c)
{
    int64_t now = clock_mono_ms();
    if (c->complained_ms != 0 && now - c->complained_ms < CONTROL_COMPLAIN_MS)
        return;
    c->complained_ms = now;
    log_warning("control: connections are refused: too many, or their owner is unknown");
}

static void on_peer(int fd, void *arg)
{
    struct control *control = arg;
    CLEANUP(closep) int peer = fd;
    CLEANUP(freep) struct control_conn *c = calloc(1, sizeof(*c));
    if (!c || peer_read(peer, &c->peer) < 0 || !has_room(control, &c->peer.peer)) {
        complain(control);
        return;
    }
    c->control = control;
    struct bufferevent *bev =
        bufferevent_socket_new(control->broker->base, peer, BEV_OPT_CLOSE_ON_FREE);
    if (!bev)
        return;
    peer = -1;
    c->varlink = varlink_conn_new(bev, &control->ops, c);
    if (!c->varlink)
        return;
    control->connections++;
    LIST_INSERT_HEAD(&control->all, c, next);
    c = NULL;
}

struct control *control_new(struct broker *b, int listener)
{
    static const struct door_ops door_ops = {.on_peer = on_peer};
    CLEANUP(closep) int fd = listener;
    struct control *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct control){.broker = b,
        .interface = {.name = CONTROL_INTERFACE, .description = control_interface},
        .ops = {.n_interfaces = 1,
            .message_timeout_ms = CONTROL_MESSAGE_TIMEOUT_MS,
            .idle_timeout_ms = (unsigned)(b->settings->limits.idle_timeout_s * 1000),
            .write_through = true,
            .on_closed = on_closed}};
    LIST_INIT(&c->all);
    LIST_INIT(&c->orders);
    join_methods(c);
    if (fd < 0)
        return c;
    c->door = door_open(b->base, TAKE_FD(fd), &door_ops, c);
    if (!c->door) {
        free(c);
        return NULL;
    }
    return c;
}

void control_stop(struct control *control)
{
    control_on_fence(control, UINT32_MAX); /* the workers that leave obey nobody any more */
    door_close(TAKE(control->door));
    for (struct control_conn *c = LIST_FIRST(&control->all), *next; c; c = next) {
        next = LIST_NEXT(c, next);
        control_refresh_stop(c);
    }
}

void control_free(struct control *c)
{
    if (!c)
        return;
    door_close(c->door);
    while (!LIST_EMPTY(&c->all))
        varlink_conn_free(LIST_FIRST(&c->all)->varlink);
    free(c);
}
