/* SPDX-License-Identifier: Apache-2.0 */
/* Names of an object's members: lookup and duplicates. */
#include "json_internal.h"

static bool same_name(struct span a, struct span b, bool nocase)
{
    return nocase ? span_eq_nocase(a, b) : span_eq(a, b);
}

static bool duplicate_by_pairs(const struct json_value *object, bool nocase)
{
    for (const struct json_value *a = object->child; a; a = a->next)
        for (const struct json_value *b = a->next; b; b = b->next)
            if (a->name.n == b->name.n && same_name(a->name, b->name, nocase))
                return true;
    return false;
}

/* Any total order in which equal names are neighbours. */
static int order_names(struct span a, struct span b, bool nocase)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    if (!nocase)
        return a.n ? memcmp(a.p, b.p, a.n) : 0;
    for (size_t i = 0; i < a.n; i++) {
        int diff = (unsigned char)ascii_lower(a.p[i]) - (unsigned char)ascii_lower(b.p[i]);
        if (diff)
            return diff;
    }
    return 0;
}

/* Heap sort: n log n whatever the names are, in place, unlike qsort(3), which may allocate. */
static void sift_down(struct span *names, size_t at, size_t n, bool nocase)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && order_names(names[child], names[child + 1], nocase) < 0)
            child++;
        if (order_names(names[at], names[child], nocase) >= 0)
            return;
        struct span swap = names[at];
        names[at] = names[child];
        names[child] = swap;
    }
}

static void sort_names(struct span *names, size_t n, bool nocase)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(names, i, n, nocase);
    for (size_t end = n; end-- > 1;) {
        struct span swap = names[0];
        names[0] = names[end];
        names[end] = swap;
        sift_down(names, 0, end, nocase);
    }
}

bool json_has_duplicate(const struct json_value *object, bool nocase, struct span *room)
{
    if (object->count <= JSON_PAIRS_MAX)
        return duplicate_by_pairs(object, nocase);
    size_t n = 0;
    JSON_EACH (v, object)
        room[n++] = v->name;
    sort_names(room, n, nocase);
    for (size_t i = 1; i < n; i++)
        if (order_names(room[i - 1], room[i], nocase) == 0)
            return true;
    return false;
}

static const struct json_value *find(const struct json_value *object, const char *name, bool nocase)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    struct span wanted = span_of(name);
    JSON_EACH (v, object)
        if (v->name.n == wanted.n && same_name(v->name, wanted, nocase))
            return v;
    return NULL;
}

const struct json_value *json_get(const struct json_value *object, const char *name)
{
    return find(object, name, false);
}

const struct json_value *json_get_nocase(const struct json_value *object, const char *name)
{
    return find(object, name, true);
}
