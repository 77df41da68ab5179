/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include "cleanup.h"
#include "clock.h"
#include "keys_door.h"
#include "log.h"
#include "notify.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sysexits.h>

#define SIGNER_STOP_S 2

static unsigned count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

static void report_status(const struct signer *s)
{
    char thumbprint[THUMBPRINT_TEXT_LEN], ends[CLOCK_TEXT_LEN];
    const struct ring_slot *current = keyring_current(&s->keys.ring);
    notify_status("signing key %s until %s, %u children",
        thumbprint_text(current->cert->x5t, thumbprint), clock_text(current->cert->not_after, ends),
        pool_children(s->pool));
}

/* Nothing is signed with the new key before the document that has it first is served: a receiver
 * that believes the first key only (protocol note 1.4) would look for it in vain. */
static void wait_for_document(struct signer *s)
{
    struct timeval late = {SIGNER_PUBLISH_MS / 1000, SIGNER_PUBLISH_MS % 1000 * 1000};
    if (LIST_EMPTY(&s->ring_links) || event_add(s->publish_late, &late) < 0)
        return;
    s->waits_for = s->keys.ring.generation;
    pool_hold(s->pool, true);
}

static void sign_on(struct signer *s)
{
    event_del(s->publish_late);
    s->waits_for = 0;
    pool_hold(s->pool, false);
}

void signer_published(struct signer *s, uint64_t generation)
{
    struct own_keys_news news = {0};
    own_keys_published(&s->keys, generation, clock_wall_s(), &news);
    if (s->waits_for != 0 && generation >= s->waits_for)
        sign_on(s);
    signer_follow(s, &news);
}

static void on_publish_late(evutil_socket_t fd, short what, void *arg)
{
    struct signer *s = arg;
    (void)fd;
    (void)what;
    log_warning("the broker does not serve the document with the new signing key yet; signing "
                "with it all the same");
    sign_on(s);
}

/* New children. The old key goes last: children of before are processes with a copy of their own.
 */
static void use_new_key(struct signer *s, struct signkey *old)
{
    if (old)
        wait_for_document(s);
    if (pool_renew(s->pool, s->settings, s->keys.current) < 0)
        log_err("no signing child could be started");
    signkey_free(old);
}

static void arm(struct signer *s)
{
    struct timeval wait = {own_keys_wait_s(&s->keys, clock_wall_s()), 0};
    if (event_add(s->tick, &wait) < 0)
        log_err("the key ring's timer cannot be set: out of memory");
}

void signer_follow(struct signer *s, const struct own_keys_news *news)
{
    if (news->todo & DO_SIGN)
        use_new_key(s, news->old);
    if (news->todo & DO_PUBLISH)
        ring_links_push(s);
    report_status(s);
    arm(s);
}

enum reason signer_stage(
    struct signer *s, struct signkey **key, const struct key_order *o, struct buf *lines)
{
    struct own_keys_news news = {0};
    enum reason reason = own_keys_stage(&s->keys, key, o, clock_wall_s(), lines, &news);
    signer_follow(s, &news);
    return reason;
}

static void use_prepared(struct signer *s, struct own_keys_news *news)
{
    struct rate *rate = rate_new(s->prepared);
    if (!rate) {
        log_err("configuration not taken: out of memory");
        settings_freep(&s->prepared);
        own_keys_forget(&s->keys);
        return;
    }
    own_keys_commit(&s->keys, clock_wall_s(), news);
    rate_inherit(rate, s->rate);
    rate_free(s->rate);
    s->rate = rate;
    settings_free(s->settings);
    s->settings = TAKE(s->prepared);
    log_set_level((enum log_level)s->settings->log_level);
}

void signer_commit(struct signer *s)
{
    struct own_keys_news news = {0};
    use_prepared(s, &news);
    news.todo |= DO_SIGN | DO_PUBLISH; /* children have the settings, too */
    signer_follow(s, &news);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct signer *s = arg;
    struct own_keys_news news = {0};
    (void)fd;
    (void)what;
    own_keys_tick(&s->keys, clock_wall_s(), &news);
    signer_follow(s, &news);
}

void signer_stop_when_idle(struct signer *s)
{
    if (s->is_stopping && pool_is_idle(s->pool))
        event_base_loopexit(s->base, NULL);
}

void signer_stop(struct signer *s)
{
    struct timeval late = {SIGNER_STOP_S, 0};
    if (s->is_stopping)
        return;
    s->is_stopping = true;
    notify_stopping();
    event_add(s->stop_late, &late);
    signer_stop_when_idle(s);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    (void)sig;
    (void)what;
    signer_stop(arg);
}

static void on_stop_late(evutil_socket_t fd, short what, void *arg)
{
    struct signer *s = arg;
    (void)fd;
    (void)what;
    event_base_loopbreak(s->base);
}

/* R46: the loop turns, because it calls us; and orders would be signed. */
static bool is_healthy(void *arg)
{
    return pool_is_healthy(((struct signer *)arg)->pool);
}

