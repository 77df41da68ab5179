/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: what it takes, what it refuses and with which reason, what the tree then says.
 */
#include "json.h"

#include "unit.h"

#include <stdint.h>

static const struct json_limits wide = {.bytes = 1048576};

static enum reason parse(struct json_doc *doc, struct span text, const struct json_value **ret)
{
    return json_parse(doc, text, &wide, ret);
}

#define GOOD(text)                                                                                 \
    {                                                                                              \
        SPAN(text), REASON_OK                                                                      \
    }
#define BAD(text)                                                                                  \
    {                                                                                              \
        SPAN(text), REASON_JSON_SYNTAX                                                             \
    }
#define TWICE(text)                                                                                \
    {                                                                                              \
        SPAN(text), REASON_JSON_DUPLICATE                                                          \
    }
#define DEEP(text)                                                                                 \
    {                                                                                              \
        SPAN(text), REASON_JSON_DEPTH                                                              \
    }

static const struct {
    struct span text;
    enum reason verdict;
} table[] = {
    /* any value may stand at the top, with blanks around it */
    GOOD("{}"),
    GOOD("[]"),
    GOOD("null"),
    GOOD("true"),
    GOOD("false"),
    GOOD("\"\""),
    GOOD("0"),
    GOOD("-1.5e+300"),
    GOOD(" \t\r\n1\n"),
    GOOD("[1,2]"),
    GOOD("{\"a\":{\"a\":1}}"),
    BAD(""),
    BAD(" "),
    BAD("\n"),
    BAD("tru"),
    BAD("True"),
    BAD("nul"),
    BAD("NaN"),
    BAD("Infinity"),
    /* nothing after it, nothing before it */
    BAD("1 2"),
    BAD("{} x"),
    BAD("{}{}"),
    BAD("[1] ]"),
    BAD("{}\0"),
    BAD("\xef\xbb\xbf{}"),
    BAD("]"),
    BAD("}"),
    BAD(","),
    BAD("1,2"),
    BAD("[]]"),
    /* containers */
    BAD("["),
    BAD("{"),
    BAD("[1"),
    BAD("[1,"),
    BAD("[1,]"),
    BAD("[,1]"),
    BAD("[1}"),
    BAD("{\"a\":1]"),
    BAD("{\"a\"}"),
    BAD("{\"a\":}"),
    BAD("{\"a\":1,}"),
    BAD("{,\"a\":1}"),
    BAD("{a:1}"),
    BAD("{1:1}"),
    BAD("{'a':1}"),
    BAD("[1 2]"),
    BAD("{\"a\" 1}"),
    BAD("{\"a\":1 \"b\":2}"),
    BAD("{\"a\"::1}"),
    /* comments are not JSON */
    BAD("{/* c */\"a\":1}"),
    BAD("{\"a\":1}// c"),
    BAD("#\n1"),
    BAD("/"),
    /* blanks are these four */
    BAD("\f1"),
    BAD("1\f"),
    BAD("[1]\v"),
    BAD("\v1"),
    BAD("\xc2\xa0"
        "1"),
    BAD("1\0"),
    BAD("\x1e"
        "1"),
    BAD("\x7f"),
    /* numbers */
    BAD("01"),
    BAD("-"),
    BAD("-01"),
    BAD("+1"),
    BAD("1."),
    BAD(".5"),
    BAD("1e"),
    BAD("1e+"),
    BAD("0x1"),
    BAD("1_000"),
    BAD("--1"),
    GOOD("-0"),
    GOOD("1E5"),
    GOOD("123456789012345678901234567890"),
    /* strings */
    BAD("\""),
    BAD("\"a"),
    BAD("\"a\\"),
    BAD("\"\\\""),
    BAD("\"\\x41\""),
    BAD("\"\\a\""),
    BAD("\"\t\""),
    BAD("\"\n\""),
    BAD("\"\x1f\""),
    BAD("\"\0\""),
    GOOD("\"\x7f\""),
    GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    GOOD("\"\\u0001\\u00e9\\u20AC\\ud83d\\uDE00\""),
    BAD("\"\\u\""),
    BAD("\"\\u12\""),
    BAD("\"\\u123g\""),
    BAD("\"\\U0041\""),
    /* NUL and half a surrogate pair have no place, escaped or not */
    BAD("\"\\u0000\""),
    BAD("{\"a\\u0000b\":1}"),
    BAD("\"\\ud800\""),
    BAD("\"\\udc00\""),
    BAD("\"\\ud800x\""),
    BAD("\"\\ud800\\n\""),
    BAD("\"\\ud800\\u0041\""),
    BAD("\"\\ud800\\ud800\""),
    BAD("\"\\ud83d\\u\""),
    BAD("\"\\ud83d\\"),
    BAD("{\"\\udfaa\":0}"),
    GOOD("\"\\ud7ff\\ue000\""),
    /* UTF-8: shortest form, no surrogates, up to U+10FFFF */
    GOOD("\"\xc2\x80\xdf\xbf\""),
    GOOD("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
    GOOD("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
    BAD("\"\xc0\x80\""),
    BAD("\"\xc1\xbf\""),
    BAD("\"\xe0\x9f\xbf\""),
    BAD("\"\xed\xa0\x80\""),
    BAD("\"\xed\xbf\xbf\""),
    BAD("\"\xf0\x8f\xbf\xbf\""),
    BAD("\"\xf4\x90\x80\x80\""),
    BAD("\"\xf5\x80\x80\x80\""),
    BAD("\"\xff\""),
    BAD("\"\x80\""),
    BAD("\"\xc2\""),
    BAD("\"\xc2"),
    BAD("\"\xe2\x82\""),
    BAD("\"\xe2\x82"),
    BAD("\"\xf0\x9f\x98\""),
    BAD("\"\xe2\x28\xa1\""),
    BAD("\"\xe2\x82\x28\""),
    BAD("\"\xf0\x9f\x98\x28\""),
    BAD("\xc3\xa9"),
    BAD("[\xff]"),
    /* a name twice, at any depth, after unescaping */
    TWICE("{\"a\":1,\"a\":1}"),
    TWICE("{\"a\":1,\"\\u0061\":1}"),
    TWICE("{\"\":1,\"\":2}"),
    TWICE("[[{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]]"),
    TWICE("{\"\xc3\xa9\":1,\"\\u00e9\":2}"),
    GOOD("{\"a\":1,\"A\":1}"),
    GOOD("{\"a\":{\"a\":{\"a\":1}}}"),
    GOOD("[{\"a\":1},{\"a\":1}]"),
    TWICE("{\"/\":1,\"\\/\":2}"),
    /* 16 levels and not one more */
    GOOD("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    DEEP("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
    DEEP("[[[[[[[[[[[[[[[["
         "{}]]]]]]]]]]]]]]]]"),
    GOOD("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""),
};

START_TEST(verdicts)
{
    const struct json_value *v = NULL, *untouched = NULL;
    struct json_doc *doc = json_doc_new();
    /* an exact copy, so that a sanitizer sees one byte too many */
    char *text = malloc(table[_i].text.n ? table[_i].text.n : 1);
    memcpy(text, table[_i].text.p, table[_i].text.n);
    enum reason r = parse(doc, (struct span){text, table[_i].text.n}, &v);
    ck_assert_msg(r == table[_i].verdict, "%s instead of %s: %s", reason_code(r),
        reason_code(table[_i].verdict), table[_i].text.p);
    if (r == REASON_OK)
        ck_assert_ptr_nonnull(v);
    else
        ck_assert_ptr_eq(v, untouched);
    free(text);
    json_doc_free(doc);
}
END_TEST

/* Each proper prefix of a text that ends with a bracket is refused, whatever it cuts. */
START_TEST(every_prefix_is_refused)
{
    static const char text[] =
        "{\"a\\u00e9\\ud83d\\ude00\xe2\x82\xac\":[1,-2.5e3,true,false,null,{}],\"b\":\"\"}";
    struct json_doc *doc = json_doc_new();
    const struct json_value *v;
    ck_assert_int_eq(parse(doc, SPAN(text), &v), REASON_OK);
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        char *cut = malloc(n ? n : 1);
        memcpy(cut, text, n);
        ck_assert_int_eq(parse(doc, (struct span){cut, n}, &v), REASON_JSON_SYNTAX);
        free(cut);
    }
    json_doc_free(doc);
}
END_TEST

START_TEST(the_tree_says_what_the_text_says)
{
    static const char text[] =
        "{\"s\":\"plain\",\"e\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00z\","
        "\"n\":-12.50E+3,\"t\":true,\"f\":false,\"z\":null,\"a\":[1,\"\\u0041\",[]],"
        "\"k\\u0065y\":{\"in\":1}}";
    struct json_doc *doc = json_doc_new();
    const struct json_value *v, *a;
    char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    ck_assert_int_eq(parse(doc, (struct span){copy, sizeof text - 1}, &v), REASON_OK);
    memset(copy, 'x', sizeof copy); /* the text may be released */
    ck_assert_int_eq(v->type, JSON_OBJECT);
    ck_assert_uint_eq(v->count, 8);
    ck_assert_uint_eq(v->name.n, 0);
    ck_assert_ptr_null(v->next);
    ck_assert(span_eq_str(json_get(v, "s")->text, "plain"));
    ck_assert(span_eq(json_get(v, "e")->text, SPAN("a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80z")));
    ck_assert_int_eq(json_get(v, "n")->type, JSON_NUMBER);
    ck_assert(span_eq_str(json_get(v, "n")->text, "-12.50E+3"));
    ck_assert(json_get(v, "t")->type == JSON_BOOL && json_get(v, "t")->truth);
    ck_assert(json_get(v, "f")->type == JSON_BOOL && !json_get(v, "f")->truth);
    ck_assert_int_eq(json_get(v, "z")->type, JSON_NULL);
    a = json_get(v, "a");
    ck_assert(a->type == JSON_ARRAY && a->count == 3);
    ck_assert(span_eq_str(a->child->text, "1") && a->child->name.n == 0);
    ck_assert(span_eq_str(a->child->next->text, "A"));
    ck_assert(a->child->next->next->type == JSON_ARRAY && a->child->next->next->count == 0);
    ck_assert_ptr_null(a->child->next->next->child);
    ck_assert_ptr_null(a->child->next->next->next);
    ck_assert(span_eq_str(json_get(json_get(v, "key"), "in")->text, "1"));
    ck_assert_ptr_null(json_get(v, "KEY"));
    ck_assert_ptr_nonnull(json_get_nocase(v, "KEY"));
    ck_assert_ptr_null(json_get(a, "in"));
    ck_assert_ptr_null(json_get(NULL, "in"));
    json_doc_free(doc);
}
END_TEST

/* Members stay in the order of the text; names and strings may hold anything but NUL. */
START_TEST(order_is_kept)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *v;
    char want = 'a';
    ck_assert_int_eq(
        parse(doc, SPAN("{\"a\":0,\"b\":[0,{}],\"c\":0,\"d\":{\"x\":0},\"e\":0}"), &v), REASON_OK);
    JSON_EACH (m, v) {
        ck_assert(m->name.n == 1 && m->name.p[0] == want);
        want++;
    }
    ck_assert_int_eq(want, 'f');
    json_doc_free(doc);
}
END_TEST

START_TEST(limits_are_exact)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *v;
    struct json_limits l = {.bytes = 7, .members = 3};
    ck_assert_int_eq(json_parse(doc, SPAN("[1,2,3]"), &l, &v), REASON_OK);
    ck_assert_int_eq(json_parse(doc, SPAN("[1,2,3] "), &l, &v), REASON_TOO_LARGE);
    l.bytes = 100;
    ck_assert_int_eq(json_parse(doc, SPAN("[1,2,3,4]"), &l, &v), REASON_JSON_DEPTH);
    ck_assert_int_eq(
        json_parse(doc, SPAN("[{\"a\":1,\"b\":1,\"c\":1},2,[1,2,3]]"), &l, &v), REASON_OK);
    ck_assert_int_eq(
        json_parse(doc, SPAN("[{\"a\":1,\"b\":1,\"c\":1,\"d\":1}]"), &l, &v), REASON_JSON_DEPTH);
    ck_assert_int_eq(json_parse(doc, SPAN("[[1,2,3],[1,2,3],\",,,,,\"]"), &l, &v), REASON_OK);
    json_doc_free(doc);
}
END_TEST

/* n different names of one length, so that only their bytes tell them apart; `twin` repeats one of
 * them. */
static struct span names_text(struct buf *b, unsigned n, unsigned twin, bool upper)
{
    buf_put_char(b, '{');
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s\"%c%05u\":0", i ? "," : "", upper && i == n - 1 ? 'N' : 'n',
            i == n - 1 && twin != UINT32_MAX ? twin : i * 7919 % 100000);
    buf_put_char(b, '}');
    return buf_span(b);
}

