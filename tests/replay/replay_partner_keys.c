/* SPDX-License-Identifier: Apache-2.0 */
/* A partner's keys over time (style note 9.4): what each document, each order of an administrator
 * and each mishap makes of them. */
#include "key_story.h"

#include "file.h"

#define DAY_S INT64_C(86400)
#define GRACE STAGE_CONF STAGE_EXCH "Grace=2h\n"
#define HOLD STAGE_CONF STAGE_EXCH "HoldDown=1d\n"
#define PLAIN STAGE_CONF STAGE_EXCH

static void open_with(const char *conf, const char *keys)
{
    stage_open(&s, conf);
    stage_wait(&s, 0);
    stage_answer_keys(keys);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), keys);
}

/* Documents. */

START_TEST(init)
{
    open_with(PLAIN, "01");
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert(story_noted(0, "added (regular refresh, https://exch.contoso.example/"));
    ck_assert(story_noted(1, "added"));
    stage_close(&s);
}
END_TEST

START_TEST(init_fail)
{
    stage_open(&s, PLAIN);
    stage_wait(&s, 0);
    stage_answer_failure(REASON_FETCH_CONNECT);
    ck_assert_str_eq(story_keys(), "");
    ck_assert_int_eq(story_state()->trust.good_at, 0);
    story_document("0");
    ck_assert_str_eq(story_keys(), "0valid");
    stage_close(&s);
}
END_TEST

START_TEST(missing)
{
    open_with(GRACE, "01");
    story_document("0");
    ck_assert_str_eq(story_keys(), "0valid 1missing");
    ck_assert(story_noted(1, "missing (regular refresh"));
    ck_assert(!s.last.keys_changed); /* it counts for its grace */
    stage_wait(&s, 7201);            /* nobody answers; time alone ends it */
    ck_assert_str_eq(story_keys(), "0valid 1gone");
    ck_assert(story_noted(1, "gone (Grace= is over)"));
    stage_close(&s);
}
END_TEST

START_TEST(missing_returns)
{
    open_with(GRACE, "01");
    story_document("0");
    story_document("01");
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert(story_noted(1, "returned"));
    ck_assert_int_eq(story_key(1)->missing_at, 0);
    stage_close(&s);
}
END_TEST

/* A document without keys withdraws none. */
START_TEST(missing_all)
{
    open_with(GRACE, "01");
    story_document("");
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_KEYS);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_close(&s);
}
END_TEST

/* No overlap: followed, and always an alarm; what was before counts no more. */
START_TEST(replaced_at_once)
{
    open_with(PLAIN, "01");
    story_document("23");
    ck_assert(s.last.changes.all_replaced);
    ck_assert_str_eq(story_keys(), "0gone 1gone 2valid 3valid");
    ck_assert(story_noted(-1, "all keys were replaced at once"));
    stage_close(&s);
}
END_TEST

START_TEST(replaced_at_once_within_grace)
{
    open_with(GRACE, "01");
    story_document("23");
    ck_assert(s.last.changes.all_replaced);
    ck_assert_str_eq(story_keys(), "0missing 1missing 2valid 3valid");
    ck_assert(story_noted(-1, "all keys were replaced at once"));
    stage_close(&s);
}
END_TEST

START_TEST(realm_changed)
{
    open_with(PLAIN, "0");
    CLEANUP(freep)
    char *foreign = stage_document("00000002-0000-0ff1-ce00-000000000000", "fabrikam.example", "1");
    story_reply(200, foreign);
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_ISSUER);
    ck_assert(s.last.newly_refused);
    ck_assert_str_eq(story_keys(), "0valid");
    ck_assert(story_noted(-1, "document refused: document_issuer"));
    stage_close(&s);
}
END_TEST

/* A document whose second entry is replaced by `entry`. */
static void document_with(const char *keys, const char *entry)
{
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", keys);
    CLEANUP(buf_done) struct buf b = BUF_INIT(METADATA_MAX);
    const char *list = strstr(doc, "\"keys\":[") + strlen("\"keys\":[");
    buf_put(&b, doc, (size_t)(list - doc));
    buf_printf(&b, "%s,%s", entry, list);
    buf_put_char(&b, '\0');
    ck_assert(!b.failed);
    story_reply(200, b.p);
}

