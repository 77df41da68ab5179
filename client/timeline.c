/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"
#include "clock.h"
#include "when.h"

#include <stdio.h>

#define WHO_MIN 4  /* "ours" */
#define WHO_MAX 12 /* longer names are cut */
#define KEY 7
#define NOTE 8 /* "no next!" */
#define DAY_S 86400
#define YEAR_10000_S INT64_C(253402300800)

/* Where things stand on a line. */
struct layout {
    unsigned who;  /* width of the names */
    unsigned left; /* first column of the drawing */
    struct timeline_window w;
};

unsigned timeline_column(const struct timeline_window *w, int64_t at)
{
    if (at <= w->from)
        return 0;
    if (at >= w->to)
        return w->columns;
    return (unsigned)((at - w->from) * w->columns / (w->to - w->from));
}

struct timeline_window timeline_window_at(int64_t now, int64_t span_s, unsigned columns)
{
    if (span_s < 1)
        span_s = 1;
    if (span_s > YEAR_10000_S)
        span_s = YEAR_10000_S;
    if (now < 0)
        now = 0;
    int64_t from = now - span_s / 5;
    if (from < 0)
        from = 0;
    if (from > YEAR_10000_S - span_s)
        from = YEAR_10000_S - span_s;
    return (struct timeline_window){from, from + span_s, columns};
}

/* Text pieces. */

static void put_times(struct buf *out, const char *text, unsigned n)
{
    while (n-- > 0)
        buf_put_str(out, text);
}

/* A name of exactly `width` columns. */
static void put_name(struct buf *out, struct span name, unsigned width)
{
    bool cut = name.n > width;
    CLEANUP(buf_done) struct buf safe = BUF_INIT(4096);
    put_safe(&safe, name);
    for (unsigned i = 0; i < width; i++)
        buf_put_char(out, cut && i + 1 == width ? '~' : i < safe.n ? safe.p[i] : ' ');
}

/* Bars. */

enum cell { CELL_BLANK, CELL_PUBLISHED, CELL_SIGNS };

/* A stretch that touches the window is at least one column wide. */
static void fill(const struct timeline_window *w, const struct timeline_stretch *t,
    unsigned char cells[TIMELINE_COLUMNS_MAX])
{
    if (t->from >= t->to || t->to <= w->from || t->from >= w->to)
        return;
    unsigned begin = timeline_column(w, t->from), end = timeline_column(w, t->to);
    if (end == begin)
        end++;
    for (unsigned i = begin; i < end && i < w->columns; i++)
        cells[i] = t->fill == TIMELINE_SIGNS ? CELL_SIGNS : CELL_PUBLISHED;
}

static const char *glyph(const struct style *s, unsigned char cell)
{
    static const char *const glyphs[2][3] = {{" ", "\u2591", "\u2588"}, {" ", ".", "#"}};
    return glyphs[s->ascii][cell];
}

static void put_bar(const struct style *s, const struct timeline_window *w,
    const struct timeline_row *row, struct buf *out)
{
    unsigned char cells[TIMELINE_COLUMNS_MAX] = {CELL_BLANK};
    for (size_t i = 0; i < row->n; i++)
        fill(w, &row->stretches[i], cells);
    for (unsigned i = 0; i < w->columns; i++)
        buf_put_str(out, glyph(s, cells[i]));
}

static void put_row(
    const struct style *s, const struct layout *l, const struct timeline_row *row, struct buf *out)
{
    put_name(out, row->who, l->who);
    put_times(out, " ", 2);
    put_name(out, row->key, KEY);
    buf_put_char(out, ' ');
    put_bar(s, &l->w, row, out);
    buf_put_char(out, ' ');
    put_coloured(out, s, row->colour, row->note);
    buf_put_char(out, '\n');
}

/* The axis. Ticks stand at round times of the zone that is shown. */

struct tick_step {
    int64_t seconds;          /* about, for months */
    unsigned months;          /* 0: the seconds are exact */
    unsigned char begin, end; /* of the label in "2026-11-25T12:00:00Z" */
};

static const struct tick_step steps[] = {
    {1, 0, 11, 19},
    {2, 0, 11, 19},
    {5, 0, 11, 19},
    {10, 0, 11, 19},
    {15, 0, 11, 19},
    {30, 0, 11, 19},
    {60, 0, 11, 16},
    {120, 0, 11, 16},
    {300, 0, 11, 16},
    {600, 0, 11, 16},
    {1800, 0, 11, 16},
    {3600, 0, 11, 16},
    {3 * 3600, 0, 11, 16},
    {6 * 3600, 0, 11, 16},
    {12 * 3600, 0, 5, 16},
    {DAY_S, 0, 5, 10},
    {2 * DAY_S, 0, 5, 10},
    {7 * DAY_S, 0, 5, 10},
    {30 * DAY_S, 1, 0, 7},
    {61 * DAY_S, 2, 0, 7},
    {91 * DAY_S, 3, 0, 7},
    {182 * DAY_S, 6, 0, 7},
    {365 * DAY_S, 12, 0, 4},
    {INT64_C(2) * 365 * DAY_S, 24, 0, 4},
    {INT64_C(5) * 365 * DAY_S, 60, 0, 4},
    {INT64_C(10) * 365 * DAY_S, 120, 0, 4},
    {INT64_C(50) * 365 * DAY_S, 600, 0, 4},
    {INT64_C(100) * 365 * DAY_S, 1200, 0, 4},
    {INT64_C(1000) * 365 * DAY_S, 12000, 0, 4},
    {INT64_C(5000) * 365 * DAY_S, 60000, 0, 4},
};

