/* SPDX-License-Identifier: Apache-2.0 */
/* The servers of our pool: how they stand, and asking them now. */
#include "control_call.h"

#include "cleanup.h"

#include <stdlib.h>

static const struct ring_slot *slot_of(const struct keyring *ring, enum key_state state)
{
    for (size_t i = 0; ring && i < ring->n; i++)
        if (ring->slots[i].state == state)
            return &ring->slots[i];
    return NULL;
}

static void put_last(const struct pool_member *m, struct json_out *j)
{
    json_out_str(j, "lastReason", reason_code(m->last_reason));
    json_out_str(j, "lastSentence", reason_sentence(m->last_reason));
    json_out_str(j, "lastDetail", m->last_detail);
}

static void put_keys(const struct pool_member *m, struct json_out *j)
{
    char thumb[THUMBPRINT_TEXT_LEN];
    json_out_array(j, "keys");
    for (size_t i = 0; i < m->n_own; i++)
        json_out_str(j, NULL, thumbprint_text(m->own[i]->x5t, thumb));
    json_out_array_end(j);
}

static void put_member(const struct broker *b, const struct pool_members_at *at, struct json_out *j)
{
    const struct pool_member *m = at->member;
    const struct keyring *ring = signer_link_ring(b->signer);
    const struct ring_slot *current = slot_of(ring, KEY_CURRENT), *next = slot_of(ring, KEY_NEXT);
    json_out_object(j, NULL);
    json_out_str(j, "url", m->url);
    json_out_str(j, "state", pool_state_name(at->state));
    json_out_int(j, "goodAt", m->good_at);
    json_out_int(j, "nextTryAt", at->next_try_at);
    put_last(m, j);
    put_keys(m, j);
    json_out_bool(
        j, "publishesCurrent", current && pool_member_publishes(m, current->cert->x5t_s256));
    if (next)
        json_out_bool(j, "publishesNext", pool_member_publishes(m, next->cert->x5t_s256));
    if (m->failures > 0 && m->good_at > 0 && at->state != POOL_SELF)
        json_out_int(j, "leavesAt", m->good_at + b->settings->refresh.stale_after_s);
    json_out_object_end(j);
}

static void view_pool(const struct broker *b, struct json_out *j)
{
    const struct keyring *ring = signer_link_ring(b->signer);
    const struct cert *ours[KEYRING_MAX];
    const struct cert *const *others;
    json_out_array(j, "members");
    for (size_t i = 0; i < pool_members_count(b->pool); i++) {
        const struct pool_members_at at = pool_members_at(b->pool, i);
        put_member(b, &at, j);
    }
    json_out_array_end(j);
    json_out_int(j, "ownKeys", ring ? (int64_t)keyring_published_certs(ring, ours) : 0);
    json_out_int(j, "otherKeys", (int64_t)pool_members_fellows(b->pool, &others));
    json_out_int(j, "leftOut", (int64_t)pool_members_left_out(b->pool));
}

static void answer(struct varlink_call *call)
{
    CLEANUP(buf_done) struct buf b;
    struct json_out j;
    control_start(&b, &j);
    view_pool(control_broker(call), &j);
    control_reply(call, &b, &j);
}

static void run_list(struct varlink_call *call, const void *args)
{
    (void)args;
    if (control_permitted(call, RIGHT_STATUS))
        answer(call);
}

/* A RefreshPool that waits for the fetches to end. */
struct waiting {
    struct varlink_call *call;
    struct pool_wait *wait;
};

static void on_fetched(void *arg)
{
    struct waiting *w = arg;
    struct varlink_call *call = w->call;
    free(w);
    control_waited(call);
    answer(call);
}

static void on_gone(void *arg)
{
    struct waiting *w = arg;
    pool_wait_cancel(w->wait);
    free(w);
}

static void run_refresh(struct varlink_call *call, const void *args)
{
    (void)args;
    if (!control_permitted(call, RIGHT_REFRESH))
        return;
    struct broker *b = control_broker(call);
    CLEANUP(freep) struct waiting *w = calloc(1, sizeof(*w));
    if (w)
        *w = (struct waiting){call, pool_members_refresh(b->pool, on_fetched, w)};
    if (!w || !w->wait) { /* no pool, or no memory: as things stand */
        answer(call);
        return;
    }
    control_wait(call, on_gone, TAKE(w));
}

static const struct varlink_method methods[] = {
    {.name = "ListPool", .run = run_list}, {.name = "RefreshPool", .run = run_refresh}};

const struct control_group control_pool = {methods, ARRAY_LEN(methods)};
