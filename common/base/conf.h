/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax of the configuration, nothing of its meaning: sections, `Key=value`, no inline
 * comments, a line adds to a list and `Key=` empties it; precedence of files as UAPI.6 has it. */
#pragma once

#include "buf.h"

#include <stdint.h>

/* Where a line stands, for messages. */
struct conf_where {
    const char *file; /* lives as long as the conf_set */
    unsigned line;    /* from 1 */
};

struct conf_entry {
    struct conf_where where;
    const char *section; /* "Partner" */
    const char *name;    /* "exch", or "" for a section without a name */
    const char *key;     /* NULL: this entry opens the section */
    const char *value;   /* may be "" */
};

/* All mistakes are collected, each as "file:line: message" ("file: message" with line 0, "message"
 * with file NULL). Starts as {0}; more than 256 KiB of messages are counted only. */
struct conf_errors {
    struct buf text; /* lines, '\n' ended */
    unsigned count;
};
void conf_error(struct conf_errors *e, struct conf_where where, const char *fmt, ...) PRINTF(3, 4);
void conf_errors_done(struct conf_errors *e);

#define CONF_FILE_MAX (1024 * 1024)

/* Everything that was read, in order of precedence. */
struct conf_set {
    struct conf_entry *entries;
    size_t n;
    struct conf_file *files; /* owns paths and texts */
    size_t n_files;
};
void conf_set_done(struct conf_set *set);

/* Parses one text as if it were the file `path` and appends it to the set. Mistakes go to `errors`;
 * returns 0, or -ENOMEM. */
int conf_parse(struct conf_set *set, const char *path, struct span text, struct conf_errors *errors)
    WARN_UNUSED;

/* Reads s2sd.conf from the first of the folders that has one, then s2sd.conf.d, partners.d and
 * clients.d of all (a name in an earlier folder replaces, an empty file or a link to /dev/null
 * masks, sorted by name). `dirs` ends with NULL:
 * {"/etc/s2sd", "/run/s2sd", "/usr/lib/s2sd", NULL} or {DIR, NULL}. Files are read as FILE_CONFIG.
 * A missing main file is an error, a missing folder is not. Returns 0 or -ENOMEM; mistakes are in
 * `errors`. */
int conf_load(struct conf_set *set, const char *const *dirs, struct conf_errors *errors)
    WARN_UNUSED;

/* 16 bytes over all entries in order: base name of the file, line, section, name, key, value.
 * Programs that read the same configuration agree on it; that guards against skew between them, not
 * against attack (it is not a cryptographic digest, none is on this floor). */
void conf_digest(const struct conf_set *set, unsigned char out[16]);

/* Value parsers; false when the text is not of the form, *ret is then untouched. */
/* yes no true false on off 1 0, in any case. */
bool conf_bool(const char *text, bool *ret);
/* Seconds: "90", "30min", "1h 30min", "2y", "7d"; units as in systemd.time(7) (s m h d w M y and
 * their words). */
bool conf_duration_s(const char *text, int64_t *ret);
/* Bytes: "1048576", "256K", "1M", "2G"; factors of 1024. */
bool conf_size(const char *text, uint64_t *ret);
/* Plain decimal digits, at most max. */
bool conf_uint(const char *text, uint64_t max, uint64_t *ret);
