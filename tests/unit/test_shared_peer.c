/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end: what the kernel says of a forked child, and that a dead one has no unit.
 */
#include "peer.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[96];

/* A listener and a child that connects to it, optionally as somebody else, and waits for the end of
 * `until`. */
static pid_t connect_child(int *ret_fd, uid_t uid, int *ret_until)
{
    int until[2];
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(dir, sizeof(dir), "/tmp/s2sd-peer-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    chmod(path, 0666);
    chmod(dir, 0755);
    ck_assert_int_eq(pipe(until), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        gid_t groups[] = {12, 34};
        close(until[1]);
        if (uid && (setgroups(2, groups) < 0 || setgid(77) < 0 || setuid(uid) < 0))
            _exit(1);
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(s, (struct sockaddr *)&sa, sizeof(sa)) < 0)
            _exit(1);
        while (read(until[0], &byte, 1) > 0)
            ;
        _exit(0);
    }
    close(until[0]);
    *ret_until = until[1];
    *ret_fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(*ret_fd, 0);
    close(listener);
    unlink(path);
    rmdir(dir);
    return pid;
}

START_TEST(the_kernel_names_the_peer)
{
    int fd, until;
    struct peer_id id;
    pid_t pid = connect_child(&fd, 0, &until);
    ck_assert_int_eq(peer_read(fd, &id), 0);
    ck_assert_uint_eq(id.peer.uid, geteuid());
    ck_assert_uint_eq(id.peer.gid, getegid());
    ck_assert_int_eq(id.peer.pid, pid);
    ck_assert_uint_eq(id.peer.n_groups, (size_t)getgroups(0, NULL));
    ck_assert_ptr_null(id.peer.unit);
    close(until);
    waitpid(pid, NULL, 0);
    close(fd);
}
END_TEST

/* As root only: another user with supplementary groups. */
START_TEST(user_and_groups_are_those_of_the_peer)
{
    int fd, until;
    struct peer_id id;
    if (geteuid() != 0)
        return;
    pid_t pid = connect_child(&fd, 4242, &until);
    ck_assert_int_eq(peer_read(fd, &id), 0);
    ck_assert_uint_eq(id.peer.uid, 4242);
    ck_assert_uint_eq(id.peer.gid, 77);
    ck_assert_uint_eq(id.peer.n_groups, 2);
    ck_assert_uint_eq(id.peer.groups[0], 12);
    ck_assert_uint_eq(id.peer.groups[1], 34);
    close(until);
    waitpid(pid, NULL, 0);
    close(fd);
}
END_TEST

START_TEST(what_is_no_local_socket_has_no_peer)
{
    struct peer_id id;
    int fd = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(peer_read(fd, &id), -ENOTSOCK);
    close(fd);
}
END_TEST

/* A unit is only ever named for a living process; where this test runs outside any unit there is
 * none to name. */
START_TEST(a_unit_needs_a_living_process)
{
    int fd, until, r;
    struct peer_id id;
    pid_t pid = connect_child(&fd, 0, &until);
    ck_assert_int_eq(peer_read(fd, &id), 0);
    r = peer_read_unit(fd, &id);
    ck_assert(r == 0 || r == -ENODATA);
    ck_assert_int_eq(r == 0, id.peer.unit != NULL);
    close(until);
    waitpid(pid, NULL, 0);
    id.peer.unit = NULL;
    ck_assert_int_lt(peer_read_unit(fd, &id), 0);
    ck_assert_ptr_null(id.peer.unit);
    close(fd);
}
END_TEST

/* The unit of a control group's path. */
static const struct {
    const char *cgroups, *init;
    const char *unit; /* NULL: none */
} rows[] = {
    {"0::/system.slice/nginx.service\n", NULL, "nginx.service"},
    {"0::/system.slice/system-pbx.slice/pbx@1.service\n", NULL, "pbx@1.service"},
    {"0::/system.slice/nginx.service/worker/deep.service\n", NULL, "nginx.service"},
    {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", NULL,
        "user@1000.service"},
    {"0::/user.slice/user-0.slice/session-3.scope\n", NULL, "session-3.scope"},
    {"0::/system.slice/_cgroup.service\n", NULL, "cgroup.service"},
    {"5:cpu:/x\n1:name=systemd:/system.slice/pbx.service\n0::/\n", NULL, "pbx.service"},
    {"1:name=systemd:/system.slice/old.service\n0::/system.slice/pbx.service\n", NULL,
        "pbx.service"},
    {"0::/machine.slice/box.scope/system.slice/pbx.service\n",
        "0::/machine.slice/box.scope/init.scope\n", "pbx.service"},
    {"0::/system.slice/pbx.service\n", "0::/init.scope\n", "pbx.service"},
    {"0::/\n", NULL, NULL},
    {"", NULL, NULL},
    {"0::/system.slice\n", NULL, NULL},
    {"0::/.service\n", NULL, NULL},
    {"0::/docker/0123456789abcdef\n", NULL, NULL},
    {"3:cpu:/system.slice/pbx.service\n", NULL, NULL},
};

START_TEST(a_control_group_names_its_unit)
{
    char unit[PEER_UNIT_MAX] = "untouched";
    bool found = peer_unit_of(span_of(rows[_i].cgroups), span_of(rows[_i].init), unit);
    ck_assert_int_eq(found, rows[_i].unit != NULL);
    if (found)
        ck_assert_str_eq(unit, rows[_i].unit);
    else
        ck_assert_str_eq(unit, "untouched");
}
END_TEST

START_TEST(a_unit_name_too_long_is_none)
{
    char text[1024], unit[PEER_UNIT_MAX];
    memset(text, 'x', sizeof(text));
    memcpy(text, "0::/", 4);
    memcpy(text + sizeof(text) - 10, ".service\n", 10);
    ck_assert(!peer_unit_of(span_of(text), span_of(NULL), unit));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, the_kernel_names_the_peer);
    tcase_add_test(tc, user_and_groups_are_those_of_the_peer);
    tcase_add_test(tc, what_is_no_local_socket_has_no_peer);
    tcase_add_test(tc, a_unit_needs_a_living_process);
    tcase_add_loop_test(tc, a_control_group_names_its_unit, 0, ARRAY_LEN(rows));
    tcase_add_test(tc, a_unit_name_too_long_is_none);
}

int main(void)
{
    return unit_run("shared_peer", fill);
}
