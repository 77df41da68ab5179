/* SPDX-License-Identifier: Apache-2.0 */
#include "varlink_conn.h"

#include "cleanup.h"
#include "conn_io.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A parsed message larger than this does not keep its arena. */
#define KEEP_DOC_MAX ((size_t)32 * 1024)
/* After a refusal the peer gets this long to take it and close. */
#define LINGER_MS 2000
/* Read up to here: one byte more than the largest message with its NUL tells that it is too large.
 */
#define INPUT_MAX ((size_t)VARLINK_MESSAGE_MAX + 2)

struct varlink_call {
    struct varlink_conn *conn;
    void *data;
    bool more, oneway;
};

enum phase { PHASE_IDLE, PHASE_MESSAGE, PHASE_CALL, PHASE_DRAIN, PHASE_LINGER };

struct varlink_conn {
    struct bufferevent *bev;
    const struct varlink_ops *ops;
    void *arg;
    struct conn_deadline deadline;
    struct json_doc *doc;     /* of the call in flight; kept for the next one when small */
    struct varlink_call call; /* one in flight */
    struct buf out;           /* answers of this wake-up, each with its NUL */
    size_t scanned;           /* bytes of the input without a NUL */
    enum phase phase;
    bool reading; /* EV_READ is enabled */
    bool in_flight, closing, eof, busy, doomed, ended;
};

const char varlink_service_description[] =
    "# What every Varlink service can tell about itself.\n"
    "interface org.varlink.service\n"
    "\n"
    "# Who made the service, and the interfaces it serves.\n"
    "method GetInfo() -> (\n"
    "\tvendor: string,\n"
    "\tproduct: string,\n"
    "\tversion: string,\n"
    "\turl: string,\n"
    "\tinterfaces: []string\n"
    ")\n"
    "\n"
    "# The definition of one interface, as text.\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "# No such interface here.\n"
    "error InterfaceNotFound(interface: string)\n"
    "\n"
    "# The interface has no such method.\n"
    "error MethodNotFound(method: string)\n"
    "\n"
    "# The interface has the method, this service does not.\n"
    "error MethodNotImplemented(method: string)\n"
    "\n"
    "# A parameter is missing, unknown or not of its type.\n"
    "error InvalidParameter(parameter: string)\n"
    "\n"
    "# The peer may not call this method.\n"
    "error PermissionDenied()\n"
    "\n"
    "# The method answers more than once and must be called with \"more\".\n"
    "error ExpectedMore()\n";

void *varlink_conn_arg(const struct varlink_conn *c)
{
    return c->arg;
}

struct bufferevent *varlink_conn_bev(const struct varlink_conn *c)
{
    return c->bev;
}

struct varlink_call *varlink_conn_call(const struct varlink_conn *c)
{
    return c->in_flight ? (struct varlink_call *)(uintptr_t)&c->call : NULL;
}

struct varlink_conn *varlink_call_conn(const struct varlink_call *call)
{
    return call->conn;
}

bool varlink_call_more(const struct varlink_call *call)
{
    return call->more;
}

void varlink_call_set_data(struct varlink_call *call, void *data)
{
    call->data = data;
}

void *varlink_call_data(const struct varlink_call *call)
{
    return call->data;
}

void varlink_call_secret(struct varlink_call *call)
{
    call->conn->out.secret = true;
}

static void conn_end(struct varlink_conn *c)
{
    if (c->ended)
        return;
    if (c->busy) {
        c->doomed = true;
        return;
    }
    c->ended = true;
    if (c->ops->on_closed)
        c->ops->on_closed(c, c->arg);
    conn_deadline_done(&c->deadline);
    bufferevent_free(c->bev);
    json_doc_free(c->doc);
    buf_done(&c->out);
    free(c);
}

void varlink_conn_free(struct varlink_conn *c)
{
    if (c)
        conn_end(c);
}

/* Writing. */

static void put_reply(struct buf *out, struct span parameters, bool continues)
{
    buf_put_str(out, "{\"parameters\":");
    buf_put_span(out, parameters.n ? parameters : SPAN("{}"));
    if (continues)
        buf_put_str(out, ",\"continues\":true");
    buf_put(out, "}", 2); /* with the NUL that ends the message */
}

