/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines of the programs: long options only, nothing beside them. */
#pragma once

#include "attr.h"

#include <getopt.h>

/* What one option means; its argument is in optarg. -1: go on; else the exit status. */
typedef int options_set_fn(int code, void *arg);

/* Reads all of them. -1: go on; else the exit status, after a line on standard error. */
int options_read(int argc, char **argv, const struct option *list, options_set_fn *set, void *arg)
    WARN_UNUSED;
/* "PROGRAM: WHAT" (NULL: that was said) and how to get help, on standard error; returns the status
 * for it. */
int options_usage(const char *program, const char *what);
