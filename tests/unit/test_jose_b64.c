/* SPDX-License-Identifier: Apache-2.0 */
#include "b64.h"

#include "cleanup.h"
#include "unit.h"

/* RFC 4648 section 10, with and without padding, and bytes that need the last two letters of each
 * alphabet. */
static const struct {
    struct span bytes, url, std;
} good[] = {
    {SPAN(""), SPAN(""), SPAN("")},
    {SPAN("f"), SPAN("Zg"), SPAN("Zg==")},
    {SPAN("fo"), SPAN("Zm8"), SPAN("Zm8=")},
    {SPAN("foo"), SPAN("Zm9v"), SPAN("Zm9v")},
    {SPAN("foob"), SPAN("Zm9vYg"), SPAN("Zm9vYg==")},
    {SPAN("fooba"), SPAN("Zm9vYmE"), SPAN("Zm9vYmE=")},
    {SPAN("foobar"), SPAN("Zm9vYmFy"), SPAN("Zm9vYmFy")},
    {SPAN("\xff\xff\xfe"), SPAN("___-"), SPAN("///+")},
    {SPAN("\xfb\xf0"), SPAN("-_A"), SPAN("+/A=")},
    {SPAN("\0\0\0\0"), SPAN("AAAAAA"), SPAN("AAAAAA==")},
};

START_TEST(known_texts_decode_and_encode)
{
    struct span bytes = good[_i].bytes, url = good[_i].url, std = good[_i].std;
    uint8_t out[16];
    char text[16];
    ck_assert_int_eq(b64url_decode(url, out, sizeof(out)), (long)bytes.n);
    ck_assert(span_eq(span_bytes(out, bytes.n), bytes));
    ck_assert_int_eq(b64_decode(std, out, sizeof(out)), (long)bytes.n);
    ck_assert(span_eq(span_bytes(out, bytes.n), bytes));
    ck_assert_uint_eq(B64URL_ENCODED(bytes.n), url.n);
    ck_assert_uint_eq(b64url_encode((const uint8_t *)bytes.p, bytes.n, text), url.n);
    ck_assert(span_eq((struct span){text, url.n}, url));
    CLEANUP(buf_done) struct buf b = BUF_INIT(100);
    b64url_put(&b, bytes.p, bytes.n);
    buf_put_char(&b, ' ');
    b64_put(&b, bytes.p, bytes.n);
    CLEANUP(buf_done) struct buf want = BUF_INIT(100);
    buf_put_span(&want, url);
    buf_put_char(&want, ' ');
    buf_put_span(&want, std);
    ck_assert_str_eq(b.p, want.p);
}
END_TEST

/* Rule R3: alphabet only, no padding, no white space, length mod 4 is not 1, unused bits zero. */
static const struct span bad_url[] = {
    SPAN("Z"),
    SPAN("Zm9vY"), /* length 1 mod 4 */
    SPAN("Zg=="),
    SPAN("Zm8="),
    SPAN("="), /* padding */
    SPAN("Zh"),
    SPAN("Zv"),
    SPAN("Zm9vYh"), /* four unused bits */
    SPAN("Zm9"),
    SPAN("Zm+"),
    SPAN("Zm-"), /* two unused bits */
    SPAN("Zm9v "),
    SPAN(" Zm9v"),
    SPAN("Zm 9v"),
    SPAN("Zm9v\n"),
    SPAN("Zm\r\n9v"),
    SPAN("Zm9v\t"),
    SPAN("///+"),
    SPAN("+/A"),
    SPAN("Zm9v.Zm9v"),
    SPAN("Zm9v\0"),
    SPAN("\0\0\0\0"),
    SPAN("Zm9?"),
};

START_TEST(no_second_spelling_of_base64url)
{
    uint8_t out[16];
    ck_assert_int_eq(b64url_decode(bad_url[_i], out, sizeof(out)), -1);
}
END_TEST

static const struct span bad_std[] = {
    SPAN("Zg"),
    SPAN("Zm8"),
    SPAN("Zg="),
    SPAN("Zm9v="),
    SPAN("Zm9v=="),
    SPAN("Z==="),
    SPAN("===="),
    SPAN("Zg==Zg=="),
    SPAN("=Zm8"),
    SPAN("Z=m8"),
    SPAN("Zh=="),
    SPAN("Zm9="),
    SPAN("___-"),
    SPAN("Zm9v\n"),
    SPAN("Zm9vZ"),
    SPAN("Zm9v Zm9v"),
    SPAN("Zm9v\nZm9"),
};

START_TEST(no_second_spelling_of_base64)
{
    uint8_t out[16];
    ck_assert_int_eq(b64_decode(bad_std[_i], out, sizeof(out)), -1);
}
END_TEST

static bool is_letter(int c, bool url)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == (url ? '-' : '+') || c == (url ? '_' : '/');
}

/* Every byte at every place of a group, in whole groups and in both kinds of rest. */
START_TEST(only_the_alphabet_is_accepted)
{
    uint8_t out[16];
    for (int place = 0; place < 8; place++)
        for (int c = 0; c < 256; c++) {
            char text[] = "AAAAAAAA";
            text[place] = (char)c;
            bool padding = c == '=' && place == 7;
            ck_assert_int_eq(b64url_decode(SPAN(text), out, sizeof(out)) == 6, is_letter(c, true));
            ck_assert_int_eq(
                b64_decode(SPAN(text), out, sizeof(out)) >= 0, is_letter(c, false) || padding);
            for (size_t n = 6; n < 8; n++) {
                bool last = place == (int)n - 1;
                if ((size_t)place < n && (!last || c == 'A' || !is_letter(c, true)))
                    ck_assert_int_eq(
                        b64url_decode((struct span){text, n}, out, sizeof(out)) == (long)n - 2,
                        is_letter(c, true));
            }
        }
}
END_TEST

