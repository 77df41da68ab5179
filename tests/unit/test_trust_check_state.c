/* SPDX-License-Identifier: Apache-2.0 */
/* The ladder where a row is not enough: verdicts, keys in all states, narrowing, and storms of
 * changed bytes. */
#include "check_key.h"
#include "check_rows.h"
#include "digest.h"
#include "mint.h"

static const struct row good_app = OK("app-only"), good_outer = OK("outer", .kind = ROW_OUTER),
                        good_user = OK("user token", .kind = ROW_USER);

static struct partner *partner_of(const char *name)
{
    for (size_t i = 0; i < w.settings->n_partners; i++)
        if (strcmp(w.settings->partners[i].name, name) == 0)
            return &w.settings->partners[i];
    abort();
}

START_TEST(test_verdict)
{
    expect_row(&good_app);
    ck_assert(!w.v.delegated && !w.v.user_signed && w.v.signature_believed);
    ck_assert_str_eq(w.v.partner->name, "lync");
    ck_assert_str_eq(w.v.issuer, "00000004-0000-0ff1-ce00-000000000000@lync.contoso.com");
    ck_assert_str_eq(w.v.app, w.v.issuer);
    ck_assert_str_eq(w.v.audience, US "/mail.contoso.com@contoso.com");
    ck_assert_mem_eq(w.v.x5t, signkey_cert(w.key)->x5t, X5T_LEN);
    ck_assert_int_eq(w.v.nbf, 1735699700);
    ck_assert_int_eq(w.v.exp, 1735703300);
    ck_assert_str_eq(w.v.user, "");
}
END_TEST

/* The user stays as written; the whole ends with the earlier and begins with the later. */
START_TEST(test_verdict_outer)
{
    const struct row row = OK("times differ", .kind = ROW_OUTER,
        .outer_c = "nbf=1735699900;exp=1735789000;nameid=\"S-1-5-21-1-2-3-500\";"
                   "upn=\"Ken@Contoso.com\";smtp=\"ken.myer@contoso.com\";"
                   "sip=\"sip:ken@contoso.com\"");
    expect_row(&row);
    ck_assert(w.v.delegated && !w.v.user_signed);
    ck_assert_str_eq(w.v.user, "Ken@Contoso.com");
    ck_assert_str_eq(w.v.upn, "Ken@Contoso.com");
    ck_assert_str_eq(w.v.nameid, "S-1-5-21-1-2-3-500");
    ck_assert_str_eq(w.v.nii, "urn:office:idp:activedirectory");
    ck_assert_str_eq(w.v.smtp, "ken.myer@contoso.com");
    ck_assert_str_eq(w.v.sip, "sip:ken@contoso.com");
    ck_assert_int_eq(w.v.nbf, 1735699900);
    ck_assert_int_eq(w.v.exp, 1735703300);
    /* Nothing of it is left in the next verdict. */
    expect_row(&good_app);
    ck_assert_str_eq(w.v.user, "");
    ck_assert_str_eq(w.v.nameid, "");
    ck_assert(!w.v.delegated);
}
END_TEST

START_TEST(test_verdict_user)
{
    expect_row(&good_user);
    ck_assert(w.v.delegated && w.v.user_signed);
    ck_assert_str_eq(w.v.user, "ken@contoso.com");
    ck_assert_str_eq(w.v.nameid, "ken@contoso.com");
    ck_assert_str_eq(w.v.app, "00000006-0000-0ff1-ce00-000000000000@peer.contoso.com");
}
END_TEST

/* Explain tells numbers, and never a byte that only the token knows. */
START_TEST(test_detail)
{
    const struct row late = NO("late", EXPIRED, TIME, .claims = "nbf=1735690000;exp=1735699508");
    const struct row secret = NO("secret", UNKNOWN_KEY, KEY, .header = "kid=\"hunter2\"",
        .claims = "upn=\"hunter2@contoso.com\"");
    expect_row(&late);
    ck_assert_str_eq(w.v.detail, "the token expired 492 s ago; 300 s of skew are allowed");
    expect_row(&secret);
    ck_assert_ptr_null(strstr(w.v.detail, "hunter2"));
    ck_assert_ptr_nonnull(strstr(w.v.detail, "1 keys"));
}
END_TEST

