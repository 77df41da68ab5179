/* SPDX-License-Identifier: Apache-2.0 */
#include "minter.h"

#include "audit.h"
#include "broker_link.h"
#include "cleanup.h"
#include "clock.h"
#include "link.h"
#include "msg.h"
#include "secret.h"
#include "token_cache.h"

#include <event2/event.h>

/* How often one order is sent: the first time, again over a new link, again after RULE_CHANGED
 * (minter and signer commit a reload within milliseconds of each other). */
#define SENDS_MAX 3
#define RULE_CHANGED_PAUSE_MS 100
/* A minter without a link asks for one this often while the signer is said to be up. */
#define ASK_EVERY_S 1
/* Longest order as a frame: four names, a user, a unit. */
#define ORDER_MAX 8192

/* One order at the signer, and all who asked for the same. */
struct order {
    TAILQ_ENTRY(order) next;
    struct token_key key;
    struct requests waiters;
    const struct request *asker; /* in whose name the signer is asked; NULL: it has gone */
    uint32_t id;                 /* on the present link; 0: not sent */
    unsigned sends;
    int64_t since_ms;  /* asked */
    int64_t ends_ms;   /* answered at the latest */
    int64_t resend_ms; /* when an unsent order is sent again; 0: with the next link */
    char *rule, *partner, *host, *user; /* copies: settings and requests may go */
    enum user_kind user_kind;
    int64_t lifetime_s;
    uint32_t uid, pid;
    char *unit;       /* "" when not known */
    uint64_t edition; /* of the settings it was judged by */
};
TAILQ_HEAD(orders, order);

struct minter {
    struct worker *w;
    struct link *signer;   /* NULL: away */
    int64_t away_since_ms; /* when it went away */
    struct cache *tokens;
    uint8_t signing_key[X5T_LEN]; /* of the tokens in there; zeros: not told yet */
    struct orders orders;
    unsigned n_orders;
    struct event *timer; /* looks at orders whose time has come */
    struct event *ask;   /* for a link */
};

/* What a wish became under the rules. */
struct judged {
    struct mint_grant grant;
    struct mint_request request;
    struct token_key key; /* owned */
    int64_t min_valid_s;
    char detail[512];
};

static struct order *order_free(struct order *o)
{
    token_key_done(&o->key);
    free(o->rule);
    free(o->partner);
    free(o->host);
    free(o->user);
    free(o->unit);
    free(o);
    return NULL;
}

static struct audit_mint audit_of(const struct request *r, const struct judged *j)
{
    return (struct audit_mint){.peer = r->peer,
        .rule = j->grant.rule ? j->grant.rule->name : NULL,
        .partner = j->grant.partner ? j->grant.partner->name : NULL,
        .host = j->grant.host,
        .user = r->wish.mint.user,
        .resource = r->wish.mint.resource};
}

static void refuse(struct worker *w, struct request *r, const struct judged *j, enum reason reason)
{
    const struct audit_mint a = audit_of(r, j);
    COUNT(worker_counters(w), mint_refusals);
    COUNT(worker_counters(w), by_reason[reason]);
    audit_mint_refused(&w->refusals, &a, reason);
    request_refuse(r, reason, 0, j->detail);
}

/* Judging. */

static int64_t min_valid_of(const struct mint_wish *wish, int64_t lifetime_s)
{
    return wish->has_min_valid ? wish->min_valid_s : lifetime_s / 2;
}

