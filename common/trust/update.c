/* SPDX-License-Identifier: Apache-2.0 */
#include "update.h"

#include "cleanup.h"

/* Moduli of the keys that travel to the workers: with 64 keys one frame still holds them. */
#define KEY_BYTES_MAX 49152

enum event { SEEN, UNSEEN, TICK };

/* What a row asks before it applies. */
enum guard { ALWAYS, NO_GRACE, GRACE_OVER, DOCUMENT_NEWER, FIRST_SIGHT };

#define NOTHING UPDATE_COUNT

/* The transition table; the first row whose guard holds decides, without a row nothing happens.
 * ABSENT is a key that was never known. The hold-down of a new key is 0: it is believed at once.
 * BARRED has no row: only an operator ends it. */
#define ABSENT (PKEY_BARRED + 1)
static const struct row {
    unsigned from;
    enum event event;
    enum guard guard;
    enum partner_key_state to;
    enum update_kind kind;
} table[] = {
    {ABSENT, SEEN, ALWAYS, PKEY_VALID, UPDATE_ADDED},
    {PKEY_NEW, SEEN, ALWAYS, PKEY_VALID, UPDATE_VALID},
    {PKEY_NEW, UNSEEN, ALWAYS, PKEY_GONE, UPDATE_GONE},
    {PKEY_VALID, UNSEEN, NO_GRACE, PKEY_GONE, UPDATE_GONE},
    {PKEY_VALID, UNSEEN, ALWAYS, PKEY_MISSING, UPDATE_MISSING},
    {PKEY_MISSING, SEEN, ALWAYS, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_MISSING, UNSEEN, GRACE_OVER, PKEY_GONE, UPDATE_GONE},
    {PKEY_MISSING, TICK, GRACE_OVER, PKEY_GONE, UPDATE_GONE},
    {PKEY_GONE, SEEN, DOCUMENT_NEWER, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_GONE, SEEN, FIRST_SIGHT, PKEY_GONE, UPDATE_WITHHELD},
};

/* What the guards look at. */
struct scene {
    int64_t now, grace_s;
    int64_t newest; /* when the youngest known key of the document was first seen */
    bool may_be_replayed;
    bool has_unknown; /* the document holds a key that was never seen */
};

const char *update_kind_name(enum update_kind k)
{
    static const char *const names[] = {
        "added", "valid", "missing", "returned", "gone", "withheld"};
    return (unsigned)k < ARRAY_LEN(names) ? names[k] : "unknown";
}

static bool guard_holds(enum guard guard, const struct partner_key *k, const struct scene *s)
{
    switch (guard) {
    case ALWAYS:
        return true;
    case NO_GRACE:
        return s->grace_s <= 0;
    case GRACE_OVER:
        return s->now - k->missing_at >= s->grace_s;
    case DOCUMENT_NEWER:
        /* A replayed document holds nothing younger than the withdrawal (rule R37). */
        return !s->may_be_replayed || s->has_unknown || s->newest > k->missing_at;
    case FIRST_SIGHT:
        return k->last_seen_at <= k->missing_at;
    }
    return false;
}

static const struct row *find_row(
    unsigned from, enum event event, const struct partner_key *k, const struct scene *s)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].from == from && table[i].event == event && guard_holds(table[i].guard, k, s))
            return &table[i];
    return NULL;
}

static bool is_usable(unsigned state)
{
    return state == PKEY_VALID || state == PKEY_MISSING;
}

static void note(struct update_changes *c, enum update_kind kind, const struct partner_key *k)
{
    if (c->n == ARRAY_LEN(c->list))
        return;
    c->list[c->n].kind = kind;
    memcpy(c->list[c->n].x5t, k->x5t, X5T_LEN);
    c->n++;
}

/* One key takes one step, its stamps follow. True when it began or ceased to be usable. */
static bool step(struct partner_key *k, unsigned from, enum event event, const struct scene *s,
    struct update_changes *changes)
{
    const struct row *row = find_row(from, event, k, s);
    bool withdrawn = row && (from == PKEY_NEW || from == PKEY_VALID) && row->to != PKEY_VALID;
    if (row) {
        k->state = row->to;
        note(changes, row->kind, k);
    }
    if (withdrawn)
        k->missing_at = s->now;
    if (event == SEEN)
        k->last_seen_at = s->now;
    if (k->state == PKEY_VALID)
        k->missing_at = 0;
    if (k->state == PKEY_VALID && (from == ABSENT || from == PKEY_GONE))
        k->first_seen_at = s->now;
    return row && is_usable(from) != is_usable(row->to);
}

/* The new set while it is built: it may be larger than what is kept in the end. */
struct draft {
    struct partner_key keys[METADATA_KEYS_MAX + PARTNER_KEYS_MAX];
    size_t n;
};

static void draft_freep(struct draft **d)
{
    for (size_t i = 0; *d && i < (*d)->n; i++)
        pubkey_free((*d)->keys[i].key);
    free(*d);
    *d = NULL;
}

static struct partner_key *draft_add(struct draft *d, const struct partner_key *k)
{
    struct partner_key *added = &d->keys[d->n++];
    *added = *k;
    pubkey_ref(added->key);
    return added;
}

static struct partner_key key_of(const struct cert *c)
{
    struct partner_key k = {
        .has_x5t = true, .not_before = c->not_before, .not_after = c->not_after, .key = c->key};
    memcpy(k.x5t, c->x5t, X5T_LEN);
    memcpy(k.x5t_s256, c->x5t_s256, X5T_S256_LEN);
    return k;
}