/* Whose clock may be wrong is told with every refusal for a time, and decides nothing. */
START_TEST(test_clock_of_the_partner)
{
    static const struct {
        int64_t ahead_s;
        const char *says;
    } rows[] = {{-492, "; the partner's clock is 492 s behind ours"},
        {212, "; the partner's clock is 212 s ahead of ours"},
        {3, "; the partner's clock is 3 s ahead of ours"}, {-2, "; the partner's clock is in step"},
        {0, "; the partner's clock is in step"}};
    const struct row times[] = {
        NO("late", EXPIRED, TIME, .claims = "nbf=1735690000;exp=1735699508"),
        NO("early", NOT_YET_VALID, TIME, .claims = "nbf=1735700400;exp=1735701000")};
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    ck_assert_int_eq(partner_trust_copy(store_get(w.store, SPAN("lync")), &t), REASON_OK);
    t->clock.known = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        t->clock.ahead_s = rows[i].ahead_s;
        ck_assert_int_eq(store_put(w.store, t), REASON_OK);
        for (size_t k = 0; k < ARRAY_LEN(times); k++) {
            expect_row(&times[k]);
            ck_assert_ptr_nonnull(strstr(w.v.detail, rows[i].says));
        }
        expect_row(&good_app);
    }
}
END_TEST

static void expect_token(struct span token, enum reason reason)
{
    const enum reason got = judge(token);
    ck_assert_msg(got == reason, "%s, expected %s", reason_code(got), reason_code(reason));
    ck_assert_int_eq(w.v.step, STEP_FORM);
}

START_TEST(test_sizes)
{
    CLEANUP(freep) char *pad = malloc(20000);
    ck_assert_ptr_nonnull(pad);
    const struct row fits = OK("8.8 KiB of claims", .claims = pad);
    const struct row actor = NO("actor token", TOO_LARGE, FORM, .kind = ROW_OUTER, .claims = pad);
    const struct row whole = NO("whole token", TOO_LARGE, FORM, .claims = pad);
    snprintf(pad, 20000, "pad=\"%0*d\"", 8800, 0);
    expect_row(&fits);
    snprintf(pad, 20000, "pad=\"%0*d\"", 6200, 0);
    expect_row(&actor);
    snprintf(pad, 20000, "pad=\"%0*d\"", 12500, 0);
    expect_row(&whole);
    expect_token(SPAN(""), REASON_TOKEN_SHAPE);
    expect_token(SPAN("."), REASON_TOKEN_SHAPE);
    expect_token(SPAN(".."), REASON_TOKEN_SHAPE);
    expect_token(SPAN("..."), REASON_TOKEN_SHAPE);
    expect_token(SPAN("a.b.c"), REASON_TOKEN_ENCODING);
    memset(pad, '.', 20000);
    expect_token((struct span){pad, 16384}, REASON_TOKEN_SHAPE);
    expect_token((struct span){pad, 16385}, REASON_TOO_LARGE);
}
END_TEST

START_TEST(test_stale)
{
    const struct row stale = NO("stale", PARTNER_STALE, ISSUER);
    const struct row bare = OK("no document, nothing stale", .from = "bare");
    const struct row fresh = NO("never fetched is no key", UNKNOWN_KEY, KEY, .from = "fresh");
    /* Fetched an hour before WORLD_NOW, good for seven days. */
    w.settings->limits.inbound_lifetime_s = w.settings->limits.clock_skew_s = 1 << 30;
    w.against.now = WORLD_NOW - 3600 + 7 * 86400 - 1;
    expect_row(&good_app);
    w.against.now++;
    expect_row(&stale);
    expect_row(&bare);
    expect_row(&fresh);
}
END_TEST

static void make_new(struct partner_trust *t)
{
    t->keys[0].state = PKEY_NEW;
}

