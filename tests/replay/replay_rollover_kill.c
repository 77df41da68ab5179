/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 at every step on the disk: the signer is killed before its first, second, third ...
 * system call that changes a file, started again, and goes on; the end is always the same. */
#include "ring_look.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LIFE (2 * INT64_C(31557600))
#define KILLED 77
#define STEPS_MAX 400

/* What outlives the killed process: the clock, and what partners have seen. */
static struct shared {
    struct ring_stage stage;
    unsigned steps, kill_at; /* 0: never */
    bool is_counting;
} * world;

/* In place of libc's. */
static void one_step(void)
{
    if (world && world->is_counting && ++world->steps == world->kill_at)
        _exit(KILLED);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    one_step();
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int unlinkat(int dir, const char *name, int flags)
{
    one_step();
    return (int)syscall(SYS_unlinkat, dir, name, flags);
}

int fsync(int fd)
{
    one_step();
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    one_step();
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}

int mkdir(const char *path, mode_t mode)
{
    one_step();
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* What happens in a life: born, a successor that is ordered and taken back, one that makes itself,
 * takes over at its date and sees the old key end. An order is given once; a signer that was killed
 * at it finds what became of it. */
static void order_once(struct ring_stage *s, int64_t at, enum roll_op op)
{
    if (s->now > at)
        return;
    ring_run(s, at, DAY);
    (void)!ring_order(s, op, false, false, 0);
    s->now = at + 1;
}

static void live(struct ring_stage *s)
{
    ring_start(s);
    order_once(s, RING_T0 + 10 * DAY, ROLL_PREPARE);
    order_once(s, RING_T0 + 11 * DAY, ROLL_ABORT);
    ring_run(s, RING_T0 + LIFE, 20 * DAY);
    ring_check(s);
}

/* The process that may be killed; false: it was. The clock stands where it died. */
static bool run_until(unsigned kill_at)
{
    int status;
    world->kill_at = kill_at;
    world->steps = 0;
    pid_t pid = fork();
    if (pid == 0) {
        world->is_counting = true;
        live(&world->stage);
        ring_stop(&world->stage);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    world->is_counting = false;
    ck_assert_msg(WIFEXITED(status), "died of signal %d", WTERMSIG(status));
    ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED, "step %u: exit %d",
        kill_at, WEXITSTATUS(status));
    /* What was in its memory is gone. */
    world->stage.keys = OWN_KEYS_NONE;
    world->stage.lines = BUF_INIT(65536);
    world->stage.is_up = false;
    return WEXITSTATUS(status) == 0;
}

static unsigned count_entries(const char *name)
{
    unsigned n = 0;
    CLEANUP(closedirp) DIR *d = opendir(temp_dir_at(&world->stage.dir, name));
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        n += e->d_name[0] != '.' || (e->d_name[1] && e->d_name[1] != '.');
    return n;
}

/* One key is left, the second that has signed; its file, and nothing else. */
static void judge_end(unsigned kill_at)
{
    struct ring_stage *s = &world->stage;
    unsigned signers = 0;
    ring_start(s);
    ck_assert_msg(strcmp(ring_shape(s), "c") == 0, "step %u: %s", kill_at, ring_shape(s));
    ck_assert_uint_eq(ring_key_files(s), 1);
    ck_assert_uint_eq(count_entries(KEY_FILES_FOLDER), 1);
    ck_assert_uint_eq(count_entries("."), 3); /* lock, ring.state, keys */
    ck_assert(!keyring_current(&s->keys.ring)->forced);
    for (size_t i = 0; i < s->n_seen; i++)
        signers += s->seen[i].signed_at != 0;
    ck_assert_msg(signers == 2, "step %u: %u keys have signed", kill_at, signers);
    ring_stop(s);
}

static unsigned play(unsigned kill_at)
{
    ring_open(&world->stage, RING_CONF);
    bool was_killed = !run_until(kill_at);
    unsigned steps = world->steps;
    if (was_killed)
        ck_assert_msg(run_until(0), "step %u: does not come back", kill_at);
    judge_end(kill_at);
    ring_close(&world->stage);
    return was_killed ? 0 : steps;
}

START_TEST(killed_at_every_step)
{
    unsigned kill_at = 1;
    while (play(kill_at) == 0)
        ck_assert_uint_lt(++kill_at, STEPS_MAX);
    ck_assert_uint_gt(kill_at, 20); /* it was killed so often, and once it was not */
    printf("rollover: killed at %u steps\n", kill_at - 1);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, killed_at_every_step);
}

int main(void)
{
    world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED)
        return 1;
    few_keys_make();
    log_set_level(LOG_L_ERR);
    return unit_run("rollover_kill", fill);
}
