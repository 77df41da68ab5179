/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"

#include <errno.h>

#define FILE_NAME "sightings.state"
/* News within so long are written together. */
#define FLUSH_S 2
/* How often it is looked whether there is something to remind of, or a write to be tried again. */
#define TICK_S 600

struct witness {
    const struct witness_ops *ops;
    void *arg;
    char *dir;
    struct event *flush, *tick;
    const struct settings *settings;
    const struct keyring *ring; /* NULL: none yet */
    struct sightings known;
    bool unwritten, write_failed;
    bool held; /* as last said to the signer, for the NEXT with that digest */
    uint8_t held_key[X5T_S256_LEN];
    char why[ROLLOUT_TEXT_MAX];
    int64_t reminded_at; /* of held_key, 0: never */
};

/* ---- the file ---- */

static void arm(struct event *e, int seconds)
{
    struct timeval wait = {.tv_sec = seconds};
    if (event_add(e, &wait) < 0)
        log_err("no memory for a timer; sightings are written late");
}

static void changed(struct witness *w)
{
    if (!w->unwritten)
        arm(w->flush, FLUSH_S);
    w->unwritten = true;
}

void witness_flush(struct witness *w)
{
    if (!w->unwritten)
        return;
    CLEANUP(buf_done) struct buf text = BUF_INIT(SIGHTINGS_TEXT_MAX);
    sightings_print(&w->known, &text);
    int r = text.failed ? -ENOMEM : file_replace(w->dir, FILE_NAME, buf_span(&text), 0600);
    if (r < 0 && !w->write_failed)
        log_err("who has seen our keys cannot be kept in %s: %s; going on in memory", w->dir,
            strerror(-r));
    else if (r == 0 && w->write_failed)
        log_notice("who has seen our keys is kept on disk again");
    w->write_failed = r < 0;
    w->unwritten = r < 0; /* the tick tries again */
}

static void put_aside(const char *path)
{
    char aside[4096 + 64];
    snprintf(aside, sizeof(aside), "%s.broken-%lld", path, (long long)clock_wall_s());
    if (rename(path, aside) == 0)
        log_err(
            "%s is damaged, kept as %s; who has seen our keys is not known any more", path, aside);
    else
        log_err("%s is damaged and cannot be renamed: %s", path, strerror(errno));
}

static bool read_file(struct witness *w)
{
    char path[4096], why[512];
    CLEANUP(buf_done) struct buf text = BUF_INIT(SIGHTINGS_TEXT_MAX);
    snprintf(path, sizeof(path), "%s/" FILE_NAME, w->dir);
    int r = file_read(path, FILE_CONFIG, text.max, &text, why, sizeof(why));
    if (r == -ENOENT)
        return true;
    enum reason reason = r < 0 ? REASON_DOCUMENT_FORM : sightings_scan(buf_span(&text), &w->known);
    if (reason == REASON_OUT_OF_MEMORY)
        return false;
    if (reason != REASON_OK)
        put_aside(path);
    return true;
}

/* ---- holding the next key ---- */

static bool judge_held(const struct witness *w, const uint8_t *key, char why[ROLLOUT_TEXT_MAX])
{
    if (rollout_held(w->settings, &w->known, key, why))
        return true;
    if (w->ops->else_held && w->ops->else_held(key, why, ROLLOUT_TEXT_MAX, w->arg))
        return true;
    why[0] = '\0';
    return false;
}

/* The only writer of held, held_key and why; logs what changes. */
static void set_held(struct witness *w, const struct ring_slot *next, bool held, const char *why)
{
    char thumb[THUMBPRINT_TEXT_LEN];
    bool same_key = memcmp(w->held_key, next->cert->x5t_s256, X5T_S256_LEN) == 0;
    bool was = same_key && w->held;
    thumbprint_text(next->cert->x5t, thumb);
    if (held && (!was || strcmp(why, w->why) != 0))
        log_notice("our next key %s: %s -> held: %s", thumb, was ? "held" : "free", why);
    else if (!held && was)
        log_notice("our next key %s: held -> free", thumb);
    if (!same_key)
        w->reminded_at = 0;
    w->held = held;
    memcpy(w->held_key, next->cert->x5t_s256, X5T_S256_LEN);
    memcpy(w->why, why, ROLLOUT_TEXT_MAX);
}

