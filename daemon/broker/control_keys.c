/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys: who has seen them, and rolling them. */
#include "control_call.h"

#include "cleanup.h"
#include "control_views.h"

static void run_list_keys(struct varlink_call *call, const void *args)
{
    (void)args;
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_own_keys(control_broker(call), &j);
    control_reply(call, &b, &j);
}

static const struct varlink_method methods[] = {{.name = "ListKeys", .run = run_list_keys}};

const struct control_group control_keys = {methods, ARRAY_LEN(methods)};
