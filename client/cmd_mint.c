/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "ask.h"
#include "commands.h"
#include "conf.h"

/* A span of time as an option has it; false after saying what is wrong. */
static bool seconds_of(struct ctl *ctl, enum option o, int64_t *ret)
{
    if (conf_duration_s(ctl->args.values[o], ret) && *ret > 0)
        return true;
    ctl_say(ctl, "--%s wants a span of time such as 900 or 15min", option_rows[o].name);
    return false;
}

static bool put_times(struct ctl *ctl, struct json_out *j)
{
    static const struct {
        enum option option;
        const char *name;
    } times[] = {{OPT_LIFETIME, "lifetime"}, {OPT_MIN_VALID, "minValidPeriod"}};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t seconds;
        if (!has(&ctl->args, times[i].option))
            continue;
        if (!seconds_of(ctl, times[i].option, &seconds))
            return false;
        json_out_int(j, times[i].name, seconds);
    }
    return true;
}

static bool put_user(struct ctl *ctl, struct json_out *j)
{
    static const char *const types[] = {"upn", "smtp", "sip", "nameid"};
    const struct arguments *a = &ctl->args;
    if (has(a, OPT_USER))
        json_out_str(j, "user", a->values[OPT_USER]);
    if (!has(a, OPT_USER_TYPE))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (has(a, OPT_USER) && strcmp(types[i], a->values[OPT_USER_TYPE]) == 0) {
            json_out_str(j, "userType", types[i]);
            return true;
        }
    ctl_say(ctl, "--user-type is upn, smtp, sip or nameid, and stands beside --user");
    return false;
}

static bool put_wish(struct ctl *ctl, struct buf *parameters)
{
    struct json_out j;
    const char *host = ctl->args.values[OPT_RESOURCE];
    json_out_start(&j, parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "resource", host ? host : ctl->operands[0]);
    bool ok = put_user(ctl, &j) && put_times(ctl, &j);
    json_out_object_end(&j);
    return ok;
}

static void print_token(struct ctl *ctl, const struct token_answer *a)
{
    if (has(&ctl->args, OPT_HEADER))
        buf_put_str(&ctl->out, "Authorization: Bearer ");
    put_safe(&ctl->out, a->token);
    buf_put_char(&ctl->out, '\n');
}

enum exit_status run_token_mint(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(65536);
    const struct json_value *reply = NULL;
    struct token_answer a;
    if (!put_wish(ctl, &parameters))
        return EXIT_USAGE;
    const struct question q = {.interface = "io.s2sd.mint",
        .method = "Mint",
        .parameters = buf_span(&parameters),
        .timeout_ms = ASK_TIMEOUT_MS};
    enum exit_status status = ask(ctl, &q, &reply);
    if (status != EXIT_YES)
        return status;
    if (!answer_token(reply, &a))
        return ask_misunderstood(ctl);
    /* With --resource the daemon chose the partner by the host: it must be the one that was named.
     */
    if (has(&ctl->args, OPT_RESOURCE) && !span_eq_str(a.partner, ctl->operands[0])) {
        buf_put_str(&ctl->err, "s2sctl: that host belongs to partner ");
        put_safe(&ctl->err, a.partner);
        buf_put_str(&ctl->err, "; the token is thrown away\n");
        return EXIT_NO;
    }
    if (has(&ctl->args, OPT_JSON))
        put_json_line(ctl, reply);
    else
        print_token(ctl, &a);
    return EXIT_YES;
}
