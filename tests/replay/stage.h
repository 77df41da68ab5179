/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of the replay tests: the broker's real refresher, partners, store and state files,
 * under a clock that the test moves, with partners that answer what the script says. Only the link
 * to the fetcher is played. */
#pragma once

#include "clock.h"
#include "clock_watch.h"
#include "refresher.h"
#include "script.h"
#include "settings_of.h"
#include "temp_dir.h"

#include <event2/event.h>

#define STAGE_WALL INT64_C(1795500000) /* November 2026 */
#define STAGE_CONF                                                                                 \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"
#define STAGE_EXCH                                                                                 \
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/autodiscover/metadata/json/1\n"      \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"

struct stage {
    struct temp_dir dir;
    struct event_base *base;
    struct settings *settings;
    struct partners *partners;
    struct refresher *refresher;
    int64_t wall, mono_ms;
    /* what the broker was told */
    unsigned trust_news, ends, clock_news;
    struct judged last; /* of the last end */
};

static inline void stage_on_trust(struct partner_entry *e, void *arg)
{
    struct stage *s = arg;
    (void)e;
    s->trust_news++;
}

static inline void stage_on_ended(struct partner_entry *e, const struct judged *j, void *arg)
{
    struct stage *s = arg;
    (void)e;
    s->ends++;
    s->last = *j;
}

static inline void stage_on_clock(void *arg)
{
    struct stage *s = arg;
    s->clock_news++;
}

static inline void stage_on_gone(struct partner_entry *e, void *arg)
{
    struct stage *s = arg;
    if (s->refresher)
        refresher_forget(s->refresher, e);
}

static inline void stage_use(struct stage *s, const char *conf)
{
    struct settings *old = s->settings;
    s->settings = settings_of(conf);
    ck_assert(partners_adopt(s->partners, s->settings, stage_on_gone, s));
    refresher_use(s->refresher, s->settings);
    settings_free(old);
}

/* Starts the daemon's part with what is in the state folder. */
static inline void stage_start(struct stage *s, const char *conf)
{
    static const struct refresher_ops ops = {
        .on_trust = stage_on_trust, .on_ended = stage_on_ended, .on_clock = stage_on_clock};
    clock_fake(s->wall, s->mono_ms);
    memset(stage_fetches, 0, sizeof(stage_fetches));
    s->base = event_base_new();
    s->partners = partners_new(s->dir.path);
    ck_assert(s->base && s->partners);
    s->refresher = refresher_new(s->base, s->partners, NULL, &ops, s);
    ck_assert_ptr_nonnull(s->refresher);
    stage_use(s, conf);
}

static inline void stage_open(struct stage *s, const char *conf)
{
    *s = (struct stage){.wall = STAGE_WALL, .mono_ms = 5000};
    stage_asked = 0;
    temp_dir_make(&s->dir);
    stage_start(s, conf);
}

static inline void stage_stop(struct stage *s)
{
    refresher_free(s->refresher);
    partners_free(s->partners);
    event_base_free(s->base);
    settings_free(s->settings);
    s->refresher = NULL;
    s->settings = NULL;
}

static inline void stage_close(struct stage *s)
{
    stage_stop(s);
    temp_dir_remove(&s->dir);
}

/* The machine was off for so long; its monotonic clock starts over. */
static inline void stage_restart(struct stage *s, const char *conf, int64_t off_s)
{
    stage_stop(s);
    s->wall += off_s;
    s->mono_ms = 1000;
    stage_start(s, conf);
}

/* Both clocks go on; the timers that are due fire. */
static inline void stage_wait(struct stage *s, int64_t seconds)
{
    s->wall += seconds;
    s->mono_ms += seconds * 1000;
    clock_fake(s->wall, s->mono_ms);
    refresher_tick(s->refresher);
    refresher_wake(s->refresher);
}

/* An administrator sets the wall clock. */
static inline void stage_set_clock(struct stage *s, int64_t by_s)
{
    s->wall += by_s;
    clock_fake(s->wall, s->mono_ms);
    refresher_tick(s->refresher);
    refresher_wake(s->refresher);
}

static inline struct partner_entry *stage_partner(struct stage *s, const char *name)
{
    struct partner_entry *e = partners_find(s->partners, span_of(name));
    ck_assert_ptr_nonnull(e);
    return e;
}

/* Seconds until the next regular attempt. */
static inline int64_t stage_due_in(struct stage *s, const char *name)
{
    return (stage_partner(s, name)->schedule.due_ms - s->mono_ms) / 1000;
}

/* Which of our keys count for the partner now: "01". */
static inline const char *stage_keys_of(struct stage *s, const char *name)
{
    static char out[STAGE_KEYS + 1];
    const struct partner_trust *t = &stage_partner(s, name)->state.trust;
    size_t n = 0;
    for (int k = 0; k < STAGE_KEYS; k++)
        for (size_t i = 0; i < t->n_keys; i++)
            if ((t->keys[i].state == PKEY_VALID || t->keys[i].state == PKEY_MISSING) &&
                memcmp(t->keys[i].x5t, signkey_cert(stage_keys[k])->x5t, X5T_LEN) == 0)
                out[n++] = (char)('0' + k);
    out[n] = '\0';
    return out;
}

/* A token names that key of ours. */
static inline bool stage_hint(struct stage *s, const char *name, int key)
{
    struct msg_hint m = {.partner = span_of(name), .kind = HINT_UNKNOWN_KEY};
    memcpy(m.key_id, signkey_cert(stage_keys[key])->x5t, X5T_LEN);
    return refresher_hint(s->refresher, stage_partner(s, name), &m) != HINT_IN_VAIN;
}

static inline int stage_run(const char *name, void (*fill)(TCase *tc))
{
    for (size_t i = 0; i < STAGE_KEYS; i++)
        if (signkey_generate("exch", STAGE_WALL - INT64_C(34560000), STAGE_WALL + INT64_C(63072000),
                &stage_keys[i]) != REASON_OK)
            return EXIT_FAILURE;
    int status = unit_run(name, fill);
    for (size_t i = 0; i < STAGE_KEYS; i++)
        signkey_free(stage_keys[i]);
    return status;
}
