/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "nearest.h"

#include <stdlib.h>

#define DEFAULT_RUNTIME_DIR "/run/s2sd"
#define DEFAULT_SIGNER_DIR "/run/s2sd-signer"
#define OUT_MAX ((size_t)16 * 1024 * 1024)

const struct command commands[] = {
    {"status", NULL, true, "", 0, 0, OPT(OPT_JSON), run_status,
        "Show the daemon, its keys and its partners",
        {"s2sctl status", "s2sctl status --json | jq .partners"}},
    {"partners", "list", true, "", 0, 0, OPT(OPT_JSON), run_partners_list,
        "List partners and how fresh their documents are",
        {"s2sctl partners", "s2sctl partners list --utc"}},
    {"partners", "show", false, "NAME", 1, 1, OPT(OPT_JSON), run_partners_show,
        "Show one partner: document, keys, users, history",
        {"s2sctl partners show exch", "s2sctl partners show exch --json"}},
    {"partners", "refresh", false, "[NAME]", 0, 1, OPT(OPT_JSON), run_partners_refresh,
        "Fetch the document of one partner, or of all, now",
        {"s2sctl partners refresh", "s2sctl partners refresh exch"}},
    {"partners", "bar", false, "NAME KEY", 2, 2, OPT(OPT_JSON), run_partners_bar,
        "Refuse one key of a partner from now on, whatever its document says",
        {"s2sctl partners bar exch 66AD66514D1A9F2B7C3D4E5F60718293A4B5C6D7",
            "s2sctl partners show exch --json | jq -r '.keys[].thumbprint'"}},
    {"partners", "unbar", false, "NAME KEY", 2, 2, OPT(OPT_JSON), run_partners_unbar,
        "Believe a barred key again",
        {"s2sctl partners unbar exch 66AD66514D1A9F2B7C3D4E5F60718293A4B5C6D7",
            "s2sctl partners show exch"}},
    {"partners", "suspend", false, "NAME", 1, 1, OPT(OPT_JSON), run_partners_suspend,
        "Neither accept nor mint tokens of a partner until it is resumed",
        {"s2sctl partners suspend exch", "s2sctl partners resume exch"}},
    {"partners", "resume", false, "NAME", 1, 1, OPT(OPT_JSON), run_partners_resume,
        "End a suspension", {"s2sctl partners resume exch", "s2sctl partners show exch"}},
    {"partners", "approve", false, "NAME", 1, 1, OPT(OPT_JSON), run_partners_approve,
        "Take the document of a partner that was held back",
        {"s2sctl partners approve exch", "s2sctl partners show exch"}},
    {"partners", "confirm", false, "NAME", 1, 1, OPT(OPT_JSON), run_partners_confirm,
        "Say that a partner has read the keys that we publish now",
        {"s2sctl partners confirm exch", "s2sctl cert list"}},
    {"cert", "list", true, "", 0, 0, OPT(OPT_JSON) | OPT(OPT_TIMELINE) | OPT(OPT_SPAN),
        run_cert_list, "Show our keys, who has seen them, and the partners' keys",
        {"s2sctl cert list", "s2sctl cert list --timeline --span 90d"}},
    {"cert", "roll", false, "--prepare|--now|--abort", 0, 0,
        OPT(OPT_JSON) | OPT(OPT_PREPARE) | OPT(OPT_NOW) | OPT(OPT_ABORT) | OPT(OPT_EFFECTIVE) |
            OPT(OPT_DRY_RUN) | OPT(OPT_FORCE),
        run_cert_roll, "Publish a next key, let it sign, or take it back",
        {"s2sctl cert roll --prepare --effective +30d", "s2sctl cert roll --now --dry-run"}},
    {"cert", "withdraw", false, "THUMBPRINT", 1, 1,
        OPT(OPT_JSON) | OPT(OPT_DRY_RUN) | OPT(OPT_FORCE), run_cert_withdraw,
        "Take one of our keys out of the document and wipe it",
        {"s2sctl cert withdraw 681F71C3614D1A9F2B7C3D4E5F60718293A4B5C6 --dry-run",
            "s2sctl cert list --json | jq -r '.keys[].thumbprint'"}},
    {"cert", "clear-previous", false, "", 0, 0, OPT(OPT_JSON) | OPT(OPT_DRY_RUN) | OPT(OPT_FORCE),
        run_cert_clear_previous, "Stop publishing the previous key before its time",
        {"s2sctl cert clear-previous --dry-run", "s2sctl cert clear-previous"}},
    {"pool", "list", true, "", 0, 0, OPT(OPT_JSON), run_pool_list,
        "Show the servers that are this application too, and whether they publish our keys",
        {"s2sctl pool", "s2sctl pool list --json"}},
    {"pool", "refresh", false, "", 0, 0, OPT(OPT_JSON), run_pool_refresh,
        "Fetch the documents of all members of the pool now",
        {"s2sctl pool refresh", "s2sctl pool refresh && s2sctl cert list"}},
    {"cert", "request", false, "", 0, 0, OPT(OPT_JSON) | OPT(OPT_NAME), run_cert_request,
        "Make a key in the signer and print a certificate request for it",
        {"s2sctl cert request > s2sd.csr", "s2sctl cert request --name lync.contoso.example"}},
    {"cert", "assign", false, "FILE", 1, 1,
        OPT(OPT_JSON) | OPT(OPT_EFFECTIVE) | OPT(OPT_PASSWORD_FILE) | OPT(OPT_DRY_RUN) |
            OPT(OPT_FORCE),
        run_cert_assign, "Bring a key and its certificate (.pfx, .pem) as the next key",
        {"s2sctl cert assign s2sd.crt", "s2sctl cert assign key.pfx --effective 2027-04-02"}},
    {"cert", "export", false, "[THUMBPRINT]", 0, 1,
        OPT(OPT_JSON) | OPT(OPT_SEALED) | OPT(OPT_PASSWORD_FILE), run_cert_export,
        "Print one of our certificates, or seal it with its key into a file",
        {"s2sctl cert export > s2sd.pem", "s2sctl cert export --sealed key.pfx"}},
    {"token", "mint", false, "PARTNER", 1, 1,
        OPT(OPT_JSON) | OPT(OPT_USER) | OPT(OPT_USER_TYPE) | OPT(OPT_RESOURCE) | OPT(OPT_LIFETIME) |
            OPT(OPT_MIN_VALID) | OPT(OPT_HEADER),
        run_token_mint, "Get a token for a partner; nothing else goes to standard output",
        {"s2sctl token mint exch", "s2sctl token mint exch --user alice@contoso.example --header | "
                                   "curl -H @- https://..."}},
    {"token", "inspect", false, "[FILE]", 0, 1, OPT(OPT_JSON), run_token_inspect,
        "Decode a token without checking it",
        {"s2sctl token inspect token.jwt", "s2sctl token mint exch | s2sctl token inspect"}},
    {"token", "verify", false, "[FILE]", 0, 1,
        OPT(OPT_JSON) | OPT(OPT_AUDIENCE) | OPT(OPT_OFFLINE) | OPT(OPT_METADATA) | OPT(OPT_AT) |
            OPT(OPT_SELF) | OPT(OPT_PERMIT) | OPT(OPT_CONFIG_DIR),
        run_token_verify, "Judge a token as the daemon does and show each step",
        {"s2sctl token verify token.jwt",
            "s2sctl token verify --offline --self ID/HOST@REALM --metadata doc.json token.jwt"}},
    {"reload", NULL, true, "", 0, 0, 0, run_reload, "Make the daemon read its configuration again",
        {"s2sctl reload", "s2sctl config check && s2sctl reload"}},
    {"config", "check", false, "", 0, 0, OPT(OPT_JSON) | OPT(OPT_CONFIG_DIR), run_config_check,
        "Check the configuration files; all mistakes at once",
        {"s2sctl config check", "s2sctl config check --config-dir ./etc"}},
    {"config", "show", false, "", 0, 0, OPT(OPT_JSON) | OPT(OPT_CONFIG_DIR), run_config_show,
        "Show the effective configuration and where each setting comes from",
        {"s2sctl config show", "s2sctl config show | grep -A1 Interval"}},
    {"explain", NULL, true, "[CODE]", 0, 1, OPT(OPT_JSON), run_explain,
        "Explain a reason code; without one list them all",
        {"s2sctl explain expired", "s2sctl explain | grep fetch_"}},
    {"help", NULL, true, "[COMMAND]", 0, 2, 0, run_help, "Show how s2sctl or one command is used",
        {"s2sctl help", "s2sctl help token mint"}},
    {"version", NULL, true, "", 0, 0, OPT(OPT_JSON), run_version, "Show the version of s2sctl",
        {"s2sctl version", "s2sctl version --json"}},
};
const size_t commands_n = ARRAY_LEN(commands);

