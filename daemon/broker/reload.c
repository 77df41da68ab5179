/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include "cleanup.h"
#include "log.h"

#include <errno.h>
#include <sys/queue.h>

/* Everybody reads a few files; whoever needs longer is not well. */
#define RELOAD_WITHIN_S 10
/* ... and for the signer to replace its children. */
#define RELOAD_RING_S 5
#define RELOAD_ERRORS_MAX ((size_t)64 * 1024)

struct reload_waiter {
    TAILQ_ENTRY(reload_waiter) next;
    reload_done_fn *on_done;
    void *arg;
    uint32_t round; /* the reload that answers it */
};

struct reload {
    struct event *start, *late;
    const char *config_dir;
    struct workers *workers;
    struct signer_link *signer;
    const struct reload_ops *ops;
    void *arg;
    TAILQ_HEAD(, reload_waiter) waiters;
    uint32_t round; /* counts reloads: of the one under way, or the last; ties answers to it */
    bool busy;
    bool settling;         /* committed, the signer's ring is awaited */
    struct settings *next; /* prepared here */
    struct conf_errors errors;
    bool signer_asked; /* ... and has not answered */
    bool signer_prepared;
    bool *worker_asked; /* ... for each slot */
    bool *worker_prepared;
    size_t n_workers;
};

bool reload_busy(const struct reload *r)
{
    return r->busy;
}

static void forget(struct reload *r)
{
    settings_freep(&r->next);
    conf_errors_done(&r->errors);
    r->errors = (struct conf_errors){.text = BUF_INIT(RELOAD_ERRORS_MAX)};
    free(r->worker_asked);
    free(r->worker_prepared);
    r->worker_asked = r->worker_prepared = NULL;
    r->n_workers = 0;
    r->signer_asked = r->signer_prepared = false;
}

static struct reload_waiter *first_of_now(struct reload *r)
{
    struct reload_waiter *w;
    TAILQ_FOREACH (w, &r->waiters, next)
        if (w->round == r->round)
            return w;
    return NULL;
}

/* Tells everybody who asked before it began; for the others, those who ask while they hear of it
 * among them, it begins anew. */
static void tell(struct reload *r, struct span errors)
{
    struct reload_waiter *w;
    while ((w = first_of_now(r))) {
        TAILQ_REMOVE(&r->waiters, w, next);
        w->on_done(errors, w->arg);
        free(w);
    }
    if (!TAILQ_EMPTY(&r->waiters))
        event_active(r->start, EV_TIMEOUT, 1);
}

/* One record for each mistake. */
static void log_refusal(struct span lines)
{
    log_err("reload refused, the old configuration stays in force");
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        log_err("reload refused: %.*s", (int)n, lines.p);
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
}

/* The second step, to all who took part in the first. Who cannot be told is not left with the old
 * configuration: a worker is replaced, the signer tells what it has when it is back. */
static void tell_programs(struct reload *r, enum msg_type type)
{
    if (r->signer_prepared && signer_link_config(r->signer, type, r->round) < 0)
        log_err("the signer has gone between the two steps of the reload; it reads the files when "
                "it is back");
    for (size_t i = 0; i < r->n_workers; i++)
        if (r->worker_prepared[i])
            (void)!workers_config(r->workers, i, type, r->round);
}

/* The end: others may start one, and whoever asked for this one hears of it. */
static void conclude(struct reload *r)
{
    event_del(r->late);
    CLEANUP(conf_errors_done) struct conf_errors errors = r->errors;
    r->errors = (struct conf_errors){0};
    forget(r);
    r->busy = r->settling = false;
    r->ops->on_busy(false, r->arg);
    tell(r, buf_span(&errors.text));
}

/* All have answered: commit or abort. After a commit the signer's ring is awaited, so that whoever
 * asked finds the new keys published when it hears of the end. */
static void finish(struct reload *r)
{
    static const struct timeval within = {RELOAD_RING_S, 0};
    bool good = r->errors.count == 0 && r->next;
    tell_programs(r, good ? MSG_CONFIG_COMMIT : MSG_CONFIG_ABORT);
    if (good) {
        r->ops->commit(TAKE(r->next), r->arg);
        log_notice("configuration reloaded");
    } else {
        r->ops->abort(r->arg);
        log_refusal(buf_span(&r->errors.text));
    }
    workers_hold(r->workers, false);
    r->settling = good && r->signer_prepared && event_add(r->late, &within) == 0;
    if (!r->settling)
        conclude(r);
}

static bool all_answered(const struct reload *r)
{
    for (size_t i = 0; i < r->n_workers; i++)
        if (r->worker_asked[i])
            return false;
    return !r->signer_asked;
}

static void finish_when_answered(struct reload *r)
{
    if (r->busy && !r->settling && all_answered(r))
        finish(r);
}

static void add_error(struct reload *r, const char *program, const char *what)
{
    buf_printf(&r->errors.text, "%s: %s\n", program, what);
    r->errors.count++;
}

/* Lines of another program, each with its name in front. */
static void add_lines(struct reload *r, const char *program, struct span lines)
{
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        buf_printf(&r->errors.text, "%s: %.*s\n", program, (int)n, lines.p);
        r->errors.count++;
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
}

static void judge_answer_of(struct reload *r, const char *program, const struct msg_config *m)
{
    if (!m->ok && m->errors.n > 0)
        add_lines(r, program, m->errors);
    else if (!m->ok)
        add_error(r, program, "does not take the configuration");
    else if (r->next && memcmp(m->digest, r->next->digest, sizeof(m->digest)) != 0)
        add_error(r, program, "has read other files than s2sd: were they changed meanwhile?");
}