static int load_settings(struct signer *s)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {.text = BUF_INIT(CONF_FILE_MAX)};
    if (settings_load(s->options->config_dir, &errors, &s->settings)) {
        log_set_level((enum log_level)s->settings->log_level);
        return 0;
    }
    struct span rest = buf_span(&errors.text);
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');
        log_err("%.*s", (int)n, rest.p);
        rest = span_skip(rest, n < rest.n ? n + 1 : n);
    }
    return EX_CONFIG;
}

static int load_keys(struct signer *s)
{
    char why[OWN_KEYS_WHY_MAX] = "";
    int r = own_keys_start(&s->keys, s->settings, s->options->state_dir, clock_wall_s(), why);
    if (r == 0)
        return 0;
    log_err("%s", why[0] ? why : strerror(-r));
    return r == -EKEYREJECTED ? EX_CONFIG : 1;
}

static int make_events(struct signer *s)
{
    struct timeval at_once = {0, 0}; /* what became due while nobody ran */
    s->tick = event_new(s->base, -1, 0, on_tick, s);
    s->stop_late = event_new(s->base, -1, 0, on_stop_late, s);
    s->publish_late = event_new(s->base, -1, 0, on_publish_late, s);
    s->on_term = evsignal_new(s->base, SIGTERM, on_signal, s);
    s->on_int = evsignal_new(s->base, SIGINT, on_signal, s);
    if (!s->tick || !s->stop_late || !s->publish_late || !s->on_term || !s->on_int ||
        event_add(s->tick, &at_once) < 0 || event_add(s->on_term, NULL) < 0 ||
        (!s->options->until_eof && event_add(s->on_int, NULL) < 0))
        return -ENOMEM;
    return 0;
}

static int open_doors(struct signer *s, const struct signer_listeners *l)
{
    unsigned uid = s->options->peer_uid;
    if (l->ring >= 0)
        s->ring_door = link_door_new(s->base, l->ring, uid, ring_link_accept, s);
    if (l->mint >= 0)
        s->mint_door = link_door_new(s->base, l->mint, uid, mint_link_accept, s);
    if (l->keys >= 0)
        s->keys_door = keys_door_new(s, l->keys, s->options->keys_own_user);
    bool failed = (l->ring >= 0 && !s->ring_door) || (l->mint >= 0 && !s->mint_door) ||
                  (l->keys >= 0 && !s->keys_door);
    return failed ? -ENOMEM : 0;
}

/* pool_done_fn */
static void on_done(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *arg)
{
    if (o->is_seal)
        ring_link_sealed(o, minted, kid, refused, arg);
    else
        mint_link_done(o, minted, kid, refused, arg);
}

static int start(struct signer *s, const struct signer_listeners *l)
{
    unsigned n = s->settings->processes.signers;
    s->rate = rate_new(s->settings);
    s->pool = pool_new(s->base, n ? n : count_cpus(), on_done, s);
    if (!s->rate || !s->pool)
        return -ENOMEM;
    int r = pool_renew(s->pool, s->settings, s->keys.current);
    if (r == 0)
        r = make_events(s);
    if (r == 0)
        r = open_doors(s, l);
    if (r == 0)
        r = notify_watchdog(s->base, is_healthy, s);
    return r;
}

static void event_freep(struct event **e)
{
    if (*e)
        event_free(TAKE(*e));
}

/* The mirror of the start. */
static void stop(struct signer *s)
{
    keys_door_free(s->keys_door);
    link_door_free(s->mint_door);
    link_door_free(s->ring_door);
    mint_links_close(s);
    ring_links_close(s);
    event_freep(&s->tick);
    event_freep(&s->stop_late);
    event_freep(&s->publish_late);
    event_freep(&s->on_term);
    event_freep(&s->on_int);
    pool_free(s->pool);
    rate_free(s->rate);
    own_keys_done(&s->keys);
    settings_freep(&s->prepared);
    settings_freep(&s->settings);
    if (s->base)
        event_base_free(s->base);
}

int signer_run(const struct signer_options *o, const struct signer_listeners *l)
{
    struct signer s = {.options = o, .keys = OWN_KEYS_NONE};
    LIST_INIT(&s.ring_links);
    LIST_INIT(&s.mint_links);
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads is no reason to end */
    signal(SIGHUP, SIG_IGN);  /* a reload comes through the broker */
    if (o->until_eof)
        signal(SIGINT, SIG_IGN); /* Ctrl-C reaches all: the broker ends first, then we */
    s.base = event_base_new();
    int status = s.base ? load_settings(&s) : 1;
    if (status == 0)
        status = load_keys(&s);
    if (status == 0) {
        int r = start(&s, l);
        if (r < 0)
            log_err("cannot start: %s", strerror(-r));
        status = r < 0;
    }
    if (status == 0) {
        notify_ready("ready to sign");
        report_status(&s);
        event_base_dispatch(s.base);
        log_info("ends");
    }
    stop(&s);
    notify_close();
    return status;
}
