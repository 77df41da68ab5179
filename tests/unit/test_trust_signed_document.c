/* SPDX-License-Identifier: Apache-2.0 */
/* signed_metadata, rung by rung: what is a partner's word about its document, and every way of not
 * being it. */
#include "check_rows.h"
#include "signed_document.h"
#include "unit.h"

#define PEER "\"00000006-0000-0ff1-ce00-000000000000@peer.contoso.com\""
#define KEY_0 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define KEY_1 "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\""

static struct jws_scratch *scratch;
static struct signed_document d;

struct signed_row {
    const char *name;
    const char *header, *claims;
    enum maker_seal seal;
    bool by_other;
    void (*edit)(struct partner_key *k); /* the key that signs */
    enum reason reason;
};

static void put_token(struct buf *token, const struct signed_row *r)
{
    CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
    maker_edit(&header, "typ=\"s2s-metadata+jwt\";alg=\"RS256\"");
    maker_edit(&header, r->by_other ? "x5t=$other" : "x5t=$x5t");
    maker_edit(&header, r->header);
    maker_edit(&claims, "iss=" PEER ";iat=\"1735699000\";exp=\"1736303800\";seq=7");
    maker_set(&claims, "keys", "[" KEY_0 "," KEY_1 "]");
    maker_edit(&claims, r->claims);
    expand(&header);
    maker_put_token(token, &header, &claims, r->seal, r->by_other ? w.other : w.key);
}

static enum reason check_token_of(const struct signed_row *r)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    const struct partner_trust *t = store_get(w.store, SPAN("peer"));
    struct partner_key key = t->keys[0]; /* borrowed */
    if (r->edit)
        r->edit(&key);
    const struct signed_against against = {
        .issuer = settings_partner(w.settings, SPAN("peer"))->issuer,
        .keys = &key,
        .n_keys = 1,
        .now = WORLD_NOW,
        .skew_s = 300};
    put_token(&token, r);
    enum reason got = signed_document_check(scratch, buf_span(&token), &against, &d);
    ck_assert(got != REASON_OK || d.signed_by == &key);
    return got;
}

static void be_missing(struct partner_key *k)
{
    k->state = PKEY_MISSING;
}

static void be_new(struct partner_key *k)
{
    k->state = PKEY_NEW;
}

static void be_gone(struct partner_key *k)
{
    k->state = PKEY_GONE;
}

static void be_barred(struct partner_key *k)
{
    k->state = PKEY_BARRED;
}

static void be_disputed(struct partner_key *k)
{
    k->disputed = true;
}

static void be_over(struct partner_key *k)
{
    k->not_after = WORLD_NOW - 301;
}

#define GOOD(what, ...)                                                                            \
    {                                                                                              \
        .name = (what), __VA_ARGS__                                                                \
    }
#define BAD(what, why, ...)                                                                        \
    {                                                                                              \
        .name = (what), .reason = REASON_##why, __VA_ARGS__                                        \
    }

static const struct signed_row rows[] = {
    {.name = "as we write it"},
    GOOD("times as numbers", .claims = "iat=1735699000;exp=1736303800"),
    GOOD("unknown claims are ignored", .claims = "sub=\"x\";jwks_uri=1"),
    GOOD("ended, within the skew", .claims = "iat=\"1735600000\";exp=\"1735699701\""),
    GOOD("issued ahead, within the skew", .claims = "iat=\"1735700300\""),
    GOOD("the largest number", .claims = "seq=9223372036854775807"),
    /* form */
    BAD("two parts", TOKEN_SHAPE, .seal = SEAL_NO_DOT),
    BAD("an app-only token's typ", TOKEN_TYPE, .header = "typ=\"JWT\""),
    BAD("an announcement's typ", TOKEN_TYPE, .header = "typ=\"s2s-announce+jwt\""),
    BAD("no typ", TOKEN_TYPE, .header = "typ="),
    BAD("alg none", ALGORITHM, .header = "alg=\"none\""),
    BAD("PS256", ALGORITHM, .header = "alg=\"PS256\""),
    BAD("header with a key", TOKEN_HEADER, .header = "jwk={}"),
    BAD("claim twice", JSON_DUPLICATE, .claims = "+seq=8"),
    BAD("payload no object", JSON_FIELD, .claims = "![]"),
    /* issuer and key */
    BAD("no iss", CLAIM, .claims = "iss="),
    BAD("iss a number", CLAIM, .claims = "iss=1"),
    BAD("another partner", UNKNOWN_ISSUER,
        .claims = "iss=\"00000004-0000-0ff1-ce00-000000000000@lync.contoso.com\""),
    BAD("no key id", NO_KEY_ID, .header = "x5t="),
    BAD("another key", UNKNOWN_KEY, .by_other = true),
    BAD("a new key", UNKNOWN_KEY, .edit = be_new),
    BAD("a key in its grace", UNKNOWN_KEY, .edit = be_missing),
    BAD("a withdrawn key", UNKNOWN_KEY, .edit = be_gone),
    BAD("a barred key", UNKNOWN_KEY, .edit = be_barred),
    BAD("a disputed key", KEY_DISPUTED, .edit = be_disputed),
    BAD("a key that is over", KEY_EXPIRED, .edit = be_over),
    /* signature */
    BAD("unsigned", SIGNATURE, .seal = SEAL_NONE),
    BAD("signature of other bytes", SIGNATURE, .seal = SEAL_OF_OTHERS),
    BAD("one bit changed", SIGNATURE, .seal = SEAL_FLIPPED),
    /* times */
    BAD("no iat", TIME_FORM, .claims = "iat="),
    BAD("no exp", TIME_FORM, .claims = "exp="),
    BAD("ends as it begins", TIME_FORM, .claims = "exp=\"1735699000\""),
    BAD("longer than a month", LIFETIME, .claims = "exp=\"1738377401\""),
    BAD("over", EXPIRED, .claims = "iat=\"1735600000\";exp=\"1735699700\""),
    BAD("to come", NOT_YET_VALID, .claims = "iat=\"1735700301\""),
    /* sequence */
    BAD("no number", CLAIM, .claims = "seq="),
    BAD("number as text", CLAIM, .claims = "seq=\"7\""),
    BAD("zero", CLAIM, .claims = "seq=0"),
    BAD("below zero", CLAIM, .claims = "seq=-7"),
    BAD("a fraction", CLAIM, .claims = "seq=7.0"),
    BAD("too large", CLAIM, .claims = "seq=9223372036854775808"),
    /* list */
    BAD("no list", CLAIM, .claims = "keys="),
    BAD("list empty", CLAIM, .claims = "keys=[]"),
    BAD("list no array", CLAIM, .claims = "keys=" KEY_0),
    BAD("an entry no string", CLAIM, .claims = "keys=[1]"),
    BAD("a SHA-1", CLAIM, .claims = "keys=[\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"]"),
};

