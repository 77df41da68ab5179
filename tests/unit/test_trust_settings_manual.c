/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, s2sd.conf(5) and the example configuration say the same. Run from the top
 * of the tree. */
#include "cleanup.h"
#include "settings_of.h"
#include "settings_table.h"
#include "unit.h"

#define MANUAL "docs/s2sd.conf.5.scd"
#define EXAMPLE "conf/s2sd.conf"

static struct buf read_text(const char *path)
{
    struct buf text = BUF_INIT(1024 * 1024);
    CLEANUP(fclosep) FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "cannot open %s (run from the top of the tree)", path);
    char part[4096];
    for (size_t n = fread(part, 1, sizeof(part), f); n > 0; n = fread(part, 1, sizeof(part), f))
        buf_put(&text, part, n);
    buf_put_char(&text, '\0');
    ck_assert(!text.failed);
    return text;
}

/* The next line of a text, without its line feed. */
static bool next_line(struct span *rest, struct span *ret)
{
    if (rest->n == 0 || rest->p[0] == '\0')
        return false;
    size_t n = span_find(*rest, '\n');
    *ret = (struct span){rest->p, n};
    *rest = span_skip(*rest, n < rest->n ? n + 1 : n);
    return true;
}

/* "# [PARTNER NAME]" -> the section; NULL for another heading. */
static const struct setting_section *heading_section(struct span line)
{
    if (!span_starts(line, SPAN("# [")))
        return NULL;
    struct span title = span_skip(line, 3);
    size_t n = 0;
    while (n < title.n && title.p[n] != ' ' && title.p[n] != ']')
        n++;
    for (size_t i = 0; i < setting_sections_n; i++)
        if (span_eq_nocase((struct span){title.p, n}, span_of(setting_sections[i].name)))
            return &setting_sections[i];
    ck_abort_msg("heading of an unknown section: %.*s", (int)line.n, line.p);
    return NULL;
}

/* "*Key=*" -> Key; empty for another line. */
static struct span documented_key(struct span line)
{
    if (line.n < 4 || line.p[0] != '*' || !span_eq(span_skip(line, line.n - 2), SPAN("=*")))
        return (struct span){0};
    return (struct span){line.p + 1, line.n - 3};
}

static const struct setting_row *row_of(const struct setting_section *section, struct span key)
{
    for (size_t i = 0; i < section->n_rows; i++)
        if (span_eq_str(key, section->rows[i].key))
            return &section->rows[i];
    ck_abort_msg("[%s] %.*s= is documented and does not exist", section->name, (int)key.n, key.p);
    return NULL;
}

START_TEST(test_manual_holds_what_exists)
{
    CLEANUP(buf_done) struct buf text = read_text(MANUAL);
    struct span rest = buf_span(&text), line;
    const struct setting_section *section = NULL;
    size_t documented = 0, exist = 0;
    while (next_line(&rest, &line)) {
        if (span_starts(line, SPAN("# ")))
            section = heading_section(line);
        if (!section || documented_key(line).n == 0)
            continue;
        const struct setting_row *row = row_of(section, documented_key(line));
        /* The paragraph runs to the next empty line and names the default. */
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "_%s_", row->def ? row->def : "");
        bool found = !row->def;
        while (next_line(&rest, &line) && line.n > 0)
            found = found || memmem(line.p, line.n, wanted, strlen(wanted)) != NULL;
        ck_assert_msg(
            found, "[%s] %s=: default %s is not in the manual", section->name, row->key, wanted);
        documented++;
    }
    for (size_t i = 0; i < setting_sections_n; i++)
        exist += setting_sections[i].n_rows;
    /* Each documented one exists; as many of each: nothing is missing unless one stands twice. */
    ck_assert_uint_eq(documented, exist);
    ck_assert_uint_gt(exist, 70);
}
END_TEST

START_TEST(test_manual_names_each_key_once)
{
    CLEANUP(buf_done) struct buf text = read_text(MANUAL);
    for (size_t i = 0; i < setting_sections_n; i++)
        for (size_t r = 0; r < setting_sections[i].n_rows; r++) {
            const struct setting_section *wanted = &setting_sections[i], *section = NULL;
            struct span rest = buf_span(&text), line;
            unsigned times = 0;
            while (next_line(&rest, &line)) {
                if (span_starts(line, SPAN("# ")))
                    section = heading_section(line);
                times +=
                    section == wanted && span_eq_str(documented_key(line), wanted->rows[r].key);
            }
            ck_assert_msg(times == 1, "[%s] %s= stands %u times in the manual", wanted->name,
                wanted->rows[r].key, times);
        }
}
END_TEST

/* The words of each enum are in the manual too. */
START_TEST(test_manual_has_every_word)
{
    CLEANUP(buf_done) struct buf text = read_text(MANUAL);
    for (size_t i = 0; i < setting_sections_n; i++)
        for (size_t r = 0; r < setting_sections[i].n_rows; r++)
            for (const struct setting_word *w = setting_sections[i].rows[r].words; w && w->word;
                 w++) {
                char wanted[64];
                snprintf(wanted, sizeof(wanted), "_%s_", w->word);
                ck_assert_msg(strstr(text.p, wanted) != NULL, "%s is not in the manual", wanted);
            }
}
END_TEST

