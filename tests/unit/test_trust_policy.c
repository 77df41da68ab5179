/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: every refusal of policy_grant, which rule decides, what a resource names. */
#include "cleanup.h"
#include "policy.h"
#include "settings_of.h"
#include "unit.h"

/* Users and groups by number, so that no account of the machine matters. */
static const char text[] =
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
    "Hosts=lync.contoso.example pool.contoso.example\n"
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"
    "AudienceHost=exch.contoso.example mail.contoso.example\n"
    "[Partner sps]\nMetadataURL=https://sps.contoso.example:8443/metadata/json/1\n"
    "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
    "Product=sharepoint\nDelegationLifetime=5min\n"
    "[Partner off]\nMetadataURL=https://off.contoso.example/metadata/json/1\n"
    "ApplicationId=11111111-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nEnabled=no\n"
    "AudienceHost=off.contoso.example mail.contoso.example\n"
    "[Partner twin]\nMetadataURL=https://twin.contoso.example/metadata/json/1\n"
    "ApplicationId=22222222-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
    "AudienceHost=twin.contoso.example shared.contoso.example\n"
    "[Partner twin2]\nMetadataURL=https://twin2.contoso.example/metadata/json/1\n"
    "ApplicationId=33333333-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
    "AudienceHost=twin2.contoso.example shared.contoso.example\n"
    "[Partner aoff]\nMetadataURL=https://aoff.contoso.example/metadata/json/1\n"
    "ApplicationId=44444444-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nEnabled=no\n"
    "AudienceHost=both.contoso.example shared.contoso.example\n"
    "[Partner zoff]\nMetadataURL=https://zoff.contoso.example/metadata/json/1\n"
    "ApplicationId=55555555-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nEnabled=no\n"
    "AudienceHost=both.contoso.example shared.contoso.example\n"
    "[Client pbx]\nUser=1001\nUnit=pbx.service\nAllow=mint validate\nPartners=exch off\n"
    "ActAs=*@contoso.example\nRefuseActAs=ceo@contoso.example\nDelegation=yes\nMaxLifetime=30min\n"
    "[Client pbx-shell]\nUser=1001\nAllow=status\n"
    "[Client web]\nGroup=33\nAllow=validate explain\nAudience=pool.contoso.example\n"
    "[Client batch]\nUser=1002\nGroup=50\nAllow=mint\n"
    "[Client reader]\nUser=1002\nAllow=validate\n"
    "[Client root]\nUser=0\nAllow=mint\n"
    "[Client unit]\nUnit=any.service\nAllow=mint\n"
    "[Client unit-user]\nUser=1003\nUnit=any.service\nAllow=mint\n";

static struct settings *s;

static void setup(void)
{
    s = settings_of(text);
}

static void teardown(void)
{
    settings_freep(&s);
}

static const gid_t group_33[] = {7, 33}, group_50[] = {50};

/* The first rule whose conditions all hold decides. */
static const struct {
    struct peer peer;
    const char *rule; /* NULL: none */
} matches[] = {
    {{.uid = 1001, .gid = 1001, .unit = "pbx.service"}, "pbx"},
    {{.uid = 1001, .gid = 1001, .unit = "other.service"}, "pbx-shell"},
    {{.uid = 1001, .gid = 1001, .unit = NULL}, "pbx-shell"},
    {{.uid = 9, .gid = 9, .unit = "pbx.service"}, NULL},
    {{.uid = 9, .gid = 33}, "web"},
    {{.uid = 9, .gid = 9, .groups = group_33, .n_groups = 2}, "web"},
    {{.uid = 9, .gid = 9, .groups = group_33, .n_groups = 1}, NULL},
    {{.uid = 1002, .gid = 9, .groups = group_50, .n_groups = 1}, "batch"},
    {{.uid = 1002, .gid = 9}, "reader"},
    {{.uid = 9, .gid = 50}, NULL},
    {{.uid = 0, .gid = 0}, "root"},
    /* A unit that rests on a number alone needs User= beside it. */
    {{.uid = 1003, .gid = 9, .unit = "any.service"}, "unit"},
    {{.uid = 1003, .gid = 9, .unit = "any.service", .unit_weak = true}, "unit-user"},
    {{.uid = 9, .gid = 9, .unit = "any.service"}, "unit"},
    {{.uid = 9, .gid = 9, .unit = "any.service", .unit_weak = true}, NULL},
    {{.uid = 1001, .gid = 1001, .unit = "pbx.service", .unit_weak = true}, "pbx"},
};