/* Every command takes these. */
#define COMMON_OPTIONS                                                                             \
    (OPT(OPT_HELP) | OPT(OPT_VERSION) | OPT(OPT_RUNTIME_DIR) | OPT(OPT_NO_COLOR) |                 \
        OPT(OPT_ASCII) | OPT(OPT_UTC))

void ctl_say(struct ctl *ctl, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_put_str(&ctl->err, "s2sctl: ");
    buf_vprintf(&ctl->err, fmt, ap);
    buf_put_char(&ctl->err, '\n');
    va_end(ap);
}

static bool is_word(const char *word, const char *text)
{
    return word && text && strcmp(word, text) == 0;
}

/* "token mint" needs both words; "partners" alone means its default. */
static const struct command *find_command(const char *group, const char *verb, size_t *ret_words)
{
    const struct command *found = NULL;
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        if (!is_word(c->group, group))
            continue;
        if (is_word(c->verb, verb)) {
            *ret_words = 2;
            return c;
        }
        if (c->by_default && (!verb || !c->verb)) {
            *ret_words = 1;
            found = c;
        }
    }
    return found;
}

static void suggest(struct ctl *ctl, const char *group, const char *verb)
{
    struct nearest near;
    bool group_known = false;
    for (size_t i = 0; i < commands_n; i++)
        group_known = group_known || is_word(commands[i].group, group);
    nearest_start(&near, span_of(group_known && verb ? verb : group));
    for (size_t i = 0; i < commands_n; i++)
        if (!group_known)
            nearest_offer(&near, commands[i].group);
        else if (is_word(commands[i].group, group) && commands[i].verb)
            nearest_offer(&near, commands[i].verb);
    if (near.best && group_known)
        buf_printf(&ctl->err, "Did you mean s2sctl %s %s?\n", group, near.best);
    else if (near.best)
        buf_printf(&ctl->err, "Did you mean s2sctl %s?\n", near.best);
    else if (group_known)
        put_help(&ctl->err, group, NULL);
    else
        buf_put_str(&ctl->err, "s2sctl help lists the commands.\n");
}