/* The few-names way and the sorting way find the same twins, exact and ASCII-folded. */
START_TEST(duplicates_are_found_in_objects_of_any_size)
{
    static const unsigned sizes[] = {2, 5, 31, 32, 33, 34, 64, 65, 100, 1000, 4096};
    struct json_doc *doc = json_doc_new();
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        for (unsigned bits = 0; bits < 8; bits++) {
            bool twin = bits & 1, upper = bits & 2, nocase = bits & 4;
            CLEANUP(buf_done) struct buf b = BUF_INIT(1048576);
            const struct json_value *v;
            struct json_limits l = {.bytes = 1048576, .names_nocase = nocase};
            unsigned at = (sizes[i] / 2 - 1) * 7919 % 100000; /* name of a member in the middle */
            struct span text = names_text(&b, sizes[i], twin ? at : UINT32_MAX, upper);
            ck_assert_int_eq(json_parse(doc, text, &l, &v),
                twin && (!upper || nocase) ? REASON_JSON_DUPLICATE : REASON_OK);
        }
    json_doc_free(doc);
}
END_TEST

/* Names that begin alike and differ in length are different, and sorted as such. */
START_TEST(names_of_many_lengths_are_different)
{
    struct json_doc *doc = json_doc_new();
    for (unsigned twin = 0; twin < 2; twin++) {
        CLEANUP(buf_done) struct buf b = BUF_INIT(100000);
        const struct json_value *v;
        buf_put_char(&b, '{');
        for (unsigned i = 1; i <= 200; i++)
            buf_printf(&b, "\"%0*u\":0,", (int)(i * 7 % 201), 0U);
        buf_printf(&b, "\"%0*u\":0}", twin ? 100 : 201, 0U);
        ck_assert_int_eq(parse(doc, buf_span(&b), &v), twin ? REASON_JSON_DUPLICATE : REASON_OK);
    }
    json_doc_free(doc);
}
END_TEST

