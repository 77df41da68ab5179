/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

/* Unknown members are ignored: a newer daemon may say more. */
#define READ(v, table, ret)                                                                        \
    ({                                                                                             \
        struct span bad_;                                                                          \
        *(ret) = (__typeof__(*(ret))){0};                                                          \
        (v)->type ==                                                                               \
            JSON_OBJECT &&json_fields((v), (table), ARRAY_LEN(table), false, (ret), &bad_) ==      \
            REASON_OK;                                                                             \
    })

#define F(type, name, json, member, need)                                                          \
    {                                                                                              \
        name, json, offsetof(struct type, member), need                                            \
    }
#define MUST JSON_MANDATORY
#define MAY JSON_OPTIONAL

static const struct json_field brief_fields[] = {
    F(brief_answer, "name", JSON_STRING, name, MUST),
    F(brief_answer, "trust", JSON_STRING, trust, MUST),
    F(brief_answer, "issuer", JSON_STRING, issuer, MUST),
    F(brief_answer, "state", JSON_STRING, state, MUST),
    F(brief_answer, "lastReason", JSON_STRING, last_reason, MAY),
    F(brief_answer, "lastSentence", JSON_STRING, last_sentence, MAY),
    F(brief_answer, "lastDetail", JSON_STRING, last_detail, MAY),
    F(brief_answer, "enabled", JSON_BOOL, enabled, MUST),
    F(brief_answer, "goodAt", JSON_NUMBER, good_at, MUST),
    F(brief_answer, "nextTryAt", JSON_NUMBER, next_try_at, MUST),
    F(brief_answer, "keys", JSON_NUMBER, keys, MUST),
    F(brief_answer, "refusedFrom", JSON_NUMBER, refused_from, MAY),
    F(brief_answer, "suspendedAt", JSON_NUMBER, suspended_at, MAY),
    F(brief_answer, "suspendedBy", JSON_STRING, suspended_by, MAY),
    F(brief_answer, "held", JSON_BOOL, held, MAY),
    F(brief_answer, "clockOffset", JSON_NUMBER, clock_offset, MAY),
};

static const struct json_field signing_key_fields[] = {
    F(signing_key_answer, "x5t", JSON_STRING, x5t, MUST),
    F(signing_key_answer, "thumbprint", JSON_STRING, thumbprint, MUST),
    F(signing_key_answer, "state", JSON_STRING, state, MUST),
    F(signing_key_answer, "notBefore", JSON_NUMBER, not_before, MUST),
    F(signing_key_answer, "notAfter", JSON_NUMBER, not_after, MUST),
    F(signing_key_answer, "until", JSON_NUMBER, until, MAY),
    F(signing_key_answer, "publishedSince", JSON_NUMBER, published_since, MAY),
    F(signing_key_answer, "effectiveAt", JSON_NUMBER, effective_at, MAY),
    F(signing_key_answer, "held", JSON_BOOL, held, MAY),
};

static const struct json_field own_key_fields[] = {
    F(own_key_answer, "x5t", JSON_STRING, x5t, MUST),
    F(own_key_answer, "thumbprint", JSON_STRING, thumbprint, MUST),
    F(own_key_answer, "state", JSON_STRING, state, MUST),
    F(own_key_answer, "notBefore", JSON_NUMBER, not_before, MUST),
    F(own_key_answer, "notAfter", JSON_NUMBER, not_after, MUST),
    F(own_key_answer, "since", JSON_NUMBER, since, MUST),
    F(own_key_answer, "publishedSince", JSON_NUMBER, published_since, MUST),
    F(own_key_answer, "effectiveAt", JSON_NUMBER, effective_at, MAY),
    F(own_key_answer, "lastResortAt", JSON_NUMBER, last_resort_at, MAY),
    F(own_key_answer, "until", JSON_NUMBER, until, MAY),
    F(own_key_answer, "held", JSON_BOOL, held, MUST),
    F(own_key_answer, "forced", JSON_BOOL, forced, MUST),
    F(own_key_answer, "holdReason", JSON_STRING, hold_reason, MAY),
    F(own_key_answer, "seen", JSON_ARRAY, seen, MUST),
    F(own_key_answer, "notSeen", JSON_ARRAY, not_seen, MUST),
};

