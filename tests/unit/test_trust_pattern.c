/* SPDX-License-Identifier: Apache-2.0 */
/* User patterns (DESIGN 5): *@domain is that exact domain, else a whole address; refused wins. */
#include "pattern.h"
#include "unit.h"

START_TEST(test_address)
{
    static const char *const good[] = {"a@b", "ken.myer@contoso.com", "Ken+tag_1-x@EU.Contoso.Com",
        "a@b.c.d.e", "user@xn--bcher-kva.example", "a@1.2", "svc@my_domain.local"};
    static const char *const bad[] = {"", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c", "a@b c",
        "a@b..c", "a@.b", "a@b.", "a@-b", "a@b-", "a@b.-c", "\"a\"@b", "a@[127.0.0.1]", "a%b@c",
        "a,b@c", "a@b,c", "dom\\user", "a@b\n", "\ta@b", "a'b@c", "*@b", "a@*", "\xc3\xa4@b",
        "a@b\xc3\xa4"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(user_address_valid(span_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!user_address_valid(span_of(bad[i])), "%s", bad[i]);
    ck_assert(!user_address_valid((struct span){0}));
    ck_assert(!user_address_valid(SPAN("a@b\0c")));
    ck_assert(!user_address_valid(SPAN("a\0@b")));
}
END_TEST

static struct span address_of(char *room, size_t local, size_t label, size_t labels)
{
    size_t n = local;
    memset(room, 'a', local);
    room[n++] = '@';
    for (size_t i = 0; i < labels; i++) {
        memset(room + n, 'b', label);
        n += label;
        room[n++] = '.';
    }
    return (struct span){room, n - 1};
}

START_TEST(test_address_lengths)
{
    char room[600];
    ck_assert(user_address_valid(address_of(room, 64, 1, 1)));
    ck_assert(!user_address_valid(address_of(room, 65, 1, 1)));
    ck_assert(user_address_valid(address_of(room, 1, 63, 1)));
    ck_assert(!user_address_valid(address_of(room, 1, 64, 1)));
    ck_assert(user_address_valid(address_of(room, 1, 1, 127)));  /* 253 */
    ck_assert(!user_address_valid(address_of(room, 1, 1, 128))); /* 255 */
    ck_assert(!user_address_valid(address_of(room, 1, 50, 5)));  /* 254 */
}
END_TEST

START_TEST(test_pattern)
{
    ck_assert(pattern_valid("*@contoso.com"));
    ck_assert(pattern_valid("ken@contoso.com"));
    ck_assert(!pattern_valid("*"));
    ck_assert(!pattern_valid("*@"));
    ck_assert(!pattern_valid("*@*"));
    ck_assert(!pattern_valid("*@*.contoso.com"));
    ck_assert(!pattern_valid("k*@contoso.com"));
    ck_assert(!pattern_valid("**@contoso.com"));
    ck_assert(!pattern_valid("@contoso.com"));
    ck_assert(!pattern_valid("contoso.com"));
    ck_assert(!pattern_valid(""));
    ck_assert(!pattern_valid("*@contoso.com,*@fabrikam.com"));
}
END_TEST

#define LIST(...)                                                                                  \
    {                                                                                              \
        .list = (char *[]){__VA_ARGS__}, .n = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)     \
    }
#define P(text) ((char[]){text})

static const struct patterns nobody = {0}, domain = LIST(P("*@contoso.com")),
                             two = LIST(P("*@Contoso.com"), P("Guest@fabrikam.com")),
                             boss = LIST(P("boss@contoso.com")),
                             broken = LIST(P("*"), P("*@*"), P(""));

static const struct allow_case {
    const struct patterns *permitted, *refused;
    const char *user;
    bool allowed;
} cases[] = {
    {&nobody, &nobody, "ken@contoso.com", false},
    {&domain, &nobody, "ken@contoso.com", true},
    {&domain, &nobody, "KEN@CONTOSO.COM", true},
    {&domain, &nobody, "ken@eu.contoso.com", false},
    {&domain, &nobody, "ken@notcontoso.com", false},
    {&domain, &nobody, "ken@contoso.com.evil", false},
    {&domain, &nobody, "ken@contoso.co", false},
    {&domain, &nobody, "@contoso.com", false},
    {&domain, &nobody, "ken@evil@contoso.com", false},
    {&domain, &nobody, "", false},
    {&two, &nobody, "guest@Fabrikam.com", true},
    {&two, &nobody, "ken@fabrikam.com", false},
    {&two, &nobody, "guest2@fabrikam.com", false},
    {&domain, &boss, "ken@contoso.com", true},
    {&domain, &boss, "Boss@Contoso.Com", false},
    {&domain, &domain, "ken@contoso.com", false},
    {&boss, &boss, "boss@contoso.com", false},
    {&broken, &nobody, "ken@contoso.com", false},
    {&domain, &broken, "ken@contoso.com", true},
    {&domain, &nobody, "s-1-5-18", false},
};

START_TEST(test_allow)
{
    const struct allow_case *c = &cases[_i];
    ck_assert_msg(
        patterns_allow(c->permitted, c->refused, span_of(c->user)) == c->allowed, "%s", c->user);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_address);
    tcase_add_test(tc, test_address_lengths);
    tcase_add_test(tc, test_pattern);
    tcase_add_loop_test(tc, test_allow, 0, ARRAY_LEN(cases));
}

int main(void)
{
    return unit_run("trust_pattern", fill);
}