START_TEST(test_match)
{
    const struct client_rule *rule = policy_match(s, &matches[_i].peer);
    ck_assert_str_eq(rule ? rule->name : "none", matches[_i].rule ? matches[_i].rule : "none");
}
END_TEST

/* All rights of a peer, as one number. */
static unsigned rights_of(const struct peer *peer)
{
    unsigned rights = 0;
    for (unsigned bit = 1; bit <= RIGHT_FORCE; bit <<= 1)
        rights |= policy_may(s, peer, (enum right)bit) ? bit : 0;
    return rights;
}

START_TEST(test_rights)
{
    const unsigned root =
        RIGHT_STATUS | RIGHT_MONITOR | RIGHT_REFRESH | RIGHT_RELOAD | RIGHT_ROLL | RIGHT_BAR;
    const struct {
        struct peer peer;
        unsigned rights;
    } table[] = {
        {{.uid = 1001, .unit = "pbx.service"}, RIGHT_MINT | RIGHT_VALIDATE},
        {{.uid = 1001}, RIGHT_STATUS}, {{.uid = 9, .gid = 33}, RIGHT_VALIDATE | RIGHT_EXPLAIN},
        {{.uid = 9, .gid = 9}, RIGHT_VALIDATE}, /* ValidateBy=everyone, no rule */
        {{.uid = 0, .gid = 0}, root | RIGHT_MINT},
        {{.uid = 0, .gid = 33}, root | RIGHT_VALIDATE | RIGHT_EXPLAIN}, /* rule web comes first */
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        ck_assert_msg(rights_of(&table[i].peer) == table[i].rights, "row %zu: %#x, not %#x", i,
            rights_of(&table[i].peer), table[i].rights);
    s->listen.validate_by = VALIDATE_RULES;
    ck_assert_uint_eq(rights_of(&table[3].peer), 0);
    ck_assert_uint_eq(rights_of(&table[0].peer), RIGHT_MINT | RIGHT_VALIDATE);
}
END_TEST

START_TEST(test_root_without_a_rule)
{
    const struct peer root = {.uid = 0, .gid = 0};
    s->n_clients -= 3; /* the rules of root and of the units are the last */
    ck_assert(policy_may(s, &root, RIGHT_STATUS));
    ck_assert(!policy_may(s, &root, RIGHT_MINT));
    ck_assert(!policy_may(s, &root, RIGHT_EXPLAIN));
    ck_assert(!policy_may(s, &root, RIGHT_APPROVE));
    ck_assert(!policy_may(s, &root, RIGHT_FORCE));
    s->n_clients += 3;
}
END_TEST

/* The kernel is asked for the unit of a process only where it matters, and then for every right:
 * the first rule that matches decides, whatever it allows. */
START_TEST(test_needs_unit)
{
    CLEANUP(settings_freep)
    struct settings *plain = settings_of("[Identity]\nApplicationId=00000004-0000-0ff1-ce00-"
                                         "000000000000\nRealm=contoso.example\n"
                                         "[Client a]\nUser=1001\nAllow=mint\n");
    ck_assert(!policy_needs_unit(plain));
    ck_assert(policy_needs_unit(s));
}
END_TEST

START_TEST(test_why_not)
{
    const struct {
        struct peer peer;
        enum right right;
        const char *why;
    } table[] = {
        {{.uid = 1001}, RIGHT_MINT,
            "[Client pbx-shell] decides for this process and does not allow mint"},
        {{.uid = 9, .gid = 33}, RIGHT_MINT,
            "[Client web] decides for this process and does not allow mint"},
        {{.uid = 9, .gid = 8}, RIGHT_EXPLAIN, "no [Client] section matches uid 9, gid 8"},
        {{.uid = 9, .gid = 8, .unit = "pbx.service"}, RIGHT_MINT,
            "no [Client] section matches uid 9, gid 8, unit pbx.service"},
    };
    char why[128], cut[8];
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        policy_why_not(s, &table[i].peer, table[i].right, why, sizeof why);
        ck_assert_str_eq(why, table[i].why);
    }
    policy_why_not(s, &table[0].peer, RIGHT_MINT, cut, sizeof cut);
    ck_assert_str_eq(cut, "[Client");
}
END_TEST

