/* SPDX-License-Identifier: Apache-2.0 */
/* Partners come, go, change their pins, share keys; state files break, disks fill up. */
#include "file.h"
#include "stage.h"

#define SPS                                                                                        \
    "[Partner sps]\nMetadataURL=https://sps.contoso.example/_layouts/15/metadata/json/1\n"         \
    "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"

static struct stage s;

static void set_up(void)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
}

static void tear_down(void)
{
    stage_close(&s);
}

static void first_document(const char *keys)
{
    stage_wait(&s, 0);
    stage_answer_keys(keys);
}

static void answer_sps(const char *keys)
{
    CLEANUP(freep)
    char *doc = stage_document("00000003-0000-0ff1-ce00-000000000000", "contoso.example", keys);
    stage_answer(stage_status(200, ""), doc);
}

START_TEST(a_reload_keeps_what_is_known)
{
    first_document("0");
    int64_t due = stage_due_in(&s, "exch");
    stage_use(&s, STAGE_CONF STAGE_EXCH "PermittedUsers=*@contoso.example\n" SPS);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    ck_assert_int_eq(stage_due_in(&s, "exch"), due);
    ck_assert_ptr_eq(
        stage_partner(&s, "exch")->partner, settings_partner(s.settings, SPAN("exch")));
    stage_wait(&s, 0); /* the new one is fetched at once */
    ck_assert_uint_eq(stage_asked, 2);
    answer_sps("1");
    ck_assert_str_eq(stage_keys_of(&s, "sps"), "1");
    stage_use(&s, STAGE_CONF SPS);
    ck_assert_ptr_null(partners_find(s.partners, SPAN("exch")));
    ck_assert_str_eq(stage_keys_of(&s, "sps"), "1");
}
END_TEST

START_TEST(a_reload_during_a_fetch_asks_again)
{
    stage_wait(&s, 0);
    stage_use(&s, STAGE_CONF STAGE_EXCH);
    ck_assert_ptr_null(stage_request());
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2);
    stage_answer_keys("0");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    stage_wait(&s, 3600);
    stage_use(&s, STAGE_CONF SPS); /* goes while it is asked */
    stage_wait(&s, 0);
    ck_assert_str_eq(
        stage_open_request()->url, "https://sps.contoso.example/_layouts/15/metadata/json/1");
}
END_TEST

START_TEST(another_address_is_asked_at_once)
{
    stage_wait(&s, 0);
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "0");
    stage_answer(stage_status(200, "\"v1\""), doc);
    stage_use(&s, STAGE_CONF
        "[Partner exch]\nMetadataURL=https://new.contoso.example/metadata/json/1\n"
        "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n");
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2);
    ck_assert_str_eq(stage_open_request()->url, "https://new.contoso.example/metadata/json/1");
    ck_assert_str_eq(stage_open_request()->etag, ""); /* the old server's tag says nothing there */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
}
END_TEST

static const char *const other_pins[] = {STAGE_CONF
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/autodiscover/metadata/"
    "json/1\nApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
    "Realm=fabrikam.example\nTrust=full\n",
    STAGE_CONF "[Partner exch]\nMetadataURL=https://exch.contoso.example/autodiscover/metadata/"
               "json/1\nApplicationId=00000003-0000-0ff1-ce00-000000000000\n"
               "Realm=contoso.example\nTrust=full\n"};

START_TEST(what_was_learned_under_other_pins_is_forgotten)
{
    first_document("0");
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    uint64_t generation = stage_partner(&s, "exch")->state.trust.generation;
    if (_i & 1)
        stage_restart(&s, other_pins[_i / 2], 0);
    else
        stage_use(&s, other_pins[_i / 2]);
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "");
    ck_assert_int_eq(e->state.trust.good_at, 0);
    ck_assert_uint_gt(e->state.trust.generation, generation); /* remembered verdicts die with it */
    ck_assert_uint_eq(e->state.document.n, 0);
    ck_assert_ptr_nonnull(strstr(e->state.history, "forgotten"));
    /* and what the workers are told */
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    ck_assert_uint_eq(partners_trust(s.partners, e)->n_keys, 0);
    ck_assert_uint_gt(partners_trust(s.partners, e)->generation, generation);
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2);
    ck_assert_str_eq(stage_open_request()->etag, "");
}
END_TEST

