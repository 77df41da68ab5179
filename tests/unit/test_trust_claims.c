/* SPDX-License-Identifier: Apache-2.0 */
/* Claims by their form: which JSON becomes which claim, and what is refused (R17, R18, R25, R26).
 */
#include "claims.h"
#include "unit.h"

#include <stdio.h>

static struct json_doc *doc;
static struct claims c;
static struct span bad;

static enum reason read_text(enum claims_of of, const char *json)
{
    static const struct json_limits limits = {.bytes = JWS_CLAIMS_MAX};
    const struct json_value *payload;
    ck_assert_msg(json_parse(doc, span_of(json), &limits, &payload) == REASON_OK, "%s", json);
    memset(&c, 0x5a, sizeof(c));
    bad = (struct span){0};
    return claims_read(payload, of, &c, &bad);
}

static void setup(void)
{
    doc = json_doc_new();
    ck_assert_ptr_nonnull(doc);
}

static void teardown(void)
{
    json_doc_freep(&doc);
}

START_TEST(test_all)
{
    ck_assert_int_eq(
        read_text(CLAIMS_OUTER, "{\"iss\":\"a\",\"aud\":\"b\",\"nameid\":\"c\",\"nii\":\"d\","
                                "\"upn\":\"e\",\"smtp\":\"f\",\"sip\":\"g\",\"actortoken\":\"h\","
                                "\"nbf\":\"1\",\"exp\":2,\"iat\":[],\"rh\":{\"x\":null}}"),
        REASON_OK);
    ck_assert(span_eq_str(c.iss, "a") && span_eq_str(c.aud, "b") && span_eq_str(c.nameid, "c"));
    ck_assert(span_eq_str(c.nii, "d") && span_eq_str(c.upn, "e") && span_eq_str(c.smtp, "f"));
    ck_assert(span_eq_str(c.sip, "g") && span_eq_str(c.actortoken, "h"));
    ck_assert(c.has_nbf && c.nbf == 1 && c.has_exp && c.exp == 2);
    ck_assert(!c.has_forbidden && !c.has_nested_actor);
}
END_TEST

START_TEST(test_nothing)
{
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{}"), REASON_OK);
    ck_assert(!c.iss.p && !c.aud.p && !c.nameid.p && !c.nii.p && !c.upn.p && !c.smtp.p &&
              !c.sip.p && !c.actortoken.p && !c.sub.p && !c.actor.p);
    ck_assert(!c.has_nbf && !c.has_exp && !c.has_nested_actor && !c.has_forbidden);
    ck_assert_int_eq(c.trusted_for_delegation, DELEGATION_ABSENT);
}
END_TEST

static const char *const identities[] = {"iss", "aud", "nameid", "nii", "upn", "smtp", "sip"};

/* Each identity string, in each kind of token: text, 1 to 512 printable ASCII characters. */
START_TEST(test_identities)
{
    static const char *const wrong[] = {"\"\"", "null", "7", "true", "[\"a\"]", "{}", "\"a\\nb\"",
        "\"\\u007f\"", "\"\\u0085\"", "\"\xc3\xa4\"", "\"\\u202e\""};
    const char *name = identities[_i];
    char json[700];
    for (enum claims_of of = CLAIMS_SIGNED; of <= CLAIMS_USER; of++) {
        for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
            snprintf(json, sizeof(json), "{\"%s\":%s}", name, wrong[i]);
            ck_assert_msg(read_text(of, json) == REASON_CLAIM, "%s", json);
            ck_assert(span_eq_str(bad, name));
            ck_assert_int_eq(c.nbf, 0x5a5a5a5a5a5a5a5a); /* untouched */
        }
        snprintf(json, sizeof(json), "{\"%s\":\"%0512d\"}", name, 0);
        ck_assert_int_eq(read_text(of, json), REASON_OK);
        snprintf(json, sizeof(json), "{\"%s\":\"%0513d\"}", name, 0);
        ck_assert_int_eq(read_text(of, json), REASON_CLAIM);
        snprintf(json, sizeof(json), "{\"%s\":\" ~\"}", name);
        ck_assert_int_eq(read_text(of, json), REASON_OK);
    }
}
END_TEST

