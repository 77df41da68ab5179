/* SPDX-License-Identifier: Apache-2.0 */
#include "partners.h"

#include "chance.h"
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "state_clock.h"

#include <errno.h>
#include <sys/stat.h>

/* A state file: the document, its keys and history in readable form. */
#define PARTNERS_STATE_MAX ((size_t)4 * 1024 * 1024)
#define PARTNERS_PATH_MAX 4096

struct partners {
    char *dir;                   /* STATE/partners */
    struct partner_entry **list; /* in the order of the settings */
    size_t n;
    unsigned round; /* counts partners_adopt */
    struct store *store;
    struct pubkey *own[METADATA_KEYS_MAX + KEYRING_MAX]; /* our own public keys: references */
    size_t n_own;
    struct pubkey *fellows[METADATA_KEYS_MAX]; /* those of the other members of our pool */
    size_t n_fellows;
};

static void entry_free(struct partner_entry *e)
{
    if (!e)
        return;
    partner_state_done(&e->state);
    free(e);
}

static void entry_freep(struct partner_entry **e)
{
    entry_free(*e);
    *e = NULL;
}

size_t partners_count(const struct partners *ps)
{
    return ps->n;
}

struct partner_entry *partners_at(struct partners *ps, size_t i)
{
    return ps->list[i];
}

/* The settings keep their partners sorted by name, and so does the list. */
struct partner_entry *partners_find(struct partners *ps, struct span name)
{
    size_t low = 0, high = ps->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(name, span_of(ps->list[middle]->state.trust.name));
        if (order == 0)
            return ps->list[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct partner_trust *partners_trust(const struct partners *ps, const struct partner_entry *e)
{
    return store_get(ps->store, span_of(e->state.trust.name));
}

static bool is_plain(char c, bool inner)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (c == '.' && inner);
}

char *partners_file_name(const char *name, char out[PARTNERS_FILE_MAX])
{
    size_t at = 0;
    for (size_t i = 0; name[i] && at < PARTNERS_FILE_MAX - 16; i++) {
        if (is_plain(name[i], i > 0))
            out[at++] = name[i];
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned char)name[i]);
    }
    snprintf(out + at, PARTNERS_FILE_MAX - at, ".state");
    return out;
}

void partners_save(struct partners *ps, struct partner_entry *e)
{
    char file[PARTNERS_FILE_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(PARTNERS_STATE_MAX);
    int r = -ENOMEM;
    if (partner_state_print(&e->state, &text) == REASON_OK) {
        r = mkdir(ps->dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
        if (r == 0)
            r = file_replace(
                ps->dir, partners_file_name(e->state.trust.name, file), buf_span(&text), 0600);
    }
    if (r < 0 && !e->save_failed)
        log_err("partner %s: its state cannot be kept in %s: %s; going on in memory, a restart "
                "would fall back to what the file says",
            e->state.trust.name, ps->dir, strerror(-r));
    else if (r == 0 && e->save_failed)
        log_notice("partner %s: its state is kept on disk again", e->state.trust.name);
    e->save_failed = r < 0;
}

/* Puts a file aside that cannot be read, so that the evidence stays and the next write starts
 * fresh. */
static void quarantine(const char *path, const char *name)
{
    char aside[PARTNERS_PATH_MAX + 64];
    snprintf(aside, sizeof(aside), "%s.broken-%lld", path, (long long)clock_wall_s());
    if (rename(path, aside) == 0)
        log_err("partner %s: state file is damaged, kept as %s; fetching the document anew. "
                "Whatever an "
                "administrator has barred or suspended there has to be said again",
            name, aside);
    else
        log_err("partner %s: state file %s is damaged and cannot be renamed: %s", name, path,
            strerror(errno));
}

/* Fills `state` from disk when there is a lawful file. False: out of memory. */
static bool load_state(const struct partners *ps, const char *name, struct partner_state *state)
{
    char file[PARTNERS_FILE_MAX], path[PARTNERS_PATH_MAX], why[512];
    CLEANUP(buf_done) struct buf text = BUF_INIT(PARTNERS_STATE_MAX);
    snprintf(path, sizeof(path), "%s/%s", ps->dir, partners_file_name(name, file));
    int r = file_read(path, FILE_CONFIG, PARTNERS_STATE_MAX, &text, why, sizeof(why));
    if (r == -ENOENT)
        return true;
    if (r < 0) {
        log_err("partner %s: state file: %s; fetching the document anew", name, why);
        return r != -ENOMEM;
    }
    switch (partner_state_scan(buf_span(&text), span_of(name), state)) {
    case REASON_OK:
        if (state_clock_settle(state, clock_wall_s()))
            log_warning(
                "partner %s: its state is from the future, so the clock was wrong then or is "
                "now; ages count from this start",
                name);
        return true;
    case REASON_OUT_OF_MEMORY:
        return false;
    default:
        quarantine(path, name);
        return true;
    }
}

static bool set_name(struct partner_state *state, const char *name)
{
    if (!state->trust.name)
        state->trust.name = strdup(name);
    return state->trust.name != NULL;
}

static struct partner_entry *entry_new(const struct partners *ps, const char *name)
{
    CLEANUP(entry_freep) struct partner_entry *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->state.last_reason = REASON_NEVER_FETCHED;
    if (!load_state(ps, name, &e->state) || !set_name(&e->state, name))
        return NULL;
    e->freshness = FRESH_FRESH;
    return TAKE(e);
}

static bool same_names(const struct names *a, const struct names *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i], b->list[i]) != 0)
            return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is the document now to be had in another way than before? */
