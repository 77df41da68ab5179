/* SPDX-License-Identifier: Apache-2.0 */
/* User addresses and the patterns of PermittedUsers=, RefusedUsers=, ActAs= and RefuseActAs=
 * (DESIGN 5): `*@domain` is that exact domain, else a whole address; ASCII case ignored; refused
 * wins. */
#pragma once

#include "attr.h"
#include "span.h"

struct patterns {
    char **list;
    size_t n;
};

/* local@domain with local [A-Za-z0-9._+-]{1,64} and a dotted-name domain of at most 253 (rule R18).
 */
bool user_address_valid(struct span text);
/* A pattern of the two forms, nothing else. */
bool pattern_valid(const char *text);
/* True when permitted names the user and refused does not. No permitted pattern: false. */
bool patterns_allow(
    const struct patterns *permitted, const struct patterns *refused, struct span user);
