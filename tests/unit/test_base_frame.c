/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "unit.h"

/* One field of each kind, as a frame. */
static size_t sample(uint8_t *room, size_t cap)
{
    struct frame_out f;
    frame_start(&f, room, cap, 0x1234, 0xdeadbeef);
    frame_put_u8(&f, 7);
    frame_put_u32(&f, 0x01020304);
    frame_put_u64(&f, UINT64_MAX - 1);
    frame_put_i64(&f, INT64_MIN);
    frame_put_span(&f, SPAN("a\0b"));
    frame_put_str(&f, "text");
    frame_put_str(&f, NULL);
    return frame_finish(&f);
}

START_TEST(what_is_written_is_read)
{
    uint8_t room[256];
    size_t n = sample(room, sizeof room);
    ck_assert_uint_eq(n, FRAME_HEAD + 1 + 4 + 8 + 8 + 7 + 8 + 4);
    struct frame_in f;
    char text[8];
    ck_assert(frame_open(&f, room, n));
    ck_assert_uint_eq(f.type, 0x1234);
    ck_assert_uint_eq(f.id, 0xdeadbeef);
    ck_assert_uint_eq(frame_u8(&f), 7);
    ck_assert_uint_eq(frame_u32(&f), 0x01020304);
    ck_assert_uint_eq(frame_u64(&f), UINT64_MAX - 1);
    ck_assert_int_eq(frame_i64(&f), INT64_MIN);
    ck_assert(span_eq(frame_span(&f), SPAN("a\0b")));
    frame_str(&f, text, 5);
    ck_assert_str_eq(text, "text");
    ck_assert(!frame_end(&f));
    frame_str(&f, text, sizeof text);
    ck_assert_str_eq(text, "");
    ck_assert(frame_end(&f));
}
END_TEST

/* The bytes themselves: other programs of ours may be of another build. */
START_TEST(numbers_are_little_endian)
{
    static const uint8_t want[] = {1, 0, 0x34, 0x12, 0xef, 0xbe, 0xad, 0xde, 7, 4, 3, 2, 1};
    uint8_t room[256];
    sample(room, sizeof room);
    ck_assert_mem_eq(room, want, sizeof want);
}
END_TEST

START_TEST(every_shorter_room_is_told)
{
    uint8_t room[256];
    size_t n = sample(room, sizeof room);
    for (size_t cap = 0; cap < n; cap++) {
        memset(room, 0xaa, sizeof room);
        ck_assert_uint_eq(sample(room, cap), 0);
        ck_assert_uint_eq(room[cap], 0xaa);
    }
    ck_assert_uint_eq(sample(room, n), n);
}
END_TEST

/* Every cut of a good frame fails, and what is read from it afterwards is zero and empty. */
START_TEST(every_cut_is_noticed)
{
    uint8_t room[256];
    size_t n = sample(room, sizeof room);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1); /* so that a sanitizer sees a read past the end */
        memcpy(exact, room, cut);
        struct frame_in f;
        char text[8] = "dirt";
        bool open = frame_open(&f, exact, cut);
        ck_assert_int_eq(open, cut >= FRAME_HEAD);
        if (open) {
            frame_u8(&f);
            frame_u32(&f);
            frame_u64(&f);
            frame_i64(&f);
            frame_span(&f);
            frame_str(&f, text, sizeof text);
            frame_str(&f, text, sizeof text);
            ck_assert_str_eq(text, "");
            ck_assert(f.failed && !frame_end(&f));
            ck_assert_uint_eq(frame_u64(&f), 0);
            ck_assert_uint_eq(frame_span(&f).n, 0);
        }
        free(exact);
    }
}
END_TEST

START_TEST(leftovers_are_noticed)
{
    uint8_t room[256];
    size_t n = sample(room, sizeof room);
    room[n] = 0;
    struct frame_in f;
    char text[8];
    ck_assert(frame_open(&f, room, n + 1));
    frame_u8(&f);
    frame_u32(&f);
    frame_u64(&f);
    frame_i64(&f);
    frame_span(&f);
    frame_str(&f, text, sizeof text);
    frame_str(&f, text, sizeof text);
    ck_assert(!f.failed && !frame_end(&f));
}
END_TEST

