/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys from birth to end, as style note 9.4 lists it, and three years in one run. */
#include "ring_look.h"

static struct ring_stage s;

#define LIFE (2 * INT64_C(31557600))
/* When a key of that life is followed: signs 30 d before its end, shown 30 d before that. */
#define SIGNS_AT(made) ((made) + LIFE - 30 * DAY)
#define SHOWN_AT(made) (SIGNS_AT(made) - 30 * DAY)

static void set_up(void)
{
    ring_open(&s, RING_CONF);
}

static void tear_down(void)
{
    ring_close(&s);
}

static void copy_current(uint8_t out[X5T_LEN])
{
    memcpy(out, signkey_cert(s.keys.current)->x5t, X5T_LEN);
}

static bool signs(const uint8_t x5t[X5T_LEN])
{
    return memcmp(signkey_cert(s.keys.current)->x5t, x5t, X5T_LEN) == 0;
}

/* Goes to a moment without minting in between. */
static void go(int64_t at)
{
    ring_run(&s, at, INT64_C(1) << 40);
    if (s.tick_at <= s.now)
        ring_tick(&s);
}

static void make_next(void)
{
    go(SHOWN_AT(RING_T0));
    ck_assert_str_eq(ring_shape(&s), "c n");
}

START_TEST(init)
{
    ring_start(&s);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_int_eq(keyring_current(&s.keys.ring)->published_since, s.now);
    ck_assert_uint_eq(ring_key_files(&s), 1);
    ring_run(&s, s.now + 30 * DAY, DAY);
    ck_assert_str_eq(ring_shape(&s), "c");
}
END_TEST

/* No place for a key: no signer, and nothing half done that would spoil the next start. */
START_TEST(init_fail)
{
    temp_dir_write(&s.dir, KEY_FILES_FOLDER, SPAN("in the way"), 0600);
    ck_assert_int_eq(ring_try_start(&s), -ENOTDIR);
    ck_assert_ptr_nonnull(strstr(s.why, KEY_FILES_FOLDER));
    ck_assert(!temp_dir_has(&s.dir, OWN_KEYS_RING));
    unlink(temp_dir_at(&s.dir, KEY_FILES_FOLDER));
    ck_assert_int_eq(mkdir(temp_dir_at(&s.dir, OWN_KEYS_RING), 0700), 0);
    ck_assert_int_lt(ring_try_start(&s), 0);
    rmdir(temp_dir_at(&s.dir, OWN_KEYS_RING));
    ring_start(&s);
    ck_assert_str_eq(ring_shape(&s), "c");
}
END_TEST

START_TEST(add_next)
{
    ring_start(&s);
    go(SHOWN_AT(RING_T0) - 1);
    ck_assert_str_eq(ring_shape(&s), "c");
    go(SHOWN_AT(RING_T0));
    ck_assert_str_eq(ring_shape(&s), "c n");
    const struct ring_slot *next = keyring_next(&s.keys.ring);
    ck_assert_int_eq(next->published_since, s.now);
    ck_assert_int_eq(next->effective_at, SIGNS_AT(RING_T0));
    ck_assert_uint_eq(ring_key_files(&s), 2);
    go(s.now + 10 * DAY); /* one at a time */
    ck_assert_str_eq(ring_shape(&s), "c n");
}
END_TEST

START_TEST(next_too_early)
{
    ring_start(&s);
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, false, 0), REASON_ROLL_REFUSED);
    ck_assert_ptr_nonnull(strstr(s.lines.p, "--prepare"));
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, 0), REASON_OK);
    go(s.now + DAY - 1);
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, false, 0), REASON_ROLL_REFUSED);
    ck_assert_ptr_nonnull(strstr(s.lines.p, "PublishLead"));
    ck_assert_str_eq(ring_shape(&s), "c n");
    go(s.now + 1);
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, true, 0), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c n"); /* that was only to look */
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, false, 0), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c p");
    ring_sign(&s);
}
END_TEST

