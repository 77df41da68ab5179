/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask io.s2sd.control. */
#include "answer.h"
#include "ask.h"
#include "commands.h"
#include "present.h"
#include "show.h"

enum exit_status run_status(struct ctl *ctl)
{
    struct question q = question_control;
    q.method = "Status";
    return ask_and_present(ctl, &q, show_status);
}

static bool show_list(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    const struct json_value *partners = answer_array(reply, "partners");
    return partners && show_partners(s, partners, out, ret_well);
}

enum exit_status run_partners_list(struct ctl *ctl)
{
    struct question q = question_control;
    q.method = "ListPartners";
    return ask_and_present(ctl, &q, show_list);
}

/* {"name":NAME}, or {} without an operand. */
static void put_name(struct ctl *ctl, struct buf *parameters)
{
    struct json_out j;
    json_out_start(&j, parameters);
    json_out_object(&j, NULL);
    if (ctl->n_operands > 0)
        json_out_str(&j, "name", ctl->operands[0]);
    json_out_object_end(&j);
}

enum exit_status run_partners_show(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct question q = question_control;
    put_name(ctl, &parameters);
    q.method = "ShowPartner";
    q.parameters = buf_span(&parameters);
    return ask_and_present(ctl, &q, show_partner);
}

enum exit_status run_partners_refresh(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct question q = question_control;
    put_name(ctl, &parameters);
    q.method = "Refresh";
    q.parameters = buf_span(&parameters);
    q.timeout_ms = ASK_TIMEOUT_LONG_MS;
    return ask_and_present(ctl, &q, show_refresh);
}

enum exit_status run_reload(struct ctl *ctl)
{
    const struct json_value *reply = NULL;
    struct question q = question_control;
    q.method = "Reload";
    q.timeout_ms = ASK_TIMEOUT_LONG_MS;
    enum exit_status status = ask(ctl, &q, &reply);
    if (status == EXIT_YES)
        buf_put_str(&ctl->out, "The configuration was read again.\n");
    return status;
}
