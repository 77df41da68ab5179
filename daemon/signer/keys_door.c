/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_door.h"

#include "burst.h"
#include "cleanup.h"
#include "conn_io.h"
#include "door.h"
#include "keys_interface.h"
#include "log.h"
#include "varlink_conn.h"

#include <errno.h>
#include <sys/socket.h>

#define READ_STEP 4096

struct keys_peer {
    LIST_ENTRY(keys_peer) next;
    struct keys_door *door;
    int fd;
    unsigned uid;
    int pid;
    struct event *readable;
    struct conn_deadline deadline;
    struct buf in;
    int fds[KEYS_FDS_MAX]; /* for the message that is being read */
    size_t n_fds;
};

struct keys_door {
    struct signer *signer;
    struct door *door;
    bool own_user;
    unsigned n_peers;
    struct burst refusals; /* lines about those who were turned away */
    LIST_HEAD(, keys_peer) peers;
};

/* Answers. */

void keys_reply(struct keys_call *call, struct span parameters)
{
    struct json_out j;
    buf_reset(&call->answer);
    json_out_start(&j, &call->answer);
    json_out_object(&j, NULL);
    json_out_raw(&j, "parameters", parameters);
    json_out_object_end(&j);
}

void keys_error(struct keys_call *call, const char *error, struct span parameters)
{
    buf_reset(&call->answer);
    varlink_error_put(&call->answer, error, parameters);
}

/* One of the service's own errors, with its one parameter. */
static void service_error(
    struct keys_call *call, const char *error, const char *name, struct span value)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    varlink_one_put(&b, name, value);
    keys_error(call, error, b.failed ? (struct span){0} : buf_span(&b));
}

void keys_invalid(struct keys_call *call, struct span parameter)
{
    service_error(call, "org.varlink.service.InvalidParameter", "parameter", parameter);
}

/* org.varlink.service */

static void run_get_info(struct keys_call *call, const void *args)
{
    (void)args;
    static const char *const names[] = {"io.s2sd.keys"};
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    varlink_info_put(&b, names, ARRAY_LEN(names));
    keys_reply(call, buf_span(&b));
}

struct describe_args {
    struct span interface;
};

static void run_describe(struct keys_call *call, const void *args)
{
    const struct describe_args *a = args;
    CLEANUP(buf_done) struct buf b = BUF_INIT(KEYS_ANSWER_MAX);
    struct json_out j;
    const char *text = span_eq_str(a->interface, "io.s2sd.keys") ? keys_interface
                       : span_eq_str(a->interface, "org.varlink.service")
                           ? varlink_service_description
                           : NULL;
    if (!text) {
        service_error(call, "org.varlink.service.InterfaceNotFound", "interface", a->interface);
        return;
    }
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "description", text);
    json_out_object_end(&j);
    keys_reply(call, buf_span(&b));
}

static const struct json_field describe_fields[] = {
    {"interface", JSON_STRING, offsetof(struct describe_args, interface), JSON_MANDATORY},
};

static const struct keys_method service_methods[] = {
    {.name = "GetInfo", .run = run_get_info},
    {.name = "GetInterfaceDescription",
        .fields = describe_fields,
        .n_fields = ARRAY_LEN(describe_fields),
        .size = sizeof(struct describe_args),
        .run = run_describe},
};

static const struct {
    struct span name;
    const struct keys_method *methods;
    const size_t *n;
} interfaces[] = {
    {SPAN("io.s2sd.keys"), keys_methods, &keys_methods_n},
    {SPAN("org.varlink.service"), service_methods, &(const size_t){ARRAY_LEN(service_methods)}},
};

/* Messages. */

static void run_method(
    struct keys_call *call, const struct keys_method *m, const struct varlink_message *msg)
{
    _Alignas(max_align_t) unsigned char args[KEYS_ARGS_MAX] = {0};
    struct span bad = {0};
    if (m->initial)
        memcpy(args, m->initial, m->size);
    if (varlink_message_arguments(msg, m->fields, m->n_fields, args, &bad))
        m->run(call, args);
    else
        keys_invalid(call, bad);
}

