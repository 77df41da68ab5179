/* SPDX-License-Identifier: Apache-2.0 */
/* Judging without a daemon: the vectors of tests/vectors give their verdict in one command each,
 * and what may not be mixed is refused. Run from the top of the tree. */
#include "cleanup.h"
#include "commands.h"
#include "temp_dir.h"
#include "unit.h"

#define SYNTHETIC "tests/vectors/synthetic/"
#define SELF "00000002-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com"

static struct temp_dir folder;

static void setup(void)
{
    temp_dir_make(&folder);
}

static void teardown(void)
{
    temp_dir_remove(&folder);
}

static const char *variable(const char *name)
{
    return strcmp(name, "LANG") == 0 ? "C.UTF-8" : NULL;
}

/* Runs "token verify --offline LINE", words split at blanks. */
static enum exit_status verify(struct ctl *ctl, const char *line)
{
    char words[2048];
    char *argv[24] = {
        (char[]){"s2sctl"}, (char[]){"token"}, (char[]){"verify"}, (char[]){"--offline"}};
    int argc = 4;
    const struct surroundings w = {.in = stdin, .variable = variable, .now = 1795608000};
    snprintf(words, sizeof(words), "%s", line + strspn(line, " "));
    for (char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        char *next = at + n + strspn(at + n, " ");
        at[n] = '\0';
        argv[argc++] = at;
        at = next;
    }
    return ctl_run(ctl, argc, argv, &w);
}

/* The acceptance of the vectors: one command each. */
static const struct {
    const char *token, *reason; /* NULL: believed */
} vectors[] = {
    {"actor.jwt", NULL},
    {"apponly-nextkey.jwt", NULL},
    {"apponly-number-times.jwt", NULL},
    {"apponly-string-times.jwt", NULL},
    {"outer-unsigned.jwt", NULL},
    {"reject-actor-not-trustedfordelegation.jwt", "delegation_not_granted"},
    {"reject-actor-sig-AAAA.jwt", "invalid_signature"},
    {"reject-alg-none-no-actor.jwt", "unsigned_token"},
    {"reject-outer-iss-mismatch.jwt", "outer_issuer_mismatch"},
    {"reject-x5t-of-other-key.jwt", "invalid_signature"},
};

START_TEST(test_vector)
{
    struct ctl ctl;
    char line[512], wanted[128];
    snprintf(line, sizeof(line),
        "--at 1735700000 --self " SELF " --metadata " SYNTHETIC
        "metadata-exchange-style-2keys.json --json " SYNTHETIC "%s",
        vectors[_i].token);
    enum exit_status status = verify(&ctl, line);
    ck_assert_str_eq(ctl.err.p ? ctl.err.p : "", "");
    snprintf(wanted, sizeof(wanted), "{\"active\":false,\"reason\":\"%s\"", vectors[_i].reason);
    if (!vectors[_i].reason)
        snprintf(wanted, sizeof(wanted), "{\"active\":true,\"partner\":\"document\"");
    ck_assert_msg(span_starts(buf_span(&ctl.out), span_of(wanted)), "%s", ctl.out.p);
    ck_assert_int_eq(status, vectors[_i].reason ? EXIT_NO : EXIT_YES);
    ctl_done(&ctl);
}
END_TEST

START_TEST(test_forged_against_a_real_document)
{
    struct ctl ctl;
    ck_assert_int_eq(
        verify(&ctl, "--at 1776766000 --self " SELF
                     " --metadata tests/vectors/sharepoint-se-metadata-rapid7-2026.json "
                     "tests/vectors/sharepoint-forged-MUST-REJECT-rapid7.jwt"),
        EXIT_NO);
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "\u2713 key"));
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "\u2717 signature"));
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "\nrefused: invalid_signature "));
    ctl_done(&ctl);
}
END_TEST

/* The steps that passed say what they found, in the order of the ladder. */
START_TEST(test_steps_of_a_user_token)
{
    struct ctl ctl;
    ck_assert_int_eq(
        verify(&ctl, "--utc --at 1735700000 --self " SELF " -m " SYNTHETIC
                     "metadata-exchange-style-2keys.json " SYNTHETIC "outer-unsigned.jwt"),
        EXIT_YES);
    ck_assert_str_eq(ctl.out.p,
        "\u2713 form       unsigned outer token with signed actor token\n"
        "\u2713 issuer     00000004-0000-0ff1-ce00-000000000000@contoso.com is partner document\n"
        "\u2713 key        x5t rOIhWDx\n"
        "\u2713 signature  RS256\n"
        "\u2713 times      until 2025-01-01T08:00:00Z, 5 h left\n"
        "\u2713 audience   mail.contoso.com is one of our hosts\n"
        "\u2713 kind       application 00000004-0000-0ff1-ce00-000000000000@contoso.com, "
        "Trust=full\n"
        "\u2713 actor      both tokens name the same actor and audience\n"
        "\u2713 user       kenmyer@contoso.com\n"
        "\u2713 policy     permitted by PermittedUsers=\n"
        "accepted: partner document for kenmyer@contoso.com, until 2025-01-01 08:00 (in 5 h)\n");
    ctl_done(&ctl);
}
END_TEST

