/* SPDX-License-Identifier: Apache-2.0 */
/* The whole at a glance. */
#include "control_call.h"

#include "cleanup.h"
#include "control_views.h"

static void run_status(struct varlink_call *call, const void *args)
{
    (void)args;
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_status(control_broker(call), &j);
    control_reply(call, &b, &j);
}

static const struct varlink_method methods[] = {{.name = "Status", .run = run_status}};

const struct control_group control_status = {methods, ARRAY_LEN(methods)};
