/* SPDX-License-Identifier: Apache-2.0 */
/* Any order of events, any steps of the clock: 100,000 sequences through the real machine, watched
 * by somebody who keeps his own books. SEED= repeats a run. */
#include "cleanup.h"
#include "rollover.h"

#include "../unit/unit.h"

#include <stdio.h>
#include <time.h>

#define SEQUENCES 100000
#define EVENTS 24
#define T0 INT64_C(1795500000)
#define HOUR 3600
#define DAY INT64_C(86400)
#define TOKEN_LIFE (8 * HOUR)
#define KEYS_MAX 64

static uint64_t rng;
static uint32_t roll(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)(rng >> 32) % below;
}

/* What the watcher knows of a key. */
struct book {
    uint8_t x5t[X5T_LEN];
    int64_t shown_at, tokens_until;
    bool may_hurry; /* somebody has forced it */
};

static struct world {
    struct keyring ring;
    struct roll_terms terms;
    struct book books[KEYS_MAX];
    unsigned n_keys;
    int64_t now, latest;
    uint32_t sequence, event;
    enum roll_event ev;
} w;

static void broken(const char *what)
{
    ck_abort_msg("sequence %u, event %u (kind %d): %s", w.sequence, w.event, (int)w.ev, what);
}

#define HOLDS(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            broken(what);                                                                          \
    } while (0)

/* Only what tells one from another: thumbprints and dates. */
static struct cert *make_cert(int64_t from, int64_t life)
{
    struct cert *c = calloc(1, sizeof(*c));
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_lt(w.n_keys, KEYS_MAX);
    struct book *b = &w.books[w.n_keys++];
    *b = (struct book){0};
    b->x5t[0] = (uint8_t)w.n_keys;
    memcpy(c->x5t, b->x5t, X5T_LEN);
    memcpy(c->x5t_s256, b->x5t, X5T_LEN);
    c->not_before = from;
    c->not_after = from + life;
    return c;
}

static struct book *book_of(const struct cert *c)
{
    return &w.books[c->x5t[0] - 1];
}

static int64_t some_life(void)
{
    static const int64_t lives[] = {30 * DAY, 90 * DAY, 365 * DAY, 730 * DAY};
    return lives[roll(ARRAY_LEN(lives))];
}

static bool in_dates(const struct cert *c, int64_t now)
{
    return c->not_before <= now && now < c->not_after;
}

static bool had_choice(const struct ring_slot *current, int64_t now)
{
    return in_dates(current->cert, now) && now < rollover_last_moment(current);
}

static bool led(const struct book *b)
{
    return w.terms.lead_s == 0 || (b->shown_at && w.now - b->shown_at >= w.terms.lead_s);
}

/* Who signs is who may. */
static void judge_signer(const struct ring_slot *current, const struct roll_arg *arg)
{
    const struct cert *was = current->cert, *is = keyring_current(&w.ring)->cert;
    const struct book *b = book_of(is);
    if (was == is)
        return;
    if (w.ev == EVENT_TICK)
        HOLDS(led(b) || b->may_hurry || !had_choice(current, w.now),
            "signs by itself before its lead");
    else
        HOLDS(led(b) || arg->force, "signs on order before its lead");
}

/* A key that is not shown any more has no tokens, unless somebody wanted it so or there was no
 * room. */
static void judge_gone(const struct keyring *was, const struct roll_arg *arg)
{
    size_t shown = was->n - keyring_count(was, KEY_RETIRED);
    for (size_t i = 0; i < was->n; i++) {
        const struct cert *c = was->slots[i].cert;
        const struct ring_slot *is = keyring_find(&w.ring, c->x5t_s256);
        HOLDS(is, "a key is forgotten before its end");
        if (is->state != KEY_RETIRED || was->slots[i].state == KEY_RETIRED || arg->force)
            continue;
        HOLDS(book_of(c)->tokens_until <= w.latest || shown == KEYRING_MAX,
            "a key goes while its tokens live");
    }
}

static bool same_slots(const struct keyring *a, const struct keyring *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->slots[i].cert != b->slots[i].cert || a->slots[i].state != b->slots[i].state)
            return false;
    return true;
}

