/* SPDX-License-Identifier: Apache-2.0 */
/* A remembered verdict judged again says what the ladder would say of the token itself, whatever
 * has changed around it meanwhile. */
#include "check_rows.h"
#include "unit.h"

static struct partner *lync(void)
{
    for (size_t i = 0; i < w.settings->n_partners; i++)
        if (strcmp(w.settings->partners[i].name, "lync") == 0)
            return &w.settings->partners[i];
    abort();
}

static char *mine(const char *text)
{
    return maker_copy(text, strlen(text));
}

/* What may change. */

static void nothing(void)
{
}

static void now_in_time(void)
{
    w.against.now = 1735703300 + 299;
}

static void now_late(void)
{
    w.against.now = 1735703300 + 300;
}

static void now_early(void)
{
    w.against.now = 1735699700 - 301;
}

static void cap_lowered(void)
{
    w.settings->limits.inbound_lifetime_s = 3599;
}

static void skew_gone(void)
{
    w.settings->limits.clock_skew_s = 0;
    w.against.now = 1735703300;
}

static void other_host_wanted(void)
{
    w.against.audience = SPAN("autodiscover.contoso.com");
}

static void its_host_wanted(void)
{
    w.against.audience = SPAN("MAIL.contoso.com");
}

static void host_not_allowed(void)
{
    static char host[] = "autodiscover.contoso.com";
    static char *list[] = {host};
    static const struct names allowed = {list, 1};
    w.against.audiences = &allowed;
}

static void host_not_ours(void)
{
    free(w.settings->identity.hosts[0]);
    w.settings->identity.hosts[0] = mine("www.contoso.com");
}

static void realm_not_ours(void)
{
    free(w.settings->identity.realm);
    w.settings->identity.realm = mine("other.com");
}

static void partner_off(void)
{
    lync()->enabled = false;
}

static void partner_other(void)
{
    free(lync()->issuer);
    lync()->issuer = mine("00000004-0000-0ff1-ce00-000000000000@elsewhere.com");
}

static void partner_for_users(void)
{
    lync()->trust = TRUST_USER;
}

static void partner_for_itself(void)
{
    lync()->trust = TRUST_APPLICATION;
}

static void document_stale(void)
{
    w.settings->refresh.stale_after_s = 3599;
}

static void bar(struct partner_trust *t)
{
    t->keys[0].state = PKEY_BARRED;
}

static void key_barred(void)
{
    world_edit(&w, "lync", bar);
}

static void drop(struct partner_trust *t)
{
    t->keys[0].state = PKEY_GONE;
}

static void key_gone(void)
{
    world_edit(&w, "lync", drop);
}

static void end(struct partner_trust *t)
{
    t->keys[0].not_after = WORLD_NOW - 301;
}

static void key_ended(void)
{
    world_edit(&w, "lync", end);
}

static void key_ended_forgiven(void)
{
    key_ended();
    lync()->expired_keys = EXPIRED_WARN;
}

static void key_disputed(void)
{
    const struct pubkey *own = signkey_cert(w.key)->key;
    ck_assert_uint_gt(store_settle_disputes(w.store, &own, 1), 0);
}

static void key_unknown(void)
{
    store_remove(w.store, SPAN("lync"));
}

static const struct {
    void (*change)(void);
    enum reason reason;
} changes[] = {{nothing, REASON_OK}, {now_in_time, REASON_OK}, {now_late, REASON_EXPIRED},
    {now_early, REASON_NOT_YET_VALID}, {cap_lowered, REASON_LIFETIME}, {skew_gone, REASON_EXPIRED},
    {other_host_wanted, REASON_AUDIENCE}, {its_host_wanted, REASON_OK},
    {host_not_allowed, REASON_AUDIENCE}, {host_not_ours, REASON_AUDIENCE},
    {realm_not_ours, REASON_AUDIENCE_REALM}, {partner_off, REASON_PARTNER_DISABLED},
    {partner_other, REASON_UNKNOWN_ISSUER}, {partner_for_users, REASON_TRUST_LEVEL},
    {partner_for_itself, REASON_OK}, {document_stale, REASON_PARTNER_STALE},
    {key_barred, REASON_KEY_BARRED}, {key_gone, REASON_UNKNOWN_KEY},
    {key_ended, REASON_KEY_EXPIRED}, {key_ended_forgiven, REASON_OK},
    {key_disputed, REASON_KEY_DISPUTED}, {key_unknown, REASON_UNKNOWN_KEY}};

/* What a caller keeps of a verdict, and what it makes of it. */
static void recall(const struct token_checked *kept, struct token_checked *v)
{
    memset(v, 0x5a, sizeof(*v)); /* nothing of what was there before may count */
    check_recall(v, kept->x5t, kept->nbf, kept->exp);
    memcpy(v->issuer, kept->issuer, sizeof(v->issuer));
    memcpy(v->app, kept->app, sizeof(v->app));
    memcpy(v->audience, kept->audience, sizeof(v->audience));
}

START_TEST(again_says_what_the_ladder_says)
{
    static struct token_checked kept, again;
    const struct row good = OK("app-only");
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 16);
    expect_row(&good);
    kept = w.v;
    put_row(&token, &good);
    changes[_i].change();
    ck_assert_int_eq(
        check_token(w.scratch, &w.against, buf_span(&token), &w.v), changes[_i].reason);
    recall(&kept, &again);
    ck_assert_int_eq(check_again(&w.against, &again), changes[_i].reason);
    ck_assert_int_eq(again.reason, w.v.reason);
    ck_assert_int_eq(again.step, w.v.step);
    ck_assert_ptr_eq(again.partner, w.v.partner);
    ck_assert_int_eq(again.key_expired_warning, w.v.key_expired_warning);
    ck_assert_str_eq(again.detail, w.v.detail);
    ck_assert_str_eq(again.issuer, w.v.issuer);
    ck_assert_str_eq(again.app, w.v.app);
    ck_assert_str_eq(again.audience, w.v.audience);
    ck_assert(!again.delegated && !again.user_signed);
    ck_assert_str_eq(again.user, "");
    if (changes[_i].reason == REASON_OK) {
        ck_assert(again.signature_believed);
        ck_assert_int_eq(again.nbf, w.v.nbf);
        ck_assert_int_eq(again.exp, w.v.exp);
        ck_assert_mem_eq(again.x5t, w.v.x5t, X5T_LEN);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, row_setup, NULL);
    tcase_add_loop_test(tc, again_says_what_the_ladder_says, 0, ARRAY_LEN(changes));
}

int main(void)
{
    world_open(&w);
    int status = unit_run("trust_check_again", fill);
    world_close(&w);
    return status;
}
