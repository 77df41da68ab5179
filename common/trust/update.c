/* SPDX-License-Identifier: Apache-2.0 */
#include "update.h"

#include "cleanup.h"
#include "key_pin.h"

/* Moduli of the keys that travel to the workers: with 64 keys one frame still holds them. */
#define KEY_BYTES_MAX 49152

/* PASSED is what UNSEEN is to a document that does not count yet: it withdraws nothing. */
enum event { SEEN, UNSEEN, PASSED, TICK };

/* What a row asks before it applies. */
enum guard {
    ALWAYS,
    AT_ONCE,   /* no hold-down, or an administrator vouches */
    HELD_DOWN, /* it has stood for the hold-down */
    NO_GRACE,
    GRACE_OVER,
    DOCUMENT_NEWER,
    APPROVED,
    MEMBERS_LAG, /* another member of a pool did not know the key yet */
    STOOD,       /* withdrawn, and in every document again for UPDATE_RETURN_AFTER_S */
    FIRST_SIGHT
};

/* The transition table; the first row whose guard holds decides, without a row nothing happens.
 * ABSENT is a key that is not known. BARRED has no row: only an administrator ends it. */
#define ABSENT (PKEY_BARRED + 1)
static const struct row {
    unsigned from;
    enum event event;
    enum guard guard;
    unsigned to;
    enum update_kind kind;
} table[] = {
    {ABSENT, SEEN, AT_ONCE, PKEY_VALID, UPDATE_ADDED},
    {ABSENT, SEEN, ALWAYS, PKEY_NEW, UPDATE_NEW},
    {PKEY_NEW, SEEN, AT_ONCE, PKEY_VALID, UPDATE_VALID},
    {PKEY_NEW, SEEN, HELD_DOWN, PKEY_VALID, UPDATE_VALID},
    {PKEY_NEW, UNSEEN, ALWAYS, ABSENT, UPDATE_DROPPED},
    {PKEY_NEW, PASSED, ALWAYS, ABSENT, UPDATE_DROPPED},
    {PKEY_VALID, UNSEEN, NO_GRACE, PKEY_GONE, UPDATE_GONE},
    {PKEY_VALID, UNSEEN, ALWAYS, PKEY_MISSING, UPDATE_MISSING},
    {PKEY_MISSING, SEEN, ALWAYS, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_MISSING, UNSEEN, GRACE_OVER, PKEY_GONE, UPDATE_GONE},
    {PKEY_MISSING, TICK, GRACE_OVER, PKEY_GONE, UPDATE_GONE},
    {PKEY_GONE, SEEN, DOCUMENT_NEWER, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_GONE, SEEN, APPROVED, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_GONE, SEEN, MEMBERS_LAG, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_GONE, SEEN, STOOD, PKEY_VALID, UPDATE_RETURNED},
    {PKEY_GONE, SEEN, FIRST_SIGHT, PKEY_GONE, UPDATE_WITHHELD},
};

/* What the guards look at. */
struct scene {
    int64_t now, grace_s, hold_down_s;
    int64_t newest; /* when the youngest believed key of the document was first seen */
    bool may_be_replayed;
    bool of_pool;
    bool has_unknown; /* the document holds a key that was never seen, and that is believed */
    bool approved;
};

const char *update_kind_name(enum update_kind k)
{
    static const char *const names[] = {"added", "new", "valid", "missing", "returned", "gone",
        "withheld", "dropped", "barred", "unbarred", "unpinned"};
    return (unsigned)k < ARRAY_LEN(names) ? names[k] : "unknown";
}

/* Where new keys are held down a document proves nothing by itself, nor that it is of a pool. */
static bool members_lag(const struct partner_key *k, const struct scene *s)
{
    return s->of_pool && s->hold_down_s <= 0 && s->now - k->missing_at < UPDATE_POOL_LAG_S;
}

