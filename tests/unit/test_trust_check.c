/* SPDX-License-Identifier: Apache-2.0 */
/* The ladder, rung by rung. The file includes check.c, so that a rung can be taken out to prove
 * that it carries. */
#include "../../common/trust/check.c"

#include "check_rows.h"

static const struct row app_rows[] = {
    OK("app-only"),
    OK("actor token on its own", .claims = "trustedfordelegation=\"true\""),
    OK("actor claim false", .claims = "trustedfordelegation=\"false\""),
    OK("times as numbers", .claims = "nbf=1735699700;exp=1735703300"),
    OK("unknown claims are ignored", .claims = "oid=\"x\";xms_spcu={\"a\":[1]};iat=1"),
    OK("trust application", .from = "wiki"),
    OK("air-gapped partner", .from = "bare"),
    OK("host in other case", .claims = "aud=\"" US "/MAIL.Contoso.com@contoso.com\""),
    OK("second host", .claims = "aud=\"" US "/autodiscover.contoso.com@contoso.com\""),
    OK("s2sd partner's app-only token", .from = "peer"),
    /* form */
    NO("no dot behind the claims", TOKEN_SHAPE, FORM, .seal = SEAL_NO_DOT),
    NO("blank in the signature", TOKEN_ENCODING, FORM, .seal = SEAL_ODD),
    NO("header is no JSON", JSON_SYNTAX, FORM, .header = "!{"),
    NO("header is no object", TOKEN_HEADER, FORM, .header = "![]"),
    NO("header member twice", JSON_DUPLICATE, FORM, .header = "+alg=\"RS256\""),
    NO("unknown header member", TOKEN_HEADER, FORM, .header = "jku=\"https://a.example\""),
    NO("crit", TOKEN_HEADER, FORM, .header = "crit=[\"b64\"]"),
    NO("header member no string", TOKEN_HEADER, FORM, .header = "alg=[\"RS256\"]"),
    NO("no typ", TOKEN_TYPE, FORM, .header = "typ="),
    NO("typ in other case", TOKEN_TYPE, FORM, .header = "typ=\"jwt\""),
    NO("announcement", TOKEN_TYPE, FORM, .header = "typ=\"s2s-announce+jwt\""),
    NO("at+jwt", TOKEN_TYPE, FORM, .header = "typ=\"at+jwt\""),
    NO("no alg", ALGORITHM, FORM, .header = "alg="),
    NO("alg in other case", ALGORITHM, FORM, .header = "alg=\"rs256\""),
    NO("HS256", ALGORITHM, FORM, .header = "alg=\"HS256\""),
    NO("None", ALGORITHM, FORM, .header = "alg=\"None\""),
    NO("payload is no JSON", JSON_SYNTAX, FORM, .claims = "!{\"iss\":}"),
    NO("payload is no object", JSON_FIELD, FORM, .claims = "![1]"),
    NO("payload nested too deeply", JSON_DEPTH, FORM,
        .claims = "a=[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"),
    NO("claim twice", JSON_DUPLICATE, FORM, .claims = "+iss=" LYNC),
    NO("claim twice, escaped", JSON_DUPLICATE, FORM, .claims = "+i\\u0073s=" LYNC),
    NO("empty iss", CLAIM, FORM, .claims = "iss=\"\""),
    NO("iss null", CLAIM, FORM, .claims = "iss=null"),
    NO("aud is a list", CLAIM, FORM, .claims = "aud=[" AUD "]"),
    NO("line feed in nameid", CLAIM, FORM, .claims = "nameid=\"a\\n@b\""),
    NO("not ASCII in nameid", CLAIM, FORM, .claims = "nameid=\"\xc3\xa4@b\""),
    NO("exp with a sign", TIME_FORM, FORM, .claims = "exp=\"+1735703300\""),
    NO("exp with an exponent", TIME_FORM, FORM, .claims = "exp=1.7357033e9"),
    NO("nbf with 11 digits", TIME_FORM, FORM, .claims = "nbf=\"01735699700\""),
    NO("trustedfordelegation True", NO_DELEGATION, FORM, .claims = "trustedfordelegation=\"True\""),
    NO("trustedfordelegation 1", NO_DELEGATION, FORM, .claims = "trustedfordelegation=1"),
    /* issuer */
    NO("no iss", CLAIM, ISSUER, .claims = "iss="),
    NO("nobody's iss", UNKNOWN_ISSUER, ISSUER,
        .claims = "iss=\"00000004-0000-0ff1-ce00-000000000000@evil.example\""),
    NO("iss in other case", UNKNOWN_ISSUER, ISSUER,
        .claims = "iss=\"00000004-0000-0FF1-CE00-000000000000@lync.contoso.com\""),
    NO("iss with a tail", UNKNOWN_ISSUER, ISSUER,
        .claims = "iss=\"00000004-0000-0ff1-ce00-000000000000@lync.contoso.com \""),
    NO("iss is ourselves", UNKNOWN_ISSUER, ISSUER, .claims = "iss=\"" US "@contoso.com\""),
    NO("partner switched off", PARTNER_DISABLED, ISSUER, .from = "off"),
    /* key */
    OK("kid as the thumbprint's text", .header = "x5t=;kid=$x5t"),
    OK("kid beside x5t", .header = "kid=$x5t"),
    OK("x5t in standard base64", .header = "x5t=$std"),
    OK("x5t#S256 alone", .header = "x5t=;x5t#S256=$s256"),
    NO("no key id", NO_KEY_ID, KEY, .header = "x5t="),
    NO("key of another partner", UNKNOWN_KEY, KEY, .by_other = true),
    NO("thumbprint in hexadecimal", UNKNOWN_KEY, KEY, .header = "x5t=$hex"),
    NO("x5t is no thumbprint", UNKNOWN_KEY, KEY, .header = "x5t=\"AAAA\""),
    NO("empty kid", UNKNOWN_KEY, KEY, .header = "x5t=;kid=\"\""),
    NO("right x5t, unknown kid", UNKNOWN_KEY, KEY, .header = "kid=\"zz\""),
    NO("right kid, other x5t", UNKNOWN_KEY, KEY, .header = "kid=$x5t;x5t=$other"),
    NO("right x5t, wrong x5t#S256", UNKNOWN_KEY, KEY,
        .header = "x5t#S256=\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
    NO("partner never fetched", UNKNOWN_KEY, KEY, .from = "fresh"),
    /* signature */
    NO("signature of other bytes", SIGNATURE, SIGNATURE, .seal = SEAL_OF_OTHERS),
    NO("one bit changed", SIGNATURE, SIGNATURE, .seal = SEAL_FLIPPED),
    NO("zero byte in front", SIGNATURE, SIGNATURE, .seal = SEAL_LONGER),
    NO("no signature", SIGNATURE, SIGNATURE, .seal = SEAL_NONE),
    NO("signed by another, right x5t", SIGNATURE, SIGNATURE, .header = "x5t=$x5t",
        .by_other = true),
    /* times: now is 1735700000, 300 s of skew, 90000 s of life */
    OK("ended 299 s ago", .claims = "nbf=1735690000;exp=1735699701"),
    NO("ended 300 s ago", EXPIRED, TIME, .claims = "nbf=1735690000;exp=1735699700"),
    OK("begins in 300 s", .claims = "nbf=1735700300"),
    NO("begins in 301 s", NOT_YET_VALID, TIME, .claims = "nbf=1735700301"),
    OK("lives 90000 s", .claims = "nbf=1735699000;exp=1735789000"),
    NO("lives 90001 s", LIFETIME, TIME, .claims = "nbf=1735699000;exp=1735789001"),
    NO("no exp", TIME_FORM, TIME, .claims = "exp="),
    NO("no nbf", TIME_FORM, TIME, .claims = "nbf="),
    NO("ends before it begins", TIME_FORM, TIME, .claims = "nbf=1735700100;exp=1735700050"),
    NO("ends when it begins", TIME_FORM, TIME, .claims = "nbf=1735700100;exp=1735700100"),
    NO("lives for ever", LIFETIME, TIME, .claims = "exp=9999999999"),
    /* audience */
    NO("no aud", AUDIENCE_FORM, AUDIENCE, .claims = "aud="),
    NO("aud is a URL", AUDIENCE_FORM, AUDIENCE, .claims = "aud=\"https://mail.contoso.com/\""),
    NO("aud of two parts", AUDIENCE_FORM, AUDIENCE, .claims = "aud=\"" US "@contoso.com\""),
    NO("another application", AUDIENCE, AUDIENCE,
        .claims = "aud=\"00000003-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com\""),
    NO("application in other case", AUDIENCE, AUDIENCE,
        .claims = "aud=\"00000002-0000-0FF1-CE00-000000000000/mail.contoso.com@contoso.com\""),
    NO("another host", AUDIENCE, AUDIENCE, .claims = "aud=\"" US "/www.contoso.com@contoso.com\""),
    NO("a port", AUDIENCE, AUDIENCE, .claims = "aud=\"" US "/mail.contoso.com:443@contoso.com\""),
    NO("another realm", AUDIENCE_REALM, AUDIENCE,
        .claims = "aud=\"" US "/mail.contoso.com@fabrikam.com\""),
    NO("realm star", AUDIENCE_REALM, AUDIENCE, .claims = "aud=\"" US "/mail.contoso.com@*\""),
    NO("realm in other case", AUDIENCE_REALM, AUDIENCE,
        .claims = "aud=\"" US "/mail.contoso.com@Contoso.com\""),
    /* kind */
    OK("trust broker for its application", .from = "farm", .claims = "nameid=" FARM_APP),
    OK("trust broker for itself", .from = "farm"),
    NO("actortoken in a signed token", NESTED_ACTOR, KIND, .claims = "actortoken=\"a.b.c\""),
    NO("actort in a signed token", NESTED_ACTOR, KIND, .claims = "actort={}"),
    NO("act in a signed token", NESTED_ACTOR, KIND, .claims = "act={\"sub\":\"a@b\"}"),
    NO("act in an s2sd partner's plain token", NESTED_ACTOR, KIND, .from = "peer",
        .claims = "act={\"sub\":\"a@b\"};sub=\"ken@contoso.com\""),
    NO("no nameid (identity token, assertion)", TOKEN_KIND, KIND, .claims = "nameid="),
    NO("nameid of a user", ACTOR_NAME, KIND, .claims = "nameid=\"ken@contoso.com\""),
    NO("nameid of another partner", ACTOR_NAME, KIND,
        .claims = "nameid=\"00000003-0000-0ff1-ce00-000000000000@wiki.contoso.com\""),
    NO("listed application, no broker", ACTOR_NAME, KIND, .claims = "nameid=" FARM_APP),
    NO("broker for our own application", ACTOR_NAME, KIND, .from = "farm",
        .claims = "nameid=\"" US "@contoso.com\""),
    NO("trust user", TRUST_LEVEL, KIND, .from = "users"),
};

static const struct row outer_rows[] = {
    OK("outer", .kind = ROW_OUTER),
    OK("JSON true", .kind = ROW_OUTER, .claims = "trustedfordelegation=true"),
    OK("host differs in case", .kind = ROW_OUTER,
        .outer_c = "aud=\"" US "/Mail.contoso.com@contoso.com\""),
    OK("trust broker's application", .kind = ROW_OUTER, .from = "farm",
        .claims = "nameid=" FARM_APP, .outer_c = "iss=" FARM_APP),
    /* form */
    NO("alg none alone", UNSIGNED, FORM, .header = "alg=\"none\";x5t=", .seal = SEAL_NONE),
    NO("alg none, proof token", UNSIGNED, FORM, .header = "alg=\"none\";x5t=",
        .claims = "endpointurl=\"a\";isloopback=true", .seal = SEAL_NONE),
    NO("alg none with x5t", OUTER_SHAPE, FORM, .header = "alg=\"none\"", .seal = SEAL_NONE),
    NO("outer with kid", OUTER_SHAPE, FORM, .kind = ROW_OUTER, .outer_h = "kid=\"a\""),
    NO("outer without typ", TOKEN_TYPE, FORM, .kind = ROW_OUTER, .outer_h = "typ="),
    NO("outer NONE", ALGORITHM, FORM, .kind = ROW_OUTER, .outer_h = "alg=\"NONE\""),
    NO("outer user type", ALGORITHM, FORM, .kind = ROW_OUTER, .outer_h = "typ=\"s2s-user+jwt\""),
    NO("outer with a signature", OUTER_SHAPE, FORM, .kind = ROW_OUTER, .outer_seal = SEAL_LONGER),
    NO("outer with odd characters behind", OUTER_SHAPE, FORM, .kind = ROW_OUTER,
        .outer_seal = SEAL_ODD),
    NO("outer without the last dot", TOKEN_SHAPE, FORM, .kind = ROW_OUTER,
        .outer_seal = SEAL_NO_DOT),
    NO("no actor token", UNSIGNED, FORM, .kind = ROW_OUTER, .outer_c = "actortoken="),
    NO("actor token empty", ACTOR_TOKEN, FORM, .kind = ROW_OUTER, .outer_c = "actortoken=\"\""),
    NO("actor token an object", ACTOR_TOKEN, FORM, .kind = ROW_OUTER, .outer_c = "actortoken={}"),
    NO("actor token null", ACTOR_TOKEN, FORM, .kind = ROW_OUTER, .outer_c = "actortoken=null"),
    NO("actor token no token", ACTOR_TOKEN, FORM, .kind = ROW_OUTER,
        .outer_c = "actortoken=\"a.b\""),
    NO("actor token odd", TOKEN_ENCODING, FORM, .kind = ROW_OUTER,
        .outer_c = "actortoken=\"a.b.c\""),
    NO("actor token unsigned", ALGORITHM, FORM, .kind = ROW_OUTER,
        .header = "alg=\"none\";x5t=", .seal = SEAL_NONE),
    NO("actor token HS256", ALGORITHM, FORM, .kind = ROW_OUTER, .header = "alg=\"HS256\""),
    NO("actor token a user token", TOKEN_TYPE, FORM, .kind = ROW_OUTER,
        .header = "typ=\"s2s-user+jwt\""),
    NO("outer claim twice", JSON_DUPLICATE, FORM, .kind = ROW_OUTER,
        .outer_c = "+nameid=\"boss@contoso.com\""),
    NO("outer claim of wrong type", CLAIM, FORM, .kind = ROW_OUTER, .outer_c = "upn=7"),
    NO("outer time of wrong form", TIME_FORM, FORM, .kind = ROW_OUTER, .outer_c = "exp=\"soon\""),
    NO("control character in the user", CLAIM, FORM, .kind = ROW_OUTER,
        .outer_c = "nameid=\"ken\\u0007@contoso.com\""),
    /* the actor token fails on its own */
    NO("actor signature flipped", SIGNATURE, SIGNATURE, .kind = ROW_OUTER, .seal = SEAL_FLIPPED),
    NO("actor signature AAA", SIGNATURE, SIGNATURE, .kind = ROW_OUTER, .seal = SEAL_NONE),
    NO("actor expired, outer fresh", EXPIRED, TIME, .kind = ROW_OUTER,
        .claims = "nbf=1735600000;exp=1735610000"),
    NO("actor for another realm, outer for us", AUDIENCE_REALM, AUDIENCE, .kind = ROW_OUTER,
        .claims = "aud=\"" US "/mail.contoso.com@fabrikam.com\""),
    NO("signed actor nests an actor", NESTED_ACTOR, KIND, .kind = ROW_OUTER,
        .claims = "actortoken=\"a.b.c\""),
    /* the outer token's own times */
    NO("outer expired", EXPIRED, TIME, .kind = ROW_OUTER,
        .outer_c = "nbf=1735690000;exp=1735699700"),
    NO("outer not yet valid", NOT_YET_VALID, TIME, .kind = ROW_OUTER, .outer_c = "nbf=1735700301"),
    NO("outer lives for years", LIFETIME, TIME, .kind = ROW_OUTER, .outer_c = "exp=1835703300"),
    NO("outer without exp", TIME_FORM, TIME, .kind = ROW_OUTER, .outer_c = "exp="),
    NO("outer without nbf", TIME_FORM, TIME, .kind = ROW_OUTER, .outer_c = "nbf="),
    /* kind */
    NO("trust application", TRUST_LEVEL, KIND, .kind = ROW_OUTER, .from = "wiki"),
    NO("s2sd partner", OUTER_REFUSED, KIND, .kind = ROW_OUTER, .from = "peer"),
    /* binding */
    NO("forbidden ver", FORBIDDEN_CLAIM, ACTOR, .kind = ROW_OUTER, .outer_c = "ver=\"1.0\""),
    NO("forbidden isloopback", FORBIDDEN_CLAIM, ACTOR, .kind = ROW_OUTER,
        .outer_c = "isloopback=true"),
    NO("forbidden trustedfordelegation", FORBIDDEN_CLAIM, ACTOR, .kind = ROW_OUTER,
        .outer_c = "trustedfordelegation=\"true\""),
    NO("no trustedfordelegation", NO_DELEGATION, ACTOR, .kind = ROW_OUTER,
        .claims = "trustedfordelegation="),
    NO("trustedfordelegation false", NO_DELEGATION, ACTOR, .kind = ROW_OUTER,
        .claims = "trustedfordelegation=\"false\""),
    NO("outer iss of another", OUTER_ISSUER, ACTOR, .kind = ROW_OUTER,
        .outer_c = "iss=\"00000009-0000-0ff1-ce00-000000000000@far.example\""),
    NO("outer without iss", OUTER_ISSUER, ACTOR, .kind = ROW_OUTER, .outer_c = "iss="),
    NO("outer iss in other case", OUTER_ISSUER, ACTOR, .kind = ROW_OUTER,
        .outer_c = "iss=\"00000004-0000-0ff1-ce00-000000000000@LYNC.contoso.com\""),
    NO("outer iss is the broker, not its application", OUTER_ISSUER, ACTOR, .kind = ROW_OUTER,
        .from = "farm", .claims = "nameid=" FARM_APP),
    NO("outer aud, other host", OUTER_AUDIENCE, ACTOR, .kind = ROW_OUTER,
        .outer_c = "aud=\"" US "/autodiscover.contoso.com@contoso.com\""),
    NO("outer aud, other realm", OUTER_AUDIENCE, ACTOR, .kind = ROW_OUTER,
        .outer_c = "aud=\"" US "/mail.contoso.com@fabrikam.com\""),
    NO("outer aud, other application", OUTER_AUDIENCE, ACTOR, .kind = ROW_OUTER,
        .outer_c = "aud=\"00000003-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com\""),
    NO("outer without aud", OUTER_AUDIENCE, ACTOR, .kind = ROW_OUTER, .outer_c = "aud="),
    /* user */
    NO("no user", USER_FORM, USER, .kind = ROW_OUTER, .outer_c = "nameid="),
    NO("user a word", USER_FORM, USER, .kind = ROW_OUTER, .outer_c = "nameid=\"root\""),
    NO("SID alone", USER_FORM, USER, .kind = ROW_OUTER, .outer_c = "nameid=\"s-1-5-21-1-2-3-500\""),
    NO("upn another user", USER_AMBIGUOUS, USER, .kind = ROW_OUTER,
        .outer_c = "upn=\"kim@contoso.com\""),
    OK("SID beside an address", .kind = ROW_OUTER,
        .outer_c = "nameid=\"S-1-5-21-1-2-3-500\";upn=\"ken@contoso.com\""),
    /* policy */
    OK("permitted by the whole address", .kind = ROW_OUTER,
        .outer_c = "nameid=\"Guest@Partner.Example\""),
    NO("not permitted", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "nameid=\"ken@partner.example\""),
    NO("a domain below", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "nameid=\"ken@eu.contoso.com\""),
    NO("refused wins", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "nameid=\"Boss@contoso.com\""),
    NO("upn of a SID not permitted", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "nameid=\"s-1-5-21-1-2-3-500\";upn=\"ken@fabrikam.com\""),
    NO("smtp not permitted", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "smtp=\"boss@contoso.com\""),
    NO("sip not permitted", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "sip=\"sip:boss@contoso.com\""),
    OK("smtp and sip permitted", .kind = ROW_OUTER,
        .outer_c = "smtp=\"ken.myer@contoso.com\";sip=\"SIP:ken@contoso.com\""),
};

static const struct row user_rows[] = {
    OK("user token", .kind = ROW_USER),
    NO("unsigned algorithm", ALGORITHM, FORM, .kind = ROW_USER, .header = "alg=\"none\""),
    NO("act twice", JSON_DUPLICATE, FORM, .kind = ROW_USER, .claims = "+act={}"),
    NO("act is text", CLAIM, FORM, .kind = ROW_USER, .claims = "act=\"a@b\""),
    NO("act with a second level", CLAIM, FORM, .kind = ROW_USER,
        .claims = "act={\"sub\":\"a@b\",\"act\":{\"sub\":\"c@d\"}}"),
    NO("sub is a number", CLAIM, FORM, .kind = ROW_USER, .claims = "sub=7"),
    NO("flipped", SIGNATURE, SIGNATURE, .kind = ROW_USER, .seal = SEAL_FLIPPED),
    NO("expired", EXPIRED, TIME, .kind = ROW_USER, .claims = "nbf=1735690000;exp=1735699700"),
    NO("another host", AUDIENCE, AUDIENCE, .kind = ROW_USER,
        .claims = "aud=\"" US "/www.contoso.com@contoso.com\""),
    NO("from a partner that is no s2sd", TOKEN_TYPE, KIND, .kind = ROW_USER, .from = "lync"),
    NO("with an actor token", NESTED_ACTOR, KIND, .kind = ROW_USER,
        .claims = "actortoken=\"a.b.c\""),
    NO("no nameid", TOKEN_KIND, KIND, .kind = ROW_USER, .claims = "nameid="),
    NO("nameid of the user", ACTOR_NAME, KIND, .kind = ROW_USER,
        .claims = "nameid=\"ken@contoso.com\""),
    NO("no act", ACTOR_NAME, ACTOR, .kind = ROW_USER, .claims = "act="),
    NO("act of another", ACTOR_NAME, ACTOR, .kind = ROW_USER, .claims = "act={\"sub\":" LYNC "}"),
    NO("no sub", USER_FORM, USER, .kind = ROW_USER, .claims = "sub="),
    NO("sub a SID", USER_FORM, USER, .kind = ROW_USER, .claims = "sub=\"s-1-5-18\""),
    NO("sub not permitted", USER_REFUSED, POLICY, .kind = ROW_USER,
        .claims = "sub=\"ken@fabrikam.com\""),
    NO("sub refused", USER_REFUSED, POLICY, .kind = ROW_USER, .claims = "sub=\"boss@contoso.com\""),
};

START_TEST(test_app_rows)
{
    expect_row(&app_rows[_i]);
}
END_TEST

START_TEST(test_outer_rows)
{
    expect_row(&outer_rows[_i]);
}
END_TEST

START_TEST(test_user_rows)
{
    expect_row(&user_rows[_i]);
}
END_TEST

/* Every reason that the ladder can give is given by a row here or a case of the other file. */
START_TEST(test_all_reasons)
{
    static const enum reason elsewhere[] = {REASON_OK, REASON_TOO_LARGE, REASON_PARTNER_STALE,
        REASON_PARTNER_SUSPENDED, REASON_KEY_EXPIRED, REASON_KEY_DISPUTED, REASON_KEY_BARRED,
        REASON_PARTNER_SUSPENDED, REASON_OUT_OF_MEMORY, REASON_INTERNAL};
    static const struct {
        const struct row *rows;
        size_t n;
    } tables[] = {{app_rows, ARRAY_LEN(app_rows)}, {outer_rows, ARRAY_LEN(outer_rows)},
        {user_rows, ARRAY_LEN(user_rows)}};
    bool seen[REASON_COUNT] = {false};

    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        seen[elsewhere[i]] = true;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t].n; i++)
            seen[tables[t].rows[i].reason] = true;
    /* A number of x-ms-diagnostics marks the reasons that a token can be refused for. */
    for (enum reason r = REASON_OK; r < REASON_COUNT; r++)
        ck_assert_msg(seen[r] || reason_number(r) == 0, "no row ends as %s", reason_code(r));
}
END_TEST

