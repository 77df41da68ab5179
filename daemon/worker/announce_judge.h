/* SPDX-License-Identifier: Apache-2.0 */
/* A validator judges what a stranger said at the public door about himself: the broker never reads
 * such a token. */
#pragma once

#include "check_announce.h"
#include "msg.h"
#include "state.h"

struct announce_judge;
struct announce_judge *announce_judge_new(void) WARN_UNUSED; /* NULL: out of memory */
void announce_judge_free(struct announce_judge *a);          /* NULL is fine */
/* Judges by the worker's settings and trust, now. *ret points into `a` and the settings. */
void announce_judge_token(
    struct announce_judge *a, const struct worker *w, struct span token, struct msg_announced *ret);
