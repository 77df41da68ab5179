/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching the members' documents, and telling what came of it. */
#include "chance.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "pool_internal.h"

/* How often the ages of documents are looked at. */
#define TICK_S 30

static struct schedule_limits limits_of(const struct settings *s)
{
    return (struct schedule_limits){.interval_s = s->pool.interval_s,
        .retry_min_s = s->refresh.retry_min_s,
        .retry_max_s = s->refresh.retry_max_s,
        .cooldown_s = s->refresh.unknown_key_cooldown_s};
}

static bool is_busy(const struct pool_members *pm)
{
    for (size_t i = 0; i < pm->n; i++)
        if (pm->list[i]->wanted || pm->list[i]->fetch)
            return true;
    return false;
}

void pool_plan(struct pool_members *pm)
{
    int64_t now = clock_mono_ms(), next = INT64_MAX;
    if (!pm->started)
        return;
    for (size_t i = 0; i < pm->n; i++) {
        const struct pool_entry *e = pm->list[i];
        int64_t due = e->wanted ? now : e->schedule.due_ms;
        if (!e->fetch && due < next)
            next = due;
    }
    event_del(pm->wake);
    if (next == INT64_MAX)
        return;
    int64_t wait = next > now ? next - now : 0;
    struct timeval tv = {wait / 1000, wait % 1000 * 1000};
    if (event_add(pm->wake, &tv) < 0)
        log_err("pool: no memory for a timer; the members are fetched late");
}

/* "8BF8..., 0123..." or "none". */
static char *own_thumbprints(const struct pool_member *m, char *out, size_t out_len)
{
    char thumb[THUMBPRINT_TEXT_LEN];
    size_t at = 0;
    snprintf(out, out_len, "none");
    for (size_t i = 0; i < m->n_own; i++) {
        int n = snprintf(
            out + at, out_len - at, "%s%s", at ? ", " : "", thumbprint_text(m->own[i]->x5t, thumb));
        if (n < 0 || (size_t)n >= out_len - at)
            break;
        at += (size_t)n;
    }
    return out;
}

/* An attempt that ends in another way than the one before is told; a row of equal failures once. */
static void tell_attempt(const struct pool_entry *e, enum reason before)
{
    const struct pool_member *m = &e->member;
    if (m->last_reason == before)
        return;
    if (m->last_reason == REASON_OK)
        log_notice("pool member %s: document is current%s%s", m->url, m->last_detail[0] ? "; " : "",
            m->last_detail);
    else
        log_warning("pool member %s: %s%s%s%s; %s", m->url, reason_sentence(m->last_reason),
            m->last_detail[0] ? " (" : "", m->last_detail, m->last_detail[0] ? ")" : "",
            m->n_own ? "its last keys stay published" : "none of its keys is published");
}

static void tell_change(
    const struct pool_entry *e, const char *before, const struct pool_change *change)
{
    char after[512];
    const struct pool_member *m = &e->member;
    if (change->another_server)
        log_warning("pool member %s: another server answers there than before; Members= wants the "
                    "address of each server, not the name that all share",
            m->url);
    if (change->twin)
        log_err("pool member %s: it has our own member id and other keys, since its state folder "
                "is a copy of ours: stop one of the two, remove pool/self.id in its state folder "
                "and start it again",
            m->url);
    if (change->keys && !(m->is_self && e->told_state == POOL_SELF))
        log_notice("pool member %s: %s: %s -> %s", m->url,
            m->is_self ? "that is this server" : "its own keys changed", before,
            own_thumbprints(m, after, sizeof(after)));
}

/* The only writer of e->told_state. */
static void tell_state(struct pool_members *pm, struct pool_entry *e)
{
    char date[CLOCK_TEXT_LEN];
    const struct pool_member *m = &e->member;
    int64_t stale_after_s = pm->settings->refresh.stale_after_s;
    enum pool_state s = pool_member_state(m, stale_after_s, clock_wall_s());
    if (s == e->told_state)
        return;
    if (s == POOL_AWAY && m->good_at)
        log_warning("pool member %s: %s -> away: new keys no longer wait for it; its own leave our "
                    "document at %s unless it answers before",
            m->url, pool_state_name(e->told_state), clock_text(m->good_at + stale_after_s, date));
    else if (s == POOL_AWAY || s == POOL_STALE)
        log_err("pool member %s: %s -> %s: %s", m->url, pool_state_name(e->told_state),
            pool_state_name(s),
            s == POOL_STALE ? "its keys are not in our document any more" : "it never answered");
    else
        log_info(
            "pool member %s: %s -> %s", m->url, pool_state_name(e->told_state), pool_state_name(s));
    e->told_state = s;
}