/* The finest step whose labels do not run into each other. */
static const struct tick_step *choose_step(const struct timeline_window *w)
{
    const struct tick_step *last = &steps[ARRAY_LEN(steps) - 1];
    for (const struct tick_step *t = steps; t < last; t++)
        if (t->seconds * w->columns / (w->to - w->from) >= t->end - t->begin + 3)
            return t;
    return last;
}

static int64_t shown(const struct style *s, int64_t at)
{
    return s->utc ? at : at + when_offset(at);
}

static int64_t unshown(const struct style *s, int64_t local)
{
    return s->utc ? local : when_of_local(local);
}

static int64_t up_to_multiple(int64_t n, int64_t of)
{
    return (n + of - 1) / of * of;
}

/* Months since the year 0 that have begun at that time; behind the years that can be printed, those
 * to the year 10000. */
static int64_t months_of(int64_t local)
{
    char text[CLOCK_TEXT_LEN];
    clock_text(local, text);
    if (!ascii_is_digit(text[0]))
        return INT64_C(10000) * 12;
    int year = 0;
    for (int i = 0; i < 4; i++)
        year = year * 10 + (text[i] - '0');
    return (int64_t)year * 12 + (text[5] - '0') * 10 + (text[6] - '0') - 1;
}

static int64_t start_of_month(int64_t months)
{
    return clock_from_civil((int)(months / 12), (int)(months % 12) + 1, 1, 0, 0, 0);
}

/* The first tick at or behind `at`. Hours go on when local clocks are put forward or back; longer
 * steps keep to the clock. */
static int64_t tick_from(const struct style *s, const struct tick_step *step, int64_t at)
{
    int64_t local = shown(s, at), target = up_to_multiple(local, step->seconds);
    if (step->seconds <= 3600)
        return at + (target - local);
    if (step->months > 0) {
        int64_t months = up_to_multiple(months_of(local), step->months);
        if (start_of_month(months) < local)
            months += step->months;
        target = start_of_month(months);
    }
    int64_t tick = unshown(s, target);
    return tick >= at ? tick : at + (target - local);
}

/* The line of labels, as long as a label may stand. */
static void put_label(const struct style *s, const struct tick_step *step, int64_t at, char *to)
{
    char text[CLOCK_TEXT_LEN];
    clock_text(shown(s, at), text);
    memcpy(to, text + step->begin, (size_t)(step->end - step->begin));
    if (step->begin == 5 && step->end > 10)
        to[5] = ' '; /* the T of ISO 8601 */
}

static void put_axis(const struct style *s, const struct layout *l, struct buf *out)
{
    char labels[TIMELINE_COLUMNS_MAX + NOTE + 1], marks[TIMELINE_COLUMNS_MAX] = {0};
    const struct tick_step *step = choose_step(&l->w);
    const unsigned width = (unsigned)(step->end - step->begin);
    unsigned end = 0;
    memset(labels, ' ', sizeof(labels));
    for (int64_t at = tick_from(s, step, l->w.from); at < l->w.to;
         at = tick_from(s, step, at + 1)) {
        unsigned column = timeline_column(&l->w, at);
        marks[column] = 1;
        if (column < end + (end > 0) || column + width > l->w.columns + 1 + NOTE)
            continue;
        put_label(s, step, at, labels + column);
        end = column + width;
    }
    put_times(out, " ", l->left);
    buf_put(out, labels, end);
    buf_put_char(out, '\n');
    put_times(out, " ", l->left);
    for (unsigned i = 0; i < l->w.columns; i++)
        buf_put_str(out, s->ascii ? (marks[i] ? "+" : "-") : marks[i] ? "\u252c" : "\u2500");
    buf_put_char(out, '\n');
}

/* "▲ today", or to the second when the drawing shows hours. */
static void put_today(const struct style *s, const struct layout *l, struct buf *out)
{
    char text[CLOCK_TEXT_LEN], word[CLOCK_TEXT_LEN + 8] = "today";
    if (l->w.to - l->w.from < 4 * DAY_S) {
        clock_text(shown(s, s->now), text);
        text[19] = '\0';
        snprintf(word, sizeof(word), "now, %s", text + 11);
    }
    put_times(out, " ", l->left + timeline_column(&l->w, s->now));
    buf_put_str(out, s->ascii ? "^ " : "\u25b2 ");
    buf_put_str(out, word);
    buf_put_char(out, '\n');
}

static struct layout lay_out(
    const struct style *s, int64_t span_s, const struct timeline_row *rows, size_t n)
{
    unsigned width = s->columns ? s->columns : TIMELINE_COLUMNS;
    struct layout l = {.who = WHO_MIN};
    if (width < TIMELINE_COLUMNS_MIN)
        width = TIMELINE_COLUMNS_MIN;
    if (width > TIMELINE_COLUMNS_MAX)
        width = TIMELINE_COLUMNS_MAX;
    for (size_t i = 0; i < n; i++)
        if (rows[i].who.n > l.who)
            l.who = rows[i].who.n < WHO_MAX ? (unsigned)rows[i].who.n : WHO_MAX;
    l.left = l.who + 2 + KEY + 1;
    l.w = timeline_window_at(s->now, span_s, width - l.left - 1 - NOTE);
    return l;
}

void timeline_put(const struct style *s, int64_t span_s, const struct timeline_row *rows, size_t n,
    struct buf *out)
{
    const struct layout l = lay_out(s, span_s, rows, n);
    put_axis(s, &l, out);
    for (size_t i = 0; i < n; i++)
        put_row(s, &l, &rows[i], out);
    put_today(s, &l, out);
    buf_printf(out, "\n  %s signs (partners: accepted)  %s published only\n", glyph(s, CELL_SIGNS),
        glyph(s, CELL_PUBLISHED));
}
