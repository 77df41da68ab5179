/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_link.h"

#include "announce_judge.h"
#include "cleanup.h"
#include "link.h"
#include "log.h"
#include "minter.h"
#include "msg.h"
#include "validator.h"

#include <errno.h>
#include <string.h>

struct broker_link {
    struct worker *w;
    const struct broker_link_ops *ops;
    struct link *link;
    struct settings *prepared; /* read, not yet in force */
    struct announce_judge *announce;
};

/* A frame without fields. A broker that has gone is told elsewhere. */
static void send_bare(struct broker_link *b, enum msg_type type, uint32_t id, const char *what)
{
    uint8_t room[FRAME_HEAD];
    struct frame_out f;
    frame_start(&f, room, sizeof room, (uint16_t)type, id);
    int r = link_send(b->link, &f, -1);
    if (r < 0 && r != -EPIPE)
        log_err("the broker cannot be %s: %s", what, strerror(-r));
}

/* Trust. */

static void on_trust(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof *t);
    if (!t || partner_trust_get(f, t) != REASON_OK || !frame_end(f)) {
        link_drop(b->link, "trust that cannot be read");
        return;
    }
    /* Which keys are disputed is the broker's word too: nothing of the old copy is carried over. */
    store_remove(b->w->store, span_of(t->name));
    if (store_put(b->w->store, t) != REASON_OK) {
        /* Judging by half a store would be guessing (R45): a new worker starts with a whole one. */
        log_err("out of memory for the keys of a partner");
        (void)event_base_loopbreak(b->w->base);
        return;
    }
    validator_on_trust(b->w, span_of(t->name));
}

static void on_trust_gone(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    struct span name;
    if (!msg_name_get(f, &name)) {
        link_drop(b->link, "no partner's name");
        return;
    }
    store_remove(b->w->store, name);
    validator_on_trust(b->w, name);
}

/* A minter that cannot keep in mind whom to refuse must not go on: a new one hears all of it. */
static void on_suspended(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    struct msg_suspended m;
    if (!msg_suspended_get(f, &m)) {
        link_drop(b->link, "not a word on suspension");
        return;
    }
    if (!suspended_set(&b->w->suspended, m.partner, m.suspended)) {
        log_err("out of memory for a suspended partner");
        (void)event_base_loopbreak(b->w->base);
        return;
    }
    if (m.suspended)
        minter_on_suspended(b->w, m.partner);
}

static void on_synced(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    uint64_t generation;
    if (!msg_number_get(f, &generation)) {
        link_drop(b->link, "no generation");
        return;
    }
    if (b->w->synced)
        return;
    b->w->synced = true;
    b->ops->on_synced(b->w);
}

static void on_hint_done(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    struct msg_hint_done m;
    if (msg_hint_done_get(f, &m))
        validator_on_hint_done(b->w, &m);
    else
        link_drop(b->link, "not the answer to a hint");
}

/* Somebody who fetched our document says who he is. */
static void on_announce(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    struct span token;
    uint8_t room[4096];
    struct frame_out out;
    struct msg_announced m;
    if (!msg_name_get(f, &token)) {
        link_drop(b->link, "not an announcement");
        return;
    }
    announce_judge_token(b->announce, b->w, token, &m);
    frame_start(&out, room, sizeof room, MSG_ANNOUNCED, f->id);
    msg_announced_put(&out, &m);
    int r = link_send(b->link, &out, -1);
    if (r < 0 && r != -EPIPE)
        log_err("the broker cannot be told who announces: %s", strerror(-r));
}

/* Health and signer. */

static void on_health(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    struct msg_health h;
    if (!msg_health_get(f, &h)) {
        link_drop(b->link, "not a health message");
        return;
    }
    b->w->may_mint = h.may_mint;
    b->w->may_validate = h.may_validate;
}

static void on_signer_link(struct broker_link *b, struct frame_in *f, int *fd)
{
    if (!frame_end(f))
        link_drop(b->link, "left-over fields");
    else
        minter_on_signer_link(b->w, TAKE_FD(*fd));
}

static void on_signing_key(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    uint8_t x5t[X5T_LEN];
    if (msg_signing_key_get(f, x5t))
        minter_on_signing_key(b->w, x5t);
    else
        link_drop(b->link, "no thumbprint of a signing key");
}

/* Reload: both steps of every program must succeed (DESIGN 2). */

