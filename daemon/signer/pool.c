/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include "cleanup.h"
#include "clock.h"
#include "link.h"
#include "log.h"
#include "minting_child.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define POOL_TICK_MS 500
/* A child that dies before its first answer and this age is a failed start: the next waits longer.
 */
#define POOL_YOUNG_MS 1000
#define POOL_RESPAWN_MIN_MS 100
#define POOL_RESPAWN_MAX_MS 5000
/* Without a child for this long, waiting orders are refused. */
#define POOL_PATIENCE_MS 2000

struct child {
    LIST_ENTRY(child) next;
    struct pool *pool;
    pid_t pid;
    struct link *link;
    struct order *in_flight[POOL_IN_FLIGHT];
    unsigned n;
    bool draining, has_answered;
    int64_t started_ms;
    char kid[X5T_TEXT_LEN];
};

struct pool {
    struct event_base *base;
    struct event *tick;
    LIST_HEAD(, child) children;
    TAILQ_HEAD(order_queue, order) waiting;
    unsigned n_wanted, n_waiting;
    const struct settings *settings; /* not owned */
    struct signkey *key;             /* not owned */
    pool_done_fn *on_done;
    void *arg;
    int64_t respawn_at_ms;
    unsigned failed_starts;
    bool held; /* nothing is handed out */
    uint8_t room[FRAME_MAX];
};

static struct span append(char **at, struct span s)
{
    struct span copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

struct order *order_new(const struct msg_mint *m, struct span host, int64_t lifetime_s)
{
    const struct mint_request *r = &m->request;
    size_t n = r->rule.n + r->partner.n + r->host.n + r->user.n + m->unit.n + host.n;
    struct order *o = malloc(sizeof(*o) + n);
    if (!o)
        return NULL;
    char *at = (char *)(o + 1);
    *o = (struct order){.asked = *m, .lifetime_s = lifetime_s};
    o->asked.request.rule = append(&at, r->rule);
    o->asked.request.partner = append(&at, r->partner);
    o->asked.request.host = append(&at, r->host);
    o->asked.request.user = append(&at, r->user);
    o->asked.unit = append(&at, m->unit);
    o->host = append(&at, host);
    return o;
}

struct order *order_new_seal(const struct msg_seal *m, struct span about)
{
    struct order *o = malloc(sizeof(*o) + m->claims.n + about.n);
    if (!o)
        return NULL;
    char *at = (char *)(o + 1);
    *o = (struct order){.is_seal = true, .seal = *m};
    o->seal.claims = append(&at, m->claims);
    o->asked.request.partner = append(&at, about);
    return o;
}

void order_free(struct order *o)
{
    free(o);
}

static void finish(struct pool *p, struct order *o, const struct msg_minted *minted,
    const char *kid, const struct msg_refused *refused)
{
    if (o->owner)
        p->on_done(o, minted, kid, refused, p->arg);
    order_free(o);
}

static void refuse(struct pool *p, struct order *o, enum reason reason)
{
    struct msg_refused m = {.reason = reason, .retry_after_s = 1};
    finish(p, o, NULL, NULL, &m);
}

/* Ends the process and releases the slot; its orders must be gone. The child has no state, so it
 * need not be asked. */
static void child_free(struct child *c)
{
    LIST_REMOVE(c, next);
    link_free(c->link);
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(c);
}

static struct order *child_take(struct child *c, uint32_t id)
{
    for (unsigned i = 0; i < c->n; i++) {
        struct order *o = c->in_flight[i];
        if (o->child_id != id)
            continue;
        c->in_flight[i] = c->in_flight[--c->n];
        return o;
    }
    return NULL;
}

static void pool_dispatch(struct pool *p);
static void pool_fill(struct pool *p);
static void pool_arm(struct pool *p);

/* An answer of a child. */
static void on_answer(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct child *c = arg;
    struct pool *p = c->pool;
    struct msg_minted minted;
    struct msg_refused refused;
    bool is_minted = f->type == MSG_MINTED && msg_minted_get(f, &minted);
    bool is_refused = f->type == MSG_REFUSED && msg_refused_get(f, &refused);
    struct order *o = *fd < 0 && (is_minted || is_refused) ? child_take(c, f->id) : NULL;
    if (!o) {
        link_drop(l, "no answer to an order of this child");
        return;
    }
    c->has_answered = true;
    finish(p, o, is_minted ? &minted : NULL, c->kid, is_refused ? &refused : NULL);
    if (c->draining && c->n == 0)
        child_free(c);
    pool_dispatch(p);
}

/* Hands the orders of a dead child to the others, to the front: they have waited longest. An order
 * that has seen two children die is not tried a third time. */
static void take_back(struct pool *p, struct child *c)
{
    while (c->n > 0) {
        struct order *o = c->in_flight[--c->n];
        if (o->attempts > 1 || !o->owner) {
            refuse(p, o, REASON_INTERNAL);
            continue;
        }
        o->since_ms = clock_mono_ms();
        TAILQ_INSERT_HEAD(&p->waiting, o, next);
        p->n_waiting++;
    }
}

static void on_child_gone(struct link *l, void *arg)
{
    struct child *c = arg;
    struct pool *p = c->pool;
    int64_t now = clock_mono_ms();
    bool was_wanted = !c->draining;
    (void)l;
    log_warning("signing child %d has ended with %u orders in flight", (int)c->pid, c->n);
    if (c->has_answered || now - c->started_ms > POOL_YOUNG_MS)
        p->failed_starts = 0;
    else if (was_wanted && p->failed_starts < 16)
        p->failed_starts++;
    int64_t wait = p->failed_starts ? POOL_RESPAWN_MIN_MS << (p->failed_starts - 1) : 0;
    p->respawn_at_ms = now + (wait < POOL_RESPAWN_MAX_MS ? wait : POOL_RESPAWN_MAX_MS);
    take_back(p, c);
    child_free(c);
    pool_fill(p);
    pool_dispatch(p);
}

static int child_start(struct pool *p)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    CLEANUP(closep) int ours = ends[0];
    CLEANUP(closep) int its = ends[1];
    CLEANUP(freep) struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    int parent = (int)getpid();
    c->pid = fork();
    if (c->pid < 0)
        return -errno;
    if (c->pid == 0)
        minting_child_run(its, parent, p->settings, p->key);
    c->pool = p;
    c->started_ms = clock_mono_ms();
    x5t_text(signkey_cert(p->key)->x5t, c->kid);
    c->link = link_new(p->base, TAKE_FD(ours), on_answer, on_child_gone, c);
    LIST_INSERT_HEAD(&p->children, c, next);
    if (!c->link) {
        child_free(TAKE(c));
        return -ENOMEM;
    }
    c = NULL;
    return 0;
}