START_TEST(test_may_validate)
{
    const struct peer web = {.uid = 9, .gid = 33}, pbx = {.uid = 1001, .unit = "pbx.service"};
    const struct peer shell = {.uid = 1001}, stranger = {.uid = 9, .gid = 9};
    const struct names *audiences = NULL;
    ck_assert_int_eq(policy_may_validate(s, &web, &audiences), REASON_OK);
    ck_assert_ptr_nonnull(audiences);
    ck_assert_str_eq(audiences->list[0], "pool.contoso.example");
    ck_assert_int_eq(policy_may_validate(s, &pbx, &audiences), REASON_OK);
    ck_assert_ptr_null(audiences);
    ck_assert_int_eq(policy_may_validate(s, &stranger, &audiences), REASON_OK);
    ck_assert_int_eq(policy_may_validate(s, &shell, &audiences), REASON_NOT_PERMITTED);
    s->listen.validate_by = VALIDATE_RULES;
    ck_assert_int_eq(policy_may_validate(s, &stranger, &audiences), REASON_NOT_PERMITTED);
}
END_TEST

/* Requests under the rules above, and what becomes of them. */
static const struct {
    const char *rule, *partner, *host, *user;
    enum user_kind kind;
    int64_t lifetime_s;
    enum reason reason;
    int64_t granted_s;
    const char *granted_host;
} grants[] = {
    {"pbx", "exch", "", "", USER_NONE, 0, REASON_OK, 1800, "exch.contoso.example"},
    {"pbx", "exch", "MAIL.contoso.example", "", USER_NONE, 60, REASON_OK, 60,
        "mail.contoso.example"},
    {"pbx", "exch", "", "", USER_NONE, 86400, REASON_OK, 1800, "exch.contoso.example"},
    {"pbx", "exch", "", "Alice@Contoso.example", USER_SMTP, 0, REASON_OK, 600,
        "exch.contoso.example"},
    {"pbx", "exch", "", "alice@contoso.example", USER_UPN, 3600, REASON_OK, 600,
        "exch.contoso.example"},
    {"pbx", "exch", "", "alice@contoso.example", USER_UPN, 30, REASON_OK, 30,
        "exch.contoso.example"},
    {"batch", "exch", "", "", USER_NONE, 0, REASON_OK, 3600, "exch.contoso.example"},
    {"batch", "exch", "", "", USER_NONE, 999999, REASON_OK, 28800, "exch.contoso.example"},
    {"batch", "sps", "sps.contoso.example:8443", "", USER_NONE, 0, REASON_OK, 3600,
        "sps.contoso.example:8443"},
    {"gone", "exch", "", "", USER_NONE, 0, REASON_RULE_CHANGED, 0, NULL},
    {"pbx-shell", "exch", "", "", USER_NONE, 0, REASON_NOT_PERMITTED, 0, NULL},
    {"pbx", "nobody", "", "", USER_NONE, 0, REASON_NO_SUCH_PARTNER, 0, NULL},
    {"pbx", "sps", "", "", USER_NONE, 0, REASON_NOT_PERMITTED, 0, NULL},
    {"pbx", "off", "", "", USER_NONE, 0, REASON_PARTNER_DISABLED, 0, NULL},
    {"pbx", "exch", "sps.contoso.example", "", USER_NONE, 0, REASON_HOST_NOT_OF_PARTNER, 0, NULL},
    {"pbx", "exch", "", "ceo@contoso.example", USER_UPN, 0, REASON_ACT_AS_REFUSED, 0, NULL},
    {"pbx", "exch", "", "CEO@contoso.example", USER_UPN, 0, REASON_ACT_AS_REFUSED, 0, NULL},
    {"pbx", "exch", "", "alice@other.example", USER_UPN, 0, REASON_ACT_AS_REFUSED, 0, NULL},
    {"batch", "exch", "", "alice@contoso.example", USER_UPN, 0, REASON_ACT_AS_REFUSED, 0, NULL},
    {"pbx", "exch", "", "alice", USER_UPN, 0, REASON_USER_FORM, 0, NULL},
    {"pbx", "exch", "", "", USER_UPN, 0, REASON_USER_FORM, 0, NULL},
    {"pbx", "exch", "", "alice@contoso.example", USER_NONE, 0, REASON_USER_FORM, 0, NULL},
    {"pbx", "exch", "", "alice@contoso.example", (enum user_kind)99, 0, REASON_USER_FORM, 0, NULL},
    {"pbx", "exch", "", "alice@contoso.example", (enum user_kind)(USER_SIP + 1), 0,
        REASON_USER_FORM, 0, NULL},
    {"pbx", "exch", "", "", USER_NONE, -1, REASON_LIFETIME_REFUSED, 0, NULL},
};

