/* SPDX-License-Identifier: Apache-2.0 */
#include "present.h"

const struct question question_control = {
    .interface = "io.s2sd.control", .parameters = {"{}", 2}, .timeout_ms = ASK_TIMEOUT_MS};

enum exit_status present(struct ctl *ctl, const struct json_value *reply, show_function *show)
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

enum exit_status ask_and_present(struct ctl *ctl, const struct question *q, show_function *show)
{
    const struct json_value *reply = NULL;
    enum exit_status status = ask(ctl, q, &reply);
    return status == EXIT_YES ? present(ctl, reply, show) : status;
}
