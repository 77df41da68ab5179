/* SPDX-License-Identifier: Apache-2.0 */
/* What a value may say: switches, durations, sizes, whole numbers. */
#include "conf.h"

static bool is_any(struct span s, const char *const *words)
{
    for (; *words; words++)
        if (span_eq_nocase(s, span_of(*words)))
            return true;
    return false;
}

bool conf_bool(const char *text, bool *ret)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};
    struct span s = span_of(text);
    bool truth = is_any(s, yes);
    if (!truth && !is_any(s, no))
        return false;
    *ret = truth;
    return true;
}

/* Reads the digits at *s and steps over them; false without any or when the number is above max. */
static bool take_number(const char **s, uint64_t max, uint64_t *ret)
{
    const char *p = *s;
    uint64_t v = 0;
    if (!ascii_is_digit(*p))
        return false;
    for (; ascii_is_digit(*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *s = p;
    *ret = v;
    return true;
}

bool conf_uint(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t v;
    if (!take_number(&text, max, &v) || *text)
        return false;
    *ret = v;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static uint64_t factor_of(struct span name, const struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq_str(name, units[i].name))
            return units[i].factor;
    return 0;
}

/* The units of systemd.time(7) from seconds up; a year has 365.25 days there, a month a twelfth of
 * it. */
static const struct unit time_units[] = {
    {"", 1},
    {"s", 1},
    {"sec", 1},
    {"second", 1},
    {"seconds", 1},
    {"m", 60},
    {"min", 60},
    {"minute", 60},
    {"minutes", 60},
    {"h", 3600},
    {"hr", 3600},
    {"hour", 3600},
    {"hours", 3600},
    {"d", 86400},
    {"day", 86400},
    {"days", 86400},
    {"w", 604800},
    {"week", 604800},
    {"weeks", 604800},
    {"M", 2629800},
    {"month", 2629800},
    {"months", 2629800},
    {"y", 31557600},
    {"year", 31557600},
    {"years", 31557600},
};

static void skip_blanks(const char **s)
{
    while (**s == ' ' || **s == '\t')
        ++*s;
}

/* One "30min" or "30 min". */
static bool take_duration(const char **s, uint64_t *ret)
{
    uint64_t v;
    if (!take_number(s, INT64_MAX, &v))
        return false;
    skip_blanks(s);
    const char *unit = *s;
    while (ascii_is_letter(**s))
        ++*s;
    uint64_t factor =
        factor_of(span_bytes(unit, (size_t)(*s - unit)), time_units, ARRAY_LEN(time_units));
    if (factor == 0 || v > INT64_MAX / factor)
        return false;
    skip_blanks(s);
    *ret = v * factor;
    return true;
}

bool conf_duration_s(const char *text, int64_t *ret)
{
    uint64_t sum = 0;
    do {
        uint64_t part;
        if (!take_duration(&text, &part) || part > INT64_MAX - sum)
            return false;
        sum += part;
    } while (*text);
    *ret = (int64_t)sum;
    return true;
}

bool conf_size(const char *text, uint64_t *ret)
{
    static const struct unit units[] = {
        {"", 1}, {"K", 1024}, {"M", 1048576}, {"G", 1073741824}, {"T", 1099511627776}};
    uint64_t v;
    if (!take_number(&text, UINT64_MAX, &v))
        return false;
    uint64_t factor = factor_of(span_of(text), units, ARRAY_LEN(units));
    if (factor == 0 || v > UINT64_MAX / factor)
        return false;
    *ret = v * factor;
    return true;
}
