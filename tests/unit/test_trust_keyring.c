/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include "sealed_text.h"

#include "trust_fixture.h"

#include <time.h>

#define CERTS 12
#define KEEP (8 * 3600)

static struct cert *certs[CERTS];

static void make_certs(void)
{
    for (unsigned i = 0; i < CERTS; i++)
        certs[i] = fixture_cert(i);
}

static void free_certs(void)
{
    for (unsigned i = 0; i < CERTS; i++)
        cert_freep(&certs[i]);
}

static bool set(struct keyring *r, int current, int next, int64_t keep, int64_t now)
{
    bool changed = false;
    ck_assert_int_eq(
        keyring_set(r, certs[current], next < 0 ? NULL : certs[next], keep, now, &changed),
        REASON_OK);
    return changed;
}

/* "0c 1n 2p": which certificate stands where, in order of publication. */
static const char *shape(const struct keyring *r)
{
    static char text[KEYRING_MAX * 4 + 1];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < r->n; i++)
        for (int c = 0; c < CERTS; c++)
            if (memcmp(r->slots[i].cert->x5t, certs[c]->x5t, X5T_LEN) == 0)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%c", i ? " " : "", c,
                    key_state_name(r->slots[i].state)[0]);
    return text;
}

START_TEST(the_first_key_signs_at_once)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    ck_assert_ptr_null(keyring_current(&r));
    ck_assert(set(&r, 0, -1, KEEP, T0));
    ck_assert_str_eq(shape(&r), "0c");
    ck_assert_uint_eq(r.generation, 1);
    ck_assert_ptr_eq(keyring_current(&r), &r.slots[0]);
    ck_assert_ptr_ne(r.slots[0].cert, certs[0]);
}
END_TEST

START_TEST(nothing_new_changes_nothing)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, 1, KEEP, T0);
    uint64_t generation = r.generation;
    ck_assert(!set(&r, 0, 1, KEEP, T0 + 100));
    ck_assert_uint_eq(r.generation, generation);
    ck_assert_int_eq(r.slots[0].since, T0);
}
END_TEST

START_TEST(next_is_announced_then_signs_and_the_old_key_is_kept)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, -1, KEEP, T0);
    ck_assert(set(&r, 0, 1, KEEP, T0 + 10));
    ck_assert_str_eq(shape(&r), "0c 1n");
    ck_assert(keyring_published(&r, r.generation, T0 + 11));
    ck_assert(set(&r, 1, -1, KEEP, T0 + DAY));
    ck_assert_str_eq(shape(&r), "1c 0p");
    ck_assert_int_eq(r.slots[0].published_since, T0 + 11);
    ck_assert_int_eq(r.slots[0].since, T0 + DAY);
    ck_assert_int_eq(r.slots[1].until, T0 + DAY + KEEP);
    ck_assert(!keyring_tick(&r, T0 + DAY + KEEP - 1));
    ck_assert_str_eq(shape(&r), "1c 0p");
    uint64_t generation = r.generation;
    ck_assert(keyring_tick(&r, T0 + DAY + KEEP));
    ck_assert_str_eq(shape(&r), "1c");
    ck_assert_uint_eq(r.generation, generation + 1);
}
END_TEST

START_TEST(a_next_that_never_signed_is_dropped_at_once)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, 1, KEEP, T0);
    ck_assert(set(&r, 0, 2, KEEP, T0 + 1));
    ck_assert_str_eq(shape(&r), "0c 2n");
}
END_TEST

/* A roll taken back: the key that signed in between and then stands by as next has tokens in the
 * world, so withdrawing the announcement must not withdraw it from the document. */
START_TEST(a_next_that_has_signed_is_kept_until_its_tokens_end)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, 1, KEEP, T0);
    set(&r, 1, 0, KEEP, T0 + 10);
    ck_assert_str_eq(shape(&r), "1c 0n");
    ck_assert(set(&r, 1, -1, KEEP, T0 + 20));
    ck_assert_str_eq(shape(&r), "1c 0p");
    ck_assert(keyring_tick(&r, T0 + 10 + KEEP));
    ck_assert_str_eq(shape(&r), "1c");
}
END_TEST

