/* SPDX-License-Identifier: Apache-2.0 */
/* Our own keys: who has seen them, and rolling them. What the signer knows it judges itself (lead,
 * dates); what partners and the pool have seen is judged here, before it is asked. */
#include "control.h"

#include "cleanup.h"
#include "control_conn.h"
#include "control_views.h"
#include "log.h"

#define ROLL_NOTES_MAX 65536

static void run_list_keys(struct varlink_call *call, const void *args)
{
    (void)args;
    control_view(call, view_own_keys);
}

/* ---- answers ---- */

static void refuse(struct varlink_call *call, enum reason reason, struct span lines)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    json_out_str(&j, "reason", reason_code(reason));
    json_out_str(&j, "sentence", reason_sentence(reason));
    control_put_lines(&j, "lines", lines);
    json_out_object_end(&j);
    varlink_error(call, CONTROL_INTERFACE ".RollRefused", b.failed ? SPAN("") : buf_span(&b));
}

/* The order of this connection is over; its call may be answered. */
static struct varlink_call *order_end(struct control_conn *c)
{
    c->is_rolling = false;
    return varlink_conn_call(c->varlink);
}

static void answer(struct control_conn *c, const struct msg_rolled *m)
{
    CLEANUP(buf_done) struct buf lines = c->roll_notes;
    c->roll_notes = BUF_INIT(0);
    buf_put_span(&lines, m->detail);
    bool is_dry = c->dry_run;
    struct varlink_call *call = order_end(c);
    if (m->reason != REASON_OK) {
        refuse(call, m->reason, lines.failed ? m->detail : buf_span(&lines));
        return;
    }
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    control_put_lines(&j, "lines", lines.failed ? m->detail : buf_span(&lines));
    json_out_bool(&j, "changed", !is_dry);
    control_reply(call, &b, &j);
}

void control_on_rolled(struct control *control, uint32_t id, const struct msg_rolled *m)
{
    struct control_conn *c;
    LIST_FOREACH (c, &control->all, next)
        if (c->is_rolling && c->roll_id == id) {
            answer(c, m); /* the connection may be gone */
            return;
        }
}

#define SIGNER_LOST                                                                                \
    "the signer went away before it answered: s2sctl cert list tells what became of it\n"

void control_on_signer_lost(struct control *control)
{
    static const struct msg_rolled lost = {
        .reason = REASON_SIGNER_AWAY, .detail = SPAN(SIGNER_LOST)};
    for (struct control_conn *c = LIST_FIRST(&control->all), *next; c; c = next) {
        next = LIST_NEXT(c, next);
        if (c->is_rolling)
            answer(c, &lost);
    }
}

void control_keys_closed(struct control_conn *c)
{
    buf_done(&c->roll_notes);
}

/* ---- orders ---- */

struct order {
    struct msg_roll roll;
    /* The key that would begin to sign by it; NULL: none would. */
    const struct ring_slot *begins;
};

/* True: the caller may order that at all. */
static bool may_order(struct varlink_call *call, bool force)
{
    return control_permitted(call, RIGHT_ROLL) && (!force || control_permitted(call, RIGHT_FORCE));
}

/* What stands against the key that would begin to sign, a line each. Returns how many. */
static size_t put_objections(const struct broker *b, const struct ring_slot *key, struct buf *lines)
{
    char why[ROLLOUT_TEXT_MAX];
    size_t n =
        rollout_missing(b->settings, witness_sightings(b->witness), key->cert->x5t_s256, lines);
    if (pool_all_publish(b->pool, key->cert->x5t_s256, why, sizeof(why)))
        return n;
    buf_printf(lines, "%s\n", why);
    return n + 1;
}

/* Sends the order, or says why not. */
static void give_order(struct varlink_call *call, struct order *o)
{
    struct control_conn *c = control_conn_of(call);
    struct broker *b = c->control->broker;
    CLEANUP(buf_done) struct buf lines = BUF_INIT(ROLL_NOTES_MAX);
    char who[64];
    if (o->begins && put_objections(b, o->begins, &lines) > 0 && !o->roll.force) {
        refuse(call, REASON_ROLL_REFUSED, buf_span(&lines));
        return;
    }
    snprintf(who, sizeof(who), "uid %u over io.s2sd.control", (unsigned)control_uid(call));
    o->roll.who = span_of(who);
    if (signer_link_roll(b->signer, &o->roll, &c->roll_id) < 0) {
        refuse(call, REASON_SIGNER_AWAY, SPAN("systemctl status s2sd-signer\n"));
        return;
    }
    c->is_rolling = true;
    c->dry_run = o->roll.dry_run;
    buf_done(&c->roll_notes);
    c->roll_notes = lines;
    lines = BUF_INIT(0);
}

struct roll_args {
    struct span op, thumbprint;
    int64_t effective_at;
    bool force, dry_run;
};

static bool read_op(struct span text, enum roll_op *ret)
{
    static const struct {
        const char *name;
        enum roll_op op;
    } ops[] = {{"prepare", ROLL_PREPARE}, {"now", ROLL_NOW}, {"abort", ROLL_ABORT}};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (span_eq_str(text, ops[i].name)) {
            *ret = ops[i].op;
            return true;
        }
    return false;
}

static void run_roll(struct varlink_call *call, const void *args)
{
    const struct roll_args *a = args;
    struct order o = {
        .roll = {.effective_at = a->effective_at, .force = a->force, .dry_run = a->dry_run}};
    if (!read_op(a->op, &o.roll.op)) {
        varlink_invalid(call, "op");
        return;
    }
    if (a->effective_at < 0 || (a->effective_at > 0 && o.roll.op != ROLL_PREPARE)) {
        varlink_invalid(call, "effectiveAt");
        return;
    }
    if (!may_order(call, a->force))
        return;
    if (o.roll.op == ROLL_NOW)
        o.begins = rollout_next(signer_link_ring(control_broker(call)->signer));
    give_order(call, &o);
}

