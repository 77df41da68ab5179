/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that need no daemon: configuration and reason codes. */
#include "commands.h"
#include "json.h"
#include "nearest.h"
#include "reason.h"
#include "settings.h"

/* Each line of a text through `put`, without its line feed. */
static void each_line(struct buf *out, struct span text, void (*put)(struct buf *, struct span))
{
    while (text.n > 0) {
        size_t n = span_find(text, '\n');
        put(out, (struct span){text.p, n});
        text = span_skip(text, n < text.n ? n + 1 : n);
    }
}

static void put_line(struct buf *out, struct span line)
{
    put_safe(out, line);
    buf_put_char(out, '\n');
}

/* The settings, or EXIT_CONFIG after listing every mistake on standard error. */
static enum exit_status load(struct ctl *ctl, struct settings **ret)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    if (settings_load(ctl->config_dir, &errors, ret))
        return EXIT_YES;
    each_line(&ctl->err, buf_span(&errors.text), put_line);
    return EXIT_CONFIG;
}

/* config check --json: {"good":false,"errors":["file:line: message", ...]} */
static enum exit_status check_json(struct ctl *ctl)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    struct json_out j;
    bool good = settings_load(ctl->config_dir, &errors, &s);
    json_out_start(&j, &ctl->out);
    json_out_object(&j, NULL);
    json_out_bool(&j, "good", good);
    json_out_array(&j, "errors");
    for (struct span rest = buf_span(&errors.text); rest.n > 0;) {
        size_t n = span_find(rest, '\n');
        json_out_span(&j, NULL, (struct span){rest.p, n});
        rest = span_skip(rest, n < rest.n ? n + 1 : n);
    }
    json_out_array_end(&j);
    json_out_object_end(&j);
    buf_put_char(&ctl->out, '\n');
    return good ? EXIT_YES : EXIT_CONFIG;
}

enum exit_status run_config_check(struct ctl *ctl)
{
    CLEANUP(settings_freep) struct settings *s = NULL;
    if (has(&ctl->args, OPT_JSON))
        return check_json(ctl);
    enum exit_status status = load(ctl, &s);
    if (status != EXIT_YES)
        return status;
    buf_printf(&ctl->out, "The configuration is good: %s, %zu partner%s, %zu client rule%s.\n",
        s->identity.issuer, s->n_partners, s->n_partners == 1 ? "" : "s", s->n_clients,
        s->n_clients == 1 ? "" : "s");
    return EXIT_YES;
}

/* "[Partner exch]" -> section and name; "Key=value" -> one object. */
static void put_setting_json(struct json_out *j, struct span section, struct span line)
{
    struct span words = {section.p + 1, section.n - 2};
    size_t blank = span_find(words, ' '), equals = span_find(line, '=');
    json_out_object(j, NULL);
    json_out_span(j, "section", (struct span){words.p, blank});
    if (blank < words.n)
        json_out_span(j, "name", span_skip(words, blank + 1));
    json_out_span(j, "key", (struct span){line.p, equals});
    json_out_span(j, "value", span_skip(line, equals + 1));
}

/* The printed configuration line by line: comments tell where the next setting comes from. */
static void put_settings_json(struct ctl *ctl, struct span text)
{
    struct json_out j;
    struct span section = {0}, origin = {0};
    json_out_start(&j, &ctl->out);
    json_out_array(&j, NULL);
    while (text.n > 0) {
        struct span line = {text.p, span_find(text, '\n')};
        text = span_skip(text, line.n < text.n ? line.n + 1 : line.n);
        if (span_starts(line, SPAN("[")))
            section = line;
        else if (span_starts(line, SPAN("# ")))
            origin = span_skip(line, 2);
        if (line.n == 0 || line.p[0] == '[' || line.p[0] == '#')
            continue;
        put_setting_json(&j, section, line);
        json_out_span(&j, "origin", origin);
        json_out_object_end(&j);
    }
    json_out_array_end(&j);
    buf_put_char(&ctl->out, '\n');
}

enum exit_status run_config_show(struct ctl *ctl)
{
    CLEANUP(settings_freep) struct settings *s = NULL;
    CLEANUP(buf_done) struct buf text = BUF_INIT(ctl->out.max);
    enum exit_status status = load(ctl, &s);
    if (status != EXIT_YES)
        return status;
    settings_print(s, &text);
    if (has(&ctl->args, OPT_JSON))
        put_settings_json(ctl, buf_span(&text));
    else
        buf_put_span(&ctl->out, buf_span(&text));
    return EXIT_YES;
}

/* explain */

static void put_reason(struct ctl *ctl, enum reason r)
{
    struct buf *out = &ctl->out;
    char diagnostics[512];
    put_coloured(out, &ctl->style, COLOUR_BOLD, span_of(reason_code(r)));
    buf_printf(out, "\n  %s.\n", reason_sentence(r));
    if (reason_advice(r)[0] != '\0')
        buf_printf(out, "  %s\n", reason_advice(r));
    if (reason_number(r) != 0)
        buf_printf(out, "  x-ms-diagnostics: %s\n",
            reason_diagnostics(r, diagnostics, sizeof(diagnostics)));
}

static void put_reason_json(struct json_out *j, enum reason r)
{
    json_out_object(j, NULL);
    json_out_str(j, "code", reason_code(r));
    json_out_str(j, "sentence", reason_sentence(r));
    json_out_str(j, "advice", reason_advice(r));
    json_out_int(j, "number", reason_number(r));
    json_out_str(j, "category", reason_category(r));
    json_out_object_end(j);
}

static void list_reasons(struct ctl *ctl)
{
    struct table t;
    table_start(&t, &ctl->style, "ll");
    for (unsigned r = 0; r < REASON_COUNT; r++) {
        table_text(&t, reason_code((enum reason)r));
        table_text(&t, reason_sentence((enum reason)r));
    }
    table_finish(&t, &ctl->out);
}

static void list_reasons_json(struct ctl *ctl)
{
    struct json_out j;
    json_out_start(&j, &ctl->out);
    json_out_array(&j, NULL);
    for (unsigned r = 0; r < REASON_COUNT; r++)
        put_reason_json(&j, (enum reason)r);
    json_out_array_end(&j);
    buf_put_char(&ctl->out, '\n');
}

static enum exit_status unknown_reason(struct ctl *ctl, const char *code)
{
    struct nearest near;
    nearest_start(&near, span_of(code));
    for (unsigned r = 0; r < REASON_COUNT; r++)
        nearest_offer(&near, reason_code((enum reason)r));
    buf_put_str(&ctl->err, "s2sctl: unknown reason code: ");
    put_safe(&ctl->err, span_of(code));
    buf_put_char(&ctl->err, '\n');
    if (near.best)
        buf_printf(&ctl->err, "Did you mean %s?\n", near.best);
    return EXIT_USAGE;
}

enum exit_status run_explain(struct ctl *ctl)
{
    bool json = has(&ctl->args, OPT_JSON);
    if (ctl->n_operands == 0) {
        (json ? list_reasons_json : list_reasons)(ctl);
        return EXIT_YES;
    }
    enum reason r = reason_of_code(ctl->operands[0]);
    if (r == REASON_COUNT)
        return unknown_reason(ctl, ctl->operands[0]);
    if (!json) {
        put_reason(ctl, r);
        return EXIT_YES;
    }
    struct json_out j;
    json_out_start(&j, &ctl->out);
    put_reason_json(&j, r);
    buf_put_char(&ctl->out, '\n');
    return EXIT_YES;
}
