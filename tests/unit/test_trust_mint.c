/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens byte for byte, and judged by the receiver's real ladder. */
#include "mint.h"

#include "b64.h"
#include "check.h"
#include "jws.h"
#include "trust_fixture.h"

#define LYNC "00000004-0000-0ff1-ce00-000000000000"
#define EXCH "00000002-0000-0ff1-ce00-000000000000"
#define ISS LYNC "@lync.contoso.com"
#define AUD EXCH "/mail.contoso.com@contoso.com"
/* T0 - 300 and T0 + 3600 */
#define TIMES "\"nbf\":\"1767225300\",\"exp\":\"1767229200\""
#define HEAD "{\"aud\":\"" AUD "\",\"iss\":\"" ISS "\"," TIMES

static struct identity lync = {
    .app_id = (char[]){LYNC}, .realm = (char[]){"lync.contoso.com"}, .issuer = (char[]){ISS}};
static struct partner exch = {.name = (char[]){"exch"},
    .app_id = (char[]){EXCH},
    .realm = (char[]){"contoso.com"},
    .product = PRODUCT_EXCHANGE};

static struct signkey *key;
static struct minted minted;

static void close_minted(void)
{
    minted_done(&minted);
}

static struct mint_order order_for(enum user_kind kind, const char *user)
{
    return (struct mint_order){.identity = &lync,
        .partner = &exch,
        .host = "mail.contoso.com",
        .user_kind = kind,
        .user = span_of(user),
        .lifetime_s = 3600,
        .now = T0};
}

static void mint(const struct mint_order *order)
{
    ck_assert_int_eq(mint_token(order, key, &minted), REASON_OK);
    ck_assert(minted.token.secret);
}

/* Part `index` of a compact token, decoded, as a string; the caller frees it. */
static char *part(struct span token, int index, struct span *ret_raw)
{
    for (int i = 0; i < index; i++)
        token = span_skip(token, span_find(token, '.') + 1);
    struct span raw = {token.p, span_find(token, '.')};
    char *text = calloc(1, B64_DECODED_MAX(raw.n) + 1);
    ck_assert_int_ge(b64url_decode(raw, (uint8_t *)text, B64_DECODED_MAX(raw.n)), 0);
    *ret_raw = raw;
    return text;
}

static void expect_part(struct span token, int index, const char *want)
{
    struct span raw;
    CLEANUP(freep) char *text = part(token, index, &raw);
    ck_assert_str_eq(text, want);
}

static void expect_signed(struct span token, const char *typ)
{
    char x5t[X5T_TEXT_LEN], want[256];
    struct jws_parts parts;
    struct span raw;
    CLEANUP(freep) char *signature = part(token, 2, &raw);
    snprintf(want, sizeof(want), "{\"typ\":\"%s\",\"alg\":\"RS256\",\"x5t\":\"%s\"}", typ,
        x5t_text(signkey_cert(key)->x5t, x5t));
    expect_part(token, 0, want);
    ck_assert_int_eq(jws_split(token, JWS_TOKEN_MAX, &parts), REASON_OK);
    ck_assert_int_eq(pubkey_verify_rs256(signkey_cert(key)->key, parts.signing_input,
                         (struct span){signature, 256}),
        REASON_OK);
}

START_TEST(an_app_only_token_is_exactly_this)
{
    struct mint_order order = order_for(USER_NONE, NULL);
    mint(&order);
    expect_signed(buf_span(&minted.token), "JWT");
    expect_part(buf_span(&minted.token), 1, HEAD ",\"nameid\":\"" ISS "\"}");
    ck_assert_int_eq(minted.expires_at, T0 + 3600);
}
END_TEST

static const struct {
    enum user_kind kind;
    const char *claims;
} outers[] = {
    {USER_UPN, ",\"upn\":\"ken@contoso.com\""},
    {USER_SMTP, ",\"smtp\":\"ken@contoso.com\""},
    {USER_SIP, ",\"sip\":\"ken@contoso.com\""},
    {USER_NAMEID, ""},
};

START_TEST(an_outer_token_carries_the_actor_and_one_user)
{
    struct mint_order order = order_for(outers[_i].kind, "Ken@Contoso.COM");
    mint(&order);
    struct span token = buf_span(&minted.token), raw;
    ck_assert_int_eq(token.p[token.n - 1], '.');
    expect_part(token, 0, "{\"typ\":\"JWT\",\"alg\":\"none\"}");
    CLEANUP(freep) char *claims = part(token, 1, &raw);
    const char *const begin = "{\"actortoken\":\"";
    ck_assert_mem_eq(claims, begin, strlen(begin));
    char *actor = claims + strlen(begin), *end = strchr(actor, '"');
    *end = '\0';
    expect_signed(span_of(actor), "JWT");
    expect_part(
        span_of(actor), 1, HEAD ",\"nameid\":\"" ISS "\",\"trustedfordelegation\":\"true\"}");
    char want[1024];
    snprintf(want, sizeof(want),
        ",\"aud\":\"" AUD "\",\"iss\":\"" ISS "\"," TIMES
        ",\"nameid\":\"ken@contoso.com\",\"nii\":\"urn:office:idp:activedirectory\"%s}",
        outers[_i].claims);
    ck_assert_str_eq(end + 1, want);
}
END_TEST