static enum exit_status refuse_command(struct ctl *ctl)
{
    const char *group = ctl->args.words[0];
    const char *verb = ctl->args.n_words > 1 ? ctl->args.words[1] : NULL;
    buf_put_str(&ctl->err, "s2sctl: unknown command: ");
    put_safe(&ctl->err, span_of(group));
    if (verb) {
        buf_put_char(&ctl->err, ' ');
        put_safe(&ctl->err, span_of(verb));
    }
    buf_put_char(&ctl->err, '\n');
    suggest(ctl, group, verb);
    return EXIT_USAGE;
}

static const char *full_name(const struct command *c, char out[48])
{
    snprintf(out, 48, c->verb ? "%s %s" : "%s%s", c->group, c->verb ? c->verb : "");
    return out;
}

/* Options that another command has, and the number of operands. */
static bool fits(struct ctl *ctl, const struct command *c)
{
    char name[48];
    uint64_t foreign = ctl->args.given & ~(c->options | COMMON_OPTIONS);
    for (unsigned o = 0; o < OPT_COUNT; o++)
        if (foreign & OPT(o)) {
            ctl_say(ctl, "%s takes no option --%s", full_name(c, name), option_rows[o].name);
            return false;
        }
    if (ctl->n_operands >= c->min && ctl->n_operands <= c->max)
        return true;
    ctl_say(
        ctl, "usage: s2sctl %s%s%s", full_name(c, name), c->operands[0] ? " " : "", c->operands);
    return false;
}

/* The locale decides about characters as everywhere: LC_ALL, else LC_CTYPE, else LANG. */
static bool locale_is_utf8(const struct surroundings *w)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = w->variable(names[i]);
        if (value && value[0] != '\0')
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8");
    }
    return false;
}

static bool is_set(const struct surroundings *w, const char *name)
{
    const char *value = w->variable(name);
    return value && value[0] != '\0';
}

/* What COLUMNS says, else the terminal; 0 when neither does. */
static unsigned columns_of(const struct surroundings *w)
{
    const char *text = w->variable("COLUMNS");
    unsigned columns = 0;
    for (; text && ascii_is_digit(*text) && columns < 10000; text++)
        columns = columns * 10 + (unsigned)(*text - '0');
    return columns > 0 && *text == '\0' ? columns : w->columns;
}

