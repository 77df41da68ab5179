/* SPDX-License-Identifier: Apache-2.0 */
/* So many in a second, the rest counted and told with the next one. */
#include "burst.h"

#include "clock.h"
#include "unit.h"

static struct burst burst;
static unsigned left_out;

static void set_up(void)
{
    burst = (struct burst){0};
    clock_fake(1767225600, 5000);
}

static void tear_down(void)
{
    clock_real();
}

static unsigned take(unsigned n)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++)
        taken += burst_take(&burst, &left_out);
    return taken;
}

START_TEST(a_second_has_room_for_a_burst)
{
    ck_assert_uint_eq(take(BURST_MAX), BURST_MAX);
    clock_fake(1767225600, 5999);
    ck_assert_uint_eq(take(3), 0);
    clock_fake(1767225600, 6000);
    ck_assert_uint_eq(take(BURST_MAX + 1), BURST_MAX);
}
END_TEST

START_TEST(what_was_left_out_is_told_once)
{
    take(BURST_MAX);
    ck_assert_uint_eq(left_out, 0);
    take(7);
    ck_assert_uint_eq(left_out, 0);
    clock_fake(1767225600, 90000);
    ck_assert_uint_eq(take(1), 1);
    ck_assert_uint_eq(left_out, 7);
    ck_assert_uint_eq(take(1), 1);
    ck_assert_uint_eq(left_out, 0);
    clock_fake(1767225600, 91000);
    ck_assert_uint_eq(take(1), 1);
    ck_assert_uint_eq(left_out, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_second_has_room_for_a_burst);
    tcase_add_test(tc, what_was_left_out_is_told_once);
}

int main(void)
{
    return unit_run("shared_burst", fill);
}
