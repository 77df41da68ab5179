/* SPDX-License-Identifier: Apache-2.0 */
/* s2sctl cert and the decisions about partners, against a daemon that is played. */
#include "ctl_fixture.h"
#include "key_needs.h"

#define CONTROL "io.s2sd.control"
#define CALL(method, parameters)                                                                   \
    "{\"method\":\"" CONTROL "." method "\",\"parameters\":{" parameters "}}"
#define LINES(lines, changed) "{\"parameters\":{\"lines\":[" lines "],\"changed\":" changed "}}"
#define ONLY_LINES(lines) "{\"parameters\":{\"lines\":[" lines "]}}"
#define TP "681F71C3614D1A9F2B7C3D4E5F60718293A4B5C6"
#define KEYS "\"generation\":1,\"source\":\"managed\",\"publishLead\":5"
#define OWN_KEY(state, not_after)                                                                  \
    "{\"x5t\":\"abcdefghij\",\"thumbprint\":\"" TP "\",\"certificate\":\"\",\"state\":\"" state    \
    "\",\"notBefore\":1,\"notAfter\":" not_after ",\"since\":1795600000,\"publishedSince\":"       \
    "1795600000,\"held\":false,\"forced\":false,\"seen\":[],\"notSeen\":[]}"
#define REFUSED                                                                                    \
    "\"reason\":\"not_permitted\",\"sentence\":\"Partners have not seen the next key\","           \
    "\"lines\":[\"exch has not seen it\",\"s2sctl partners confirm exch\"]"
#define BRIEF                                                                                      \
    "{\"name\":\"p\",\"trust\":\"full\",\"enabled\":true,\"issuer\":\"i\",\"state\":\"fresh\","    \
    "\"goodAt\":1,\"nextTryAt\":1,\"keys\":0"
#define SHOWN                                                                                      \
    "\"partner\":" BRIEF "},\"metadataUrls\":[],\"audienceHosts\":[],\"permittedUsers\":[],"       \
    "\"refusedUsers\":[],\"keys\":[],\"history\":[]"
#define HELD "{\"reason\":\"r\",\"sentence\":\"s\",\"detail\":\"\",\"since\":1,\"thumbprints\":[]}"
#define DONE "\u2713 Done.\n"
#define DRY "- Nothing was changed.\nThis was --dry-run.\n"

