/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody sets the wall clock: noticed and told once, and no plan, age, key or order of keys
 * changes by it; a clock that was wrong for a while leaves nothing behind. */
#include "stage.h"

static struct stage s;

#define HOUR 3600
#define DAY 86400
#define LATER (30 * DAY)

static void set_up(void)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH "Grace=10min\nHoldDown=1h\n");
    stage_wait(&s, 0);
    stage_answer_keys("01");
}

static void tear_down(void)
{
    stage_close(&s);
}

static const struct partner_state *state(void)
{
    return &stage_partner(&s, "exch")->state;
}

static enum freshness freshness(void)
{
    return judge_freshness(&state()->trust, stage_partner(&s, "exch")->partner, s.settings, s.wall);
}

static uint64_t jumps(void)
{
    return refresher_counts(s.refresher).clock_jumps;
}

static const int64_t steps[] = {LATER, -LATER, 400 * DAY, -400 * DAY, 3600, -3600, 6, -6};

START_TEST(a_step_changes_no_plan_and_no_age)
{
    int64_t due = stage_due_in(&s, "exch"), by = steps[_i];
    stage_wait(&s, 60);
    int64_t age = s.wall - state()->trust.good_at, plan = state()->next_try_at - s.wall;
    unsigned clock_news = s.clock_news;
    stage_set_clock(&s, by);
    ck_assert_uint_eq(jumps(), 1);
    ck_assert_uint_eq(s.clock_news, clock_news + 1); /* workers judge ages, too */
    ck_assert_int_eq(s.wall - state()->trust.good_at, age);
    ck_assert_int_eq(state()->next_try_at - s.wall, plan);
    ck_assert_int_eq(freshness(), FRESH_FRESH);
    ck_assert_int_eq(stage_partner(&s, "exch")->freshness, FRESH_FRESH);
    stage_wait(&s, due - 61);
    ck_assert_uint_eq(stage_asked, 1);
    stage_wait(&s, 2);
    ck_assert_uint_eq(stage_asked, 2); /* as was planned */
    ck_assert_uint_eq(jumps(), 1);     /* told once */
}
END_TEST

START_TEST(what_a_time_service_corrects_is_no_step)
{
    for (int i = 0; i < 200; i++) {
        stage_set_clock(&s, i % 2 ? CLOCK_JUMP_S : -CLOCK_JUMP_S);
        ck_assert_uint_eq(jumps(), 0);
    }
}
END_TEST

START_TEST(a_clock_that_comes_back_leaves_nothing_behind)
{
    CLEANUP(buf_done) struct buf before = BUF_INIT(PARTNER_STATE_MAX);
    CLEANUP(buf_done) struct buf after = BUF_INIT(PARTNER_STATE_MAX);
    ck_assert_int_eq(partner_state_print(state(), &before), REASON_OK);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        stage_set_clock(&s, steps[i]);
    ck_assert_int_eq(partner_state_print(state(), &after), REASON_OK);
    ck_assert(span_eq(buf_span(&before), buf_span(&after)));
    ck_assert_uint_eq(jumps(), ARRAY_LEN(steps));
    ck_assert_uint_eq(stage_asked, 1);
}
END_TEST

START_TEST(a_step_ends_no_grace_and_no_trial)
{
    stage_wait(&s, 3600);
    stage_answer_keys("12"); /* 0 vanishes, 2 is on trial */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        stage_set_clock(&s, steps[i]);
        ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    }
    stage_set_clock(&s, -LATER);
    stage_wait(&s, 599);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    stage_wait(&s, 1); /* the grace ends when it should */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
}
END_TEST

/* Who looks for the reason of a refused token is told how the clocks stand now. */
START_TEST(the_partners_clock_did_not_move)
{
    stage_partner(&s, "exch")->state.trust.clock = (struct partner_clock){true, 30};
    stage_set_clock(&s, 3600);
    ck_assert(state()->trust.clock.known);
    ck_assert_int_eq(state()->trust.clock.ahead_s, 30 - 3600);
    stage_set_clock(&s, -3600);
    ck_assert_int_eq(state()->trust.clock.ahead_s, 30);
}
END_TEST