/* RSA of 1024 bits: a real certificate, which the policy refuses. */
static const char weak_entry[] =
    "{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\""
    "MIIB9jCCAV+gAwIBAgIURKsAPYkMvZl6oy9JfIiMe41KQVMwDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UE"
    "AwwBdzAgFw0yNjExMjQxNjA4MTlaGA8yMTI2MTAzMTE2MDgxOVowDDEKMAgGA1UEAwwBdzCBnzANBgkq"
    "hkiG9w0BAQEFAAOBjQAwgYkCgYEAtq3LFqkAxHrGUQlFDdEkHYALSeg+05oDSqi1+iESX0mcikguoRy9"
    "dQpQa0MRCxbCYhen9pIjuONtZ/oYEF3xYirhSpkMvG3SnCVa6tdCO9cpMgKpv4aoLFubvz7REN6DSNc4"
    "HJoJyJvTETUSWY92adqu4JWDEbCtpMB7v7AQCZkCAwEAAaNTMFEwHQYDVR0OBBYEFNRlSUrftlZK02Uc"
    "W3KHBjwX4J4oMB8GA1UdIwQYMBaAFNRlSUrftlZK02UcW3KHBjwX4J4oMA8GA1UdEwEB/wQFMAMBAf8w"
    "DQYJKoZIhvcNAQELBQADgYEAdkYHFVdoUOoB1VO4JiYSrNQgQTHE9NQ+0FvQDrYqXA54M/a54tznrcXg"
    "Y45eACJdyybo9G3aAJYwWJ4jv2HqqE85XY9ohC5gPQVAuFS4puwvJo7AaJ7ephBQMbQbUiVwEmfyv9y6"
    "TbOLmWFr2P0gL69D0zvcs/ScF7lwNArghXc=\"}}";

START_TEST(weak_key)
{
    open_with(PLAIN, "0");
    document_with("01", weak_entry);
    ck_assert_int_eq(s.last.reason, REASON_OK);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert_str_ne(s.last.detail, ""); /* says which was left out */
    stage_close(&s);
}
END_TEST

START_TEST(too_many_keys)
{
    open_with(PLAIN, "0");
    CLEANUP(buf_done) struct buf many = BUF_INIT(METADATA_MAX);
    for (int i = 0; i < METADATA_KEYS_MAX; i++)
        buf_printf(&many, "%s%s", i ? "," : "", weak_entry);
    buf_put_char(&many, '\0');
    document_with("1", many.p);
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_FORM);
    ck_assert_str_eq(story_keys(), "0valid");
    stage_close(&s);
}
END_TEST

START_TEST(garbage)
{
    static const struct {
        const char *body;
        enum reason reason;
    } rows[] = {{"", REASON_JSON_SYNTAX}, {"<html>login</html>", REASON_JSON_SYNTAX},
        {"[]", REASON_DOCUMENT_FORM}, {"{}", REASON_DOCUMENT_FORM},
        {"{\"issuer\":", REASON_JSON_SYNTAX},
        {"{\"issuer\":\"a\",\"issuer\":\"b\"}", REASON_JSON_DUPLICATE}};
    open_with(PLAIN, "01");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        story_reply(200, rows[i].body);
        ck_assert_int_eq(s.last.reason, rows[i].reason);
        ck_assert_str_eq(story_keys(), "0valid 1valid");
    }
    story_document("0");
    ck_assert_str_eq(story_keys(), "0valid 1gone");
    stage_close(&s);
}
END_TEST

START_TEST(not_modified)
{
    open_with(PLAIN, "0");
    story_turn();
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "01");
    stage_answer(stage_status(200, "\"v1\""), doc);
    story_turn();
    ck_assert_str_eq(stage_open_request()->etag, "\"v1\"");
    stage_answer(stage_status(304, "\"v1\""), "");
    ck_assert(s.last.good && !s.last.keys_changed);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert_int_eq(story_state()->trust.good_at, s.wall);
    stage_close(&s);
}
END_TEST

START_TEST(slow_server)
{
    open_with(PLAIN, "0");
    story_turn();
    stage_wait(&s, 30); /* still under way; nobody else is asked */
    ck_assert_uint_eq(stage_asked, 2);
    stage_answer_failure(REASON_FETCH_TIMEOUT);
    ck_assert_str_eq(story_keys(), "0valid");
    ck_assert_int_eq(story_state()->last_reason, REASON_FETCH_TIMEOUT);
    stage_close(&s);
}
END_TEST