/* A lead does not begin before the document is served, however long the broker is away. */
START_TEST(next_never_seen)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    s.broker_is_away = true;
    make_next();
    go(SIGNS_AT(RING_T0) + 10 * DAY);
    ck_assert(signs(first));
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, false, 0), REASON_ROLL_REFUSED);
    s.broker_is_away = false;
    ring_publish(&s);
    ring_acknowledge(&s);
    go(s.now + DAY - 1);
    ck_assert(signs(first));
    go(s.now + 1);
    ck_assert(!signs(first));
    ring_sign(&s);
}
END_TEST

START_TEST(roll_on_time)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    make_next();
    ring_run(&s, SIGNS_AT(RING_T0), HOUR);
    ck_assert(!signs(first));
    ck_assert_str_eq(ring_shape(&s), "c p");
    ck_assert(!keyring_current(&s.keys.ring)->forced);
    ring_sign(&s);
}
END_TEST

/* Down over the date: it is made up for at once. */
START_TEST(roll_late)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    make_next();
    ring_stop(&s);
    s.now = SIGNS_AT(RING_T0) + 3 * DAY;
    ring_start(&s);
    ring_tick(&s);
    ck_assert(!signs(first));
    ring_sign(&s);
}
END_TEST

/* Down from before the next key was made until a week before the end: it is still shown for the
 * lead before it signs. */
START_TEST(prepared_late)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    ring_stop(&s);
    s.now = RING_T0 + LIFE - 7 * DAY;
    ring_start(&s);
    ring_tick(&s);
    ck_assert_str_eq(ring_shape(&s), "c n");
    ring_run(&s, s.now + 2 * DAY, HOUR);
    ck_assert(!signs(first));
    ck_assert(!keyring_current(&s.keys.ring)->forced);
}
END_TEST

/* Down until there is no choice any more: the new key signs although nobody knows it. */
START_TEST(down_until_the_end)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    ring_stop(&s);
    s.now = RING_T0 + LIFE + DAY;
    s.partners_may_break = true;
    ring_start(&s);
    ring_tick(&s);
    ring_run(&s, s.now + HOUR, 60);
    ck_assert(!signs(first));
    ck_assert(keyring_current(&s.keys.ring)->forced);
}
END_TEST

START_TEST(roll_now_by_force)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, 0), REASON_OK);
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, true, true, 0), REASON_OK);
    ck_assert_ptr_nonnull(strstr(s.lines.p, "refuse its tokens"));
    ck_assert(signs(first));
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, true, false, 0), REASON_OK);
    ck_assert(!signs(first));
    ck_assert(keyring_current(&s.keys.ring)->forced);
}
END_TEST

START_TEST(prepare_with_a_date)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    int64_t date = s.now + 5 * DAY;
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, true, date), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_uint_eq(ring_key_files(&s), 1);
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, date), REASON_OK);
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, date + DAY), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c n"); /* another date, not another key */
    ring_run(&s, date + DAY - 1, HOUR);
    ck_assert(signs(first));
    ring_run(&s, date + DAY, HOUR);
    ck_assert(!signs(first));
    /* A date that leaves the current key without a successor. */
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, s.now + LIFE), REASON_ROLL_REFUSED);
    ck_assert_uint_eq(ring_key_files(&s), 2); /* current and previous: nothing was left behind */
    /* One that comes before the lead does not shorten it. */
    int64_t now = s.now;
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, now + HOUR), REASON_OK);
    ck_assert_ptr_nonnull(strstr(s.lines.p, "Not before"));
    copy_current(first);
    ring_run(&s, now + DAY - 1, HOUR);
    ck_assert(signs(first));
    ring_run(&s, now + DAY, HOUR);
    ck_assert(!signs(first));
}
END_TEST

START_TEST(abort_drops_next)
{
    ring_start(&s);
    ck_assert_int_eq(ring_order(&s, ROLL_ABORT, false, false, 0), REASON_ROLL_REFUSED);
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, 0), REASON_OK);
    ck_assert_uint_eq(ring_key_files(&s), 2);
    ck_assert_int_eq(ring_order(&s, ROLL_ABORT, false, false, 0), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_uint_eq(ring_key_files(&s), 1); /* destroyed */
}
END_TEST

