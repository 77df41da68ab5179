/* SPDX-License-Identifier: Apache-2.0 */
#include "methods.h"

#include "minter.h"
#include "validator.h"

static const struct method table[] = {
    {WORKER_VALIDATOR, "Validate", validator_run, validator_cancel},
    {WORKER_MINTER, "Mint", minter_run, minter_cancel},
};

const struct method *method_of(enum worker_kind kind)
{
    return kind == WORKER_VALIDATOR ? &table[0] : &table[1];
}

enum answer_class answer_class_of(enum reason r)
{
    switch (r) {
    case REASON_OK:
        return ANSWER_DONE;
    case REASON_NOT_PERMITTED:
    case REASON_ACT_AS_REFUSED:
    case REASON_PROXIED:
        return ANSWER_NOT_PERMITTED;
    case REASON_NO_SUCH_PARTNER:
    case REASON_AMBIGUOUS_TARGET:
    case REASON_HOST_NOT_OF_PARTNER:
    case REASON_PARTNER_DISABLED:
    case REASON_PARTNER_SUSPENDED:
        return ANSWER_INVALID_TARGET;
    case REASON_INVALID_REQUEST:
    case REASON_USER_FORM:
    case REASON_LIFETIME_REFUSED:
    case REASON_TOO_LARGE:
        return ANSWER_REFUSED;
    default:
        return ANSWER_NOT_READY;
    }
}

void request_refuse(
    struct request *r, enum reason reason, unsigned retry_after_s, const char *detail)
{
    struct outcome o = {.reason = reason, .retry_after_s = retry_after_s, .detail = detail};
    if (answer_class_of(reason) == ANSWER_NOT_READY && o.retry_after_s == 0)
        o.retry_after_s = 1;
    r->answer(r, &o);
}

size_t methods_not_ready(const struct worker *w, enum reason *out, size_t max)
{
    size_t n = 0;
    if (w->kind == WORKER_MINTER && !minter_has_signer(w->minter) && n < max)
        out[n++] = REASON_SIGNER_AWAY;
    if (w->kind == WORKER_MINTER && !w->may_mint && n < max)
        out[n++] = REASON_NO_SIGNING_KEY;
    if (w->kind == WORKER_VALIDATOR && !(w->synced && w->may_validate) && n < max)
        out[n++] = REASON_NEVER_FETCHED;
    if (w->leaving && n < max)
        out[n++] = REASON_INTERNAL;
    return n;
}
