/* SPDX-License-Identifier: Apache-2.0 */
#include "all.h"

#include "cleanup.h"
#include "fds.h"
#include "file.h"
#include "link.h"
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ALL_PATH_MAX 4096

enum program_id { PROGRAM_SIGNER, PROGRAM_FETCHER, PROGRAM_COUNT };

struct program {
    struct all *all;
    const char *name;
    const char *fd_names[3];
    int fds[3]; /* listeners, kept for the next start */
    size_t n_fds;
    char *argv[7];
    pid_t pid;
    struct respawn respawn;
    struct event *again;
};

/* A socket file that goes with us. */
struct socket_file {
    const char *name;
    int type;
    unsigned mode;
};

enum {
    FILE_CONTROL,
    FILE_VALIDATE,
    FILE_VALIDATE_VARLINK,
    FILE_MINT,
    FILE_MINT_VARLINK,
    FILE_RING,
    FILE_MINT_LINK,
    FILE_FETCH,
    FILE_KEYS,
    FILE_COUNT
};

/* The rights of the [Client] rules decide at the doors, not the file mode; links are for our own
 * user. */
static const struct socket_file files[FILE_COUNT] = {
    [FILE_CONTROL] = {"io.s2sd.control", SOCK_STREAM, 0666},
    [FILE_VALIDATE] = {"validate.sock", SOCK_STREAM, 0666},
    [FILE_VALIDATE_VARLINK] = {"io.s2sd.validate", SOCK_STREAM, 0666},
    [FILE_MINT] = {"mint.sock", SOCK_STREAM, 0666},
    [FILE_MINT_VARLINK] = {"io.s2sd.mint", SOCK_STREAM, 0666},
    [FILE_RING] = {"signer-ring.link", SOCK_SEQPACKET, 0600},
    [FILE_MINT_LINK] = {"signer-mint.link", SOCK_SEQPACKET, 0600},
    [FILE_FETCH] = {"fetcher.link", SOCK_SEQPACKET, 0600},
    [FILE_KEYS] = {"io.s2sd.keys", SOCK_STREAM, 0600},
};

struct all {
    struct event_base *base;
    struct children *children;
    char *runtime_dir;
    int lock; /* of the runtime folder */
    bool made[FILE_COUNT];
    struct program programs[PROGRAM_COUNT];
    char arguments[3][ALL_PATH_MAX]; /* --config-dir=, --state-dir=, --until-eof */
    bool stopping;
};

static int start_program(struct program *p);

static void start_later(struct program *p, int64_t ms)
{
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    if (event_add(p->again, &tv) < 0)
        log_err("%s: no memory for a timer, it stays down", p->name);
}

static void start_or_later(struct program *p)
{
    int r = start_program(p);
    if (r == 0)
        return;
    log_err("%s cannot be started: %s", p->name, strerror(-r));
    start_later(p, RESPAWN_LONGEST_MS);
}

static void on_again(evutil_socket_t unused, short what, void *arg)
{
    struct program *p = arg;
    (void)unused;
    (void)what;
    if (!p->all->stopping && p->pid == 0)
        start_or_later(p);
}

static void on_ended(pid_t pid, int status, void *arg)
{
    struct program *p = arg;
    char how[64];
    p->pid = 0;
    if (p->all->stopping)
        return;
    log_err("%s (pid %d) %s; starting it again", p->name, (int)pid,
        child_ending(status, how, sizeof(how)));
    int64_t pause_ms = respawn_pause_ms(&p->respawn);
    if (pause_ms > 0)
        start_later(p, pause_ms);
    else
        start_or_later(p);
}

static int start_program(struct program *p)
{
    char path[ALL_PATH_MAX];
    if (!fds_program(p->name, path, sizeof(path)))
        return -ENOENT;
    struct fds_child child = {
        .path = path, .argv = p->argv, .fds = p->fds, .names = p->fd_names, .n = p->n_fds};
    int pid = fds_spawn(&child);
    if (pid < 0)
        return pid;
    if (!children_add(p->all->children, pid, on_ended, p)) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return -ENOMEM;
    }
    p->pid = pid;
    respawn_started(&p->respawn);
    return 0;
}

