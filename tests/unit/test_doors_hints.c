/* SPDX-License-Identifier: Apache-2.0 */
/* What a validator and its broker tell each other: keys that nobody knows are asked for once and
 * waited for, trust comes and goes, settings change. */
#include "validator_fixture.h"

#include "b64.h"
#include "hints.h"

/* Unknown keys. */

static void expect_hint(void)
{
    uint8_t room[FRAME_MAX];
    struct frame_in f;
    struct msg_hint hint;
    ck_assert(next_frame(&world.broker, room, &f));
    ck_assert_uint_eq(f.type, MSG_HINT);
    ck_assert(msg_hint_get(&f, &hint));
    ck_assert(span_eq_str(hint.partner, "lync"));
    ck_assert_mem_eq(hint.key_id, signkey_cert(new_key)->x5t, X5T_LEN);
}

static void expect_silence(void)
{
    uint8_t room[FRAME_MAX];
    struct frame_in f;
    ck_assert(!next_frame(&world.broker, room, &f));
}

START_TEST(an_unknown_key_is_asked_for_once_and_waited_for)
{
    struct far_end http, varlink;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    struct signkey *both[] = {old_key, new_key};
    open_validator(OPEN_TO_ALL);
    introspect(&http, token, "");
    knock(&varlink, DOOR_VARLINK);
    validate(&varlink, token, "");
    validate(&varlink, "a.b.c", ""); /* behind it, in order */
    expect_hint();
    expect_silence();
    ck_assert_uint_eq(http.got.n + varlink.got.n, 0);
    send_trust(2, both, 2);
    far_take(&http);
    far_take(&varlink);
    ck_assert(far_has(&http, "\"active\":true"));
    ck_assert_ptr_nonnull(strstr(varlink.got.p, "\"active\":true"));
    ck_assert_ptr_nonnull(strstr(varlink.got.p + strlen(varlink.got.p) + 1, "\"active\":false"));
    ck_assert_uint_eq(worker_counters(&world.w)->hints, 1);
    far_close(&http);
    far_close(&varlink);
    world_close();
}
END_TEST

START_TEST(other_news_of_the_partner_leave_it_waiting)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    introspect(&far, token, "");
    send_trust(2, &old_key, 1);
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    send_done("nobody", false, 0);
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    send_done("lync", false, 0);
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    world_close();
}
END_TEST

/* Asks once, and the broker says what became of it. */
static void ask_in_vain(const char *token, bool fetched, uint32_t quiet_ms)
{
    struct far_end far;
    introspect(&far, token, "");
    expect_hint();
    send_done("lync", fetched, quiet_ms);
    far_take(&far);
    ck_assert(far_has(&far, "{\"active\":false}"));
    far_close(&far);
}

/* Is it refused at once, without a question? */
static void expect_refused_at_once(const char *token)
{
    ck_assert(!is_active(token));
    expect_silence();
}

static void expect_waits(const char *token)
{
    struct far_end far;
    introspect(&far, token, "");
    expect_hint();
    ck_assert_uint_eq(far.got.n, 0);
    far_close(&far);
}

START_TEST(while_the_broker_fetches_nothing_unknown_keys_are_refused_at_once)
{
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ask_in_vain(token, false, 30000);
    world_pass(29);
    expect_refused_at_once(token);
    ck_assert_uint_eq(worker_counters(&world.w)->hints_quiet, 1);
    world_pass(1);
    expect_waits(token);
    ck_assert_uint_eq(worker_counters(&world.w)->hints, 2);
    world_close();
}
END_TEST

START_TEST(a_key_id_that_was_looked_for_is_refused_at_once_for_five_minutes)
{
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ask_in_vain(token, true, 0);
    world_pass(HINT_NEGATIVE_MS / 1000 - 1);
    expect_refused_at_once(token);
    ck_assert_uint_eq(worker_counters(&world.w)->hints_negative, 1);
    world_pass(1);
    expect_waits(token);
    world_close();
}
END_TEST

