/* SPDX-License-Identifier: Apache-2.0 */
/* What the public door, validators, signer and pool mean for who has seen our keys. */
#include "wiring.h"

#include "log.h"

#include <errno.h>

/* The signer. */

int wiring_sign(const struct msg_sign *m, uint32_t *ret_id, void *broker)
{
    struct broker *b = broker;
    return signer_link_sign(b->signer, m, ret_id);
}

static void on_hold(const struct msg_hold *m, void *broker)
{
    struct broker *b = broker;
    int r = signer_link_hold(b->signer, m);
    if (r < 0 && r != -ENOTCONN) /* away: told with its next ring */
        log_warning("cannot tell the signer whether the next key is held: %s", strerror(-r));
}

static bool pool_holds(
    const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len, void *broker)
{
    const struct broker *b = broker;
    return !pool_all_publish(b->pool, x5t_s256, why, why_len);
}

const struct witness_ops wiring_witness = {.on_hold = on_hold, .else_held = pool_holds};

/* Strangers at the door. */

static void guess(
    struct broker *b, const char *address, const struct edition *shown, bool *ret_known)
{
    *ret_known = false;
    if (!announces_may_know(b->announces, address))
        return;
    for (size_t i = 0; i < partners_count(b->partners); i++) {
        const struct partner_entry *e = partners_at(b->partners, i);
        if (!e->partner->enabled || strcmp(e->address, address) != 0)
            continue;
        *ret_known = true;
        witness_saw(b->witness, span_of(e->partner->name), shown, SIGHTING_ADDRESS);
    }
}

void wiring_on_visit(const struct public_visit *v, void *broker)
{
    struct broker *b = broker;
    struct edition shown;
    bool known;
    if (!b->is_published || b->stopping)
        return;
    edition_of(signer_link_ring(b->signer), &shown);
    guess(b, v->address, &shown, &known);
    if (v->announce[0])
        announces_say(b->announces, span_of(v->announce), known, &shown);
}

static int judge(struct span token, uint64_t *ret_ticket, void *broker)
{
    struct broker *b = broker;
    return workers_announce(b->workers, token, ret_ticket);
}

static bool is_news(const struct msg_announced *m, const struct edition *shown, void *broker)
{
    const struct broker *b = broker;
    const struct sightings *seen = witness_sightings(b->witness);
    for (size_t i = 0; i < shown->n; i++) {
        const struct sighting *s = sightings_of(seen, m->partner, shown->x5t_s256[i]);
        if (!s || s->how == SIGHTING_ADDRESS)
            return true;
    }
    return false;
}

static void on_word(const struct msg_announced *m, const struct edition *shown, void *broker)
{
    struct broker *b = broker;
    witness_heard(b->witness, m, shown);
}

const struct announces_ops wiring_announces = {
    .judge = judge, .is_news = is_news, .on_word = on_word};