unsigned pool_children(const struct pool *p)
{
    unsigned n = 0;
    const struct child *c;
    LIST_FOREACH (c, &p->children, next)
        n += !c->draining;
    return n;
}

/* Brings the children up to their number; what cannot be started now is tried again by the tick. */
static void pool_fill(struct pool *p)
{
    for (unsigned n = pool_children(p); n < p->n_wanted; n++) {
        int64_t now = clock_mono_ms();
        int r = now < p->respawn_at_ms ? -EAGAIN : child_start(p);
        if (r == 0)
            continue;
        if (r != -EAGAIN)
            log_err("cannot start a signing child: %s", strerror(-r));
        if (p->respawn_at_ms <= now)
            p->respawn_at_ms = now + POOL_TICK_MS;
        pool_arm(p);
        return;
    }
}

/* The child with the fewest orders in flight, NULL when all are busy. */
static struct child *free_child(struct pool *p)
{
    struct child *best = NULL, *c;
    LIST_FOREACH (c, &p->children, next)
        if (!c->draining && c->n < (best ? best->n : POOL_IN_FLIGHT))
            best = c;
    return best;
}

static int hand_out(struct pool *p, struct child *c, struct order *o)
{
    struct frame_out f;
    o->child_id = link_next_id(c->link);
    frame_start(&f, p->room, sizeof(p->room), o->is_seal ? MSG_SEAL : MSG_MINT, o->child_id);
    if (o->is_seal)
        msg_seal_put(&f, &o->seal);
    else
        msg_mint_put(&f, &o->asked);
    int r = link_send(c->link, &f, -1);
    if (r == 0) {
        o->attempts++;
        o->since_ms = clock_mono_ms();
        c->in_flight[c->n++] = o;
    }
    return r;
}

/* Also for those who have gone: a stuck child must be found. */
static bool is_working(const struct pool *p)
{
    const struct child *c;
    LIST_FOREACH (c, &p->children, next)
        if (c->n > 0)
            return true;
    return p->n_waiting > 0;
}

/* While held only what is signed about ourselves goes on: the document that is waited for may want
 * its signature first. */
static struct order *first_waiting(const struct pool *p)
{
    struct order *o;
    TAILQ_FOREACH (o, &p->waiting, next)
        if (!p->held || o->is_seal)
            return o;
    return NULL;
}

static void pool_dispatch(struct pool *p)
{
    struct order *o;
    struct child *c;
    while ((o = first_waiting(p)) && (c = free_child(p))) {
        int r = hand_out(p, c, o);
        if (r == -EMSGSIZE) {
            TAILQ_REMOVE(&p->waiting, o, next);
            p->n_waiting--;
            refuse(p, o, REASON_TOO_LARGE);
            continue;
        }
        if (r < 0) {
            /* Its end will be told by on_child_gone; until then it gets nothing. */
            c->draining = true;
            kill(c->pid, SIGKILL);
            continue;
        }
        TAILQ_REMOVE(&p->waiting, o, next);
        p->n_waiting--;
    }
    if (is_working(p))
        pool_arm(p);
}

