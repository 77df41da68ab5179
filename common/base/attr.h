/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes and the scope idioms used everywhere: release by scope, hand over by TAKE. */
#pragma once

#include <stddef.h>

/* Runs fn(&variable) when the variable leaves its scope; always give the variable a first value. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* The caller must look at the result. */
#define WARN_UNUSED __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
/* Argument `fmt` is a printf format whose first value is argument `first`. */
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Hands a pointer over: yields it and leaves NULL behind, so the scope has nothing to release. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __auto_type taken_ = (p);                                                                  \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

/* The same for a descriptor: leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })
