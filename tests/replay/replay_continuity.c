/* SPDX-License-Identifier: Apache-2.0 */
/* Continuity=: which document may follow the one before, by pins and by signatures (rules R36,
 * R37), and what an administrator approves. */
#include "key_story.h"

#include "token_maker.h"

#define DAY_S INT64_C(86400)
#define ISSUER "00000002-0000-0ff1-ce00-000000000000@contoso.example"
#define SIGNED STAGE_CONF STAGE_EXCH "Continuity=signed\n"

/* A document of these keys, signed by `signer` for the certificates of `listed`; signer -1: not
 * signed at all. The caller frees. */
static char *signed_document(const char *keys, int signer, const char *listed, int64_t sequence)
{
    CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 16);
    CLEANUP(buf_done) struct buf list = BUF_INIT(4096);
    CLEANUP(buf_done) struct buf doc = BUF_INIT(METADATA_MAX);
    CLEANUP(freep)
    char *plain = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", keys);
    char text[256], x5t[X5T_TEXT_LEN];
    if (signer < 0)
        return TAKE(plain);
    snprintf(text, sizeof(text), "typ=\"s2s-metadata+jwt\";alg=\"RS256\";x5t=\"%s\"",
        x5t_text(signkey_cert(stage_keys[signer])->x5t, x5t));
    maker_edit(&header, text);
    snprintf(text, sizeof(text), "iss=\"" ISSUER "\";iat=\"%lld\";exp=\"%lld\";seq=%lld",
        (long long)s.wall, (long long)(s.wall + 7 * DAY_S), (long long)sequence);
    maker_edit(&claims, text);
    buf_put_char(&list, '[');
    for (const char *k = listed; *k; k++) {
        buf_put_str(&list, k == listed ? "\"" : ",\"");
        b64url_put(&list, signkey_cert(stage_keys[*k - '0'])->x5t_s256, X5T_S256_LEN);
        buf_put_char(&list, '"');
    }
    buf_put_str(&list, "]");
    buf_put_char(&list, '\0');
    maker_set(&claims, "keys", list.p);
    maker_put_token(&token, &header, &claims, SEAL_RIGHT, stage_keys[signer]);
    /* {"id":...  ->  {"signed_metadata":"...","id":... */
    buf_put_str(&doc, "{\"signed_metadata\":\"");
    buf_put_span(&doc, buf_span(&token));
    buf_printf(&doc, "\",%s", plain + 1);
    return buf_take(&doc);
}

static void publish(const char *keys, int signer, const char *listed, int64_t sequence)
{
    story_turn();
    CLEANUP(freep) char *doc = signed_document(keys, signer, listed, sequence);
    ck_assert_ptr_nonnull(doc);
    stage_answer(stage_status(200, "\"v\""), doc);
}

static const char *expecting(int key)
{
    static char conf[1024];
    char thumb[THUMBPRINT_TEXT_LEN];
    snprintf(conf, sizeof(conf), SIGNED "Expect=%s\n",
        thumbprint_text(signkey_cert(stage_keys[key])->x5t, thumb));
    return conf;
}

/* A partner whose first document was taken: keys 0 and 1, signed by 0, sequence 5. */
static void open_signed(void)
{
    stage_open(&s, expecting(0));
    publish("01", 0, "01", 5);
    ck_assert_int_eq(s.last.reason, REASON_OK);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
}

static void expect_held(const char *detail, const char *keys)
{
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_HELD);
    ck_assert(!s.last.good);
    ck_assert_msg(strstr(s.last.detail, detail) != NULL, "%s", s.last.detail);
    ck_assert_str_eq(story_keys(), keys);
    ck_assert_uint_gt(story_state()->held.document.n, 0);
    ck_assert_int_eq(story_state()->held.reason, REASON_DOCUMENT_HELD);
}

/* First contact. */

