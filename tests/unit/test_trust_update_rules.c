/* SPDX-License-Identifier: Apache-2.0 */
/* What settings that come later do to the keys of a partner: PinnedKeys=, HoldDown=. */
#include "update.h"

#include "trust_fixture.h"

#define CERTS 3

static struct cert *certs[CERTS];
static struct partner_trust *t;
static struct update_changes changes;

static void setup(void)
{
    for (unsigned i = 0; i < CERTS; i++)
        certs[i] = fixture_cert(i);
    t = calloc(1, sizeof(*t));
    ck_assert_ptr_nonnull(t);
    t->name = strdup("exch");
}

static void teardown(void)
{
    for (unsigned i = 0; i < CERTS; i++)
        cert_freep(&certs[i]);
    partner_trust_freep(&t);
}

/* A document of the certificates whose digits are in `which`: "01" holds certs[0], certs[1]. */
static enum reason apply_by(const char *which, const struct update_rules *rules, int64_t now)
{
    struct metadata m = {.may_be_replayed = true};
    for (const char *p = which; *p; p++)
        m.certs[m.n_certs++] = certs[*p - '0'];
    return update_apply(t, &m, rules, now, &changes);
}

static enum reason apply(const char *which, int64_t grace_s, int64_t now)
{
    return apply_by(which, &(struct update_rules){.grace_s = grace_s}, now);
}

static void document(const char *which, int64_t grace_s, int64_t now)
{
    ck_assert_int_eq(apply(which, grace_s, now), REASON_OK);
}

static int index_of(const uint8_t *x5t)
{
    for (int c = 0; c < CERTS; c++)
        if (memcmp(certs[c]->x5t, x5t, X5T_LEN) == 0)
            return c;
    return -1;
}

/* "0v 1m": keys in order with the first letter of their state. */
static const char *keys(void)
{
    static char text[PARTNER_KEYS_MAX * 4 + 1];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < t->n_keys; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%c", i ? " " : "",
            index_of(t->keys[i].x5t), partner_key_state_name(t->keys[i].state)[0]);
    return text;
}

/* "0added 1gone": what the last call reported. */
static const char *reported(void)
{
    static char text[2048];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < changes.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s", i ? " " : "",
            index_of(changes.list[i].x5t), update_kind_name(changes.list[i].kind));
    return text;
}

START_TEST(pins_that_come_later_take_the_others_out_of_use)
{
    char pin[THUMBPRINT_TEXT_LEN];
    char *pins[] = {thumbprint_text(certs[1]->x5t, pin)};
    struct partner p = {.continuity = CONTINUITY_TLS, .pinned_certs = {pins, 1}};
    document("012", 0, T0);
    ck_assert(update_bar(t, &t->keys[2], true, T0 + 1, &changes));
    ck_assert(!update_unpin(t, &p, &changes));
    p.continuity = CONTINUITY_PINNED;
    ck_assert(update_unpin(t, &p, &changes));
    ck_assert_str_eq(reported(), "0unpinned");
    ck_assert_str_eq(keys(), "1v 2b");
    ck_assert(!update_unpin(t, &p, &changes));
    document("01", 0, T0 + 4); /* they are no withdrawn ones */
    ck_assert_str_eq(keys(), "0v 1v 2b");
}
END_TEST

/* Its mark that it is published is of the time before the pins. */
START_TEST(a_barred_key_that_is_not_pinned_comes_back_withdrawn)
{
    char pin[THUMBPRINT_TEXT_LEN];
    char *pins[] = {thumbprint_text(certs[1]->x5t, pin)};
    const struct partner p = {.continuity = CONTINUITY_PINNED, .pinned_certs = {pins, 1}};
    document("01", 0, T0);
    ck_assert(update_bar(t, &t->keys[0], true, T0 + 1, &changes));
    ck_assert(!update_unpin(t, &p, &changes));
    ck_assert(update_bar(t, &t->keys[0], false, T0 + 2, &changes));
    ck_assert_str_eq(keys(), "0g 1v");
}
END_TEST

/* Nor does one that was withdrawn, and stood in the documents again until the pins came. */
START_TEST(a_withdrawn_key_that_is_not_pinned_stands_nowhere)
{
    char pin[THUMBPRINT_TEXT_LEN];
    char *pins[] = {thumbprint_text(certs[1]->x5t, pin)};
    const struct partner p = {.continuity = CONTINUITY_PINNED, .pinned_certs = {pins, 1}};
    document("01", 0, T0);
    document("1", 0, T0 + 1);
    document("01", 0, T0 + 2);
    ck_assert_str_eq(keys(), "0g 1v");
    ck_assert(!update_unpin(t, &p, &changes));
    ck_assert(!update_confirm(t, &(struct update_rules){0}, T0 + 9 * DAY, &changes));
    ck_assert_str_eq(keys(), "0g 1v");
}
END_TEST

/* Anybody who serves a document can say that it is of a pool: where a document is no proof of a
 * new key, it is none that a withdrawn one is back either. */
START_TEST(a_pools_lag_is_no_way_around_the_hold_down)
{
    const struct update_rules rules = {.hold_down_s = DAY};
    struct metadata m = {.may_be_replayed = true, .of_pool = true, .n_certs = 2};
    document("01", 0, T0);
    document("1", 0, T0 + 10);
    m.certs[0] = certs[0];
    m.certs[1] = certs[1];
    ck_assert_int_eq(update_apply(t, &m, &rules, T0 + 20, &changes), REASON_OK);
    ck_assert_str_eq(keys(), "0g 1v");
    ck_assert_int_eq(update_apply(t, &m, &(struct update_rules){0}, T0 + 30, &changes), REASON_OK);
    ck_assert_str_eq(keys(), "0v 1v");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, pins_that_come_later_take_the_others_out_of_use);
    tcase_add_test(tc, a_barred_key_that_is_not_pinned_comes_back_withdrawn);
    tcase_add_test(tc, a_withdrawn_key_that_is_not_pinned_stands_nowhere);
    tcase_add_test(tc, a_pools_lag_is_no_way_around_the_hold_down);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_update_rules", add);
}
