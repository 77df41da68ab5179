/* SPDX-License-Identifier: Apache-2.0 */
/* Who has seen which of our keys: evidence in its order, a partner's word, what is forgotten, the
 * file. And the judgement over it: who is missing, whether the next key waits. */
#include "cleanup.h"
#include "rollout.h"
#include "rollover.h"
#include "settings_of.h"
#include "signkey.h"
#include "unit.h"

#define NOW INT64_C(1800000000)

static const char world[] = "[Identity]\n"
                            "ApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
                            "Realm=contoso.com\n"
                            "Hosts=mail.contoso.com\n"
                            "[Partner a]\n"
                            "ApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
                            "Realm=a.example\n"
                            "MetadataURL=https://a.example/metadata/json/1\n"
                            "Product=s2sd\n"
                            "[Partner b]\n"
                            "ApplicationId=00000005-0000-0ff1-ce00-000000000000\n"
                            "Realm=b.example\n"
                            "MetadataURL=https://b.example/metadata/json/1\n"
                            "Product=exchange\n"
                            "[Partner off]\n"
                            "ApplicationId=00000006-0000-0ff1-ce00-000000000000\n"
                            "Realm=off.example\n"
                            "MetadataURL=https://off.example/metadata/json/1\n"
                            "Product=lync\n"
                            "Enabled=no\n";

static struct keyring ring; /* CURRENT, NEXT */
static struct settings *settings;
static struct sightings s;
static const uint8_t *current, *next; /* x5t_s256 */

static const struct cert *make_cert(const char *name)
{
    static struct signkey *keys[2]; /* as long as the process */
    static size_t n;
    ck_assert_int_eq(
        signkey_generate(name, NOW - 86400, NOW + INT64_C(86400) * 365, &keys[n]), REASON_OK);
    return signkey_cert(keys[n++]);
}

static void make_ring(void)
{
    const struct cert *two;
    const struct roll_terms terms = {0};
    struct roll_arg arg = {0};
    unsigned todo;
    ck_assert_int_eq(rollover_first(&ring, make_cert("one"), NOW), REASON_OK);
    two = make_cert("two");
    ck_assert_int_eq(cert_parse(span_bytes(two->der, two->der_len), &arg.cert), REASON_OK);
    ck_assert_int_eq(rollover_step(&ring, EVENT_STAGE, &arg, &terms, NOW, &todo), REASON_OK);
    current = keyring_current(&ring)->cert->x5t_s256;
    next = rollout_next(&ring)->cert->x5t_s256;
}

static void set_up(void)
{
    settings = settings_of(world);
    s = (struct sightings){0};
}

static void tear_down(void)
{
    settings_freep(&settings);
    sightings_done(&s);
}

static bool note(const char *partner, const uint8_t *key, enum sighting_how how, int64_t at)
{
    bool changed;
    ck_assert_int_eq(sightings_note(&s, span_of(partner), key, how, at, &changed), REASON_OK);
    return changed;
}

/* The partner says which of CURRENT and NEXT it believes. */
static bool announce(const char *partner, bool believes_next, int64_t issued_at, bool *ret_news)
{
    uint8_t list[3 * X5T_LEN] = {0};
    bool changed;
    struct sightings_word w = {.partner = span_of(partner),
        .issued_at = issued_at,
        .now = issued_at + 1,
        .x5ts = list,
        .n = believes_next ? 3 : 2};
    memcpy(list + X5T_LEN, keyring_current(&ring)->cert->x5t, X5T_LEN);
    memcpy(list + (size_t)2 * X5T_LEN, rollout_next(&ring)->cert->x5t, X5T_LEN);
    ck_assert_int_eq(sightings_announce(&s, &w, &ring, ret_news, &changed), REASON_OK);
    return changed;
}

static enum sighting_how how_of(const char *partner, const uint8_t *key)
{
    const struct sighting *k = sightings_of(&s, span_of(partner), key);
    ck_assert_ptr_nonnull(k);
    return k->how;
}

