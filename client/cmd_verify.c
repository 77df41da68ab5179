/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "commands.h"
#include "offline.h"
#include "show.h"
#include "token_input.h"

static enum exit_status present(struct ctl *ctl, const struct json_value *reply)
{
    CLEANUP(buf_done) struct buf screen = BUF_INIT(ctl->out.max);
    bool believed = false;
    if (!show_verdict(&ctl->style, reply, &screen, &believed))
        return ask_misunderstood(ctl);
    if (has(&ctl->args, OPT_JSON))
        put_json_line(ctl, reply);
    else
        buf_put_span(&ctl->out, buf_span(&screen));
    return believed ? EXIT_YES : EXIT_NO;
}

static enum exit_status verify_offline(struct ctl *ctl, struct span token)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    const struct json_limits limits = {.bytes = text.max};
    const struct json_value *reply = NULL;
    enum exit_status status = offline_verdict(ctl, token, &text);
    if (status != EXIT_YES)
        return status;
    if (!doc || json_parse(doc, buf_span(&text), &limits, &reply) != REASON_OK) {
        ctl_say(ctl, "out of memory");
        return EXIT_NO;
    }
    return present(ctl, reply);
}

static void put_parameters(struct ctl *ctl, struct span token, bool explain, struct buf *out)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_span(&j, "token", token);
    json_out_str(&j, "audience", ctl->args.values[OPT_AUDIENCE]);
    if (explain)
        json_out_bool(&j, "explain", true);
    json_out_object_end(&j);
}

/* Asks for the steps first; who lacks the right explain gets the bare verdict. */
static enum exit_status verify_online(struct ctl *ctl, struct span token)
{
    CLEANUP(buf_done) struct buf parameters = {.max = VARLINK_CLIENT_MAX, .secret = true};
    const struct json_value *reply = NULL;
    put_parameters(ctl, token, true, &parameters);
    struct question q = {.interface = "io.s2sd.validate",
        .method = "Validate",
        .parameters = buf_span(&parameters),
        .timeout_ms = ASK_TIMEOUT_MS};
    enum exit_status status = ask_quietly(ctl, &q, "NotPermitted", &reply);
    if (status == EXIT_FORBIDDEN && ctl->err.n == 0) {
        buf_reset(&parameters);
        put_parameters(ctl, token, false, &parameters);
        q.parameters = buf_span(&parameters);
        status = ask(ctl, &q, &reply);
    }
    return status == EXIT_YES ? present(ctl, reply) : status;
}

enum exit_status run_token_verify(struct ctl *ctl)
{
    static const enum option offline_only[] = {
        OPT_METADATA, OPT_AT, OPT_SELF, OPT_PERMIT, OPT_CONFIG_DIR};
    CLEANUP(buf_done) struct buf token = {0};
    bool offline = has(&ctl->args, OPT_OFFLINE);
    for (size_t i = 0; i < ARRAY_LEN(offline_only); i++)
        if (!offline && has(&ctl->args, offline_only[i])) {
            ctl_say(ctl, "--%s needs --offline: the daemon judges by its own clock and documents",
                option_rows[offline_only[i]].name);
            return EXIT_USAGE;
        }
    enum exit_status status = token_input(ctl, &token);
    if (status != EXIT_YES)
        return status;
    return offline ? verify_offline(ctl, buf_span(&token)) : verify_online(ctl, buf_span(&token));
}