/* The rule first: a process without one learns nothing about partners. */
static enum reason judge_wish(struct worker *w, const struct request *r, struct judged *j)
{
    const struct settings *s = w->settings;
    const struct mint_wish *wish = &r->wish.mint;
    const struct partner *partner = NULL;
    struct span host = {0};
    j->grant.rule = policy_match(s, r->peer);
    if (!j->grant.rule || !(j->grant.rule->rights & RIGHT_MINT)) {
        policy_why_not(s, r->peer, RIGHT_MINT, j->detail, sizeof j->detail);
        return REASON_NOT_PERMITTED;
    }
    if (wish->has_lifetime && wish->lifetime_s <= 0)
        return REASON_LIFETIME_REFUSED;
    if (wish->has_min_valid && wish->min_valid_s < 0)
        return REASON_LIFETIME_REFUSED;
    if (wish->resource.n == 0 || wish->resource.n > WISH_TEXT_MAX)
        return REASON_NO_SUCH_PARTNER;
    enum reason reason =
        policy_resource(s, wish->resource, &partner, &host, j->detail, sizeof j->detail);
    if (reason != REASON_OK)
        return reason;
    j->grant.partner = partner;
    if (suspended_has(&w->suspended, span_of(partner->name)))
        return REASON_PARTNER_SUSPENDED;
    j->request = (struct mint_request){.rule = span_of(j->grant.rule->name),
        .partner = span_of(partner->name),
        .host = host,
        .user_kind = wish->user_kind,
        .user = wish->user,
        .lifetime_s = wish->has_lifetime ? wish->lifetime_s : 0};
    reason = policy_grant(s, &j->request, &j->grant);
    if (reason == REASON_NOT_PERMITTED)
        snprintf(j->detail, sizeof j->detail,
            "[Client %s] does not name %s in Partners=", j->grant.rule->name, partner->name);
    if (reason != REASON_OK)
        return reason;
    j->min_valid_s = min_valid_of(wish, j->grant.lifetime_s);
    return token_key_make(&j->grant, wish->user_kind, wish->user, &j->key);
}

/* Answering. */

static void answer_token(
    struct request *r, const char *partner, struct span token, int64_t expires_at)
{
    struct outcome o = {.reason = REASON_OK,
        .detail = "",
        .token = token,
        .expires_at = expires_at,
        .partner = partner};
    r->answer(r, &o);
}

static struct audit_mint audit_of_order(const struct request *r, const struct order *o)
{
    return (struct audit_mint){.peer = r->peer,
        .rule = o->rule,
        .partner = o->partner,
        .host = o->host,
        .user = span_of(o->user),
        .resource = r->wish.mint.resource};
}

static struct request *next_waiter(struct order *o)
{
    struct request *r = TAILQ_FIRST(&o->waiters);
    if (!r)
        return NULL;
    TAILQ_REMOVE(&o->waiters, r, next);
    r->waits_in = NULL;
    return r;
}

static void order_leave(struct minter *m, struct order *o)
{
    TAILQ_REMOVE(&m->orders, o, next);
    m->n_orders--;
}

/* Takes the order out of the list before anybody is answered: an answered peer may ask the same
 * again at once. */
static void order_done(struct minter *m, struct order *o, const struct msg_minted *minted)
{
    struct request *r;
    struct span token = minted->token;
    int64_t expires_at = minted->expires_at;
    order_leave(m, o);
    /* Names may mean something else since a reload; and what a key signed that has been replaced
     * meanwhile is not handed out twice. */
    if (o->edition == m->w->edition && memcmp(minted->x5t, m->signing_key, X5T_LEN) == 0)
        token_cache_put(m->tokens, &o->key, token, expires_at);
    while ((r = next_waiter(o)) != NULL) {
        const struct audit_mint a = audit_of_order(r, o);
        COUNT(worker_counters(m->w), mints);
        if (r != o->asker) { /* that one is in the signer's record */
            COUNT(worker_counters(m->w), mints_reused);
            audit_mint_reused(&a, token, expires_at);
        }
        answer_token(r, o->partner, token, expires_at);
    }
    order_free(o);
}

static void order_refused(
    struct minter *m, struct order *o, enum reason reason, unsigned retry_after_s)
{
    struct request *r;
    order_leave(m, o);
    while ((r = next_waiter(o)) != NULL) {
        const struct audit_mint a = audit_of_order(r, o);
        COUNT(worker_counters(m->w), mint_refusals);
        COUNT(worker_counters(m->w), by_reason[reason]);
        audit_mint_refused(&m->w->refusals, &a, reason);
        request_refuse(r, reason, retry_after_s, "");
    }
    order_free(o);
}

