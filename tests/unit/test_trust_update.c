/* SPDX-License-Identifier: Apache-2.0 */
#include "update.h"

#include "trust_fixture.h"

#include <time.h>

#define CERTS 6
#define GRACE 3600

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

START_TEST(a_new_key_is_believed_at_once)
{
    document("0", 0, T0);
    ck_assert_str_eq(keys(), "0v");
    ck_assert_str_eq(reported(), "0added");
    ck_assert(!changes.all_replaced);
    ck_assert_uint_eq(t->generation, 1);
    ck_assert_int_eq(t->good_at, T0);
    ck_assert_int_eq(t->keys[0].first_seen_at, T0);
    ck_assert_int_eq(t->keys[0].not_after, certs[0]->not_after);
    ck_assert(t->keys[0].has_x5t);
}
END_TEST

START_TEST(the_same_document_again_only_moves_the_clock)
{
    document("01", 0, T0);
    document("01", 0, T0 + 10);
    ck_assert_str_eq(reported(), "");
    ck_assert_uint_eq(t->generation, 1);
    ck_assert_int_eq(t->good_at, T0 + 10);
    ck_assert_int_eq(t->keys[0].first_seen_at, T0);
    ck_assert_int_eq(t->keys[0].last_seen_at, T0 + 10);
}
END_TEST

START_TEST(another_order_is_no_new_generation)
{
    document("01", 0, T0);
    document("10", 0, T0 + 1);
    ck_assert_str_eq(keys(), "1v 0v");
    ck_assert_uint_eq(t->generation, 1);
}
END_TEST

START_TEST(a_roll_with_overlap)
{
    document("0", 0, T0);
    document("01", 0, T0 + 1);
    ck_assert_str_eq(reported(), "1added");
    document("10", 0, T0 + 2);
    document("1", 0, T0 + 3);
    ck_assert_str_eq(reported(), "0gone");
    ck_assert_str_eq(keys(), "1v 0g");
    ck_assert_uint_eq(t->generation, 3);
    ck_assert(!changes.all_replaced);
}
END_TEST

START_TEST(a_roll_without_overlap_is_alarmed)
{
    document("01", 0, T0);
    document("2", 0, T0 + 1);
    ck_assert(changes.all_replaced);
    ck_assert_str_eq(keys(), "2v 0g 1g");
    document("23", 0, T0 + 2);
    ck_assert(!changes.all_replaced);
}
END_TEST

/* A key that was known but not believed is no overlap. */
START_TEST(a_barred_key_that_stays_hides_no_alarm)
{
    document("01", 0, T0);
    t->keys[1].state = PKEY_BARRED;
    document("21", 0, T0 + 1);
    ck_assert(changes.all_replaced);
    document("21", 0, T0 + 2);
    ck_assert(!changes.all_replaced);
}
END_TEST

START_TEST(a_vanished_key_is_honoured_for_its_grace)
{
    document("01", GRACE, T0);
    document("0", GRACE, T0 + 10);
    ck_assert_str_eq(keys(), "0v 1m");
    ck_assert_str_eq(reported(), "1missing");
    ck_assert_uint_eq(t->generation, 1); /* still usable */
    ck_assert_int_eq(t->keys[1].missing_at, T0 + 10);
    document("0", GRACE, T0 + 10 + GRACE - 1);
    ck_assert_str_eq(reported(), "");
    ck_assert_int_eq(t->keys[1].missing_at, T0 + 10);
    document("0", GRACE, T0 + 10 + GRACE);
    ck_assert_str_eq(reported(), "1gone");
    ck_assert_uint_eq(t->generation, 2);
}
END_TEST

START_TEST(a_missing_key_that_returns_is_as_before)
{
    document("01", GRACE, T0);
    document("0", GRACE, T0 + 10);
    document("01", GRACE, T0 + 20);
    ck_assert_str_eq(reported(), "1returned");
    ck_assert_str_eq(keys(), "0v 1v");
    ck_assert_uint_eq(t->generation, 1);
    ck_assert_int_eq(t->keys[1].first_seen_at, T0);
    ck_assert_int_eq(t->keys[1].missing_at, 0);
}
END_TEST

