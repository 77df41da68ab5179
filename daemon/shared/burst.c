/* SPDX-License-Identifier: Apache-2.0 */
#include "burst.h"

#include "clock.h"

bool burst_take(struct burst *b, unsigned *ret_left_out)
{
    int64_t second = clock_mono_ms() / 1000;
    *ret_left_out = 0;
    if (b->second != second) {
        *ret_left_out = b->left_out;
        *b = (struct burst){.second = second};
    }
    if (b->written == BURST_MAX) {
        b->left_out++;
        return false;
    }
    b->written++;
    return true;
}
