/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of the daemon as structs: the fields of docs/varlink that screens show. Spans point into
 * the reply. */
#pragma once

#include "json.h"

struct brief_answer {
    struct span name, trust, issuer, state, last_reason, last_sentence, last_detail;
    struct span suspended_by;
    bool enabled;
    bool held; /* a document waits for an approval */
    int64_t good_at, next_try_at, keys;
    int64_t refused_from, suspended_at; /* 0: not given */
    int64_t clock_offset;               /* seconds, of the partner's clock ahead of ours, */
    bool clock_known;                   /* if known */
};

struct signing_key_answer {
    struct span x5t, thumbprint, state;
    int64_t not_before, not_after, until;
    int64_t published_since; /* -1: not given */
    int64_t effective_at;    /* 0: not given */
    bool held;
};

struct own_key_answer {
    struct span x5t, thumbprint, state, hold_reason;
    int64_t not_before, not_after, since;
    int64_t published_since;                     /* 0: not published yet */
    int64_t effective_at, last_resort_at, until; /* 0: not given */
    bool held, forced;
    const struct json_value *seen, *not_seen;
};

struct sighting_answer {
    struct span partner, how;
    int64_t at;
};

struct keys_answer {
    int64_t generation, publish_lead;
    int64_t earliest_roll; /* 0: there is no next key */
    struct span source;
    const struct json_value *keys, *partners;
};

struct key_partner_answer {
    struct span name, how_to;
    bool enabled, self_refresh, announces;
    const struct json_value *keys;
};

struct changed_answer {
    const struct json_value *lines;
    bool changed;
};

struct partner_key_answer {
    struct span x5t, thumbprint, state;
    int64_t not_before, not_after, first_seen_at, last_seen_at;
    int64_t believed_from; /* 0: not given */
    bool disputed;
};

struct status_answer {
    struct span version, issuer, host, metadata_url, signer, fetcher;
    int64_t started_at, rules;
    bool may_mint, may_validate;
    const struct json_value *signing_keys, *workers, *counters, *partners;
};

struct partner_answer {
    const struct json_value *partner, *metadata_urls, *audience_hosts, *permitted_users,
        *refused_users;
    struct span continuity; /* empty: not given */
    int64_t hold_down;      /* seconds */
    const struct json_value *keys, *history;
    const struct json_value *held; /* NULL: no document is */
};

struct held_answer {
    struct span reason, sentence, detail;
    int64_t since;
    const struct json_value *thumbprints;
};

struct refresh_answer {
    struct span name, reason, sentence, detail;
    bool changed;
};

struct pool_member_answer {
    struct span url, state, last_reason, last_sentence;
    int64_t good_at, next_try_at, leaves_at; /* leaves_at 0: not given */
    const struct json_value *keys;
    bool publishes_current, publishes_next;
    bool has_next; /* publishesNext is given */
};

struct pool_answer {
    const struct json_value *members;
    int64_t own_keys, other_keys, left_out;
};

struct user_answer {
    struct span nameid, nii, upn, smtp, sip, address;
};

struct verdict_answer {
    bool active, delegated;
    struct span partner, trust, issuer, subject, audience, reason, sentence, advice, diagnostics;
    int64_t not_before, expires_at;        /* 0: not given */
    const struct json_value *user, *steps; /* NULL: not given */
};

struct step_answer {
    struct span step, outcome, detail;
};

struct token_answer {
    struct span token, token_type, partner;
    int64_t expires_at, expires_in;
};

/* Each fills *ret and is false when the value is not of that form. */
bool answer_brief(const struct json_value *v, struct brief_answer *ret) WARN_UNUSED;
bool answer_signing_key(const struct json_value *v, struct signing_key_answer *ret) WARN_UNUSED;
bool answer_own_key(const struct json_value *v, struct own_key_answer *ret) WARN_UNUSED;
bool answer_sighting(const struct json_value *v, struct sighting_answer *ret) WARN_UNUSED;
bool answer_keys(const struct json_value *v, struct keys_answer *ret) WARN_UNUSED;
bool answer_key_partner(const struct json_value *v, struct key_partner_answer *ret) WARN_UNUSED;
bool answer_changed(const struct json_value *v, struct changed_answer *ret) WARN_UNUSED;
bool answer_partner_key(const struct json_value *v, struct partner_key_answer *ret) WARN_UNUSED;
bool answer_status(const struct json_value *v, struct status_answer *ret) WARN_UNUSED;
bool answer_partner(const struct json_value *v, struct partner_answer *ret) WARN_UNUSED;
bool answer_held(const struct json_value *v, struct held_answer *ret) WARN_UNUSED;
bool answer_refresh(const struct json_value *v, struct refresh_answer *ret) WARN_UNUSED;
bool answer_pool(const struct json_value *v, struct pool_answer *ret) WARN_UNUSED;
bool answer_pool_member(const struct json_value *v, struct pool_member_answer *ret) WARN_UNUSED;
bool answer_user(const struct json_value *v, struct user_answer *ret) WARN_UNUSED;
bool answer_verdict(const struct json_value *v, struct verdict_answer *ret) WARN_UNUSED;
bool answer_step(const struct json_value *v, struct step_answer *ret) WARN_UNUSED;
bool answer_token(const struct json_value *v, struct token_answer *ret) WARN_UNUSED;
/* The array `name` of a reply; NULL when there is none. */
const struct json_value *answer_array(const struct json_value *v, const char *name);
