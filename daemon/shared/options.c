/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int options_usage(const char *program, const char *what)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    if (what)
        fprintf(stderr, "%s: %s\n", name, what);
    fprintf(stderr, "Try '%s --help'.\n", name);
    return EX_USAGE;
}

int options_read(int argc, char **argv, const struct option *list, options_set_fn *set, void *arg)
{
    int code, status = -1;
    while (status < 0 && (code = getopt_long(argc, argv, "", list, NULL)) != -1)
        status = code == '?' ? options_usage(argv[0], NULL) : set(code, arg);
    if (status >= 0 || optind == argc)
        return status;
    char what[256];
    snprintf(what, sizeof(what), "unexpected argument '%s'", argv[optind]);
    return options_usage(argv[0], what);
}
