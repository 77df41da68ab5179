/* SPDX-License-Identifier: Apache-2.0 */
#include "reason.h"

#include <stdio.h>
#include <string.h>

struct reason_row {
    const char *code;
    unsigned number;
    const char *category, *rule, *sentence, *advice;
};

static const struct reason_row rows[] = {
#define X(name, code, number, category, rule, sentence, advice)                                    \
    {code, number, category, rule, sentence, advice},
    REASON_TABLE(X)
#undef X
};

static const struct reason_row *row_of(enum reason r)
{
    return (unsigned)r < REASON_COUNT ? &rows[r] : &rows[REASON_INTERNAL];
}

const char *reason_code(enum reason r)
{
    return row_of(r)->code;
}

const char *reason_sentence(enum reason r)
{
    return row_of(r)->sentence;
}

const char *reason_advice(enum reason r)
{
    return row_of(r)->advice;
}

const char *reason_rule(enum reason r)
{
    return row_of(r)->rule;
}

unsigned reason_number(enum reason r)
{
    return row_of(r)->number;
}

const char *reason_category(enum reason r)
{
    return row_of(r)->category;
}

enum reason reason_of_code(const char *code)
{
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (strcmp(rows[i].code, code) == 0)
            return (enum reason)i;
    return REASON_COUNT;
}

char *reason_diagnostics(enum reason r, char *out, unsigned out_len)
{
    const struct reason_row *row = row_of(r);
    snprintf(out, out_len, "%u;reason=\"%s.\";error_category=\"%s\"",
        row->number ? row->number : rows[REASON_INTERNAL].number, row->sentence,
        row->number ? row->category : rows[REASON_INTERNAL].category);
    return out;
}