START_TEST(huge_body)
{
    open_with(PLAIN, "0");
    story_turn();
    stage_answer_failure(REASON_FETCH_TOO_LARGE);
    ck_assert_str_eq(story_keys(), "0valid");
    CLEANUP(buf_done) struct buf huge = BUF_INIT(METADATA_MAX + 2);
    while (huge.n < METADATA_MAX + 1) /* a fetcher that lets it through changes nothing */
        buf_put_char(&huge, ' ');
    buf_put_char(&huge, '\0');
    story_reply(200, huge.p);
    ck_assert_int_eq(s.last.reason, REASON_TOO_LARGE);
    ck_assert_str_eq(story_keys(), "0valid");
    stage_close(&s);
}
END_TEST

/* F18: nothing but 200 and our own 304 is an answer. */
START_TEST(other_statuses)
{
    static const unsigned statuses[] = {204, 206, 301, 401, 403, 404, 410, 429, 500, 503};
    open_with(PLAIN, "0");
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        story_reply(statuses[i], "");
        ck_assert(!s.last.good);
        ck_assert_str_eq(story_keys(), "0valid");
    }
    stage_close(&s);
}
END_TEST

/* Clocks, restarts, disks. */

/* A clock that is set ends no grace before its time and prolongs none. */
static void set_clock_within_grace(int64_t by_s)
{
    open_with(GRACE, "01");
    story_document("0");
    stage_set_clock(&s, by_s);
    ck_assert_str_eq(story_keys(), "0valid 1missing");
    stage_wait(&s, 7190);
    ck_assert_str_eq(story_keys(), "0valid 1missing");
    stage_wait(&s, 11);
    ck_assert_str_eq(story_keys(), "0valid 1gone");
    while (stage_request())
        stage_answer_keys("01");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0"); /* and a replay brings nothing back */
    stage_close(&s);
}

START_TEST(clock_back)
{
    set_clock_within_grace(-30 * DAY_S);
}
END_TEST

START_TEST(clock_forward)
{
    set_clock_within_grace(30 * DAY_S);
}
END_TEST

/* Nor a hold-down. */
START_TEST(clock_set_during_a_hold_down)
{
    static const int64_t jumps[] = {-30 * DAY_S, 30 * DAY_S};
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        open_with(HOLD, "0");
        story_document("01");
        stage_set_clock(&s, jumps[i]);
        while (stage_request())
            stage_answer_keys("01");
        story_documents_for("01", DAY_S - 7300);
        ck_assert_str_eq(story_keys(), "0valid 1new");
        story_documents_for("01", 7300);
        ck_assert_str_eq(story_keys(), "0valid 1valid");
        stage_close(&s);
    }
}
END_TEST

START_TEST(restart_in_each_state)
{
    static const char conf[] = HOLD "Grace=2h\n";
    open_with(conf, "012");
    story_document("0123"); /* 3 is new */
    story_document("013");  /* 2 is missing */
    story_bar(1, true);
    const char *before = "0valid 1barred 2missing 3new";
    ck_assert_str_eq(story_keys(), before);
    stage_restart(&s, conf, 60);
    ck_assert_str_eq(story_keys(), before);
    ck_assert(story_noted(1, "barred (uid 0)"));
    stage_wait(&s, 7201);
    ck_assert_str_eq(story_keys(), "0valid 1barred 2gone 3new");
    stage_restart(&s, conf, 60);
    ck_assert_str_eq(story_keys(), "0valid 1barred 2gone 3new");
    while (stage_request()) /* whatever was under way */
        stage_answer_keys("013");
    story_documents_for("013", DAY_S);
    ck_assert_str_eq(story_keys(), "0valid 1barred 2gone 3valid");
    stage_restart(&s, conf, 60);
    ck_assert_str_eq(story_keys(), "0valid 1barred 2gone 3valid");
    stage_close(&s);
}
END_TEST

/* Every length that a torn write could have left: put aside, and fetched anew. */
START_TEST(state_file_torn)
{
    open_with(PLAIN, "0");
    CLEANUP(buf_done) struct buf text = BUF_INIT(1 << 20);
    char why[256];
    ck_assert_int_eq(file_read(temp_dir_at(&s.dir, "partners/exch.state"), FILE_PUBLIC, text.max,
                         &text, why, sizeof(why)),
        0);
    for (size_t eighth = 0; eighth < 8; eighth++) {
        struct span part = {text.p, text.n * eighth / 8};
        temp_dir_write(&s.dir, "partners/exch.state", part, 0600);
        stage_restart(&s, PLAIN, 60);
        ck_assert_str_eq(story_keys(), "");
        stage_wait(&s, 0);
        stage_answer_keys("0");
        ck_assert_str_eq(story_keys(), "0valid");
    }
    stage_close(&s);
}
END_TEST

