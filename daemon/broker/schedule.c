/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#define MS 1000

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : least(v, high);
}

/* A point of [low, high] that `chance` picks. */
static int64_t pick(int64_t low, int64_t high, uint32_t chance)
{
    return low + (int64_t)((uint64_t)(high - low) * chance / UINT32_MAX);
}

static int64_t doubled(unsigned times, int64_t first, int64_t longest)
{
    int64_t v = first;
    for (unsigned i = 0; i < times && v < longest; i++)
        v *= 2;
    return least(v, longest);
}

static int64_t interval_s(const struct schedule_limits *l, int64_t wish_s)
{
    return clamp(wish_s >= 0 ? wish_s : l->interval_s, SCHEDULE_FLOOR_S, SCHEDULE_CEILING_S);
}

/* In how long a time a missed attempt may be made up for. */
static int64_t spread_s(
    const struct schedule_limits *l, const struct schedule_past *past, int64_t now_wall_s)
{
    int64_t planned = past->last_try_at > 0 ? past->next_try_at - past->last_try_at : -1;
    int64_t width = planned > 0 ? least(planned, interval_s(l, -1)) : interval_s(l, -1);
    width = width > SCHEDULE_FLOOR_S ? width : SCHEDULE_FLOOR_S;
    return clamp(past->good_at + l->stale_after_s - now_wall_s, 0, width);
}

void schedule_resume(struct schedule *s, const struct schedule_limits *l,
    const struct schedule_past *past, const struct schedule_now *now)
{
    int64_t wait_ms = (past->next_try_at - now->wall_s) * MS;
    s->failures = past->failures;
    if (past->good_at == 0 || past->next_try_at == 0)
        wait_ms = 0;
    else if (wait_ms < 0)
        wait_ms = pick(0, spread_s(l, past, now->wall_s) * MS, now->chance);
    else if (wait_ms > (int64_t)SCHEDULE_CEILING_S * MS)
        wait_ms = interval_s(l, -1) * MS;
    s->due_ms = now->mono_ms + wait_ms;
}

/* Counted from the last attempt that an unknown key caused. */
static int64_t cooldown_ms(const struct schedule *s, const struct schedule_limits *l)
{
    int64_t first = clamp(l->cooldown_s, 1, SCHEDULE_COOLDOWN_MAX_S);
    return doubled(s->hints > 0 ? s->hints - 1 : 0, first, SCHEDULE_COOLDOWN_MAX_S) * MS;
}

int64_t schedule_hint_pause_ms(
    const struct schedule *s, const struct schedule_limits *l, int64_t now_ms)
{
    int64_t left = s->hinted ? s->hinted_ms + cooldown_ms(s, l) - now_ms : 0;
    return left > 0 ? left : 0;
}

bool schedule_take_hint(struct schedule *s, const struct schedule_limits *l, int64_t now_ms)
{
    if (schedule_hint_pause_ms(s, l, now_ms) > 0)
        return false;
    s->hinted = true;
    s->hinted_ms = now_ms;
    s->hints++;
    return true;
}

/* 0.9 to 1.0 of the interval, so that partners configured together drift apart. */
static int64_t after_good(
    const struct schedule_limits *l, const struct schedule_answer *a, uint32_t chance)
{
    int64_t ms = interval_s(l, a->max_age_s) * MS;
    return pick(ms - ms / 10, ms, chance);
}

/* Anything from one second to the doubled pause; a partner that names a later time is heard. */
static int64_t after_failure(const struct schedule *s, const struct schedule_limits *l,
    const struct schedule_answer *a, uint32_t chance)
{
    int64_t top_ms = doubled(s->failures - 1, l->retry_min_s, l->retry_max_s) * MS;
    int64_t ms = top_ms > MS ? pick(MS, top_ms, chance) : MS;
    int64_t wish_ms = least(a->retry_after_s, SCHEDULE_CEILING_S) * MS;
    return wish_ms > ms ? wish_ms : ms;
}

int64_t schedule_answered(struct schedule *s, const struct schedule_limits *l,
    const struct schedule_answer *a, int64_t now_ms, uint32_t chance)
{
    int64_t wait_ms;
    if (a->good) {
        s->failures = 0;
        wait_ms = after_good(l, a, chance);
    } else {
        s->failures++;
        wait_ms = after_failure(s, l, a, chance);
    }
    if (a->changed)
        s->hints = 0; /* unknown keys are believable again: the short cooldown */
    s->due_ms = now_ms + wait_ms;
    return wait_ms;
}

int64_t schedule_backoff_ms(unsigned n, int64_t first_ms, int64_t longest_ms, uint32_t chance)
{
    int64_t top = doubled(n > 0 ? n - 1 : 0, first_ms, longest_ms);
    return pick(top / 2, top, chance);
}
