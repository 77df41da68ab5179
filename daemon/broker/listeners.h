/* SPDX-License-Identifier: Apache-2.0 */
/* The listening sockets the broker was given, by systemd or by --all, under the same names. -1: not
 * there. */
#pragma once

#include "attr.h"

#include <stdbool.h>

struct listeners {
    int https;   /* public documents over TLS */
    int http;    /* ... in plain, for a web server in front */
    int control; /* io.s2sd.control */
    int validate, validate_varlink, mint, mint_varlink; /* the workers' */
};

#define LISTENERS_NONE ((struct listeners){-1, -1, -1, -1, -1, -1, -1})

/* Takes them out of what fds_open has found. */
struct listeners listeners_take(void);
bool listeners_any(const struct listeners *d);
void listeners_close(struct listeners *d);