static bool is_stuck(const struct child *c, int64_t now)
{
    for (unsigned i = 0; i < c->n; i++)
        if (now - c->in_flight[i]->since_ms > POOL_ORDER_MS)
            return true;
    return false;
}

static void refuse_old(struct pool *p, int64_t now)
{
    struct order *o;
    while ((o = TAILQ_FIRST(&p->waiting)) && now - o->since_ms > POOL_PATIENCE_MS) {
        TAILQ_REMOVE(&p->waiting, o, next);
        p->n_waiting--;
        refuse(p, o, REASON_SIGNER_AWAY);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct pool *p = arg;
    struct child *c;
    int64_t now = clock_mono_ms();
    (void)fd;
    (void)what;
    LIST_FOREACH (c, &p->children, next)
        if (is_stuck(c, now)) {
            log_err("signing child %d is stuck and is replaced", (int)c->pid);
            kill(c->pid, SIGKILL); /* the rest is on_child_gone's */
        }
    pool_fill(p);
    pool_dispatch(p);
    if (pool_children(p) == 0)
        refuse_old(p, now);
}

/* The tick runs only while something could go wrong: orders are there or children are missing. */
static void pool_arm(struct pool *p)
{
    struct timeval tv = {0, POOL_TICK_MS * 1000};
    if (!event_pending(p->tick, EV_TIMEOUT, NULL))
        event_add(p->tick, &tv);
}

struct pool *pool_new(struct event_base *base, unsigned n, pool_done_fn *on_done, void *arg)
{
    struct pool *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->base = base;
    p->n_wanted = n;
    p->on_done = on_done;
    p->arg = arg;
    LIST_INIT(&p->children);
    TAILQ_INIT(&p->waiting);
    p->tick = event_new(base, -1, 0, on_tick, p);
    if (!p->tick) {
        free(p);
        return NULL;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    struct child *c;
    struct order *o;
    while ((c = LIST_FIRST(&p->children))) {
        while (c->n > 0)
            order_free(c->in_flight[--c->n]);
        child_free(c);
    }
    while ((o = TAILQ_FIRST(&p->waiting))) {
        TAILQ_REMOVE(&p->waiting, o, next);
        order_free(o);
    }
    event_free(p->tick);
    free(p);
}

int pool_renew(struct pool *p, const struct settings *s, struct signkey *key)
{
    for (struct child *c = LIST_FIRST(&p->children), *next; c; c = next) {
        next = LIST_NEXT(c, next);
        c->draining = true;
        if (c->n == 0)
            child_free(c);
    }
    p->settings = s;
    p->key = key;
    p->respawn_at_ms = 0;
    p->failed_starts = 0;
    pool_fill(p);
    pool_dispatch(p);
    return pool_children(p) > 0 ? 0 : -EAGAIN;
}

bool pool_push(struct pool *p, struct order *o)
{
    if (p->n_waiting >= POOL_ORDERS_MAX)
        return false;
    o->since_ms = clock_mono_ms();
    TAILQ_INSERT_TAIL(&p->waiting, o, next);
    p->n_waiting++;
    pool_dispatch(p);
    return true;
}

void pool_forget(struct pool *p, const void *owner)
{
    struct child *c;
    for (struct order *o = TAILQ_FIRST(&p->waiting), *next; o; o = next) {
        next = TAILQ_NEXT(o, next);
        if (o->owner != owner)
            continue;
        TAILQ_REMOVE(&p->waiting, o, next);
        p->n_waiting--;
        order_free(o);
    }
    LIST_FOREACH (c, &p->children, next)
        for (unsigned i = 0; i < c->n; i++)
            if (c->in_flight[i]->owner == owner)
                c->in_flight[i]->owner = NULL;
}

void pool_hold(struct pool *p, bool hold)
{
    p->held = hold;
    pool_dispatch(p);
}

bool pool_is_idle(const struct pool *p)
{
    const struct child *c;
    LIST_FOREACH (c, &p->children, next)
        for (unsigned i = 0; i < c->n; i++)
            if (c->in_flight[i]->owner)
                return false;
    return p->n_waiting == 0;
}

bool pool_is_healthy(const struct pool *p)
{
    const struct child *c;
    int64_t now = clock_mono_ms();
    LIST_FOREACH (c, &p->children, next)
        if (is_stuck(c, now))
            return false;
    return pool_children(p) > 0;
}