/* A fetch that failed, or had begun before the question, proves nothing about the key. */
START_TEST(a_key_id_that_was_not_looked_for_is_asked_again)
{
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ask_in_vain(token, false, 0);
    expect_waits(token);
    world_close();
}
END_TEST

START_TEST(other_keys_clear_what_was_looked_for)
{
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ask_in_vain(token, true, 900000);
    send_trust(1, &old_key, 1); /* a 304: the same keys */
    expect_refused_at_once(token);
    send_trust(2, &old_key, 1);
    expect_waits(token);
    world_close();
}
END_TEST

/* A token that names a key of that id; nobody has signed it. */
static char *token_naming(unsigned id)
{
    uint8_t x5t[X5T_LEN] = {(uint8_t)(id >> 8), (uint8_t)id, 1};
    char text[X5T_TEXT_LEN], header[128];
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    struct buf b = BUF_INIT(65536);
    snprintf(header, sizeof header, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"%s\"}",
        x5t_text(x5t, text));
    b64url_put(&b, header, strlen(header));
    buf_put_str(&b, strchr(token, '.'));
    return buf_take(&b);
}

START_TEST(what_was_looked_for_is_capped_and_the_oldest_makes_room)
{
    open_validator(OPEN_TO_ALL);
    for (unsigned id = 0; id < HINT_NEGATIVE_MAX + 2; id++) {
        CLEANUP(freep) char *token = token_naming(id);
        struct far_end far;
        uint8_t room[FRAME_MAX];
        struct frame_in f;
        introspect(&far, token, "");
        ck_assert(next_frame(&world.broker, room, &f));
        send_done("lync", true, 0);
        far_close(&far);
    }
    for (unsigned id = 2; id < HINT_NEGATIVE_MAX + 2; id++) {
        CLEANUP(freep) char *token = token_naming(id);
        expect_refused_at_once(token);
    }
    for (unsigned id = 0; id < 2; id++) {
        CLEANUP(freep) char *token = token_naming(id);
        struct far_end far;
        introspect(&far, token, "");
        ck_assert_uint_eq(far.got.n, 0);
        far_close(&far);
    }
    ck_assert_uint_eq(worker_counters(&world.w)->hints_negative, HINT_NEGATIVE_MAX);
    world_close();
}
END_TEST

/* DESIGN 7: everything else is judged before anybody is asked. */
START_TEST(a_token_that_would_be_refused_all_the_same_asks_nobody)
{
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    CLEANUP(freep) char *elsewhere = token_of(new_key, "other.contoso.example", NULL);
    CLEANUP(freep) char *stranger = token_of(new_key, "mail.contoso.example", "eve@evil.example");
    struct far_end far;
    open_validator(OPEN_TO_ALL);
    expect_refused_at_once(stranger); /* not of PermittedUsers= */
    introspect(&far, elsewhere, "&audience=mail.contoso.example");
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    expect_silence();
    world_pass(3600);
    expect_refused_at_once(token); /* expired meanwhile */
    ck_assert_uint_eq(worker_counters(&world.w)->hints_hopeless, 3);
    ck_assert_uint_eq(worker_counters(&world.w)->hints, 0);
    world_close();
}
END_TEST

/* Signatures. */

/* The broker tells of one bare key under a name. */
static void send_named_key(uint64_t generation, struct signkey *key, const char *kid)
{
    uint8_t room[FRAME_MAX];
    struct frame_out f;
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof *t);
    t->name = strdup("lync");
    t->generation = generation;
    t->good_at = NOW;
    t->n_keys = 1;
    t->keys[0] = (struct partner_key){
        .state = PKEY_VALID, .not_after = INT64_MAX, .key = pubkey_ref(signkey_cert(key)->key)};
    snprintf(t->keys[0].kid, sizeof t->keys[0].kid, "%s", kid);
    frame_start(&f, room, sizeof room, MSG_TRUST, 0);
    partner_trust_put(&f, t);
    send_frame(&world.broker, &f);
}

