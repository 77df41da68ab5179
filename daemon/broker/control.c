/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include "burst.h"
#include "cleanup.h"
#include "clock.h"
#include "control_interface.h"
#include "control_views.h"
#include "door.h"
#include "log.h"
#include "peer.h"
#include "varlink_conn.h"

#include <sys/queue.h>

#define CONTROL_INTERFACE "io.s2sd.control"
/* Connections in all, how many of one user, and how many are kept for root: nobody can lock the
 * administrators out. */
#define CONTROL_CONNECTIONS_MAX 64
#define CONTROL_OF_USER_MAX 16
#define CONTROL_ROOT_RESERVE 16
#define CONTROL_MESSAGE_TIMEOUT_MS 10000
#define CONTROL_COMPLAIN_MS 60000
#define CONTROL_ANSWER_MAX ((size_t)8 * 1024 * 1024)

/* What a waiting Refresh knows of one partner. */
struct refresh_part {
    char *name;           /* owned */
    unsigned answered_by; /* the attempt that is waited for (refresher_now), 0: none any more */
    enum reason reason;
    char detail[256];
    bool changed;
};

struct control_conn {
    LIST_ENTRY(control_conn) next;
    struct control *control;
    struct varlink_conn *varlink;
    struct peer_id peer;
    struct refresh_part *parts; /* a Refresh waits */
    size_t n_parts;
    bool reloading; /* a Reload waits */
};

struct control {
    struct broker *broker;
    struct door *door;
    LIST_HEAD(, control_conn) all;
    unsigned connections;
    int64_t complained_ms; /* of a refused connection, 0: never */
    struct burst refusals; /* of a missing right */
    struct varlink_ops ops;
};

static void parts_free(struct control_conn *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        free(c->parts[i].name);
    free(c->parts);
    c->parts = NULL;
    c->n_parts = 0;
}

static void on_closed(struct varlink_conn *v, void *arg)
{
    struct control_conn *c = arg;
    (void)v;
    LIST_REMOVE(c, next);
    c->control->connections--;
    if (c->reloading)
        reload_cancel(c->control->broker->reload, c);
    parts_free(c);
    free(c);
}

/* Rights. */

static bool may(struct control_conn *c, enum right right)
{
    const struct settings *s = c->control->broker->settings;
    int fd = bufferevent_getfd(varlink_conn_bev(c->varlink));
    c->peer.peer.unit = NULL;
    if (policy_needs_unit(s) && peer_error_is_ours(peer_read_unit(fd, &c->peer)))
        return false;
    return policy_may(s, &c->peer.peer, right);
}

static void error_with(
    struct varlink_call *call, const char *error, const char *field, struct span value)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(CONTROL_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_span(&j, field, value);
    json_out_object_end(&j);
    varlink_error(call, error, b.failed ? SPAN("") : buf_span(&b));
}

/* Anybody may be refused as often as he likes. */
static void tell_refusal(struct control_conn *c, enum right right)
{
    unsigned left_out;
    if (!burst_take(&c->control->refusals, &left_out))
        return;
    if (left_out > 0)
        log_notice("control: %u further calls were refused", left_out);
    log_notice("control: uid %u pid %d was refused the right %s", (unsigned)c->peer.peer.uid,
        (int)c->peer.peer.pid, right_name(right));
}

/* The connection of a call whose peer has that right; otherwise answers and returns NULL. */
static struct control_conn *permitted(struct varlink_call *call, enum right right)
{
    struct control_conn *c = varlink_conn_arg(varlink_call_conn(call));
    if (may(c, right))
        return c;
    char reason[256];
    snprintf(reason, sizeof(reason), "No [Client] rule gives uid %u the right %s",
        (unsigned)c->peer.peer.uid, right_name(right));
    tell_refusal(c, right);
    error_with(call, CONTROL_INTERFACE ".NotPermitted", "reason", span_of(reason));
    return NULL;
}

static void reply(struct varlink_call *call, const struct buf *b)
{
    if (b->failed) {
        log_err("control: an answer does not fit into memory");
        varlink_error(call, "org.varlink.service.MethodNotImplemented", SPAN(""));
        return;
    }
    varlink_reply(call, buf_span(b), false);
}

/* Reading methods. */

