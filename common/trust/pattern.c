/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#define LOCAL_MAX 64
#define DOMAIN_MAX 253
#define LABEL_MAX 63

static bool local_valid(struct span local)
{
    for (size_t i = 0; i < local.n; i++)
        if (!ascii_is_alnum(local.p[i]) && !memchr("._+-", local.p[i], 4))
            return false;
    return local.n >= 1 && local.n <= LOCAL_MAX;
}

/* Letters, digits and inner hyphens; the underscore is met in the names of real Windows domains. */
static bool label_valid(struct span label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
            return false;
    return label.n >= 1 && label.n <= LABEL_MAX && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

static bool domain_valid(struct span domain)
{
    if (domain.n < 1 || domain.n > DOMAIN_MAX)
        return false;
    for (;;) {
        const size_t dot = span_find(domain, '.');
        if (!label_valid((struct span){domain.p, dot}))
            return false;
        if (dot == domain.n)
            return true;
        domain = span_skip(domain, dot + 1);
    }
}

/* The part behind the only '@' that a valid address has. */
static struct span domain_of(struct span address)
{
    return span_skip(address, span_find(address, '@') + 1);
}

bool user_address_valid(struct span text)
{
    const size_t at = span_find(text, '@');
    return at < text.n && local_valid((struct span){text.p, at}) && domain_valid(domain_of(text));
}

bool pattern_valid(const char *text)
{
    const struct span s = span_of(text);
    return span_starts(s, SPAN("*@")) ? domain_valid(span_skip(s, 2)) : user_address_valid(s);
}

/* `*@domain` is that exact domain and nothing below it; else the whole address. */
static bool pattern_names(const char *pattern, struct span user)
{
    const struct span p = span_of(pattern);
    return span_starts(p, SPAN("*@")) ? span_eq_nocase(span_skip(p, 2), domain_of(user))
                                      : span_eq_nocase(p, user);
}

static bool any_names(const struct patterns *patterns, struct span user)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (pattern_names(patterns->list[i], user))
            return true;
    return false;
}

bool patterns_allow(
    const struct patterns *permitted, const struct patterns *refused, struct span user)
{
    /* The grammar is asked again here: a pattern is never compared with what is not an address. */
    return user_address_valid(user) && !any_names(refused, user) && any_names(permitted, user);
}