static void judge_ring(const struct keyring *was, unsigned todo)
{
    bool same = same_slots(was, &w.ring);
    HOLDS(keyring_is_sound(&w.ring), "the ring is unsound");
    HOLDS((was->generation == w.ring.generation) == same, "the edition does not tell the change");
    HOLDS(same || (todo & DO_PERSIST), "a change is not written");
    HOLDS(!(todo & DO_SIGN) == (keyring_current(was)->cert == keyring_current(&w.ring)->cert),
        "who signs is not told");
    HOLDS(!(todo & DO_WIPE) || keyring_count(&w.ring, KEY_RETIRED), "nothing to wipe");
    for (size_t i = 0; i < was->n; i++) {
        const struct ring_slot *is = keyring_find(&w.ring, was->slots[i].cert->x5t_s256);
        HOLDS(is->published_since >= was->slots[i].published_since, "a stamp went back");
        HOLDS(
            !was->slots[i].published_since || is->published_since == was->slots[i].published_since,
            "a stamp was renewed");
    }
}

static unsigned step(enum roll_event ev, const struct roll_arg *given)
{
    static const struct roll_arg none;
    const struct roll_arg *arg = given ? given : &none;
    struct keyring was = w.ring;
    unsigned todo = 0;
    w.ev = ev;
    /* With every roll CURRENT has signed to the last moment. */
    book_of(keyring_current(&w.ring)->cert)->tokens_until = w.latest + TOKEN_LIFE;
    w.terms.last_token_at = w.latest + TOKEN_LIFE;
    enum reason reason = rollover_step(&w.ring, ev, given, &w.terms, w.now, &todo);
    if (reason != REASON_OK) {
        HOLDS(memcmp(&was, &w.ring, sizeof(was)) == 0, "a refusal changed something");
        cert_free(arg->cert);
        return 0;
    }
    judge_ring(&was, todo);
    judge_signer(keyring_current(&was), arg);
    judge_gone(&was, arg);
    keyring_sweep(&w.ring);
    return todo;
}

static void bring(enum roll_event ev)
{
    struct roll_arg arg = {.force = roll(6) == 0,
        .replace = roll(2) == 0,
        .effective_at = roll(2) ? 0 : w.now + roll(60) * DAY};
    struct cert *c = make_cert(w.now - (int64_t)roll(3) * DAY, some_life());
    arg.cert = c;
    book_of(c)->may_hurry = arg.force;
    (void)step(ev, &arg);
}

/* The key of a slot is named again, as a configuration may: back to an old key, NEXT moved up. */
static void bring_known(enum roll_event ev)
{
    const struct ring_slot *slot = &w.ring.slots[roll((uint32_t)w.ring.n)];
    struct roll_arg arg = {.replace = true};
    struct cert *copy = malloc(sizeof(*copy));
    ck_assert_ptr_nonnull(copy);
    *copy = *slot->cert;
    arg.cert = copy;
    (void)step(ev, &arg);
}

/* No stamp of a ring is older than another that stands in it already. */
static int64_t latest_stamp(void)
{
    int64_t at = 0;
    for (size_t i = 0; i < w.ring.n; i++) {
        at = w.ring.slots[i].since > at ? w.ring.slots[i].since : at;
        at = w.ring.slots[i].published_since > at ? w.ring.slots[i].published_since : at;
    }
    return at;
}

static void publish(void)
{
    /* Now and then the news of an older edition come late. */
    struct roll_arg arg = {.generation = w.ring.generation - (roll(5) == 0)};
    int64_t noted = latest_stamp();
    (void)step(EVENT_PUBLISHED, &arg);
    if (arg.generation != w.ring.generation)
        return;
    for (size_t i = 0; i < w.ring.n; i++)
        if (!book_of(w.ring.slots[i].cert)->shown_at)
            book_of(w.ring.slots[i].cert)->shown_at = w.now > noted ? w.now : noted;
}

static void order(enum roll_event ev)
{
    const struct ring_slot *slot = &w.ring.slots[roll((uint32_t)w.ring.n)];
    const struct ring_slot *next = keyring_next(&w.ring);
    struct roll_arg arg = {.force = roll(4) == 0,
        .held = roll(2),
        .x5t = slot->cert->x5t,
        .x5t_s256 = slot->cert->x5t_s256,
        .effective_at = roll(2) ? 0 : w.now + roll(60) * DAY};
    if (ev == EVENT_DATE && next)
        book_of(next->cert)->may_hurry |= arg.force;
    (void)step(ev, &arg);
}

