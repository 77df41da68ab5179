/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "unit.h"

static const struct {
    struct span form;
    int count;
    const char *value;
} table[] = {
    {SPAN("a=1"), 1, "1"},
    {SPAN("b=2&a=1&c=3"), 1, "1"},
    {SPAN("a=1&b=2&a=1"), 2, ""},
    {SPAN("a=1&%61=2"), 2, ""},
    {SPAN("a=1&a"), 2, ""},
    {SPAN("%61=1"), 1, "1"},
    {SPAN("A=1"), 0, ""},
    {SPAN("aa=1&=a&b=a"), 0, ""},
    {SPAN(""), 0, ""},
    {SPAN("&&"), 0, ""},
    {SPAN("a"), 1, ""},
    {SPAN("a="), 1, ""},
    {SPAN("a=b=c"), 1, "b=c"},
    {SPAN("a=x+y%2Bz%20%26%3d"), 1, "x y+z &="},
    {SPAN("a=%c3%A9"), 1, "\xc3\xa9"},
    {SPAN("a=0123456789abcde"), 1, "0123456789abcde"},
    {SPAN("a=0123456789abcdef"), -1, ""},
    {SPAN("a=0123456789abcde%66"), -1, ""},
    {SPAN("b=0123456789abcdef0123456789&a=1"), 1, "1"},
    /* broken encoding anywhere refuses the whole form */
    {SPAN("a=%"), -1, ""},
    {SPAN("a=%4"), -1, ""},
    {SPAN("a=%4g"), -1, ""},
    {SPAN("a=%g4"), -1, ""},
    {SPAN("a=1&b=%zz"), -1, ""},
    {SPAN("a=1&%zz=b"), -1, ""},
    {SPAN("a%=1"), -1, ""},
    {SPAN("a=%00"), -1, ""},
    {SPAN("a=1&b=%00"), -1, ""},
    {SPAN("a=x\0y"), -1, ""},
    {SPAN("a=x\ny"), -1, ""},
    {SPAN("a=\xc3\xa9"), -1, ""},
    {SPAN("a=x y"), 1, "x y"},
};

START_TEST(fields_of_a_form)
{
    char out[16] = "dirt";
    ck_assert_msg(http_form_get(table[_i].form, "a", out, sizeof out) == table[_i].count, "%s",
        table[_i].form.p);
    ck_assert_str_eq(out, table[_i].value);
}
END_TEST

START_TEST(phrases)
{
    ck_assert_str_eq(http_phrase(200), "OK");
    ck_assert_str_eq(http_phrase(431), "Request Header Fields Too Large");
    ck_assert_str_eq(http_phrase(299), "Unknown");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, fields_of_a_form, 0, (int)ARRAY_LEN(table));
    tcase_add_test(tc, phrases);
}

int main(void)
{
    return unit_run("base_http_form", fill);
}