static void make_missing(struct partner_trust *t)
{
    t->keys[0].state = PKEY_MISSING;
}

static void make_gone(struct partner_trust *t)
{
    t->keys[0].state = PKEY_GONE;
}

static void make_barred(struct partner_trust *t)
{
    t->keys[0].state = PKEY_BARRED;
}

static void end_yesterday(struct partner_trust *t)
{
    t->keys[0].not_after = WORLD_NOW - 86400;
}

static void end_now(struct partner_trust *t)
{
    t->keys[0].not_after = WORLD_NOW - 300;
}

static void begin_soon(struct partner_trust *t)
{
    t->keys[0].not_before = WORLD_NOW + 300;
}

static void begin_later(struct partner_trust *t)
{
    t->keys[0].not_before = WORLD_NOW + 301;
}

/* The same public key under a kid of its own: one kid, two keys. */
static void name_two(struct partner_trust *t)
{
    world_add_key(t, signkey_cert(w.other));
    memcpy(t->keys[0].kid, "k1", 3);
    memcpy(t->keys[1].kid, "k1", 3);
}

static void name_two_one_new(struct partner_trust *t)
{
    name_two(t);
    t->keys[1].state = PKEY_NEW;
}

static void name_two_one_gone(struct partner_trust *t)
{
    name_two(t);
    t->keys[1].state = PKEY_GONE;
}

static void name_two_one_barred(struct partner_trust *t)
{
    name_two(t);
    t->keys[1].state = PKEY_BARRED;
}

static void name_one(struct partner_trust *t)
{
    memcpy(t->keys[0].kid, "k1", 3);
}

/* A bare JWK has no thumbprint. */
static void make_bare(struct partner_trust *t)
{
    name_one(t);
    t->keys[0].has_x5t = false;
}

static const struct key_case {
    const char *name;
    void (*edit)(struct partner_trust *t);
    const char *header;
    enum reason reason;
} key_cases[] = {
    {"new", make_new, NULL, REASON_UNKNOWN_KEY},
    {"missing, within its grace", make_missing, NULL, REASON_OK},
    {"gone", make_gone, NULL, REASON_UNKNOWN_KEY},
    {"barred", make_barred, NULL, REASON_KEY_BARRED},
    {"certificate ended", end_yesterday, NULL, REASON_KEY_EXPIRED},
    {"certificate ended within the skew", end_now, NULL, REASON_OK},
    {"certificate begins within the skew", begin_soon, NULL, REASON_OK},
    {"certificate begins later", begin_later, NULL, REASON_KEY_EXPIRED},
    {"kid", name_one, "x5t=;kid=\"k1\"", REASON_OK},
    {"kid beside x5t", name_one, "kid=\"k1\"", REASON_OK},
    {"kid in other case", name_one, "x5t=;kid=\"K1\"", REASON_UNKNOWN_KEY},
    {"kid of two keys", name_two, "x5t=;kid=\"k1\"", REASON_UNKNOWN_KEY},
    {"kid of two keys, x5t of one", name_two, "kid=\"k1\"", REASON_OK},
    {"kid of two keys, one new", name_two_one_new, "x5t=;kid=\"k1\"", REASON_OK},
    {"kid of two keys, one gone", name_two_one_gone, "x5t=;kid=\"k1\"", REASON_OK},
    {"kid of two keys, one barred", name_two_one_barred, "x5t=;kid=\"k1\"", REASON_UNKNOWN_KEY},
    {"bare JWK by kid", make_bare, "x5t=;kid=\"k1\"", REASON_OK},
    {"bare JWK by x5t", make_bare, "kid=\"k1\"", REASON_UNKNOWN_KEY},
    {"bare JWK by x5t#S256", make_bare, "x5t=;x5t#S256=$s256", REASON_UNKNOWN_KEY},
    {"bare JWK by thumbprint as kid", make_bare, "x5t=;kid=$x5t", REASON_UNKNOWN_KEY},
};

