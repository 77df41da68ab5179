/* SPDX-License-Identifier: Apache-2.0 */
#include "own_signature.h"

#include "cleanup.h"
#include "clock.h"
#include "log.h"

#include <errno.h>

/* The wall clock may be set: it is looked at so often. */
#define LOOK_EVERY_S 3600

struct own_signature {
    const struct own_signature_ops *ops;
    void *arg;
    struct event *timer;
    bool wanted;
    uint64_t ring;    /* the signer's ring, 0: none yet */
    uint64_t of_ring; /* that the token speaks of */
    char *token;      /* owned; NULL: none */
    int64_t signed_at, expires_at;
    uint32_t question; /* that is not answered yet, 0: none */
    int64_t wait_ms;   /* the ring is not published before that, monotonic; 0: it may be */
    int64_t ask_ms;    /* asked not before that, monotonic */
    unsigned failures; /* in a row */
};

static bool is_due(const struct own_signature *o)
{
    int64_t now = clock_wall_s();
    if (!o->token || o->of_ring != o->ring)
        return true;
    /* Half of its life, or a clock that was set back to before it was made. */
    return now >= o->signed_at + (o->expires_at - o->signed_at) / 2 || now + 60 < o->signed_at;
}

static void arm(struct own_signature *o)
{
    int64_t now = clock_mono_ms(), next = now + LOOK_EVERY_S * 1000;
    if (o->wanted && o->ring && o->question == 0 && is_due(o))
        next = o->ask_ms;
    if (o->wait_ms > 0 && o->wait_ms < next)
        next = o->wait_ms;
    int64_t ms = next > now ? next - now : 0;
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};
    if (event_add(o->timer, &tv) < 0)
        log_err("no memory for a timer; our document's signature may run out");
}

static void ask_later(struct own_signature *o)
{
    int64_t pause_s = OWN_SIGNATURE_RETRY_S;
    for (unsigned i = 0; i < o->failures && pause_s < OWN_SIGNATURE_RETRY_MAX_S; i++)
        pause_s *= 2;
    if (pause_s > OWN_SIGNATURE_RETRY_MAX_S)
        pause_s = OWN_SIGNATURE_RETRY_MAX_S;
    o->failures++;
    o->ask_ms = clock_mono_ms() + pause_s * 1000;
}

static void ask(struct own_signature *o)
{
    const struct msg_sign m = {.kind = SIGN_DOCUMENT};
    int r = o->ops->sign(&m, &o->question, o->arg);
    if (r == 0)
        return;
    o->question = 0;
    if (r != -ENOTCONN) /* away: its ring will come */
        log_warning("our document's signature cannot be asked for: %s", strerror(-r));
    ask_later(o);
}

static void ask_if_due(struct own_signature *o)
{
    if (o->wanted && o->ring && o->question == 0 && is_due(o) && clock_mono_ms() >= o->ask_ms)
        ask(o);
    arm(o);
}

/* Nobody waits any longer. */
static void release(struct own_signature *o)
{
    o->wait_ms = 0;
    o->ops->on_changed(o->arg);
}

void own_signature_wake(struct own_signature *o)
{
    if (o->wait_ms > 0 && clock_mono_ms() >= o->wait_ms) {
        log_err("our document is published without a new signature: the signer gives none");
        release(o);
    }
    ask_if_due(o);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    own_signature_wake(arg);
}

void own_signature_use(struct own_signature *o, const struct settings *s)
{
    o->wanted = s->metadata.is_signed;
    o->ask_ms = 0;
    o->failures = 0;
    if (!o->wanted) {
        free(TAKE(o->token));
        o->question = 0;
        if (o->wait_ms > 0)
            release(o);
    }
    ask_if_due(o);
}

void own_signature_ring(struct own_signature *o, uint64_t generation)
{
    bool is_new = generation != o->ring || !o->token;
    o->ring = generation;
    o->question = 0; /* an answer of before speaks of another ring */
    o->ask_ms = 0;
    if (o->wanted && is_new)
        o->wait_ms = clock_mono_ms() + OWN_SIGNATURE_WAIT_S * 1000;
    ask_if_due(o);
}

void own_signature_lost(struct own_signature *o)
{
    o->question = 0;
    ask_later(o);
    arm(o);
}

static bool keep(struct own_signature *o, const struct msg_signed *m)
{
    char *token = strndup(m->token.p, m->token.n);
    if (!token)
        return false;
    free(o->token);
    o->token = token;
    o->of_ring = o->ring;
    o->signed_at = clock_wall_s();
    o->expires_at = m->expires_at;
    return true;
}

bool own_signature_signed(struct own_signature *o, uint32_t id, const struct msg_signed *m)
{
    if (o->question == 0 || id != o->question)
        return false;
    o->question = 0;
    enum reason r = m->reason;
    if (r == REASON_OK && (m->token.n == 0 || !keep(o, m)))
        r = REASON_OUT_OF_MEMORY;
    if (r == REASON_OK) {
        o->failures = 0;
        release(o);
    } else {
        if (o->failures == 0)
            log_err("our document is not signed: %s", reason_sentence(r));
        ask_later(o);
    }
    arm(o);
    return true;
}

struct span own_signature_token(const struct own_signature *o)
{
    return span_of(o->token);
}

bool own_signature_waits(const struct own_signature *o)
{
    return o->wait_ms > 0;
}

struct own_signature *own_signature_new(
    struct event_base *base, const struct own_signature_ops *ops, void *arg)
{
    struct own_signature *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    *o = (struct own_signature){.ops = ops, .arg = arg};
    o->timer = evtimer_new(base, on_timer, o);
    if (o->timer)
        return o;
    free(o);
    return NULL;
}

void own_signature_free(struct own_signature *o)
{
    if (!o)
        return;
    event_free(o->timer);
    free(o->token);
    free(o);
}
