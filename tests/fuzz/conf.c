/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration syntax and values: every text is parsed to its end; entries are clean strings,
 * mistakes carry their place, and the digest of a text is always the same. */
#include "conf.h"
#include "utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool good)
{
    if (!good)
        abort();
}

static void check_text(const char *text)
{
    must(text && utf8_valid(span_of(text)) && strlen(text) <= 4096);
    for (; *text; text++)
        must((unsigned char)*text >= 0x20 || *text == '\t');
}

static void try_values(const char *text)
{
    bool b;
    int64_t s;
    uint64_t u;
    if (conf_bool(text, &b))
        must(b == true || b == false);
    if (conf_duration_s(text, &s))
        must(s >= 0);
    if (conf_size(text, &u))
        must(text[0] >= '0' && text[0] <= '9');
    if (conf_uint(text, 512, &u))
        must(u <= 512);
}

static void check_entries(const struct conf_set *set)
{
    unsigned line = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct conf_entry *e = &set->entries[i];
        must(e->where.line > line); /* one entry for each line, in order */
        line = e->where.line;
        check_text(e->section);
        check_text(e->name);
        check_text(e->value);
        must(e->section[0] && strpbrk(e->name, " \t[]") == NULL);
        if (e->key) {
            check_text(e->key);
            must(e->key[0] && strpbrk(e->key, " \t=") == NULL);
        }
        must(e->key || e->value[0] == '\0');
        try_values(e->value);
    }
}

static unsigned parse(const uint8_t *data, size_t n, unsigned char digest[16])
{
    struct conf_set set = {0};
    struct conf_errors errors = {0};
    must(conf_parse(&set, "file.conf", span_bytes(data, n), &errors) == 0);
    check_entries(&set);
    conf_digest(&set, digest);
    unsigned count = errors.count;
    must((count == 0) == (errors.text.n == 0) && !errors.text.failed);
    if (count)
        must(memcmp(errors.text.p, "file.conf:", 10) == 0 &&
             errors.text.p[errors.text.n - 1] == '\n');
    conf_errors_done(&errors);
    conf_set_done(&set);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    unsigned char a[16], b[16];
    if (n > CONF_FILE_MAX)
        return 0;
    unsigned count = parse(data, n, a);
    must(parse(data, n, b) == count && memcmp(a, b, 16) == 0);
    return 0;
}