void reload_on_signer(struct reload *r, uint32_t id, const struct msg_config *m)
{
    if (!r->busy || !r->signer_asked || id != r->round)
        return;
    r->signer_asked = false;
    judge_answer_of(r, "s2sd-signer", m);
    finish_when_answered(r);
}

void reload_on_ring(struct reload *r)
{
    if (r->settling)
        conclude(r);
}

void reload_on_signer_lost(struct reload *r)
{
    if (r->settling) /* its ring comes when it is back */
        conclude(r);
    if (!r->busy)
        return;
    r->signer_asked = r->signer_prepared = false; /* it reads the files when it is back */
    finish_when_answered(r);
}

void reload_on_worker(struct reload *r, size_t slot, uint32_t id, const struct msg_config *m)
{
    if (!r->busy || slot >= r->n_workers || !r->worker_asked[slot] || id != r->round)
        return;
    r->worker_asked[slot] = false;
    judge_answer_of(r, workers_kind_name(workers_at(r->workers, slot).kind), m);
    finish_when_answered(r);
}

void reload_on_worker_dead(struct reload *r, size_t slot)
{
    if (!r->busy || slot >= r->n_workers)
        return;
    r->worker_asked[slot] = r->worker_prepared[slot] = false;
    finish_when_answered(r);
}

/* The first step. Whoever is away has nothing to prepare: it reads the files when it comes. */
static void ask_programs(struct reload *r)
{
    r->n_workers = workers_count(r->workers);
    r->worker_asked = calloc(r->n_workers + 1, sizeof(bool));
    r->worker_prepared = calloc(r->n_workers + 1, sizeof(bool));
    if (!r->worker_asked || !r->worker_prepared) {
        r->n_workers = 0;
        add_error(r, "s2sd", strerror(ENOMEM));
        return;
    }
    int e = signer_link_config(r->signer, MSG_CONFIG_PREPARE, r->round);
    r->signer_asked = r->signer_prepared = e == 0;
    if (e < 0 && e != -ENOTCONN && e != -EPIPE)
        add_error(r, "s2sd-signer", strerror(-e));
    for (size_t i = 0; i < r->n_workers; i++)
        r->worker_asked[i] = r->worker_prepared[i] =
            workers_config(r->workers, i, MSG_CONFIG_PREPARE, r->round) == 0;
}

/* Reads the files here. The mistakes of the configuration are the same for all, so nobody else is
 * asked when there are any. */
static bool read_here(struct reload *r)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *next = NULL;
    if (settings_load(r->config_dir, &errors, &next) && r->ops->prepare(next, &errors, r->arg)) {
        r->next = TAKE(next);
        return true;
    }
    add_lines(r, "s2sd", buf_span(&errors.text));
    if (r->errors.count == 0)
        add_error(r, "s2sd", strerror(ENOMEM));
    return false;
}

static void on_start(evutil_socket_t unused, short what, void *arg)
{
    struct reload *r = arg;
    static const struct timeval within = {RELOAD_WITHIN_S, 0};
    (void)unused;
    (void)what;
    if (r->busy)
        return;
    r->busy = true;
    r->round++;
    r->ops->on_busy(true, r->arg);
    workers_hold(r->workers, true);
    if (event_add(r->late, &within) < 0)
        add_error(r, "s2sd", strerror(ENOMEM));
    else if (read_here(r))
        ask_programs(r);
    finish_when_answered(r);
}

static void on_late(evutil_socket_t unused, short what, void *arg)
{
    struct reload *r = arg;
    (void)unused;
    (void)what;
    if (r->settling) {
        log_warning("the signer has committed the configuration but sends no key ring");
        conclude(r);
        return;
    }
    if (r->signer_asked)
        add_error(r, "s2sd-signer", "no answer in time");
    for (size_t i = 0; i < r->n_workers; i++)
        if (r->worker_asked[i])
            add_error(r, workers_kind_name(workers_at(r->workers, i).kind), "no answer in time");
    finish(r);
}

bool reload_start(struct reload *r, reload_done_fn *on_done, void *arg)
{
    struct reload_waiter *w = calloc(1, sizeof(*w));
    if (!w)
        return false;
    *w = (struct reload_waiter){.on_done = on_done, .arg = arg, .round = r->round + 1};
    TAILQ_INSERT_TAIL(&r->waiters, w, next);
    if (!r->busy)
        event_active(r->start, EV_TIMEOUT, 1);
    return true;
}

void reload_cancel(struct reload *r, const void *arg)
{
    struct reload_waiter *w = TAILQ_FIRST(&r->waiters);
    while (w) {
        struct reload_waiter *next = TAILQ_NEXT(w, next);
        if (w->arg == arg) {
            TAILQ_REMOVE(&r->waiters, w, next);
            free(w);
        }
        w = next;
    }
}

struct reload *reload_new(struct event_base *base, const char *config_dir, struct workers *workers,
    struct signer_link *signer, const struct reload_ops *ops, void *arg)
{
    struct reload *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct reload){.config_dir = config_dir,
        .workers = workers,
        .signer = signer,
        .ops = ops,
        .arg = arg,
        .errors = {.text = BUF_INIT(RELOAD_ERRORS_MAX)}};
    TAILQ_INIT(&r->waiters);
    r->start = evtimer_new(base, on_start, r);
    r->late = evtimer_new(base, on_late, r);
    if (!r->start || !r->late) {
        reload_free(r);
        return NULL;
    }
    return r;
}

void reload_free(struct reload *r)
{
    if (!r)
        return;
    forget(r);
    conf_errors_done(&r->errors);
    while (!TAILQ_EMPTY(&r->waiters)) {
        struct reload_waiter *w = TAILQ_FIRST(&r->waiters);
        TAILQ_REMOVE(&r->waiters, w, next);
        free(w);
    }
    if (r->start)
        event_free(r->start);
    if (r->late)
        event_free(r->late);
    free(r);
}