static const struct time_case {
    const char *json;
    int64_t value; /* -1: refused */
} times[] = {
    {"0", 0},
    {"\"0\"", 0},
    {"1735700000", 1735700000},
    {"\"1735700000\"", 1735700000},
    {"9999999999", 9999999999},
    {"\"9999999999\"", 9999999999},
    {"10000000000", -1},
    {"\"10000000000\"", -1},
    {"-1", -1},
    {"-0", -1},
    {"1.0", -1},
    {"1e9", -1},
    {"1E5", -1},
    {"\"01\"", -1},
    {"\"\"", -1},
    {"\"+1\"", -1},
    {"\"-1\"", -1},
    {"\" 1\"", -1},
    {"\"1 \"", -1},
    {"\"1\\n\"", -1},
    {"\"0x1\"", -1},
    {"\"1.0\"", -1},
    {"\"1_0\"", -1},
    {"\"\xd9\xa3\"", -1},
    {"null", -1},
    {"true", -1},
    {"[1]", -1},
    {"{}", -1},
};

START_TEST(test_times)
{
    const struct time_case *t = &times[_i];
    char json[80];
    for (enum claims_of of = CLAIMS_SIGNED; of <= CLAIMS_USER; of++) {
        const enum reason wanted = t->value < 0 ? REASON_TIME_FORM : REASON_OK;
        snprintf(json, sizeof(json), "{\"exp\":%s}", t->json);
        ck_assert_msg(read_text(of, json) == wanted, "%s", json);
        if (t->value >= 0)
            ck_assert(c.has_exp && !c.has_nbf && c.exp == t->value);
        snprintf(json, sizeof(json), "{\"nbf\":%s}", t->json);
        ck_assert_msg(read_text(of, json) == wanted, "%s", json);
        if (t->value >= 0)
            ck_assert(c.has_nbf && !c.has_exp && c.nbf == t->value);
    }
}
END_TEST

static const struct delegation_case {
    const char *json;
    enum reason reason;
    enum delegation_claim value;
} delegations[] = {
    {"\"true\"", REASON_OK, DELEGATION_TRUE},
    {"true", REASON_OK, DELEGATION_TRUE},
    {"\"false\"", REASON_OK, DELEGATION_FALSE},
    {"false", REASON_OK, DELEGATION_FALSE},
    {"\"True\"", REASON_NO_DELEGATION, 0},
    {"\"TRUE\"", REASON_NO_DELEGATION, 0},
    {"\"true \"", REASON_NO_DELEGATION, 0},
    {"\"1\"", REASON_NO_DELEGATION, 0},
    {"\"\"", REASON_NO_DELEGATION, 0},
    {"1", REASON_NO_DELEGATION, 0},
    {"null", REASON_NO_DELEGATION, 0},
    {"[true]", REASON_NO_DELEGATION, 0},
};

START_TEST(test_delegation)
{
    const struct delegation_case *d = &delegations[_i];
    char json[80];
    snprintf(json, sizeof(json), "{\"trustedfordelegation\":%s}", d->json);
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, json), d->reason);
    if (d->reason == REASON_OK)
        ck_assert_int_eq(c.trusted_for_delegation, d->value);
    /* In an outer token any form of it is the forbidden claim and decides nothing. */
    ck_assert_int_eq(read_text(CLAIMS_OUTER, json), REASON_OK);
    ck_assert(c.has_forbidden);
    ck_assert_int_eq(c.trusted_for_delegation, DELEGATION_ABSENT);
}
END_TEST