static void run_view(
    struct varlink_call *call, void (*view)(const struct broker *b, struct json_out *j))
{
    struct control_conn *c = permitted(call, RIGHT_STATUS);
    if (!c)
        return;
    CLEANUP(buf_done) struct buf b = BUF_INIT(CONTROL_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    view(c->control->broker, &j);
    json_out_object_end(&j);
    reply(call, &b);
}

static void run_status(struct varlink_call *call, const void *args)
{
    (void)args;
    run_view(call, view_status);
}

static void run_list(struct varlink_call *call, const void *args)
{
    (void)args;
    run_view(call, view_partners);
}

struct name_args {
    struct span name; /* p NULL: none given */
};

static void run_show(struct varlink_call *call, const void *args)
{
    const struct name_args *a = args;
    struct control_conn *c = permitted(call, RIGHT_STATUS);
    if (!c)
        return;
    const struct partner_entry *e = partners_find(c->control->broker->partners, a->name);
    if (!e) {
        error_with(call, CONTROL_INTERFACE ".NoSuchPartner", "name", a->name);
        return;
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(CONTROL_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    view_partner(c->control->broker, e, &j);
    json_out_object_end(&j);
    reply(call, &b);
}

/* Refresh. */

static bool all_ended(const struct control_conn *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].answered_by > 0)
            return false;
    return true;
}

static void answer_refresh(struct control_conn *c)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(CONTROL_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_array(&j, "partners");
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct refresh_part *p = &c->parts[i];
        json_out_object(&j, NULL);
        json_out_str(&j, "name", p->name);
        json_out_str(&j, "reason", reason_code(p->reason));
        json_out_str(&j, "sentence", reason_sentence(p->reason));
        json_out_str(&j, "detail", p->detail);
        json_out_bool(&j, "changed", p->changed);
        json_out_object_end(&j);
    }
    json_out_array_end(&j);
    json_out_object_end(&j);
    parts_free(c);
    reply(varlink_conn_call(c->varlink), &b);
}

static bool add_part(struct control_conn *c, struct partner_entry *e)
{
    struct refresh_part *p = &c->parts[c->n_parts];
    *p = (struct refresh_part){.name = strdup(e->partner->name), .reason = REASON_PARTNER_DISABLED};
    if (!p->name)
        return false;
    p->answered_by = refresher_now(c->control->broker->refresher, e);
    c->n_parts++;
    return true;
}

static void run_refresh(struct varlink_call *call, const void *args)
{
    const struct name_args *a = args;
    struct control_conn *c = permitted(call, RIGHT_REFRESH);
    if (!c)
        return;
    struct partners *ps = c->control->broker->partners;
    struct partner_entry *only = a->name.p ? partners_find(ps, a->name) : NULL;
    if (a->name.p && !only) {
        error_with(call, CONTROL_INTERFACE ".NoSuchPartner", "name", a->name);
        return;
    }
    size_t n = only ? 1 : partners_count(ps);
    c->parts = calloc(n + 1, sizeof(*c->parts));
    bool ok = c->parts != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = add_part(c, only ? only : partners_at(ps, i));
    if (!ok)
        log_err("control: no memory for a refresh");
    if (!ok || all_ended(c))
        answer_refresh(c);
}

/* `e` has got its answer, or (j NULL) has left the configuration. */
static void end_part(struct refresh_part *p, const struct partner_entry *e, const struct judged *j)
{
    bool answers = !j || e->attempts >= p->answered_by || !e->partner->enabled;
    if (p->answered_by == 0 || strcmp(p->name, e->state.trust.name) != 0)
        return;
    if (answers)
        p->answered_by = 0;
    p->reason = j ? j->reason : REASON_NO_SUCH_PARTNER;
    p->changed = j && (p->changed || j->keys_changed);
    snprintf(p->detail, sizeof(p->detail), "%s", j ? j->detail : "");
}

static void end_parts(
    struct control *control, const struct partner_entry *e, const struct judged *j)
{
    for (struct control_conn *c = LIST_FIRST(&control->all), *next; c; c = next) {
        next = LIST_NEXT(c, next);
        for (size_t i = 0; i < c->n_parts; i++)
            end_part(&c->parts[i], e, j);
        if (c->n_parts > 0 && all_ended(c))
            answer_refresh(c);
    }
}

void control_on_ended(
    struct control *control, const struct partner_entry *e, const struct judged *j)
{
    end_parts(control, e, j);
}

void control_on_gone(struct control *control, const struct partner_entry *e)
{
    end_parts(control, e, NULL);
}

/* Reload. */

#define STOPPING "s2sd: is being stopped\n"

static void on_reloaded(struct span errors, void *arg)
{
    struct control_conn *c = arg;
    struct varlink_call *call = varlink_conn_call(c->varlink);
    c->reloading = false;
    if (errors.n > 0)
        error_with(call, CONTROL_INTERFACE ".ConfigRefused", "errors", errors);
    else
        varlink_reply(call, SPAN(""), false);
}

static void run_reload(struct varlink_call *call, const void *args)
{
    (void)args;
    struct control_conn *c = permitted(call, RIGHT_RELOAD);
    if (!c)
        return;
    struct broker *b = c->control->broker;
    c->reloading = !b->stopping && reload_start(b->reload, on_reloaded, c);
    if (!c->reloading)
        error_with(call, CONTROL_INTERFACE ".ConfigRefused", "errors",
            b->stopping ? SPAN(STOPPING) : SPAN("s2sd: out of memory\n"));
}

