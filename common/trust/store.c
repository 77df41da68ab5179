/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "cleanup.h"

#include <string.h>

/* Entries sorted by name: the look-up of each validated token is one binary search. Each entry is
 * an allocation of its own, so a pointer from store_get stays good while other partners come and
 * go. */
struct store {
    struct partner_trust **entries;
    size_t n, cap;
};

const char *partner_key_state_name(enum partner_key_state s)
{
    static const char *const names[] = {"new", "valid", "missing", "gone", "barred"};
    return (unsigned)s < ARRAY_LEN(names) ? names[s] : "unknown";
}

bool partner_key_state_of(struct span name, enum partner_key_state *ret)
{
    for (unsigned s = PKEY_NEW; s <= PKEY_BARRED; s++)
        if (span_eq_str(name, partner_key_state_name((enum partner_key_state)s))) {
            *ret = (enum partner_key_state)s;
            return true;
        }
    return false;
}

enum reason partner_key_judge(const struct partner_key *k, int64_t now, int64_t skew_s)
{
    if (k->state == PKEY_BARRED)
        return REASON_KEY_BARRED;
    if (k->state == PKEY_NEW || k->state == PKEY_GONE)
        return REASON_UNKNOWN_KEY;
    if (k->disputed)
        return REASON_KEY_DISPUTED;
    /* A certificate is good to the end of its last second; INT64_MAX must not overflow. */
    if (now + skew_s < k->not_before || now - skew_s > k->not_after)
        return REASON_KEY_EXPIRED;
    return REASON_OK;
}

bool partner_key_same(const struct partner_key *a, const struct partner_key *b)
{
    if (a->has_x5t != b->has_x5t)
        return false;
    if (a->has_x5t)
        return memcmp(a->x5t_s256, b->x5t_s256, X5T_S256_LEN) == 0;
    return strcmp(a->kid, b->kid) == 0 && pubkey_eq(a->key, b->key);
}

void partner_trust_done(struct partner_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        pubkey_free(t->keys[i].key);
    free(t->name);
    *t = (struct partner_trust){0};
}

void partner_trust_freep(struct partner_trust **t)
{
    if (*t)
        partner_trust_done(*t);
    free(*t);
    *t = NULL;
}

enum reason partner_trust_copy(const struct partner_trust *t, struct partner_trust **ret)
{
    CLEANUP(partner_trust_freep) struct partner_trust *copy = calloc(1, sizeof(*copy));
    if (!copy)
        return REASON_OUT_OF_MEMORY;
    copy->name = strdup(t->name);
    if (!copy->name)
        return REASON_OUT_OF_MEMORY;
    copy->generation = t->generation;
    copy->good_at = t->good_at;
    copy->suspended = t->suspended;
    copy->clock = t->clock;
    for (size_t i = 0; i < t->n_keys; i++) {
        copy->keys[i] = t->keys[i];
        pubkey_ref(copy->keys[i].key);
    }
    copy->n_keys = t->n_keys;
    *ret = TAKE(copy);
    return REASON_OK;
}

struct store *store_new(void)
{
    return calloc(1, sizeof(struct store));
}

void store_free(struct store *st)
{
    if (!st)
        return;
    for (size_t i = 0; i < st->n; i++)
        partner_trust_freep(&st->entries[i]);
    free(st->entries);
    free(st);
}

void store_freep(struct store **st)
{
    store_free(*st);
    *st = NULL;
}

/* Where `name` stands, or where it belongs. */
static size_t find(const struct store *st, struct span name, bool *ret_found)
{
    size_t low = 0, high = st->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(name, span_of(st->entries[middle]->name));
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *ret_found = false;
    return low;
}

static const struct partner_key *find_same(
    const struct partner_trust *t, const struct partner_key *wanted)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (partner_key_same(&t->keys[i], wanted))
            return &t->keys[i];
    return NULL;
}

/* Do both say the same about which keys count? */
static bool same_keys(const struct partner_trust *a, const struct partner_trust *b)
{
    if (a->n_keys != b->n_keys)
        return false;
    for (size_t i = 0; i < a->n_keys; i++) {
        const struct partner_key *other = find_same(b, &a->keys[i]);
        if (!other || other->state != a->keys[i].state || other->disputed != a->keys[i].disputed)
            return false;
    }
    return true;
}

/* Disputes are the store's own knowledge and outlive a new copy until they are settled again; the
 * generation never stands still when keys change, or a remembered verdict would outlive its key. */
