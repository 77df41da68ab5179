/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_member.h"

#include "cleanup.h"

#include <stdio.h>

#define CLOCK_SKEW_S 300

static const uint8_t nobody[METADATA_MEMBER_LEN];

void pool_member_done(struct pool_member *m)
{
    for (size_t i = 0; i < m->n_own; i++)
        cert_free(m->own[i]);
    free(m->url);
    *m = (struct pool_member){0};
}

static void keep(struct span from, char *to, size_t cap)
{
    size_t n = from.n < cap ? from.n : 0;
    if (n > 0)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static void set_detail(struct pool_member *m, struct span detail)
{
    size_t n = detail.n < sizeof(m->last_detail) - 1 ? detail.n : sizeof(m->last_detail) - 1;
    if (n > 0)
        memcpy(m->last_detail, detail.p, n);
    m->last_detail[n] = '\0';
}

static bool same_cert(const struct cert *a, const struct cert *b)
{
    return memcmp(a->x5t_s256, b->x5t_s256, X5T_S256_LEN) == 0;
}

static bool in_ring(const struct keyring *ring, const struct cert *c)
{
    for (size_t i = 0; ring && i < ring->n; i++)
        if (same_cert(ring->slots[i].cert, c))
            return true;
    return false;
}

/* ------------------------------------------------------------------------------------- judging */

/* Reads a document of this pool. Its own certificates are the first n_own of *ret. */
static enum reason read_document(
    const struct pool_us *us, struct span body, int64_t now, struct metadata *ret)
{
    const struct identity *id = us->identity;
    const struct partner pins = {
        .app_id = id->app_id, .realm = id->realm, .issuer = id->issuer, .enabled = true};
    enum reason r = metadata_parse(body, &pins, NULL, now, ret);
    if (r != REASON_OK)
        return r;
    if (!ret->says_own_keys)
        return REASON_POOL_DOCUMENT;
    if (ret->n_own > POOL_OWN_KEYS_MAX) {
        snprintf(
            ret->detail, sizeof(ret->detail), "more than %d keys of its own", POOL_OWN_KEYS_MAX);
        return REASON_DOCUMENT_FORM;
    }
    return ret->n_own ? REASON_OK : REASON_DOCUMENT_KEYS;
}

static bool same_own(const struct pool_member *m, const struct metadata *d)
{
    if (m->n_own != d->n_own)
        return false;
    for (size_t i = 0; i < d->n_own; i++)
        if (!same_cert(m->own[i], d->certs[i]))
            return false;
    return true;
}

static bool same_published(const struct pool_member *m, const struct metadata *d)
{
    if (m->n_published != d->n_certs)
        return false;
    for (size_t i = 0; i < d->n_certs; i++)
        if (memcmp(m->published[i], d->certs[i]->x5t_s256, X5T_S256_LEN) != 0)
            return false;
    return true;
}

/* Our own document has our id and keys that are all ours. A copy of our state folder on another
 * machine has the id too, but signs with other keys, and those must not be lost. */
static void judge_who(struct pool_member *m, const struct pool_us *us, const struct metadata *d,
    struct pool_change *ret)
{
    bool is_self = memcmp(d->member, us->id, METADATA_MEMBER_LEN) == 0;
    for (size_t i = 0; is_self && i < d->n_own; i++)
        is_self = in_ring(us->ring, d->certs[i]);
    ret->twin = !is_self && memcmp(d->member, us->id, METADATA_MEMBER_LEN) == 0;
    ret->another_server = memcmp(m->id, nobody, METADATA_MEMBER_LEN) != 0 &&
                          memcmp(m->id, d->member, METADATA_MEMBER_LEN) != 0;
    m->is_self = is_self;
    memcpy(m->id, d->member, METADATA_MEMBER_LEN);
}

/* What the document says is in force; certificates change hands. */
static void install(struct pool_member *m, struct metadata *d, const struct pool_answer *a)
{
    for (size_t i = 0; i < m->n_own; i++)
        cert_free(m->own[i]);
    m->n_published = d->n_certs;
    for (size_t i = 0; i < d->n_certs; i++)
        memcpy(m->published[i], d->certs[i]->x5t_s256, X5T_S256_LEN);
    m->n_own = d->n_own;
    for (size_t i = 0; i < d->n_own; i++)
        m->own[i] = TAKE(d->certs[i]);
    keep(a->etag, m->etag, sizeof(m->etag));
    keep(a->last_modified, m->last_modified, sizeof(m->last_modified));
}

static enum reason judge_document(struct pool_member *m, const struct pool_us *us,
    const struct pool_answer *a, int64_t now, struct pool_change *ret)
{
    CLEANUP(metadata_done) struct metadata d = {0};
    enum reason r = read_document(us, a->body, now, &d);
    set_detail(m, span_of(d.detail));
    if (r != REASON_OK)
        return r;
    ret->keys = !same_own(m, &d);
    ret->published = !same_published(m, &d);
    bool was_self = m->is_self;
    judge_who(m, us, &d, ret);
    ret->keys = ret->keys || was_self != m->is_self;
    install(m, &d, a);
    return REASON_OK;
}

void pool_member_judge(struct pool_member *m, const struct pool_us *us, const struct pool_answer *a,
    int64_t now, struct pool_change *ret)
{
    *ret = (struct pool_change){.reason = a->reason};
    set_detail(m, a->detail);
    if (a->reason == REASON_OK && a->status == 200) {
        ret->reason = judge_document(m, us, a, now, ret);
    } else if (a->reason == REASON_OK && (a->status != 304 || m->n_own == 0)) {
        ret->reason = REASON_FETCH_STATUS;
        snprintf(m->last_detail, sizeof(m->last_detail), "unexpected HTTP status %u", a->status);
    }
    bool good = ret->reason == REASON_OK;
    if (good)
        m->good_at = now;
    m->last_try_at = now;
    m->last_reason = ret->reason;
    m->failures = good ? 0 : m->failures + 1;
}

void pool_member_clock_move(struct pool_member *m, int64_t by_s)
{
    int64_t *times[] = {&m->good_at, &m->last_try_at, &m->next_try_at};
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (*times[i] > 0)
            *times[i] = *times[i] + by_s > 1 ? *times[i] + by_s : 1;
}

/* ------------------------------------------------------------------------------------- standing */

/* Nobody is there, or not the one that should be; that our own fetcher is away says nothing. */
static bool is_silence(enum reason r)
{
    return r >= REASON_FETCH_NAME && r <= REASON_FETCH_TRUNCATED && r != REASON_FETCH_AWAY;
}

/* The last attempt was answered with something that is not taken. */
static bool is_refusal(enum reason r)
{
    return r != REASON_OK && r != REASON_NEVER_FETCHED && r != REASON_FETCH_AWAY &&
           r != REASON_OUT_OF_MEMORY && !is_silence(r);
}

enum pool_state pool_member_state(const struct pool_member *m, int64_t stale_after_s, int64_t now)
{
    if (m->is_self)
        return POOL_SELF;
    if (m->good_at != 0 && now - m->good_at >= stale_after_s)
        return POOL_STALE;
    if (m->failures >= POOL_AWAY_AFTER && is_silence(m->last_reason))
        return POOL_AWAY;
    if (is_refusal(m->last_reason))
        return POOL_REFUSED;
    return m->good_at != 0 ? POOL_UP : POOL_NEW;
}

const char *pool_state_name(enum pool_state s)
{
    static const char *const names[] = {[POOL_SELF] = "self",
        [POOL_NEW] = "new",
        [POOL_UP] = "up",
        [POOL_REFUSED] = "refused",
        [POOL_AWAY] = "away",
        [POOL_STALE] = "stale"};
    return names[s];
}

bool pool_member_publishes(const struct pool_member *m, const uint8_t x5t_s256[X5T_S256_LEN])
{
    for (size_t i = 0; i < m->n_published; i++)
        if (memcmp(m->published[i], x5t_s256, X5T_S256_LEN) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------------------------- together */

/* Our document while it is put together: readers take no more of it than this (metadata.h). */
struct draft {
    const struct cert *certs[METADATA_KEYS_MAX]; /* ours, then the others' */
    size_t n, n_ours, key_bytes, der_bytes, left_out;
};

static size_t modulus_bytes(const struct cert *c)
{
    return (pubkey_bits(c->key) + 7) / 8;
}

static void draft_add(struct draft *d, const struct cert *c)
{
    for (size_t i = 0; i < d->n; i++)
        if (memcmp(d->certs[i]->x5t, c->x5t, X5T_LEN) == 0)
            return;
    if (d->n == METADATA_KEYS_MAX || d->key_bytes + modulus_bytes(c) > METADATA_KEY_BYTES_MAX ||
        d->der_bytes + c->der_len > POOL_DER_MAX) {
        d->left_out++;
        return;
    }
    d->certs[d->n++] = c;
    d->key_bytes += modulus_bytes(c);
    d->der_bytes += c->der_len;
}

static void draft_ours(struct draft *d, const struct keyring *ring)
{
    const struct cert *ours[KEYRING_MAX];
    size_t n = ring ? keyring_published_certs(ring, ours) : 0;
    for (size_t i = 0; i < n; i++)
        draft_add(d, ours[i]);
    d->n_ours = d->n;
}

size_t pool_union(const struct pool_view *v, const struct keyring *ring,
    const struct cert *out[METADATA_KEYS_MAX], size_t *ret_left_out)
{
    struct draft d = {0};
    draft_ours(&d, ring);
    for (size_t round = 0; round < POOL_OWN_KEYS_MAX; round++)
        for (size_t i = 0; i < v->n; i++) {
            const struct pool_member *m = v->members[i];
            enum pool_state s = pool_member_state(m, v->stale_after_s, v->now);
            if (s != POOL_SELF && s != POOL_STALE && round < m->n_own &&
                v->now - CLOCK_SKEW_S <= m->own[round]->not_after)
                draft_add(&d, m->own[round]);
        }
    *ret_left_out = d.left_out;
    for (size_t i = d.n_ours; i < d.n; i++)
        out[i - d.n_ours] = d.certs[i];
    return d.n - d.n_ours;
}

static bool is_waited_for(enum pool_state s)
{
    return s == POOL_NEW || s == POOL_UP || s == POOL_REFUSED;
}

bool pool_is_everywhere(
    const struct pool_view *v, const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len)
{
    const struct pool_member *first = NULL;
    size_t missing = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct pool_member *m = v->members[i];
        if (!is_waited_for(pool_member_state(m, v->stale_after_s, v->now)) ||
            pool_member_publishes(m, x5t_s256))
            continue;
        first = first ? first : m;
        missing++;
    }
    if (missing > 0)
        snprintf(why, why_len, "%s of our pool%s does not publish it yet", first->url,
            missing > 1 ? ", and others," : "");
    return missing == 0;
}
