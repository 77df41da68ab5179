/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

static void put_bytes(struct frame_out *f, const void *bytes, size_t n)
{
    if (f->failed || n > f->cap - f->n) {
        f->failed = true;
        return;
    }
    if (n)
        memcpy(f->p + f->n, bytes, n);
    f->n += n;
}

/* The low `n` bytes of v, lowest first. */
static void put_number(struct frame_out *f, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    put_bytes(f, bytes, n);
}

void frame_start(struct frame_out *f, void *room, size_t cap, uint16_t type, uint32_t id)
{
    *f = (struct frame_out){.p = room, .cap = cap < FRAME_MAX ? cap : FRAME_MAX};
    put_number(f, FRAME_VERSION, 1);
    put_number(f, 0, 1);
    put_number(f, type, 2);
    put_number(f, id, 4);
}

void frame_put_u8(struct frame_out *f, uint8_t v)
{
    put_number(f, v, 1);
}

void frame_put_u32(struct frame_out *f, uint32_t v)
{
    put_number(f, v, 4);
}

void frame_put_u64(struct frame_out *f, uint64_t v)
{
    put_number(f, v, 8);
}

void frame_put_i64(struct frame_out *f, int64_t v)
{
    put_number(f, (uint64_t)v, 8);
}

void frame_put_span(struct frame_out *f, struct span s)
{
    put_number(f, s.n, 4); /* a length that 4 bytes cannot hold does not fit below either */
    put_bytes(f, s.p, s.n);
}

void frame_put_str(struct frame_out *f, const char *text)
{
    frame_put_span(f, span_of(text));
}

size_t frame_finish(const struct frame_out *f)
{
    return f->failed ? 0 : f->n;
}

static uint64_t number_at(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* The next n bytes, or NULL and sticky failure. */
static const uint8_t *take(struct frame_in *f, size_t n)
{
    if (f->failed || n > f->n - f->at) {
        f->failed = true;
        return NULL;
    }
    const uint8_t *p = f->p + f->at;
    f->at += n;
    return p;
}

static uint64_t take_number(struct frame_in *f, size_t n)
{
    const uint8_t *p = take(f, n);
    return p ? number_at(p, n) : 0;
}

bool frame_open(struct frame_in *f, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    if (n < FRAME_HEAD || n > FRAME_MAX || p[0] != FRAME_VERSION || p[1] != 0)
        return false;
    *f = (struct frame_in){.p = p,
        .n = n,
        .at = FRAME_HEAD,
        .type = (uint16_t)number_at(p + 2, 2),
        .id = (uint32_t)number_at(p + 4, 4)};
    return true;
}

uint8_t frame_u8(struct frame_in *f)
{
    return (uint8_t)take_number(f, 1);
}

uint32_t frame_u32(struct frame_in *f)
{
    return (uint32_t)take_number(f, 4);
}

uint64_t frame_u64(struct frame_in *f)
{
    return take_number(f, 8);
}

int64_t frame_i64(struct frame_in *f)
{
    return (int64_t)take_number(f, 8);
}

struct span frame_span(struct frame_in *f)
{
    size_t n = take_number(f, 4);
    const uint8_t *p = take(f, n);
    return p ? span_bytes(p, n) : (struct span){0};
}

void frame_str(struct frame_in *f, char *out, size_t max)
{
    struct span s = frame_span(f);
    if (s.n >= max || span_find(s, '\0') != s.n) {
        f->failed = true;
        s.n = 0;
    }
    if (s.n)
        memcpy(out, s.p, s.n);
    if (max)
        out[s.n] = '\0';
}

bool frame_end(const struct frame_in *f)
{
    return !f->failed && f->at == f->n;
}
