/* SPDX-License-Identifier: Apache-2.0 */
/* The claims that decide, lifted out of a payload. Their form is judged here (rules R17, R18, R22,
 * R25, R26), their meaning in check. */
#pragma once

#include "jws.h"

#define CLAIM_TEXT_MAX 512 /* bytes of an identity string */

enum delegation_claim { DELEGATION_ABSENT, DELEGATION_FALSE, DELEGATION_TRUE };

/* All spans point into the payload's JSON; p is NULL when the claim is absent. */
struct claims {
    struct span iss, aud, nameid, nii, upn, smtp, sip;
    struct span actortoken; /* CLAIMS_OUTER only */
    struct span sub, actor; /* CLAIMS_USER only: the user's address, and act.sub */
    bool has_nbf, has_exp;
    int64_t nbf, exp;                             /* seconds since 1970 */
    enum delegation_claim trusted_for_delegation; /* not of CLAIMS_OUTER */
    bool has_nested_actor; /* a signed token with actortoken, actort or act (but the act of
                              CLAIMS_USER) */
    bool has_forbidden;    /* CLAIMS_OUTER only, R26: ver, isloopback, isuser, endpointurl*,
                            *prooftoken, cachekey, trustedfordelegation, actort, act */
};

/* What the payload belongs to: a signed app-only or actor token, the unsigned token around an
 * actor token, or a user token that an s2sd partner signed whole. */
enum claims_of { CLAIMS_SIGNED, CLAIMS_OUTER, CLAIMS_USER };

/* Identity strings are JSON strings of 1..512 printable ASCII characters; times are strings of 1-10
 * digits or such integers, without sign or leading zero. Anything else is REASON_CLAIM,
 * REASON_TIME_FORM, REASON_ACTOR_TOKEN. trustedfordelegation: "true"/"false" or JSON true/false,
 * else REASON_NO_DELEGATION. JSON null is not absence but a wrong type. A claim that is absent is
 * no error here, an unknown one is ignored. `ret` is written on success only; on failure `ret_bad`
 * gets the name of the claim (static text). */
enum reason claims_read(const struct json_value *payload, enum claims_of of, struct claims *ret,
    struct span *ret_bad) WARN_UNUSED;

/* A time as claims carry it: a string of 1-10 digits or such an integer. */
bool claims_seconds(const struct json_value *v, int64_t *ret) WARN_UNUSED;