START_TEST(folding_is_for_ascii_letters_only)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *v;
    struct json_limits l = {.bytes = 1000, .names_nocase = true};
    ck_assert_int_eq(
        json_parse(doc, SPAN("{\"Keys\":1,\"keyS\":2}"), &l, &v), REASON_JSON_DUPLICATE);
    ck_assert_int_eq(json_parse(doc, SPAN("{\"\xc3\x89\":1,\"\xc3\xa9\":2}"), &l, &v), REASON_OK);
    ck_assert_int_eq(json_parse(doc, SPAN("{\"[\":1,\"{\":2,\"@\":1,\"`\":1}"), &l, &v), REASON_OK);
    json_doc_free(doc);
}
END_TEST

/* A document may be used again and again, after failures too. */
START_TEST(a_document_is_reusable)
{
    struct json_doc *doc = json_doc_new();
    const struct json_value *v;
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_int_eq(parse(doc, SPAN("{\"a\":[1,2,"), &v), REASON_JSON_SYNTAX);
        ck_assert_int_eq(parse(doc, SPAN("{\"a\":1,\"a\":2}"), &v), REASON_JSON_DUPLICATE);
        ck_assert_int_eq(parse(doc, SPAN("{\"a\":[1,2,\"\\u0041\"]}"), &v), REASON_OK);
        ck_assert_uint_eq(json_get(v, "a")->count, 3);
    }
    json_doc_freep(&doc);
    ck_assert_ptr_null(doc);
    json_doc_free(NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, verdicts, 0, (int)ARRAY_LEN(table));
    tcase_add_test(tc, every_prefix_is_refused);
    tcase_add_test(tc, the_tree_says_what_the_text_says);
    tcase_add_test(tc, order_is_kept);
    tcase_add_test(tc, limits_are_exact);
    tcase_add_test(tc, duplicates_are_found_in_objects_of_any_size);
    tcase_add_test(tc, names_of_many_lengths_are_different);
    tcase_add_test(tc, folding_is_for_ascii_letters_only);
    tcase_add_test(tc, a_document_is_reusable);
}

int main(void)
{
    return unit_run("base_json", fill);
}