/* Orders and the signer. */

static void arm(struct minter *m)
{
    int64_t next = INT64_MAX, now = clock_mono_ms();
    const struct order *o;
    TAILQ_FOREACH (o, &m->orders, next) {
        if (o->ends_ms < next)
            next = o->ends_ms;
        if (o->id == 0 && o->resend_ms > 0 && o->resend_ms < next)
            next = o->resend_ms;
    }
    if (next == INT64_MAX) {
        (void)event_del(m->timer);
        return;
    }
    int64_t ms = next > now ? next - now : 0;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)event_add(m->timer, &tv);
}

/* False: it could not be sent, or was sent too often already. */
static bool order_send(struct minter *m, struct order *o)
{
    uint8_t room[ORDER_MAX];
    struct frame_out f;
    if (!m->signer || o->sends >= SENDS_MAX)
        return false;
    uint32_t id = link_next_id(m->signer);
    const struct msg_mint msg = {.request = {.rule = span_of(o->rule),
                                     .partner = span_of(o->partner),
                                     .host = span_of(o->host),
                                     .user_kind = o->user_kind,
                                     .user = span_of(o->user),
                                     .lifetime_s = o->lifetime_s},
        .uid = o->uid,
        .pid = o->pid,
        .unit = span_of(o->unit)};
    frame_start(&f, room, sizeof room, MSG_MINT, id);
    msg_mint_put(&f, &msg);
    if (link_send(m->signer, &f, -1) < 0)
        return false;
    o->id = id;
    o->sends++;
    o->resend_ms = 0;
    return true;
}

static struct order *order_new(const struct request *r, const struct judged *j)
{
    struct order *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    const struct span user = j->request.user;
    TAILQ_INIT(&o->waiters);
    o->rule = strdup(j->grant.rule->name);
    o->partner = strdup(j->grant.partner->name);
    o->host = strdup(j->grant.host);
    o->user = strndup(user.p ? user.p : "", user.n);
    o->unit = strdup(r->peer->unit ? r->peer->unit : "");
    o->user_kind = j->request.user_kind;
    o->lifetime_s = j->request.lifetime_s;
    o->uid = r->peer->uid;
    o->pid = (uint32_t)r->peer->pid;
    o->since_ms = clock_mono_ms();
    o->ends_ms = o->since_ms + MINTER_ANSWER_MS;
    return o->rule && o->partner && o->host && o->user && o->unit ? o : order_free(o);
}

static void order_join(struct order *o, struct request *r)
{
    r->waits_in = o;
    TAILQ_INSERT_TAIL(&o->waiters, r, next);
}

static struct order *order_find(const struct minter *m, const struct token_key *key)
{
    struct order *o;
    TAILQ_FOREACH (o, &m->orders, next)
        if (o->edition == m->w->edition && token_key_eq(&o->key, key))
            return o;
    return NULL;
}

/* Sends a new order. Without a signer it waits for one that has only just gone; the time of one
 * that has been away for longer is over already. */
static void order_start(struct worker *w, struct request *r, struct judged *j)
{
    struct minter *m = w->minter;
    struct order *o = m->n_orders < MINTER_ORDERS_MAX ? order_new(r, j) : NULL;
    if (!o) {
        refuse(w, r, j, m->n_orders < MINTER_ORDERS_MAX ? REASON_OUT_OF_MEMORY : REASON_QUOTA);
        return;
    }
    if (m->signer && !order_send(m, o)) {
        order_free(o);
        refuse(w, r, j, REASON_SIGNER_AWAY);
        return;
    }
    if (!m->signer)
        o->ends_ms = m->away_since_ms + MINTER_SIGNER_GRACE_MS;
    o->edition = w->edition;
    o->key = j->key;
    j->key = (struct token_key){0};
    bool was_empty = TAILQ_EMPTY(&m->orders);
    TAILQ_INSERT_TAIL(&m->orders, o, next);
    m->n_orders++;
    o->asker = r;
    order_join(o, r);
    /* The timer already looks at the oldest order; only an order that ends sooner must move it. */
    if (was_empty || !m->signer)
        arm(m);
}