static void put_certificate(const char *file, int key)
{
    CLEANUP(buf_done) struct buf pem = {.max = 65536, .secret = true};
    ck_assert_int_eq(signkey_to_pem(stage_keys[key], &pem), REASON_OK);
    const char *certificate = strstr(pem.p, "-----BEGIN CERTIFICATE");
    ck_assert_ptr_nonnull(certificate);
    temp_dir_write(&s.dir, file, span_of(certificate), 0600);
}

/* An air-gapped partner with that certificate. */
static void use_air_gapped(const char *app, const char *file)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    buf_printf(&text,
        "%s[Partner gap]\nCertificate=%s/%s\nApplicationId=%s-0000-0ff1-ce00-000000000000\n"
        "Realm=contoso.example\nTrust=full\nAudienceHost=gap\nGrace=7d\n",
        STAGE_CONF, s.dir.path, file, app);
    stage_use(&s, text.p);
    stage_wait(&s, 0);
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
}

/* There is no document that could tell whose the old certificate was, and Grace= is not for
 * somebody else. */
START_TEST(the_certificate_of_another_application_gets_no_grace)
{
    put_certificate("a.pem", 0);
    put_certificate("b.pem", 1);
    use_air_gapped("00000002", "a.pem");
    ck_assert_str_eq(stage_keys_of(&s, "gap"), "0");
    use_air_gapped("00000003", "b.pem");
    ck_assert_str_eq(stage_keys_of(&s, "gap"), "1");
    const struct partner_trust *t = partners_trust(s.partners, stage_partner(&s, "gap"));
    ck_assert_uint_eq(t->n_keys, 1);
    /* the same application rolls with it */
    use_air_gapped("00000003", "a.pem");
    ck_assert_str_eq(stage_keys_of(&s, "gap"), "01");
}
END_TEST

START_TEST(members_of_a_pool_are_asked_in_turn)
{
    stage_use(&s, STAGE_CONF
        "[Partner exch]\nMetadataURL=https://a.contoso.example/metadata/json/1\n"
        "MetadataURL=https://b.contoso.example/metadata/json/1\n"
        "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n");
    stage_wait(&s, 0);
    ck_assert_str_eq(stage_open_request()->url, "https://a.contoso.example/metadata/json/1");
    stage_answer_failure(REASON_FETCH_CONNECT);
    ck_assert_uint_eq(s.ends, 0);
    ck_assert_str_eq(stage_open_request()->url, "https://b.contoso.example/metadata/json/1");
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "0");
    stage_answer(stage_status(200, "\"of-b\""), doc);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    /* the next round begins with the first again, and without the tag of the second */
    stage_wait(&s, 3600);
    ck_assert_str_eq(stage_open_request()->url, "https://a.contoso.example/metadata/json/1");
    ck_assert_str_eq(stage_open_request()->etag, "");
    stage_answer_failure(REASON_FETCH_TLS);
    stage_answer_failure(REASON_FETCH_TIMEOUT);
    ck_assert_int_eq(s.last.reason, REASON_FETCH_TIMEOUT);
    ck_assert_uint_eq(s.ends, 2);
    /* a refused document is not covered up by a better one elsewhere */
    stage_wait(&s, 900);
    stage_answer(stage_status(200, ""), "<html>");
    ck_assert_int_eq(s.last.reason, REASON_JSON_SYNTAX);
    ck_assert_ptr_null(stage_request());
}
END_TEST