/* A token without a user leaves the steps about users out. */
START_TEST(test_steps_of_an_application_token)
{
    struct ctl ctl;
    ck_assert_int_eq(
        verify(&ctl, "--at 1735700000 --self " SELF " -m " SYNTHETIC
                     "metadata-exchange-style-2keys.json " SYNTHETIC "apponly-nextkey.jwt"),
        EXIT_YES);
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "\u2713 form       signed app-only token\n"));
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "\n- actor\n- user\n- policy\naccepted: "));
    ctl_done(&ctl);
}
END_TEST

#define DOCUMENT " --metadata " SYNTHETIC "metadata-exchange-style-2keys.json "
#define TOKEN " " SYNTHETIC "apponly-string-times.jwt"
#define AT "--at 1735700000 "

/* What each option does, with one token. `says`: somewhere in the output or in what is said. */
static const struct {
    const char *line;
    enum exit_status status;
    const char *says;
} runs[] = {
    {AT "--self " SELF DOCUMENT TOKEN, EXIT_YES, "accepted: partner document, until "},
    {AT "--self " SELF " --metadata lync=" SYNTHETIC "metadata-sharepoint-style.json" TOKEN,
        EXIT_YES, "accepted: partner lync, until "},
    /* the clock of the machine: long over */
    {"--self " SELF DOCUMENT TOKEN, EXIT_NO, "refused: expired "},
    {AT "--self 00000002-0000-0ff1-ce00-000000000000/other.contoso.com@contoso.com" DOCUMENT TOKEN,
        EXIT_NO, "refused: wrong_audience "},
    {AT "--self " SELF " --audience mail.contoso.com" DOCUMENT TOKEN, EXIT_YES, "accepted: "},
    {AT "--self " SELF " --audience www.contoso.com" DOCUMENT TOKEN, EXIT_NO, "refused: "},
    {AT "--self " SELF TOKEN, EXIT_NO, "refused: unknown_issuer "},
    {AT "--self " SELF " --metadata " SYNTHETIC "metadata-acs-style.json" TOKEN, EXIT_NO,
        "refused: unknown_issuer "},
    {AT "--self " SELF DOCUMENT " --permit bob@contoso.com " SYNTHETIC "outer-unsigned.jwt",
        EXIT_NO, "refused: user_refused "},
    {AT "--self " SELF DOCUMENT " --permit bob@contoso.com --permit kenmyer@contoso.com " SYNTHETIC
        "outer-unsigned.jwt",
        EXIT_YES, "accepted: partner document for kenmyer@contoso.com"},
    {AT "--self " SELF DOCUMENT DOCUMENT TOKEN, EXIT_USAGE, "has the issuer of [Partner document]"},
    {AT "--self " SELF " --config-dir /x" DOCUMENT TOKEN, EXIT_USAGE,
        "--self stands instead of --config-dir"},
    {AT "--permit x --config-dir /x" DOCUMENT TOKEN, EXIT_USAGE,
        "--permit has a meaning only with"},
    {"--at now --self " SELF DOCUMENT TOKEN, EXIT_USAGE, "--at now: not a number of seconds"},
    {AT "--self mail.contoso.com" DOCUMENT TOKEN, EXIT_USAGE, "not of the form applicationid/host"},
    {AT "--self x/mail.contoso.com@contoso.com" DOCUMENT TOKEN, EXIT_USAGE,
        "not an application id"},
    {AT "--self 00000004-0000-0ff1-ce00-000000000000/h.contoso.com@contoso.com" DOCUMENT TOKEN,
        EXIT_USAGE, "has our own ApplicationId="},
    {AT "--self " SELF " --metadata /nonexistent.json" TOKEN, EXIT_USAGE, "/nonexistent.json"},
    {AT "--self " SELF " --metadata " SYNTHETIC "actor.jwt" TOKEN, EXIT_USAGE,
        "is not an authentication metadata document"},
    {AT "--config-dir /nonexistent" DOCUMENT TOKEN, EXIT_CONFIG, "/nonexistent/s2sd.conf"},
};

