/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include "cleanup.h"
#include "config_snapshot.h"
#include "fds.h"
#include "link.h"
#include "log.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A full link is tried again after this long. */
#define PUMP_AGAIN_MS 20
/* Each worker is asked this often whether it is there; one that leaves so many questions in a row
 * unanswered hangs, and whoever is connected to it hangs with it. */
#define PING_EVERY_S 2
#define PINGS_UNANSWERED_MAX 3

/* What a worker has still to be told of one partner, and what it waits for. */
enum {
    OWED_TRUST = 1,
    OWED_DONE = 2,
    WAITS_FOR_END = 4,
    ASKED_BEFORE = 8,  /* ... of an attempt that began after its hint */
    WAS_FETCHED = 0x10 /* what OWED_DONE says: that attempt was good */
};

struct worker {
    struct workers *all;
    enum workers_kind kind;
    unsigned index; /* within its kind */
    size_t slot;
    pid_t pid;
    struct link *link;
    struct event *again; /* respawn, or pump */
    struct respawn respawn;
    unsigned unanswered; /* pings */
    bool fence_owed;     /* the question whether everything up to here has come */
    uint32_t fenced;     /* the last such question it has answered */
    uint8_t *owed;       /* for each partner */
    size_t n_owed, cursor;
    bool synced_owed; /* MSG_TRUST_SYNCED after all of it */
};

/* One kind: its doors and its page of counters for each. */
struct kind {
    unsigned n;
    int doors[2]; /* HTTP, Varlink; -1: none */
    int counters_fd;
    void *counters;
};

struct workers {
    struct event_base *base;
    struct event *ping;
    struct children *children;
    struct partners *partners;
    const struct workers_ops *ops;
    void *arg;
    const char *config_dir;
    const struct settings *settings; /* in force: what a new worker starts with */
    struct kind kinds[2];
    struct worker *list;
    size_t n;
    size_t n_partners; /* length of each owed */
    uint64_t generation;
    uint64_t dropped; /* frames, of links that are gone */
    struct msg_health health;
    bool signer_up;
    uint32_t fence, fence_told;   /* the last one put up; the last one told as passed */
    uint8_t signing_key[X5T_LEN]; /* of CURRENT; zeros: not known yet */
    bool held, stopping;
    size_t turn; /* of the validator that judges the next announcement */
};

const char *workers_kind_name(enum workers_kind k)
{
    return k == WORKERS_VALIDATOR ? "validator" : "minter";
}

static const char *const door_names[2][2] = {[WORKERS_VALIDATOR] = {"validate", "validate-varlink"},
    [WORKERS_MINTER] = {"mint", "mint-varlink"}};

/* Sends a small frame; a link that is full or dead is noticed elsewhere. */
static int send_small(struct worker *w, const struct frame_out *f, int fd)
{
    return w->link ? link_send(w->link, f, fd) : -ENOTCONN;
}

static int send_bare(struct worker *w, enum msg_type type, uint32_t id, int fd)
{
    uint8_t room[64];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, id);
    return send_small(w, &f, fd);
}

static void send_health(struct worker *w)
{
    uint8_t room[64];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_HEALTH, 0);
    msg_health_put(&f, &w->all->health);
    (void)!send_small(w, &f, -1);
}

/* A minter's own connection to the signer; without one it answers that the signer is away. */
static void send_signer(struct worker *w)
{
    if (w->kind != WORKERS_MINTER || !w->link)
        return;
    CLEANUP(closep) int fd = w->all->signer_up ? w->all->ops->mint_link(w->all->arg) : -1;
    (void)!send_bare(w, MSG_SIGNER_LINK, 0, fd < 0 ? -1 : fd);
}

/* Which tokens a minter may hand out again. */
static void send_signing_key(struct worker *w)
{
    uint8_t room[64];
    struct frame_out f;
    if (w->kind != WORKERS_MINTER)
        return;
    frame_start(&f, room, sizeof(room), MSG_SIGNING_KEY, 0);
    msg_signing_key_put(&f, w->all->signing_key);
    (void)!send_small(w, &f, -1);
}

static int send_suspended(struct worker *w, const char *partner, bool suspended)
{
    uint8_t room[1024];
    struct frame_out f;
    const struct msg_suspended m = {span_of(partner), suspended};
    frame_start(&f, room, sizeof(room), MSG_SUSPENDED, 0);
    msg_suspended_put(&f, &m);
    return send_small(w, &f, -1);
}