START_TEST(a_key_that_two_partners_publish_is_the_first_ones)
{
    stage_use(&s, STAGE_CONF STAGE_EXCH SPS);
    stage_wait(&s, 0);
    /* exch stands first in the list and was asked first */
    struct fetch *exch = stage_open_request();
    ck_assert_ptr_nonnull(strstr(exch->url, "exch"));
    stage_answer_keys("0");
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    stage_wait(&s, 10);
    answer_sps("01");
    unsigned news = s.trust_news;
    struct partner_entry *sps = stage_partner(&s, "sps");
    ck_assert_int_eq(partners_settle(s.partners, sps, NULL, stage_on_trust, &s), REASON_OK);
    ck_assert_uint_eq(s.trust_news, news + 1); /* sps is told, exch is untouched */
    const struct partner_trust *first = partners_trust(s.partners, stage_partner(&s, "exch"));
    const struct partner_trust *newcomer = partners_trust(s.partners, sps);
    ck_assert(!first->keys[0].disputed);
    ck_assert_int_eq(newcomer->keys[0].disputed + newcomer->keys[1].disputed, 1);
    ck_assert_ptr_nonnull(strstr(sps->state.history, "disputed, so not used: "));
    ck_assert_ptr_null(strstr(stage_partner(&s, "exch")->state.history, "disputed"));
    /* told once, also over a restart */
    CLEANUP(buf_done) struct buf file = BUF_INIT(1 << 20);
    char why[256];
    ck_assert_int_eq(file_read(temp_dir_at(&s.dir, "partners/sps.state"), FILE_PUBLIC, file.max,
                         &file, why, sizeof(why)),
        0);
    ck_assert(memmem(file.p, file.n, "disputed, so not used: ", 23) != NULL);
    stage_restart(&s, STAGE_CONF STAGE_EXCH SPS, 0);
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    const char *history = stage_partner(&s, "sps")->state.history;
    const char *first_note = history ? strstr(history, "disputed") : NULL;
    ck_assert(first_note != NULL);
    ck_assert_ptr_null(strstr(first_note + 1, "disputed"));
    /* exch withdraws it: sps may use it */
    stage_wait(&s, 3600);
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", "2");
    struct fetch *again = stage_open_request();
    ck_assert_ptr_nonnull(strstr(again->url, "exch"));
    stage_answer(stage_status(200, ""), doc);
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert_int_eq(partners_settle(s.partners, e, NULL, stage_on_trust, &s), REASON_OK);
    ck_assert(!partners_trust(s.partners, stage_partner(&s, "sps"))->keys[0].disputed);
    ck_assert_ptr_nonnull(strstr(stage_partner(&s, "sps")->state.history, "no longer disputed: "));
}
END_TEST

/* What another member of our pool signs with is as much ours as our own key: a partner that copies
 * it cannot use it (rule R14), and can as soon as that member is none any more. */
START_TEST(a_key_of_a_fellow_is_ours)
{
    const struct cert *fellows[] = {signkey_cert(stage_keys[1])};
    const struct partner_trust *t;
    first_document("01");
    partners_set_fellows(s.partners, fellows, 1);
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    t = partners_trust(s.partners, stage_partner(&s, "exch"));
    ck_assert(!t->keys[0].disputed && t->keys[1].disputed);
    ck_assert_ptr_nonnull(strstr(stage_partner(&s, "exch")->state.history, "or by us"));
    partners_set_fellows(s.partners, NULL, 0);
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    t = partners_trust(s.partners, stage_partner(&s, "exch"));
    ck_assert(!t->keys[0].disputed && !t->keys[1].disputed);
}
END_TEST

/* One copied key in place of another is news too. */
START_TEST(another_disputed_key_is_told_though_there_are_no_more_of_them)
{
    stage_use(&s, STAGE_CONF STAGE_EXCH SPS);
    stage_wait(&s, 0);
    struct cert own = *signkey_cert(stage_keys[1]);
    struct keyring ring = {.n = 1, .generation = 1};
    ring.slots[0] = (struct ring_slot){.state = KEY_CURRENT, .cert = &own};
    stage_answer_keys("0");
    ck_assert_int_eq(partners_settle(s.partners, NULL, &ring, stage_on_trust, &s), REASON_OK);
    static const char *const documents[] = {"02", "12"}; /* the first is exch's, then ours */
    struct partner_entry *sps = stage_partner(&s, "sps");
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        char thumb[THUMBPRINT_TEXT_LEN], line[256];
        stage_wait(&s, i ? 3600 : 10);
        if (i)
            stage_answer_keys("0");
        answer_sps(documents[i]);
        ck_assert_int_eq(partners_settle(s.partners, sps, &ring, stage_on_trust, &s), REASON_OK);
        thumbprint_text(signkey_cert(stage_keys[documents[i][0] - '0'])->x5t, thumb);
        snprintf(line, sizeof(line), "disputed, so not used: %s,", thumb);
        ck_assert_msg(strstr(sps->state.history, line) != NULL, "%s", sps->state.history);
    }
}
END_TEST

START_TEST(a_partner_that_publishes_our_certificate_does_not_get_it)
{
    first_document("01");
    ck_assert_int_eq(partners_settle(s.partners, NULL, NULL, stage_on_trust, &s), REASON_OK);
    struct keyring ring = {.n = 1, .generation = 1};
    struct cert own = *signkey_cert(stage_keys[1]);
    ring.slots[0] = (struct ring_slot){.state = KEY_CURRENT, .cert = &own};
    unsigned news = s.trust_news;
    ck_assert_int_eq(partners_settle(s.partners, NULL, &ring, stage_on_trust, &s), REASON_OK);
    ck_assert_uint_eq(s.trust_news, news + 1);
    const struct partner_trust *t = partners_trust(s.partners, stage_partner(&s, "exch"));
    for (size_t i = 0; i < t->n_keys; i++)
        ck_assert_int_eq(t->keys[i].disputed, memcmp(t->keys[i].x5t, own.x5t, X5T_LEN) == 0);
}
END_TEST

