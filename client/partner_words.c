/* SPDX-License-Identifier: Apache-2.0 */
#include "partner_words.h"

/* What differs by less than the Date header can tell is in step. */
#define CLOCK_STEP_S 2

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

bool partner_is_stale(const struct brief_answer *b)
{
    return is(b->state, "stale") || is(b->state, "never");
}

enum colour put_freshness(struct buf *out, const struct style *s, const struct brief_answer *b)
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

void put_next_try(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    if (is(b->state, "disabled") || b->next_try_at <= 0)
        buf_put_char(out, '-');
    else if (b->next_try_at <= s->now)
        buf_put_str(out, "now");
    else
        put_relative(out, s, b->next_try_at);
}

void put_last_failure(struct buf *out, const struct brief_answer *b)
{
    if (b->last_reason.n == 0 || is(b->last_reason, "ok"))
        return;
    put_safe(out, b->last_detail.n > 0 ? b->last_detail : b->last_sentence);
    buf_put_str(out, " (");
    put_safe(out, b->last_reason);
    buf_put_char(out, ')');
}

void put_refused_from(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    if (b->refused_from <= 0 || is(b->state, "fresh") || is(b->state, "disabled"))
        return;
    if (out->n > 0)
        buf_put_str(out, "; ");
    buf_put_str(out, b->refused_from <= s->now ? "tokens refused since " : "tokens refused from ");
    put_minute(out, s, b->refused_from);
}

void put_suspended(struct buf *out, const struct style *s, const struct brief_answer *b)
{
    if (b->suspended_at <= 0)
        return;
    buf_put_str(out, "suspended since ");
    put_minute(out, s, b->suspended_at);
    if (b->suspended_by.n > 0) {
        buf_put_str(out, " by ");
        put_safe(out, b->suspended_by);
    }
}

void put_clock_offset(struct buf *out, const struct brief_answer *b)
{
    if (!b->clock_known)
        return;
    const int64_t s = b->clock_offset;
    if (s >= -CLOCK_STEP_S && s <= CLOCK_STEP_S)
        buf_put_str(out, "in step with ours");
    else if (s > 0)
        buf_printf(out, "%lld s ahead of ours", (long long)s);
    else
        buf_printf(out, "%llu s behind ours", 0 - (unsigned long long)s);
}
