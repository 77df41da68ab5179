/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of our own document: when it is asked for, how long a document waits for it, and
 * what becomes of a signer that gives none. */
#include "own_signature.h"

#include "clock.h"
#include "settings_of.h"
#include "unit.h"

#include <errno.h>

#define CONF                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"
#define SIGNED CONF "[Metadata]\nSigned=yes\n"
#define WALL INT64_C(1795500000)
#define LIFE (7 * 86400)

static struct event_base *base;
static struct own_signature *o;
static struct settings *settings;
static int64_t wall, mono_ms;
static unsigned asked, changed;
static int sign_says;

static int sign(const struct msg_sign *m, uint32_t *ret_id, void *arg)
{
    (void)arg;
    ck_assert_int_eq(m->kind, SIGN_DOCUMENT);
    ck_assert_uint_eq(m->n, 0);
    if (sign_says < 0)
        return sign_says;
    *ret_id = ++asked;
    return 0;
}

static void on_changed(void *arg)
{
    (void)arg;
    changed++;
}

static void use(const char *conf)
{
    struct settings *old = settings;
    settings = settings_of(conf);
    own_signature_use(o, settings);
    settings_free(old);
}

static void set_up(void)
{
    static const struct own_signature_ops ops = {sign, on_changed};
    wall = WALL;
    mono_ms = 5000;
    asked = changed = 0;
    sign_says = 0;
    settings = NULL;
    clock_fake(wall, mono_ms);
    base = event_base_new();
    o = own_signature_new(base, &ops, NULL);
    ck_assert_ptr_nonnull(o);
}

static void tear_down(void)
{
    own_signature_free(o);
    event_base_free(base);
    settings_free(settings);
}

static void pass(int64_t seconds)
{
    wall += seconds;
    mono_ms += seconds * 1000;
    clock_fake(wall, mono_ms);
    own_signature_wake(o);
}

static void answer(const char *token)
{
    const struct msg_signed m = {REASON_OK, span_of(token), wall + LIFE, SPAN("")};
    ck_assert(own_signature_signed(o, asked, &m));
}

static void refuse(void)
{
    const struct msg_signed m = {REASON_SIGN_REFUSED, SPAN(""), 0, SPAN("")};
    ck_assert(own_signature_signed(o, asked, &m));
}

static void expect_token(const char *want)
{
    ck_assert(span_eq_str(own_signature_token(o), want));
}

START_TEST(nobody_is_asked_for_what_is_not_wanted)
{
    use(CONF);
    own_signature_ring(o, 1);
    pass(LIFE);
    ck_assert_uint_eq(asked, 0);
    ck_assert(!own_signature_waits(o));
    expect_token("");
}
END_TEST

START_TEST(the_first_document_waits_for_its_signature)
{
    use(SIGNED);
    ck_assert_uint_eq(asked, 0); /* there is no ring to speak of */
    own_signature_ring(o, 1);
    ck_assert_uint_eq(asked, 1);
    ck_assert(own_signature_waits(o));
    answer("one");
    ck_assert(!own_signature_waits(o));
    ck_assert_uint_eq(changed, 1);
    expect_token("one");
}
END_TEST

/* Rather a document without a signature than none. */
START_TEST(it_does_not_wait_for_ever)
{
    use(SIGNED);
    own_signature_ring(o, 1);
    pass(OWN_SIGNATURE_WAIT_S - 1);
    ck_assert(own_signature_waits(o));
    pass(1);
    ck_assert(!own_signature_waits(o));
    ck_assert_uint_eq(changed, 1);
    expect_token("");
    answer("late"); /* is published all the same */
    ck_assert_uint_eq(changed, 2);
    expect_token("late");
}
END_TEST

START_TEST(another_ring_gets_another_signature)
{
    use(SIGNED);
    own_signature_ring(o, 1);
    answer("one");
    own_signature_ring(o, 1); /* the signer was away for a moment */
    ck_assert_uint_eq(asked, 1);
    ck_assert(!own_signature_waits(o));
    own_signature_ring(o, 2);
    ck_assert_uint_eq(asked, 2);
    ck_assert(own_signature_waits(o));
    expect_token("one"); /* until the other is there */
    const struct msg_signed old = {REASON_OK, SPAN("old"), wall + LIFE, SPAN("")};
    ck_assert(!own_signature_signed(o, 1, &old));
    answer("two");
    expect_token("two");
}
END_TEST

