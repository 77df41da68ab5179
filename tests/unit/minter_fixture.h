/* SPDX-License-Identifier: Apache-2.0 */
/* A minter through both of its doors, with a scripted signer. */
#pragma once

#include "worker_fixture.h"

#define RULE(more) "[Client me]\nUser=@USER@\nAllow=mint\n" more
#define DELEGATING                                                                                 \
    RULE("Delegation=yes\nActAs=*@contoso.example\nRefuseActAs=root@contoso.example\n")
#define SHAREPOINT                                                                                 \
    PARTNER("sp", "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=" REALM               \
                  "\nAudienceHost=farm.contoso.example\nAudienceHost=shared.contoso.example\n")
#define SECOND                                                                                     \
    PARTNER("sp2", "ApplicationId=00000003-0000-0ff1-ce00-000000000002\nRealm=" REALM              \
                   "\nAudienceHost=shared.contoso.example\n")

static struct far_end signer;

/* Passes a descriptor over the broker's link, as the broker does. */
static inline void send_signer_link(int fd)
{
    uint8_t room[FRAME_HEAD];
    struct frame_out f;
    frame_start(&f, room, sizeof room, MSG_SIGNER_LINK, 0);
    struct iovec iov = {room, frame_finish(&f)};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        mh.msg_control = control.bytes;
        mh.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ck_assert_int_gt(sendmsg(world.broker.fd, &mh, MSG_NOSIGNAL), 0);
    loop_turn(world.base);
}

/* A new signer at the other end of a new link. */
static inline void bring_signer(void)
{
    int near = far_open(&signer, SOCK_SEQPACKET);
    send_signer_link(near);
    close(near);
}

/* A configuration with the name of whoever runs the test in it; the caller frees it. */
static inline char *conf_of(const char *text)
{
    static const char mark[] = "@USER@";
    struct buf b = BUF_INIT(65536);
    for (const char *at; (at = strstr(text, mark)) != NULL; text = at + sizeof mark - 1) {
        buf_put(&b, text, (size_t)(at - text));
        buf_put_str(&b, own_name());
    }
    buf_put_str(&b, text);
    return buf_take(&b);
}

static inline void open_minter_without(const char *text)
{
    CLEANUP(freep) char *conf = conf_of(text);
    world_open(WORKER_MINTER, conf);
}

static inline void open_minter(const char *text)
{
    open_minter_without(text);
    bring_signer();
}

static inline void close_minter(void)
{
    world_close();
    far_close(&signer);
}

/* One order as the signer got it. */
struct got_order {
    uint8_t room[FRAME_MAX];
    struct frame_in frame;
    struct msg_mint msg;
};

static inline bool next_order(struct got_order *o)
{
    if (!next_frame(&signer, o->room, &o->frame))
        return false;
    ck_assert_uint_eq(o->frame.type, MSG_MINT);
    ck_assert(msg_mint_get(&o->frame, &o->msg));
    return true;
}

static inline void expect_order(struct got_order *o)
{
    ck_assert_msg(next_order(o), "the signer was not asked");
}

static inline void expect_no_order(void)
{
    struct got_order o;
    ck_assert_msg(!next_order(&o), "the signer was asked");
}

static uint8_t signing_key[X5T_LEN]; /* what the played signer signs with */

/* The broker's word on the key that is first in our document now. */
static inline void tell_signing_key(uint8_t first_byte)
{
    uint8_t room[64];
    const uint8_t x5t[X5T_LEN] = {first_byte};
    struct frame_out f;
    frame_start(&f, room, sizeof room, MSG_SIGNING_KEY, 0);
    msg_signing_key_put(&f, x5t);
    send_frame(&world.broker, &f);
    loop_turn(world.base);
}

static inline void sign(uint32_t id, const char *token, int64_t lifetime_s)
{
    uint8_t room[1024];
    struct frame_out f;
    struct msg_minted m = {.token = span_of(token), .expires_at = clock_wall_s() + lifetime_s};
    memcpy(m.x5t, signing_key, X5T_LEN);
    frame_start(&f, room, sizeof room, MSG_MINTED, id);
    msg_minted_put(&f, &m);
    send_frame(&signer, &f);
}

static inline void refuse(uint32_t id, enum reason reason, uint32_t retry_after_s)
{
    uint8_t room[1024];
    struct frame_out f;
    const struct msg_refused m = {reason, retry_after_s, SPAN("")};
    frame_start(&f, room, sizeof room, MSG_REFUSED, id);
    msg_refused_put(&f, &m);
    send_frame(&signer, &f);
}

#define CLIENT "grant_type=client_credentials"
#define EXCHANGE "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
#define AS_KIM                                                                                     \
    "&subject_token=Kim%40contoso.example&subject_token_type=urn:s2sd:params:oauth:token-type:"

static inline void expect_span(struct span got, const char *want)
{
    ck_assert_msg(span_eq_str(got, want), "\"%.*s\", \"%s\" was expected", (int)got.n,
        got.p ? got.p : "", want);
}
