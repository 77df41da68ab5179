/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover.h"

#include <assert.h>

/* One event on its way through the slots. */
struct step {
    struct keyring *ring;
    const struct roll_arg *arg;
    const struct roll_terms *terms;
    int64_t now;
    int64_t stamp;                /* now, but never before what the ring has seen */
    const struct ring_slot *heir; /* takes over from CURRENT */
    bool is_relieved;             /* CURRENT ends: an heir is there, or comes from outside */
    bool has_choice;              /* CURRENT could go on signing */
    bool has_moved;               /* a key came, or changed its state */
    enum roll_event ev;
    unsigned todo;
};

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The moments before the end of a certificate; of a short life they are a part. */
static int64_t before_end(const struct ring_slot *slot, int64_t s, int part)
{
    const struct cert *c = slot->cert;
    return c->not_after - min_of(s, (c->not_after - c->not_before) / part);
}

int64_t rollover_last_moment(const struct ring_slot *current)
{
    return before_end(current, ROLLOVER_LAST_MOMENT_S, 64);
}

static int64_t last_resort(const struct ring_slot *current)
{
    return before_end(current, ROLLOVER_LAST_RESORT_S, 16);
}

static int64_t prepare_s(const struct ring_slot *current, const struct roll_terms *t)
{
    int64_t life = current->cert->not_after - current->cert->not_before;
    return max_of(t->lead_s, min_of(t->prepare_before_s, life / 4));
}

/* When a managed ring needs a NEXT. */
static int64_t make_at(const struct ring_slot *current, const struct roll_terms *t)
{
    return before_end(current, ROLLOVER_ROLL_BEFORE_S, 8) - prepare_s(current, t);
}

int64_t rollover_default_date(const struct keyring *r, const struct roll_terms *t, int64_t now)
{
    const struct ring_slot *current = keyring_current(r);
    return min_of(now + prepare_s(current, t), max_of(last_resort(current), now + t->lead_s));
}

static bool in_dates(const struct ring_slot *slot, int64_t now)
{
    return slot->cert->not_before <= now && now < slot->cert->not_after;
}

bool rollover_is_led(const struct ring_slot *slot, const struct roll_terms *t, int64_t now)
{
    return t->lead_s == 0 || (slot->published_since && now - slot->published_since >= t->lead_s);
}

static int64_t lead_over_at(const struct ring_slot *slot, const struct roll_terms *t)
{
    if (t->lead_s == 0)
        return 0;
    return slot->published_since ? slot->published_since + t->lead_s : ROLLOVER_NEVER;
}

int64_t rollover_earliest(const struct keyring *r, const struct roll_terms *t)
{
    const struct ring_slot *next = keyring_next(r);
    return next ? max_of(lead_over_at(next, t), next->cert->not_before) : ROLLOVER_NEVER;
}

/* By date: when it comes, the lead is over, and nobody asks to wait who may. */
static int64_t regular(
    const struct ring_slot *next, const struct ring_slot *current, const struct roll_terms *t)
{
    if (!next->effective_at)
        return ROLLOVER_NEVER;
    int64_t at = next->effective_at;
    if (!next->forced)
        at = max_of(at, lead_over_at(next, t));
    if (next->held)
        at = max_of(at, last_resort(current));
    return at;
}

/* Before CURRENT's certificate ends, with the lead if that can be. */
static int64_t emergency(
    const struct ring_slot *next, const struct ring_slot *current, const struct roll_terms *t)
{
    int64_t lead = lead_over_at(next, t), last = rollover_last_moment(current);
    return lead < current->cert->not_after ? max_of(lead, last) : last;
}

int64_t rollover_activation(const struct keyring *r, const struct roll_terms *t)
{
    const struct ring_slot *next = keyring_next(r), *current = keyring_current(r);
    if (!next || !current)
        return ROLLOVER_NEVER;
    return max_of(
        next->cert->not_before, min_of(regular(next, current, t), emergency(next, current, t)));
}

static bool could_sign(const struct ring_slot *slot, int64_t now)
{
    return slot->can_sign && in_dates(slot, now);
}

/* CURRENT is outside its dates and NEXT is not due: a key that everybody knows already, else any
 * that is inside its own. */
static const struct ring_slot *stand_in(const struct keyring *r, int64_t now)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == KEY_PREVIOUS && could_sign(&r->slots[i], now))
            return &r->slots[i];
    const struct ring_slot *next = keyring_next(r);
    return next && could_sign(next, now) ? next : NULL;
}