START_TEST(between_s2sd_partners_the_user_is_signed)
{
    struct partner peer = exch;
    peer.product = PRODUCT_S2SD;
    struct mint_order order = order_for(USER_SMTP, "KEN@contoso.com");
    order.partner = &peer;
    mint(&order);
    expect_signed(buf_span(&minted.token), "s2s-user+jwt");
    expect_part(buf_span(&minted.token), 1,
        HEAD ",\"nameid\":\"" ISS "\",\"sub\":\"ken@contoso.com\",\"act\":{\"sub\":\"" ISS "\"}}");
}
END_TEST

START_TEST(everything_that_identifies_is_lower_case)
{
    struct identity loud = {.app_id = (char[]){"0000000A-0000-0FF1-CE00-000000000000"},
        .realm = (char[]){"LYNC.contoso.com"}};
    struct partner p = exch;
    p.realm = (char[]){"Contoso.com"};
    struct mint_order order = order_for(USER_NONE, NULL);
    order.identity = &loud;
    order.partner = &p;
    order.host = "MAIL.contoso.com:8443";
    mint(&order);
    expect_part(buf_span(&minted.token), 1,
        "{\"aud\":\"" EXCH "/mail.contoso.com:8443@contoso.com\",\"iss\":"
        "\"0000000a-0000-0ff1-ce00-000000000000@lync.contoso.com\"," TIMES
        ",\"nameid\":\"0000000a-0000-0ff1-ce00-000000000000@lync.contoso.com\"}");
}
END_TEST

START_TEST(the_same_order_gives_the_same_bytes)
{
    struct mint_order order = order_for(USER_UPN, "ken@contoso.com");
    struct minted again = {0};
    mint(&order);
    ck_assert_int_eq(mint_token(&order, key, &again), REASON_OK);
    ck_assert_str_eq(minted.token.p, again.token.p);
    minted_done(&again);
}
END_TEST

static const struct {
    const char *host, *user;
    int64_t lifetime_s, now;
    enum reason reason;
} refused[] = {
    {"mail.contoso.com", NULL, 0, T0, REASON_LIFETIME_REFUSED},
    {"mail.contoso.com", NULL, -1, T0, REASON_LIFETIME_REFUSED},
    {"mail.contoso.com", NULL, INT64_MAX, T0, REASON_LIFETIME_REFUSED},
    {"mail.contoso.com", NULL, 3600, INT64_C(9999999999), REASON_LIFETIME_REFUSED},
    {"mail.contoso.com", NULL, 3600, 0, REASON_LIFETIME_REFUSED},
    {NULL, NULL, 3600, T0, REASON_HOST_NOT_OF_PARTNER},
    {"", NULL, 3600, T0, REASON_HOST_NOT_OF_PARTNER},
    {"mail.contoso.com@evil", NULL, 3600, T0, REASON_HOST_NOT_OF_PARTNER},
    {"a\nb", NULL, 3600, T0, REASON_HOST_NOT_OF_PARTNER},
    {"mail.contoso.com", "", 3600, T0, REASON_USER_FORM},
    {"mail.contoso.com", "ken", 3600, T0, REASON_USER_FORM},
    {"mail.contoso.com", "ken\"@contoso.com", 3600, T0, REASON_USER_FORM},
};

START_TEST(what_cannot_be_written_is_refused)
{
    struct mint_order order = order_for(refused[_i].user ? USER_UPN : USER_NONE, refused[_i].user);
    order.host = refused[_i].host;
    order.lifetime_s = refused[_i].lifetime_s;
    order.now = refused[_i].now;
    ck_assert_int_eq(mint_token(&order, key, &minted), refused[_i].reason);
    ck_assert_ptr_null(minted.token.p);
    ck_assert_int_eq(minted.expires_at, 0);
}
END_TEST

/* The first and the last second that ten digits can tell. */
START_TEST(times_may_be_at_the_ends_of_their_form)
{
    struct mint_order order = order_for(USER_NONE, NULL);
    order.lifetime_s = 3600;
    order.now = 300;
    mint(&order);
    ck_assert_int_eq(minted.expires_at, 3900);
    minted_done(&minted);
    order.now = INT64_C(9999999999) - 3600;
    mint(&order);
    ck_assert_int_eq(minted.expires_at, INT64_C(9999999999));
}
END_TEST

/* -------------------------------------------------------------- the other end of the same token */

static struct partner lync_there = {.name = (char[]){"lync"},
    .app_id = (char[]){LYNC},
    .realm = (char[]){"lync.contoso.com"},
    .issuer = (char[]){ISS},
    .permitted_users = {(char *[]){(char[]){"*@contoso.com"}}, 1},
    .delegation_lifetime_s = 600,
    .enabled = true};