/* The new key's token under that name. */
static char *token_named(const char *kid)
{
    char header[128];
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    struct buf b = BUF_INIT(65536), signature = BUF_INIT(1024);
    snprintf(header, sizeof header, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
    b64url_put(&b, header, strlen(header));
    buf_put(&b, strchr(token, '.'), (size_t)(strrchr(token, '.') - strchr(token, '.')));
    ck_assert_int_eq(signkey_sign_rs256(new_key, buf_span(&b), &signature), REASON_OK);
    buf_put_char(&b, '.');
    b64url_put(&b, signature.p, signature.n);
    buf_done(&signature);
    return buf_take(&b);
}

static void expect_hint_of(enum msg_hint_kind kind)
{
    uint8_t room[FRAME_MAX];
    struct frame_in f;
    struct msg_hint hint;
    ck_assert(next_frame(&world.broker, room, &f));
    ck_assert_uint_eq(f.type, MSG_HINT);
    ck_assert(msg_hint_get(&f, &hint));
    ck_assert_int_eq(hint.kind, kind);
}

START_TEST(a_key_id_that_was_used_again_is_asked_for_and_judged_again)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_named("1");
    open_validator(OPEN_TO_ALL);
    send_named_key(2, old_key, "1");
    introspect(&far, token, "");
    expect_hint_of(HINT_SIGNATURE);
    ck_assert_uint_eq(far.got.n, 0);
    send_named_key(3, new_key, "1");
    far_take(&far);
    ck_assert(far_has(&far, "\"active\":true"));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(a_forged_signature_asks_once_and_is_braked_like_an_unknown_key)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_named("1");
    open_validator(OPEN_TO_ALL);
    send_named_key(2, old_key, "1");
    introspect(&far, token, "");
    expect_hint_of(HINT_SIGNATURE);
    send_done("lync", true, 30000);
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    for (int i = 0; i < 3; i++)
        expect_refused_at_once(token);
    world_pass(60);
    expect_refused_at_once(token);
    ck_assert_uint_eq(worker_counters(&world.w)->hints_negative, 4);
    world_close();
}
END_TEST

/* A thumbprint leads to one certificate in all documents. */
START_TEST(a_forged_signature_under_a_thumbprint_asks_nobody)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    char *last = strrchr(token, '.') + 1;
    open_validator(OPEN_TO_ALL);
    *last = *last == 'A' ? 'B' : 'A';
    expect_refused_at_once(token);
    ck_assert_uint_eq(worker_counters(&world.w)->hints_hopeless, 0);
    world_close();
}
END_TEST

START_TEST(nobody_waits_longer_than_three_seconds)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    introspect(&far, token, "");
    clock_real();
    int64_t before = clock_mono_ms();
    far_await(world.base, &far, "{\"active\":false}", 1);
    ck_assert_int_ge(clock_mono_ms() - before, HINT_WAIT_MS - 50);
    far_close(&far);
    world_close();
}
END_TEST

/* The token may be good: that it is refused would be a wrong answer. */
START_TEST(waiters_are_capped_and_others_told_to_come_back)
{
    struct far_end far[3], varlink;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL "[Limits]\nWaiters=2\n");
    for (int i = 0; i < 3; i++)
        introspect(&far[i], token, "");
    ck_assert_uint_eq(far[0].got.n + far[1].got.n, 0);
    ck_assert(far_has(&far[2], "\r\nRetry-After: 1\r\n"));
    expect_http(&far[2], 429,
        "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Too many requests\","
        "\"reason\":\"over_quota\"}");
    knock(&varlink, DOOR_VARLINK);
    validate(&varlink, token, "");
    ck_assert_str_eq(varlink.got.p,
        "{\"error\":\"io.s2sd.validate.NotReady\",\"parameters\":{\"reason\":\"over_quota\","
        "\"retryAfter\":1}}");
    far_close(&varlink);
    ck_assert_uint_eq(worker_counters(&world.w)->validation_refusals, 0);
    ck_assert_uint_eq(worker_counters(&world.w)->hints_no_room, 2);
    send_done("lync", false, 0);
    for (int i = 0; i < 3; i++)
        far_close(&far[i]);
    world_close();
}
END_TEST

