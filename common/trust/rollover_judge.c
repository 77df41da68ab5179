/* SPDX-License-Identifier: Apache-2.0 */
/* May it be done? In sentences, for whoever asked. */
#include "clock.h"
#include "rollover.h"

#include <stdio.h>

/* One question and where its answer goes. */
struct question {
    const struct keyring *ring;
    const struct ring_slot *current, *next;
    const struct roll_arg *arg;
    const struct roll_terms *terms;
    int64_t now;
    struct buf *lines; /* NULL: only the verdict is wanted */
};

struct names_of_key {
    char thumbprint[THUMBPRINT_TEXT_LEN];
};

static const char *name(const struct cert *c, struct names_of_key *out)
{
    return thumbprint_text(c->x5t, out->thumbprint);
}

static void say(const struct question *q, const char *fmt, ...) PRINTF(2, 3);
static void say(const struct question *q, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    if (!q->lines)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    buf_printf(q->lines, "%s\n", line);
}

static enum reason refuse_without_next(const struct question *q)
{
    say(q, "No next key is announced: \"s2sctl cert roll --prepare\" or Next= first.");
    return REASON_ROLL_REFUSED;
}

/* A date that leaves CURRENT without a successor, or one that the key itself does not reach. */
static enum reason judge_date(const struct question *q, const struct cert *c)
{
    int64_t date = q->arg->effective_at;
    char text[CLOCK_TEXT_LEN], end[CLOCK_TEXT_LEN];
    if (date >= c->not_after) {
        say(q, "The key's own certificate ends %s, before %s.", clock_text(c->not_after, end),
            clock_text(date, text));
        return REASON_ROLL_REFUSED;
    }
    if (!q->arg->force && date > rollover_last_moment(q->current)) {
        say(q, "%s is too late: the certificate of the current key ends %s.",
            clock_text(date, text), clock_text(q->current->cert->not_after, end));
        return REASON_ROLL_REFUSED;
    }
    return REASON_OK;
}

/* `date` 0: the default. */
static void say_date(
    const struct question *q, const struct cert *c, const struct ring_slot *slot, int64_t date)
{
    struct names_of_key n;
    char text[CLOCK_TEXT_LEN], early[CLOCK_TEXT_LEN];
    if (!date && q->terms->source == KEYS_MANAGED)
        date = rollover_default_date(q->ring, q->terms, q->now);
    if (!date) {
        say(q, "%s is published and signs on order only.", name(c, &n));
        return;
    }
    say(q, "%s is published from now on and begins to sign %s.", name(c, &n),
        clock_text(date, text));
    int64_t published = slot && slot->published_since ? slot->published_since : q->now;
    int64_t earliest = published + q->terms->lead_s;
    if (date < earliest && !q->arg->force)
        say(q, "Not before %s, though: then partners have had PublishLead= to read it.",
            clock_text(earliest, early));
    else if (date < earliest)
        say(q,
            "That is before PublishLead= is over (%s): partners that have not read our document "
            "by then refuse its tokens.",
            clock_text(earliest, early));
}

/* Two certificates with one SHA-1 thumbprint could not be told apart by whoever reads x5t. */
static enum reason judge_stranger(const struct question *q, const struct cert *c)
{
    struct names_of_key n;
    for (size_t i = 0; i < q->ring->n; i++) {
        const struct cert *known = q->ring->slots[i].cert;
        if (memcmp(known->x5t, c->x5t, X5T_LEN) == 0 &&
            memcmp(known->x5t_s256, c->x5t_s256, X5T_S256_LEN) != 0) {
            say(q, "Another certificate has the thumbprint %s already.", name(c, &n));
            return REASON_KEY_FORM;
        }
    }
    if (q->ring->n < KEYRING_SLOTS)
        return REASON_OK;
    say(q, "The private parts of former keys cannot be destroyed: see the journal.");
    return REASON_ROLL_REFUSED;
}

static bool is_cert(const struct ring_slot *slot, const struct cert *c)
{
    return slot && memcmp(slot->cert->x5t_s256, c->x5t_s256, X5T_S256_LEN) == 0;
}

