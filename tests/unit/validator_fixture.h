/* SPDX-License-Identifier: Apache-2.0 */
/* A validator with a partner whose old key it knows and whose new key it does not. */
#pragma once

#include "worker_fixture.h"

static struct signkey *old_key, *new_key; /* of the partner */

/* Settings of the partner: its tokens are minted with them. */
static struct settings *theirs;

#define OPEN_TO_ALL US LYNC_PARTNER

/* Before any test runs, so Check's assertions have nobody to tell. */
static inline void make_keys(void)
{
    if (signkey_generate("old", NOW - 86400, NOW + 86400 * 90, &old_key) != REASON_OK ||
        signkey_generate("new", NOW - 86400, NOW + 86400 * 90, &new_key) != REASON_OK)
        abort();
    theirs = settings_of(
        "[Identity]\nApplicationId=" LYNC "\nRealm=" REALM "\nHosts=lync.contoso.example\n" PARTNER(
            "mail", "ApplicationId=" EXCH "\nRealm=" REALM "\nPermittedUsers=*@contoso.example\n"
                    "AudienceHost=mail.contoso.example\nAudienceHost=other.contoso."
                    "example\n"));
}

/* A token of `identity`; the caller frees it. */
static inline char *token_from(
    const struct identity *identity, struct signkey *key, const char *host, const char *user)
{
    struct minted m = {0};
    const struct mint_order order = {.identity = identity,
        .partner = &theirs->partners[0],
        .host = host,
        .user_kind = user ? USER_UPN : USER_NONE,
        .user = span_of(user),
        .lifetime_s = 600,
        .now = NOW};
    ck_assert_int_eq(mint_token(&order, key, &m), REASON_OK);
    char *text = buf_take(&m.token);
    minted_done(&m);
    return text;
}

/* The partner's token; the caller frees it. */
static inline char *token_of(struct signkey *key, const char *host, const char *user)
{
    return token_from(&theirs->identity, key, host, user);
}

/* The broker tells the keys of the partner. */
static inline void send_trust(uint64_t generation, struct signkey *const *keys, size_t n)
{
    uint8_t room[FRAME_MAX];
    struct frame_out f;
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof *t);
    t->name = strdup("lync");
    t->generation = generation;
    t->good_at = NOW;
    for (size_t i = 0; i < n; i++) {
        const struct cert *c = signkey_cert(keys[i]);
        struct partner_key *k = &t->keys[t->n_keys++];
        *k = (struct partner_key){.state = PKEY_VALID,
            .has_x5t = true,
            .not_before = c->not_before,
            .not_after = c->not_after,
            .first_seen_at = NOW,
            .last_seen_at = NOW,
            .key = pubkey_ref(c->key)};
        memcpy(k->x5t, c->x5t, X5T_LEN);
        memcpy(k->x5t_s256, c->x5t_s256, X5T_S256_LEN);
    }
    frame_start(&f, room, sizeof room, MSG_TRUST, 0);
    partner_trust_put(&f, t);
    send_frame(&world.broker, &f);
}

static inline void open_validator(const char *conf)
{
    world_open(WORKER_VALIDATOR, conf);
    send_trust(1, &old_key, 1);
}

/* Adds a rule for whoever runs the test. */
static inline char *with_rule(const char *conf, const char *rule)
{
    struct buf b = BUF_INIT(65536);
    buf_printf(&b, "%s[Client me]\nUser=%s\n%s", conf, own_name(), rule);
    return buf_take(&b);
}

static inline void introspect(struct far_end *far, const char *token, const char *more)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(65536);
    buf_printf(&b, "token=%s%s", token, more);
    post(far, "/introspect", b.p);
}

static inline void validate(struct far_end *far, const char *token, const char *more)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(65536);
    buf_printf(&b, "{\"method\":\"io.s2sd.validate.Validate\",\"parameters\":{\"token\":\"%s\"%s}}",
        token, more);
    say_varlink(far, b.p);
}

static inline bool is_active(const char *token)
{
    struct far_end far;
    introspect(&far, token, "");
    bool active = far_has(&far, "\"active\":true");
    ck_assert(active || far_has(&far, "{\"active\":false}"));
    far_close(&far);
    return active;
}

static inline void drop_keys(void)
{
    signkey_free(old_key);
    signkey_free(new_key);
    settings_free(theirs);
}
