/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule alone: clamp, jitter, back-off, cooldown, restart (DESIGN 5, rule R38). */
#include "schedule.h"

#include "unit/unit.h"

#include <stdio.h>

static const struct schedule_limits limits = {.interval_s = 3600,
    .retry_min_s = 30,
    .retry_max_s = 900,
    .cooldown_s = 30,
    .stale_after_s = 604800};

#define NOW_MS INT64_C(1000000)

static const struct {
    const char *what;
    int64_t interval_s, max_age_s;
    int64_t low_s, high_s; /* of the delay */
} intervals[] = {
    {"the configured hour", 3600, -1, 3240, 3600},
    {"a longer Cache-Control", 3600, 7200, 6480, 7200},
    {"a shorter one", 3600, 1200, 1080, 1200},
    {"never sooner than the floor", 3600, 0, 270, 300},
    {"also when configured", 1, -1, 270, 300},
    {"never later than the ceiling", 3600, 31536000, 77760, 86400},
    {"also when configured", 604800, -1, 77760, 86400},
};

START_TEST(a_good_answer_plans_the_interval)
{
    struct schedule_limits l = limits;
    struct schedule_answer a = {
        .good = true, .max_age_s = intervals[_i].max_age_s, .retry_after_s = -1};
    l.interval_s = intervals[_i].interval_s;
    int64_t seen_low = INT64_MAX, seen_high = 0;
    for (uint64_t chance = 0; chance <= UINT32_MAX; chance += UINT32_MAX / 15) {
        struct schedule s = {.failures = 3};
        int64_t ms = schedule_answered(&s, &l, &a, NOW_MS, (uint32_t)chance);
        ck_assert_int_eq(s.due_ms, NOW_MS + ms);
        ck_assert_uint_eq(s.failures, 0);
        seen_low = ms < seen_low ? ms : seen_low;
        seen_high = ms > seen_high ? ms : seen_high;
    }
    ck_assert_msg(seen_low == intervals[_i].low_s * 1000, "%s", intervals[_i].what);
    ck_assert_msg(seen_high == intervals[_i].high_s * 1000, "%s", intervals[_i].what);
}
END_TEST

/* The longest pause after the n-th failure in a row. */
static const int64_t backoff_s[] = {30, 60, 120, 240, 480, 900, 900, 900};

START_TEST(failures_back_off_with_full_jitter)
{
    struct schedule latest = {0}, soonest = {0};
    struct schedule_answer a = {.max_age_s = 7200, .retry_after_s = -1};
    for (size_t i = 0; i < sizeof(backoff_s) / sizeof(backoff_s[0]); i++) {
        ck_assert_int_eq(
            schedule_answered(&latest, &limits, &a, NOW_MS, UINT32_MAX), backoff_s[i] * 1000);
        ck_assert_int_eq(schedule_answered(&soonest, &limits, &a, NOW_MS, 0), 1000);
    }
    for (int i = 0; i < 100; i++) /* no overflow, ever */
        ck_assert_int_eq(schedule_answered(&latest, &limits, &a, NOW_MS, UINT32_MAX), 900000);
}
END_TEST

START_TEST(retry_after_is_heard_up_to_a_day)
{
    static const struct {
        int64_t retry_after_s, delay_s;
    } rows[] = {{-1, 30}, {5, 30}, {120, 120}, {3600, 3600}, {86400, 86400}, {31536000, 86400}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct schedule s = {0};
        struct schedule_answer a = {.max_age_s = -1, .retry_after_s = rows[i].retry_after_s};
        ck_assert_int_eq(
            schedule_answered(&s, &limits, &a, NOW_MS, UINT32_MAX), rows[i].delay_s * 1000);
    }
}
END_TEST

#define WALL INT64_C(1795500000)