static void put_error(struct buf *out, const char *error, struct span parameters)
{
    varlink_error_put(out, error, parameters);
    buf_put_char(out, '\0');
}

static void conn_process(struct varlink_conn *c);

/* After an answer: out of a callback the rest of the input is taken up again. */
static void answered(struct varlink_conn *c, bool continues)
{
    if (conn_io_waiting(c->bev) + c->out.n > CONN_OUTPUT_MAX)
        c->doomed = true; /* a stream that nobody takes */
    c->in_flight = continues;
    if (!c->busy)
        conn_process(c);
}

void varlink_reply(struct varlink_call *call, struct span parameters, bool continues)
{
    struct varlink_conn *c = call->conn;
    if (!c->in_flight || c->ended)
        return;
    if (!call->oneway)
        put_reply(&c->out, parameters, continues && call->more);
    answered(c, continues && call->more);
}

void varlink_error(struct varlink_call *call, const char *error, struct span parameters)
{
    struct varlink_conn *c = call->conn;
    if (!c->in_flight || c->ended)
        return;
    if (!call->oneway)
        put_error(&c->out, error, parameters);
    answered(c, false);
}

/* One of the service's own errors: a single string parameter. */
static void service_error(
    struct varlink_call *call, const char *error, const char *name, struct span value)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    varlink_one_put(&b, name, value);
    varlink_error(call, error, b.failed ? (struct span){0} : buf_span(&b));
}

void varlink_invalid(struct varlink_call *call, const char *parameter)
{
    service_error(call, "org.varlink.service.InvalidParameter", "parameter", span_of(parameter));
}

void varlink_conn_refuse(struct varlink_conn *c, const char *error, struct span parameters)
{
    if (c->ended || c->closing || c->in_flight)
        return;
    put_error(&c->out, error, parameters);
    c->closing = true;
    if (!c->busy)
        conn_process(c);
}

void varlink_conn_close(struct varlink_conn *c)
{
    if (c->ended || c->closing)
        return;
    c->closing = true;
    if (!c->busy)
        conn_process(c);
}

/* org.varlink.service */

static void run_get_info(struct varlink_call *call, const void *args)
{
    (void)args;
    const struct varlink_ops *ops = call->conn->ops;
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    const char *names[VARLINK_INTERFACES_MAX];
    size_t n = 0;
    for (; n < ops->n_interfaces && n < ARRAY_LEN(names); n++)
        names[n] = ops->interfaces[n]->name;
    varlink_info_put(&b, names, n);
    varlink_reply(call, buf_span(&b), false);
}

struct describe_args {
    struct span interface;
};

static void run_describe(struct varlink_call *call, const void *args);

static const struct json_field describe_fields[] = {
    {"interface", JSON_STRING, offsetof(struct describe_args, interface), JSON_MANDATORY},
};

static const struct varlink_method service_methods[] = {
    {.name = "GetInfo", .run = run_get_info},
    {.name = "GetInterfaceDescription",
        .fields = describe_fields,
        .n_fields = ARRAY_LEN(describe_fields),
        .size = sizeof(struct describe_args),
        .run = run_describe},
};

static const struct varlink_interface service = {"org.varlink.service", varlink_service_description,
    service_methods, ARRAY_LEN(service_methods)};

static const struct varlink_interface *find_interface(
    const struct varlink_ops *ops, struct span name)
{
    for (size_t i = 0; i < ops->n_interfaces; i++)
        if (span_eq_str(name, ops->interfaces[i]->name))
            return ops->interfaces[i];
    return span_eq_str(name, service.name) ? &service : NULL;
}

