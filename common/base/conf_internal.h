/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the configuration reader, shared by conf*.c only. */
#pragma once

#include "conf.h"

/* A file that was read; entries point into both. Neither moves when the array grows. */
struct conf_file {
    char *path;
    char *text; /* cut into strings by the parser */
};
