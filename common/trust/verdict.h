/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as JSON: the reply of io.s2sd.validate, the same from a daemon and from s2sctl's own
 * judging. */
#pragma once

#include "check.h"
#include "json.h"

/* The members of the reply into an open object. `explain` adds reasons of a refusal and the steps;
 * without it a refusal is {"active":false} and nothing more (rule R32: our parsed claims, never the
 * token). */
void verdict_put(struct json_out *j, const struct token_checked *v, bool explain);
/* Only "steps":[{"step":"form","outcome":"passed","detail":".."}, ...] */
void verdict_put_steps(struct json_out *j, const struct token_checked *v);