START_TEST(grace_runs_out_without_a_document)
{
    document("01", GRACE, T0);
    document("0", GRACE, T0 + 10);
    ck_assert(
        !update_tick(t, &(struct update_rules){.grace_s = GRACE}, T0 + 10 + GRACE - 1, &changes));
    ck_assert(update_tick(t, &(struct update_rules){.grace_s = GRACE}, T0 + 10 + GRACE, &changes));
    ck_assert_str_eq(reported(), "1gone");
    ck_assert_str_eq(keys(), "0v 1g");
    ck_assert_uint_eq(t->generation, 2);
    ck_assert(
        !update_tick(t, &(struct update_rules){.grace_s = GRACE}, T0 + 10 + 9 * GRACE, &changes));
    ck_assert_str_eq(reported(), "");
}
END_TEST

START_TEST(a_clock_that_goes_back_ends_no_grace)
{
    document("01", GRACE, T0);
    document("0", GRACE, T0 + 10);
    ck_assert(!update_tick(t, &(struct update_rules){.grace_s = GRACE}, T0 - 30 * DAY, &changes));
    document("0", GRACE, T0 - 30 * DAY);
    ck_assert_str_eq(keys(), "0v 1m");
}
END_TEST

/* F07: yesterday's document after a newer one. */
START_TEST(a_replayed_document_brings_no_withdrawn_key_back)
{
    document("0", 0, T0);
    document("01", 0, T0 + 10);
    document("1", 0, T0 + 20);
    document("01", 0, T0 + 30); /* the overlap, played back */
    ck_assert_str_eq(reported(), "0withheld");
    ck_assert_str_eq(keys(), "0g 1v");
    ck_assert_uint_eq(t->generation, 3);
    document("01", 0, T0 + 40);
    ck_assert_str_eq(reported(), ""); /* told once */
    ck_assert_int_eq(apply("0", 0, T0 + 50), REASON_DOCUMENT_REPLAY);
    ck_assert_str_eq(keys(), "0g 1v");
    ck_assert_int_eq(t->good_at, T0 + 40);
}
END_TEST

/* Certificate= of the configuration: the administrator may go back to an old one. */
START_TEST(an_administrators_file_may_bring_a_withdrawn_key_back)
{
    struct metadata m = {.certs = {certs[0]}, .n_certs = 1};
    document("0", 0, T0);
    document("1", 0, T0 + 10);
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = 0}, T0 + 20, &changes), REASON_OK);
    ck_assert_str_eq(reported(), "0returned 1gone");
}
END_TEST

START_TEST(a_younger_document_may_bring_a_withdrawn_key_back)
{
    document("0", 0, T0);
    document("1", 0, T0 + 10);
    document("02", 0, T0 + 20); /* 2 did not exist when 0 was withdrawn */
    ck_assert_str_eq(reported(), "0returned 2added 1gone");
    ck_assert_int_eq(t->keys[0].first_seen_at, T0 + 20);
    document("12", 0, T0 + 30); /* 2 is as old as the withdrawal of 1: proves nothing */
    ck_assert_str_eq(reported(), "1withheld 0gone");
    document("123", 0, T0 + 40);
    ck_assert_str_eq(reported(), "1returned 3added");
}
END_TEST

START_TEST(a_barred_key_stays_barred)
{
    document("01", 0, T0);
    t->keys[0].state = PKEY_BARRED;
    document("01", 0, T0 + 1);
    ck_assert_str_eq(keys(), "0b 1v");
    document("1", 0, T0 + 2);
    ck_assert_str_eq(keys(), "1v 0b");
    document("012", 0, T0 + 3);
    ck_assert_str_eq(keys(), "0b 1v 2v");
    ck_assert_uint_eq(t->generation, 2);
    ck_assert(!update_tick(t, &(struct update_rules){.grace_s = 0}, T0 + 9 * DAY, &changes));
}
END_TEST

START_TEST(a_document_of_barred_keys_changes_nothing)
{
    document("01", 0, T0);
    t->keys[0].state = PKEY_BARRED;
    ck_assert_int_eq(apply("0", 0, T0 + 1), REASON_DOCUMENT_REPLAY);
    ck_assert_str_eq(keys(), "0b 1v");
    ck_assert_int_eq(t->good_at, T0);
    ck_assert_uint_eq(t->generation, 1);
    ck_assert_str_eq(reported(), "");
}
END_TEST

START_TEST(a_new_key_read_from_a_file_is_confirmed_or_dropped)
{
    document("01", 0, T0);
    t->keys[0].state = PKEY_NEW;
    t->keys[1].state = PKEY_NEW;
    document("0", GRACE, T0 + 1);
    ck_assert_str_eq(reported(), "0valid 1dropped");
    ck_assert_int_eq(t->keys[0].first_seen_at, T0);
}
END_TEST

