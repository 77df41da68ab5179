/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
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

static bool is_stale(const struct brief_answer *b)
{
    return is(b->state, "stale") || is(b->state, "never");
}

/* How fresh the document is, and the colour of that. */
static enum colour put_freshness(
    struct buf *out, const struct style *s, const struct brief_answer *b)
{
    static const struct {
        const char *state, *word;
        bool age;
        enum colour colour;
    } states[] = {
        {"fresh", "fresh", true, COLOUR_GOOD},
        {"warn", "OLD", true, COLOUR_WARN},
        {"stale", "STALE", true, COLOUR_BAD},
        {"never", "NEVER fetched", false, COLOUR_BAD},
        {"disabled", "disabled", false, COLOUR_FAINT},
    };
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (!is(b->state, states[i].state))
            continue;
        buf_put_str(out, states[i].word);
        if (states[i].age && b->good_at > 0) {
            buf_put_str(out, ", ");
            put_duration(out, s->now - b->good_at);
            buf_put_str(out, " old");
        }
        return states[i].colour;
    }
    put_safe(out, b->state);
    return COLOUR_NONE;
}

static void put_next_try(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    if (is(b->state, "disabled") || b->next_try_at <= 0)
        buf_put_char(out, '-');
    else if (b->next_try_at <= s->now)
        buf_put_str(out, "now");
    else
        put_relative(out, s, b->next_try_at);
}

/* "HTTP 503 (fetch_status)", or the sentence when there is no detail. Empty after a good fetch. */
static void put_last_failure(struct buf *out, const struct brief_answer *b)
{
    if (b->last_reason.n == 0 || is(b->last_reason, "ok"))
        return;
    put_safe(out, b->last_detail.n > 0 ? b->last_detail : b->last_sentence);
    buf_put_str(out, " (");
    put_safe(out, b->last_reason);
    buf_put_char(out, ')');
}

static void put_refused_from(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    if (b->refused_from <= 0 || is(b->state, "fresh") || is(b->state, "disabled"))
        return;
    if (out->n > 0)
        buf_put_str(out, "; ");
    buf_put_str(out, b->refused_from <= s->now ? "tokens refused since " : "tokens refused from ");
    put_minute(out, s, b->refused_from);
}

static void add_row(struct table *t, const struct style *s, const struct brief_answer *b)
{
    struct buf text = BUF_INIT(4096);
    table_cell(t, COLOUR_BOLD, b->name);
    table_cell(t, COLOUR_NONE, b->trust);
    enum colour colour = put_freshness(&text, s, b);
    table_cell(t, colour, buf_span(&text));
    buf_reset(&text);
    buf_printf(&text, "%lld", (long long)b->keys);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_reset(&text);
    put_next_try(&text, s, b);
    table_cell(t, COLOUR_NONE, buf_span(&text));
    buf_reset(&text);
    put_last_failure(&text, b);
    put_refused_from(&text, s, b);
    if (text.n > 0)
        table_note(t, 2, buf_span(&text));
    buf_done(&text);
}

bool show_partners(
    const struct style *s, const struct json_value *partners, struct buf *out, bool *ret_well)
{
    static const char *const heads[] = {"PARTNER", "TRUST", "METADATA", "KEYS", "NEXT TRY"};
    bool well = true, understood = true;
    struct table t;
    if (partners->count == 0) {
        buf_put_str(out, "No partners are configured; see [Partner NAME] in s2sd.conf(5).\n");
        *ret_well = true;
        return true;
    }
    table_start(&t, s, "lllrl");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        table_text(&t, heads[i]);
    JSON_EACH (v, partners) {
        struct brief_answer b;
        if (!answer_brief(v, &b)) {
            understood = false;
            break;
        }
        well = well && !is_stale(&b);
        add_row(&t, s, &b);
    }
    table_finish(&t, out);
    if (understood)
        *ret_well = well;
    return understood;
}

/* One partner. */

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

/* What differs by less than the Date header can tell is in step. */
#define CLOCK_STEP_S 2

static void put_clock(struct buf *out, const struct brief_answer *b)
{
    int64_t s = b->clock_offset;
    if (!b->clock_known)
        return;
    put_head(out, "Clock");
    if (s >= -CLOCK_STEP_S && s <= CLOCK_STEP_S)
        buf_put_str(out, "in step with ours\n");
    else
        buf_printf(
            out, "%lld s %s ours\n", (long long)(s < 0 ? -s : s), s < 0 ? "behind" : "ahead of");
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
    put_document(out, s, &b);
    put_clock(out, &b);
    put_list_line(out, "From", p.metadata_urls);
    put_list_line(out, "Hosts", p.audience_hosts);
    put_users(out, &p);
    if (!put_keys(out, s, p.keys))
        return false;
    put_history(out, p.history);
    *ret_well = !is_stale(&b);
    return true;
}

/* Refresh. */

static void put_refreshed(struct buf *out, const struct style *s, const struct refresh_answer *r)
{
    bool good = is(r->reason, "ok");
    put_mark(out, s, good ? MARK_GOOD : MARK_BAD);
    buf_put_char(out, ' ');
    put_coloured(out, s, COLOUR_BOLD, r->name);
    buf_put_str(out, ": ");
    if (good) {
        buf_put_str(out, r->changed ? "the keys have changed" : "nothing new");
    } else {
        put_safe(out, r->sentence);
        buf_put_str(out, " (");
        put_safe(out, r->reason);
        buf_put_char(out, ')');
    }
    if (r->detail.n > 0) {
        buf_put_str(out, ": ");
        put_safe(out, r->detail);
    }
    buf_put_char(out, '\n');
}

bool show_refresh(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    const struct json_value *partners = answer_array(reply, "partners");
    bool well = true;
    if (!partners)
        return false;
    JSON_EACH (v, partners) {
        struct refresh_answer r;
        if (!answer_refresh(v, &r))
            return false;
        well = well && is(r.reason, "ok");
        put_refreshed(out, s, &r);
    }
    if (partners->count == 0)
        buf_put_str(out, "No partner has a document to fetch.\n");
    *ret_well = well;
    return true;
}