static const struct ring_slot *heir_by_time(const struct step *x)
{
    const struct ring_slot *next = keyring_next(x->ring), *current = keyring_current(x->ring);
    if (next && could_sign(next, x->now) && rollover_activation(x->ring, x->terms) <= x->now)
        return next;
    return in_dates(current, x->now) ? NULL : stand_in(x->ring, x->now);
}

static bool is_named(const struct step *x, const struct ring_slot *slot)
{
    return memcmp(slot->cert->x5t, x->arg->x5t, X5T_LEN) == 0;
}

static const struct ring_slot *find_heir(const struct step *x)
{
    const struct ring_slot *known;
    switch (x->ev) {
    case EVENT_TICK:
        return heir_by_time(x);
    case EVENT_ROLL_NOW:
        return keyring_next(x->ring);
    case EVENT_WITHDRAW:
        return is_named(x, keyring_current(x->ring)) ? keyring_next(x->ring) : NULL;
    case EVENT_ADOPT:
        known = keyring_find(x->ring, x->arg->cert->x5t_s256);
        return known && known->state != KEY_CURRENT ? known : NULL;
    default:
        return NULL;
    }
}

/* Guards. */

static bool always(const struct step *x, const struct ring_slot *slot)
{
    return x && slot;
}

static bool is_heir(const struct step *x, const struct ring_slot *slot)
{
    return slot == x->heir;
}

static bool is_relieved(const struct step *x, const struct ring_slot *slot)
{
    return slot && x->is_relieved;
}

/* Nobody needs this one any more: the last token it signed has ended. */
static bool is_over(const struct step *x, const struct ring_slot *slot)
{
    return slot->until <= x->now;
}

/* It has signed before it was NEXT, and its tokens live. */
static bool has_tokens(const struct step *x, const struct ring_slot *slot)
{
    return slot->until > x->now;
}

/* Its certificate has ended before it ever signed. */
static bool is_dead(const struct step *x, const struct ring_slot *slot)
{
    return slot->cert->not_after <= x->now;
}

/* Managed: its private part is gone, and nobody brings it again. */
static bool is_lost(const struct step *x, const struct ring_slot *slot)
{
    return x->terms->source == KEYS_MANAGED && !slot->can_sign;
}

static bool is_lost_with_tokens(const struct step *x, const struct ring_slot *slot)
{
    return is_lost(x, slot) && has_tokens(x, slot);
}

static bool is_dead_with_tokens(const struct step *x, const struct ring_slot *slot)
{
    return is_dead(x, slot) && has_tokens(x, slot);
}

static bool is_subject(const struct step *x, const struct ring_slot *slot)
{
    return memcmp(slot->cert->x5t_s256, x->arg->cert->x5t_s256, X5T_S256_LEN) == 0;
}

static bool is_unstamped(const struct step *x, const struct ring_slot *slot)
{
    return !slot->published_since && x->arg->generation == x->ring->generation;
}

static bool hears_news(const struct step *x, const struct ring_slot *slot)
{
    return memcmp(slot->cert->x5t_s256, x->arg->x5t_s256, X5T_S256_LEN) == 0 &&
           slot->held != x->arg->held;
}