static const struct talk talks[] = {
    /* cert roll */
    {"cert roll --prepare", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"prepare\""), LINES("\"made\",\"published\"", "true")}},
        EXIT_YES, "made\npublished\n" DONE "To go back before it signs: s2sctl cert roll --abort\n",
        ""},
    {"cert roll --prepare --effective +30d", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"prepare\",\"effectiveAt\":1798200000"),
            LINES("\"made\"", "true")}},
        EXIT_YES, "made\n" DONE "To go back before it signs: s2sctl cert roll --abort\n", ""},
    {"cert roll -n --prepare -e 2027-04-02T12:00Z --ascii", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"prepare\",\"effectiveAt\":1806667200,\"dryRun\":true"),
            LINES("\"would be made\"", "false")}},
        EXIT_YES, "would be made\n-  Nothing was changed.\nThis was --dry-run.\n", ""},
    {"cert roll --now --force", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"now\",\"force\":true"), LINES("\"it signs\"", "true")}},
        EXIT_YES,
        "it signs\n" DONE "The old key stays published until its last token has ended; it does not "
        "sign again. To leave the new one: s2sctl cert roll --prepare\n",
        ""},
    {"cert roll --abort", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"abort\""), LINES("\"there is no next key\"", "false")}},
        EXIT_YES, "there is no next key\n- Nothing was changed.\n", ""},
    {"cert roll --abort --json", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"abort\""), LINES("\"gone\"", "true")}}, EXIT_YES,
        "{\"lines\":[\"gone\"],\"changed\":true}\n", ""},
    {"cert roll --now", "", CONTROL,
        {{CALL("RollKey", "\"op\":\"now\""), ERROR(CONTROL ".RollRefused", REFUSED)}}, EXIT_NO, "",
        "s2sctl: Partners have not seen the next key (not_permitted)\n"
        "  exch has not seen it\n  s2sctl partners confirm exch\n"
        "See [Client] in s2sd.conf(5).\n"},
    {"cert roll --now --json", "", CONTROL,
        {{NULL, ERROR(CONTROL ".RollRefused",
                    "\"reason\":\"new_word\",\"sentence\":\"No\",\"lines\":[]")}},
        EXIT_NO, "", "s2sctl: No (new_word)\n"},
    {"cert roll --now --force", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NotPermitted", "\"reason\":\"not_permitted\"")}}, EXIT_FORBIDDEN,
        "",
        "s2sctl: No client rule lets this process do that (not_permitted)\n"
        "See [Client] in s2sd.conf(5).\n"},
    {"cert roll --now", "", CONTROL, {{NULL, "{\"parameters\":{\"lines\":[1],\"changed\":true}}"}},
        EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    /* cert withdraw, clear-previous */
    {"cert withdraw " TP " --force --dry-run", "", CONTROL,
        {{CALL("WithdrawKey", "\"thumbprint\":\"" TP "\",\"force\":true,\"dryRun\":true"),
            LINES("\"would be wiped\"", "false")}},
        EXIT_YES, "would be wiped\n" DRY, ""},
    {"cert withdraw " TP, "", CONTROL,
        {{CALL("WithdrawKey", "\"thumbprint\":\"" TP "\""), LINES("\"wiped\"", "true")}}, EXIT_YES,
        "wiped\n" DONE "This cannot be undone: the key has been wiped. s2sctl cert list shows what "
        "is left.\n",
        ""},
    {"cert withdraw nothing", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NoSuchKey", "\"thumbprint\":\"nothing\"")}}, EXIT_NO, "",
        "s2sctl: none of our keys is nothing; s2sctl cert list shows them\n"},
    {"cert clear-previous", "", CONTROL, {{CALL("ClearPrevious", ""), LINES("\"wiped\"", "true")}},
        EXIT_YES,
        "wiped\n" DONE "This cannot be undone: partners refuse what is left of its tokens.\n", ""},
    /* cert list */
    {"cert --json", "", CONTROL,
        {{CALL("ListKeys", ""), "{\"parameters\":{" KEYS ",\"keys\":[" OWN_KEY(
                                    "current", "1895608000") "],\"partners\":[],\"more\":1}}"}},
        EXIT_YES,
        "{" KEYS ",\"keys\":[" OWN_KEY("current", "1895608000") "],\"partners\":[],\"more\":1}\n",
        ""},
    {"cert list --json", "", CONTROL,
        {{NULL, "{\"parameters\":{" KEYS ",\"keys\":[],\"partners\":[]}}"}}, EXIT_NO,
        "{" KEYS ",\"keys\":[],\"partners\":[]}\n", ""},
    {"cert list --timeline --span 90d --ascii --utc", "", CONTROL,
        {{CALL("ListKeys", ""), "{\"parameters\":{" KEYS ",\"keys\":[" OWN_KEY(
                                    "current", "1895608000") "],\"partners\":[]}}"}},
        EXIT_YES,
        "                           2026-12          2027-01           2027-02\n"
        "              -------------+----------------+-----------------+--\n"
        "ours  abcdefg           ######################################### current\n"
        "                        ^ today\n\n"
        "  # signs (partners: accepted)  . published only\n",
        ""},
    {"cert list", "", CONTROL,
        {{NULL, "{\"parameters\":{" KEYS ",\"keys\":[{}],\"partners\":[]}}"}}, EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    {"cert list", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NotPermitted", "\"reason\":\"not_permitted\"")}}, EXIT_FORBIDDEN,
        "",
        "s2sctl: No client rule lets this process do that (not_permitted)\n"
        "See [Client] in s2sd.conf(5).\n"},
    /* partners */
    {"partners list --json", "", CONTROL,
        {{NULL, "{\"parameters\":{\"partners\":[" BRIEF ",\"held\":true}]}}"}}, EXIT_NO,
        "{\"partners\":[" BRIEF ",\"held\":true}]}\n", ""},
    {"partners list --json", "", CONTROL,
        {{NULL, "{\"parameters\":{\"partners\":[" BRIEF ",\"held\":false}]}}"}}, EXIT_YES,
        "{\"partners\":[" BRIEF ",\"held\":false}]}\n", ""},
    {"partners show p --json", "", CONTROL,
        {{NULL, "{\"parameters\":{" SHOWN ",\"held\":" HELD "}}"}}, EXIT_NO,
        "{" SHOWN ",\"held\":" HELD "}\n", ""},
    {"partners show p --json", "", CONTROL, {{NULL, "{\"parameters\":{" SHOWN ",\"held\":null}}"}},
        EXIT_YES, "{" SHOWN ",\"held\":null}\n", ""},
    {"partners bar exch " TP, "", CONTROL,
        {{CALL("BarKey", "\"name\":\"exch\",\"key\":\"" TP "\",\"bar\":true"),
            ONLY_LINES("\"barred\"")}},
        EXIT_YES, "barred\n" DONE "To go back: s2sctl partners unbar exch " TP "\n", ""},
    {"partners unbar exch abc_-", "", CONTROL,
        {{CALL("BarKey", "\"name\":\"exch\",\"key\":\"abc_-\",\"bar\":false"),
            ONLY_LINES("\"valid\"")}},
        EXIT_YES, "valid\n" DONE "To go back: s2sctl partners bar exch abc_-\n", ""},
    {"partners bar exch abc", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NoSuchPartnerKey", "\"key\":\"abc\",\"known\":[\"" TP "\"]")}},
        EXIT_NO, "", "s2sctl: the partner has no key abc\n  it has " TP "\n"},
    {"partners approve exch", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NothingToApprove",
                    "\"reason\":\"never_fetched\",\"sentence\":\"No document is held\"")}},
        EXIT_NO, "", "s2sctl: No document is held (never_fetched)\n"},
    {"partners suspend exch", "", CONTROL,
        {{CALL("Suspend", "\"name\":\"exch\""), ONLY_LINES("\"suspended\"")}}, EXIT_YES,
        "suspended\n" DONE "To go back: s2sctl partners resume exch\n", ""},
    {"partners resume exch", "", CONTROL,
        {{CALL("Resume", "\"name\":\"exch\""), ONLY_LINES("\"resumed\"")}}, EXIT_YES,
        "resumed\n" DONE "To go back: s2sctl partners suspend exch\n", ""},
    {"partners approve exch", "", CONTROL,
        {{CALL("Approve", "\"name\":\"exch\""), ONLY_LINES("\"taken\"")}}, EXIT_YES, "taken\n" DONE,
        ""},
    {"partners confirm exch --json", "", CONTROL,
        {{CALL("Confirm", "\"name\":\"exch\""), ONLY_LINES("\"seen\"")}}, EXIT_YES,
        "{\"lines\":[\"seen\"]}\n", ""},
    {"partners confirm nobody", "", CONTROL,
        {{NULL, ERROR(CONTROL ".NoSuchPartner", "\"name\":\"nobody\"")}}, EXIT_NO, "",
        "s2sctl: there is no partner nobody; s2sctl partners lists them\n"},
};

