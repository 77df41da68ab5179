/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that name an unknown key: one shared refetch for each cooldown, never a storm (rule R31).
 */
#include "stage.h"

static struct stage s;

static void set_up(void)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
    stage_wait(&s, 0);
    stage_answer_keys("0");
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
}

static void tear_down(void)
{
    stage_close(&s);
}

START_TEST(a_storm_of_hints_gives_one_fetch_for_each_cooldown)
{
    /* When hints of an hour, one each second, may cause a fetch: 30 s doubling to 15 min. */
    static const int64_t allowed_at[] = {0, 30, 90, 210, 450, 930, 1830, 2730};
    size_t fetched = 0;
    s.settings->refresh.interval_s = SCHEDULE_CEILING_S;
    stage_partner(&s, "exch")->schedule.due_ms = INT64_MAX / 2; /* only hints */
    for (int64_t t = 0; t < 3600; t++) {
        (void)stage_hint(&s, "exch", 3);
        stage_wait(&s, 0);
        if (stage_request()) {
            ck_assert_uint_lt(fetched, ARRAY_LEN(allowed_at));
            ck_assert_int_eq(t, allowed_at[fetched++]);
            ck_assert(stage_hint(&s, "exch", 2)); /* joins the one under way */
            stage_answer_failure(REASON_FETCH_CONNECT);
            stage_partner(&s, "exch")->schedule.due_ms = INT64_MAX / 2;
        }
        stage_wait(&s, 1);
    }
    ck_assert_uint_eq(fetched, ARRAY_LEN(allowed_at));
}
END_TEST

START_TEST(a_rolled_key_is_found_by_the_first_token)
{
    ck_assert(stage_hint(&s, "exch", 1));
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2);
    stage_answer_keys("01");
    ck_assert(s.last.keys_changed);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    /* the document has changed, so the next unknown key waits for the short pause only */
    stage_wait(&s, 29);
    ck_assert(!stage_hint(&s, "exch", 2));
    stage_wait(&s, 1);
    ck_assert(stage_hint(&s, "exch", 2));
}
END_TEST

START_TEST(a_key_that_is_known_by_now_causes_nothing)
{
    ck_assert(!stage_hint(&s, "exch", 0));
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 1);
}
END_TEST

START_TEST(a_regular_refresh_does_not_use_up_the_hint)
{
    stage_wait(&s, 3600);
    stage_answer_keys("0");
    ck_assert(stage_hint(&s, "exch", 1));
}
END_TEST

START_TEST(an_air_gapped_partner_is_never_asked)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    pem.secret = true;
    ck_assert_int_eq(signkey_to_pem(stage_keys[2], &pem), REASON_OK);
    temp_dir_write(&s.dir, "exch.pem", buf_span(&pem), 0600);
    char conf[1024];
    snprintf(conf, sizeof(conf),
        STAGE_CONF "[Partner exch]\nCertificate=%s/exch.pem\nAudienceHost=exch.contoso.example\n"
                   "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
                   "Trust=full\n",
        s.dir.path);
    stage_use(&s, conf);
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 1);
    ck_assert(!stage_hint(&s, "exch", 1));
    ck_assert_int_eq(s.last.reason, REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "2");
    /* read again with each interval: never stale while the file is there */
    for (int day = 0; day < 10; day++)
        stage_wait(&s, 86400);
    ck_assert_int_eq(stage_partner(&s, "exch")->freshness, FRESH_FRESH);
    /* another certificate in the file is followed */
    buf_reset(&pem);
    ck_assert_int_eq(signkey_to_pem(stage_keys[3], &pem), REASON_OK);
    temp_dir_write(&s.dir, "exch.pem", buf_span(&pem), 0600);
    stage_wait(&s, 86400);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "3");
    /* a file that is gone changes nothing, until it has been gone too long */
    ck_assert_int_eq(unlink(temp_dir_at(&s.dir, "exch.pem")), 0);
    stage_wait(&s, 86400);
    ck_assert_int_ne(s.last.reason, REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "3");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_storm_of_hints_gives_one_fetch_for_each_cooldown);
    tcase_add_test(tc, a_rolled_key_is_found_by_the_first_token);
    tcase_add_test(tc, a_key_that_is_known_by_now_causes_nothing);
    tcase_add_test(tc, a_regular_refresh_does_not_use_up_the_hint);
    tcase_add_test(tc, an_air_gapped_partner_is_never_asked);
}

int main(void)
{
    return stage_run("hints", fill);
}