static void carry_over(const struct partner_trust *old, struct partner_trust *fresh)
{
    for (size_t i = 0; i < fresh->n_keys; i++) {
        const struct partner_key *known = find_same(old, &fresh->keys[i]);
        if (known)
            fresh->keys[i].disputed = known->disputed;
    }
    if (fresh->generation > old->generation)
        return;
    fresh->generation = old->generation + (same_keys(old, fresh) ? 0 : 1);
}

static bool make_room(struct store *st)
{
    if (st->n < st->cap)
        return true;
    size_t cap = st->cap ? st->cap * 2 : 8;
    struct partner_trust **grown = reallocarray(st->entries, cap, sizeof(struct partner_trust *));
    if (!grown)
        return false;
    st->entries = grown;
    st->cap = cap;
    return true;
}

enum reason store_put(struct store *st, const struct partner_trust *t)
{
    CLEANUP(partner_trust_freep) struct partner_trust *copy = NULL;
    enum reason r = partner_trust_copy(t, &copy);
    if (r != REASON_OK)
        return r;
    bool found;
    size_t at = find(st, span_of(t->name), &found);
    if (found) {
        carry_over(st->entries[at], copy);
        partner_trust_freep(&st->entries[at]);
        st->entries[at] = TAKE(copy);
        return REASON_OK;
    }
    if (!make_room(st))
        return REASON_OUT_OF_MEMORY;
    memmove(&st->entries[at + 1], &st->entries[at], (st->n - at) * sizeof(struct partner_trust *));
    st->entries[at] = TAKE(copy);
    st->n++;
    return REASON_OK;
}

static void remove_at(struct store *st, size_t at)
{
    partner_trust_freep(&st->entries[at]);
    memmove(
        &st->entries[at], &st->entries[at + 1], (st->n - at - 1) * sizeof(struct partner_trust *));
    st->n--;
}

void store_remove(struct store *st, struct span name)
{
    bool found;
    size_t at = find(st, name, &found);
    if (found)
        remove_at(st, at);
}

const struct partner_trust *store_get(const struct store *st, struct span name)
{
    bool found;
    size_t at = find(st, name, &found);
    return found ? st->entries[at] : NULL;
}

void store_keep_only(struct store *st, const struct settings *s)
{
    for (size_t i = st->n; i > 0; i--)
        if (!settings_partner(s, span_of(st->entries[i - 1]->name)))
            remove_at(st, i - 1);
}

static bool is_ours(const struct pubkey *key, const struct pubkey *const *own, size_t n_own)
{
    for (size_t i = 0; i < n_own; i++)
        if (pubkey_eq(key, own[i]))
            return true;
    return false;
}

/* Does a partner other than `name` publish this key, first seen no later than `since`? A withdrawn
 * key is no longer published. */
static bool is_published_elsewhere(
    const struct store *st, const char *name, const struct pubkey *key, int64_t since)
{
    for (size_t i = 0; i < st->n; i++) {
        const struct partner_trust *other = st->entries[i];
        bool same = strcmp(other->name, name) == 0;
        for (size_t k = 0; !same && k < other->n_keys; k++) {
            const struct partner_key *theirs = &other->keys[k];
            if (theirs->state != PKEY_GONE && theirs->first_seen_at <= since &&
                pubkey_eq(theirs->key, key))
                return true;
        }
    }
    return false;
}

static bool is_disputed(const struct store *st, const struct partner_trust *t,
    const struct partner_key *k, const struct pubkey *const *own, size_t n_own)
{
    if (k->state == PKEY_GONE)
        return false;
    return is_ours(k->key, own, n_own) ||
           is_published_elsewhere(st, t->name, k->key, k->first_seen_at);
}

size_t store_settle_disputes(struct store *st, const struct pubkey *const *own, size_t n_own)
{
    size_t disputed = 0;
    for (size_t i = 0; i < st->n; i++) {
        struct partner_trust *t = st->entries[i];
        bool changed = false;
        for (size_t k = 0; k < t->n_keys; k++) {
            bool verdict = is_disputed(st, t, &t->keys[k], own, n_own);
            changed |= verdict != t->keys[k].disputed;
            t->keys[k].disputed = verdict;
            disputed += verdict;
        }
        t->generation += changed;
    }
    return disputed;
}

/* Since when the claimant has published that key; a key that is new with it comes after everybody
 * else's. */