START_TEST(test_talk)
{
    check_talk(&talks[_i]);
}
END_TEST

/* What is wrong with the command line is said before anybody is asked: there is no daemon. */
static const struct {
    const char *line, *err;
} mistakes[] = {
    {"cert roll", "s2sctl: cert roll wants one of --prepare, --now and --abort\n"},
    {"cert roll --prepare --now", "s2sctl: cert roll wants one of --prepare, --now and --abort\n"},
    {"cert roll --now --abort", "s2sctl: cert roll wants one of --prepare, --now and --abort\n"},
    {"cert roll --now --effective +5s", "s2sctl: --effective stands beside --prepare\n"},
    {"cert roll --prepare --effective soon",
        "s2sctl: --effective wants a date such as 2027-04-02, 2027-04-02T08:00, "
        "2027-04-02T08:00:00Z or +30d\n"},
    {"cert roll --prepare --effective 2026-11-25T11:59:59Z",
        "s2sctl: --effective is in the past; --now lets the next key sign at once\n"},
    {"cert list --span 90d", "s2sctl: --span is a span of time such as 90d, and stands beside "
                             "--timeline\n"},
    {"cert list --timeline --span 0", "s2sctl: --span is a span of time such as 90d, and stands "
                                      "beside --timeline\n"},
    {"cert list --timeline --span wide", "s2sctl: --span is a span of time such as 90d, and stands "
                                         "beside --timeline\n"},
    {"cert list --force", "s2sctl: cert list takes no option --force\n"},
    {"cert withdraw", "s2sctl: usage: s2sctl cert withdraw THUMBPRINT\n"},
    {"cert withdrw x",
        "s2sctl: unknown command: cert withdrw\nDid you mean s2sctl cert withdraw?\n"},
    {"certs", "s2sctl: unknown command: certs\nDid you mean s2sctl cert?\n"},
    {"cert roll --prepar", "s2sctl: unknown option: prepar\nDid you mean --prepare?\n"},
    {"partners bar exch", "s2sctl: usage: s2sctl partners bar NAME KEY\n"},
    {"partners suspnd exch",
        "s2sctl: unknown command: partners suspnd\nDid you mean s2sctl partners suspend?\n"},
};

START_TEST(test_mistake)
{
    struct ctl ctl;
    char line[512];
    snprintf(line, sizeof(line), "--runtime-dir=%s %s", folder.path, mistakes[_i].line);
    ck_assert_int_eq(run(&ctl, line, ""), EXIT_USAGE);
    ck_assert_str_eq(text_of(&ctl.err), mistakes[_i].err);
    ck_assert_str_eq(text_of(&ctl.out), "");
    ctl_done(&ctl);
}
END_TEST

/* COLUMNS goes before the terminal, and nonsense in it is passed over. */
static const char *columns_value;

static const char *with_columns(const char *name)
{
    return strcmp(name, "COLUMNS") == 0 ? columns_value : NULL;
}