START_TEST(a_dispute_is_not_the_documents_business)
{
    document("01", 0, T0);
    t->keys[1].disputed = true;
    document("01", 0, T0 + 1);
    ck_assert(t->keys[1].disputed);
}
END_TEST

/* What has been away longest is forgotten first; the document always fits. */
START_TEST(too_many_keys_forget_the_oldest)
{
    struct cert *many[METADATA_KEYS_MAX];
    struct metadata m = {.n_certs = 1};
    document("0", 0, T0);
    for (int i = 1; i < CERTS; i++) {
        m.certs[0] = certs[i];
        ck_assert_int_eq(
            update_apply(t, &m, &(struct update_rules){.grace_s = 0}, T0 + i, &changes), REASON_OK);
    }
    ck_assert_str_eq(keys(), "5v 4g 3g 2g 1g 0g");
    for (unsigned i = 0; i < METADATA_KEYS_MAX; i++)
        many[i] = m.certs[i] = fixture_cert(1000 + i);
    m.n_certs = METADATA_KEYS_MAX - 2;
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = GRACE}, T0 + 10, &changes),
        REASON_OK);
    ck_assert_uint_eq(t->n_keys, PARTNER_KEYS_MAX);
    ck_assert_int_eq(index_of(t->keys[62].x5t), 5); /* in its grace */
    ck_assert_int_eq(index_of(t->keys[63].x5t), 4); /* the youngest of those gone */
    m.n_certs = METADATA_KEYS_MAX;
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = GRACE}, T0 + 11, &changes),
        REASON_OK);
    ck_assert_uint_eq(t->n_keys, PARTNER_KEYS_MAX);
    ck_assert_int_eq(t->keys[63].state, PKEY_VALID);
    ck_assert_int_eq(changes.list[changes.n - 1].kind, UPDATE_GONE);
    for (unsigned i = 0; i < METADATA_KEYS_MAX; i++)
        cert_free(many[i]);
}
END_TEST

static size_t reported_as(enum update_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < changes.n; i++)
        n += changes.list[i].kind == kind;
    return n;
}

/* The most that can happen at once: a full set is replaced, and nothing of it finds room. */
START_TEST(every_change_is_reported)
{
    struct cert *many[2 * METADATA_KEYS_MAX];
    struct metadata m = {.n_certs = METADATA_KEYS_MAX};
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        many[i] = fixture_cert(1000 + i);
    memcpy(m.certs, many, sizeof(m.certs));
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = GRACE}, T0, &changes), REASON_OK);
    memcpy(m.certs, many + METADATA_KEYS_MAX, sizeof(m.certs));
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = GRACE}, T0 + 1, &changes), REASON_OK);
    ck_assert_uint_eq(reported_as(UPDATE_ADDED), METADATA_KEYS_MAX);
    ck_assert_uint_eq(reported_as(UPDATE_MISSING), METADATA_KEYS_MAX);
    ck_assert_uint_eq(reported_as(UPDATE_GONE), METADATA_KEYS_MAX);
    for (unsigned i = 0; i < ARRAY_LEN(many); i++)
        cert_free(many[i]);
}
END_TEST

/* A key of 8192 bits that only says who it is. */
static struct cert *big_cert(unsigned seed)
{
    unsigned char n[1024];
    struct cert *c = calloc(1, sizeof(*c));
    ck_assert_ptr_nonnull(c);
    c->x5t[0] = c->x5t_s256[0] = (unsigned char)seed;
    c->not_after = T0 + DAY;
    memset(n, 0xa5, sizeof(n));
    n[500] = (unsigned char)seed;
    for (unsigned i = 1; !c->key; i += 2) {
        n[1023] = (unsigned char)i;
        n[1022] = (unsigned char)(i >> 8);
        if (pubkey_new(span_bytes(n, sizeof(n)), SPAN("\1\0\1"), &c->key) != REASON_OK)
            c->key = NULL;
    }
    return c;
}