START_TEST(previous_expires)
{
    ring_start(&s);
    make_next();
    int64_t rolled = SIGNS_AT(RING_T0);
    ring_run(&s, rolled - HOUR, HOUR);
    ring_run(&s, rolled - 10, 10); /* mints to the last moment */
    ring_run(&s, rolled, HOUR);
    ck_assert_str_eq(ring_shape(&s), "c p");
    go(rolled + TOKEN_LIFE + HOUR - 60);
    ck_assert_str_eq(ring_shape(&s), "c p");
    go(rolled + TOKEN_LIFE + HOUR);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_uint_eq(ring_key_files(&s), 1); /* the private part is destroyed */
    ring_restart(&s);
    ck_assert_str_eq(ring_shape(&s), "c");
}
END_TEST

/* Nothing was signed for long before the roll: there is nothing to wait for but the margin. */
START_TEST(previous_without_tokens_goes_soon)
{
    ring_start(&s);
    make_next();
    go(SIGNS_AT(RING_T0) + HOUR);
    ck_assert_str_eq(ring_shape(&s), "c");
}
END_TEST

START_TEST(previous_is_cleared_on_order)
{
    ring_start(&s);
    make_next();
    ring_run(&s, SIGNS_AT(RING_T0) + 60, HOUR);
    ck_assert_int_eq(ring_order(&s, ROLL_CLEAR_PREVIOUS, false, false, 0), REASON_ROLL_REFUSED);
    ck_assert_ptr_nonnull(strstr(s.lines.p, "are good until"));
    ck_assert_str_eq(ring_shape(&s), "c p");
    s.partners_may_break = true;
    ck_assert_int_eq(ring_order(&s, ROLL_CLEAR_PREVIOUS, true, false, 0), REASON_OK);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_int_eq(ring_order(&s, ROLL_CLEAR_PREVIOUS, true, false, 0), REASON_ROLL_REFUSED);
}
END_TEST

/* A stolen key: out of the document and destroyed, another signs. */
START_TEST(withdraw_what_signs)
{
    struct own_keys_news news = {0};
    struct msg_roll m = {.op = ROLL_WITHDRAW, .who = SPAN("uid 0")};
    ring_start(&s);
    copy_current(m.x5t);
    s.lines.n = 0;
    ck_assert_int_eq(
        own_keys_roll(&s.keys, &m, s.now, &s.lines, &news), REASON_ROLL_REFUSED); /* no other */
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, 0), REASON_OK);
    ck_assert_int_eq(own_keys_roll(&s.keys, &m, s.now, &s.lines, &news), REASON_ROLL_REFUSED);
    ck_assert(signs(m.x5t));
    m.force = true;
    s.partners_may_break = true;
    ck_assert_int_eq(own_keys_roll(&s.keys, &m, s.now, &s.lines, &news), REASON_OK);
    ring_follow(&s, &news);
    ck_assert(!signs(m.x5t));
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_uint_eq(ring_key_files(&s), 1);
    ck_assert_int_eq(own_keys_roll(&s.keys, &m, s.now, &s.lines, &news), REASON_NO_SUCH_KEY);
    ring_check(&s);
}
END_TEST

/* Partners that must be told by hand: the date passes, the last resort does not. */
START_TEST(held_until_the_last_resort)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    make_next();
    ring_hold(&s, true);
    ring_restart(&s); /* remembered */
    ck_assert(keyring_next(&s.keys.ring)->held);
    ring_run(&s, RING_T0 + LIFE - 14 * DAY - 1, HOUR);
    ck_assert(signs(first));
    ring_run(&s, RING_T0 + LIFE - 14 * DAY, HOUR);
    ck_assert(!signs(first));
}
END_TEST

START_TEST(let_go_after_the_date)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    make_next();
    ring_hold(&s, true);
    ring_run(&s, SIGNS_AT(RING_T0) + 5 * DAY, HOUR);
    ck_assert(signs(first));
    ring_hold(&s, false);
    ck_assert_int_eq(s.tick_at, s.now + 30); /* due, and soon looked at */
    go(s.now + 30);
    ck_assert(!signs(first));
}
END_TEST

