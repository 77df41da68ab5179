/* SPDX-License-Identifier: Apache-2.0 */
/* The drawing: which column a time falls into, and what a row looks like at the edges. */
#include "timeline.h"
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOW 1795608000 /* 2026-11-25 12:00 UTC */
#define DAY INT64_C(86400)
#define YEAR_10000 INT64_C(253402300800)

START_TEST(test_column)
{
    static const struct timeline_window w = {1000, 2000, 50};
    static const struct {
        int64_t at;
        unsigned column;
    } table[] = {
        {INT64_MIN, 0},
        {-1, 0},
        {999, 0},
        {1000, 0},
        {1019, 0},
        {1020, 1},
        {1500, 25},
        {1999, 49},
        {2000, 50},
        {2001, 50},
        {YEAR_10000, 50},
        {INT64_MAX, 50},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        ck_assert_msg(timeline_column(&w, table[i].at) == table[i].column, "%lld: %u",
            (long long)table[i].at, timeline_column(&w, table[i].at));
}
END_TEST

/* From left to right, whatever the window: no time stands left of an earlier one, and every column
 * that is asked for can be reached. */
START_TEST(test_column_never_goes_back)
{
    static const struct timeline_window windows[] = {
        {0, 1, 50}, {0, 7, 160}, {NOW, NOW + 3600, 36}, {0, YEAR_10000, 160}};
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        const struct timeline_window *w = &windows[i];
        unsigned last = 0;
        for (int64_t step = -10; step <= 1010; step++) {
            int64_t at = w->from + (w->to - w->from) / 1000 * step;
            unsigned column = timeline_column(w, at);
            ck_assert_uint_ge(column, last);
            last = column;
        }
        ck_assert_uint_eq(timeline_column(w, w->to), w->columns);
        ck_assert_uint_lt(timeline_column(w, w->to - 1), w->columns);
    }
}
END_TEST

START_TEST(test_window)
{
    static const struct {
        int64_t now, span, from, to;
    } table[] = {
        {NOW, 100, NOW - 20, NOW + 80},
        {NOW, 0, NOW, NOW + 1},
        {NOW, -5, NOW, NOW + 1},
        {NOW, INT64_MAX, 0, YEAR_10000},
        {10, 100, 0, 100},
        {-10, 100, 0, 100},
        {YEAR_10000 - 1, 100, YEAR_10000 - 100, YEAR_10000},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct timeline_window w = timeline_window_at(table[i].now, table[i].span, 50);
        ck_assert_int_eq(w.from, table[i].from);
        ck_assert_int_eq(w.to, table[i].to);
        ck_assert_uint_eq(w.columns, 50);
    }
}
END_TEST