static int64_t claimed_since(
    const struct store *st, const struct store_claim *claim, const struct pubkey *key)
{
    const struct partner_trust *t = store_get(st, span_of(claim->name));
    for (size_t i = 0; t && i < t->n_keys; i++)
        if (t->keys[i].state != PKEY_GONE && pubkey_eq(t->keys[i].key, key))
            return t->keys[i].first_seen_at;
    return INT64_MAX;
}

size_t store_count_undisputed(const struct store *st, const struct store_claim *claim)
{
    size_t n = 0;
    for (size_t i = 0; i < claim->n_certs; i++) {
        const struct pubkey *key = claim->certs[i]->key;
        n += !is_ours(key, claim->own, claim->n_own) &&
             !is_published_elsewhere(st, claim->name, key, claimed_since(st, claim, key));
    }
    return n;
}

static void key_put(struct frame_out *f, const struct partner_key *k)
{
    frame_put_u8(f, (uint8_t)k->state);
    frame_put_u8(f, k->disputed);
    frame_put_u8(f, k->has_x5t);
    frame_put_span(f, span_bytes(k->x5t, X5T_LEN));
    frame_put_span(f, span_bytes(k->x5t_s256, X5T_S256_LEN));
    frame_put_str(f, k->kid);
    frame_put_i64(f, k->not_before);
    frame_put_i64(f, k->not_after);
    frame_put_i64(f, k->first_seen_at);
    frame_put_i64(f, k->last_seen_at);
    frame_put_i64(f, k->missing_at);
    frame_put_span(f, pubkey_n(k->key));
    frame_put_span(f, pubkey_e(k->key));
}

void partner_trust_put(struct frame_out *f, const struct partner_trust *t)
{
    uint32_t n = 0;
    for (size_t i = 0; i < t->n_keys; i++)
        n += t->keys[i].state != PKEY_GONE;
    frame_put_str(f, t->name);
    frame_put_u64(f, t->generation);
    frame_put_i64(f, t->good_at);
    frame_put_u8(f, t->suspended);
    frame_put_u8(f, t->clock.known);
    frame_put_i64(f, t->clock.ahead_s);
    frame_put_u32(f, n);
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].state != PKEY_GONE)
            key_put(f, &t->keys[i]);
}

/* A field that must have exactly n bytes. */
static bool fixed_get(struct frame_in *f, uint8_t *out, size_t n)
{
    struct span s = frame_span(f);
    if (s.n != n)
        return false;
    memcpy(out, s.p, n);
    return true;
}

static bool flag_get(struct frame_in *f, bool *out)
{
    uint8_t v = frame_u8(f);
    *out = v == 1;
    return v <= 1;
}

/* The key itself comes last and only when everything before it was in order: the reference is then
 * the caller's. */
static enum reason key_get(struct frame_in *f, struct partner_key *k)
{
    uint8_t state = frame_u8(f);
    bool ok = state <= PKEY_BARRED;
    k->state = (enum partner_key_state)state;
    ok &= flag_get(f, &k->disputed);
    ok &= flag_get(f, &k->has_x5t);
    ok &= fixed_get(f, k->x5t, X5T_LEN);
    ok &= fixed_get(f, k->x5t_s256, X5T_S256_LEN);
    frame_str(f, k->kid, sizeof(k->kid));
    k->not_before = frame_i64(f);
    k->not_after = frame_i64(f);
    k->first_seen_at = frame_i64(f);
    k->last_seen_at = frame_i64(f);
    k->missing_at = frame_i64(f);
    struct span n = frame_span(f), e = frame_span(f);
    if (!ok || f->failed)
        return REASON_DOCUMENT_FORM;
    return pubkey_new(n, e, &k->key);
}

enum reason partner_trust_get(struct frame_in *f, struct partner_trust *ret)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof(*t));
    char name[PARTNER_NAME_MAX];
    frame_str(f, name, sizeof(name));
    if (!t || !(t->name = strdup(name)))
        return REASON_OUT_OF_MEMORY;
    t->generation = frame_u64(f);
    t->good_at = frame_i64(f);
    bool ok = flag_get(f, &t->suspended);
    ok &= flag_get(f, &t->clock.known);
    t->clock.ahead_s = frame_i64(f);
    uint32_t n = frame_u32(f);
    if (!ok || f->failed || !*name || n > PARTNER_KEYS_MAX)
        return REASON_DOCUMENT_FORM;
    while (t->n_keys < n) {
        enum reason r = key_get(f, &t->keys[t->n_keys]);
        if (r != REASON_OK)
            return r;
        t->n_keys++;
    }
    *ret = *t;
    *t = (struct partner_trust){0};
    return REASON_OK;
}
