/* SPDX-License-Identifier: Apache-2.0 */
/* A table of fields -> struct, and the one reading of numbers. */
#include "json.h"

#include <stdint.h>

bool json_int(struct span text, int64_t *ret)
{
    bool minus = text.n > 0 && text.p[0] == '-';
    struct span digits = minus ? span_skip(text, 1) : text;
    if (digits.n == 0 || digits.n > 19 || (digits.p[0] == '0' && (digits.n > 1 || minus)))
        return false;
    uint64_t v = 0; /* 19 digits fit */
    for (size_t i = 0; i < digits.n; i++) {
        if (!ascii_is_digit(digits.p[i]))
            return false;
        v = v * 10 + (uint64_t)(digits.p[i] - '0');
    }
    if (v > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool store(const struct json_value *v, const struct json_field *f, void *into)
{
    char *at = (char *)into + f->offset;
    if (v->type != f->type)
        return false;
    switch (f->type) {
    case JSON_STRING:
        memcpy(at, &v->text, sizeof v->text);
        return true;
    case JSON_BOOL:
        memcpy(at, &v->truth, sizeof v->truth);
        return true;
    case JSON_NUMBER: {
        int64_t n;
        if (!json_int(v->text, &n))
            return false;
        memcpy(at, &n, sizeof n);
        return true;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        memcpy(at, &v, sizeof v);
        return true;
    case JSON_NULL:
        break;
    }
    return false;
}

static const struct json_field *field_of(struct span name, const struct json_field *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq_str(name, table[i].name))
            return &table[i];
    return NULL;
}

/* The first mandatory field that is not there, or NULL. */
static const char *missing(
    const struct json_value *object, const struct json_field *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].need != JSON_MANDATORY)
            continue;
        const struct json_value *v = json_get(object, table[i].name);
        if (!v || v->type == JSON_NULL)
            return table[i].name;
    }
    return NULL;
}

/* Stores every member; false with the first one that is unknown or of the wrong type. */
static bool store_all(const struct json_value *object, const struct json_field *table, size_t n,
    bool strict, void *into, struct span *ret_bad)
{
    JSON_EACH (v, object) {
        const struct json_field *f = field_of(v->name, table, n);
        bool good = f ? v->type == JSON_NULL || store(v, f, into) : !strict;
        if (!good) {
            *ret_bad = f ? span_of(f->name) : v->name;
            return false;
        }
    }
    return true;
}

enum reason json_fields(const struct json_value *object, const struct json_field *table, size_t n,
    bool strict, void *into, struct span *ret_bad)
{
    struct span bad = {0};
    if (object && object->type == JSON_OBJECT && store_all(object, table, n, strict, into, &bad)) {
        const char *absent = missing(object, table, n);
        if (!absent)
            return REASON_OK;
        bad = span_of(absent);
    }
    if (ret_bad)
        *ret_bad = bad;
    return REASON_JSON_FIELD;
}
