/* SPDX-License-Identifier: Apache-2.0 */
/* A minter through both of its doors, with a scripted signer: what is asked of it, what is handed
 * out again, what is refused before it is asked, and what becomes of requests when it dies. */
#include "minter_fixture.h"

START_TEST(a_token_is_asked_of_the_signer_and_handed_out)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    post(&far, "/token", CLIENT "&resource=lync&lifetime=1800");
    ck_assert_uint_eq(far.got.n, 0);
    expect_order(&o);
    expect_span(o.msg.request.rule, "me");
    expect_span(o.msg.request.partner, "lync");
    expect_span(o.msg.request.host, "lync.contoso.example");
    ck_assert_int_eq(o.msg.request.user_kind, USER_NONE);
    ck_assert_uint_eq(o.msg.request.user.n, 0);
    ck_assert_int_eq(o.msg.request.lifetime_s, 1800);
    ck_assert_uint_eq(o.msg.uid, getuid());
    ck_assert_uint_eq(o.msg.pid, (uint32_t)getpid());
    sign(o.frame.id, "a.b.c", 1800);
    far_take(&far);
    expect_http(
        &far, 200, "{\"access_token\":\"a.b.c\",\"token_type\":\"Bearer\",\"expires_in\":1800}");
    ck_assert_uint_eq(worker_counters(&world.w)->mints, 1);
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(an_exchange_acts_for_the_user)
{
    static const struct {
        const char *type;
        enum user_kind kind;
    } types[] = {
        {"upn", USER_UPN}, {"smtp", USER_SMTP}, {"sip", USER_SIP}, {"nameid", USER_NAMEID}};
    open_minter(US LYNC_PARTNER DELEGATING);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct far_end far;
        struct got_order o;
        CLEANUP(buf_done) struct buf form = BUF_INIT(512);
        buf_put_str(&form, EXCHANGE "&resource=https://lync.contoso.example/ews" AS_KIM);
        buf_put_str(&form, types[i].type);
        post(&far, "/token", form.p);
        expect_order(&o);
        ck_assert_int_eq(o.msg.request.user_kind, types[i].kind);
        expect_span(o.msg.request.user, "Kim@contoso.example");
        ck_assert_int_eq(o.msg.request.lifetime_s, 0);
        sign(o.frame.id, "a.b.", 600);
        far_take(&far);
        expect_http(&far, 200,
            "{\"access_token\":\"a.b.\",\"token_type\":\"Bearer\",\"expires_in\":600,"
            "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:jwt\"}");
        far_close(&far);
    }
    close_minter();
}
END_TEST

