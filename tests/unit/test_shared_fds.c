/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors by name: taken once, closed on exec, only for the process they were meant for;
 * children get exactly what they are given. The child program is this program itself. */
#include "attr.h"
#include "counters.h"
#include "fds.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Puts pipes at 3.. and the variables as a service manager would. Runs in the test's own process
 * (Check forks). */
static void pass(const char *names, unsigned n, const char *pid)
{
    char count[16];
    for (unsigned i = 0; i < n; i++) {
        int fd = open("/dev/null", O_RDONLY);
        ck_assert_int_ge(fd, 0);
        if (fd != (int)(3 + i)) {
            ck_assert_int_eq(dup2(fd, (int)(3 + i)), (int)(3 + i));
            close(fd);
        }
    }
    snprintf(count, sizeof(count), "%u", n);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_PID", pid, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
}

static char *own_pid(char out[16])
{
    snprintf(out, 16, "%d", (int)getpid());
    return out;
}

START_TEST(descriptors_are_found_by_name_once)
{
    char pid[16];
    pass("ring:mint-link:ring", 3, own_pid(pid));
    fds_open();
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    ck_assert_ptr_null(getenv("LISTEN_PID"));
    ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
    ck_assert(fcntl(4, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(fds_take("mint-link"), 4);
    ck_assert_int_eq(fds_take("mint-link"), -1);
    ck_assert_int_eq(fds_take("mint"), -1);
    ck_assert_int_eq(fds_take("ring"), 3);
    fds_close_rest();
    ck_assert_int_ge(fcntl(3, F_GETFD), 0); /* taken */
    ck_assert_int_lt(fcntl(5, F_GETFD), 0); /* not taken */
    ck_assert_int_eq(fds_take("ring"), -1);
}
END_TEST

START_TEST(another_process_is_meant)
{
    pass("ring", 1, "1");
    fds_open();
    ck_assert_int_eq(fds_take("ring"), -1);
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
}
END_TEST

START_TEST(malformed_variables_pass_nothing)
{
    static const char *const counts[] = {"", "-1", "1x", " 1", "99999999999"};
    char pid[16];
    pass("ring", 1, own_pid(pid));
    setenv("LISTEN_FDS", counts[_i], 1);
    fds_open();
    ck_assert_int_eq(fds_take("ring"), -1);
}
END_TEST

START_TEST(missing_names_are_unknown)
{
    char pid[16];
    pass(NULL, 1, own_pid(pid));
    fds_open();
    ck_assert_int_eq(fds_take("unknown"), 3);
}
END_TEST

/* --- children --- */

static char self[4096];

/* The child: says what it sees on descriptor "report". */
static int child_main(void)
{
    char text[512];
    struct stat st;
    unsigned open_fds = 0;
    fds_open();
    int report = fds_take("report"), second = fds_take("second");
    for (int fd = 3; fd < 256; fd++)
        open_fds += fcntl(fd, F_GETFD) >= 0;
    sigset_t mask;
    struct sigaction pipe_action;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGPIPE, NULL, &pipe_action);
    int n = snprintf(text, sizeof(text), "%d %d %u %d %s %d %d", report, second, open_fds,
        fstat(second, &st) == 0 && S_ISCHR(st.st_mode), getenv("S2SD_TEST_VARIABLE"),
        sigismember(&mask, SIGTERM), pipe_action.sa_handler == SIG_DFL);
    if (write(report, text, (size_t)n) != n)
        return 1;
    if (getenv("S2SD_TEST_WAIT"))
        pause();
    return 7;
}

static int spawn(const char *path, const int *fds, const char *const *names, size_t n)
{
    static char arg0[] = "child", arg1[] = "--child";
    char *const argv[] = {arg0, arg1, NULL};
    const struct fds_child c = {.path = path, .argv = argv, .fds = fds, .names = names, .n = n};
    return fds_spawn(&c);
}

static const char *const two_names[] = {"report", "second"};

START_TEST(a_child_gets_exactly_its_descriptors)
{
    int ends[2], status;
    char text[512] = "";
    sigset_t block;
    setenv("S2SD_TEST_VARIABLE", "kept", 1);
    setenv("LISTEN_FDNAMES", "stale", 1);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, NULL);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_ge(open("/dev/null", O_RDONLY), 0); /* must not reach the child */
    /* In the wrong order on purpose: the first one's place is where the second one lies. */
    int second = open("/dev/zero", O_RDONLY), report = 40;
    ck_assert_int_eq(dup2(ends[1], report), report);
    ck_assert_int_eq(dup2(second, 3), 3);
    const int fds[] = {report, 3};
    int pid = spawn(self, fds, two_names, 2);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
    ck_assert_str_eq(text, "3 4 2 1 kept 0 1");
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}
END_TEST

