/* SPDX-License-Identifier: Apache-2.0 */
/* A question to the daemon and its answer on the screen, or as JSON. */
#pragma once

#include "ask.h"

/* A screen, as in show.h. */
typedef bool show_function(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well);

/* io.s2sd.control without parameters: the method is to be filled in. */
extern const struct question question_control;

/* The reply as JSON or through its screen; the exit status is what the screen says in both cases.
 */
enum exit_status present(struct ctl *ctl, const struct json_value *reply, show_function *show)
    WARN_UNUSED;
enum exit_status ask_and_present(struct ctl *ctl, const struct question *q, show_function *show)
    WARN_UNUSED;
