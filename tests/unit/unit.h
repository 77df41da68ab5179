/* SPDX-License-Identifier: Apache-2.0 */
/* What every Check program here needs around its tests: one suite with one case, and an exit code.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the tests that `fill` adds; returns what main returns. */
static inline int unit_run(const char *name, void (*fill)(TCase *tc))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 15);
    fill(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
