/* SPDX-License-Identifier: Apache-2.0 */
#include "sightings.h"

#include "cleanup.h"
#include "sealed_text.h"
#include "settings_table.h"

#define TITLE "s2sd sightings 1"
#define ROOM_FIRST 16

static const char *const how_names[] = {[SIGHTING_ADDRESS] = "address",
    [SIGHTING_DOUBTED] = "doubted",
    [SIGHTING_FETCHED] = "fetched",
    [SIGHTING_CONFIRMED] = "confirmed",
    [SIGHTING_ANNOUNCED] = "announced"};

const char *sighting_how_name(enum sighting_how h)
{
    return how_names[h];
}

bool sighting_how_of(struct span name, enum sighting_how *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(how_names); i++)
        if (span_eq_str(name, how_names[i])) {
            *ret = (enum sighting_how)i;
            return true;
        }
    return false;
}

bool sighting_counts(enum sighting_how h)
{
    return h >= SIGHTING_FETCHED;
}

void sightings_done(struct sightings *s)
{
    free(s->list);
    *s = (struct sightings){0};
}

/* ---- finding ---- */

/* Index of the first that is not below `name`. */
static size_t place_of(const struct sightings *s, struct span name)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (span_order(span_of(s->list[mid].name), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct partner_sightings *find(const struct sightings *s, struct span name)
{
    size_t at = place_of(s, name);
    return at < s->n && span_eq_str(name, s->list[at].name) ? &s->list[at] : NULL;
}

const struct partner_sightings *sightings_partner(const struct sightings *s, struct span partner)
{
    return find(s, partner);
}

static struct sighting *key_of(struct partner_sightings *p, const uint8_t *x5t_s256)
{
    for (size_t i = 0; p && i < p->n; i++)
        if (memcmp(p->keys[i].x5t_s256, x5t_s256, X5T_S256_LEN) == 0)
            return &p->keys[i];
    return NULL;
}

const struct sighting *sightings_of(
    const struct sightings *s, struct span partner, const uint8_t x5t_s256[X5T_S256_LEN])
{
    return key_of(find(s, partner), x5t_s256);
}

/* ---- adding ---- */

static bool make_room(struct sightings *s)
{
    if (s->n < s->room)
        return true;
    size_t room = s->room ? s->room * 2 : ROOM_FIRST;
    struct partner_sightings *list = reallocarray(s->list, room, sizeof(*list));
    if (!list)
        return false;
    s->list = list;
    s->room = room;
    return true;
}

static enum reason partner_of(struct sightings *s, struct span name, struct partner_sightings **ret)
{
    struct partner_sightings *p = find(s, name);
    if (!p) {
        if (s->n == SETTINGS_PARTNERS_MAX || name.n == 0 || name.n >= SIGHTINGS_NAME_MAX)
            return REASON_TOO_LARGE;
        if (!make_room(s))
            return REASON_OUT_OF_MEMORY;
        p = &s->list[place_of(s, name)];
        memmove(p + 1, p, (size_t)(s->list + s->n - p) * sizeof(*p));
        *p = (struct partner_sightings){0};
        memcpy(p->name, name.p, name.n);
        s->n++;
    }
    *ret = p;
    return REASON_OK;
}

/* The only writer of a sighting. */
static enum reason put(
    struct partner_sightings *p, const uint8_t *x5t_s256, enum sighting_how how, int64_t at)
{
    struct sighting *k = key_of(p, x5t_s256);
    if (!k && p->n == KEYRING_MAX)
        return REASON_TOO_LARGE;
    if (!k)
        k = &p->keys[p->n++];
    k->how = how;
    k->at = at;
    memcpy(k->x5t_s256, x5t_s256, X5T_S256_LEN);
    return REASON_OK;
}

static bool is_better(const struct sighting *known, enum sighting_how how)
{
    return !known ||
           (how > known->how && !(known->how == SIGHTING_DOUBTED && how == SIGHTING_FETCHED));
}

enum reason sightings_note(struct sightings *s, struct span partner,
    const uint8_t x5t_s256[X5T_S256_LEN], enum sighting_how how, int64_t at, bool *ret_changed)
{
    struct partner_sightings *p;
    bool changed = is_better(sightings_of(s, partner, x5t_s256), how);
    enum reason r = changed ? partner_of(s, partner, &p) : REASON_OK;
    if (r == REASON_OK && changed)
        r = put(p, x5t_s256, how, at);
    if (r == REASON_OK)
        *ret_changed = changed;
    return r;
}

/* ---- a partner's word ---- */

static bool believes(const struct sightings_word *w, const struct cert *c)
{
    for (size_t i = 0; i < w->n; i++)
        if (memcmp(w->x5ts + i * X5T_LEN, c->x5t, X5T_LEN) == 0)
            return true;
    return false;
}

/* The newest word decides, whatever was known before; a key that the partner cannot know yet is no
 * doubt. */
static enum reason take_word(struct partner_sightings *p, const struct sightings_word *w,
    const struct cert *c, bool *ret_changed)
{
    const struct sighting *known = key_of(p, c->x5t_s256);
    enum sighting_how how = believes(w, c) ? SIGHTING_ANNOUNCED : SIGHTING_DOUBTED;
    if (known ? known->how == how : how == SIGHTING_DOUBTED)
        return REASON_OK;
    if (how == SIGHTING_DOUBTED && known->how == SIGHTING_ADDRESS)
        return REASON_OK;
    *ret_changed = true;
    return put(p, c->x5t_s256, how, w->now);
}

enum reason sightings_announce(struct sightings *s, const struct sightings_word *w,
    const struct keyring *ring, bool *ret_news, bool *ret_changed)
{
    struct partner_sightings *p;
    enum reason r = partner_of(s, w->partner, &p);
    if (r != REASON_OK)
        return r;
    *ret_changed = false;
    *ret_news = w->issued_at > p->issued_at || p->issued_at > w->now + SIGHTINGS_AHEAD_S;
    if (!*ret_news)
        return REASON_OK;
    p->issued_at = w->issued_at;
    p->announced_at = w->now;
    for (size_t i = 0; ring && i < ring->n && r == REASON_OK; i++)
        if (ring->slots[i].state != KEY_RETIRED)
            r = take_word(p, w, ring->slots[i].cert, ret_changed);
    return r;
}

/* ---- forgetting ---- */

static bool in_ring(const struct keyring *ring, const uint8_t *x5t_s256)
{
    for (size_t i = 0; i < ring->n; i++)
        if (ring->slots[i].state != KEY_RETIRED &&
            memcmp(ring->slots[i].cert->x5t_s256, x5t_s256, X5T_S256_LEN) == 0)
            return true;
    return false;
}

static bool keep_keys(struct partner_sightings *p, const struct keyring *ring)
{
    size_t kept = 0, before = p->n;
    for (size_t i = 0; i < before; i++)
        if (in_ring(ring, p->keys[i].x5t_s256))
            p->keys[kept++] = p->keys[i];
    p->n = kept;
    return kept < before;
}

bool sightings_keep(
    struct sightings *s, const struct settings *settings, const struct keyring *ring)
{
    size_t kept = 0, before = s->n;
    bool changed = false;
    for (size_t i = 0; i < before; i++) {
        if (!settings_partner(settings, span_of(s->list[i].name)))
            continue;
        changed |= ring && keep_keys(&s->list[i], ring);
        if (kept < i)
            s->list[kept] = s->list[i];
        kept++;
    }
    s->n = kept;
    return changed || kept < before;
}

/* ---- text ---- */

static void print_partner(const struct partner_sightings *p, struct buf *out)
{
    text_put_span(out, "Partner", span_of(p->name));
    text_put_time(out, "Announced", p->announced_at);
    text_put_time(out, "Issued", p->issued_at);
    text_put_int(out, "Keys", (int64_t)p->n);
    for (size_t i = 0; i < p->n; i++) {
        text_put_bytes(out, "Key", p->keys[i].x5t_s256, X5T_S256_LEN);
        text_put_span(out, "How", span_of(sighting_how_name(p->keys[i].how)));
        text_put_time(out, "At", p->keys[i].at);
    }
}

void sightings_print(const struct sightings *s, struct buf *out)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(SIGHTINGS_TEXT_MAX);
    text_put_int(&body, "Partners", (int64_t)s->n);
    for (size_t i = 0; i < s->n; i++)
        print_partner(&s->list[i], &body);
    out->failed |= body.failed;
    sealed_put(out, TITLE, NULL, buf_span(&body));
}

static void scan_key(struct text_in *in, struct partner_sightings *p)
{
    char name[16];
    struct sighting k = {0};
    if (text_bytes(in, "Key", k.x5t_s256, X5T_S256_LEN) != X5T_S256_LEN)
        in->failed = true;
    text_str(in, "How", name, sizeof(name));
    if (!sighting_how_of(span_of(name), &k.how))
        in->failed = true;
    k.at = text_time(in, "At");
    if (in->failed || k.at < 0 || p->n == KEYRING_MAX || key_of(p, k.x5t_s256))
        in->failed = true;
    else
        p->keys[p->n++] = k;
}

static void scan_partner(struct text_in *in, struct partner_sightings *p)
{
    text_str(in, "Partner", p->name, sizeof(p->name));
    if (!setting_name_valid(span_of(p->name)))
        in->failed = true;
    p->announced_at = text_time(in, "Announced");
    p->issued_at = text_time(in, "Issued");
    int64_t n = text_int(in, "Keys");
    if (p->announced_at < 0 || p->issued_at < 0 || n < 0 || n > KEYRING_MAX)
        in->failed = true;
    for (int64_t i = 0; i < n && !in->failed; i++)
        scan_key(in, p);
}

/* In the order of names, which also makes each the only one. */
static void scan_all(struct text_in *in, struct sightings *s)
{
    int64_t n = text_int(in, "Partners");
    if (n < 0 || n > SETTINGS_PARTNERS_MAX)
        in->failed = true;
    for (int64_t i = 0; i < n && !in->failed; i++) {
        if (!make_room(s)) {
            in->failed = in->starved = true;
            return;
        }
        struct partner_sightings *p = &s->list[s->n];
        *p = (struct partner_sightings){0};
        scan_partner(in, p);
        if (s->n > 0 && strcmp(p[-1].name, p->name) >= 0)
            in->failed = true;
        s->n++;
    }
    if (in->rest.n > 0)
        in->failed = true;
}

enum reason sightings_scan(struct span text, struct sightings *ret)
{
    CLEANUP(sightings_done) struct sightings s = {0};
    struct text_in in = {0};
    enum reason r = sealed_open(text, TITLE, NULL, &in.rest);
    if (r != REASON_OK)
        return r;
    scan_all(&in, &s);
    if (in.failed)
        return in.starved ? REASON_OUT_OF_MEMORY : REASON_DOCUMENT_FORM;
    *ret = s;
    s = (struct sightings){0};
    return REASON_OK;
}