/* Whoever may write into a folder can put sockets and files of his own in the place of ours (U04).
 */
static int judge_dir(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    bool ours = st.st_uid == 0 || st.st_uid == geteuid();
    return ours && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int make_dir(const char *path)
{
    int r = mkdir(path, 0700) == 0 || errno == EEXIST ? judge_dir(path) : -errno;
    if (r == -EPERM)
        log_err("the folder %s must belong to us or to root, and nobody else may write into it: "
                "chown and chmod go-w it, or name another one",
            path);
    else if (r < 0)
        log_err("cannot make the folder %s: %s", path, strerror(-r));
    return r;
}

static int make_socket(struct all *a, size_t i)
{
    char path[ALL_PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", a->runtime_dir, files[i].name);
    int fd = link_listen(path, files[i].type, files[i].mode);
    if (fd < 0)
        log_err("cannot make the socket %s: %s", path, strerror(-fd));
    a->made[i] = fd >= 0;
    return fd;
}

/* "127.0.0.1:8443", "[::]:8443": numeric, as the settings have checked. */
static bool parse_endpoint(const char *text, struct sockaddr_storage *sa, socklen_t *ret_len)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)sa;
    struct sockaddr_in *four = (struct sockaddr_in *)sa;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    uint64_t port;
    bool bracket = *text == '[';
    if (!colon || !conf_uint(colon + 1, 65535, &port))
        return false;
    size_t n = (size_t)(colon - text) - (bracket ? 2 : 0);
    if (n >= sizeof(host))
        return false;
    memcpy(host, text + (bracket ? 1 : 0), n);
    host[n] = '\0';
    *sa = (struct sockaddr_storage){.ss_family = bracket ? AF_INET6 : AF_INET};
    if (bracket)
        six->sin6_port = htons((uint16_t)port);
    else
        four->sin_port = htons((uint16_t)port);
    *ret_len = bracket ? sizeof(*six) : sizeof(*four);
    return inet_pton(sa->ss_family, host,
               bracket ? (void *)&six->sin6_addr : (void *)&four->sin_addr) == 1;
}

