/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: words and options, told apart before it is known which command it is, so that
 * options may stand anywhere. */
#pragma once

#include "buf.h"

enum option {
    OPT_HELP,
    OPT_VERSION,
    OPT_RUNTIME_DIR,
    OPT_CONFIG_DIR,
    OPT_JSON,
    OPT_NO_COLOR,
    OPT_ASCII,
    OPT_UTC,
    OPT_USER,
    OPT_USER_TYPE,
    OPT_RESOURCE,
    OPT_LIFETIME,
    OPT_MIN_VALID,
    OPT_HEADER,
    OPT_AUDIENCE,
    OPT_OFFLINE,
    OPT_METADATA,
    OPT_AT,
    OPT_SELF,
    OPT_PERMIT,
    OPT_TIMELINE,
    OPT_SPAN,
    OPT_PREPARE,
    OPT_NOW,
    OPT_ABORT,
    OPT_EFFECTIVE,
    OPT_DRY_RUN,
    OPT_FORCE,
    OPT_NAME,
    OPT_PASSWORD_FILE,
    OPT_SEALED,
    OPT_COUNT
};
#define OPT(o) (UINT64_C(1) << (o))
_Static_assert(OPT_COUNT <= 64, "a set of options is 64 bits");

struct option_row {
    const char *name;  /* "runtime-dir" */
    char letter;       /* '\0': none */
    const char *value; /* what it takes, for help; NULL: nothing */
    bool repeats;      /* may be given several times */
    const char *help;
};
extern const struct option_row option_rows[OPT_COUNT];

#define WORDS_MAX 8
#define REPEATS_MAX 64

/* Everything points into argv. */
struct arguments {
    const char *words[WORDS_MAX];
    size_t n_words;
    uint64_t given;                /* OPT() bits */
    const char *values[OPT_COUNT]; /* the last one */
    const char *metadata[REPEATS_MAX], *permit[REPEATS_MAX];
    size_t n_metadata, n_permit;
};

/* Reads argv[1..]. False: what is wrong is appended to `err`, one line. */
bool arguments_read(int argc, char *const *argv, struct arguments *ret, struct buf *err)
    WARN_UNUSED;
static inline bool has(const struct arguments *a, enum option o)
{
    return (a->given & OPT(o)) != 0;
}
/* "--user=USER" or "-j, --json" for help. */
void option_usage(struct buf *out, enum option o);
