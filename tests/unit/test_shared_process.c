/* SPDX-License-Identifier: Apache-2.0 */
/* What a process gives up for good: each row runs in a child, since there is no way back. */
#include "cleanup.h"
#include "log.h"
#include "process.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct temp_dir dir;

/* 0: it worked; else the errno of what `act` tried behind the walls. */
static int behind_walls(int (*act)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (process_forbid_dumps() < 0 || process_forbid_links() < 0)
            _exit(99);
        _exit(act() < 0 ? errno : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int seqpacket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int seqpacket_of_another_family(void)
{
    return socket(AF_INET6, SOCK_SEQPACKET, 0);
}

static int seqpacket_pair(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

/* The kernel looks at 32 bits of the argument only, and so must the wall. */
static int seqpacket_with_high_bits(void)
{
    return (int)syscall(SYS_socket, AF_UNIX, 0x100000000L | SOCK_SEQPACKET, 0);
}

static int ring(void)
{
    struct io_uring_params p = {0};
    return (int)syscall(SYS_io_uring_setup, 4, &p);
}

static int stream(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM, 0);
}

static int datagram(void)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

/* With the kind of socket that it may make it reaches the name and no further (EPROTOTYPE). */
static int connect_a_stream_to_a_link(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(sa.sun_path, temp_dir_at(&dir, "a.link"), strlen(temp_dir_at(&dir, "a.link")));
    return connect(fd, (struct sockaddr *)&sa, sizeof(sa));
}

static int read_a_file(void)
{
    char c;
    int fd = open(temp_dir_at(&dir, "file"), O_RDONLY);
    return fd < 0 ? -1 : (int)read(fd, &c, 1);
}

static int write_a_file(void)
{
    return open(temp_dir_at(&dir, "file"), O_WRONLY);
}

static int make_a_file(void)
{
    return open(temp_dir_at(&dir, "new"), O_WRONLY | O_CREAT, 0600);
}

static int remove_a_file(void)
{
    return unlink(temp_dir_at(&dir, "file"));
}

static int replace_a_file(void)
{
    return rename(temp_dir_at(&dir, "other"), temp_dir_at(&dir, "file"));
}

static const struct {
    const char *what;
    int (*act)(void);
    int error; /* 0: is allowed */
    bool by_landlock;
} rows[] = {
    {"a SOCK_SEQPACKET socket", seqpacket, EPERM, false},
    {"of another family", seqpacket_of_another_family, EPERM, false},
    {"a pair of them", seqpacket_pair, EPERM, false},
    {"high bits in the argument", seqpacket_with_high_bits, EPERM, false},
    {"io_uring", ring, EPERM, false},
    {"stream sockets", stream, 0, false},
    {"a datagram socket", datagram, 0, false},
    {"a stream to a link", connect_a_stream_to_a_link, EPROTOTYPE, false},
    {"reading a file", read_a_file, 0, false},
    {"writing a file", write_a_file, EACCES, true},
    {"making a file", make_a_file, EACCES, true},
    {"removing a file", remove_a_file, EACCES, true},
    {"replacing a file", replace_a_file, EACCES, true},
};

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

START_TEST(a_worker_has_no_way_to_a_link_and_none_to_a_file)
{
    int link = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    memcpy(sa.sun_path, temp_dir_at(&dir, "a.link"), strlen(temp_dir_at(&dir, "a.link")));
    ck_assert_int_eq(bind(link, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(link, 1), 0);
    temp_dir_write(&dir, "file", SPAN("x"), 0600);
    temp_dir_write(&dir, "other", SPAN("y"), 0600);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].by_landlock && !has_landlock())
            continue;
        int error = behind_walls(rows[i].act);
        ck_assert_msg(error == rows[i].error, "%s: %s", rows[i].what, strerror(error));
    }
    close(link);
}
END_TEST

/* P04 */
static int look(void)
{
    struct rlimit core;
    bool shut = prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    errno = EINVAL;
    return shut ? 0 : -1;
}

START_TEST(no_core_no_debugger_no_new_privileges)
{
    ck_assert_int_eq(behind_walls(look), 0);
}
END_TEST

START_TEST(the_soft_limit_on_descriptors_goes_up_to_the_hard_one)
{
    struct rlimit before, low, after;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){64, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    ck_assert_uint_eq(process_raise_descriptors(), before.rlim_max);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
    ck_assert_uint_eq(after.rlim_cur, before.rlim_max);
}
END_TEST

static void setup(void)
{
    temp_dir_make(&dir);
}

static void teardown(void)
{
    temp_dir_remove(&dir);
}

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_worker_has_no_way_to_a_link_and_none_to_a_file);
    tcase_add_test(tc, no_core_no_debugger_no_new_privileges);
    tcase_add_test(tc, the_soft_limit_on_descriptors_goes_up_to_the_hard_one);
}

int main(void)
{
    return unit_run("shared_process", fill);
}
