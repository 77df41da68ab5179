/* SPDX-License-Identifier: Apache-2.0 */
#include "continuity.h"

#include "cleanup.h"
#include "key_pin.h"

#include <inttypes.h>
#include <stdio.h>

/* Everything else of ours that judges clocks has it in the settings; documents are judged with this
 * one as metadata.c does. */
#define CLOCK_SKEW_S 300

static bool is_believed(const struct partner_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i].state == PKEY_VALID)
            return true;
    return false;
}

/* Barred, or withdrawn by the partner: it vouches for nothing any more. */
static bool is_spent(const struct partner_trust *t, const struct cert *c)
{
    for (size_t i = 0; t && i < t->n_keys; i++)
        if (t->keys[i].has_x5t && memcmp(t->keys[i].x5t_s256, c->x5t_s256, X5T_S256_LEN) == 0)
            return t->keys[i].state != PKEY_NEW && t->keys[i].state != PKEY_VALID;
    return false;
}

/* Who may have signed a document when no key of the partner is believed: its certificates that
 * `pin` names (NULL: all of them), without those that `t` knows better (NULL: nothing). The keys
 * are borrowed. */
static size_t signers_of(const struct metadata *m, const char *pin, const struct partner_trust *t,
    struct partner_key *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_certs; i++) {
        const struct cert *c = m->certs[i];
        if ((pin && !key_pin_is(pin, c->x5t, c->x5t_s256, c->key)) || is_spent(t, c))
            continue;
        keys[n] = (struct partner_key){.state = PKEY_VALID,
            .has_x5t = true,
            .not_before = c->not_before,
            .not_after = c->not_after,
            .key = c->key};
        memcpy(keys[n].x5t, c->x5t, X5T_LEN);
        memcpy(keys[n].x5t_s256, c->x5t_s256, X5T_S256_LEN);
        n++;
    }
    return n;
}

static bool is_listed(const struct cert *c, const void *list)
{
    return signed_document_has(list, c);
}

static enum reason check(
    const struct metadata *m, const struct signed_against *against, struct signed_document *ret)
{
    CLEANUP(jws_scratch_freep) struct jws_scratch *scratch = jws_scratch_new();
    if (!scratch)
        return REASON_OUT_OF_MEMORY;
    return signed_document_check(scratch, span_of(m->signed_metadata), against, ret);
}

/* An older document, or another one under the same number. */
static enum reason judge_sequence(
    const struct partner_state *state, const struct signed_document *d, char why[256])
{
    if (d->sequence < state->sequence)
        snprintf(why, 256, "its sequence %" PRId64 " is older than %" PRId64 ", which was seen",
            d->sequence, state->sequence);
    else if (d->sequence == state->sequence &&
             memcmp(d->keys_digest, state->sequence_keys, X5T_S256_LEN) != 0)
        snprintf(why, 256, "its sequence %" PRId64 " was seen with other keys", d->sequence);
    else
        return REASON_OK;
    return REASON_DOCUMENT_HELD;
}

static enum reason judge_signature(const struct partner_state *state,
    const struct signed_against *against, struct metadata *m, struct signed_document *ret,
    char why[256])
{
    enum reason r = check(m, against, ret);
    if (r == REASON_OUT_OF_MEMORY)
        return r;
    if (r != REASON_OK) {
        snprintf(
            why, 256, "its signature is not believed: %s (%s)", reason_sentence(r), reason_code(r));
        return REASON_DOCUMENT_HELD;
    }
    r = judge_sequence(state, ret, why);
    if (r != REASON_OK)
        return r;
    metadata_filter(m, is_listed, ret, "is not in the signed list");
    return m->n_certs > 0 ? REASON_OK : REASON_DOCUMENT_KEYS;
}

enum reason continuity_judge(const struct partner_state *state, const struct partner *pins,
    struct metadata *m, int64_t now, struct signed_document *ret, char why[256])
{
    struct partner_key first[METADATA_KEYS_MAX];
    struct signed_against against = {.issuer = pins->issuer,
        .keys = state->trust.keys,
        .n_keys = state->trust.n_keys,
        .now = now,
        .skew_s = CLOCK_SKEW_S};
    *ret = (struct signed_document){0};
    if (pins->continuity != CONTINUITY_SIGNED)
        return REASON_OK;
    bool is_first = !is_believed(&state->trust);
    if (is_first && !pins->expect) {
        snprintf(why, 256, "no key of the partner is believed yet, and there is no Expect=");
        return REASON_DOCUMENT_HELD;
    }
    if (is_first) {
        against.keys = first;
        against.n_keys = signers_of(m, pins->expect, &state->trust, first);
    }
    if (!m->signed_metadata) {
        snprintf(why, 256, "it carries no signed_metadata");
        return REASON_DOCUMENT_HELD;
    }
    return judge_signature(state, &against, m, ret, why);
}

enum reason continuity_approved(
    const struct partner *pins, struct metadata *m, int64_t now, struct signed_document *ret)
{
    struct partner_key keys[METADATA_KEYS_MAX];
    const struct signed_against against = {.issuer = pins->issuer,
        .keys = keys,
        .n_keys = signers_of(m, NULL, NULL, keys),
        .now = now,
        .skew_s = CLOCK_SKEW_S};
    *ret = (struct signed_document){0};
    if (pins->continuity != CONTINUITY_SIGNED || !m->signed_metadata)
        return REASON_OK;
    enum reason r = check(m, &against, ret);
    if (r == REASON_OUT_OF_MEMORY)
        return r;
    if (r != REASON_OK)
        *ret = (struct signed_document){0};
    return REASON_OK;
}

void continuity_keep(struct partner_state *state, const struct signed_document *d)
{
    if (d->sequence == 0)
        return;
    state->sequence = d->sequence;
    memcpy(state->sequence_keys, d->keys_digest, X5T_S256_LEN);
    state->signed_until_at = d->expires_at;
}
