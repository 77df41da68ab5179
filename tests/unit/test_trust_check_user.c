/* SPDX-License-Identifier: Apache-2.0 */
/* Which user an outer token names, by all the claims that may name one. */
#include "check_user.h"
#include "unit.h"

static const struct user_case {
    const char *nameid, *upn, *smtp, *sip;
    bool accept;
    enum reason reason;
    const char *told; /* the user; or the claim to blame */
} cases[] = {
    {"ken@contoso.com", NULL, NULL, NULL, false, REASON_OK, "ken@contoso.com"},
    {"Ken@Contoso.com", "kEN@cONTOSO.COM", NULL, NULL, false, REASON_OK, "Ken@Contoso.com"},
    {"ken@contoso.com", "kim@contoso.com", NULL, NULL, false, REASON_USER_AMBIGUOUS, "upn"},
    {"ken@contoso.com", "ken@contoso.com.", NULL, NULL, false, REASON_USER_FORM, "upn"},
    {"ken@contoso.com", "root", NULL, NULL, false, REASON_USER_FORM, "upn"},
    {"ken@contoso.com", NULL, "a.b@x.com", "c@y.com", false, REASON_OK, "ken@contoso.com"},
    {"ken@contoso.com", NULL, "root", NULL, false, REASON_USER_FORM, "smtp"},
    {"ken@contoso.com", NULL, "smtp:a@b", NULL, false, REASON_USER_FORM, "smtp"},
    {"ken@contoso.com", NULL, NULL, "sip:c@y.com", false, REASON_OK, "ken@contoso.com"},
    {"ken@contoso.com", NULL, NULL, "SIP:c@y.com", false, REASON_OK, "ken@contoso.com"},
    {"ken@contoso.com", NULL, NULL, "sip:", false, REASON_USER_FORM, "sip"},
    {"ken@contoso.com", NULL, NULL, "sip:sip:c@y.com", false, REASON_USER_FORM, "sip"},
    {"ken@contoso.com", NULL, NULL, "sips:c@y.com", false, REASON_USER_FORM, "sip"},
    {NULL, "ken@contoso.com", NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"root", "ken@contoso.com", NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"0#.w|a\\user", "ken@contoso.com", NULL, NULL, true, REASON_USER_FORM, "nameid"},
    /* SIDs */
    {"s-1-5-21-1-2-3-500", "ken@c.com", NULL, NULL, false, REASON_OK, "ken@c.com"},
    {"S-1-5-21-1-2-3-500", "ken@c.com", NULL, NULL, false, REASON_OK, "ken@c.com"},
    {"S-1-5-21-1-2-3-500", "root", NULL, NULL, true, REASON_USER_FORM, "upn"},
    {"S-1-5-18", NULL, NULL, NULL, false, REASON_USER_FORM, "nameid"},
    {"S-1-5-18", NULL, "ken@c.com", NULL, false, REASON_USER_FORM, "nameid"},
    {"S-1-5-18", NULL, NULL, NULL, true, REASON_OK, "S-1-5-18"},
    {"S-1-5-18", NULL, "root", NULL, true, REASON_USER_FORM, "smtp"},
    {"S-1-5", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1--5", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-5-", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-2-5-18", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-5-18a", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-5-18 ", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-5-1234567890123456", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"S-1-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15", NULL, NULL, NULL, true, REASON_OK,
        "S-1-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"},
    {"S-1-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16-17", NULL, NULL, NULL, true, REASON_USER_FORM,
        "nameid"},
    /* PUIDs */
    {"10032001E2CBE43B", "ken@c.com", NULL, NULL, false, REASON_OK, "ken@c.com"},
    {"10032001e2cbe43b", NULL, NULL, NULL, true, REASON_OK, "10032001e2cbe43b"},
    {"10032001E2CBE43B", NULL, NULL, NULL, false, REASON_USER_FORM, "nameid"},
    {"10032001E2CBE43", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"10032001E2CBE43B0", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
    {"10032001E2CBE43G", NULL, NULL, NULL, true, REASON_USER_FORM, "nameid"},
};

START_TEST(test_outer)
{
    const struct user_case *c = &cases[_i];
    const struct claims outer = {.nameid = span_of(c->nameid),
        .upn = span_of(c->upn),
        .smtp = span_of(c->smtp),
        .sip = span_of(c->sip)};
    struct user_named u;
    const enum reason got = check_user_of_outer(&outer, c->accept, &u);
    ck_assert_msg(got == c->reason, "%s %s: %s", c->nameid ? c->nameid : "-", c->upn ? c->upn : "-",
        reason_code(got));
    if (got != REASON_OK) {
        ck_assert_str_eq(u.bad, c->told);
        return;
    }
    ck_assert(span_eq_str(u.user, c->told));
    ck_assert(u.by_identifier == !user_address_valid(u.user));
    ck_assert(!c->sip || user_address_valid(u.sip));
}
END_TEST

START_TEST(test_signed)
{
    struct user_named u;
    const struct claims good = {.sub = SPAN("ken@c.com")}, sid = {.sub = SPAN("S-1-5-18")},
                        none = {.nameid = SPAN("ken@c.com")};
    ck_assert_int_eq(check_user_of_signed(&good, &u), REASON_OK);
    ck_assert(span_eq_str(u.user, "ken@c.com") && !u.by_identifier && !u.smtp.p && !u.sip.p);
    ck_assert_int_eq(check_user_of_signed(&sid, &u), REASON_USER_FORM);
    ck_assert_int_eq(check_user_of_signed(&none, &u), REASON_USER_FORM);
    ck_assert_str_eq(u.bad, "sub");
}
END_TEST

/* Each address passes by itself; an identifier alone passes where anybody is permitted at all. */
START_TEST(test_permitted)
{
    char domain[] = "*@c.com", boss[] = "boss@c.com";
    const struct partner p = {
        .permitted_users = {(char *[]){domain}, 1}, .refused_users = {(char *[]){boss}, 1}};
    const struct partner closed = {0};
    struct user_named ken = {.user = SPAN("ken@c.com")}, other = {.user = SPAN("ken@d.com")},
                      smtp = {.user = SPAN("ken@c.com"), .smtp = SPAN("boss@c.com")},
                      sip = {.user = SPAN("ken@c.com"), .sip = SPAN("ken@d.com")},
                      sid = {.user = SPAN("S-1-5-18"), .by_identifier = true},
                      odd = {.user = SPAN("S-1-5-18")};
    ck_assert_int_eq(check_user_permitted(&ken, &p), REASON_OK);
    ck_assert_int_eq(check_user_permitted(&ken, &closed), REASON_USER_REFUSED);
    ck_assert_int_eq(check_user_permitted(&other, &p), REASON_USER_REFUSED);
    ck_assert_str_eq(other.bad, "user");
    ck_assert_int_eq(check_user_permitted(&smtp, &p), REASON_USER_REFUSED);
    ck_assert_str_eq(smtp.bad, "smtp");
    ck_assert_int_eq(check_user_permitted(&sip, &p), REASON_USER_REFUSED);
    ck_assert_str_eq(sip.bad, "sip");
    ck_assert_int_eq(check_user_permitted(&sid, &p), REASON_OK);
    ck_assert_int_eq(check_user_permitted(&sid, &closed), REASON_USER_REFUSED);
    ck_assert_int_eq(check_user_permitted(&odd, &p), REASON_USER_REFUSED);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, test_outer, 0, ARRAY_LEN(cases));
    tcase_add_test(tc, test_signed);
    tcase_add_test(tc, test_permitted);
}

int main(void)
{
    return unit_run("trust_check_user", fill);
}
