/* SPDX-License-Identifier: Apache-2.0 */
#include "validator.h"

#include "audit.h"
#include "cleanup.h"
#include "clock.h"
#include "hints.h"
#include "verdict_cache.h"

struct validator {
    struct check_scratch *scratch;
    struct cache *remembered;
    struct hints *hints;
    struct token_checked verdict; /* of the request at hand */
};

static bool judge_waiting(struct worker *w, struct request *r, bool last);

struct validator *validator_new(struct worker *w)
{
    struct validator *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->scratch = check_scratch_new();
    v->remembered = verdict_cache_new(w->settings->limits.verdict_cache);
    v->hints = hints_new(w, judge_waiting);
    if (v->scratch && v->remembered && v->hints)
        return v;
    validator_free(v);
    return NULL;
}

void validator_free(struct validator *v)
{
    if (!v)
        return;
    check_scratch_free(v->scratch);
    cache_free(v->remembered);
    hints_free(v->hints);
    free(v);
}

/* Judges with the help of what is remembered. Explaining wants every rung climbed. */
static void judge(struct worker *w, const struct validate_wish *wish, const struct names *audiences)
{
    struct validator *v = w->validator;
    uint8_t hash[SHA256_LEN];
    const struct check_against against = {.settings = w->settings,
        .store = w->store,
        .audiences = audiences,
        .audience = wish->audience,
        .now = clock_wall_s()};
    bool may_recall = w->settings->limits.verdict_cache > 0 && !wish->explain &&
                      wish->token.n <= JWS_TOKEN_MAX && digest_sha256(wish->token, hash);
    if (may_recall && verdict_cache_find(v->remembered, hash, &against, &v->verdict)) {
        COUNT(worker_counters(w), validations_remembered);
        return;
    }
    if (check_token(v->scratch, &against, wish->token, &v->verdict) == REASON_OK && may_recall)
        verdict_cache_put(v->remembered, hash, &against, &v->verdict);
}

static void count(struct counters *c, enum reason reason)
{
    COUNT(c, validations);
    COUNT(c, by_reason[reason]);
    if (reason != REASON_OK)
        COUNT(c, validation_refusals);
}

/* Tells the verdict. A judgement that could not be made is no refusal of the token. */
static void tell(struct worker *w, struct request *r)
{
    struct validator *v = w->validator;
    enum reason reason = v->verdict.reason;
    if (reason == REASON_OUT_OF_MEMORY || reason == REASON_INTERNAL) {
        request_refuse(r, reason, 1, "");
        return;
    }
    count(worker_counters(w), reason);
    if (reason != REASON_OK)
        audit_validation_refused(&w->refusals, r->peer, &v->verdict, r->wish.validate.token);
    struct outcome o = {.reason = REASON_OK, .detail = "", .verdict = &v->verdict};
    r->answer(r, &o);
}

/* May this peer ask that? Otherwise it is refused. */
static bool may_ask(const struct worker *w, struct request *r, const struct names **ret_audiences)
{
    char detail[256];
    enum right lacks = RIGHT_VALIDATE;
    enum reason reason = policy_may_validate(w->settings, r->peer, ret_audiences);
    if (reason == REASON_OK && r->wish.validate.explain &&
        !policy_may(w->settings, r->peer, RIGHT_EXPLAIN)) {
        reason = REASON_NOT_PERMITTED;
        lacks = RIGHT_EXPLAIN;
    }
    if (reason == REASON_OK)
        return true;
    policy_why_not(w->settings, r->peer, lacks, detail, sizeof detail);
    request_refuse(r, reason, 0, detail);
    return false;
}

/* One turn of a request: refused, told, or left waiting (false). */
static bool turn(struct worker *w, struct request *r, bool may_wait)
{
    struct validator *v = w->validator;
    const struct names *audiences = NULL;
    if (!may_ask(w, r, &audiences))
        return true;
    judge(w, &r->wish.validate, audiences);
    if (may_wait && (v->verdict.reason == REASON_UNKNOWN_KEY || v->verdict.worth_fetching))
        return false;
    tell(w, r);
    return true;
}

void validator_run(struct worker *w, struct request *r)
{
    struct validator *v = w->validator;
    if (turn(w, r, !w->leaving))
        return;
    enum reason reason = hints_park(v->hints, r, &v->verdict);
    if (reason == REASON_UNKNOWN_KEY)
        tell(w, r);
    else if (reason != REASON_OK)
        request_refuse(r, reason, 1, "");
}

static bool judge_waiting(struct worker *w, struct request *r, bool last)
{
    return turn(w, r, !last);
}

void validator_cancel(struct worker *w, struct request *r)
{
    hints_cancel(w->validator->hints, r);
}

void validator_on_trust(struct worker *w, struct span partner)
{
    hints_on_trust(w->validator->hints, partner);
}

void validator_on_hint_done(struct worker *w, const struct msg_hint_done *m)
{
    hints_on_done(w->validator->hints, m);
}

void validator_on_commit(struct worker *w)
{
    struct validator *v = w->validator;
    struct cache *fresh = verdict_cache_new(w->settings->limits.verdict_cache);
    if (fresh) {
        cache_free(v->remembered);
        v->remembered = fresh;
    } else {
        cache_clear(v->remembered);
    }
    hints_wake_all(v->hints);
}

void validator_drain(struct worker *w)
{
    hints_wake_all(w->validator->hints);
}
