/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as JSON, the same from a daemon and from s2sctl's own judging. Our words and our parsed
 * claims, never the token, never what we expected instead (rule R32). */
#pragma once

#include "check.h"
#include "json.h"

/* The members of the reply of io.s2sd.validate into an open object. `now` is the wall time the
 * verdict is told at. `explain` adds reasons of a refusal and the steps; without it a refusal is
 * {"active":false} and nothing more. */
void verdict_put(struct json_out *j, const struct token_checked *v, int64_t now, bool explain);

/* Parts of it, for a door with members of its own. */
/* "nameid", "nii", "upn", "smtp", "sip": the user's claims that the token has. */
void verdict_put_claims(struct json_out *j, const struct token_checked *v);
/* "reason", "sentence", "advice", "diagnostics" of a refusal. */
void verdict_put_reasons(struct json_out *j, const struct token_checked *v);
/* "steps":[{"step":"form","outcome":"passed","detail":".."}, ...]: each step of the ladder in
 * order. "passed" with what was found, "failed" with what is wrong, "skipped" when it was not
 * reached or this kind of token has nothing to judge there. */
void verdict_put_steps(struct json_out *j, const struct token_checked *v, int64_t now);