/* By thumbprint in hexadecimal of either case, or as x5t. */
static const struct ring_slot *slot_named(const struct keyring *r, struct span name)
{
    for (size_t i = 0; r && i < r->n; i++) {
        char thumb[THUMBPRINT_TEXT_LEN], x5t[X5T_TEXT_LEN];
        const uint8_t *id = r->slots[i].cert->x5t;
        if (span_eq_nocase(name, span_of(thumbprint_text(id, thumb))) ||
            span_eq_str(name, x5t_text(id, x5t)))
            return &r->slots[i];
    }
    return NULL;
}

static void run_withdraw(struct varlink_call *call, const void *args)
{
    const struct roll_args *a = args;
    if (!may_order(call, a->force))
        return;
    const struct keyring *ring = signer_link_ring(control_broker(call)->signer);
    const struct ring_slot *slot = slot_named(ring, a->thumbprint);
    if (!slot) {
        control_error(call, "NoSuchKey", "thumbprint", a->thumbprint);
        return;
    }
    struct order o = {.roll = {.op = ROLL_WITHDRAW, .force = a->force, .dry_run = a->dry_run}};
    memcpy(o.roll.x5t, slot->cert->x5t, X5T_LEN);
    if (slot->state == KEY_CURRENT)
        o.begins = rollout_next(ring); /* it takes over */
    give_order(call, &o);
}

static void run_clear(struct varlink_call *call, const void *args)
{
    const struct roll_args *a = args;
    if (!may_order(call, a->force))
        return;
    struct order o = {
        .roll = {.op = ROLL_CLEAR_PREVIOUS, .force = a->force, .dry_run = a->dry_run}};
    give_order(call, &o);
}

/* ---- an administrator's word ---- */

static void put_confirmed(
    const struct broker *b, const struct partner *p, const struct keyring *ring, struct buf *lines)
{
    const char *why;
    for (size_t i = 0; i < ring->n; i++) {
        char thumb[THUMBPRINT_TEXT_LEN];
        const struct ring_slot *slot = &ring->slots[i];
        const struct sighting *s =
            sightings_of(witness_sightings(b->witness), span_of(p->name), slot->cert->x5t_s256);
        buf_printf(lines, "%s: key %s (%s): %s\n", p->name, thumbprint_text(slot->cert->x5t, thumb),
            key_state_name(slot->state), s ? sighting_how_name(s->how) : "could not be noted");
    }
    if (witness_held(b->witness, &why))
        buf_printf(lines, "the next key still waits: %s\n", why);
    else if (rollout_next(ring))
        buf_put_str(lines, "the next key waits for nobody\n");
}

static void run_confirm(struct varlink_call *call, const void *args)
{
    const struct control_name_args *a = args;
    if (!control_permitted(call, RIGHT_ROLL))
        return;
    struct broker *b = control_broker(call);
    const struct partner_entry *e = control_partner(call, a->name);
    if (!e)
        return;
    const struct keyring *ring = signer_link_ring(b->signer);
    if (!ring) {
        refuse(call, REASON_SIGNER_AWAY, SPAN("our keys are not known yet\n"));
        return;
    }
    struct edition all;
    edition_of(ring, &all);
    log_notice("control: uid %u says that partner %s has our keys", (unsigned)control_uid(call),
        e->partner->name);
    witness_saw(b->witness, span_of(e->partner->name), &all, SIGHTING_CONFIRMED);
    CLEANUP(buf_done) struct buf lines = BUF_INIT(ROLL_NOTES_MAX);
    CLEANUP(buf_done) struct buf out;
    struct json_out j;
    put_confirmed(b, e->partner, ring, &lines);
    control_start(&out, &j);
    control_put_lines(&j, "lines", buf_span(&lines));
    control_reply(call, &out, &j);
}

/* ---- the group ---- */

#define FIELD(name_, type, member, need)                                                           \
    {                                                                                              \
        name_, type, offsetof(struct roll_args, member), need                                      \
    }
#define HOW                                                                                        \
    FIELD("force", JSON_BOOL, force, JSON_OPTIONAL),                                               \
        FIELD("dryRun", JSON_BOOL, dry_run, JSON_OPTIONAL)

static const struct json_field roll_fields[] = {FIELD("op", JSON_STRING, op, JSON_MANDATORY),
    FIELD("effectiveAt", JSON_NUMBER, effective_at, JSON_OPTIONAL), HOW};
static const struct json_field withdraw_fields[] = {
    FIELD("thumbprint", JSON_STRING, thumbprint, JSON_MANDATORY), HOW};
static const struct json_field clear_fields[] = {HOW};

#define METHOD(name_, fields_, run_)                                                               \
    {                                                                                              \
        .name = (name_), .fields = (fields_), .n_fields = ARRAY_LEN(fields_),                      \
        .size = sizeof(struct roll_args), .run = (run_)                                            \
    }

static const struct varlink_method methods[] = {
    {.name = "ListKeys", .run = run_list_keys},
    METHOD("RollKey", roll_fields, run_roll),
    METHOD("WithdrawKey", withdraw_fields, run_withdraw),
    METHOD("ClearPrevious", clear_fields, run_clear),
    {.name = "Confirm",
        .fields = control_name_mandatory,
        .n_fields = ARRAY_LEN(control_name_mandatory),
        .size = sizeof(struct control_name_args),
        .run = run_confirm},
};

const struct control_group control_keys = {methods, ARRAY_LEN(methods)};