START_TEST(each_row)
{
    enum reason got = check_token_of(&rows[_i]);
    ck_assert_msg(got == rows[_i].reason, "%s: %s, expected %s", rows[_i].name, reason_code(got),
        reason_code(rows[_i].reason));
}
END_TEST

START_TEST(the_list_says_which_certificates_count)
{
    struct cert c = {.not_before = 0};
    uint8_t digest[X5T_S256_LEN];
    ck_assert_int_eq(check_token_of(&rows[0]), REASON_OK);
    ck_assert_int_eq(d.sequence, 7);
    ck_assert_int_eq(d.issued_at, 1735699000);
    ck_assert_int_eq(d.expires_at, 1736303800);
    ck_assert_uint_eq(d.n_keys, 2);
    ck_assert(signed_document_has(&d, &c));
    memset(c.x5t_s256, 1, sizeof(c.x5t_s256));
    ck_assert(signed_document_has(&d, &c));
    c.x5t_s256[31] = 2;
    ck_assert(!signed_document_has(&d, &c));
    memcpy(digest, d.keys_digest, sizeof(digest));
    ck_assert_int_eq(check_token_of(&(struct signed_row){
                         .name = "turned", .claims = "keys=[" KEY_1 "," KEY_0 "]"}),
        REASON_OK);
    ck_assert_mem_ne(digest, d.keys_digest, sizeof(digest));
}
END_TEST

static enum reason check_list_of(unsigned n)
{
    CLEANUP(buf_done) struct buf claims = BUF_INIT(8192);
    buf_put_str(&claims, "keys=[");
    for (unsigned i = 0; i < n; i++)
        buf_printf(&claims, "%s" KEY_0, i ? "," : "");
    buf_put_str(&claims, "]");
    buf_put_char(&claims, '\0');
    return check_token_of(&(struct signed_row){.name = "many", .claims = claims.p});
}

START_TEST(a_list_of_64_and_no_more)
{
    ck_assert_int_eq(check_list_of(64), REASON_OK);
    ck_assert_uint_eq(d.n_keys, 64);
    ck_assert_int_eq(check_list_of(65), REASON_JSON_DEPTH);
}
END_TEST

/* It opens no door: the ladder of tokens refuses it by its typ. */
START_TEST(it_is_no_token)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    put_token(&token, &rows[0]);
    ck_assert_int_eq(check_token(w.scratch, &w.against, buf_span(&token), &w.v), REASON_TOKEN_TYPE);
}
END_TEST

static void reset(void)
{
    world_reset(&w);
}

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, reset, NULL);
    tcase_add_loop_test(tc, each_row, 0, ARRAY_LEN(rows));
    tcase_add_test(tc, the_list_says_which_certificates_count);
    tcase_add_test(tc, a_list_of_64_and_no_more);
    tcase_add_test(tc, it_is_no_token);
}

int main(void)
{
    world_open(&w);
    scratch = jws_scratch_new();
    int r = scratch ? unit_run("trust_signed_document", add) : EXIT_FAILURE;
    jws_scratch_free(scratch);
    world_close(&w);
    return r;
}
