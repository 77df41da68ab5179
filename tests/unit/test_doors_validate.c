/* SPDX-License-Identifier: Apache-2.0 */
/* A validator through both of its doors: who may ask, what is answered, what is remembered. */

#include "validator_fixture.h"

#define SIGNED_PART                                                                                \
    "\"iss\":\"" LYNC "@" REALM "\",\"sub\":\"%s\",\"aud\":\"" EXCH "/mail.contoso.example@" REALM \
    "\",\"exp\":1767226200,\"nbf\":1767225300,\"client_id\":\"" LYNC "@" REALM                     \
    "\",\"s2s_partner\":\"lync\",\"s2s_trust\":\"full\""

START_TEST(a_believed_token_is_described)
{
    struct far_end far;
    char body[2048];
    CLEANUP(freep) char *app = token_of(old_key, "mail.contoso.example", NULL);
    CLEANUP(freep) char *user = token_of(old_key, "mail.contoso.example", "kim@contoso.example");
    open_validator(OPEN_TO_ALL);
    introspect(&far, app, "");
    snprintf(body, sizeof body, "{\"active\":true," SIGNED_PART "}", LYNC "@" REALM);
    expect_http(&far, 200, body);
    far_close(&far);
    introspect(&far, user, "&audience=MAIL.contoso.example&explain=0");
    snprintf(body, sizeof body,
        "{\"active\":true," SIGNED_PART
        ",\"s2s_user\":{\"nameid\":\"kim@contoso.example\",\"nii\":\"urn:office:idp:"
        "activedirectory\",\"upn\":\"kim@contoso.example\"}}",
        "kim@contoso.example");
    expect_http(&far, 200, body);
    far_close(&far);
    world_close();
}
END_TEST

/* Another character of the alphabet somewhere in the signature. */
static void bend(char *token)
{
    char *c = token + strlen(token) - 10;
    *c = *c == 'A' ? 'B' : 'A';
}

static const char *no_rule_matches(char *out, size_t len)
{
    snprintf(out, len, "no [Client] section matches uid %u, gid %u", (unsigned)geteuid(),
        (unsigned)getegid());
    return out;
}

START_TEST(a_refused_token_is_inactive_and_no_more)
{
    struct far_end far;
    CLEANUP(freep) char *outsider = token_of(old_key, "mail.contoso.example", "x@fabrikam.example");
    CLEANUP(freep) char *bent = token_of(old_key, "mail.contoso.example", NULL);
    bend(bent);
    open_validator(OPEN_TO_ALL);
    const char *const tokens[] = {outsider, bent, "", "x", "a.b.c"};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        introspect(&far, tokens[i], "");
        expect_http(&far, 200, "{\"active\":false}");
        far_close(&far);
    }
    struct counters *c = worker_counters(&world.w);
    ck_assert_uint_eq(c->validations, ARRAY_LEN(tokens));
    ck_assert_uint_eq(c->validation_refusals, ARRAY_LEN(tokens));
    ck_assert_uint_eq(c->by_reason[REASON_USER_REFUSED], 1);
    ck_assert_uint_eq(c->by_reason[REASON_SIGNATURE], 1);
    world_close();
}
END_TEST

