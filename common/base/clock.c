/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
    bool on;
    int64_t wall_s, mono_ms, slept_ms;
} fake;

static struct timespec now_of(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return t;
}

int64_t clock_wall_s(void)
{
    return fake.on ? fake.wall_s : (int64_t)now_of(CLOCK_REALTIME).tv_sec;
}

static int64_t ms_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return fake.on ? fake.wall_s * 1000 : ms_of(now_of(CLOCK_REALTIME));
}

int64_t clock_mono_ms(void)
{
    if (fake.on)
        return fake.mono_ms;
    return ms_of(now_of(CLOCK_MONOTONIC));
}

int64_t clock_boot_ms(void)
{
    return fake.on ? fake.mono_ms + fake.slept_ms : ms_of(now_of(CLOCK_BOOTTIME));
}

uint64_t clock_mono_us(void)
{
    if (fake.on)
        return (uint64_t)fake.mono_ms * 1000;
    struct timespec t = now_of(CLOCK_MONOTONIC);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_fake(int64_t wall_s, int64_t mono_ms)
{
    fake.on = true;
    fake.wall_s = wall_s;
    fake.mono_ms = mono_ms;
}

void clock_fake_sleep(int64_t slept_ms)
{
    fake.slept_ms = slept_ms;
}

void clock_real(void)
{
    fake.on = false;
}

/* Quotient and remainder that round towards minus infinity, so dates before 1970 work too. */
static int64_t div_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The calendar repeats every 400 years = 146097 days. Counting years from 1 March puts the leap day
 * last, so the day of the year is a linear function of the month. */
#define DAYS_400_YEARS 146097
#define DAYS_0000_TO_1970 719468 /* from 0000-03-01 */

static int64_t days_of_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = div_floor(y, 400);
    int64_t y_of_era = y - era * 400;
    int64_t m = (month + 9) % 12; /* March is 0 */
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    int64_t day_of_era = y_of_era * 365 + y_of_era / 4 - y_of_era / 100 + day_of_year;
    return era * DAYS_400_YEARS + day_of_era - DAYS_0000_TO_1970;
}

int64_t clock_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    int64_t days = days_of_civil(year, month, day);
    return days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
}

struct date {
    int64_t year;
    unsigned month, day;
};

static struct date civil_of_days(int64_t days)
{
    int64_t z = days + DAYS_0000_TO_1970;
    int64_t era = div_floor(z, DAYS_400_YEARS);
    int64_t doe = z - era * DAYS_400_YEARS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t m = (5 * doy + 2) / 153;
    struct date d = {.year = yoe + era * 400,
        .month = (unsigned)(m < 10 ? m + 3 : m - 9),
        .day = (unsigned)(doy - (153 * m + 2) / 5 + 1)};
    d.year += d.month <= 2;
    return d;
}

#define YEAR_10000_S INT64_C(253402300800)
#define YEAR_0_S INT64_C(-62167219200)

char *clock_text(int64_t wall_s, char buf[CLOCK_TEXT_LEN])
{
    if (wall_s >= YEAR_10000_S || wall_s < YEAR_0_S) {
        snprintf(buf, CLOCK_TEXT_LEN, "never");
        return buf;
    }
    int64_t days = div_floor(wall_s, 86400);
    unsigned s = (unsigned)(wall_s - days * 86400);
    struct date d = civil_of_days(days);
    snprintf(buf, CLOCK_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)d.year, d.month,
        d.day, s / 3600, s / 60 % 60, s % 60);
    return buf;
}

/* Two digits for every 'd' of the form, else the character itself; a blank is as good as T. */
static bool is_of_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == 'd' ? *text < '0' || *text > '9'
                         : *text != *form && !(*form == 'T' && *text == ' '))
            return false;
    return *text == '\0';
}

static int digits(const char *at, int n)
{
    int v = 0;
    while (n-- > 0)
        v = v * 10 + (*at++ - '0');
    return v;
}

bool clock_parse(const char *text, int64_t *ret_wall_s)
{
    bool has_time = !is_of_form(text, "dddd-dd-dd");
    bool has_seconds = is_of_form(text, "dddd-dd-ddTdd:dd:ddZ");
    char again[CLOCK_TEXT_LEN];
    if (has_time && !has_seconds && !is_of_form(text, "dddd-dd-ddTdd:ddZ"))
        return false;
    int day = digits(text + 8, 2), month = digits(text + 5, 2);
    if (month < 1 || month > 12)
        return false;
    int64_t s = clock_from_civil(digits(text, 4), month, day, has_time ? digits(text + 11, 2) : 0,
        has_time ? digits(text + 14, 2) : 0, has_seconds ? digits(text + 17, 2) : 0);
    /* What does not exist comes back as another date. */
    clock_text(s, again);
    if (strncmp(again, text, 10) != 0 || (has_time && strncmp(again + 11, text + 11, 5) != 0) ||
        (has_seconds && strncmp(again + 17, text + 17, 2) != 0))
        return false;
    *ret_wall_s = s;
    return true;
}