START_TEST(what_is_known_of_a_partner_fits_into_a_frame)
{
    static uint8_t room[FRAME_MAX];
    struct metadata m = {.n_certs = 40};
    struct frame_out f;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < m.n_certs; i++)
            m.certs[i] = big_cert(i + (unsigned)round * 40);
        ck_assert_int_eq(
            update_apply(t, &m, &(struct update_rules){.grace_s = GRACE}, T0 + round, &changes),
            REASON_OK);
        for (unsigned i = 0; i < m.n_certs; i++)
            cert_free(m.certs[i]);
    }
    ck_assert_uint_eq(t->n_keys, 48); /* 40 of the document, 8 in their grace */
    frame_start(&f, room, sizeof(room), 1, 1);
    partner_trust_put(&f, t);
    ck_assert_uint_ne(frame_finish(&f), 0);
}
END_TEST

START_TEST(barred_keys_are_never_forgotten)
{
    struct cert *many[METADATA_KEYS_MAX];
    struct metadata m = {.n_certs = METADATA_KEYS_MAX};
    document("01", 0, T0);
    t->keys[0].state = PKEY_BARRED;
    for (unsigned i = 0; i < METADATA_KEYS_MAX; i++)
        many[i] = m.certs[i] = fixture_cert(1000 + i);
    ck_assert_int_eq(update_apply(t, &m, &(struct update_rules){.grace_s = 0}, T0 + 1, &changes),
        REASON_TOO_LARGE);
    ck_assert_str_eq(keys(), "0b 1v");
    m.n_certs--;
    ck_assert_int_eq(
        update_apply(t, &m, &(struct update_rules){.grace_s = 0}, T0 + 1, &changes), REASON_OK);
    ck_assert_int_eq(t->keys[63].state, PKEY_BARRED);
    for (unsigned i = 0; i < METADATA_KEYS_MAX; i++)
        cert_free(many[i]);
}
END_TEST

/* ------------------------------------------------------------------------ any order of documents
 */

static uint32_t rng;
static uint32_t roll(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 17;
    rng ^= rng << 5;
    return rng % below;
}

/* Bit i: certs[i] is believed. */
static unsigned usable(void)
{
    unsigned set = 0;
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].state == PKEY_VALID || t->keys[i].state == PKEY_MISSING)
            set |= 1u << index_of(t->keys[i].x5t);
    return set;
}

/* A key may be believed only when the last good document holds it, or within its grace. */
static void hold_promises(unsigned in_document, const int64_t *last_held, int64_t now)
{
    for (size_t i = 0; i < t->n_keys; i++) {
        int c = index_of(t->keys[i].x5t);
        bool held = in_document & (1u << c);
        ck_assert(t->keys[i].state != PKEY_VALID || held);
        ck_assert(t->keys[i].state != PKEY_MISSING || (!held && now - last_held[c] < 2 * GRACE));
        for (size_t k = 0; k < i; k++)
            ck_assert(!partner_key_same(&t->keys[i], &t->keys[k]));
    }
}

START_TEST(any_order_of_documents_holds_the_promises)
{
    const char *given = getenv("UPDATE_SEED");
    uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL);
    printf("update: seed %u (UPDATE_SEED=)\n", seed);
    rng = seed | 1;
    for (int round = 0; round < 200; round++) {
        int64_t now = T0, last_held[CERTS] = {0};
        unsigned held = 0;
        partner_trust_done(t);
        t->name = strdup("exch");
        for (int step = 0; step < 50; step++) {
            unsigned before = usable(), set = 1 + roll((1u << CERTS) - 1);
            uint64_t generation = t->generation;
            char which[CERTS + 1];
            size_t n = 0;
            int64_t grace = roll(2) * GRACE;
            const struct update_rules rules = {
                .grace_s = grace, .hold_down_s = roll(2) * GRACE, .approved = roll(8) == 0};
            now += roll(GRACE / 2);
            for (int c = 0; c < CERTS; c++)
                if (set & (1u << c))
                    which[n++] = (char)('0' + c);
            which[n] = '\0';
            if (roll(4) == 0)
                update_tick(t, &rules, now, &changes);
            else if (held && roll(4) == 0)
                update_confirm(t, &rules, now, &changes);
            else if (apply_by(which, &rules, now) == REASON_OK)
                held = set;
            for (int c = 0; c < CERTS; c++)
                if (held & (1u << c))
                    last_held[c] = now;
            update_tick(t, &(struct update_rules){.grace_s = GRACE}, now, &changes);
            hold_promises(held, last_held, now);
            ck_assert_int_eq(usable() != before, t->generation != generation);
        }
    }
}
END_TEST

