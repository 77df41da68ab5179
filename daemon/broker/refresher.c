/* SPDX-License-Identifier: Apache-2.0 */
#include "refresher.h"

#include "chance.h"
#include "cleanup.h"
#include "clock.h"
#include "clock_watch.h"
#include "file.h"
#include "log.h"
#include "refresher_tell.h"
#include "state_clock.h"

/* How often the ages of documents and the grace times of keys are looked at. */
#define TICK_S 30
/* A tick that is later than this means that the loop hangs. */
#define TICK_LATE_MS 25000

struct refresher {
    struct partners *ps;
    struct fetch_link *fl;
    const struct settings *settings;
    const struct refresher_ops *ops;
    void *arg;
    struct event *wake; /* the next attempt is due */
    struct event *tick;
    int64_t tick_due_ms;
    unsigned under_way;
    struct refresher_counts counts;
    struct clock_watch clock;
};

static struct schedule_limits limits_of(const struct settings *s)
{
    return (struct schedule_limits){.interval_s = s->refresh.interval_s,
        .retry_min_s = s->refresh.retry_min_s,
        .retry_max_s = s->refresh.retry_max_s,
        .cooldown_s = s->refresh.unknown_key_cooldown_s};
}

static bool is_due(const struct partner_entry *e, int64_t now_ms)
{
    return e->partner->enabled && !e->fetch && (e->wanted || e->schedule.due_ms <= now_ms);
}

int64_t refresher_next_try_at(const struct partner_entry *e)
{
    if (!e->partner->enabled)
        return 0;
    int64_t wait_ms = e->wanted || e->fetch ? 0 : e->schedule.due_ms - clock_mono_ms();
    return clock_wall_s() + (wait_ms > 0 ? wait_ms / 1000 : 0);
}

/* Arms the timer for the earliest attempt. */
static void plan(struct refresher *r)
{
    int64_t now = clock_mono_ms(), next = INT64_MAX;
    for (size_t i = 0; i < partners_count(r->ps); i++) {
        const struct partner_entry *e = partners_at(r->ps, i);
        if (!e->partner->enabled || e->fetch)
            continue;
        int64_t due = e->wanted ? now : e->schedule.due_ms;
        next = due < next ? due : next;
    }
    event_del(r->wake);
    if (next == INT64_MAX || r->under_way >= r->settings->refresh.parallel)
        return;
    int64_t wait = next > now ? next - now : 0;
    struct timeval tv = {wait / 1000, wait % 1000 * 1000};
    if (event_add(r->wake, &tv) < 0)
        log_err("no memory for a timer; documents are refreshed late");
}

/* The only writer of e->freshness. */
static void set_freshness(struct refresher *r, struct partner_entry *e)
{
    enum freshness f = judge_freshness(&e->state.trust, e->partner, r->settings, clock_wall_s());
    if (f == e->freshness)
        return;
    refresher_tell_freshness(e, f, r->settings->refresh.stale_after_s);
    e->freshness = f;
    if (r->ops->on_freshness)
        r->ops->on_freshness(r->arg);
}

/* The attempt has ended: plans the next, keeps the state, tells. */
static void attempt_end(struct refresher *r, struct partner_entry *e, const struct judged *j,
    const struct msg_fetched *a)
{
    struct schedule_limits limits = limits_of(r->settings);
    struct schedule_answer answer = {.good = j->good,
        .changed = j->document_changed,
        .max_age_s = a->max_age_s,
        .retry_after_s = a->retry_after_s};
    int64_t wait_ms =
        schedule_answered(&e->schedule, &limits, &answer, clock_mono_ms(), chance_u32());
    e->state.next_try_at = clock_wall_s() + wait_ms / 1000;
    e->cause[0] = '\0';
    set_freshness(r, e);
    partners_save(r->ps, e);
    if (j->good || j->changes.n > 0)
        r->ops->on_trust(e, r->arg);
    r->ops->on_ended(e, j, r->arg);
}

static void count(struct refresher *r, const struct msg_fetched *a, const struct judged *j)
{
    r->counts.fetches++;
    r->counts.failed += !j->good;
    r->counts.unchanged += j->good && a->status == 304;
    r->counts.documents += a->reason == REASON_OK && a->status == 200;
}