/* Refused without asking the signer. */
static const struct {
    const char *conf, *form;
    unsigned status;
    const char *error, *reason;
} refused[] = {
    {US LYNC_PARTNER RULE(""), CLIENT, 400, "invalid_request", "invalid_request"},
    {US LYNC_PARTNER RULE(""), "resource=lync", 400, "invalid_request", "invalid_request"},
    {US LYNC_PARTNER RULE(""), "grant_type=password&resource=lync", 400, "unsupported_grant_type",
        "invalid_request"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&resource=lync", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=", 400, "invalid_request", "invalid_request"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&lifetime=1h", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&lifetime=0", 400, "invalid_request",
        "lifetime_refused"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&lifetime=-5", 400, "invalid_request",
        "lifetime_refused"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&min_valid_period=-1", 400, "invalid_request",
        "lifetime_refused"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=lync&min_valid_period=x", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER DELEGATING, CLIENT "&resource=lync" AS_KIM "upn", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER DELEGATING, EXCHANGE "&resource=lync", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER DELEGATING, EXCHANGE "&resource=lync" AS_KIM "puid", 400, "invalid_request",
        "invalid_request"},
    {US LYNC_PARTNER DELEGATING, EXCHANGE "&resource=lync" AS_KIM "upn&actor_token=x", 400,
        "invalid_request", "invalid_request"},
    {US LYNC_PARTNER DELEGATING,
        EXCHANGE "&resource=lync" AS_KIM "upn&requested_token_type=urn:ietf:params:oauth:token-"
                 "type:saml2",
        400, "invalid_request", "invalid_request"},
    {US LYNC_PARTNER DELEGATING,
        EXCHANGE "&resource=lync&subject_token=kim&subject_token_type=urn:s2sd:params:oauth:token-"
                 "type:upn",
        400, "invalid_request", "user_malformed"},
    {US LYNC_PARTNER DELEGATING,
        EXCHANGE "&resource=lync&subject_token=root@contoso.example&subject_token_type=urn:s2sd:"
                 "params:oauth:token-type:upn",
        403, "access_denied", "act_as_refused"},
    {US LYNC_PARTNER RULE(""), EXCHANGE "&resource=lync" AS_KIM "upn", 403, "access_denied",
        "act_as_refused"},
    {US LYNC_PARTNER "[Client other]\nUser=@USER@\nGroup=nogroup\nAllow=mint\n",
        CLIENT "&resource=lync", 403, "access_denied", "not_permitted"},
    {US LYNC_PARTNER "[Client me]\nUser=@USER@\nAllow=validate\n", CLIENT "&resource=lync", 403,
        "access_denied", "not_permitted"},
    /* without the right nobody learns which partners there are */
    {US LYNC_PARTNER "[Client me]\nUser=@USER@\nAllow=validate\n", CLIENT "&resource=nobody", 403,
        "access_denied", "not_permitted"},
    {US LYNC_PARTNER SHAREPOINT RULE("Partners=sp\n"), CLIENT "&resource=lync", 403,
        "access_denied", "not_permitted"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=nobody", 400, "invalid_target", "no_such_partner"},
    {US LYNC_PARTNER SHAREPOINT SECOND RULE(""), CLIENT "&resource=shared.contoso.example", 400,
        "invalid_target", "ambiguous_target"},
    {US LYNC_PARTNER RULE(""), CLIENT "&resource=" LYNC "/foreign.example@" REALM, 400,
        "invalid_target", "host_not_of_partner"},
    {US PARTNER("lync", "ApplicationId=" LYNC "\nRealm=" REALM "\nEnabled=no\n") RULE(""),
        CLIENT "&resource=lync", 400, "invalid_target", "partner_disabled"},
};

START_TEST(what_may_not_be_is_refused_without_the_signer)
{
    struct far_end far;
    char line[32], error[64], reason[64];
    open_minter(refused[_i].conf);
    post(&far, "/token", refused[_i].form);
    snprintf(line, sizeof line, "HTTP/1.1 %u ", refused[_i].status);
    snprintf(error, sizeof error, "{\"error\":\"%s\",", refused[_i].error);
    snprintf(reason, sizeof reason, "\"reason\":\"%s\"}", refused[_i].reason);
    ck_assert_msg(far_has(&far, line) && far_has(&far, error) && far_has(&far, reason), "%s",
        far.got.p ? far.got.p : "no answer");
    ck_assert(far_has(&far, "Cache-Control: no-store\r\n"));
    expect_no_order();
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(candidates_are_named)
{
    struct far_end far;
    open_minter(US LYNC_PARTNER SHAREPOINT SECOND RULE(""));
    post(&far, "/token", CLIENT "&resource=shared.contoso.example");
    ck_assert(far_has(&far, "Several partners answer to that address: sp, sp2"));
    far_close(&far);
    knock(&far, DOOR_VARLINK);
    say_varlink(&far, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"shared."
                      "contoso.example\"}}");
    ck_assert_str_eq(far.got.p, "{\"error\":\"io.s2sd.mint.InvalidTarget\",\"parameters\":{"
                                "\"reason\":\"ambiguous_target\",\"candidates\":\"sp, sp2\"}}");
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(a_refusal_says_which_section_decides)
{
    static const struct {
        const char *conf, *why;
    } rows[] = {
        {"[Client other]\nUser=@USER@\nGroup=nogroup\nAllow=mint\n",
            "no [Client] section matches uid "},
        {"[Client me]\nUser=@USER@\nAllow=validate\n",
            "[Client me] decides for this process and does not allow mint"},
        {SHAREPOINT RULE("Partners=sp\n"), "[Client me] does not name lync in Partners="},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct far_end far;
        char conf[4096], text[256];
        snprintf(conf, sizeof conf, US LYNC_PARTNER "%s", rows[i].conf);
        open_minter(conf);
        post(&far, "/token", CLIENT "&resource=lync");
        snprintf(text, sizeof text, "\"No client rule lets this process do that: %s", rows[i].why);
        ck_assert_msg(far_has(&far, text), "%s", far.got.p);
        far_close(&far);
        knock(&far, DOOR_VARLINK);
        say_varlink(
            &far, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\"}}");
        snprintf(text, sizeof text, "{\"reason\":\"not_permitted\",\"detail\":\"%s", rows[i].why);
        ck_assert_msg(far_has(&far, text), "%s", far.got.p);
        far_close(&far);
        close_minter();
    }
}
END_TEST

static const char *const proxy_headers[] = {"Via: 1.1 x", "Forwarded: for=x", "Origin: null",
    "X-Forwarded-For: 10.0.0.1", "x-forwarded-host: a", "X-Forwarded-Anything:"};

START_TEST(what_came_through_a_proxy_gets_no_token)
{
    struct far_end far;
    char request[1024];
    open_minter(US LYNC_PARTNER RULE(""));
    snprintf(request, sizeof request,
        "POST /token HTTP/1.1\r\nHost: a\r\n%s\r\nContent-Type: application/x-www-form-urlencoded"
        "\r\nContent-Length: 43\r\n\r\n" CLIENT "&resource=lync",
        proxy_headers[_i]);
    ask_http(&far, request);
    expect_http(&far, 403,
        "{\"error\":\"access_denied\",\"error_description\":\"Token requests must not come through "
        "a proxy\",\"reason\":\"proxied_request\"}");
    expect_no_order();
    far_close(&far);
    close_minter();
}
END_TEST

/* Reuse. */

static void expect_token(const char *form, const char *token)
{
    struct far_end far;
    char want[128];
    post(&far, "/token", form);
    snprintf(want, sizeof want, "{\"access_token\":\"%s\",", token);
    ck_assert_msg(far_has(&far, want), "%s", far.got.p ? far.got.p : "no answer");
    far_close(&far);
}

/* Asks, and lets the signer answer with that token. */
static void expect_signed(const char *form, const char *token, int64_t lifetime_s)
{
    struct far_end far;
    struct got_order o;
    post(&far, "/token", form);
    expect_order(&o);
    sign(o.frame.id, token, lifetime_s);
    far_take(&far);
    ck_assert(far_has(&far, token));
    far_close(&far);
}

START_TEST(a_token_is_handed_out_again_while_half_of_its_life_remains)
{
    open_minter(US LYNC_PARTNER RULE(""));
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    expect_token(CLIENT "&resource=lync", "one.one.one");
    expect_token(CLIENT "&resource=lync.contoso.example", "one.one.one");
    expect_token(CLIENT "&resource=" LYNC "/lync.contoso.example@" REALM, "one.one.one");
    world_pass(1800);
    expect_token(CLIENT "&resource=lync", "one.one.one");
    world_pass(1);
    expect_signed(CLIENT "&resource=lync", "two.two.two", 3600);
    expect_token(CLIENT "&resource=lync", "two.two.two");
    ck_assert_uint_eq(worker_counters(&world.w)->mints, 7);
    ck_assert_uint_eq(worker_counters(&world.w)->mints_reused, 5);
    close_minter();
}
END_TEST

START_TEST(min_valid_period_is_the_callers)
{
    open_minter(US LYNC_PARTNER RULE(""));
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    world_pass(3000); /* 600 s remain */
    expect_token(CLIENT "&resource=lync&min_valid_period=600", "one.one.one");
    expect_token(CLIENT "&resource=lync&min_valid_period=0", "one.one.one");
    expect_signed(CLIENT "&resource=lync&min_valid_period=601", "two.two.two", 3600);
    world_pass(3600); /* over: not even for who asks for nothing */
    expect_signed(CLIENT "&resource=lync&min_valid_period=0", "three.three.three", 3600);
    close_minter();
}
END_TEST

START_TEST(what_differs_gets_a_token_of_its_own)
{
    open_minter(US LYNC_PARTNER SHAREPOINT DELEGATING);
    expect_signed(CLIENT "&resource=sp", "app.app.app", 3600);
    expect_signed(CLIENT "&resource=shared.contoso.example", "host.host.host", 3600);
    expect_signed(CLIENT "&resource=lync", "lync.lync.lync", 3600);
    expect_signed(CLIENT "&resource=sp&lifetime=600", "short.short.short", 600);
    expect_signed(EXCHANGE "&resource=sp" AS_KIM "upn", "upn.upn.", 600);
    expect_signed(EXCHANGE "&resource=sp" AS_KIM "smtp", "smtp.smtp.", 600);
    expect_token(EXCHANGE "&resource=sp&subject_token=KIM@CONTOSO.example&subject_token_type="
                          "urn:s2sd:params:oauth:token-type:upn",
        "upn.upn.");
    expect_token(CLIENT "&resource=sp", "app.app.app");
    close_minter();
}
END_TEST

START_TEST(no_cache_hands_nothing_out_again)
{
    open_minter(US LYNC_PARTNER RULE("[Limits]\nTokenCache=0\n"));
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    expect_signed(CLIENT "&resource=lync", "two.two.two", 3600);
    close_minter();
}
END_TEST

START_TEST(a_reload_forgets_tokens_also_those_under_way)
{
    CLEANUP(freep) char *conf = conf_of(US LYNC_PARTNER RULE(""));
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    worker_commit(&world.w, settings_of(conf));
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    worker_commit(&world.w, settings_of(conf));
    sign(o.frame.id, "old.old.old", 3600); /* still an answer to who asked */
    far_take(&far);
    ck_assert(far_has(&far, "old.old.old"));
    far_close(&far);
    expect_signed(CLIENT "&resource=lync", "new.new.new", 3600);
    close_minter();
}
END_TEST

START_TEST(tokens_of_a_key_that_is_not_first_any_more_are_forgotten)
{
    open_minter(US LYNC_PARTNER RULE(""));
    signing_key[0] = 1;
    tell_signing_key(1);
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    tell_signing_key(1); /* the same: nothing is forgotten */
    expect_token(CLIENT "&resource=lync", "one.one.one");
    tell_signing_key(2);
    expect_signed(CLIENT "&resource=lync", "old.old.old", 3600); /* was signed before the roll */
    signing_key[0] = 2;
    expect_signed(CLIENT "&resource=lync", "two.two.two", 3600);
    expect_token(CLIENT "&resource=lync", "two.two.two");
    close_minter();
}
END_TEST

static void tell_suspended(const char *partner, bool suspended)
{
    uint8_t room[256];
    struct frame_out f;
    const struct msg_suspended m = {span_of(partner), suspended};
    frame_start(&f, room, sizeof room, MSG_SUSPENDED, 0);
    msg_suspended_put(&f, &m);
    send_frame(&world.broker, &f);
    loop_turn(world.base);
}

/* An administrator's word counts before any token that is at hand, and for whoever waits. */
START_TEST(nothing_is_minted_for_a_suspended_partner)
{
    struct far_end waits;
    struct got_order o;
    open_minter(US LYNC_PARTNER SHAREPOINT RULE(""));
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    tell_suspended("lync", true);
    tell_suspended("lync", true);
    post(&waits, "/token", CLIENT "&resource=lync");
    far_take(&waits);
    ck_assert(far_has(&waits, "partner_suspended"));
    ck_assert(!far_has(&waits, "one.one.one"));
    far_close(&waits);
    expect_no_order();
    expect_signed(CLIENT "&resource=farm.contoso.example", "two.two.two", 3600);
    tell_suspended("lync", false);
    expect_token(CLIENT "&resource=lync", "one.one.one");

    post(&waits, "/token", CLIENT "&resource=lync&lifetime=600");
    expect_order(&o);
    tell_suspended("lync", true);
    far_take(&waits);
    ck_assert(far_has(&waits, "partner_suspended"));
    far_close(&waits);
    ck_assert_uint_eq(minter_waiting(world.w.minter), 0);
    sign(o.frame.id, "late.late.late", 600); /* nobody gets it, nor keeps it */
    loop_turn(world.base);
    tell_suspended("lync", false);
    expect_signed(CLIENT "&resource=lync&lifetime=600", "three.three.three", 600);
    close_minter();
}
END_TEST

START_TEST(the_same_asked_at_once_is_signed_once)
{
    struct far_end http, varlink, third;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    post(&http, "/token", CLIENT "&resource=lync");
    knock(&varlink, DOOR_VARLINK);
    say_varlink(
        &varlink, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\"}}");
    post(&third, "/token", CLIENT "&resource=lync");
    ck_assert_uint_eq(minter_waiting(world.w.minter), 3);
    expect_order(&o);
    expect_no_order();
    far_close(&http); /* whose name it was asked in is gone */
    loop_turn(world.base);
    ck_assert_uint_eq(minter_waiting(world.w.minter), 3); /* HTTP notices when it answers */
    sign(o.frame.id, "one.one.one", 3600);
    far_take(&varlink);
    far_take(&third);
    ck_assert_str_eq(varlink.got.p,
        "{\"parameters\":{\"token\":\"one.one.one\",\"tokenType\":\"Bearer\",\"expiresAt\":"
        "1767229200,\"expiresIn\":3600,\"partner\":\"lync\"}}");
    ck_assert(far_has(&third, "one.one.one"));
    ck_assert_uint_eq(worker_counters(&world.w)->mints_reused, 2);
    far_close(&varlink);
    far_close(&third);
    close_minter();
}
END_TEST

START_TEST(a_caller_that_goes_away_leaves_its_token_to_the_next)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    knock(&far, DOOR_VARLINK);
    say_varlink(&far, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\"}}");
    expect_order(&o);
    far_close(&far);
    loop_turn(world.base);
    sign(o.frame.id, "one.one.one", 3600);
    ck_assert_uint_eq(doors_visitors(world.w.doors), 0);
    ck_assert_uint_eq(minter_waiting(world.w.minter), 0);
    expect_token(CLIENT "&resource=lync", "one.one.one");
    close_minter();
}
END_TEST

/* The signer says no. */

static const struct {
    enum reason reason;
    uint32_t retry_after_s;
    unsigned status;
    const char *headers, *error, *varlink;
} from_signer[] = {
    {REASON_QUOTA, 7, 429, "Retry-After: 7\r\n", "temporarily_unavailable",
        "{\"error\":\"io.s2sd.mint.NotReady\",\"parameters\":{\"reason\":\"over_quota\","
        "\"retryAfter\":7}}"},
    {REASON_NO_SIGNING_KEY, 0, 503, "Retry-After: 1\r\n", "temporarily_unavailable",
        "{\"error\":\"io.s2sd.mint.NotReady\",\"parameters\":{\"reason\":\"no_signing_key\","
        "\"retryAfter\":1}}"},
    {REASON_AUDIT_FAILED, 5, 503, "Retry-After: 5\r\n", "temporarily_unavailable",
        "{\"error\":\"io.s2sd.mint.NotReady\",\"parameters\":{\"reason\":\"audit_failed\","
        "\"retryAfter\":5}}"},
    {REASON_NOT_PERMITTED, 0, 403, "no-store", "access_denied",
        "{\"error\":\"io.s2sd.mint.NotPermitted\",\"parameters\":{\"reason\":\"not_permitted\"}}"},
    {REASON_USER_FORM, 0, 400, "no-store", "invalid_request",
        "{\"error\":\"io.s2sd.mint.Refused\",\"parameters\":{\"reason\":\"user_malformed\","
        "\"sentence\":\"The user is missing or not an address\"}}"},
};

START_TEST(the_signers_refusal_is_handed_on)
{
    struct far_end http, varlink;
    struct got_order o;
    char text[128];
    open_minter(US LYNC_PARTNER RULE(""));
    post(&http, "/token", CLIENT "&resource=lync");
    knock(&varlink, DOOR_VARLINK);
    say_varlink(
        &varlink, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\"}}");
    expect_order(&o);
    refuse(o.frame.id, from_signer[_i].reason, from_signer[_i].retry_after_s);
    far_take(&http);
    far_take(&varlink);
    snprintf(text, sizeof text, "HTTP/1.1 %u ", from_signer[_i].status);
    ck_assert(far_has(&http, text));
    ck_assert(far_has(&http, from_signer[_i].headers));
    snprintf(text, sizeof text, "{\"error\":\"%s\",", from_signer[_i].error);
    ck_assert(far_has(&http, text));
    ck_assert_str_eq(varlink.got.p, from_signer[_i].varlink);
    ck_assert_uint_eq(worker_counters(&world.w)->mint_refusals, 2);
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600); /* nothing of it is remembered */
    far_close(&http);
    far_close(&varlink);
    close_minter();
}
END_TEST

START_TEST(an_order_that_met_a_reload_is_sent_again)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    clock_real();
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    refuse(o.frame.id, REASON_RULE_CHANGED, 1);
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    uint32_t first = o.frame.id;
    while (!next_order(&o)) /* a tenth of a second */
        ck_assert_int_ge(event_base_loop(world.base, EVLOOP_ONCE), 0);
    ck_assert_uint_ne(o.frame.id, first);
    sign(o.frame.id, "one.one.one", 3600);
    far_take(&far);
    ck_assert(far_has(&far, "one.one.one"));
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(answers_to_nothing_are_dropped)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER RULE(""));
    post(&far, "/token", CLIENT "&resource=lync");
    expect_order(&o);
    sign(o.frame.id + 1, "x.x.x", 3600);
    sign(0, "y.y.y", 3600);
    refuse(o.frame.id, REASON_OK, 0); /* a refusal without a reason is none */
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    sign(o.frame.id, "one.one.one", 3600);
    sign(o.frame.id, "two.two.two", 3600); /* answered already */
    far_take(&far);
    ck_assert(far_has(&far, "one.one.one") && !far_has(&far, "two"));
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(ready_means_able_to_mint)
{
    struct far_end far;
    open_minter_without(US LYNC_PARTNER RULE(""));
    far_open(&signer, SOCK_SEQPACKET);
    ask_http(&far, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_http(&far, 503, "{\"status\":\"not ready\",\"reasons\":[\"signer_unavailable\"]}");
    far_close(&far);
    far_close(&signer);
    bring_signer();
    world.w.may_mint = false;
    ask_http(&far, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_http(&far, 503, "{\"status\":\"not ready\",\"reasons\":[\"no_signing_key\"]}");
    far_close(&far);
    world.w.may_mint = true;
    ask_http(&far, "HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(far_has(&far, "HTTP/1.1 200 OK\r\n"));
    far_close(&far);
    ask_http(&far, "GET /introspect HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(far_has(&far, "HTTP/1.1 404 "));
    far_close(&far);
    close_minter();
}
END_TEST

/* Varlink parameters. */

static const struct {
    const char *parameters, *answer;
} calls[] = {
    {"{}", "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
           "\"resource\"}}"},
    {"{\"resource\":\"lync\",\"userType\":\"upn\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"user\"}}"},
    {"{\"resource\":\"lync\",\"user\":\"kim@contoso.example\",\"userType\":\"puid\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"userType\"}}"},
    {"{\"resource\":\"lync\",\"user\":\"\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"user\"}}"},
    {"{\"resource\":\"lync\",\"partner\":\"lync\"}",
        "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
        "\"partner\"}}"},
    {"{\"resource\":\"lync\",\"lifetime\":0}",
        "{\"error\":\"io.s2sd.mint.Refused\",\"parameters\":{\"reason\":\"lifetime_refused\","
        "\"sentence\":\"The wished lifetime is not possible\"}}"},
    {"{\"resource\":\"nobody\"}",
        "{\"error\":\"io.s2sd.mint.InvalidTarget\",\"parameters\":{\"reason\":\"no_such_partner\"}"
        "}"},
    {"{\"resource\":\"lync\",\"user\":\"root@contoso.example\"}",
        "{\"error\":\"io.s2sd.mint.NotPermitted\",\"parameters\":{\"reason\":\"act_as_refused\"}}"},
};

START_TEST(varlink_parameters_are_judged)
{
    struct far_end far;
    char text[512];
    open_minter(US LYNC_PARTNER DELEGATING);
    knock(&far, DOOR_VARLINK);
    snprintf(text, sizeof text, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":%s}",
        calls[_i].parameters);
    say_varlink(&far, text);
    ck_assert_str_eq(far.got.p ? far.got.p : "no answer", calls[_i].answer);
    expect_no_order();
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(a_user_without_type_is_a_upn)
{
    struct far_end far;
    struct got_order o;
    open_minter(US LYNC_PARTNER DELEGATING);
    knock(&far, DOOR_VARLINK);
    say_varlink(&far, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\","
                      "\"user\":\"kim@contoso.example\",\"lifetime\":60,\"minValidPeriod\":0}}");
    expect_order(&o);
    ck_assert_int_eq(o.msg.request.user_kind, USER_UPN);
    ck_assert_int_eq(o.msg.request.lifetime_s, 60);
    far_close(&far);
    close_minter();
}
END_TEST

START_TEST(a_minter_takes_no_trust)
{
    open_minter(US LYNC_PARTNER RULE(""));
    send_name(MSG_TRUST_GONE, "lync");
    send_done("lync", false, 0);
    ck_assert_ptr_null(world.w.store);
    expect_signed(CLIENT "&resource=lync", "one.one.one", 3600);
    close_minter();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_token_is_asked_of_the_signer_and_handed_out);
    tcase_add_test(tc, an_exchange_acts_for_the_user);
    tcase_add_loop_test(tc, what_may_not_be_is_refused_without_the_signer, 0, ARRAY_LEN(refused));
    tcase_add_test(tc, candidates_are_named);
    tcase_add_test(tc, a_refusal_says_which_section_decides);
    tcase_add_loop_test(tc, what_came_through_a_proxy_gets_no_token, 0, ARRAY_LEN(proxy_headers));
    tcase_add_test(tc, a_token_is_handed_out_again_while_half_of_its_life_remains);
    tcase_add_test(tc, min_valid_period_is_the_callers);
    tcase_add_test(tc, what_differs_gets_a_token_of_its_own);
    tcase_add_test(tc, no_cache_hands_nothing_out_again);
    tcase_add_test(tc, a_reload_forgets_tokens_also_those_under_way);
    tcase_add_test(tc, tokens_of_a_key_that_is_not_first_any_more_are_forgotten);
    tcase_add_test(tc, nothing_is_minted_for_a_suspended_partner);
    tcase_add_test(tc, the_same_asked_at_once_is_signed_once);
    tcase_add_test(tc, a_caller_that_goes_away_leaves_its_token_to_the_next);
    tcase_add_loop_test(tc, the_signers_refusal_is_handed_on, 0, ARRAY_LEN(from_signer));
    tcase_add_test(tc, an_order_that_met_a_reload_is_sent_again);
    tcase_add_test(tc, answers_to_nothing_are_dropped);
    tcase_add_test(tc, ready_means_able_to_mint);
    tcase_add_loop_test(tc, varlink_parameters_are_judged, 0, ARRAY_LEN(calls));
    tcase_add_test(tc, a_user_without_type_is_a_upn);
    tcase_add_test(tc, a_minter_takes_no_trust);
}

int main(void)
{
    return unit_run("doors_mint", fill);
}