/* HoldDown= */

#define HOLD (2 * DAY)
static const struct update_rules plain, careful = {.hold_down_s = HOLD},
                                        vouched = {.approved = true};

static void known(const char *which, int64_t now)
{
    ck_assert_int_eq(apply_by(which, &careful, now), REASON_OK);
}

/* Whoever makes the entry compares the first document; there is nothing to go on with. */
START_TEST(the_first_document_is_believed_at_once)
{
    known("01", T0);
    ck_assert_str_eq(keys(), "0v 1v");
    ck_assert_str_eq(reported(), "0added 1added");
}
END_TEST

START_TEST(a_new_key_is_believed_after_its_hold_down)
{
    known("0", T0);
    known("01", T0 + 10);
    ck_assert_str_eq(keys(), "0v 1n");
    ck_assert_str_eq(reported(), "1new");
    ck_assert_uint_eq(t->generation, 1);
    ck_assert_int_eq(update_believed_from(&t->keys[1], &careful), T0 + 10 + HOLD);
    known("01", T0 + 10 + HOLD - 1);
    ck_assert_str_eq(keys(), "0v 1n");
    ck_assert(!update_tick(t, &careful, T0 + 10 + 9 * HOLD, &changes)); /* time is no document */
    known("01", T0 + 10 + HOLD);
    ck_assert_str_eq(reported(), "1valid");
    ck_assert_uint_eq(t->generation, 2);
    ck_assert_int_eq(t->keys[1].first_seen_at, T0 + 10);
    ck_assert_int_eq(update_believed_from(&t->keys[1], &careful), 0);
}
END_TEST

START_TEST(not_modified_lets_the_hold_down_end_too)
{
    known("0", T0);
    known("01", T0 + 10);
    ck_assert(!update_confirm(t, &careful, T0 + 10 + HOLD - 1, &changes));
    ck_assert_int_eq(t->good_at, T0 + 10 + HOLD - 1);
    ck_assert(update_confirm(t, &careful, T0 + 10 + HOLD, &changes));
    ck_assert_str_eq(reported(), "1valid");
    ck_assert_str_eq(keys(), "0v 1v");
}
END_TEST

START_TEST(a_key_seen_once_starts_its_hold_down_anew)
{
    known("0", T0);
    known("01", T0 + 10);
    known("0", T0 + 20);
    ck_assert_str_eq(reported(), "1dropped");
    ck_assert_str_eq(keys(), "0v");
    known("01", T0 + 10 + HOLD);
    ck_assert_str_eq(keys(), "0v 1n");
}
END_TEST

/* A site that was taken over cannot take the believed keys away at once either. */
START_TEST(a_document_of_new_keys_replaces_nothing_before_its_time)
{
    known("0", T0);
    ck_assert_int_eq(apply_by("1", &careful, T0 + 10), REASON_DOCUMENT_HELD);
    ck_assert_str_eq(keys(), "0v 1n");
    ck_assert_str_eq(reported(), "1new");
    ck_assert_int_eq(t->good_at, T0);
    ck_assert_int_eq(apply_by("1", &careful, T0 + 10 + HOLD - 1), REASON_DOCUMENT_HELD);
    known("1", T0 + 10 + HOLD);
    ck_assert_str_eq(keys(), "1v 0g");
    ck_assert(changes.all_replaced);
}
END_TEST

START_TEST(a_held_down_key_that_leaves_with_its_document_is_dropped)
{
    known("0", T0);
    ck_assert_int_eq(apply_by("1", &careful, T0 + 10), REASON_DOCUMENT_HELD);
    ck_assert_int_eq(apply_by("2", &careful, T0 + 20), REASON_DOCUMENT_HELD);
    ck_assert_str_eq(keys(), "0v 2n");
    ck_assert_str_eq(reported(), "1dropped 2new");
    ck_assert(!update_confirm(t, &careful, T0 + 30, &changes)); /* the last good one again */
    ck_assert_str_eq(keys(), "0v");
    ck_assert_str_eq(reported(), "2dropped");
}
END_TEST

/* R37: a key that nobody believes yet proves nothing about its document. */
START_TEST(a_held_down_key_brings_no_withdrawn_one_back)
{
    known("01", T0);
    known("0", T0 + 10);
    known("012", T0 + 20);
    ck_assert_str_eq(keys(), "0v 1g 2n");
    ck_assert_str_eq(reported(), "1withheld 2new");
}
END_TEST