/* The transition table. For each slot the first row that fits is taken, none: it stays. */
static const struct transition {
    enum key_state state;
    enum roll_event event;
    bool (*guard)(const struct step *x, const struct ring_slot *slot);
    enum key_state to;
    unsigned todo;
} transitions[] = {
    {KEY_NEXT, EVENT_TICK, is_heir, KEY_CURRENT, DO_SIGN},
    {KEY_NEXT, EVENT_TICK, is_dead_with_tokens, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_TICK, is_dead, KEY_RETIRED, DO_WIPE},
    {KEY_NEXT, EVENT_TICK, is_lost_with_tokens, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_TICK, is_lost, KEY_RETIRED, DO_WIPE},
    {KEY_CURRENT, EVENT_TICK, is_relieved, KEY_PREVIOUS, 0},
    {KEY_PREVIOUS, EVENT_TICK, is_heir, KEY_CURRENT, DO_SIGN | DO_WARN_DATES},
    {KEY_PREVIOUS, EVENT_TICK, is_over, KEY_RETIRED, DO_WIPE},
    {KEY_NEXT, EVENT_STAGE, is_subject, KEY_NEXT, DO_PERSIST | DO_PUBLISH},
    {KEY_NEXT, EVENT_STAGE, has_tokens, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_STAGE, always, KEY_RETIRED, DO_WIPE},
    {KEY_PREVIOUS, EVENT_STAGE, is_subject, KEY_NEXT, 0},
    {KEY_NEXT, EVENT_ADOPT, is_heir, KEY_CURRENT, DO_SIGN},
    {KEY_PREVIOUS, EVENT_ADOPT, is_heir, KEY_CURRENT, DO_SIGN},
    {KEY_CURRENT, EVENT_ADOPT, is_relieved, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_PUBLISHED, is_unstamped, KEY_NEXT, DO_PERSIST | DO_PUBLISH},
    {KEY_CURRENT, EVENT_PUBLISHED, is_unstamped, KEY_CURRENT, DO_PERSIST | DO_PUBLISH},
    {KEY_PREVIOUS, EVENT_PUBLISHED, is_unstamped, KEY_PREVIOUS, DO_PERSIST | DO_PUBLISH},
    {KEY_NEXT, EVENT_ROLL_NOW, is_heir, KEY_CURRENT, DO_SIGN},
    {KEY_CURRENT, EVENT_ROLL_NOW, is_relieved, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_ABORT, has_tokens, KEY_PREVIOUS, 0},
    {KEY_NEXT, EVENT_ABORT, always, KEY_RETIRED, DO_WIPE},
    {KEY_PREVIOUS, EVENT_CLEAR_PREVIOUS, always, KEY_RETIRED, DO_WIPE},
    {KEY_NEXT, EVENT_WITHDRAW, is_heir, KEY_CURRENT, DO_SIGN},
    {KEY_NEXT, EVENT_WITHDRAW, is_named, KEY_RETIRED, DO_WIPE},
    {KEY_CURRENT, EVENT_WITHDRAW, is_named, KEY_RETIRED, DO_WIPE},
    {KEY_PREVIOUS, EVENT_WITHDRAW, is_named, KEY_RETIRED, DO_WIPE},
    {KEY_NEXT, EVENT_HOLD, hears_news, KEY_NEXT, DO_PERSIST | DO_PUBLISH},
    {KEY_NEXT, EVENT_DATE, always, KEY_NEXT, DO_PERSIST | DO_PUBLISH},
};

static void set_date(struct step *x, struct ring_slot *slot)
{
    int64_t date = x->arg->effective_at;
    if (!date && x->ev == EVENT_DATE)
        date = slot->effective_at; /* nobody has said another */
    if (!date && x->terms->source == KEYS_MANAGED)
        date = rollover_default_date(x->ring, x->terms, x->now);
    slot->effective_at = date;
    slot->forced = x->arg->force && date && !rollover_is_led(slot, x->terms, date);
}

static void take_over(struct step *x, struct ring_slot *slot)
{
    bool is_ordered = slot->forced || x->ev != EVENT_TICK;
    slot->forced = !rollover_is_led(slot, x->terms, x->now);
    if (slot->forced)
        x->todo |= is_ordered ? DO_WARN_FORCED : DO_WARN_LATE;
    slot->until = 0;
    slot->effective_at = 0;
    slot->held = false;
}

/* What a slot notes when it stays. */
static void note(struct step *x, struct ring_slot *slot)
{
    if (x->ev == EVENT_PUBLISHED)
        slot->published_since = x->stamp;
    else if (x->ev == EVENT_HOLD)
        slot->held = x->arg->held;
    else
        set_date(x, slot);
}

static void move_to(struct step *x, struct ring_slot *slot, enum key_state to)
{
    if (slot->state == KEY_CURRENT)
        slot->until =
            max_of(x->terms->last_token_at, x->now) +
            (x->has_choice ? x->terms->keep_s : max_of(x->terms->keep_s, ROLLOVER_DOUBT_S));
    slot->state = to;
    slot->since = x->stamp;
    x->has_moved = true;
    if (to == KEY_CURRENT)
        take_over(x, slot);
    else if (to == KEY_NEXT)
        set_date(x, slot);
}

static void step_slot(struct step *x, struct ring_slot *slot)
{
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
        const struct transition *row = &transitions[i];
        if (row->state != slot->state || row->event != x->ev || !row->guard(x, slot))
            continue;
        x->todo |= row->todo;
        if (row->to == slot->state)
            note(x, slot);
        else
            move_to(x, slot, row->to);
        return;
    }
}

/* Retires the PREVIOUS key that would end first, so that a roll is never refused for want of room.
 */