START_TEST(explaining_is_a_right)
{
    struct far_end far;
    CLEANUP(freep) char *bent = token_of(old_key, "mail.contoso.example", NULL);
    CLEANUP(freep) char *may = with_rule(OPEN_TO_ALL, "Allow=validate explain\n");
    bend(bent);
    open_validator(OPEN_TO_ALL);
    introspect(&far, bent, "&explain=1");
    char expected[2048], why[128], x5t[X5T_TEXT_LEN];
    snprintf(expected, sizeof expected,
        "{\"error\":\"access_denied\",\"error_description\":\"No client rule lets this process do "
        "that: %s\",\"reason\":\"not_permitted\"}",
        no_rule_matches(why, sizeof why));
    expect_http(&far, 403, expected);
    far_close(&far);
    world_close();
    open_validator(may);
    introspect(&far, bent, "&explain=1");
    snprintf(expected, sizeof expected,
        "{\"active\":false,\"reason\":\"invalid_signature\",\"sentence\":\"The token has an "
        "invalid signature\",\"advice\":\"Forged or damaged: look at who sent it.\","
        "\"diagnostics\":\"2000000;reason=\\\"The token has an invalid signature.\\\";"
        "error_category=\\\"invalid_signature\\\"\",\"steps\":["
        "{\"step\":\"form\",\"outcome\":\"passed\",\"detail\":\"signed app-only token\"},"
        "{\"step\":\"issuer\",\"outcome\":\"passed\",\"detail\":\"" LYNC "@" REALM
        " is partner lync\"},"
        "{\"step\":\"key\",\"outcome\":\"passed\",\"detail\":\"x5t %.7s\"},"
        "{\"step\":\"signature\",\"outcome\":\"failed\"},"
        "{\"step\":\"times\",\"outcome\":\"skipped\"},"
        "{\"step\":\"audience\",\"outcome\":\"skipped\"},"
        "{\"step\":\"kind\",\"outcome\":\"skipped\"},{\"step\":\"actor\",\"outcome\":\"skipped\"},"
        "{\"step\":\"user\",\"outcome\":\"skipped\"},"
        "{\"step\":\"policy\",\"outcome\":\"skipped\"}]}",
        x5t_text(signkey_cert(old_key)->x5t, x5t));
    expect_http(&far, 200, expected);
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(a_failed_step_tells_what_was_found)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    CLEANUP(freep) char *may = with_rule(OPEN_TO_ALL, "Allow=validate explain\n");
    open_validator(may);
    world_pass(600 + 300);
    introspect(&far, token, "&explain=1");
    ck_assert(far_has(&far, "\"reason\":\"expired\""));
    ck_assert(far_has(&far, "{\"step\":\"times\",\"outcome\":\"failed\",\"detail\":\"the token "
                            "expired 300 s ago; 300 s of skew are allowed\"}"));
    far_close(&far);
    world_close();
}
END_TEST

/* Rules and what they let through: for a token to mail.contoso.example. */
static const struct {
    const char *listen, *rule, *more;
    unsigned status;
    bool active;
} rules[] = {
    {"", NULL, "", 200, true},
    {"", "Allow=validate\n", "", 200, true},
    {"", "Allow=mint\n", "", 403, false},
    {"[Listen]\nValidateBy=rules\n", NULL, "", 403, false},
    {"[Listen]\nValidateBy=rules\n", "Allow=validate\n", "", 200, true},
    {"", "Allow=validate\nAudience=mail.contoso.example\n", "", 200, true},
    {"", "Allow=validate\nAudience=other.contoso.example\n", "", 200, false},
    {"", "Allow=validate\nAudience=other.contoso.example\n", "&audience=mail.contoso.example", 200,
        false},
    {"", NULL, "&audience=mail.contoso.example", 200, true},
    {"", NULL, "&audience=other.contoso.example", 200, false},
    {"", NULL, "&audience=foreign.example", 200, false},
};

START_TEST(rules_decide_who_may_ask_and_for_which_host)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    char conf[4096];
    snprintf(conf, sizeof conf, "%s%s", OPEN_TO_ALL, rules[_i].listen);
    CLEANUP(freep) char *whole = rules[_i].rule ? with_rule(conf, rules[_i].rule) : strdup(conf);
    open_validator(whole);
    for (int round = 0; round < 2; round++) { /* remembered or not, the answer is the same */
        introspect(&far, token, rules[_i].more);
        ck_assert_msg(far.got.n > 0 && far.got.p[9] == (char)('0' + rules[_i].status / 100) &&
                          far_has(&far, rules[_i].status == 403 ? "HTTP/1.1 403" : "HTTP/1.1 200"),
            "%s", far.got.p);
        ck_assert_int_eq(far_has(&far, "\"active\":true"), rules[_i].active);
        far_close(&far);
    }
    world_close();
}
END_TEST

