/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of ListKeys as rows of a drawing. */
#include "cleanup.h"
#include "key_needs.h"
#include "show.h"
#include "timeline.h"

#define KEY_SHOWN 7                             /* characters of an x5t that people compare */
#define DRAWN_LEAST_S (INT64_C(60) * 86400)     /* how far ahead a drawing looks at least, */
#define DRAWN_MOST_S (INT64_C(5) * 366 * 86400) /* and at most */

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

static struct span shortened(struct span x5t)
{
    return (struct span){x5t.p, x5t.n < KEY_SHOWN ? x5t.n : KEY_SHOWN};
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the next key is expected to sign; 0: nobody knows. */
static int64_t expected_roll(const struct own_keys *own, int64_t now)
{
    const struct own_key_answer *next = own->next;
    if (!next)
        return 0;
    bool waits = next->held && next->effective_at <= now;
    return waits ? next->last_resort_at : next->effective_at;
}

static void draw_current(struct timeline_row *row, const struct own_keys *own, int64_t now)
{
    const struct own_key_answer *k = own->current;
    int64_t roll = expected_roll(own, now);
    int64_t end = roll > now && roll < k->not_after ? roll : k->not_after;
    if (k->published_since > 0)
        timeline_add(row, k->published_since, end, TIMELINE_PUBLISHED);
    timeline_add(row, k->since, end, TIMELINE_SIGNS);
    /* How long it is published after the roll is known when it comes: until its last token ended.
     */
    if (end < k->not_after)
        timeline_add(row, end, end + 1, TIMELINE_PUBLISHED);
}

static void draw_next(struct timeline_row *row, const struct own_keys *own, int64_t now)
{
    const struct own_key_answer *k = own->next;
    int64_t roll = expected_roll(own, now);
    if (k->published_since > 0)
        timeline_add(row, k->published_since, k->not_after, TIMELINE_PUBLISHED);
    if (roll > 0)
        timeline_add(row, later(roll, now), k->not_after, TIMELINE_SIGNS);
}

/* When it began to sign is not kept; it was published before, so this begins a little early. */
static void draw_past(struct timeline_row *row, const struct own_key_answer *k)
{
    timeline_add(row, later(k->not_before, k->published_since), k->since, TIMELINE_SIGNS);
    if (k->until > k->since)
        timeline_add(row, k->since, k->until, TIMELINE_PUBLISHED);
}

static void note(struct timeline_row *row, struct span text, enum colour colour)
{
    row->note = text;
    row->colour = colour;
}

static void note_own(struct timeline_row *row, const struct own_keys *own,
    const struct own_key_answer *k, enum need need)
{
    note(row, k->state, k == own->current ? COLOUR_GOOD : COLOUR_NONE);
    if (k == own->next && k->held)
        note(row, SPAN("held"), COLOUR_WARN);
    if (k == own->current && need == NEED_NEXT)
        note(row, SPAN("no next!"), COLOUR_BAD);
    if (k == own->current && need == NEED_EXPIRED)
        note(row, SPAN("ended!"), COLOUR_BAD);
}

static size_t add_own(
    struct timeline_row *rows, const struct own_keys *own, struct span source, int64_t now)
{
    const enum need need = own_keys_need(own, source, now);
    rows[0].who = SPAN("ours");
    if (own->n == 0) {
        note(&rows[0], SPAN("no key!"), COLOUR_BAD);
        return 1;
    }
    for (size_t i = 0; i < own->n; i++) {
        const struct own_key_answer *k = &own->all[i];
        rows[i].key = shortened(k->x5t);
        if (k == own->current)
            draw_current(&rows[i], own, now);
        else if (k == own->next)
            draw_next(&rows[i], own, now);
        else
            draw_past(&rows[i], k);
        note_own(&rows[i], own, k, need);
    }
    return own->n;
}

/* Partners. */

static void draw_partner_key(
    struct timeline_row *row, const struct partner_key_answer *k, int64_t now)
{
    const bool valid = is(k->state, "valid") && !k->disputed;
    const bool counts = partner_key_counts(k);
    int64_t from = later(k->first_seen_at, k->not_before), to = k->not_after;
    /* What is missing from the document is believed for Grace= at most; nobody knows beyond now. */
    if (!valid && !is(k->state, "new"))
        to = counts ? now + 1 : k->last_seen_at;
    row->key = shortened(k->x5t);
    timeline_add(row, from, to, counts ? TIMELINE_SIGNS : TIMELINE_PUBLISHED);
    note(row, k->disputed ? SPAN("disputed") : k->state, valid ? COLOUR_GOOD : COLOUR_WARN);
}

/* The key that counts longest gets the word of warning. */
static bool add_partner(
    struct timeline_row *rows, const struct key_partner_answer *p, int64_t now, size_t *n)
{
    struct timeline_row *last = NULL, *row = &rows[*n];
    int64_t last_end = INT64_MIN;
    JSON_EACH (v, p->keys) {
        struct partner_key_answer k;
        if (!answer_partner_key(v, &k))
            return false;
        draw_partner_key(row, &k, now);
        if (partner_key_counts(&k) && k.not_after >= last_end) {
            last = row;
            last_end = k.not_after;
        }
        row++;
    }
    if (p->keys->count == 0)
        note(row++, SPAN("no keys"), p->enabled ? COLOUR_BAD : COLOUR_FAINT);
    rows[*n].who = p->name;
    if (last && p->enabled && partner_keys_end_within(p->keys, now, NEED_NEXT_S))
        note(last, last_end > now ? SPAN("no next!") : SPAN("ended!"), COLOUR_BAD);
    *n = (size_t)(row - rows);
    return true;
}

/* How many rows all partners need at most; `well` as for the table. */
static bool count_rows(
    const struct json_value *partners, int64_t now, size_t *ret_n, bool *ret_well)
{
    size_t n = 0;
    bool well = true;
    JSON_EACH (v, partners) {
        struct key_partner_answer p;
        if (!answer_key_partner(v, &p))
            return false;
        n += p.keys->count + 1;
        well = well && !(p.enabled && partner_keys_end_within(p.keys, now, NEED_NEXT_MANAGED_S));
    }
    *ret_n = n;
    *ret_well = well;
    return true;
}

/* As much as our own keys need: the roll when one is planned, else the end of the current key. */
static int64_t span_needed(const struct own_keys *own, int64_t now)
{
    int64_t end = expected_roll(own, now);
    if (end <= now && own->current)
        end = own->current->not_after;
    if (end < now + DRAWN_LEAST_S)
        end = now + DRAWN_LEAST_S;
    if (end > now + DRAWN_MOST_S)
        end = now + DRAWN_MOST_S;
    /* A fifth lies behind us, and something should be seen of what comes after. */
    return (end - now) * 3 / 2;
}

bool show_timeline(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct keys_answer a;
    struct own_keys own;
    size_t partner_rows;
    bool well;
    if (!answer_keys(reply, &a) || !own_keys_read(a.keys, &own) ||
        !count_rows(a.partners, s->now, &partner_rows, &well))
        return false;
    CLEANUP(freep) struct timeline_row *rows = calloc(own.n + partner_rows + 1, sizeof(*rows));
    if (!rows) {
        out->failed = true;
        return true;
    }
    size_t n = add_own(rows, &own, a.source, s->now);
    JSON_EACH (v, a.partners) {
        struct key_partner_answer p;
        if (!answer_key_partner(v, &p) || !add_partner(rows, &p, s->now, &n))
            return false;
    }
    timeline_put(s, s->drawn_s > 0 ? s->drawn_s : span_needed(&own, s->now), rows, n, out);
    *ret_well = well && own_keys_need(&own, a.source, s->now) == NEED_NOTHING;
    return true;
}
