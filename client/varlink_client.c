/* SPDX-License-Identifier: Apache-2.0 */
#include "varlink_client.h"
#include "cleanup.h"
#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define READ_STEP 16384
/* Values of one object or array: a daemon with SETTINGS_PARTNERS_MAX partners lists them all. */
#define MEMBERS_MAX 65536

struct varlink_client {
    int fd;
    char *interface;
    unsigned timeout_ms;
    struct buf out, in;
    struct json_doc *doc;
};

static struct varlink_client *client_new(const char *interface, unsigned timeout_ms)
{
    struct varlink_client *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->fd = -1;
    c->timeout_ms = timeout_ms;
    c->out = (struct buf){.max = VARLINK_CLIENT_MAX, .secret = true};
    c->in = (struct buf){.max = VARLINK_CLIENT_MAX, .secret = true};
    c->interface = strdup(interface);
    c->doc = json_doc_new();
    if (!c->interface || !c->doc)
        varlink_client_freep(&c);
    return c;
}

void varlink_client_free(struct varlink_client *c)
{
    if (!c)
        return;
    closep(&c->fd);
    free(c->interface);
    buf_done(&c->out);
    buf_done(&c->in);
    json_doc_free(c->doc);
    free(c);
}

void varlink_client_freep(struct varlink_client **c)
{
    varlink_client_free(*c);
    *c = NULL;
}

/* A blocking connect waits while the daemon's queue is full; the kernel ends that by SO_SNDTIMEO.
 */
static int connect_within(int fd, const struct sockaddr_un *sa, unsigned timeout_ms)
{
    const struct timeval limit = {
        .tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0)
        return 0;
    return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int varlink_client_open(
    const char *dir, const char *interface, unsigned timeout_ms, struct varlink_client **ret)
{
    CLEANUP(varlink_client_freep) struct varlink_client *c = client_new(interface, timeout_ms);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (!c)
        return -ENOMEM;
    int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", dir, interface);
    if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    int r = connect_within(c->fd, &sa, timeout_ms);
    if (r < 0)
        return r;
    *ret = TAKE(c);
    return 0;
}

/* Waits until the socket can do `events`, or `until` on the monotonic clock has come. */
static int wait_for(int fd, short events, int64_t until)
{
    for (;;) {
        int64_t left = until - clock_mono_ms();
        if (left <= 0)
            return -ETIMEDOUT;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

/* One write. Descriptors go with the first byte, and only once. */
static ssize_t send_some(int fd, struct span bytes, const struct varlink_fds *fds)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(VARLINK_CLIENT_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec iov = {(char *)(uintptr_t)bytes.p, bytes.n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fds && fds->n > 0) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(fds->n * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(fds->n * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds->fds, fds->n * sizeof(int));
    }
    return sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int send_all(struct varlink_client *c, const struct varlink_fds *fds, int64_t until)
{
    struct span rest = buf_span(&c->out);
    while (rest.n > 0) {
        int r = wait_for(c->fd, POLLOUT, until);
        if (r < 0)
            return r;
        ssize_t n = send_some(c->fd, rest, fds);
        if (n < 0 && errno == EPIPE)
            return -ECONNRESET;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n > 0)
            fds = NULL;
        rest = span_skip(rest, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

/* One read; 1 when the message is complete. Whatever follows its NUL was not asked for. */
static int receive_some(struct varlink_client *c)
{
    size_t room = c->in.max - c->in.n;
    char *at = room ? buf_reserve(&c->in, room < READ_STEP ? room : READ_STEP) : NULL;
    if (!at)
        return room ? -ENOMEM : -EMSGSIZE;
    ssize_t n = recv(c->fd, at, room < READ_STEP ? room : READ_STEP, MSG_DONTWAIT);
    if (n == 0)
        return -ECONNRESET;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    const char *end = memchr(at, '\0', (size_t)n);
    c->in.n += (size_t)n;
    if (!end)
        return 0;
    if (end != at + n - 1)
        return -EBADMSG;
    c->in.n--;
    return 1;
}

static int receive_message(struct varlink_client *c, int64_t until)
{
    buf_reset(&c->in);
    for (;;) {
        int r = wait_for(c->fd, POLLIN, until);
        if (r == 0)
            r = receive_some(c);
        if (r != 0)
            return r < 0 ? r : 0;
    }
}

static int understand(struct varlink_client *c, struct varlink_answer *ret)
{
    const struct json_limits limits = {.bytes = VARLINK_CLIENT_MAX, .members = MEMBERS_MAX};
    struct varlink_answer a = {.raw = buf_span(&c->in)};
    const struct json_value *message = NULL;
    enum reason r = json_parse(c->doc, a.raw, &limits, &message);
    if (r == REASON_OUT_OF_MEMORY)
        return -ENOMEM;
    if (r != REASON_OK || message->type != JSON_OBJECT)
        return -EBADMSG;
    const struct json_value *error = json_get(message, "error");
    const struct json_value *parameters = json_get(message, "parameters");
    if ((error && error->type != JSON_STRING) || (error && error->text.n == 0) ||
        (parameters && parameters->type != JSON_OBJECT))
        return -EBADMSG;
    a.error = error ? error->text : (struct span){0};
    a.parameters = parameters;
    *ret = a;
    return 0;
}

int varlink_client_call(struct varlink_client *c, const char *method, struct span parameters,
    struct varlink_answer *ret)
{
    return varlink_client_call_with(c, method, parameters, NULL, ret);
}

int varlink_client_call_with(struct varlink_client *c, const char *method, struct span parameters,
    const struct varlink_fds *fds, struct varlink_answer *ret)
{
    struct json_out j;
    char name[128];
    int64_t until = clock_mono_ms() + c->timeout_ms;
    snprintf(name, sizeof(name), "%s.%s", c->interface, method);
    buf_reset(&c->out);
    json_out_start(&j, &c->out);
    json_out_object(&j, NULL);
    json_out_str(&j, "method", name);
    json_out_raw(&j, "parameters", parameters);
    json_out_object_end(&j);
    buf_put_char(&c->out, '\0');
    if (c->out.failed)
        return -EMSGSIZE;
    int r = send_all(c, fds, until);
    /* Who turns us away at the door says why and closes, without waiting for what we want. */
    if (r == 0 || r == -ECONNRESET) {
        int heard = receive_message(c, until);
        r = r < 0 && heard < 0 ? r : heard;
    }
    return r < 0 ? r : understand(c, ret);
}