/* Says it to the signer when it is news, or when the link is new. */
static void look(struct witness *w, bool say)
{
    const struct ring_slot *next = rollout_next(w->ring);
    char why[ROLLOUT_TEXT_MAX] = "";
    if (!w->settings || !next) {
        w->held = false;
        return;
    }
    bool held = judge_held(w, next->cert->x5t_s256, why);
    bool news = say || held != w->held || strcmp(why, w->why) != 0 ||
                memcmp(w->held_key, next->cert->x5t_s256, X5T_S256_LEN) != 0;
    if (!news)
        return;
    set_held(w, next, held, why);
    struct msg_hold m = {.held = held, .why = span_of(w->why)};
    memcpy(m.x5t_s256, next->cert->x5t_s256, X5T_S256_LEN);
    w->ops->on_hold(&m, w->arg);
}

void witness_look(struct witness *w)
{
    look(w, false);
}

void witness_use(struct witness *w, const struct settings *s)
{
    w->settings = s;
    if (sightings_keep(&w->known, s, w->ring))
        changed(w);
    look(w, false);
}

void witness_ring(struct witness *w, const struct keyring *r)
{
    w->ring = r;
    if (w->settings && sightings_keep(&w->known, w->settings, r))
        changed(w);
    look(w, true);
}

bool witness_held(const struct witness *w, const char **ret_why)
{
    bool held = w->held && rollout_next(w->ring);
    *ret_why = held ? w->why : "";
    return held;
}

/* ---- evidence ---- */

static void tell_seen(const struct witness *w, struct span partner, const uint8_t *key)
{
    const struct sighting *s = sightings_of(&w->known, partner, key);
    char thumb[THUMBPRINT_TEXT_LEN];
    for (size_t i = 0; s && w->ring && i < w->ring->n; i++) {
        const struct ring_slot *slot = &w->ring->slots[i];
        if (memcmp(slot->cert->x5t_s256, key, X5T_S256_LEN) != 0)
            continue;
        struct log_field fields[] = {{"TRUST_SIGHTING", sighting_how_name(s->how)}};
        (void)log_record(s->how == SIGHTING_DOUBTED ? LOG_L_WARNING : LOG_L_INFO, NULL, fields,
            ARRAY_LEN(fields), "partner %.*s: our key %s (%s): %s", (int)partner.n, partner.p,
            thumbprint_text(slot->cert->x5t, thumb), key_state_name(slot->state),
            sighting_how_name(s->how));
    }
}

static bool in_ring(const struct witness *w, const uint8_t *key)
{
    for (size_t i = 0; w->ring && i < w->ring->n; i++)
        if (memcmp(w->ring->slots[i].cert->x5t_s256, key, X5T_S256_LEN) == 0)
            return true;
    return false;
}

void witness_saw(
    struct witness *w, struct span partner, const struct edition *keys, enum sighting_how how)
{
    bool any = false;
    for (size_t i = 0; i < keys->n; i++) {
        bool news = false;
        if (!in_ring(w, keys->x5t_s256[i]))
            continue; /* withdrawn meanwhile */
        enum reason r =
            sightings_note(&w->known, partner, keys->x5t_s256[i], how, clock_wall_s(), &news);
        if (r != REASON_OK)
            log_warning("partner %.*s: what it has seen cannot be noted: %s", (int)partner.n,
                partner.p, reason_sentence(r));
        if (news)
            tell_seen(w, partner, keys->x5t_s256[i]);
        any |= news;
    }
    if (!any)
        return;
    changed(w);
    look(w, false);
}