START_TEST(test_keys)
{
    const struct key_case *c = &key_cases[_i];
    const struct row row = {
        .name = c->name, .header = c->header, .reason = c->reason, .step = STEP_KEY};
    world_edit(&w, "lync", c->edit);
    expect_row(&row);
    ck_assert(!w.v.key_expired_warning);
}
END_TEST

/* When a newer document might help: DESIGN 7, all else is judged before. */
static const struct worth_case {
    struct row row;
    void (*edit)(struct partner_trust *t);
    bool worth;
} worth_cases[] = {
    {NO("another x5t", UNKNOWN_KEY, KEY, .header = "x5t=$other"), NULL, true},
    {NO("another kid", UNKNOWN_KEY, KEY, .header = "x5t=;kid=\"nobody\""), NULL, true},
    {NO("another x5t of an actor token", UNKNOWN_KEY, KEY, .kind = ROW_OUTER,
         .header = "x5t=$other"),
        NULL, true},
    {NO("no thumbprint", UNKNOWN_KEY, KEY, .header = "x5t=\"AAA\""), NULL, false},
    {NO("expired", UNKNOWN_KEY, KEY, .header = "x5t=$other",
         .claims = "nbf=1735690000;exp=1735699508"),
        NULL, false},
    {NO("for somebody else", UNKNOWN_KEY, KEY, .header = "x5t=$other",
         .claims = "aud=\"" US "/other.contoso.example@contoso.com\""),
        NULL, false},
    {NO("for a user who may not", UNKNOWN_KEY, KEY, .kind = ROW_OUTER, .header = "x5t=$other",
         .outer_c = "upn=\"eve@evil.example\";smtp=\"eve@evil.example\""),
        NULL, false},
    {NO("a key that is gone", UNKNOWN_KEY, KEY), make_gone, true},
    {NO("forged under a thumbprint", SIGNATURE, SIGNATURE, .seal = SEAL_FLIPPED), NULL, false},
    {NO("forged under a thumbprint as kid", SIGNATURE, SIGNATURE, .header = "x5t=;kid=$x5t",
         .seal = SEAL_FLIPPED),
        NULL, false},
    {NO("forged under a name", SIGNATURE, SIGNATURE, .header = "x5t=;kid=\"k1\"",
         .seal = SEAL_FLIPPED),
        make_bare, true},
    {NO("forged under a name, and expired", SIGNATURE, SIGNATURE, .header = "x5t=;kid=\"k1\"",
         .claims = "nbf=1735690000;exp=1735699508", .seal = SEAL_FLIPPED),
        make_bare, false},
    {OK("believed"), NULL, false},
};

START_TEST(test_worth_fetching)
{
    const struct worth_case *c = &worth_cases[_i];
    if (c->edit)
        world_edit(&w, "lync", c->edit);
    expect_row(&c->row);
    ck_assert_msg(w.v.worth_fetching == c->worth, "%s", c->row.name);
    ck_assert_str_eq(w.v.user, ""); /* what was looked at on trial is not told */
}
END_TEST

/* One size for all kinds of ids; two names of one key are two ids. */
START_TEST(test_key_id)
{
    const struct partner_key *key = &store_get(w.store, SPAN("lync"))->keys[0];
    uint8_t id[X5T_LEN], hash[SHA256_LEN];
    struct jws_header h = {0};
    ck_assert(!check_key_id(&h, id));
    h.has_kid = true;
    h.kid = SPAN("k1");
    ck_assert(digest_sha256(h.kid, hash));
    ck_assert(check_key_id(&h, id));
    ck_assert_mem_eq(id, hash, X5T_LEN);
    h.has_x5t_s256 = true;
    memcpy(h.x5t_s256, key->x5t_s256, X5T_S256_LEN);
    ck_assert(check_key_id(&h, id));
    ck_assert_mem_eq(id, key->x5t_s256, X5T_LEN);
    h.has_x5t = true;
    memcpy(h.x5t, key->x5t, X5T_LEN);
    ck_assert(check_key_id(&h, id));
    ck_assert_mem_eq(id, key->x5t, X5T_LEN);
    h.x5t_malformed = true;
    ck_assert(!check_key_id(&h, id));
}
END_TEST

