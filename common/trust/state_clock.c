/* SPDX-License-Identifier: Apache-2.0 */
#include "state_clock.h"

typedef void each_time_fn(int64_t *at, void *arg);

/* All that was noted of the past. */
static void each_time(struct partner_state *s, each_time_fn *take, void *arg)
{
    take(&s->trust.good_at, arg);
    take(&s->last_try_at, arg);
    take(&s->held.since, arg);
    for (size_t i = 0; i < s->trust.n_keys; i++) {
        struct partner_key *k = &s->trust.keys[i];
        take(&k->first_seen_at, arg);
        take(&k->last_seen_at, arg);
        take(&k->missing_at, arg);
        take(&k->returning_at, arg);
    }
}

/* 0 is no time, and stays; no other time becomes 0. */
static void move(int64_t *at, void *arg)
{
    const int64_t *by_s = arg;
    int64_t moved;
    if (*at != 0 && !__builtin_add_overflow(*at, *by_s, &moved))
        *at = moved ? moved : 1;
}

void state_clock_move(struct partner_state *s, int64_t by_s)
{
    each_time(s, move, &by_s);
    move(&s->next_try_at, &by_s);
    /* What the partner's clock is ahead of ours by; the answer that was measured is of before. */
    if (s->trust.clock.known &&
        __builtin_sub_overflow(s->trust.clock.ahead_s, by_s, &s->trust.clock.ahead_s))
        s->trust.clock.known = false;
}

struct limit {
    int64_t now;
    bool was_reached;
};

static void cut(int64_t *at, void *arg)
{
    struct limit *l = arg;
    if (*at <= l->now)
        return;
    *at = l->now;
    l->was_reached = true;
}

bool state_clock_settle(struct partner_state *s, int64_t now)
{
    struct limit l = {.now = now};
    each_time(s, cut, &l);
    return l.was_reached;
}
