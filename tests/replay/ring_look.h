/* SPDX-License-Identifier: Apache-2.0 */
/* What is left on the stage of the rollover tests, in one look. */
#pragma once

#include "ring_stage.h"

/* "c n p": the states, in order of publication. */
static inline const char *ring_shape(const struct ring_stage *s)
{
    static char text[KEYRING_SLOTS * 2 + 1];
    size_t n = 0;
    for (size_t i = 0; i < s->keys.ring.n; i++) {
        if (i)
            text[n++] = ' ';
        text[n++] = key_state_name(s->keys.ring.slots[i].state)[0];
    }
    text[n] = '\0';
    return text;
}

static inline void ring_count_file(const char *thumbprint, void *n)
{
    (void)thumbprint;
    ++*(unsigned *)n;
}

static inline unsigned ring_key_files(const struct ring_stage *s)
{
    unsigned n = 0;
    key_files_each(s->dir.path, ring_count_file, &n);
    return n;
}
