/* SPDX-License-Identifier: Apache-2.0 */
/* Our keys with who has seen them, and the partners' keys beside them. */
#include "key_needs.h"
#include "show.h"
#include "timeline.h"

#define KEY_SHOWN 7    /* characters of an x5t that people compare */
#define NOTE_INDENT 9  /* of lines below a key: KEY_SHOWN and a gap */
#define NOTE_MAX 16384 /* bytes of such a line before it is broken */

static struct span shortened(struct span x5t)
{
    return (struct span){x5t.p, x5t.n < KEY_SHOWN ? x5t.n : KEY_SHOWN};
}

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

static void put_head(struct buf *out, const char *title)
{
    buf_printf(out, "  %-10s ", title);
}

/* How many bytes of `text` stand on one line of `width`: whole words, at least one. What stands in
 * parentheses stays together, and a line rather ends behind a comma or semicolon than later. */
static size_t line_of(struct span text, size_t width)
{
    size_t fits = 0, good = 0;
    int depth = 0;
    if (text.n <= width)
        return text.n;
    for (size_t i = 0; i < text.n && (i <= width || fits == 0); i++) {
        depth += (text.p[i] == '(') - (text.p[i] == ')');
        if (text.p[i] != ' ' || depth > 0)
            continue;
        fits = i;
        if (i > 0 && (text.p[i - 1] == ',' || text.p[i - 1] == ';'))
            good = i;
    }
    if (fits == 0)
        return text.n;
    return good > width / 2 ? good : fits;
}

/* Lines below a key, broken at blanks. */
static void add_notes(struct table *t, struct span text)
{
    const size_t columns = t->style->columns ? t->style->columns : TIMELINE_COLUMNS;
    const size_t width = columns > 2 * NOTE_INDENT ? columns - NOTE_INDENT : NOTE_INDENT;
    while (text.n > 0) {
        size_t n = line_of(text, width);
        table_note(t, 1, (struct span){text.p, n});
        text = span_skip(text, n < text.n ? n + 1 : n);
    }
}

/* "2027-04-02 12:00 (in 128 days)" */
static void put_moment(struct buf *out, const struct style *s, int64_t at)
{
    put_minute(out, s, at);
    buf_put_str(out, " (");
    put_relative(out, s, at);
    buf_put_char(out, ')');
}

/* When it was published, and what comes next. */
static void put_life(struct buf *out, const struct style *s, const struct own_key_answer *k)
{
    if (is(k->state, "current")) {
        buf_put_str(out, "signs since ");
        put_minute(out, s, k->since);
        buf_put_str(out, "; ");
    }
    if (k->published_since > 0) {
        buf_put_str(out, "published since ");
        put_minute(out, s, k->published_since);
    } else {
        buf_put_str(out, is(k->state, "retired") ? "not published" : "NOT PUBLISHED yet");
    }
    if (is(k->state, "next") && k->effective_at > 0) {
        buf_put_str(out, k->effective_at > s->now ? "; signs from " : "; due to sign since ");
        put_moment(out, s, k->effective_at);
    }
    if (is(k->state, "next") && k->effective_at <= 0)
        buf_put_str(out, "; signs on order only");
    if (is(k->state, "previous") && k->until > 0) {
        buf_put_str(out, "; until ");
        put_moment(out, s, k->until);
    }
    if (k->forced)
        buf_put_str(out, "; FORCED, against the rules");
}

static void put_hold(struct buf *out, const struct style *s, const struct own_key_answer *k)
{
    buf_put_str(out, "HELD: ");
    put_safe(out, k->hold_reason.n > 0 ? k->hold_reason : SPAN("no reason is given"));
    if (k->last_resort_at > 0) {
        buf_put_str(out, "; signs nevertheless from ");
        put_moment(out, s, k->last_resort_at);
    }
}

/* "seen by exch (announced, 2 days ago), sps (address, 3 h ago: weak)" */
static bool put_seen(struct buf *out, const struct style *s, const struct json_value *seen)
{
    const char *gap = "seen by ";
    JSON_EACH (v, seen) {
        struct sighting_answer g;
        if (!answer_sighting(v, &g))
            return false;
        buf_put_str(out, gap);
        put_safe(out, g.partner);
        buf_put_str(out, " (");
        put_safe(out, g.how);
        buf_put_str(out, ", ");
        put_relative(out, s, g.at);
        buf_put_str(out, is(g.how, "address") ? ": weak)" : ")");
        gap = ", ";
    }
    return true;
}

