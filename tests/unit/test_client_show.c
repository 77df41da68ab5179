/* SPDX-License-Identifier: Apache-2.0 */
/* Screens: tests/golden/NAME.json through the screen gives tests/golden/NAME.txt. Run from the top
 * of the tree. */
#include "answer.h"
#include "ask.h"
#include "cleanup.h"
#include "commands.h"
#include "show.h"
#include "unit.h"

#include <time.h>

#define NOW 1795608000 /* 2026-11-25 12:00 UTC */

static struct buf read_text(const char *name, const char *suffix)
{
    char path[256];
    struct buf text = BUF_INIT(1024 * 1024);
    snprintf(path, sizeof(path), "tests/golden/%s.%s", name, suffix);
    CLEANUP(fclosep) FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "cannot open %s (run from the top of the tree)", path);
    char part[4096];
    for (size_t n = fread(part, 1, sizeof(part), f); n > 0; n = fread(part, 1, sizeof(part), f))
        buf_put(&text, part, n);
    buf_put_char(&text, '\0');
    return text;
}

static const struct json_value *parse(struct json_doc *doc, const struct buf *text)
{
    const struct json_limits limits = {.bytes = 1024 * 1024};
    const struct json_value *v = NULL;
    struct span json = {text->p, text->n - 1};
    ck_assert_int_eq(json_parse(doc, json, &limits, &v), REASON_OK);
    return v;
}

static bool show_list(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    return show_partners(s, answer_array(reply, "partners"), out, ret_well);
}

static const struct {
    const char *json, *text;
    bool (*show)(const struct style *, const struct json_value *, struct buf *, bool *);
    struct style style;
    bool well;
} screens[] = {
    {"status", "status", show_status, {.utc = true}, false},
    {"status", "status-ascii", show_status, {.utc = true, .ascii = true}, false},
    {"status", "status-colour", show_status, {.utc = true, .colour = true}, false},
    {"status", "partners", show_list, {.utc = true}, false},
    {"partners-none", "partners-none", show_list, {.utc = true}, true},
    {"partner", "partner", show_partner, {.utc = true}, false},
    {"refresh", "refresh", show_refresh, {.utc = true}, false},
    {"keys", "keys", show_keys, {.utc = true}, true},
    {"keys", "keys-60", show_keys, {.utc = true, .columns = 60}, true},
    {"keys-held", "keys-held", show_keys, {.utc = true}, false},
    {"keys-held", "timeline-held", show_timeline, {.utc = true}, false},
    {"keys-partners", "keys-partners", show_keys, {.utc = true}, true},
    {"keys-partners", "timeline-partners", show_timeline, {.utc = true}, true},
    {"keys-lone", "keys-lone", show_keys, {.utc = true}, false},
    {"keys-ended", "keys-ended", show_keys, {.utc = true}, false},
    {"keys-none", "keys-none", show_keys, {.utc = true, .ascii = true}, false},
    {"keys-demo", "keys-demo", show_keys, {.utc = true}, true},
    {"keys", "timeline", show_timeline, {.utc = true}, true},
    {"keys", "timeline-60", show_timeline, {.utc = true, .columns = 60}, true},
    {"keys", "timeline-ascii", show_timeline, {.utc = true, .ascii = true}, true},
    {"keys", "timeline-colour", show_timeline, {.utc = true, .colour = true}, true},
    {"keys-lone", "timeline-lone", show_timeline, {.utc = true}, false},
    {"keys-ended", "timeline-ended", show_timeline, {.utc = true}, false},
    {"keys-none", "timeline-none", show_timeline, {.utc = true}, false},
    {"keys-demo", "timeline-demo", show_timeline, {.utc = true, .drawn_s = 120}, true},
    {"changed", "changed", show_changed, {.utc = true}, true},
    {"pool", "pool", show_pool, {.utc = true}, false},
    {"pool-none", "pool-none", show_pool, {.utc = true}, true},
    {"verdict-accepted", "verdict-accepted", show_verdict, {.utc = true}, true},
    {"verdict-refused", "verdict-refused", show_verdict, {.utc = true}, false},
    {"verdict-refused", "verdict-refused-ascii", show_verdict, {.utc = true, .ascii = true}, false},
    {"verdict-bare", "verdict-bare", show_verdict, {.utc = true}, false},
};

