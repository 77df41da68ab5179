/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: our scan, then yajl's events into an arena, then the duplicate names. */
#include "json_internal.h"

#include <stdlib.h>
#include <yajl/yajl_parse.h>

/* yajl 2 takes a few small structures, a 2 KiB buffer for broken-off tokens and one for unescaping
 * that starts at 2 KiB and doubles; doubling by copies costs at most twice the last size.
 * tests/unit/test_base_json_arena.c holds yajl to this. */
#define YAJL_FIXED ((size_t)10240)
#define YAJL_UNESCAPE_FACTOR 4

#define BLOCK_FIRST ((size_t)16384)
#define BLOCK_KEEP ((size_t)262144) /* a larger block is given back when it is no longer needed */

struct level {
    struct json_value *parent, *last;
};

struct parse {
    struct json_doc *doc;
    struct json_value *values;
    size_t n_values, max_values;
    struct span *names; /* room for sorting the names of the widest object */
    char *strings;      /* unescaped strings are collected here */
    size_t n_strings;
    struct span text; /* our copy of the whole text */
    struct span name; /* of the next value */
    struct level levels[JSON_DEPTH_MAX + 1];
    unsigned depth;
    bool nocase;
    enum reason reason; /* why a callback stopped yajl */
    struct json_value *root;
};

static size_t align16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static size_t names_room(const struct json_scan *scan)
{
    return scan->widest > JSON_PAIRS_MAX ? scan->widest * sizeof(struct span) : 0;
}

size_t json_need(size_t n, const struct json_scan *scan)
{
    if (n > SIZE_MAX / 256)
        return SIZE_MAX;
    return align16(scan->values * sizeof(struct json_value)) + align16(names_room(scan)) +
           align16(n + 1) + align16(scan->escaped) + YAJL_FIXED +
           YAJL_UNESCAPE_FACTOR * align16(scan->longest + 1);
}

struct json_doc *json_doc_new(void)
{
    return calloc(1, sizeof(struct json_doc));
}

void json_doc_free(struct json_doc *doc)
{
    if (doc)
        free(doc->block);
    free(doc);
}

void json_doc_freep(struct json_doc **doc)
{
    json_doc_free(TAKE(*doc));
}

/* An empty arena of at least `need` bytes. */
static bool doc_prepare(struct json_doc *doc, size_t need)
{
    doc->used = 0;
    doc->need = need;
    if (need <= doc->cap && (doc->cap <= BLOCK_KEEP || need > doc->cap / 4))
        return true;
    size_t cap = need < BLOCK_FIRST ? BLOCK_FIRST : need;
    free(doc->block);
    doc->block = malloc(cap);
    doc->cap = doc->block ? cap : 0;
    return doc->block != NULL;
}

/* Never NULL. yajl writes through whatever its allocator returns, so running out would be a stray
 * write; the size was computed from the text, and if that is ever wrong we stop here instead. */
static void *carve(struct json_doc *doc, size_t n)
{
    if (n > doc->need - doc->used)
        abort();
    void *p = doc->block + doc->used;
    doc->used += align16(n) <= doc->need - doc->used ? align16(n) : n;
    return p;
}

/* yajl's allocations carry their size in front, for realloc. */
#define SIZE_HEAD ((size_t)16)

static void *arena_malloc(void *arena, size_t n)
{
    if (n > SIZE_MAX / 4)
        abort();
    char *p = carve(arena, n + SIZE_HEAD);
    memcpy(p, &n, sizeof n);
    return p + SIZE_HEAD;
}

static void *arena_realloc(void *arena, void *old, size_t n)
{
    char *p = arena_malloc(arena, n);
    if (old) {
        size_t had;
        memcpy(&had, (char *)old - SIZE_HEAD, sizeof had);
        memcpy(p, old, had < n ? had : n);
    }
    return p;
}

static void arena_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* A string as yajl hands it out: usually a piece of our copy, else from its buffer, which it will
 * use again. */
static struct span keep(struct parse *p, const unsigned char *s, size_t n)
{
    const char *text = (const char *)s;
    if (text >= p->text.p && text <= p->text.p + p->text.n)
        return (struct span){text, n};
    char *to = p->strings + p->n_strings;
    memcpy(to, text, n);
    p->n_strings += n;
    return (struct span){to, n};
}

