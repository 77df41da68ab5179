/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_members.h"

#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "pool_internal.h"

#include <stdio.h>

/* Looking at all members. */

static struct pool_view view_of(const struct pool_members *pm, const struct pool_member **list)
{
    for (size_t i = 0; i < pm->n; i++)
        list[i] = &pm->list[i]->member;
    return (struct pool_view){.members = list,
        .n = pm->n,
        .stale_after_s = pm->settings ? pm->settings->refresh.stale_after_s : 0,
        .now = clock_wall_s()};
}

static bool is_told(const struct pool_members *pm)
{
    if (pm->n_told != pm->n_fellows)
        return false;
    for (size_t i = 0; i < pm->n_fellows; i++)
        if (memcmp(pm->told[i], pm->fellows[i]->x5t_s256, X5T_S256_LEN) != 0)
            return false;
    return true;
}

void pool_look_at_clock(struct pool_members *pm)
{
    struct clock_change c;
    if (!clock_watch_look(&pm->clock, &c))
        return;
    for (size_t i = 0; i < pm->n; i++) {
        struct pool_entry *e = pm->list[i];
        pool_member_clock_move(&e->member, c.by_s);
        e->wanted = e->wanted || c.slept_s > 0;
        if (c.by_s != 0)
            pool_save(pm, e);
    }
}

bool pool_settle(struct pool_members *pm)
{
    const struct pool_member *list[SETTINGS_POOL_MAX];
    pool_look_at_clock(pm);
    struct pool_view v = view_of(pm, list);
    size_t before = pm->left_out;
    pm->n_fellows = pool_union(&v, pm->ops->ring(pm->arg), pm->fellows, &pm->left_out);
    if (pm->left_out > before)
        log_err("pool: %zu keys of the members have no room in our document (at most %d keys)",
            pm->left_out, METADATA_KEYS_MAX);
    if (is_told(pm))
        return false;
    pm->n_told = pm->n_fellows;
    for (size_t i = 0; i < pm->n_fellows; i++)
        memcpy(pm->told[i], pm->fellows[i]->x5t_s256, X5T_S256_LEN);
    return true;
}

void pool_members_publish(struct pool_members *pm, struct documents_of *of)
{
    if (pm->n == 0 || !pm->has_id)
        return;
    (void)pool_settle(pm); /* the ring may be another one */
    of->member = pm->id;
    of->fellows = pm->fellows;
    of->n_fellows = pm->n_fellows;
}

bool pool_all_publish(
    const struct pool_members *pm, const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len)
{
    const struct pool_member *list[SETTINGS_POOL_MAX];
    struct pool_view v = view_of(pm, list);
    return pool_is_everywhere(&v, x5t_s256, why, why_len);
}

size_t pool_members_count(const struct pool_members *pm)
{
    return pm->n;
}

struct pool_members_at pool_members_at(const struct pool_members *pm, size_t i)
{
    const struct pool_entry *e = pm->list[i];
    int64_t wait_ms = e->wanted || e->fetch ? 0 : e->schedule.due_ms - clock_mono_ms();
    int64_t now = clock_wall_s();
    return (struct pool_members_at){.member = &e->member,
        .state = pool_member_state(&e->member, pm->settings->refresh.stale_after_s, now),
        .next_try_at = now + (wait_ms > 0 ? wait_ms / 1000 : 0)};
}

size_t pool_members_fellows(const struct pool_members *pm, const struct cert *const **ret_certs)
{
    *ret_certs = pm->fellows;
    return pm->n_fellows;
}

size_t pool_members_left_out(const struct pool_members *pm)
{
    return pm->left_out;
}

/* Which members there are. */

static void entry_free(struct pool_entry *e)
{
    if (!e)
        return;
    fetch_cancel(e->fetch);
    pool_member_done(&e->member);
    free(e);
}

static struct pool_entry *entry_of(const struct pool_members *pm, const char *url)
{
    for (size_t i = 0; i < pm->n; i++)
        if (strcmp(pm->list[i]->member.url, url) == 0)
            return pm->list[i];
    return NULL;
}