/* R37: a document whose keys are all somebody else's replaces no good set. */
START_TEST(a_document_of_others_keys_changes_nothing)
{
    stage_use(&s, STAGE_CONF STAGE_EXCH SPS);
    stage_wait(&s, 0);
    struct cert own = *signkey_cert(stage_keys[2]);
    struct keyring ring = {.n = 1, .generation = 1};
    ring.slots[0] = (struct ring_slot){.state = KEY_CURRENT, .cert = &own};
    stage_answer_keys("0");
    answer_sps("1");
    ck_assert_int_eq(partners_settle(s.partners, NULL, &ring, stage_on_trust, &s), REASON_OK);
    static const char *const all_foreign[] = {"0", "2", "02"};
    struct partner_entry *sps = stage_partner(&s, "sps");
    for (size_t i = 0; i < ARRAY_LEN(all_foreign); i++) {
        stage_wait(&s, 3600);
        stage_answer_keys("0");
        answer_sps(all_foreign[i]);
        ck_assert_int_eq(sps->state.last_reason, REASON_DOCUMENT_KEYS);
        ck_assert_str_eq(sps->state.last_detail,
            "each of its keys is also published by another partner, or ours");
        ck_assert_str_eq(stage_keys_of(&s, "sps"), "1");
    }
    /* one of its own among them is enough */
    stage_wait(&s, 3600);
    stage_answer_keys("0");
    answer_sps("03");
    ck_assert_int_eq(sps->state.last_reason, REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "sps"), "03");
}
END_TEST

/* Or a partner could make another one's document age by copying its certificate into its own. */
START_TEST(a_partner_whose_key_was_copied_goes_on_as_before)
{
    stage_use(&s, STAGE_CONF STAGE_EXCH SPS);
    stage_wait(&s, 0);
    struct partner_entry *exch = stage_partner(&s, "exch"), *sps = stage_partner(&s, "sps");
    stage_answer_keys("0");
    ck_assert_int_eq(partners_settle(s.partners, exch, NULL, stage_on_trust, &s), REASON_OK);
    stage_wait(&s, 10);
    answer_sps("01");
    ck_assert_int_eq(partners_settle(s.partners, sps, NULL, stage_on_trust, &s), REASON_OK);
    stage_wait(&s, 3600);
    stage_answer_keys("0");
    ck_assert_int_eq(exch->state.last_reason, REASON_OK);
    ck_assert_int_eq(exch->state.trust.good_at, s.wall);
    /* nor can it be kept from rolling */
    stage_wait(&s, 3600);
    stage_answer_keys("02");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "02");
}
END_TEST

START_TEST(a_damaged_state_file_is_put_aside)
{
    first_document("0");
    CLEANUP(buf_done) struct buf text = BUF_INIT(1 << 20);
    char why[256];
    ck_assert_int_eq(file_read(temp_dir_at(&s.dir, "partners/exch.state"), FILE_PUBLIC, text.max,
                         &text, why, sizeof(why)),
        0);
    text.p[text.n / 2] ^= 1;
    temp_dir_write(&s.dir, "partners/exch.state", buf_span(&text), 0600);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 60);
    char aside[64];
    snprintf(aside, sizeof(aside), "partners/exch.state.broken-%lld", (long long)s.wall);
    ck_assert(temp_dir_has(&s.dir, aside));
    ck_assert(!temp_dir_has(&s.dir, "partners/exch.state"));
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "");
    stage_wait(&s, 0);
    ck_assert_uint_eq(stage_asked, 2); /* fetched at once */
    stage_answer_keys("0");
    ck_assert(temp_dir_has(&s.dir, "partners/exch.state"));
}
END_TEST

START_TEST(a_state_file_of_another_partner_is_put_aside)
{
    first_document("0");
    ck_assert_int_eq(rename(temp_dir_at(&s.dir, "partners/exch.state"),
                         temp_dir_at(&s.dir, "partners/sps.state")),
        0);
    stage_restart(&s, STAGE_CONF SPS, 0);
    ck_assert_str_eq(stage_keys_of(&s, "sps"), "");
    ck_assert(!temp_dir_has(&s.dir, "partners/sps.state"));
}
END_TEST

