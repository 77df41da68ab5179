/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator decides about partners: bar, suspend, approve, confirm. */
#include "commands.h"
#include "present.h"
#include "show.h"

/* Shows the lines of the answer, then how to go back: "%s" stands for the partner's name, which is
 * one that the daemon has accepted. */
static enum exit_status decide(
    struct ctl *ctl, const char *method, const struct buf *parameters, const char *back)
{
    struct question q = question_control;
    q.method = method;
    q.parameters = buf_span(parameters);
    enum exit_status status = ask_and_present(ctl, &q, show_changed);
    if (status == EXIT_YES && !has(&ctl->args, OPT_JSON) && back) {
        buf_printf(&ctl->out, "To go back: s2sctl partners %s ", back);
        for (size_t i = 0; i < ctl->n_operands; i++) {
            buf_put_str(&ctl->out, i > 0 ? " " : "");
            put_safe(&ctl->out, span_of(ctl->operands[i]));
        }
        buf_put_char(&ctl->out, '\n');
    }
    return status;
}

static enum exit_status bar(struct ctl *ctl, bool barred, const char *back)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "name", ctl->operands[0]);
    json_out_str(&j, "key", ctl->operands[1]);
    json_out_bool(&j, "bar", barred);
    json_out_object_end(&j);
    return decide(ctl, "BarKey", &parameters, back);
}

enum exit_status run_partners_bar(struct ctl *ctl)
{
    return bar(ctl, true, "unbar");
}

enum exit_status run_partners_unbar(struct ctl *ctl)
{
    return bar(ctl, false, "bar");
}

static enum exit_status decide_by_name(struct ctl *ctl, const char *method, const char *back)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "name", ctl->operands[0]);
    json_out_object_end(&j);
    return decide(ctl, method, &parameters, back);
}

enum exit_status run_partners_suspend(struct ctl *ctl)
{
    return decide_by_name(ctl, "Suspend", "resume");
}

enum exit_status run_partners_resume(struct ctl *ctl)
{
    return decide_by_name(ctl, "Resume", "suspend");
}

enum exit_status run_partners_approve(struct ctl *ctl)
{
    return decide_by_name(ctl, "Approve", NULL);
}

enum exit_status run_partners_confirm(struct ctl *ctl)
{
    return decide_by_name(ctl, "Confirm", NULL);
}
