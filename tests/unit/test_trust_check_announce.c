/* SPDX-License-Identifier: Apache-2.0 */
/* Announce tokens, rung by rung: what is a partner's word, and every way of not being it. */
#include "check_announce.h"
#include "check_rows.h"
#include "unit.h"

#define PEER "\"00000006-0000-0ff1-ce00-000000000000@peer.contoso.com\""
#define OUR_URL "\"https://mail.contoso.com/metadata/json/1\""
#define KEY_A "\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define KEY_B "\"AQEBAQEBAQEBAQEBAQEBAQEBAQE\""

static struct jws_scratch *scratch;
static struct announce_checked v;

struct announce_row {
    const char *name;
    const char *header, *claims;
    enum maker_seal seal;
    bool by_other;
    void (*edit)(struct partner_trust *t); /* of `peer` */
    enum reason reason;
};

static void put_announce(struct buf *token, const struct announce_row *r)
{
    CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
    maker_edit(&header, "typ=\"s2s-announce+jwt\";alg=\"RS256\"");
    maker_edit(&header, r->by_other ? "x5t=$other" : "x5t=$x5t");
    maker_edit(&header, r->header);
    maker_edit(&claims, "iss=" PEER ";aud=" OUR_URL ";iat=\"1735699990\";exp=\"1735700050\"");
    maker_set(&claims, "s2s_trusts", "[" KEY_A "," KEY_B "]");
    maker_edit(&claims, r->claims);
    expand(&header);
    maker_put_token(token, &header, &claims, r->seal, r->by_other ? w.other : w.key);
}

static void judge_announce(const struct announce_row *r)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    if (r->edit)
        world_edit(&w, "peer", r->edit);
    put_announce(&token, r);
    enum reason got =
        check_announce(scratch, w.settings, w.store, buf_span(&token), w.against.now, &v);
    ck_assert_msg(got == r->reason && v.reason == got, "%s: %s, expected %s", r->name,
        reason_code(got), reason_code(r->reason));
    if (got == REASON_OK)
        return;
    ck_assert_msg(!v.partner && v.n_trusts == 0 && v.issued_at == 0, "%s: left-overs", r->name);
}

static void be_missing(struct partner_trust *t)
{
    t->keys[0].state = PKEY_MISSING;
    t->keys[0].missing_at = WORLD_NOW - 10;
}

static void be_new(struct partner_trust *t)
{
    t->keys[0].state = PKEY_NEW;
}

static void be_barred(struct partner_trust *t)
{
    t->keys[0].state = PKEY_BARRED;
}

static void be_over(struct partner_trust *t)
{
    t->keys[0].not_after = WORLD_NOW - 301;
}

static void be_suspended(struct partner_trust *t)
{
    t->suspended = true;
}

static void be_old(struct partner_trust *t)
{
    t->good_at = WORLD_NOW - 7 * 86400;
}

#define GOOD(what, ...)                                                                            \
    {                                                                                              \
        .name = (what), __VA_ARGS__                                                                \
    }
#define BAD(what, why, ...)                                                                        \
    {                                                                                              \
        .name = (what), .reason = REASON_##why, __VA_ARGS__                                        \
    }

