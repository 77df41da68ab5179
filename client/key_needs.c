/* SPDX-License-Identifier: Apache-2.0 */
#include "key_needs.h"

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

bool own_keys_read(const struct json_value *keys, struct own_keys *ret)
{
    *ret = (struct own_keys){0};
    JSON_EACH (v, keys) {
        struct own_key_answer *k = &ret->all[ret->n];
        if (ret->n == OWN_KEYS_MAX || !answer_own_key(v, k))
            return false;
        ret->n++;
        if (is(k->state, "current"))
            ret->current = k;
        if (is(k->state, "next"))
            ret->next = k;
    }
    return true;
}

/* Does a key with these dates end within `span_s`, or, when it lives briefly, in the last quarter
 * of its life? */
static bool ends_within(int64_t not_before, int64_t not_after, int64_t now, int64_t span_s)
{
    int64_t life;
    if (!__builtin_sub_overflow(not_after, not_before, &life) && life >= 0 && life / 4 < span_s)
        span_s = life / 4;
    return not_after < now + span_s;
}

/* Does the next key wait, and until when it should sign is near? Without a date of its own it is
 * the end of the current one that counts. */
static bool is_held_near(const struct own_keys *own, int64_t now)
{
    const struct own_key_answer *next = own->next;
    if (!next || !next->held)
        return false;
    if (next->effective_at > 0)
        return next->effective_at < now + NEED_HELD_S;
    return own->current && own->current->not_after < now + NEED_NEXT_S;
}

enum need own_keys_need(const struct own_keys *own, struct span source, int64_t now)
{
    const int64_t enough = is(source, "managed") ? NEED_NEXT_MANAGED_S : NEED_NEXT_S;
    if (!own->current)
        return NEED_CURRENT;
    if (own->current->not_after <= now)
        return NEED_EXPIRED;
    if (!own->next && ends_within(own->current->not_before, own->current->not_after, now, enough))
        return NEED_NEXT;
    return is_held_near(own, now) ? NEED_HELD : NEED_NOTHING;
}

bool partner_key_counts(const struct partner_key_answer *key)
{
    /* A key that is missing for now is still believed: Grace=. */
    return !key->disputed && (is(key->state, "valid") || is(key->state, "missing"));
}

bool partner_keys_end_within(const struct json_value *keys, int64_t now, int64_t span_s)
{
    bool any = false;
    JSON_EACH (v, keys) {
        struct partner_key_answer k;
        if (!answer_partner_key(v, &k))
            return false;
        bool counts = partner_key_counts(&k);
        if ((counts || is(k.state, "new")) && !ends_within(k.not_before, k.not_after, now, span_s))
            return false;
        any = any || counts;
    }
    return any;
}
