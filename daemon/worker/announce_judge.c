/* SPDX-License-Identifier: Apache-2.0 */
#include "announce_judge.h"

#include "clock.h"

#include <stdlib.h>

_Static_assert(MSG_ANNOUNCE_KEYS_MAX == ANNOUNCE_KEYS_MAX, "one list, one cap");

struct announce_judge {
    struct jws_scratch *scratch;
    struct announce_checked v;
};

struct announce_judge *announce_judge_new(void)
{
    struct announce_judge *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->scratch = jws_scratch_new();
    if (a->scratch)
        return a;
    free(a);
    return NULL;
}

void announce_judge_free(struct announce_judge *a)
{
    if (!a)
        return;
    jws_scratch_free(a->scratch);
    free(a);
}

void announce_judge_token(
    struct announce_judge *a, const struct worker *w, struct span token, struct msg_announced *ret)
{
    enum reason r = check_announce(a->scratch, w->settings, w->store, token, clock_wall_s(), &a->v);
    *ret = (struct msg_announced){.reason = r};
    if (r != REASON_OK)
        return;
    ret->partner = span_of(a->v.partner->name);
    ret->issued_at = a->v.issued_at;
    ret->x5ts = span_bytes(a->v.trusts, a->v.n_trusts * X5T_LEN);
}
