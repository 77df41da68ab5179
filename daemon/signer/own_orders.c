/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks of the ring. */
#include "cleanup.h"
#include "log.h"
#include "ring_change.h"

static void put_line(struct buf *lines, const char *text)
{
    buf_printf(lines, "%s\n", text);
}

static enum reason not_managed(struct buf *lines)
{
    put_line(lines, "The configuration brings the keys (Source=): name the next one in Next= and "
                    "reload.");
    return REASON_ROLL_REFUSED;
}

static enum reason not_written(struct buf *lines)
{
    put_line(lines, "It could not be written to the disk (journalctl -u s2sd-signer); nothing has "
                    "changed.");
    return REASON_INTERNAL;
}

static struct roll_arg arg_of(const struct key_order *o)
{
    return (struct roll_arg){
        .effective_at = o->effective_at, .force = o->force, .replace = o->force};
}

/* Judges the order; *ret_go: it is to be done. */
static enum reason judge(struct ring_change *c, enum roll_event ev, const struct roll_arg *arg,
    bool dry_run, struct buf *lines, bool *ret_go)
{
    enum reason reason = rollover_judge(&c->ring, ev, arg, &c->keys->rules.terms, c->now, lines);
    *ret_go = reason == REASON_OK && !dry_run;
    return reason;
}

/* Announces a key whose file is written only when nothing speaks against it. */
static enum reason stage(struct own_keys *k, const struct signkey *key, const struct key_order *o,
    int64_t now, struct buf *lines, struct own_keys_news *ret)
{
    struct ring_change c;
    struct roll_arg arg = arg_of(o);
    char why[OWN_KEYS_WHY_MAX];
    bool go;
    arg.cert = own_cert_copy(key);
    if (!arg.cert)
        return REASON_OUT_OF_MEMORY;
    ring_change_begin(&c, k, now);
    enum reason reason = judge(&c, EVENT_STAGE, &arg, o->dry_run, lines, &go);
    if (!go) {
        cert_free(arg.cert);
        ring_change_undo(&c);
        return reason;
    }
    if (key_files_store(k->state_dir, key, why) < 0) {
        log_err("%s", why);
        cert_free(arg.cert);
        ring_change_undo(&c);
        return not_written(lines);
    }
    reason = ring_change_step(&c, EVENT_STAGE, &arg);
    if (reason == REASON_OK && ring_change_commit(&c, ret) < 0)
        reason = not_written(lines);
    if (reason != REASON_OK && !keyring_find(&k->ring, signkey_cert(key)->x5t_s256) &&
        key_files_wipe(k->state_dir, signkey_cert(key)) < 0)
        log_warning("a key file that is not used could not be destroyed");
    return reason;
}

enum reason own_keys_stage(struct own_keys *k, struct signkey **key, const struct key_order *o,
    int64_t now, struct buf *lines, struct own_keys_news *ret)
{
    if (k->rules.terms.source != KEYS_MANAGED)
        return not_managed(lines);
    enum reason reason = stage(k, *key, o, now, lines, ret);
    if (reason != REASON_OK || o->dry_run)
        return reason;
    log_notice("the next key was brought by %s", o->who);
    signkey_freep(key);
    return REASON_OK;
}

/* An order on its way. */
struct roll_order {
    struct own_keys *keys;
    const struct msg_roll *asked;
    int64_t now;
    struct buf *lines;
    struct own_keys_news *news;
};

/* An event that brings no key. */
static enum reason order(const struct roll_order *o, enum roll_event ev, const struct roll_arg *arg)
{
    struct ring_change c;
    bool go;
    ring_change_begin(&c, o->keys, o->now);
    enum reason reason = judge(&c, ev, arg, o->asked->dry_run, o->lines, &go);
    if (go)
        reason = ring_change_step(&c, ev, arg);
    if (!go || reason != REASON_OK) {
        ring_change_undo(&c);
        return reason;
    }
    return ring_change_commit(&c, o->news) < 0 ? not_written(o->lines) : REASON_OK;
}

/* A key that is only looked at is not written; the one that is made in earnest is another. */
static enum reason prepare(const struct roll_order *r)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    const struct msg_roll *m = r->asked;
    struct key_order o = {
        .effective_at = m->effective_at, .force = m->force, .dry_run = m->dry_run};
    struct roll_arg arg = arg_of(&o);
    char why[OWN_KEYS_WHY_MAX];
    if (keyring_next(&r->keys->ring))
        return order(r, EVENT_DATE, &arg);
    if (r->keys->rules.terms.source != KEYS_MANAGED)
        return not_managed(r->lines);
    if (own_keys_new(r->keys, r->now, &key, why) < 0) {
        log_err("%s", why);
        put_line(r->lines, why);
        return REASON_INTERNAL;
    }
    put_line(r->lines, m->dry_run
                           ? "A key is made (this time only to look; it will be another one)."
                           : "A key is made.");
    return stage(r->keys, key, &o, r->now, r->lines, r->news);
}

enum reason own_keys_roll(struct own_keys *k, const struct msg_roll *m, int64_t now,
    struct buf *lines, struct own_keys_news *ret)
{
    static const enum roll_event events[] = {[ROLL_PREPARE] = EVENT_DATE,
        [ROLL_NOW] = EVENT_ROLL_NOW,
        [ROLL_ABORT] = EVENT_ABORT,
        [ROLL_WITHDRAW] = EVENT_WITHDRAW,
        [ROLL_CLEAR_PREVIOUS] = EVENT_CLEAR_PREVIOUS};
    struct roll_arg arg = {.force = m->force, .x5t = m->x5t};
    const struct roll_order o = {k, m, now, lines, ret};
    enum reason reason = m->op == ROLL_PREPARE ? prepare(&o) : order(&o, events[m->op], &arg);
    if (reason == REASON_OK && k->rules.terms.source != KEYS_MANAGED &&
        (m->op == ROLL_ABORT || m->op == ROLL_WITHDRAW))
        put_line(lines, "Remove it from Next= as well, or the next reload announces it again.");
    char who[256];
    if (!m->dry_run)
        log_notice("order of %s: %s", log_safe(m->who, who, sizeof(who)), reason_code(reason));
    return reason;
}
