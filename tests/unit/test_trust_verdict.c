/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as JSON: what each step says it found, and what is told without explain. */
#include "verdict.h"

#include "check_rows.h"

#include <inttypes.h>

static const struct row good_app = OK("app-only"), good_outer = OK("outer", .kind = ROW_OUTER),
                        good_user = OK("user token", .kind = ROW_USER);

#define LYNC_NAME "00000004-0000-0ff1-ce00-000000000000@lync.contoso.com"
#define PEER_NAME "00000006-0000-0ff1-ce00-000000000000@peer.contoso.com"
#define MAIL US "/mail.contoso.com@contoso.com"

static struct buf text;
static const struct json_value *verdict; /* of the last row */
static struct json_doc *doc;

/* Judges a row and reads what verdict_put wrote at `now`. */
static void put(const struct row *row, int64_t now, bool explain)
{
    const struct json_limits limits = {.bytes = 65536};
    struct json_out j;
    expect_row(row);
    buf_reset(&text);
    json_out_start(&j, &text);
    json_out_object(&j, NULL);
    verdict_put(&j, &w.v, now, explain);
    json_out_object_end(&j);
    ck_assert(!text.failed);
    ck_assert_int_eq(json_parse(doc, buf_span(&text), &limits, &verdict), REASON_OK);
}

static const struct json_value *step_at(enum check_step step)
{
    const struct json_value *v = json_get(verdict, "steps")->child;
    for (unsigned i = 0; i < step; i++)
        v = v->next;
    return v;
}

/* "passed: what was found", "skipped". */
static void expect_step(enum check_step step, const char *expected)
{
    const struct json_value *v = step_at(step), *detail = json_get(v, "detail");
    char got[1024];
    snprintf(got, sizeof(got), "%.*s%s%.*s", (int)json_get(v, "outcome")->text.n,
        json_get(v, "outcome")->text.p, detail ? ": " : "", detail ? (int)detail->text.n : 0,
        detail ? detail->text.p : "");
    ck_assert(span_eq_str(json_get(v, "step")->text, check_step_name(step)));
    ck_assert_msg(
        strcmp(got, expected) == 0, "%s: \"%s\", not \"%s\"", check_step_name(step), got, expected);
}

/* The first seven characters, as people compare them. */
static const char *short_x5t(const char *before)
{
    static char out[64];
    char x5t[X5T_TEXT_LEN];
    snprintf(out, sizeof(out), "%sx5t %.7s", before, x5t_text(signkey_cert(w.key)->x5t, x5t));
    return out;
}

START_TEST(test_steps_of_an_app_token)
{
    put(&good_app, WORLD_NOW, true);
    ck_assert_uint_eq(json_get(verdict, "steps")->count, STEP_COUNT);
    expect_step(STEP_FORM, "passed: signed app-only token");
    expect_step(STEP_ISSUER, "passed: " LYNC_NAME " is partner lync");
    expect_step(STEP_KEY, short_x5t("passed: "));
    expect_step(STEP_SIGNATURE, "passed: RS256");
    expect_step(STEP_TIME, "passed: until 2025-01-01T03:48:20Z, 55 min left");
    expect_step(STEP_AUDIENCE, "passed: mail.contoso.com is one of our hosts");
    expect_step(STEP_KIND, "passed: application " LYNC_NAME ", Trust=full");
    expect_step(STEP_ACTOR, "skipped");
    expect_step(STEP_USER, "skipped");
    expect_step(STEP_POLICY, "skipped");
}
END_TEST

START_TEST(test_steps_of_an_outer_token)
{
    put(&good_outer, WORLD_NOW, true);
    expect_step(STEP_FORM, "passed: unsigned outer token with signed actor token");
    expect_step(STEP_ISSUER, "passed: " LYNC_NAME " is partner lync");
    expect_step(STEP_SIGNATURE, "passed: RS256");
    expect_step(STEP_AUDIENCE, "passed: mail.contoso.com is one of our hosts");
    expect_step(STEP_ACTOR, "passed: both tokens name the same actor and audience");
    expect_step(STEP_USER, "passed: ken@contoso.com");
    expect_step(STEP_POLICY, "passed: permitted by PermittedUsers=");
}
END_TEST