static bool source_changed(const struct partner *a, const struct partner *b)
{
    return !same_names(&a->metadata_urls, &b->metadata_urls) ||
           !same_names(&a->pinned_keys, &b->pinned_keys) || !same_text(a->ca_file, b->ca_file) ||
           !same_text(a->certificate, b->certificate) || a->addresses != b->addresses ||
           a->enabled != b->enabled || a->continuity != b->continuity ||
           !same_names(&a->pinned_certs, &b->pinned_certs) || !same_text(a->expect, b->expect);
}

/* Is the last good document to be judged again, though it has not changed? */
static bool rules_changed(const struct partner *a, const struct partner *b)
{
    return a->continuity != b->continuity || !same_names(&a->pinned_certs, &b->pinned_certs) ||
           !same_text(a->expect, b->expect);
}

/* PinnedKeys= may have come, or changed, since the keys were learned. */
static void unpin(struct partners *ps, struct partner_entry *e, int64_t now)
{
    struct update_changes changes;
    if (!update_unpin(&e->state.trust, e->partner, &changes))
        return;
    judge_note(&e->state, &changes, "PinnedKeys=", now);
    log_warning("partner %s: %zu of its keys are not among PinnedKeys= and count no more",
        e->partner->name, changes.n);
    partners_save(ps, e);
}

/* Barred keys move to `to`, the rest is left to be released: what an administrator has said
 * outlives what was learned. */
static void carry_orders(struct partner_state *to, struct partner_state *from)
{
    struct partner_trust *t = &from->trust;
    size_t left = 0;
    to->trust.suspended = t->suspended;
    to->suspended_at = from->suspended_at;
    memcpy(to->suspended_by, from->suspended_by, sizeof(to->suspended_by));
    for (size_t i = 0; i < t->n_keys; i++) {
        if (t->keys[i].state != PKEY_BARRED) {
            t->keys[left++] = t->keys[i];
            continue;
        }
        t->keys[i].published = false;
        to->trust.keys[to->trust.n_keys++] = t->keys[i];
    }
    t->n_keys = left;
}

/* The record that pins who the partner is has changed: what was learned under the old pins is void.
 * Cannot fail, so that nothing of it is ever believed. */
static void forget(struct partner_entry *e)
{
    struct partner_state fresh = {.last_reason = REASON_NEVER_FETCHED};
    fresh.trust.name = TAKE(e->state.trust.name);
    fresh.trust.generation = e->state.trust.generation + 1;
    fresh.history = TAKE(e->state.history);
    carry_orders(&fresh, &e->state);
    partner_state_done(&e->state);
    e->state = fresh;
    (void)!partner_state_note(&e->state, clock_wall_s(),
        "forgotten: the document is of another application or realm than configured");
    log_warning("partner %s: what was known is of another application or realm; forgotten",
        e->state.trust.name);
}