static enum reason judge_stage(const struct question *q)
{
    const struct cert *c = q->arg->cert;
    struct names_of_key n;
    char end[CLOCK_TEXT_LEN];
    enum reason reason = judge_stranger(q, c);
    if (reason != REASON_OK)
        return reason;
    if (is_cert(q->current, c)) {
        say(q, "%s signs already.", name(c, &n));
        return REASON_ROLL_REFUSED;
    }
    if (c->not_after <= q->now) {
        say(q, "The certificate of %s has ended %s.", name(c, &n), clock_text(c->not_after, end));
        return REASON_ROLL_REFUSED;
    }
    if (q->next && !is_cert(q->next, c) && !q->arg->replace) {
        say(q, "%s is announced as next key already: \"s2sctl cert roll --abort\" drops it.",
            name(q->next->cert, &n));
        return REASON_ROLL_REFUSED;
    }
    reason = judge_date(q, c);
    if (reason == REASON_OK)
        say_date(q, c, is_cert(q->next, c) ? q->next : NULL, q->arg->effective_at);
    return reason;
}

static enum reason judge_new_date(const struct question *q)
{
    if (!q->next)
        return refuse_without_next(q);
    enum reason reason = judge_date(q, q->next->cert);
    if (reason == REASON_OK)
        say_date(q, q->next->cert, q->next,
            q->arg->effective_at ? q->arg->effective_at : q->next->effective_at);
    return reason;
}

/* Whether a key may sign from now on. */
static enum reason judge_lead(const struct question *q, const struct ring_slot *slot)
{
    struct names_of_key n;
    char text[CLOCK_TEXT_LEN];
    if (rollover_is_led(slot, q->terms, q->now))
        return REASON_OK;
    if (slot->published_since)
        say(q, "%s was published %s and may sign from %s on (PublishLead=).", name(slot->cert, &n),
            clock_text(slot->published_since, text),
            clock_text(slot->published_since + q->terms->lead_s, (char[CLOCK_TEXT_LEN]){0}));
    else
        say(q, "%s is not published yet.", name(slot->cert, &n));
    say(q, "Partners that have not read our document since refuse its tokens.");
    return q->arg->force ? REASON_OK : REASON_ROLL_REFUSED;
}

static enum reason judge_dates_of(const struct question *q, const struct ring_slot *slot)
{
    struct names_of_key n;
    char from[CLOCK_TEXT_LEN], until[CLOCK_TEXT_LEN];
    const struct cert *c = slot->cert;
    if (c->not_before <= q->now && q->now < c->not_after)
        return REASON_OK;
    say(q, "Partners refuse what %s signs: its certificate is good from %s until %s.", name(c, &n),
        clock_text(c->not_before, from), clock_text(c->not_after, until));
    return REASON_ROLL_REFUSED;
}

static enum reason judge_roll_now(const struct question *q)
{
    struct names_of_key n, old;
    if (!q->next)
        return refuse_without_next(q);
    enum reason reason = judge_dates_of(q, q->next);
    if (reason == REASON_OK && !q->next->can_sign) {
        say(q, "The private part of %s is not here.", name(q->next->cert, &n));
        reason = REASON_ROLL_REFUSED;
    }
    if (reason != REASON_OK)
        return reason;
    reason = judge_lead(q, q->next);
    if (reason == REASON_OK)
        say(q, "%s signs from now on; %s stays published until its last token has ended.",
            name(q->next->cert, &n), name(q->current->cert, &old));
    else
        say(q, "Wait, or --force.");
    return reason;
}

static enum reason judge_adopt(const struct question *q)
{
    const struct cert *c = q->arg->cert;
    const struct ring_slot *known = NULL;
    struct names_of_key n;
    enum reason reason = judge_stranger(q, c);
    if (reason != REASON_OK)
        return reason;
    for (size_t i = 0; !known && i < q->ring->n; i++)
        if (q->ring->slots[i].state != KEY_RETIRED && is_cert(&q->ring->slots[i], c))
            known = &q->ring->slots[i];
    if (known && known->state == KEY_CURRENT)
        return REASON_OK;
    struct ring_slot stranger = {.state = KEY_NEXT, .cert = q->arg->cert};
    reason = judge_lead(q, known ? known : &stranger);
    if (reason == REASON_OK)
        say(q, "%s signs from now on.", name(c, &n));
    else
        say(q, "Name it in Next= first and leave Current= as it is; or PublishLead=0.");
    return reason;
}

