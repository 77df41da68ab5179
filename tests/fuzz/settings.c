/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration text -> settings; what is accepted must print, and what was printed must be
 * accepted and print the same. */
#include "settings.h"

#include <stdint.h>
#include <stdlib.h>

static struct settings *read_settings(struct span text)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(conf_set_done) struct conf_set set = {0};
    struct settings *s = NULL;
    if (conf_parse(&set, "f.conf", text, &errors) < 0 ||
        !settings_from_conf(&set, "host.fuzz.example", &errors, &s))
        return NULL;
    return s;
}

/* The printed settings without the comments, which name lines. */
static void print(const struct settings *s, struct buf *out)
{
    struct buf all = BUF_INIT(16 * 1024 * 1024);
    settings_print(s, &all);
    struct span rest = buf_span(&all);
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');
        n = n < rest.n ? n + 1 : n;
        if (rest.p[0] != '#')
            buf_put(out, rest.p, n);
        rest = span_skip(rest, n);
    }
    buf_done(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct settings *s = read_settings(span_bytes(data, n));
    if (!s)
        return 0;
    struct buf first = BUF_INIT(16 * 1024 * 1024), second = BUF_INIT(16 * 1024 * 1024);
    print(s, &first);
    struct settings *again = read_settings(buf_span(&first));
    if (!again)
        abort();
    print(again, &second);
    if (!span_eq(buf_span(&first), buf_span(&second)))
        abort();
    char what[256];
    if (settings_need_restart(s, again, what, sizeof(what)))
        abort();
    settings_free(s);
    settings_free(again);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
