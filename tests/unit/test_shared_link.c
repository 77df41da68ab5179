/* SPDX-License-Identifier: Apache-2.0 */
/* Links: whole frames in order, descriptors taken or closed, breaches dropped and counted, full
 * sockets queued up to the limit. */
#include "file.h"
#include "link.h"
#include "link_door.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What came out of the link under test. */
static struct {
    struct event_base *base;
    struct link *link;
    int peer; /* the other end, plain */
    unsigned frames, closed;
    uint16_t type;
    uint32_t id;
    uint64_t number;
    bool had_fd, takes_fd, frees_link;
    int taken;
} t;

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    ck_assert_ptr_eq(arg, &t);
    t.frames++;
    t.type = f->type;
    t.id = f->id;
    t.number = frame_u64(f);
    t.had_fd = *fd >= 0;
    if (!frame_end(f))
        link_drop(l, "leftovers");
    if (t.takes_fd)
        t.taken = TAKE_FD(*fd);
    if (t.frees_link)
        link_free(TAKE(t.link));
}

static void on_closed(struct link *l, void *arg)
{
    ck_assert_ptr_eq(arg, &t);
    ck_assert_ptr_eq(l, t.link);
    t.closed++;
    if (t.frees_link)
        link_free(TAKE(t.link));
}

static void setup(void)
{
    int ends[2];
    memset(&t, 0, sizeof(t));
    t.taken = -1;
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    t.base = event_base_new();
    t.peer = ends[1];
    t.link = link_new(t.base, ends[0], on_frame, on_closed, &t);
    ck_assert_ptr_nonnull(t.link);
}

static void teardown(void)
{
    link_free(t.link);
    if (t.peer >= 0)
        close(t.peer);
    if (t.taken >= 0)
        close(t.taken);
    event_base_free(t.base);
}

static void turn(void)
{
    event_base_loop(t.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* Sends raw bytes with n descriptors from the plain end. */
static void send_raw(const void *bytes, size_t n, int fd, size_t n_fds)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * 16)];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        for (size_t i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
    }
    ck_assert_int_eq(sendmsg(t.peer, &mh, MSG_NOSIGNAL), (ssize_t)n);
}

static size_t make(uint8_t *room, size_t cap, uint32_t id, uint64_t number)
{
    struct frame_out f;
    frame_start(&f, room, cap, 7, id);
    frame_put_u64(&f, number);
    return frame_finish(&f);
}

