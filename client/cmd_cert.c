/* SPDX-License-Identifier: Apache-2.0 */
/* Rolling our own key: cert list, roll, withdraw, clear-previous. */
#include "commands.h"
#include "conf.h"
#include "present.h"
#include "show.h"
#include "when.h"

enum exit_status run_cert_list(struct ctl *ctl)
{
    struct question q = question_control;
    const bool drawing = has(&ctl->args, OPT_TIMELINE);
    if (has(&ctl->args, OPT_SPAN)) {
        if (!drawing || !conf_duration_s(ctl->args.values[OPT_SPAN], &ctl->style.drawn_s) ||
            ctl->style.drawn_s < 1) {
            ctl_say(ctl, "--span is a span of time such as 90d, and stands beside --timeline");
            return EXIT_USAGE;
        }
    }
    q.method = "ListKeys";
    return ask_and_present(ctl, &q, drawing ? show_timeline : show_keys);
}

static void put_wishes(struct ctl *ctl, struct json_out *j)
{
    if (has(&ctl->args, OPT_FORCE))
        json_out_bool(j, "force", true);
    if (has(&ctl->args, OPT_DRY_RUN))
        json_out_bool(j, "dryRun", true);
}

/* Asks for a change and shows what the daemon did. `back`: how to go back, for people. */
static enum exit_status change(
    struct ctl *ctl, const char *method, const struct buf *parameters, const char *back)
{
    struct question q = question_control;
    const struct json_value *reply = NULL;
    q.method = method;
    q.parameters = buf_span(parameters);
    enum exit_status status = ask(ctl, &q, &reply);
    if (status != EXIT_YES)
        return status;
    status = present(ctl, reply, show_changed);
    if (status != EXIT_YES || has(&ctl->args, OPT_JSON))
        return status;
    const struct json_value *changed = json_get(reply, "changed");
    if (has(&ctl->args, OPT_DRY_RUN))
        buf_put_str(&ctl->out, "This was --dry-run.\n");
    else if (changed && changed->truth)
        buf_printf(&ctl->out, "%s\n", back);
    return status;
}

/* roll */

static const struct roll_way {
    enum option option;
    const char *op, *back;
} ways[] = {
    {OPT_PREPARE, "prepare", "To go back before it signs: s2sctl cert roll --abort"},
    {OPT_NOW, "now",
        "The old key stays published until its last token has ended; it does not sign again. "
        "To leave the new one: s2sctl cert roll --prepare"},
    {OPT_ABORT, "abort", "To go on with another key: s2sctl cert roll --prepare"},
};

/* The only one that is given, or NULL. */
static const struct roll_way *chosen_way(const struct arguments *a)
{
    const struct roll_way *way = NULL;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (!has(a, ways[i].option))
            continue;
        if (way)
            return NULL;
        way = &ways[i];
    }
    return way;
}

static bool put_effective(struct ctl *ctl, const struct roll_way *way, struct json_out *j)
{
    int64_t at;
    const char *text = ctl->args.values[OPT_EFFECTIVE];
    if (!has(&ctl->args, OPT_EFFECTIVE))
        return true;
    if (way->option != OPT_PREPARE) {
        ctl_say(ctl, "--effective stands beside --prepare");
        return false;
    }
    if (!when_read(text, ctl->style.now, ctl->style.utc, &at)) {
        ctl_say(ctl, "--effective wants a date such as " WHEN_FORMS);
        return false;
    }
    if (at < ctl->style.now) {
        ctl_say(ctl, "--effective is in the past; --now lets the next key sign at once");
        return false;
    }
    json_out_int(j, "effectiveAt", at);
    return true;
}

enum exit_status run_cert_roll(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(4096);
    const struct roll_way *way = chosen_way(&ctl->args);
    struct json_out j;
    if (!way) {
        ctl_say(ctl, "cert roll wants one of --prepare, --now and --abort");
        return EXIT_USAGE;
    }
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "op", way->op);
    if (!put_effective(ctl, way, &j))
        return EXIT_USAGE;
    put_wishes(ctl, &j);
    json_out_object_end(&j);
    return change(ctl, "RollKey", &parameters, way->back);
}

enum exit_status run_cert_withdraw(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "thumbprint", ctl->operands[0]);
    put_wishes(ctl, &j);
    json_out_object_end(&j);
    return change(ctl, "WithdrawKey", &parameters,
        "This cannot be undone: the key has been wiped. s2sctl cert list shows what is left.");
}

enum exit_status run_cert_clear_previous(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(4096);
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    put_wishes(ctl, &j);
    json_out_object_end(&j);
    return change(ctl, "ClearPrevious", &parameters,
        "This cannot be undone: partners refuse what is left of its tokens.");
}