START_TEST(better_evidence_replaces_worse_and_never_the_other_way)
{
    static const enum sighting_how order[] = {
        SIGHTING_ADDRESS, SIGHTING_FETCHED, SIGHTING_CONFIRMED};
    ck_assert_ptr_null(sightings_of(&s, SPAN("a"), next));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        ck_assert(note("a", next, order[i], NOW + (int64_t)i));
        ck_assert(!note("a", next, order[i], NOW + 100)); /* the first time stays */
        ck_assert_int_eq(sightings_of(&s, SPAN("a"), next)->at, NOW + (int64_t)i);
        for (size_t j = 0; j < i; j++)
            ck_assert(!note("a", next, order[j], NOW + 200));
        ck_assert_int_eq(how_of("a", next), order[i]);
    }
    ck_assert_ptr_null(sightings_of(&s, SPAN("a"), current));
    ck_assert_ptr_null(sightings_of(&s, SPAN("b"), next));
}
END_TEST

START_TEST(only_some_evidence_counts)
{
    ck_assert(!sighting_counts(SIGHTING_ADDRESS) && !sighting_counts(SIGHTING_DOUBTED));
    ck_assert(sighting_counts(SIGHTING_FETCHED) && sighting_counts(SIGHTING_CONFIRMED) &&
              sighting_counts(SIGHTING_ANNOUNCED));
    enum sighting_how h;
    for (int i = SIGHTING_ADDRESS; i <= SIGHTING_ANNOUNCED; i++)
        ck_assert(
            sighting_how_of(span_of(sighting_how_name((enum sighting_how)i)), &h) && (int)h == i);
    ck_assert(!sighting_how_of(SPAN("seen"), &h));
}
END_TEST

/* The newest word decides; what the partner cannot know yet is no doubt. */
START_TEST(a_partners_word)
{
    bool news;
    ck_assert(announce("a", false, NOW, &news) && news);
    ck_assert_int_eq(how_of("a", current), SIGHTING_ANNOUNCED);
    ck_assert_ptr_null(sightings_of(&s, SPAN("a"), next));
    ck_assert(note("a", next, SIGHTING_FETCHED, NOW + 1));
    ck_assert(announce("a", false, NOW + 60, &news));
    ck_assert_int_eq(how_of("a", next), SIGHTING_DOUBTED);
    ck_assert_msg(!note("a", next, SIGHTING_FETCHED, NOW + 61), "one more fetch settles no doubt");
    ck_assert(announce("a", true, NOW + 120, &news));
    ck_assert_int_eq(how_of("a", next), SIGHTING_ANNOUNCED);
    ck_assert(!announce("a", true, NOW + 180, &news) && news);
    ck_assert(announce("a", false, NOW + 240, &news));
    ck_assert_int_eq(how_of("a", next), SIGHTING_DOUBTED);
    ck_assert_msg(note("a", next, SIGHTING_CONFIRMED, NOW + 241), "an administrator settles it");
    ck_assert_int_eq(sightings_partner(&s, SPAN("a"))->announced_at, NOW + 241);
}
END_TEST

/* An address is a guess; a word against it does not make the guess a fact. */
START_TEST(a_word_says_nothing_about_a_guess)
{
    bool news;
    ck_assert(note("a", next, SIGHTING_ADDRESS, NOW));
    ck_assert(announce("a", false, NOW + 1, &news)); /* CURRENT is news */
    ck_assert_int_eq(how_of("a", next), SIGHTING_ADDRESS);
}
END_TEST

START_TEST(a_repetition_changes_nothing)
{
    bool news;
    ck_assert(announce("a", true, NOW, &news) && news);
    ck_assert(!announce("a", false, NOW, &news) && !news);
    ck_assert(!announce("a", false, NOW - 1, &news) && !news);
    ck_assert_int_eq(how_of("a", next), SIGHTING_ANNOUNCED);
    ck_assert(announce("b", true, NOW, &news) && news); /* each partner for itself */
}
END_TEST

/* Both clocks were wrong once, and what was said then is later than anything that can be said now.
 */
START_TEST(a_word_from_the_future_silences_nobody)
{
    bool news;
    ck_assert(announce("a", false, NOW + INT64_C(86400) * 365, &news) && news);
    ck_assert(announce("a", true, NOW, &news) && news);
    ck_assert_int_eq(how_of("a", next), SIGHTING_ANNOUNCED);
    ck_assert(!announce("a", false, NOW, &news) && !news);
    /* A partner whose clock is ahead within the skew repeats itself as before. */
    ck_assert(announce("b", true, NOW, &news) && news);
    ck_assert(!announce("b", false, NOW - SIGHTINGS_AHEAD_S, &news) && !news);
}
END_TEST