static const struct partner_key *find(
    const struct partner_key *keys, size_t n, const struct partner_key *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (partner_key_same(&keys[i], wanted))
            return &keys[i];
    return NULL;
}

static struct scene look(
    const struct partner_trust *t, const struct metadata *m, int64_t grace_s, int64_t now)
{
    struct scene s = {
        .now = now, .grace_s = grace_s, .newest = INT64_MIN, .may_be_replayed = m->may_be_replayed};
    for (size_t i = 0; i < m->n_certs; i++) {
        struct partner_key k = key_of(m->certs[i]);
        const struct partner_key *known = find(t->keys, t->n_keys, &k);
        if (!known)
            s.has_unknown = true;
        else if (is_usable(known->state) && known->first_seen_at > s.newest)
            s.newest = known->first_seen_at;
    }
    return s;
}

/* Keys of the document, in its order. Returns how many of them may be used. */
static size_t draft_seen(struct draft *d, const struct partner_trust *t, const struct metadata *m,
    const struct scene *s, struct update_changes *changes, bool *changed)
{
    size_t usable = 0;
    for (size_t i = 0; i < m->n_certs; i++) {
        struct partner_key fresh = key_of(m->certs[i]);
        const struct partner_key *known = find(t->keys, t->n_keys, &fresh);
        struct partner_key *k = draft_add(d, known ? known : &fresh);
        *changed |= step(k, known ? known->state : ABSENT, SEEN, s, changes);
        usable += is_usable(k->state);
    }
    return usable;
}

/* Keys of before that the document does not hold. */
static void draft_unseen(struct draft *d, const struct partner_trust *t, const struct scene *s,
    struct update_changes *changes, bool *changed)
{
    size_t in_document = d->n;
    for (size_t i = 0; i < t->n_keys; i++)
        if (!find(d->keys, in_document, &t->keys[i])) {
            struct partner_key *k = draft_add(d, &t->keys[i]);
            *changed |= step(k, k->state, UNSEEN, s, changes);
        }
}

static bool fits(const struct draft *d)
{
    size_t bytes = 0;
    for (size_t i = 0; i < d->n; i++)
        bytes += d->keys[i].state == PKEY_GONE ? 0 : pubkey_n(d->keys[i].key).n;
    return d->n <= PARTNER_KEYS_MAX && bytes <= KEY_BYTES_MAX;
}

/* Forgets the key that has been away longest: withdrawn ones first, then those in their grace. */
static bool evict(struct draft *d, struct update_changes *changes, bool *changed)
{
    size_t victim = d->n;
    for (size_t i = 0; i < d->n; i++) {
        const struct partner_key *k = &d->keys[i], *v = &d->keys[victim];
        if (k->state != PKEY_GONE && k->state != PKEY_MISSING)
            continue;
        if (victim == d->n || (k->state == PKEY_GONE && v->state == PKEY_MISSING) ||
            (k->state == v->state && k->missing_at < v->missing_at))
            victim = i;
    }
    if (victim == d->n)
        return false;
    if (d->keys[victim].state == PKEY_MISSING) {
        note(changes, UPDATE_GONE, &d->keys[victim]);
        *changed = true;
    }
    pubkey_free(d->keys[victim].key);
    memmove(&d->keys[victim], &d->keys[victim + 1], (d->n - victim - 1) * sizeof(d->keys[0]));
    d->n--;
    return true;
}

/* Nothing that was believed is in the document: a roll without overlap, or somebody else's keys. */
static bool all_replaced(const struct partner_trust *t, const struct metadata *m)
{
    bool had_any = false;
    for (size_t i = 0; i < m->n_certs; i++) {
        struct partner_key k = key_of(m->certs[i]);
        const struct partner_key *known = find(t->keys, t->n_keys, &k);
        if (known && is_usable(known->state))
            return false;
    }
    for (size_t i = 0; i < t->n_keys; i++)
        had_any |= is_usable(t->keys[i].state);
    return had_any;
}

/* The draft becomes what is known; the references change hands. */
static void commit(struct partner_trust *t, struct draft *d, bool changed, int64_t now)
{
    for (size_t i = 0; i < t->n_keys; i++)
        pubkey_free(t->keys[i].key);
    memcpy(t->keys, d->keys, d->n * sizeof(d->keys[0]));
    t->n_keys = d->n;
    d->n = 0;
    t->generation += changed;
    t->good_at = now;
}

enum reason update_apply(struct partner_trust *t, const struct metadata *m, int64_t grace_s,
    int64_t now, struct update_changes *ret)
{
    struct update_changes changes = {0};
    bool changed = false;
    CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));
    if (!d)
        return REASON_OUT_OF_MEMORY;
    struct scene scene = look(t, m, grace_s, now);
    if (draft_seen(d, t, m, &scene, &changes, &changed) == 0)
        return REASON_DOCUMENT_REPLAY;
    draft_unseen(d, t, &scene, &changes, &changed);
    while (!fits(d))
        if (!evict(d, &changes, &changed))
            return REASON_TOO_LARGE;
    changes.all_replaced = all_replaced(t, m);
    commit(t, d, changed, now);
    *ret = changes;
    return REASON_OK;
}

bool update_tick(struct partner_trust *t, int64_t grace_s, int64_t now, struct update_changes *ret)
{
    const struct scene scene = {.now = now, .grace_s = grace_s};
    *ret = (struct update_changes){0};
    bool changed = false;
    for (size_t i = 0; i < t->n_keys; i++)
        changed |= step(&t->keys[i], t->keys[i].state, TICK, &scene, ret);
    t->generation += changed;
    return changed;
}