/* ---- each rung carries ---- */

/* check_token with one rung taken out. */
static enum reason climb_without(climb_function *out, struct span token)
{
    struct judging j = {.against = &w.against,
        .scratch = w.scratch,
        .v = &w.v,
        .token = token,
        .kind = APP,
        .subject = "the token",
        .reader = w.scratch->whole};
    verdict_start(&w.v);
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        const bool skip = ladder[i].climb == out || !(ladder[i].kinds & j.kind);
        const enum reason r = skip ? REASON_OK : ladder[i].climb(&j);
        if (r != REASON_OK)
            return r;
    }
    return REASON_OK;
}

/* Those that only judge: the others also read what the next ones need. */
static climb_function *const judging_rungs[] = {verify_signature, judge_times, judge_outer_times,
    judge_audience, judge_kind, judge_application, judge_trust_level, refuse_forbidden,
    require_delegation, bind_outer, bind_act, judge_policy};

static bool believed_without(climb_function *out, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
        if (rows[i].reason == REASON_OK)
            continue;
        put_row(&token, &rows[i]);
        if (climb_without(out, buf_span(&token)) == REASON_OK)
            return true;
    }
    return false;
}

START_TEST(test_rung_carries)
{
    climb_function *out = judging_rungs[_i];
    ck_assert(believed_without(out, app_rows, ARRAY_LEN(app_rows)) ||
              believed_without(out, outer_rows, ARRAY_LEN(outer_rows)) ||
              believed_without(out, user_rows, ARRAY_LEN(user_rows)));
}
END_TEST

