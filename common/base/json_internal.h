/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the JSON reader, shared by json*.c and their tests only. */
#pragma once

#include "json.h"

#include <stdint.h>

/* What the raw scan learned; enough to size everything that parsing needs. */
struct json_scan {
    size_t values;  /* no lawful text of these bytes has more values */
    size_t widest;  /* no object of it has more members */
    size_t escaped; /* bytes of all strings that hold a backslash, as written */
    size_t longest; /* bytes of the longest of them */
};

/* Our own look at the raw text, before yajl sees any of it: UTF-8, controls, escapes, closed
 * strings, depth and members. Brackets are not matched and words not read here: that is yajl's
 * work. */
enum reason json_scan(struct span text, const struct json_limits *limits, struct json_scan *ret);

/* The arena: one block, carved from the front; reused by the next parse. */
struct json_doc {
    char *block;
    size_t cap, used;
    size_t need; /* what the last parse was promised; used <= need always */
};

/* Bytes that parsing a text of n bytes with that scan may take at most. SIZE_MAX: too large. */
size_t json_need(size_t n, const struct json_scan *scan);

/* Up to this many members every pair of names is compared (their lengths mostly differ, so that is
 * the fast way); above it names are sorted in `room`, so that no choice of names costs more than n
 * log n. */
#define JSON_PAIRS_MAX 32
/* True when a name occurs twice. `room` holds object->count spans, or is unused up to
 * JSON_PAIRS_MAX. */
bool json_has_duplicate(const struct json_value *object, bool nocase, struct span *room);
