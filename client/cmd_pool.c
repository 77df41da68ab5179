/* SPDX-License-Identifier: Apache-2.0 */
/* The servers that are one application with this one. */
#include "commands.h"
#include "present.h"
#include "show.h"

enum exit_status run_pool_list(struct ctl *ctl)
{
    struct question q = question_control;
    q.method = "ListPool";
    return ask_and_present(ctl, &q, show_pool);
}

enum exit_status run_pool_refresh(struct ctl *ctl)
{
    struct question q = question_control;
    q.method = "RefreshPool";
    q.timeout_ms = ASK_TIMEOUT_LONG_MS;
    return ask_and_present(ctl, &q, show_pool);
}