static const struct json_field sighting_fields[] = {
    F(sighting_answer, "partner", JSON_STRING, partner, MUST),
    F(sighting_answer, "how", JSON_STRING, how, MUST),
    F(sighting_answer, "at", JSON_NUMBER, at, MUST),
};

static const struct json_field keys_fields[] = {
    F(keys_answer, "generation", JSON_NUMBER, generation, MUST),
    F(keys_answer, "publishLead", JSON_NUMBER, publish_lead, MUST),
    F(keys_answer, "earliestRoll", JSON_NUMBER, earliest_roll, MAY),
    F(keys_answer, "source", JSON_STRING, source, MUST),
    F(keys_answer, "keys", JSON_ARRAY, keys, MUST),
    F(keys_answer, "partners", JSON_ARRAY, partners, MUST),
};

static const struct json_field key_partner_fields[] = {
    F(key_partner_answer, "name", JSON_STRING, name, MUST),
    F(key_partner_answer, "howTo", JSON_STRING, how_to, MAY),
    F(key_partner_answer, "enabled", JSON_BOOL, enabled, MUST),
    F(key_partner_answer, "selfRefresh", JSON_BOOL, self_refresh, MUST),
    F(key_partner_answer, "announces", JSON_BOOL, announces, MUST),
    F(key_partner_answer, "keys", JSON_ARRAY, keys, MUST),
};

static const struct json_field changed_fields[] = {
    F(changed_answer, "lines", JSON_ARRAY, lines, MUST),
    F(changed_answer, "changed", JSON_BOOL, changed, MAY),
};

static const struct json_field partner_key_fields[] = {
    F(partner_key_answer, "x5t", JSON_STRING, x5t, MUST),
    F(partner_key_answer, "thumbprint", JSON_STRING, thumbprint, MUST),
    F(partner_key_answer, "state", JSON_STRING, state, MUST),
    F(partner_key_answer, "notBefore", JSON_NUMBER, not_before, MUST),
    F(partner_key_answer, "notAfter", JSON_NUMBER, not_after, MUST),
    F(partner_key_answer, "firstSeenAt", JSON_NUMBER, first_seen_at, MUST),
    F(partner_key_answer, "lastSeenAt", JSON_NUMBER, last_seen_at, MUST),
    F(partner_key_answer, "believedFrom", JSON_NUMBER, believed_from, MAY),
    F(partner_key_answer, "disputed", JSON_BOOL, disputed, MUST),
};

static const struct json_field status_fields[] = {
    F(status_answer, "version", JSON_STRING, version, MUST),
    F(status_answer, "issuer", JSON_STRING, issuer, MUST),
    F(status_answer, "host", JSON_STRING, host, MUST),
    F(status_answer, "metadataUrl", JSON_STRING, metadata_url, MUST),
    F(status_answer, "signer", JSON_STRING, signer, MUST),
    F(status_answer, "fetcher", JSON_STRING, fetcher, MUST),
    F(status_answer, "startedAt", JSON_NUMBER, started_at, MUST),
    F(status_answer, "rules", JSON_NUMBER, rules, MUST),
    F(status_answer, "mayMint", JSON_BOOL, may_mint, MUST),
    F(status_answer, "mayValidate", JSON_BOOL, may_validate, MUST),
    F(status_answer, "signingKeys", JSON_ARRAY, signing_keys, MUST),
    F(status_answer, "workers", JSON_ARRAY, workers, MUST),
    F(status_answer, "counters", JSON_OBJECT, counters, MUST),
    F(status_answer, "partners", JSON_ARRAY, partners, MUST),
};