START_TEST(what_is_gone_is_forgotten)
{
    ck_assert(note("a", next, SIGHTING_FETCHED, NOW));
    ck_assert(note("a", current, SIGHTING_FETCHED, NOW));
    ck_assert(note("b", next, SIGHTING_CONFIRMED, NOW));
    ck_assert(note("stranger", next, SIGHTING_CONFIRMED, NOW));
    ck_assert(sightings_keep(&s, settings, NULL)); /* no ring known: only the stranger goes */
    ck_assert_uint_eq(s.n, 2);
    ck_assert(!sightings_keep(&s, settings, &ring));
    struct keyring less = ring;
    less.n = 1;
    ck_assert(sightings_keep(&s, settings, &less));
    ck_assert_ptr_null(sightings_of(&s, SPAN("a"), next));
    ck_assert_int_eq(how_of("a", current), SIGHTING_FETCHED);
    less = ring;
    less.slots[0].state = KEY_RETIRED;
    ck_assert(sightings_keep(&s, settings, &less));
    ck_assert_ptr_null(sightings_of(&s, SPAN("a"), current));
}
END_TEST

START_TEST(caps)
{
    bool changed;
    char name[80];
    uint8_t key[X5T_S256_LEN] = {0};
    for (unsigned i = 0; i < KEYRING_MAX; i++) {
        key[0] = (uint8_t)i;
        ck_assert(note("a", key, SIGHTING_FETCHED, NOW));
    }
    key[0] = KEYRING_MAX;
    ck_assert_int_eq(
        sightings_note(&s, SPAN("a"), key, SIGHTING_FETCHED, NOW, &changed), REASON_TOO_LARGE);
    for (unsigned i = 1; i < SETTINGS_PARTNERS_MAX; i++) {
        snprintf(name, sizeof(name), "p%05u", i * 7919U % 100000U);
        ck_assert(note(name, key, SIGHTING_FETCHED, NOW));
    }
    ck_assert_uint_eq(s.n, SETTINGS_PARTNERS_MAX);
    for (size_t i = 1; i < s.n; i++)
        ck_assert_int_lt(strcmp(s.list[i - 1].name, s.list[i].name), 0);
    ck_assert_int_eq(
        sightings_note(&s, SPAN("z"), key, SIGHTING_FETCHED, NOW, &changed), REASON_TOO_LARGE);
    memset(name, 'n', 65);
    ck_assert_int_eq(
        sightings_note(&s, (struct span){name, 65}, key, SIGHTING_FETCHED, NOW, &changed),
        REASON_TOO_LARGE);
}
END_TEST

START_TEST(the_file_comes_back)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(SIGHTINGS_TEXT_MAX);
    CLEANUP(buf_done) struct buf again = BUF_INIT(SIGHTINGS_TEXT_MAX);
    CLEANUP(sightings_done) struct sightings back = {0};
    bool news;
    note("b", next, SIGHTING_CONFIRMED, NOW);
    note("b", current, SIGHTING_ADDRESS, NOW + 1);
    announce("a", true, NOW, &news);
    sightings_print(&s, &text);
    ck_assert(!text.failed);
    ck_assert_int_eq(sightings_scan(buf_span(&text), &back), REASON_OK);
    sightings_print(&back, &again);
    ck_assert(span_eq(buf_span(&text), buf_span(&again)));
    ck_assert_uint_eq(back.n, 2);
    ck_assert_int_eq(back.list[0].issued_at, NOW);
    for (size_t cut = 0; cut < text.n; cut++) {
        CLEANUP(sightings_done) struct sightings none = {0};
        ck_assert_int_eq(sightings_scan((struct span){text.p, cut}, &none), REASON_DOCUMENT_FORM);
    }
    text.p[text.n - 20] ^= 1;
    CLEANUP(sightings_done) struct sightings none = {0};
    ck_assert_int_eq(sightings_scan(buf_span(&text), &none), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(who_is_missing)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    ck_assert_uint_eq(rollout_missing(settings, &s, next, &lines), 2);
    buf_put_char(&lines, '\0');
    ck_assert_ptr_nonnull(strstr(lines.p, "a has not seen the key (nothing is known of it)"));
    ck_assert_ptr_nonnull(
        strstr(lines.p, "Set-PartnerApplication \"s2sd\" -RefreshAuthMetadata, then s2sctl "
                        "partners confirm b\n"));
    ck_assert_ptr_null(strstr(lines.p, "off"));
    note("a", next, SIGHTING_ADDRESS, NOW);
    note("b", next, SIGHTING_FETCHED, NOW);
    buf_reset(&lines);
    ck_assert_uint_eq(rollout_missing(settings, &s, next, &lines), 1);
    buf_put_char(&lines, '\0');
    ck_assert_ptr_nonnull(strstr(lines.p, "a has not seen the key (somebody at its address"));
    note("a", next, SIGHTING_CONFIRMED, NOW);
    ck_assert_uint_eq(rollout_missing(settings, &s, next, &lines), 0);
    ck_assert_uint_eq(rollout_missing(settings, &s, current, &lines), 2); /* each key for itself */
}
END_TEST

