/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "reason.h"

#include <errno.h>

/* Why there is no connection. */
static enum exit_status cannot_open(struct ctl *ctl, const struct question *q, int r)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(4096);
    put_safe(&path, span_of(q->dir ? q->dir : ctl->runtime_dir));
    buf_printf(&path, "/%s", q->interface);
    const char *at = path.failed ? q->interface : path.p;
    switch (-r) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOTDIR:
        ctl_say(ctl, "s2sd is not running: nobody listens at %s", at);
        buf_put_str(
            &ctl->err, "systemctl status s2sd tells more; --runtime-dir names another folder.\n");
        return EXIT_UNREACHABLE;
    case EACCES:
    case EPERM:
        ctl_say(ctl, "%s is closed to this user", at);
        return EXIT_FORBIDDEN;
    case ENAMETOOLONG:
        ctl_say(ctl, "%s is too long for a socket", at);
        return EXIT_USAGE;
    default:
        ctl_say(ctl, "cannot connect to %s: %s", at, strerror(-r));
        return EXIT_UNREACHABLE;
    }
}

static enum exit_status cannot_call(struct ctl *ctl, const struct question *q, int r)
{
    switch (-r) {
    case ETIMEDOUT:
        ctl_say(ctl, "s2sd does not answer %s within %u s", q->method, q->timeout_ms / 1000);
        break;
    case ECONNRESET:
        ctl_say(ctl, "s2sd closed the connection without an answer; is it restarting?");
        break;
    case EBADMSG:
        return ask_misunderstood(ctl);
    default:
        ctl_say(ctl, "%s: %s", q->method, strerror(-r));
    }
    return EXIT_UNREACHABLE;
}

enum exit_status ask_misunderstood(struct ctl *ctl)
{
    ctl_say(ctl, "the answer of s2sd is not of the documented form; are both of the same version?");
    return EXIT_UNREACHABLE;
}

/* Errors of methods. */

struct error_fields {
    struct span reason, sentence, detail, candidates, errors, name;
    struct span thumbprint, key, parameter;
    int64_t retry_after;
    const struct json_value *lines, *known;
};

static const struct json_field error_table[] = {
    {"reason", JSON_STRING, offsetof(struct error_fields, reason), JSON_OPTIONAL},
    {"sentence", JSON_STRING, offsetof(struct error_fields, sentence), JSON_OPTIONAL},
    {"detail", JSON_STRING, offsetof(struct error_fields, detail), JSON_OPTIONAL},
    {"candidates", JSON_STRING, offsetof(struct error_fields, candidates), JSON_OPTIONAL},
    {"errors", JSON_STRING, offsetof(struct error_fields, errors), JSON_OPTIONAL},
    {"name", JSON_STRING, offsetof(struct error_fields, name), JSON_OPTIONAL},
    {"thumbprint", JSON_STRING, offsetof(struct error_fields, thumbprint), JSON_OPTIONAL},
    {"key", JSON_STRING, offsetof(struct error_fields, key), JSON_OPTIONAL},
    {"parameter", JSON_STRING, offsetof(struct error_fields, parameter), JSON_OPTIONAL},
    {"known", JSON_ARRAY, offsetof(struct error_fields, known), JSON_OPTIONAL},
    {"lines", JSON_ARRAY, offsetof(struct error_fields, lines), JSON_OPTIONAL},
    {"retryAfter", JSON_NUMBER, offsetof(struct error_fields, retry_after), JSON_OPTIONAL},
};

static void say_safe(struct ctl *ctl, const char *before, struct span text, const char *after)
{
    buf_printf(&ctl->err, "%s", before);
    put_safe(&ctl->err, text);
    buf_put_str(&ctl->err, after);
}

/* "s2sctl: SENTENCE: DETAIL (code)"; returns the reason, REASON_COUNT for one that is newer than
 * we. */