static unsigned count_fds(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(frames_arrive_whole_and_in_order)
{
    uint8_t room[64];
    for (uint32_t i = 1; i <= 3; i++) {
        send_raw(room, make(room, sizeof(room), i, 100 + i), -1, 0);
        turn();
        ck_assert_uint_eq(t.frames, i);
        ck_assert_uint_eq(t.type, 7);
        ck_assert_uint_eq(t.id, i);
        ck_assert_uint_eq(t.number, 100 + i);
    }
    ck_assert_uint_eq(link_dropped(t.link), 0);
    ck_assert(!t.had_fd);
}
END_TEST

/* More frames than one wake-up takes are all delivered, over several turns. */
START_TEST(a_burst_is_delivered_whole)
{
    uint8_t room[64];
    for (uint32_t i = 1; i <= 100; i++)
        send_raw(room, make(room, sizeof(room), i, i), -1, 0);
    turn();
    ck_assert_uint_lt(t.frames, 100);
    for (int i = 0; i < 10; i++)
        turn();
    ck_assert_uint_eq(t.frames, 100);
    ck_assert_uint_eq(t.id, 100);
}
END_TEST

START_TEST(malformed_messages_are_dropped_and_counted)
{
    uint8_t room[FRAME_MAX + 64];
    size_t n = make(room, sizeof(room), 1, 5);
    send_raw(room, 3, -1, 0); /* shorter than a head */
    uint8_t version = room[0];
    room[0] = 99; /* another version */
    send_raw(room, n, -1, 0);
    room[0] = version;
    room[1] = 1; /* reserved byte */
    send_raw(room, n, -1, 0);
    turn();
    ck_assert_uint_eq(t.frames, 0);
    ck_assert_uint_eq(link_dropped(t.link), 3);
    memset(room + n, 0, sizeof(room) - n);
    room[1] = 0;
    send_raw(room, sizeof(room), -1, 0); /* larger than a frame may be */
    turn();
    ck_assert_uint_eq(t.frames, 0);
    ck_assert_uint_eq(link_dropped(t.link), 4);
    send_raw(room, n + 1, -1, 0); /* one byte left over: the owner counts it */
    turn();
    ck_assert_uint_eq(t.frames, 1);
    ck_assert_uint_eq(link_dropped(t.link), 5);
    send_raw(room, n, -1, 0); /* and the link still works */
    turn();
    ck_assert_uint_eq(t.frames, 2);
    ck_assert_uint_eq(t.closed, 0);
}
END_TEST

START_TEST(a_descriptor_is_taken_or_closed)
{
    uint8_t room[64];
    size_t n = make(room, sizeof(room), 1, 1);
    int fd = open("/dev/null", O_RDONLY);
    unsigned before = count_fds();
    send_raw(room, n, fd, 1);
    turn();
    ck_assert(t.had_fd);
    ck_assert_uint_eq(link_dropped(t.link), 1); /* nobody took it */
    ck_assert_uint_eq(count_fds(), before);
    t.takes_fd = true;
    send_raw(room, n, fd, 1);
    turn();
    ck_assert_int_ge(t.taken, 0);
    ck_assert(fcntl(t.taken, F_GETFD) & FD_CLOEXEC);
    ck_assert_uint_eq(link_dropped(t.link), 1);
    ck_assert_uint_eq(count_fds(), before + 1);
    close(fd);
}
END_TEST

START_TEST(several_descriptors_are_refused_and_none_leaks)
{
    uint8_t room[64];
    size_t n = make(room, sizeof(room), 1, 1);
    int fd = open("/dev/null", O_RDONLY);
    unsigned before = count_fds();
    send_raw(room, n, fd, 2);
    turn();
    ck_assert_uint_eq(t.frames, 0);
    ck_assert_uint_eq(link_dropped(t.link), 1);
    ck_assert_uint_eq(count_fds(), before);
    ck_assert_uint_eq(t.closed, 0);
    send_raw(room, n, fd, 16); /* more than there is room for: R41 closes */
    turn();
    ck_assert_uint_eq(t.frames, 0);
    ck_assert_uint_eq(t.closed, 1);
    ck_assert_uint_eq(count_fds(), before);
    close(fd);
}
END_TEST

/* The peer has gone: told once, whatever is done afterwards. */
START_TEST(the_end_is_told_once)
{
    uint8_t room[64];
    struct frame_out f;
    close(TAKE_FD(t.peer));
    turn();
    turn();
    ck_assert_uint_eq(t.closed, 1);
    frame_start(&f, room, sizeof(room), 1, 1);
    ck_assert_int_eq(link_send(t.link, &f, -1), -EPIPE);
}
END_TEST

START_TEST(frames_before_the_end_are_still_delivered)
{
    uint8_t room[64];
    send_raw(room, make(room, sizeof(room), 1, 1), -1, 0);
    send_raw(room, make(room, sizeof(room), 2, 2), -1, 0);
    close(TAKE_FD(t.peer));
    turn();
    ck_assert_uint_eq(t.frames, 2);
    ck_assert_uint_eq(t.closed, 1);
}
END_TEST

/* The owner may free the link inside both of its callbacks; nothing more is delivered then. */
START_TEST(a_link_may_be_freed_in_its_callbacks)
{
    uint8_t room[64];
    t.frees_link = true;
    send_raw(room, make(room, sizeof(room), 1, 1), -1, 0);
    send_raw(room, make(room, sizeof(room), 2, 2), -1, 0);
    turn();
    ck_assert_uint_eq(t.frames, 1);
    ck_assert_uint_eq(t.closed, 0);
    ck_assert_ptr_null(t.link);
    char byte;
    ck_assert_int_le(recv(t.peer, &byte, 1, 0), 0); /* our end is closed */
}
END_TEST

START_TEST(a_link_may_be_freed_when_it_is_closed)
{
    t.frees_link = true;
    close(TAKE_FD(t.peer));
    turn();
    turn();
    ck_assert_uint_eq(t.closed, 1);
}
END_TEST

/* Reads one message at the plain end; returns its id, 0 when there is none. */
static uint32_t receive(int *ret_fd)
{
    static uint8_t room[FRAME_MAX];
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {room, sizeof(room)};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control)};
    struct frame_in f;
    ssize_t n = recvmsg(t.peer, &mh, 0);
    if (n <= 0)
        return 0;
    ck_assert(frame_open(&f, room, (size_t)n));
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    *ret_fd = -1;
    if (c)
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return f.id;
}

