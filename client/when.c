/* SPDX-License-Identifier: Apache-2.0 */
#include "when.h"
#include "clock.h"
#include "conf.h"
#include "span.h"

#include <stdio.h>
#include <time.h>

struct moment {
    int year, month, day, hour, minute, second;
};

/* Exactly `n` digits, which are then skipped. */
static bool take_number(const char **at, unsigned n, int most, int *ret)
{
    int number = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!ascii_is_digit((*at)[i]))
            return false;
        number = number * 10 + ((*at)[i] - '0');
    }
    *at += n;
    *ret = number;
    return number <= most;
}

static bool take_char(const char **at, const char *set)
{
    if (**at == '\0' || !strchr(set, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_day(const char **at, struct moment *m)
{
    return take_number(at, 4, 9999, &m->year) && take_char(at, "-") &&
           take_number(at, 2, 12, &m->month) && take_char(at, "-") &&
           take_number(at, 2, 31, &m->day);
}

static bool take_time(const char **at, struct moment *m)
{
    if (!take_number(at, 2, 23, &m->hour) || !take_char(at, ":") ||
        !take_number(at, 2, 59, &m->minute))
        return false;
    return !take_char(at, ":") || take_number(at, 2, 59, &m->second);
}

/* "Z", "+02:00": *ret_offset is what local clocks are ahead of UTC. */
static bool take_offset(const char **at, int *ret_offset)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;
    *ret_offset = 0;
    if (take_char(at, "Zz"))
        return true;
    if (!take_char(at, "+-") || !take_number(at, 2, 14, &hours) || !take_char(at, ":") ||
        !take_number(at, 2, 59, &minutes))
        return false;
    *ret_offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* The 30th of February would silently become a day of March. */
static bool is_day(const struct moment *m, int64_t *ret_utc)
{
    char wanted[CLOCK_TEXT_LEN], text[CLOCK_TEXT_LEN];
    int64_t at = clock_from_civil(m->year, m->month, m->day, m->hour, m->minute, m->second);
    snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT", m->year, m->month, m->day);
    if (m->month < 1 || m->day < 1 || strncmp(clock_text(at, text), wanted, strlen(wanted)) != 0)
        return false;
    *ret_utc = at;
    return true;
}

int64_t when_offset(int64_t at)
{
    const time_t t = (time_t)at;
    struct tm tm;
    return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

int64_t when_of_local(int64_t local)
{
    return local - when_offset(local - when_offset(local));
}

static bool read_date(const char *at, bool utc, int64_t *ret)
{
    struct moment m = {0};
    int offset = 0;
    int64_t as_utc;
    if (!take_day(&at, &m) || (take_char(&at, "Tt ") && !take_time(&at, &m)))
        return false;
    bool local = !utc && *at == '\0';
    if (*at != '\0' && !take_offset(&at, &offset))
        return false;
    if (*at != '\0' || !is_day(&m, &as_utc))
        return false;
    *ret = local ? when_of_local(as_utc) : as_utc - offset;
    return true;
}

#define YEAR_10000_S INT64_C(253402300800)

bool when_read(const char *text, int64_t now, bool utc, int64_t *ret)
{
    int64_t at = 0, span;
    if (text[0] != '+') {
        if (!read_date(text, utc, &at))
            return false;
    } else if (!conf_duration_s(text + 1, &span) || span < 0 ||
               __builtin_add_overflow(now, span, &at)) {
        return false;
    }
    if (at < 0 || at >= YEAR_10000_S)
        return false;
    *ret = at;
    return true;
}