START_TEST(first_contact_needs_a_word)
{
    stage_open(&s, SIGNED);
    publish("01", 0, "01", 5);
    expect_held("there is no Expect=", "");
    ck_assert(s.last.newly_refused); /* an alarm */
    ck_assert(story_noted(-1, "document refused: document_held"));
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert_int_eq(story_state()->sequence, 5);
    publish("01", 0, "01", 6);
    ck_assert_int_eq(s.last.reason, REASON_OK);
    stage_close(&s);
}
END_TEST

START_TEST(first_contact_with_the_expected_key)
{
    open_signed();
    ck_assert_int_eq(story_state()->sequence, 5);
    ck_assert_uint_eq(story_state()->held.document.n, 0);
    stage_close(&s);
}
END_TEST

START_TEST(first_contact_with_another_key)
{
    stage_open(&s, expecting(0));
    publish("1", 1, "1", 5);
    expect_held("not believed", "");
    publish("01", 1, "01", 5); /* the expected key is there, but has not signed */
    expect_held("not believed", "");
    publish("01", -1, "", 0);
    expect_held("no signed_metadata", "");
    publish("01", 0, "01", 5);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_close(&s);
}
END_TEST

/* What TLS alone has vouched for so far goes on under the stricter rule, without a 304. */
START_TEST(a_partner_that_becomes_signed_is_asked_anew)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
    publish("0", -1, "", 0);
    ck_assert_str_eq(story_state()->etag, "\"v\"");
    stage_use(&s, SIGNED);
    stage_wait(&s, 0);
    ck_assert_str_eq(stage_open_request()->etag, "");
    CLEANUP(freep) char *doc = signed_document("01", 0, "01", 1);
    stage_answer(stage_status(200, "\"v\""), doc);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_close(&s);
}
END_TEST

/* Documents that follow. */

START_TEST(signed_rollover)
{
    open_signed();
    publish("102", 1, "102", 6); /* 1 signs, 2 is announced */
    ck_assert_str_eq(story_keys(), "0valid 1valid 2valid");
    publish("12", 1, "12", 7);
    ck_assert_str_eq(story_keys(), "0gone 1valid 2valid");
    publish("2", 2, "2", 9); /* numbers may be left out */
    ck_assert_str_eq(story_keys(), "0gone 1gone 2valid");
    ck_assert_int_eq(story_state()->sequence, 9);
    stage_close(&s);
}
END_TEST

START_TEST(signed_swap_held)
{
    open_signed();
    publish("23", 2, "23", 6); /* whoever holds the site, but none of the keys */
    expect_held("not believed", "0valid 1valid");
    ck_assert(s.last.newly_refused);
    publish("23", -1, "", 0);
    expect_held("no signed_metadata", "0valid 1valid");
    int64_t good_at = story_state()->trust.good_at;
    stage_restart(&s, expecting(0), 60);
    expect_held("no signed_metadata", "0valid 1valid");
    ck_assert_int_eq(story_state()->trust.good_at, good_at); /* it grows old */
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "23");
    ck_assert(story_noted(-1, "approved by uid 0"));
    ck_assert(story_noted(-1, "all keys were replaced at once"));
    ck_assert_uint_eq(story_state()->held.document.n, 0);
    stage_close(&s);
}
END_TEST

START_TEST(an_unlisted_key_does_not_count)
{
    open_signed();
    publish("012", 0, "01", 6); /* somebody put 2 in */
    ck_assert_int_eq(s.last.reason, REASON_OK);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    ck_assert(strstr(s.last.detail, "is not in the signed list"));
    publish("2", 0, "01", 7); /* nothing but what is not listed */
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_KEYS);
    ck_assert_str_eq(story_keys(), "0valid 1valid");
    stage_close(&s);
}
END_TEST