/* Requests that are none: whole request, status, part of the body. */
static const struct {
    const char *request;
    unsigned status;
    const char *part;
} bad[] = {
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\ntoken=x", 400,
        "\"error\":\"invalid_request\""},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
     "Content-Length: 7\r\n\r\ntoken=x",
        400, "Content-Type must be"},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 15\r\n\r\ntoken=x&token=y",
        400, "token is there twice"},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: Application/X-WWW-Form-URLEncoded ; "
     "charset=utf-8\r\nContent-Length: 9\r\n\r\ntoken=%zz",
        400, "The form cannot be decoded"},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 9\r\n\r\ntoken=%00",
        400, "cannot be decoded"},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 13\r\n\r\ntoken=x&y=%zz",
        400, "\"error_description\":\"The form cannot be decoded\""},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 19\r\n\r\ntoken=x&tok%65n=abc",
        400, "\"error_description\":\"token is there twice\""},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 5\r\n\r\nx=abc",
        400, "token is missing"},
    {"POST /introspect HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 19\r\n\r\ntoken=x&explain=yes",
        400, "explain must be 0 or 1"},
    {"GET /introspect HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Allow: POST\r\n"},
    {"POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, "Allow: GET, HEAD\r\n"},
    {"GET /token HTTP/1.1\r\nHost: a\r\n\r\n", 404, "{\"error\":"},
    {"GET /Healthz HTTP/1.1\r\nHost: a\r\n\r\n", 404, "{\"error\":"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404, "{\"error\":"},
    {"GET / HTTP/1.1\r\n\r\n", 400, "{\"error\":\"invalid_request\",\"error_description\":\""},
};