static void run_describe(struct varlink_call *call, const void *args)
{
    const struct describe_args *a = args;
    const struct varlink_interface *i = find_interface(call->conn->ops, a->interface);
    if (!i) {
        service_error(call, "org.varlink.service.InterfaceNotFound", "interface", a->interface);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(CONN_OUTPUT_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "description", i->description);
    json_out_object_end(&j);
    varlink_reply(call, buf_span(&b), false);
}

/* Reading: message -> call -> method. */

static const struct varlink_method *find_method(const struct varlink_interface *i, struct span name)
{
    for (size_t m = 0; m < i->n_methods; m++)
        if (span_eq_str(name, i->methods[m].name))
            return &i->methods[m];
    return NULL;
}

static void run_method(
    struct varlink_call *call, const struct varlink_method *m, const struct varlink_message *msg)
{
    _Alignas(max_align_t) unsigned char args[VARLINK_ARGS_MAX] = {0};
    struct span bad = {0};
    if (m->initial)
        memcpy(args, m->initial, m->size);
    if (!varlink_message_arguments(msg, m->fields, m->n_fields, args, &bad))
        service_error(call, "org.varlink.service.InvalidParameter", "parameter", bad);
    else if (m->needs_more && !call->more)
        varlink_error(call, "org.varlink.service.ExpectedMore", (struct span){0});
    else
        m->run(call, args);
}

static void dispatch(struct varlink_call *call, const struct varlink_message *msg)
{
    const struct varlink_interface *i = find_interface(call->conn->ops, msg->interface);
    if (!i) {
        service_error(call, "org.varlink.service.InterfaceNotFound", "interface", msg->interface);
        return;
    }
    const struct varlink_method *m = find_method(i, msg->name);
    if (!m)
        service_error(call, "org.varlink.service.MethodNotFound", "method", msg->method);
    else if (msg->upgrade)
        service_error(call, "org.varlink.service.MethodNotImplemented", "method", msg->method);
    else
        run_method(call, m, msg);
}

static void refuse_message(struct varlink_conn *c)
{
    varlink_conn_refuse(
        c, "org.varlink.service.InvalidParameter", SPAN("{\"parameter\":\"method\"}"));
}

/* One message without its NUL. What is not a call at all is answered and the connection closed:
 * nobody can tell what its sender would make of later answers. */
static void take_message(struct varlink_conn *c, struct span text)
{
    struct varlink_message msg;
    if (!c->doc)
        c->doc = json_doc_new();
    if (!varlink_message_read(c->doc, text, VARLINK_MESSAGE_MAX, &msg)) {
        refuse_message(c);
        return;
    }
    c->call = (struct varlink_call){.conn = c, .more = msg.more, .oneway = msg.oneway};
    c->in_flight = true;
    dispatch(&c->call, &msg);
}

/* Takes one message out of the input; false when there is no whole one. */
static bool read_one(struct varlink_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in);
    if (n == 0)
        return false;
    const char *bytes = (const char *)evbuffer_pullup(in, -1);
    if (!bytes) {
        c->doomed = true;
        return false;
    }
    const char *end = memchr(bytes + c->scanned, '\0', n - c->scanned);
    size_t length = end ? (size_t)(end - bytes) : n;
    c->scanned = end ? 0 : n;
    if (length > VARLINK_MESSAGE_MAX) {
        refuse_message(c);
        return false;
    }
    if (!end)
        return false;
    take_message(c, (struct span){bytes, length});
    evbuffer_drain(in, length + 1);
    c->phase = PHASE_IDLE; /* the next message has a clock of its own */
    return true;
}

/* Phases and their deadlines. */

static void set_phase(struct varlink_conn *c, enum phase phase)
{
    if (phase == c->phase && (phase == PHASE_MESSAGE || phase == PHASE_DRAIN))
        return; /* one total for the whole of it */
    c->phase = phase;
    switch (phase) {
    case PHASE_MESSAGE:
        conn_deadline_set(&c->deadline, c->ops->message_timeout_ms);
        break;
    case PHASE_IDLE:
    case PHASE_DRAIN:
        conn_deadline_set(&c->deadline, c->ops->idle_timeout_ms);
        break;
    case PHASE_CALL:
        conn_deadline_set(&c->deadline, 0);
        break;
    case PHASE_LINGER:
        conn_deadline_set(&c->deadline, LINGER_MS);
        break;
    }
}

/* Input above the watermark that nobody takes must not stay enabled: libevent 2.1 would call our
 * read callback again and again (bufferevent_inbuf_wm_check). */
static void set_reading(struct varlink_conn *c)
{
    bool want = evbuffer_get_length(bufferevent_get_input(c->bev)) < INPUT_MAX;
    if (want == c->reading || c->eof)
        return;
    c->reading = want;
    if (want)
        (void)bufferevent_enable(c->bev, EV_READ);
    else
        (void)bufferevent_disable(c->bev, EV_READ);
}

