/* SPDX-License-Identifier: Apache-2.0 */
#include "conn_io.h"

#include "clock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* What libevent 2.1 takes in one read: a shorter one has emptied the socket. */
#define LIBEVENT_READ 4096

/* One recvmsg into the room that the evbuffer offers. Without a control buffer: passed descriptors
 * are dropped by the kernel (rule R41). */
static void read_more(struct evbuffer *in, int fd, size_t want)
{
    struct evbuffer_iovec room[1];
    if (evbuffer_reserve_space(in, (ev_ssize_t)want, room, 1) != 1)
        return;
    ssize_t n =
        recv(fd, room[0].iov_base, room[0].iov_len < want ? room[0].iov_len : want, MSG_DONTWAIT);
    room[0].iov_len = n > 0 ? (size_t)n : 0;
    (void)evbuffer_commit_space(in, room, 1);
}

void conn_io_top_up(struct bufferevent *bev)
{
    struct evbuffer *in = bufferevent_get_input(bev);
    size_t have = evbuffer_get_length(in);
    int fd = bufferevent_getfd(bev);
    if (fd < 0 || have < LIBEVENT_READ || have >= CONN_READ_MAX)
        return;
    /* The bufferevent keeps its input closed for everybody else; we are its reader right now. */
    (void)evbuffer_unfreeze(in, 0);
    read_more(in, fd, CONN_READ_MAX - have);
    (void)evbuffer_freeze(in, 0);
}

size_t conn_io_waiting(const struct bufferevent *bev)
{
    return evbuffer_get_length(bufferevent_get_output((struct bufferevent *)(uintptr_t)bev));
}

/* How much the socket took: 0 when it is full or must not be written directly; -errno. */
static ssize_t send_now(struct bufferevent *bev, const struct buf *out, bool through)
{
    int fd = bufferevent_getfd(bev);
    if (!through || fd < 0 || conn_io_waiting(bev) > 0)
        return 0;
    ssize_t n = send(fd, out->p, out->n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

int conn_io_send(struct bufferevent *bev, struct buf *out, bool through)
{
    if (out->failed)
        return -ENOMEM;
    if (out->n == 0)
        return 0;
    ssize_t taken = send_now(bev, out, through);
    if (taken < 0)
        return (int)taken;
    int err = 0;
    if ((size_t)taken < out->n)
        err = bufferevent_write(bev, out->p + taken, out->n - (size_t)taken) == 0 ? 0 : -ENOMEM;
    if (out->secret)
        explicit_bzero(out->p, out->n);
    buf_reset(out);
    return err;
}

int conn_deadline_init(
    struct conn_deadline *d, struct event_base *base, event_callback_fn on_due, void *arg)
{
    *d = (struct conn_deadline){.timer = event_new(base, -1, 0, on_due, arg)};
    return d->timer ? 0 : -ENOMEM;
}

void conn_deadline_done(struct conn_deadline *d)
{
    if (d->timer)
        event_free(d->timer);
    *d = (struct conn_deadline){0};
}

static void arm(struct conn_deadline *d, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    d->armed_ms = event_add(d->timer, &tv) == 0 ? d->at_ms : 0;
}

void conn_deadline_set(struct conn_deadline *d, unsigned ms)
{
    if (ms == 0) {
        d->at_ms = 0;
        return;
    }
    d->at_ms = clock_mono_ms() + ms;
    if (d->armed_ms == 0 || d->at_ms < d->armed_ms)
        arm(d, ms);
}

bool conn_deadline_due(struct conn_deadline *d)
{
    d->armed_ms = 0;
    if (d->at_ms == 0)
        return false;
    int64_t left = d->at_ms - clock_mono_ms();
    if (left <= 0)
        return true;
    arm(d, left);
    return false;
}
