/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that must not be found later. Floor 0 has no OpenSSL, so the wipe is explicit_bzero(3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void secret_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

/* Equal or not, in time that depends on n only. */
static inline bool secret_eq(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < n; i++)
        diff |= x[i] ^ y[i];
    return diff == 0;
}
