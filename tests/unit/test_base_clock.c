/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    int64_t s;
    int year, month, day, hour, minute, second;
    const char *text;
} table[] = {
    {0, 1970, 1, 1, 0, 0, 0, "1970-01-01T00:00:00Z"},
    {-1, 1969, 12, 31, 23, 59, 59, "1969-12-31T23:59:59Z"},
    {951782399, 2000, 2, 28, 23, 59, 59, "2000-02-28T23:59:59Z"},
    {951782400, 2000, 2, 29, 0, 0, 0, "2000-02-29T00:00:00Z"},
    {951868800, 2000, 3, 1, 0, 0, 0, "2000-03-01T00:00:00Z"},
    {1709164800, 2024, 2, 29, 0, 0, 0, "2024-02-29T00:00:00Z"},
    {1735689599, 2024, 12, 31, 23, 59, 59, "2024-12-31T23:59:59Z"},
    {1735700000, 2025, 1, 1, 2, 53, 20, "2025-01-01T02:53:20Z"},
    {INT64_C(2147483647), 2038, 1, 19, 3, 14, 7, "2038-01-19T03:14:07Z"},
    {INT64_C(2147483648), 2038, 1, 19, 3, 14, 8, "2038-01-19T03:14:08Z"},
    {INT64_C(4107542399), 2100, 2, 28, 23, 59, 59, "2100-02-28T23:59:59Z"},
    {INT64_C(4107542400), 2100, 3, 1, 0, 0, 0, "2100-03-01T00:00:00Z"},
    {INT64_C(253402300799), 9999, 12, 31, 23, 59, 59, "9999-12-31T23:59:59Z"},
    {INT64_C(-2208988800), 1900, 1, 1, 0, 0, 0, "1900-01-01T00:00:00Z"},
    {INT64_C(-62167219200), 0, 1, 1, 0, 0, 0, "0000-01-01T00:00:00Z"},
};

START_TEST(dates_and_seconds_agree)
{
    char text[CLOCK_TEXT_LEN];
    ck_assert_str_eq(clock_text(table[_i].s, text), table[_i].text);
    ck_assert_int_eq(clock_from_civil(table[_i].year, table[_i].month, table[_i].day,
                         table[_i].hour, table[_i].minute, table[_i].second),
        table[_i].s);
}
END_TEST

START_TEST(a_date_is_read_as_it_is_written)
{
    static const struct {
        const char *text;
        const char *is; /* NULL: refused */
    } rows[] = {
        {"2027-03-01", "2027-03-01T00:00:00Z"},
        {"2027-03-01T02:30Z", "2027-03-01T02:30:00Z"},
        {"2027-03-01 02:30:59Z", "2027-03-01T02:30:59Z"},
        {"2024-02-29", "2024-02-29T00:00:00Z"},
        {"2023-02-29", NULL},
        {"2027-13-01", NULL},
        {"2027-00-01", NULL},
        {"2027-01-00", NULL},
        {"2027-03-01T24:00Z", NULL},
        {"2027-03-01T23:60Z", NULL},
        {"2027-03-01T23:59:60Z", NULL},
        {"2027-03-01T02:30", NULL},
        {"2027-03-01T02:30:00", NULL},
        {"2027-03-01Z", NULL},
        {"2027-3-1", NULL},
        {"", NULL},
        {"tomorrow", NULL},
        {"2027-03-01 ", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CLOCK_TEXT_LEN];
        int64_t s = -7;
        ck_assert_msg(clock_parse(rows[i].text, &s) == (rows[i].is != NULL), "%s", rows[i].text);
        if (rows[i].is)
            ck_assert_str_eq(clock_text(s, text), rows[i].is);
        else
            ck_assert_int_eq(s, -7);
    }
}
END_TEST

/* Every day of eight centuries, one after the other, against the calendar counted by hand. */
START_TEST(every_day_follows_the_one_before)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t s = clock_from_civil(1600, 1, 1, 0, 0, 0);
    for (int y = 1600; y < 2400; y++)
        for (int m = 1; m <= 12; m++) {
            int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
            for (int d = 1; d <= length[m - 1] + (m == 2 && leap); d++, s += 86400) {
                char text[CLOCK_TEXT_LEN], want[64];
                snprintf(want, sizeof want, "%04d-%02d-%02dT00:00:00Z", y, m, d);
                if (clock_from_civil(y, m, d, 0, 0, 0) != s ||
                    strcmp(clock_text(s, text), want) != 0)
                    ck_abort_msg("%s instead of %s", text, want);
            }
        }
}
END_TEST

START_TEST(what_has_no_four_digit_year_is_never)
{
    char text[CLOCK_TEXT_LEN];
    ck_assert_str_eq(clock_text(INT64_C(253402300800), text), "never");
    ck_assert_str_eq(clock_text(INT64_MAX, text), "never");
    ck_assert_str_eq(clock_text(INT64_C(-62167219201), text), "never");
    ck_assert_str_eq(clock_text(INT64_MIN, text), "never");
}
END_TEST

START_TEST(the_fake_clock_stands_still_and_the_real_one_returns)
{
    clock_fake(1735700000, 5000);
    ck_assert_int_eq(clock_wall_s(), 1735700000);
    ck_assert_int_eq(clock_mono_ms(), 5000);
    ck_assert_uint_eq(clock_mono_us(), 5000000);
    clock_fake(1735700001, 6000);
    ck_assert_int_eq(clock_wall_s(), 1735700001);
    clock_real();
    int64_t before = time(NULL), now = clock_wall_s(), after = time(NULL);
    ck_assert(before <= now + 1 && now <= after + 1);
    int64_t ms = clock_mono_ms();
    uint64_t us = clock_mono_us();
    ck_assert(us / 1000 >= (uint64_t)ms && us / 1000 < (uint64_t)ms + 60000);
    struct timespec wait = {.tv_nsec = 3000000};
    nanosleep(&wait, NULL);
    ck_assert(clock_mono_ms() >= ms + 3);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, dates_and_seconds_agree, 0, (int)(sizeof table / sizeof table[0]));
    tcase_add_test(tc, every_day_follows_the_one_before);
    tcase_add_test(tc, a_date_is_read_as_it_is_written);
    tcase_add_test(tc, what_has_no_four_digit_year_is_never);
    tcase_add_test(tc, the_fake_clock_stands_still_and_the_real_one_returns);
}

int main(void)
{
    return unit_run("base_clock", fill);
}
