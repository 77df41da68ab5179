/* SPDX-License-Identifier: Apache-2.0 */
/* Syntax of one configuration text, values, digest. */
#include "conf.h"

#include "cleanup.h"
#include "unit.h"

#include <limits.h>
#include <string.h>

static const struct {
    struct span text;
    const char *entries; /* "line:section/name:key=value|", a section line without key */
    const char *errors;
} table[] = {
    {SPAN(""), "", ""},
    {SPAN("\n\n \t\n"), "", ""},
    {SPAN("[A]\nk=v\n"), "1:A/:|2:A/:k=v|", ""},
    {SPAN("[A]\nk=v"), "1:A/:|2:A/:k=v|", ""},
    {SPAN("[Partner exch]\n"), "1:Partner/exch:|", ""},
    {SPAN(" [ Partner \t exch ] \t\n"), "1:Partner/exch:|", ""},
    {SPAN("[X-Site my.host_1]\nX-K=1\n"), "1:X-Site/my.host_1:|2:X-Site/my.host_1:X-K=1|", ""},
    /* blanks around the key and the value go, those inside stay; only the first '=' parts them */
    {SPAN("[A]\n\t k1 \t=\t a  b = c \t\n"), "1:A/:|2:A/:k1=a  b = c|", ""},
    {SPAN("[A]\nk=\nk= \n"), "1:A/:|2:A/:k=|3:A/:k=|", ""},
    {SPAN("[A]\nk=a\nk=b\n"), "1:A/:|2:A/:k=a|3:A/:k=b|", ""},
    /* comments stand alone on their line; in a value # and ; are letters like others */
    {SPAN("# c\n; [B]\n  # k=v\n[A]\nk=a # b ; c\n"), "4:A/:|5:A/:k=a # b ; c|", ""},
    /* no continuation, no quoting */
    {SPAN("[A]\nk=a\\\nl=\"b\"\n"), "1:A/:|2:A/:k=a\\|3:A/:l=\"b\"|", ""},
    {SPAN("[A]\nk=\xc3\xa9\n"), "1:A/:|2:A/:k=\xc3\xa9|", ""},
    {SPAN("[A]\n[A]\nk=1\n"), "1:A/:|2:A/:|3:A/:k=1|", ""},
    /* mistakes */
    {SPAN("k=v\n"), "", "f:1: k= stands before the first section\n"},
    {SPAN("[A]\nhello\nk=v\n"), "1:A/:|3:A/:k=v|", "f:2: not a section, a comment or Key=value\n"},
    {SPAN("[A]\n=v\n"), "1:A/:|", "f:2: the part before '=' is not a key\n"},
    {SPAN("[A]\nk k=v\n"), "1:A/:|", "f:2: the part before '=' is not a key\n"},
    {SPAN("[A]\n1k=v\n-k=v\nk_=v\n"), "1:A/:|",
        "f:2: the part before '=' is not a key\nf:3: the part before '=' is not a key\n"
        "f:4: the part before '=' is not a key\n"},
    {SPAN("[A]\nk\xc3\xa9=v\n"), "1:A/:|", "f:2: the part before '=' is not a key\n"},
    /* a broken section line must not leave its keys to the section before, nor count them as
       mistakes */
    {SPAN("[A]\na=1\n[B\nb=1\n[C]\nc=1\n"), "1:A/:|2:A/:a=1|5:C/:|6:C/:c=1|",
        "f:3: a section line must end with ']'\n"},
    {SPAN("[]\nk=1\n[A b c]\nk=1\n[A [b]]\nk=1\n[A_]\nk=1\n[1]\n[A] # c\nk=1\n"), "",
        "f:1: a section is [Section] or [Section name], the name without blanks or brackets\n"
        "f:3: a section is [Section] or [Section name], the name without blanks or brackets\n"
        "f:5: a section is [Section] or [Section name], the name without blanks or brackets\n"
        "f:7: a section is [Section] or [Section name], the name without blanks or brackets\n"
        "f:9: a section is [Section] or [Section name], the name without blanks or brackets\n"
        "f:10: a section line must end with ']'\n"},
    {SPAN("["), "", "f:1: a section line must end with ']'\n"},
    {SPAN("[A]\n[B\xff]\nb=1\n"), "1:A/:|", "f:2: the line is not UTF-8\n"},
    /* bytes that do not belong into a text */
    {SPAN("[A]\nk=a\0b\n"), "1:A/:|", "f:2: the line holds a control character\n"},
    {SPAN("[A]\n\0\n"), "1:A/:|", "f:2: the line holds a control character\n"},
    {SPAN("[A]\nk=\x1b[1m\n"), "1:A/:|", "f:2: the line holds a control character\n"},
    {SPAN("[A]\nk=\x7f\n"), "1:A/:|", "f:2: the line holds a control character\n"},
    {SPAN("[A]\nk=\xc0\x80\n"), "1:A/:|", "f:2: the line is not UTF-8\n"},
    {SPAN("# \xff\n"), "", "f:1: the line is not UTF-8\n"},
    {SPAN("[A]\r\nk=v\r\n"), "",
        "f:1: the line ends with a carriage return; save the file with plain line feeds\n"
        "f:2: the line ends with a carriage return; save the file with plain line feeds\n"},
    {SPAN("\xef\xbb\xbf[A]\nk=v\n"), "",
        "f:1: the file starts with a byte order mark; save it without one\n"},
};

