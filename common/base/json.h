/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as RFC 8259 has it and stricter (rule R4): UTF-8 without BOM, no NUL, no lone surrogate, no
 * duplicate name at any depth (compared after unescaping), nothing after the value, depth and
 * counts capped. yajl's event API does the parsing behind our own scan of the raw text, out of an
 * arena sized from the text, which cannot fail. Numbers are kept as text: their types and ranges
 * belong to the field table. */
#pragma once

#include "buf.h"
#include "reason.h"

#define JSON_DEPTH_MAX 16
#define JSON_MEMBERS_DEFAULT 4096

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_type type;
    bool truth;                     /* JSON_BOOL */
    unsigned count;                 /* members of an object, elements of an array */
    struct span name;               /* member name, unescaped, when the parent is an object */
    struct span text;               /* JSON_STRING: unescaped; JSON_NUMBER: as written */
    const struct json_value *child; /* first member or element */
    const struct json_value *next;  /* next sibling */
};

struct json_limits {
    size_t bytes;      /* of the whole text */
    unsigned members;  /* in one object or array; 0 means JSON_MEMBERS_DEFAULT */
    bool names_nocase; /* names that differ in ASCII case only are duplicates (Microsoft's
                          documents) */
};

/* Reusable memory of a parsed text. Values and their spans live until the next parse or
 * json_doc_free. */
struct json_doc;
struct json_doc *json_doc_new(void) WARN_UNUSED; /* NULL: out of memory */
void json_doc_free(struct json_doc *doc);
void json_doc_freep(struct json_doc **doc);

/* Parses one text. Returns REASON_OK and the top-level value (of any type), or REASON_JSON_* /
 * REASON_TOO_LARGE / REASON_OUT_OF_MEMORY. *ret is untouched on failure. The text may be released
 * afterwards. */
enum reason json_parse(struct json_doc *doc, struct span text, const struct json_limits *limits,
    const struct json_value **ret) WARN_UNUSED;

#define JSON_EACH(v, parent) for (const struct json_value *v = (parent)->child; v; v = v->next)

/* The member of that exact name, or NULL. */
const struct json_value *json_get(const struct json_value *object, const char *name);
/* The same, ASCII case ignored. */
const struct json_value *json_get_nocase(const struct json_value *object, const char *name);

/* A table of fields -> struct. Offsets point at: JSON_STRING struct span, JSON_BOOL bool,
 * JSON_NUMBER int64_t (plain decimal integer that fits; else refused), JSON_ARRAY and JSON_OBJECT
 * const struct json_value *. A member that is null counts as absent. */
enum json_need { JSON_OPTIONAL, JSON_MANDATORY };
struct json_field {
    const char *name;
    enum json_type type;
    size_t offset;
    enum json_need need;
};
/* Fills `into` (zeroed before by the caller). `ret_bad` gets the name of the offending member
 * (static text of the table, or the unknown name's bytes in the document). Unknown members are
 * refused when `strict`. */
enum reason json_fields(const struct json_value *object, const struct json_field *table, size_t n,
    bool strict, void *into, struct span *ret_bad) WARN_UNUSED;

/* Integer of a JSON number's text: optional minus, no leading zero, no fraction, no exponent. */
bool json_int(struct span text, int64_t *ret) WARN_UNUSED;

/* Writing: well-formed by construction as long as begin and end pair up; commas are set by the
 * writer. Output is UTF-8; controls, quotes and backslash are escaped; bytes that are not UTF-8
 * become U+FFFD. */
struct json_out {
    struct buf *b;
    unsigned depth;
    bool need_comma;
};
void json_out_start(struct json_out *j, struct buf *b);
/* Each value takes a name when inside an object, NULL inside an array or at the top. */
void json_out_object(struct json_out *j, const char *name);
void json_out_object_end(struct json_out *j);
void json_out_array(struct json_out *j, const char *name);
void json_out_array_end(struct json_out *j);
void json_out_str(
    struct json_out *j, const char *name, const char *text); /* NULL text: member left out */
void json_out_span(struct json_out *j, const char *name, struct span text);
void json_out_int(struct json_out *j, const char *name, int64_t v);
void json_out_bool(struct json_out *j, const char *name, bool v);
void json_out_null(struct json_out *j, const char *name);
/* Already valid JSON text, inserted as it is. */
void json_out_raw(struct json_out *j, const char *name, struct span json);
