/* SPDX-License-Identifier: Apache-2.0 */
/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include "span.h"

/* Length of the well-formed sequence that starts with the non-ASCII byte *p and ends before `end`
 * (p < end), or 0. */
size_t utf8_len(const char *p, const char *end);
/* True when all of it is ASCII or well-formed sequences. */
bool utf8_valid(struct span s);
