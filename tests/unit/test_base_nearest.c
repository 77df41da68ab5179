/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": near words are found, far ones are not. */
#include "attr.h"
#include "nearest.h"
#include "unit.h"

static const char *const words[] = {
    "status", "partners", "token", "reload", "config", "explain", "mint"};

static const struct {
    const char *typed, *best;
} typed[] = {
    {"stauts", "status"},
    {"STATUS", "status"},
    {"partner", "partners"},
    {"tokne", "token"},
    {"otken", "token"},
    {"toekm", NULL},
    {"mnit", "mint"},
    {"nmti", NULL},
    {"toke", "token"},
    {"relaod", "reload"},
    {"xplain", "explain"},
    {"conifg", "config"},
    {"launch", NULL},
    {"s", NULL},
    {"", NULL},
};

START_TEST(test_nearest)
{
    struct nearest n;
    nearest_start(&n, span_of(typed[_i].typed));
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        nearest_offer(&n, words[i]);
    ck_assert_str_eq(n.best ? n.best : "none", typed[_i].best ? typed[_i].best : "none");
}
END_TEST

START_TEST(test_long_words_are_left_alone)
{
    char text[66];
    struct nearest n;
    memset(text, 'a', 65);
    text[65] = '\0';
    nearest_start(&n, span_of(text));
    nearest_offer(&n, text);
    ck_assert_ptr_null(n.best);
    nearest_start(&n, span_bytes(text, 64));
    nearest_offer(&n, text);
    ck_assert_ptr_null(n.best);
    nearest_offer(&n, text + 1);
    ck_assert_ptr_eq(n.best, text + 1);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_loop_test(t, test_nearest, 0, (int)ARRAY_LEN(typed));
    tcase_add_test(t, test_long_words_are_left_alone);
}

int main(void)
{
    return unit_run("nearest", fill);
}
