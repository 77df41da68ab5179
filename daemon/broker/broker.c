/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include "all.h"
#include "cleanup.h"
#include "clock.h"
#include "fds.h"
#include "file.h"
#include "log.h"
#include "notify.h"
#include "wiring.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

/* How long open requests and workers may take to end. */
#define STOP_WITHIN_MS 5000
#define STOP_POLL_MS 20

/* Configuration. */

/* One record for each mistake. */
static void log_mistakes(struct span lines)
{
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        log_err("%.*s", (int)n, lines.p);
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
}

static int read_settings(struct broker *b)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    if (settings_load(b->options->config_dir, &errors, &b->settings)) {
        log_set_level((enum log_level)b->settings->log_level);
        return 0;
    }
    log_mistakes(buf_span(&errors.text));
    log_err("the configuration has %u mistake%s", errors.count, errors.count == 1 ? "" : "s");
    return BROKER_EXIT_CONFIG;
}

/* Sockets. */

static struct all_plan plan_of(const struct broker *b)
{
    return (struct all_plan){.config_dir = b->options->config_dir,
        .runtime_dir = b->options->runtime_dir,
        .state_dir = b->options->state_dir,
        .https = b->settings->listen.https};
}

static int take_sockets(struct broker *b, struct listeners *l)
{
    if (b->options->all) {
        struct all_plan plan = plan_of(b);
        return all_start(b->base, b->children, &plan, &b->all, l) < 0 ? BROKER_EXIT_FAULT : 0;
    }
    *l = listeners_take();
    fds_close_rest();
    if (listeners_any(l))
        return 0;
    log_err("no sockets were passed: start the daemon with 'systemctl start s2sd', or without "
            "systemd as 's2sd --all'");
    return BROKER_EXIT_FAULT;
}

/* State. */

static int lock_state(struct broker *b)
{
    const char *dir = b->options->state_dir;
    struct all_plan plan = plan_of(b);
    if (b->options->all && all_make_folders(&plan) < 0)
        return BROKER_EXIT_FAULT;
    b->state_lock = file_lock_dir(dir);
    if (b->state_lock >= 0)
        return 0;
    if (b->state_lock == -EWOULDBLOCK)
        log_err("%s is in use by another s2sd; give this one a --state-dir= of its own", dir);
    else
        log_err("cannot use the state folder %s: %s", dir, strerror(-b->state_lock));
    return BROKER_EXIT_FAULT;
}

static int load_partners(struct broker *b)
{
    const char *dir = b->options->state_dir;
    b->pool = pool_members_new(b->base, dir, &wiring_pool, b);
    b->partners = partners_new(dir);
    if (b->pool && pool_members_use(b->pool, b->settings) && b->partners &&
        partners_adopt(b->partners, b->settings, wiring_on_gone, b) &&
        wiring_settle_first(b) == REASON_OK)
        return 0;
    log_err("out of memory while the state of partners and pool was read");
    return BROKER_EXIT_FAULT;
}

/* Doors for strangers: the certificate is judged now, they open when the ring is there. */
static int prepare_public(struct broker *b, struct listeners *l)
{
    char why[TLS_WHY_MAX];
    b->public = public_doors_new(b->base, l);
    if (!b->public)
        return BROKER_EXIT_FAULT;
    if (!public_doors_any(b->public))
        log_warning("no public door: partners cannot fetch our document from here");
    if (!public_doors_need_tls(b->public))
        return 0;
    SSL_CTX *tls;
    if (tls_new(b->settings, &tls, why) < 0) {
        log_err("%s", why);
        return BROKER_EXIT_CONFIG;
    }
    public_doors_set_tls(b->public, tls);
    return 0;
}

/* Links and workers. */

