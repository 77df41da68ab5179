/* SPDX-License-Identifier: Apache-2.0 */
/* Partners: how they stand, and what an administrator decides about them. */
#include "control.h"

#include "cleanup.h"
#include "clock.h"
#include "control_conn.h"
#include "control_views.h"
#include "log.h"
#include "operators.h"
#include "wiring.h"

#define WHO_MAX 32
#define ORDER_LINES_MAX 4

static void run_list(struct varlink_call *call, const void *args)
{
    (void)args;
    control_view(call, view_partners);
}

static void run_show(struct varlink_call *call, const void *args)
{
    const struct control_name_args *a = args;
    if (!control_permitted(call, RIGHT_STATUS))
        return;
    const struct partner_entry *e = control_partner(call, a->name);
    if (!e)
        return;
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_partner(control_broker(call), e, &j);
    control_reply(call, &b, &j);
}

/* Orders. They are answered when every worker has them. */

struct order_wait {
    LIST_ENTRY(order_wait) next;
    struct varlink_call *call;
    uint32_t fence; /* workers_fence */
    size_t n;
    char *lines[ORDER_LINES_MAX]; /* owned */
};

static void order_free(void *arg)
{
    struct order_wait *o = arg;
    LIST_REMOVE(o, next);
    for (size_t i = 0; i < o->n; i++)
        free(o->lines[i]);
    free(o);
}

/* An order that is being carried out; the caller may go away without ending it. NULL: there is no
 * memory, and nothing may be done. */
static struct order_wait *order_new(struct varlink_call *call)
{
    struct order_wait *o = calloc(1, sizeof(*o));
    if (!o) {
        control_error(call, "NotPermitted", "reason", SPAN("out of memory"));
        return NULL;
    }
    o->call = call;
    LIST_INSERT_HEAD(&control_conn_of(call)->control->orders, o, next);
    control_wait(call, order_free, o);
    return o;
}

static void order_say(struct order_wait *o, const char *fmt, ...) PRINTF(2, 3);
static void order_say(struct order_wait *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (o->n < ORDER_LINES_MAX && vasprintf(&o->lines[o->n], fmt, ap) >= 0)
        o->n++;
    va_end(ap);
}

static void order_answer(struct order_wait *o)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    struct varlink_call *call = o->call;
    control_start(&b, &j);
    json_out_array(&j, "lines");
    for (size_t i = 0; i < o->n; i++)
        json_out_str(&j, NULL, o->lines[i]);
    json_out_array_end(&j);
    control_waited(call);
    order_free(o);
    control_reply(call, &b, &j);
}

void control_on_fence(struct control *control, uint32_t passed)
{
    for (struct order_wait *o = LIST_FIRST(&control->orders), *next; o; o = next) {
        next = LIST_NEXT(o, next);
        if (o->fence != 0 && o->fence <= passed)
            order_answer(o);
    }
}

/* The state of `e` is another one: kept, told to every worker, and then answered. */
static void order_enforce(struct order_wait *o, struct partner_entry *e)
{
    struct broker *b = control_broker(o->call);
    partners_save(b->partners, e);
    if (e->save_failed)
        order_say(o, "It could not be kept on disk (see the log): a restart would end it.");
    wiring_trust_moved(b, e);
    workers_suspended(b->workers, e);
    o->fence = workers_fence(b->workers);
    if (o->fence == 0)
        order_answer(o);
}

static void who_asks(const struct varlink_call *call, char out[WHO_MAX])
{
    snprintf(out, WHO_MAX, "uid %u", (unsigned)control_uid(call));
}

static void tell_order(const struct partner_entry *e, const char *what, const char *who)
{
    struct log_field fields[] = {{"TRUST_PARTNER", e->partner->name}};
    (void)log_record(LOG_L_WARNING, NULL, fields, ARRAY_LEN(fields), "partner %s: %s by %s",
        e->partner->name, what, who);
}

static void suspend(struct varlink_call *call, const struct control_name_args *a, bool suspend)
{
    char who[WHO_MAX];
    if (!control_permitted(call, RIGHT_BAR))
        return;
    struct partner_entry *e = control_partner(call, a->name);
    struct order_wait *o = e ? order_new(call) : NULL;
    if (!o)
        return;
    who_asks(call, who);
    const char *name = e->partner->name;
    if (!operators_suspend(&e->state, suspend, who, clock_wall_s())) {
        order_say(
            o, "%s is%s suspended already; nothing was changed.", name, suspend ? "" : " not");
        order_answer(o);
        return;
    }
    tell_order(e, suspend ? "suspended" : "resumed", who);
    if (suspend)
        order_say(o, "%s is suspended: its tokens are refused and none are minted for it.", name);
    else
        order_say(o, "%s is resumed: its tokens are judged and minted as configured.", name);
    order_enforce(o, e);
}

static void run_suspend(struct varlink_call *call, const void *args)
{
    suspend(call, args, true);
}

static void run_resume(struct varlink_call *call, const void *args)
{
    suspend(call, args, false);
}

struct bar_args {
    struct span name, key;
    bool bar;
};

static void no_such_key(struct varlink_call *call, const struct partner_entry *e, struct span key)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    char thumb[THUMBPRINT_TEXT_LEN];
    control_start(&b, &j);
    json_out_span(&j, "key", key);
    json_out_array(&j, "known");
    for (size_t i = 0; i < e->state.trust.n_keys; i++)
        json_out_str(&j, NULL, thumbprint_text(e->state.trust.keys[i].x5t, thumb));
    json_out_array_end(&j);
    json_out_object_end(&j);
    varlink_error(call, CONTROL_INTERFACE ".NoSuchPartnerKey", b.failed ? SPAN("") : buf_span(&b));
}

