/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures about ourselves: who fetches, and what our document holds. The broker says what for;
 * the claims are composed here, from what this program knows. */
#include "announce.h"
#include "audit.h"
#include "cleanup.h"
#include "clock.h"
#include "document_claims.h"
#include "jws.h"
#include "log.h"
#include "ring_link.h"

#include <errno.h>

static void answer(struct ring_link *r, uint32_t id, const struct msg_signed *m)
{
    static uint8_t room[JWS_TOKEN_MAX + 1024];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_SIGNED, id);
    msg_signed_put(&f, m);
    ring_link_send(r, &f);
}

static void refuse(struct ring_link *r, uint32_t id, enum reason reason, const char *detail)
{
    struct msg_signed m = {.reason = reason, .detail = span_of(detail)};
    r->signer->seals_refused++;
    answer(r, id, &m);
}

static bool has_url(const struct partner *p, struct span url)
{
    for (size_t i = 0; i < p->metadata_urls.n; i++)
        if (span_eq_str(url, p->metadata_urls.list[i]))
            return true;
    return false;
}

/* Only to those who are told in the configuration, and at their own address: nobody else can make
 * anything of our word. */
static enum reason compose_announcement(
    struct signer *s, const struct msg_sign *m, struct buf *claims, int64_t *ret_expires_at)
{
    const struct partner *p = settings_partner(s->settings, m->partner);
    struct announcement a = {.identity = &s->settings->identity,
        .url = m->url,
        .trusts = m->x5t,
        .n_trusts = m->n,
        .now = clock_wall_s()};
    if (!p || !p->enabled || !p->announce || !has_url(p, m->url))
        return REASON_SIGN_REFUSED;
    return announce_compose(&a, claims, ret_expires_at);
}

static enum reason compose_document(struct signer *s, struct buf *claims, int64_t *ret_expires_at)
{
    struct document_claims d = {
        .identity = &s->settings->identity, .ring = &s->keys.ring, .now = clock_wall_s()};
    if (!s->settings->metadata.is_signed)
        return REASON_SIGN_REFUSED;
    int r = own_keys_sequence(&s->keys, d.now, &d.sequence);
    if (r < 0) {
        log_err("cannot write %s/%s: %s", s->options->state_dir, OWN_KEYS_SEQUENCE, strerror(-r));
        return REASON_INTERNAL;
    }
    return document_claims_compose(&d, claims, ret_expires_at);
}

static bool is_too_much(struct ring_link *r)
{
    int64_t second = clock_mono_ms() / 1000;
    if (r->seals_second != second) {
        r->seals_second = second;
        r->seals_taken = 0;
    }
    return r->n_seals >= SIGNER_SEALS_PER_LINK || r->seals_taken++ >= SIGNER_SEALS_PER_S;
}

static enum reason push(
    struct ring_link *r, uint32_t id, const struct msg_sign *m, const struct msg_seal *seal)
{
    struct order *o = order_new_seal(seal, m->partner);
    if (!o)
        return REASON_OUT_OF_MEMORY;
    o->owner = r;
    o->reply_id = id;
    if (!pool_push(r->signer->pool, o)) {
        order_free(o);
        return REASON_QUOTA;
    }
    r->n_seals++;
    return REASON_OK;
}

void sign_order_take(struct ring_link *r, uint32_t id, const struct msg_sign *m)
{
    struct signer *s = r->signer;
    CLEANUP(buf_done) struct buf claims = BUF_INIT(JWS_CLAIMS_MAX);
    struct msg_seal seal = {.kind = m->kind};
    if (s->is_stopping || is_too_much(r)) {
        refuse(r, id, s->is_stopping ? REASON_SIGNER_AWAY : REASON_QUOTA, "");
        return;
    }
    enum reason reason = m->kind == SIGN_ANNOUNCE
                             ? compose_announcement(s, m, &claims, &seal.expires_at)
                             : compose_document(s, &claims, &seal.expires_at);
    seal.claims = buf_span(&claims);
    if (reason == REASON_OK)
        reason = push(r, id, m, &seal);
    if (reason != REASON_OK)
        refuse(r, id, reason, reason_sentence(reason));
}

/* Audit=required: no record, no token. */
static bool record(
    struct signer *s, const struct order *o, const struct msg_minted *minted, const char *kid)
{
    struct audit_seal a = {.kind = o->seal.kind,
        .partner = o->asked.request.partner,
        .kid = kid,
        .token = minted->token,
        .expires_at = minted->expires_at};
    int r = audit_seal(&a);
    if (r == 0)
        return true;
    log_err("the audit record of a signature could not be written: %s", strerror(-r));
    return s->settings->signing_key.audit != AUDIT_REQUIRED;
}

void ring_link_sealed(const struct order *o, const struct msg_minted *minted, const char *kid,
    const struct msg_refused *refused, void *signer)
{
    struct signer *s = signer;
    struct ring_link *r = o->owner;
    r->n_seals--;
    if (refused) {
        refuse(r, o->reply_id, refused->reason, reason_sentence(refused->reason));
    } else if (!record(s, o, minted, kid)) {
        refuse(r, o->reply_id, REASON_AUDIT_FAILED, reason_sentence(REASON_AUDIT_FAILED));
    } else {
        struct msg_signed m = {.token = minted->token, .expires_at = minted->expires_at};
        answer(r, o->reply_id, &m);
    }
    signer_stop_when_idle(s);
}