static enum reason say_sentence(struct ctl *ctl, const struct error_fields *f)
{
    char code[64];
    snprintf(code, sizeof(code), "%.*s", (int)f->reason.n, f->reason.n ? f->reason.p : "");
    enum reason known = reason_of_code(code);
    struct span sentence = f->sentence;
    if (sentence.n == 0 && known != REASON_COUNT)
        sentence = span_of(reason_sentence(known));
    say_safe(ctl, "s2sctl: ", sentence.n > 0 ? sentence : f->reason, "");
    if (f->detail.n > 0)
        say_safe(ctl, ": ", f->detail, "");
    if (sentence.n > 0 && f->reason.n > 0)
        say_safe(ctl, " (", f->reason, ")");
    buf_put_char(&ctl->err, '\n');
    return known;
}

static void say_advice(struct ctl *ctl, enum reason known)
{
    if (known != REASON_COUNT && reason_advice(known)[0] != '\0')
        buf_printf(&ctl->err, "%s\n", reason_advice(known));
}

static void say_reason(struct ctl *ctl, const struct error_fields *f)
{
    say_advice(ctl, say_sentence(ctl, f));
}

static enum exit_status report_forbidden(struct ctl *ctl, const struct error_fields *f)
{
    say_reason(ctl, f);
    return EXIT_FORBIDDEN;
}

static enum exit_status report_target(struct ctl *ctl, const struct error_fields *f)
{
    say_reason(ctl, f);
    if (f->candidates.n > 0)
        say_safe(ctl, "Candidates: ", f->candidates, "\n");
    return EXIT_NO;
}

static enum exit_status report_not_ready(struct ctl *ctl, const struct error_fields *f)
{
    say_reason(ctl, f);
    if (f->retry_after > 0)
        buf_printf(&ctl->err, "Try again in %lld s.\n", (long long)f->retry_after);
    return EXIT_UNREACHABLE;
}

/* One line for each mistake, as config check has them. */
static enum exit_status report_config(struct ctl *ctl, const struct error_fields *f)
{
    struct span rest = f->errors;
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');
        put_safe(&ctl->err, (struct span){rest.p, n});
        buf_put_char(&ctl->err, '\n');
        rest = span_skip(rest, n < rest.n ? n + 1 : n);
    }
    ctl_say(ctl, "the new configuration was refused, the old one stays in force");
    return EXIT_CONFIG;
}

static enum exit_status report_no_partner(struct ctl *ctl, const struct error_fields *f)
{
    say_safe(ctl, "s2sctl: there is no partner ", f->name, "; s2sctl partners lists them\n");
    return EXIT_NO;
}

/* Why not, and what to do: a line each. */
static enum exit_status report_refused(struct ctl *ctl, const struct error_fields *f)
{
    enum reason known = say_sentence(ctl, f);
    if (f->lines)
        JSON_EACH (line, f->lines)
            say_safe(ctl, "  ", line->text, "\n");
    say_advice(ctl, known);
    return EXIT_NO;
}

static enum exit_status report_file(struct ctl *ctl, const struct error_fields *f)
{
    say_safe(ctl, "s2sctl: the signer cannot use the ", f->parameter, ": ");
    say_safe(ctl, "", f->sentence, "\n");
    return EXIT_NO;
}

static enum exit_status report_no_key(struct ctl *ctl, const struct error_fields *f)
{
    say_safe(ctl, "s2sctl: none of our keys is ", f->thumbprint, "; s2sctl cert list shows them\n");
    return EXIT_NO;
}

/* Its sentence says all; the advice of the reason is for documents that cannot be taken. */
static enum exit_status report_nothing(struct ctl *ctl, const struct error_fields *f)
{
    (void)say_sentence(ctl, f);
    return EXIT_NO;
}

static enum exit_status report_no_partner_key(struct ctl *ctl, const struct error_fields *f)
{
    say_safe(ctl, "s2sctl: the partner has no key ", f->key, "\n");
    if (f->known)
        JSON_EACH (key, f->known)
            say_safe(ctl, "  it has ", key->text, "\n");
    return EXIT_NO;
}