START_TEST(test_grant)
{
    const struct mint_request req = {.rule = span_of(grants[_i].rule),
        .partner = span_of(grants[_i].partner),
        .host = span_of(grants[_i].host),
        .user_kind = grants[_i].kind,
        .user = span_of(grants[_i].user),
        .lifetime_s = grants[_i].lifetime_s};
    struct mint_grant g = {0};
    ck_assert_str_eq(reason_code(policy_grant(s, &req, &g)), reason_code(grants[_i].reason));
    ck_assert_int_eq(g.lifetime_s, grants[_i].granted_s);
    ck_assert_str_eq(
        g.host ? g.host : "none", grants[_i].granted_host ? grants[_i].granted_host : "none");
    if (grants[_i].reason == REASON_OK)
        ck_assert_str_eq(g.partner->name, grants[_i].partner);
}
END_TEST

/* A rule with ActAs= but without Delegation=yes cannot come out of a file; the policy does not rely
 * on that. */
START_TEST(test_delegation_is_asked_here_too)
{
    struct mint_request req = {.rule = SPAN("pbx"),
        .partner = SPAN("exch"),
        .user_kind = USER_UPN,
        .user = SPAN("alice@contoso.example")};
    struct mint_grant g;
    ck_assert_int_eq(policy_grant(s, &req, &g), REASON_OK);
    s->clients[0].delegation = false;
    ck_assert_int_eq(policy_grant(s, &req, &g), REASON_ACT_AS_REFUSED);
}
END_TEST

START_TEST(test_delegated_lifetime_is_the_partners)
{
    struct mint_request req = {.rule = SPAN("batch"),
        .partner = SPAN("sps"),
        .user_kind = USER_UPN,
        .user = SPAN("alice@contoso.example")};
    struct mint_grant g;
    s->clients[3].delegation = true;
    s->clients[3].act_as = s->clients[0].act_as;
    enum reason r = policy_grant(s, &req, &g);
    s->clients[3].act_as = (struct patterns){0};
    ck_assert_int_eq(r, REASON_OK);
    ck_assert_int_eq(g.lifetime_s, 300);
}
END_TEST