static void list_entries(const struct conf_set *set, struct buf *out)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct conf_entry *e = &set->entries[i];
        buf_printf(out, "%u:%s/%s:", e->where.line, e->section, e->name);
        if (e->key)
            buf_printf(out, "%s=%s", e->key, e->value);
        buf_put_char(out, '|');
    }
}

START_TEST(texts_and_their_entries)
{
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(buf_done) struct buf got = BUF_INIT(10000);
    ck_assert_int_eq(conf_parse(&set, "f", table[_i].text, &errors), 0);
    list_entries(&set, &got);
    ck_assert_str_eq(got.p ? got.p : "", table[_i].entries);
    ck_assert_str_eq(errors.text.p ? errors.text.p : "", table[_i].errors);
    unsigned lines = 0;
    for (const char *p = table[_i].errors; *p; p++)
        lines += *p == '\n';
    ck_assert_uint_eq(errors.count, lines);
}
END_TEST

START_TEST(the_line_limit_is_exact)
{
    for (unsigned over = 0; over < 2; over++) {
        CLEANUP(conf_set_done) struct conf_set set = {0};
        CLEANUP(conf_errors_done) struct conf_errors errors = {0};
        CLEANUP(buf_done) struct buf text = BUF_INIT(10000);
        buf_put_str(&text, "[A]\nk=");
        for (unsigned i = 0; i < 4096 - 2 + over; i++)
            buf_put_char(&text, 'v');
        buf_put_str(&text, "\nl=w\n");
        ck_assert_int_eq(conf_parse(&set, "f", buf_span(&text), &errors), 0);
        ck_assert_uint_eq(errors.count, over);
        ck_assert_uint_eq(set.n, 3 - over);
        ck_assert_str_eq(set.entries[set.n - 1].key, "l");
    }
}
END_TEST

/* Entries of the first text stay where they are and what they are when more texts come. */
START_TEST(texts_are_appended)
{
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    for (unsigned i = 0; i < 300; i++) {
        char path[16], text[32];
        snprintf(path, sizeof path, "f%u", i);
        snprintf(text, sizeof text, "[S n%u]\nk=%u\n", i, i);
        ck_assert_int_eq(conf_parse(&set, path, span_of(text), &errors), 0);
    }
    ck_assert_uint_eq(set.n, 600);
    for (unsigned i = 0; i < 300; i++) {
        char want[16];
        const struct conf_entry *e = &set.entries[2 * i + 1];
        snprintf(want, sizeof want, "f%u", i);
        ck_assert_str_eq(e->where.file, want);
        ck_assert_str_eq(e->value, want + 1);
        ck_assert_uint_eq(e->where.line, 2);
    }
}
END_TEST