/* Whoever waited for all attempts to end. */
static void end_waits(struct pool_members *pm)
{
    while (!is_busy(pm) && !LIST_EMPTY(&pm->waits)) {
        struct pool_wait *w = LIST_FIRST(&pm->waits);
        void (*done)(void *arg) = w->done;
        void *arg = w->arg;
        pool_wait_cancel(w);
        done(arg);
    }
}

static void plan_next(struct pool_entry *e, const struct msg_fetched *a)
{
    struct schedule_limits limits = limits_of(e->pool->settings);
    /* Cache-Control is what partners shall do; the members know each other's keys sooner. */
    struct schedule_answer answer = {
        .good = e->member.failures == 0, .max_age_s = -1, .retry_after_s = a->retry_after_s};
    int64_t wait_ms =
        schedule_answered(&e->schedule, &limits, &answer, clock_mono_ms(), chance_u32());
    e->member.next_try_at = clock_wall_s() + wait_ms / 1000;
}

static void attempt_end(struct pool_entry *e, const struct msg_fetched *a, struct span body)
{
    struct pool_members *pm = e->pool;
    struct pool_change change;
    enum reason before = e->member.last_reason;
    char keys_before[512];
    const struct pool_us us = {
        .identity = &pm->settings->identity, .id = pm->id, .ring = pm->ops->ring(pm->arg)};
    const struct pool_answer answer = {.reason = a->reason,
        .status = a->status,
        .body = body,
        .etag = a->etag,
        .last_modified = a->last_modified,
        .detail = a->detail};
    own_thumbprints(&e->member, keys_before, sizeof(keys_before));
    pool_member_judge(&e->member, &us, &answer, clock_wall_s(), &change);
    plan_next(e, a);
    tell_attempt(e, before);
    tell_change(e, keys_before, &change);
    enum pool_state state_before = e->told_state;
    tell_state(pm, e);
    pool_save(pm, e);
    bool documents = pool_settle(pm);
    if (documents || change.published || state_before != e->told_state)
        pm->ops->on_changed(documents, pm->arg);
    end_waits(pm);
}

static void on_answer(const struct msg_fetched *a, struct span body, void *arg)
{
    struct pool_entry *e = arg;
    struct pool_members *pm = e->pool;
    pool_look_at_clock(pm);
    e->fetch = NULL;
    attempt_end(e, a, body);
    pool_plan(pm);
}

static void attempt_start(struct pool_members *pm, struct pool_entry *e)
{
    const struct settings *s = pm->settings;
    bool conditional = e->member.n_own > 0;
    struct msg_fetch m = {.url = span_of(e->member.url),
        .ca_file = span_of(s->pool.ca_file),
        .etag = conditional ? span_of(e->member.etag) : SPAN(""),
        .last_modified = conditional ? span_of(e->member.last_modified) : SPAN(""),
        .timeout_ms = (uint32_t)(s->refresh.timeout_s * 1000),
        .connect_timeout_ms = (uint32_t)(s->refresh.connect_timeout_s * 1000),
        .max_bytes = (uint32_t)s->refresh.max_document};
    for (; m.n_pins < s->pool.pinned_keys.n && m.n_pins < MSG_PINS_MAX; m.n_pins++)
        m.pins[m.n_pins] = span_of(s->pool.pinned_keys.list[m.n_pins]);
    e->wanted = false;
    e->fetch = fetch_start(pm->fl, &m, on_answer, e);
    if (e->fetch)
        return;
    struct msg_fetched failed = {
        .reason = REASON_OUT_OF_MEMORY, .max_age_s = -1, .retry_after_s = -1};
    attempt_end(e, &failed, SPAN(""));
}

void pool_members_wake(struct pool_members *pm)
{
    pool_look_at_clock(pm);
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < pm->n; i++) {
        struct pool_entry *e = pm->list[i];
        if (!e->fetch && (e->wanted || e->schedule.due_ms <= now))
            attempt_start(pm, e);
    }
    pool_plan(pm);
}

void pool_members_tick(struct pool_members *pm)
{
    static const struct timeval wait = {TICK_S, 0};
    bool moved = false;
    pool_look_at_clock(pm);
    for (size_t i = 0; i < pm->n; i++) {
        struct pool_entry *e = pm->list[i];
        enum pool_state before = e->told_state;
        tell_state(pm, e);
        moved = moved || before != e->told_state;
        if (e->save_failed) /* is there room on the disk by now? */
            pool_save(pm, e);
    }
    bool documents = pool_settle(pm);
    if (moved || documents)
        pm->ops->on_changed(documents, pm->arg);
    if (event_add(pm->tick, &wait) < 0)
        log_err("pool: no memory for a timer");
}

void pool_members_start(struct pool_members *pm, struct fetch_link *fl)
{
    pm->fl = fl;
    pm->started = true;
    pool_plan(pm);
    pool_members_tick(pm);
}