static void dispatch(struct keys_call *call, const struct varlink_message *msg)
{
    size_t i = 0, k = 0;
    while (i < ARRAY_LEN(interfaces) && !span_eq(msg->interface, interfaces[i].name))
        i++;
    if (i == ARRAY_LEN(interfaces)) {
        service_error(call, "org.varlink.service.InterfaceNotFound", "interface", msg->interface);
        return;
    }
    while (k < *interfaces[i].n && !span_eq_str(msg->name, interfaces[i].methods[k].name))
        k++;
    if (k == *interfaces[i].n)
        service_error(call, "org.varlink.service.MethodNotFound", "method", msg->method);
    else if (msg->upgrade)
        service_error(call, "org.varlink.service.MethodNotImplemented", "method", msg->method);
    else
        run_method(call, &interfaces[i].methods[k], msg);
}

static void close_fds(struct keys_peer *p)
{
    while (p->n_fds > 0)
        closep(&p->fds[--p->n_fds]);
}

/* The answer goes out at once or not at all: one fits into the socket, and who lets them pile up
 * has no further business here. */
static bool send_answer(const struct keys_peer *p, struct buf *answer)
{
    buf_put_char(answer, '\0');
    if (answer->failed)
        return false;
    ssize_t n = send(p->fd, answer->p, answer->n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n == (ssize_t)answer->n;
}

/* One whole message. False: the connection is to end. */
static bool take_message(struct keys_peer *p, struct span text)
{
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    struct varlink_message msg = {0};
    struct keys_call call = {.signer = p->door->signer,
        .uid = p->uid,
        .pid = p->pid,
        .fds = p->fds,
        .n_fds = p->n_fds,
        .answer = BUF_INIT(KEYS_ANSWER_MAX)};
    bool is_call = varlink_message_read(doc, text, KEYS_MESSAGE_MAX, &msg);
    if (is_call)
        dispatch(&call, &msg);
    else
        keys_invalid(&call, SPAN("method"));
    close_fds(p);
    bool sent = msg.oneway || send_answer(p, &call.answer);
    buf_done(&call.answer);
    return is_call && sent;
}

/* Connections. */

static void peer_free(struct keys_peer *p)
{
    LIST_REMOVE(p, next);
    p->door->n_peers--;
    if (p->readable)
        event_free(p->readable);
    conn_deadline_done(&p->deadline);
    close_fds(p);
    closep(&p->fd);
    buf_done(&p->in);
    free(p);
}

/* Keeps the descriptors of one read. False: more than there may be. */
static bool take_fds(struct keys_peer *p, struct msghdr *mh)
{
    bool fits = !(mh->msg_flags & MSG_CTRUNC);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            CLEANUP(closep) int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            fits = fits && p->n_fds < KEYS_FDS_MAX;
            if (fits)
                p->fds[p->n_fds++] = TAKE_FD(fd);
        }
    }
    return fits;
}

/* One read. 1: something came; 0: nothing now; -1: the end, or against the rules. */
static int read_some(struct keys_peer *p)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(KEYS_FDS_MAX * sizeof(int))];
    } control = {0};
    size_t before = p->n_fds, room = p->in.max - p->in.n;
    char *at = buf_reserve(&p->in, room < READ_STEP ? room : READ_STEP);
    struct iovec iov = {at, room < READ_STEP ? room : READ_STEP};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.room)};
    ssize_t n = at ? recvmsg(p->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) : -1;
    if (n < 0)
        return at && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    bool fits = take_fds(p, &mh);
    /* Descriptors beside two messages: nobody could tell whose they are. */
    size_t end = span_find((struct span){at, (size_t)n}, '\0');
    bool alone = p->n_fds == before || end + 1 >= (size_t)n;
    p->in.n += (size_t)n;
    return n > 0 && fits && alone ? 1 : -1;
}