START_TEST(clock_back)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    make_next();
    const char *before = "c n";
    int64_t was = s.now;
    s.now = RING_T0 - 400 * DAY;
    ring_tick(&s);
    ring_restart(&s);
    ring_tick(&s);
    ck_assert_str_eq(ring_shape(&s), before);
    ck_assert(signs(first));
    ck_assert_int_ge(keyring_next(&s.keys.ring)->published_since, was);
    /* What is announced while the clock is wrong is not older than what was announced before. */
    ck_assert_int_eq(ring_order(&s, ROLL_ABORT, false, false, 0), REASON_OK);
    ck_assert_int_eq(ring_order(&s, ROLL_PREPARE, false, false, 0), REASON_OK);
    s.now = was + HOUR;
    ck_assert_int_eq(ring_order(&s, ROLL_NOW, false, false, 0), REASON_ROLL_REFUSED);
    ck_assert(signs(first));
}
END_TEST

/* Three years ahead for some days: what had no choice is done, and undone when the clock is right
 * again, since partners would refuse a key that is not valid yet. */
START_TEST(clock_forward)
{
    uint8_t first[X5T_LEN];
    ring_start(&s);
    copy_current(first);
    ring_run(&s, s.now + DAY, HOUR);
    int64_t was = s.now;
    s.partners_may_break = true;
    s.now += 3 * 366 * DAY;
    ring_tick(&s);
    go(s.now + 3 * DAY);
    ck_assert(!signs(first));
    s.now = was + HOUR;
    ring_tick(&s);
    ck_assert(signs(first));
    for (size_t i = 0; i < s.n_seen; i++) /* tokens of the future were never good */
        if (s.seen[i].tokens_until > s.now + TOKEN_LIFE)
            s.seen[i].tokens_until = s.now;
    s.partners_may_break = false;
    ring_publish(&s);
    ring_run(&s, s.now + 30 * DAY, HOUR);
    ck_assert(signs(first));
}
END_TEST

/* What is on disk is all there is: a restart in each state goes on where it was. */
START_TEST(restart_in_each_state)
{
    uint8_t now[X5T_LEN];
    static const int64_t moments[] = {
        0, 1, 29 * DAY, 30 * DAY, 30 * DAY + 1, 30 * DAY + HOUR, 30 * DAY + 9 * HOUR, 40 * DAY};
    ring_start(&s);
    make_next();
    int64_t from = s.now;
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        ring_run(&s, from + moments[i], 600);
        char shape[KEYRING_SLOTS * 2 + 1];
        snprintf(shape, sizeof(shape), "%s", ring_shape(&s));
        struct ring_slot slot = s.keys.ring.slots[s.keys.ring.n - 1];
        copy_current(now);
        ring_restart(&s);
        ck_assert_str_eq(ring_shape(&s), shape);
        ck_assert(signs(now));
        ck_assert_int_eq(s.keys.ring.slots[s.keys.ring.n - 1].until, slot.until);
        ck_assert_int_eq(s.keys.ring.slots[s.keys.ring.n - 1].effective_at, slot.effective_at);
        ck_assert_int_eq(
            s.keys.ring.slots[s.keys.ring.n - 1].published_since, slot.published_since);
        ring_sign(&s);
    }
    ck_assert_str_eq(ring_shape(&s), "c");
}
END_TEST

/* Half a file of states is a reason to stop and say so, never to make a new identity. */
START_TEST(state_file_torn)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1 << 20);
    char why[256];
    ring_start(&s);
    make_next();
    ring_stop(&s);
    ck_assert_int_eq(
        file_read(temp_dir_at(&s.dir, OWN_KEYS_RING), FILE_KEY, 1 << 20, &text, why, sizeof(why)),
        0);
    for (size_t cut = 0; cut < text.n; cut += 97) {
        temp_dir_write(&s.dir, OWN_KEYS_RING, (struct span){text.p, cut}, 0600);
        ck_assert_int_eq(ring_try_start(&s), -EINVAL);
        ck_assert_ptr_nonnull(strstr(s.why, "damaged"));
        ck_assert_uint_eq(ring_key_files(&s), 2); /* and nothing is destroyed */
    }
    temp_dir_write(&s.dir, OWN_KEYS_RING, buf_span(&text), 0600);
    ring_start(&s);
    ck_assert_str_eq(ring_shape(&s), "c n");
}
END_TEST

