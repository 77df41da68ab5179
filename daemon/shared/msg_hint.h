/* SPDX-License-Identifier: Apache-2.0 */
/* The messages MSG_HINT and MSG_HINT_DONE, in the manner of msg.h. */
#pragma once

#include "msg.h"

/* Why a newer document is wished for. */
enum msg_hint_kind {
    HINT_UNKNOWN_KEY, /* a token names a key that nobody here knows */
    HINT_SIGNATURE    /* its signature fails under a key whose id is only a name: used again? */
};
struct msg_hint {
    struct span partner;
    unsigned char key_id[20]; /* as in struct token_checked */
    enum msg_hint_kind kind;
};
void msg_hint_put(struct frame_out *f, const struct msg_hint *m);
bool msg_hint_get(struct frame_in *f, struct msg_hint *m) WARN_UNUSED;

struct msg_hint_done {
    struct span partner;
    bool fetched;      /* a good document came that was asked for after the hint */
    uint32_t quiet_ms; /* for so long no other hint for this partner will be heard */
};
void msg_hint_done_put(struct frame_out *f, const struct msg_hint_done *m);
bool msg_hint_done_get(struct frame_in *f, struct msg_hint_done *m) WARN_UNUSED;
