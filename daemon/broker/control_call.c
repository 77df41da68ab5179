/* SPDX-License-Identifier: Apache-2.0 */
#include "control_call.h"

#include "cleanup.h"
#include "control_conn.h"
#include "log.h"

const struct json_field control_name_optional[1] = {
    {"name", JSON_STRING, offsetof(struct control_name_args, name), JSON_OPTIONAL}};
const struct json_field control_name_mandatory[1] = {
    {"name", JSON_STRING, offsetof(struct control_name_args, name), JSON_MANDATORY}};

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

bool control_permitted(struct varlink_call *call, enum right right)
{
    struct control_conn *c = control_conn_of(call);
    if (may(c, right))
        return true;
    char reason[256];
    snprintf(reason, sizeof(reason), "No [Client] rule gives uid %u the right %s",
        (unsigned)c->peer.peer.uid, right_name(right));
    tell_refusal(c, right);
    control_error(call, "NotPermitted", "reason", span_of(reason));
    return false;
}

/* Who, and about whom. */

struct broker *control_broker(const struct varlink_call *call)
{
    return control_conn_of(call)->control->broker;
}

uid_t control_uid(const struct varlink_call *call)
{
    return control_conn_of(call)->peer.peer.uid;
}

struct partner_entry *control_partner(struct varlink_call *call, struct span name)
{
    struct partner_entry *e = partners_find(control_broker(call)->partners, name);
    if (!e)
        control_error(call, "NoSuchPartner", "name", name);
    return e;
}

/* Answers. */

void control_start(struct buf *b, struct json_out *j)
{
    *b = BUF_INIT(CONTROL_ANSWER_MAX);
    json_out_start(j, b);
    json_out_object(j, NULL);
}

void control_error(
    struct varlink_call *call, const char *error, const char *field, struct span value)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    char name[128];
    control_start(&b, &j);
    json_out_span(&j, field, value);
    json_out_object_end(&j);
    snprintf(name, sizeof(name), CONTROL_INTERFACE ".%s", error);
    varlink_error(call, name, b.failed ? SPAN("") : buf_span(&b));
}

void control_reply(struct varlink_call *call, struct buf *b, struct json_out *j)
{
    json_out_object_end(j);
    if (b->failed) {
        log_err("control: an answer does not fit into memory");
        varlink_error(call, "org.varlink.service.MethodNotImplemented", SPAN(""));
        return;
    }
    varlink_reply(call, buf_span(b), false);
}

void control_put_lines(struct json_out *j, const char *name, struct span lines)
{
    json_out_array(j, name);
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        if (n > 0)
            json_out_span(j, NULL, (struct span){lines.p, n});
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
    json_out_array_end(j);
}

/* Answers that come later. */

void control_view(
    struct varlink_call *call, void (*view)(const struct broker *b, struct json_out *j))
{
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view(control_broker(call), &j);
    control_reply(call, &b, &j);
}

void control_wait(struct varlink_call *call, void (*on_gone)(void *arg), void *arg)
{
    struct control_conn *c = control_conn_of(call);
    c->on_gone = on_gone;
    c->gone_arg = arg;
}

void control_waited(struct varlink_call *call)
{
    control_wait(call, NULL, NULL);
}
