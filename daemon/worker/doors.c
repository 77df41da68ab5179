/* SPDX-License-Identifier: Apache-2.0 */
#include "doors.h"

#include "cleanup.h"
#include "door.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Connections beyond the cap that are kept for root, so that an administrator can still ask. */
#define ROOT_RESERVE 16
/* How often a peer is left to workers with fewer connections before it is taken all the same: the
 * others may be dead or busy. */
#define LEAVE_MAX 5

/* Connections too many that may be told so at the same time; beyond that they are just closed. */
#define TURNED_AWAY_MAX 32

/* The doors that are listened at: two sockets. */
#define DOORS_MAX 4

struct listener {
    struct doors *all;
    enum door_kind kind;
    struct door *door;
    unsigned left; /* times in a row that the peer at the door was left to others */
};

struct doors {
    struct worker *w;
    struct listener listeners[DOORS_MAX];
    size_t n_listeners;
    struct http_conn_ops http_ops;
    struct varlink_ops varlink_ops;
    LIST_HEAD(, visitor) visitors;
    size_t n_visitors, n_turned_away;
};

/* Counting: our page is ours alone, the others' are read. */

static uint32_t load32(const _Atomic uint32_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t load64(const _Atomic uint64_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t connections_in_all(const struct worker *w)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < w->of; i++)
        sum += load64(&counters_at(w->pages, i)->connections);
    return sum;
}

static uint64_t connections_of(const struct worker *w, uid_t uid)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < w->of; i++) {
        const struct counters *c = counters_at(w->pages, i);
        for (size_t u = 0; u < COUNTERS_UIDS; u++)
            if (load32(&c->uids[u].uid_plus_one) == (uint32_t)uid + 1)
                sum += load32(&c->uids[u].connections);
    }
    return sum;
}

/* With more users at once than the page has room for, the others fall under the cap in all only. */
static void count_uid(struct counters *c, uid_t uid, int change)
{
    size_t slot = COUNTERS_UIDS;
    for (size_t u = 0; u < COUNTERS_UIDS; u++) {
        uint32_t of = load32(&c->uids[u].uid_plus_one);
        if (of == (uint32_t)uid + 1) {
            slot = u;
            break;
        }
        if (of == 0 && slot == COUNTERS_UIDS)
            slot = u;
    }
    if (slot == COUNTERS_UIDS)
        return;
    uint32_t n = load32(&c->uids[slot].connections);
    if (change < 0 && n == 0)
        return;
    n = change > 0 ? n + 1 : n - 1;
    atomic_store_explicit(&c->uids[slot].connections, n, memory_order_relaxed);
    atomic_store_explicit(
        &c->uids[slot].uid_plus_one, n > 0 ? (uint32_t)uid + 1 : 0, memory_order_relaxed);
}

static void count_visitor(struct worker *w, uid_t uid, int change)
{
    struct counters *c = worker_counters(w);
    if (change > 0)
        COUNT(c, connections);
    else
        atomic_fetch_sub_explicit(&c->connections, 1, memory_order_relaxed);
    count_uid(c, uid, change);
}

static bool is_too_many(const struct worker *w, uid_t uid)
{
    uint64_t reserve = uid == 0 ? ROOT_RESERVE : 0;
    return connections_in_all(w) >= w->settings->limits.connections + reserve ||
           connections_of(w, uid) >= w->settings->limits.connections_per_uid + reserve;
}

/* Who is it? */

/* The unit is asked for when a rule needs it, once. -errno: we could not ask, so nothing may be
 * decided; a process without a unit is none of that. */
static int identify_unit(struct visitor *v, int fd)
{
    if (v->unit_asked || !policy_needs_unit(v->worker->settings))
        return 0;
    int err = peer_read_unit(fd, &v->who);
    if (peer_error_is_ours(err))
        return err;
    v->unit_asked = true;
    return 0;
}

static int identify(struct visitor *v, int fd)
{
    int err = peer_read(fd, &v->who);
    return err < 0 ? err : identify_unit(v, fd);
}

/* Visitors. */

/* Is there room, or at least somebody to say that there is none? */
static bool visitor_admit(struct doors *d, struct visitor *v)
{
    struct worker *w = d->w;
    v->turned_away = is_too_many(w, v->who.peer.uid);
    if (!v->turned_away) {
        COUNT(worker_counters(w), accepted);
        count_visitor(w, v->who.peer.uid, +1);
        d->n_visitors++;
        return true;
    }
    COUNT(worker_counters(w), refused_connections);
    if (d->n_turned_away >= TURNED_AWAY_MAX)
        return false;
    d->n_turned_away++;
    return true;
}

/* Who it is, and whether there is room. NULL: not to be taken, for lack of memory, because the
 * process at the other end could not be told, or because too many are told already. */
static struct visitor *visitor_new(struct doors *d, int fd)
{
    struct visitor *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->worker = d->w;
    int err = identify(v, fd);
    if (err < 0) {
        log_debug("a connection could not be taken: %s", strerror(-err));
        free(v);
        return NULL;
    }
    if (!visitor_admit(d, v)) {
        free(v);
        return NULL;
    }
    LIST_INSERT_HEAD(&d->visitors, v, next);
    return v;
}