/* Has `a` judged and ends the attempt. */
static void attempt_judge(
    struct refresher *r, struct partner_entry *e, const struct msg_fetched *a, struct span body)
{
    char source[256];
    struct judged j;
    struct refresher_before before;
    refresher_before(&before, &e->state);
    snprintf(source, sizeof(source), "%s, %s", e->cause[0] ? e->cause : "regular refresh",
        e->partner->metadata_urls.list[e->url_at]);
    struct judge_answer answer = {.reason = a->reason,
        .status = a->status,
        .body = body,
        .etag = a->etag,
        .last_modified = a->last_modified,
        .detail = a->detail,
        .date = a->date,
        .date_seen_ms = a->date_seen_ms,
        .round_trip_ms = a->round_trip_ms,
        .source = source,
        .keep_validators = e->url_at == 0,
        .others = partners_others(r->ps)};
    judge_answer(&e->state, e->partner, &r->settings->identity, &answer, clock_wall_s(), &j);
    count(r, a, &j);
    refresher_tell_attempt(e, &before, &j);
    attempt_end(r, e, &j, a);
}

/* A step of the wall clock changes no age and no plan: what is kept as wall time moves along. The
 * way back is the same, so a clock that was wrong for a while leaves nothing behind. */
static void follow_clock(struct refresher *r, const struct clock_change *c)
{
    refresher_tell_clock(c);
    r->counts.clock_jumps++;
    for (size_t i = 0; i < partners_count(r->ps); i++)
        state_clock_move(&partners_at(r->ps, i)->state, c->by_s);
    if (r->ops->on_clock)
        r->ops->on_clock(r->arg);
    for (size_t i = 0; i < partners_count(r->ps); i++)
        if (partners_at(r->ps, i)->state.last_try_at > 0)
            partners_save(r->ps, partners_at(r->ps, i));
}

/* Plans run on a clock that stands still while the machine sleeps; what was missed is made up for
 * like after a restart. */
static void wake_up(struct refresher *r, int64_t slept_s)
{
    log_notice("the machine has slept for %lld s", (long long)slept_s);
    for (size_t i = 0; i < partners_count(r->ps); i++) {
        struct partner_entry *e = partners_at(r->ps, i);
        if (e->state.next_try_at > 0 && e->state.next_try_at < clock_wall_s())
            (void)partners_resume(e, r->settings);
    }
    plan(r);
}

/* Before anything is done with the wall clock. */
static void look_at_clock(struct refresher *r)
{
    struct clock_change c;
    if (!clock_watch_look(&r->clock, &c))
        return;
    if (c.by_s != 0)
        follow_clock(r, &c);
    if (c.slept_s > 0)
        wake_up(r, c.slept_s);
}

static void attempt_ask(struct refresher *r, struct partner_entry *e);

static void on_answer(const struct msg_fetched *a, struct span body, void *arg)
{
    struct partner_entry *e = arg;
    struct refresher *r = e->refresher;
    look_at_clock(r);
    e->fetch = NULL;
    r->under_way--;
    if (a->address.n > 0 && a->address.n < sizeof(e->address))
        snprintf(e->address, sizeof(e->address), "%.*s", (int)a->address.n, a->address.p);
    /* The members of a pool are asked in turn; a document that came is judged, whatever it says. */
    if (a->reason != REASON_OK && a->reason != REASON_FETCH_AWAY &&
        e->url_at + 1 < e->partner->metadata_urls.n) {
        log_info("partner %s: %s: %s, trying the next address", e->partner->name,
            e->partner->metadata_urls.list[e->url_at], reason_sentence(a->reason));
        e->url_at++;
        attempt_ask(r, e);
    } else {
        attempt_judge(r, e, a, body);
    }
    plan(r);
}

/* Who asks, and which of the partner's keys count here now. */
static struct fetch *ask_announced(
    struct refresher *r, struct partner_entry *e, const struct msg_fetch *m)
{
    const struct partner_trust *t = partners_trust(r->ps, e);
    int64_t now = clock_wall_s(), skew = r->settings->limits.clock_skew_s;
    struct msg_sign sign = {
        .kind = SIGN_ANNOUNCE, .partner = span_of(e->partner->name), .url = m->url};
    for (size_t i = 0; t && i < t->n_keys && sign.n < MSG_SIGN_KEYS_MAX; i++) {
        const struct partner_key *k = &t->keys[i];
        if (k->has_x5t && k->state == PKEY_VALID && partner_key_judge(k, now, skew) == REASON_OK)
            memcpy(sign.x5t[sign.n++], k->x5t, X5T_LEN);
    }
    return fetch_start_announced(r->fl, m, &sign, on_answer, e);
}