static void judged_done(struct judged *j)
{
    token_key_done(&j->key);
}

void minter_run(struct worker *w, struct request *r)
{
    struct minter *m = w->minter;
    CLEANUP(judged_done) struct judged j = {.detail = ""};
    struct span token;
    int64_t expires_at;
    enum reason reason = judge_wish(w, r, &j);
    if (reason != REASON_OK) {
        refuse(w, r, &j, reason);
        return;
    }
    if (token_cache_find(m->tokens, &j.key, clock_wall_s(), j.min_valid_s, &token, &expires_at)) {
        const struct audit_mint a = audit_of(r, &j);
        COUNT(worker_counters(w), mints);
        COUNT(worker_counters(w), mints_reused);
        audit_mint_reused(&a, token, expires_at);
        answer_token(r, j.grant.partner->name, token, expires_at);
        return;
    }
    struct order *o = order_find(m, &j.key);
    if (o)
        order_join(o, r);
    else
        order_start(w, r, &j);
}

/* The order itself goes on: its token is kept for the next who asks. */
void minter_cancel(struct worker *w, struct request *r)
{
    (void)w;
    struct order *o = r->waits_in;
    if (!o)
        return;
    TAILQ_REMOVE(&o->waiters, r, next);
    r->waits_in = NULL;
    if (o->asker == r)
        o->asker = NULL;
}

/* Whoever waits for a token for that partner gets none; what the signer makes is dropped. */
void minter_on_suspended(struct worker *w, struct span partner)
{
    struct minter *m = w->minter;
    struct order *o = TAILQ_FIRST(&m->orders);
    while (o) {
        if (span_eq_str(partner, o->partner)) {
            order_refused(m, o, REASON_PARTNER_SUSPENDED, 0);
            o = TAILQ_FIRST(&m->orders); /* answering may have changed the list */
        } else {
            o = TAILQ_NEXT(o, next);
        }
    }
    arm(m);
}

/* Orders whose time has come: sent again, or told to come again. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct minter *m = arg;
    int64_t now = clock_mono_ms();
    struct order *o = TAILQ_FIRST(&m->orders);
    while (o) {
        bool due = now >= o->ends_ms;
        bool resend = o->id == 0 && o->resend_ms > 0 && now >= o->resend_ms;
        if (due || (resend && !order_send(m, o))) {
            order_refused(m, o, REASON_SIGNER_AWAY, 1);
            o = TAILQ_FIRST(&m->orders); /* answering may have changed the list */
        } else {
            o = TAILQ_NEXT(o, next);
        }
    }
    arm(m);
}

static struct order *order_of_id(const struct minter *m, uint32_t id)
{
    struct order *o;
    TAILQ_FOREACH (o, &m->orders, next)
        if (o->id == id && id != 0)
            return o;
    return NULL;
}

static void on_refused(struct minter *m, struct order *o, const struct msg_refused *msg)
{
    if (msg->reason == REASON_RULE_CHANGED && o->sends < SENDS_MAX) {
        o->id = 0;
        o->resend_ms = clock_mono_ms() + RULE_CHANGED_PAUSE_MS;
        arm(m);
        return;
    }
    order_refused(m, o, msg->reason, msg->retry_after_s);
}

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    (void)fd;
    struct minter *m = arg;
    struct msg_minted minted;
    struct msg_refused refused;
    struct order *o = order_of_id(m, f->id);
    if (!o)
        link_drop(l, "answer to an unknown order");
    else if (f->type == MSG_MINTED && msg_minted_get(f, &minted))
        order_done(m, o, &minted);
    else if (f->type == MSG_REFUSED && msg_refused_get(f, &refused) && refused.reason != REASON_OK)
        on_refused(m, o, &refused);
    else
        link_drop(l, "not an answer to an order");
}

