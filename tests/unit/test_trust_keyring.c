/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include "sealed_text.h"

#include "trust_fixture.h"

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

/* Puts a copy of a certificate into the ring. */
static void put(struct keyring *r, enum key_state state, int cert, int64_t since)
{
    struct ring_slot *slot = &r->slots[r->n++];
    *slot = (struct ring_slot){.state = state, .since = since};
    ck_assert_int_eq(
        cert_parse(span_bytes(certs[cert]->der, certs[cert]->der_len), &slot->cert), REASON_OK);
    if (state == KEY_PREVIOUS)
        slot->until = since + KEEP;
    keyring_sort(r);
}

START_TEST(publication_begins_with_the_signing_key)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    const struct cert *out[KEYRING_MAX];
    put(&r, KEY_PREVIOUS, 0, T0);
    put(&r, KEY_RETIRED, 3, T0);
    put(&r, KEY_NEXT, 2, T0 + 1);
    put(&r, KEY_CURRENT, 1, T0 + 1);
    ck_assert_uint_eq(keyring_published_certs(&r, out), 3);
    ck_assert_mem_eq(out[0]->x5t, certs[1]->x5t, X5T_LEN);
    ck_assert_mem_eq(out[1]->x5t, certs[2]->x5t, X5T_LEN);
    ck_assert_mem_eq(out[2]->x5t, certs[0]->x5t, X5T_LEN);
}
END_TEST

static void fill(struct keyring *r)
{
    put(r, KEY_PREVIOUS, 0, T0 + 10);
    r->slots[0].published_since = T0 + 5;
    put(r, KEY_CURRENT, 1, T0 + 10);
    put(r, KEY_NEXT, 2, T0 + 10);
    r->slots[1].effective_at = T0 + DAY;
    r->slots[1].held = true;
    r->slots[0].forced = true;
    r->generation = 2;
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
        ck_assert_int_eq(a->slots[i].effective_at, b->slots[i].effective_at);
        ck_assert_int_eq(a->slots[i].held, b->slots[i].held);
        ck_assert_int_eq(a->slots[i].forced, b->slots[i].forced);
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

START_TEST(nine_published_keys_are_refused)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf eight = {0};
    CLEANUP(buf_done) struct buf nine = {0};
    put(&r, KEY_CURRENT, 0, T0);
    for (int i = 1; i < KEYRING_MAX; i++)
        put(&r, KEY_PREVIOUS, i, T0 + i);
    put(&r, KEY_RETIRED, 9, T0); /* waits for its end, and is in no document */
    print(&r, &eight);
    ck_assert_int_eq(keyring_scan(buf_span(&eight), &back), REASON_OK);
    same(&r, &back);
    keyring_done(&back);
    put(&r, KEY_PREVIOUS, KEYRING_MAX, T0);
    print(&r, &nine);
    ck_assert_int_eq(keyring_scan(buf_span(&nine), &back), REASON_KEY_FORM);
}
END_TEST

/* What the first edition wrote has neither dates nor holds. */
START_TEST(a_text_of_the_first_edition_is_read)
{
    static const char *const later[] = {"EffectiveAt=", "Held=", "Forced="};
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf body = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf sealed = BUF_INIT(65536);
    fill(&r);
    print(&r, &text);
    struct span rest = span_of(strstr(text.p, "Generation="));
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n') + 1;
        bool is_later = false;
        for (size_t i = 0; i < ARRAY_LEN(later); i++)
            is_later |= span_starts(rest, span_of(later[i]));
        if (!is_later)
            buf_put(&body, rest.p, n);
        rest = span_skip(rest, n);
    }
    sealed_put(&sealed, "s2sd key ring 1", NULL, buf_span(&body));
    ck_assert_int_eq(keyring_scan(buf_span(&sealed), &back), REASON_OK);
    r.slots[1].effective_at = 0;
    r.slots[1].held = r.slots[0].forced = false;
    same(&r, &back);
    body.n = 0; /* and none of them under the name of the second */
    sealed_put(&body, "s2sd key ring 2", NULL, span_of(strstr(sealed.p, "Generation=")));
    ck_assert_int_eq(keyring_scan(buf_span(&body), &back), REASON_KEY_FORM);
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

START_TEST(what_is_retired_is_in_no_frame)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    fill(&r);
    put(&r, KEY_RETIRED, 5, T0);
    size_t n = frame(&r, room);
    struct frame_in f;
    ck_assert(frame_open(&f, room, n));
    ck_assert_int_eq(keyring_get(&f, &back), REASON_OK);
    ck_assert_uint_eq(back.n, 3);
    keyring_sweep(&r);
    same(&r, &back);
}
END_TEST

START_TEST(root_lead_and_source_travel_with_the_ring)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(keyring_done) struct keyring back = {0};
    struct frame_in f;
    fill(&r);
    r.lead_s = 7777;
    r.source = KEYS_CREDENTIAL;
    ck_assert_int_eq(cert_parse(span_bytes(certs[9]->der, certs[9]->der_len), &r.root), REASON_OK);
    ck_assert(frame_open(&f, room, frame(&r, room)));
    ck_assert_int_eq(keyring_get(&f, &back), REASON_OK);
    ck_assert_int_eq(back.lead_s, 7777);
    ck_assert_int_eq(back.source, KEYS_CREDENTIAL);
    ck_assert_ptr_nonnull(back.root);
    ck_assert_mem_eq(back.root->x5t_s256, certs[9]->x5t_s256, X5T_S256_LEN);
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
        {KEY_CURRENT, KEY_NEXT, 200}, {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS}};
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
    {"Keys=3\n", "Keys=17\n"},
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
    ck_assert_int_eq(sealed_open(buf_span(&text), "s2sd key ring 2", NULL, &body), REASON_OK);
    const char *at = strstr(body.p, edits[_i].find);
    ck_assert_ptr_nonnull(at);
    buf_put(&edited, body.p, (size_t)(at - body.p));
    buf_printf(&edited, "%s%s", edits[_i].put, at + strlen(edits[_i].find));
    sealed_put(&sealed, "s2sd key ring 2", NULL, buf_span(&edited));
    ck_assert_msg(keyring_scan(buf_span(&sealed), &back) == REASON_KEY_FORM, "%s", edits[_i].put);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, make_certs, free_certs);
    tcase_add_test(tc, publication_begins_with_the_signing_key);
    tcase_add_test(tc, what_is_printed_is_read_back);
    tcase_add_test(tc, an_empty_ring_is_read_back);
    tcase_add_test(tc, a_damaged_text_is_refused);
    tcase_add_test(tc, nine_published_keys_are_refused);
    tcase_add_test(tc, a_text_of_the_first_edition_is_read);
    tcase_add_test(tc, a_frame_carries_the_ring);
    tcase_add_test(tc, a_frame_cut_anywhere_is_refused);
    tcase_add_test(tc, what_is_retired_is_in_no_frame);
    tcase_add_test(tc, root_lead_and_source_travel_with_the_ring);
    tcase_add_test(tc, nine_keys_in_a_frame_are_refused);
    tcase_add_test(tc, an_unsound_ring_is_refused);
    tcase_add_loop_test(tc, a_line_of_another_form_is_refused, 0, ARRAY_LEN(edits));
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_keyring", add);
}