START_TEST(a_peer_that_goes_away_is_forgotten)
{
    struct far_end gone, stays;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    knock(&gone, DOOR_VARLINK);
    validate(&gone, token, "");
    introspect(&stays, token, "");
    ck_assert_uint_eq(doors_visitors(world.w.doors), 2);
    far_close(&gone);
    loop_turn(world.base);
    send_trust(2, &new_key, 1);
    loop_turn(world.base);
    far_take(&stays);
    ck_assert(far_has(&stays, "\"active\":true"));
    ck_assert_uint_eq(doors_visitors(world.w.doors), 1);
    far_close(&stays);
    world_close();
}
END_TEST

START_TEST(an_unknown_key_of_an_unknown_issuer_asks_nobody)
{
    open_validator(US PARTNER("sharepoint", "ApplicationId=00000003-0000-0ff1-ce00-000000000000\n"
                                            "Realm=" REALM "\n"));
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    ck_assert(!is_active(token));
    expect_silence();
    world_close();
}
END_TEST

START_TEST(a_reload_lets_nobody_wait)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    introspect(&far, token, "");
    worker_commit(&world.w, settings_of(US));
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    world_close();
}
END_TEST

/* The section is now another application's: until the broker has said what its keys are, nobody's
 * keys count for it. */
START_TEST(keys_do_not_outlive_the_application_they_were_learned_from)
{
    static const char successor[] = "00000009-0000-0ff1-ce00-000000000000";
    struct far_end far;
    CLEANUP(buf_done) struct buf conf = BUF_INIT(4096);
    CLEANUP(settings_freep) struct settings *its = NULL;
    buf_printf(&conf, "[Identity]\nApplicationId=%s\nRealm=" REALM "\nHosts=new.contoso.example\n",
        successor);
    its = settings_of(conf.p);
    CLEANUP(freep) char *token = token_from(&its->identity, new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    send_trust(2, &new_key, 1);
    buf_reset(&conf);
    buf_printf(
        &conf, US PARTNER("lync", "ApplicationId=%s\nRealm=" REALM "\nTrust=full\n"), successor);
    worker_commit(&world.w, settings_of(conf.p));
    introspect(&far, token, "");
    expect_hint();
    ck_assert_uint_eq(far.got.n, 0);
    send_done("lync", false, 0);
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    send_trust(3, &new_key, 1); /* they are its keys too, says the broker */
    ck_assert(is_active(token));
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(keys_stay_when_only_other_things_of_a_partner_change)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    worker_commit(&world.w,
        settings_of(US PARTNER("lync", "ApplicationId=" LYNC "\nRealm=" REALM
                                       "\nTrust=application\nAudienceHost=x.contoso.example\n")));
    ck_assert(is_active(token));
    world_close();
}
END_TEST

/* Trust comes and goes. */

START_TEST(trust_that_is_gone_is_gone)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    ck_assert(is_active(token));
    send_name(MSG_TRUST_GONE, "lync");
    struct far_end far;
    introspect(&far, token, ""); /* no key is known: asked for */
    ck_assert_uint_eq(far.got.n, 0);
    send_done("lync", false, 0);
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(a_dispute_that_is_settled_is_settled_here_too)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    uint8_t room[FRAME_MAX];
    struct frame_out f;
    open_validator(OPEN_TO_ALL);
    ck_assert_int_eq(partner_trust_copy(store_get(world.w.store, SPAN("lync")), &t), REASON_OK);
    for (int disputed = 1; disputed >= 0; disputed--) {
        t->keys[0].disputed = disputed;
        t->generation++;
        frame_start(&f, room, sizeof room, MSG_TRUST, 0);
        partner_trust_put(&f, t);
        send_frame(&world.broker, &f);
        ck_assert_int_eq(is_active(token), !disputed);
    }
    world_close();
}
END_TEST

START_TEST(frames_that_are_not_for_a_validator_are_dropped)
{
    CLEANUP(freep) char *token = token_of(old_key, "mail.contoso.example", NULL);
    uint8_t room[FRAME_HEAD + 64];
    open_validator(OPEN_TO_ALL);
    for (unsigned type = 0; type < 40; type++) {
        if (type == MSG_CONFIG_PREPARE || type == MSG_CONFIG_ABORT)
            continue;
        struct frame_out f;
        frame_start(&f, room, sizeof room, (uint16_t)type, 7);
        frame_put_str(&f, "garbage");
        send_frame(&world.broker, &f);
    }
    ck_assert(is_active(token));
    ck_assert_uint_eq(world.ended, 0);
    world_close();
}
END_TEST

