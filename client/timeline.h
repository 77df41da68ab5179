/* SPDX-License-Identifier: Apache-2.0 */
/* A drawing of when keys sign and when they are only published: one row for each key, time from
 * left to right. Pure; all times are wall seconds. */
#pragma once

#include "screen.h"

#define TIMELINE_COLUMNS_MAX 160 /* of a whole line */
#define TIMELINE_COLUMNS_MIN 50
#define TIMELINE_COLUMNS 74 /* when nobody says how wide */

/* What is drawn: [from, to), to > from, on so many columns. */
struct timeline_window {
    int64_t from, to;
    unsigned columns;
};

/* Column in which `at` lies: 0 for everything before the window, w->columns for everything behind
 * it. Never decreases when `at` grows. */
unsigned timeline_column(const struct timeline_window *w, int64_t at);
/* A window of `span_s` seconds (at least 1) that has `now` at a fifth of its width, inside the
 * years that can be printed. */
struct timeline_window timeline_window_at(int64_t now, int64_t span_s, unsigned columns);

enum timeline_fill { TIMELINE_PUBLISHED, TIMELINE_SIGNS };

/* [from, to); nothing when from >= to. */
struct timeline_stretch {
    int64_t from, to;
    enum timeline_fill fill;
};

/* One key. Later stretches are drawn over earlier ones. */
#define TIMELINE_STRETCHES_MAX 3
struct timeline_row {
    struct span who; /* empty: the same as in the row above */
    struct span key, note;
    enum colour colour; /* of the note */
    struct timeline_stretch stretches[TIMELINE_STRETCHES_MAX];
    size_t n;
};
static inline void timeline_add(
    struct timeline_row *row, int64_t from, int64_t to, enum timeline_fill fill)
{
    row->stretches[row->n++] = (struct timeline_stretch){from, to, fill};
}

/* Rows, axis, mark of today and legend, s->columns wide (TIMELINE_COLUMNS when 0, else inside the
 * bounds above). `span_s` as in timeline_window_at. */
void timeline_put(const struct style *s, int64_t span_s, const struct timeline_row *rows, size_t n,
    struct buf *out);
