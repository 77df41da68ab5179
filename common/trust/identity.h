/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are. Passed, never global: several identities come later. */
#pragma once

#include "span.h"

#include <stddef.h>

struct identity {
    char *app_id; /* lower-case GUID */
    char *realm;
    char *name;         /* free text of the document, default "s2sd" */
    char *service_name; /* default app_id, as the products publish it */
    char *issuer;       /* app_id@realm */
    char **hosts;       /* hosts a token may be addressed to, lower case; at least one */
    size_t n_hosts;
};

/* True when `host` is one of ours (ASCII case ignored). */
bool identity_has_host(const struct identity *id, struct span host);