START_TEST(a_disk_that_takes_nothing_stops_nobody)
{
    temp_dir_write(&s.dir, "partners", SPAN("a file where a folder should be"), 0600);
    first_document("0");
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert(e->save_failed);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
    ck_assert_uint_eq(s.trust_news, 1);
    stage_wait(&s, 3600);
    stage_answer_keys("01");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
    stage_wait(&s, 30);
    ck_assert(e->save_failed);
    ck_assert_int_eq(unlink(temp_dir_at(&s.dir, "partners")), 0);
    stage_wait(&s, 30); /* it recovers alone when space returns */
    ck_assert(!e->save_failed);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 0);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "01");
}
END_TEST

/* What a kill in the middle of a write leaves behind does not pile up. */
START_TEST(leftovers_of_a_killed_write_are_removed)
{
    first_document("0");
    temp_dir_write(&s.dir, "partners/.exch.state.new-0123abcd", SPAN("half a"), 0600);
    stage_restart(&s, STAGE_CONF STAGE_EXCH, 0);
    ck_assert(!temp_dir_has(&s.dir, "partners/.exch.state.new-0123abcd"));
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "0");
}
END_TEST

static void look_at_all(struct partner_entry *e, void *arg)
{
    unsigned *gone = arg;
    ++*gone;
    ck_assert_ptr_null(partners_find(s.partners, span_of(e->state.trust.name)));
    for (size_t i = 0; i < partners_count(s.partners); i++)
        ck_assert_str_eq(partners_at(s.partners, i)->partner->name, "sps");
}

/* The news may make a peer at the control door ask for all partners. */
START_TEST(who_is_told_of_one_that_goes_finds_only_those_that_stay)
{
    unsigned gone = 0;
    stage_use(&s, STAGE_CONF STAGE_EXCH SPS
        "[Partner lync]\nMetadataURL=https://lync.contoso.example/metadata/json/1\n"
        "ApplicationId=00000005-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n");
    struct settings *next = settings_of(STAGE_CONF SPS), *old = s.settings;
    ck_assert(partners_adopt(s.partners, next, look_at_all, &gone));
    s.settings = next;
    refresher_use(s.refresher, next);
    settings_free(old);
    ck_assert_uint_eq(gone, 2);
}
END_TEST

START_TEST(names_become_harmless_file_names)
{
    static const struct {
        const char *name, *file;
    } rows[] = {{"exch", "exch.state"}, {"Exch-1_a.b", "Exch-1_a.b.state"},
        {".hidden", "%2Ehidden.state"}, {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.state"},
        {"a b", "a%20b.state"}, {"p%", "p%25.state"}, {"\xc3\xa9", "%C3%A9.state"}};
    char out[PARTNERS_FILE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_str_eq(partners_file_name(rows[i].name, out), rows[i].file);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_reload_keeps_what_is_known);
    tcase_add_test(tc, a_reload_during_a_fetch_asks_again);
    tcase_add_test(tc, another_address_is_asked_at_once);
    tcase_add_loop_test(tc, what_was_learned_under_other_pins_is_forgotten, 0, 4);
    tcase_add_test(tc, the_certificate_of_another_application_gets_no_grace);
    tcase_add_test(tc, members_of_a_pool_are_asked_in_turn);
    tcase_add_test(tc, a_key_that_two_partners_publish_is_the_first_ones);
    tcase_add_test(tc, a_key_of_a_fellow_is_ours);
    tcase_add_test(tc, another_disputed_key_is_told_though_there_are_no_more_of_them);
    tcase_add_test(tc, a_partner_that_publishes_our_certificate_does_not_get_it);
    tcase_add_test(tc, a_document_of_others_keys_changes_nothing);
    tcase_add_test(tc, a_partner_whose_key_was_copied_goes_on_as_before);
    tcase_add_test(tc, a_damaged_state_file_is_put_aside);
    tcase_add_test(tc, a_state_file_of_another_partner_is_put_aside);
    tcase_add_test(tc, a_disk_that_takes_nothing_stops_nobody);
    tcase_add_test(tc, leftovers_of_a_killed_write_are_removed);
    tcase_add_test(tc, who_is_told_of_one_that_goes_finds_only_those_that_stay);
    tcase_add_test(tc, names_become_harmless_file_names);
}

int main(void)
{
    return stage_run("partners", fill);
}