/* Minters are told no keys: only whom to mint nothing for. */
static int send_trust(struct worker *w, const struct partner_entry *e)
{
    if (w->kind == WORKERS_MINTER)
        return send_suspended(w, e->partner->name, e->state.trust.suspended);
    uint8_t room[FRAME_MAX];
    struct frame_out f;
    const struct partner_trust *t = partners_trust(w->all->partners, e);
    if (!t)
        return 0;
    frame_start(&f, room, sizeof(room), MSG_TRUST, 0);
    partner_trust_put(&f, t);
    int r = send_small(w, &f, -1);
    if (r == -EMSGSIZE) {
        log_err(
            "partner %s: its keys do not fit into one message; workers do not know them", t->name);
        return 0;
    }
    return r;
}

static int send_number(struct worker *w, enum msg_type type, uint64_t number)
{
    uint8_t room[64];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, 0);
    msg_number_put(&f, number);
    return send_small(w, &f, -1);
}

static int send_hint_done(struct worker *w, const struct partner_entry *e, bool fetched)
{
    uint8_t room[1024];
    struct frame_out f;
    int64_t pause_ms = w->all->ops->hint_pause_ms(e, w->all->arg);
    struct msg_hint_done m = {.partner = span_of(e->partner->name),
        .fetched = fetched,
        .quiet_ms = pause_ms < INT32_MAX ? (uint32_t)pause_ms : INT32_MAX};
    frame_start(&f, room, sizeof(room), MSG_HINT_DONE, 0);
    msg_hint_done_put(&f, &m);
    return send_small(w, &f, -1);
}

static int send_name(struct worker *w, enum msg_type type, const char *name)
{
    uint8_t room[1024];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, 0);
    msg_name_put(&f, span_of(name));
    return send_small(w, &f, -1);
}

/* What is owed for one partner: first the trust, then the word that waiting requests may go on. */
static int pump_one(struct worker *w, size_t i)
{
    const struct partner_entry *e = partners_at(w->all->partners, i);
    int r = 0;
    if (w->owed[i] & OWED_TRUST)
        r = send_trust(w, e);
    if (r < 0)
        return r;
    w->owed[i] &= (uint8_t)~OWED_TRUST;
    if (w->owed[i] & OWED_DONE)
        r = send_hint_done(w, e, w->owed[i] & WAS_FETCHED);
    if (r < 0)
        return r;
    w->owed[i] &= (uint8_t) ~(OWED_DONE | WAS_FETCHED);
    w->n_owed--;
    return 0;
}

static void again_in(struct worker *w, int64_t ms)
{
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    if (event_add(w->again, &tv) < 0)
        log_err("no memory for a timer; a worker may be missing or behind");
}

/* Sends what is owed as far as the link takes it. */
static void pump(struct worker *w)
{
    int r = w->link ? 0 : -ENOTCONN;
    while (r == 0 && w->n_owed > 0) {
        size_t i = w->cursor;
        w->cursor = (w->cursor + 1) % w->all->n_partners;
        if (w->owed[i] & (OWED_TRUST | OWED_DONE))
            r = pump_one(w, i);
        if (r < 0)
            w->cursor = i;
    }
    if (r == 0 && w->synced_owed) {
        r = send_number(w, MSG_TRUST_SYNCED, w->all->generation);
        w->synced_owed = r < 0;
    }
    if (r == 0 && w->fence_owed) {
        r = send_bare(w, MSG_PING, w->all->fence, -1);
        w->fence_owed = r < 0;
    }
    if (r == -ENOBUFS || r == -ENOMEM)
        again_in(w, PUMP_AGAIN_MS);
}

static void owe(struct worker *w, size_t i, uint8_t what)
{
    if (!(w->owed[i] & (OWED_TRUST | OWED_DONE)))
        w->n_owed++;
    w->owed[i] |= what;
}

/* Everything from the start: a new worker, or a new set of partners. */
static void owe_all(struct worker *w)
{
    w->n_owed = 0;
    w->cursor = 0;
    memset(w->owed, 0, w->all->n_partners);
    for (size_t i = 0; i < w->all->n_partners; i++)
        owe(w, i, OWED_TRUST);
    w->synced_owed = true;
}