/* Orders of administrators. */

START_TEST(barred_stays_barred)
{
    open_with(PLAIN, "01");
    story_bar(0, true);
    ck_assert_str_eq(story_keys(), "0barred 1valid");
    story_document("01");
    story_document("1");
    story_document("012"); /* proven younger than any withdrawal */
    ck_assert_str_eq(story_keys(), "0barred 1valid 2valid");
    stage_restart(&s, PLAIN, DAY_S);
    while (stage_request())
        stage_answer_keys("012");
    story_documents_for("012", 2 * DAY_S); /* and longer than a withdrawn key would need */
    ck_assert_str_eq(story_keys(), "0barred 1valid 2valid");
    ck_assert_int_eq(story_approve(), REASON_NEVER_FETCHED);
    story_document("0");
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_REPLAY);
    ck_assert_int_eq(story_approve(), REASON_DOCUMENT_REPLAY);
    ck_assert_str_eq(story_keys(), "0barred 1valid 2valid");
    story_document("012");
    story_bar(0, false);
    ck_assert_str_eq(story_keys(), "0valid 1valid 2valid");
    stage_close(&s);
}
END_TEST

/* What an administrator has said outlives what was learned under other pins. */
START_TEST(barred_and_suspended_outlive_other_pins)
{
    open_with(PLAIN, "01");
    story_bar(0, true);
    ck_assert(operators_suspend(story_state(), true, "uid 0", s.wall));
    stage_use(&s,
        STAGE_CONF "[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"
                   "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n");
    ck_assert_str_eq(story_keys(), "0barred");
    ck_assert(story_state()->trust.suspended);
    ck_assert_str_eq(story_state()->suspended_by, "uid 0");
    stage_close(&s);
}
END_TEST

START_TEST(suspended_over_a_restart)
{
    open_with(PLAIN, "0");
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert(operators_suspend(&e->state, true, "uid 7", s.wall));
    ck_assert(!operators_suspend(&e->state, true, "uid 0", s.wall));
    partners_save(s.partners, e);
    int64_t since = s.wall;
    story_document("01"); /* its document is followed all the same */
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_restart(&s, PLAIN, DAY_S);
    ck_assert(story_state()->trust.suspended);
    ck_assert_int_eq(story_state()->suspended_at, since);
    ck_assert_str_eq(story_state()->suspended_by, "uid 7");
    ck_assert(story_noted(-1, "suspended by uid 7"));
    e = stage_partner(&s, "exch");
    ck_assert(operators_suspend(&e->state, false, "uid 0", s.wall));
    ck_assert(!e->state.trust.suspended && e->state.suspended_at == 0);
    ck_assert(story_noted(-1, "resumed by uid 0"));
    stage_close(&s);
}
END_TEST

/* HoldDown= */

START_TEST(hold_down)
{
    open_with(HOLD, "0"); /* the first document is believed at once */
    story_document("01");
    ck_assert_str_eq(story_keys(), "0valid 1new");
    ck_assert(story_noted(1, "new (regular refresh"));
    int64_t from = s.wall;
    story_documents_for("01", DAY_S - 4000);
    ck_assert_str_eq(story_keys(), "0valid 1new");
    story_documents_for("01", 4000);
    ck_assert_int_ge(s.wall - from, DAY_S);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert(story_noted(1, "valid"));
    stage_close(&s);
}
END_TEST

START_TEST(hold_down_counts_only_beside_the_systems_cas)
{
    open_with(HOLD "CAFile=/etc/ca.pem\n", "0");
    story_document("01");
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_close(&s);
}
END_TEST

START_TEST(next_too_early)
{
    open_with(HOLD, "0");
    story_document("01");
    story_document("1"); /* the partner rolls within an hour: its new key must wait all the same */
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_HELD);
    ck_assert_str_eq(story_keys(), "0valid 1new"); /* and the old one is not lost meanwhile */
    ck_assert_uint_gt(story_state()->held.document.n, 0);
    ck_assert(s.last.newly_refused);
    story_documents_for("1", DAY_S);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    ck_assert_uint_eq(story_state()->held.document.n, 0);
    stage_close(&s);
}
END_TEST