START_TEST(a_previous_key_may_sign_again)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, -1, KEEP, T0);
    set(&r, 1, -1, KEEP, T0 + 1);
    set(&r, 0, -1, KEEP, T0 + 2);
    ck_assert_str_eq(shape(&r), "0c 1p");
    ck_assert_int_eq(r.slots[0].until, 0); /* it has no end again */
    ck_assert(!keyring_tick(&r, T0 + 1 + KEEP));
    ck_assert_str_eq(shape(&r), "0c 1p");
}
END_TEST

START_TEST(next_equal_to_current_is_no_next)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, 0, KEEP, T0);
    ck_assert_str_eq(shape(&r), "0c");
}
END_TEST

START_TEST(with_nothing_to_keep_the_old_key_goes_at_once)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, -1, 0, T0);
    set(&r, 1, -1, 0, T0 + 1);
    ck_assert_str_eq(shape(&r), "1c");
}
END_TEST

START_TEST(a_full_ring_gives_up_the_key_that_ends_first)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    for (int i = 0; i < 9; i++)
        set(&r, i, -1, KEEP, T0 + i);
    ck_assert_str_eq(shape(&r), "8c 7p 6p 5p 4p 3p 2p 1p");
    set(&r, 8, 9, KEEP, T0 + 20);
    ck_assert_str_eq(shape(&r), "8c 9n 7p 6p 5p 4p 3p 2p");
    set(&r, 10, 11, KEEP, T0 + 30);
    ck_assert_str_eq(shape(&r), "10c 11n 8p 7p 6p 5p 4p 3p");
}
END_TEST

START_TEST(a_clock_that_goes_back_changes_nothing)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, -1, KEEP, T0);
    set(&r, 1, -1, KEEP, T0 + 10);
    ck_assert(!keyring_tick(&r, T0 - 400 * DAY));
    ck_assert(!set(&r, 1, -1, KEEP, T0 - 400 * DAY));
    ck_assert_str_eq(shape(&r), "1c 0p");
}
END_TEST

START_TEST(only_the_ring_that_is_served_counts_as_published)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    set(&r, 0, 1, KEEP, T0);
    uint64_t served = r.generation;
    set(&r, 0, 2, KEEP, T0 + 1);
    ck_assert(!keyring_published(&r, served, T0 + 2));
    ck_assert_int_eq(r.slots[1].published_since, 0);
    ck_assert(keyring_published(&r, r.generation, T0 + 3));
    ck_assert_int_eq(r.slots[0].published_since, T0 + 3);
    ck_assert(!keyring_published(&r, r.generation, T0 + 9));
    ck_assert_int_eq(r.slots[1].published_since, T0 + 3);
    ck_assert_uint_eq(r.generation, served + 1);
}
END_TEST

START_TEST(publication_begins_with_the_signing_key)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    const struct cert *out[KEYRING_MAX];
    set(&r, 0, -1, KEEP, T0);
    set(&r, 1, 2, KEEP, T0 + 1);
    ck_assert_uint_eq(keyring_published_certs(&r, out), 3);
    ck_assert_mem_eq(out[0]->x5t, certs[1]->x5t, X5T_LEN);
    ck_assert_mem_eq(out[1]->x5t, certs[2]->x5t, X5T_LEN);
    ck_assert_mem_eq(out[2]->x5t, certs[0]->x5t, X5T_LEN);
}
END_TEST

/* A small generator of our own: the same seed gives the same sequence everywhere. */
static uint32_t rng;
static uint32_t roll(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 17;
    rng ^= rng << 5;
    return rng % below;
}

/* What the ring promises, from outside: by what was asked for, not by how it is stored. */
static void hold_promises(const struct keyring *r, int signing, int64_t now)
{
    size_t current = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct ring_slot *s = &r->slots[i];
        current += s->state == KEY_CURRENT;
        ck_assert_int_ne(s->state, KEY_RETIRED);
        if (s->state == KEY_PREVIOUS)
            ck_assert_int_gt(s->until, now);
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(s->cert->x5t, r->slots[k].cert->x5t, X5T_LEN);
    }
    ck_assert_uint_eq(current, 1);
    ck_assert_uint_le(r->n, KEYRING_MAX);
    ck_assert_int_eq(r->slots[0].state, KEY_CURRENT);
    ck_assert_mem_eq(r->slots[0].cert->x5t, certs[signing]->x5t, X5T_LEN);
}