bool partners_resume(struct partner_entry *e, const struct settings *s)
{
    const struct schedule_limits limits = {
        .interval_s = s->refresh.interval_s, .stale_after_s = s->refresh.stale_after_s};
    const struct schedule_past past = {.good_at = e->state.trust.good_at,
        .next_try_at = e->state.next_try_at,
        .last_try_at = e->state.last_try_at,
        .failures = e->state.failures};
    const struct schedule_now now = {clock_wall_s(), clock_mono_ms(), chance_u32()};
    schedule_resume(&e->schedule, &limits, &past, &now);
    int64_t next_try_at = now.wall_s + (e->schedule.due_ms - now.mono_ms) / 1000;
    bool moved = next_try_at != e->state.next_try_at;
    e->state.next_try_at = next_try_at;
    return moved;
}

/* Fits an entry to its record. */
static void entry_fit(
    struct partners *ps, struct partner_entry *e, const struct partner *p, const struct settings *s)
{
    int64_t now = clock_wall_s();
    bool is_new = e->partner == NULL;
    bool changed = is_new || source_changed(e->partner, p);
    bool is_another = !is_new && strcmp(e->partner->issuer, p->issuer) != 0;
    if (!is_new && (!same_names(&e->partner->metadata_urls, &p->metadata_urls) ||
                       rules_changed(e->partner, p)))
        e->state.etag[0] = e->state.last_modified[0] = '\0';
    e->partner = p;
    if (is_another || !judge_still_lawful(&e->state, p, &s->identity, now)) {
        forget(e);
        changed = true;
    }
    unpin(ps, e, now);
    if (changed && !is_new)
        e->state.next_try_at = 0;
    /* A missed attempt is put off once, however often we are started until then. */
    if (changed && partners_resume(e, s) && e->state.trust.good_at > 0)
        partners_save(ps, e);
    /* A file of this machine costs nothing to read again. */
    e->wanted = e->wanted || p->certificate != NULL;
}

/* Finds or reads the entry of each partner. False: out of memory, nothing has changed. */
static bool gather(struct partners *ps, const struct settings *s, struct partner_entry **list)
{
    for (size_t i = 0; i < s->n_partners; i++) {
        const char *name = s->partners[i].name;
        list[i] = partners_find(ps, span_of(name));
        if (!list[i])
            list[i] = entry_new(ps, name);
        if (list[i])
            continue;
        while (i-- > 0)
            if (!list[i]->partner)
                entry_free(list[i]);
        return false;
    }
    return true;
}

bool partners_adopt(
    struct partners *ps, const struct settings *s, partners_gone_fn *on_gone, void *arg)
{
    CLEANUP(freep)
    struct partner_entry **list = calloc(s->n_partners + 1, sizeof(struct partner_entry *));
    if (!list || !gather(ps, s, list))
        return false;
    ps->round++;
    for (size_t i = 0; i < s->n_partners; i++) {
        entry_fit(ps, list[i], &s->partners[i], s);
        list[i]->index = i;
        list[i]->round = ps->round;
    }
    store_keep_only(ps->store, s);
    /* Whoever is told of one that goes may ask for all of them. */
    CLEANUP(freep) struct partner_entry **before = ps->list;
    size_t n_before = ps->n;
    ps->list = TAKE(list);
    ps->n = s->n_partners;
    for (size_t i = 0; i < n_before; i++) {
        if (before[i]->round == ps->round)
            continue;
        log_notice("partner %s: no longer configured", before[i]->state.trust.name);
        on_gone(before[i], arg);
        entry_free(before[i]);
    }
    return true;
}

static void forget_own_keys(struct partners *ps)
{
    while (ps->n_own > 0)
        pubkey_free(ps->own[--ps->n_own]);
}

void partners_set_fellows(struct partners *ps, const struct cert *const *certs, size_t n)
{
    while (ps->n_fellows > 0)
        pubkey_free(ps->fellows[--ps->n_fellows]);
    for (; ps->n_fellows < n && ps->n_fellows < ARRAY_LEN(ps->fellows); ps->n_fellows++)
        ps->fellows[ps->n_fellows] = pubkey_ref(certs[ps->n_fellows]->key);
}

/* All public keys that sign as us, for rule R14. */
static void take_own_keys(struct partners *ps, const struct keyring *ring)
{
    forget_own_keys(ps);
    for (; ring && ps->n_own < ring->n; ps->n_own++)
        ps->own[ps->n_own] = pubkey_ref(ring->slots[ps->n_own].cert->key);
    for (size_t i = 0; i < ps->n_fellows; i++)
        ps->own[ps->n_own++] = pubkey_ref(ps->fellows[i]);
}