/* The public door. [::] also takes IPv4, as systemd's socket does. */
static int listen_https(const char *endpoint)
{
    struct sockaddr_storage sa;
    socklen_t len;
    static const int on = 1, off = 0;
    if (!parse_endpoint(endpoint, &sa, &len))
        return -EINVAL;
    CLEANUP(closep)
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (sa.ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* Fills one listener after the other; stops at the first that fails. */
static int make_sockets(struct all *a, const char *https, struct listeners *l)
{
    int *const targets[FILE_COUNT] = {
        [FILE_CONTROL] = &l->control,
        [FILE_VALIDATE] = &l->validate,
        [FILE_VALIDATE_VARLINK] = &l->validate_varlink,
        [FILE_MINT] = &l->mint,
        [FILE_MINT_VARLINK] = &l->mint_varlink,
        [FILE_RING] = &a->programs[PROGRAM_SIGNER].fds[0],
        [FILE_MINT_LINK] = &a->programs[PROGRAM_SIGNER].fds[1],
        [FILE_FETCH] = &a->programs[PROGRAM_FETCHER].fds[0],
        [FILE_KEYS] = &a->programs[PROGRAM_SIGNER].fds[2],
    };
    for (size_t i = 0; i < FILE_COUNT; i++) {
        *targets[i] = make_socket(a, i);
        if (*targets[i] < 0)
            return *targets[i];
    }
    if (!https)
        return 0;
    l->https = listen_https(https);
    if (l->https < 0)
        log_err("cannot listen on %s ([Listen] HTTPS=): %s", https, strerror(-l->https));
    return l->https < 0 ? l->https : 0;
}

static int plan_programs(struct all *a, const struct all_plan *plan)
{
    static char signer[] = "s2sd-signer", fetcher[] = "s2sd-fetcher", keys[] = "--keys-own-user";
    struct program *s = &a->programs[PROGRAM_SIGNER], *f = &a->programs[PROGRAM_FETCHER];
    char *eof = a->arguments[2], *state = a->arguments[1];
    char *config = plan->config_dir ? a->arguments[0] : NULL;
    snprintf(
        a->arguments[0], ALL_PATH_MAX, "--config-dir=%s", plan->config_dir ? plan->config_dir : "");
    snprintf(state, ALL_PATH_MAX, "--state-dir=%s/signer", plan->state_dir);
    snprintf(eof, ALL_PATH_MAX, "--until-eof");
    *s = (struct program){.all = a,
        .name = signer,
        .fd_names = {"ring", "mint-link", "keys"},
        .fds = {-1, -1, -1},
        .n_fds = 3,
        .argv = {signer, eof, keys, state, config}};
    *f = (struct program){.all = a,
        .name = fetcher,
        .fd_names = {"fetch"},
        .fds = {-1, -1, -1},
        .n_fds = 1,
        .argv = {fetcher, eof}};
    s->again = evtimer_new(a->base, on_again, s);
    f->again = evtimer_new(a->base, on_again, f);
    return s->again && f->again ? 0 : -ENOMEM;
}

int all_make_folders(const struct all_plan *plan)
{
    char signer[ALL_PATH_MAX];
    snprintf(signer, sizeof(signer), "%s/signer", plan->state_dir);
    int r = make_dir(plan->runtime_dir);
    if (r == 0)
        r = make_dir(plan->state_dir);
    return r == 0 ? make_dir(signer) : r;
}

/* Socket files of a running daemon must not be replaced under it. */
static int lock_runtime(struct all *a, const struct all_plan *plan)
{
    if (strcmp(plan->runtime_dir, plan->state_dir) == 0)
        return 0; /* locked as the state folder */
    a->lock = file_lock_dir(plan->runtime_dir);
    if (a->lock >= 0)
        return 0;
    log_err("cannot use the runtime folder %s: %s", plan->runtime_dir,
        a->lock == -EWOULDBLOCK ? "another s2sd --all runs there" : strerror(-a->lock));
    return a->lock;
}

static void all_freep(struct all **a)
{
    all_free(*a);
    *a = NULL;
}

static struct all *all_new(
    struct event_base *base, struct children *children, const struct all_plan *plan)
{
    CLEANUP(all_freep) struct all *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->lock = -1;
    a->base = base;
    a->children = children;
    a->runtime_dir = strdup(plan->runtime_dir);
    if (plan_programs(a, plan) < 0 || !a->runtime_dir)
        return NULL;
    return TAKE(a);
}

int all_start(struct event_base *base, struct children *children, const struct all_plan *plan,
    struct all **ret, struct listeners *ret_listeners)
{
    CLEANUP(all_freep) struct all *a = all_new(base, children, plan);
    CLEANUP(listeners_close) struct listeners l = LISTENERS_NONE;
    if (!a) {
        log_err("out of memory");
        return -ENOMEM;
    }
    int r = lock_runtime(a, plan);
    if (r == 0)
        r = make_sockets(a, plan->https, &l);
    if (r < 0)
        return r;
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        r = start_program(&a->programs[i]);
        if (r == 0)
            continue;
        log_err("%s cannot be started: %s", a->programs[i].name, strerror(-r));
        return r;
    }
    *ret_listeners = l;
    l = LISTENERS_NONE;
    *ret = TAKE(a);
    return 0;
}

void all_stop(struct all *a)
{
    a->stopping = true;
}

void all_free(struct all *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        struct program *p = &a->programs[i];
        if (p->again)
            event_free(p->again);
        for (size_t k = 0; k < p->n_fds; k++)
            closep(&p->fds[k]);
    }
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[ALL_PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", a->runtime_dir, files[i].name);
        if (a->made[i])
            unlink(path);
    }
    closep(&a->lock);
    free(a->runtime_dir);
    free(a);
}