/* A thumbprint that could not be read matches nothing, whatever its bytes came to be. */
START_TEST(test_malformed_thumbprint)
{
    const struct partner_key *key = &store_get(w.store, SPAN("lync"))->keys[0];
    struct jws_header h = {.has_x5t = true};
    memcpy(h.x5t, key->x5t, X5T_LEN);
    ck_assert(check_key_matches(key, &h));
    h.x5t_malformed = true;
    ck_assert(!check_key_matches(key, &h));
}
END_TEST

/* DESIGN 7: every other product's user token is an unsigned outer one. */
START_TEST(test_only_s2sd_signs_users)
{
    const struct row row = NO("signed by another product", TOKEN_TYPE, KIND, .kind = ROW_USER);
    for (enum product p = PRODUCT_GENERIC; p < PRODUCT_S2SD; p++) {
        partner_of("peer")->product = p;
        expect_row(&row);
    }
    partner_of("peer")->product = PRODUCT_S2SD;
    expect_row(&good_user);
}
END_TEST

/* R15: we are nobody's partner, even where a configuration says so. */
START_TEST(test_own_issuer)
{
    const struct row row = NO("ourselves", UNKNOWN_ISSUER, ISSUER);
    struct partner *lync = partner_of("lync");
    free(w.settings->identity.issuer);
    w.settings->identity.issuer = maker_copy(lync->issuer, strlen(lync->issuer));
    expect_row(&row);
}
END_TEST

/* R27: Applications= counts for a trust broker only. */
START_TEST(test_no_broker)
{
    const struct row app = NO(
                         "listed", ACTOR_NAME, KIND, .from = "farm", .claims = "nameid=" FARM_APP),
                     itself = OK("itself", .from = "farm");
    partner_of("farm")->trust_broker = false;
    expect_row(&app);
    expect_row(&itself);
}
END_TEST

START_TEST(test_disputed)
{
    const struct row disputed = NO("disputed", KEY_DISPUTED, KEY);
    const struct pubkey *own = signkey_cert(w.key)->key;
    ck_assert_uint_gt(store_settle_disputes(w.store, &own, 1), 0);
    expect_row(&disputed);
}
END_TEST

/* ExpiredKeys=warn forgives that a certificate has ended, and says so; nothing else. */
START_TEST(test_expired_keys_warn)
{
    const struct row early = NO("early", KEY_EXPIRED, KEY), barred = NO("barred", KEY_BARRED, KEY);
    partner_of("lync")->expired_keys = EXPIRED_WARN;
    world_edit(&w, "lync", end_yesterday);
    expect_row(&good_app);
    ck_assert(w.v.key_expired_warning);
    world_edit(&w, "lync", begin_later);
    expect_row(&early);
    world_edit(&w, "lync", make_barred);
    expect_row(&barred);
}
END_TEST

START_TEST(test_unsigned_outer_allowed)
{
    const struct row row = OK("outer from an s2sd partner", .kind = ROW_OUTER, .from = "peer");
    partner_of("peer")->unsigned_outer = true;
    expect_row(&row);
    const struct row refused = NO("no unsigned outer", OUTER_REFUSED, KIND, .kind = ROW_OUTER);
    partner_of("lync")->unsigned_outer = false;
    expect_row(&refused);
}
END_TEST

START_TEST(test_accept_sid)
{
    const struct row sid =
        OK("SID alone", .kind = ROW_OUTER, .outer_c = "nameid=\"s-1-5-21-1-2-3-5\"");
    const struct row smtp = NO("smtp beside it refused", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .outer_c = "nameid=\"s-1-5-21-1-2-3-5\";smtp=\"boss@contoso.com\"");
    partner_of("lync")->accept_sid = true;
    expect_row(&sid);
    ck_assert_str_eq(w.v.user, "s-1-5-21-1-2-3-5");
    expect_row(&smtp);
    partner_of("far")->accept_sid = true;
    const struct row far = NO("no PermittedUsers=", USER_REFUSED, POLICY, .kind = ROW_OUTER,
        .from = "far", .by_other = true, .outer_c = "nameid=\"s-1-5-21-1-2-3-5\"");
    expect_row(&far);
}
END_TEST