static void attempt_ask(struct refresher *r, struct partner_entry *e)
{
    const struct partner *p = e->partner;
    const struct settings *s = r->settings;
    bool conditional = e->url_at == 0 && e->state.document.n > 0;
    struct msg_fetch m = {.url = span_of(p->metadata_urls.list[e->url_at]),
        .ca_file = span_of(p->ca_file),
        .etag = conditional ? span_of(e->state.etag) : SPAN(""),
        .last_modified = conditional ? span_of(e->state.last_modified) : SPAN(""),
        .public_addresses_only = p->addresses == ADDRESSES_PUBLIC,
        .timeout_ms = (uint32_t)(s->refresh.timeout_s * 1000),
        .connect_timeout_ms = (uint32_t)(s->refresh.connect_timeout_s * 1000),
        .max_bytes = (uint32_t)s->refresh.max_document};
    for (; m.n_pins < p->pinned_keys.n && m.n_pins < MSG_PINS_MAX; m.n_pins++)
        m.pins[m.n_pins] = span_of(p->pinned_keys.list[m.n_pins]);
    e->refresher = r;
    e->fetch = p->announce ? ask_announced(r, e, &m) : fetch_start(r->fl, &m, on_answer, e);
    if (e->fetch) {
        r->under_way++;
        return;
    }
    struct msg_fetched failed = {
        .reason = REASON_OUT_OF_MEMORY, .max_age_s = -1, .retry_after_s = -1};
    attempt_judge(r, e, &failed, SPAN(""));
}

/* An air-gapped partner: its certificate is a file of this machine. */
static void attempt_read(struct refresher *r, struct partner_entry *e)
{
    static const struct msg_fetched plain = {.max_age_s = -1, .retry_after_s = -1};
    CLEANUP(buf_done) struct buf pem = BUF_INIT(256 * 1024);
    char why[512] = "";
    struct judged j;
    struct refresher_before before;
    refresher_before(&before, &e->state);
    if (file_read(e->partner->certificate, FILE_CONFIG, pem.max, &pem, why, sizeof(why)) < 0)
        buf_reset(&pem);
    judge_certificate(&e->state, e->partner, buf_span(&pem), why, clock_wall_s(), &j);
    refresher_tell_attempt(e, &before, &j);
    attempt_end(r, e, &j, &plain);
}

static void attempt_start(struct refresher *r, struct partner_entry *e)
{
    e->wanted = false;
    e->attempts++;
    e->url_at = 0;
    if (e->partner->certificate)
        attempt_read(r, e);
    else
        attempt_ask(r, e);
}

void refresher_wake(struct refresher *r)
{
    look_at_clock(r);
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < partners_count(r->ps); i++) {
        if (r->under_way >= r->settings->refresh.parallel)
            break;
        struct partner_entry *e = partners_at(r->ps, i);
        if (is_due(e, now))
            attempt_start(r, e);
    }
    plan(r);
}

static void on_wake(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    refresher_wake(arg);
}

/* Keys that have vanished from the document leave when their grace is over. */
static void run_grace_out(struct refresher *r, struct partner_entry *e)
{
    char before[1024];
    struct judged j = {.good = true};
    judge_thumbprints(&e->state.trust, before, sizeof(before));
    const struct update_rules rules = judge_rules(e->partner);
    int64_t now = clock_wall_s();
    if (!update_tick(&e->state.trust, &rules, now, &j.changes))
        return;
    judge_note(&e->state, &j.changes, "Grace= is over", now);
    refresher_tell_keys(e, before, &j);
    partners_save(r->ps, e);
    r->ops->on_trust(e, r->arg);
}

static void tick_again(struct refresher *r)
{
    static const struct timeval wait = {TICK_S, 0};
    r->tick_due_ms = clock_mono_ms() + TICK_S * 1000;
    if (event_add(r->tick, &wait) < 0)
        log_err("no memory for a timer; the watchdog will end this process");
}

void refresher_tick(struct refresher *r)
{
    look_at_clock(r);
    for (size_t i = 0; i < partners_count(r->ps); i++) {
        struct partner_entry *e = partners_at(r->ps, i);
        run_grace_out(r, e);
        set_freshness(r, e);
        if (e->save_failed) /* is there room on the disk by now? */
            partners_save(r->ps, e);
    }
    tick_again(r);
}

static void on_tick(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    refresher_tick(arg);
}

