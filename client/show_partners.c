/* SPDX-License-Identifier: Apache-2.0 */
#include "partner_words.h"
#include "show.h"

/* A line below the row, if there is anything to say; forgets the text. */
static void add_note(struct table *t, struct buf *text)
{
    if (text->n > 0)
        table_note(t, 2, buf_span(text));
    buf_reset(text);
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
    add_note(t, &text);
    put_suspended(&text, s, b);
    if (text.n > 0)
        buf_put_str(&text, ": nothing is accepted or minted");
    add_note(t, &text);
    if (b->held)
        buf_put_str(&text, "a document waits for approval: s2sctl partners show tells more");
    add_note(t, &text);
    if (b->clock_offset >= CLOCK_OFFSET_SHOWN || b->clock_offset <= -CLOCK_OFFSET_SHOWN) {
        buf_put_str(&text, "its clock is ");
        put_clock_offset(&text, b);
    }
    add_note(t, &text);
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
        well = well && !partner_is_stale(&b) && !b.held;
        add_row(&t, s, &b);
    }
    table_finish(&t, out);
    if (understood)
        *ret_well = well;
    return understood;
}
