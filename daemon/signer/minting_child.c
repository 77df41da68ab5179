/* SPDX-License-Identifier: Apache-2.0 */
#include "minting_child.h"

#include "announce.h"
#include "cleanup.h"
#include "clock.h"
#include "frame.h"
#include "jws.h"
#include "mint.h"
#include "msg.h"
#include "signed_document.h"
#include "token_seal.h"
#include "walls.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHILD_SOCKET (STDERR_FILENO + 1)

static enum reason mint(
    const struct settings *s, struct signkey *key, struct frame_in *f, struct minted *ret)
{
    struct msg_mint m;
    struct mint_grant grant;
    if (!msg_mint_get(f, &m))
        return REASON_INVALID_REQUEST;
    enum reason r = policy_grant(s, &m.request, &grant);
    if (r != REASON_OK)
        return r;
    struct mint_order order = {.identity = &s->identity,
        .partner = grant.partner,
        .host = grant.host,
        .user_kind = m.request.user_kind,
        .user = m.request.user,
        .lifetime_s = grant.lifetime_s,
        .now = clock_wall_s()};
    return mint_token(&order, key, ret);
}

/* What such an order may be called: neither opens a door that a token of the mint ladder opens. */
static const char *const typs[] = {
    [SIGN_ANNOUNCE] = ANNOUNCE_TYP, [SIGN_DOCUMENT] = SIGNED_DOCUMENT_TYP};

static enum reason seal(struct signkey *key, struct frame_in *f, struct minted *ret)
{
    struct msg_seal m;
    CLEANUP(buf_done) struct buf token = {.max = JWS_TOKEN_MAX, .secret = true};
    if (!msg_seal_get(f, &m))
        return REASON_INVALID_REQUEST;
    enum reason r = token_seal(typs[m.kind], m.claims, key, &token);
    if (r != REASON_OK)
        return r;
    ret->token = token;
    token = (struct buf){0};
    ret->expires_at = m.expires_at;
    return REASON_OK;
}

void minting_child_answer(const struct settings *s, struct signkey *key, struct frame_in *f,
    void *room, struct frame_out *out)
{
    CLEANUP(minted_done)
    struct minted minted = {.token = {.max = JWS_TOKEN_MAX, .secret = true}};
    enum reason r = f->type == MSG_SEAL ? seal(key, f, &minted) : mint(s, key, f, &minted);
    if (r == REASON_OK) {
        struct msg_minted m = {.token = buf_span(&minted.token), .expires_at = minted.expires_at};
        memcpy(m.x5t, signkey_cert(key)->x5t, sizeof(m.x5t));
        frame_start(out, room, FRAME_MAX, MSG_MINTED, f->id);
        msg_minted_put(out, &m);
        return;
    }
    struct msg_refused m = {.reason = r};
    frame_start(out, room, FRAME_MAX, MSG_REFUSED, f->id);
    msg_refused_put(out, &m);
}

/* The loop: no event base, no log, no allocation that outlives an order. */
void minting_child_run(int sock, int parent, const struct settings *s, struct signkey *key)
{
    static uint8_t in[FRAME_MAX], room[FRAME_MAX];
    walls_raise_child(sock, parent);
    for (;;) {
        struct frame_in f;
        struct frame_out out;
        ssize_t n = recv(CHILD_SOCKET, in, sizeof(in), MSG_TRUNC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(0);
        if ((size_t)n > sizeof(in) || !frame_open(&f, in, (size_t)n) ||
            (f.type != MSG_MINT && f.type != MSG_SEAL))
            _exit(2);
        minting_child_answer(s, key, &f, room, &out);
        size_t len = frame_finish(&out);
        if (len == 0 || send(CHILD_SOCKET, room, len, MSG_NOSIGNAL) < 0)
            _exit(3);
    }
}