static void put_not_seen(struct buf *out, const struct json_value *not_seen)
{
    const char *gap = "NOT seen by ";
    JSON_EACH (v, not_seen) {
        buf_put_str(out, gap);
        put_safe(out, v->text);
        gap = ", ";
    }
}

static void flush_note(struct table *t, struct buf *text)
{
    add_notes(t, buf_span(text));
    buf_reset(text);
}

static enum colour own_colour(const struct own_key_answer *k, int64_t now)
{
    if (is(k->state, "current"))
        return k->not_after > now ? COLOUR_GOOD : COLOUR_BAD;
    if (is(k->state, "next"))
        return k->held || k->published_since <= 0 ? COLOUR_WARN : COLOUR_NONE;
    return COLOUR_FAINT;
}

static bool add_own_key(struct table *t, const struct style *s, const struct own_key_answer *k)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(NOTE_MAX);
    table_cell(t, COLOUR_BOLD, shortened(k->x5t));
    table_cell(t, own_colour(k, s->now), k->state);
    table_cell(t, COLOUR_NONE, k->thumbprint);
    put_date(&text, s, k->not_after);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_reset(&text);
    put_life(&text, s, k);
    flush_note(t, &text);
    if (k->held) {
        put_hold(&text, s, k);
        flush_note(t, &text);
    }
    if (!put_seen(&text, s, k->seen))
        return false;
    flush_note(t, &text);
    /* Nobody needs to see a key that does not sign any more. */
    if (is(k->state, "next") || is(k->state, "current"))
        put_not_seen(&text, k->not_seen);
    flush_note(t, &text);
    return true;
}

static bool put_own_keys(struct buf *out, const struct style *s, const struct own_keys *own)
{
    static const char *const heads[] = {"KEY", "STATE", "THUMBPRINT", "VALID UNTIL"};
    bool understood = true;
    struct table t;
    if (own->n == 0) {
        buf_put_str(out, "There is no signing key.\n");
        return true;
    }
    table_start(&t, s, "llll");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_text(&t, heads[i]);
    for (size_t i = 0; i < own->n; i++)
        understood = understood && add_own_key(&t, s, &own->all[i]);
    table_finish(&t, out);
    return understood;
}

/* Partners' keys. */

static bool add_partner_key(
    struct table *t, const struct style *s, struct span partner, const struct json_value *v)
{
    struct partner_key_answer k;
    if (!answer_partner_key(v, &k))
        return false;
    CLEANUP(buf_done) struct buf text = BUF_INIT(128);
    table_cell(t, COLOUR_BOLD, partner);
    table_cell(t, COLOUR_NONE, shortened(k.x5t));
    table_cell(t, is(k.state, "valid") && !k.disputed ? COLOUR_GOOD : COLOUR_WARN,
        k.disputed ? SPAN("disputed") : k.state);
    put_date(&text, s, k.not_after);
    table_cell(t, k.not_after > s->now ? COLOUR_NONE : COLOUR_BAD, buf_span(&text));
    buf_reset(&text);
    put_relative(&text, s, k.last_seen_at);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    return true;
}

/* *ret_well gets false when this partner's keys end soon. */
static bool add_partner(
    struct table *t, const struct style *s, const struct key_partner_answer *p, bool *ret_well)
{
    JSON_EACH (v, p->keys)
        if (!add_partner_key(t, s, v == p->keys->child ? p->name : SPAN(""), v))
            return false;
    if (!p->enabled)
        return true;
    if (partner_keys_end_within(p->keys, s->now, NEED_NEXT_S))
        table_note(t, 1, SPAN("no next! Its last key ends soon: ask its administrator"));
    if (partner_keys_end_within(p->keys, s->now, NEED_NEXT_MANAGED_S))
        *ret_well = false;
    return true;
}

static bool put_partners(
    struct buf *out, const struct style *s, const struct json_value *partners, bool *ret_well)
{
    static const char *const heads[] = {"PARTNER", "KEY", "STATE", "VALID UNTIL", "SEEN"};
    bool understood = true;
    struct table t;
    unsigned keys = 0;
    table_start(&t, s, "lllll");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_text(&t, heads[i]);
    JSON_EACH (v, partners) {
        struct key_partner_answer p;
        understood = understood && answer_key_partner(v, &p) && add_partner(&t, s, &p, ret_well);
        keys += understood ? p.keys->count : 0;
    }
    CLEANUP(buf_done) struct buf text = BUF_INIT(out->max);
    table_finish(&t, &text);
    if (keys > 0) {
        buf_put_char(out, '\n');
        buf_put_span(out, buf_span(&text));
    }
    return understood;
}

