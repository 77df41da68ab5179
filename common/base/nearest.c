/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#define WORD_MAX 64

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool same(char a, char b)
{
    return ascii_lower(a) == ascii_lower(b);
}

/* The distance of Levenshtein, and two neighbours swapped count as one edit; ASCII case is ignored.
 * Both words are at most WORD_MAX long. */
static unsigned edits(struct span a, struct span b)
{
    unsigned before[WORD_MAX + 1] = {0}, last[WORD_MAX + 1] = {0}, row[WORD_MAX + 1] = {0};
    for (size_t j = 0; j <= b.n; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned differs = !same(a.p[i - 1], b.p[j - 1]);
            row[j] = least(last[j - 1] + differs, last[j] + 1, row[j - 1] + 1);
            if (i > 1 && j > 1 && same(a.p[i - 1], b.p[j - 2]) && same(a.p[i - 2], b.p[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1, row[j]);
        }
        memcpy(before, last, sizeof(before));
        memcpy(last, row, sizeof(last));
    }
    return last[b.n];
}

void nearest_start(struct nearest *n, struct span typed)
{
    unsigned allowed = (unsigned)(typed.n / 3);
    *n = (struct nearest){.typed = typed, .distance = (allowed > 0 ? allowed : 1) + 1};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    struct span word = span_of(candidate);
    if (n->typed.n > WORD_MAX || word.n > WORD_MAX)
        return;
    unsigned d = edits(n->typed, word);
    if (d < n->distance) {
        n->best = candidate;
        n->distance = d;
    }
}
