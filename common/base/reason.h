/* SPDX-License-Identifier: Apache-2.0 */
/* Reason codes: one enum, one table. The code is what travels (doors, CLI, metrics, journal), the
 * sentence is for people. x-ms-diagnostics numbers and categories: protocol note 2.8. */
#pragma once

#include "attr.h"

#include <stdbool.h>

/* X(NAME, code, x-ms-diagnostics number or 0, error category, rule class, sentence, advice) */
#include "reason_table.h"

enum reason {
#define X(name, code, number, category, rule, sentence, advice) REASON_##name,
    REASON_TABLE(X)
#undef X
        REASON_COUNT
};

/* The stable snake_case code; "internal_error" for a value outside the table. */
const char *reason_code(enum reason r);
/* One sentence without a final stop. */
const char *reason_sentence(enum reason r);
/* What the administrator should do, one or two sentences. */
const char *reason_advice(enum reason r);
/* Rule class: "R8", "protocol 2.7", "fetch", "mint". */
const char *reason_rule(enum reason r);
/* Number of the x-ms-diagnostics header, 0 when the reason never goes to a partner. */
unsigned reason_number(enum reason r);
/* Error category of that header: "invalid_token". */
const char *reason_category(enum reason r);
/* The reason of a code, or REASON_COUNT. */
enum reason reason_of_code(const char *code);
/* The header's value: `2000002;reason="...";error_category="token_expired"`; out is always
 * terminated. Returns out. */
char *reason_diagnostics(enum reason r, char *out, unsigned out_len);
