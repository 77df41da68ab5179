/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of principals (protocol note 2.2): three parts or two, and nothing is normalised. */
#include "principal.h"
#include "unit.h"

#define G "00000002-0000-0ff1-ce00-000000000000"

static const struct issuer_case {
    const char *text, *app_id, *realm; /* app_id NULL: refused */
} issuers[] = {
    {G "@contoso.com", G, "contoso.com"},
    {G "@t686d436-9f16-42db-09b7-cb578e110ccd", G, "t686d436-9f16-42db-09b7-cb578e110ccd"},
    {"A@B", "A", "B"},
    {"a@*", "a", "*"},
    {"", NULL, NULL},
    {"@", NULL, NULL},
    {G, NULL, NULL},
    {G "@", NULL, NULL},
    {"@contoso.com", NULL, NULL},
    {G "@a@b", NULL, NULL},
    {"/" G "@contoso.com", NULL, NULL},
    {G "/@contoso.com", NULL, NULL},
    {G "/host@contoso.com", NULL, NULL},
    {G "@contoso.com/", NULL, NULL},
    {G "@contoso.com ", NULL, NULL},
    {" " G "@contoso.com", NULL, NULL},
    {G "@con toso.com", NULL, NULL},
    {G "@contoso.com\n", NULL, NULL},
    {G "@contoso.com\x7f", NULL, NULL},
    {G "@conto\xc3\xa4o.com", NULL, NULL},
};

START_TEST(test_issuer)
{
    const struct issuer_case *c = &issuers[_i];
    struct principal p = {.app_id = SPAN("untouched")};
    const bool ok = principal_parse_issuer(span_of(c->text), &p);
    ck_assert_msg(ok == (c->app_id != NULL), "%s", c->text);
    if (!ok) {
        ck_assert(span_eq_str(p.app_id, "untouched"));
        return;
    }
    ck_assert(span_eq_str(p.app_id, c->app_id));
    ck_assert(span_eq_str(p.realm, c->realm));
    ck_assert_uint_eq(p.host.n, 0);
}
END_TEST

static const struct audience_case {
    const char *text, *app_id, *host, *realm;
} audiences[] = {
    {G "/mail.contoso.com@contoso.com", G, "mail.contoso.com", "contoso.com"},
    {G "/sp.contoso.com:444@r", G, "sp.contoso.com:444", "r"},
    {G "/win-b0i6kv698ls@r", G, "win-b0i6kv698ls", "r"},
    {"a/*@*", "a", "*", "*"},
    {"", NULL, NULL, NULL},
    {"/@", NULL, NULL, NULL},
    {G "@contoso.com", NULL, NULL, NULL},
    {G "/mail.contoso.com", NULL, NULL, NULL},
    {G "/@contoso.com", NULL, NULL, NULL},
    {"/mail.contoso.com@contoso.com", NULL, NULL, NULL},
    {G "/mail.contoso.com@", NULL, NULL, NULL},
    {G "/a/b@contoso.com", NULL, NULL, NULL},
    {G "/a@b/c", NULL, NULL, NULL},
    {G "@b/c", NULL, NULL, NULL},
    {G "/a@b@c", NULL, NULL, NULL},
    {G "/a@b ", NULL, NULL, NULL},
    {G "/www.example.com\n@b", NULL, NULL, NULL},
    {"https://mail.contoso.com", NULL, NULL, NULL},
    {"https://user@mail.contoso.com/", NULL, NULL, NULL},
};

START_TEST(test_audience)
{
    const struct audience_case *c = &audiences[_i];
    struct principal p = {.app_id = SPAN("untouched")};
    const bool ok = principal_parse_audience(span_of(c->text), &p);
    ck_assert_msg(ok == (c->app_id != NULL), "%s", c->text);
    if (!ok) {
        ck_assert(span_eq_str(p.app_id, "untouched"));
        return;
    }
    ck_assert(span_eq_str(p.app_id, c->app_id));
    ck_assert(span_eq_str(p.host, c->host));
    ck_assert(span_eq_str(p.realm, c->realm));
}
END_TEST

/* A NUL byte ends no text here. */
START_TEST(test_nul)
{
    struct principal p;
    ck_assert(!principal_parse_issuer(SPAN("a@b\0c"), &p));
    ck_assert(!principal_parse_audience(SPAN("a/h\0@b"), &p));
    ck_assert(!app_id_valid(SPAN("00000002-0000-0ff1-ce00-00000000000\0")));
    ck_assert(!realm_valid(SPAN("a\0")));
    ck_assert(!host_valid(SPAN("a\0")));
    ck_assert(!principal_parse_issuer((struct span){0}, &p));
    ck_assert(!principal_parse_audience((struct span){0}, &p));
}
END_TEST

START_TEST(test_app_id)
{
    ck_assert(app_id_valid(SPAN(G)));
    ck_assert(app_id_valid(SPAN("d3776938-3dba-481f-a652-4bedfcab7cd8")));
    ck_assert(!app_id_valid(SPAN("D3776938-3DBA-481F-A652-4BEDFCAB7CD8")));
    ck_assert(!app_id_valid(SPAN("00000002-0000-0ff1-ce00-00000000000")));
    ck_assert(!app_id_valid(SPAN("00000002-0000-0ff1-ce00-0000000000000")));
    ck_assert(!app_id_valid(SPAN("00000002-0000-0ff1-ce0-0000000000000")));
    ck_assert(!app_id_valid(SPAN("0000000g-0000-0ff1-ce00-000000000000")));
    ck_assert(!app_id_valid(SPAN("00000002+0000-0ff1-ce00-000000000000")));
    ck_assert(!app_id_valid(SPAN("")));
}
END_TEST

START_TEST(test_realm)
{
    char text[255];
    memset(text, 'a', sizeof(text));
    ck_assert(realm_valid(SPAN("contoso.com")));
    ck_assert(realm_valid(SPAN("t_1-x")));
    ck_assert(realm_valid((struct span){text, 253}));
    ck_assert(!realm_valid((struct span){text, 254}));
    ck_assert(!realm_valid(SPAN("")));
    ck_assert(!realm_valid(SPAN("*")));
    ck_assert(!realm_valid(SPAN("Contoso.com")));
    ck_assert(!realm_valid(SPAN("a@b")));
    ck_assert(!realm_valid(SPAN("a b")));
}
END_TEST

START_TEST(test_host)
{
    static const char *const good[] = {
        "mail.contoso.com", "MAIL", "a_b-c.d", "10.0.0.1", "h:1", "sp.contoso.com:65535"};
    static const char *const bad[] = {"", ":443", "h:", "h:0", "h:01", "h:65536", "h:123456",
        "h:4a", "h:1:2", "[::1]", "a b", "a/b", "a@b", "h:-1"};
    char text[260];
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(host_valid(span_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!host_valid(span_of(bad[i])), "%s", bad[i]);
    ck_assert(host_valid((struct span){text, 253}));
    ck_assert(!host_valid((struct span){text, 254}));
    memcpy(text + 253, ":443", 4);
    ck_assert(host_valid((struct span){text, 257}));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, test_issuer, 0, ARRAY_LEN(issuers));
    tcase_add_loop_test(tc, test_audience, 0, ARRAY_LEN(audiences));
    tcase_add_test(tc, test_nul);
    tcase_add_test(tc, test_app_id);
    tcase_add_test(tc, test_realm);
    tcase_add_test(tc, test_host);
}

int main(void)
{
    return unit_run("trust_principal", fill);
}