static unsigned cpus(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static int start_workers(struct broker *b, const struct listeners *l)
{
    const struct settings *s = b->settings;
    struct workers_plan plan = {.config_dir = b->options->config_dir,
        .settings = s,
        .validators = s->processes.validators ? s->processes.validators : cpus(),
        .minters = s->processes.minters ? s->processes.minters : 1};
    int r = workers_start(b->workers, &plan, l);
    if (r < 0)
        log_err("the workers cannot be started: %s", strerror(-r));
    return r < 0 ? BROKER_EXIT_FAULT : 0;
}

static int start_parts(struct broker *b, struct listeners *l)
{
    const char *runtime = b->options->runtime_dir;
    b->fetcher = fetch_link_new(b->base, runtime);
    b->signer = signer_link_new(b->base, runtime, &wiring_signer, b);
    b->workers = workers_new(b->base, b->children, b->partners, &wiring_workers, b);
    if (b->fetcher)
        b->refresher = refresher_new(b->base, b->partners, b->fetcher, &wiring_refresher, b);
    if (b->workers && b->signer)
        b->reload =
            reload_new(b->base, b->options->config_dir, b->workers, b->signer, &wiring_reload, b);
    b->own_signature = own_signature_new(b->base, &wiring_own_signature, b);
    b->witness = witness_new(b->base, b->options->state_dir, &wiring_witness, b);
    b->announces = announces_new(&wiring_announces, b);
    b->control = control_new(b, TAKE_FD(l->control));
    if (!b->refresher || !b->reload || !b->control || !b->witness || !b->announces ||
        !b->own_signature) {
        log_err("out of memory");
        return BROKER_EXIT_FAULT;
    }
    witness_use(b->witness, b->settings);
    own_signature_use(b->own_signature, b->settings);
    fetch_link_signer(b->fetcher, wiring_sign, b);
    public_doors_on_visit(b->public, wiring_on_visit, b);
    b->health.may_validate = true;
    workers_health(b->workers, b->health);
    return start_workers(b, l);
}

/* Stopping. */

static size_t workers_left(const struct broker *b)
{
    size_t n = 0;
    for (size_t i = 0; i < workers_count(b->workers); i++)
        n += workers_at(b->workers, i).pid > 0;
    return n;
}

/* What did not end in time is cut off, and named. */
static void stop_now(struct broker *b)
{
    size_t workers = workers_left(b), all = children_count(b->children);
    log_warning("ending at once; cut off: %u public connections, %zu workers, %zu other programs%s",
        public_doors_connections(b->public), workers, all - workers,
        b->control && control_waiting(b->control) ? ", a refresh" : "");
    children_signal(b->children, SIGKILL);
    event_base_loopbreak(b->base);
}

/* Requests first, then workers, then the links. Signer and fetcher of --all end with theirs; one
 * that had none yet, or is busy with its first key, is told by signal. */
static void on_stop_poll(evutil_socket_t unused, short what, void *arg)
{
    struct broker *b = arg;
    (void)unused;
    (void)what;
    if (clock_mono_ms() > b->stop_by_ms) {
        stop_now(b);
        return;
    }
    if (workers_left(b) > 0 || public_doors_connections(b->public) > 0 ||
        (b->control && control_waiting(b->control)))
        return;
    if (b->signer) {
        wiring_close(b);
        children_signal(b->children, SIGTERM);
    }
    if (children_count(b->children) == 0)
        event_base_loopbreak(b->base);
}

static void on_terminate(evutil_socket_t signal, short what, void *arg)
{
    struct broker *b = arg;
    static const struct timeval every = {0, STOP_POLL_MS * 1000};
    (void)what;
    if (b->stopping) {
        b->stop_by_ms = 0; /* a second signal: at once */
        return;
    }
    log_notice("stopping (signal %d)", (int)signal);
    b->stopping = true;
    b->stop_by_ms = clock_mono_ms() + STOP_WITHIN_MS;
    notify_stopping();
    control_stop(b->control);
    public_doors_stop(b->public);
    workers_stop(b->workers);
    if (b->all)
        all_stop(b->all);
    if (event_add(b->stop_poll, &every) < 0)
        event_base_loopbreak(b->base);
}

static void on_reload_done(struct span errors, void *arg)
{
    (void)errors; /* told in the log */
    (void)arg;
}

static void on_hangup(evutil_socket_t signal, short what, void *arg)
{
    struct broker *b = arg;
    (void)signal;
    (void)what;
    if (!b->stopping && !reload_start(b->reload, on_reload_done, b))
        log_err("out of memory for a reload");
}

/* R46: the loop turns, because it calls us, and its timers are in time. Signer and fetcher have
 * watchdogs of their own, workers are asked by workers_ping; to start the broker again would mend
 * none of them. On the way out the parts that are asked here are gone, and the end has a time limit
 * of its own. */
static bool is_healthy(void *arg)
{
    const struct broker *b = arg;
    return b->stopping || refresher_in_time(b->refresher);
}

static int watch_signals(struct broker *b)
{
    signal(SIGPIPE, SIG_IGN);
    b->on_term = evsignal_new(b->base, SIGTERM, on_terminate, b);
    b->on_int = evsignal_new(b->base, SIGINT, on_terminate, b);
    b->on_hup = evsignal_new(b->base, SIGHUP, on_hangup, b);
    b->stop_poll = event_new(b->base, -1, EV_PERSIST, on_stop_poll, b);
    if (b->on_term && b->on_int && b->on_hup && b->stop_poll && event_add(b->on_term, NULL) == 0 &&
        event_add(b->on_int, NULL) == 0 && event_add(b->on_hup, NULL) == 0)
        return 0;
    log_err("out of memory");
    return BROKER_EXIT_FAULT;
}

/* The start, in this order; the stop is its mirror. */
static int start(struct broker *b, struct listeners *l)
{
    int r = read_settings(b);
    if (r == 0)
        r = watch_signals(b);
    if (r == 0)
        r = lock_state(b); /* before any socket of a running daemon is replaced */
    if (r == 0)
        r = take_sockets(b, l);
    if (r == 0)
        r = prepare_public(b, l);
    if (r == 0)
        r = load_partners(b); /* before anybody can ask for them */
    if (r == 0)
        r = start_parts(b, l);
    if (r == 0) {
        refresher_use(b->refresher, b->settings);
        pool_members_start(b->pool, b->fetcher);
    }
    return r;
}

static void stop(struct broker *b)
{
    wiring_close(b);
    workers_free(b->workers);
    public_doors_free(b->public);
    witness_free(b->witness);
    announces_free(b->announces);
    tls_freep(&b->next_tls);
    partners_free(b->partners);
    closep(&b->state_lock);
    all_free(b->all);
    struct event *events[] = {b->on_term, b->on_int, b->on_hup, b->stop_poll};
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (events[i])
            event_free(events[i]);
    children_free(b->children);
    settings_free(b->settings);
    notify_close();
    if (b->base)
        event_base_free(b->base);
}

int broker_run(const struct broker_options *o)
{
    CLEANUP(listeners_close) struct listeners l = LISTENERS_NONE;
    struct broker b = {.options = o, .state_lock = -1, .started_at = clock_wall_s()};
    b.base = event_base_new();
    b.children = b.base ? children_new(b.base) : NULL;
    if (!b.children) {
        log_err("out of memory");
        b.exit_status = BROKER_EXIT_FAULT;
    } else {
        b.exit_status = start(&b, &l);
    }
    if (b.exit_status == 0 && notify_watchdog(b.base, is_healthy, &b) < 0)
        log_warning("the watchdog of systemd will not be served: out of memory");
    if (b.exit_status == 0)
        event_base_dispatch(b.base);
    stop(&b);
    return b.exit_status;
}
