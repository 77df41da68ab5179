/* SPDX-License-Identifier: Apache-2.0 */
/* The arena cannot fail: yajl never takes more than json_need() promised, whatever the text. A take
 * beyond it aborts, so each parse here is a proof; the sizes are looked at as well. */
#include "json_internal.h"

#include "unit.h"

static const struct json_limits wide = {.bytes = 8388608, .members = 1000000};

/* Parses and returns what was left of the promise. (An assertion that holds costs as much as the
 * parse, so the loops below use plain conditions.) */
static size_t slack(struct json_doc *doc, struct span text)
{
    const struct json_value *v;
    enum reason r = json_parse(doc, text, &wide, &v);
    if (r == REASON_OUT_OF_MEMORY || r == REASON_TOO_LARGE)
        ck_abort_msg("%s", reason_code(r));
    if (doc->used > doc->need || doc->need > doc->cap)
        ck_abort_msg("%zu used, %zu promised, %zu there", doc->used, doc->need, doc->cap);
    return doc->need - doc->used;
}

static void repeat(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_put_str(b, text);
}

/* head, n times body, tail */
static void try_shape(
    struct json_doc *doc, const char *head, const char *body, const char *tail, size_t n)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(8388608);
    buf_put_str(&b, head);
    repeat(&b, body, n);
    buf_put_str(&b, tail);
    ck_assert(!b.failed);
    slack(doc, buf_span(&b));
}

static const struct {
    const char *head, *body, *tail;
} shapes[] = {
    {"[", "1,", "1]"},   /* most values for each byte */
    {"[", "[],", "[]]"}, /* most containers */
    {"[", "{},", "{}]"},
    {"[", "\"\",", "\"\"]"},
    {"[", "\"\\n\",", "\"\"]"}, /* most escaped strings */
    {"\"", "\\n", "\""},        /* the longest escaped string, which shrinks most */
    {"\"\\n", "x", "\""},       /* ... and least */
    {"\"", "x", "\\n\""},
    {"\"", "\\u00e9", "\""},
    {"\"", "\\ud83d\\ude00", "\""},
    {"{\"", "\\n", "\":1}"},
    {"", "9", ""}, /* one number */
    {"-", "9", "e9"},
    {"", " ", "1"},
    {"1", " ", ""},
    {"", " ", ""},
    {"[", ",", "]"}, /* most promised, nothing lawful */
    {"", "]", ""},
    {"tru", "e", ""},
    {"nul", " ", ""},
    {"/", "*", "/"},
    {"", "[", ""},
    {"[1", " ", ""},
    {"\"", "\\n", ""},
    {"{\"a\":", " ", ""},
};

START_TEST(worst_texts_stay_within_the_promise)
{
    static const size_t sizes[] = {0, 1, 2, 7, 8, 63, 1000, 2040, 2047, 2048, 2049, 4095, 4096,
        4097, 8191, 16384, 65536, 140000};
    struct json_doc *doc = json_doc_new();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        try_shape(doc, shapes[_i].head, shapes[_i].body, shapes[_i].tail, sizes[i]);
    json_doc_free(doc);
}
END_TEST

/* Strings that grow from one to the next make yajl's buffer grow step by step, each step a new
 * piece. */
START_TEST(growing_strings_stay_within_the_promise)
{
    struct json_doc *doc = json_doc_new();
    CLEANUP(buf_done) struct buf b = BUF_INIT(8388608);
    buf_put_char(&b, '[');
    for (size_t n = 1; n < 300000; n += n / 3 + 1) {
        buf_put_str(&b, "\"\\n");
        repeat(&b, "x", n);
        buf_put_str(&b, "\",[[]],");
    }
    buf_put_str(&b, "0]");
    ck_assert(!b.failed);
    slack(doc, buf_span(&b));
    json_doc_free(doc);
}
END_TEST