START_TEST(test_every_row_has_its_help)
{
    for (size_t i = 0; i < setting_sections_n; i++)
        for (size_t r = 0; r < setting_sections[i].n_rows; r++) {
            const struct setting_row *row = &setting_sections[i].rows[r];
            size_t n = strlen(row->help);
            ck_assert_msg(n > 10 && row->help[n - 1] != '.', "%s", row->key);
        }
}
END_TEST

/* conf/s2sd.conf: "#Key=value" is the default, and every setting is there. */

static const struct setting_section *line_section(struct span line)
{
    char name[32];
    snprintf(name, sizeof(name), "%.*s", (int)line.n - 2, line.p + 1);
    const struct setting_section *section = setting_section_find(name);
    ck_assert_msg(section != NULL, "[%s]", name);
    return section;
}

START_TEST(test_example_shows_defaults)
{
    CLEANUP(buf_done) struct buf text = read_text(EXAMPLE);
    struct span rest = buf_span(&text), line;
    const struct setting_section *section = NULL;
    size_t shown = 0, optional = 0;
    while (next_line(&rest, &line)) {
        if (line.n > 0 && line.p[0] == '[')
            section = line_section(line);
        if (line.n < 2 || line.p[0] != '#' || line.p[1] == ' ' || line.p[1] == '#')
            continue;
        struct span key = {line.p + 1, span_find(line, '=') - 1};
        struct span value = span_skip(line, key.n + 2);
        ck_assert_ptr_nonnull(section);
        const struct setting_row *row = row_of(section, key);
        ck_assert_msg(span_eq_str(value, row->def ? row->def : ""), "%s=%.*s", row->key,
            (int)value.n, value.p);
        shown++;
    }
    for (size_t i = 0; i < setting_sections_n; i++)
        for (size_t r = 0; !setting_sections[i].named && r < setting_sections[i].n_rows; r++)
            optional += !setting_sections[i].rows[r].mandatory;
    ck_assert_uint_eq(shown, optional);
}
END_TEST

/* Takes the comment off lines that begin with `head`, once each. */
static void uncomment(struct buf *text, const char *head)
{
    char *at = strstr(text->p, head);
    ck_assert_msg(at != NULL, "no line %s", head);
    memset(at, ' ', 2);
}

START_TEST(test_example_works_with_an_identity)
{
    CLEANUP(buf_done) struct buf text = read_text(EXAMPLE);
    uncomment(&text, "# ApplicationId=");
    uncomment(&text, "# Realm=");
    CLEANUP(settings_freep) struct settings *s = settings_of(text.p);
    ck_assert_str_eq(s->identity.issuer, "00000004-0000-0ff1-ce00-000000000000@contoso.example");
    ck_assert_uint_eq(s->n_partners, 0);
}
END_TEST

/* All partner and client examples together, with numbers for accounts this machine may lack. */
static void append_example(struct buf *all, const char *path)
{
    static const char *const accounts[] = {"User=pbx", "User=www-data", "Group=adm"};
    CLEANUP(buf_done) struct buf text = read_text(path);
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        char *at = strstr(text.p, accounts[i]), *value = at ? strchr(at, '=') + 1 : NULL;
        for (; value && *value != '\n'; value++)
            *value = '7';
    }
    buf_put_str(all, text.p);
}

START_TEST(test_partner_and_client_examples_are_good)
{
    static const char *const paths[] = {"conf/partners.d/exchange.conf.example",
        "conf/partners.d/lync.conf.example", "conf/partners.d/sharepoint.conf.example",
        "conf/partners.d/s2sd.conf.example", "conf/clients.d/pbx.conf.example",
        "conf/clients.d/admins.conf.example", "conf/clients.d/web.conf.example"};
    CLEANUP(buf_done) struct buf all = BUF_INIT(65536);
    buf_put_str(&all, "[Identity]\nApplicationId=99999999-0000-0ff1-ce00-000000000000\n"
                      "Realm=contoso.example\nHosts=lync.contoso.example\n");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        append_example(&all, paths[i]);
    CLEANUP(settings_freep) struct settings *s = settings_of(all.p);
    ck_assert_uint_eq(s->n_partners, 4);
    ck_assert_uint_eq(s->n_clients, 3);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, test_manual_holds_what_exists);
    tcase_add_test(t, test_manual_names_each_key_once);
    tcase_add_test(t, test_manual_has_every_word);
    tcase_add_test(t, test_every_row_has_its_help);
    tcase_add_test(t, test_example_shows_defaults);
    tcase_add_test(t, test_example_works_with_an_identity);
    tcase_add_test(t, test_partner_and_client_examples_are_good);
}

int main(void)
{
    return unit_run("settings_manual", fill);
}