START_TEST(test_steps_of_a_signed_user_token)
{
    put(&good_user, WORLD_NOW, true);
    expect_step(STEP_FORM, "passed: signed user token");
    expect_step(STEP_ISSUER, "passed: " PEER_NAME " is partner peer");
    expect_step(STEP_KIND, "passed: application " PEER_NAME ", Trust=full");
    expect_step(STEP_ACTOR, "passed: act names the application");
    expect_step(STEP_USER, "passed: ken@contoso.com");
    expect_step(STEP_POLICY, "passed: permitted by PermittedUsers=");
}
END_TEST

/* A user without an address is not in any pattern. */
START_TEST(test_steps_of_an_identifier)
{
    const struct row sid = OK("SID", .kind = ROW_OUTER, .outer_c = "nameid=\"s-1-5-21-1-2-3-500\"");
    for (size_t i = 0; i < w.settings->n_partners; i++)
        w.settings->partners[i].accept_sid = true;
    put(&sid, WORLD_NOW, true);
    expect_step(STEP_USER, "passed: s-1-5-21-1-2-3-500");
    expect_step(STEP_POLICY, "passed: permitted by AcceptSecurityIdentifier=");
}
END_TEST

/* What is left is told in the largest unit that still says enough. */
START_TEST(test_time_left)
{
    const int64_t end = 1735703300;
    const struct {
        int64_t now;
        const char *says;
    } cases[] = {
        {end - 25 * 3600, "passed: until 2025-01-01T03:48:20Z, 25 h left"},
        {end - 7200, "passed: until 2025-01-01T03:48:20Z, 2 h left"},
        {end - 7199, "passed: until 2025-01-01T03:48:20Z, 119 min left"},
        {end - 120, "passed: until 2025-01-01T03:48:20Z, 2 min left"},
        {end - 119, "passed: until 2025-01-01T03:48:20Z, 119 s left"},
        {end - 1, "passed: until 2025-01-01T03:48:20Z, 1 s left"},
        {end, "passed: until 2025-01-01T03:48:20Z, over for 0 s; the clock skew allows it"},
        {end + 299, "passed: until 2025-01-01T03:48:20Z, over for 299 s; the clock skew allows it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put(&good_app, cases[i].now, true);
        expect_step(STEP_TIME, cases[i].says);
    }
}
END_TEST

static void end_yesterday(struct partner_trust *t)
{
    t->keys[0].not_after = WORLD_NOW - 86400;
}

static void forget_certificate(struct partner_trust *t)
{
    t->keys[0].has_x5t = false;
    memset(t->keys[0].x5t, 0, X5T_LEN);
    snprintf(t->keys[0].kid, sizeof(t->keys[0].kid), "k1");
}

START_TEST(test_keys)
{
    char expected[128];
    const struct row bare = OK("bare key", .header = "x5t=;kid=\"k1\"");
    for (size_t i = 0; i < w.settings->n_partners; i++)
        w.settings->partners[i].expired_keys = EXPIRED_WARN;
    world_edit(&w, "lync", end_yesterday);
    put(&good_app, WORLD_NOW, true);
    snprintf(expected, sizeof(expected),
        "%s; its certificate has ended and ExpiredKeys=warn lets it pass", short_x5t("passed: "));
    expect_step(STEP_KEY, expected);
    world_publish(&w, "lync", w.key);
    world_edit(&w, "lync", forget_certificate);
    put(&bare, WORLD_NOW, true);
    expect_step(STEP_KEY, "passed: the key of that kid");
}
END_TEST

/* A refused token: the steps before it found what they found, it says why, the rest was not looked
 * at. */
START_TEST(test_refused)
{
    const struct row forged = NO("forged", SIGNATURE, SIGNATURE, .seal = SEAL_FLIPPED);
    const struct row late = NO("late", EXPIRED, TIME, .claims = "nbf=1735690000;exp=1735699508");
    put(&forged, WORLD_NOW, true);
    ck_assert(!json_get(verdict, "active")->truth);
    ck_assert(span_eq_str(json_get(verdict, "reason")->text, "invalid_signature"));
    ck_assert(
        span_eq_str(json_get(verdict, "sentence")->text, "The token has an invalid signature"));
    ck_assert(span_starts(json_get(verdict, "diagnostics")->text, SPAN("2000000;reason=\"")));
    ck_assert(json_get(verdict, "advice")->text.n > 0);
    expect_step(STEP_FORM, "passed: signed app-only token");
    expect_step(STEP_KEY, short_x5t("passed: ")); /* the key it was held against */
    expect_step(STEP_SIGNATURE, "failed");
    for (enum check_step s = STEP_TIME; s < STEP_COUNT; s++)
        expect_step(s, "skipped");
    put(&late, WORLD_NOW, true);
    expect_step(STEP_SIGNATURE, "passed: RS256");
    expect_step(STEP_TIME, "failed: the token expired 492 s ago; 300 s of skew are allowed");
    expect_step(STEP_AUDIENCE, "skipped");
}
END_TEST

/* R32: who may not ask why learns one word. */
START_TEST(test_without_explain)
{
    const struct row forged = NO("forged", SIGNATURE, SIGNATURE, .seal = SEAL_FLIPPED);
    put(&forged, WORLD_NOW, false);
    ck_assert_str_eq(text.p, "{\"active\":false}");
    put(&good_app, WORLD_NOW, false);
    ck_assert_str_eq(text.p,
        "{\"active\":true,\"partner\":\"lync\",\"trust\":\"full\",\"issuer\":\"" LYNC_NAME
        "\",\"subject\":\"" LYNC_NAME "\",\"audience\":\"" MAIL
        "\",\"notBefore\":1735699700,\"expiresAt\":1735703300,\"delegated\":false}");
    put(&good_outer, WORLD_NOW, false);
    ck_assert_str_eq(text.p,
        "{\"active\":true,\"partner\":\"lync\",\"trust\":\"full\",\"issuer\":\"" LYNC_NAME
        "\",\"subject\":\"ken@contoso.com\",\"audience\":\"" MAIL
        "\",\"notBefore\":1735699700,\"expiresAt\":1735703300,\"delegated\":true,\"user\":{"
        "\"nameid\":\"ken@contoso.com\",\"nii\":\"urn:office:idp:activedirectory\","
        "\"address\":\"ken@contoso.com\"}}");
}
END_TEST

/* A remembered verdict explains itself like a fresh one. */
START_TEST(test_remembered)
{
    put(&good_app, WORLD_NOW, true);
    CLEANUP(freep) char *fresh = strdup(text.p);
    const struct token_checked kept = w.v;
    struct json_out j;
    check_recall(&w.v, kept.x5t, kept.nbf, kept.exp);
    memcpy(w.v.issuer, kept.issuer, sizeof(kept.issuer));
    memcpy(w.v.app, kept.app, sizeof(kept.app));
    memcpy(w.v.audience, kept.audience, sizeof(kept.audience));
    ck_assert_int_eq(check_again(&w.against, &w.v), REASON_OK);
    buf_reset(&text);
    json_out_start(&j, &text);
    json_out_object(&j, NULL);
    verdict_put(&j, &w.v, WORLD_NOW, true);
    json_out_object_end(&j);
    ck_assert_str_eq(text.p, fresh);
}
END_TEST

static void add_tests(TCase *rows)
{
    tcase_add_checked_fixture(rows, row_setup, NULL);
    tcase_add_test(rows, test_steps_of_an_app_token);
    tcase_add_test(rows, test_steps_of_an_outer_token);
    tcase_add_test(rows, test_steps_of_a_signed_user_token);
    tcase_add_test(rows, test_steps_of_an_identifier);
    tcase_add_test(rows, test_time_left);
    tcase_add_test(rows, test_keys);
    tcase_add_test(rows, test_refused);
    tcase_add_test(rows, test_without_explain);
    tcase_add_test(rows, test_remembered);
}

int main(void)
{
    Suite *suite = suite_create("trust_verdict");
    TCase *rows = tcase_create("rows");
    world_open(&w);
    text = BUF_INIT(65536);
    doc = json_doc_new();
    add_tests(rows);
    suite_add_tcase(suite, rows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    json_doc_free(doc);
    buf_done(&text);
    world_close(&w);
    return failed != 0;
}