static void take_surroundings(struct ctl *ctl, const struct surroundings *w)
{
    const struct arguments *a = &ctl->args;
    bool dumb = is_word("dumb", w->variable("TERM"));
    ctl->in = w->in;
    ctl->style.now = w->now;
    ctl->style.utc = has(a, OPT_UTC);
    ctl->style.columns = columns_of(w);
    ctl->style.ascii = has(a, OPT_ASCII) || !locale_is_utf8(w);
    ctl->style.colour = w->terminal && !dumb && !is_set(w, "NO_COLOR") && !has(a, OPT_NO_COLOR);
    ctl->config_dir = a->values[OPT_CONFIG_DIR];
    ctl->runtime_dir = a->values[OPT_RUNTIME_DIR];
    if (!ctl->runtime_dir && is_set(w, "S2SD_RUNTIME_DIR"))
        ctl->runtime_dir = w->variable("S2SD_RUNTIME_DIR");
    /* --all keeps every socket in one folder. */
    ctl->signer_dir = ctl->runtime_dir ? ctl->runtime_dir : DEFAULT_SIGNER_DIR;
    if (!ctl->runtime_dir)
        ctl->runtime_dir = DEFAULT_RUNTIME_DIR;
}

static enum exit_status run_words(struct ctl *ctl)
{
    const struct arguments *a = &ctl->args;
    size_t used = 0;
    const char *group = a->n_words > 0 ? a->words[0] : "status";
    const struct command *c = find_command(group, a->n_words > 1 ? a->words[1] : NULL, &used);
    if (has(a, OPT_VERSION))
        return run_version(ctl);
    if (has(a, OPT_HELP) && !c) {
        bool known = put_help(&ctl->out, a->n_words > 0 ? group : NULL, NULL);
        return known ? EXIT_YES : refuse_command(ctl);
    }
    if (!c)
        return refuse_command(ctl);
    if (has(a, OPT_HELP)) {
        put_help(&ctl->out, a->n_words > 0 ? c->group : NULL, c->verb);
        return EXIT_YES;
    }
    ctl->command = c;
    ctl->operands = a->words + (a->n_words < used ? a->n_words : used);
    ctl->n_operands = a->n_words < used ? 0 : a->n_words - used;
    return fits(ctl, c) ? c->run(ctl) : EXIT_USAGE;
}

enum exit_status ctl_run(struct ctl *ctl, int argc, char *const *argv, const struct surroundings *w)
{
    *ctl = (struct ctl){0};
    ctl->out = (struct buf){.max = OUT_MAX, .secret = true};
    ctl->err = BUF_INIT(OUT_MAX);
    if (!arguments_read(argc, argv, &ctl->args, &ctl->err))
        return EXIT_USAGE;
    take_surroundings(ctl, w);
    enum exit_status status = run_words(ctl);
    if (!ctl->out.failed)
        return status;
    ctl_say(ctl, "out of memory");
    return EXIT_NO;
}

void ctl_done(struct ctl *ctl)
{
    varlink_client_freep(&ctl->link);
    buf_done(&ctl->out);
    buf_done(&ctl->err);
}

/* Help. */

static void put_usage(struct buf *out, const struct command *c)
{
    buf_printf(out, "s2sctl %s", c->group);
    if (c->verb)
        buf_printf(out, c->by_default ? " [%s]" : " %s", c->verb);
    if (c->operands[0])
        buf_printf(out, " %s", c->operands);
}

/* A usage that is too long has a line of its own. */
#define USAGE_WIDTH 34

static void put_command_line(struct buf *out, const struct command *c)
{
    CLEANUP(buf_done) struct buf usage = BUF_INIT(128);
    put_usage(&usage, c);
    buf_put_str(out, "  ");
    buf_put_span(out, buf_span(&usage));
    if (usage.n > USAGE_WIDTH)
        buf_printf(out, "\n  %*s", USAGE_WIDTH, "");
    else
        buf_printf(out, "%*s", USAGE_WIDTH - (int)usage.n, "");
    buf_printf(out, " %s\n", c->summary);
}

static void put_options(struct buf *out, uint64_t options)
{
    for (unsigned o = 0; o < OPT_COUNT; o++) {
        if (!(options & OPT(o)))
            continue;
        CLEANUP(buf_done) struct buf usage = BUF_INIT(128);
        option_usage(&usage, (enum option)o);
        buf_put_char(&usage, '\0');
        buf_printf(out, "  %-26s %s\n", usage.failed ? "" : usage.p, option_rows[o].help);
    }
}

