/* SPDX-License-Identifier: Apache-2.0 */
#include "fds.h"

#include "buf.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FDS_FIRST 3 /* SD_LISTEN_FDS_START */
#define FDS_NAME_MAX 64

/* What the starter handed us, for the life of the process: there is one set of descriptors, as
 * there is one process. */
static struct {
    int fd;
    char name[FDS_NAME_MAX];
} given[FDS_MAX];
static size_t n_given;

/* A decimal number without sign or blanks; -1 for anything else. */
static long number_of(const char *text)
{
    long v = 0;
    if (!text || !*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || v > 100000000)
            return -1;
        v = v * 10 + (*text - '0');
    }
    return v;
}

/* Copies the i-th of the ':'-separated names; "unknown" as sd_listen_fds_with_names(3) says when
 * there is none. */
static void name_of(const char *names, size_t i, char out[FDS_NAME_MAX])
{
    struct span rest = span_of(names);
    for (; i > 0 && rest.n > 0; i--) {
        size_t end = span_find(rest, ':');
        rest = span_skip(rest, end < rest.n ? end + 1 : end);
    }
    size_t n = span_find(rest, ':');
    if (n == 0 || n >= FDS_NAME_MAX)
        snprintf(out, FDS_NAME_MAX, "unknown");
    else
        snprintf(out, FDS_NAME_MAX, "%.*s", (int)n, rest.p);
}

void fds_open(void)
{
    long count = number_of(getenv("LISTEN_FDS"));
    const char *names = getenv("LISTEN_FDNAMES");
    if (number_of(getenv("LISTEN_PID")) != getpid())
        count = 0;
    for (long i = 0; i < count; i++) {
        int fd = FDS_FIRST + (int)i;
        if (n_given == FDS_MAX) {
            close(fd);
            continue;
        }
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            continue;
        given[n_given].fd = fd;
        name_of(names, (size_t)i, given[n_given].name);
        n_given++;
    }
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
}

int fds_take(const char *name)
{
    for (size_t i = 0; i < n_given; i++)
        if (given[i].fd >= 0 && strcmp(given[i].name, name) == 0)
            return TAKE_FD(given[i].fd);
    return -1;
}

void fds_close_rest(void)
{
    for (size_t i = 0; i < n_given; i++)
        closep(&given[i].fd);
    n_given = 0;
}

/* The variables of the child, made before fork so that nothing is allocated after it. */
struct child_env {
    char pid[32], count[32];
    char *names; /* owned */
    char **list; /* owned; the strings are environ's or ours */
};

static void child_env_done(struct child_env *e)
{
    free(e->names);
    free(e->list);
}

static bool is_listen_variable(const char *v)
{
    return strncmp(v, "LISTEN_", 7) == 0;
}

static int child_env_make(const struct fds_child *c, struct child_env *e)
{
    CLEANUP(buf_done) struct buf names = BUF_INIT(FDS_MAX * FDS_NAME_MAX);
    buf_put_str(&names, "LISTEN_FDNAMES=");
    for (size_t i = 0; i < c->n; i++)
        buf_printf(&names, "%s%s", i ? ":" : "", c->names[i]);
    e->names = buf_take(&names);
    size_t n = 0;
    while (environ && environ[n])
        n++;
    e->list = calloc(n + 4, sizeof(*e->list));
    if (!e->names || !e->list)
        return -ENOMEM;
    size_t out = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_listen_variable(environ[i]))
            e->list[out++] = environ[i];
    snprintf(e->count, sizeof(e->count), "LISTEN_FDS=%zu", c->n);
    e->list[out++] = e->pid;
    e->list[out++] = e->count;
    e->list[out] = e->names;
    return 0;
}

/* Puts the descriptors at 3, 4, ... and the report pipe after them; closes the rest. First all go
 * out of the way, so that none is overwritten before it was copied. */
static int child_arrange(const struct fds_child *c, int report)
{
    int away[FDS_MAX + 1];
    int above = FDS_FIRST + (int)c->n + 1;
    for (size_t i = 0; i <= c->n; i++) {
        away[i] = fcntl(i < c->n ? c->fds[i] : report, F_DUPFD_CLOEXEC, above);
        if (away[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i <= c->n; i++)
        if (dup3(away[i], FDS_FIRST + (int)i, i < c->n ? 0 : O_CLOEXEC) < 0)
            return -errno;
    return close_range((unsigned)above, ~0U, 0) < 0 ? -errno : 0;
}

/* Ignored signals and the mask survive execve, handlers do not: everything back to the default. */
static void child_reset_signals(void)
{
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static NORETURN void child_run(
    const struct fds_child *c, struct child_env *e, int report, pid_t parent)
{
    int r = 0;
    child_reset_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        r = -errno;
    if (getppid() != parent) /* it died before the line above */
        _exit(0);
    if (r == 0)
        r = child_arrange(c, report);
    if (r == 0) {
        report = FDS_FIRST + (int)c->n;
        snprintf(e->pid, sizeof(e->pid), "LISTEN_PID=%d", (int)getpid());
        execve(c->path, c->argv, e->list);
        r = -errno;
    }
    ssize_t ignored = write(report, &r, sizeof(r));
    (void)ignored;
    _exit(127);
}

int fds_spawn(const struct fds_child *c)
{
    CLEANUP(child_env_done) struct child_env env = {0};
    if (c->n > FDS_MAX)
        return -E2BIG;
    int r = child_env_make(c, &env);
    if (r < 0)
        return r;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    CLEANUP(closep) int in = ends[0];
    CLEANUP(closep) int out = ends[1];
    pid_t parent = getpid();
    /* Until the child has handlers of its own, a signal to it would be told to our loop. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int error = -errno;
    if (pid == 0)
        child_run(c, &env, out, parent);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return error;
    closep(&out);
    /* End of file: execve has closed the pipe. A number: it failed. */
    ssize_t n;
    do
        n = read(in, &r, sizeof(r));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return pid;
    waitpid(pid, NULL, 0);
    return n == sizeof(r) && r < 0 ? r : -EIO;
}

/* FOLDER/name when that can be run. */
static char *program_in(
    struct span folder, const char *below, const char *name, char *out, size_t out_len)
{
    const int len = snprintf(out, out_len, "%.*s/%s%s", (int)folder.n, folder.p, below, name);
    return len > 0 && (size_t)len < out_len && access(out, X_OK) == 0 ? out : NULL;
}

/* Where our own binary lies: the build tree holds the sisters beside it, an installation below
 * PREFIX in ../libexec/s2sd, wherever PREFIX was when it was compiled. */
char *fds_program(const char *name, char *out, size_t out_len)
{
    char self[4096];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
    if (n > 0 && (size_t)n < sizeof(self)) {
        struct span folder = {self, (size_t)n};
        while (folder.n && folder.p[folder.n - 1] != '/')
            folder.n--;
        if (folder.n)
            folder.n--;
        if (program_in(folder, "", name, out, out_len) ||
            program_in(folder, "../libexec/s2sd/", name, out, out_len))
            return out;
    }
    return program_in(span_of(S2SD_LIBEXECDIR), "", name, out, out_len);
}
