/* SPDX-License-Identifier: Apache-2.0 */
/* The far end of a connection under test: a socket, what came out of it, and a loop that runs until
 * something has come true. Nothing sleeps: the loop waits for events, a guard ends a test that
 * would wait for ever. */
#pragma once

#include "buf.h"
#include "cleanup.h"
#include "unit.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>

#define GUARD_S 8

struct far_end {
    int fd;
    struct buf got; /* everything received */
    unsigned reads; /* packets, when the socket is SOCK_SEQPACKET: one for each write of the other
                       side */
    bool closed;    /* the other side has ended */
    bool reset;     /* ... without a clean end */
};

/* Makes a pair; returns the near descriptor, non-blocking as after accept4. */
static inline int far_open(struct far_end *f, int type)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_ge(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
    *f = (struct far_end){.fd = fds[0], .got = BUF_INIT((size_t)64 * 1024 * 1024)};
    return fds[1];
}

static inline void far_close(struct far_end *f)
{
    closep(&f->fd);
    buf_done(&f->got);
}

/* Writes all of it; the other side's loop is not running, so it must fit the socket. */
static inline void far_send(struct far_end *f, struct span bytes)
{
    ck_assert_int_eq(send(f->fd, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n);
}

static inline void far_say(struct far_end *f, const char *text)
{
    far_send(f, span_of(text));
}

/* Takes what has arrived. */
static inline void far_take(struct far_end *f)
{
    char *room;
    while (!f->closed && (room = buf_reserve(&f->got, 65536)) != NULL) {
        ssize_t n = recv(f->fd, room, 65536, 0);
        if (n > 0) {
            f->got.n += (size_t)n;
            f->got.p[f->got.n] = '\0'; /* buf keeps a byte for it */
            f->reads++;
        } else if (n == 0 || errno != EAGAIN) {
            f->closed = true;
            f->reset = n < 0;
        } else {
            return;
        }
    }
}

static inline bool far_has(const struct far_end *f, const char *text)
{
    size_t n = strlen(text);
    return f->got.n >= n && memmem(f->got.p, f->got.n, text, n) != NULL;
}

static inline unsigned far_count(const struct far_end *f, const char *text)
{
    unsigned found = 0;
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= f->got.n; i++)
        found += memcmp(f->got.p + i, text, n) == 0;
    return found;
}

/* Names that the guard has come: the test fails where it waits. */
static inline void on_guard(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* Runs the loop until `done(arg)`. */
static inline void loop_until(struct event_base *base, bool (*done)(void *arg), void *arg)
{
    bool late = false;
    const struct timeval guard = {.tv_sec = GUARD_S};
    struct event *timer = event_new(base, -1, 0, on_guard, &late);
    ck_assert_ptr_nonnull(timer);
    ck_assert_int_eq(event_add(timer, &guard), 0);
    while (!done(arg) && !late)
        ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
    event_free(timer);
    ck_assert_msg(!late, "waited in vain");
}

/* Runs what is ready now, and what that makes ready. */
static inline void loop_turn(struct event_base *base)
{
    for (int i = 0; i < 8; i++)
        ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

struct far_wait {
    struct far_end *far;
    const char *text;
    unsigned times;
};

static inline bool far_wait_done(void *arg)
{
    struct far_wait *w = arg;
    far_take(w->far);
    return w->far->closed || far_count(w->far, w->text) >= w->times;
}

/* Until `text` has come so many times. */
static inline void far_await(
    struct event_base *base, struct far_end *f, const char *text, unsigned times)
{
    struct far_wait w = {f, text, times};
    loop_until(base, far_wait_done, &w);
    ck_assert_msg(far_count(f, text) >= times, "closed before \"%s\" came %u times: %.*s", text,
        times, (int)f->got.n, f->got.p ? f->got.p : "");
}

static inline bool far_closed_done(void *arg)
{
    struct far_end *f = arg;
    far_take(f);
    return f->closed;
}

static inline void far_await_close(struct event_base *base, struct far_end *f)
{
    loop_until(base, far_closed_done, f);
}
