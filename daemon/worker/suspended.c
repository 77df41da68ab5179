/* SPDX-License-Identifier: Apache-2.0 */
#include "suspended.h"

#include "cleanup.h"

#include <stdlib.h>
#include <string.h>

void suspended_done(struct suspended *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->list[i]);
    free(s->list);
    *s = (struct suspended){0};
}

/* Where the name stands, or belongs. */
static size_t find(const struct suspended *s, struct span name, bool *ret_found)
{
    size_t low = 0, high = s->n;
    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_order(name, span_of(s->list[middle]));
        if (order == 0)
            *ret_found = true;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool suspended_has(const struct suspended *s, struct span name)
{
    bool found;
    (void)find(s, name, &found);
    return found;
}

static bool make_room(struct suspended *s)
{
    if (s->n < s->cap)
        return true;
    size_t cap = s->cap ? s->cap * 2 : 8;
    char **grown = reallocarray(s->list, cap, sizeof(*grown));
    if (!grown)
        return false;
    s->list = grown;
    s->cap = cap;
    return true;
}

bool suspended_set(struct suspended *s, struct span name, bool in)
{
    bool found;
    size_t at = find(s, name, &found);
    if (found == in)
        return true;
    if (!in) {
        free(s->list[at]);
        s->n--;
        memmove(&s->list[at], &s->list[at + 1], (s->n - at) * sizeof(*s->list));
        return true;
    }
    CLEANUP(freep) char *copy = strndup(name.p, name.n);
    if (!copy || !make_room(s))
        return false;
    memmove(&s->list[at + 1], &s->list[at], (s->n - at) * sizeof(*s->list));
    s->list[at] = TAKE(copy);
    s->n++;
    return true;
}
