/* SPDX-License-Identifier: Apache-2.0 */
/* For ladders of tokens that a partner signs. Input: a token; or, when it begins with '{', header
 * and claims on a line each, which are encoded and signed here with the partner's own key, so that
 * the rungs behind the signature are reached. */
#pragma once

#include "check_world.h"

static struct {
    struct world w;
    struct jws_scratch *scratch, *oracle; /* of the ladder, and of who reads it again */
} fuzz;

static inline void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The key has a name that seeds can know. */
static inline void name_key(struct partner_trust *t)
{
    memcpy(t->keys[0].kid, "k", 2);
}

static inline void open_once(void)
{
    if (fuzz.scratch)
        return;
    world_open(&fuzz.w);
    world_edit(&fuzz.w, "peer", name_key);
    fuzz.scratch = jws_scratch_new();
    fuzz.oracle = jws_scratch_new();
    demand(fuzz.scratch && fuzz.oracle);
}

static inline void put_signed(struct buf *token, struct span in)
{
    CLEANUP(buf_done) struct buf signature = BUF_INIT(2048);
    size_t first = span_find(in, '\n');
    struct span claims = first < in.n ? span_skip(in, first + 1) : SPAN("");
    claims.n = span_find(claims, '\n');
    b64url_put(token, in.p, first);
    buf_put_char(token, '.');
    b64url_put(token, claims.p, claims.n);
    demand(!token->failed);
    demand(signkey_sign_rs256(fuzz.w.key, buf_span(token), &signature) == REASON_OK);
    buf_put_char(token, '.');
    b64url_put(token, signature.p, signature.n);
}

/* The token that the input means. */
static inline void token_of_input(const uint8_t *data, size_t n, struct buf *token)
{
    open_once();
    if (n > 0 && data[0] == '{')
        put_signed(token, span_bytes(data, n));
    else
        buf_put_span(token, span_bytes(data, n));
}
