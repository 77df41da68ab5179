/* SPDX-License-Identifier: Apache-2.0 */
/* The whole at a glance. */
#include "control_call.h"

#include "control_views.h"

static void run_status(struct varlink_call *call, const void *args)
{
    (void)args;
    control_view(call, view_status);
}

static const struct varlink_method methods[] = {{.name = "Status", .run = run_status}};

const struct control_group control_status = {methods, ARRAY_LEN(methods)};