/* A file of nothing but mistakes: all are counted, the text stays bounded and whole lines. */
START_TEST(mistakes_are_counted_beyond_what_is_kept)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    for (unsigned i = 1; i <= 20000; i++)
        conf_error(&errors, (struct conf_where){"file", i}, "mistake %u of many", i);
    ck_assert_uint_eq(errors.count, 20000);
    ck_assert(!errors.text.failed);
    ck_assert_uint_le(errors.text.n, 262144);
    ck_assert_uint_ge(errors.text.n, 260000);
    ck_assert_int_eq(errors.text.p[errors.text.n - 1], '\n');
    conf_errors_done(&errors);
    conf_error(&errors, (struct conf_where){"file", 0}, "no line");
    conf_error(&errors, (struct conf_where){0}, "no file");
    ck_assert_str_eq(errors.text.p, "file: no line\nno file\n");
}
END_TEST

static void digest_of(const char *path, const char *text, unsigned char out[16])
{
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    ck_assert_int_eq(conf_parse(&set, path, span_of(text), &errors), 0);
    conf_digest(&set, out);
}

/* The digest is one of what the configuration says and where, not of the folder or of comments. */
/* The longest path there is leaves room for the message and its line feed. */
START_TEST(a_mistake_is_a_whole_line)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    static char path[PATH_MAX];
    memset(path, 'p', sizeof path - 1);
    conf_error(&errors, (struct conf_where){path, UINT_MAX}, "%01023d", 7);
    ck_assert_uint_eq(errors.text.n, strlen(path) + strlen(":4294967295: ") + 1023 + 1);
    ck_assert(span_eq_str(span_skip(buf_span(&errors.text), errors.text.n - 3), "07\n"));
}
END_TEST

START_TEST(the_digest_tells_differences)
{
    static const char *const others[][2] = {{"/d/b.conf", "[A n]\nk=v\n"},
        {"/d/a.conf", "\n[A n]\nk=v\n"}, {"/d/a.conf", "[B n]\nk=v\n"},
        {"/d/a.conf", "[A m]\nk=v\n"}, {"/d/a.conf", "[A n]\nl=v\n"}, {"/d/a.conf", "[A n]\nk=w\n"},
        {"/d/a.conf", "[A n]\nk=v\nk=v\n"}, {"/d/a.conf", "[A n]\n"}, {"/d/a.conf", "[A n]\nkv=\n"},
        {"/d/a.conf", "[An]\nk=v\n"}, {"/d/a.conf", ""}};
    unsigned char base[16], d[16];
    digest_of("/d/a.conf", "[A n]\nk=v\n", base);
    digest_of("/elsewhere/a.conf", " [ A n ] \n k = v \n# c\n", d);
    ck_assert_mem_eq(base, d, 16);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        digest_of(others[i][0], others[i][1], d);
        ck_assert_mem_ne(base, d, 8); /* both halves notice */
        ck_assert_mem_ne(base + 8, d + 8, 8);
    }
}
END_TEST

static const struct {
    const char *text;
    int verdict; /* -1: not of the form */
} bools[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1}, {"off", 0}, {"1", 1},
    {"0", 0}, {"YES", 1}, {"False", 0}, {"", -1}, {"y", -1}, {"2", -1}, {"yes ", -1}, {"00", -1},
    {"enabled", -1}};

START_TEST(switches)
{
    bool v = bools[_i].verdict != 1, before = v;
    ck_assert_int_eq(conf_bool(bools[_i].text, &v), bools[_i].verdict >= 0);
    ck_assert_int_eq(v, bools[_i].verdict >= 0 ? bools[_i].verdict == 1 : before);
}
END_TEST

