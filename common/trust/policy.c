/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "https_url.h"
#include "principal.h"

#include <stdio.h>

/* What root may do without a rule: look and steer. What overrides a safeguard or tells why a token
 * was refused (approve, force, explain) is a right of its own, also for root (DESIGN 2). */
#define ROOT_RIGHTS                                                                                \
    (RIGHT_STATUS | RIGHT_MONITOR | RIGHT_REFRESH | RIGHT_RELOAD | RIGHT_ROLL | RIGHT_BAR)

static bool in_group(const struct peer *peer, gid_t gid)
{
    if (peer->gid == gid)
        return true;
    for (size_t i = 0; i < peer->n_groups; i++)
        if (peer->groups[i] == gid)
            return true;
    return false;
}

/* A unit that could not be established fulfils no condition on it. */
static bool rule_matches(const struct client_rule *rule, const struct peer *peer)
{
    if (rule->user && rule->uid != peer->uid)
        return false;
    if (rule->group && !in_group(peer, rule->gid))
        return false;
    if (!rule->unit)
        return true;
    /* Another process of the same user could have got the number of one that has ended (DESIGN 5).
     */
    bool known = peer->unit && (!peer->unit_weak || rule->user);
    return known && strcmp(rule->unit, peer->unit) == 0;
}

bool policy_needs_unit(const struct settings *s)
{
    for (size_t i = 0; i < s->n_clients; i++)
        if (s->clients[i].unit)
            return true;
    return false;
}

const struct client_rule *policy_match(const struct settings *s, const struct peer *peer)
{
    for (size_t i = 0; i < s->n_clients; i++)
        if (rule_matches(&s->clients[i], peer))
            return &s->clients[i];
    return NULL;
}

bool policy_may(const struct settings *s, const struct peer *peer, enum right right)
{
    if (peer->uid == 0 && (ROOT_RIGHTS & right))
        return true;
    const struct client_rule *rule = policy_match(s, peer);
    if (rule)
        return (rule->rights & right) != 0;
    return right == RIGHT_VALIDATE && s->listen.validate_by == VALIDATE_EVERYONE;
}

void policy_why_not(const struct settings *s, const struct peer *peer, enum right right,
    char *detail, size_t detail_len)
{
    const struct client_rule *rule = policy_match(s, peer);
    if (rule)
        snprintf(detail, detail_len, "[Client %s] decides for this process and does not allow %s",
            rule->name, right_name(right));
    else
        snprintf(detail, detail_len, "no [Client] section matches uid %u, gid %u%s%s",
            (unsigned)peer->uid, (unsigned)peer->gid, peer->unit ? ", unit " : "",
            peer->unit ? peer->unit : "");
}

enum reason policy_may_validate(
    const struct settings *s, const struct peer *peer, const struct names **ret_audiences)
{
    if (!policy_may(s, peer, RIGHT_VALIDATE))
        return REASON_NOT_PERMITTED;
    const struct client_rule *rule = policy_match(s, peer);
    *ret_audiences = rule && rule->audiences.n > 0 ? &rule->audiences : NULL;
    return REASON_OK;
}

/* Granting: each question one function, asked in the order of policy_grant. */

static bool rule_covers(const struct client_rule *rule, struct span partner)
{
    if (rule->partners.n == 0)
        return true;
    for (size_t i = 0; i < rule->partners.n; i++)
        if (span_eq_str(partner, rule->partners.list[i]))
            return true;
    return false;
}

/* The partner's own spelling of one of its hosts; the first for an empty wish; NULL: not one. */
static const char *partner_host(const struct partner *p, struct span host)
{
    if (host.n == 0)
        return p->audience_hosts.n > 0 ? p->audience_hosts.list[0] : NULL;
    for (size_t i = 0; i < p->audience_hosts.n; i++)
        if (span_eq_nocase(span_of(p->audience_hosts.list[i]), host))
            return p->audience_hosts.list[i];
    return NULL;
}