static void take_hint(struct worker *w, const struct msg_hint *m)
{
    struct partner_entry *e = partners_find(w->all->partners, m->partner);
    if (!e) {
        link_drop(w->link, "a hint for a partner that is not configured");
        return;
    }
    enum hint_fate fate = w->all->ops->on_hint(e, m, w->all->arg);
    w->owed[e->index] &= (uint8_t)~ASKED_BEFORE;
    if (fate == HINT_IN_VAIN) {
        owe(w, e->index, OWED_DONE);
        pump(w);
    } else {
        w->owed[e->index] |= fate == HINT_FETCHES ? WAITS_FOR_END | ASKED_BEFORE : WAITS_FOR_END;
    }
}

static void tell_fence(struct workers *ws);

/* Questions whether it is alive have no number. */
static void take_pong(struct worker *w, uint32_t id)
{
    w->unanswered = 0;
    if (id > w->fenced && id <= w->all->fence) {
        w->fenced = id;
        tell_fence(w->all);
    }
}

/* Ids are of one link; together with the slot they name one question. */
static uint64_t ticket_of(const struct worker *w, uint32_t id)
{
    return (uint64_t)w->slot << 32 | id;
}

static int announce_to(struct worker *w, struct span token, uint64_t *ret_ticket)
{
    uint8_t room[FRAME_MAX];
    struct frame_out f;
    uint32_t id = link_next_id(w->link);
    frame_start(&f, room, sizeof(room), MSG_ANNOUNCE, id);
    msg_name_put(&f, token);
    *ret_ticket = ticket_of(w, id);
    return link_send(w->link, &f, -1);
}

int workers_announce(struct workers *ws, struct span token, uint64_t *ret_ticket)
{
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[ws->turn++ % ws->n];
        if (w->kind == WORKERS_VALIDATOR && w->link)
            return announce_to(w, token, ret_ticket);
    }
    return -ENOTCONN;
}

/* False: it is not a message of a validator, or a malformed one. */
static bool take_from_validator(struct worker *w, struct frame_in *f)
{
    struct msg_hint hint;
    struct msg_announced announced;
    if (w->kind != WORKERS_VALIDATOR)
        return false;
    if (f->type == MSG_HINT && msg_hint_get(f, &hint)) {
        take_hint(w, &hint);
        return true;
    }
    if (f->type != MSG_ANNOUNCED || !w->all->ops->on_announced || !msg_announced_get(f, &announced))
        return false;
    w->all->ops->on_announced(ticket_of(w, f->id), &announced, w->all->arg);
    return true;
}

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct worker *w = arg;
    struct msg_config config;
    (void)fd;
    if (take_from_validator(w, f))
        return;
    if (f->type == MSG_CONFIG_READY && msg_config_get(f, &config))
        w->all->ops->on_config(w->slot, f->id, &config, w->all->arg);
    else if (f->type == MSG_SIGNER_LINK && w->kind == WORKERS_MINTER && frame_end(f))
        send_signer(w);
    else if (f->type == MSG_PONG && frame_end(f))
        take_pong(w, f->id);
    else if (f->type == MSG_WORKER_READY && frame_end(f))
        log_debug("%s %u: doors are open", workers_kind_name(w->kind), w->index);
    else
        link_drop(l, "not a message of a worker");
}

static void forget_link(struct worker *w)
{
    w->all->dropped += w->link ? link_dropped(w->link) : 0;
    link_free(TAKE(w->link));
    w->fence_owed = false;
    tell_fence(w->all);
}

/* The process may live on after its link: it is then of no use, and replaced when it is reaped. */
static void on_closed(struct link *l, void *arg)
{
    struct worker *w = arg;
    (void)l;
    forget_link(w);
    if (w->pid > 0)
        kill(w->pid, SIGKILL);
}

static int spawn(struct worker *w);

static void spawn_again(struct worker *w)
{
    int r = spawn(w);
    if (r == 0)
        return;
    log_err("%s %u cannot be started: %s", workers_kind_name(w->kind), w->index, strerror(-r));
    again_in(w, RESPAWN_LONGEST_MS);
}

static void on_again(evutil_socket_t unused, short what, void *arg)
{
    struct worker *w = arg;
    (void)unused;
    (void)what;
    if (w->pid > 0)
        pump(w);
    else if (!w->all->stopping && !w->all->held)
        spawn_again(w);
}