static const struct json_field partner_fields[] = {
    F(partner_answer, "partner", JSON_OBJECT, partner, MUST),
    F(partner_answer, "metadataUrls", JSON_ARRAY, metadata_urls, MUST),
    F(partner_answer, "audienceHosts", JSON_ARRAY, audience_hosts, MUST),
    F(partner_answer, "permittedUsers", JSON_ARRAY, permitted_users, MUST),
    F(partner_answer, "refusedUsers", JSON_ARRAY, refused_users, MUST),
    F(partner_answer, "continuity", JSON_STRING, continuity, MAY),
    F(partner_answer, "holdDown", JSON_NUMBER, hold_down, MAY),
    F(partner_answer, "keys", JSON_ARRAY, keys, MUST),
    F(partner_answer, "held", JSON_OBJECT, held, MAY),
    F(partner_answer, "history", JSON_ARRAY, history, MUST),
};

static const struct json_field held_fields[] = {
    F(held_answer, "reason", JSON_STRING, reason, MUST),
    F(held_answer, "sentence", JSON_STRING, sentence, MUST),
    F(held_answer, "detail", JSON_STRING, detail, MUST),
    F(held_answer, "since", JSON_NUMBER, since, MUST),
    F(held_answer, "thumbprints", JSON_ARRAY, thumbprints, MUST),
};

static const struct json_field refresh_fields[] = {
    F(refresh_answer, "name", JSON_STRING, name, MUST),
    F(refresh_answer, "reason", JSON_STRING, reason, MUST),
    F(refresh_answer, "sentence", JSON_STRING, sentence, MAY),
    F(refresh_answer, "detail", JSON_STRING, detail, MAY),
    F(refresh_answer, "changed", JSON_BOOL, changed, MUST),
};

static const struct json_field pool_fields[] = {
    F(pool_answer, "members", JSON_ARRAY, members, MUST),
    F(pool_answer, "ownKeys", JSON_NUMBER, own_keys, MUST),
    F(pool_answer, "otherKeys", JSON_NUMBER, other_keys, MUST),
    F(pool_answer, "leftOut", JSON_NUMBER, left_out, MUST),
};

static const struct json_field pool_member_fields[] = {
    F(pool_member_answer, "url", JSON_STRING, url, MUST),
    F(pool_member_answer, "state", JSON_STRING, state, MUST),
    F(pool_member_answer, "goodAt", JSON_NUMBER, good_at, MUST),
    F(pool_member_answer, "nextTryAt", JSON_NUMBER, next_try_at, MUST),
    F(pool_member_answer, "lastReason", JSON_STRING, last_reason, MUST),
    F(pool_member_answer, "lastSentence", JSON_STRING, last_sentence, MUST),
    F(pool_member_answer, "keys", JSON_ARRAY, keys, MUST),
    F(pool_member_answer, "publishesCurrent", JSON_BOOL, publishes_current, MUST),
    F(pool_member_answer, "publishesNext", JSON_BOOL, publishes_next, MAY),
    F(pool_member_answer, "leavesAt", JSON_NUMBER, leaves_at, MAY),
};

static const struct json_field user_fields[] = {
    F(user_answer, "nameid", JSON_STRING, nameid, MAY),
    F(user_answer, "nii", JSON_STRING, nii, MAY),
    F(user_answer, "upn", JSON_STRING, upn, MAY),
    F(user_answer, "smtp", JSON_STRING, smtp, MAY),
    F(user_answer, "sip", JSON_STRING, sip, MAY),
    F(user_answer, "address", JSON_STRING, address, MAY),
};

static const struct json_field verdict_fields[] = {
    F(verdict_answer, "active", JSON_BOOL, active, MUST),
    F(verdict_answer, "delegated", JSON_BOOL, delegated, MAY),
    F(verdict_answer, "partner", JSON_STRING, partner, MAY),
    F(verdict_answer, "trust", JSON_STRING, trust, MAY),
    F(verdict_answer, "issuer", JSON_STRING, issuer, MAY),
    F(verdict_answer, "subject", JSON_STRING, subject, MAY),
    F(verdict_answer, "audience", JSON_STRING, audience, MAY),
    F(verdict_answer, "reason", JSON_STRING, reason, MAY),
    F(verdict_answer, "sentence", JSON_STRING, sentence, MAY),
    F(verdict_answer, "advice", JSON_STRING, advice, MAY),
    F(verdict_answer, "diagnostics", JSON_STRING, diagnostics, MAY),
    F(verdict_answer, "notBefore", JSON_NUMBER, not_before, MAY),
    F(verdict_answer, "expiresAt", JSON_NUMBER, expires_at, MAY),
    F(verdict_answer, "user", JSON_OBJECT, user, MAY),
    F(verdict_answer, "steps", JSON_ARRAY, steps, MAY),
};