START_TEST(test_forbidden)
{
    static const char *const yes[] = {"ver", "isloopback", "isuser", "endpointurl",
        "endpointurlLength", "endpointUrlHash", "prooftoken", "hashedprooftoken", "cachekey",
        "trustedfordelegation", "actort", "act", "VER", "IsLoopback", "EndpointURL", "ProofToken"};
    static const char *const no[] = {"version", "endpoint", "prooftokens", "actor", "oid", "sub",
        "xendpointurl", "amr", "proof"};
    char json[80];
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        snprintf(json, sizeof(json), "{\"%s\":null}", yes[i]);
        ck_assert_int_eq(read_text(CLAIMS_OUTER, json), REASON_OK);
        ck_assert_msg(c.has_forbidden, "%s", yes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        snprintf(json, sizeof(json), "{\"%s\":null}", no[i]);
        ck_assert_int_eq(read_text(CLAIMS_OUTER, json), REASON_OK);
        ck_assert_msg(!c.has_forbidden, "%s", no[i]);
    }
    /* A token server writes ver into what it signs. */
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"ver\":\"1.0\"}"), REASON_OK);
    ck_assert(!c.has_forbidden);
}
END_TEST

START_TEST(test_actors)
{
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"actortoken\":[]}"), REASON_OK);
    ck_assert(c.has_nested_actor && !c.actortoken.p);
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"actort\":\"a.b.c\"}"), REASON_OK);
    ck_assert(c.has_nested_actor);
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"act\":{\"sub\":\"a@b\"}}"), REASON_OK);
    ck_assert(c.has_nested_actor && !c.actor.p);
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"actor\":\"a@b\",\"sub\":7}"), REASON_OK);
    ck_assert(!c.has_nested_actor && !c.sub.p);
    ck_assert_int_eq(read_text(CLAIMS_OUTER, "{\"actortoken\":\"\"}"), REASON_ACTOR_TOKEN);
    ck_assert_int_eq(read_text(CLAIMS_OUTER, "{\"actortoken\":7}"), REASON_ACTOR_TOKEN);
    ck_assert_int_eq(read_text(CLAIMS_OUTER, "{\"actortoken\":null}"), REASON_ACTOR_TOKEN);
}
END_TEST

START_TEST(test_signed_user)
{
    static const char *const wrong[] = {"null", "\"a@b\"", "[]", "{}", "{\"sub\":7}",
        "{\"iss\":\"a@b\"}", "{\"sub\":\"a@b\",\"act\":{}}", "{\"sub\":\"\"}"};
    char json[120];
    ck_assert_int_eq(
        read_text(CLAIMS_USER, "{\"sub\":\"u@c\",\"act\":{\"sub\":\"a@b\"}}"), REASON_OK);
    ck_assert(span_eq_str(c.sub, "u@c") && span_eq_str(c.actor, "a@b") && !c.has_nested_actor);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        snprintf(json, sizeof(json), "{\"act\":%s}", wrong[i]);
        ck_assert_msg(read_text(CLAIMS_USER, json) == REASON_CLAIM, "%s", json);
        ck_assert(span_eq_str(bad, "act"));
    }
    ck_assert_int_eq(read_text(CLAIMS_USER, "{\"sub\":null}"), REASON_CLAIM);
    ck_assert_int_eq(read_text(CLAIMS_USER, "{\"actortoken\":\"a\"}"), REASON_OK);
    ck_assert(c.has_nested_actor);
    ck_assert_int_eq(read_text(CLAIMS_USER, "{\"actort\":\"a\"}"), REASON_OK);
    ck_assert(c.has_nested_actor);
}
END_TEST

/* Names are compared as bytes: another case or an escaped look-alike is another claim. */
START_TEST(test_names)
{
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"ISS\":7,\"Exp\":\"x\",\"iss \":1}"), REASON_OK);
    ck_assert(!c.iss.p && !c.has_exp);
    ck_assert_int_eq(read_text(CLAIMS_SIGNED, "{\"\\u0069ss\":\"a\"}"), REASON_OK);
    ck_assert(span_eq_str(c.iss, "a"));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_all);
    tcase_add_test(tc, test_nothing);
    tcase_add_loop_test(tc, test_identities, 0, ARRAY_LEN(identities));
    tcase_add_loop_test(tc, test_times, 0, ARRAY_LEN(times));
    tcase_add_loop_test(tc, test_delegation, 0, ARRAY_LEN(delegations));
    tcase_add_test(tc, test_forbidden);
    tcase_add_test(tc, test_actors);
    tcase_add_test(tc, test_signed_user);
    tcase_add_test(tc, test_names);
}

int main(void)
{
    return unit_run("trust_claims", fill);
}
