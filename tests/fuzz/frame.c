/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: reads the input as a frame in an order that the input itself chooses; what was read and
 * is written again gives the same bytes. */
#include "frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool good)
{
    if (!good)
        abort();
}

/* One field of the kind that `choice` names, from `in` to `out`. */
static void copy_field(struct frame_in *in, struct frame_out *out, unsigned choice)
{
    char text[64];
    switch (choice % 6) {
    case 0:
        frame_put_u8(out, frame_u8(in));
        break;
    case 1:
        frame_put_u32(out, frame_u32(in));
        break;
    case 2:
        frame_put_u64(out, frame_u64(in));
        break;
    case 3:
        frame_put_i64(out, frame_i64(in));
        break;
    case 4: {
        struct span s = frame_span(in);
        must(s.n == 0 ||
             ((const uint8_t *)s.p >= in->p && (const uint8_t *)s.p + s.n <= in->p + in->n));
        frame_put_span(out, s);
        break;
    }
    default:
        frame_str(in, text, 1 + choice % sizeof text);
        must(strlen(text) <= choice % sizeof text);
        frame_put_str(out, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t room[FRAME_MAX];
    struct frame_in in;
    struct frame_out out;
    if (n < 8 || !frame_open(&in, data + 8, n - 8))
        return 0;
    frame_start(&out, room, sizeof room, in.type, in.id);
    for (unsigned i = 0; i < 1000 && !in.failed && !frame_end(&in); i++)
        copy_field(&in, &out, data[i % 8] + i / 8);
    if (frame_end(&in)) {
        must(frame_finish(&out) == n - 8);
        must(memcmp(room, data + 8, n - 8) == 0);
    } else if (in.failed) {
        must(frame_u64(&in) == 0 && frame_span(&in).n == 0 && !frame_end(&in));
    }
    return 0;
}
