/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "cleanup.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Frames taken in one wake-up, so that one busy peer does not keep the others waiting. */
#define LINK_FRAMES_PER_WAKE 32
/* Room for this many descriptors in one message; more of them is a breach and closes the link
 * (R41). */
#define LINK_FDS_ROOM 4

struct link_queued {
    STAILQ_ENTRY(link_queued) next;
    int fd; /* our duplicate, or -1 */
    size_t n;
    uint8_t bytes[];
};

struct link {
    int fd;
    struct event *readable, *writable;
    link_frame_fn *on_frame;
    link_closed_fn *on_closed;
    void *arg;
    STAILQ_HEAD(, link_queued) queue;
    size_t queued;
    uint32_t last_id;
    uint64_t dropped;
    unsigned in_callback; /* nested calls into the owner; the memory stays until the last returns */
    bool dead, freed;
    uint8_t *room; /* FRAME_MAX bytes; pages that no frame reached cost nothing */
};

/* What a waiting frame costs, so that many small ones meet the limit too. */
static size_t queue_cost(size_t n)
{
    return sizeof(struct link_queued) + n;
}

static void queue_drop(struct link *l, struct link_queued *q)
{
    STAILQ_REMOVE_HEAD(&l->queue, next);
    l->queued -= queue_cost(q->n);
    closep(&q->fd);
    free(q);
}

static void link_destroy(struct link *l)
{
    while (!STAILQ_EMPTY(&l->queue))
        queue_drop(l, STAILQ_FIRST(&l->queue));
    if (l->readable)
        event_free(l->readable);
    if (l->writable)
        event_free(l->writable);
    closep(&l->fd);
    free(l->room);
    free(l);
}

void link_free(struct link *l)
{
    if (!l)
        return;
    if (l->in_callback) {
        l->freed = l->dead = true;
        return;
    }
    link_destroy(l);
}

static void callback_enter(struct link *l)
{
    l->in_callback++;
}

/* False when the owner freed the link meanwhile: then it is gone after the outermost call. */
static bool callback_leave(struct link *l)
{
    if (--l->in_callback)
        return !l->freed;
    if (!l->freed)
        return true;
    link_destroy(l);
    return false;
}

static void link_die(struct link *l)
{
    if (l->dead)
        return;
    l->dead = true;
    event_del(l->readable);
    event_del(l->writable);
    callback_enter(l);
    l->on_closed(l, l->arg);
    callback_leave(l);
}

void link_drop(struct link *l, const char *why)
{
    l->dropped++;
    log_debug("link: frame dropped: %s", why);
}

uint64_t link_dropped(const struct link *l)
{
    return l->dropped;
}

uint32_t link_next_id(struct link *l)
{
    if (++l->last_id == 0)
        l->last_id = 1;
    return l->last_id;
}

/* Takes the descriptors out of a received message: the first is the frame's, any other is closed.
 * Returns how many there were. */
static size_t message_fds(struct msghdr *mh, int *ret_first)
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++, n++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (n == 0)
                *ret_first = fd;
            else
                closep(&fd);
        }
    }
    return n;
}

/* Gives one received message to the owner. False: the link is gone. */
static bool deliver(struct link *l, size_t n, int *fd)
{
    struct frame_in f;
    if (!frame_open(&f, l->room, n)) {
        link_drop(l, "not a frame");
        return true;
    }
    callback_enter(l);
    l->on_frame(l, &f, fd, l->arg);
    if (*fd >= 0 && !l->freed)
        link_drop(l, "a descriptor that nobody expected");
    return callback_leave(l);
}

/* Receives one message. Returns false when there is no more to read now, or no link any more. */
static bool receive(struct link *l)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(LINK_FDS_ROOM * sizeof(int))];
    } control;
    struct iovec iov = {l->room, FRAME_MAX};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.room)};
    ssize_t n = recvmsg(l->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    CLEANUP(closep) int fd = -1;
    size_t n_fds = n > 0 ? message_fds(&mh, &fd) : 0;
    if (n <= 0 || (mh.msg_flags & MSG_CTRUNC)) {
        link_die(l);
        return false;
    }
    if ((mh.msg_flags & MSG_TRUNC) || n_fds > 1) {
        link_drop(l, n_fds > 1 ? "several descriptors" : "larger than a frame may be");
        return true;
    }
    return deliver(l, (size_t)n, &fd) && !l->dead;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    (void)fd;
    (void)what;
    /* The guard keeps the memory through link_die() inside receive(). */
    callback_enter(l);
    for (int i = 0; i < LINK_FRAMES_PER_WAKE && !l->dead && receive(l); i++)
        ;
    callback_leave(l);
}

