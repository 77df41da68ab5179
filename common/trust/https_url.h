/* SPDX-License-Identifier: Apache-2.0 */
/* The one kind of URL that exists here: https, a host name, no user, no fragment. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdbool.h>

#define HTTPS_URL_MAX 2048

/* The parts point into the text. */
struct https_url {
    struct span authority; /* as written: host, with its port when one is given */
    struct span host;      /* without the port */
    unsigned port;         /* 443 unless given */
    struct span path;      /* with query, begins with '/'; empty when the URL ends after the host */
};

/* True for `https://HOST[:PORT][/PATH]` in printable ASCII, the scheme in any case. User, fragment,
 * backslash, blanks, bracketed addresses and a port of 0 or above 65535 are refused: readers
 * differ in what they make of them. */
bool https_url_parse(struct span text, struct https_url *ret) WARN_UNUSED;