struct judge_others partners_others(const struct partners *ps)
{
    return (struct judge_others){ps->store, (const struct pubkey *const *)ps->own, ps->n_own};
}

/* How many keys are disputed in `now` and were not in `before`, which holds the same keys in the
 * same order; and the last of them. */
static size_t count_newly_disputed(const struct partner_trust *now,
    const struct partner_trust *before, char thumb[THUMBPRINT_TEXT_LEN])
{
    size_t n = 0;
    for (size_t i = 0; i < now->n_keys; i++) {
        if (!now->keys[i].disputed || before->keys[i].disputed)
            continue;
        n++;
        thumbprint_text(now->keys[i].x5t, thumb);
    }
    return n;
}

/* Somebody has copied a certificate: an alarm, once for each change, also over a restart (rule
 * R14). `t` is the store's copy of e->state.trust. */
static void tell_disputes(
    struct partners *ps, struct partner_entry *e, const struct partner_trust *t)
{
    char thumb[THUMBPRINT_TEXT_LEN], settled_thumb[THUMBPRINT_TEXT_LEN], what[256];
    if (t->n_keys != e->state.trust.n_keys)
        return;
    size_t n = count_newly_disputed(t, &e->state.trust, thumb);
    size_t settled = count_newly_disputed(&e->state.trust, t, settled_thumb);
    if (n == 0 && settled == 0)
        return;
    for (size_t i = 0; i < t->n_keys; i++)
        e->state.trust.keys[i].disputed = t->keys[i].disputed;
    if (n > 0)
        snprintf(what, sizeof(what),
            "disputed, so not used: %s%s, also published by another partner or by us", thumb,
            n > 1 ? " and others" : "");
    else
        snprintf(what, sizeof(what), "no longer disputed: %s", settled_thumb);
    log_msg(n > 0 ? LOG_L_ERR : LOG_L_NOTICE, "partner %s: key %s", t->name, what);
    (void)!partner_state_note(&e->state, clock_wall_s(), what);
    partners_save(ps, e);
}

/* Generations before and after tell whose trust moved. */
static void tell_moved(struct partners *ps, const uint64_t *before, const struct partner_entry *e,
    partners_moved_fn *moved, void *arg)
{
    for (size_t i = 0; i < ps->n; i++) {
        const struct partner_trust *t = partners_trust(ps, ps->list[i]);
        if (!t || (ps->list[i] != e && t->generation == before[i]))
            continue;
        tell_disputes(ps, ps->list[i], t);
        moved(ps->list[i], arg);
    }
}

enum reason partners_settle(struct partners *ps, struct partner_entry *e,
    const struct keyring *ring, partners_moved_fn *moved, void *arg)
{
    CLEANUP(freep) uint64_t *before = calloc(ps->n + 1, sizeof(*before));
    if (!before)
        return REASON_OUT_OF_MEMORY;
    for (size_t i = 0; i < ps->n; i++) {
        const struct partner_trust *t = partners_trust(ps, ps->list[i]);
        before[i] = t ? t->generation : 0;
    }
    for (size_t i = 0; i < ps->n; i++) {
        bool wanted = !e || ps->list[i] == e || !partners_trust(ps, ps->list[i]);
        enum reason r = wanted ? store_put(ps->store, &ps->list[i]->state.trust) : REASON_OK;
        if (r != REASON_OK)
            return r;
    }
    take_own_keys(ps, ring);
    (void)store_settle_disputes(ps->store, (const struct pubkey *const *)ps->own, ps->n_own);
    tell_moved(ps, before, e, moved, arg);
    return REASON_OK;
}

struct partners *partners_new(const char *state_dir)
{
    struct partners *ps = calloc(1, sizeof(*ps));
    if (!ps)
        return NULL;
    ps->store = store_new();
    if (!ps->store || asprintf(&ps->dir, "%s/partners", state_dir) < 0) {
        ps->dir = NULL;
        partners_free(ps);
        return NULL;
    }
    file_sweep_dir(ps->dir);
    return ps;
}

void partners_free(struct partners *ps)
{
    if (!ps)
        return;
    for (size_t i = 0; i < ps->n; i++)
        entry_free(ps->list[i]);
    free(ps->list);
    free(ps->dir);
    store_free(ps->store);
    forget_own_keys(ps);
    partners_set_fellows(ps, NULL, 0);
    free(ps);
}