/* Appends a value to the container that is open. */
static struct json_value *add_value(struct parse *p, enum json_type type)
{
    if (p->n_values == p->max_values)
        return NULL;
    struct json_value *v = &p->values[p->n_values++];
    *v = (struct json_value){.type = type, .name = p->name};
    p->name = (struct span){0};
    struct level *l = &p->levels[p->depth];
    if (!l->parent)
        p->root = v;
    else if (l->last)
        l->last->next = v;
    else
        l->parent->child = v;
    if (l->parent)
        l->parent->count++;
    l->last = v;
    return v;
}

static int on_null(void *ctx)
{
    return add_value(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int truth)
{
    struct json_value *v = add_value(ctx, JSON_BOOL);
    if (v)
        v->truth = truth != 0;
    return v != NULL;
}

static int on_text(struct parse *p, enum json_type type, const unsigned char *s, size_t n)
{
    struct json_value *v = add_value(p, type);
    if (v)
        v->text = keep(p, s, n);
    return v != NULL;
}

static int on_number(void *ctx, const char *s, size_t n)
{
    return on_text(ctx, JSON_NUMBER, (const unsigned char *)s, n);
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
    return on_text(ctx, JSON_STRING, s, n);
}

static int on_name(void *ctx, const unsigned char *s, size_t n)
{
    struct parse *p = ctx;
    p->name = keep(p, s, n);
    return 1;
}

static int open_level(struct parse *p, enum json_type type)
{
    struct json_value *v = add_value(p, type);
    if (!v || p->depth == JSON_DEPTH_MAX)
        return 0;
    p->levels[++p->depth] = (struct level){.parent = v};
    return 1;
}

static int on_object(void *ctx)
{
    return open_level(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
    return open_level(ctx, JSON_ARRAY);
}

static int on_array_end(void *ctx)
{
    struct parse *p = ctx;
    p->depth--;
    return 1;
}

static int on_object_end(void *ctx)
{
    struct parse *p = ctx;
    const struct json_value *object = p->levels[p->depth--].parent;
    if (!json_has_duplicate(object, p->nocase, p->names))
        return 1;
    p->reason = REASON_JSON_DUPLICATE;
    return 0;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_name,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* yajl_free is not called: all of the handle is in the arena. UTF-8 has been checked by the scan.
 * The copy ends with a line feed so that a number or literal at the end of the text is complete. */
static bool run_yajl(struct parse *p)
{
    yajl_alloc_funcs alloc = {arena_malloc, arena_realloc, arena_free, p->doc};
    yajl_handle h = yajl_alloc(&callbacks, &alloc, p);
    yajl_config(h, yajl_dont_validate_strings, 1);
    const unsigned char *text = (const unsigned char *)p->text.p;
    return yajl_parse(h, text, p->text.n) == yajl_status_ok &&
           yajl_complete_parse(h) == yajl_status_ok && p->root && p->depth == 0;
}

/* Gives everything its place in the arena; yajl gets the rest. */
static void parse_place(struct parse *p, struct span text, const struct json_scan *scan)
{
    p->values = carve(p->doc, scan->values * sizeof(struct json_value));
    p->max_values = scan->values;
    p->names = carve(p->doc, names_room(scan));
    p->strings = carve(p->doc, scan->escaped);
    char *copy = carve(p->doc, text.n + 1);
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\n';
    p->text = (struct span){copy, text.n + 1};
}

enum reason json_parse(struct json_doc *doc, struct span text, const struct json_limits *limits,
    const struct json_value **ret)
{
    if (text.n > limits->bytes)
        return REASON_TOO_LARGE;
    struct json_scan scan;
    enum reason r = json_scan(text, limits, &scan);
    if (r != REASON_OK)
        return r;
    if (!doc_prepare(doc, json_need(text.n, &scan)))
        return REASON_OUT_OF_MEMORY;
    struct parse p = {.doc = doc, .nocase = limits->names_nocase, .reason = REASON_JSON_SYNTAX};
    parse_place(&p, text, &scan);
    if (!run_yajl(&p))
        return p.reason;
    *ret = p.root;
    return REASON_OK;
}
