/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "show.h"

bool show_changed(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct changed_answer a;
    if (!answer_changed(reply, &a))
        return false;
    JSON_EACH (line, a.lines) {
        if (line->type != JSON_STRING)
            return false;
        put_safe(out, line->text);
        buf_put_char(out, '\n');
    }
    /* Methods that only ever change something do not say that they did. */
    const bool changed = a.changed || !json_get(reply, "changed");
    put_mark(out, s, changed ? MARK_GOOD : MARK_SKIPPED);
    buf_put_str(out, changed ? " Done.\n" : " Nothing was changed.\n");
    *ret_well = true;
    return true;
}
