/* SPDX-License-Identifier: Apache-2.0 */
/* Views of bytes and the classes of characters: every byte, and no locale. */
#include "span.h"

#include "attr.h"
#include "unit.h"

START_TEST(classes_of_every_byte)
{
    static const char digits[] = "0123456789", hex[] = "0123456789abcdefABCDEF";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int i = 0; i < 256; i++) {
        const char c = (char)i;
        const bool digit = i && strchr(digits, c), letter = i && strchr(letters, c);
        ck_assert_int_eq(ascii_is_digit(c), digit);
        ck_assert_int_eq(ascii_is_letter(c), letter);
        ck_assert_int_eq(ascii_is_alnum(c), digit || letter);
        const char *at = i ? strchr(hex, c) : NULL;
        const int value = at ? (int)(at - hex) : -1;
        ck_assert_int_eq(ascii_hex(c), value > 15 ? value - 6 : value);
        const char *upper = i ? strchr(letters + 26, c) : NULL;
        ck_assert_int_eq(ascii_lower(c), upper ? letters[upper - letters - 26] : c);
    }
}
END_TEST

static const struct {
    struct span a, b;
    int order;
} orders[] = {
    {SPAN(""), SPAN(""), 0},
    {{NULL, 0}, SPAN(""), 0},
    {{NULL, 0}, SPAN("a"), -1},
    {SPAN("a"), SPAN("a"), 0},
    {SPAN("a"), SPAN("b"), -1},
    {SPAN("a"), SPAN("ab"), -1},
    {SPAN("b"), SPAN("ab"), 1},
    {SPAN("a"), SPAN("a\0"), -1},
    {SPAN("a\xff"), SPAN("ab"), 1}, /* bytes are not negative */
    {SPAN("A"), SPAN("a"), -1},
};

START_TEST(order_is_that_of_bytes)
{
    const struct span a = orders[_i].a, b = orders[_i].b;
    const int there = span_order(a, b), back = span_order(b, a);
    ck_assert_int_eq((there > 0) - (there < 0), orders[_i].order);
    ck_assert_int_eq((back > 0) - (back < 0), -orders[_i].order);
    ck_assert_int_eq(span_eq(a, b), orders[_i].order == 0);
}
END_TEST

START_TEST(parts)
{
    const struct span s = SPAN("key=va=lue"), nothing = {NULL, 0};
    ck_assert_uint_eq(span_find(s, '='), 3);
    ck_assert_uint_eq(span_find(s, '\0'), s.n);
    ck_assert_uint_eq(span_find(nothing, 'x'), 0);
    ck_assert(span_eq_str(span_skip(s, 4), "va=lue"));
    ck_assert_uint_eq(span_skip(s, s.n).n, 0);
    ck_assert_ptr_null(span_skip(nothing, 0).p);
    ck_assert(span_starts(s, SPAN("key=")) && span_starts(s, nothing) && span_starts(s, s));
    ck_assert(!span_starts(SPAN("ke"), SPAN("key")) && !span_starts(s, SPAN("Key")));
    ck_assert(span_eq_nocase(SPAN("aZ[@"), SPAN("Az[@")));
    ck_assert(!span_eq_nocase(SPAN("[@"), SPAN("{`")) && !span_eq_nocase(SPAN("a"), SPAN("ab")));
    ck_assert_uint_eq(span_of(NULL).n, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, classes_of_every_byte);
    tcase_add_loop_test(tc, order_is_that_of_bytes, 0, (int)ARRAY_LEN(orders));
    tcase_add_test(tc, parts);
}

int main(void)
{
    return unit_run("base_span", fill);
}
