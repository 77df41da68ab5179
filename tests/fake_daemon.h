/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: a process that plays one Varlink daemon. For each connection it reads one message,
 * compares it, and sends what the script says. */
#pragma once

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* One connection. */
struct fake_exchange {
    const char *request; /* the whole message that must come; NULL: any */
    const char *reply;   /* sent with a NUL behind it */
    size_t reply_n;      /* not 0: exactly so many bytes of `reply`, and then the end */
    bool silent;         /* send nothing and keep the connection */
};

struct fake_daemon {
    pid_t pid;
};

static inline void fake_send(int fd, const struct fake_exchange *x, const char *got)
{
    static const char wrong[] = "{\"error\":\"test.fake.UnexpectedRequest\"}";
    const char *reply = x->reply;
    size_t n = x->reply_n ? x->reply_n : strlen(reply) + 1;
    if (x->request && strcmp(x->request, got) != 0) {
        fprintf(stderr, "fake daemon got:  %s\nand wanted:       %s\n", got, x->request);
        reply = wrong;
        n = sizeof(wrong);
    }
    while (n > 0) {
        ssize_t sent = send(fd, reply, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        reply += sent;
        n -= (size_t)sent;
    }
}

static inline void fake_serve(int listener, const struct fake_exchange *x)
{
    static char got[1024 * 1024];
    size_t n = 0;
    int fd = accept(listener, NULL, NULL);
    while (fd >= 0 && n < sizeof(got) && (n == 0 || got[n - 1] != '\0')) {
        ssize_t r = read(fd, got + n, sizeof(got) - n);
        if (r <= 0)
            break;
        n += (size_t)r;
    }
    if (x->silent)
        pause();
    if (n > 0)
        fake_send(fd, x, got);
    close(fd);
}

/* Listens at DIR/INTERFACE before it returns; the script runs in a child. */
static inline struct fake_daemon fake_daemon_start(
    const char *dir, const char *interface, const struct fake_exchange *script, size_t n)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", dir, interface);
    unlink(sa.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        listen(listener, 8) < 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < n; i++)
            fake_serve(listener, &script[i]);
        _exit(0);
    }
    close(listener);
    return (struct fake_daemon){pid};
}

static inline void fake_daemon_stop(struct fake_daemon *d)
{
    kill(d->pid, SIGKILL);
    waitpid(d->pid, NULL, 0);
}