/* Who was first to publish a key decides whose it is (rule R14). */
START_TEST(keys_stay_in_the_order_in_which_they_were_seen)
{
    stage_set_clock(&s, -LATER);
    stage_wait(&s, 3600);
    stage_answer_keys("012");
    int64_t old = 0, fresh = 0;
    for (size_t i = 0; i < state()->trust.n_keys; i++) {
        const struct partner_key *k = &state()->trust.keys[i];
        if (memcmp(k->x5t, signkey_cert(stage_keys[2])->x5t, X5T_LEN) == 0)
            fresh = k->first_seen_at;
        else
            old = k->first_seen_at > old ? k->first_seen_at : old;
    }
    ck_assert_int_eq(fresh, s.wall);
    ck_assert_int_lt(old, fresh);
}
END_TEST

/* The clock is wrong, we are started anew, and it is set right while we are down: what was noted
 * lies in the future then. */
START_TEST(times_from_the_future_count_from_the_start)
{
    stage_set_clock(&s, LATER);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, -LATER + 10);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    ck_assert_int_eq(state()->trust.good_at, s.wall);
    for (size_t i = 0; i < state()->trust.n_keys; i++)
        ck_assert_int_eq(state()->trust.keys[i].first_seen_at, s.wall);
    ck_assert_int_le(stage_due_in(&s, "exch"), 3600);
    /* so it grows old in its time, instead of thirty days later */
    stage_wait(&s, 7 * DAY);
    ck_assert_int_eq(freshness(), FRESH_STALE);
}
END_TEST

/* As in a machine without a battery: it starts in the past, and learns the time later. */
START_TEST(a_clock_that_is_set_right_after_the_start_makes_nothing_stale)
{
    stage_restart(&s, STAGE_CONF STAGE_EXCH, -1000 * DAY);
    stage_set_clock(&s, 1000 * DAY + 20);
    ck_assert_int_eq(freshness(), FRESH_FRESH);
    ck_assert_int_le(s.wall - state()->trust.good_at, 20);
    ck_assert_int_le(stage_due_in(&s, "exch"), 3600);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
}
END_TEST

/* A step while the partner is asked is seen before its answer is stamped. */
START_TEST(a_step_during_a_fetch_is_seen_before_the_answer)
{
    stage_wait(&s, 3600);
    s.wall += LATER;
    clock_fake(s.wall, s.mono_ms);
    stage_answer_keys("01");
    ck_assert_uint_eq(jumps(), 1);
    ck_assert_int_eq(state()->trust.good_at, s.wall);
    ck_assert_int_eq(state()->trust.keys[0].first_seen_at, s.wall - 3600);
}
END_TEST

/* No step: both clocks that count it say so. What was missed is made up for like after a start, not
 * at once and not an interval late. */
START_TEST(a_machine_that_slept_makes_up_for_what_it_missed)
{
    s.wall += 10 * HOUR;
    clock_fake_sleep(10 * HOUR * 1000);
    stage_set_clock(&s, 0);
    ck_assert_uint_eq(jumps(), 0);
    ck_assert_int_eq(s.wall - state()->trust.good_at, 10 * HOUR); /* it has grown old */
    int64_t due = stage_due_in(&s, "exch");
    ck_assert_int_ge(due, 0);
    ck_assert_int_le(due, HOUR);
    ck_assert_int_le(state()->next_try_at - s.wall - due, 1);
    stage_wait(&s, due + 1);
    ck_assert_uint_eq(stage_asked, 2);
    /* one that was not missed stays where it was, on the clock that slept, too */
    stage_answer_keys("01");
    due = stage_due_in(&s, "exch");
    s.wall += 60;
    clock_fake_sleep(10 * HOUR * 1000 + 60000);
    stage_set_clock(&s, 0);
    ck_assert_int_eq(stage_due_in(&s, "exch"), due);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_step_changes_no_plan_and_no_age, 0, (int)ARRAY_LEN(steps));
    tcase_add_test(tc, what_a_time_service_corrects_is_no_step);
    tcase_add_test(tc, a_clock_that_comes_back_leaves_nothing_behind);
    tcase_add_test(tc, a_step_ends_no_grace_and_no_trial);
    tcase_add_test(tc, the_partners_clock_did_not_move);
    tcase_add_test(tc, keys_stay_in_the_order_in_which_they_were_seen);
    tcase_add_test(tc, times_from_the_future_count_from_the_start);
    tcase_add_test(tc, a_clock_that_is_set_right_after_the_start_makes_nothing_stale);
    tcase_add_test(tc, a_machine_that_slept_makes_up_for_what_it_missed);
    tcase_add_test(tc, a_step_during_a_fetch_is_seen_before_the_answer);
}

int main(void)
{
    return stage_run("clock", fill);
}