/* What the timer is set to is exactly when something happens. */
static void judge_timer(void)
{
    int64_t next = rollover_next(&w.ring, &w.terms);
    struct keyring copy = w.ring;
    unsigned todo = 0;
    const struct cert *current = keyring_current(&w.ring)->cert;
    ck_assert_int_eq(rollover_step(&copy, EVENT_TICK, NULL, &w.terms, w.now, &todo), REASON_OK);
    HOLDS((todo & ~(unsigned)DO_MAKE_NEXT) == 0, "a second tick finds more to do");
    if (next <= w.now + 1 || next == ROLLOVER_NEVER || !in_dates(current, w.now))
        return;
    int64_t before = w.now + 1 + (int64_t)(rng % (uint64_t)(next - w.now - 1));
    copy = w.ring;
    ck_assert_int_eq(rollover_step(&copy, EVENT_TICK, NULL, &w.terms, before, &todo), REASON_OK);
    HOLDS(todo == 0 || !in_dates(current, before), "something is due before the timer says so");
}

static void judge_dates(void)
{
    if (in_dates(keyring_current(&w.ring)->cert, w.now))
        return;
    for (size_t i = 0; i < w.ring.n; i++)
        HOLDS(!w.ring.slots[i].can_sign || !in_dates(w.ring.slots[i].cert, w.now),
            "signs outside its dates while another could");
}

static void tick(void)
{
    unsigned todo = step(EVENT_TICK, NULL);
    if ((todo & DO_MAKE_NEXT) && roll(5)) {
        struct roll_arg arg = {.cert = make_cert(w.now, some_life())};
        (void)step(EVENT_STAGE, &arg);
        (void)step(EVENT_TICK, NULL);
    }
    judge_dates();
    judge_timer();
}

static void move_clock(void)
{
    static const int64_t steps[] = {1, HOUR, 9 * HOUR, DAY, 3 * DAY, 20 * DAY, 50 * DAY};
    int64_t by = (int64_t)roll((uint32_t)steps[roll(ARRAY_LEN(steps))] + 1);
    bool goes_back = roll(25) == 0;
    int64_t due = rollover_next(&w.ring, &w.terms);
    if (goes_back)
        tick(); /* what is due is not left for then */
    if (goes_back)
        w.now -= by;
    else if (roll(4) == 0 && due > w.now && due < w.now + 800 * DAY)
        w.now = due; /* to the very second */
    else
        w.now += by;
    /* What partners see goes by the ring's own time, which never goes back. */
    if (w.now > w.latest)
        w.latest = w.now;
    struct keyring was = w.ring;
    unsigned n = w.n_keys;
    tick();
    if (goes_back && n == w.n_keys && in_dates(keyring_current(&was)->cert, w.now))
        HOLDS(keyring_current(&was)->cert == keyring_current(&w.ring)->cert,
            "a clock that went back made another key sign");
}

static void any_event(void)
{
    static const enum roll_event orders[] = {EVENT_ROLL_NOW, EVENT_ABORT, EVENT_CLEAR_PREVIOUS,
        EVENT_WITHDRAW, EVENT_HOLD, EVENT_HOLD, EVENT_DATE};
    uint32_t kind = roll(20);
    if (kind < 10)
        move_clock();
    else if (kind < 14)
        publish();
    else if (kind < 18)
        order(orders[roll(ARRAY_LEN(orders))]);
    else if (kind == 18)
        bring(roll(4) ? EVENT_STAGE : EVENT_ADOPT);
    else
        bring_known(roll(2) ? EVENT_STAGE : EVENT_ADOPT);
}

static void begin(uint32_t sequence)
{
    static const int64_t leads[] = {0, HOUR, DAY, 3 * DAY};
    w = (struct world){.now = T0, .latest = T0, .sequence = sequence};
    w.terms = (struct roll_terms){.source = roll(3) ? KEYS_MANAGED : KEYS_FILES,
        .lead_s = leads[roll(ARRAY_LEN(leads))],
        .prepare_before_s = 30 * DAY,
        .keep_s = HOUR};
    w.ring.slots[0] = (struct ring_slot){.state = KEY_CURRENT,
        .cert = make_cert(T0 - DAY, some_life()),
        .since = T0,
        .can_sign = true};
    w.ring.n = w.ring.generation = 1;
}

START_TEST(any_order_holds_the_promises)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("rollover: seed %llu (SEED=)\n", (unsigned long long)seed);
    fflush(stdout);
    rng = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    for (uint32_t i = 0; i < SEQUENCES; i++) {
        begin(i);
        for (w.event = 0; w.event < EVENTS; w.event++)
            any_event();
        keyring_done(&w.ring);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_set_timeout(tc, 240);
    tcase_add_test(tc, any_order_holds_the_promises);
}

int main(void)
{
    return unit_run("rollover_random", fill);
}