static void tell_word(
    const struct witness *w, struct span partner, const struct partner_sightings *before)
{
    const struct partner_sightings *p = sightings_partner(&w->known, partner);
    for (size_t i = 0; p && i < p->n; i++) {
        bool same = false;
        for (size_t j = 0; j < before->n; j++)
            same |= before->keys[j].how == p->keys[i].how &&
                    memcmp(before->keys[j].x5t_s256, p->keys[i].x5t_s256, X5T_S256_LEN) == 0;
        if (!same)
            tell_seen(w, partner, p->keys[i].x5t_s256);
    }
}

void witness_heard(struct witness *w, const struct msg_announced *m, const struct edition *shown)
{
    const struct partner *partner = settings_partner(w->settings, m->partner);
    if (!partner || !partner->enabled)
        return; /* gone or switched off by a reload meanwhile */
    const struct partner_sightings *known = sightings_partner(&w->known, m->partner);
    struct partner_sightings before = known ? *known : (struct partner_sightings){0};
    struct sightings_word word = {.partner = span_of(partner->name),
        .issued_at = m->issued_at,
        .now = clock_wall_s(),
        .x5ts = (const uint8_t *)m->x5ts.p,
        .n = m->x5ts.n / X5T_LEN};
    bool news, any;
    enum reason r = sightings_announce(&w->known, &word, w->ring, &news, &any);
    if (r != REASON_OK) {
        log_warning(
            "partner %s: what it announces cannot be noted: %s", partner->name, reason_sentence(r));
        return;
    }
    if (!news)
        return; /* a repetition */
    if (any) {
        tell_word(w, word.partner, &before);
        changed(w);
        look(w, false);
    }
    witness_saw(w, word.partner, shown, SIGHTING_FETCHED);
}

const struct sightings *witness_sightings(const struct witness *w)
{
    return &w->known;
}

/* ---- reminders ---- */

static void remind(struct witness *w)
{
    const struct ring_slot *next = rollout_next(w->ring);
    char thumb[THUMBPRINT_TEXT_LEN], at[CLOCK_TEXT_LEN], last[CLOCK_TEXT_LEN];
    int64_t effective_at = rollout_activation(w->ring, false), now = clock_wall_s();
    if (!next || !w->held || effective_at == 0 ||
        !rollout_reminder_due(effective_at, w->reminded_at, now))
        return;
    w->reminded_at = now;
    log_warning("our next key %s is to sign from %s on and waits: %s; from %s on it signs all the "
                "same",
        thumbprint_text(next->cert->x5t, thumb), clock_text(effective_at, at), w->why,
        clock_text(rollout_activation(w->ring, true), last));
}

void witness_tick(struct witness *w)
{
    look(w, false);
    remind(w);
    witness_flush(w);
    arm(w->tick, TICK_S);
}

static void on_tick(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    witness_tick(arg);
}

static void on_flush(evutil_socket_t unused, short what, void *arg)
{
    (void)unused;
    (void)what;
    witness_flush(arg);
}

/* ---- life ---- */

struct witness *witness_new(
    struct event_base *base, const char *state_dir, const struct witness_ops *ops, void *arg)
{
    struct witness *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    *w = (struct witness){.ops = ops, .arg = arg, .dir = strdup(state_dir)};
    w->flush = evtimer_new(base, on_flush, w);
    w->tick = evtimer_new(base, on_tick, w);
    if (!w->dir || !w->flush || !w->tick || !read_file(w)) {
        witness_free(w);
        return NULL;
    }
    arm(w->tick, TICK_S);
    return w;
}

void witness_free(struct witness *w)
{
    if (!w)
        return;
    if (w->dir)
        witness_flush(w);
    if (w->flush)
        event_free(w->flush);
    if (w->tick)
        event_free(w->tick);
    sightings_done(&w->known);
    free(w->dir);
    free(w);
}
