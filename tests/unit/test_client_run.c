/* SPDX-License-Identifier: Apache-2.0 */
/* s2sctl as a whole: a command line against a daemon that is played, and what it prints and
 * returns. */
#include "ctl_fixture.h"

/* Against a played daemon. */

#define TOKEN "aaa.bbb.ccc"
#define MINTED                                                                                     \
    "{\"parameters\":{\"token\":\"" TOKEN "\",\"tokenType\":\"Bearer\",\"expiresAt\":1795611600,"  \
    "\"expiresIn\":3600,\"partner\":\"exch\"}}"
#define MINT(wish) "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{" wish "}}"
#define VALIDATE(more)                                                                             \
    "{\"method\":\"io.s2sd.validate.Validate\",\"parameters\":{\"token\":\"" TOKEN "\"" more "}}"
#define PARTNERS(state)                                                                            \
    "{\"partners\":[{\"name\":\"p\",\"trust\":\"full\",\"enabled\":true,\"issuer\":\"i\","         \
    "\"state\":\"" state "\",\"goodAt\":1,\"nextTryAt\":1,\"keys\":0}]}"
#define ONE_PARTNER(state) "{\"parameters\":" PARTNERS(state) "}"
#define ACCEPTED "{\"parameters\":{\"active\":true,\"partner\":\"exch\",\"expiresAt\":1795611600}}"

