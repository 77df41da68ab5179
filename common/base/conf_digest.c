/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include <stdint.h>

/* Two lanes of FNV-1a (offset basis, then xor and multiply for each byte); the second has another
 * basis and another odd factor, so that a chance collision of one says nothing about the other. */
struct lanes {
    uint64_t a, b;
};

static void mix(struct lanes *l, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        l->a = (l->a ^ p[i]) * UINT64_C(0x100000001b3);
        l->b = (l->b ^ p[i]) * UINT64_C(0x9e3779b97f4a7c15);
    }
}

static void mix_number(struct lanes *l, uint64_t v)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    mix(l, bytes, sizeof bytes);
}

/* With its length in front, so that no two lists of texts run together; NULL differs from "". */
static void mix_text(struct lanes *l, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    mix_number(l, text ? n : UINT64_MAX);
    mix(l, text, n);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void conf_digest(const struct conf_set *set, unsigned char out[16])
{
    struct lanes l = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x6c62272e07bb0142)};
    for (size_t i = 0; i < set->n; i++) {
        const struct conf_entry *e = &set->entries[i];
        mix_text(&l, base_name(e->where.file));
        mix_number(&l, e->where.line);
        mix_text(&l, e->section);
        mix_text(&l, e->name);
        mix_text(&l, e->key);
        mix_text(&l, e->value);
    }
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (unsigned char)(l.a >> (8 * i));
        out[8 + i] = (unsigned char)(l.b >> (8 * i));
    }
}
