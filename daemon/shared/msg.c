/* SPDX-License-Identifier: Apache-2.0 */
#include "msg.h"

/* A truth is exactly 0 or 1; anything else fails the frame. */
static bool get_bool(struct frame_in *f)
{
    uint8_t v = frame_u8(f);
    if (v > 1)
        f->failed = true;
    return v == 1;
}

static enum reason get_reason(struct frame_in *f)
{
    uint32_t v = frame_u32(f);
    if (v >= REASON_COUNT) {
        f->failed = true;
        return REASON_INTERNAL;
    }
    return (enum reason)v;
}

/* Exactly n bytes, copied. */
static void get_bytes(struct frame_in *f, void *out, size_t n)
{
    struct span s = frame_span(f);
    if (s.n == n)
        memcpy(out, s.p, n);
    else
        f->failed = true;
}

/* True for a whole frame of that type, read to its end. */
static bool done(const struct frame_in *f, enum msg_type type)
{
    return f->type == type && frame_end(f);
}

void msg_ring_put(
    struct frame_out *f, const unsigned char digest[MSG_DIGEST], const struct keyring *ring)
{
    frame_put_span(f, span_bytes(digest, MSG_DIGEST));
    keyring_put(f, ring);
}

bool msg_ring_get(struct frame_in *f, unsigned char ret_digest[MSG_DIGEST], struct keyring *ret)
{
    struct keyring ring = {0};
    get_bytes(f, ret_digest, MSG_DIGEST);
    if (f->failed || keyring_get(f, &ring) != REASON_OK)
        return false;
    if (!done(f, MSG_RING)) {
        keyring_done(&ring);
        return false;
    }
    *ret = ring;
    return true;
}

void msg_hold_put(struct frame_out *f, const struct msg_hold *m)
{
    frame_put_span(f, span_bytes(m->x5t_s256, sizeof(m->x5t_s256)));
    frame_put_u8(f, m->held);
    frame_put_span(f, m->why);
}

bool msg_hold_get(struct frame_in *f, struct msg_hold *m)
{
    get_bytes(f, m->x5t_s256, sizeof(m->x5t_s256));
    m->held = get_bool(f);
    m->why = frame_span(f);
    return done(f, MSG_RING_HOLD);
}

void msg_roll_put(struct frame_out *f, const struct msg_roll *m)
{
    frame_put_u8(f, (uint8_t)m->op);
    frame_put_i64(f, m->effective_at);
    frame_put_u8(f, m->force);
    frame_put_u8(f, m->dry_run);
    frame_put_span(f, span_bytes(m->x5t, sizeof(m->x5t)));
    frame_put_span(f, m->who);
}

bool msg_roll_get(struct frame_in *f, struct msg_roll *m)
{
    uint8_t op = frame_u8(f);
    m->op = op <= ROLL_CLEAR_PREVIOUS ? (enum roll_op)op : ROLL_PREPARE;
    m->effective_at = frame_i64(f);
    m->force = get_bool(f);
    m->dry_run = get_bool(f);
    get_bytes(f, m->x5t, sizeof(m->x5t));
    m->who = frame_span(f);
    return done(f, MSG_ROLL) && op <= ROLL_CLEAR_PREVIOUS && m->effective_at >= 0;
}

void msg_rolled_put(struct frame_out *f, const struct msg_rolled *m)
{
    frame_put_u32(f, m->reason);
    frame_put_span(f, m->detail);
    frame_put_u64(f, m->generation);
}

bool msg_rolled_get(struct frame_in *f, struct msg_rolled *m)
{
    m->reason = get_reason(f);
    m->detail = frame_span(f);
    m->generation = frame_u64(f);
    return done(f, MSG_ROLLED) && m->detail.n <= MSG_ROLLED_DETAIL_MAX;
}

void msg_sign_put(struct frame_out *f, const struct msg_sign *m)
{
    frame_put_u8(f, (uint8_t)m->kind);
    frame_put_span(f, m->partner);
    frame_put_span(f, m->url);
    if (m->n > MSG_SIGN_KEYS_MAX) {
        f->failed = true;
        return;
    }
    frame_put_u32(f, m->n);
    for (uint32_t i = 0; i < m->n; i++)
        frame_put_span(f, span_bytes(m->x5t[i], sizeof(m->x5t[i])));
}

/* What belongs to one kind only is not there with the other. */
static bool sign_is_whole(const struct msg_sign *m, uint8_t kind)
{
    if (kind == SIGN_DOCUMENT)
        return m->partner.n == 0 && m->url.n == 0 && m->n == 0;
    return kind == SIGN_ANNOUNCE && m->partner.n > 0 && m->url.n > 0;
}

