/* SPDX-License-Identifier: Apache-2.0 */
/* One rung of the ladder: which user a token names (rule R18 as DESIGN 5 settles it), and whether
 * the partner may speak for that user (rule R24). */
#pragma once

#include "claims.h"
#include "settings.h"

struct user_named {
    struct span user;      /* the address; or the identifier when there is no address */
    bool by_identifier;    /* a SID or PUID alone */
    struct span smtp, sip; /* addresses, "sip:" taken off; p NULL when absent */
    /* which claim is to blame: "nameid", "upn", "smtp", "sip", "sub"; or "user", the one above */
    const char *bad;
};

/* From the claims of an outer token. nameid is an address (then upn, if present, is the same one,
 * ASCII case ignored), or a SID or PUID: beside an address in upn the user is that address; alone
 * it needs `accept_identifier` (AcceptSecurityIdentifier=yes). smtp and sip are addresses.
 * REASON_USER_FORM, REASON_USER_AMBIGUOUS; ret->bad is filled then. */
enum reason check_user_of_outer(
    const struct claims *outer, bool accept_identifier, struct user_named *ret) WARN_UNUSED;
/* From the sub of a user token signed whole: an address. REASON_USER_FORM. */
enum reason check_user_of_signed(const struct claims *claims, struct user_named *ret) WARN_UNUSED;

/* PermittedUsers= and RefusedUsers= of the partner: user, smtp and sip must each pass. No pattern
 * can name a SID or PUID, so one alone passes when the partner may delegate at all
 * (PermittedUsers= is not empty): AcceptSecurityIdentifier=yes means every identifier.
 * REASON_USER_REFUSED with u->bad filled. */
enum reason check_user_permitted(struct user_named *u, const struct partner *p) WARN_UNUSED;
