/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers: lines as a partner's server may send them; what is kept fits to be sent back
 * and shown. */
#include "head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool good)
{
    if (!good)
        abort();
}

static void must_be_printable(const char *text, size_t max)
{
    must(strnlen(text, max) < max);
    for (; *text; text++)
        must(*text >= 0x20 && *text <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct head h;
    struct span rest = span_bytes(data, n);
    head_start(&h);
    while (rest.n > 0 && h.reason == REASON_OK) {
        size_t end = span_find(rest, '\n');
        struct span line = {rest.p, end < rest.n ? end + 1 : end};
        rest = span_skip(rest, line.n);
        must(head_line(&h, line, 1735700000) == (h.reason == REASON_OK));
    }
    must_be_printable(h.etag, sizeof(h.etag));
    must_be_printable(h.last_modified, sizeof(h.last_modified));
    must_be_printable(h.location, sizeof(h.location));
    must(h.lines <= HEAD_LINES_MAX + 1 && h.max_age_s >= -1 && h.retry_after_s >= -1);
    must(!h.is_whole || (h.status >= 200 && h.status <= 599));
    must(h.reason == REASON_OK || h.why);
    return 0;
}
