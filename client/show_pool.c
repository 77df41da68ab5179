/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "https_url.h"
#include "show.h"

/* Enough of a thumbprint to tell keys apart. */
#define SHORT_THUMBPRINT 8

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

/* Of that member the address is what tells it apart: the paths are all alike. */
static struct span place(struct span url)
{
    struct https_url u;
    return https_url_parse(url, &u) ? u.authority : url;
}

static enum colour colour_of(const struct pool_member_answer *m)
{
    if (is(m->state, "up"))
        return COLOUR_GOOD;
    if (is(m->state, "self"))
        return COLOUR_NONE;
    return is(m->state, "new") || is(m->state, "away") ? COLOUR_WARN : COLOUR_BAD;
}

static void put_keys(struct buf *out, const struct pool_member_answer *m)
{
    const struct json_value *first = m->keys->child;
    struct span thumb = first && first->type == JSON_STRING ? first->text : SPAN("-");
    buf_put_span(
        out, (struct span){thumb.p, thumb.n < SHORT_THUMBPRINT ? thumb.n : SHORT_THUMBPRINT});
    if (m->keys->count > 1)
        buf_printf(out, " +%u", m->keys->count - 1);
}

/* Which of our keys its document holds. */
static const char *ours(const struct pool_member_answer *m)
{
    if (is(m->state, "self"))
        return "-";
    if (!m->publishes_current)
        return "none";
    return !m->has_next || m->publishes_next ? "all" : "not the next";
}

/* What went wrong, and what comes of it. */
static void add_notes(struct table *t, const struct style *s, const struct pool_member_answer *m)
{
    struct buf text = BUF_INIT(4096);
    if (!is(m->last_reason, "ok") && !is(m->last_reason, "never_fetched")) {
        buf_printf(&text, "  %.*s (%.*s)", (int)m->last_sentence.n, m->last_sentence.p,
            (int)m->last_reason.n, m->last_reason.p);
        table_note(t, 0, buf_span(&text));
        buf_reset(&text);
    }
    if (m->leaves_at > 0) {
        buf_put_str(&text, m->leaves_at > s->now ? "  its keys leave our document at "
                                                 : "  its keys have left our document at ");
        put_minute(&text, s, m->leaves_at);
        table_note(t, 0, buf_span(&text));
    }
    buf_done(&text);
}

static void add_row(struct table *t, const struct style *s, const struct pool_member_answer *m)
{
    struct buf text = BUF_INIT(4096);
    table_cell(t, COLOUR_BOLD, place(m->url));
    buf_put_span(&text, m->state);
    if (is(m->state, "up")) {
        buf_put_str(&text, ", ");
        put_relative(&text, s, m->good_at);
    }
    table_cell(t, colour_of(m), buf_span(&text));
    buf_reset(&text);
    put_keys(&text, m);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_reset(&text);
    table_text(t, ours(m));
    if (m->next_try_at > s->now)
        put_relative(&text, s, m->next_try_at);
    else
        buf_put_str(&text, "now");
    table_cell(t, COLOUR_NONE, buf_span(&text));
    add_notes(t, s, m);
    buf_done(&text);
}

static void put_sum(struct buf *out, const struct pool_answer *k)
{
    buf_printf(out, "Our document holds %lld of our own keys and %lld of the other members.\n",
        (long long)k->own_keys, (long long)k->other_keys);
    if (k->left_out > 0)
        buf_printf(out,
            "There is no room in it for %lld more: whoever signs with those is refused "
            "by partners.\n",
            (long long)k->left_out);
}

static bool is_well(const struct pool_member_answer *m)
{
    return is(m->state, "self") || (is(m->state, "up") && m->publishes_current);
}

bool show_pool(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    static const char *const heads[] = {"MEMBER", "STATE", "ITS KEYS", "OUR KEYS", "NEXT TRY"};
    struct pool_answer a;
    if (!answer_pool(reply, &a))
        return false;
    bool well = a.left_out == 0, understood = true;
    if (a.members->count == 0) {
        buf_put_str(out, "There is no pool; see [Pool] in s2sd.conf(5).\n");
        *ret_well = true;
        return true;
    }
    struct table t;
    table_start(&t, s, "lllll");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_text(&t, heads[i]);
    JSON_EACH (v, a.members) {
        struct pool_member_answer m;
        if (!answer_pool_member(v, &m)) {
            understood = false;
            break;
        }
        well = well && is_well(&m);
        add_row(&t, s, &m);
    }
    table_finish(&t, out);
    buf_put_char(out, '\n');
    put_sum(out, &a);
    if (understood)
        *ret_well = well;
    return understood;
}
