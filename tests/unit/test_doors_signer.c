/* SPDX-License-Identifier: Apache-2.0 */
/* A minter whose signer dies, hangs, comes and goes, and whose callers do the same. */
#include "minter_fixture.h"

/* Asks, and goes with an answer untaken: the kernel tells that as a reset, not as an end. */
static void ask_and_reset(struct got_order *o, unsigned lifetime_s)
{
    struct far_end far;
    char call[256];
    int n = snprintf(call, sizeof call,
        "{\"method\":\"org.varlink.service.GetInfo\"}%c{\"method\":\"io.s2sd.mint.Mint\","
        "\"parameters\":{\"resource\":\"lync\",\"lifetime\":%u}}",
        0, lifetime_s);
    knock(&far, DOOR_VARLINK);
    far_send(&far, (struct span){call, (size_t)n + 1});
    loop_turn(world.base);
    expect_order(o);
    far_close(&far);
    loop_turn(world.base);
}

/* The signer's record names who has gone; whoever got the token has a record of its own. */
START_TEST(who_gets_the_token_of_another_is_recorded)
{
    struct far_end second;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    ask_and_reset(&o, 3600);
    ck_assert_uint_eq(minter_waiting(world.w.minter), 0);
    post(&second, "/token", CLIENT "&resource=lync");
    expect_no_order();
    ck_assert_uint_eq(minter_waiting(world.w.minter), 1);
    sign(o.frame.id, "one.one.one", 3600);
    far_take(&second);
    ck_assert(far_has(&second, "one.one.one"));
    ck_assert_uint_eq(worker_counters(&world.w)->mints, 1);
    ck_assert_uint_eq(worker_counters(&world.w)->mints_reused, 1);
    far_close(&second);
    close_minter();
}
END_TEST

/* A caller that asks and goes, again and again, each time for something else. */
START_TEST(orders_that_wait_are_bounded)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    for (unsigned i = 0; i < MINTER_ORDERS_MAX; i++)
        ask_and_reset(&o, 600 + i);
    post(&far, "/token", CLIENT "&resource=lync&lifetime=300");
    ck_assert(far_has(&far, "HTTP/1.1 429 ") && far_has(&far, "over_quota"));
    far_close(&far);
    expect_no_order();
    sign(o.frame.id, "one.one.one", 3600); /* one less */
    post(&far, "/token", CLIENT "&resource=lync&lifetime=300");
    expect_order(&o);
    far_close(&far);
    close_minter();
}
END_TEST

/* The signer dies. */

START_TEST(orders_of_a_dead_signer_go_to_the_next)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    far_close(&signer);
    loop_turn(world.base);
    ck_assert(!minter_has_signer(world.w.minter));
    send_signer_link(-1);
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    bring_signer();
    expect_order(&o);
    sign(o.frame.id, "one.one.one", 3600);
    far_take(&far);
    ck_assert(far_has(&far, "one.one.one"));
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(without_a_next_signer_they_are_told_to_come_again)
{
    struct far_end before, after, late;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    clock_real();
    post(&before, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    far_close(&signer);
    loop_turn(world.base);
    post(&after, "/token", CLIENT "&resource=lync.contoso.example&lifetime=60");
    far_take(&after);
    ck_assert_uint_eq(after.got.n, 0);
    int64_t start = clock_mono_ms();
    far_await(world.base, &after, "\"reason\":\"signer_unavailable\"}", 1);
    far_take(&before); /* it is the signer's absence that counts, not who asked when */
    ck_assert(far_has(&before, "\"reason\":\"signer_unavailable\"}"));
    ck_assert_int_ge(clock_mono_ms() - start, MINTER_SIGNER_GRACE_MS - 100);
    ck_assert(far_has(&before, "HTTP/1.1 503 ") && far_has(&before, "Retry-After: 1\r\n"));
    post(&late, "/token", CLIENT "&resource=lync"); /* nobody waits for a signer that stays away */
    ck_assert(far_has(&late, "HTTP/1.1 503 "));
    far_close(&before);
    far_close(&after);
    far_close(&late);
    close_minter();
}
END_TEST

/* Three seconds in all, however often the signer comes and goes. */
START_TEST(a_signer_that_comes_and_goes_does_not_prolong_the_wait)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    world_pass(2);
    far_close(&signer);
    loop_turn(world.base);
    bring_signer();
    expect_order(&o); /* sent again, and again without an answer */
    world_pass(2);
    far_await(world.base, &far, "\"reason\":\"signer_unavailable\"}", 1);
    far_close(&far);
    close_minter();
}
END_TEST

static bool is_asked_for_link(void *arg)
{
    uint8_t room[FRAME_MAX];
    struct frame_in f;
    (void)arg;
    return recv(world.broker.fd, room, 0, MSG_PEEK) == 0 && next_frame(&world.broker, room, &f) &&
           f.type == MSG_SIGNER_LINK && frame_end(&f);
}

/* Only this link got lost: the broker knows nothing of it. */
START_TEST(a_minter_without_a_link_asks_for_one)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    far_close(&signer);
    loop_until(world.base, is_asked_for_link, NULL);
    send_signer_link(-1); /* not now */
    loop_until(world.base, is_asked_for_link, NULL);
    bring_signer();
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(a_silent_signer_is_not_waited_for_for_ever)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    clock_real();
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    far_await(world.base, &far, "\"reason\":\"signer_unavailable\"}", 1);
    sign(o.frame.id, "late.late.late", 3600);
    far_take(&far);
    ck_assert(!far_has(&far, "late"));
    far_close(&far);
    close_minter();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, who_gets_the_token_of_another_is_recorded);
    tcase_add_test(tc, orders_that_wait_are_bounded);
    tcase_add_test(tc, orders_of_a_dead_signer_go_to_the_next);
    tcase_add_test(tc, without_a_next_signer_they_are_told_to_come_again);
    tcase_add_test(tc, a_signer_that_comes_and_goes_does_not_prolong_the_wait);
    tcase_add_test(tc, a_minter_without_a_link_asks_for_one);
    tcase_add_test(tc, a_silent_signer_is_not_waited_for_for_ever);
}

int main(void)
{
    return unit_run("doors_signer", fill);
}
