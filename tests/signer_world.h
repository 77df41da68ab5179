/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: the whole signer in a process of its own; the test is its broker and its minters. */
#pragma once

#include "children_of.h"
#include "cleanup.h"
#include "clock.h"
#include "jws.h"
#include "keyring.h"
#include "link.h"
#include "log.h"
#include "msg.h"
#include "signer.h"
#include "temp_dir.h"
#include "walls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ANSWER_MS 10000

#define IDENTITY                                                                                   \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n[Log]\nLevel=info\n"
#define PARTNER                                                                                    \
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"                   \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"                  \
    "[Partner sps]\nMetadataURL=https://sps.contoso.example/metadata/json/1\n"                     \
    "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"
#define RULES                                                                                      \
    "[Client pbx]\nUser=0\nAllow=mint\nPartners=exch\nActAs=*@contoso.example\nDelegation=yes\n"   \
    "[Client slow]\nUser=0\nAllow=mint\nRateLimit=2/s\n"                                           \
    "[Client reader]\nUser=0\nAllow=validate\n"
#define PROCESSES "[Processes]\nSigners=2\n"

static struct temp_dir dir;
static pid_t signer;
static int ring = -1, mint = -1;
static uint8_t room[FRAME_MAX];

/* --- start and end --- */

static inline NORETURN void run_signer(unsigned peer_uid, bool until_eof)
{
    static char conf[96], state[96];
    /* First: who has reached the links can reach this door. */
    int keys_door = link_listen(temp_dir_at(&dir, "io.s2sd.keys"), SOCK_STREAM, 0600);
    int ring_door = link_listen(temp_dir_at(&dir, "ring.link"), SOCK_SEQPACKET, 0600);
    int mint_door = link_listen(temp_dir_at(&dir, "mint.link"), SOCK_SEQPACKET, 0600);
    snprintf(conf, sizeof(conf), "%s/conf", dir.path);
    snprintf(state, sizeof(state), "%s/state", dir.path);
    struct signer_options o = {.config_dir = conf,
        .state_dir = state,
        .peer_uid = peer_uid,
        .until_eof = until_eof,
        .keys_own_user = true};
    log_open("signer");
    const struct signer_listeners l = {.ring = ring_door, .mint = mint_door, .keys = keys_door};
    _exit(walls_raise() < 0 ? 99 : signer_run(&o, &l));
}

static inline void write_conf(const char *text)
{
    temp_dir_write(&dir, "conf/s2sd.conf", span_of(text), 0644);
}

static inline int connect_to(const char *name)
{
    int fd = -ENOENT;
    for (int i = 0; i < 1000 && (fd == -ENOENT || fd == -ECONNREFUSED); i++) {
        fd = link_connect(temp_dir_at(&dir, name));
        if (fd < 0)
            usleep(10000);
    }
    ck_assert_msg(fd >= 0, "%s: %s", name, strerror(-fd));
    return fd;
}

/* Signer's standard error goes to the file "log", or where `err` leads. */
static inline void start_as(unsigned peer_uid, bool until_eof, int err)
{
    signer = fork();
    if (signer == 0) {
        int log =
            err >= 0 ? err : open(temp_dir_at(&dir, "log"), O_CREAT | O_APPEND | O_WRONLY, 0600);
        dup2(log, STDERR_FILENO);
        run_signer(peer_uid, until_eof);
    }
    ring = connect_to("ring.link");
    mint = connect_to("mint.link");
}

static inline void start(void)
{
    start_as(geteuid(), false, -1);
}

static inline int end_with(int sig)
{
    int status;
    kill(signer, sig);
    ck_assert_int_eq(waitpid(TAKE_FD(signer), &status, 0) > 0, 1);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void world_setup(void)
{
    temp_dir_make(&dir);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "conf"), 0755), 0);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "state"), 0700), 0);
    write_conf(IDENTITY PARTNER RULES PROCESSES);
    signer = -1;
}

static inline void world_teardown(void)
{
    closep(&ring);
    closep(&mint);
    if (signer > 0)
        end_with(SIGKILL);
    temp_dir_remove(&dir);
}

/* --- frames --- */

static inline void send_bytes(int fd, size_t n)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    ssize_t sent;
    while ((sent = send(fd, room, n, MSG_NOSIGNAL)) < 0 && errno == EAGAIN)
        poll(&p, 1, ANSWER_MS);
    ck_assert_int_eq(sent, (ssize_t)n);
}

static inline void send_frame(int fd, const struct frame_out *f)
{
    size_t n = frame_finish(f);
    ck_assert_uint_gt(n, 0);
    send_bytes(fd, n);
}

static inline void send_empty(int fd, enum msg_type type, uint32_t id)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, id);
    send_frame(fd, &f);
}

/* The next frame within the time; false: none, or the link has ended. */
static inline bool receive(int fd, struct frame_in *f, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, ms) != 1)
        return false;
    ssize_t n = recv(fd, room, sizeof(room), 0);
    return n > 0 && frame_open(f, room, (size_t)n);
}

static inline struct msg_mint order_of(const char *rule, const char *partner)
{
    return (struct msg_mint){.request = {.rule = span_of(rule), .partner = span_of(partner)},
        .uid = 1001,
        .pid = 4711,
        .unit = SPAN("pbx.service")};
}

static inline void send_order(int fd, uint32_t id, const struct msg_mint *m)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_MINT, id);
    msg_mint_put(&f, m);
    send_frame(fd, &f);
}

/* The answer to one order: REASON_OK and the token, or why not. */
static inline enum reason ask(const struct msg_mint *m, char *token, size_t token_len)
{
    static uint32_t last_id;
    struct frame_in f;
    struct msg_minted minted;
    struct msg_refused refused;
    send_order(mint, ++last_id, m);
    ck_assert(receive(mint, &f, ANSWER_MS));
    ck_assert_uint_eq(f.id, last_id);
    if (f.type == MSG_REFUSED) {
        ck_assert(msg_refused_get(&f, &refused));
        return refused.reason;
    }
    ck_assert(msg_minted_get(&f, &minted));
    ck_assert_uint_lt(minted.token.n, token_len);
    memcpy(token, minted.token.p, minted.token.n);
    token[minted.token.n] = '\0';
    return REASON_OK;
}

static char token[JWS_TOKEN_MAX];

static inline enum reason ask_simple(const char *rule, const char *partner)
{
    struct msg_mint m = order_of(rule, partner);
    return ask(&m, token, sizeof(token));
}

static unsigned char ring_digest[MSG_DIGEST]; /* that came with the last ring */
static inline void receive_ring(struct keyring *ret)
{
    struct frame_in f;
    ck_assert(receive(ring, &f, ANSWER_MS));
    ck_assert_uint_eq(f.type, MSG_RING);
    ck_assert(msg_ring_get(&f, ring_digest, ret));
}

/* Does the token verify under the certificate? */
static inline bool is_signed_by(const char *text, const struct cert *cert)
{
    struct jws_parts parts;
    struct jws_scratch *scratch = jws_scratch_new();
    struct span signature;
    bool ok = jws_split(span_of(text), JWS_TOKEN_MAX, &parts) == REASON_OK &&
              jws_read_signature(scratch, parts.signature, &signature) == REASON_OK &&
              pubkey_verify_rs256(cert->key, parts.signing_input, signature) == REASON_OK;
    jws_scratch_free(scratch);
    return ok;
}

static inline bool log_says(const char *what)
{
    static char text[1 << 20];
    FILE *f = fopen(temp_dir_at(&dir, "log"), "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return strstr(text, what) != NULL;
}