static const struct talk talks[] = {
    {"token mint exch", "", "io.s2sd.mint", {{MINT("\"resource\":\"exch\""), MINTED}}, EXIT_YES,
        TOKEN "\n", ""},
    {"token mint --user a@b.example --user-type smtp exch -l 15min --min-valid=60 --header", "",
        "io.s2sd.mint",
        {{MINT("\"resource\":\"exch\",\"user\":\"a@b.example\",\"userType\":\"smtp\","
               "\"lifetime\":900,\"minValidPeriod\":60"),
            MINTED}},
        EXIT_YES, "Authorization: Bearer " TOKEN "\n", ""},
    {"token mint exch --resource mail.example", "", "io.s2sd.mint",
        {{MINT("\"resource\":\"mail.example\""), MINTED}}, EXIT_YES, TOKEN "\n", ""},
    {"token mint sps --resource mail.example", "", "io.s2sd.mint",
        {{MINT("\"resource\":\"mail.example\""), MINTED}}, EXIT_NO, "",
        "s2sctl: that host belongs to partner exch; the token is thrown away\n"},
    {"token mint exch --json", "", "io.s2sd.mint", {{NULL, MINTED}}, EXIT_YES,
        "{\"token\":\"" TOKEN "\",\"tokenType\":\"Bearer\",\"expiresAt\":1795611600,\"expiresIn\":"
        "3600,\"partner\":\"exch\"}\n",
        ""},
    {"token mint exch", "", "io.s2sd.mint",
        {{NULL, ERROR("io.s2sd.mint.NotPermitted", "\"reason\":\"not_permitted\"")}},
        EXIT_FORBIDDEN, "",
        "s2sctl: No client rule lets this process do that (not_permitted)\n"
        "See [Client] in s2sd.conf(5).\n"},
    {"token mint exch", "", "io.s2sd.mint",
        {{NULL, ERROR("io.s2sd.mint.NotPermitted",
                    "\"reason\":\"not_permitted\",\"detail\":\"no [Client] section matches uid "
                    "7, gid 7\"")}},
        EXIT_FORBIDDEN, "",
        "s2sctl: No client rule lets this process do that: no [Client] section matches uid 7, gid "
        "7 (not_permitted)\nSee [Client] in s2sd.conf(5).\n"},
    {"token mint mail", "", "io.s2sd.mint",
        {{NULL, ERROR("io.s2sd.mint.InvalidTarget",
                    "\"reason\":\"ambiguous_target\",\"candidates\":\"exch, exch2\"")}},
        EXIT_NO, "",
        "s2sctl: Several partners answer to that address (ambiguous_target)\n"
        "Name the partner, or write applicationid/host@realm.\nCandidates: exch, exch2\n"},
    {"token mint exch -u x", "", "io.s2sd.mint",
        {{NULL, ERROR("io.s2sd.mint.Refused",
                    "\"reason\":\"user_malformed\",\"sentence\":\"Words of the daemon\"")}},
        EXIT_NO, "",
        "s2sctl: Words of the daemon (user_malformed)\n"
        "A SID or PUID alone needs AcceptSecurityIdentifier=yes.\n"},
    {"token mint exch", "", "io.s2sd.mint",
        {{NULL,
            ERROR("io.s2sd.mint.NotReady", "\"reason\":\"signer_unavailable\",\"retryAfter\":2")}},
        EXIT_UNREACHABLE, "",
        "s2sctl: The signer does not answer (signer_unavailable)\n"
        "systemctl status s2sd-signer.\nTry again in 2 s.\n"},
    {"token mint exch", "", "io.s2sd.mint",
        {{NULL, "{\"error\":\"org.varlink.service.MethodNotFound\"}"}}, EXIT_UNREACHABLE, "",
        "s2sctl: s2sd refuses the call: org.varlink.service.MethodNotFound\n"},
    {"token mint exch", "", "io.s2sd.mint", {{NULL, "{\"parameters\":{\"token\":\"x\"}}"}},
        EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    {"token mint exch", "", "io.s2sd.mint", {{NULL, "nonsense"}}, EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    {"reload", "", "io.s2sd.control",
        {{"{\"method\":\"io.s2sd.control.Reload\",\"parameters\":{}}", "{\"parameters\":{}}"}},
        EXIT_YES, "The configuration was read again.\n", ""},
    {"reload", "", "io.s2sd.control",
        {{NULL, ERROR("io.s2sd.control.ConfigRefused",
                    "\"errors\":\"s2sd: a.conf:3: no\\ns2sd-signer: b.conf:4: neither\\n\"")}},
        EXIT_CONFIG, "",
        "s2sd: a.conf:3: no\ns2sd-signer: b.conf:4: neither\n"
        "s2sctl: the new configuration was refused, the old one stays in force\n"},
    {"partners refresh exch", "", "io.s2sd.control",
        {{"{\"method\":\"io.s2sd.control.Refresh\",\"parameters\":{\"name\":\"exch\"}}",
            "{\"parameters\":{\"partners\":[{\"name\":\"exch\",\"reason\":\"ok\",\"sentence\":\"\","
            "\"detail\":\"\",\"changed\":true}]}}"}},
        EXIT_YES, "\u2713 exch: the keys have changed\n", ""},
    {"partners refresh", "", "io.s2sd.control",
        {{"{\"method\":\"io.s2sd.control.Refresh\",\"parameters\":{}}",
            "{\"parameters\":{\"partners\":[]}}"}},
        EXIT_YES, "No partner has a document to fetch.\n", ""},
    {"partners show nobody", "", "io.s2sd.control",
        {{"{\"method\":\"io.s2sd.control.ShowPartner\",\"parameters\":{\"name\":\"nobody\"}}",
            ERROR("io.s2sd.control.NoSuchPartner", "\"name\":\"nobody\"")}},
        EXIT_NO, "", "s2sctl: there is no partner nobody; s2sctl partners lists them\n"},
    {"partners", "", "io.s2sd.control",
        {{"{\"method\":\"io.s2sd.control.ListPartners\",\"parameters\":{}}",
            "{\"parameters\":{\"partners\":[]}}"}},
        EXIT_YES, "No partners are configured; see [Partner NAME] in s2sd.conf(5).\n", ""},
    {"partners list --json", "", "io.s2sd.control", {{NULL, "{\"parameters\":{\"partners\":[]}}"}},
        EXIT_YES, "{\"partners\":[]}\n", ""},
    {"partners list --json", "", "io.s2sd.control", {{NULL, ONE_PARTNER("fresh")}}, EXIT_YES,
        PARTNERS("fresh") "\n", ""},
    {"partners list --json", "", "io.s2sd.control", {{NULL, ONE_PARTNER("stale")}}, EXIT_NO,
        PARTNERS("stale") "\n", ""},
    {"partners list --json", "", "io.s2sd.control", {{NULL, ONE_PARTNER("never")}}, EXIT_NO,
        PARTNERS("never") "\n", ""},
    {"partners list --json", "", "io.s2sd.control", {{NULL, ONE_PARTNER("warn")}}, EXIT_YES,
        PARTNERS("warn") "\n", ""},
    {"partners list", "", "io.s2sd.control", {{NULL, "{\"parameters\":{\"partners\":[{}]}}"}},
        EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    {"token verify --utc", "Authorization: Bearer  " TOKEN " \r\n", "io.s2sd.validate",
        {{VALIDATE(",\"explain\":true"), ACCEPTED}}, EXIT_YES,
        "accepted: partner exch, until 2026-11-25 13:00 (in 60 min)\n", ""},
    /* Without the right to explain, the bare verdict. */
    {"token verify - --audience lync.example", TOKEN "\n", "io.s2sd.validate",
        {{VALIDATE(",\"audience\":\"lync.example\",\"explain\":true"),
             ERROR("io.s2sd.validate.NotPermitted", "\"reason\":\"not_permitted\"")},
            {VALIDATE(",\"audience\":\"lync.example\""), "{\"parameters\":{\"active\":false}}"}},
        EXIT_NO, "refused; only a rule with Allow=explain is told why\n", ""},
    {"token verify", TOKEN, "io.s2sd.validate",
        {{NULL, ERROR("io.s2sd.validate.NotPermitted", "\"reason\":\"not_permitted\"")},
            {NULL, ERROR("io.s2sd.validate.NotPermitted", "\"reason\":\"not_permitted\"")}},
        EXIT_FORBIDDEN, "",
        "s2sctl: No client rule lets this process do that (not_permitted)\n"
        "See [Client] in s2sd.conf(5).\n"},
    {"token verify --json", TOKEN, "io.s2sd.validate",
        {{NULL,
            "{\"parameters\":{\"active\":false,\"reason\":\"expired\",\"new\":[null,1.5,true]}}"}},
        EXIT_NO, "{\"active\":false,\"reason\":\"expired\",\"new\":[null,1.5,true]}\n", ""},
};

START_TEST(test_talk)
{
    check_talk(&talks[_i]);
}
END_TEST

/* Without any daemon. `err` is the beginning of what is said. */
static const struct {
    const char *line, *input;
    enum exit_status status;
    const char *out, *err;
} alone[] = {
    {"", "", EXIT_UNREACHABLE, "", "s2sctl: s2sd is not running: nobody listens at "},
    {"status", "", EXIT_UNREACHABLE, "", "s2sctl: s2sd is not running: nobody listens at "},
    {"stauts", "", EXIT_USAGE, "",
        "s2sctl: unknown command: stauts\nDid you mean s2sctl status?\n"},
    {"token verfy x", "", EXIT_USAGE, "",
        "s2sctl: unknown command: token verfy\nDid you mean s2sctl token verify?\n"},
    {"token", "", EXIT_USAGE, "", "s2sctl: unknown command: token\nUsage: s2sctl [COMMAND]"},
    {"flobber", "", EXIT_USAGE, "",
        "s2sctl: unknown command: flobber\ns2sctl help lists the commands.\n"},
    {"status --jsn", "", EXIT_USAGE, "", "s2sctl: unknown option: jsn\nDid you mean --json?\n"},
    {"status -x", "", EXIT_USAGE, "", "s2sctl: unknown option: x\n"},
    {"status --json=1", "", EXIT_USAGE, "", "s2sctl: takes no value: json\n"},
    {"status --runtime-dir", "", EXIT_USAGE, "", "s2sctl: needs a value: runtime-dir\n"},
    {"status --json -j", "", EXIT_USAGE, "", "s2sctl: given twice: json\n"},
    {"status extra", "", EXIT_USAGE, "", "s2sctl: usage: s2sctl status\n"},
    {"partners show", "", EXIT_USAGE, "", "s2sctl: usage: s2sctl partners show NAME\n"},
    {"partners show a b", "", EXIT_USAGE, "", "s2sctl: usage: s2sctl partners show NAME\n"},
    {"status --user x", "", EXIT_USAGE, "", "s2sctl: status takes no option --user\n"},
    {"reload --json", "", EXIT_USAGE, "", "s2sctl: reload takes no option --json\n"},
    {"token mint exch -l soon", "", EXIT_USAGE, "",
        "s2sctl: --lifetime wants a span of time such as 900 or 15min\n"},
    {"token mint exch --user-type upn", "", EXIT_USAGE, "",
        "s2sctl: --user-type is upn, smtp, sip or nameid, and stands beside --user\n"},
    {"token verify --at 5", TOKEN, EXIT_USAGE, "",
        "s2sctl: --at needs --offline: the daemon judges by its own clock and documents\n"},
    {"token verify", " \n", EXIT_NO, "", "s2sctl: there is no token in standard input\n"},
    {"token verify /nonexistent/token", "", EXIT_NO, "",
        "s2sctl: cannot open /nonexistent/token: "},
    {"token inspect", "a.b", EXIT_NO, "", "s2sctl: the token cannot be decoded: "},
    {"token inspect", "e30.e30=.", EXIT_NO, "", "s2sctl: the claims cannot be decoded: "},
    {"token inspect", "W10.e30.", EXIT_NO, "", "s2sctl: the header cannot be decoded: "},
    {"token inspect --json", "e30.e30.YWI", EXIT_YES,
        "{\"checked\":false,\"signatureLength\":2,\"header\":{},\"claims\":{}}\n", ""},
    {"explain expired", "", EXIT_YES,
        "expired\n  The token has expired.\n  Compare the clocks of both machines; the sender may "
        "be "
        "reusing an old token.\n  x-ms-diagnostics: 2000002;reason=\"The token has expired.\";"
        "error_category=\"token_expired\"\n",
        ""},
    {"explain expird", "", EXIT_USAGE, "",
        "s2sctl: unknown reason code: expird\nDid you mean expired?\n"},
    {"explain no_such_partner --json", "", EXIT_YES,
        "{\"code\":\"no_such_partner\",\"sentence\":\"No partner of that name or address\","
        "\"advice\":\"s2sctl partners lists them.\",\"number\":0,\"category\":\"\"}\n",
        ""},
    {"version", "", EXIT_YES, "s2sctl " S2SD_VERSION "\n", ""},
    {"--version", "", EXIT_YES, "s2sctl " S2SD_VERSION "\n", ""},
    {"version --json", "", EXIT_YES, "{\"version\":\"" S2SD_VERSION "\"}\n", ""},
    {"help nonsense", "", EXIT_USAGE, "", "s2sctl: unknown command: nonsense\n"},
    {"config check --config-dir /nonexistent", "", EXIT_CONFIG, "", "/nonexistent/s2sd.conf: "},
};

START_TEST(test_alone)
{
    struct ctl ctl;
    char line[512];
    snprintf(line, sizeof(line), "%s", alone[_i].line);
    if (alone[_i].status == EXIT_UNREACHABLE)
        snprintf(line, sizeof(line), "--runtime-dir=%s %s", folder.path, alone[_i].line);
    enum exit_status status = run(&ctl, line, alone[_i].input);
    ck_assert_str_eq(text_of(&ctl.out), alone[_i].out);
    ck_assert_int_eq(strncmp(text_of(&ctl.err), alone[_i].err, strlen(alone[_i].err)), 0);
    if (alone[_i].err[0] == '\0')
        ck_assert_str_eq(text_of(&ctl.err), "");
    ck_assert_int_eq(status, alone[_i].status);
    ctl_done(&ctl);
}
END_TEST

/* An environment of one variable. */
static const char *the_variable, *the_value;

static const char *one_variable(const char *name)
{
    return strcmp(name, the_variable) == 0 ? the_value : NULL;
}

/* A socket that a killed daemon left behind. */
START_TEST(test_dead_socket)
{
    struct ctl ctl;
    char line[256];
    struct fake_daemon d = fake_daemon_start(folder.path, "io.s2sd.control", NULL, 0);
    fake_daemon_stop(&d);
    snprintf(line, sizeof(line), "status --runtime-dir %s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_UNREACHABLE);
    ck_assert(span_starts(buf_span(&ctl.err), SPAN("s2sctl: s2sd is not running: ")));
    ctl_done(&ctl);
}
END_TEST

START_TEST(test_runtime_dir_of_the_environment)
{
    struct ctl ctl;
    const struct surroundings w = {.variable = one_variable};
    the_variable = "S2SD_RUNTIME_DIR";
    the_value = folder.path;
    ck_assert_int_eq(run_in(&ctl, "status", "", &w), EXIT_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(ctl.err.p, folder.path));
    ctl_done(&ctl);
}
END_TEST

START_TEST(test_every_command_has_help_with_two_examples)
{
    for (size_t i = 0; i < commands_n; i++) {
        struct ctl ctl;
        char line[64];
        const struct command *c = &commands[i];
        snprintf(line, sizeof(line), "%s %s --help", c->group, c->verb ? c->verb : "");
        if (!c->verb)
            snprintf(line, sizeof(line), "help %s", c->group);
        ck_assert_int_eq(run(&ctl, line, ""), EXIT_YES);
        const char *examples = strstr(ctl.out.p, "\nExamples:\n  s2sctl ");
        ck_assert_msg(examples != NULL, "%s", line);
        ck_assert_ptr_nonnull(strstr(ctl.out.p, c->summary));
        unsigned lines = 0;
        for (const char *at = examples + 1; *at; at++)
            lines += *at == '\n';
        ck_assert_uint_eq(lines, 3);
        ctl_done(&ctl);
    }
}
END_TEST

START_TEST(test_overview_names_every_command)
{
    struct ctl ctl;
    ck_assert_int_eq(run(&ctl, "--help", ""), EXIT_YES);
    for (size_t i = 0; i < commands_n; i++)
        ck_assert_ptr_nonnull(strstr(ctl.out.p, commands[i].summary));
    ctl_done(&ctl);
}
END_TEST

/* Every command and every option is in s2sctl(1). */
START_TEST(test_manual_is_complete)
{
    CLEANUP(fclosep) FILE *f = fopen("docs/s2sctl.1.scd", "r");
    ck_assert_msg(f != NULL, "run from the top of the tree");
    static char text[65536];
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    for (size_t i = 0; i < commands_n; i++) {
        char head[64];
        snprintf(head, sizeof(head), commands[i].verb ? "\n*%s %s*" : "\n*%s%s*", commands[i].group,
            commands[i].verb ? commands[i].verb : "");
        ck_assert_msg(strstr(text, head) != NULL, "%s", head);
    }
    for (size_t o = 0; o < OPT_COUNT; o++) {
        char option[64];
        snprintf(option, sizeof(option), "*--%s*", option_rows[o].name);
        ck_assert_msg(strstr(text, option) != NULL, "%s", option);
    }
}
END_TEST

/* Colours: on a terminal only, and not when anybody objects. */
START_TEST(test_colours)
{
    static const struct {
        bool terminal;
        const char *variable, *option;
        bool colour;
    } table[] = {
        {true, "", "", true},
        {false, "", "", false},
        {true, "NO_COLOR", "", false},
        {true, "TERM", "", false},
        {true, "", "--no-color", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct ctl ctl;
        char line[64];
        const struct surroundings w = {.terminal = table[i].terminal, .variable = one_variable};
        the_variable = table[i].variable;
        the_value = "dumb";
        snprintf(line, sizeof(line), "explain expired %s", table[i].option);
        ck_assert_int_eq(run_in(&ctl, line, "", &w), EXIT_YES);
        ck_assert_int_eq(strstr(ctl.out.p, "\033[") != NULL, table[i].colour);
        ctl_done(&ctl);
    }
}
END_TEST

/* Configuration. */

#define IDENTITY                                                                                   \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"

START_TEST(test_config)
{
    struct ctl ctl;
    char line[256], wanted[512];
    temp_dir_write(&folder, "s2sd.conf", SPAN(IDENTITY "[Log]\nLevel=info\n"), 0644);
    snprintf(line, sizeof(line), "config check --config-dir %s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_YES);
    ck_assert_str_eq(ctl.out.p,
        "The configuration is good: 00000004-0000-0ff1-ce00-000000000000@contoso.example, 0 "
        "partners, 0 client rules.\n");
    ctl_done(&ctl);
    snprintf(line, sizeof(line), "config show --json --config-dir %s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_YES);
    snprintf(wanted, sizeof(wanted),
        ",{\"section\":\"Log\",\"key\":\"Level\",\"value\":\"info\",\"origin\":\"%s/s2sd.conf:6\"}]"
        "\n",
        folder.path);
    ck_assert_ptr_nonnull(strstr(ctl.out.p, wanted));
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "{\"section\":\"Refresh\",\"key\":\"Interval\","
                                            "\"value\":\"1h\",\"origin\":\"default\"}"));
    ctl_done(&ctl);
    snprintf(line, sizeof(line), "config show --config-dir=%s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_YES);
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "[Refresh]\n# default\nInterval=1h\n"));
    ctl_done(&ctl);
}
END_TEST

START_TEST(test_config_with_mistakes)
{
    struct ctl ctl;
    char line[256], wanted[512];
    temp_dir_write(&folder, "s2sd.conf", SPAN(IDENTITY "[Log]\nLevel=loud\nColour=x\n"), 0644);
    snprintf(line, sizeof(line), "config check --config-dir %s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_CONFIG);
    snprintf(wanted, sizeof(wanted),
        "%s/s2sd.conf:6: [Log] Level=: \"loud\" is not one of err, warning, notice, info, debug\n"
        "%s/s2sd.conf:7: unknown setting Colour= in [Log]\n",
        folder.path, folder.path);
    ck_assert_str_eq(ctl.err.p, wanted);
    ctl_done(&ctl);
    snprintf(line, sizeof(line), "config check -j --config-dir %s", folder.path);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_CONFIG);
    ck_assert(span_starts(buf_span(&ctl.out), SPAN("{\"good\":false,\"errors\":[\"/tmp/")));
    ctl_done(&ctl);
}
END_TEST

/* Inspection shows what a stranger wrote, and that nobody has checked it. */
START_TEST(test_inspect_screen)
{
    struct ctl ctl;
    CLEANUP(fclosep) FILE *f = fopen("tests/golden/token.txt", "r");
    static char wanted[8192];
    ck_assert_ptr_nonnull(f);
    wanted[fread(wanted, 1, sizeof(wanted) - 1, f)] = '\0';
    ck_assert_int_eq(
        run(&ctl, "token inspect --utc tests/vectors/synthetic/outer-unsigned.jwt", ""), EXIT_YES);
    ck_assert_str_eq(ctl.out.p, wanted);
    ctl_done(&ctl);
    /* {"alg":"x"} and {"exp":"1795608060","a":"ESC[31m","b":[1,2],"c":{},"d":null,"e":false} */
    ck_assert_int_eq(
        run(&ctl, "token inspect --utc",
            "eyJhbGciOiJ4In0.eyJleHAiOiIxNzk1NjA4MDYwIiwiYSI6Ilx1MDAxYlszMW0iLCJiIjpbMSwy"
            "XSwiYyI6e30sImQiOm51bGwsImUiOmZhbHNlfQ."),
        EXIT_YES);
    ck_assert_str_eq(strstr(ctl.out.p, "Claims\n"),
        "Claims\n"
        "  exp                  1795608060  2026-11-25 12:01, in 60 s\n"
        "  a                    \\x1b[31m\n"
        "  b                    (2 elements)\n"
        "  c                    (0 members)\n"
        "  d                    null\n"
        "  e                    false\n");
    ctl_done(&ctl);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_talk, 0, (int)ARRAY_LEN(talks));
    tcase_add_loop_test(t, test_alone, 0, (int)ARRAY_LEN(alone));
    tcase_add_test(t, test_dead_socket);
    tcase_add_test(t, test_runtime_dir_of_the_environment);
    tcase_add_test(t, test_every_command_has_help_with_two_examples);
    tcase_add_test(t, test_overview_names_every_command);
    tcase_add_test(t, test_manual_is_complete);
    tcase_add_test(t, test_colours);
    tcase_add_test(t, test_config);
    tcase_add_test(t, test_config_with_mistakes);
    tcase_add_test(t, test_inspect_screen);
}

int main(void)
{
    return unit_run("client_run", fill);
}
