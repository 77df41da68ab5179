/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher: takes orders from the broker's link, makes each one HTTPS request under every limit,
 * and gives back the bytes. It believes nothing and keeps nothing. */
#pragma once

#include "attr.h"

#include <stdbool.h>

#define FETCHER_LINKS_MAX 4
/* Fetches of one link at the same time. */
#define FETCHER_PER_LINK 64

struct fetcher_options {
    unsigned peer_uid; /* the only uid that may connect */
    bool until_eof;    /* end when the last link has ended */
};

/* Runs until SIGTERM (or the end of the broker's link); takes over the listener. Returns the exit
 * status. */
int fetcher_run(const struct fetcher_options *o, int listener);
