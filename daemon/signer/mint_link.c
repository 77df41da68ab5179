/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"
#include "cleanup.h"
#include "clock.h"
#include "jws.h"
#include "log.h"
#include "signer.h"

#include <inttypes.h>

/* Refusals are rare, the minter has asked the same rules before, and so are lost records; when they
 * come in numbers one line a second is enough. */
#define REFUSAL_LOG_MS 1000

struct mint_link {
    LIST_ENTRY(mint_link) next;
    struct signer *signer;
    struct link *link;
    unsigned n_orders; /* waiting or in flight */
    int64_t refusal_logged_ms;
};

static void mint_link_free(struct mint_link *m)
{
    LIST_REMOVE(m, next);
    pool_forget(m->signer->pool, m);
    link_free(m->link);
    free(m);
}

static void answer_refused(struct mint_link *m, uint32_t id, const struct msg_refused *refused)
{
    uint8_t room[1024];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_REFUSED, id);
    msg_refused_put(&f, refused);
    if (link_send(m->link, &f, -1) < 0)
        link_drop(m->link, "answer could not be sent");
}

static void refuse(struct mint_link *m, uint32_t id, enum reason reason, unsigned retry_after_s)
{
    struct msg_refused refused = {.reason = reason, .retry_after_s = retry_after_s};
    answer_refused(m, id, &refused);
}

static bool is_time_to_log(int64_t *last_ms)
{
    int64_t now = clock_mono_ms();
    if (*last_ms && now - *last_ms < REFUSAL_LOG_MS)
        return false;
    *last_ms = now;
    return true;
}

/* The minter has let through what we do not: its configuration is older, or it is not itself any
 * more. */
static void log_refusal(struct mint_link *m, const struct msg_mint *asked, enum reason reason)
{
    char rule[128], partner[128];
    if (!is_time_to_log(&m->refusal_logged_ms))
        return;
    log_warning("refused to sign for partner %s under rule %s, asked by uid %" PRIu32
                " process %" PRIu32 ": %s",
        log_safe(asked->request.partner, partner, sizeof(partner)),
        log_safe(asked->request.rule, rule, sizeof(rule)), asked->uid, asked->pid,
        reason_sentence(reason));
}

/* The ladder of an order: what the minter says is only that the rule fits the peer; all else is
 * checked again here. */
static enum reason judge(struct mint_link *m, const struct msg_mint *asked, struct mint_grant *ret)
{
    struct signer *s = m->signer;
    if (s->is_stopping)
        return REASON_SIGNER_AWAY;
    if (m->n_orders >= SIGNER_ORDERS_PER_LINK)
        return REASON_QUOTA;
    enum reason r = policy_grant(s->settings, &asked->request, ret);
    if (r != REASON_OK) {
        log_refusal(m, asked, r);
        return r;
    }
    return rate_take(s->rate, ret->rule, clock_mono_ms()) ? REASON_OK : REASON_QUOTA;
}

static unsigned retry_after(enum reason r)
{
    return r == REASON_QUOTA || r == REASON_SIGNER_AWAY || r == REASON_RULE_CHANGED;
}

static void take_order(struct mint_link *m, uint32_t id, const struct msg_mint *asked)
{
    struct mint_grant grant;
    enum reason r = judge(m, asked, &grant);
    if (r != REASON_OK) {
        refuse(m, id, r, retry_after(r));
        return;
    }
    struct order *o = order_new(asked, span_of(grant.host), grant.lifetime_s);
    if (!o) {
        refuse(m, id, REASON_OUT_OF_MEMORY, 1);
        return;
    }
    o->owner = m;
    o->reply_id = id;
    own_keys_signed(&m->signer->keys, clock_wall_s() + grant.lifetime_s + SIGNER_ORDER_LATE_S);
    if (!pool_push(m->signer->pool, o)) {
        order_free(o);
        refuse(m, id, REASON_QUOTA, 1);
        return;
    }
    m->n_orders++;
}

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct mint_link *m = arg;
    struct msg_mint asked;
    if (f->type != MSG_MINT) {
        link_drop(l, "not an order");
        return;
    }
    /* A descriptor has no business here: the link closes it, the order is refused. */
    if (*fd >= 0 || !msg_mint_get(f, &asked)) {
        refuse(m, f->id, REASON_INVALID_REQUEST, 0);
        return;
    }
    take_order(m, f->id, &asked);
}

static void on_closed(struct link *l, void *arg)
{
    struct mint_link *m = arg;
    struct signer *s = m->signer;
    (void)l;
    mint_link_free(m);
    signer_stop_when_idle(s);
}

static unsigned count_links(const struct signer *s)
{
    unsigned n = 0;
    const struct mint_link *m;
    LIST_FOREACH (m, &s->mint_links, next)
        n++;
    return n;
}

void mint_link_accept(int fd, void *signer)
{
    struct signer *s = signer;
    CLEANUP(closep) int peer = fd;
    if (count_links(s) >= SIGNER_MINT_LINKS_MAX) {
        log_warning("more than %d minters: connection closed", SIGNER_MINT_LINKS_MAX);
        return;
    }
    struct mint_link *m = calloc(1, sizeof(*m));
    if (!m)
        return;
    m->signer = s;
    m->link = link_new(s->base, TAKE_FD(peer), on_frame, on_closed, m);
    if (!m->link) {
        free(m);
        return;
    }
    LIST_INSERT_HEAD(&s->mint_links, m, next);
}

/* Audit=required: no record, no token. */
static bool record(
    struct signer *s, const struct order *o, const struct msg_minted *minted, const char *kid)
{
    struct audit_signature a = {.asked = &o->asked,
        .host = o->host,
        .lifetime_s = o->lifetime_s,
        .kid = kid,
        .token = minted->token,
        .expires_at = minted->expires_at};
    int r = audit_signature(&a);
    if (r == 0)
        return true;
    if (is_time_to_log(&s->audit_complained_ms))
        log_err("the audit record of a signature could not be written: %s", strerror(-r));
    return s->settings->signing_key.audit != AUDIT_REQUIRED;
}

void mint_link_done(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *signer)
{
    struct signer *s = signer;
    struct mint_link *m = o->owner;
    uint8_t room[JWS_TOKEN_MAX + 256];
    struct frame_out f;
    m->n_orders--;
    if (refused) {
        answer_refused(m, o->reply_id, refused);
    } else if (!record(s, o, minted, kid)) {
        refuse(m, o->reply_id, REASON_AUDIT_FAILED, 1);
    } else {
        frame_start(&f, room, sizeof(room), MSG_MINTED, o->reply_id);
        msg_minted_put(&f, minted);
        if (link_send(m->link, &f, -1) < 0)
            link_drop(m->link, "answer could not be sent");
    }
    signer_stop_when_idle(s);
}

void mint_links_close(struct signer *s)
{
    while (!LIST_EMPTY(&s->mint_links))
        mint_link_free(LIST_FIRST(&s->mint_links));
}