START_TEST(test_options)
{
    struct ctl ctl;
    enum exit_status status = verify(&ctl, runs[_i].line);
    const char *out = ctl.out.p ? ctl.out.p : "", *err = ctl.err.p ? ctl.err.p : "";
    ck_assert_msg(strstr(out, runs[_i].says) || strstr(err, runs[_i].says), "%s%s", out, err);
    ck_assert_int_eq(status, runs[_i].status);
    ctl_done(&ctl);
}
END_TEST

/* With a configuration the pins of the partner count, and Certificate= needs no document. */
#define CONFIG                                                                                     \
    "[Identity]\nApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.com\n"          \
    "Hosts=mail.contoso.com\n"
#define LYNC "[Partner lync]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\n"

static enum exit_status verify_configured(struct ctl *ctl, const char *config, const char *rest)
{
    char line[512];
    temp_dir_write(&folder, "s2sd.conf", span_of(config), 0644);
    snprintf(line, sizeof(line), AT "--config-dir %s %s" TOKEN, folder.path, rest);
    return verify(ctl, line);
}

START_TEST(test_configured_partner)
{
    struct ctl ctl;
    static const char good[] = CONFIG LYNC "Realm=contoso.com\nMetadataURL=https://l.example/x\n";
    static const char other[] = CONFIG LYNC "Realm=other.com\nMetadataURL=https://l.example/x\n";
    ck_assert_int_eq(verify_configured(&ctl, good, DOCUMENT), EXIT_YES);
    ck_assert_ptr_nonnull(strstr(ctl.out.p, "accepted: partner lync"));
    ctl_done(&ctl);
    ck_assert_int_eq(verify_configured(&ctl, other, DOCUMENT), EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(ctl.err.p, "no [Partner] of that name or issuer"));
    ctl_done(&ctl);
    ck_assert_int_eq(verify_configured(&ctl, other,
                         "--metadata lync=" SYNTHETIC "metadata-exchange-style-2keys.json"),
        EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(ctl.err.p, "names another application id, realm or issuer"));
    ctl_done(&ctl);
    ck_assert_int_eq(verify_configured(&ctl, good, DOCUMENT DOCUMENT), EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(ctl.err.p, "a second one of the same partner"));
    ctl_done(&ctl);
    /* A partner whose document nobody gave has no keys. */
    ck_assert_int_eq(verify_configured(&ctl, good, ""), EXIT_NO);
    ck_assert_ptr_null(strstr(ctl.out.p, "accepted"));
    ctl_done(&ctl);
}
END_TEST

/* The certificate of the document as a PEM file. */
static void write_certificate(void)
{
    static char document[16384], pem[8192];
    CLEANUP(fclosep) FILE *f = fopen(SYNTHETIC "metadata-exchange-style-2keys.json", "r");
    ck_assert_ptr_nonnull(f);
    document[fread(document, 1, sizeof(document) - 1, f)] = '\0';
    char *value = strstr(document, "\"value\":\"") + strlen("\"value\":\"");
    *strchr(value, '"') = '\0';
    int n = snprintf(pem, sizeof(pem), "-----BEGIN CERTIFICATE-----\n");
    for (; *value; value += strnlen(value, 64))
        n += snprintf(pem + n, sizeof(pem) - (size_t)n, "%.64s\n", value);
    snprintf(pem + n, sizeof(pem) - (size_t)n, "-----END CERTIFICATE-----\n");
    temp_dir_write(&folder, "lync.pem", span_of(pem), 0644);
}

START_TEST(test_partner_with_a_certificate)
{
    struct ctl ctl;
    char config[1024];
    write_certificate();
    snprintf(config, sizeof(config),
        CONFIG LYNC "Realm=contoso.com\nCertificate=%s/lync.pem\nAudienceHost=l.example\n",
        folder.path);
    ck_assert_int_eq(verify_configured(&ctl, config, ""), EXIT_YES);
    ctl_done(&ctl);
    temp_dir_write(&folder, "lync.pem", SPAN("no certificate\n"), 0644);
    ck_assert_int_eq(verify_configured(&ctl, config, ""), EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(ctl.err.p, "partner lync: "));
    ctl_done(&ctl);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_vector, 0, (int)ARRAY_LEN(vectors));
    tcase_add_test(t, test_forged_against_a_real_document);
    tcase_add_test(t, test_steps_of_a_user_token);
    tcase_add_test(t, test_steps_of_an_application_token);
    tcase_add_loop_test(t, test_options, 0, (int)ARRAY_LEN(runs));
    tcase_add_test(t, test_configured_partner);
    tcase_add_test(t, test_partner_with_a_certificate);
}

int main(void)
{
    return unit_run("client_offline", fill);
}
