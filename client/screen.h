/* SPDX-License-Identifier: Apache-2.0 */
/* How things look on a terminal: marks, colours, dates, spans of time, tables. All functions append
 * to a buffer and know nothing of where it goes, so screens are tested as text. */
#pragma once

#include "buf.h"

struct style {
    bool ascii;       /* no character beyond ASCII */
    bool colour;      /* terminal escapes */
    bool utc;         /* dates in UTC, else in local time */
    int64_t now;      /* wall seconds, for "12 min ago" */
    unsigned columns; /* of a drawing or of running text; 0: nobody says how wide */
    int64_t drawn_s;  /* seconds that a drawing shows; 0: as many as it needs */
};

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_BOLD, COLOUR_FAINT };

enum mark { MARK_GOOD, MARK_BAD, MARK_SKIPPED, MARK_ALIVE, MARK_DEAD };

/* Text from outside made harmless: everything but printable ASCII becomes \xNN. */
void put_safe(struct buf *out, struct span text);
/* The same in a colour. */
void put_coloured(struct buf *out, const struct style *s, enum colour colour, struct span text);
/* A coloured tick, cross, hyphen or dot. */
void put_mark(struct buf *out, const struct style *s, enum mark mark);

/* "2026-11-26", "2026-11-26 14:00"; "never" for 0 and beyond the year 9999. */
void put_date(struct buf *out, const struct style *s, int64_t at);
void put_minute(struct buf *out, const struct style *s, int64_t at);
/* The largest unit that fits: "8 s", "12 min", "3 h", "4 days"; negative spans count as 0. */
void put_duration(struct buf *out, int64_t seconds);
/* "12 min ago" or "in 3 h", seen from s->now. */
void put_relative(struct buf *out, const struct style *s, int64_t at);

/* A table whose columns are as wide as their widest cell. Cells are copied. */
#define TABLE_COLUMNS_MAX 8
struct table {
    const struct style *style;
    const char *align; /* 'l' or 'r' for each column */
    size_t columns;
    struct buf cells; /* rows of colour byte, text, NUL; see table_cell */
    size_t widths[TABLE_COLUMNS_MAX];
    size_t column; /* of the next cell */
};
/* `align` is kept, not copied. */
void table_start(struct table *t, const struct style *style, const char *align);
/* The next cell, row by row; made safe like put_safe. */
void table_cell(struct table *t, enum colour colour, struct span text);
void table_text(struct table *t, const char *text);
/* A line of its own below the last complete row, beginning at `column`. */
void table_note(struct table *t, size_t column, struct span text);
/* Writes the table and releases it. */
void table_finish(struct table *t, struct buf *out);