/* A lonely letter is refused even where good letters happen to follow in memory. */
START_TEST(one_letter_left_over_is_refused)
{
    uint8_t out[8];
    for (size_t n = 1; n < 8; n += 4) {
        ck_assert_int_eq(b64url_decode((struct span){"AAAAAAAA", n}, out, sizeof(out)), -1);
        ck_assert_int_eq(
            b64url_decode((struct span){"AAAAAAAA", n + 1}, out, sizeof(out)), (long)n / 4 * 3 + 1);
    }
}
END_TEST

/* Of the 64 letters, 4 may end a rest of two characters and 16 a rest of three. */
START_TEST(unused_bits_are_zero)
{
    uint8_t out[4];
    int of_two = 0, of_three = 0;
    for (int c = 0; c < 256; c++) {
        char two[] = {'A', (char)c}, three[] = {'A', 'A', (char)c};
        of_two += b64url_decode(span_bytes(two, 2), out, sizeof(out)) == 1;
        of_three += b64url_decode(span_bytes(three, 3), out, sizeof(out)) == 2;
    }
    ck_assert_int_eq(of_two, 4);
    ck_assert_int_eq(of_three, 16);
}
END_TEST

/* Bytes that differ at every length; exact copies on the heap let the sanitizer see a step too far.
 */
START_TEST(every_length_comes_back)
{
    for (size_t n = 0; n < 200; n++) {
        CLEANUP(freep) uint8_t *bytes = malloc(n + 1), *back = malloc(n + 1);
        CLEANUP(freep) char *text = malloc(B64URL_ENCODED(n) + 1);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 37 + n * 101);
        size_t len = b64url_encode(bytes, n, text);
        ck_assert_uint_eq(len, B64URL_ENCODED(n));
        ck_assert_uint_le(n, B64_DECODED_MAX(len));
        ck_assert_int_eq(b64url_decode((struct span){text, len}, back, n), (long)n);
        ck_assert_mem_eq(bytes, back, n);
        if (n)
            ck_assert_int_eq(b64url_decode((struct span){text, len}, back, n - 1), -1);
    }
}
END_TEST

START_TEST(a_full_buffer_is_told_by_the_buffer)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(7), c = BUF_INIT(7);
    b64url_put(&b, "foobar", 6);
    ck_assert(b.failed);
    b64_put(&c, "fooba", 5);
    ck_assert(c.failed);
}
END_TEST

/* The bytes fb ff bf ... need both special letters; the forms are those seen from real partners
 * (trap 30). */
static const uint8_t print[20] = {
    0xfb, 0xff, 0xbf, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0xfb, 0xf0};

static const struct {
    const char *text;
    bool good;
} thumbprints[] = {
    {"-_-_AwQFBgcICQoLDA0ODxAR-_A", true},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_A=", true},
    {"+/+/AwQFBgcICQoLDA0ODxAR+/A", true},
    {"+/+/AwQFBgcICQoLDA0ODxAR+/A=", true},
    {"+_+_AwQFBgcICQoLDA0ODxAR+_A", true}, /* a script that replaced '/' and forgot '+' */
    {"-_-_AwQFBgcICQoLDA0ODxAR-_B", false},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_A==", false},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_", false},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_AA", false},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_A\n", false},
    {" -_-_AwQFBgcICQoLDA0ODxAR-_A", false},
    {"=-_-_AwQFBgcICQoLDA0ODxAR-_A", false},
    {"-_-_AwQFBgcICQoLDA0ODxAR-_=A", false},
    {"FBFFBF030405060708090A0B0C0D0E0F1011FBF0", false}, /* hexadecimal */
    {"", false},
    {"=", false},
};

START_TEST(thumbprints_are_read_in_the_forms_partners_write)
{
    uint8_t out[20] = {0};
    bool taken = b64_thumbprint(span_of(thumbprints[_i].text), out, sizeof(out));
    ck_assert_msg(taken == thumbprints[_i].good, "%s", thumbprints[_i].text);
    if (taken)
        ck_assert_mem_eq(out, print, sizeof(print));
    else
        ck_assert_uint_eq(out[0], 0);
}
END_TEST

START_TEST(a_thumbprint_has_exactly_its_length)
{
    uint8_t out[64];
    const struct span s256 = SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    ck_assert(b64_thumbprint(s256, out, 32));
    ck_assert(!b64_thumbprint(s256, out, 31));
    ck_assert(!b64_thumbprint(s256, out, 20));
    ck_assert(!b64_thumbprint(s256, out, 33));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, known_texts_decode_and_encode, 0, ARRAY_LEN(good));
    tcase_add_loop_test(tc, no_second_spelling_of_base64url, 0, ARRAY_LEN(bad_url));
    tcase_add_loop_test(tc, no_second_spelling_of_base64, 0, ARRAY_LEN(bad_std));
    tcase_add_test(tc, only_the_alphabet_is_accepted);
    tcase_add_test(tc, one_letter_left_over_is_refused);
    tcase_add_test(tc, unused_bits_are_zero);
    tcase_add_test(tc, every_length_comes_back);
    tcase_add_test(tc, a_full_buffer_is_told_by_the_buffer);
    tcase_add_loop_test(
        tc, thumbprints_are_read_in_the_forms_partners_write, 0, ARRAY_LEN(thumbprints));
    tcase_add_test(tc, a_thumbprint_has_exactly_its_length);
}

int main(void)
{
    return unit_run("jose_b64", fill);
}
