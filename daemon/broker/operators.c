/* SPDX-License-Identifier: Apache-2.0 */
#include "operators.h"

#include "judge.h"

#include <stdio.h>

bool operators_suspend(struct partner_state *state, bool suspend, const char *who, int64_t now)
{
    char what[128];
    if (state->trust.suspended == suspend)
        return false;
    state->trust.suspended = suspend;
    state->suspended_at = suspend ? now : 0;
    snprintf(state->suspended_by, sizeof(state->suspended_by), "%s", suspend ? who : "");
    snprintf(what, sizeof(what), "%s by %s", suspend ? "suspended" : "resumed", who);
    (void)!partner_state_note(state, now, what);
    return true;
}

/* Hexadecimal of `n` bytes, colons and case aside? */
static bool is_hex_of(struct span text, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':')
            continue;
        if (at == 2 * n ||
            ascii_lower(text.p[i]) != digits[at % 2 ? bytes[at / 2] & 15 : bytes[at / 2] >> 4])
            return false;
        at++;
    }
    return at == 2 * n;
}

static bool is_named(const struct partner_key *k, struct span text)
{
    char x5t[X5T_TEXT_LEN];
    if (k->kid[0] && span_eq_str(text, k->kid))
        return true;
    return k->has_x5t &&
           (is_hex_of(text, k->x5t, X5T_LEN) || is_hex_of(text, k->x5t_s256, X5T_S256_LEN) ||
               span_eq_str(text, x5t_text(k->x5t, x5t)));
}

struct partner_key *operators_key(struct partner_state *state, struct span text)
{
    struct partner_key *found = NULL;
    for (size_t i = 0; i < state->trust.n_keys; i++) {
        struct partner_key *k = &state->trust.keys[i];
        if (!is_named(k, text))
            continue;
        if (found)
            return NULL;
        found = k;
    }
    return found;
}

bool operators_bar(
    struct partner_state *state, struct partner_key *k, bool bar, const char *who, int64_t now)
{
    struct update_changes changes;
    if (!update_bar(&state->trust, k, bar, now, &changes))
        return false;
    judge_note(state, &changes, who, now);
    return true;
}