START_TEST(any_sequence_holds_the_promises)
{
    const char *given = getenv("KEYRING_SEED");
    uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL);
    printf("keyring: seed %u (KEYRING_SEED=)\n", seed);
    rng = seed | 1;
    for (int round = 0; round < 100; round++) {
        CLEANUP(keyring_done) struct keyring r = {0};
        int64_t now = T0;
        int signing = (int)roll(CERTS);
        set(&r, signing, -1, KEEP, now);
        for (int i = 0; i < 100; i++) {
            uint64_t generation = r.generation;
            bool changed;
            now += roll(3 * 3600);
            if (roll(3) == 0) {
                changed = keyring_tick(&r, now);
            } else {
                signing = (int)roll(CERTS);
                /* a tick belongs to each event, as in the signer */
                changed = set(&r, signing, (int)roll(CERTS + 1) - 1, roll(2) * KEEP, now);
            }
            keyring_published(&r, r.generation, now);
            hold_promises(&r, signing, now);
            ck_assert_uint_eq(r.generation, generation + changed);
        }
    }
}
END_TEST

static void fill(struct keyring *r)
{
    set(r, 0, -1, KEEP, T0);
    keyring_published(r, 1, T0 + 5);
    set(r, 1, 2, KEEP, T0 + 10);
}

static void same(const struct keyring *a, const struct keyring *b)
{
    ck_assert_uint_eq(a->n, b->n);
    ck_assert_uint_eq(a->generation, b->generation);
    for (size_t i = 0; i < a->n; i++) {
        ck_assert_int_eq(a->slots[i].state, b->slots[i].state);
        ck_assert_int_eq(a->slots[i].since, b->slots[i].since);
        ck_assert_int_eq(a->slots[i].published_since, b->slots[i].published_since);
        ck_assert_int_eq(a->slots[i].until, b->slots[i].until);
        ck_assert_uint_eq(a->slots[i].cert->der_len, b->slots[i].cert->der_len);
        ck_assert_mem_eq(a->slots[i].cert->der, b->slots[i].cert->der, a->slots[i].cert->der_len);
    }
}

static void print(const struct keyring *r, struct buf *out)
{
    *out = BUF_INIT(1024 * 1024);
    keyring_print(r, out);
    ck_assert(!out->failed);
}

START_TEST(what_is_printed_is_read_back)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf text = {0};
    fill(&r);
    print(&r, &text);
    ck_assert_ptr_nonnull(strstr(text.p, "[previous]\nThumbprint="));
    ck_assert_ptr_nonnull(strstr(text.p, "Until=1767254410 2026-01-01T08:00:10Z\n"));
    ck_assert_int_eq(keyring_scan(buf_span(&text), &back), REASON_OK);
    same(&r, &back);
}
END_TEST

START_TEST(an_empty_ring_is_read_back)
{
    CLEANUP(keyring_done) struct keyring r = {.generation = 7};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf text = {0};
    print(&r, &text);
    ck_assert_int_eq(keyring_scan(buf_span(&text), &back), REASON_OK);
    same(&r, &back);
}
END_TEST

START_TEST(a_damaged_text_is_refused)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf text = {0};
    fill(&r);
    print(&r, &text);
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] ^= 0x20; /* the flip that changes the case of a letter */
        ck_assert_int_eq(keyring_scan(buf_span(&text), &back), REASON_KEY_FORM);
        text.p[i] ^= 0x20;
        ck_assert_int_eq(keyring_scan((struct span){text.p, i}, &back), REASON_KEY_FORM);
    }
    ck_assert_uint_eq(back.n, 0);
}
END_TEST

