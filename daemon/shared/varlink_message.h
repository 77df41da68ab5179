/* SPDX-License-Identifier: Apache-2.0 */
/* Varlink messages apart from how they travel: what a call asks for, and the objects of answers.
 * Pure; for connections on bufferevents and for the one that passes descriptors alike. */
#pragma once

#include "json.h"

#define VARLINK_MEMBERS_MAX 64 /* of one object of a message */
#define VARLINK_SHOWN_MAX 512  /* of a foreign text in an answer */

/* A call. Spans and values point into the document that was read. */
struct varlink_message {
    struct span method;          /* "io.s2sd.mint.Mint" */
    struct span interface, name; /* "io.s2sd.mint", "Mint"; the first is empty without a dot */
    const struct json_value *parameters; /* an object, NULL: none */
    bool oneway, more, upgrade;
};
/* Reads one message of at most `max` bytes, its NUL left out. False: no call of Varlink at all, or
 * out of memory. */
bool varlink_message_read(
    struct json_doc *doc, struct span text, size_t max, struct varlink_message *ret) WARN_UNUSED;
/* The parameters into the struct `args` as its field table says; what is unknown is refused. False:
 * *ret_bad names the one at fault (cut). */
bool varlink_message_arguments(const struct varlink_message *m, const struct json_field *fields,
    size_t n_fields, void *args, struct span *ret_bad) WARN_UNUSED;

/* Appends {"error":...,"parameters":...}; `parameters` is a JSON object, empty: {}. */
void varlink_error_put(struct buf *out, const char *error, struct span parameters);
/* {"NAME":"value"}, the value cut: the parameters of the service's own errors. */
void varlink_one_put(struct buf *out, const char *name, struct span value);
/* The parameters that answer GetInfo; the interface of the service itself is added. */
void varlink_info_put(struct buf *out, const char *const *interfaces, size_t n);
