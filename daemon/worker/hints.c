/* SPDX-License-Identifier: Apache-2.0 */
#include "hints.h"

#include "broker_link.h"
#include "cleanup.h"
#include "clock.h"

/* One partner with an unknown key. */
struct hint {
    LIST_ENTRY(hint) next;
    struct hints *all;
    char *partner;
    struct requests waiters; /* oldest first */
    unsigned n_waiters;
    struct event *timer; /* ends the wait */
    bool asked;          /* the broker has not answered yet */
    int64_t quiet_until_ms;
};

struct hints {
    struct worker *w;
    hints_judge_fn *judge;
    LIST_HEAD(, hint) list; /* at most one for each configured partner */
};

struct hints *hints_new(struct worker *w, hints_judge_fn *judge)
{
    struct hints *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->w = w;
    h->judge = judge;
    LIST_INIT(&h->list);
    return h;
}

static void hint_free(struct hint *hint)
{
    LIST_REMOVE(hint, next);
    if (hint->timer)
        event_free(hint->timer);
    free(hint->partner);
    free(hint);
}

void hints_free(struct hints *h)
{
    if (!h)
        return;
    while (!LIST_EMPTY(&h->list))
        hint_free(LIST_FIRST(&h->list));
    free(h);
}

static struct hint *hint_find(const struct hints *h, struct span partner)
{
    struct hint *hint;
    LIST_FOREACH (hint, &h->list, next)
        if (span_eq_str(partner, hint->partner))
            return hint;
    return NULL;
}

static void unpark(struct request *r)
{
    struct hint *hint = r->waits_in;
    TAILQ_REMOVE(&hint->waiters, r, next);
    hint->n_waiters--;
    r->waits_in = NULL;
}

/* Each waiter once. Answering one may close its connection or bring its next request, which would
 * wait at the end of the same list: the marker tells where this round ends. */
static void judge_waiters(struct hint *hint, bool last)
{
    struct hints *h = hint->all;
    for (unsigned n = hint->n_waiters; n > 0 && !TAILQ_EMPTY(&hint->waiters); n--) {
        struct request *r = TAILQ_FIRST(&hint->waiters);
        unpark(r);
        if (h->judge(h->w, r, last))
            continue;
        r->waits_in = hint;
        TAILQ_INSERT_TAIL(&hint->waiters, r, next);
        hint->n_waiters++;
    }
}

static void end_question(struct hint *hint)
{
    (void)event_del(hint->timer);
    hint->asked = false;
    hint->quiet_until_ms = clock_mono_ms() + HINT_QUIET_MS;
    judge_waiters(hint, true);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_question(arg);
}

static struct hint *hint_new(struct hints *h, struct span partner)
{
    struct hint *hint = calloc(1, sizeof *hint);
    if (!hint)
        return NULL;
    hint->all = h;
    TAILQ_INIT(&hint->waiters);
    LIST_INSERT_HEAD(&h->list, hint, next);
    hint->partner = strndup(partner.p, partner.n);
    hint->timer = event_new(h->w->base, -1, 0, on_waited, hint);
    if (hint->partner && hint->timer)
        return hint;
    hint_free(hint);
    return NULL;
}

/* Asks the broker, once for all who wait. */
static bool ask(struct hint *hint, const uint8_t x5t[X5T_LEN])
{
    const struct timeval limit = {.tv_sec = HINT_WAIT_MS / 1000};
    if (hint->asked)
        return true;
    if (!broker_link_hint(hint->all->w->broker, span_of(hint->partner), x5t) ||
        event_add(hint->timer, &limit) < 0)
        return false;
    COUNT(worker_counters(hint->all->w), hints);
    hint->asked = true;
    return true;
}

static unsigned waiting_of(const struct hints *h, uid_t uid)
{
    unsigned n = 0;
    const struct hint *hint;
    const struct request *r;
    LIST_FOREACH (hint, &h->list, next)
        TAILQ_FOREACH (r, &hint->waiters, next)
            n += r->peer->uid == uid;
    return n;
}

enum reason hints_park(
    struct hints *h, struct request *r, struct span partner, const uint8_t x5t[X5T_LEN])
{
    unsigned limit = h->w->settings->limits.waiters;
    struct hint *hint = hint_find(h, partner);
    if (!hint)
        hint = hint_new(h, partner);
    if (!hint)
        return REASON_OUT_OF_MEMORY;
    if (!hint->asked && clock_mono_ms() < hint->quiet_until_ms)
        return REASON_UNKNOWN_KEY;
    if (hint->n_waiters >= limit || waiting_of(h, r->peer->uid) >= limit)
        return REASON_QUOTA;
    if (!ask(hint, x5t))
        return REASON_OUT_OF_MEMORY;
    r->waits_in = hint;
    TAILQ_INSERT_TAIL(&hint->waiters, r, next);
    hint->n_waiters++;
    return REASON_OK;
}

void hints_cancel(struct hints *h, struct request *r)
{
    (void)h;
    if (r->waits_in)
        unpark(r);
}

void hints_wake(struct hints *h, struct span partner, bool last)
{
    struct hint *hint = hint_find(h, partner);
    if (hint && last)
        end_question(hint);
    else if (hint)
        judge_waiters(hint, false);
}

void hints_wake_all(struct hints *h)
{
    struct hint *hint;
    LIST_FOREACH (hint, &h->list, next)
        end_question(hint);
    /* Partners that left the configuration leave nothing behind. */
    for (hint = LIST_FIRST(&h->list); hint;) {
        struct hint *idle = hint;
        hint = LIST_NEXT(hint, next);
        if (idle->n_waiters == 0 && !idle->asked)
            hint_free(idle);
    }
}