static struct settings there = {.identity = {.app_id = (char[]){EXCH},
                                    .realm = (char[]){"contoso.com"},
                                    .issuer = (char[]){EXCH "@contoso.com"},
                                    .hosts = (char *[]){(char[]){"mail.contoso.com"}},
                                    .n_hosts = 1},
    .refresh = {.stale_after_s = 7 * DAY},
    .limits = {.clock_skew_s = 300, .inbound_lifetime_s = 90000},
    .partners = &lync_there,
    .by_issuer = (const struct partner *[]){&lync_there},
    .n_partners = 1};

static void judge(struct span token, int64_t now, struct token_checked *v)
{
    CLEANUP(store_freep) struct store *st = store_new();
    CLEANUP(check_scratch_freep) struct check_scratch *scratch = check_scratch_new();
    const struct cert *c = signkey_cert(key);
    struct partner_trust t = {.name = (char[]){"lync"}, .good_at = now, .n_keys = 1};
    t.keys[0] = (struct partner_key){.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .key = c->key};
    memcpy(t.keys[0].x5t, c->x5t, X5T_LEN);
    memcpy(t.keys[0].x5t_s256, c->x5t_s256, X5T_S256_LEN);
    ck_assert_int_eq(store_put(st, &t), REASON_OK);
    struct check_against against = {.settings = &there, .store = st, .now = now};
    enum reason r = check_token(scratch, &against, token, v);
    ck_assert_int_eq(r, v->reason);
}

static const struct {
    enum product product;
    enum user_kind kind;
    bool unsigned_outer;
} journeys[] = {
    {PRODUCT_EXCHANGE, USER_NONE, true},
    {PRODUCT_EXCHANGE, USER_UPN, true},
    {PRODUCT_EXCHANGE, USER_SMTP, true},
    {PRODUCT_EXCHANGE, USER_SIP, true},
    {PRODUCT_EXCHANGE, USER_NAMEID, true},
    {PRODUCT_S2SD, USER_NONE, false},
    {PRODUCT_S2SD, USER_UPN, false},
};

START_TEST(the_receiver_believes_what_we_mint)
{
    struct partner there_for_us = exch;
    there_for_us.product = journeys[_i].product;
    lync_there.product = journeys[_i].product;
    lync_there.unsigned_outer = journeys[_i].unsigned_outer;
    bool delegated = journeys[_i].kind != USER_NONE;
    struct mint_order order = order_for(journeys[_i].kind, delegated ? "Ken@contoso.com" : NULL);
    order.partner = &there_for_us;
    mint(&order);
    struct token_checked v;
    judge(buf_span(&minted.token), T0, &v);
    ck_assert_msg(v.reason == REASON_OK, "%s at %s: %s", reason_code(v.reason),
        check_step_name(v.step), v.detail);
    ck_assert_int_eq(v.delegated, delegated);
    ck_assert_int_eq(v.user_signed, delegated && journeys[_i].product == PRODUCT_S2SD);
    ck_assert_str_eq(v.app, ISS);
    ck_assert_str_eq(v.user, delegated ? "ken@contoso.com" : "");
    ck_assert_int_eq(v.nbf, T0 - 300);
    ck_assert_int_eq(v.exp, minted.expires_at);
    judge(buf_span(&minted.token), minted.expires_at + 300, &v);
    ck_assert_int_eq(v.reason, REASON_EXPIRED);
}
END_TEST

START_TEST(another_partners_token_is_not_for_this_one)
{
    struct partner other = exch;
    other.realm = (char[]){"fabrikam.com"};
    struct mint_order order = order_for(USER_NONE, NULL);
    order.partner = &other;
    mint(&order);
    struct token_checked v;
    judge(buf_span(&minted.token), T0, &v);
    ck_assert_int_eq(v.reason, REASON_AUDIENCE_REALM);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, close_minted);
    tcase_add_test(tc, an_app_only_token_is_exactly_this);
    tcase_add_loop_test(tc, an_outer_token_carries_the_actor_and_one_user, 0, ARRAY_LEN(outers));
    tcase_add_test(tc, between_s2sd_partners_the_user_is_signed);
    tcase_add_test(tc, everything_that_identifies_is_lower_case);
    tcase_add_test(tc, the_same_order_gives_the_same_bytes);
    tcase_add_test(tc, times_may_be_at_the_ends_of_their_form);
    tcase_add_loop_test(tc, what_cannot_be_written_is_refused, 0, ARRAY_LEN(refused));
    tcase_add_loop_test(tc, the_receiver_believes_what_we_mint, 0, ARRAY_LEN(journeys));
    tcase_add_test(tc, another_partners_token_is_not_for_this_one);
}

int main(void)
{
    key = fixture_signkey("Lync Auth", T0 - DAY, T0 + 365 * DAY);
    int status = unit_run("trust_mint", add);
    signkey_free(key);
    return status;
}