static const struct {
    const char *name; /* behind the last dot */
    enum exit_status (*report)(struct ctl *ctl, const struct error_fields *f);
} reports[] = {
    {"NotPermitted", report_forbidden},
    {"PermissionDenied", report_forbidden},
    {"Refused", report_refused},
    {"InvalidTarget", report_target},
    {"NotReady", report_not_ready},
    {"ConfigRefused", report_config},
    {"NoSuchPartner", report_no_partner},
    {"RollRefused", report_refused},
    {"FileFailed", report_file},
    {"NoSuchKey", report_no_key},
    {"NoSuchPartnerKey", report_no_partner_key},
    {"NothingToApprove", report_nothing},
};

static struct span last_part(struct span name)
{
    for (size_t dot = span_find(name, '.'); dot < name.n; dot = span_find(name, '.'))
        name = span_skip(name, dot + 1);
    return name;
}

static enum exit_status report_error(struct ctl *ctl, const struct varlink_answer *a)
{
    struct error_fields f = {0};
    struct span bad, name = last_part(a->error);
    if (a->parameters && json_fields(a->parameters, error_table, ARRAY_LEN(error_table), false, &f,
                             &bad) != REASON_OK)
        return ask_misunderstood(ctl);
    for (size_t i = 0; i < ARRAY_LEN(reports); i++)
        if (span_eq_str(name, reports[i].name))
            return reports[i].report(ctl, &f);
    say_safe(ctl, "s2sctl: s2sd refuses the call: ", a->error, "\n");
    return EXIT_UNREACHABLE;
}

enum exit_status ask_quietly(
    struct ctl *ctl, const struct question *q, const char *but, const struct json_value **ret)
{
    struct varlink_answer a;
    varlink_client_freep(&ctl->link);
    const char *dir = q->dir ? q->dir : ctl->runtime_dir;
    int r = varlink_client_open(dir, q->interface, q->timeout_ms, &ctl->link);
    if (r < 0)
        return cannot_open(ctl, q, r);
    r = varlink_client_call_with(ctl->link, q->method, q->parameters, q->fds, &a);
    if (r < 0)
        return cannot_call(ctl, q, r);
    if (a.error.n == 0 && a.parameters) {
        *ret = a.parameters;
        return EXIT_YES;
    }
    if (a.error.n == 0)
        return ask_misunderstood(ctl);
    if (but && span_eq_str(last_part(a.error), but))
        return EXIT_FORBIDDEN;
    return report_error(ctl, &a);
}

enum exit_status ask(struct ctl *ctl, const struct question *q, const struct json_value **ret)
{
    return ask_quietly(ctl, q, NULL, ret);
}

/* JSON out of JSON. */

static void put_scalar(struct json_out *j, const char *name, const struct json_value *v)
{
    switch (v->type) {
    case JSON_STRING:
        json_out_span(j, name, v->text);
        break;
    case JSON_NUMBER:
        json_out_raw(j, name, v->text);
        break;
    case JSON_BOOL:
        json_out_bool(j, name, v->truth);
        break;
    default:
        json_out_null(j, name);
    }
}

/* Recursion is as deep as the reader allowed: JSON_DEPTH_MAX. */
void put_json(struct json_out *j, const char *name, const struct json_value *v)
{
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY) {
        put_scalar(j, name, v);
        return;
    }
    if (v->type == JSON_OBJECT)
        json_out_object(j, name);
    else
        json_out_array(j, name);
    JSON_EACH (member, v) {
        char member_name[256];
        snprintf(member_name, sizeof(member_name), "%.*s", (int)member->name.n,
            member->name.n ? member->name.p : "");
        put_json(j, v->type == JSON_OBJECT ? member_name : NULL, member);
    }
    if (v->type == JSON_OBJECT)
        json_out_object_end(j);
    else
        json_out_array_end(j);
}

void put_json_line(struct ctl *ctl, const struct json_value *v)
{
    struct json_out j;
    json_out_start(&j, &ctl->out);
    put_json(&j, NULL, v);
    buf_put_char(&ctl->out, '\n');
}