static const struct {
    const char *what;
    struct schedule_past past; /* relative to now; 0 stays 0 */
    int64_t low_s, high_s;     /* of the delay */
} resumes[] = {
    {"no document: at once", {.next_try_at = 900}, 0, 0},
    {"an appointment is kept", {.good_at = -500, .next_try_at = 900}, 900, 900},
    {"none: at once", {.good_at = -500}, 0, 0},
    {"the clock went back: the interval", {.good_at = -500, .next_try_at = 86401}, 3600, 3600},
    {"a day is still believed", {.good_at = -500, .next_try_at = 86400}, 86400, 86400},
    {"a missed one: as far as was planned",
        {.good_at = -5000, .next_try_at = -1000, .last_try_at = -2800}, 0, 1800},
    {"at most the interval", {.good_at = -90000, .next_try_at = -1000, .last_try_at = -86400}, 0,
        3600},
    {"at least the floor", {.good_at = -5000, .next_try_at = -1, .last_try_at = -31}, 0, 300},
    {"nobody knows: the interval", {.good_at = -5000, .next_try_at = -1}, 0, 3600},
    {"a stale document is none: at once",
        {.good_at = -604800, .next_try_at = -600000, .last_try_at = -604800}, 0, 0},
    {"before the document is stale",
        {.good_at = -604000, .next_try_at = -600000, .last_try_at = -604000}, 0, 800},
};

static int64_t from_now(int64_t relative)
{
    return relative ? WALL + relative : 0;
}

START_TEST(a_restart_resumes_the_plan)
{
    for (int extreme = 0; extreme < 2; extreme++) {
        struct schedule s = {0};
        const struct schedule_past past = {.good_at = from_now(resumes[_i].past.good_at),
            .next_try_at = from_now(resumes[_i].past.next_try_at),
            .last_try_at = from_now(resumes[_i].past.last_try_at),
            .failures = 2};
        const struct schedule_now now = {WALL, NOW_MS, extreme ? UINT32_MAX : 0};
        schedule_resume(&s, &limits, &past, &now);
        int64_t want_s = extreme ? resumes[_i].high_s : resumes[_i].low_s;
        ck_assert_msg(s.due_ms == NOW_MS + want_s * 1000, "%s: %lld s", resumes[_i].what,
            (long long)(s.due_ms - NOW_MS) / 1000);
        ck_assert_uint_eq(s.failures, 2);
    }
}
END_TEST

/* A hundred servers with one partner, which lie down together and come back together. */
#define SERVERS 100
#define HOUR_MS 3600000

static unsigned long long seed;

/* xorshift64*: the same row of numbers for the same seed. */
static uint32_t chance(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * 2685821657736338717ULL) >> 32);
}

static const struct {
    const char *what;
    int64_t missed_from_s, missed_to_s; /* how long ago their appointments were */
    int64_t planned_s;                  /* between their last two attempts */
    bool all_at_once;                   /* ... were those attempts */
} outages[] = {
    {"a quarter of an hour", 0, 900, 3600, false},
    {"a night", 28800, 32400, 3600, false},
    {"a weekend", 172800, 176400, 3600, false},
    {"started by one script, then a night", 28800, 28800, 3600, true},
    {"a partner that wishes for a day", 3600, 86400, 86400, false},
};

/* Counts the requests of each second of the first hour. */
static void run_server(const struct schedule_past *past, unsigned per_s[3600])
{
    struct schedule s = {0};
    const struct schedule_answer good = {.good = true, .max_age_s = -1, .retry_after_s = -1};
    const struct schedule_now now = {WALL, 0, chance()};
    schedule_resume(&s, &limits, past, &now);
    while (s.due_ms < HOUR_MS) {
        per_s[s.due_ms / 1000]++;
        (void)schedule_answered(&s, &limits, &good, s.due_ms, chance());
    }
}

