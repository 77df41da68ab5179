/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer that is born with a maximum. A failed append is remembered ("sticky"), so a
 * writer may append without looking and ask once at the end. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
    char *p;     /* NULL until the first append; always followed by a NUL that is not counted */
    size_t n;    /* bytes in use */
    size_t cap;  /* bytes allocated */
    size_t max;  /* never holds more than this many bytes */
    bool failed; /* an append did not fit or memory ran out; contents are then unspecified */
    bool secret; /* wiped when grown and when released */
};

/* An empty buffer that will hold at most `max` bytes. */
#define BUF_INIT(max_) ((struct buf){.max = (max_)})

/* Releases the memory (wiped when `secret`) and makes the buffer empty again. Safe to call twice.
 */
void buf_done(struct buf *b);
/* Forgets the contents and the failure, keeps the memory. */
void buf_reset(struct buf *b);
/* Appends; a failure is remembered in b->failed. */
void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_put_span(struct buf *b, struct span s);
void buf_put_str(struct buf *b, const char *text);
void buf_put_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
/* Makes room for n more bytes and returns where to write them (then add to b->n), or NULL. */
char *buf_reserve(struct buf *b, size_t n) WARN_UNUSED;
/* What is in it; the view ends with the next append. */
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->p, b->n};
}
/* Hands the text over: a NUL-terminated string the caller frees, or NULL when an append had failed.
 * The buffer is empty afterwards. */
char *buf_take(struct buf *b) WARN_UNUSED;