START_TEST(for_whom_the_next_key_waits)
{
    char why[ROLLOUT_TEXT_MAX];
    bool news;
    ck_assert(rollout_held(settings, &s, next, why)); /* b does not refresh by itself */
    ck_assert_ptr_nonnull(strstr(why, "b does not refresh by itself"));
    ck_assert_ptr_nonnull(strstr(why, "Set-PartnerApplication \"s2sd\" -RefreshAuthMetadata"));
    note("b", next, SIGHTING_ADDRESS, NOW);
    ck_assert(rollout_held(settings, &s, next, why)); /* a guess frees nothing */
    note("b", next, SIGHTING_CONFIRMED, NOW);
    ck_assert(!rollout_held(settings, &s, next, why)); /* a refreshes by itself: not waited for */
    ck_assert_str_eq(why, "");
    note("a", next, SIGHTING_FETCHED, NOW);
    announce("a", false, NOW + 1, &news);
    ck_assert(rollout_held(settings, &s, next, why));
    ck_assert_str_eq(why, "a says that it does not believe the key");
    announce("a", true, NOW + 2, &news);
    ck_assert(!rollout_held(settings, &s, next, why));
}
END_TEST

START_TEST(when_to_remind)
{
    const int64_t effective = NOW + (int64_t)40 * 86400;
    static const struct {
        int64_t now, reminded;
        bool due;
    } rows[] = {
        {NOW, 0, false}, {NOW + 10 * 86400 - 1, 0, false}, {NOW + 10 * 86400, 0, true},
        {NOW + 10 * 86400 + 1, NOW + 10 * 86400, false},
        {NOW + 11 * 86400 - 1, NOW + 10 * 86400, false}, {NOW + 11 * 86400, NOW + 10 * 86400, true},
        {NOW + 50 * 86400, NOW + 11 * 86400, true},
        {NOW + 20 * 86400, NOW + 25 * 86400, true}, /* the clock went back */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_msg(rollout_reminder_due(effective, rows[i].reminded, rows[i].now) == rows[i].due,
            "row %zu", i);
}
END_TEST

/* What the signer's machine would do, asked what if. */
START_TEST(when_it_signs_held_or_not)
{
    const int64_t day = 86400;
    struct keyring r = ring;
    r.lead_s = 2 * day;
    ck_assert_int_eq(rollout_earliest(&r), 0); /* not published */
    for (size_t i = 0; i < r.n; i++)
        r.slots[i].published_since = NOW;
    r.slots[1].effective_at = NOW + 30 * day;
    ck_assert_int_eq(rollout_earliest(&r), NOW + 2 * day);
    ck_assert_int_eq(rollout_activation(&r, false), NOW + 30 * day);
    ck_assert_int_eq(rollout_activation(&r, true), keyring_current(&r)->cert->not_after - 14 * day);
    r.slots[1].held = true; /* what the ring says of itself is not asked */
    ck_assert_int_eq(rollout_activation(&r, false), NOW + 30 * day);
    r.n = 1;
    ck_assert_int_eq(rollout_activation(&r, true), 0);
    ck_assert_int_eq(rollout_activation(NULL, true), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_ring, NULL);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, better_evidence_replaces_worse_and_never_the_other_way);
    tcase_add_test(tc, only_some_evidence_counts);
    tcase_add_test(tc, a_partners_word);
    tcase_add_test(tc, a_word_says_nothing_about_a_guess);
    tcase_add_test(tc, a_repetition_changes_nothing);
    tcase_add_test(tc, a_word_from_the_future_silences_nobody);
    tcase_add_test(tc, what_is_gone_is_forgotten);
    tcase_add_test(tc, caps);
    tcase_add_test(tc, the_file_comes_back);
    tcase_add_test(tc, who_is_missing);
    tcase_add_test(tc, for_whom_the_next_key_waits);
    tcase_add_test(tc, when_to_remind);
    tcase_add_test(tc, when_it_signs_held_or_not);
}

int main(void)
{
    return unit_run("trust_sightings", fill);
}
