/* SPDX-License-Identifier: Apache-2.0 */
/* JSON reader and writer: any text is refused or read; what was read and is written again reads the
 * same, and nothing that is accepted breaks a rule the scan promises. */
#include "json.h"
#include "utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Writes a value and everything below it; also checks that the tree is whole. */
static void write_value(
    struct json_out *j, const struct json_value *v, const char *name, unsigned depth);

static void write_members(struct json_out *j, const struct json_value *v, unsigned depth)
{
    unsigned count = 0;
    JSON_EACH (m, v) {
        char name[256];
        bool short_name = m->name.n < sizeof name;
        must(utf8_valid(m->name) && span_find(m->name, '\0') == m->name.n);
        if (short_name && m->name.n)
            memcpy(name, m->name.p, m->name.n);
        name[short_name ? m->name.n : 0] = '\0';
        if (v->type == JSON_OBJECT && short_name)
            must(json_get(v, name) == m);
        write_value(j, m, v->type == JSON_OBJECT ? name : NULL, depth + 1);
        count++;
    }
    must(count == v->count);
}

static void write_value(
    struct json_out *j, const struct json_value *v, const char *name, unsigned depth)
{
    must(depth <= JSON_DEPTH_MAX);
    switch (v->type) {
    case JSON_NULL:
        json_out_null(j, name);
        break;
    case JSON_BOOL:
        json_out_bool(j, name, v->truth);
        break;
    case JSON_NUMBER:
        json_out_raw(j, name, v->text);
        break;
    case JSON_STRING:
        must(utf8_valid(v->text) && span_find(v->text, '\0') == v->text.n);
        json_out_span(j, name, v->text);
        break;
    case JSON_ARRAY:
        json_out_array(j, name);
        write_members(j, v, depth);
        json_out_array_end(j);
        break;
    case JSON_OBJECT:
        json_out_object(j, name);
        write_members(j, v, depth);
        json_out_object_end(j);
        break;
    }
}

static bool same(const struct json_value *a, const struct json_value *b)
{
    if (a->type != b->type || a->count != b->count || a->truth != b->truth ||
        !span_eq(a->text, b->text))
        return false;
    const struct json_value *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next)
        if ((x->name.n < 256 && !span_eq(x->name, y->name)) || !same(x, y))
            return false;
    return !x && !y;
}

static void try_fields(const struct json_value *v)
{
    struct {
        struct span s;
        bool b;
        int64_t i;
        const struct json_value *a, *o;
    } into = {0};
    static const struct json_field table[] = {
        {"s", JSON_STRING, offsetof(__typeof__(into), s), JSON_OPTIONAL},
        {"b", JSON_BOOL, offsetof(__typeof__(into), b), JSON_OPTIONAL},
        {"i", JSON_NUMBER, offsetof(__typeof__(into), i), JSON_OPTIONAL},
        {"a", JSON_ARRAY, offsetof(__typeof__(into), a), JSON_OPTIONAL},
        {"o", JSON_OBJECT, offsetof(__typeof__(into), o), JSON_MANDATORY},
    };
    struct span bad;
    enum reason r = json_fields(v, table, ARRAY_LEN(table), false, &into, &bad);
    must(r != REASON_OK || (into.o && into.o->type == JSON_OBJECT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct json_limits strict = {.bytes = 65536, .members = 64, .names_nocase = true};
    const struct json_limits wide = {.bytes = 1048576, .members = 100000};
    struct json_doc *doc = json_doc_new(), *again = json_doc_new();
    struct buf text = BUF_INIT(8388608);
    const struct json_value *v, *w;
    must(doc && again);
    bool taken = json_parse(doc, span_bytes(data, n), &strict, &v) == REASON_OK;
    if (json_parse(doc, span_bytes(data, n), &wide, &v) == REASON_OK) {
        struct json_out j;
        json_out_start(&j, &text);
        write_value(&j, v, NULL, 0);
        must(!text.failed && j.depth == 0);
        /* names of 256 bytes and more were written as "", which may be there twice */
        enum reason r = json_parse(again, buf_span(&text), &wide, &w);
        must(r == REASON_JSON_DUPLICATE || (r == REASON_OK && same(v, w)));
        try_fields(v);
    } else {
        must(!taken); /* the strict limits take nothing that the wide ones refuse */
    }
    buf_done(&text);
    json_doc_free(again);
    json_doc_free(doc);
    return 0;
}
