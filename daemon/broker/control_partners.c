/* SPDX-License-Identifier: Apache-2.0 */
/* Partners: how they stand. */
#include "control_call.h"

#include "cleanup.h"
#include "control_views.h"

static void run_list(struct varlink_call *call, const void *args)
{
    (void)args;
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_partners(control_broker(call), &j);
    control_reply(call, &b, &j);
}

static void run_show(struct varlink_call *call, const void *args)
{
    const struct control_name_args *a = args;
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    const struct partner_entry *e = control_partner(call, a->name);
    if (!e)
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_partner(control_broker(call), e, &j);
    control_reply(call, &b, &j);
}

static const struct varlink_method methods[] = {
    {.name = "ListPartners", .run = run_list},
    {.name = "ShowPartner",
        .fields = control_name_mandatory,
        .n_fields = ARRAY_LEN(control_name_mandatory),
        .size = sizeof(struct control_name_args),
        .run = run_show},
};

const struct control_group control_partners = {methods, ARRAY_LEN(methods)};
