/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed_text.h"

#include "trust_fixture.h"

#define TITLE "some text 1"

START_TEST(title_name_and_body_belong_together)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct span body;
    sealed_put(&text, TITLE, "a", SPAN("x=1\n\ny=2\n"));
    ck_assert_int_eq(sealed_open(buf_span(&text), TITLE, "a", &body), REASON_OK);
    ck_assert(span_eq(body, SPAN("x=1\n\ny=2\n")));
    ck_assert_int_eq(sealed_open(buf_span(&text), "some text 2", "a", &body), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(sealed_open(buf_span(&text), TITLE, "b", &body), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(sealed_open(buf_span(&text), TITLE, NULL, &body), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(sealed_open(SPAN(""), TITLE, "a", &body), REASON_DOCUMENT_FORM);
}
END_TEST

/* SHA-256 of nothing, known from elsewhere. */
START_TEST(the_header_is_exactly_this)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    sealed_put(&text, TITLE, NULL, SPAN(""));
    ck_assert_str_eq(text.p,
        TITLE "\nLength=0\nSHA256="
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n");
}
END_TEST

START_TEST(any_bytes_come_back)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(8192);
    char all[256], back[256];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    text_put_span(&text, "K", span_of(all));
    for (size_t i = 0; i + 1 < text.n; i++)
        ck_assert(text.p[i] >= ' ' && text.p[i] <= '~');
    struct text_in in = {.rest = buf_span(&text)};
    text_str(&in, "K", back, sizeof(back));
    ck_assert(!in.failed);
    ck_assert_uint_eq(in.rest.n, 0);
    ck_assert_str_eq(back, all);
    in = (struct text_in){.rest = buf_span(&text)};
    text_str(&in, "K", back, sizeof(back) - 1); /* one byte short */
    ck_assert(in.failed);
    ck_assert_str_eq(back, "");
}
END_TEST

static const struct {
    const char *line;
    bool is_int, is_bool, is_time;
} lines[] = {
    {"K=0\n", true, true, false},
    {"K=1\n", true, true, false},
    {"K=2\n", true, false, false},
    {"K=-5\n", true, false, false},
    {"K=0 1970-01-01T00:00:00Z\n", false, false, true},
    {"K=0  1970-01-01T00:00:00Z\n", false, false, false},
    {"K=0 never\n", false, false, false},
    {"K=9223372036854775807 never\n", false, false, true},
    {"K=9223372036854775808\n", false, false, false},
    {"K=01\n", false, false, false},
    {"K=\n", false, false, false},
    {"K = 1\n", false, false, false},
    {"KK=1\n", false, false, false},
    {"k=1\n", false, false, false},
    {"K=1\r\n", false, false, false},
    {"K=1", false, false, false},
};

START_TEST(a_line_has_one_form)
{
    struct text_in a = {.rest = span_of(lines[_i].line)}, b = a, c = a;
    text_int(&a, "K");
    text_bool(&b, "K");
    text_time(&c, "K");
    ck_assert_msg(a.failed != lines[_i].is_int, "int %s", lines[_i].line);
    ck_assert_msg(b.failed != lines[_i].is_bool, "bool %s", lines[_i].line);
    ck_assert_msg(c.failed != lines[_i].is_time, "time %s", lines[_i].line);
}
END_TEST

START_TEST(a_failure_stays)
{
    struct text_in in = {.rest = SPAN("K=1\nK=2\n")};
    ck_assert_int_eq(text_int(&in, "X"), 0);
    ck_assert_int_eq(text_int(&in, "K"), 0);
    ck_assert(in.failed);
    ck_assert_uint_eq(text_after(&in, "").n, 0);
}
END_TEST

START_TEST(a_certificate_comes_back)
{
    const struct cert *c = fixture_base();
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    text_put_pem(&text, (struct span){c->der, c->der_len});
    buf_put_str(&text, "K=1\n");
    struct text_in in = {.rest = buf_span(&text)};
    CLEANUP(cert_freep) struct cert *back = text_pem(&in);
    ck_assert_ptr_nonnull(back);
    ck_assert_mem_eq(back->x5t_s256, c->x5t_s256, X5T_S256_LEN);
    ck_assert_int_eq(text_int(&in, "K"), 1);
    in = (struct text_in){.rest = {text.p, text.n - 20}};
    ck_assert_ptr_null(text_pem(&in));
    ck_assert(in.failed);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, title_name_and_body_belong_together);
    tcase_add_test(tc, the_header_is_exactly_this);
    tcase_add_test(tc, any_bytes_come_back);
    tcase_add_loop_test(tc, a_line_has_one_form, 0, ARRAY_LEN(lines));
    tcase_add_test(tc, a_failure_stays);
    tcase_add_test(tc, a_certificate_comes_back);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_sealed_text", add);
}
