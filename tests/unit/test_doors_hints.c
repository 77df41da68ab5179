/* SPDX-License-Identifier: Apache-2.0 */
/* What a validator and its broker tell each other: keys that nobody knows are asked for once and
 * waited for, trust comes and goes, settings change. */
#include "validator_fixture.h"

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
    ck_assert_mem_eq(hint.x5t, signkey_cert(new_key)->x5t, X5T_LEN);
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
    send_name(MSG_HINT_DONE, "nobody");
    far_take(&far);
    ck_assert_uint_eq(far.got.n, 0);
    send_name(MSG_HINT_DONE, "lync");
    far_take(&far);
    expect_http(&far, 200, "{\"active\":false}");
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(after_an_answer_in_vain_unknown_keys_are_refused_at_once)
{
    struct far_end far;
    CLEANUP(freep) char *token = token_of(new_key, "mail.contoso.example", NULL);
    open_validator(OPEN_TO_ALL);
    introspect(&far, token, "");
    expect_hint();
    send_name(MSG_HINT_DONE, "lync");
    far_close(&far);
    ck_assert(!is_active(token));
    expect_silence();
    world_pass(1);
    introspect(&far, token, "");
    expect_hint(); /* the broker's own cooldown decides from here */
    ck_assert_uint_eq(far.got.n, 0);
    far_close(&far);
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
    send_name(MSG_HINT_DONE, "lync");
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
    send_name(MSG_HINT_DONE, "lync");
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
    send_name(MSG_HINT_DONE, "lync");
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
    tcase_add_test(tc, after_an_answer_in_vain_unknown_keys_are_refused_at_once);
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