static void start_linger(struct varlink_conn *c)
{
    int fd = bufferevent_getfd(c->bev);
    if (c->phase == PHASE_LINGER)
        return;
    if (c->eof || fd < 0) {
        conn_end(c);
        return;
    }
    (void)shutdown(fd, SHUT_WR);
    struct evbuffer *in = bufferevent_get_input(c->bev);
    evbuffer_drain(in, evbuffer_get_length(in));
    set_reading(c);
    set_phase(c, PHASE_LINGER);
}

/* Decides what the connection waits for. May end it. */
static void settle(struct varlink_conn *c)
{
    set_reading(c);
    if (conn_io_waiting(c->bev) > 0)
        set_phase(c, PHASE_DRAIN);
    else if (c->in_flight)
        set_phase(c, PHASE_CALL);
    else if (c->closing)
        start_linger(c);
    else if (c->eof)
        conn_end(c);
    else if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
        set_phase(c, PHASE_MESSAGE);
    else
        set_phase(c, PHASE_IDLE);
}

static bool wants_next(const struct varlink_conn *c)
{
    return !c->in_flight && !c->closing && !c->doomed;
}

static bool is_paused(const struct varlink_conn *c)
{
    return conn_io_waiting(c->bev) + c->out.n > CONN_PAUSE;
}

static void drop_large_doc(struct varlink_conn *c, size_t seen)
{
    if (seen > KEEP_DOC_MAX && !c->in_flight) {
        json_doc_free(c->doc);
        c->doc = NULL;
    }
}

/* Answers what is here, writes all answers with one write, and goes on while the peer takes them.
 */
static void conn_process(struct varlink_conn *c)
{
    size_t seen = evbuffer_get_length(bufferevent_get_input(c->bev));
    bool paused;
    do {
        c->busy = true;
        while (wants_next(c) && !is_paused(c) && read_one(c))
            ;
        c->busy = false;
        paused = wants_next(c) && is_paused(c);
        if (c->doomed || conn_io_send(c->bev, &c->out, c->ops->write_through) < 0) {
            conn_end(c);
            return;
        }
    } while (paused && conn_io_waiting(c->bev) <= CONN_PAUSE);
    drop_large_doc(c, seen);
    settle(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct varlink_conn *c = arg;
    if (c->closing) {
        struct evbuffer *in = bufferevent_get_input(bev);
        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    if (c->in_flight) {
        set_reading(c);
        return;
    }
    if (c->ops->write_through)
        conn_io_top_up(bev);
    conn_process(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct varlink_conn *c = arg;
    if (c->phase == PHASE_DRAIN) {
        c->phase = PHASE_IDLE; /* what is answered now has a clock of its own */
        conn_process(c);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct varlink_conn *c = arg;
    if (what & BEV_EVENT_CONNECTED)
        return;
    c->eof = true;
    bool only_its_side = (what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING);
    /* A stream has no other way to learn that nobody listens any more. */
    bool stream = c->in_flight && c->call.more;
    if (only_its_side && !stream && c->phase != PHASE_LINGER)
        conn_process(c);
    else
        conn_end(c);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct varlink_conn *c = arg;
    if (conn_deadline_due(&c->deadline))
        conn_end(c);
}

struct varlink_conn *varlink_conn_new(
    struct bufferevent *bev, const struct varlink_ops *ops, void *arg)
{
    struct varlink_conn *c = calloc(1, sizeof *c);
    if (!c || conn_deadline_init(&c->deadline, bufferevent_get_base(bev), on_due, c) < 0) {
        free(c);
        bufferevent_free(bev);
        return NULL;
    }
    c->bev = bev;
    c->ops = ops;
    c->arg = arg;
    c->out = BUF_INIT(2 * CONN_OUTPUT_MAX);
    bufferevent_setcb(bev, on_read, on_written, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
    c->reading = true;
    set_phase(c, PHASE_IDLE);
    if (bufferevent_enable(bev, EV_READ | EV_WRITE) == 0)
        return c;
    conn_deadline_done(&c->deadline);
    bufferevent_free(bev);
    free(c);
    return NULL;
}