void visitor_free(struct visitor *v)
{
    struct doors *d = v->worker->doors;
    visitor_cancel(v);
    LIST_REMOVE(v, next);
    if (v->turned_away) {
        d->n_turned_away--;
    } else {
        d->n_visitors--;
        count_visitor(v->worker, v->who.peer.uid, -1);
    }
    free(v);
}

static void release_memory(struct visitor *v)
{
    if (v->memory)
        explicit_bzero(v->memory, v->memory_len);
    free(v->memory);
    v->memory = NULL;
    v->memory_len = 0;
}

static int socket_of(const struct visitor *v)
{
    return bufferevent_getfd(v->http ? http_conn_bev(v->http) : varlink_conn_bev(v->varlink));
}

void visitor_run(struct visitor *v, request_answer_fn *answer)
{
    struct worker *w = v->worker;
    v->request.peer = &v->who.peer;
    v->request.answer = answer;
    v->request.waits_in = NULL;
    v->in_flight = true;
    /* It may have come before a reload brought the first rule with Unit=. */
    if (identify_unit(v, socket_of(v)) < 0) {
        request_refuse(&v->request, REASON_OUT_OF_MEMORY, 1, "");
        return;
    }
    method_of(w->kind)->run(w, &v->request);
}

void visitor_cancel(struct visitor *v)
{
    if (v->in_flight)
        method_of(v->worker->kind)->cancel(v->worker, &v->request);
    visitor_answered(v);
}

void visitor_answered(struct visitor *v)
{
    v->in_flight = false;
    release_memory(v);
}

/* Makes the connection. False: it is gone, with its visitor. */
static bool connect_visitor(struct doors *d, struct visitor *v, int fd, enum door_kind kind)
{
    struct bufferevent *bev = bufferevent_socket_new(d->w->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bev)
        close(fd);
    else if (kind == DOOR_HTTP ? http_door_take(v, bev, &d->http_ops)
                               : varlink_door_take(v, bev, &d->varlink_ops))
        return true;
    visitor_free(v);
    return false;
}

void doors_take(struct doors *d, int fd, enum door_kind kind)
{
    struct visitor *v = visitor_new(d, fd);
    if (!v) {
        close(fd);
        return;
    }
    if (!connect_visitor(d, v, fd, kind) || !v->turned_away)
        return;
    if (kind == DOOR_HTTP)
        http_door_turn_away(v);
    else
        varlink_door_turn_away(v);
}

/* Listening. */

/* No more than the fair share (evconnlistener's accept loop gave one worker everything); but a peer
 * is not left waiting for workers that do not come. */
static bool may_accept(void *arg)
{
    struct listener *l = arg;
    const struct worker *w = l->all->w;
    uint64_t mine = load64(&worker_counters(w)->connections);
    if (mine * w->of > connections_in_all(w) && l->left < LEAVE_MAX) {
        l->left++;
        return false;
    }
    l->left = 0;
    return true;
}

static void on_peer(int fd, void *arg)
{
    struct listener *l = arg;
    doors_take(l->all, fd, l->kind);
}

static const struct door_ops listener_ops = {may_accept, on_peer};

struct doors *doors_new(struct worker *w)
{
    struct doors *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->w = w;
    LIST_INIT(&d->visitors);
    doors_on_commit(d);
    return d;
}

void doors_on_commit(struct doors *d)
{
    http_door_ops(d->w, &d->http_ops);
    varlink_door_ops(d->w, &d->varlink_ops);
}

int doors_open(struct doors *d, int listener, enum door_kind kind)
{
    if (d->n_listeners == DOORS_MAX) {
        close(listener);
        return -ENOMEM;
    }
    struct listener *l = &d->listeners[d->n_listeners];
    *l = (struct listener){.all = d, .kind = kind};
    l->door = door_open(d->w->base, listener, &listener_ops, l);
    if (!l->door)
        return -ENOMEM;
    d->n_listeners++;
    return 0;
}

static void close_doors(struct doors *d)
{
    for (size_t i = 0; i < d->n_listeners; i++)
        door_close(d->listeners[i].door);
    d->n_listeners = 0;
}

static void end_connection(struct visitor *v)
{
    if (v->http)
        http_conn_free(v->http);
    else
        varlink_conn_free(v->varlink);
}

void doors_leave(struct doors *d)
{
    close_doors(d);
    struct visitor *v = LIST_FIRST(&d->visitors);
    while (v) {
        struct visitor *idle = v;
        v = LIST_NEXT(v, next);
        if (!idle->in_flight)
            end_connection(idle);
    }
}

void doors_free(struct doors *d)
{
    if (!d)
        return;
    close_doors(d);
    while (!LIST_EMPTY(&d->visitors))
        end_connection(LIST_FIRST(&d->visitors));
    free(d);
}

size_t doors_visitors(const struct doors *d)
{
    return d->n_visitors;
}
