/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a partner's answer, line by line: judged more strictly than libcurl does, and reduced
 * to the few values that matter. Pure. */
#pragma once

#include "reason.h"
#include "span.h"

#include <stdint.h>

#define HEAD_LINES_MAX 100
#define HEAD_BYTES_MAX 32768
#define HEAD_ETAG_MAX 256
#define HEAD_DATE_MAX 64
#define HEAD_LOCATION_MAX 200

struct head {
    enum reason reason; /* REASON_OK until a line was refused */
    const char *why;    /* then: a static sentence */
    unsigned lines;     /* of all heads and trailers together */
    size_t bytes;
    bool
        wants_status; /* the next line is a status line: at the start and after an interim answer */
    unsigned status;  /* of the last status line, 0: none yet */
    bool is_whole;    /* the final head has ended; what follows are trailers */
    bool has_coding;
    char etag[HEAD_ETAG_MAX];          /* "" when absent or not fit to be sent back */
    char last_modified[HEAD_DATE_MAX]; /* the same */
    char location[HEAD_LOCATION_MAX];  /* escaped for display */
    int64_t length;                    /* Content-Length, -1: none */
    int64_t max_age_s;                 /* -1: none */
    int64_t retry_after_s;             /* -1: none */
    int64_t date;                      /* 0: none */
};

void head_start(struct head *h);
/* One line with its line end, as it came. `now`: wall seconds, for Retry-After as a date. False:
 * refused, see h->reason. */
bool head_line(struct head *h, struct span line, int64_t now);