static enum reason grant_user(const struct client_rule *rule, const struct mint_request *req)
{
    if (req->user_kind == USER_NONE)
        return req->user.n == 0 ? REASON_OK : REASON_USER_FORM;
    /* The value comes out of a frame: an unknown kind is no kind. */
    if ((unsigned)req->user_kind > USER_SIP || !user_address_valid(req->user))
        return REASON_USER_FORM;
    if (!rule->delegation || !patterns_allow(&rule->act_as, &rule->refuse_act_as, req->user))
        return REASON_ACT_AS_REFUSED;
    return REASON_OK;
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t grant_lifetime(
    const struct settings *s, const struct mint_request *req, const struct mint_grant *g)
{
    bool delegated = req->user_kind != USER_NONE;
    int64_t wish = req->lifetime_s;
    if (wish == 0)
        wish = delegated ? g->partner->delegation_lifetime_s : s->limits.token_lifetime_s;
    wish = shorter(wish, s->limits.max_token_lifetime_s);
    if (g->rule->max_lifetime_s > 0)
        wish = shorter(wish, g->rule->max_lifetime_s);
    return delegated ? shorter(wish, g->partner->delegation_lifetime_s) : wish;
}

enum reason policy_grant(
    const struct settings *s, const struct mint_request *req, struct mint_grant *ret)
{
    struct mint_grant g = {.rule = settings_client(s, req->rule)};
    if (!g.rule)
        return REASON_RULE_CHANGED;
    if (!(g.rule->rights & RIGHT_MINT))
        return REASON_NOT_PERMITTED;
    g.partner = settings_partner(s, req->partner);
    if (!g.partner)
        return REASON_NO_SUCH_PARTNER;
    if (!rule_covers(g.rule, req->partner))
        return REASON_NOT_PERMITTED;
    if (!g.partner->enabled)
        return REASON_PARTNER_DISABLED;
    g.host = partner_host(g.partner, req->host);
    if (!g.host)
        return REASON_HOST_NOT_OF_PARTNER;
    enum reason r = grant_user(g.rule, req);
    if (r != REASON_OK)
        return r;
    if (req->lifetime_s < 0)
        return REASON_LIFETIME_REFUSED;
    g.lifetime_s = grant_lifetime(s, req, &g);
    *ret = g;
    return REASON_OK;
}

/* Resources. */

/* What a host was found at. */
struct candidates {
    const struct partner *partner;
    const char *host;
    size_t n;       /* enabled partners that have it */
    size_t printed; /* bytes of detail in use */
    char *detail;
    size_t detail_len;
};

static void note_candidate(struct candidates *c, const struct partner *p, const char *host)
{
    /* A disabled partner counts only when no enabled one answers. */
    if (!p->enabled && c->partner)
        return;
    if (p->enabled && c->n == 0)
        c->printed = 0;
    if (c->n == 0) {
        c->partner = p;
        c->host = host;
    }
    c->n += p->enabled;
    if (c->printed < c->detail_len) {
        int n = snprintf(c->detail + c->printed, c->detail_len - c->printed, "%s%s",
            c->printed ? ", " : "", p->name);
        c->printed += n > 0 ? (size_t)n : 0;
    }
}

static enum reason find_host(const struct settings *s, struct span host, struct candidates *c)
{
    for (size_t i = 0; i < s->n_partners; i++) {
        const char *own = partner_host(&s->partners[i], host);
        if (own)
            note_candidate(c, &s->partners[i], own);
    }
    if (!c->partner)
        return REASON_NO_SUCH_PARTNER;
    return c->n > 1 ? REASON_AMBIGUOUS_TARGET : REASON_OK;
}

static enum reason find_principal(
    const struct settings *s, const struct principal *full, struct candidates *c)
{
    for (size_t i = 0; i < s->n_partners; i++) {
        const struct partner *p = &s->partners[i];
        if (!span_eq_nocase(full->app_id, span_of(p->app_id)) ||
            !span_eq_nocase(full->realm, span_of(p->realm)))
            continue;
        c->partner = p;
        c->host = partner_host(p, full->host);
        return c->host ? REASON_OK : REASON_HOST_NOT_OF_PARTNER;
    }
    return REASON_NO_SUCH_PARTNER;
}

/* A URL names a partner by its authority, or by its host when only that is known (Exchange writes
 * no port into audiences, SharePoint does). */
static enum reason find_url(
    const struct settings *s, const struct https_url *url, struct candidates *c)
{
    enum reason r = find_host(s, url->authority, c);
    return r == REASON_NO_SUCH_PARTNER ? find_host(s, url->host, c) : r;
}

static enum reason find_resource(
    const struct settings *s, struct span resource, struct candidates *c)
{
    struct principal full;
    struct https_url url;
    const struct partner *named = settings_partner(s, resource);
    if (named) {
        c->partner = named;
        c->host = partner_host(named, (struct span){0});
        return c->host ? REASON_OK : REASON_HOST_NOT_OF_PARTNER;
    }
    if (principal_parse_audience(resource, &full))
        return find_principal(s, &full, c);
    if (https_url_parse(resource, &url))
        return find_url(s, &url, c);
    return host_valid(resource) ? find_host(s, resource, c) : REASON_NO_SUCH_PARTNER;
}

enum reason policy_resource(const struct settings *s, struct span resource,
    const struct partner **ret, struct span *ret_host, char *detail, size_t detail_len)
{
    struct candidates c = {.detail = detail, .detail_len = detail_len};
    if (detail_len > 0)
        detail[0] = '\0';
    enum reason r = find_resource(s, resource, &c);
    if (r != REASON_AMBIGUOUS_TARGET && detail_len > 0)
        detail[0] = '\0';
    if (r != REASON_OK)
        return r;
    *ret = c.partner;
    *ret_host = span_of(c.host);
    return REASON_OK;
}