bool msg_sign_get(struct frame_in *f, struct msg_sign *m)
{
    uint8_t kind = frame_u8(f);
    m->kind = kind == SIGN_DOCUMENT ? SIGN_DOCUMENT : SIGN_ANNOUNCE;
    m->partner = frame_span(f);
    m->url = frame_span(f);
    m->n = frame_u32(f);
    if (m->n > MSG_SIGN_KEYS_MAX)
        return false;
    for (uint32_t i = 0; i < m->n; i++)
        get_bytes(f, m->x5t[i], sizeof(m->x5t[i]));
    return done(f, MSG_SIGN) && sign_is_whole(m, kind);
}

void msg_signed_put(struct frame_out *f, const struct msg_signed *m)
{
    frame_put_u32(f, m->reason);
    frame_put_span(f, m->token);
    frame_put_i64(f, m->expires_at);
    frame_put_span(f, m->detail);
}

bool msg_signed_get(struct frame_in *f, struct msg_signed *m)
{
    m->reason = get_reason(f);
    m->token = frame_span(f);
    m->expires_at = frame_i64(f);
    m->detail = frame_span(f);
    return done(f, MSG_SIGNED) && (m->reason == REASON_OK) == (m->token.n > 0);
}

void msg_seal_put(struct frame_out *f, const struct msg_seal *m)
{
    frame_put_u8(f, (uint8_t)m->kind);
    frame_put_span(f, m->claims);
    frame_put_i64(f, m->expires_at);
}

bool msg_seal_get(struct frame_in *f, struct msg_seal *m)
{
    uint8_t kind = frame_u8(f);
    m->kind = kind == SIGN_DOCUMENT ? SIGN_DOCUMENT : SIGN_ANNOUNCE;
    m->claims = frame_span(f);
    m->expires_at = frame_i64(f);
    return done(f, MSG_SEAL) && kind <= SIGN_DOCUMENT && m->claims.n > 0;
}

void msg_config_put(struct frame_out *f, const struct msg_config *m)
{
    frame_put_u8(f, m->ok);
    frame_put_span(f, span_bytes(m->digest, sizeof(m->digest)));
    frame_put_span(f, m->errors);
}

bool msg_config_get(struct frame_in *f, struct msg_config *m)
{
    m->ok = get_bool(f);
    get_bytes(f, m->digest, sizeof(m->digest));
    m->errors = frame_span(f);
    return done(f, MSG_CONFIG_READY) && m->errors.n <= MSG_CONFIG_ERRORS_MAX;
}

void msg_mint_put(struct frame_out *f, const struct msg_mint *m)
{
    const struct mint_request *r = &m->request;
    frame_put_span(f, r->rule);
    frame_put_span(f, r->partner);
    frame_put_span(f, r->host);
    frame_put_u8(f, (uint8_t)r->user_kind);
    frame_put_span(f, r->user);
    frame_put_i64(f, r->lifetime_s);
    frame_put_u32(f, m->uid);
    frame_put_u32(f, m->pid);
    frame_put_span(f, m->unit);
}

bool msg_mint_get(struct frame_in *f, struct msg_mint *m)
{
    struct mint_request *r = &m->request;
    r->rule = frame_span(f);
    r->partner = frame_span(f);
    r->host = frame_span(f);
    uint8_t kind = frame_u8(f);
    r->user_kind = kind <= USER_SIP ? (enum user_kind)kind : USER_NONE;
    r->user = frame_span(f);
    r->lifetime_s = frame_i64(f);
    m->uid = frame_u32(f);
    m->pid = frame_u32(f);
    m->unit = frame_span(f);
    /* A user without a kind, or a kind without a user, would be judged as something else than it
     * says. */
    return done(f, MSG_MINT) && kind <= USER_SIP && (kind == USER_NONE) == (r->user.n == 0);
}

void msg_minted_put(struct frame_out *f, const struct msg_minted *m)
{
    frame_put_span(f, m->token);
    frame_put_i64(f, m->expires_at);
    frame_put_span(f, span_bytes(m->x5t, sizeof(m->x5t)));
}

bool msg_minted_get(struct frame_in *f, struct msg_minted *m)
{
    m->token = frame_span(f);
    m->expires_at = frame_i64(f);
    get_bytes(f, m->x5t, sizeof(m->x5t));
    return done(f, MSG_MINTED) && m->token.n > 0;
}

void msg_refused_put(struct frame_out *f, const struct msg_refused *m)
{
    frame_put_u32(f, m->reason);
    frame_put_u32(f, m->retry_after_s);
    frame_put_span(f, m->detail);
}

bool msg_refused_get(struct frame_in *f, struct msg_refused *m)
{
    m->reason = get_reason(f);
    m->retry_after_s = frame_u32(f);
    m->detail = frame_span(f);
    return done(f, MSG_REFUSED) && m->reason != REASON_OK;
}