static void bar(struct order_wait *o, struct partner_entry *e, struct partner_key *k, bool bar)
{
    char who[WHO_MAX], thumb[THUMBPRINT_TEXT_LEN], what[128];
    who_asks(o->call, who);
    thumbprint_text(k->x5t, thumb);
    if (!operators_bar(&e->state, k, bar, who, clock_wall_s())) {
        order_say(o, "Key %s of %s is%s barred already; nothing was changed.", thumb,
            e->partner->name, bar ? "" : " not");
        order_answer(o);
        return;
    }
    snprintf(what, sizeof(what), "key %s %s", thumb, bar ? "barred" : "unbarred");
    tell_order(e, what, who);
    if (bar)
        order_say(o, "Key %s of %s is barred: what it signed is refused.", thumb, e->partner->name);
    else
        order_say(o, "Key %s of %s is no longer barred; it is %s.", thumb, e->partner->name,
            partner_key_state_name(k->state));
    order_enforce(o, e);
}

static void run_bar(struct varlink_call *call, const void *args)
{
    const struct bar_args *a = args;
    if (!control_permitted(call, RIGHT_BAR))
        return;
    struct partner_entry *e = control_partner(call, a->name);
    struct partner_key *k = e ? operators_key(&e->state, a->key) : NULL;
    if (e && !k)
        no_such_key(call, e, a->key);
    struct order_wait *o = k ? order_new(call) : NULL;
    if (o)
        bar(o, e, k, a->bar);
}

static void cannot_approve(struct varlink_call *call, const struct judged *j)
{
    CLEANUP(buf_done) struct buf b;
    CLEANUP(buf_done) struct buf sentence = BUF_INIT(1024);
    struct json_out out;
    bool nothing = j->reason == REASON_NEVER_FETCHED;
    buf_printf(&sentence, "%s%s%s%s",
        nothing ? "No document is held, and every key of the last one is believed"
                : reason_sentence(j->reason),
        j->detail[0] ? " (" : "", j->detail, j->detail[0] ? ")" : "");
    control_start(&b, &out);
    json_out_str(&out, "reason", reason_code(j->reason));
    json_out_span(&out, "sentence", buf_span(&sentence));
    json_out_object_end(&out);
    varlink_error(call, CONTROL_INTERFACE ".NothingToApprove", b.failed ? SPAN("") : buf_span(&b));
}

/* What the partner publishes now is asked for right after: the approved document may be old. */
static void approve(
    struct order_wait *o, struct partner_entry *e, const char *before, const struct judged *j)
{
    char after[1024], who[WHO_MAX];
    who_asks(o->call, who);
    judge_thumbprints(&e->state.trust, after, sizeof(after));
    struct log_field fields[] = {
        {"TRUST_PARTNER", e->partner->name}, {"TRUST_KEYS_OLD", before}, {"TRUST_KEYS_NEW", after}};
    (void)log_record(LOG_L_WARNING, NULL, fields, ARRAY_LEN(fields),
        "partner %s: document approved by %s: keys %s -> %s%s", e->partner->name, who, before,
        after, j->changes.all_replaced ? " (all were replaced at once)" : "");
    order_say(o, "The document of %s is taken; its keys are now %s.", e->partner->name, after);
    (void)refresher_now(control_broker(o->call)->refresher, e, control_uid(o->call));
    order_enforce(o, e);
}

static void run_approve(struct varlink_call *call, const void *args)
{
    const struct control_name_args *a = args;
    char before[1024], who[WHO_MAX];
    struct judged j;
    if (!control_permitted(call, RIGHT_APPROVE))
        return;
    struct broker *b = control_broker(call);
    struct partner_entry *e = control_partner(call, a->name);
    struct order_wait *o = e ? order_new(call) : NULL;
    if (!o)
        return;
    who_asks(call, who);
    judge_thumbprints(&e->state.trust, before, sizeof(before));
    const struct judge_approval by = {who, partners_others(b->partners)};
    judge_approve(&e->state, e->partner, &b->settings->identity, &by, clock_wall_s(), &j);
    if (j.reason == REASON_OK) {
        approve(o, e, before, &j);
        return;
    }
    control_waited(call);
    order_free(o);
    cannot_approve(call, &j);
}

#define A(field) offsetof(struct bar_args, field)
static const struct json_field bar_fields[] = {
    {"name", JSON_STRING, A(name), JSON_MANDATORY},
    {"key", JSON_STRING, A(key), JSON_MANDATORY},
    {"bar", JSON_BOOL, A(bar), JSON_MANDATORY},
};

#define BY_NAME                                                                                    \
    .fields = control_name_mandatory, .n_fields = ARRAY_LEN(control_name_mandatory),               \
    .size = sizeof(struct control_name_args)
static const struct varlink_method methods[] = {
    {.name = "ListPartners", .run = run_list},
    {.name = "ShowPartner", BY_NAME, .run = run_show},
    {.name = "BarKey",
        .fields = bar_fields,
        .n_fields = ARRAY_LEN(bar_fields),
        .size = sizeof(struct bar_args),
        .run = run_bar},
    {.name = "Suspend", BY_NAME, .run = run_suspend},
    {.name = "Resume", BY_NAME, .run = run_resume},
    {.name = "Approve", BY_NAME, .run = run_approve},
};

const struct control_group control_partners = {methods, ARRAY_LEN(methods)};
