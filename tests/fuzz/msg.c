/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: whatever a peer sends is either refused or, written again, the same bytes. */
#include "msg_hint.h"
#include "store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t room[FRAME_MAX];

#define CASE(TYPE, get, put, member)                                                               \
    case TYPE:                                                                                     \
        if (!get(in, &m.member))                                                                   \
            return false;                                                                          \
        put(out, &m.member);                                                                       \
        return true

/* The same for what the broker and the signer say about our own keys. */
static bool again_of_ring(struct frame_in *in, struct frame_out *out)
{
    union {
        struct msg_hold hold;
        struct msg_roll roll;
        struct msg_rolled rolled;
        struct msg_sign sign;
        struct msg_signed is_signed;
        struct msg_seal seal;
    } m;
    switch (in->type) {
        CASE(MSG_RING_HOLD, msg_hold_get, msg_hold_put, hold);
        CASE(MSG_ROLL, msg_roll_get, msg_roll_put, roll);
        CASE(MSG_ROLLED, msg_rolled_get, msg_rolled_put, rolled);
        CASE(MSG_SIGN, msg_sign_get, msg_sign_put, sign);
        CASE(MSG_SIGNED, msg_signed_get, msg_signed_put, is_signed);
        CASE(MSG_SEAL, msg_seal_get, msg_seal_put, seal);
    default:
        return false;
    }
}

/* Reads the frame as the message of its type and writes it into `out`; false when it is refused. */
static bool again(struct frame_in *in, struct frame_out *out)
{
    union {
        struct msg_config config;
        struct msg_mint mint;
        struct msg_minted minted;
        struct msg_refused refused;
        struct msg_fetch fetch;
        struct msg_fetched fetched;
        struct msg_health health;
        struct msg_hint hint;
        struct msg_hint_done done;
        struct msg_announced announced;
        struct span name;
        uint64_t number;
    } m;
    switch (in->type) {
        CASE(MSG_CONFIG_READY, msg_config_get, msg_config_put, config);
        CASE(MSG_MINT, msg_mint_get, msg_mint_put, mint);
        CASE(MSG_MINTED, msg_minted_get, msg_minted_put, minted);
        CASE(MSG_REFUSED, msg_refused_get, msg_refused_put, refused);
        CASE(MSG_FETCH, msg_fetch_get, msg_fetch_put, fetch);
        CASE(MSG_FETCHED, msg_fetched_get, msg_fetched_put, fetched);
        CASE(MSG_HEALTH, msg_health_get, msg_health_put, health);
        CASE(MSG_HINT, msg_hint_get, msg_hint_put, hint);
        CASE(MSG_HINT_DONE, msg_hint_done_get, msg_hint_done_put, done);
        CASE(MSG_ANNOUNCED, msg_announced_get, msg_announced_put, announced);
    case MSG_ANNOUNCE:
    case MSG_TRUST_GONE:
        if (!msg_name_get(in, &m.name))
            return false;
        msg_name_put(out, m.name);
        return true;
    case MSG_RING_PUBLISHED:
    case MSG_TRUST_SYNCED:
        if (!msg_number_get(in, &m.number))
            return false;
        msg_number_put(out, m.number);
        return true;
    default:
        return again_of_ring(in, out);
    }
}

/* The two that build things out of what they read: nothing may leak or overrun. */
static void build(struct frame_in in)
{
    struct keyring ring = {0};
    struct partner_trust trust = {0};
    struct frame_in copy = in, whole = in;
    unsigned char digest[MSG_DIGEST];
    if (msg_ring_get(&whole, digest, &ring))
        keyring_done(&ring);
    if (keyring_get(&in, &ring) == REASON_OK)
        keyring_done(&ring);
    if (partner_trust_get(&copy, &trust) == REASON_OK)
        partner_trust_done(&trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct frame_in in;
    struct frame_out out;
    if (!frame_open(&in, data, n))
        return 0;
    build(in);
    frame_start(&out, room, sizeof(room), in.type, in.id);
    if (again(&in, &out) && (frame_finish(&out) != n || memcmp(room, data, n) != 0))
        abort();
    return 0;
}
