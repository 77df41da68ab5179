/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that wait for others: a fetch of partners' documents, a reload of every program. */
#include "control.h"

#include "cleanup.h"
#include "control_conn.h"
#include "log.h"

/* Refresh. */

static void parts_free(struct control_conn *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        free(c->parts[i].name);
    free(c->parts);
    c->parts = NULL;
    c->n_parts = 0;
}

static bool all_ended(const struct control_conn *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].answered_by > 0)
            return false;
    return true;
}

static void answer_refresh(struct control_conn *c)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
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
    parts_free(c);
    control_reply(varlink_conn_call(c->varlink), &b, &j);
}

static bool add_part(struct control_conn *c, struct partner_entry *e)
{
    struct refresh_part *p = &c->parts[c->n_parts];
    *p = (struct refresh_part){.name = strdup(e->partner->name), .reason = REASON_PARTNER_DISABLED};
    if (!p->name)
        return false;
    p->answered_by = refresher_now(c->control->broker->refresher, e, c->peer.peer.uid);
    c->n_parts++;
    return true;
}

static void run_refresh(struct varlink_call *call, const void *args)
{
    const struct control_name_args *a = args;
    if (!control_permitted(call, RIGHT_REFRESH))
        return;
    struct control_conn *c = control_conn_of(call);
    struct partners *ps = c->control->broker->partners;
    struct partner_entry *only = a->name.p ? control_partner(call, a->name) : NULL;
    if (a->name.p && !only)
        return;
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

bool control_waiting(const struct control *control)
{
    const struct control_conn *c;
    LIST_FOREACH (c, &control->all, next)
        if (c->n_parts > 0)
            return true;
    return false;
}

/* Reload. */

#define STOPPING "s2sd: is being stopped\n"

static void on_reloaded(struct span errors, void *arg)
{
    struct control_conn *c = arg;
    struct varlink_call *call = varlink_conn_call(c->varlink);
    c->reloading = false;
    if (errors.n > 0)
        control_error(call, "ConfigRefused", "errors", errors);
    else
        varlink_reply(call, SPAN(""), false);
}

static void run_reload(struct varlink_call *call, const void *args)
{
    (void)args;
    if (!control_permitted(call, RIGHT_RELOAD))
        return;
    struct control_conn *c = control_conn_of(call);
    struct broker *b = c->control->broker;
    c->reloading = !b->stopping && reload_start(b->reload, on_reloaded, c);
    if (!c->reloading)
        control_error(call, "ConfigRefused", "errors",
            b->stopping ? SPAN(STOPPING) : SPAN("s2sd: out of memory\n"));
}

void control_refresh_stop(struct control_conn *c)
{
    if (!c->reloading)
        return;
    reload_cancel(c->control->broker->reload, c);
    on_reloaded(SPAN(STOPPING), c);
}

void control_refresh_closed(struct control_conn *c)
{
    if (c->reloading)
        reload_cancel(c->control->broker->reload, c);
    parts_free(c);
}

static const struct varlink_method methods[] = {
    {.name = "Refresh",
        .fields = control_name_optional,
        .n_fields = ARRAY_LEN(control_name_optional),
        .size = sizeof(struct control_name_args),
        .run = run_refresh},
    {.name = "Reload", .run = run_reload},
};

const struct control_group control_refresh = {methods, ARRAY_LEN(methods)};