START_TEST(an_approval_ends_waiting_and_withholding)
{
    struct update_rules rules = careful;
    known("01", T0);
    known("0", T0 + 10);
    known("012", T0 + 20);
    rules.approved = true;
    ck_assert_int_eq(apply_by("012", &rules, T0 + 30), REASON_OK);
    ck_assert_str_eq(keys(), "0v 1v 2v");
    ck_assert_str_eq(reported(), "1returned 2valid");
}
END_TEST

/* Documents that flap between servers of a partner. */

START_TEST(a_rollover_that_flapped_recovers_by_itself)
{
    document("0", 0, T0);
    document("01", 0, T0 + 10);
    document("0", 0, T0 + 20);
    document("01", 0, T0 + 30);
    ck_assert_str_eq(keys(), "0v 1g");
    ck_assert_int_eq(update_believed_from(&t->keys[1], &plain), T0 + 30 + UPDATE_RETURN_AFTER_S);
    ck_assert_int_eq(apply("1", 0, T0 + 40), REASON_DOCUMENT_REPLAY);
    ck_assert_int_eq(apply("1", 0, T0 + 30 + UPDATE_RETURN_AFTER_S - 1), REASON_DOCUMENT_REPLAY);
    ck_assert_str_eq(keys(), "0v 1g"); /* nothing is lost meanwhile */
    ck_assert_int_eq(t->good_at, T0 + 30);
    document("1", 0, T0 + 30 + UPDATE_RETURN_AFTER_S);
    ck_assert_str_eq(keys(), "1v 0g");
    ck_assert_str_eq(reported(), "1returned 0gone");
    ck_assert(changes.all_replaced);
}
END_TEST

START_TEST(an_approval_recovers_it_at_once)
{
    document("0", 0, T0);
    document("01", 0, T0 + 10);
    document("0", 0, T0 + 20);
    ck_assert_int_eq(apply("1", 0, T0 + 40), REASON_DOCUMENT_REPLAY);
    ck_assert_int_eq(apply_by("1", &vouched, T0 + 41), REASON_OK);
    ck_assert_str_eq(keys(), "1v 0g");
}
END_TEST

/* An old copy that is shown now and then never stands long enough. */
START_TEST(a_key_that_comes_and_goes_starts_over)
{
    document("0", 0, T0);
    document("01", 0, T0 + 10);
    document("0", 0, T0 + 20);
    for (int day = 1; day < 10; day++) {
        document("01", 0, T0 + day * DAY);
        document("0", 0, T0 + day * DAY + DAY / 2);
    }
    ck_assert_str_eq(keys(), "0v 1g");
    ck_assert_int_eq(t->keys[1].returning_at, 0);
    ck_assert_int_eq(apply("1", 0, T0 + 20 * DAY), REASON_DOCUMENT_REPLAY);
    ck_assert(!update_confirm(t, &plain, T0 + 21 * DAY, &changes));
    ck_assert_int_eq(apply("1", 0, T0 + 22 * DAY - 1), REASON_DOCUMENT_REPLAY);
}
END_TEST

START_TEST(not_modified_counts_as_standing_too)
{
    document("0", 0, T0);
    document("01", 0, T0 + 10);
    document("0", 0, T0 + 20);
    document("01", 0, T0 + 30);
    ck_assert(!update_confirm(t, &plain, T0 + 30 + UPDATE_RETURN_AFTER_S - 1, &changes));
    ck_assert(update_confirm(t, &plain, T0 + 30 + UPDATE_RETURN_AFTER_S, &changes));
    ck_assert_str_eq(reported(), "1returned");
    ck_assert_str_eq(keys(), "0v 1v");
}
END_TEST

/* Orders of an administrator. */