static const struct {
    const char *text;
    int64_t s; /* -1: not of the form */
} durations[] = {
    {"0", 0},
    {"90", 90},
    {"90s", 90},
    {"1sec", 1},
    {"2 seconds", 2},
    {"30min", 1800},
    {"5m", 300},
    {"1 minute", 60},
    {"2h", 7200},
    {"1hr", 3600},
    {"3 hours", 10800},
    {"7d", 604800},
    {"1day", 86400},
    {"2w", 1209600},
    {"1week", 604800},
    {"1M", 2629800},
    {"2 months", 5259600},
    {"2y", 63115200},
    {"1year", 31557600},
    {"1h 30min", 5400},
    {"1h30min", 5400},
    {"1h 30", 3630},
    {"1d 1h 1m 1s", 90061},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775807s", INT64_MAX},
    {"", -1},
    {" ", -1},
    {"s", -1},
    {"-1", -1},
    {"+1", -1},
    {"1.5h", -1},
    {"1 hour and", -1},
    {"1x", -1},
    {"1H", -1},
    {"1ms", -1},
    {"5us", -1},
    {"infinity", -1},
    {"9223372036854775808", -1},
    {"9223372036854775807m", -1},
    {"9223372036854775807 1", -1},
    {"292471208678y", -1},
    {"307445734561825861m", -1}, /* 60 times that wraps to 44 */
    {"0x10", -1},
    {"1,5", -1},
    {" 1", -1},
    {"1 ", 1},
};

START_TEST(durations_as_systemd_writes_them)
{
    int64_t v = 77;
    ck_assert_msg(conf_duration_s(durations[_i].text, &v) == (durations[_i].s >= 0), "%s",
        durations[_i].text);
    ck_assert_int_eq(v, durations[_i].s >= 0 ? durations[_i].s : 77);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    uint64_t v;
} sizes[] = {{"0", true, 0}, {"1048576", true, 1048576}, {"256K", true, 262144},
    {"1M", true, 1048576}, {"2G", true, UINT64_C(2147483648)},
    {"1T", true, UINT64_C(1099511627776)}, {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0}, {"18014398509481984K", false, 0},
    {"18014398509481983K", true, UINT64_C(18446744073709550592)}, {"", false, 0}, {"K", false, 0},
    {"1k", false, 0}, {"1KB", false, 0}, {"1 K", false, 0}, {"-1", false, 0}, {"1.5M", false, 0},
    {" 1", false, 0}, {"1 ", false, 0}};

START_TEST(sizes_in_factors_of_1024)
{
    uint64_t v = 77;
    ck_assert_int_eq(conf_size(sizes[_i].text, &v), sizes[_i].good);
    ck_assert_uint_eq(v, sizes[_i].good ? sizes[_i].v : 77);
}
END_TEST

START_TEST(whole_numbers_up_to_a_maximum)
{
    uint64_t v = 77;
    ck_assert(conf_uint("0", 0, &v) && v == 0);
    ck_assert(conf_uint("512", 512, &v) && v == 512);
    ck_assert(conf_uint("007", 9, &v) && v == 7);
    ck_assert(conf_uint("18446744073709551615", UINT64_MAX, &v) && v == UINT64_MAX);
    v = 77;
    ck_assert(!conf_uint("513", 512, &v) && !conf_uint("1", 0, &v) && !conf_uint("", 9, &v) &&
              !conf_uint("-1", 9, &v));
    ck_assert(!conf_uint("1 ", 9, &v) && !conf_uint("1K", 9, &v) &&
              !conf_uint("18446744073709551616", UINT64_MAX, &v));
    ck_assert_uint_eq(v, 77);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, texts_and_their_entries, 0, (int)ARRAY_LEN(table));
    tcase_add_test(tc, the_line_limit_is_exact);
    tcase_add_test(tc, texts_are_appended);
    tcase_add_test(tc, mistakes_are_counted_beyond_what_is_kept);
    tcase_add_test(tc, a_mistake_is_a_whole_line);
    tcase_add_test(tc, the_digest_tells_differences);
    tcase_add_loop_test(tc, switches, 0, (int)ARRAY_LEN(bools));
    tcase_add_loop_test(tc, durations_as_systemd_writes_them, 0, (int)ARRAY_LEN(durations));
    tcase_add_loop_test(tc, sizes_in_factors_of_1024, 0, (int)ARRAY_LEN(sizes));
    tcase_add_test(tc, whole_numbers_up_to_a_maximum);
}

int main(void)
{
    return unit_run("base_conf", fill);
}