/* A crash is no secret between workers: the counters keep their sums, but the dead hold no
 * connection. */
static void reset_counters(struct worker *w)
{
    struct counters *c = counters_at(w->all->kinds[w->kind].counters, w->index);
    atomic_store_explicit(&c->connections, 0, memory_order_relaxed);
    for (size_t i = 0; i < COUNTERS_UIDS; i++) {
        atomic_store_explicit(&c->uids[i].uid_plus_one, 0, memory_order_relaxed);
        atomic_store_explicit(&c->uids[i].connections, 0, memory_order_relaxed);
    }
}

static void on_ended(pid_t pid, int status, void *arg)
{
    struct worker *w = arg;
    char how[64];
    w->pid = 0;
    forget_link(w);
    reset_counters(w);
    if (w->all->stopping)
        return;
    int64_t pause_ms = respawn_pause_ms(&w->respawn);
    log_err("%s %u (pid %d) %s%s", workers_kind_name(w->kind), w->index, (int)pid,
        child_ending(status, how, sizeof(how)),
        pause_ms > 0 ? "; it keeps dying, waiting a little" : "; starting another");
    w->all->ops->on_dead(w->slot, w->all->arg);
    if (pause_ms > 0)
        again_in(w, pause_ms);
    else if (!w->all->held)
        spawn_again(w);
}

/* Starts the program with its end of the link, its page of counters, the configuration in force and
 * its doors. */
static int spawn_process(struct worker *w, int link_end)
{
    const struct kind *k = &w->all->kinds[w->kind];
    char kind[64], index[64], of[64], dir[4096 + 32];
    snprintf(kind, sizeof(kind), "--worker=%s", workers_kind_name(w->kind));
    snprintf(index, sizeof(index), "--index=%u", w->index);
    snprintf(of, sizeof(of), "--of=%u", k->n);
    snprintf(dir, sizeof(dir), "--config-dir=%s", w->all->config_dir ? w->all->config_dir : "");
    char program[] = "s2sd";
    char *argv[] = {program, kind, index, of, w->all->config_dir ? dir : NULL, NULL};
    /* The files on disk may say something that was not reloaded, or be half written. */
    CLEANUP(closep) int config = config_snapshot_make(w->all->settings);
    if (config < 0)
        return config;
    int fds[5] = {link_end, k->counters_fd, config};
    const char *names[5] = {"broker", "counters", "config"};
    size_t n = 3;
    for (size_t i = 0; i < 2; i++) {
        if (k->doors[i] < 0)
            continue;
        fds[n] = k->doors[i];
        names[n++] = door_names[w->kind][i];
    }
    /* The very program that is running, also when the file was replaced meanwhile. */
    struct fds_child child = {
        .path = "/proc/self/exe", .argv = argv, .fds = fds, .names = names, .n = n};
    return fds_spawn(&child);
}

static int spawn(struct worker *w)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    CLEANUP(closep) int ours = pair[0];
    CLEANUP(closep) int theirs = pair[1];
    int pid = spawn_process(w, theirs);
    if (pid < 0)
        return pid;
    if (!children_add(w->all->children, pid, on_ended, w)) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return -ENOMEM;
    }
    w->pid = pid;
    respawn_started(&w->respawn);
    w->unanswered = 0;
    w->link = link_new(w->all->base, TAKE_FD(ours), on_frame, on_closed, w);
    if (!w->link) {
        kill(pid, SIGKILL); /* on_ended starts another */
        return 0;
    }
    w->fenced = w->all->fence;
    send_health(w);
    send_signing_key(w);
    send_signer(w);
    owe_all(w);
    pump(w);
    return 0;
}

/* A clock of our own that stood still is not the worker's fault: questions are counted, not time.
 */
void workers_ping(struct workers *ws)
{
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        if (!w->link || w->pid <= 0)
            continue;
        if (w->unanswered == PINGS_UNANSWERED_MAX) {
            log_err("%s %u (pid %d) does not answer and is replaced", workers_kind_name(w->kind),
                w->index, (int)w->pid);
            kill(w->pid, SIGKILL); /* on_ended starts another */
            continue;
        }
        w->unanswered++;
        (void)!send_bare(w, MSG_PING, 0, -1);
    }
}

static void on_ping_due(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    workers_ping(arg);
}