START_TEST(next_seen_once)
{
    open_with(HOLD, "0");
    story_document("01");
    story_document("0");
    ck_assert_str_eq(story_keys(), "0valid");
    ck_assert(story_noted(1, "dropped"));
    story_documents_for("0", 2 * DAY_S);
    story_document("01");
    ck_assert_str_eq(story_keys(), "0valid 1new"); /* its time begins anew */
    stage_close(&s);
}
END_TEST

START_TEST(hold_down_ended_by_approval)
{
    open_with(HOLD, "0");
    story_document("01");
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert(story_noted(-1, "approved by uid 0"));
    story_document("1");
    story_document("2");
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_HELD);
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "2");
    ck_assert_int_eq(story_approve(), REASON_NEVER_FETCHED);
    stage_close(&s);
}
END_TEST

/* Documents that flap between servers of a partner during its rollover. */

static void flap(void)
{
    open_with(PLAIN, "0");
    story_document("01");
    story_document("0");
    story_document("01");
    ck_assert_str_eq(story_keys(), "0valid 1gone");
}

START_TEST(flapping)
{
    flap();
    story_document("1");
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_REPLAY);
    ck_assert_str_eq(story_keys(), "0valid 1gone");
    ck_assert(strstr(s.last.detail, "have stood there until"));
    story_documents_for("1", DAY_S);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    ck_assert_int_eq(story_state()->last_reason, REASON_OK);
    ck_assert(story_noted(-1, "all keys were replaced at once"));
    stage_close(&s);
}
END_TEST

START_TEST(flapping_over_a_restart)
{
    flap();
    story_documents_for("1", DAY_S / 2);
    stage_restart(&s, PLAIN, 60);
    while (stage_request())
        stage_answer_keys("1");
    story_documents_for("1", DAY_S / 2 - 1);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    stage_close(&s);
}
END_TEST

START_TEST(flapping_ended_by_approval)
{
    flap();
    story_document("1");
    ck_assert_uint_gt(story_state()->held.document.n, 0);
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    ck_assert(story_noted(1, "returned (approved by uid 0)"));
    story_document("1");
    ck_assert_int_eq(s.last.reason, REASON_OK);
    stage_close(&s);
}
END_TEST

/* F07: an older document, shown after a newer one, and not for a whole day. */
START_TEST(rollback)
{
    open_with(PLAIN, "0");
    story_document("01");
    story_document("1");
    story_document("01");
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    ck_assert(story_noted(0, "withheld"));
    story_document("0");
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_REPLAY);
    story_document("1");
    story_documents_for("0", DAY_S - 3601);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    stage_close(&s);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, init);
    tcase_add_test(tc, init_fail);
    tcase_add_test(tc, missing);
    tcase_add_test(tc, missing_returns);
    tcase_add_test(tc, missing_all);
    tcase_add_test(tc, replaced_at_once);
    tcase_add_test(tc, replaced_at_once_within_grace);
    tcase_add_test(tc, realm_changed);
    tcase_add_test(tc, weak_key);
    tcase_add_test(tc, too_many_keys);
    tcase_add_test(tc, garbage);
    tcase_add_test(tc, not_modified);
    tcase_add_test(tc, slow_server);
    tcase_add_test(tc, huge_body);
    tcase_add_test(tc, other_statuses);
    tcase_add_test(tc, clock_back);
    tcase_add_test(tc, clock_forward);
    tcase_add_test(tc, clock_set_during_a_hold_down);
    tcase_add_test(tc, restart_in_each_state);
    tcase_add_test(tc, state_file_torn);
    tcase_add_test(tc, barred_stays_barred);
    tcase_add_test(tc, barred_and_suspended_outlive_other_pins);
    tcase_add_test(tc, suspended_over_a_restart);
    tcase_add_test(tc, hold_down);
    tcase_add_test(tc, hold_down_counts_only_beside_the_systems_cas);
    tcase_add_test(tc, next_too_early);
    tcase_add_test(tc, next_seen_once);
    tcase_add_test(tc, hold_down_ended_by_approval);
    tcase_add_test(tc, flapping);
    tcase_add_test(tc, flapping_over_a_restart);
    tcase_add_test(tc, flapping_ended_by_approval);
    tcase_add_test(tc, rollback);
}

int main(void)
{
    return stage_run("partner_keys", add_tests);
}