START_TEST(only_our_version_with_a_zero_byte_opens)
{
    struct frame_in f;
    uint8_t room[FRAME_HEAD] = {FRAME_VERSION};
    ck_assert(frame_open(&f, room, sizeof room));
    ck_assert(frame_end(&f));
    room[0] = FRAME_VERSION + 1;
    ck_assert(!frame_open(&f, room, sizeof room));
    room[0] = FRAME_VERSION;
    room[1] = 1;
    ck_assert(!frame_open(&f, room, sizeof room));
}
END_TEST

START_TEST(the_largest_frame_fits_exactly)
{
    static uint8_t room[FRAME_MAX + 16], big[FRAME_MAX];
    struct frame_out f;
    frame_start(&f, room, sizeof room, 1, 1);
    frame_put_span(&f, span_bytes(big, FRAME_MAX - FRAME_HEAD - 4));
    ck_assert_uint_eq(frame_finish(&f), FRAME_MAX);
    frame_put_u8(&f, 0);
    ck_assert_uint_eq(frame_finish(&f), 0);
    struct frame_in in;
    ck_assert(frame_open(&in, room, FRAME_MAX));
    ck_assert_uint_eq(frame_span(&in).n, FRAME_MAX - FRAME_HEAD - 4);
    ck_assert(frame_end(&in));
    ck_assert(!frame_open(&in, room, FRAME_MAX + 1));
    frame_start(&f, room, sizeof room, 1, 1);
    frame_put_span(&f, span_bytes(big, FRAME_MAX));
    ck_assert_uint_eq(frame_finish(&f), 0);
    frame_start(&f, room, sizeof room, 1, 1);
    frame_put_span(&f, (struct span){(const char *)big, (size_t)UINT32_MAX + 1});
    ck_assert_uint_eq(frame_finish(&f), 0);
}
END_TEST

/* A length that lies about what follows. */
START_TEST(lying_lengths_fail)
{
    static const uint32_t lengths[] = {5, 6, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        uint8_t room[FRAME_HEAD + 8];
        struct frame_out f;
        struct frame_in in;
        frame_start(&f, room, sizeof room, 1, 1);
        frame_put_u32(&f, lengths[i]);
        frame_put_u32(&f, 0x61616161);
        ck_assert(frame_open(&in, room, frame_finish(&f)));
        ck_assert_uint_eq(frame_span(&in).n, 0);
        ck_assert(in.failed);
    }
}
END_TEST

START_TEST(strings_refuse_nul_and_what_does_not_fit)
{
    static const struct {
        struct span s;
        size_t max;
        bool good;
    } rows[] = {{SPAN("abcd"), 5, true}, {SPAN("abcd"), 4, false}, {SPAN("a\0b"), 8, false},
        {SPAN("\0"), 8, false}, {SPAN(""), 1, true}, {SPAN(""), 0, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t room[64];
        char text[8] = "dirt";
        struct frame_out f;
        struct frame_in in;
        frame_start(&f, room, sizeof room, 1, 1);
        frame_put_span(&f, rows[i].s);
        ck_assert(frame_open(&in, room, frame_finish(&f)));
        frame_str(&in, text, rows[i].max);
        ck_assert_int_eq(frame_end(&in), rows[i].good);
        if (rows[i].max)
            ck_assert_str_eq(text, rows[i].good ? rows[i].s.p : "");
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, numbers_are_little_endian);
    tcase_add_test(tc, every_shorter_room_is_told);
    tcase_add_test(tc, every_cut_is_noticed);
    tcase_add_test(tc, leftovers_are_noticed);
    tcase_add_test(tc, only_our_version_with_a_zero_byte_opens);
    tcase_add_test(tc, the_largest_frame_fits_exactly);
    tcase_add_test(tc, lying_lengths_fail);
    tcase_add_test(tc, strings_refuse_nul_and_what_does_not_fit);
}

int main(void)
{
    return unit_run("base_frame", fill);
}