/* Without PermittedUsers= no user token is accepted, whoever the user is. */
START_TEST(test_nobody_permitted)
{
    const struct row row = NO("nobody", USER_REFUSED, POLICY, .kind = ROW_OUTER, .from = "far",
        .by_other = true, .outer_c = "nameid=\"ken@far.example\"");
    expect_row(&row);
}
END_TEST

/* The caller's own narrowing to hosts (Audience= of its rule, audience= of its request). */
START_TEST(test_narrowed_audience)
{
    char *list[] = {(char[]){"AUTODISCOVER.contoso.com"}};
    const struct names rule = {list, 1}, nothing = {NULL, 0};
    const struct row refused = NO("narrowed", AUDIENCE, AUDIENCE);
    const struct row second =
        OK("second host", .claims = "aud=\"" US "/autodiscover.contoso.com@contoso.com\"");
    w.against.audience = SPAN("Mail.Contoso.com");
    expect_row(&good_app);
    w.against.audience = SPAN("autodiscover.contoso.com");
    expect_row(&refused);
    expect_row(&second);
    w.against.audience = (struct span){0};
    w.against.audiences = &rule;
    expect_row(&refused);
    expect_row(&second);
    w.against.audience = SPAN("mail.contoso.com");
    expect_row(&refused);
    w.against.audience = (struct span){0};
    w.against.audiences = &nothing;
    expect_row(&refused);
    /* A host that is not ours is not made ours by asking for it. */
    const struct row foreign =
        NO("foreign", AUDIENCE, AUDIENCE, .claims = "aud=\"" US "/www.contoso.com@contoso.com\"");
    w.against.audiences = NULL;
    w.against.audience = SPAN("www.contoso.com");
    expect_row(&foreign);
}
END_TEST

/* ---- a verdict that was given before ---- */

/* What a cache does: keeps five things, and asks again. */
static enum reason judge_again(const struct token_checked *kept)
{
    check_recall(&w.v, kept->x5t, kept->nbf, kept->exp);
    memcpy(w.v.issuer, kept->issuer, sizeof(kept->issuer));
    memcpy(w.v.app, kept->app, sizeof(kept->app));
    memcpy(w.v.audience, kept->audience, sizeof(kept->audience));
    return check_again(&w.against, &w.v);
}

static void disable(void)
{
    partner_of("lync")->enabled = false;
}

static void lower_trust(void)
{
    partner_of("lync")->trust = TRUST_USER;
}

static void bar(void)
{
    world_edit(&w, "lync", make_barred);
}

static void withdraw(void)
{
    world_edit(&w, "lync", make_gone);
}

static void end_certificate(void)
{
    world_edit(&w, "lync", end_yesterday);
}

static void wait_for_end(void)
{
    w.against.now = 1735703300 + 300;
}

static void ask_for_other_host(void)
{
    w.against.audience = SPAN("autodiscover.contoso.com");
}

static void grow_stale(void)
{
    w.settings->refresh.stale_after_s = 3599;
}

static void be_suspended(struct partner_trust *t)
{
    t->suspended = true;
}

static void suspend(void)
{
    world_edit(&w, "lync", be_suspended);
}

static void change_nothing(void)
{
}

static const struct again_case {
    void (*change)(void);
    enum reason reason;
} again_cases[] = {
    {change_nothing, REASON_OK},
    {disable, REASON_PARTNER_DISABLED},
    {grow_stale, REASON_PARTNER_STALE},
    {suspend, REASON_PARTNER_SUSPENDED},
    {withdraw, REASON_UNKNOWN_KEY},
    {bar, REASON_KEY_BARRED},
    {end_certificate, REASON_KEY_EXPIRED},
    {wait_for_end, REASON_EXPIRED},
    {ask_for_other_host, REASON_AUDIENCE},
    {lower_trust, REASON_TRUST_LEVEL},
};

