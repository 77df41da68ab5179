/* SPDX-License-Identifier: Apache-2.0 */
/* The uid by which the acceptor knows its caller, also inside a user name space. */
#include "peer_user.h"

#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#define WHOLE "         0          0 4294967295\n"
#define PRIVATE "         0          0          1\n       997        997          1\n"

static const struct {
    const char *map;
    uid_t uid;
    bool mapped;
} rows[] = {
    {WHOLE, 0, true},
    {WHOLE, 998, true},
    {PRIVATE, 0, true},
    {PRIVATE, 997, true},
    {PRIVATE, 998, false},
    {PRIVATE, 996, false},
    {"", 0, false},
    {"garbage\n10 20\n", 10, false},
    {"10 20 99999999999999999999\n", 9, false},
    {"1000 0 1", 1000, true},
};

START_TEST(map_says_who_is_known)
{
    ck_assert_int_eq(peer_user_is_mapped(span_of(rows[_i].map), rows[_i].uid), rows[_i].mapped);
}
END_TEST

START_TEST(unknown_name_is_an_error)
{
    uid_t uid = 4711;
    ck_assert_int_eq(peer_user_uid("no-such-user-here", &uid), -ENOENT);
    ck_assert_uint_eq(uid, 4711);
}
END_TEST

START_TEST(own_name_is_our_uid)
{
    uid_t uid = 4711;
    const struct passwd *pw = getpwuid(geteuid());
    ck_assert_ptr_nonnull(pw);
    ck_assert_int_eq(peer_user_uid(pw->pw_name, &uid), 0);
    ck_assert_uint_eq(uid, geteuid());
}
END_TEST

int main(void)
{
    Suite *s = suite_create("peer_user");
    TCase *t = tcase_create("uid_map");
    tcase_add_loop_test(t, map_says_who_is_known, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(t, unknown_name_is_an_error);
    tcase_add_test(t, own_name_is_our_uid);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
