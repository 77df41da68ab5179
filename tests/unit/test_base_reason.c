/* SPDX-License-Identifier: Apache-2.0 */
/* The table of reasons: what travels must be well formed and one of a kind. */
#include "reason.h"

#include "attr.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

START_TEST(codes_are_unique_snake_case)
{
    const char *code = reason_code((enum reason)_i);
    ck_assert_uint_gt(strlen(code), 1);
    ck_assert_uint_eq(strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(code));
    ck_assert_int_eq(
        reason_of_code(code), _i); /* the first of that code, so no earlier one has it */
}
END_TEST

START_TEST(sentences_have_no_stop_and_no_quote)
{
    const char *s = reason_sentence((enum reason)_i);
    ck_assert_uint_gt(strlen(s), 5);
    ck_assert_int_ne(s[strlen(s) - 1], '.');
    ck_assert_ptr_null(strpbrk(s, "\"\r\n\\"));
    ck_assert(s[0] >= 'A' && s[0] <= 'Z');
}
END_TEST

/* Numbers of the x-ms-diagnostics header and their category always come together. */
START_TEST(numbers_are_of_the_protocol)
{
    unsigned n = reason_number((enum reason)_i);
    ck_assert(n == 0 || (n >= 2000000 && n <= 2000009));
    ck_assert_int_eq(n == 0, reason_category((enum reason)_i)[0] == '\0');
}
END_TEST

START_TEST(diagnostics_are_one_header_value)
{
    char out[256], want[256];
    reason_diagnostics((enum reason)_i, out, sizeof out);
    unsigned n = reason_number((enum reason)_i);
    snprintf(want, sizeof want, "%u;reason=\"%s.\";error_category=\"%s\"", n ? n : 2000007U,
        reason_sentence((enum reason)_i), n ? reason_category((enum reason)_i) : "internal_error");
    ck_assert_str_eq(out, want);
    ck_assert_uint_lt(strlen(out), sizeof out - 1);
}
END_TEST

START_TEST(fixed_numbers)
{
    ck_assert_uint_eq(reason_number(REASON_SIGNATURE), 2000000);
    ck_assert_uint_eq(reason_number(REASON_EXPIRED), 2000002);
    ck_assert_uint_eq(reason_number(REASON_AUDIENCE), 2000003);
    ck_assert_uint_eq(reason_number(REASON_UNKNOWN_ISSUER), 2000009);
    ck_assert_str_eq(reason_code(REASON_OK), "ok");
    ck_assert_str_eq(reason_rule(REASON_SIGNATURE), "R9");
    ck_assert_str_eq(reason_advice(REASON_OK), "");
}
END_TEST

START_TEST(values_outside_the_table_are_internal_errors)
{
    char out[8];
    ck_assert_str_eq(reason_code(REASON_COUNT), "internal_error");
    ck_assert_str_eq(reason_code((enum reason)4711), "internal_error");
    ck_assert_int_eq(reason_of_code("no_such_code"), REASON_COUNT);
    ck_assert_int_eq(reason_of_code(""), REASON_COUNT);
    ck_assert_str_eq(reason_diagnostics(REASON_EXPIRED, out, sizeof out), "2000002");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, codes_are_unique_snake_case, 0, REASON_COUNT);
    tcase_add_loop_test(tc, sentences_have_no_stop_and_no_quote, 0, REASON_COUNT);
    tcase_add_loop_test(tc, numbers_are_of_the_protocol, 0, REASON_COUNT);
    tcase_add_loop_test(tc, diagnostics_are_one_header_value, 0, REASON_COUNT);
    tcase_add_test(tc, fixed_numbers);
    tcase_add_test(tc, values_outside_the_table_are_internal_errors);
}

int main(void)
{
    return unit_run("base_reason", fill);
}