START_TEST(the_link_tells_its_beginning_and_its_end)
{
    uint8_t room[64];
    struct frame_out f;
    open_validator(OPEN_TO_ALL);
    world.w.synced = false;
    for (int i = 0; i < 2; i++) {
        frame_start(&f, room, sizeof room, MSG_TRUST_SYNCED, 0);
        msg_number_put(&f, 5);
        send_frame(&world.broker, &f);
    }
    ck_assert_uint_eq(world.synced, 1);
    closep(&world.broker.fd);
    loop_turn(world.base);
    ck_assert_uint_eq(world.ended, 1);
    world_close();
}
END_TEST

START_TEST(a_broken_configuration_is_reported)
{
    uint8_t room[FRAME_MAX];
    struct frame_out out;
    struct frame_in in;
    struct msg_config report;
    open_validator(OPEN_TO_ALL);
    frame_start(&out, room, sizeof room, MSG_CONFIG_PREPARE, 9);
    send_frame(&world.broker, &out); /* there is no such folder */
    ck_assert(next_frame(&world.broker, room, &in));
    ck_assert_uint_eq(in.type, MSG_CONFIG_READY);
    ck_assert(msg_config_get(&in, &report));
    ck_assert(!report.ok);
    ck_assert_uint_gt(report.errors.n, 0);
    uint64_t before = world.w.edition;
    frame_start(&out, room, sizeof room, MSG_CONFIG_COMMIT, 10);
    send_frame(&world.broker, &out);
    ck_assert_uint_eq(world.w.edition, before);
    world_close();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, an_unknown_key_is_asked_for_once_and_waited_for);
    tcase_add_test(tc, other_news_of_the_partner_leave_it_waiting);
    tcase_add_test(tc, while_the_broker_fetches_nothing_unknown_keys_are_refused_at_once);
    tcase_add_test(tc, a_key_id_that_was_looked_for_is_refused_at_once_for_five_minutes);
    tcase_add_test(tc, a_key_id_that_was_not_looked_for_is_asked_again);
    tcase_add_test(tc, other_keys_clear_what_was_looked_for);
    tcase_add_test(tc, what_was_looked_for_is_capped_and_the_oldest_makes_room);
    tcase_add_test(tc, a_token_that_would_be_refused_all_the_same_asks_nobody);
    tcase_add_test(tc, a_key_id_that_was_used_again_is_asked_for_and_judged_again);
    tcase_add_test(tc, a_forged_signature_asks_once_and_is_braked_like_an_unknown_key);
    tcase_add_test(tc, a_forged_signature_under_a_thumbprint_asks_nobody);
    tcase_add_test(tc, nobody_waits_longer_than_three_seconds);
    tcase_add_test(tc, waiters_are_capped_and_others_told_to_come_back);
    tcase_add_test(tc, a_peer_that_goes_away_is_forgotten);
    tcase_add_test(tc, an_unknown_key_of_an_unknown_issuer_asks_nobody);
    tcase_add_test(tc, a_reload_lets_nobody_wait);
    tcase_add_test(tc, keys_do_not_outlive_the_application_they_were_learned_from);
    tcase_add_test(tc, keys_stay_when_only_other_things_of_a_partner_change);
    tcase_add_test(tc, trust_that_is_gone_is_gone);
    tcase_add_test(tc, a_dispute_that_is_settled_is_settled_here_too);
    tcase_add_test(tc, frames_that_are_not_for_a_validator_are_dropped);
    tcase_add_test(tc, the_link_tells_its_beginning_and_its_end);
    tcase_add_test(tc, a_broken_configuration_is_reported);
}

int main(void)
{
    make_keys();
    int status = unit_run("doors_hints", fill);
    drop_keys();
    return status;
}
