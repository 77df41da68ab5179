/* SPDX-License-Identifier: Apache-2.0 */
/* A worker without its process: settings from a text, counters of its own, and the far ends of its
 * links and doors in the test's hand. We are Exchange, "lync" is the partner. */
#pragma once

#include "far_end.h"

#include "broker_link.h"
#include "clock.h"
#include "doors.h"
#include "mint.h"
#include "minter.h"
#include "msg.h"
#include "settings_of.h"
#include "validator.h"

#include <pwd.h>
#include <sys/mman.h>

#define NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define LYNC "00000004-0000-0ff1-ce00-000000000000"
#define EXCH "00000002-0000-0ff1-ce00-000000000000"
#define REALM "contoso.example"

/* What every configuration here begins with. */
#define US                                                                                         \
    "[Identity]\nApplicationId=" EXCH "\nRealm=" REALM "\nHosts=mail.contoso.example\n"            \
    "Hosts=other.contoso.example\n"
#define PARTNER(name, more)                                                                        \
    "[Partner " name "]\nMetadataURL=https://" name ".contoso.example/metadata/json/1\n" more
#define LYNC_PARTNER                                                                               \
    PARTNER("lync", "ApplicationId=" LYNC "\nRealm=" REALM "\nTrust=full\n"                        \
                    "PermittedUsers=*@contoso.example\n")

/* The user who runs the test: whom SO_PEERCRED will name. */
static inline const char *own_name(void)
{
    const struct passwd *pw = getpwuid(getuid());
    ck_assert_ptr_nonnull(pw);
    return pw->pw_name;
}

struct world {
    struct event_base *base;
    struct worker w;
    int counters_fd;
    struct far_end broker;  /* fd -1: no link */
    unsigned synced, ended; /* what the broker's link has told */
};

static struct world world;

static inline void on_world_synced(struct worker *w)
{
    (void)w;
    world.synced++;
}

static inline void on_world_end(struct worker *w)
{
    (void)w;
    world.ended++;
}

static const struct broker_link_ops world_ops = {
    .config_dir = "/nonexistent", .on_synced = on_world_synced, .on_end = on_world_end};

static inline void world_open_many(enum worker_kind kind, const char *conf, unsigned of)
{
    clock_fake(NOW, 1000000);
    world = (struct world){.base = event_base_new(), .broker = {.fd = -1}};
    world.counters_fd = counters_create(of);
    world.w.of = of;
    world.w.pages = counters_map(world.counters_fd, of);
    ck_assert_ptr_nonnull(world.w.pages);
    ck_assert(worker_init(&world.w, kind, world.base, settings_of(conf)));
    world.w.synced = world.w.may_mint = world.w.may_validate = true;
    int near = far_open(&world.broker, SOCK_SEQPACKET);
    world.w.broker = broker_link_new(&world.w, near, &world_ops);
    ck_assert_ptr_nonnull(world.w.broker);
}

static inline void world_open(enum worker_kind kind, const char *conf)
{
    world_open_many(kind, conf, 1);
}

static inline void world_close(void)
{
    worker_done(&world.w);
    munmap(world.w.pages, world.w.of * counters_stride());
    closep(&world.counters_fd);
    event_base_free(world.base);
    far_close(&world.broker);
    clock_real();
}

/* Both clocks go on by so many seconds. */
static inline void world_pass(int64_t seconds)
{
    clock_fake(clock_wall_s() + seconds, clock_mono_ms() + seconds * 1000);
}

/* A connection at a door of the worker. */
static inline void knock(struct far_end *far, enum door_kind kind)
{
    int near = far_open(far, SOCK_STREAM);
    doors_take(world.w.doors, near, kind);
}

/* One HTTP request on a connection of its own; `far` holds the answer, the connection stays. */
static inline void ask_http(struct far_end *far, const char *request)
{
    knock(far, DOOR_HTTP);
    far_say(far, request);
    loop_turn(world.base);
    far_take(far);
}

/* The same for a form. */
static inline void post(struct far_end *far, const char *path, const char *form)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 18);
    buf_printf(&b,
        "POST %s HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
        path, strlen(form), form);
    ask_http(far, b.p);
}

/* Status and whole body of the only answer. */
static inline void expect_http(struct far_end *far, unsigned status, const char *body)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    ck_assert_msg(far->got.n > 0, "no answer; %u with %s was expected", status, body);
    ck_assert_msg(
        strncmp(far->got.p, line, strlen(line)) == 0, "%u expected: %s", status, far->got.p);
    ck_assert_ptr_nonnull(strstr(far->got.p, "\r\nCache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(far->got.p, "\r\nContent-Type: application/json\r\n"));
    ck_assert_str_eq(strstr(far->got.p, "\r\n\r\n") + 4, body);
}

static inline void say_varlink(struct far_end *far, const char *text)
{
    far_send(far, (struct span){text, strlen(text) + 1});
    loop_turn(world.base);
    far_take(far);
}

/* A frame to the worker over the link whose far end this is. */
static inline void send_frame(struct far_end *far, const struct frame_out *f)
{
    size_t n = frame_finish(f);
    ck_assert_uint_gt(n, 0);
    far_send(far, span_bytes(f->p, n));
    loop_turn(world.base);
}

/* The next frame that came from the worker; false: none. */
static inline bool next_frame(struct far_end *far, uint8_t room[FRAME_MAX], struct frame_in *ret)
{
    loop_turn(world.base);
    ssize_t n = recv(far->fd, room, FRAME_MAX, 0);
    if (n <= 0)
        return false;
    ck_assert(frame_open(ret, room, (size_t)n));
    return true;
}

static inline void send_done(const char *partner, bool fetched, uint32_t quiet_ms)
{
    uint8_t room[256];
    struct frame_out f;
    struct msg_hint_done m = {
        .partner = span_of(partner), .fetched = fetched, .quiet_ms = quiet_ms};
    frame_start(&f, room, sizeof room, MSG_HINT_DONE, 0);
    msg_hint_done_put(&f, &m);
    send_frame(&world.broker, &f);
}

static inline void send_name(enum msg_type type, const char *name)
{
    uint8_t room[256];
    struct frame_out f;
    frame_start(&f, room, sizeof room, (uint16_t)type, 0);
    msg_name_put(&f, span_of(name));
    send_frame(&world.broker, &f);
}
