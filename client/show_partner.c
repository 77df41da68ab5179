/* SPDX-License-Identifier: Apache-2.0 */
#include "partner_words.h"
#include "show.h"

#define KEY_SHOWN 7 /* characters of an x5t that people compare */

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

static void put_list(struct buf *out, const struct json_value *list)
{
    const char *gap = "";
    JSON_EACH (v, list) {
        buf_put_str(out, gap);
        put_safe(out, v->text);
        gap = ", ";
    }
}

static void put_list_line(struct buf *out, const char *title, const struct json_value *list)
{
    if (list->count == 0)
        return;
    put_head(out, title);
    put_list(out, list);
    buf_put_char(out, '\n');
}

static void put_users(struct buf *out, const struct partner_answer *p)
{
    put_head(out, "Users");
    if (p->permitted_users->count == 0)
        buf_put_str(out, "none: no user token is accepted");
    put_list(out, p->permitted_users);
    if (p->refused_users->count > 0) {
        buf_put_str(out, "; never ");
        put_list(out, p->refused_users);
    }
    buf_put_char(out, '\n');
}

static void put_document(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    struct buf text = BUF_INIT(4096);
    enum colour colour = put_freshness(&text, s, b);
    put_head(out, "Document");
    put_coloured(out, s, colour, buf_span(&text));
    buf_put_str(out, "; next try ");
    put_next_try(out, s, b);
    buf_put_char(out, '\n');
    buf_reset(&text);
    put_last_failure(&text, b);
    put_refused_from(&text, s, b);
    if (text.n > 0) {
        put_head(out, "Last try");
        buf_put_span(out, buf_span(&text));
        buf_put_char(out, '\n');
    }
    buf_done(&text);
}

static void put_suspension(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    put_suspended(&text, s, b);
    if (text.n == 0)
        return;
    put_head(out, "State");
    put_coloured(out, s, COLOUR_BAD, buf_span(&text));
    buf_put_str(out, "; to end it: s2sctl partners resume ");
    put_safe(out, b->name);
    buf_put_char(out, '\n');
}

static void put_continuity(struct buf *out, const struct partner_answer *p)
{
    if (p->continuity.n == 0)
        return;
    put_head(out, "Continuity");
    put_safe(out, p->continuity);
    if (p->hold_down > 0) {
        buf_put_str(out, "; a new key is believed after ");
        put_duration(out, p->hold_down);
    }
    buf_put_char(out, '\n');
}

static void put_clock_line(struct buf *out, const struct brief_answer *b)
{
    if (!b->clock_known)
        return;
    put_head(out, "Clock");
    put_clock_offset(out, b);
    buf_put_char(out, '\n');
}

/* The document that waits, and what an administrator compares before it is taken. */
static bool put_held(struct buf *out, const struct style *s, const struct partner_answer *p,
    const struct brief_answer *b)
{
    struct held_answer h;
    if (!p->held)
        return true;
    if (!answer_held(p->held, &h))
        return false;
    put_head(out, "Held");
    put_coloured(out, s, COLOUR_BAD, h.sentence);
    buf_put_str(out, " (");
    put_safe(out, h.reason);
    buf_put_str(out, "), since ");
    put_minute(out, s, h.since);
    buf_put_char(out, '\n');
    if (h.detail.n > 0) {
        put_head(out, "");
        put_safe(out, h.detail);
        buf_put_char(out, '\n');
    }
    JSON_EACH (v, h.thumbprints) {
        put_head(out, v == h.thumbprints->child ? "its keys" : "");
        put_safe(out, v->text);
        buf_put_char(out, '\n');
    }
    put_head(out, "");
    buf_put_str(out, "Compare these with the partner's administrator, then:\n");
    put_head(out, "");
    buf_put_str(out, "s2sctl partners approve ");
    put_safe(out, b->name);
    buf_put_char(out, '\n');
    return true;
}

static enum colour key_colour(const struct partner_key_answer *k)
{
    if (k->disputed || is(k->state, "barred") || is(k->state, "gone"))
        return COLOUR_BAD;
    return is(k->state, "valid") ? COLOUR_GOOD : COLOUR_WARN;
}

static bool add_key(struct table *t, const struct style *s, const struct json_value *v)
{
    struct partner_key_answer k;
    if (!answer_partner_key(v, &k))
        return false;
    struct buf text = BUF_INIT(128);
    table_cell(t, COLOUR_NONE, shortened(k.x5t));
    table_cell(t, key_colour(&k), k.state);
    table_cell(t, COLOUR_NONE, k.thumbprint);
    put_date(&text, s, k.not_after);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_reset(&text);
    put_relative(&text, s, k.last_seen_at);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_done(&text);
    if (k.disputed)
        table_note(t, 1, SPAN("somebody else publishes it too: never used"));
    if (k.believed_from > 0) {
        CLEANUP(buf_done) struct buf note = BUF_INIT(256);
        buf_put_str(&note, "believed from ");
        put_minute(&note, s, k.believed_from);
        buf_put_str(&note, " (");
        put_relative(&note, s, k.believed_from);
        buf_put_str(&note, ") if every document holds it until then");
        table_note(t, 1, buf_span(&note));
    }
    return true;
}

static bool put_keys(struct buf *out, const struct style *s, const struct json_value *keys)
{
    static const char *const heads[] = {"KEY", "STATE", "THUMBPRINT", "VALID UNTIL", "SEEN"};
    bool understood = true;
    struct table t;
    if (keys->count == 0) {
        buf_put_str(out, "\nNo keys are known.\n");
        return true;
    }
    buf_put_char(out, '\n');
    table_start(&t, s, "lllll");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_text(&t, heads[i]);
    JSON_EACH (v, keys)
        understood = understood && add_key(&t, s, v);
    table_finish(&t, out);
    return understood;
}

static void put_history(struct buf *out, const struct json_value *history)
{
    if (history->count == 0)
        return;
    buf_put_str(out, "\nHistory\n");
    JSON_EACH (v, history) {
        buf_put_str(out, "  ");
        put_safe(out, v->text);
        buf_put_char(out, '\n');
    }
}

bool show_partner(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct partner_answer p;
    struct brief_answer b;
    if (!answer_partner(reply, &p) || !answer_brief(p.partner, &b))
        return false;
    put_coloured(out, s, COLOUR_BOLD, b.name);
    buf_put_str(out, "\n");
    put_head(out, "Issuer");
    put_safe(out, b.issuer);
    buf_put_char(out, '\n');
    put_head(out, "Trust");
    put_safe(out, b.trust);
    buf_put_str(out, b.enabled ? "\n" : ", switched off\n");
    put_suspension(out, s, &b);
    put_document(out, s, &b);
    put_continuity(out, &p);
    put_clock_line(out, &b);
    put_list_line(out, "From", p.metadata_urls);
    put_list_line(out, "Hosts", p.audience_hosts);
    put_users(out, &p);
    if (!put_held(out, s, &p, &b) || !put_keys(out, s, p.keys))
        return false;
    put_history(out, p.history);
    *ret_well = !partner_is_stale(&b) && !p.held;
    return true;
}