START_TEST(test_screen)
{
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(buf_done) struct buf json = read_text(screens[_i].json, "json");
    CLEANUP(buf_done) struct buf wanted = read_text(screens[_i].text, "txt");
    CLEANUP(buf_done) struct buf out = BUF_INIT(1024 * 1024);
    struct style style = screens[_i].style;
    bool well = !screens[_i].well;
    style.now = NOW;
    ck_assert(screens[_i].show(&style, parse(doc, &json), &out, &well));
    ck_assert_str_eq(out.p, wanted.p);
    ck_assert_int_eq(well, screens[_i].well);
}
END_TEST

/* No answer takes s2sctl by surprise: each member in turn is taken away or made an array. */
static void spoil(const struct json_value *v, const char *member, bool drop, struct buf *out)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    JSON_EACH (m, v) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)m->name.n, m->name.p);
        if (strcmp(name, member) != 0)
            put_json(&j, name, m);
        else if (!drop && m->type == JSON_ARRAY)
            json_out_int(&j, name, 1);
        else if (!drop)
            json_out_array(&j, name), json_out_int(&j, NULL, 1), json_out_array_end(&j);
    }
    json_out_object_end(&j);
}

static bool read_as(const char *form, const struct json_value *v)
{
    union {
        struct brief_answer brief;
        struct own_key_answer own_key;
        struct signing_key_answer signing_key;
        struct sighting_answer sighting;
        struct keys_answer keys;
        struct key_partner_answer key_partner;
        struct partner_key_answer partner_key;
        struct held_answer held;
        struct partner_answer partner;
        struct changed_answer changed;
        struct pool_answer pool;
        struct pool_member_answer member;
    } u;
    return strcmp(form, "pool") == 0          ? answer_pool(v, &u.pool)
           : strcmp(form, "pool member") == 0 ? answer_pool_member(v, &u.member)
           : strcmp(form, "brief") == 0       ? answer_brief(v, &u.brief)
           : strcmp(form, "signing key") == 0 ? answer_signing_key(v, &u.signing_key)
           : strcmp(form, "own key") == 0     ? answer_own_key(v, &u.own_key)
           : strcmp(form, "sighting") == 0    ? answer_sighting(v, &u.sighting)
           : strcmp(form, "keys") == 0        ? answer_keys(v, &u.keys)
           : strcmp(form, "key partner") == 0 ? answer_key_partner(v, &u.key_partner)
           : strcmp(form, "partner key") == 0 ? answer_partner_key(v, &u.partner_key)
           : strcmp(form, "held") == 0        ? answer_held(v, &u.held)
           : strcmp(form, "partner") == 0     ? answer_partner(v, &u.partner)
                                              : answer_changed(v, &u.changed);
}

/* Each object of a golden answer: the path of members to it (of an array the first element that is
 * left by `skip`), its form, and which members may be missing. Members that nobody shows are not of
 * the form. */
static const struct {
    const char *golden, *path[3];
    unsigned skip;
    const char *form, *optional;
} objects[] = {
    {"status", {"partners"}, 0, "brief",
        " lastReason lastSentence lastDetail refusedFrom suspendedAt suspendedBy held "
        "clockOffset "},
    {"status", {"signingKeys"}, 1, "signing key", " until publishedSince effectiveAt held "},
    {"keys", {NULL}, 0, "keys", " earliestRoll "},
    {"keys", {"keys"}, 1, "own key", " effectiveAt lastResortAt until holdReason certificate "},
    {"keys", {"keys", "seen"}, 0, "sighting", " "},
    {"keys", {"partners"}, 0, "key partner", " howTo "},
    {"partner", {"keys"}, 2, "partner key", " believedFrom "},
    {"partner", {NULL}, 0, "partner", " continuity holdDown held "},
    {"partner", {"held"}, 0, "held", " "},
    {"changed", {NULL}, 0, "changed", " changed "},
    {"pool", {NULL}, 0, "pool", " "},
    {"pool", {"members"}, 2, "pool member", " publishesNext leavesAt "},
};

static const struct json_value *object_at(size_t i, const struct json_value *v)
{
    for (const char *const *name = objects[i].path; *name; name++) {
        v = json_get(v, *name);
        bool list = v->type == JSON_ARRAY;
        v = list ? v->child : v;
        for (unsigned skip = objects[i].skip; list && skip > 0 && v->next; skip--)
            v = v->next;
    }
    return v;
}

