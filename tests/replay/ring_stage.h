/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of the rollover tests: the signer's real ring, machine and files under a clock that the
 * test moves, a broker that publishes what it is told, and an observer who sees the world as
 * partners do: what is published, since when, which tokens live. */
#pragma once

#include "cleanup.h"
#include "clock.h"
#include "few_keys.h"
#include "file.h"
#include "log.h"
#include "own_keys.h"
#include "settings_of.h"
#include "temp_dir.h"

#include "../unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#define RING_T0 INT64_C(1795500000) /* November 2026 */
#define HOUR 3600
#define DAY INT64_C(86400)
#define TOKEN_LIFE (8 * HOUR)
#define RING_CONF                                                                                  \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n[SigningKey]\n"
#define SEEN_MAX 64

/* What the world knows of one key. */
struct seen_key {
    uint8_t x5t[X5T_LEN];
    int64_t shown_at;     /* first moment at which a document held it */
    int64_t signed_at;    /* first signature, 0: none */
    int64_t tokens_until; /* end of its last token */
    bool is_shown;        /* now */
};

struct ring_stage {
    struct temp_dir dir;
    struct settings *settings;
    struct own_keys keys;
    int64_t now;
    bool is_up;
    bool broker_is_away;
    bool partners_may_break; /* the test does that on purpose: only what must always hold is held */
    uint64_t served;         /* generation of the document */
    struct seen_key seen[SEEN_MAX];
    size_t n_seen;
    int64_t tick_at;
    char why[OWN_KEYS_WHY_MAX];
    struct buf lines; /* of the last order */
};

static inline struct seen_key *ring_seen(struct ring_stage *s, const uint8_t x5t[X5T_LEN])
{
    for (size_t i = 0; i < s->n_seen; i++)
        if (memcmp(s->seen[i].x5t, x5t, X5T_LEN) == 0)
            return &s->seen[i];
    ck_assert_uint_lt(s->n_seen, SEEN_MAX);
    struct seen_key *k = &s->seen[s->n_seen++];
    *k = (struct seen_key){0};
    memcpy(k->x5t, x5t, X5T_LEN);
    return k;
}

/* The broker renders the ring that it was pushed. */
static inline void ring_publish(struct ring_stage *s)
{
    const struct cert *certs[KEYRING_MAX];
    size_t n = keyring_published_certs(&s->keys.ring, certs);
    for (size_t i = 0; i < s->n_seen; i++)
        s->seen[i].is_shown = false;
    for (size_t i = 0; i < n; i++) {
        struct seen_key *k = ring_seen(s, certs[i]->x5t);
        k->is_shown = true;
        if (!k->shown_at)
            k->shown_at = s->now;
    }
    s->served = s->keys.ring.generation;
    for (size_t i = 0; i < s->n_seen && !s->partners_may_break; i++)
        ck_assert_msg(s->seen[i].is_shown || s->seen[i].tokens_until <= s->now,
            "a key went while its tokens live");
}

static inline void ring_follow(struct ring_stage *s, struct own_keys_news *news);
static inline void ring_acknowledge(struct ring_stage *s)
{
    struct own_keys_news news = {0};
    own_keys_published(&s->keys, s->served, s->now, &news);
    ring_follow(s, &news);
}

/* As signer_follow and the broker behind it. */
static inline void ring_follow(struct ring_stage *s, struct own_keys_news *news)
{
    signkey_freep(&news->old);
    if ((news->todo & DO_PUBLISH) && !s->broker_is_away && s->served != s->keys.ring.generation) {
        ring_publish(s);
        ring_acknowledge(s);
    }
    /* The longest wait is there for clocks that are set, which the tests do themselves. */
    int64_t wait = own_keys_wait_s(&s->keys, s->now);
    int64_t next = rollover_next(&s->keys.ring, &s->keys.rules.terms);
    s->tick_at = wait == 600 && next < ROLLOVER_NEVER ? next : s->now + wait;
}

/* The ring is sound, what signs is what it says, and its key file is there. */
static inline void ring_check(struct ring_stage *s)
{
    const struct ring_slot *current = keyring_current(&s->keys.ring);
    ck_assert(keyring_is_sound(&s->keys.ring));
    ck_assert_ptr_nonnull(s->keys.current);
    ck_assert_mem_eq(signkey_cert(s->keys.current)->x5t, current->cert->x5t, X5T_LEN);
    if (s->keys.ring.source == KEYS_MANAGED)
        ck_assert(!key_files_lost(s->dir.path, current->cert));
}