START_TEST(servers_that_come_back_together_do_not_ask_together)
{
    unsigned per_s[3600] = {0}, all = 0, most = 0;
    const char *given = getenv("S2SD_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20261124 + (unsigned long long)_i;
    if (seed == 0)
        seed = 1;
    printf("%s: seed %llu", outages[_i].what, seed);
    for (int i = 0; i < SERVERS; i++) {
        int64_t width = outages[_i].missed_to_s - outages[_i].missed_from_s;
        int64_t ago = outages[_i].missed_from_s + (width ? chance() % width : 0) + 1;
        int64_t planned = outages[_i].planned_s - (outages[_i].all_at_once ? 0 : chance() % 360);
        struct schedule_past past = {.good_at = WALL - ago - planned,
            .next_try_at = WALL - ago,
            .last_try_at = WALL - ago - planned};
        run_server(&past, per_s);
    }
    for (int i = 0; i < 3600; i++) {
        all += per_s[i];
        most = per_s[i] > most ? per_s[i] : most;
    }
    printf(", %u requests, at most %u in one second\n", all, most);
    ck_assert_uint_ge(all, SERVERS);
    ck_assert_msg(most * 100 <= all * 3, "%u of %u in one second", most, all);
}
END_TEST

START_TEST(hints_are_throttled_and_the_pause_doubles)
{
    static const int64_t pauses_s[] = {30, 60, 120, 240, 480, 900, 900};
    struct schedule s = {0};
    int64_t now = NOW_MS;
    ck_assert(schedule_take_hint(&s, &limits, now));
    for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
        ck_assert(!schedule_take_hint(&s, &limits, now));
        ck_assert(!schedule_take_hint(&s, &limits, now + pauses_s[i] * 1000 - 1));
        now += pauses_s[i] * 1000;
        ck_assert(schedule_take_hint(&s, &limits, now));
    }
    /* A new document: the short pause again, counted from the last hint. */
    struct schedule_answer a = {
        .good = true, .changed = true, .max_age_s = -1, .retry_after_s = -1};
    (void)schedule_answered(&s, &limits, &a, now + 5000, 0);
    ck_assert(!schedule_take_hint(&s, &limits, now + 29999));
    ck_assert(schedule_take_hint(&s, &limits, now + 30000));
    ck_assert(!schedule_take_hint(&s, &limits, now + 59999));
    ck_assert(schedule_take_hint(&s, &limits, now + 60000));
}
END_TEST

START_TEST(an_unchanged_document_does_not_shorten_the_pause)
{
    struct schedule s = {0};
    struct schedule_answer same = {.good = true, .max_age_s = -1, .retry_after_s = -1};
    ck_assert(schedule_take_hint(&s, &limits, NOW_MS));
    (void)schedule_answered(&s, &limits, &same, NOW_MS, 0);
    ck_assert(schedule_take_hint(&s, &limits, NOW_MS + 30000));
    (void)schedule_answered(&s, &limits, &same, NOW_MS + 30000, 0);
    ck_assert(!schedule_take_hint(&s, &limits, NOW_MS + 60000));
    ck_assert(schedule_take_hint(&s, &limits, NOW_MS + 90000));
}
END_TEST

START_TEST(local_links_are_tried_again_with_a_growing_pause)
{
    static const int64_t tops[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (unsigned n = 1; n <= sizeof(tops) / sizeof(tops[0]); n++) {
        ck_assert_int_eq(schedule_backoff_ms(n, 100, 5000, UINT32_MAX), tops[n - 1]);
        ck_assert_int_eq(schedule_backoff_ms(n, 100, 5000, 0), tops[n - 1] / 2);
    }
    ck_assert_int_eq(schedule_backoff_ms(0, 100, 5000, UINT32_MAX), 100);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(
        tc, a_good_answer_plans_the_interval, 0, (int)(sizeof(intervals) / sizeof(intervals[0])));
    tcase_add_test(tc, failures_back_off_with_full_jitter);
    tcase_add_test(tc, retry_after_is_heard_up_to_a_day);
    tcase_add_loop_test(tc, servers_that_come_back_together_do_not_ask_together, 0,
        (int)(sizeof(outages) / sizeof(outages[0])));
    tcase_add_loop_test(
        tc, a_restart_resumes_the_plan, 0, (int)(sizeof(resumes) / sizeof(resumes[0])));
    tcase_add_test(tc, hints_are_throttled_and_the_pause_doubles);
    tcase_add_test(tc, an_unchanged_document_does_not_shorten_the_pause);
    tcase_add_test(tc, local_links_are_tried_again_with_a_growing_pause);
}

int main(void)
{
    return unit_run("schedule", fill);
}