/* A full socket: frames wait in order and with their descriptors, beyond LINK_QUEUE_MAX the sender
 * is told; when the peer reads again all of them arrive. */
START_TEST(a_full_socket_queues_up_to_the_limit)
{
    static uint8_t room[FRAME_MAX], filler[FRAME_MAX - 64];
    struct frame_out f;
    uint32_t sent = 0, got = 0, id;
    int r, fd, with_fd = open("/dev/null", O_RDONLY);
    unsigned fds_seen = 0, before = count_fds();
    do {
        frame_start(&f, room, sizeof(room), 1, sent + 1);
        frame_put_span(&f, span_bytes(filler, sizeof(filler)));
        r = link_send(t.link, &f, with_fd);
        sent += r == 0;
    } while (r == 0);
    ck_assert_int_eq(r, -ENOBUFS);
    ck_assert_uint_gt(sent, LINK_QUEUE_MAX / FRAME_MAX);
    ck_assert_uint_lt(sent, LINK_QUEUE_MAX / FRAME_MAX + 64);
    for (int idle = 0; idle < 3; turn()) {
        id = receive(&fd);
        idle = id ? 0 : idle + 1;
        if (!id)
            continue;
        ck_assert_uint_eq(id, ++got);
        if (fd >= 0) {
            fds_seen++;
            close(fd);
        }
    }
    ck_assert_uint_eq(got, sent);
    ck_assert_uint_eq(fds_seen, sent);
    ck_assert_uint_eq(count_fds(), before);
    close(with_fd);
    frame_start(&f, room, sizeof(room), 1, 77); /* and the way is free again */
    ck_assert_int_eq(link_send(t.link, &f, -1), 0);
    ck_assert_uint_eq(receive(&fd), 77);
}
END_TEST

START_TEST(a_frame_that_did_not_fit_is_not_sent)
{
    uint8_t room[32];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), 1, 1);
    frame_put_str(&f, "longer than thirty-two bytes, surely longer");
    ck_assert_int_eq(link_send(t.link, &f, -1), -EMSGSIZE);
    ck_assert_int_lt(recv(t.peer, room, sizeof(room), 0), 0);
}
END_TEST

START_TEST(ids_are_never_zero_nor_the_same)
{
    uint32_t last = link_next_id(t.link);
    ck_assert_uint_ne(last, 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t id = link_next_id(t.link);
        ck_assert_uint_ne(id, 0);
        ck_assert_uint_ne(id, last);
        last = id;
    }
}
END_TEST

/* --- listeners --- */

static char dir[64], path[96];

static void make_path(void)
{
    snprintf(dir, sizeof(dir), "/tmp/s2sd-link-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/x.link", dir);
}

static void remove_path(void)
{
    unlink(path);
    rmdir(dir);
}

START_TEST(a_listener_has_its_mode_whatever_the_umask)
{
    static const unsigned umasks[] = {0, 077, 0777}, modes[] = {0600, 0666};
    make_path();
    for (size_t i = 0; i < ARRAY_LEN(umasks); i++)
        for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
            struct stat st;
            mode_t old = umask(umasks[i]);
            int fd = link_listen(path, SOCK_SEQPACKET, modes[k]); /* replaces the one of before */
            umask(old);
            ck_assert_int_ge(fd, 0);
            ck_assert_int_eq(stat(path, &st), 0);
            ck_assert_uint_eq(st.st_mode & 07777, modes[k]);
            close(fd);
        }
    remove_path();
}
END_TEST

/* U04: only a socket is replaced. */
START_TEST(a_listener_replaces_nothing_but_a_socket)
{
    make_path();
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    ck_assert_int_eq(link_listen(path, SOCK_SEQPACKET, 0600), -EEXIST);
    unlink(path);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(link_listen(path, SOCK_SEQPACKET, 0600), -EEXIST);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(link_listen(path, SOCK_SEQPACKET, 0600), -EEXIST);
    rmdir(path);
    char long_path[200];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_int_eq(link_listen(long_path, SOCK_SEQPACKET, 0600), -ENAMETOOLONG);
    ck_assert_int_eq(link_connect(long_path), -ENAMETOOLONG);
    ck_assert_int_eq(link_connect(path), -ENOENT);
    remove_path();
}
END_TEST