static enum reason judge_abort(const struct question *q)
{
    struct names_of_key n;
    if (!q->next) {
        say(q, "No next key is announced.");
        return REASON_ROLL_REFUSED;
    }
    say(q, "%s is not published any more.", name(q->next->cert, &n));
    return REASON_OK;
}

/* A key whose tokens are still good goes only by force. */
static enum reason judge_end(const struct question *q, const struct ring_slot *slot)
{
    struct names_of_key n;
    char text[CLOCK_TEXT_LEN];
    int64_t ends = slot->until - q->terms->keep_s;
    if (slot->until && ends > q->now) {
        say(q,
            "Tokens that %s has signed are good until %s; partners refuse them once they miss "
            "the key.",
            name(slot->cert, &n), clock_text(ends, text));
        if (!q->arg->force) {
            say(q, "Wait until then, or --force.");
            return REASON_ROLL_REFUSED;
        }
    }
    say(q, "%s is not published any more.", name(slot->cert, &n));
    return REASON_OK;
}

static enum reason judge_clear(const struct question *q)
{
    enum reason all = REASON_OK;
    if (keyring_count(q->ring, KEY_PREVIOUS) == 0) {
        say(q, "No previous key is published.");
        return REASON_ROLL_REFUSED;
    }
    for (size_t i = 0; i < q->ring->n; i++)
        if (q->ring->slots[i].state == KEY_PREVIOUS) {
            enum reason one = judge_end(q, &q->ring->slots[i]);
            all = one != REASON_OK ? one : all;
        }
    return all;
}

static enum reason judge_withdraw_current(const struct question *q)
{
    struct names_of_key n;
    if (!q->next)
        return refuse_without_next(q);
    if (!q->arg->force) {
        say(q,
            "%s signs: all its tokens would be refused once partners miss it. "
            "\"s2sctl cert roll --now\", or --force.",
            name(q->current->cert, &n));
        return REASON_ROLL_REFUSED;
    }
    enum reason reason = judge_roll_now(q);
    if (reason == REASON_OK)
        say(q, "%s is not published any more: its tokens are refused.", name(q->current->cert, &n));
    return reason;
}

static enum reason judge_withdraw(const struct question *q)
{
    struct names_of_key n;
    thumbprint_text(q->arg->x5t, n.thumbprint);
    for (size_t i = 0; i < q->ring->n; i++) {
        const struct ring_slot *slot = &q->ring->slots[i];
        if (slot->state == KEY_RETIRED || memcmp(slot->cert->x5t, q->arg->x5t, X5T_LEN) != 0)
            continue;
        return slot->state == KEY_CURRENT ? judge_withdraw_current(q) : judge_end(q, slot);
    }
    say(q, "No published key of ours has the thumbprint %s.", n.thumbprint);
    return REASON_NO_SUCH_KEY;
}

enum reason rollover_judge(const struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, struct buf *lines)
{
    struct question q = {r, keyring_current(r), keyring_next(r), arg, t, now, lines};
    switch (ev) {
    case EVENT_STAGE:
        return judge_stage(&q);
    case EVENT_ADOPT:
        return judge_adopt(&q);
    case EVENT_ROLL_NOW:
        return judge_roll_now(&q);
    case EVENT_ABORT:
        return judge_abort(&q);
    case EVENT_CLEAR_PREVIOUS:
        return judge_clear(&q);
    case EVENT_WITHDRAW:
        return judge_withdraw(&q);
    case EVENT_DATE:
        return judge_new_date(&q);
    case EVENT_TICK:
    case EVENT_PUBLISHED:
    case EVENT_HOLD:
    case EVENT_COUNT:
        break;
    }
    return REASON_OK;
}
