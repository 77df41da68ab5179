/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include "buf.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_TEXT_MAX 2048

/* One service manager for one process. */
static struct {
    int fd; /* connected datagram socket; -1: nobody listens */
    uint64_t watchdog_us;
    struct event *watchdog;
    bool (*healthy)(void *arg);
    void *arg;
} notify = {.fd = -1};

/* Microseconds of WATCHDOG_USEC when it is meant for us, else 0. */
static uint64_t watchdog_of(const char *usec, const char *pid)
{
    char self[16];
    uint64_t v = 0;
    snprintf(self, sizeof(self), "%d", (int)getpid());
    if (!usec || (pid && strcmp(pid, self) != 0))
        return 0;
    for (; *usec; usec++) {
        if (*usec < '0' || *usec > '9' || v > UINT64_MAX / 20)
            return 0;
        v = v * 10 + (uint64_t)(*usec - '0');
    }
    return v;
}

/* A path, or '@' and an abstract name. */
static int notify_connect(const char *where)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t n = strlen(where);
    if ((where[0] != '/' && where[0] != '@') || n < 2 || n >= sizeof(sa.sun_path))
        return -EINVAL;
    memcpy(sa.sun_path, where, n);
    if (where[0] == '@')
        sa.sun_path[0] = '\0';
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (connect(fd, (struct sockaddr *)&sa, len) < 0)
        return -errno;
    return TAKE_FD(fd);
}

void notify_open(void)
{
    const char *where = getenv("NOTIFY_SOCKET");
    if (where) {
        int fd = notify_connect(where);
        if (fd < 0)
            log_warning("cannot reach the service manager at NOTIFY_SOCKET: %s", strerror(-fd));
        notify.fd = fd < 0 ? -1 : fd;
    }
    notify.watchdog_us = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* A lost message is not worth a fault: the manager's own time-outs speak then. */
static void notify_send(const char *text)
{
    if (notify.fd >= 0 && send(notify.fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        log_debug("message to the service manager lost: %s", strerror(errno));
}

void notify_ready(const char *status)
{
    char text[NOTIFY_TEXT_MAX];
    snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
    notify_send(text);
}

void notify_reloading(void)
{
    char text[64];
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
        (unsigned long long)clock_mono_us());
    notify_send(text);
}

void notify_status(const char *fmt, ...)
{
    char text[NOTIFY_TEXT_MAX] = "STATUS=";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + 7, sizeof(text) - 7, fmt, ap);
    va_end(ap);
    notify_send(text);
}

void notify_stopping(void)
{
    notify_send("STOPPING=1");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (!notify.healthy || notify.healthy(notify.arg))
        notify_send("WATCHDOG=1");
}

int notify_watchdog(struct event_base *base, bool (*healthy)(void *arg), void *arg)
{
    if (notify.fd < 0 || notify.watchdog_us == 0)
        return 0;
    notify.healthy = healthy;
    notify.arg = arg;
    uint64_t half = notify.watchdog_us / 2;
    struct timeval tv = {(time_t)(half / 1000000), (suseconds_t)(half % 1000000)};
    notify.watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
    if (!notify.watchdog || event_add(notify.watchdog, &tv) < 0)
        return -ENOMEM;
    return 0;
}

void notify_close(void)
{
    if (notify.watchdog)
        event_free(TAKE(notify.watchdog));
    closep(&notify.fd);
}
