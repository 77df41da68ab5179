/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"
#include "cleanup.h"
#include "unit.h"

START_TEST(appends_are_joined_and_terminated)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);
    ck_assert_ptr_null(b.p);
    buf_put_str(&b, "ab");
    buf_put_char(&b, 'c');
    buf_put_span(&b, SPAN("de"));
    buf_put(&b, "f\0g", 3);
    buf_printf(&b, "%d-%s", 42, "x");
    ck_assert(!b.failed);
    ck_assert(span_eq(buf_span(&b), SPAN("abcdef\0g42-x")));
    ck_assert_int_eq(b.p[b.n], '\0');
}
END_TEST

/* The maximum is exact: max bytes fit, one more does not, by every way of appending. */
START_TEST(the_maximum_is_exact)
{
    for (unsigned way = 0; way < 5; way++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(5);
        buf_put_str(&b, "1234");
        for (unsigned i = 0; i < 2; i++) {
            ck_assert_int_eq(b.failed, i > 1);
            switch (way) {
            case 0:
                buf_put(&b, "5", 1);
                break;
            case 1:
                buf_put_char(&b, '5');
                break;
            case 2:
                buf_printf(&b, "%d", 5);
                break;
            case 3:
                buf_put_span(&b, SPAN("5"));
                break;
            default:
                if (buf_reserve(&b, 1))
                    b.p[b.n++] = '5';
            }
        }
        ck_assert(b.failed);
        ck_assert(b.n <= 5);
    }
}
END_TEST

START_TEST(a_failure_stays_until_reset)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(3);
    buf_put_str(&b, "abcd");
    ck_assert(b.failed);
    buf_put_str(&b, "a");
    ck_assert(b.failed);
    ck_assert_ptr_null(buf_reserve(&b, 0));
    buf_reset(&b);
    ck_assert(!b.failed);
    buf_put_str(&b, "abc");
    ck_assert(!b.failed);
    ck_assert(span_eq(buf_span(&b), SPAN("abc")));
}
END_TEST

START_TEST(long_printf_grows)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
    for (unsigned i = 0; i < 100; i++)
        buf_printf(&b, "%0500u", i);
    ck_assert(!b.failed);
    ck_assert_uint_eq(b.n, 50000);
    ck_assert(span_eq((struct span){b.p + 49990, 10}, SPAN("0000000099")));
}
END_TEST

START_TEST(take_hands_over_or_refuses)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(3);
    CLEANUP(freep) char *empty = buf_take(&b);
    ck_assert_str_eq(empty, "");
    buf_put_str(&b, "abc");
    CLEANUP(freep) char *text = buf_take(&b);
    ck_assert_str_eq(text, "abc");
    ck_assert_ptr_null(b.p);
    buf_put_str(&b, "abcd");
    ck_assert_ptr_null(buf_take(&b));
    ck_assert(!b.failed);
}
END_TEST

/* A reset secret is not in the memory any more, at no place the buffer still owns. */
START_TEST(secrets_are_wiped)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    b.secret = true;
    for (unsigned i = 0; i < 30; i++)
        buf_put_str(&b, "topsecret");
    ck_assert_uint_eq(b.n, 270);
    buf_reset(&b);
    for (size_t i = 0; i < b.cap; i++)
        ck_assert_int_eq(b.p[i], 0);
}
END_TEST

START_TEST(sizes_near_the_end_of_the_address_space_do_not_wrap)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(SIZE_MAX - 1);
    buf_put_str(&b, "x");
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX - 1));
    ck_assert(b.failed);
    struct buf all = BUF_INIT(SIZE_MAX);
    ck_assert_ptr_null(buf_reserve(&all, SIZE_MAX));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, appends_are_joined_and_terminated);
    tcase_add_test(tc, the_maximum_is_exact);
    tcase_add_test(tc, a_failure_stays_until_reset);
    tcase_add_test(tc, long_printf_grows);
    tcase_add_test(tc, take_hands_over_or_refuses);
    tcase_add_test(tc, secrets_are_wiped);
    tcase_add_test(tc, sizes_near_the_end_of_the_address_space_do_not_wrap);
}

int main(void)
{
    return unit_run("base_buf", fill);
}
