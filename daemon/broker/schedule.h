/* SPDX-License-Identifier: Apache-2.0 */
/* When a partner's document is fetched again. Pure: times and chance are arguments. Intervals run
 * on the monotonic clock (rule R38), so an administrator who moves the wall clock neither starves
 * nor floods a partner; only what is kept over a restart is wall time. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

/* No good document is asked for again sooner, none is believed longer without asking. */
#define SCHEDULE_FLOOR_S 300
#define SCHEDULE_CEILING_S 86400
/* The longest pause between two refetches that unknown keys cause. */
#define SCHEDULE_COOLDOWN_MAX_S 900

struct schedule_limits {
    int64_t interval_s;               /* [Refresh] Interval=, before clamp and jitter */
    int64_t retry_min_s, retry_max_s; /* back-off after a failure: first and longest */
    int64_t cooldown_s;               /* between two refetches for an unknown key; doubles */
    int64_t stale_after_s;            /* of a document: its partner's tokens are refused */
};

/* Of one partner. Zero it, then schedule_resume. Times are clock_mono_ms(). */
struct schedule {
    int64_t due_ms;    /* the next regular attempt */
    unsigned failures; /* in a row */
    bool hinted;       /* an unknown key has caused an attempt */
    int64_t hinted_ms; /* ... the last time then */
    unsigned hints;    /* ... so often since the document changed */
};

/* What is known from before a restart, in wall seconds. */
struct schedule_past {
    int64_t good_at;     /* 0: no document yet */
    int64_t next_try_at; /* 0: not planned */
    int64_t last_try_at; /* when next_try_at was planned, 0: never */
    unsigned failures;
};

/* What becomes of the wish for a newer document. */
enum hint_fate {
    HINT_IN_VAIN, /* no attempt is made for it */
    HINT_JOINS,   /* one is under way that began before it */
    HINT_FETCHES  /* one begins now */
};

struct schedule_now {
    int64_t wall_s, mono_ms;
    uint32_t chance; /* a random number */
};

struct schedule_answer {
    bool good;             /* 200 with a lawful document, or 304 */
    bool changed;          /* the document is another one than before */
    int64_t max_age_s;     /* Cache-Control, -1: none */
    int64_t retry_after_s; /* -1: none */
};

/* Takes the plan up again, after a start or when the wall clock was set. A partner without a
 * document, or with a stale one, is due at once: there is nothing to lose by asking. An appointment
 * that is still to come is kept; one beyond what the limits allow (the wall clock went back while
 * we were down) is cut to the interval. One that was missed is made up for at a moment that
 * `chance` picks out of as long a time as was planned between two attempts (at most the interval,
 * at least SCHEDULE_FLOOR_S, never beyond the document's end), so that a hundred servers that come
 * back together ask no faster than they always did. */
void schedule_resume(struct schedule *s, const struct schedule_limits *l,
    const struct schedule_past *past, const struct schedule_now *now);

/* May an unknown key cause an attempt now? Yes stamps the cooldown, before the attempt and whatever
 * becomes of it, so that a dead partner is not hammered; each further yes doubles it until the
 * document changes. */
bool schedule_take_hint(struct schedule *s, const struct schedule_limits *l, int64_t now_ms);

/* Milliseconds until the next yes. */
int64_t schedule_hint_pause_ms(
    const struct schedule *s, const struct schedule_limits *l, int64_t now_ms);

/* Plans the next regular attempt. `chance` is a random number. Returns the delay in milliseconds.
 */
int64_t schedule_answered(struct schedule *s, const struct schedule_limits *l,
    const struct schedule_answer *a, int64_t now_ms, uint32_t chance);

/* The wait before try `n` (from 1) at something local that is away: `first_ms` doubling to
 * `longest_ms`, the upper half of it at random. */
int64_t schedule_backoff_ms(unsigned n, int64_t first_ms, int64_t longest_ms, uint32_t chance);
