/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "broker_link.h"
#include "cleanup.h"
#include "config_snapshot.h"
#include "doors.h"
#include "fds.h"
#include "log.h"
#include "minter.h"
#include "process.h"
#include "validator.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define EXIT_CONFIG 78
/* What is under way gets this long to be answered when the worker ends: a little more than the
 * longest wait. */
#define LEAVE_MS 3500
/* How often a leaving worker looks whether everybody is gone. */
#define LEAVE_LOOK_MS 20

/* Parts. */

bool worker_init(
    struct worker *w, enum worker_kind kind, struct event_base *base, struct settings *settings)
{
    w->kind = kind;
    w->base = base;
    w->settings = settings;
    w->edition = 1;
    if (kind == WORKER_VALIDATOR) {
        w->store = store_new();
        w->validator = w->store ? validator_new(w) : NULL;
    } else {
        w->minter = minter_new(w);
    }
    w->doors = doors_new(w);
    return w->doors && (w->validator || w->minter);
}

void worker_done(struct worker *w)
{
    doors_free(w->doors); /* visitors ask for it until the last of them is gone */
    w->doors = NULL;
    validator_free(TAKE(w->validator));
    minter_free(TAKE(w->minter));
    broker_link_free(TAKE(w->broker));
    store_freep(&w->store);
    suspended_done(&w->suspended);
    settings_freep(&w->settings);
}

/* Keys were learned from an application. A section that now names another one has none until the
 * broker says so: its word may come a moment later than the settings. */
static void forget_renamed(
    struct store *store, const struct settings *before, const struct settings *now)
{
    for (size_t i = 0; i < now->n_partners; i++) {
        const struct span name = span_of(now->partners[i].name);
        const struct partner *was = settings_partner(before, name);
        if (was && strcmp(was->issuer, now->partners[i].issuer) != 0)
            store_remove(store, name);
    }
}

void worker_commit(struct worker *w, struct settings *settings)
{
    struct settings *old = w->settings;
    w->settings = settings;
    w->edition++;
    log_set_level((enum log_level)settings->log_level);
    doors_on_commit(w->doors);
    if (w->validator) {
        store_keep_only(w->store, settings);
        forget_renamed(w->store, old, settings);
        validator_on_commit(w);
    } else {
        minter_on_commit(w);
    }
    settings_free(old);
}

/* The process around them. */

struct process {
    struct worker w;
    struct event *signals[3];
    struct event *leave_timer;
    int64_t leave_looks; /* left before the end comes anyway */
    int doors[2];        /* HTTP, Varlink; not opened yet */
};

static void on_leave_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    const struct timeval pause = {.tv_usec = LEAVE_LOOK_MS * 1000};
    struct process *p = arg;
    if (doors_visitors(p->w.doors) == 0 || p->leave_looks-- <= 0 ||
        event_add(p->leave_timer, &pause) < 0)
        (void)event_base_loopbreak(p->w.base);
}

/* No new work; what is under way is answered, then the loop ends. */
static void leave(struct process *p)
{
    if (p->w.leaving)
        return;
    p->w.leaving = true;
    p->leave_looks = LEAVE_MS / LEAVE_LOOK_MS;
    if (p->w.validator)
        validator_drain(&p->w);
    doors_leave(p->w.doors);
    on_leave_timer(-1, 0, p);
}

static void on_broker_gone(struct worker *w)
{
    leave((struct process *)w);
}

static void on_terminate(evutil_socket_t sig, short what, void *arg)
{
    (void)sig;
    (void)what;
    leave(arg);
}

/* Ctrl-C and a closed terminal reach the whole process group: the broker decides what they mean. */
static void on_ignored(evutil_socket_t sig, short what, void *arg)
{
    (void)sig;
    (void)what;
    (void)arg;
}

static bool watch_signals(struct process *p)
{
    static const struct {
        int sig;
        event_callback_fn on;
    } wanted[] = {{SIGTERM, on_terminate}, {SIGINT, on_ignored}, {SIGHUP, on_ignored}};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        p->signals[i] = evsignal_new(p->w.base, wanted[i].sig, wanted[i].on, p);
        if (!p->signals[i] || event_add(p->signals[i], NULL) < 0)
            return false;
    }
    p->leave_timer = event_new(p->w.base, -1, 0, on_leave_timer, p);
    return p->leave_timer != NULL;
}

static void open_doors(struct worker *w)
{
    struct process *p = (struct process *)w;
    static const enum door_kind kinds[] = {DOOR_HTTP, DOOR_VARLINK};
    for (size_t i = 0; i < ARRAY_LEN(p->doors); i++) {
        if (p->doors[i] < 0)
            continue;
        if (doors_open(w->doors, TAKE_FD(p->doors[i]), kinds[i]) < 0)
            log_err("a door cannot be opened: out of memory");
    }
    broker_link_ready(w->broker);
}

