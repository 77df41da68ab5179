/* SPDX-License-Identifier: Apache-2.0 */
#include "hints.h"

#include "broker_link.h"
#include "cleanup.h"
#include "clock.h"

/* A key id that the partner's newest document did not cure. */
struct negative {
    uint8_t key_id[X5T_LEN];
    int64_t until_ms;
};

/* One partner with an unknown key. */
struct hint {
    LIST_ENTRY(hint) next;
    struct hints *all;
    char *partner;
    struct requests waiters; /* oldest first */
    unsigned n_waiters;
    struct event *timer;       /* ends the wait */
    bool asked;                /* the broker has not answered yet, and somebody may wait */
    uint8_t asked_id[X5T_LEN]; /* what the last question was about */
    int64_t quiet_until_ms;
    uint64_t generation; /* of the keys when negative was last empty */
    struct negative negative[HINT_NEGATIVE_MAX];
    unsigned n_negative; /* ever: the next goes to this place, modulo */
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

/* Which keys count for the partner now; 0: nothing is known. */
static uint64_t generation_of(const struct hint *hint)
{
    const struct partner_trust *t = store_get(hint->all->w->store, span_of(hint->partner));
    return t ? t->generation : 0;
}

static void forget(struct hint *hint)
{
    hint->quiet_until_ms = 0;
    hint->n_negative = 0;
    hint->generation = generation_of(hint);
}

static bool is_negative(const struct hint *hint, const uint8_t key_id[X5T_LEN], int64_t now_ms)
{
    for (unsigned i = 0; i < hint->n_negative && i < HINT_NEGATIVE_MAX; i++)
        if (hint->negative[i].until_ms > now_ms &&
            memcmp(hint->negative[i].key_id, key_id, X5T_LEN) == 0)
            return true;
    return false;
}

static void remember(struct hint *hint, const uint8_t key_id[X5T_LEN], int64_t now_ms)
{
    if (is_negative(hint, key_id, now_ms))
        return;
    struct negative *n = &hint->negative[hint->n_negative++ % HINT_NEGATIVE_MAX];
    n->until_ms = now_ms + HINT_NEGATIVE_MS;
    memcpy(n->key_id, key_id, X5T_LEN);
    if (hint->n_negative == 2 * HINT_NEGATIVE_MAX) /* all places are taken: that is all it says */
        hint->n_negative = HINT_NEGATIVE_MAX;
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
    judge_waiters(hint, true);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct hint *hint = arg;
    hint->quiet_until_ms = clock_mono_ms() + HINT_QUIET_MS;
    end_question(hint);
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
    if (hint->partner && hint->timer) {
        forget(hint);
        return hint;
    }
    hint_free(hint);
    return NULL;
}

/* Asks the broker, once for all who wait. */
static bool ask(struct hint *hint, const struct token_checked *v)
{
    const struct timeval limit = {.tv_sec = HINT_WAIT_MS / 1000};
    struct msg_hint m = {.partner = span_of(hint->partner),
        .kind = v->reason == REASON_UNKNOWN_KEY ? HINT_UNKNOWN_KEY : HINT_SIGNATURE};
    if (hint->asked)
        return true;
    memcpy(m.key_id, v->key_id, X5T_LEN);
    if (!broker_link_hint(hint->all->w->broker, &m) || event_add(hint->timer, &limit) < 0)
        return false;
    memcpy(hint->asked_id, v->key_id, X5T_LEN);
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

/* Why `r` cannot wait, and counts it; REASON_OK: it can. */
static enum reason why_not(
    const struct hints *h, const struct hint *hint, const struct request *r, const uint8_t *key_id)
{
    struct counters *c = worker_counters(h->w);
    unsigned limit = h->w->settings->limits.waiters;
    int64_t now_ms = clock_mono_ms();
    if (is_negative(hint, key_id, now_ms)) {
        COUNT(c, hints_negative);
        return REASON_UNKNOWN_KEY;
    }
    if (!hint->asked && now_ms < hint->quiet_until_ms) {
        COUNT(c, hints_quiet);
        return REASON_UNKNOWN_KEY;
    }
    if (hint->n_waiters < limit && waiting_of(h, r->peer->uid) < limit)
        return REASON_OK;
    COUNT(c, hints_no_room);
    return REASON_QUOTA;
}

enum reason hints_park(struct hints *h, struct request *r, const struct token_checked *v)
{
    struct span partner = span_of(v->partner->name);
    if (!v->worth_fetching) {
        COUNT(worker_counters(h->w), hints_hopeless);
        return REASON_UNKNOWN_KEY;
    }
    struct hint *hint = hint_find(h, partner);
    if (!hint)
        hint = hint_new(h, partner);
    if (!hint)
        return REASON_OUT_OF_MEMORY;
    enum reason reason = why_not(h, hint, r, v->key_id);
    if (reason != REASON_OK)
        return reason;
    if (!ask(hint, v))
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

void hints_on_trust(struct hints *h, struct span partner)
{
    struct hint *hint = hint_find(h, partner);
    if (!hint)
        return;
    if (generation_of(hint) != hint->generation)
        forget(hint);
    judge_waiters(hint, false);
}

void hints_on_done(struct hints *h, const struct msg_hint_done *m)
{
    struct hint *hint = hint_find(h, m->partner);
    int64_t now_ms = clock_mono_ms();
    if (!hint)
        return;
    if (m->fetched)
        remember(hint, hint->asked_id, now_ms);
    hint->quiet_until_ms = now_ms + m->quiet_ms;
    end_question(hint);
}

void hints_wake_all(struct hints *h)
{
    struct hint *hint;
    LIST_FOREACH (hint, &h->list, next) {
        end_question(hint);
        forget(hint);
    }
    /* Partners that left the configuration leave nothing behind. */
    for (hint = LIST_FIRST(&h->list); hint;) {
        struct hint *idle = hint;
        hint = LIST_NEXT(hint, next);
        if (idle->n_waiters == 0 && !idle->asked)
            hint_free(idle);
    }
}