START_TEST(older_sequence_held)
{
    open_signed();
    publish("0", 0, "0", 6);
    ck_assert_str_eq(story_keys(), "0valid 1gone");
    publish("01", 0, "01", 5); /* the document before, still well signed */
    expect_held("is older than 6", "0valid 1gone");
    publish("02", 0, "02", 6); /* another one under the same number */
    expect_held("was seen with other keys", "0valid 1gone");
    publish("0", 0, "0", 6); /* signed again without a change */
    ck_assert_int_eq(s.last.reason, REASON_OK);
    ck_assert_uint_eq(story_state()->held.document.n, 0);
    stage_restart(&s, expecting(0), 60);
    publish("01", 0, "01", 5);
    expect_held("is older than 6", "0valid 1gone");
    stage_close(&s);
}
END_TEST

/* A partner whose signer was set up anew begins at 1 again: an administrator decides. */
START_TEST(approval_takes_a_lower_sequence)
{
    open_signed();
    publish("2", 2, "2", 1);
    expect_held("not believed", "0valid 1valid");
    ck_assert_int_eq(story_approve(), REASON_OK);
    ck_assert_str_eq(story_keys(), "0gone 1gone 2valid");
    ck_assert_int_eq(story_state()->sequence, 1);
    publish("23", 2, "23", 2);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "23");
    stage_close(&s);
}
END_TEST

START_TEST(a_barred_key_signs_nothing)
{
    open_signed();
    story_bar(0, true);
    publish("012", 0, "012", 6);
    expect_held("not believed", "0barred 1valid");
    publish("012", 1, "012", 6);
    ck_assert_str_eq(story_keys(), "0barred 1valid 2valid");
    stage_close(&s);
}
END_TEST

/* Expect= is for a partner of whom nothing is known: what an administrator has barred since, or the
 * partner has withdrawn, vouches for nobody when no other key is left. */
START_TEST(the_expected_key_vouches_no_more_when_it_is_barred_or_gone)
{
    open_signed();
    story_bar(0, true);
    story_bar(1, true);
    publish("02", 0, "02", 6);
    expect_held("not believed", "0barred 1barred");
    story_bar(1, false);
    stage_close(&s);
    open_signed();
    publish("1", 1, "1", 6);
    ck_assert_str_eq(story_keys(), "0gone 1valid");
    story_bar(1, true);
    publish("02", 0, "02", 7);
    expect_held("not believed", "0gone 1barred");
    stage_close(&s);
}
END_TEST

/* "Unchanged" can be said of an old document only as long as its signature lasts. */
START_TEST(not_modified_beyond_the_signature)
{
    open_signed();
    int64_t ends = story_state()->signed_until_at + 300;
    bool over = false;
    while (!over) {
        story_turn();
        over = s.wall >= ends;
        stage_answer(stage_status(304, "\"v\""), "");
        ck_assert_int_eq(s.last.good, !over);
    }
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_HELD);
    ck_assert(strstr(s.last.detail, "its signature has ended"));
    story_turn();
    ck_assert_str_eq(stage_open_request()->etag, ""); /* the whole document, please */
    CLEANUP(freep) char *doc = signed_document("01", 0, "01", 6);
    stage_answer(stage_status(200, "\"v\""), doc);
    ck_assert(s.last.good);
    stage_close(&s);
}
END_TEST

START_TEST(a_held_document_that_is_taken_back_is_forgotten)
{
    open_signed();
    publish("23", 2, "23", 6);
    expect_held("not believed", "0valid 1valid");
    story_turn();
    ck_assert_str_eq(stage_open_request()->etag, "\"v\""); /* of the last good one */
    stage_answer(stage_status(304, "\"v\""), "");
    ck_assert_uint_eq(story_state()->held.document.n, 0);
    ck_assert_int_eq(story_approve(), REASON_NEVER_FETCHED);
    stage_close(&s);
}
END_TEST