/* Somebody mints: the token is good for as long as can be, and partners hold it against what our
 * document says. */
static inline void ring_sign(struct ring_stage *s)
{
    struct seen_key *k = ring_seen(s, signkey_cert(s->keys.current)->x5t);
    const struct cert *c = signkey_cert(s->keys.current);
    ring_check(s);
    own_keys_signed(&s->keys, s->now + TOKEN_LIFE);
    if (!k->signed_at) {
        bool is_first = true;
        for (size_t i = 0; i < s->n_seen; i++)
            is_first &= s->seen[i].signed_at == 0;
        k->signed_at = s->now;
        ck_assert_msg(is_first || s->partners_may_break ||
                          (k->shown_at && s->now - k->shown_at >= s->keys.rules.terms.lead_s),
            "a key signs before its lead");
    }
    k->tokens_until = s->now + TOKEN_LIFE;
    if (s->partners_may_break)
        return;
    ck_assert_msg(k->is_shown, "a key signs that is in no document");
    ck_assert(c->not_before <= s->now && s->now < c->not_after);
}

static inline int ring_try_start(struct ring_stage *s)
{
    s->why[0] = '\0';
    int r = own_keys_start(&s->keys, s->settings, s->dir.path, s->now, s->why);
    if (r < 0) {
        own_keys_done(&s->keys);
        return r;
    }
    s->is_up = true;
    s->served = 0; /* the broker is pushed the ring anew */
    struct own_keys_news news = {.todo = DO_PUBLISH};
    ring_follow(s, &news);
    s->tick_at = s->now;
    return 0;
}

static inline void ring_start(struct ring_stage *s)
{
    ck_assert_msg(ring_try_start(s) == 0, "%s", s->why);
}

static inline void ring_stop(struct ring_stage *s)
{
    if (s->is_up)
        own_keys_done(&s->keys);
    s->is_up = false;
}

static inline void ring_restart(struct ring_stage *s)
{
    ring_stop(s);
    ring_start(s);
}

static inline void ring_tick(struct ring_stage *s)
{
    struct own_keys_news news = {0};
    own_keys_tick(&s->keys, s->now, &news);
    ring_follow(s, &news);
}

/* Lets the clock run to `until`: the timer fires when the ring says so, and somebody mints every
 * `every_s`. */
static inline void ring_run(struct ring_stage *s, int64_t until, int64_t every_s)
{
    int64_t sign_at = s->now;
    while (s->now < until) {
        int64_t next = s->tick_at < sign_at ? s->tick_at : sign_at;
        s->now = next < until ? (next > s->now ? next : s->now) : until;
        if (s->now >= s->tick_at)
            ring_tick(s);
        if (s->now >= sign_at) {
            ring_sign(s);
            sign_at = s->now + every_s;
        }
    }
}

static inline enum reason ring_order(
    struct ring_stage *s, enum roll_op op, bool force, bool dry_run, int64_t effective_at)
{
    struct own_keys_news news = {0};
    struct msg_roll m = {.op = op,
        .force = force,
        .dry_run = dry_run,
        .effective_at = effective_at,
        .who = SPAN("uid 0")};
    s->lines.n = 0;
    enum reason reason = own_keys_roll(&s->keys, &m, s->now, &s->lines, &news);
    buf_put_char(&s->lines, '\0');
    ring_follow(s, &news);
    return reason;
}

static inline void ring_hold(struct ring_stage *s, bool held)
{
    struct own_keys_news news = {0};
    const struct ring_slot *next = keyring_next(&s->keys.ring);
    ck_assert_ptr_nonnull(next);
    struct msg_hold m = {.held = held, .why = SPAN("exch has not seen it")};
    memcpy(m.x5t_s256, next->cert->x5t_s256, sizeof(m.x5t_s256));
    own_keys_hold(&s->keys, &m, s->now, &news);
    ring_follow(s, &news);
}

static inline void ring_open(struct ring_stage *s, const char *conf)
{
    *s = (struct ring_stage){.now = RING_T0, .lines = BUF_INIT(65536), .keys = OWN_KEYS_NONE};
    temp_dir_make(&s->dir);
    s->settings = settings_of(conf);
}

static inline void ring_close(struct ring_stage *s)
{
    ring_stop(s);
    buf_done(&s->lines);
    settings_freep(&s->settings);
    temp_dir_remove(&s->dir);
}