void workers_trust(struct workers *ws, const struct partner_entry *e, uint64_t trust_generation)
{
    ws->generation = trust_generation;
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        if (w->kind != WORKERS_VALIDATOR || !w->link)
            continue;
        owe(w, e->index, OWED_TRUST);
        w->synced_owed = true;
        pump(w);
    }
}

void workers_suspended(struct workers *ws, const struct partner_entry *e)
{
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        if (w->kind != WORKERS_MINTER || !w->link)
            continue;
        owe(w, e->index, OWED_TRUST);
        pump(w);
    }
}

/* The oldest fence that everybody is past. One without a link knows nothing old: what takes its
 * place is told all of it before its doors open. */
static void tell_fence(struct workers *ws)
{
    uint32_t passed = ws->fence;
    for (size_t i = 0; i < ws->n; i++)
        if (ws->list[i].link && ws->list[i].fenced < passed)
            passed = ws->list[i].fenced;
    if (passed <= ws->fence_told)
        return;
    ws->fence_told = passed;
    if (ws->ops->on_fence)
        ws->ops->on_fence(passed, ws->arg);
}

uint32_t workers_fence(struct workers *ws)
{
    bool any = false;
    ws->fence++;
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        if (!w->link)
            continue;
        any = true;
        w->fence_owed = true;
        pump(w);
    }
    if (any)
        return ws->fence;
    ws->fence_told = ws->fence;
    return 0;
}

void workers_ended(struct workers *ws, const struct partner_entry *e, bool good)
{
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        if (!w->link || !(w->owed[e->index] & WAITS_FOR_END))
            continue;
        bool fetched = good && (w->owed[e->index] & ASKED_BEFORE);
        w->owed[e->index] &= (uint8_t) ~(WAITS_FOR_END | ASKED_BEFORE);
        owe(w, e->index, fetched ? OWED_DONE | WAS_FETCHED : OWED_DONE);
        pump(w);
    }
}

void workers_gone(struct workers *ws, const char *partner)
{
    for (size_t i = 0; i < ws->n; i++)
        if (ws->list[i].kind == WORKERS_VALIDATOR)
            (void)!send_name(&ws->list[i], MSG_TRUST_GONE, partner);
        else
            (void)!send_suspended(&ws->list[i], partner, false);
}

void workers_health(struct workers *ws, struct msg_health health)
{
    ws->health = health;
    for (size_t i = 0; i < ws->n; i++)
        send_health(&ws->list[i]);
}

void workers_signer(struct workers *ws, bool up)
{
    ws->signer_up = up;
    for (size_t i = 0; i < ws->n; i++)
        send_signer(&ws->list[i]);
}

void workers_signing_key(struct workers *ws, const uint8_t x5t[X5T_LEN])
{
    if (memcmp(ws->signing_key, x5t, X5T_LEN) == 0)
        return;
    memcpy(ws->signing_key, x5t, X5T_LEN);
    for (size_t i = 0; i < ws->n; i++)
        send_signing_key(&ws->list[i]);
}

/* The places of the partners have changed; requests that wait for one are told to go on. */
bool workers_resync(struct workers *ws, const struct settings *s, uint64_t trust_generation)
{
    ws->settings = s;
    ws->generation = trust_generation;
    size_t n = partners_count(ws->partners);
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        uint8_t *fresh = calloc(n + 1, 1);
        if (!fresh)
            return false;
        free(w->owed);
        w->owed = fresh;
    }
    ws->n_partners = n;
    for (size_t i = 0; i < ws->n; i++) {
        owe_all(&ws->list[i]);
        pump(&ws->list[i]);
    }
    return true;
}

size_t workers_count(const struct workers *ws)
{
    return ws->n;
}

int workers_config(struct workers *ws, size_t slot, enum msg_type type, uint32_t id)
{
    struct worker *w = &ws->list[slot];
    int r = send_bare(w, type, id, -1);
    if (r < 0 && w->link)
        on_closed(w->link, w);
    return r;
}

struct worker_view workers_at(const struct workers *ws, size_t slot)
{
    const struct worker *w = &ws->list[slot];
    return (struct worker_view){.kind = w->kind,
        .pid = w->pid,
        .counters = counters_at(ws->kinds[w->kind].counters, w->index)};
}