/* Depth first, so that the stack of states grows to its largest. */
START_TEST(deep_texts_stay_within_the_promise)
{
    struct json_doc *doc = json_doc_new();
    for (size_t depth = 0; depth <= JSON_DEPTH_MAX; depth++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
        repeat(&b, "[{\"\\n\":", depth / 2);
        buf_put_str(&b, "\"\\u0041\"");
        repeat(&b, "}]", depth / 2);
        slack(doc, buf_span(&b));
    }
    json_doc_free(doc);
}
END_TEST

/* Random cuts and glueings of JSON's own pieces: broken in all ways, none may take more. */
START_TEST(random_texts_stay_within_the_promise)
{
    static const char *const pieces[] = {"[", "]", "{", "}", ",", ":", "\"a\"", "\"\\n\"",
        "\"\\u0041bc\"", "1", "-", "1e5", "true", "nul", " ", "\n", "/", "\"", "\\",
        "\"k\":", "\xc3\xa9", "\"\xc3\xa9\\t\":"};
    struct json_doc *doc = json_doc_new();
    uint64_t x = 88172645463325252; /* xorshift: the same texts every time */
    for (unsigned i = 0; i < 30000; i++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
        for (unsigned k = 0; k < 1 + i % 40; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            buf_put_str(&b, pieces[x % ARRAY_LEN(pieces)]);
        }
        slack(doc, buf_span(&b));
    }
    json_doc_free(doc);
}
END_TEST

/* What yajl takes itself, apart from unescaping, is a fraction of the fixed part: a newer yajl may
 * need more without coming near the end. */
START_TEST(half_of_the_fixed_part_is_spare)
{
    struct json_doc *doc = json_doc_new();
    ck_assert_uint_ge(slack(doc, SPAN("{\"a\":[1,2,{\"b\":null}]}")), 5120);
    ck_assert_uint_ge(slack(doc, SPAN("{\"a\":[1,2,{\"b\":\"\\n\"}]}")), 5120);
    ck_assert_uint_ge(slack(doc, SPAN("  ")), 5120);
    json_doc_free(doc);
}
END_TEST

/* One block: reused for what fits, given back when a small text follows a huge one. */
START_TEST(memory_is_reused_and_given_back)
{
    struct json_doc *doc = json_doc_new();
    CLEANUP(buf_done) struct buf b = BUF_INIT(8388608);
    slack(doc, SPAN("[1]"));
    const char *first = doc->block;
    for (unsigned i = 0; i < 100; i++)
        slack(doc, SPAN("{\"a\":\"\\n\"}"));
    ck_assert_ptr_eq(doc->block, first);
    buf_put_char(&b, '[');
    repeat(&b, "1,", 100000);
    buf_put_str(&b, "1]");
    slack(doc, buf_span(&b));
    ck_assert_uint_gt(doc->cap, 4000000);
    slack(doc, SPAN("[1]"));
    ck_assert_uint_lt(doc->cap, 20000);
    json_doc_free(doc);
}
END_TEST

START_TEST(absurd_sizes_do_not_wrap)
{
    struct json_scan scan = {.values = 1};
    ck_assert_uint_eq(json_need(SIZE_MAX, &scan), SIZE_MAX);
    ck_assert_uint_eq(json_need(SIZE_MAX / 128, &scan), SIZE_MAX);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, worst_texts_stay_within_the_promise, 0, (int)ARRAY_LEN(shapes));
    tcase_add_test(tc, growing_strings_stay_within_the_promise);
    tcase_add_test(tc, deep_texts_stay_within_the_promise);
    tcase_add_test(tc, random_texts_stay_within_the_promise);
    tcase_add_test(tc, half_of_the_fixed_part_is_spare);
    tcase_add_test(tc, memory_is_reused_and_given_back);
    tcase_add_test(tc, absurd_sizes_do_not_wrap);
}

int main(void)
{
    return unit_run("base_json_arena", fill);
}
