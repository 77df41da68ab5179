/* SPDX-License-Identifier: Apache-2.0 */
/* The one codec between our processes: (version, type, id, fields), at most FRAME_MAX bytes, one
 * frame for each SOCK_SEQPACKET message. Numbers are little endian. Pure: no descriptors here. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdint.h>

#define FRAME_MAX 65536
#define FRAME_VERSION 1
#define FRAME_HEAD 8 /* u8 version, u8 zero, u16 type, u32 id */

/* Writing. Failure (does not fit) is sticky and told by frame_finish. */
struct frame_out {
    uint8_t *p;
    size_t n, cap;
    bool failed;
};

/* Starts a frame in `room` (cap bytes, at most FRAME_MAX count). */
void frame_start(struct frame_out *f, void *room, size_t cap, uint16_t type, uint32_t id);
void frame_put_u8(struct frame_out *f, uint8_t v);
void frame_put_u32(struct frame_out *f, uint32_t v);
void frame_put_u64(struct frame_out *f, uint64_t v);
void frame_put_i64(struct frame_out *f, int64_t v);
/* u32 length, then the bytes. */
void frame_put_span(struct frame_out *f, struct span s);
/* NULL is written as the empty string. */
void frame_put_str(struct frame_out *f, const char *text);
/* Length of the whole frame, or 0 when a field did not fit. */
size_t frame_finish(const struct frame_out *f) WARN_UNUSED;

/* Reading. A read past the end is sticky: values are then 0 or empty, and frame_end says false. */
struct frame_in {
    const uint8_t *p;
    size_t n, at;
    uint16_t type;
    uint32_t id;
    bool failed;
};

/* Opens a received message: false when shorter than the head, longer than FRAME_MAX, of another
 * version or with a non-zero reserved byte. Spans read from it point into `bytes`. */
bool frame_open(struct frame_in *f, const void *bytes, size_t n) WARN_UNUSED;
uint8_t frame_u8(struct frame_in *f);
uint32_t frame_u32(struct frame_in *f);
uint64_t frame_u64(struct frame_in *f);
int64_t frame_i64(struct frame_in *f);
struct span frame_span(struct frame_in *f);
/* A field that becomes a C string of at most max-1 bytes without NUL inside; anything else fails
 * the frame. out is always terminated. */
void frame_str(struct frame_in *f, char *out, size_t max);
/* True when every field was there and nothing is left over. */
bool frame_end(const struct frame_in *f) WARN_UNUSED;