/* R29: the steps stand in the order of their enum, and nothing before the signature is skipped. */
START_TEST(test_order)
{
    for (size_t i = 1; i < ARRAY_LEN(ladder); i++)
        ck_assert_int_ge(ladder[i].step, ladder[i - 1].step);
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++)
        if (ladder[i].step >= STEP_ISSUER && ladder[i].step <= STEP_AUDIENCE)
            ck_assert(ladder[i].kinds == ANY || ladder[i].climb == judge_outer_times);
    ck_assert_str_eq(check_step_name(STEP_FORM), "form");
    ck_assert_str_eq(check_step_name(STEP_POLICY), "policy");
    ck_assert_str_eq(check_step_name(STEP_COUNT), "believed");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trust_check");
    TCase *rows = tcase_create("rows");
    world_open(&w);
    tcase_set_timeout(rows, 60);
    tcase_add_checked_fixture(rows, row_setup, NULL);
    tcase_add_loop_test(rows, test_app_rows, 0, ARRAY_LEN(app_rows));
    tcase_add_loop_test(rows, test_outer_rows, 0, ARRAY_LEN(outer_rows));
    tcase_add_loop_test(rows, test_user_rows, 0, ARRAY_LEN(user_rows));
    tcase_add_loop_test(rows, test_rung_carries, 0, ARRAY_LEN(judging_rungs));
    tcase_add_test(rows, test_all_reasons);
    tcase_add_test(rows, test_order);
    suite_add_tcase(suite, rows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    world_close(&w);
    return failed != 0;
}
