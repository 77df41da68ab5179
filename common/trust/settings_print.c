/* SPDX-License-Identifier: Apache-2.0 */
/* The effective configuration as text, and what of it needs a restart when it differs. */
#include "settings_table.h"

/* One section on its way out: which lines gave it. */
struct printing {
    const struct settings *s;
    const struct setting_section *section;
    const char *name; /* of a named section, "" else */
    const void *base;
    struct buf *out;
    bool in_defaults; /* the comment "default" stands already */
};

/* The last line that gave the key; a value that was emptied again is a default. */
static const struct conf_entry *origin(const struct printing *p, const char *key)
{
    const struct conf_entry *last = NULL;
    for (size_t i = 0; i < p->s->set.n; i++) {
        const struct conf_entry *e = &p->s->set.entries[i];
        if (e->key && strcmp(e->section, p->section->name) == 0 && strcmp(e->name, p->name) == 0 &&
            strcmp(e->key, key) == 0)
            last = e->value[0] != '\0' ? e : NULL;
    }
    return last;
}

static void print_origin(struct printing *p, const struct setting_row *row)
{
    const struct conf_entry *e = origin(p, row->key);
    if (e)
        buf_printf(p->out, "# %s:%u\n", e->where.file, e->where.line);
    else if (!p->in_defaults)
        buf_put_str(p->out, "# default\n");
    p->in_defaults = !e;
}

static void print_row(struct printing *p, const struct setting_row *row)
{
    struct buf *out = p->out;
    print_origin(p, row);
    size_t before = out->n;
    setting_print(row, p->base, out);
    if (out->n == before)
        buf_printf(out, "#%s=\n", row->key);
}

static void print_section(const struct settings *s, const struct setting_section *section,
    const char *name, const void *base, struct buf *out)
{
    struct printing p = {s, section, name, base, out, false};
    buf_printf(
        out, name[0] ? "%s[%s %s]\n" : "%s[%s%s]\n", out->n ? "\n" : "", section->name, name);
    for (size_t i = 0; i < section->n_rows; i++)
        print_row(&p, &section->rows[i]);
}

void settings_print(const struct settings *s, struct buf *out)
{
    const struct setting_section *partner = setting_section_find("Partner");
    const struct setting_section *client = setting_section_find("Client");
    for (size_t i = 0; i < setting_sections_n; i++)
        if (!setting_sections[i].named)
            print_section(s, &setting_sections[i], "", s, out);
    for (size_t i = 0; i < s->n_partners; i++)
        print_section(s, partner, s->partners[i].name, &s->partners[i], out);
    for (size_t i = 0; i < s->n_clients; i++)
        print_section(s, client, s->clients[i].name, &s->clients[i], out);
}

/* Two values are the same when they print the same: no kind needs a comparison of its own. */
static bool row_differs(
    const struct setting_row *row, const struct settings *a, const struct settings *b)
{
    const size_t max = 1024 * 1024;
    struct buf x = BUF_INIT(max), y = BUF_INIT(max);
    setting_print(row, a, &x);
    setting_print(row, b, &y);
    bool differs = x.failed || y.failed || !span_eq(buf_span(&x), buf_span(&y));
    buf_done(&x);
    buf_done(&y);
    return differs;
}

static void name_changed(
    struct buf *list, const struct setting_section *section, const struct setting_row *row)
{
    buf_printf(list, "%s[%s] %s=", list->n ? ", " : "", section->name, row->key);
}

bool settings_need_restart(
    const struct settings *a, const struct settings *b, char *what, size_t what_len)
{
    struct buf list = BUF_INIT(what_len ? what_len - 1 : 0);
    bool any = false;
    for (size_t i = 0; i < setting_sections_n; i++) {
        const struct setting_section *section = &setting_sections[i];
        for (size_t r = 0; !section->named && r < section->n_rows; r++) {
            const struct setting_row *row = &section->rows[r];
            if (!row->need_restart || !row_differs(row, a, b))
                continue;
            any = true;
            name_changed(&list, section, row);
        }
    }
    if (what_len > 0) {
        size_t n = list.failed ? 0 : list.n;
        if (n > 0)
            memcpy(what, list.p, n);
        what[n] = '\0';
    }
    buf_done(&list);
    return any;
}