static const struct announce_row rows[] = {
    {.name = "as we write it"},
    GOOD("nothing is trusted", .claims = "s2s_trusts=[]"),
    GOOD("times as numbers", .claims = "iat=1735699990;exp=1735700050"),
    GOOD("unknown claims are ignored", .claims = "seq=1;more={\"a\":1}"),
    GOOD("kid instead of x5t", .header = "x5t=;kid=$x5t"),
    GOOD("another path of our document",
        .claims = "aud=\"https://mail.contoso.com/autodiscover/metadata/json/1\""),
    GOOD("our host in other case", .claims = "aud=\"https://MAIL.contoso.com/Metadata/json/1/\""),
    GOOD("ended, within the skew", .claims = "iat=\"1735699641\";exp=\"1735699701\""),
    GOOD("issued ahead, within the skew", .claims = "iat=\"1735700300\";exp=\"1735700360\""),
    /* form */
    BAD("two parts", TOKEN_SHAPE, .seal = SEAL_NO_DOT),
    BAD("unsigned", SIGNATURE, .seal = SEAL_NONE),
    BAD("an app-only token's typ", TOKEN_TYPE, .header = "typ=\"JWT\""),
    BAD("a user token's typ", TOKEN_TYPE, .header = "typ=\"s2s-user+jwt\""),
    BAD("typ in other case", TOKEN_TYPE, .header = "typ=\"S2S-announce+jwt\""),
    BAD("typ with a prefix", TOKEN_TYPE, .header = "typ=\"application/s2s-announce+jwt\""),
    BAD("no typ", TOKEN_TYPE, .header = "typ="),
    BAD("alg none", ALGORITHM, .header = "alg=\"none\""),
    BAD("HS256", ALGORITHM, .header = "alg=\"HS256\""),
    BAD("no alg", ALGORITHM, .header = "alg="),
    BAD("header with a key", TOKEN_HEADER, .header = "jwk={}"),
    BAD("claim twice", JSON_DUPLICATE, .claims = "+iss=" PEER),
    BAD("payload no object", JSON_FIELD, .claims = "![]"),
    BAD("no iat", TIME_FORM, .claims = "iat="),
    BAD("iat with a fraction", TIME_FORM, .claims = "iat=1735699990.5"),
    BAD("no exp", TIME_FORM, .claims = "exp="),
    /* issuer */
    BAD("no iss", CLAIM, .claims = "iss="),
    BAD("nobody", UNKNOWN_ISSUER, .claims = "iss=\"x@y\""),
    BAD("ourselves", UNKNOWN_ISSUER, .claims = "iss=\"" US "@contoso.com\""),
    BAD("a partner switched off", PARTNER_DISABLED,
        .claims = "iss=\"00000008-0000-0ff1-ce00-000000000000@off.contoso.com\""),
    BAD("a partner whose document is too old", PARTNER_STALE, .edit = be_old),
    BAD("a suspended partner", PARTNER_SUSPENDED, .edit = be_suspended),
    /* key */
    BAD("no key id", NO_KEY_ID, .header = "x5t="),
    BAD("the key of another partner", UNKNOWN_KEY, .by_other = true),
    BAD("a partner without keys", UNKNOWN_KEY,
        .claims = "iss=\"0000000b-0000-0ff1-ce00-000000000000@fresh.example\""),
    BAD("a key that is not honoured yet", UNKNOWN_KEY, .edit = be_new),
    BAD("a key in grace", UNKNOWN_KEY, .edit = be_missing),
    BAD("a barred key", KEY_BARRED, .edit = be_barred),
    BAD("a key that is over", KEY_EXPIRED, .edit = be_over),
    /* signature */
    BAD("signature of other bytes", SIGNATURE, .seal = SEAL_OF_OTHERS),
    BAD("one bit changed", SIGNATURE, .seal = SEAL_FLIPPED),
    BAD("zero byte in front", SIGNATURE, .seal = SEAL_LONGER),
    /* times */
    BAD("61 seconds", LIFETIME, .claims = "exp=\"1735700051\""),
    BAD("ends as it begins", TIME_FORM, .claims = "exp=\"1735699990\""),
    BAD("over", EXPIRED, .claims = "iat=\"1735699640\";exp=\"1735699700\""),
    BAD("to come", NOT_YET_VALID, .claims = "iat=\"1735700301\";exp=\"1735700361\""),
    /* audience */
    BAD("no aud", AUDIENCE_FORM, .claims = "aud="),
    BAD("another server", AUDIENCE, .claims = "aud=\"https://evil.example/metadata/json/1\""),
    BAD("another port", AUDIENCE,
        .claims = "aud=\"https://mail.contoso.com:8443/metadata/json/1\""),
    BAD("a path without our document", AUDIENCE,
        .claims = "aud=\"https://mail.contoso.com/metadata/json/2\""),
    BAD("without TLS", AUDIENCE_FORM, .claims = "aud=\"http://mail.contoso.com/metadata/json/1\""),
    BAD("our name in front", AUDIENCE,
        .claims = "aud=\"https://mail.contoso.com.evil.example/metadata/json/1\""),
    BAD("our name as a user", AUDIENCE_FORM,
        .claims = "aud=\"https://mail.contoso.com@evil.example/metadata/json/1\""),
    BAD("the audience of a token", AUDIENCE_FORM, .claims = "aud=" AUD),
    /* kind */
    BAD("it has a nameid", TOKEN_KIND, .claims = "nameid=" PEER),
    BAD("it has a subject", TOKEN_KIND, .claims = "sub=\"ken@contoso.com\""),
    BAD("it delegates", TOKEN_KIND, .claims = "trustedfordelegation=\"true\""),
    BAD("it has an actor", NESTED_ACTOR, .claims = "act={\"sub\":\"x\"}"),
    BAD("it has an actor token", NESTED_ACTOR, .claims = "actortoken=\"a.b.c\""),
    /* list */
    BAD("no list", CLAIM, .claims = "s2s_trusts="),
    BAD("list no array", CLAIM, .claims = "s2s_trusts=" KEY_A),
    BAD("an entry no string", CLAIM, .claims = "s2s_trusts=[1]"),
    BAD("an entry too short", CLAIM, .claims = "s2s_trusts=[\"AAAA\"]"),
    BAD("an entry too long", CLAIM, .claims = "s2s_trusts=[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]"),
    BAD("an entry in hexadecimal", CLAIM,
        .claims = "s2s_trusts=[\"0000000000000000000000000000000000000000\"]"),
};

START_TEST(each_row)
{
    judge_announce(&rows[_i]);
}
END_TEST

/* The verdict holds who, when and which keys, in order. */
START_TEST(the_word_of_a_partner)
{
    judge_announce(&rows[0]);
    ck_assert_str_eq(v.partner->name, "peer");
    ck_assert_int_eq(v.issued_at, WORLD_NOW - 10);
    ck_assert_uint_eq(v.n_trusts, 2);
    ck_assert_uint_eq(v.trusts[0][19], 0);
    ck_assert_uint_eq(v.trusts[1][19], 1);
}
END_TEST

