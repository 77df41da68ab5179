/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of settings, and what can be done with a row of it. Parser, defaults,
 * --print-config, the restart question and the check of s2sd.conf(5) all walk over it. */
#pragma once

#include "settings.h"

/* Each kind is a row of setting_kinds[] (settings_kinds.c) and a C type of the field. */
enum setting_kind {
    SK_TEXT,       /* char *: one line of text */
    SK_APP_ID,     /* char *: GUID, lower-cased */
    SK_REALM,      /* char *: lower-cased */
    SK_URL,        /* char *: https with a path */
    SK_FILE,       /* char *: absolute path */
    SK_KEY,        /* char *: absolute path, or name of a credential */
    SK_ENDPOINT,   /* char *: ADDRESS:PORT to listen on */
    SK_USER,       /* char *, and the uid of the rule */
    SK_GROUP,      /* char *, and the gid of the rule */
    SK_UNIT,       /* char *: full name of a systemd unit */
    SK_BOOL,       /* bool */
    SK_DURATION,   /* int64_t: seconds */
    SK_TIME,       /* int64_t: seconds since 1970; 0: none */
    SK_SIZE,       /* uint64_t: bytes */
    SK_UINT,       /* unsigned */
    SK_RATE,       /* unsigned: per second */
    SK_WORD,       /* enum or int: one word of row->words */
    SK_RIGHTS,     /* unsigned: bits of row->words */
    SK_HOSTS,      /* struct names: host[:port], lower-cased */
    SK_URLS,       /* struct names: https with a path */
    SK_PINS,       /* struct names: sha256//BASE64 */
    SK_THUMBPRINT, /* char *: SHA-1 or SHA-256 of a certificate, upper-case hexadecimal */
    SK_KEY_PINS,   /* struct names: the same, or sha256//BASE64 of the public key */
    SK_PRINCIPALS, /* struct names: appid@realm, lower-cased */
    SK_PARTNERS,   /* struct names: section names */
    SK_PATTERNS,   /* struct patterns: user patterns, lower-cased */
    SK_COUNT
};

/* One word of an enum. Several words may mean one value; the first is the one printed. */
struct setting_word {
    const char *word; /* NULL ends the list */
    int value;
};

struct setting_row {
    const char *key;
    enum setting_kind kind;
    size_t offset;                    /* in struct settings, struct partner or struct client_rule */
    const char *def;                  /* default as a file would have it; NULL: unset or derived */
    const struct setting_word *words; /* SK_WORD, SK_RIGHTS */
    int64_t min, max;                 /* SK_DURATION, SK_SIZE, SK_UINT */
    bool clamp;                       /* a value outside min..max is moved there, not refused */
    bool mandatory;
    bool need_restart;
    const char *help; /* one sentence without a final stop */
};

struct setting_section {
    const char *name;
    bool named; /* [Partner NAME]: one struct for each */
    const struct setting_row *rows;
    size_t n_rows;
    const char *help;
};

extern const struct setting_section setting_sections[];
extern const size_t setting_sections_n;

/* NULL: no such section, no such key. */
const struct setting_section *setting_section_find(const char *name);
const struct setting_row *setting_row_find(const struct setting_section *section, const char *key);
/* The word printed for a value; "" when no word has it. */
const char *setting_word_of(const struct setting_word *words, int value);
/* A section name: 1 to 64 of [A-Za-z0-9._-], a letter or digit first, because state files and
 * metrics are named after it. */
bool setting_name_valid(struct span name);

/* Reads `value` into the field of the struct at `base`. A list grows by the words of the value, a
 * scalar is replaced; "" empties a list and gives a scalar its default back. False with a
 * sentence in `why`; the field is then as it was, or shorter by what could not be read. */
bool setting_parse(const struct setting_row *row, void *base, const char *value, char *why,
    size_t why_len) WARN_UNUSED;
/* Appends "Key=value" lines that setting_parse reads back; nothing when the field is unset. */
void setting_print(const struct setting_row *row, const void *base, struct buf *out);
/* Releases what the field owns and makes it empty. */
void setting_reset(const struct setting_row *row, void *base);
/* Gives every field of the section its default. False: out of memory. */
bool setting_defaults(const struct setting_section *section, void *base) WARN_UNUSED;

/* Cross checks and derived values (settings_check.c): works on s->set, collects in `errors`. */
bool settings_settle(struct settings *s, const char *hostname, struct conf_errors *errors)
    WARN_UNUSED;
/* The same of [Pool] (settings_check_pool.c). */
void settings_settle_pool(const struct settings *s, struct conf_errors *errors);
