/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as people type them behind --effective. */
#include "unit.h"
#include "when.h"

#include <stdlib.h>
#include <time.h>

#define NOW 1795608000 /* 2026-11-25 12:00 UTC */
#define LOCAL 0
#define UTC 1

/* The zone is 5 h 30 min ahead of UTC. */
static const struct {
    const char *text;
    int utc;
    int64_t at; /* -1: refused */
} dates[] = {
    {"2026-11-25", UTC, 1795564800},
    {"2026-11-25", LOCAL, 1795564800 - 19800},
    {"2026-11-25Z", LOCAL, 1795564800},
    {"2026-11-25T12:00", UTC, NOW},
    {"2026-11-25T12:00", LOCAL, NOW - 19800},
    {"2026-11-25T12:00Z", LOCAL, NOW},
    {"2026-11-25 12:00:07z", LOCAL, NOW + 7},
    {"2026-11-25t14:00:00+02:00", LOCAL, NOW},
    {"2026-11-25T08:30-03:30", UTC, NOW},
    {"2028-02-29Z", UTC, 1835395200},
    {"9999-12-31T23:59:59Z", UTC, 253402300799},
    {"1970-01-01Z", UTC, 0},
    {"+5s", LOCAL, NOW + 5},
    {"+30d", UTC, NOW + 30 * 86400},
    {"+2h", LOCAL, NOW + 7200},
    {"+0", LOCAL, NOW},
    {"", UTC, -1},
    {"+", UTC, -1},
    {"+soon", UTC, -1},
    {"+-5s", UTC, -1},
    {"+9000000000000000000", UTC, -1},
    {"30d", UTC, -1},
    {"tomorrow", UTC, -1},
    {"2026-11", UTC, -1},
    {"2026-11-25T", UTC, -1},
    {"2026-11-25T12", UTC, -1},
    {"2026-11-25T12:00:", UTC, -1},
    {"2026-11-25T24:00", UTC, -1},
    {"2026-11-25T12:60", UTC, -1},
    {"2026-11-25T12:00:60", UTC, -1},
    {"2026-11-25T12:00X", UTC, -1},
    {"2026-11-25T12:00+2", UTC, -1},
    {"2026-11-25T12:00+15:00", UTC, -1},
    {"2026-11-25T12:00Z ", UTC, -1},
    {"2026-00-25", UTC, -1},
    {"2026-13-25", UTC, -1},
    {"2026-11-00", UTC, -1},
    {"2026-11-31", UTC, -1},
    {"2027-02-29", UTC, -1},
    {"26-11-25", UTC, -1},
    {"2026-1-25", UTC, -1},
    {"1969-12-31Z", UTC, -1},
    {"10000-01-01", UTC, -1},
};

START_TEST(test_date)
{
    int64_t at = -2;
    setenv("TZ", "XST-05:30", 1);
    tzset();
    bool read = when_read(dates[_i].text, NOW, dates[_i].utc == UTC, &at);
    ck_assert_msg(read == (dates[_i].at >= 0), "%s", dates[_i].text);
    if (read)
        ck_assert_msg(at == dates[_i].at, "%s: %lld", dates[_i].text, (long long)at);
    else
        ck_assert_int_eq(at, -2);
}
END_TEST

/* Summer time begins on the last Sunday of March at 1:00 UTC, and ends on that of October. */
START_TEST(test_summer_time)
{
    static const struct {
        const char *text;
        int64_t at;
    } table[] = {
        {"2027-01-15T12:00", 1800010800}, {"2027-07-15T12:00", 1815645600},
        {"2027-03-28T01:59:59", 1806195599}, /* the last second of winter */
        {"2027-03-28T03:00", 1806195600},    /* the first of summer */
    };
    int64_t at;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        ck_assert(when_read(table[i].text, NOW, false, &at));
        ck_assert_msg(at == table[i].at, "%s: %lld", table[i].text, (long long)at);
        ck_assert_int_eq(when_of_local(at + when_offset(at)), at);
    }
    /* 2:30 is skipped. */
    ck_assert(when_read("2027-03-28T02:30", NOW, false, &at));
    ck_assert_int_eq(at, 1806195600 + 1800);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, test_summer_time);
    tcase_add_loop_test(t, test_date, 0, (int)ARRAY_LEN(dates));
}

int main(void)
{
    return unit_run("client_when", fill);
}