/* R30: a remembered verdict is judged by the world of now, by every rung that needs no bytes. */
START_TEST(test_again)
{
    const struct again_case *c = &again_cases[_i];
    expect_row(&good_app);
    const struct token_checked first = w.v;
    c->change();
    ck_assert_int_eq(judge_again(&first), c->reason);
    const struct row row = {.name = "anew", .reason = c->reason, .step = w.v.step};
    const enum check_step step = w.v.step;
    expect_row(&row); /* the whole ladder says the same */
    ck_assert_int_eq(w.v.step, step);
    if (c->reason != REASON_OK)
        return;
    ck_assert_str_eq(w.v.app, first.app);
    ck_assert_ptr_eq(w.v.partner, first.partner);
    ck_assert_int_eq(w.v.exp, first.exp);
}
END_TEST

/* ---- storms ---- */

/* R9: not one bit of a signed token may change. */
static void flip_all(const struct row *row)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    put_row(&token, row);
    ck_assert_int_eq(judge(buf_span(&token)), REASON_OK);
    for (size_t i = 0; i < token.n * 8; i++) {
        token.p[i / 8] = (char)(token.p[i / 8] ^ (1 << i % 8));
        ck_assert_msg(judge(buf_span(&token)) != REASON_OK, "%s, bit %zu", row->name, i);
        token.p[i / 8] = (char)(token.p[i / 8] ^ (1 << i % 8));
    }
    ck_assert_int_eq(judge(buf_span(&token)), REASON_OK);
}

START_TEST(test_flip_app)
{
    flip_all(&good_app);
}
END_TEST

START_TEST(test_flip_user)
{
    flip_all(&good_user);
}
END_TEST

/* What the outer token decides is the user and nothing else: whatever bit of it changes, the actor
 * token inside is the same when the whole is believed, and so are its application and audience. */
START_TEST(test_flip_outer)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20), actor = BUF_INIT(1 << 20);
    CLEANUP(jws_scratch_freep) struct jws_scratch *reader = jws_scratch_new();
    size_t believed = 0;
    put_signed(&actor, &good_outer);
    put_row(&token, &good_outer);
    ck_assert(reader);
    for (size_t i = 0; i < token.n * 8; i++) {
        struct jws_parts parts;
        const struct json_value *payload;
        token.p[i / 8] = (char)(token.p[i / 8] ^ (1 << i % 8));
        if (judge(buf_span(&token)) == REASON_OK) {
            ck_assert_int_eq(jws_split(buf_span(&token), JWS_TOKEN_MAX, &parts), REASON_OK);
            ck_assert_int_eq(jws_read_payload(reader, parts.payload, &payload), REASON_OK);
            const struct json_value *inside = json_get(payload, "actortoken");
            ck_assert(inside && span_eq(inside->text, buf_span(&actor)));
            ck_assert_str_eq(w.v.app, "00000004-0000-0ff1-ce00-000000000000@lync.contoso.com");
            ck_assert_str_eq(w.v.audience, US "/mail.contoso.com@contoso.com");
            ck_assert_int_le(w.v.exp, 1735703300);
            believed++;
        }
        token.p[i / 8] = (char)(token.p[i / 8] ^ (1 << i % 8));
    }
    ck_assert_uint_gt(believed, 0); /* some change the letters of the user: so weak is this form */
}
END_TEST

/* Every length of a good token but the whole one. */
START_TEST(test_cut)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    put_row(&token, &good_outer);
    for (size_t n = 0; n < token.n; n++)
        ck_assert_int_ne(judge((struct span){token.p, n}), REASON_OK);
}
END_TEST

/* ---- both ends of the house agree ---- */