static void send_config_ready(struct broker_link *b, uint32_t id, const struct conf_errors *errors)
{
    static uint8_t room[FRAME_MAX];
    struct frame_out f;
    struct msg_config m = {.ok = b->prepared != NULL};
    if (b->prepared)
        memcpy(m.digest, b->prepared->digest, sizeof m.digest);
    m.errors = buf_span(&errors->text);
    if (m.errors.n > MSG_CONFIG_ERRORS_MAX)
        m.errors.n = MSG_CONFIG_ERRORS_MAX;
    frame_start(&f, room, sizeof room, MSG_CONFIG_READY, id);
    msg_config_put(&f, &m);
    int r = link_send(b->link, &f, -1);
    if (r < 0 && r != -EPIPE)
        log_err("the broker does not take our report on the configuration: %s", strerror(-r));
}

static void on_prepare(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    struct settings *s = NULL;
    if (!frame_end(f)) {
        link_drop(b->link, "left-over fields");
        return;
    }
    settings_freep(&b->prepared);
    if (settings_load(b->ops->config_dir, &errors, &s))
        b->prepared = s;
    send_config_ready(b, f->id, &errors);
}

static void on_commit(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    if (!frame_end(f) || !b->prepared)
        link_drop(b->link, "nothing to commit");
    else
        worker_commit(b->w, TAKE(b->prepared));
}

static void on_abort(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)f;
    (void)fd;
    settings_freep(&b->prepared);
}

/* Only a loop that turns can answer. */
static void on_ping(struct broker_link *b, struct frame_in *f, int *fd)
{
    (void)fd;
    if (frame_end(f))
        send_bare(b, MSG_PONG, f->id, "told that we are there");
    else
        link_drop(b->link, "left-over fields");
}

/* Which message goes where, and to which kind of worker. */
static const struct {
    enum msg_type type;
    unsigned kinds; /* a bit for each */
    void (*take)(struct broker_link *b, struct frame_in *f, int *fd);
} table[] = {
    {MSG_TRUST, 1 << WORKER_VALIDATOR, on_trust},
    {MSG_TRUST_GONE, 1 << WORKER_VALIDATOR, on_trust_gone},
    {MSG_SUSPENDED, 1 << WORKER_MINTER, on_suspended},
    {MSG_TRUST_SYNCED, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_synced},
    {MSG_HINT_DONE, 1 << WORKER_VALIDATOR, on_hint_done},
    {MSG_ANNOUNCE, 1 << WORKER_VALIDATOR, on_announce},
    {MSG_HEALTH, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_health},
    {MSG_SIGNER_LINK, 1 << WORKER_MINTER, on_signer_link},
    {MSG_SIGNING_KEY, 1 << WORKER_MINTER, on_signing_key},
    {MSG_CONFIG_PREPARE, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_prepare},
    {MSG_CONFIG_COMMIT, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_commit},
    {MSG_CONFIG_ABORT, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_abort},
    {MSG_PING, 1 << WORKER_VALIDATOR | 1 << WORKER_MINTER, on_ping},
};

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    struct broker_link *b = arg;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (f->type == (uint16_t)table[i].type && (table[i].kinds & 1U << b->w->kind)) {
            table[i].take(b, f, fd);
            return;
        }
    link_drop(l, "a message that is not for us");
}

static void on_closed(struct link *l, void *arg)
{
    (void)l;
    struct broker_link *b = arg;
    b->ops->on_end(b->w);
}

struct broker_link *broker_link_new(struct worker *w, int fd, const struct broker_link_ops *ops)
{
    struct broker_link *b = calloc(1, sizeof *b);
    if (!b) {
        close(fd);
        return NULL;
    }
    b->w = w;
    b->ops = ops;
    b->announce = announce_judge_new();
    b->link = link_new(w->base, fd, on_frame, on_closed, b);
    if (b->link && b->announce)
        return b;
    broker_link_free(b);
    return NULL;
}

void broker_link_free(struct broker_link *b)
{
    if (!b)
        return;
    link_free(b->link);
    settings_freep(&b->prepared);
    announce_judge_free(b->announce);
    free(b);
}

void broker_link_ready(struct broker_link *b)
{
    send_bare(b, MSG_WORKER_READY, link_next_id(b->link), "told that our doors are open");
}

void broker_link_ask_signer(struct broker_link *b)
{
    if (b)
        send_bare(b, MSG_SIGNER_LINK, link_next_id(b->link), "asked for a link to the signer");
}

bool broker_link_hint(struct broker_link *b, const struct msg_hint *m)
{
    uint8_t room[512];
    struct frame_out f;
    if (!b)
        return false;
    frame_start(&f, room, sizeof room, MSG_HINT, link_next_id(b->link));
    msg_hint_put(&f, m);
    return link_send(b->link, &f, -1) == 0;
}