START_TEST(what_is_no_request_is_told_so_in_json)
{
    struct far_end far;
    char line[32];
    open_validator(OPEN_TO_ALL);
    ask_http(&far, bad[_i].request);
    snprintf(line, sizeof line, "HTTP/1.1 %u ", bad[_i].status);
    ck_assert_msg(far_has(&far, line) && far_has(&far, bad[_i].part), "%s", far.got.p);
    ck_assert(far_has(&far, "Content-Type: application/json\r\n"));
    ck_assert(far_has(&far, "Cache-Control: no-store\r\n"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(alive_and_ready)
{
    struct far_end far;
    open_validator(OPEN_TO_ALL);
    ask_http(&far, "GET /healthz HTTP/1.1\r\nHost: anything.local\r\n\r\n");
    expect_http(&far, 200, "{\"status\":\"alive\"}");
    far_close(&far);
    ask_http(&far, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_http(&far, 200, "{\"status\":\"ready\",\"reasons\":[]}");
    far_close(&far);
    uint8_t room[64];
    struct frame_out f;
    const struct msg_health h = {.may_mint = true, .may_validate = false};
    frame_start(&f, room, sizeof room, MSG_HEALTH, 0);
    msg_health_put(&f, &h);
    send_frame(&world.broker, &f);
    ask_http(&far, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(far_has(&far, "\r\nRetry-After: 1\r\n"));
    expect_http(&far, 503, "{\"status\":\"not ready\",\"reasons\":[\"never_fetched\"]}");
    far_close(&far);
    ask_http(&far, "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(far_has(&far, "\"token_endpoint\":\"http://localhost/token\""));
    ck_assert(far_has(&far, "\"introspection_endpoint\":\"http://localhost/introspect\""));
    far_close(&far);
    world_close();
}
END_TEST

/* Varlink. */

START_TEST(the_varlink_door_says_the_same)
{
    struct far_end far;
    CLEANUP(freep) char *user = token_of(old_key, "mail.contoso.example", "kim@contoso.example");
    CLEANUP(freep) char *app = token_of(old_key, "mail.contoso.example", NULL);
    CLEANUP(freep) char *may = with_rule(OPEN_TO_ALL, "Allow=validate explain\n");
    open_validator(may);
    knock(&far, DOOR_VARLINK);
    validate(&far, app, "");
    ck_assert_str_eq(far.got.p,
        "{\"parameters\":{\"active\":true,\"partner\":\"lync\",\"trust\":\"full\",\"issuer\":"
        "\"" LYNC "@" REALM "\",\"subject\":\"" LYNC "@" REALM "\",\"audience\":\"" EXCH
        "/mail.contoso.example@" REALM "\",\"notBefore\":1767225300,\"expiresAt\":1767226200,"
        "\"delegated\":false}}");
    buf_reset(&far.got);
    validate(&far, user, ",\"audience\":\"mail.contoso.example\"");
    ck_assert(far_has(&far, "\"subject\":\"kim@contoso.example\""));
    ck_assert(far_has(&far,
        "\"delegated\":true,\"user\":{\"nameid\":\"kim@contoso.example\",\"nii\":\"urn:office:idp:"
        "activedirectory\",\"upn\":\"kim@contoso.example\",\"address\":\"kim@contoso.example\"}}"
        "}"));
    buf_reset(&far.got);
    validate(&far, "a.b.c", "");
    ck_assert_str_eq(far.got.p, "{\"parameters\":{\"active\":false}}");
    buf_reset(&far.got);
    validate(&far, "a.b.c", ",\"explain\":true");
    ck_assert(far_has(&far, "{\"parameters\":{\"active\":false,\"reason\":\"token_encoding\","
                            "\"sentence\":\""));
    ck_assert(far_has(&far, "\"steps\":[{\"step\":\"form\",\"outcome\":\"failed\"},"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(varlink_refusals)
{
    struct far_end far;
    char expected[512], why[128];
    open_validator(OPEN_TO_ALL "[Listen]\nValidateBy=rules\n");
    knock(&far, DOOR_VARLINK);
    validate(&far, "x", "");
    snprintf(expected, sizeof expected,
        "{\"error\":\"io.s2sd.validate.NotPermitted\",\"parameters\":{\"reason\":\"not_permitted\","
        "\"detail\":\"%s\"}}",
        no_rule_matches(why, sizeof why));
    ck_assert_str_eq(far.got.p, expected);
    buf_reset(&far.got);
    say_varlink(&far, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"x\"}}");
    ck_assert(far_has(&far, "org.varlink.service.InterfaceNotFound"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(the_interface_file_is_served_byte_for_byte)
{
    struct far_end far;
    CLEANUP(buf_done) struct buf file = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf want = BUF_INIT(65536);
    CLEANUP(fclosep) FILE *f = fopen("docs/varlink/io.s2sd.validate.varlink", "r");
    ck_assert_ptr_nonnull(f);
    file.n = fread(buf_reserve(&file, 60000), 1, 60000, f);
    struct json_out j;
    json_out_start(&j, &want);
    json_out_object(&j, NULL);
    json_out_object(&j, "parameters");
    json_out_span(&j, "description", buf_span(&file));
    json_out_object_end(&j);
    json_out_object_end(&j);
    open_validator(OPEN_TO_ALL);
    knock(&far, DOOR_VARLINK);
    say_varlink(&far, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
                      "{\"interface\":\"io.s2sd.validate\"}}");
    ck_assert_str_eq(far.got.p, want.p);
    far_close(&far);
    world_close();
}
END_TEST

/* What is remembered. */

START_TEST(a_verdict_is_remembered_while_it_is_true)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    struct signkey *both[] = {new_key, old_key};
    open_validator(OPEN_TO_ALL);
    struct counters *c = worker_counters(&world.w);
    ck_assert(is_active(token));
    ck_assert_uint_eq(c->validations_remembered, 0);
    ck_assert(is_active(token));
    ck_assert(is_active(token));
    ck_assert_uint_eq(c->validations_remembered, 2);
    send_trust(2, both, 2); /* another generation: judged anew */
    ck_assert(is_active(token));
    ck_assert_uint_eq(c->validations_remembered, 2);
    ck_assert(is_active(token));
    ck_assert_uint_eq(c->validations_remembered, 3);
    send_trust(3, both, 1); /* its key is gone: asked for, in vain */
    struct far_end far;
    introspect(&far, token, "");
    send_done("lync", false, 0);
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    ck_assert_uint_eq(c->validations, 6);
    world_close();
}
END_TEST

START_TEST(a_remembered_verdict_ends_with_the_token)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ck_assert(is_active(token));
    world_pass(600 + 299);
    ck_assert(is_active(token));
    ck_assert_uint_eq(worker_counters(&world.w)->validations_remembered, 1);
    world_pass(1);
    ck_assert(!is_active(token));
    world_close();
}
END_TEST

START_TEST(a_remembered_verdict_ends_with_a_stale_document)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL "[Refresh]\nInterval=5min\nStaleAfter=10min\nWarnAfter=5min\n");
    ck_assert(is_active(token));
    world_pass(601);
    ck_assert(!is_active(token));
    world_close();
}
END_TEST

START_TEST(delegated_and_refused_tokens_are_judged_each_time)
{
    CLEANUP(freep) char *user = token_of(old_key, "mail.contoso.example", "kim@contoso.example");
    open_validator(OPEN_TO_ALL);
    ck_assert(is_active(user));
    ck_assert(is_active(user));
    ck_assert(!is_active("a.b.c"));
    ck_assert(!is_active("a.b.c"));
    ck_assert_uint_eq(worker_counters(&world.w)->validations_remembered, 0);
    world_close();
}
END_TEST

START_TEST(no_cache_remembers_nothing)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL "[Limits]\nVerdictCache=0\n");
    ck_assert(is_active(token));
    ck_assert(is_active(token));
    ck_assert_uint_eq(worker_counters(&world.w)->validations_remembered, 0);
    world_close();
}
END_TEST

START_TEST(a_reload_counts_at_once)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ck_assert(is_active(token));
    worker_commit(&world.w,
        settings_of(US PARTNER("lync", "ApplicationId=" LYNC "\nRealm=" REALM "\nEnabled=no\n")));
    ck_assert(!is_active(token));
    worker_commit(&world.w, settings_of(OPEN_TO_ALL));
    ck_assert(is_active(token));
    ck_assert_uint_eq(worker_counters(&world.w)->validations_remembered, 0);
    world_close();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_believed_token_is_described);
    tcase_add_test(tc, a_refused_token_is_inactive_and_no_more);
    tcase_add_test(tc, explaining_is_a_right);
    tcase_add_test(tc, a_failed_step_tells_what_was_found);
    tcase_add_loop_test(tc, rules_decide_who_may_ask_and_for_which_host, 0, ARRAY_LEN(rules));
    tcase_add_loop_test(tc, what_is_no_request_is_told_so_in_json, 0, ARRAY_LEN(bad));
    tcase_add_test(tc, alive_and_ready);
    tcase_add_test(tc, the_varlink_door_says_the_same);
    tcase_add_test(tc, varlink_refusals);
    tcase_add_test(tc, the_interface_file_is_served_byte_for_byte);
    tcase_add_test(tc, a_verdict_is_remembered_while_it_is_true);
    tcase_add_test(tc, a_remembered_verdict_ends_with_the_token);
    tcase_add_test(tc, a_remembered_verdict_ends_with_a_stale_document);
    tcase_add_test(tc, delegated_and_refused_tokens_are_judged_each_time);
    tcase_add_test(tc, no_cache_remembers_nothing);
    tcase_add_test(tc, a_reload_counts_at_once);
}

int main(void)
{
    make_keys();
    int status = unit_run("doors_validate", fill);
    drop_keys();
    return status;
}