static bool guard_holds(enum guard guard, const struct partner_key *k, const struct scene *s)
{
    switch (guard) {
    case ALWAYS:
        return true;
    case AT_ONCE:
        return s->hold_down_s <= 0;
    case HELD_DOWN:
        return s->now - k->first_seen_at >= s->hold_down_s;
    case APPROVED:
        return s->approved;
    case MEMBERS_LAG:
        return members_lag(k, s);
    case STOOD:
        return k->returning_at != 0 && s->now - k->returning_at >= UPDATE_RETURN_AFTER_S;
    case NO_GRACE:
        return s->grace_s <= 0;
    case GRACE_OVER:
        return s->now - k->missing_at >= s->grace_s;
    case DOCUMENT_NEWER:
        /* A replayed document holds nothing younger than the withdrawal (rule R37). */
        return !s->may_be_replayed || s->has_unknown || s->newest > k->missing_at;
    case FIRST_SIGHT:
        return k->returning_at == 0;
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

/* The stamps follow the step. */
static void stamp(struct partner_key *k, unsigned from, unsigned to, enum event event, int64_t now)
{
    if (from == PKEY_VALID && to != PKEY_VALID)
        k->missing_at = now;
    if (to == PKEY_VALID)
        k->missing_at = 0;
    if (from == ABSENT || (from == PKEY_GONE && to == PKEY_VALID))
        k->first_seen_at = now;
    if (event == SEEN)
        k->last_seen_at = now;
    if (to != PKEY_GONE || event == UNSEEN || event == PASSED)
        k->returning_at = 0;
    else if (event == SEEN && k->returning_at == 0)
        k->returning_at = now;
}

/* One key takes one step; *ret_to is where it is now, ABSENT: it is to be forgotten. True when it
 * began or ceased to be usable. */
static bool step(struct partner_key *k, unsigned from, enum event event, const struct scene *s,
    struct update_changes *changes, unsigned *ret_to)
{
    const struct row *row = find_row(from, event, k, s);
    unsigned to = row ? row->to : from;
    if (row)
        note(changes, row->kind, k);
    if (to != ABSENT)
        k->state = (enum partner_key_state)to;
    stamp(k, from, to, event, s->now);
    *ret_to = to;
    return is_usable(from) != is_usable(to);
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

/* Nothing was ever learned: whoever made the entry vouches for the first document. */
static bool is_first(const struct partner_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].state != PKEY_BARRED)
            return false;
    return t->good_at == 0;
}

static struct scene scene_of(
    const struct partner_trust *t, const struct update_rules *rules, int64_t now)
{
    return (struct scene){.now = now,
        .grace_s = rules->grace_s,
        .hold_down_s = rules->approved || is_first(t) ? 0 : rules->hold_down_s,
        .newest = INT64_MIN,
        .may_be_replayed = true,
        .approved = rules->approved};
}

static struct scene look(const struct partner_trust *t, const struct metadata *m,
    const struct update_rules *rules, int64_t now)
{
    struct scene s = scene_of(t, rules, now);
    s.may_be_replayed = m->may_be_replayed;
    s.of_pool = m->of_pool;
    for (size_t i = 0; i < m->n_certs; i++) {
        struct partner_key k = key_of(m->certs[i]);
        const struct partner_key *known = find(t->keys, t->n_keys, &k);
        if (!known)
            s.has_unknown |= s.hold_down_s <= 0;
        else if (is_usable(known->state) && known->first_seen_at > s.newest)
            s.newest = known->first_seen_at;
    }
    return s;
}

/* What a document makes of the keys. */
struct outcome {
    struct update_changes changes;
    bool changed;         /* the usable set */
    size_t usable, fresh; /* keys of the document: that may be used; that are held down */
};

/* Keys of the document, in its order. */
static void draft_seen(struct draft *d, const struct partner_trust *t, const struct metadata *m,
    const struct scene *s, struct outcome *o)
{
    unsigned to;
    for (size_t i = 0; i < m->n_certs; i++) {
        struct partner_key fresh = key_of(m->certs[i]);
        const struct partner_key *known = find(t->keys, t->n_keys, &fresh);
        struct partner_key *k = draft_add(d, known ? known : &fresh);
        o->changed |= step(k, known ? known->state : ABSENT, SEEN, s, &o->changes, &to);
        o->usable += is_usable(to);
        o->fresh += to == PKEY_NEW;
        k->published = true;
    }
}

static void draft_drop(struct draft *d, size_t at)
{
    pubkey_free(d->keys[at].key);
    memmove(&d->keys[at], &d->keys[at + 1], (d->n - at - 1) * sizeof(d->keys[0]));
    d->n--;
}

/* Keys of before that the document does not hold. */
static void draft_unseen(
    struct draft *d, const struct partner_trust *t, const struct scene *s, struct outcome *o)
{
    size_t in_document = d->n;
    unsigned to;
    for (size_t i = 0; i < t->n_keys; i++) {
        if (find(d->keys, in_document, &t->keys[i]))
            continue;
        struct partner_key *k = draft_add(d, &t->keys[i]);
        o->changed |= step(k, k->state, UNSEEN, s, &o->changes, &to);
        k->published = false;
        if (to == ABSENT)
            draft_drop(d, d->n - 1);
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
static bool evict(struct draft *d, struct outcome *o)
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
        note(&o->changes, UPDATE_GONE, &d->keys[victim]);
        o->changed = true;
    }
    draft_drop(d, victim);
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
static void commit(struct partner_trust *t, struct draft *d)
{
    for (size_t i = 0; i < t->n_keys; i++)
        pubkey_free(t->keys[i].key);
    memcpy(t->keys, d->keys, d->n * sizeof(d->keys[0]));
    t->n_keys = d->n;
    d->n = 0;
}

/* A document none of whose keys counts changes nothing but its keys' marks: how long they have
 * stood. New ones are kept as far as there is room; nobody uses them. */
static void remember(struct draft *d, const struct partner_trust *t, const struct metadata *m,
    const struct scene *s, struct outcome *o)
{
    unsigned to;
    for (size_t i = 0; i < t->n_keys; i++) {
        struct partner_key *k = draft_add(d, &t->keys[i]);
        bool seen = false;
        for (size_t c = 0; c < m->n_certs; c++) {
            struct partner_key in_document = key_of(m->certs[c]);
            seen |= partner_key_same(k, &in_document);
        }
        (void)step(k, k->state, seen ? SEEN : PASSED, s, &o->changes, &to);
        if (to == ABSENT)
            draft_drop(d, d->n - 1);
    }
    for (size_t i = 0; i < m->n_certs && d->n < PARTNER_KEYS_MAX; i++) {
        struct partner_key fresh = key_of(m->certs[i]);
        if (find(d->keys, d->n, &fresh))
            continue;
        (void)step(draft_add(d, &fresh), ABSENT, SEEN, s, &o->changes, &to);
        if (!fits(d))
            draft_drop(d, d->n - 1);
    }
}

/* The same document, as one that does not count yet. */
static enum reason put_off(struct partner_trust *t, const struct metadata *m, const struct scene *s,
    struct update_changes *ret)
{
    struct outcome o = {.changed = false};
    CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));
    if (!d)
        return REASON_OUT_OF_MEMORY;
    remember(d, t, m, s, &o);
    commit(t, d);
    *ret = o.changes;
    return REASON_OK;
}