static void make_room(struct step *x)
{
    struct keyring *r = x->ring;
    struct ring_slot *first = NULL;
    if (r->n - keyring_count(r, KEY_RETIRED) < KEYRING_MAX)
        return;
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == KEY_PREVIOUS && (!first || r->slots[i].until < first->until))
            first = &r->slots[i];
    assert(first); /* CURRENT and NEXT alone never fill the ring */
    move_to(x, first, KEY_RETIRED);
    x->todo |= DO_WIPE;
}

/* The certificate of STAGE and ADOPT: it is taken over. */
static void take_cert(struct step *x, enum key_state state)
{
    struct keyring *r = x->ring;
    struct ring_slot *known = keyring_find(r, x->arg->cert->x5t_s256);
    if (known && known->state != KEY_RETIRED) {
        known->can_sign = true;
        cert_free(x->arg->cert);
        return;
    }
    make_room(x);
    struct ring_slot *slot = &r->slots[r->n++];
    *slot = (struct ring_slot){
        .state = state, .cert = x->arg->cert, .since = x->stamp, .can_sign = true};
    x->has_moved = true;
    if (state == KEY_NEXT) {
        set_date(x, slot);
        return;
    }
    x->todo |= DO_SIGN;
    take_over(x, slot);
}

/* The latest moment that the ring has noted. */
static int64_t latest(const struct keyring *r)
{
    int64_t t = 0;
    for (size_t i = 0; i < r->n; i++)
        t = max_of(t, max_of(r->slots[i].since, r->slots[i].published_since));
    return t;
}

static bool brings_stranger(const struct step *x)
{
    const struct ring_slot *known = keyring_find(x->ring, x->arg->cert->x5t_s256);
    return !known || known->state == KEY_RETIRED;
}

static void finish(struct step *x)
{
    struct keyring *r = x->ring;
    if (x->has_moved)
        x->todo |= DO_PERSIST | DO_PUBLISH;
    r->generation += x->has_moved;
    keyring_sort(r);
    assert(keyring_is_sound(r));
    /* Nothing signs by itself before its lead while another key can. */
    assert(!(x->todo & DO_WARN_LATE) || !x->has_choice);
}

static bool needs_next(const struct step *x)
{
    return x->ev == EVENT_TICK && x->terms->source == KEYS_MANAGED && !keyring_next(x->ring) &&
           make_at(keyring_current(x->ring), x->terms) <= x->now;
}

enum reason rollover_step(struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, unsigned *ret_do)
{
    static const struct roll_arg none;
    struct step x = {.ring = r,
        .arg = arg ? arg : &none,
        .terms = t,
        .now = now,
        .stamp = max_of(now, latest(r)),
        .ev = ev};
    enum reason reason = rollover_judge(r, ev, x.arg, t, now, NULL);
    if (reason != REASON_OK)
        return reason;
    x.heir = find_heir(&x);
    x.is_relieved = x.heir || (ev == EVENT_ADOPT && brings_stranger(&x));
    x.has_choice =
        in_dates(keyring_current(r), now) && now < rollover_last_moment(keyring_current(r));
    for (size_t i = 0; i < r->n; i++)
        step_slot(&x, &r->slots[i]);
    if (ev == EVENT_STAGE || ev == EVENT_ADOPT)
        take_cert(&x, ev == EVENT_STAGE ? KEY_NEXT : KEY_CURRENT);
    finish(&x);
    if (needs_next(&x))
        x.todo |= DO_MAKE_NEXT;
    *ret_do = x.todo;
    return REASON_OK;
}

enum reason rollover_first(struct keyring *r, const struct cert *cert, int64_t now)
{
    struct cert *copy = NULL;
    assert(r->n == 0);
    enum reason reason = cert_parse(span_bytes(cert->der, cert->der_len), &copy);
    if (reason != REASON_OK)
        return reason;
    r->slots[r->n++] =
        (struct ring_slot){.state = KEY_CURRENT, .cert = copy, .since = now, .can_sign = true};
    r->generation++;
    return REASON_OK;
}

int64_t rollover_next(const struct keyring *r, const struct roll_terms *t)
{
    const struct ring_slot *next = keyring_next(r), *current = keyring_current(r);
    int64_t at = ROLLOVER_NEVER;
    if (next)
        at = min_of(next->cert->not_after, rollover_activation(r, t));
    else if (t->source == KEYS_MANAGED)
        at = make_at(current, t);
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == KEY_PREVIOUS) {
            at = min_of(at, r->slots[i].until);
            if (could_sign(&r->slots[i], current->cert->not_after)) /* it would stand in */
                at = min_of(at, current->cert->not_after);
        }
    return at;
}