/* A full disk at any step: reported, tried again, and the old key signs meanwhile. */
START_TEST(disk_full)
{
    uint8_t first[X5T_LEN];
    const char *path = s.dir.path;
    ring_start(&s);
    copy_current(first);
    s.keys.state_dir = "/nonexistent/s2sd";
    go(SHOWN_AT(RING_T0) + DAY);
    ck_assert_str_eq(ring_shape(&s), "c");
    ck_assert_int_le(own_keys_wait_s(&s.keys, s.now), 30);
    s.keys.state_dir = path;
    go(s.now + 60);
    ck_assert_str_eq(ring_shape(&s), "c n");
    s.keys.state_dir = "/nonexistent/s2sd";
    ring_run(&s, SIGNS_AT(RING_T0) + DAY + 2 * HOUR, INT64_C(1) << 40);
    ck_assert(signs(first));
    s.keys.state_dir = path;
    go(s.now + 60);
    ck_assert(!signs(first));
    ring_sign(&s);
}
END_TEST

/* Root=yes: the leaves change, the root stays, and no leaf outlives it. */
START_TEST(leaves_under_a_root)
{
    settings_free(s.settings);
    s.settings = settings_of(RING_CONF "Root=yes\n");
    ring_start(&s);
    ck_assert_ptr_nonnull(s.keys.ring.root);
    uint8_t root[X5T_LEN];
    memcpy(root, s.keys.ring.root->x5t, X5T_LEN);
    ring_run(&s, RING_T0 + LIFE, DAY);
    ck_assert_mem_eq(s.keys.ring.root->x5t, root, X5T_LEN);
    ring_restart(&s);
    ck_assert_mem_eq(s.keys.ring.root->x5t, root, X5T_LEN);
    ck_assert_uint_eq(ring_key_files(&s), s.keys.ring.n); /* the root is no key of the ring */
    ring_run(&s, RING_T0 + 19 * 366 * DAY, 60 * DAY);
    ck_assert_int_le(signkey_cert(s.keys.current)->not_after, s.keys.ring.root->not_after);
}
END_TEST

/* Never a moment without a published, valid key; every key shown for the lead before its first
 * signature; no token ever misses its key. The observer says so at every step. */
START_TEST(three_years)
{
    unsigned n = 0;
    settings_free(s.settings);
    s.settings = settings_of(RING_CONF "Lifetime=180d\n");
    ring_start(&s);
    for (int day = 0; day < 3 * 366; day++) {
        ring_run(&s, s.now + DAY, HOUR);
        if (day % 30 == 3)
            ring_restart(&s);
        ck_assert_uint_le(s.keys.ring.n, 3);
    }
    for (size_t i = 0; i < s.n_seen; i++)
        if (s.seen[i].signed_at) {
            n++;
            ck_assert(i == 0 || s.seen[i].signed_at - s.seen[i].shown_at >= 30 * DAY);
        }
    ck_assert_uint_ge(n, 6);
    ck_assert_uint_le(n, 9);
    ck_assert_uint_eq(ring_key_files(&s), s.keys.ring.n);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, init);
    tcase_add_test(tc, init_fail);
    tcase_add_test(tc, add_next);
    tcase_add_test(tc, next_too_early);
    tcase_add_test(tc, next_never_seen);
    tcase_add_test(tc, roll_on_time);
    tcase_add_test(tc, roll_late);
    tcase_add_test(tc, prepared_late);
    tcase_add_test(tc, down_until_the_end);
    tcase_add_test(tc, roll_now_by_force);
    tcase_add_test(tc, prepare_with_a_date);
    tcase_add_test(tc, abort_drops_next);
    tcase_add_test(tc, previous_expires);
    tcase_add_test(tc, previous_without_tokens_goes_soon);
    tcase_add_test(tc, previous_is_cleared_on_order);
    tcase_add_test(tc, withdraw_what_signs);
    tcase_add_test(tc, held_until_the_last_resort);
    tcase_add_test(tc, let_go_after_the_date);
    tcase_add_test(tc, clock_back);
    tcase_add_test(tc, clock_forward);
    tcase_add_test(tc, restart_in_each_state);
    tcase_add_test(tc, state_file_torn);
    tcase_add_test(tc, disk_full);
    tcase_add_test(tc, leaves_under_a_root);
    tcase_add_test(tc, three_years);
}

int main(void)
{
    few_keys_make();
    log_set_level(LOG_L_ERR);
    return unit_run("rollover", fill);
}
