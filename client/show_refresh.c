/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "show.h"

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

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
