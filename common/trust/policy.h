/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: peers to rules (asked in the minter or validator), rules to requests (asked
 * there and again in the signer). */
#pragma once

#include "reason.h"
#include "settings.h"

/* A local process as the kernel describes it. Nothing it says about itself is in here. */
struct peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    const gid_t *groups; /* supplementary */
    size_t n_groups;
    const char *unit; /* systemd unit, or NULL when it could not be established */
    bool unit_weak;   /* it rests on a pid alone: good only for a rule that names the user too */
};

/* Does any rule ask for a unit? Otherwise it need not be established. */
bool policy_needs_unit(const struct settings *s);

/* The first rule whose conditions all hold, or NULL. */
const struct client_rule *policy_match(const struct settings *s, const struct peer *peer);
/* Does the peer have that right? Root always has status, monitor, refresh, reload, roll, bar. */
bool policy_may(const struct settings *s, const struct peer *peer, enum right right);
/* Why policy_may says no, for the peer's own eyes: which section decided, or what of the peer none
 * matches. Cut to detail_len. Nobody learns anything new, the configuration is readable by all. */
void policy_why_not(const struct settings *s, const struct peer *peer, enum right right,
    char *detail, size_t detail_len);
/* May this peer validate at all ([Listen] ValidateBy=), and for which of our hosts: *ret_audiences
 * NULL means all. */
enum reason policy_may_validate(
    const struct settings *s, const struct peer *peer, const struct names **ret_audiences);

enum user_kind { USER_NONE, USER_NAMEID, USER_UPN, USER_SMTP, USER_SIP };

/* "mint: rule, partner, user, host, lifetime": all a minter may ask for. */
struct mint_request {
    struct span rule, partner; /* section names */
    struct span host;          /* one of the partner's AudienceHost=, empty: its first */
    enum user_kind user_kind;
    struct span user;   /* an address when user_kind is not USER_NONE */
    int64_t lifetime_s; /* 0: the default */
};

/* What the policy made of it. */
struct mint_grant {
    const struct client_rule *rule;
    const struct partner *partner;
    const char *host;
    int64_t lifetime_s; /* of the actor or app-only token */
};

/* The same question in the minter and in the signer, each from its own reading of the
 * configuration: right, partner, host, user, Delegation=, lifetime. REASON_OK or
 * REASON_NOT_PERMITTED, _RULE_CHANGED, _NO_SUCH_PARTNER, _PARTNER_DISABLED, _HOST_NOT_OF_PARTNER,
 * _ACT_AS_REFUSED, _USER_FORM, _LIFETIME_REFUSED. Wishes above the limits are shortened, not
 * refused. */
enum reason policy_grant(
    const struct settings *s, const struct mint_request *req, struct mint_grant *ret) WARN_UNUSED;

/* DESIGN 6, `resource`: exact partner name; else full appid/host@realm; else URL or host in exactly
 * one partner's AudienceHost. On REASON_AMBIGUOUS_TARGET the names of the candidates are in
 * `detail`. */
enum reason policy_resource(const struct settings *s, struct span resource,
    const struct partner **ret, struct span *ret_host, char *detail, size_t detail_len) WARN_UNUSED;