static const struct json_field step_fields[] = {
    F(step_answer, "step", JSON_STRING, step, MUST),
    F(step_answer, "outcome", JSON_STRING, outcome, MUST),
    F(step_answer, "detail", JSON_STRING, detail, MAY),
};

static const struct json_field token_fields[] = {
    F(token_answer, "token", JSON_STRING, token, MUST),
    F(token_answer, "tokenType", JSON_STRING, token_type, MUST),
    F(token_answer, "partner", JSON_STRING, partner, MUST),
    F(token_answer, "expiresAt", JSON_NUMBER, expires_at, MUST),
    F(token_answer, "expiresIn", JSON_NUMBER, expires_in, MUST),
};

bool answer_brief(const struct json_value *v, struct brief_answer *ret)
{
    bool ok = READ(v, brief_fields, ret);
    ret->clock_known = ok && json_get(v, "clockOffset") != NULL;
    return ok;
}

bool answer_signing_key(const struct json_value *v, struct signing_key_answer *ret)
{
    if (!READ(v, signing_key_fields, ret))
        return false;
    if (!json_get(v, "publishedSince"))
        ret->published_since = -1;
    return true;
}

bool answer_own_key(const struct json_value *v, struct own_key_answer *ret)
{
    return READ(v, own_key_fields, ret);
}

bool answer_sighting(const struct json_value *v, struct sighting_answer *ret)
{
    return READ(v, sighting_fields, ret);
}

bool answer_keys(const struct json_value *v, struct keys_answer *ret)
{
    return READ(v, keys_fields, ret);
}

bool answer_key_partner(const struct json_value *v, struct key_partner_answer *ret)
{
    return READ(v, key_partner_fields, ret);
}

bool answer_changed(const struct json_value *v, struct changed_answer *ret)
{
    return READ(v, changed_fields, ret);
}

bool answer_partner_key(const struct json_value *v, struct partner_key_answer *ret)
{
    return READ(v, partner_key_fields, ret);
}

bool answer_status(const struct json_value *v, struct status_answer *ret)
{
    return READ(v, status_fields, ret);
}

bool answer_partner(const struct json_value *v, struct partner_answer *ret)
{
    return READ(v, partner_fields, ret);
}

bool answer_held(const struct json_value *v, struct held_answer *ret)
{
    return READ(v, held_fields, ret);
}

bool answer_refresh(const struct json_value *v, struct refresh_answer *ret)
{
    return READ(v, refresh_fields, ret);
}

bool answer_pool(const struct json_value *v, struct pool_answer *ret)
{
    return READ(v, pool_fields, ret);
}

bool answer_pool_member(const struct json_value *v, struct pool_member_answer *ret)
{
    if (!READ(v, pool_member_fields, ret))
        return false;
    const struct json_value *next = json_get(v, "publishesNext");
    ret->has_next = next && next->type == JSON_BOOL;
    return true;
}

bool answer_user(const struct json_value *v, struct user_answer *ret)
{
    return READ(v, user_fields, ret);
}

bool answer_verdict(const struct json_value *v, struct verdict_answer *ret)
{
    return READ(v, verdict_fields, ret);
}

bool answer_step(const struct json_value *v, struct step_answer *ret)
{
    return READ(v, step_fields, ret);
}

bool answer_token(const struct json_value *v, struct token_answer *ret)
{
    return READ(v, token_fields, ret);
}

const struct json_value *answer_array(const struct json_value *v, const char *name)
{
    const struct json_value *array = json_get(v, name);
    return array && array->type == JSON_ARRAY ? array : NULL;
}
