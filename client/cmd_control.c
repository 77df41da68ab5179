/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask io.s2sd.control. */
#include "answer.h"
#include "ask.h"
#include "commands.h"
#include "show.h"

typedef bool show_function(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well);

static const struct question control = {
    .interface = "io.s2sd.control", .parameters = {"{}", 2}, .timeout_ms = ASK_TIMEOUT_MS};

/* The reply as JSON or through its screen; the exit status is what the screen says in both cases.
 */
static enum exit_status present(
    struct ctl *ctl, const struct json_value *reply, show_function *show)
{
    bool well = false, json = has(&ctl->args, OPT_JSON);
    struct buf scratch = BUF_INIT(ctl->out.max);
    bool understood = show(&ctl->style, reply, json ? &scratch : &ctl->out, &well);
    buf_done(&scratch);
    if (!understood) {
        buf_reset(&ctl->out);
        return ask_misunderstood(ctl);
    }
    if (json)
        put_json_line(ctl, reply);
    return well ? EXIT_YES : EXIT_NO;
}

static enum exit_status ask_and_present(
    struct ctl *ctl, const struct question *q, show_function *show)
{
    const struct json_value *reply = NULL;
    enum exit_status status = ask(ctl, q, &reply);
    return status == EXIT_YES ? present(ctl, reply, show) : status;
}

enum exit_status run_status(struct ctl *ctl)
{
    struct question q = control;
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
    struct question q = control;
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
    struct question q = control;
    put_name(ctl, &parameters);
    q.method = "ShowPartner";
    q.parameters = buf_span(&parameters);
    return ask_and_present(ctl, &q, show_partner);
}

enum exit_status run_partners_refresh(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct question q = control;
    put_name(ctl, &parameters);
    q.method = "Refresh";
    q.parameters = buf_span(&parameters);
    q.timeout_ms = ASK_TIMEOUT_LONG_MS;
    return ask_and_present(ctl, &q, show_refresh);
}

enum exit_status run_reload(struct ctl *ctl)
{
    const struct json_value *reply = NULL;
    struct question q = control;
    q.method = "Reload";
    q.timeout_ms = ASK_TIMEOUT_LONG_MS;
    enum exit_status status = ask(ctl, &q, &reply);
    if (status == EXIT_YES)
        buf_put_str(&ctl->out, "The configuration was read again.\n");
    return status;
}