bool refresher_in_time(const struct refresher *r)
{
    return r->tick_due_ms == 0 || clock_mono_ms() < r->tick_due_ms + TICK_LATE_MS;
}

static bool knows(const struct refresher *r, const struct partner_entry *e, const uint8_t *x5t)
{
    const struct partner_trust *t = partners_trust(r->ps, e);
    for (size_t i = 0; t && i < t->n_keys; i++)
        if (t->keys[i].has_x5t && t->keys[i].state != PKEY_GONE &&
            memcmp(t->keys[i].x5t, x5t, X5T_LEN) == 0)
            return true;
    return false;
}

static bool can_be_asked(const struct partner_entry *e)
{
    return e->partner->enabled && !e->partner->certificate;
}

/* A key that came while the hint was on its way needs no fetch; a signature that failed under it
 * may, whatever its id. */
static bool may_help(
    const struct refresher *r, const struct partner_entry *e, const struct msg_hint *m)
{
    return can_be_asked(e) && (m->kind == HINT_SIGNATURE || !knows(r, e, m->key_id));
}

enum hint_fate refresher_hint(
    struct refresher *r, struct partner_entry *e, const struct msg_hint *m)
{
    struct schedule_limits limits = limits_of(r->settings);
    bool helps = may_help(r, e, m);
    if (helps && (e->fetch || e->wanted))
        return e->fetch ? HINT_JOINS : HINT_FETCHES;
    if (!helps || !schedule_take_hint(&e->schedule, &limits, clock_mono_ms())) {
        r->counts.hints_in_vain++;
        return HINT_IN_VAIN;
    }
    log_info("partner %s: %s, fetching the document", e->partner->name,
        m->kind == HINT_SIGNATURE ? "a signature fails under a key whose id may be used again"
                                  : "a token names an unknown key");
    r->counts.hint_fetches++;
    snprintf(e->cause, sizeof(e->cause), "%s",
        m->kind == HINT_SIGNATURE ? "a signature failed" : "an unknown key");
    e->wanted = true;
    plan(r);
    return HINT_FETCHES;
}

int64_t refresher_hint_pause_ms(const struct refresher *r, const struct partner_entry *e)
{
    struct schedule_limits limits = limits_of(r->settings);
    if (!can_be_asked(e))
        return (int64_t)SCHEDULE_COOLDOWN_MAX_S * 1000;
    return schedule_hint_pause_ms(&e->schedule, &limits, clock_mono_ms());
}

struct refresher_counts refresher_counts(const struct refresher *r)
{
    return r->counts;
}

unsigned refresher_now(struct refresher *r, struct partner_entry *e, uid_t asked_by)
{
    if (!e->partner->enabled)
        return 0;
    snprintf(e->cause, sizeof(e->cause), "asked for by uid %u", (unsigned)asked_by);
    e->wanted = true;
    plan(r);
    return e->attempts + 1;
}

void refresher_forget(struct refresher *r, struct partner_entry *e)
{
    if (!e->fetch)
        return;
    fetch_cancel(e->fetch);
    e->fetch = NULL;
    r->under_way--;
}

void refresher_use(struct refresher *r, const struct settings *s)
{
    r->settings = s;
    look_at_clock(r);
    for (size_t i = 0; i < partners_count(r->ps); i++) {
        struct partner_entry *e = partners_at(r->ps, i);
        e->wanted = e->wanted || e->fetch;
        refresher_forget(r, e);
        if (!e->wanted || e->partner->enabled)
            continue;
        /* There will be none: who waits for it is told. */
        static const struct judged off = {.reason = REASON_PARTNER_DISABLED};
        e->wanted = false;
        r->ops->on_ended(e, &off, r->arg);
    }
    if (r->tick_due_ms == 0)
        tick_again(r);
    plan(r);
}

struct refresher *refresher_new(struct event_base *base, struct partners *ps, struct fetch_link *fl,
    const struct refresher_ops *ops, void *arg)
{
    struct refresher *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct refresher){.ps = ps, .fl = fl, .ops = ops, .arg = arg};
    r->wake = evtimer_new(base, on_wake, r);
    r->tick = evtimer_new(base, on_tick, r);
    if (!r->wake || !r->tick) {
        refresher_free(r);
        return NULL;
    }
    return r;
}

void refresher_free(struct refresher *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < partners_count(r->ps); i++)
        refresher_forget(r, partners_at(r->ps, i));
    if (r->wake)
        event_free(r->wake);
    if (r->tick)
        event_free(r->tick);
    free(r);
}
