/* SPDX-License-Identifier: Apache-2.0 */
#include "check_user.h"

#define PUID_DIGITS 16
#define SID_AUTHORITIES_MAX 16 /* the identifier authority and at most 15 below it */
#define SID_DIGITS_MAX 15      /* the authority is a 48-bit number */

/* "S-1-5-21-..." in either case of the S. */
static bool is_sid(struct span s)
{
    unsigned parts = 0;
    if (s.n < 5 || !span_eq_nocase((struct span){s.p, 4}, SPAN("s-1-")))
        return false;
    for (struct span rest = span_skip(s, 4);; parts++) {
        const size_t dash = span_find(rest, '-');
        if (dash < 1 || dash > SID_DIGITS_MAX || parts == SID_AUTHORITIES_MAX)
            return false;
        for (size_t i = 0; i < dash; i++)
            if (!ascii_is_digit(rest.p[i]))
                return false;
        if (dash == rest.n)
            return parts > 0;
        rest = span_skip(rest, dash + 1);
    }
}

/* "10032001E2CBE43B": the id of an account of the cloud. */
static bool is_puid(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (ascii_hex(s.p[i]) < 0)
            return false;
    return s.n == PUID_DIGITS;
}

/* Trap 28: the wire has sip addresses with and without the scheme. */
static struct span without_scheme(struct span sip)
{
    const bool scheme = sip.n >= 4 && span_eq_nocase((struct span){sip.p, 4}, SPAN("sip:"));
    return scheme ? span_skip(sip, 4) : sip;
}

static bool absent_or_address(struct span s)
{
    return !s.p || user_address_valid(s);
}

static enum reason blame(struct user_named *u, const char *claim, enum reason r)
{
    u->bad = claim;
    return r;
}

/* The user, from nameid and upn. */
static enum reason find_user(const struct claims *c, bool accept_identifier, struct user_named *u)
{
    const bool address = user_address_valid(c->nameid);
    if (!address && !is_sid(c->nameid) && !is_puid(c->nameid))
        return blame(u, "nameid", REASON_USER_FORM);
    if (!absent_or_address(c->upn))
        return blame(u, "upn", REASON_USER_FORM);
    if (address && c->upn.p && !span_eq_nocase(c->nameid, c->upn))
        return blame(u, "upn", REASON_USER_AMBIGUOUS);
    u->by_identifier = !address && !c->upn.p;
    u->user = address || u->by_identifier ? c->nameid : c->upn;
    return u->by_identifier && !accept_identifier ? blame(u, "nameid", REASON_USER_FORM)
                                                  : REASON_OK;
}

enum reason check_user_of_outer(
    const struct claims *c, bool accept_identifier, struct user_named *ret)
{
    *ret = (struct user_named){.smtp = c->smtp, .sip = without_scheme(c->sip)};
    const enum reason r = find_user(c, accept_identifier, ret);
    if (r != REASON_OK)
        return r;
    if (!absent_or_address(ret->smtp))
        return blame(ret, "smtp", REASON_USER_FORM);
    if (!absent_or_address(ret->sip))
        return blame(ret, "sip", REASON_USER_FORM);
    return REASON_OK;
}

enum reason check_user_of_signed(const struct claims *c, struct user_named *ret)
{
    *ret = (struct user_named){.user = c->sub};
    return user_address_valid(c->sub) ? REASON_OK : blame(ret, "sub", REASON_USER_FORM);
}

static bool may_speak_for(const struct partner *p, struct span address)
{
    return patterns_allow(&p->permitted_users, &p->refused_users, address);
}

enum reason check_user_permitted(struct user_named *u, const struct partner *p)
{
    if (u->by_identifier ? p->permitted_users.n == 0 : !may_speak_for(p, u->user))
        return blame(u, "user", REASON_USER_REFUSED);
    if (u->smtp.p && !may_speak_for(p, u->smtp))
        return blame(u, "smtp", REASON_USER_REFUSED);
    if (u->sip.p && !may_speak_for(p, u->sip))
        return blame(u, "sip", REASON_USER_REFUSED);
    return REASON_OK;
}