/* A ninth key in a file that is sealed properly. */
START_TEST(nine_keys_are_refused)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring other = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf full = {0};
    CLEANUP(buf_done) struct buf more = {0};
    CLEANUP(buf_done) struct buf body = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(65536);
    for (int i = 0; i < KEYRING_MAX; i++)
        set(&r, i, -1, KEEP, T0 + i);
    set(&other, 8, 9, KEEP, T0);
    print(&r, &full);
    print(&other, &more);
    ck_assert_int_eq(keyring_scan(buf_span(&full), &back), REASON_OK);
    keyring_done(&back);
    buf_printf(&body, "Generation=1\nKeys=9\n%s%s", strstr(full.p, "\n[current]"),
        strstr(more.p, "\n[next]"));
    sealed_put(&sealed, "s2sd key ring 1", NULL, buf_span(&body));
    ck_assert_int_eq(keyring_scan(buf_span(&sealed), &back), REASON_KEY_FORM);
}
END_TEST

static size_t frame(const struct keyring *r, uint8_t *room)
{
    struct frame_out f;
    frame_start(&f, room, FRAME_MAX, 1, 1);
    keyring_put(&f, r);
    return frame_finish(&f);
}

START_TEST(a_frame_carries_the_ring)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    fill(&r);
    size_t n = frame(&r, room);
    struct frame_in f;
    ck_assert(frame_open(&f, room, n));
    ck_assert_int_eq(keyring_get(&f, &back), REASON_OK);
    ck_assert(frame_end(&f));
    same(&r, &back);
}
END_TEST

START_TEST(a_frame_cut_anywhere_is_refused)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    fill(&r);
    size_t n = frame(&r, room);
    for (size_t cut = FRAME_HEAD; cut < n; cut++) {
        struct frame_in f;
        ck_assert(frame_open(&f, room, cut));
        ck_assert_int_ne(keyring_get(&f, &back), REASON_OK);
    }
    ck_assert_uint_eq(back.n, 0);
}
END_TEST

/* Who reads x5t could not tell them apart. */
START_TEST(two_certificates_of_one_thumbprint_are_refused)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    struct cert twin = *certs[1];
    bool changed;
    memcpy(twin.x5t, certs[0]->x5t, X5T_LEN);
    set(&r, 0, 2, KEEP, T0);
    ck_assert_int_eq(keyring_set(&r, &twin, NULL, KEEP, T0 + 1, &changed), REASON_KEY_FORM);
    ck_assert_int_eq(keyring_set(&r, certs[2], &twin, KEEP, T0 + 1, &changed), REASON_KEY_FORM);
    ck_assert_str_eq(shape(&r), "0c 2n");
    keyring_done(&r);
    ck_assert_int_eq(keyring_set(&r, certs[0], &twin, KEEP, T0 + 1, &changed), REASON_KEY_FORM);
    ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(nine_keys_in_a_frame_are_refused)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(keyring_done) struct keyring back = {0};
    struct frame_out f;
    struct frame_in in;
    frame_start(&f, room, sizeof(room), 1, 1);
    frame_put_u64(&f, 1);
    frame_put_u32(&f, KEYRING_MAX + 1);
    for (int i = 0; i <= KEYRING_MAX; i++) {
        frame_put_u8(&f, i == 0 ? KEY_CURRENT : KEY_PREVIOUS);
        for (int k = 0; k < 3; k++)
            frame_put_i64(&f, T0);
        frame_put_span(&f, (struct span){certs[i]->der, certs[i]->der_len});
    }
    ck_assert(frame_open(&in, room, frame_finish(&f)));
    ck_assert_int_eq(keyring_get(&in, &back), REASON_KEY_FORM);
    ck_assert_uint_eq(in.at, FRAME_HEAD + 12); /* not one of them was read */
}
END_TEST

/* Rings that no lawful signer writes; the last holds one certificate in two slots. */
START_TEST(an_unsound_ring_is_refused)
{
    static uint8_t room[FRAME_MAX];
    const int states[][3] = {{KEY_CURRENT, KEY_CURRENT, KEY_NEXT},
        {KEY_PREVIOUS, KEY_NEXT, KEY_PREVIOUS}, {KEY_CURRENT, KEY_NEXT, KEY_NEXT},
        {KEY_CURRENT, KEY_NEXT, KEY_RETIRED}, {KEY_CURRENT, KEY_NEXT, 200},
        {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS}};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        CLEANUP(keyring_done) struct keyring back = {0};
        struct keyring r = {.n = 3};
        struct frame_in f;
        for (size_t k = 0; k < 3; k++)
            r.slots[k] =
                (struct ring_slot){.state = (enum key_state)states[i][k], .cert = certs[k]};
        if (i == ARRAY_LEN(states) - 1)
            r.slots[2].cert = certs[0];
        ck_assert(frame_open(&f, room, frame(&r, room)));
        ck_assert_int_eq(keyring_get(&f, &back), REASON_KEY_FORM);
    }
}
END_TEST

