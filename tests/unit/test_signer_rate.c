/* SPDX-License-Identifier: Apache-2.0 */
/* RateLimit=: one second's worth at once, then as many as the rate says; rules do not share; a
 * reload keeps the level. */
#include "rate.h"
#include "settings_of.h"
#include "unit.h"

#define HEAD                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"

static unsigned take_all(struct rate *r, const struct settings *s, const char *rule, int64_t now_ms)
{
    unsigned n = 0;
    while (n < 1000 && rate_take(r, settings_client(s, span_of(rule)), now_ms))
        n++;
    return n;
}

START_TEST(a_bucket_holds_a_second_and_fills_at_its_rate)
{
    struct settings *s = settings_of(HEAD "[Client a]\nUser=1\nAllow=mint\nRateLimit=10/s\n"
                                          "[Client b]\nUser=2\nAllow=mint\nRateLimit=3/s\n"
                                          "[Client free]\nUser=3\nAllow=mint\n");
    struct rate *r = rate_new(s);
    ck_assert_uint_eq(take_all(r, s, "a", 5000), 10);
    ck_assert_uint_eq(take_all(r, s, "a", 5000), 0);
    ck_assert_uint_eq(take_all(r, s, "b", 5000), 3); /* its own bucket */
    ck_assert_uint_eq(take_all(r, s, "a", 5099), 0);
    ck_assert_uint_eq(take_all(r, s, "a", 5100), 1); /* a tenth of a second, one token */
    ck_assert_uint_eq(take_all(r, s, "a", 5650), 5);
    ck_assert_uint_eq(take_all(r, s, "a", 5700), 1);              /* the half of before was kept */
    ck_assert_uint_eq(take_all(r, s, "a", INT64_C(1) << 50), 10); /* never more than full */
    ck_assert_uint_eq(take_all(r, s, "free", 5000), 1000);        /* no limit */
    rate_free(r);
    settings_free(s);
}
END_TEST

START_TEST(a_reload_is_no_way_around_the_limit)
{
    struct settings *before = settings_of(HEAD "[Client a]\nUser=1\nAllow=mint\nRateLimit=10/s\n"
                                               "[Client free]\nUser=3\nAllow=mint\n");
    struct settings *after = settings_of(HEAD "[Client new]\nUser=4\nAllow=mint\nRateLimit=5/s\n"
                                              "[Client free]\nUser=3\nAllow=mint\nRateLimit=4/s\n"
                                              "[Client a]\nUser=1\nAllow=mint\nRateLimit=20/s\n");
    struct rate *old = rate_new(before), *r = rate_new(after);
    ck_assert_uint_eq(take_all(old, before, "a", 1000), 10);
    rate_inherit(r, old);
    rate_free(old);
    settings_free(before);
    ck_assert_uint_eq(take_all(r, after, "a", 1000), 0);
    ck_assert_uint_eq(take_all(r, after, "a", 1500), 10); /* at the new rate */
    ck_assert_uint_eq(take_all(r, after, "new", 1000), 5);
    ck_assert_uint_eq(take_all(r, after, "free", 1000), 4);
    rate_free(r);
    settings_free(after);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_bucket_holds_a_second_and_fills_at_its_rate);
    tcase_add_test(tc, a_reload_is_no_way_around_the_limit);
}

int main(void)
{
    return unit_run("signer_rate", fill);
}
