/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"
#include "clock.h"

#include <time.h>

#define GAP "  " /* between columns */
/* First byte of a cell that is a note; its second byte is the column it begins at. */
#define NOTE ((char)0x7f)

void put_safe(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c < 0x7f)
            buf_put_char(out, (char)c);
        else
            buf_printf(out, "\\x%02x", c);
    }
}

static const char *const escapes[] = {
    [COLOUR_GOOD] = "\033[32m",
    [COLOUR_WARN] = "\033[33m",
    [COLOUR_BAD] = "\033[31m",
    [COLOUR_BOLD] = "\033[1m",
    [COLOUR_FAINT] = "\033[2m",
};

static bool colour_on(struct buf *out, const struct style *s, enum colour colour)
{
    if (!s->colour || colour == COLOUR_NONE)
        return false;
    buf_put_str(out, escapes[colour]);
    return true;
}

static void colour_off(struct buf *out, bool on)
{
    if (on)
        buf_put_str(out, "\033[0m");
}

void put_coloured(struct buf *out, const struct style *s, enum colour colour, struct span text)
{
    bool on = colour_on(out, s, colour);
    put_safe(out, text);
    colour_off(out, on);
}

void put_mark(struct buf *out, const struct style *s, enum mark mark)
{
    static const struct {
        const char *utf8, *ascii;
        enum colour colour;
    } marks[] = {
        [MARK_GOOD] = {"\u2713", "ok", COLOUR_GOOD},
        [MARK_BAD] = {"\u2717", "no", COLOUR_BAD},
        [MARK_SKIPPED] = {"-", "- ", COLOUR_FAINT},
        [MARK_ALIVE] = {"\u25cf", "*", COLOUR_GOOD},
        [MARK_DEAD] = {"\u25cf", "*", COLOUR_BAD},
    };
    bool on = colour_on(out, s, marks[mark].colour);
    buf_put_str(out, s->ascii ? marks[mark].ascii : marks[mark].utf8);
    colour_off(out, on);
}

/* The first n characters of the date in the zone that is wanted. */
static void put_clock(struct buf *out, const struct style *s, int64_t at, size_t n)
{
    char text[CLOCK_TEXT_LEN];
    struct tm local;
    const time_t t = (time_t)at;
    if (!s->utc && localtime_r(&t, &local))
        at += local.tm_gmtoff;
    clock_text(at, text);
    if (t <= 0 || strlen(text) < n) {
        buf_put_str(out, "never");
        return;
    }
    text[10] = ' '; /* the T of ISO 8601 */
    buf_put(out, text, n);
}

void put_date(struct buf *out, const struct style *s, int64_t at)
{
    put_clock(out, s, at, strlen("2026-11-26"));
}

void put_minute(struct buf *out, const struct style *s, int64_t at)
{
    put_clock(out, s, at, strlen("2026-11-26 14:00"));
}

void put_duration(struct buf *out, int64_t seconds)
{
    static const struct {
        int64_t below, unit;
        const char *name;
    } units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "days"}};
    size_t i = 0;
    if (seconds < 0)
        seconds = 0;
    while (seconds >= units[i].below)
        i++;
    buf_printf(out, "%lld %s", (long long)(seconds / units[i].unit), units[i].name);
}

void put_relative(struct buf *out, const struct style *s, int64_t at)
{
    if (at > s->now)
        buf_put_str(out, "in ");
    put_duration(out, at > s->now ? at - s->now : s->now - at);
    if (at <= s->now)
        buf_put_str(out, " ago");
}

/* Tables. */

void table_start(struct table *t, const struct style *style, const char *align)
{
    *t = (struct table){.style = style, .align = align, .columns = strlen(align)};
    t->cells = BUF_INIT(4 * 1024 * 1024);
}

void table_cell(struct table *t, enum colour colour, struct span text)
{
    buf_put_char(&t->cells, (char)colour);
    size_t before = t->cells.n;
    put_safe(&t->cells, text);
    size_t width = t->cells.n - before;
    buf_put_char(&t->cells, '\0');
    if (width > t->widths[t->column])
        t->widths[t->column] = width;
    t->column = (t->column + 1) % t->columns;
}

void table_text(struct table *t, const char *text)
{
    table_cell(t, COLOUR_NONE, span_of(text));
}

void table_note(struct table *t, size_t column, struct span text)
{
    buf_put_char(&t->cells, NOTE);
    buf_put_char(&t->cells, (char)column);
    put_safe(&t->cells, text);
    buf_put_char(&t->cells, '\0');
}

static void put_blanks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_put_char(out, ' ');
}

static void put_note(const struct table *t, struct buf *out, struct span cell)
{
    for (size_t i = 0; i < (size_t)cell.p[1]; i++)
        put_blanks(out, t->widths[i] + strlen(GAP));
    buf_put_span(out, span_skip(cell, 2));
    buf_put_char(out, '\n');
}

/* One cell with the blanks around it; none behind the last of a row. */
static void put_cell(const struct table *t, struct buf *out, struct span cell, size_t column)
{
    struct span text = span_skip(cell, 1);
    bool last = column + 1 == t->columns;
    size_t blanks = t->widths[column] - text.n;
    if (t->align[column] == 'r')
        put_blanks(out, blanks);
    bool on = colour_on(out, t->style, (enum colour)cell.p[0]);
    buf_put_span(out, text);
    colour_off(out, on);
    if (t->align[column] == 'l' && !last)
        put_blanks(out, blanks);
    buf_put_str(out, last ? "\n" : GAP);
}

void table_finish(struct table *t, struct buf *out)
{
    struct span rest = buf_span(&t->cells);
    size_t column = 0;
    while (rest.n > 0 && !t->cells.failed) {
        /* The colour of a cell may be the byte 0: its end is looked for behind it. */
        size_t n = 1 + span_find(span_skip(rest, 1), '\0');
        if (rest.p[0] == NOTE)
            n = 2 + span_find(span_skip(rest, 2), '\0');
        struct span cell = {rest.p, n};
        if (rest.p[0] == NOTE) {
            put_note(t, out, cell);
        } else {
            put_cell(t, out, cell, column);
            column = (column + 1) % t->columns;
        }
        rest = span_skip(rest, n + 1);
    }
    out->failed = out->failed || t->cells.failed;
    buf_done(&t->cells);
}