START_TEST(a_program_that_cannot_be_started_is_told)
{
    ck_assert_int_eq(spawn("/nonexistent/program", NULL, NULL, 0), -ENOENT);
    ck_assert_int_eq(spawn("/etc/passwd", NULL, NULL, 0), -EACCES);
    ck_assert_int_lt(waitpid(-1, NULL, 0), 0); /* no zombie is left */
    static const int fds[] = {555};
    ck_assert_int_eq(spawn(self, fds, two_names, 1), -EBADF);
}
END_TEST

/* The child dies with the process that started it, even by SIGKILL. */
START_TEST(a_child_ends_with_its_parent)
{
    int ends[2];
    char text[512];
    ck_assert_int_eq(pipe(ends), 0);
    setenv("S2SD_TEST_WAIT", "1", 1);
    pid_t middle = fork();
    if (middle == 0) {
        const int fds[] = {ends[1], 0};
        if (spawn(self, fds, two_names, 2) < 0)
            _exit(1);
        close(ends[1]);
        pause();
    }
    close(ends[1]);
    ck_assert_int_gt(read(ends[0], text, sizeof(text)), 0); /* it runs */
    kill(middle, SIGKILL);
    waitpid(middle, NULL, 0);
    ck_assert_int_eq(read(ends[0], text, sizeof(text)), 0); /* and has ended */
}
END_TEST

START_TEST(a_sister_program_lies_beside_us)
{
    char out[4096], expected[4096 + 64];
    char *slash = strrchr(self, '/');
    snprintf(expected, sizeof(expected), "%s", self);
    ck_assert_str_eq(fds_program(slash + 1, out, sizeof(out)), expected);
    ck_assert_ptr_null(fds_program("no-such-program", out, sizeof(out)));
    ck_assert_ptr_null(fds_program(slash + 1, out, 4));
}
END_TEST

/* The page of counters: each worker has its own, all see all, nobody can shorten the file. */
START_TEST(counters_are_shared_pages)
{
    int fd = counters_create(3);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(counters_stride() % (size_t)sysconf(_SC_PAGESIZE), 0);
    ck_assert_uint_ge(counters_stride(), sizeof(struct counters));
    void *map = counters_map(fd, 3);
    ck_assert_ptr_nonnull(map);
    pid_t pid = fork();
    if (pid == 0) {
        void *own = counters_map(fd, 3);
        COUNT(counters_at(own, 1), mints);
        COUNT(counters_at(own, 1), mints);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    ck_assert_uint_eq(counters_at(map, 0)->mints, 0);
    ck_assert_uint_eq(counters_at(map, 1)->mints, 2);
    ck_assert_uint_eq(counters_at(map, 2)->mints, 0);
    ck_assert_int_lt(ftruncate(fd, 0), 0);
    munmap(map, 3 * counters_stride());
    close(fd);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, descriptors_are_found_by_name_once);
    tcase_add_test(tc, another_process_is_meant);
    tcase_add_loop_test(tc, malformed_variables_pass_nothing, 0, 5);
    tcase_add_test(tc, missing_names_are_unknown);
    tcase_add_test(tc, a_child_gets_exactly_its_descriptors);
    tcase_add_test(tc, a_program_that_cannot_be_started_is_told);
    tcase_add_test(tc, a_child_ends_with_its_parent);
    tcase_add_test(tc, a_sister_program_lies_beside_us);
    tcase_add_test(tc, counters_are_shared_pages);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        return child_main();
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return EXIT_FAILURE;
    return unit_run("shared_fds", fill);
}
