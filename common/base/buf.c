/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST 128

void buf_done(struct buf *b)
{
    if (b->p && b->secret)
        secret_wipe(b->p, b->cap);
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
    b->failed = false;
}

void buf_reset(struct buf *b)
{
    if (b->p && b->secret)
        secret_wipe(b->p, b->cap);
    if (b->p)
        b->p[0] = '\0';
    b->n = 0;
    b->failed = false;
}

/* realloc(3) may leave a copy behind, so secrets are moved by hand and the old place is wiped. */
static char *grow_secret(struct buf *b, size_t cap)
{
    char *p = malloc(cap);
    if (!p || !b->p)
        return p;
    memcpy(p, b->p, b->n);
    secret_wipe(b->p, b->cap);
    free(b->p);
    return p;
}

/* Room for n more bytes and the NUL; false and sticky failure when over the maximum or out of
 * memory. */
static bool buf_room(struct buf *b, size_t n)
{
    if (b->failed || b->n > b->max || n > b->max - b->n || b->max == SIZE_MAX) {
        b->failed = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : BUF_FIRST;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *p = b->secret ? grow_secret(b, cap) : realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (!buf_room(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_put_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

void buf_put_str(struct buf *b, const char *text)
{
    buf_put_span(b, span_of(text));
}

void buf_put_char(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    if (!buf_room(b, 0))
        return;
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->n;
    int n = vsnprintf(b->p + b->n, room, fmt, ap);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n >= room && buf_room(b, (size_t)n))
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    va_end(again);
    if (!b->failed)
        b->n += (size_t)n;
    b->p[b->n] = '\0';
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (!buf_room(b, n))
        return NULL;
    b->p[b->n + n] = '\0';
    return b->p + b->n;
}

char *buf_take(struct buf *b)
{
    if (!buf_room(b, 0)) {
        buf_done(b);
        return NULL;
    }
    b->p[b->n] = '\0';
    char *text = TAKE(b->p);
    buf_done(b);
    return text;
}
