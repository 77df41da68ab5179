/* SPDX-License-Identifier: Apache-2.0 */
/* The validation ladder (protocol note 2.7, rules R1-R29): token + store + expectation + now ->
 * verdict. Only check_token makes a struct token_checked; outer claims are reachable only through
 * it. */
#pragma once

#include "claims.h"
#include "store.h"

/* Where a judgement can end, in the order of rule R29. */
enum check_step {
    STEP_FORM, /* size, shape, header, form of the claims */
    STEP_ISSUER,
    STEP_KEY,
    STEP_SIGNATURE,
    STEP_TIME,
    STEP_AUDIENCE,
    STEP_KIND,  /* what kind of token it is, and whether this partner may send that kind */
    STEP_ACTOR, /* does the user token belong to the actor */
    STEP_USER,
    STEP_POLICY,
    STEP_COUNT
};
/* "form", "issuer", "key", ... "policy"; "believed" for STEP_COUNT. */
const char *check_step_name(enum check_step s);

/* What the caller wants the token judged against. */
struct check_against {
    const struct settings *settings;
    const struct store *store;
    const struct names *audiences; /* subset of our hosts this peer may validate for; NULL: all */
    struct span audience;          /* one host wished for; empty: any of those */
    int64_t now;                   /* wall seconds */
};

#define USER_TEXT_MAX (CLAIM_TEXT_MAX + 1)

/* The verdict. Strings are copies, so the token may go; they are printable ASCII. A refused token's
 * texts are what was read until then, good for a log and for nothing else. */
struct token_checked {
    enum reason reason;            /* REASON_OK: believed */
    enum check_step step;          /* where it ended (STEP_COUNT when believed) */
    bool delegated;                /* acts for a user: an outer token, or user_signed */
    bool user_signed;              /* a user token that an s2sd partner signed whole */
    bool signature_believed;       /* the signature verified, whatever came after */
    bool key_expired_warning;      /* ExpiredKeys=warn let it through */
    const struct partner *partner; /* into the settings; NULL until the issuer is known */
    int64_t nbf, exp;              /* of the whole: the later beginning, the earlier end */
    /* Of the partner's key that the token names, or would name (REASON_UNKNOWN_KEY); else zeros. */
    uint8_t x5t[X5T_LEN];
    /* Refused for an unknown key, or a signature that fails under a key whose id is only a name,
     * and nothing that can be judged without the key speaks against it: a newer document of the
     * partner might make it good. */
    bool worth_fetching;
    uint8_t key_id[X5T_LEN];    /* then: of the key looked for, see check_key_id */
    char issuer[USER_TEXT_MAX]; /* iss of the signed token: appid@realm */
    char app[USER_TEXT_MAX];    /* its nameid: the application that acts */
    char audience[USER_TEXT_MAX];
    char user[USER_TEXT_MAX]; /* the user as the policy judged it: an address (or SID) */
    /* The user's claims, as written. */
    char nameid[USER_TEXT_MAX], nii[USER_TEXT_MAX];
    char upn[USER_TEXT_MAX], smtp[USER_TEXT_MAX], sip[USER_TEXT_MAX];
    char detail[256]; /* for explain: our words and numbers, never token text */
};

/* Reusable memory of one thread of control (two readers inside: outer and inner). */
struct check_scratch;
struct check_scratch *check_scratch_new(void) WARN_UNUSED;
void check_scratch_free(struct check_scratch *s);
void check_scratch_freep(struct check_scratch **s);

/* Judges `token` and fills *v in any case (nothing needs to be cleared before). Writes no state:
 * what an unknown key should cause is the caller's business. Returns v->reason. */
enum reason check_token(struct check_scratch *scratch, const struct check_against *against,
    struct span token, struct token_checked *v) WARN_UNUSED;

/* A verdict that check_token gave on an app-only token, remembered by its caller under the hash of
 * the whole token (rule R30). check_recall starts *v with what the caller kept; the caller then
 * fills issuer, app and audience. check_again judges everything anew but form and signature:
 * partner, freshness, key, times, audience, kind. The caller answers for the keys being those of
 * then (the partner's generation). Returns v->reason; v->partner points into the settings of
 * `against`.
 */
void check_recall(struct token_checked *v, const uint8_t x5t[X5T_LEN], int64_t nbf, int64_t exp);
enum reason check_again(const struct check_against *against, struct token_checked *v) WARN_UNUSED;