/* The table. */

static const struct json_field name_optional[] = {
    {"name", JSON_STRING, offsetof(struct name_args, name), JSON_OPTIONAL}};
static const struct json_field name_mandatory[] = {
    {"name", JSON_STRING, offsetof(struct name_args, name), JSON_MANDATORY}};

static const struct varlink_method methods[] = {
    {.name = "Status", .run = run_status},
    {.name = "ListPartners", .run = run_list},
    {.name = "ShowPartner",
        .fields = name_mandatory,
        .n_fields = ARRAY_LEN(name_mandatory),
        .size = sizeof(struct name_args),
        .run = run_show},
    {.name = "Refresh",
        .fields = name_optional,
        .n_fields = ARRAY_LEN(name_optional),
        .size = sizeof(struct name_args),
        .run = run_refresh},
    {.name = "Reload", .run = run_reload},
};

static const struct varlink_interface interface = {
    CONTROL_INTERFACE, control_interface, methods, ARRAY_LEN(methods)};
static const struct varlink_interface *const interfaces[] = {&interface};

/* Connections. */

static unsigned connections_of(const struct control *control, uid_t uid)
{
    unsigned n = 0;
    const struct control_conn *c;
    LIST_FOREACH (c, &control->all, next)
        n += c->peer.peer.uid == uid;
    return n;
}

static bool has_room(const struct control *c, const struct peer *peer)
{
    if (peer->uid == 0)
        return c->connections < CONTROL_CONNECTIONS_MAX;
    return c->connections < CONTROL_CONNECTIONS_MAX - CONTROL_ROOT_RESERVE &&
           connections_of(c, peer->uid) < CONTROL_OF_USER_MAX;
}

/* Anybody can come again and again; the journal need not hear it each time. */
static void complain(struct control *c)
{
    int64_t now = clock_mono_ms();
    if (c->complained_ms != 0 && now - c->complained_ms < CONTROL_COMPLAIN_MS)
        return;
    c->complained_ms = now;
    log_warning("control: connections are refused: too many, or their owner is unknown");
}

static void on_peer(int fd, void *arg)
{
    struct control *control = arg;
    CLEANUP(closep) int peer = fd;
    CLEANUP(freep) struct control_conn *c = calloc(1, sizeof(*c));
    if (!c || peer_read(peer, &c->peer) < 0 || !has_room(control, &c->peer.peer)) {
        complain(control);
        return;
    }
    c->control = control;
    struct bufferevent *bev =
        bufferevent_socket_new(control->broker->base, peer, BEV_OPT_CLOSE_ON_FREE);
    if (!bev)
        return;
    peer = -1;
    c->varlink = varlink_conn_new(bev, &control->ops, c);
    if (!c->varlink)
        return;
    control->connections++;
    LIST_INSERT_HEAD(&control->all, c, next);
    c = NULL;
}

struct control *control_new(struct broker *b, int listener)
{
    static const struct door_ops door_ops = {.on_peer = on_peer};
    CLEANUP(closep) int fd = listener;
    struct control *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct control){.broker = b,
        .ops = {.interfaces = interfaces,
            .n_interfaces = ARRAY_LEN(interfaces),
            .message_timeout_ms = CONTROL_MESSAGE_TIMEOUT_MS,
            .idle_timeout_ms = (unsigned)(b->settings->limits.idle_timeout_s * 1000),
            .write_through = true,
            .on_closed = on_closed}};
    LIST_INIT(&c->all);
    if (fd < 0)
        return c;
    c->door = door_open(b->base, TAKE_FD(fd), &door_ops, c);
    if (!c->door) {
        free(c);
        return NULL;
    }
    return c;
}

/* The workers are leaving and would never answer. */
static void end_reload(struct control_conn *c)
{
    reload_cancel(c->control->broker->reload, c);
    on_reloaded(SPAN(STOPPING), c);
}

void control_stop(struct control *control)
{
    door_close(TAKE(control->door));
    for (struct control_conn *c = LIST_FIRST(&control->all), *next; c; c = next) {
        next = LIST_NEXT(c, next);
        if (c->reloading)
            end_reload(c);
    }
}

bool control_waiting(const struct control *control)
{
    const struct control_conn *c;
    LIST_FOREACH (c, &control->all, next)
        if (c->n_parts > 0)
            return true;
    return false;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    door_close(c->door);
    while (!LIST_EMPTY(&c->all))
        varlink_conn_free(LIST_FIRST(&c->all)->varlink);
    free(c);
}