/* False: the connection is to end. */
static bool take_messages(struct keys_peer *p)
{
    struct span rest = buf_span(&p->in);
    for (;;) {
        size_t n = span_find(rest, '\0');
        if (n > KEYS_MESSAGE_MAX)
            return false;
        if (n == rest.n)
            break;
        if (!take_message(p, (struct span){rest.p, n}))
            return false;
        rest = span_skip(rest, n + 1);
        conn_deadline_set(&p->deadline, KEYS_DEADLINE_MS);
    }
    if (rest.n > 0)
        memmove(p->in.p, rest.p, rest.n);
    p->in.n = rest.n;
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct keys_peer *p = arg;
    (void)fd;
    (void)what;
    int r = read_some(p);
    if (r < 0 || (r > 0 && !take_messages(p)))
        peer_free(p);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct keys_peer *p = arg;
    (void)fd;
    (void)what;
    if (conn_deadline_due(&p->deadline))
        peer_free(p);
}

/* Anybody may be turned away as often as he likes. */
static void tell_refusal(struct keys_door *d, const struct ucred *who, const char *why)
{
    unsigned left_out;
    if (!burst_take(&d->refusals, &left_out))
        return;
    if (left_out > 0)
        log_warning("%u further connections that would bring or take keys were refused", left_out);
    log_warning(
        "uid %u process %d may not bring or take keys: %s", (unsigned)who->uid, (int)who->pid, why);
}

static bool may_call(struct keys_door *d, int fd, struct ucred *ret)
{
    socklen_t len = sizeof(*ret);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len) < 0)
        return false;
    if (ret->uid == 0 || (d->own_user && ret->uid == geteuid()))
        return true;
    tell_refusal(d, ret, "only root may");
    return false;
}

static void refuse(int fd)
{
    static const char answer[] = "{\"error\":\"io.s2sd.keys.NotPermitted\",\"parameters\":"
                                 "{\"sentence\":\"Only root may bring and take keys\"}}";
    (void)!send(fd, answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool peer_start(struct keys_peer *p, struct event_base *base)
{
    if (conn_deadline_init(&p->deadline, base, on_due, p) < 0)
        return false;
    conn_deadline_set(&p->deadline, KEYS_DEADLINE_MS);
    p->readable = event_new(base, p->fd, EV_READ | EV_PERSIST, on_readable, p);
    return p->readable && event_add(p->readable, NULL) == 0;
}

static void on_peer(int fd, void *arg)
{
    struct keys_door *d = arg;
    CLEANUP(closep) int peer = fd;
    struct ucred who;
    if (!may_call(d, peer, &who)) {
        refuse(peer);
        return;
    }
    if (d->n_peers >= KEYS_PEERS_MAX) {
        tell_refusal(d, &who, "too many do already");
        return;
    }
    struct keys_peer *p = calloc(1, sizeof(*p));
    if (!p)
        return;
    *p = (struct keys_peer){.door = d,
        .fd = TAKE_FD(peer),
        .uid = who.uid,
        .pid = who.pid,
        .in = BUF_INIT(KEYS_MESSAGE_MAX + 2)};
    LIST_INSERT_HEAD(&d->peers, p, next);
    d->n_peers++;
    if (!peer_start(p, d->signer->base))
        peer_free(p);
}

struct keys_door *keys_door_new(struct signer *s, int listener, bool own_user)
{
    static const struct door_ops ops = {.on_peer = on_peer};
    struct keys_door *d = calloc(1, sizeof(*d));
    if (!d) {
        close(listener);
        return NULL;
    }
    *d = (struct keys_door){.signer = s, .own_user = own_user};
    LIST_INIT(&d->peers);
    d->door = door_open(s->base, listener, &ops, d);
    if (!d->door)
        free(TAKE(d));
    return d;
}

void keys_door_free(struct keys_door *d)
{
    if (!d)
        return;
    while (!LIST_EMPTY(&d->peers))
        peer_free(LIST_FIRST(&d->peers));
    door_close(d->door);
    free(d);
}
