/* SPDX-License-Identifier: Apache-2.0 */
/* Two workers without processes, and a way to feed bytes to their doors over a socket pair. The
 * first byte of an input chooses the worker and into how many pieces the rest is cut. */
#pragma once

#include "clock.h"
#include "counters.h"
#include "doors.h"
#include "log.h"
#include "settings_of.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#define FUZZ_NOW INT64_C(1735700000)

struct fuzzed {
    struct event_base *base;
    struct worker validator, minter;
};

/* Everybody may do everything, so that no rule hides what is behind it. */
static const char fuzz_conf[] = "[Identity]\n"
                                "ApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
                                "Realm=contoso.com\n"
                                "Hosts=mail.contoso.com\n"
                                "[Partner lync]\n"
                                "ApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
                                "Realm=lync.contoso.com\n"
                                "MetadataURL=https://lync.contoso.com/metadata/json/1\n"
                                "PermittedUsers=*@contoso.com\n"
                                "[Client all]\n"
                                "User=root\n"
                                "Allow=mint validate explain\n"
                                "Delegation=yes\n"
                                "ActAs=*@contoso.com\n";

static inline void fuzz_worker(struct fuzzed *f, struct worker *w, enum worker_kind kind)
{
    int fd = counters_create(1);
    w->of = 1;
    w->pages = fd >= 0 ? counters_map(fd, 1) : NULL;
    struct settings *s = settings_of(fuzz_conf);
    s->clients[0].uid = getuid();
    if (!w->pages || !worker_init(w, kind, f->base, s))
        abort();
    w->synced = true;
    close(fd);
}

static inline struct fuzzed *fuzz_open(void)
{
    static struct fuzzed f;
    if (f.base)
        return &f;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_L_ERR);
    clock_fake(FUZZ_NOW, 10000000);
    f.base = event_base_new();
    if (!f.base)
        abort();
    fuzz_worker(&f, &f.validator, WORKER_VALIDATOR);
    fuzz_worker(&f, &f.minter, WORKER_MINTER);
    clock_fake(FUZZ_NOW, 20000000); /* there is no signer, and nobody waits for it any more */
    return &f;
}

static inline void fuzz_take(int fd, struct buf *got)
{
    char room[16384];
    ssize_t n;
    while ((n = recv(fd, room, sizeof(room), MSG_DONTWAIT)) > 0)
        buf_put(got, room, (size_t)n);
}

/* Feeds the bytes behind the first one; what came back is in `got`. Nobody is left behind. */
static inline void fuzz_door(enum door_kind kind, const uint8_t *data, size_t n, struct buf *got)
{
    struct fuzzed *f = fuzz_open();
    int fds[2];
    if (n == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        return;
    struct worker *w = data[0] & 1 ? &f->minter : &f->validator;
    size_t pieces = 1 + (data[0] >> 1) % 8, piece = (n - 1) / pieces + 1;
    doors_take(w->doors, fds[0], kind);
    for (size_t at = 1; at < n; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        if (send(fds[1], data + at, len, MSG_NOSIGNAL) < (ssize_t)len)
            break;
        (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
        fuzz_take(fds[1], got);
    }
    (void)shutdown(fds[1], SHUT_WR);
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    fuzz_take(fds[1], got);
    close(fds[1]);
    (void)event_base_loop(f->base, EVLOOP_NONBLOCK);
    if (doors_visitors(w->doors) != 0)
        abort();
}