/* One sendmsg: 0 or -errno (-EAGAIN: the socket is full). */
static int transmit(int sock, const uint8_t *p, size_t n, int fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)p, n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        mh.msg_control = &control;
        mh.msg_controllen = sizeof(control.room);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    (void)fd;
    (void)what;
    while (!STAILQ_EMPTY(&l->queue)) {
        struct link_queued *q = STAILQ_FIRST(&l->queue);
        int r = transmit(l->fd, q->bytes, q->n, q->fd);
        if (r == -EAGAIN)
            return;
        if (r < 0) {
            link_die(l);
            return;
        }
        queue_drop(l, q);
    }
    event_del(l->writable);
}

static int enqueue(struct link *l, const uint8_t *p, size_t n, int fd)
{
    if (l->queued + queue_cost(n) > LINK_QUEUE_MAX)
        return -ENOBUFS;
    CLEANUP(freep) struct link_queued *q = malloc(queue_cost(n));
    if (!q)
        return -ENOMEM;
    q->n = n;
    memcpy(q->bytes, p, n);
    q->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0 && q->fd < 0)
        return -errno;
    if (event_add(l->writable, NULL) < 0) {
        closep(&q->fd);
        return -ENOMEM;
    }
    l->queued += queue_cost(n);
    STAILQ_INSERT_TAIL(&l->queue, q, next);
    q = NULL;
    return 0;
}

int link_send(struct link *l, const struct frame_out *f, int fd)
{
    size_t n = frame_finish(f);
    if (l->dead)
        return -EPIPE;
    if (n == 0)
        return -EMSGSIZE;
    if (!STAILQ_EMPTY(&l->queue))
        return enqueue(l, f->p, n, fd);
    int r = transmit(l->fd, f->p, n, fd);
    return r == -EAGAIN ? enqueue(l, f->p, n, fd) : r;
}

struct link *link_new(
    struct event_base *base, int fd, link_frame_fn *on_frame, link_closed_fn *on_closed, void *arg)
{
    struct link *l = calloc(1, sizeof(*l));
    if (!l) {
        close(fd);
        return NULL;
    }
    *l = (struct link){.fd = fd, .on_frame = on_frame, .on_closed = on_closed, .arg = arg};
    STAILQ_INIT(&l->queue);
    l->room = malloc(FRAME_MAX);
    l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
    l->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, l);
    if (!l->room || !l->readable || !l->writable || event_add(l->readable, NULL) < 0) {
        link_destroy(l);
        return NULL;
    }
    return l;
}

static int address_of(const char *path, struct sockaddr_un *sa)
{
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(sa->sun_path))
        return -ENAMETOOLONG;
    *sa = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sa->sun_path, path, n);
    return 0;
}

int link_connect(const char *path)
{
    struct sockaddr_un sa;
    int r = address_of(path, &sa);
    if (r < 0)
        return r;
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* Removes a socket that an earlier run left behind; anything else at that place stays (U04). */
static int remove_old_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int link_listen(const char *path, int type, unsigned mode)
{
    struct sockaddr_un sa;
    int r = address_of(path, &sa);
    if (r < 0)
        return r;
    CLEANUP(closep) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = remove_old_socket(path);
    if (r < 0)
        return r;
    /* Linux takes the mode of the new file from the socket's inode and the umask: with fchmod first
     * it is never wider than wanted, the chmod after it gives back what the umask took. */
    if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        chmod(path, mode) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    return TAKE_FD(fd);
}

bool link_peer_is(int fd, unsigned uid)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
        return false;
    if (peer.uid != uid)
        log_warning("link: connection of uid %u (process %d) refused, only uid %u may connect",
            peer.uid, (int)peer.pid, uid);
    return peer.uid == uid;
}