START_TEST(only_the_right_uid_is_accepted)
{
    make_path();
    int listener = link_listen(path, SOCK_SEQPACKET, 0600);
    int fd = -1;
    for (unsigned other = 0; other < 2; other++) {
        int peer = link_connect(path);
        ck_assert_int_ge(peer, 0);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert(link_peer_is(fd, geteuid() + other) == !other);
        close(fd);
        close(peer);
    }
    close(listener);
    ck_assert(!link_peer_is(fd, geteuid())); /* nothing is there */
    remove_path();
}
END_TEST

static void no_peer(int fd, void *arg)
{
    (void)arg;
    ck_abort_msg("descriptor %d was handed over", fd);
}

START_TEST(a_door_shows_strangers_out)
{
    char byte;
    make_path();
    struct link_door *door = link_door_new(
        t.base, link_listen(path, SOCK_SEQPACKET, 0600), geteuid() + 1, no_peer, NULL);
    int peer = link_connect(path);
    ck_assert_int_ge(peer, 0);
    event_base_loop(t.base, EVLOOP_ONCE);
    ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
    close(peer);
    link_door_free(door);
    remove_path();
}
END_TEST

static int door_fd = -1;

static void on_peer(int fd, void *arg)
{
    ck_assert_ptr_eq(arg, &door_fd);
    door_fd = fd;
}

START_TEST(a_door_hands_over_peers_and_rests_when_descriptors_run_out)
{
    struct rlimit old, tight;
    make_path();
    struct link_door *door = link_door_new(
        t.base, link_listen(path, SOCK_SEQPACKET, 0600), geteuid(), on_peer, &door_fd);
    ck_assert_ptr_nonnull(door);
    int peer = link_connect(path);
    /* No descriptor is left for accept: the door stays and does not spin. */
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    tight = (struct rlimit){(rlim_t)peer + 1, old.rlim_max};
    for (int fd = 0; fd <= peer; fd++) /* no gaps below the limit */
        if (fcntl(fd, F_GETFD) < 0)
            ck_assert_int_eq(open("/dev/null", O_RDONLY | O_CLOEXEC), fd);
    setrlimit(RLIMIT_NOFILE, &tight);
    turn();
    ck_assert_int_eq(door_fd, -1);
    ck_assert_int_eq(event_base_loop(t.base, EVLOOP_NONBLOCK), 0);
    setrlimit(RLIMIT_NOFILE, &old);
    turn();
    ck_assert_int_eq(door_fd, -1); /* still resting */
    for (int i = 0; i < 50 && door_fd < 0; i++) {
        usleep(10000);
        turn();
    }
    ck_assert_int_ge(door_fd, 0);
    close(door_fd);
    close(peer);
    link_door_free(door);
    remove_path();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, frames_arrive_whole_and_in_order);
    tcase_add_test(tc, a_burst_is_delivered_whole);
    tcase_add_test(tc, malformed_messages_are_dropped_and_counted);
    tcase_add_test(tc, a_descriptor_is_taken_or_closed);
    tcase_add_test(tc, several_descriptors_are_refused_and_none_leaks);
    tcase_add_test(tc, the_end_is_told_once);
    tcase_add_test(tc, frames_before_the_end_are_still_delivered);
    tcase_add_test(tc, a_link_may_be_freed_in_its_callbacks);
    tcase_add_test(tc, a_link_may_be_freed_when_it_is_closed);
    tcase_add_test(tc, a_full_socket_queues_up_to_the_limit);
    tcase_add_test(tc, a_frame_that_did_not_fit_is_not_sent);
    tcase_add_test(tc, ids_are_never_zero_nor_the_same);
    tcase_add_test(tc, a_listener_has_its_mode_whatever_the_umask);
    tcase_add_test(tc, a_listener_replaces_nothing_but_a_socket);
    tcase_add_test(tc, only_the_right_uid_is_accepted);
    tcase_add_test(tc, a_door_shows_strangers_out);
    tcase_add_test(tc, a_door_hands_over_peers_and_rests_when_descriptors_run_out);
}

int main(void)
{
    return unit_run("shared_link", fill);
}