/* What the words of a group mean, behind the summary of each of its commands. */
static const struct {
    const char *group, *text;
} words_of_groups[] = {
    {"cert",
        "\nA next key is published in our document and does not sign yet; from its effective date "
        "on\n"
        "it is the current key and signs; after that it is a previous key, published until the "
        "last\n"
        "token it signed has ended; then it is retired and wiped. Exchange, Lync and SharePoint "
        "say\n"
        "next, current and previous certificate. A next key is held while a partner that does not\n"
        "fetch our document by itself has not been confirmed. See STATES OF A KEY in s2sctl(1).\n"},
    {"partners", "\nA key of a partner is new while it waits for HoldDown=, valid, missing when "
                 "the last document\n"
                 "did not hold it, gone when it is not believed any more, barred when an "
                 "administrator said so.\n"},
};

static void put_words_of_group(struct buf *out, const char *group)
{
    for (size_t i = 0; i < ARRAY_LEN(words_of_groups); i++)
        if (is_word(group, words_of_groups[i].group))
            buf_put_str(out, words_of_groups[i].text);
}

static void put_command_help(struct buf *out, const struct command *c)
{
    buf_put_str(out, "Usage: ");
    put_usage(out, c);
    buf_printf(out, " [OPTION...]\n%s.\n", c->summary);
    put_words_of_group(out, c->group);
    if (c->options) {
        buf_put_str(out, "\nOptions:\n");
        put_options(out, c->options);
    }
    buf_put_str(out, "\nFor every command:\n");
    put_options(out, COMMON_OPTIONS);
    buf_put_str(out, "\nExamples:\n");
    for (size_t i = 0; i < ARRAY_LEN(c->examples); i++)
        buf_printf(out, "  %s\n", c->examples[i]);
}

/* The first example of each command of the group. */
static void put_group_examples(struct buf *out, const char *group)
{
    buf_put_str(out, "\nExamples:\n");
    for (size_t i = 0; i < commands_n; i++)
        if (is_word(commands[i].group, group))
            buf_printf(out, "  %s\n", commands[i].examples[0]);
}

static void put_overview(struct buf *out, const char *group)
{
    buf_put_str(out, "Usage: s2sctl [COMMAND] [OPTION...]\n\nCommands:\n");
    for (size_t i = 0; i < commands_n; i++)
        if (!group || is_word(commands[i].group, group))
            put_command_line(out, &commands[i]);
    if (group) {
        put_words_of_group(out, group);
        put_group_examples(out, group);
        return;
    }
    buf_put_str(out, "\nFor every command:\n");
    put_options(out, COMMON_OPTIONS);
    buf_put_str(out,
        "\nExit status: 0 yes, 1 no, 2 usage, 3 daemon not reachable, 4 not permitted, "
        "78 configuration.\nExamples:\n  s2sctl\n  s2sctl help token verify\n"
        "See s2sctl(1).\n");
}

bool put_help(struct buf *out, const char *group, const char *verb)
{
    size_t used, of_group = 0;
    const struct command *c = group ? find_command(group, verb, &used) : NULL;
    for (size_t i = 0; i < commands_n; i++)
        of_group += !group || is_word(commands[i].group, group);
    if (of_group == 0 || (verb && (!c || !c->verb)))
        return false;
    /* A group of several commands asked for by its name alone shows them all. */
    if (c && (verb || of_group == 1))
        put_command_help(out, c);
    else
        put_overview(out, group);
    return true;
}

enum exit_status run_help(struct ctl *ctl)
{
    const char *group = ctl->n_operands > 0 ? ctl->operands[0] : NULL;
    const char *verb = ctl->n_operands > 1 ? ctl->operands[1] : NULL;
    if (put_help(&ctl->out, group, verb))
        return EXIT_YES;
    buf_put_str(&ctl->err, "s2sctl: unknown command: ");
    put_safe(&ctl->err, span_of(group));
    buf_put_char(&ctl->err, '\n');
    suggest(ctl, group, verb);
    return EXIT_USAGE;
}

enum exit_status run_version(struct ctl *ctl)
{
    if (has(&ctl->args, OPT_JSON))
        buf_put_str(&ctl->out, "{\"version\":\"" S2SD_VERSION "\"}\n");
    else
        buf_put_str(&ctl->out, "s2sctl " S2SD_VERSION "\n");
    return EXIT_YES;
}