static const struct mint_case {
    enum user_kind kind;
    const char *from;
    const char *user;
    enum reason reason;
} mint_cases[] = {
    {USER_NONE, "lync", NULL, REASON_OK},
    {USER_UPN, "lync", "Ken@Contoso.com", REASON_OK},
    {USER_SMTP, "lync", "ken@contoso.com", REASON_OK},
    {USER_SIP, "lync", "ken@contoso.com", REASON_OK},
    {USER_NAMEID, "lync", "ken@contoso.com", REASON_OK},
    {USER_NAMEID, "lync", "boss@contoso.com", REASON_USER_REFUSED},
    {USER_UPN, "wiki", "ken@contoso.com", REASON_TRUST_LEVEL},
    {USER_NONE, "peer", NULL, REASON_OK},
    {USER_UPN, "peer", "ken@contoso.com", REASON_OK},
    {USER_UPN, "peer", "boss@contoso.com", REASON_USER_REFUSED},
};

/* What mint_token makes as the partner, check_token judges here as the configuration says. */
START_TEST(test_minted)
{
    const struct mint_case *c = &mint_cases[_i];
    const struct partner *from = partner_of(c->from);
    const struct identity minter = {.app_id = from->app_id, .realm = from->realm};
    const struct partner us = {.app_id = w.settings->identity.app_id,
        .realm = w.settings->identity.realm,
        .product = from->product};
    const struct mint_order order = {.identity = &minter,
        .partner = &us,
        .host = "mail.contoso.com",
        .user_kind = c->kind,
        .user = span_of(c->user),
        .lifetime_s = 600,
        .now = WORLD_NOW};
    CLEANUP(minted_done) struct minted minted = {0};
    ck_assert_int_eq(mint_token(&order, w.key, &minted), REASON_OK);
    ck_assert_int_eq(judge(buf_span(&minted.token)), c->reason);
    ck_assert_int_eq(w.v.exp, minted.expires_at);
    ck_assert_str_eq(w.v.app, from->issuer);
    if (c->reason == REASON_OK && c->user)
        ck_assert(span_eq_nocase(span_of(w.v.user), span_of(c->user)));
    w.against.now = minted.expires_at + 300;
    ck_assert_int_eq(judge(buf_span(&minted.token)), REASON_EXPIRED);
}
END_TEST

static void add_state_tests(TCase *c)
{
    tcase_add_test(c, test_verdict);
    tcase_add_test(c, test_verdict_outer);
    tcase_add_test(c, test_verdict_user);
    tcase_add_test(c, test_detail);
    tcase_add_test(c, test_clock_of_the_partner);
    tcase_add_test(c, test_sizes);
    tcase_add_test(c, test_stale);
    tcase_add_loop_test(c, test_keys, 0, ARRAY_LEN(key_cases));
    tcase_add_loop_test(c, test_worth_fetching, 0, ARRAY_LEN(worth_cases));
    tcase_add_test(c, test_key_id);
    tcase_add_test(c, test_malformed_thumbprint);
    tcase_add_test(c, test_only_s2sd_signs_users);
    tcase_add_test(c, test_own_issuer);
    tcase_add_test(c, test_no_broker);
    tcase_add_test(c, test_disputed);
    tcase_add_test(c, test_expired_keys_warn);
    tcase_add_test(c, test_unsigned_outer_allowed);
    tcase_add_test(c, test_accept_sid);
    tcase_add_test(c, test_nobody_permitted);
    tcase_add_test(c, test_narrowed_audience);
    tcase_add_loop_test(c, test_again, 0, ARRAY_LEN(again_cases));
    tcase_add_loop_test(c, test_minted, 0, ARRAY_LEN(mint_cases));
}

int main(void)
{
    Suite *suite = suite_create("trust_check_state");
    TCase *state = tcase_create("state"), *storms = tcase_create("storms");
    world_open(&w);
    tcase_set_timeout(state, 60);
    tcase_set_timeout(storms, 120);
    tcase_add_checked_fixture(state, row_setup, NULL);
    tcase_add_checked_fixture(storms, row_setup, NULL);
    add_state_tests(state);
    tcase_add_test(storms, test_flip_app);
    tcase_add_test(storms, test_flip_user);
    tcase_add_test(storms, test_flip_outer);
    tcase_add_test(storms, test_cut);
    suite_add_tcase(suite, state);
    suite_add_tcase(suite, storms);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    world_close(&w);
    return failed != 0;
}
