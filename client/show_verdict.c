/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "show.h"

static bool put_step(struct buf *out, const struct style *s, const struct json_value *v)
{
    struct step_answer step;
    if (!answer_step(v, &step))
        return false;
    bool passed = span_eq_str(step.outcome, "passed"), failed = span_eq_str(step.outcome, "failed");
    put_mark(out, s, passed ? MARK_GOOD : failed ? MARK_BAD : MARK_SKIPPED);
    buf_put_char(out, ' ');
    put_safe(out, step.step);
    if (step.detail.n > 0) {
        for (size_t n = step.step.n; n < 10; n++)
            buf_put_char(out, ' ');
        buf_put_char(out, ' ');
        put_safe(out, step.detail);
    }
    buf_put_char(out, '\n');
    return true;
}

/* Who the token speaks for: the address, else what else there is. */
static bool put_user(struct buf *out, const struct json_value *v)
{
    struct user_answer u;
    if (!answer_user(v, &u))
        return false;
    const struct span choices[] = {u.address, u.upn, u.smtp, u.sip, u.nameid};
    for (size_t i = 0; i < ARRAY_LEN(choices); i++)
        if (choices[i].n > 0) {
            buf_put_str(out, " for ");
            put_safe(out, choices[i]);
            break;
        }
    return true;
}

static bool put_accepted(struct buf *out, const struct style *s, const struct verdict_answer *a)
{
    put_coloured(out, s, COLOUR_GOOD, SPAN("accepted"));
    buf_put_str(out, ": partner ");
    put_coloured(out, s, COLOUR_BOLD, a->partner);
    if (a->user && !put_user(out, a->user))
        return false;
    if (a->expires_at > 0) {
        buf_put_str(out, ", until ");
        put_minute(out, s, a->expires_at);
        buf_put_str(out, " (");
        put_relative(out, s, a->expires_at);
        buf_put_char(out, ')');
    }
    buf_put_char(out, '\n');
    return true;
}

static void put_refused(struct buf *out, const struct style *s, const struct verdict_answer *a)
{
    put_coloured(out, s, COLOUR_BAD, SPAN("refused"));
    if (a->reason.n == 0) {
        buf_put_str(out, "; only a rule with Allow=explain is told why\n");
        return;
    }
    buf_put_str(out, ": ");
    put_safe(out, a->reason);
    buf_put_str(out, "            More: s2sctl explain ");
    put_safe(out, a->reason);
    buf_put_char(out, '\n');
    const struct span lines[] = {a->sentence, a->advice};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (lines[i].n > 0) {
            buf_put_str(out, "  ");
            put_safe(out, lines[i]);
            buf_put_char(out, '\n');
        }
}

bool show_verdict(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct verdict_answer a;
    if (!answer_verdict(reply, &a))
        return false;
    if (a.steps)
        JSON_EACH (v, a.steps)
            if (!put_step(out, s, v))
                return false;
    if (!a.active)
        put_refused(out, s, &a);
    else if (!put_accepted(out, s, &a))
        return false;
    *ret_well = a.active;
    return true;
}