/* What cannot be taken is not taken by an approval either. */
START_TEST(approval_judges_again)
{
    open_signed();
    publish("2", 2, "2", 6);
    expect_held("not believed", "0valid 1valid");
    stage_use(&s,
        STAGE_CONF "[Partner exch]\nMetadataURL=https://exch.contoso.example/autodiscover/metadata/"
                   "json/1\nApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
                   "Realm=fabrikam.example\nContinuity=signed\n");
    ck_assert_int_ne(story_approve(), REASON_OK);
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "");
    stage_close(&s);
}
END_TEST

/* Continuity=pinned */

static const char *pinning(int key, bool of_public_key)
{
    static char conf[1024];
    char thumb[THUMBPRINT_TEXT_LEN];
    uint8_t spki[32];
    const struct cert *c = signkey_cert(stage_keys[key]);
    CLEANUP(buf_done) struct buf pin = BUF_INIT(128);
    ck_assert(pubkey_spki_sha256(c->key, spki));
    buf_put_str(&pin, "sha256//");
    b64_put(&pin, spki, sizeof(spki));
    buf_put_char(&pin, '\0');
    snprintf(conf, sizeof(conf), STAGE_CONF STAGE_EXCH "Continuity=pinned\nPinnedKeys=%s\n",
        of_public_key ? pin.p : thumbprint_text(c->x5t, thumb));
    return conf;
}

static void follow_pins(bool of_public_key)
{
    stage_open(&s, pinning(1, of_public_key));
    publish("01", -1, "", 0);
    ck_assert_str_eq(story_keys(), "1valid");
    ck_assert(strstr(s.last.detail, "is not one of PinnedKeys="));
    publish("02", -1, "", 0);
    ck_assert_int_eq(s.last.reason, REASON_DOCUMENT_PINS);
    ck_assert_str_eq(story_keys(), "1valid");
    ck_assert_int_eq(story_approve(), REASON_NEVER_FETCHED); /* the configuration decides */
    stage_close(&s);
}

START_TEST(pinned_by_thumbprint)
{
    follow_pins(false);
}
END_TEST

START_TEST(pinned_by_public_key)
{
    follow_pins(true);
}
END_TEST

START_TEST(pins_that_come_with_a_reload)
{
    stage_open(&s, STAGE_CONF STAGE_EXCH);
    publish("012", -1, "", 0);
    stage_use(&s, pinning(1, false));
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
    ck_assert(story_noted(0, "unpinned (PinnedKeys=)"));
    stage_wait(&s, 0);
    ck_assert_str_eq(stage_open_request()->etag, ""); /* judged anew */
    stage_answer_keys("012");
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "1");
    stage_restart(&s, pinning(2, false), 60); /* other pins at a start */
    ck_assert_str_eq(stage_keys_of(&s, "exch"), "");
    stage_close(&s);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, first_contact_needs_a_word);
    tcase_add_test(tc, first_contact_with_the_expected_key);
    tcase_add_test(tc, first_contact_with_another_key);
    tcase_add_test(tc, a_partner_that_becomes_signed_is_asked_anew);
    tcase_add_test(tc, signed_rollover);
    tcase_add_test(tc, signed_swap_held);
    tcase_add_test(tc, an_unlisted_key_does_not_count);
    tcase_add_test(tc, older_sequence_held);
    tcase_add_test(tc, approval_takes_a_lower_sequence);
    tcase_add_test(tc, a_barred_key_signs_nothing);
    tcase_add_test(tc, the_expected_key_vouches_no_more_when_it_is_barred_or_gone);
    tcase_add_test(tc, not_modified_beyond_the_signature);
    tcase_add_test(tc, a_held_document_that_is_taken_back_is_forgotten);
    tcase_add_test(tc, approval_judges_again);
    tcase_add_test(tc, pinned_by_thumbprint);
    tcase_add_test(tc, pinned_by_public_key);
    tcase_add_test(tc, pins_that_come_with_a_reload);
}

int main(void)
{
    return stage_run("continuity", add_tests);
}