/* DESIGN 6, `resource`. */
static const struct {
    const char *resource;
    enum reason reason;
    const char *partner, *host, *detail;
} resources[] = {
    {"exch", REASON_OK, "exch", "exch.contoso.example", ""},
    {"sps", REASON_OK, "sps", "sps.contoso.example:8443", ""},
    {"off", REASON_OK, "off", "off.contoso.example", ""},
    {"Exch", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"00000002-0000-0ff1-ce00-000000000000/mail.contoso.example@contoso.example", REASON_OK, "exch",
        "mail.contoso.example", ""},
    {"00000002-0000-0FF1-CE00-000000000000/MAIL.contoso.example@Contoso.example", REASON_OK, "exch",
        "mail.contoso.example", ""},
    {"00000002-0000-0ff1-ce00-000000000000/sps.contoso.example@contoso.example",
        REASON_HOST_NOT_OF_PARTNER, NULL, NULL, ""},
    {"00000002-0000-0ff1-ce00-000000000000/mail.contoso.example@other.example",
        REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"99999999-0000-0ff1-ce00-000000000000/mail.contoso.example@contoso.example",
        REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"https://exch.contoso.example/ews/exchange.asmx", REASON_OK, "exch", "exch.contoso.example",
        ""},
    {"HTTPS://Exch.Contoso.Example", REASON_OK, "exch", "exch.contoso.example", ""},
    {"https://exch.contoso.example:8444/ews", REASON_OK, "exch", "exch.contoso.example", ""},
    {"https://sps.contoso.example:8443/_api", REASON_OK, "sps", "sps.contoso.example:8443", ""},
    {"https://sps.contoso.example/_api", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"exch.contoso.example", REASON_OK, "exch", "exch.contoso.example", ""},
    {"MAIL.contoso.example", REASON_OK, "exch", "mail.contoso.example", ""}, /* off is disabled */
    {"off.contoso.example", REASON_OK, "off", "off.contoso.example", ""},
    {"both.contoso.example", REASON_OK, "aoff", "both.contoso.example", ""}, /* all disabled */
    {"shared.contoso.example", REASON_AMBIGUOUS_TARGET, NULL, NULL, "twin, twin2"},
    {"https://shared.contoso.example/x", REASON_AMBIGUOUS_TARGET, NULL, NULL, "twin, twin2"},
    {"http://exch.contoso.example/ews", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"https://evil@exch.contoso.example/", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"https://exch.contoso.example/#x", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"unknown.example", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"a b", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
    {"", REASON_NO_SUCH_PARTNER, NULL, NULL, ""},
};

START_TEST(test_resource)
{
    const struct partner *partner = NULL;
    struct span host = {0};
    char detail[64] = "x";
    enum reason r = policy_resource(
        s, span_of(resources[_i].resource), &partner, &host, detail, sizeof(detail));
    ck_assert_str_eq(reason_code(r), reason_code(resources[_i].reason));
    ck_assert_str_eq(detail, resources[_i].detail);
    ck_assert_str_eq(
        partner ? partner->name : "none", resources[_i].partner ? resources[_i].partner : "none");
    ck_assert(span_eq_str(host, resources[_i].host ? resources[_i].host : ""));
}
END_TEST

START_TEST(test_resource_detail_is_cut)
{
    const struct partner *partner = NULL;
    struct span host;
    char detail[8];
    enum reason r =
        policy_resource(s, SPAN("shared.contoso.example"), &partner, &host, detail, sizeof(detail));
    ck_assert_int_eq(r, REASON_AMBIGUOUS_TARGET);
    ck_assert_str_eq(detail, "twin, t");
    ck_assert_int_eq(policy_resource(s, SPAN("shared.contoso.example"), &partner, &host, NULL, 0),
        REASON_AMBIGUOUS_TARGET);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_match, 0, (int)ARRAY_LEN(matches));
    tcase_add_test(t, test_rights);
    tcase_add_test(t, test_root_without_a_rule);
    tcase_add_test(t, test_needs_unit);
    tcase_add_test(t, test_why_not);
    tcase_add_test(t, test_may_validate);
    tcase_add_loop_test(t, test_grant, 0, (int)ARRAY_LEN(grants));
    tcase_add_test(t, test_delegation_is_asked_here_too);
    tcase_add_test(t, test_delegated_lifetime_is_the_partners);
    tcase_add_loop_test(t, test_resource, 0, (int)ARRAY_LEN(resources));
    tcase_add_test(t, test_resource_detail_is_cut);
}

int main(void)
{
    return unit_run("policy", fill);
}
