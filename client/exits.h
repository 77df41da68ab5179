/* SPDX-License-Identifier: Apache-2.0 */
/* What the exit status of s2sctl means; stable. */
#pragma once

enum exit_status {
    EXIT_YES = 0,
    EXIT_NO = 1, /* the answer is no: token refused, partner stale, target unknown */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* no daemon, or one that is not ready or does not answer */
    EXIT_FORBIDDEN = 4,   /* no rule of [Client] allows it */
    EXIT_CONFIG = 78      /* the configuration is wrong (EX_CONFIG of sysexits.h) */
};