START_TEST(a_key_is_barred_and_unbarred)
{
    static const struct {
        enum partner_key_state from;
        bool published, bar;
        enum partner_key_state to;
        bool changes;
    } rows[] = {
        {PKEY_VALID, true, true, PKEY_BARRED, true},
        {PKEY_MISSING, false, true, PKEY_BARRED, true},
        {PKEY_NEW, true, true, PKEY_BARRED, true},
        {PKEY_GONE, true, true, PKEY_BARRED, true},
        {PKEY_BARRED, true, true, PKEY_BARRED, false},
        {PKEY_BARRED, true, false, PKEY_VALID, true},
        {PKEY_BARRED, false, false, PKEY_GONE, true},
        {PKEY_VALID, true, false, PKEY_VALID, false},
        {PKEY_GONE, false, false, PKEY_GONE, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        partner_trust_done(t);
        t->name = strdup("exch");
        document("0", 0, T0);
        struct partner_key *k = &t->keys[0];
        k->state = rows[i].from;
        k->published = rows[i].published;
        ck_assert_int_eq(update_bar(t, k, rows[i].bar, T0 + 5, &changes), rows[i].changes);
        ck_assert_int_eq(k->state, rows[i].to);
        ck_assert_uint_eq(t->generation, rows[i].changes ? 2 : 1);
        ck_assert_uint_eq(changes.n, rows[i].changes);
        if (rows[i].changes && rows[i].to == PKEY_GONE)
            ck_assert_int_eq(k->missing_at, T0 + 5);
    }
}
END_TEST

START_TEST(not_even_an_approval_unbars_a_key)
{
    document("01", 0, T0);
    ck_assert(update_bar(t, &t->keys[0], true, T0 + 1, &changes));
    ck_assert_str_eq(reported(), "0barred");
    ck_assert_int_eq(apply_by("01", &vouched, T0 + 2), REASON_OK);
    ck_assert_int_eq(apply_by("0", &vouched, T0 + 3), REASON_DOCUMENT_REPLAY);
    ck_assert(!update_confirm(t, &vouched, T0 + 9 * DAY, &changes));
    ck_assert_str_eq(keys(), "0b 1v");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_new_key_is_believed_at_once);
    tcase_add_test(tc, the_same_document_again_only_moves_the_clock);
    tcase_add_test(tc, another_order_is_no_new_generation);
    tcase_add_test(tc, a_roll_with_overlap);
    tcase_add_test(tc, a_roll_without_overlap_is_alarmed);
    tcase_add_test(tc, a_barred_key_that_stays_hides_no_alarm);
    tcase_add_test(tc, a_vanished_key_is_honoured_for_its_grace);
    tcase_add_test(tc, a_missing_key_that_returns_is_as_before);
    tcase_add_test(tc, grace_runs_out_without_a_document);
    tcase_add_test(tc, a_clock_that_goes_back_ends_no_grace);
    tcase_add_test(tc, a_replayed_document_brings_no_withdrawn_key_back);
    tcase_add_test(tc, an_administrators_file_may_bring_a_withdrawn_key_back);
    tcase_add_test(tc, a_younger_document_may_bring_a_withdrawn_key_back);
    tcase_add_test(tc, a_barred_key_stays_barred);
    tcase_add_test(tc, a_document_of_barred_keys_changes_nothing);
    tcase_add_test(tc, a_new_key_read_from_a_file_is_confirmed_or_dropped);
    tcase_add_test(tc, a_dispute_is_not_the_documents_business);
    tcase_add_test(tc, too_many_keys_forget_the_oldest);
    tcase_add_test(tc, every_change_is_reported);
    tcase_add_test(tc, what_is_known_of_a_partner_fits_into_a_frame);
    tcase_add_test(tc, barred_keys_are_never_forgotten);
    tcase_add_test(tc, any_order_of_documents_holds_the_promises);
    tcase_add_test(tc, the_first_document_is_believed_at_once);
    tcase_add_test(tc, a_new_key_is_believed_after_its_hold_down);
    tcase_add_test(tc, not_modified_lets_the_hold_down_end_too);
    tcase_add_test(tc, a_key_seen_once_starts_its_hold_down_anew);
    tcase_add_test(tc, a_document_of_new_keys_replaces_nothing_before_its_time);
    tcase_add_test(tc, a_held_down_key_that_leaves_with_its_document_is_dropped);
    tcase_add_test(tc, a_held_down_key_brings_no_withdrawn_one_back);
    tcase_add_test(tc, an_approval_ends_waiting_and_withholding);
    tcase_add_test(tc, a_rollover_that_flapped_recovers_by_itself);
    tcase_add_test(tc, an_approval_recovers_it_at_once);
    tcase_add_test(tc, a_key_that_comes_and_goes_starts_over);
    tcase_add_test(tc, not_modified_counts_as_standing_too);
    tcase_add_test(tc, a_key_is_barred_and_unbarred);
    tcase_add_test(tc, not_even_an_approval_unbars_a_key);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_update", add);
}