static void ask_later(struct minter *m)
{
    const struct timeval wait = {.tv_sec = ASK_EVERY_S};
    (void)event_add(m->ask, &wait);
}

/* What was under way goes out again over the next link, if that comes in time. */
static void signer_lost(struct minter *m)
{
    struct order *o;
    if (m->signer)
        m->away_since_ms = clock_mono_ms();
    link_free(TAKE(m->signer));
    int64_t wait_ends_ms = m->away_since_ms + MINTER_SIGNER_GRACE_MS;
    TAILQ_FOREACH (o, &m->orders, next) {
        o->id = 0;
        o->resend_ms = 0;
        if (o->ends_ms > wait_ends_ms)
            o->ends_ms = wait_ends_ms;
    }
    arm(m);
    ask_later(m);
}

/* The broker sends a link with each coming of the signer. Should that one get lost, or the broker
 * have had no descriptor for it, nobody else would notice. */
static void on_ask(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct minter *m = arg;
    if (m->signer || m->w->leaving)
        return;
    if (m->w->may_mint)
        broker_link_ask_signer(m->w->broker);
    ask_later(m);
}

static void on_link_closed(struct link *l, void *arg)
{
    (void)l;
    signer_lost(arg);
}

void minter_on_signer_link(struct worker *w, int fd)
{
    struct minter *m = w->minter;
    signer_lost(m);
    if (fd < 0)
        return;
    m->signer = link_new(w->base, fd, on_frame, on_link_closed, m);
    if (!m->signer)
        return;
    (void)event_del(m->ask);
    int64_t now = clock_mono_ms();
    struct order *o;
    TAILQ_FOREACH (o, &m->orders, next) {
        o->ends_ms = o->since_ms + MINTER_ANSWER_MS;
        if (!order_send(m, o))
            o->resend_ms = now; /* the timer tells its waiters */
    }
    arm(m);
}

bool minter_has_signer(const struct minter *m)
{
    return m->signer != NULL;
}

void minter_on_signing_key(struct worker *w, const uint8_t x5t[X5T_LEN])
{
    struct minter *m = w->minter;
    if (memcmp(m->signing_key, x5t, X5T_LEN) == 0)
        return;
    memcpy(m->signing_key, x5t, X5T_LEN);
    cache_clear(m->tokens);
}

void minter_on_commit(struct worker *w)
{
    struct minter *m = w->minter;
    struct cache *fresh = token_cache_new(w->settings->limits.token_cache);
    if (!fresh) {
        cache_clear(m->tokens);
        return;
    }
    cache_free(m->tokens);
    m->tokens = fresh;
}

size_t minter_waiting(const struct minter *m)
{
    const struct order *o;
    const struct request *r;
    size_t n = 0;
    TAILQ_FOREACH (o, &m->orders, next)
        TAILQ_FOREACH (r, &o->waiters, next)
            n++;
    return n;
}

struct minter *minter_new(struct worker *w)
{
    struct minter *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->w = w;
    m->away_since_ms = clock_mono_ms();
    TAILQ_INIT(&m->orders);
    m->tokens = token_cache_new(w->settings->limits.token_cache);
    m->timer = event_new(w->base, -1, 0, on_timer, m);
    m->ask = event_new(w->base, -1, 0, on_ask, m);
    if (m->tokens && m->timer && m->ask)
        return m;
    minter_free(m);
    return NULL;
}

void minter_free(struct minter *m)
{
    if (!m)
        return;
    link_free(m->signer);
    while (!TAILQ_EMPTY(&m->orders)) {
        struct order *o = TAILQ_FIRST(&m->orders);
        TAILQ_REMOVE(&m->orders, o, next);
        order_free(o);
    }
    cache_free(m->tokens);
    if (m->timer)
        event_free(m->timer);
    if (m->ask)
        event_free(m->ask);
    free(m);
}
