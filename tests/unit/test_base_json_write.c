/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer, the table of fields and the one reading of numbers. */
#include "cleanup.h"
#include "json.h"
#include "unit.h"

#include <stddef.h>
#include <stdint.h>

START_TEST(structure_is_written_compactly)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "s", "x");
    json_out_str(&j, "left out", NULL);
    json_out_array(&j, "a");
    json_out_int(&j, NULL, INT64_MIN);
    json_out_int(&j, NULL, INT64_MAX);
    json_out_object(&j, NULL);
    json_out_object_end(&j);
    json_out_array(&j, NULL);
    json_out_array_end(&j);
    json_out_bool(&j, NULL, true);
    json_out_array_end(&j);
    json_out_null(&j, "n");
    json_out_bool(&j, "f", false);
    json_out_raw(&j, "r", SPAN("[1, 2]"));
    json_out_span(&j, "q\"", SPAN("a\0b"));
    json_out_object_end(&j);
    ck_assert(!b.failed);
    ck_assert_uint_eq(j.depth, 0);
    ck_assert_str_eq(b.p,
        "{\"s\":\"x\",\"a\":[-9223372036854775808,9223372036854775807,{},[],true],\"n\":null,"
        "\"f\":false,\"r\":[1, 2],\"q\\\"\":\"a\\u0000b\"}");
}
END_TEST

START_TEST(a_lone_value_is_a_text)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_str(&j, NULL, "x");
    ck_assert_str_eq(b.p, "\"x\"");
}
END_TEST