enum reason update_apply(struct partner_trust *t, const struct metadata *m,
    const struct update_rules *rules, int64_t now, struct update_changes *ret)
{
    struct outcome o = {.changed = false};
    CLEANUP(draft_freep) struct draft *d = calloc(1, sizeof(*d));
    if (!d)
        return REASON_OUT_OF_MEMORY;
    struct scene scene = look(t, m, rules, now);
    draft_seen(d, t, m, &scene, &o);
    if (o.usable == 0) {
        enum reason r = put_off(t, m, &scene, ret);
        return r != REASON_OK ? r : o.fresh ? REASON_DOCUMENT_HELD : REASON_DOCUMENT_REPLAY;
    }
    draft_unseen(d, t, &scene, &o);
    while (!fits(d))
        if (!evict(d, &o))
            return REASON_TOO_LARGE;
    o.changes.all_replaced = all_replaced(t, m);
    commit(t, d);
    t->generation += o.changed;
    t->good_at = now;
    *ret = o.changes;
    return REASON_OK;
}

static void drop(struct partner_trust *t, size_t at)
{
    pubkey_free(t->keys[at].key);
    memmove(&t->keys[at], &t->keys[at + 1], (t->n_keys - at - 1) * sizeof(t->keys[0]));
    t->n_keys--;
}

bool update_confirm(struct partner_trust *t, const struct update_rules *rules, int64_t now,
    struct update_changes *ret)
{
    struct scene scene = scene_of(t, rules, now);
    bool changed = false;
    unsigned to;
    *ret = (struct update_changes){0};
    for (size_t i = t->n_keys; i > 0; i--) {
        struct partner_key *k = &t->keys[i - 1];
        changed |= step(k, k->state, k->published ? SEEN : PASSED, &scene, ret, &to);
        if (to == ABSENT)
            drop(t, i - 1);
    }
    t->generation += changed;
    t->good_at = now;
    return changed;
}

bool update_tick(struct partner_trust *t, const struct update_rules *rules, int64_t now,
    struct update_changes *ret)
{
    const struct scene scene = scene_of(t, rules, now);
    *ret = (struct update_changes){0};
    bool changed = false;
    unsigned to;
    for (size_t i = 0; i < t->n_keys; i++)
        changed |= step(&t->keys[i], t->keys[i].state, TICK, &scene, ret, &to);
    t->generation += changed;
    return changed;
}

bool update_bar(struct partner_trust *t, struct partner_key *k, bool bar, int64_t now,
    struct update_changes *ret)
{
    *ret = (struct update_changes){0};
    if (bar == (k->state == PKEY_BARRED))
        return false;
    k->state = bar ? PKEY_BARRED : k->published ? PKEY_VALID : PKEY_GONE;
    k->missing_at = k->state == PKEY_GONE ? now : 0;
    k->returning_at = 0;
    note(ret, bar ? UPDATE_BARRED : UPDATE_UNBARRED, k);
    t->generation++;
    return true;
}

bool update_unpin(struct partner_trust *t, const struct partner *p, struct update_changes *ret)
{
    bool changed = false;
    *ret = (struct update_changes){0};
    if (p->continuity != CONTINUITY_PINNED)
        return false;
    for (size_t i = t->n_keys; i > 0; i--) {
        struct partner_key *k = &t->keys[i - 1];
        if (key_pin_in(&p->pinned_certs, k->x5t, k->x5t_s256, k->key))
            continue;
        if (k->state == PKEY_GONE || k->state == PKEY_BARRED) {
            k->published = false; /* nor does it stand anywhere from now on */
            k->returning_at = 0;
            continue;
        }
        note(ret, UPDATE_UNPINNED, k);
        drop(t, i - 1);
        changed = true;
    }
    t->generation += changed;
    return changed;
}

int64_t update_believed_from(const struct partner_key *k, const struct update_rules *rules)
{
    if (k->state == PKEY_NEW)
        return k->first_seen_at + rules->hold_down_s;
    if (k->state == PKEY_GONE && k->returning_at != 0)
        return k->returning_at + UPDATE_RETURN_AFTER_S;
    return 0;
}