START_TEST(test_columns)
{
    static const struct {
        const char *value;
        unsigned terminal, columns;
    } table[] = {{NULL, 0, 0}, {NULL, 100, 100}, {"60", 100, 60}, {"60", 0, 60}, {"", 80, 80},
        {"0", 80, 80}, {"wide", 80, 80}, {"60x", 80, 80}, {"99999999999999999999", 80, 80}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct ctl ctl;
        const struct surroundings w = {.variable = with_columns, .columns = table[i].terminal};
        columns_value = table[i].value;
        ck_assert_int_eq(run_in(&ctl, "version", "", &w), EXIT_YES);
        ck_assert_uint_eq(ctl.style.columns, table[i].columns);
        ctl_done(&ctl);
    }
}
END_TEST

/* What needs an administrator. */

#define DAY INT64_C(86400)

static const struct {
    int64_t current_ends, next_effective; /* from now on; 0: no such key; -1: no date */
    bool held;
    const char *source;
    enum need need;
    int64_t life; /* of the current key */
} states[] = {
    {0, 0, false, "managed", NEED_CURRENT, 730 * DAY},
    {0, DAY, false, "managed", NEED_CURRENT, 730 * DAY},
    {-DAY, 0, false, "managed", NEED_EXPIRED, 730 * DAY},
    {-DAY, DAY, true, "files", NEED_EXPIRED, 730 * DAY},
    {60 * DAY, 0, false, "files", NEED_NOTHING, 730 * DAY},
    {60 * DAY - 1, 0, false, "files", NEED_NEXT, 730 * DAY},
    {60 * DAY - 1, 0, false, "credential", NEED_NEXT, 730 * DAY},
    {60 * DAY - 1, 0, false, "managed", NEED_NOTHING, 730 * DAY},
    {30 * DAY - 1, 0, false, "managed", NEED_NEXT, 730 * DAY},
    {DAY, DAY, false, "managed", NEED_NOTHING, 730 * DAY},
    /* one that lives for 8 days */
    {2 * DAY, 0, false, "managed", NEED_NOTHING, 8 * DAY},
    {2 * DAY - 1, 0, false, "managed", NEED_NEXT, 8 * DAY},
    {2 * DAY, 0, false, "files", NEED_NOTHING, 8 * DAY},
    {2 * DAY - 1, 0, false, "files", NEED_NEXT, 8 * DAY},
    {90 * DAY, 30 * DAY, true, "managed", NEED_NOTHING, 730 * DAY},
    {90 * DAY, 30 * DAY - 1, true, "managed", NEED_HELD, 730 * DAY},
    {90 * DAY, -40 * DAY, true, "managed", NEED_HELD, 730 * DAY},
    {90 * DAY, -1, true, "managed", NEED_NOTHING, 730 * DAY},
    {60 * DAY - 1, -1, true, "managed", NEED_HELD, 730 * DAY},
    {60 * DAY - 1, -1, false, "managed", NEED_NOTHING, 730 * DAY},
};

START_TEST(test_need)
{
    struct own_keys own = {0};
    own.all[0] = (struct own_key_answer){.not_after = NOW + states[_i].current_ends};
    own.all[0].not_before = own.all[0].not_after - states[_i].life;
    own.all[1] = (struct own_key_answer){.held = states[_i].held};
    if (states[_i].next_effective != -1)
        own.all[1].effective_at = NOW + states[_i].next_effective;
    own.current = states[_i].current_ends ? &own.all[0] : NULL;
    own.next = states[_i].next_effective ? &own.all[1] : NULL;
    ck_assert_int_eq(own_keys_need(&own, span_of(states[_i].source), NOW), states[_i].need);
}
END_TEST

/* Everything of the documented form that a daemon may say about too many keys is refused, not
 * overrun. */
START_TEST(test_too_many_own_keys)
{
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    const struct json_limits limits = {.bytes = 65536};
    const struct json_value *v = NULL;
    struct own_keys own;
    for (unsigned n = OWN_KEYS_MAX; n <= OWN_KEYS_MAX + 1; n++) {
        buf_reset(&text);
        for (unsigned i = 0; i < n; i++)
            buf_printf(&text, "%s%s", i ? "," : "[", OWN_KEY("retired", "1"));
        buf_put_char(&text, ']');
        ck_assert_int_eq(json_parse(doc, buf_span(&text), &limits, &v), REASON_OK);
        ck_assert_int_eq(own_keys_read(v, &own), n == OWN_KEYS_MAX);
    }
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_talk, 0, (int)ARRAY_LEN(talks));
    tcase_add_loop_test(t, test_mistake, 0, (int)ARRAY_LEN(mistakes));
    tcase_add_test(t, test_columns);
    tcase_add_loop_test(t, test_need, 0, (int)ARRAY_LEN(states));
    tcase_add_test(t, test_too_many_own_keys);
}

int main(void)
{
    return unit_run("client_cert", fill);
}