/* A body that somebody sealed again with the right digest: the lines themselves must be right. */
static const struct {
    const char *find, *put;
} edits[] = {
    {"Keys=3\n", "Keys=2\n"},
    {"Keys=3\n", "Keys=4\n"},
    {"Keys=3\n", "Keys=9\n"},
    {"Keys=3\n", "Keys=-1\n"},
    {"[current]\nThumbprint=", "[current]\nThumbprint=A"},
    {"[current]", "[next]"},
    {"[current]", "[retired]"},
    {"[current]", "[currents]"},
    {"NotBefore=1764633600 2025-12-02T00:00:00Z", "NotBefore=1764633601 2025-12-02T00:00:01Z"},
    {"Since=1767225610 2026-01-01T00:00:10Z", "Since=1767225610 2026-01-01T00:00:11Z"},
    {"-----BEGIN CERTIFICATE-----\n", ""},
    {"-----END CERTIFICATE-----\n", ""},
};

START_TEST(a_line_of_another_form_is_refused)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf edited = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(65536);
    struct span body;
    fill(&r);
    print(&r, &text);
    ck_assert_int_eq(sealed_open(buf_span(&text), "s2sd key ring 1", NULL, &body), REASON_OK);
    const char *at = strstr(body.p, edits[_i].find);
    ck_assert_ptr_nonnull(at);
    buf_put(&edited, body.p, (size_t)(at - body.p));
    buf_printf(&edited, "%s%s", edits[_i].put, at + strlen(edits[_i].find));
    sealed_put(&sealed, "s2sd key ring 1", NULL, buf_span(&edited));
    ck_assert_msg(keyring_scan(buf_span(&sealed), &back) == REASON_KEY_FORM, "%s", edits[_i].put);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, make_certs, free_certs);
    tcase_add_test(tc, the_first_key_signs_at_once);
    tcase_add_test(tc, nothing_new_changes_nothing);
    tcase_add_test(tc, next_is_announced_then_signs_and_the_old_key_is_kept);
    tcase_add_test(tc, a_next_that_never_signed_is_dropped_at_once);
    tcase_add_test(tc, a_next_that_has_signed_is_kept_until_its_tokens_end);
    tcase_add_test(tc, a_previous_key_may_sign_again);
    tcase_add_test(tc, next_equal_to_current_is_no_next);
    tcase_add_test(tc, with_nothing_to_keep_the_old_key_goes_at_once);
    tcase_add_test(tc, a_full_ring_gives_up_the_key_that_ends_first);
    tcase_add_test(tc, a_clock_that_goes_back_changes_nothing);
    tcase_add_test(tc, only_the_ring_that_is_served_counts_as_published);
    tcase_add_test(tc, publication_begins_with_the_signing_key);
    tcase_add_test(tc, any_sequence_holds_the_promises);
    tcase_add_test(tc, what_is_printed_is_read_back);
    tcase_add_test(tc, an_empty_ring_is_read_back);
    tcase_add_test(tc, a_damaged_text_is_refused);
    tcase_add_test(tc, nine_keys_are_refused);
    tcase_add_test(tc, a_frame_carries_the_ring);
    tcase_add_test(tc, a_frame_cut_anywhere_is_refused);
    tcase_add_test(tc, two_certificates_of_one_thumbprint_are_refused);
    tcase_add_test(tc, nine_keys_in_a_frame_are_refused);
    tcase_add_test(tc, an_unsound_ring_is_refused);
    tcase_add_loop_test(tc, a_line_of_another_form_is_refused, 0, ARRAY_LEN(edits));
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_keyring", add);
}