static const struct {
    struct span text;
    const char *written;
} strings[] = {
    {SPAN(""), "\"\""},
    {{NULL, 0}, "\"\""},
    {SPAN("\b\f\n\r\t\"\\/"), "\"\\b\\f\\n\\r\\t\\\"\\\\/\""},
    {SPAN("\x01\x1f\x7f"), "\"\\u0001\\u001f\\u007f\""},
    {SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {SPAN("a\xff z"), "\"a\xef\xbf\xbd z\""},
    {SPAN("\xc3"), "\"\xef\xbf\xbd\""},
    {SPAN("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {SPAN("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {SPAN("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {SPAN("\xf4\x90\x80\x80x"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""},
};

START_TEST(strings_are_escaped_and_always_utf8)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_span(&j, NULL, strings[_i].text);
    ck_assert_str_eq(b.p, strings[_i].written);
}
END_TEST

static void put_code_point(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_put_char(b, (char)c);
    } else if (c < 0x800) {
        buf_put_char(b, (char)(0xc0 | c >> 6));
        buf_put_char(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_put_char(b, (char)(0xe0 | c >> 12));
        buf_put_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_put_char(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_put_char(b, (char)(0xf0 | c >> 18));
        buf_put_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_put_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_put_char(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* Every code point but NUL and the surrogates goes out and comes back, as name and as text. */
START_TEST(every_code_point_survives_a_round_trip)
{
    struct json_doc *doc = json_doc_new();
    const struct json_limits l = {.bytes = 1048576};
    for (uint32_t from = 1; from < 0x110000; from += 997) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(10000);
        CLEANUP(buf_done) struct buf out = BUF_INIT(100000);
        for (uint32_t c = from; c < from + 997 && c < 0x110000; c++)
            if (c < 0xd800 || c > 0xdfff)
                put_code_point(&text, c);
        if (text.n == 0)
            continue;
        struct json_out j;
        const struct json_value *v;
        json_out_start(&j, &out);
        json_out_object(&j, NULL);
        json_out_span(&j, text.p, buf_span(&text));
        json_out_object_end(&j);
        ck_assert(!out.failed);
        ck_assert_int_eq(json_parse(doc, buf_span(&out), &l, &v), REASON_OK);
        ck_assert(span_eq(v->child->name, buf_span(&text)));
        ck_assert(span_eq(v->child->text, buf_span(&text)));
    }
    json_doc_free(doc);
}
END_TEST

/* Any bytes at all give a text that the reader takes (a NUL byte is written \u0000, which it does
 * not). */
START_TEST(any_bytes_give_well_formed_json)
{
    struct json_doc *doc = json_doc_new();
    const struct json_limits l = {.bytes = 1048576};
    uint64_t x = 88172645463325252;
    for (unsigned i = 0; i < 20000; i++) {
        char bytes[24];
        size_t n = 1 + i % sizeof bytes;
        for (size_t k = 0; k < n; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            bytes[k] = (char)(1 + x % 255);
            if (k && x >> 40 & 1) /* more lead and continuation bytes that nearly fit */
                bytes[k] = (char)(0x80 | (x >> 20 & 0x3f));
        }
        CLEANUP(buf_done) struct buf out = BUF_INIT(1000);
        struct json_out j;
        const struct json_value *v;
        json_out_start(&j, &out);
        json_out_span(&j, NULL, (struct span){bytes, n});
        if (json_parse(doc, buf_span(&out), &l, &v) != REASON_OK)
            ck_abort_msg("%s", out.p);
    }
    json_doc_free(doc);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    int64_t v;
} numbers[] = {
    {"0", true, 0},
    {"1", true, 1},
    {"-1", true, -1},
    {"1735700000", true, 1735700000},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"9999999999999999999", false, 0},
    {"18446744073709551616", false, 0},
    {"99999999999999999999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"-0", false, 0},
    {"01", false, 0},
    {"+1", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"1E0", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"0x1", false, 0},
};

START_TEST(integers_have_one_form)
{
    int64_t v = 77;
    ck_assert_int_eq(json_int(span_of(numbers[_i].text), &v), numbers[_i].good);
    ck_assert_int_eq(v, numbers[_i].good ? numbers[_i].v : 77);
}
END_TEST

struct record {
    struct span text;
    bool flag;
    int64_t number;
    const struct json_value *list, *object;
};

static const struct json_field fields[] = {
    {"text", JSON_STRING, offsetof(struct record, text), JSON_MANDATORY},
    {"flag", JSON_BOOL, offsetof(struct record, flag), JSON_OPTIONAL},
    {"number", JSON_NUMBER, offsetof(struct record, number), JSON_OPTIONAL},
    {"list", JSON_ARRAY, offsetof(struct record, list), JSON_OPTIONAL},
    {"object", JSON_OBJECT, offsetof(struct record, object), JSON_OPTIONAL},
};

static enum reason read_record(
    struct json_doc *doc, const char *text, bool strict, struct record *ret, struct span *ret_bad)
{
    const struct json_limits l = {.bytes = 1000};
    const struct json_value *v;
    *ret = (struct record){0};
    ck_assert_int_eq(json_parse(doc, span_of(text), &l, &v), REASON_OK);
    return json_fields(v, fields, ARRAY_LEN(fields), strict, ret, ret_bad);
}

START_TEST(fields_are_filled)
{
    struct json_doc *doc = json_doc_new();
    struct record r;
    struct span bad;
    ck_assert_int_eq(
        read_record(doc,
            "{\"number\":-5,\"text\":\"t\",\"flag\":true,\"list\":[1,2],\"object\":{\"a\":1}}",
            true, &r, &bad),
        REASON_OK);
    ck_assert(span_eq_str(r.text, "t") && r.flag && r.number == -5);
    ck_assert_uint_eq(r.list->count, 2);
    ck_assert_ptr_nonnull(json_get(r.object, "a"));
    json_doc_free(doc);
}
END_TEST

static const struct {
    const char *text;
    bool strict;
    const char *bad; /* NULL: taken */
} records[] = {
    {"{\"text\":\"t\"}", true, NULL},
    {"{\"text\":\"t\",\"flag\":null,\"other\":1}", false, NULL},
    {"{\"text\":\"t\",\"other\":1}", true, "other"},
    {"{\"text\":\"t\",\"other\":null}", true, "other"},
    {"{\"text\":\"t\",\"Flag\":true}", true, "Flag"},
    {"{}", true, "text"},
    {"{\"text\":null}", true, "text"},
    {"{\"text\":1}", false, "text"},
    {"{\"text\":\"t\",\"flag\":\"true\"}", false, "flag"},
    {"{\"text\":\"t\",\"flag\":1}", false, "flag"},
    {"{\"text\":\"t\",\"number\":\"1\"}", false, "number"},
    {"{\"text\":\"t\",\"number\":1.0}", false, "number"},
    {"{\"text\":\"t\",\"number\":9223372036854775808}", false, "number"},
    {"{\"text\":\"t\",\"list\":{}}", false, "list"},
    {"{\"text\":\"t\",\"object\":[]}", false, "object"},
    {"[]", false, ""},
    {"1", false, ""},
};

START_TEST(fields_of_the_wrong_kind_are_named)
{
    struct json_doc *doc = json_doc_new();
    struct record r;
    struct span bad = SPAN("untouched");
    enum reason reason = read_record(doc, records[_i].text, records[_i].strict, &r, &bad);
    ck_assert_int_eq(reason, records[_i].bad ? REASON_JSON_FIELD : REASON_OK);
    ck_assert(span_eq_str(bad, records[_i].bad ? records[_i].bad : "untouched"));
    json_doc_free(doc);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, structure_is_written_compactly);
    tcase_add_test(tc, a_lone_value_is_a_text);
    tcase_add_loop_test(tc, strings_are_escaped_and_always_utf8, 0, (int)ARRAY_LEN(strings));
    tcase_add_test(tc, every_code_point_survives_a_round_trip);
    tcase_add_test(tc, any_bytes_give_well_formed_json);
    tcase_add_loop_test(tc, integers_have_one_form, 0, (int)ARRAY_LEN(numbers));
    tcase_add_test(tc, fields_are_filled);
    tcase_add_loop_test(tc, fields_of_the_wrong_kind_are_named, 0, (int)ARRAY_LEN(records));
}

int main(void)
{
    return unit_run("base_json_write", fill);
}