static void list_of(unsigned n, char *out, size_t out_len)
{
    size_t at = (size_t)snprintf(out, out_len, "s2s_trusts=[");
    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, out_len - at, "%s" KEY_A, i ? "," : "");
    snprintf(out + at, out_len - at, "]");
}

START_TEST(a_list_of_64_and_no_more)
{
    char claims[4096];
    list_of(64, claims, sizeof(claims));
    judge_announce(&(struct announce_row){.name = "64", .claims = claims});
    ck_assert_uint_eq(v.n_trusts, 64);
    list_of(65, claims, sizeof(claims));
    judge_announce(
        &(struct announce_row){.name = "65", .claims = claims, .reason = REASON_JSON_DEPTH});
}
END_TEST

START_TEST(a_token_larger_than_any_announcement)
{
    char claims[9000];
    int n = snprintf(claims, sizeof(claims), "pad=\"");
    memset(claims + n, 'x', 7000);
    snprintf(claims + n + 7000, sizeof(claims) - (size_t)n - 7000, "\"");
    judge_announce(
        &(struct announce_row){.name = "large", .claims = claims, .reason = REASON_TOO_LARGE});
}
END_TEST

/* A good announcement opens no other door: the ladder of tokens refuses it on its own, as an actor
 * token, and whatever claims it borrows. */
START_TEST(no_other_ladder_takes_it)
{
    static const struct {
        const char *claims;
    } borrowed[] = {{NULL}, {"aud=" AUD ";nameid=" PEER ";nbf=\"1735699990\""},
        {"aud=" AUD ";sub=\"ken@contoso.com\";act={\"sub\":" PEER "};nbf=\"1735699990\""}};
    for (size_t i = 0; i < ARRAY_LEN(borrowed); i++) {
        CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
        CLEANUP(buf_done) struct buf quoted = BUF_INIT(1 << 20);
        CLEANUP(buf_done) struct buf outer = BUF_INIT(1 << 20);
        CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
        put_announce(&token, &(struct announce_row){.claims = borrowed[i].claims});
        ck_assert_int_eq(judge(buf_span(&token)), REASON_TOKEN_TYPE);
        ck_assert_int_eq(w.v.step, STEP_FORM);
        maker_edit(&header, "typ=\"JWT\";alg=\"none\"");
        maker_edit(&claims, "aud=" AUD ";iss=" PEER ";nbf=\"1735699700\";exp=\"1735703300\"");
        buf_printf(&quoted, "\"%s\"", token.p);
        maker_set(&claims, "actortoken", quoted.p);
        maker_put_token(&outer, &header, &claims, SEAL_NONE, w.key);
        ck_assert_int_eq(judge(buf_span(&outer)), REASON_TOKEN_TYPE);
    }
}
END_TEST

/* A partner may ask any member of our pool, under its own name too. */
START_TEST(a_member_of_the_pool_may_be_asked)
{
    char url[] = "https://node2.contoso.com/metadata/json/1", *member = url;
    static const struct announce_row asked[] = {
        {.name = "the member", .claims = "aud=\"https://NODE2.contoso.com/metadata/json/1\""},
        {.name = "the common name"},
        {.name = "no document",
            .claims = "aud=\"https://node2.contoso.com/other\"",
            .reason = REASON_AUDIENCE},
        {.name = "no member",
            .claims = "aud=\"https://node3.contoso.com/metadata/json/1\"",
            .reason = REASON_AUDIENCE}};
    struct names before = w.settings->pool.members;
    judge_announce(&(struct announce_row){
        .name = "no pool", .claims = asked[0].claims, .reason = REASON_AUDIENCE});
    w.settings->pool.members = (struct names){&member, 1};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        judge_announce(&asked[i]);
    w.settings->pool.members = before;
}
END_TEST

/* And no token that opens a door announces anything. */
START_TEST(it_takes_no_other_token)
{
    static const struct row tokens[] = {{.name = "app-only", .from = "peer"},
        {.name = "outer", .kind = ROW_OUTER}, {.name = "user", .kind = ROW_USER}};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
        put_row(&token, &tokens[i]);
        ck_assert_int_eq(
            check_announce(scratch, w.settings, w.store, buf_span(&token), WORLD_NOW, &v),
            REASON_TOKEN_TYPE);
        ck_assert_ptr_null(v.partner);
    }
}
END_TEST

static void reset(void)
{
    world_reset(&w);
}

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, reset, NULL);
    tcase_add_loop_test(tc, each_row, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(tc, the_word_of_a_partner);
    tcase_add_test(tc, a_list_of_64_and_no_more);
    tcase_add_test(tc, a_token_larger_than_any_announcement);
    tcase_add_test(tc, no_other_ladder_takes_it);
    tcase_add_test(tc, a_member_of_the_pool_may_be_asked);
    tcase_add_test(tc, it_takes_no_other_token);
}

int main(void)
{
    world_open(&w);
    scratch = jws_scratch_new();
    int r = scratch ? unit_run("trust_check_announce", fill) : EXIT_FAILURE;
    jws_scratch_free(scratch);
    world_close(&w);
    return r;
}