static struct pool_entry *entry_new(struct pool_members *pm, const char *url)
{
    struct pool_entry *e = calloc(1, sizeof(*e));
    if (!e || !pool_load(pm, url, &e->member)) {
        entry_free(e);
        return NULL;
    }
    e->pool = pm;
    e->wanted = true;
    e->told_state = POOL_NEW;
    e->schedule.failures = e->member.failures;
    return e;
}

/* Those that are not in the new list any more; their keys go with them, also from the disk. */
static void drop_others(struct pool_members *pm, struct pool_entry *const *before, size_t n_before)
{
    for (size_t i = 0; i < n_before; i++) {
        if (entry_of(pm, before[i]->member.url))
            continue;
        log_notice("pool member %s: no longer configured; its keys leave our document",
            before[i]->member.url);
        entry_free(before[i]);
    }
}

/* An administrator is at work: CAs and pins may be others now, so what is under way counts no more,
 * and everybody is asked. */
static void entry_ask(struct pool_entry *e)
{
    fetch_cancel(e->fetch);
    e->fetch = NULL;
    e->wanted = true;
}

bool pool_members_use(struct pool_members *pm, const struct settings *s)
{
    struct pool_entry *list[SETTINGS_POOL_MAX], *before[SETTINGS_POOL_MAX];
    size_t n = s->pool.members.n, n_before = pm->n;
    for (size_t i = 0; i < n; i++) {
        list[i] = entry_of(pm, s->pool.members.list[i]);
        if (!list[i])
            list[i] = entry_new(pm, s->pool.members.list[i]);
        if (list[i])
            continue;
        while (i-- > 0)
            if (!entry_of(pm, list[i]->member.url))
                entry_free(list[i]);
        return false;
    }
    memcpy(before, pm->list, sizeof(before));
    memcpy(pm->list, list, n * sizeof(*list));
    pm->n = n;
    pm->settings = s;
    for (size_t i = 0; i < n; i++)
        entry_ask(list[i]);
    drop_others(pm, before, n_before);
    pool_sweep(pm);
    if (n > 0)
        pool_load_id(pm);
    (void)pool_settle(pm);
    pool_plan(pm);
    return true;
}

/* Waiting for answers that somebody asked for. */

struct pool_wait *pool_members_refresh(struct pool_members *pm, void (*done)(void *arg), void *arg)
{
    struct pool_wait *w = pm->n > 0 ? calloc(1, sizeof(*w)) : NULL;
    if (!w)
        return NULL;
    w->done = done;
    w->arg = arg;
    LIST_INSERT_HEAD(&pm->waits, w, next);
    for (size_t i = 0; i < pm->n; i++)
        pm->list[i]->wanted = true;
    pool_plan(pm);
    return w;
}

void pool_wait_cancel(struct pool_wait *w)
{
    LIST_REMOVE(w, next);
    free(w);
}

/* Its life. */

static void on_wake(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    pool_members_wake(arg);
}

static void on_tick(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    pool_members_tick(arg);
}

struct pool_members *pool_members_new(
    struct event_base *base, const char *state_dir, const struct pool_members_ops *ops, void *arg)
{
    struct pool_members *pm = calloc(1, sizeof(*pm));
    if (!pm)
        return NULL;
    *pm = (struct pool_members){.ops = ops, .arg = arg};
    LIST_INIT(&pm->waits);
    pm->wake = evtimer_new(base, on_wake, pm);
    pm->tick = evtimer_new(base, on_tick, pm);
    if (asprintf(&pm->dir, "%s/pool", state_dir) < 0)
        pm->dir = NULL;
    if (!pm->wake || !pm->tick || !pm->dir) {
        pool_members_free(pm);
        return NULL;
    }
    file_sweep_dir(pm->dir);
    return pm;
}

void pool_members_free(struct pool_members *pm)
{
    if (!pm)
        return;
    while (!LIST_EMPTY(&pm->waits))
        pool_wait_cancel(LIST_FIRST(&pm->waits));
    for (size_t i = 0; i < pm->n; i++)
        entry_free(pm->list[i]);
    if (pm->wake)
        event_free(pm->wake);
    if (pm->tick)
        event_free(pm->tick);
    free(pm->dir);
    free(pm);
}