/* The bar of one key, 51 columns of 2 days each, from FROM to TO; NOW lies in column 10. */
#define FROM (NOW - 102 * DAY / 5)
#define TO (FROM + 102 * DAY)
static const struct {
    struct timeline_stretch a, b;
    const char *bar;
} bars[] = {
    /* wholly outside, on either side */
    {{NOW - 900 * DAY, NOW - 800 * DAY, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, ""},
    {{NOW + 800 * DAY, NOW + 900 * DAY, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, ""},
    /* that end where the window begins, and begin where it ends */
    {{0, FROM, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, ""},
    {{TO, YEAR_10000, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, ""},
    /* one second more */
    {{0, FROM + 1, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, "#"},
    {{TO - 1, YEAR_10000, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS},
        "                                                  #"},
    /* backwards, and for no time at all */
    {{NOW + 10 * DAY, NOW, TIMELINE_SIGNS}, {NOW, NOW, TIMELINE_SIGNS}, ""},
    /* over all of it */
    {{0, YEAR_10000 - 1, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS},
        "###################################################"},
    {{INT64_MIN, INT64_MAX, TIMELINE_PUBLISHED}, {0, 0, TIMELINE_SIGNS},
        "..................................................."},
    /* one second is a column */
    {{NOW, NOW + 1, TIMELINE_SIGNS}, {0, 0, TIMELINE_SIGNS}, "          #"},
    /* the later stretch wins */
    {{FROM, FROM + 40 * DAY, TIMELINE_PUBLISHED}, {NOW, NOW + 4 * DAY, TIMELINE_SIGNS},
        "..........##........"},
};

static void put_rows(
    const struct style *s, int64_t span, const struct timeline_row *rows, size_t n, struct buf *out)
{
    timeline_put(s, span, rows, n, out);
    buf_put_char(out, '\0');
    ck_assert(!out->failed);
}

/* The line of the drawing that begins with `head`. */
static const char *line_with(const struct buf *out, const char *head, char line[256])
{
    const char *at = strstr(out->p, head);
    ck_assert_msg(at != NULL, "no line %s in\n%s", head, out->p);
    snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

START_TEST(test_bar)
{
    const struct style s = {.ascii = true, .utc = true, .now = NOW};
    struct timeline_row row = {.who = SPAN("ours"),
        .key = SPAN("1234567"),
        .note = SPAN("note"),
        .stretches = {bars[_i].a, bars[_i].b},
        .n = bars[_i].b.to == 0 ? 1 : 2};
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
    char line[256], wanted[256];
    put_rows(&s, 102 * DAY, &row, 1, &out);
    snprintf(wanted, sizeof(wanted), "ours  1234567 %-51s note", bars[_i].bar);
    ck_assert_str_eq(line_with(&out, "ours", line), wanted);
}
END_TEST

/* All keys equal: every row is drawn, and drawn the same. */
START_TEST(test_equal_keys)
{
    const struct style s = {.ascii = true, .utc = true, .now = NOW};
    struct timeline_row rows[5];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rows[i] = (struct timeline_row){.key = SPAN("same"), .note = SPAN("valid")};
        timeline_add(&rows[i], NOW, NOW + DAY, TIMELINE_SIGNS);
    }
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
    put_rows(&s, 102 * DAY, rows, ARRAY_LEN(rows), &out);
    unsigned n = 0;
    for (const char *at = strstr(out.p, "      same              #"); at;
         at = strstr(at + 1, "      same              #"))
        n++;
    ck_assert_uint_eq(n, ARRAY_LEN(rows));
}
END_TEST

/* Characters, not bytes, that the widest line of a drawing has. */
static size_t widest(const char *text)
{
    size_t widest = 0, n = 0;
    for (; *text; text++) {
        if (*text == '\n')
            n = 0;
        else if (((unsigned char)*text & 0xc0) != 0x80 && ++n > widest)
            widest = n;
    }
    return widest;
}

/* Whatever the width, span, zone and names: no line is wider than was asked for, and today is
 * marked. */
START_TEST(test_widths)
{
    static const unsigned columns[] = {0, 1, 50, 60, 74, 80, 160, 5000};
    static const int64_t spans[] = {
        1, 7, 60, 3600, DAY, 3 * DAY, 40 * DAY, 400 * DAY, 4000 * DAY, 400000 * DAY, INT64_MAX};
    static const char *const zones[] = {"UTC", "XST-05:30", "EST5EDT,M3.2.0,M11.1.0"};
    const struct timeline_row row = {
        .who = SPAN("a-very-long-name-of-a-partner"), .key = SPAN("1"), .note = SPAN("no next!")};
    for (size_t z = 0; z < ARRAY_LEN(zones); z++)
        for (size_t c = 0; c < ARRAY_LEN(columns); c++)
            for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
                const struct style s = {.now = NOW, .columns = columns[c]};
                CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
                setenv("TZ", zones[z], 1);
                tzset();
                put_rows(&s, spans[i], &row, 1, &out);
                size_t most = columns[c] == 0                     ? TIMELINE_COLUMNS
                              : columns[c] < TIMELINE_COLUMNS_MIN ? TIMELINE_COLUMNS_MIN
                              : columns[c] > TIMELINE_COLUMNS_MAX ? TIMELINE_COLUMNS_MAX
                                                                  : columns[c];
                ck_assert_msg(widest(out.p) <= most, "%zu > %zu:\n%s", widest(out.p), most, out.p);
                ck_assert_ptr_nonnull(strstr(out.p, "\u25b2 "));
            }
}
END_TEST

/* Labels stand at round times of the zone that is shown. */
START_TEST(test_axis)
{
    static const struct {
        const char *zone;
        int64_t now, span;
        const char *labels;
    } table[] = {
        {"UTC", NOW, 60, "           12:00:00    12:00:15     12:00:30     12:00:45\n"},
        {"UTC", NOW, 6 * 3600, " 11:00    12:00   13:00    14:00   15:00    16:00\n"},
        {"XST-05:30", NOW, 6 * 3600, "     17:00    18:00   19:00    20:00   21:00    22:00"},
        {"UTC", NOW, 40 * 3600, "11-25 12:00"},
        {"UTC", NOW, 30 * DAY, "11-26      12-03       12-10       12-17"},
        {"XST-05:30", NOW, 270 * DAY, "     2026-11     2027-01    2027-03    2027-05\n"},
        {"UTC", NOW, 6000 * DAY, "2025"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct style s = {.ascii = true, .now = table[i].now};
        CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
        setenv("TZ", table[i].zone, 1);
        tzset();
        put_rows(&s, table[i].span, NULL, 0, &out);
        ck_assert_msg(strstr(out.p, table[i].labels) != NULL, "%s\n%s", table[i].labels, out.p);
    }
}
END_TEST

/* In the hour that local clocks show twice, and in the one they skip, the axis goes on. */
START_TEST(test_axis_and_summer_time)
{
    static const int64_t nights[] = {1793512800 - 3600, 1793512800, 1793512800 + 1800, /* autumn */
        1805007600 - 60, 1805007600, 1805007600 + 60};                                 /* spring */
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(nights); i++)
        for (int64_t span = 30; span < 3 * DAY; span *= 3) {
            const struct style s = {.ascii = true, .now = nights[i]};
            CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
            put_rows(&s, span, NULL, 0, &out);
            ck_assert_msg(strchr(out.p, '+') != NULL, "%s", out.p);
        }
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, test_column);
    tcase_add_test(t, test_column_never_goes_back);
    tcase_add_test(t, test_window);
    tcase_add_loop_test(t, test_bar, 0, (int)ARRAY_LEN(bars));
    tcase_add_test(t, test_equal_keys);
    tcase_add_test(t, test_widths);
    tcase_add_test(t, test_axis);
    tcase_add_test(t, test_axis_and_summer_time);
}

int main(void)
{
    return unit_run("client_timeline", fill);
}