void msg_fetch_put(struct frame_out *f, const struct msg_fetch *m)
{
    frame_put_span(f, m->url);
    frame_put_span(f, m->ca_file);
    frame_put_span(f, m->etag);
    frame_put_span(f, m->last_modified);
    if (m->n_pins > MSG_PINS_MAX) {
        f->failed = true;
        return;
    }
    frame_put_u32(f, m->n_pins);
    for (uint32_t i = 0; i < m->n_pins; i++)
        frame_put_span(f, m->pins[i]);
    frame_put_u8(f, m->public_addresses_only);
    frame_put_u32(f, m->timeout_ms);
    frame_put_u32(f, m->connect_timeout_ms);
    frame_put_u32(f, m->max_bytes);
    frame_put_span(f, m->announce);
}

bool msg_fetch_get(struct frame_in *f, struct msg_fetch *m)
{
    m->url = frame_span(f);
    m->ca_file = frame_span(f);
    m->etag = frame_span(f);
    m->last_modified = frame_span(f);
    m->n_pins = frame_u32(f);
    if (m->n_pins > MSG_PINS_MAX)
        return false;
    for (uint32_t i = 0; i < m->n_pins; i++)
        m->pins[i] = frame_span(f);
    m->public_addresses_only = get_bool(f);
    m->timeout_ms = frame_u32(f);
    m->connect_timeout_ms = frame_u32(f);
    m->max_bytes = frame_u32(f);
    m->announce = frame_span(f);
    return done(f, MSG_FETCH) && m->url.n > 0;
}

void msg_fetched_put(struct frame_out *f, const struct msg_fetched *m)
{
    frame_put_u32(f, m->reason);
    frame_put_u32(f, m->status);
    frame_put_span(f, m->etag);
    frame_put_span(f, m->last_modified);
    frame_put_i64(f, m->max_age_s);
    frame_put_i64(f, m->retry_after_s);
    frame_put_i64(f, m->date);
    frame_put_i64(f, m->date_seen_ms);
    frame_put_u32(f, m->round_trip_ms);
    frame_put_span(f, m->detail);
    frame_put_span(f, m->address);
}

bool msg_fetched_get(struct frame_in *f, struct msg_fetched *m)
{
    m->reason = get_reason(f);
    m->status = frame_u32(f);
    m->etag = frame_span(f);
    m->last_modified = frame_span(f);
    m->max_age_s = frame_i64(f);
    m->retry_after_s = frame_i64(f);
    m->date = frame_i64(f);
    m->date_seen_ms = frame_i64(f);
    m->round_trip_ms = frame_u32(f);
    m->detail = frame_span(f);
    m->address = frame_span(f);
    return done(f, MSG_FETCHED);
}

void msg_announced_put(struct frame_out *f, const struct msg_announced *m)
{
    frame_put_u32(f, m->reason);
    frame_put_span(f, m->partner);
    frame_put_i64(f, m->issued_at);
    frame_put_span(f, m->x5ts);
}

bool msg_announced_get(struct frame_in *f, struct msg_announced *m)
{
    m->reason = get_reason(f);
    m->partner = frame_span(f);
    m->issued_at = frame_i64(f);
    m->x5ts = frame_span(f);
    return done(f, MSG_ANNOUNCED) && (m->reason == REASON_OK) == (m->partner.n > 0) &&
           m->x5ts.n % X5T_LEN == 0 && m->x5ts.n <= (size_t)MSG_ANNOUNCE_KEYS_MAX * X5T_LEN;
}

void msg_number_put(struct frame_out *f, uint64_t number)
{
    frame_put_u64(f, number);
}

bool msg_number_get(struct frame_in *f, uint64_t *ret)
{
    *ret = frame_u64(f);
    return frame_end(f);
}

void msg_signing_key_put(struct frame_out *f, const unsigned char x5t[20])
{
    frame_put_span(f, span_bytes(x5t, 20));
}

bool msg_signing_key_get(struct frame_in *f, unsigned char ret_x5t[20])
{
    get_bytes(f, ret_x5t, 20);
    return done(f, MSG_SIGNING_KEY);
}

void msg_name_put(struct frame_out *f, struct span partner)
{
    frame_put_span(f, partner);
}

bool msg_name_get(struct frame_in *f, struct span *ret)
{
    *ret = frame_span(f);
    return frame_end(f) && ret->n > 0;
}

void msg_health_put(struct frame_out *f, const struct msg_health *m)
{
    frame_put_u8(f, m->may_mint);
    frame_put_u8(f, m->may_validate);
}

bool msg_health_get(struct frame_in *f, struct msg_health *m)
{
    m->may_mint = get_bool(f);
    m->may_validate = get_bool(f);
    return done(f, MSG_HEALTH);
}

void msg_suspended_put(struct frame_out *f, const struct msg_suspended *m)
{
    frame_put_span(f, m->partner);
    frame_put_u8(f, m->suspended);
}

bool msg_suspended_get(struct frame_in *f, struct msg_suspended *m)
{
    m->partner = frame_span(f);
    m->suspended = get_bool(f);
    return done(f, MSG_SUSPENDED) && m->partner.n > 0;
}
