/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines: what is understood goes on, everything else is 64. */
#include "options.h"

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct option list[] = {{"dir", required_argument, NULL, 1},
    {"all", no_argument, NULL, 2}, {"version", no_argument, NULL, 3}, {NULL, 0, NULL, 0}};

static char dir[32];
static bool all;

static int set(int code, void *arg)
{
    ck_assert_ptr_eq(arg, dir);
    if (code == 1)
        snprintf(dir, sizeof(dir), "%s", optarg);
    if (code == 2)
        all = true;
    return code == 3 ? 0 : -1;
}

static const struct {
    const char *words[4];
    int status;
    const char *dir;
    bool all;
} lines[] = {
    {{NULL}, -1, "", false},
    {{"--all", "--dir=/x"}, -1, "/x", true},
    {{"--dir", "/x"}, -1, "/x", false},
    {{"--version", "--colour"}, 0, "", false}, /* the first that decides */
    {{"--colour"}, EX_USAGE, "", false},
    {{"--dir"}, EX_USAGE, "", false},
    {{"--all=1"}, EX_USAGE, "", false},
    {{"-a"}, EX_USAGE, "", false},
    {{"--all", "more"}, EX_USAGE, "", true},
    {{"--all", "--", "more"}, EX_USAGE, "", true},
};

START_TEST(a_line_is_understood_whole_or_refused)
{
    char program[] = "/usr/sbin/s2sd", words[3][32];
    char *argv[5] = {program};
    int argc = 1;
    for (size_t i = 0; i < 3 && lines[_i].words[i]; i++) {
        snprintf(words[i], sizeof(words[i]), "%s", lines[_i].words[i]);
        argv[argc++] = words[i];
    }
    ck_assert_int_eq(options_read(argc, argv, list, set, dir), lines[_i].status);
    ck_assert_str_eq(dir, lines[_i].dir);
    ck_assert_int_eq(all, lines[_i].all);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, a_line_is_understood_whole_or_refused, 0, (int)ARRAY_LEN(lines));
}

int main(void)
{
    return unit_run("shared_options", fill);
}