START_TEST(it_is_made_anew_before_half_of_its_life)
{
    use(SIGNED);
    own_signature_ring(o, 1);
    answer("one");
    pass(LIFE / 2 - 1);
    ck_assert_uint_eq(asked, 1);
    pass(1);
    ck_assert_uint_eq(asked, 2);
    ck_assert(!own_signature_waits(o)); /* the present one is good still */
    expect_token("one");
    answer("two");
    expect_token("two");
    ck_assert_uint_eq(changed, 2);
}
END_TEST

/* Both ways: a partner would find it expired, or not valid yet. */
START_TEST(a_wall_clock_that_is_set_makes_it_anew)
{
    static const int64_t jumps[] = {LIFE, -3600};
    for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
        use(SIGNED);
        own_signature_ring(o, i + 1);
        answer("one");
        unsigned before = asked;
        wall += jumps[i];
        clock_fake(wall, mono_ms);
        own_signature_wake(o);
        ck_assert_uint_eq(asked, before + 1);
        answer("two");
    }
}
END_TEST

START_TEST(a_signer_that_refuses_is_asked_again_with_pauses)
{
    use(SIGNED);
    own_signature_ring(o, 1);
    refuse();
    ck_assert_uint_eq(asked, 1);
    pass(OWN_SIGNATURE_RETRY_S - 1);
    ck_assert_uint_eq(asked, 1);
    pass(1);
    ck_assert_uint_eq(asked, 2);
    refuse();
    pass(OWN_SIGNATURE_RETRY_S);
    ck_assert_uint_eq(asked, 2);
    pass(OWN_SIGNATURE_RETRY_S);
    ck_assert_uint_eq(asked, 3);
    for (int i = 0; i < 20; i++) {
        refuse();
        pass(OWN_SIGNATURE_RETRY_MAX_S);
    }
    ck_assert_uint_eq(asked, 23);
    answer("one");
    expect_token("one");
}
END_TEST

START_TEST(a_signer_that_was_away_is_asked_when_it_is_back)
{
    use(SIGNED);
    own_signature_ring(o, 1);
    own_signature_lost(o);
    const struct msg_signed never = {REASON_OK, SPAN("x"), wall + LIFE, SPAN("")};
    ck_assert(!own_signature_signed(o, 1, &never));
    sign_says = -ENOTCONN;
    pass(OWN_SIGNATURE_RETRY_MAX_S);
    ck_assert_uint_eq(asked, 1);
    sign_says = 0;
    own_signature_ring(o, 1);
    ck_assert_uint_eq(asked, 2);
    answer("one");
    expect_token("one");
}
END_TEST

START_TEST(a_reload_decides_whether_one_is_wanted)
{
    use(CONF);
    own_signature_ring(o, 1);
    use(SIGNED);
    ck_assert_uint_eq(asked, 1);
    ck_assert(!own_signature_waits(o)); /* what is served now was not signed before either */
    answer("one");
    expect_token("one");
    use(CONF);
    expect_token("");
    const struct msg_signed m = {REASON_OK, SPAN("x"), wall + LIFE, SPAN("")};
    ck_assert(!own_signature_signed(o, asked, &m));
    use(SIGNED);
    own_signature_ring(o, 2);
    ck_assert(own_signature_waits(o));
    unsigned before = changed;
    use(CONF);
    ck_assert(!own_signature_waits(o));
    ck_assert_uint_eq(changed, before + 1);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, nobody_is_asked_for_what_is_not_wanted);
    tcase_add_test(tc, the_first_document_waits_for_its_signature);
    tcase_add_test(tc, it_does_not_wait_for_ever);
    tcase_add_test(tc, another_ring_gets_another_signature);
    tcase_add_test(tc, it_is_made_anew_before_half_of_its_life);
    tcase_add_test(tc, a_wall_clock_that_is_set_makes_it_anew);
    tcase_add_test(tc, a_signer_that_refuses_is_asked_again_with_pauses);
    tcase_add_test(tc, a_signer_that_was_away_is_asked_when_it_is_back);
    tcase_add_test(tc, a_reload_decides_whether_one_is_wanted);
}

int main(void)
{
    return unit_run("own_signature", add);
}