/* A dead predecessor's connections are not ours. */
static void clear_gauges(struct counters *c)
{
    atomic_store_explicit(&c->connections, 0, memory_order_relaxed);
    for (size_t i = 0; i < COUNTERS_UIDS; i++) {
        atomic_store_explicit(&c->uids[i].connections, 0, memory_order_relaxed);
        atomic_store_explicit(&c->uids[i].uid_plus_one, 0, memory_order_relaxed);
    }
}

static bool map_counters(struct worker *w, unsigned index, unsigned of)
{
    CLEANUP(closep) int fd = fds_take("counters");
    w->index = index;
    w->of = of;
    w->pages = fd >= 0 && index < of ? counters_map(fd, of) : NULL;
    if (!w->pages) {
        log_err("no page for the counters of worker %u of %u", index, of);
        return false;
    }
    clear_gauges(worker_counters(w));
    return true;
}

static bool take_doors(struct process *p, enum worker_kind kind)
{
    bool mints = kind == WORKER_MINTER;
    p->doors[0] = fds_take(mints ? "mint" : "validate");
    p->doors[1] = fds_take(mints ? "mint-varlink" : "validate-varlink");
    if (p->doors[0] >= 0 || p->doors[1] >= 0)
        return true;
    log_err("the broker passed no door");
    return false;
}

/* Settings, or NULL after all mistakes were told. What the broker has in force counts, not what the
 * files on disk say before the next reload. */
static struct settings *read_settings(const char *config_dir)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(closep) int fd = fds_take("config");
    struct settings *s = NULL;
    if (fd >= 0 ? config_snapshot_read(fd, &errors, &s) : settings_load(config_dir, &errors, &s))
        return s;
    struct span rest = buf_span(&errors.text);
    while (rest.n > 0) {
        char line[512];
        size_t n = span_find(rest, '\n');
        log_err("%s", log_safe((struct span){rest.p, n}, line, sizeof line));
        rest = span_skip(rest, n < rest.n ? n + 1 : n);
    }
    return NULL;
}

/* Everything in order; worker_done and process_done release it. Returns an exit status. */
static int start(struct process *p, enum worker_kind kind, const struct broker_link_ops *ops)
{
    struct worker *w = &p->w;
    struct settings *s = read_settings(ops->config_dir);
    if (!s)
        return EXIT_CONFIG;
    log_set_level((enum log_level)s->log_level);
    w->settings = s;
    w->base = event_base_new();
    if (!w->base || !worker_init(w, kind, w->base, s) || !watch_signals(p)) {
        log_err("out of memory");
        return 1;
    }
    int link = fds_take("broker");
    fds_close_rest();
    w->broker = link >= 0 ? broker_link_new(w, link, ops) : NULL;
    if (!w->broker) {
        log_err("no link to the broker");
        return 1;
    }
    /* Everything this process may use is here now. */
    int r = process_forbid_links();
    if (r < 0)
        log_err("cannot shut the way to the signer: %s", strerror(-r));
    return r < 0;
}

static void process_done(struct process *p)
{
    worker_done(&p->w);
    for (size_t i = 0; i < ARRAY_LEN(p->signals); i++)
        if (p->signals[i])
            event_free(p->signals[i]);
    if (p->leave_timer)
        event_free(p->leave_timer);
    for (size_t i = 0; i < ARRAY_LEN(p->doors); i++)
        closep(&p->doors[i]);
    if (p->w.base)
        event_base_free(p->w.base);
}

int worker_main(const char *kind, unsigned index, unsigned of, const char *config_dir)
{
    CLEANUP(process_done) struct process p = {.doors = {-1, -1}};
    const struct broker_link_ops ops = {
        .config_dir = config_dir, .on_synced = open_doors, .on_end = on_broker_gone};
    bool mints = strcmp(kind, "minter") == 0;
    if (!mints && strcmp(kind, "validator") != 0) {
        log_err("no such kind of worker");
        return 2;
    }
    log_role(mints ? "minter" : "validator");
    int r = process_forbid_dumps(); /* tokens are in this memory */
    if (r < 0)
        log_err("cannot protect the process: %s", strerror(-r));
    if (r < 0 || !map_counters(&p.w, index, of) ||
        !take_doors(&p, mints ? WORKER_MINTER : WORKER_VALIDATOR))
        return 1;
    (void)process_raise_descriptors();
    int status = start(&p, mints ? WORKER_MINTER : WORKER_VALIDATOR, &ops);
    if (status == 0 && event_base_dispatch(p.w.base) < 0)
        status = 1;
    return status;
}
