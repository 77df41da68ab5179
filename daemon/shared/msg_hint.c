/* SPDX-License-Identifier: Apache-2.0 */
#include "msg_hint.h"

void msg_hint_put(struct frame_out *f, const struct msg_hint *m)
{
    frame_put_span(f, m->partner);
    frame_put_span(f, span_bytes(m->key_id, sizeof(m->key_id)));
    frame_put_u8(f, (uint8_t)m->kind);
}

bool msg_hint_get(struct frame_in *f, struct msg_hint *m)
{
    m->partner = frame_span(f);
    struct span id = frame_span(f);
    uint8_t kind = frame_u8(f);
    if (f->type != MSG_HINT || !frame_end(f) || m->partner.n == 0 || id.n != sizeof(m->key_id) ||
        kind > HINT_SIGNATURE)
        return false;
    memcpy(m->key_id, id.p, id.n);
    m->kind = (enum msg_hint_kind)kind;
    return true;
}

void msg_hint_done_put(struct frame_out *f, const struct msg_hint_done *m)
{
    frame_put_span(f, m->partner);
    frame_put_u8(f, m->fetched);
    frame_put_u32(f, m->quiet_ms);
}

bool msg_hint_done_get(struct frame_in *f, struct msg_hint_done *m)
{
    m->partner = frame_span(f);
    uint8_t fetched = frame_u8(f);
    m->fetched = fetched == 1;
    m->quiet_ms = frame_u32(f);
    return f->type == MSG_HINT_DONE && frame_end(f) && m->partner.n > 0 && fetched <= 1;
}