uint64_t workers_dropped(const struct workers *ws)
{
    uint64_t n = ws->dropped;
    for (size_t i = 0; i < ws->n; i++)
        n += ws->list[i].link ? link_dropped(ws->list[i].link) : 0;
    return n;
}

void workers_hold(struct workers *ws, bool hold)
{
    ws->held = hold;
    for (size_t i = 0; !hold && i < ws->n; i++)
        if (ws->list[i].pid == 0 && !evtimer_pending(ws->list[i].again, NULL))
            again_in(&ws->list[i], 0);
}

void workers_stop(struct workers *ws)
{
    ws->stopping = true;
    event_del(ws->ping);
    for (size_t i = 0; i < ws->n; i++) {
        event_del(ws->list[i].again);
        link_free(TAKE(ws->list[i].link));
    }
}

static int kind_open(struct kind *k, unsigned n, int http, int varlink)
{
    *k = (struct kind){.n = n, .doors = {http, varlink}, .counters_fd = -1};
    if (http < 0 && varlink < 0)
        k->n = 0;
    if (k->n == 0)
        return 0;
    k->counters_fd = counters_create(k->n);
    if (k->counters_fd < 0)
        return k->counters_fd;
    k->counters = counters_map(k->counters_fd, k->n);
    return k->counters ? 0 : -ENOMEM;
}

static int list_open(struct workers *ws)
{
    ws->n = ws->kinds[WORKERS_VALIDATOR].n + ws->kinds[WORKERS_MINTER].n;
    ws->list = calloc(ws->n + 1, sizeof(*ws->list));
    if (!ws->list)
        return -ENOMEM;
    for (size_t i = 0; i < ws->n; i++) {
        struct worker *w = &ws->list[i];
        bool validator = i < ws->kinds[WORKERS_VALIDATOR].n;
        *w = (struct worker){.all = ws,
            .kind = validator ? WORKERS_VALIDATOR : WORKERS_MINTER,
            .index = (unsigned)(validator ? i : i - ws->kinds[WORKERS_VALIDATOR].n),
            .slot = i};
        w->again = evtimer_new(ws->base, on_again, w);
        w->owed = calloc(ws->n_partners + 1, 1);
        if (!w->again || !w->owed)
            return -ENOMEM;
    }
    return 0;
}

int workers_start(
    struct workers *ws, const struct workers_plan *plan, const struct listeners *doors)
{
    ws->config_dir = plan->config_dir;
    ws->settings = plan->settings;
    ws->n_partners = partners_count(ws->partners);
    int r = kind_open(
        &ws->kinds[WORKERS_VALIDATOR], plan->validators, doors->validate, doors->validate_varlink);
    if (r == 0)
        r = kind_open(&ws->kinds[WORKERS_MINTER], plan->minters, doors->mint, doors->mint_varlink);
    if (r == 0)
        r = list_open(ws);
    for (size_t i = 0; r == 0 && i < ws->n; i++)
        r = spawn(&ws->list[i]);
    static const struct timeval every = {.tv_sec = PING_EVERY_S};
    return r == 0 && event_add(ws->ping, &every) < 0 ? -ENOMEM : r;
}

struct workers *workers_new(struct event_base *base, struct children *children,
    struct partners *partners, const struct workers_ops *ops, void *arg)
{
    struct workers *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return NULL;
    *ws = (struct workers){.base = base,
        .children = children,
        .partners = partners,
        .ops = ops,
        .arg = arg,
        .kinds = {{.counters_fd = -1}, {.counters_fd = -1}}};
    ws->ping = event_new(base, -1, EV_PERSIST, on_ping_due, ws);
    if (ws->ping)
        return ws;
    free(ws);
    return NULL;
}

static void kind_close(struct kind *k)
{
    if (k->counters)
        munmap(k->counters, k->n * counters_stride());
    closep(&k->counters_fd);
}

void workers_free(struct workers *ws)
{
    if (!ws)
        return;
    workers_stop(ws);
    for (size_t i = 0; i < ws->n; i++) {
        if (ws->list[i].again)
            event_free(ws->list[i].again);
        free(ws->list[i].owed);
    }
    free(ws->list);
    event_free(ws->ping);
    kind_close(&ws->kinds[WORKERS_VALIDATOR]);
    kind_close(&ws->kinds[WORKERS_MINTER]);
    free(ws);
}