START_TEST(test_spoiled)
{
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(json_doc_freep) struct json_doc *other = json_doc_new();
    CLEANUP(buf_done) struct buf json = read_text(objects[_i].golden, "json");
    const struct json_value *object = object_at((size_t)_i, parse(doc, &json));
    unsigned checked = 0;
    ck_assert(read_as(objects[_i].form, object));
    JSON_EACH (m, object) {
        char name[64], word[80];
        snprintf(name, sizeof(name), "%.*s", (int)m->name.n, m->name.p);
        snprintf(word, sizeof(word), " %s ", name);
        bool may = strstr(objects[_i].optional, word) != NULL;
        bool shown = strcmp(name, "certificate") != 0;
        for (int drop = 0; drop < 2; drop++) {
            CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
            spoil(object, name, drop, &text);
            buf_put_char(&text, '\0');
            ck_assert_msg(
                read_as(objects[_i].form, parse(other, &text)) == (may && (drop || !shown)), "%s",
                text.p);
            checked++;
        }
    }
    ck_assert_uint_gt(checked, 2);
}
END_TEST

/* Screen pieces. */

START_TEST(test_durations)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } table[] = {{-5, "0 s"}, {0, "0 s"}, {119, "119 s"}, {120, "2 min"}, {7199, "119 min"},
        {7200, "2 h"}, {172799, "47 h"}, {172800, "2 days"}, {86400 * 700, "700 days"}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        CLEANUP(buf_done) struct buf out = BUF_INIT(64);
        put_duration(&out, table[i].seconds);
        ck_assert_str_eq(out.p, table[i].text);
    }
}
END_TEST

START_TEST(test_dates)
{
    struct style s = {.utc = true, .now = NOW};
    CLEANUP(buf_done) struct buf out = BUF_INIT(256);
    put_minute(&out, &s, NOW);
    buf_put_char(&out, '|');
    put_date(&out, &s, 0);
    buf_put_char(&out, '|');
    put_date(&out, &s, 253402300800); /* year 10000 */
    buf_put_char(&out, '|');
    put_relative(&out, &s, NOW + 7200);
    buf_put_char(&out, '|');
    put_relative(&out, &s, NOW);
    setenv("TZ", "XST-05:30", 1);
    tzset();
    s.utc = false;
    buf_put_char(&out, '|');
    put_minute(&out, &s, NOW + 8 * 3600);
    ck_assert_str_eq(out.p, "2026-11-25 12:00|never|never|in 2 h|0 s ago|2026-11-26 01:30");
}
END_TEST

START_TEST(test_foreign_text_is_harmless)
{
    const struct style s = {.colour = true};
    CLEANUP(buf_done) struct buf out = BUF_INIT(256);
    put_safe(&out, SPAN("a\033[31m\n\xc3\xa4\x7f\\\"b"));
    ck_assert_str_eq(out.p, "a\\x1b[31m\\x0a\\xc3\\xa4\\x7f\\\"b");
    buf_reset(&out);
    put_coloured(&out, &s, COLOUR_BAD, SPAN("x\033"));
    ck_assert_str_eq(out.p, "\033[31mx\\x1b\033[0m");
}
END_TEST

START_TEST(test_table)
{
    const struct style s = {0};
    CLEANUP(buf_done) struct buf out = BUF_INIT(1024);
    struct table t;
    table_start(&t, &s, "lrl");
    table_text(&t, "NAME");
    table_text(&t, "N");
    table_text(&t, "REST");
    table_text(&t, "long name");
    table_text(&t, "1");
    table_text(&t, "x");
    table_note(&t, 1, SPAN("a note that is wider than its column"));
    table_text(&t, "b");
    table_text(&t, "1000");
    table_text(&t, "");
    table_finish(&t, &out);
    ck_assert_str_eq(out.p, "NAME          N  REST\n"
                            "long name     1  x\n"
                            "           a note that is wider than its column\n"
                            "b          1000  \n");
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_loop_test(t, test_screen, 0, (int)ARRAY_LEN(screens));
    tcase_add_loop_test(t, test_spoiled, 0, (int)ARRAY_LEN(objects));
    tcase_add_test(t, test_durations);
    tcase_add_test(t, test_dates);
    tcase_add_test(t, test_foreign_text_is_harmless);
    tcase_add_test(t, test_table);
}

int main(void)
{
    return unit_run("client_show", fill);
}
