/* SPDX-License-Identifier: Apache-2.0 */
/* The rungs of the ladder as both doors explain them. */
#pragma once

#include "check.h"
#include "json.h"

/* "steps":[{"step":"form","outcome":"passed"},{"step":"key","outcome":"failed","detail":".."}, ...]
 */
void put_steps(struct json_out *j, const struct token_checked *v);