/* How a next key comes into the world. */
static const char *next_comes_from(struct span source)
{
    return is(source, "managed") ? "s2sctl cert roll --prepare publishes one"
                                 : "name one in Next= of [SigningKey] and reload";
}

/* What needs an administrator. */

static void put_ending(struct buf *out, const struct style *s, const struct own_key_answer *k)
{
    buf_put_str(out, "the current key ends ");
    put_relative(out, s, k->not_after);
    buf_put_str(out, " and no next key follows it");
}

static void put_need(
    struct buf *out, const struct style *s, const struct own_keys *own, struct span source)
{
    const enum need need = own_keys_need(own, source, s->now);
    if (need == NEED_NOTHING)
        return;
    buf_put_char(out, '\n');
    put_coloured(out, s, COLOUR_BAD, SPAN("ATTENTION"));
    buf_put_str(out, ": ");
    if (need == NEED_CURRENT)
        buf_put_str(out, "no key signs: no token can be minted");
    else if (need == NEED_EXPIRED)
        buf_put_str(out, "the current key has ended: partners refuse its tokens");
    else if (need == NEED_NEXT)
        put_ending(out, s, own->current);
    else
        buf_put_str(out, "the next key is held and its date is near: see HELD above");
    buf_put_char(out, '\n');
    if (need == NEED_CURRENT)
        buf_put_str(out, "  journalctl -u s2sd-signer tells why\n");
    else if (need == NEED_EXPIRED && own->next)
        buf_put_str(out, "  s2sctl cert roll --now\n");
    else if (need != NEED_HELD)
        buf_printf(out, "  %s\n", next_comes_from(source));
}

/* "s2sctl partners confirm exch" and what to do there before. */
static bool put_how_to(
    struct buf *out, const struct own_keys *own, const struct json_value *partners)
{
    const struct json_value *waiting = own->next ? own->next->not_seen : NULL;
    JSON_EACH (v, partners) {
        struct key_partner_answer p;
        bool waits = false;
        if (!answer_key_partner(v, &p))
            return false;
        if (waiting && p.enabled && !p.self_refresh)
            JSON_EACH (name, waiting)
                waits = waits || span_eq(name->text, p.name);
        if (!waits)
            continue;
        buf_put_str(out, "\n");
        put_safe(out, p.name);
        buf_put_str(out, " does not read our document by itself. ");
        buf_put_str(out, p.how_to.n > 0 ? "There:\n  " : "Have it read there,");
        put_safe(out, p.how_to);
        buf_put_str(out, p.how_to.n > 0 ? "\nand then here:\n" : " and then here:\n");
        buf_put_str(out, "  s2sctl partners confirm ");
        put_safe(out, p.name);
        buf_put_char(out, '\n');
    }
    return true;
}

static void put_top(
    struct buf *out, const struct style *s, const struct keys_answer *a, const struct own_keys *own)
{
    put_head(out, "Source");
    put_safe(out, a->source);
    buf_printf(out, "; edition %lld of our document\n", (long long)a->generation);
    put_head(out, "Lead");
    if (a->publish_lead > 0) {
        buf_put_str(out, "a key is published for ");
        put_duration(out, a->publish_lead);
        buf_put_str(out, " before it signs\n");
    } else {
        buf_put_str(out, "none: a key may sign as soon as it is published\n");
    }
    put_head(out, "Roll");
    if (!own->next)
        buf_printf(out, "there is no next key; %s", next_comes_from(a->source));
    else if (a->earliest_roll <= 0)
        buf_put_str(out, "not yet: the next key is not published");
    else if (a->earliest_roll <= s->now)
        buf_put_str(out, "possible now: s2sctl cert roll --now");
    else
        buf_put_str(out, "possible from "), put_moment(out, s, a->earliest_roll);
    if (own->next && own->next->not_seen->count > 0)
        buf_put_str(out, ", once all have seen it");
    buf_put_str(out, "\n\n");
}

bool show_keys(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct keys_answer a;
    struct own_keys own;
    bool well;
    if (!answer_keys(reply, &a) || !own_keys_read(a.keys, &own))
        return false;
    well = own_keys_need(&own, a.source, s->now) == NEED_NOTHING;
    put_top(out, s, &a, &own);
    if (!put_own_keys(out, s, &own) || !put_partners(out, s, a.partners, &well) ||
        !put_how_to(out, &own, a.partners))
        return false;
    put_need(out, s, &own, a.source);
    *ret_well = well;
    return true;
}
