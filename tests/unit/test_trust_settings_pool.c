/* SPDX-License-Identifier: Apache-2.0 */
/* [Pool]: what it may say, and each mistake at its line. */
#include "cleanup.h"
#include "settings_of.h"
#include "settings_table.h"
#include "unit.h"

#define IDENTITY                                                                                   \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"
#define EXCH                                                                                       \
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"                   \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
#define URL(n) "https://node" #n ".contoso.example/metadata/json/1"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define FOUR(n) URL(n##1) " " URL(n##2) " " URL(n##3) " " URL(n##4)
#define EIGHT(n) FOUR(n##1) " " FOUR(n##2)

START_TEST(test_without_it_there_is_no_pool)
{
    CLEANUP(settings_freep) struct settings *s = settings_of(IDENTITY);
    ck_assert_uint_eq(s->pool.members.n, 0);
    ck_assert_int_eq(s->pool.interval_s, 300);
    ck_assert_ptr_null(s->pool.ca_file);
}
END_TEST

START_TEST(test_members_of_several_lines)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "[Pool]\nMembers=" URL(1) " " URL(2) "\nMembers=" URL(
        3) "\nCAFile=/etc/pool.pem\nInterval=1s\n");
    ck_assert_uint_eq(s->pool.members.n, 3);
    ck_assert_str_eq(s->pool.members.list[2], URL(3));
    ck_assert_str_eq(s->pool.ca_file, "/etc/pool.pem");
    ck_assert_int_eq(s->pool.interval_s, 300);
}
END_TEST

START_TEST(test_a_change_needs_no_restart)
{
    char what[256];
    CLEANUP(settings_freep) struct settings *a = settings_of(IDENTITY);
    CLEANUP(settings_freep) struct settings *b = settings_of(IDENTITY "[Pool]\nMembers=" URL(1));
    ck_assert(!settings_need_restart(a, b, what, sizeof(what)));
}
END_TEST

static const struct {
    const char *text, *says;
} mistakes[] = {
    {"[Pool]\n\nCAFile=/x\nPinnedPublicKey=" PIN "\n",
        "t.conf:7: [Pool] CAFile= has a meaning only with Members=\n"
        "t.conf:8: [Pool] PinnedPublicKey= has a meaning only with Members=\n"},
    {"[Pool]\nMembers=" URL(1) "\nMembers=https://NODE1.contoso.example:443/metadata/json/1\n",
        "t.conf:7: [Pool] Members=: https://NODE1.contoso.example:443/metadata/json/1 is there "
        "already\n"},
    {"[Pool]\nMembers=" URL(1) "\nMembers=https://exch.contoso.example/metadata/json/1\n" EXCH,
        "t.conf:7: [Pool] Members=: https://exch.contoso.example/metadata/json/1 is the document "
        "of [Partner exch]; a member is this very application\n"},
    {"[Pool]\nMembers=http://node1.contoso.example/x\n",
        "t.conf:6: [Pool] Members=: not of the form https://host[:port]/path\n"},
    {"[Pool]\nMembers=" URL(1) "\n[Metadata]\nSigned=yes\n",
        "t.conf:6: [Pool] Members= and [Metadata] Signed=yes exclude each other: a member can "
        "vouch for its own keys only, and its number does not follow that of the others\n"},
    {"[Pool]\nMember=" URL(1) "\n",
        "t.conf:6: unknown setting Member= in [Pool]; did you mean Members=?\n"},
    {"[Pool]\nMembers=" EIGHT(1) "\nMembers=" EIGHT(2) " " URL(9) "\n",
        "t.conf:7: [Pool] Members= has 17 addresses; a pool has at most 16\n"},
};

START_TEST(test_mistakes)
{
    char text[2048];
    snprintf(text, sizeof(text), IDENTITY "%s", mistakes[_i].text);
    struct settings_read r = settings_read(text, "lync.contoso.example");
    ck_assert_ptr_null(r.settings);
    ck_assert_str_eq(r.errors.text.p, mistakes[_i].says);
    settings_read_done(&r);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_without_it_there_is_no_pool);
    tcase_add_test(tc, test_members_of_several_lines);
    tcase_add_test(tc, test_a_change_needs_no_restart);
    tcase_add_loop_test(tc, test_mistakes, 0, (int)ARRAY_LEN(mistakes));
}

int main(void)
{
    return unit_run("settings_pool", fill);
}
