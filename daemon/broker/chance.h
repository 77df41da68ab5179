/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for jitter; nothing secret hangs on them. */
#pragma once

#include <stdint.h>
#include <sys/random.h>

/* Falls back to the middle when the kernel has none yet: jitter is then missing, nothing else. */
static inline uint32_t chance_u32(void)
{
    uint32_t v = UINT32_MAX / 2;
    ssize_t n = getrandom(&v, sizeof(v), GRND_NONBLOCK);
    (void)n;
    return v;
}
