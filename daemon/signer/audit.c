/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "clock.h"
#include "digest.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* "A token was signed" in the message catalogue. */
#define AUDIT_SIGNED "bb7ec2551f3080ee3d110d381e0ec535"
/* "A signing key was asked for, brought or taken away" there. */
#define AUDIT_KEY_USE "3863fa51ee99f5f12f6b77702ee9a4b9"
#define AUDIT_VALUE_MAX 600

int audit_signature(const struct audit_signature *a)
{
    char rule[AUDIT_VALUE_MAX], partner[AUDIT_VALUE_MAX], host[AUDIT_VALUE_MAX],
        user[AUDIT_VALUE_MAX], unit[AUDIT_VALUE_MAX];
    char uid[16], pid[16], lifetime[24], hash[TOKEN_HASH_LEN], ends[CLOCK_TEXT_LEN];
    const struct mint_request *r = &a->asked->request;
    const bool acts = r->user_kind != USER_NONE;
    log_safe(r->rule, rule, sizeof(rule));
    log_safe(r->partner, partner, sizeof(partner));
    log_safe(a->host, host, sizeof(host));
    log_safe(r->user, user, sizeof(user));
    log_safe(a->asked->unit, unit, sizeof(unit));
    snprintf(uid, sizeof(uid), "%" PRIu32, a->asked->uid);
    snprintf(pid, sizeof(pid), "%" PRIu32, a->asked->pid);
    snprintf(lifetime, sizeof(lifetime), "%" PRId64, a->lifetime_s);
    digest_token_hash(a->token, hash);
    clock_text(a->expires_at, ends);
    const struct log_field fields[] = {
        {"TRUST_PARTNER", partner},
        {"TRUST_HOST", host},
        {"TRUST_CLIENT", rule},
        {"TRUST_PEER_UID", uid},
        {"TRUST_PEER_PID", pid},
        {"TRUST_PEER_UNIT", a->asked->unit.n ? unit : NULL},
        {"TRUST_USER", acts ? user : NULL},
        {"TRUST_KID", a->kid},
        {"TRUST_TOKEN_HASH", hash},
        {"TRUST_LIFETIME", lifetime},
        {"TRUST_EXPIRES", ends},
    };
    return log_record(LOG_L_INFO, AUDIT_SIGNED, fields, ARRAY_LEN(fields),
        "signed a token for partner %s%s%s, asked by uid %s process %s under rule %s, token %s, "
        "ends %s",
        partner, acts ? " acting for " : "", acts ? user : "", uid, pid, rule, hash, ends);
}

int audit_seal(const struct audit_seal *a)
{
    char partner[AUDIT_VALUE_MAX], hash[TOKEN_HASH_LEN], ends[CLOCK_TEXT_LEN];
    const bool is_announcement = a->kind == SIGN_ANNOUNCE;
    log_safe(a->partner, partner, sizeof(partner));
    digest_token_hash(a->token, hash);
    clock_text(a->expires_at, ends);
    const struct log_field fields[] = {
        {"TRUST_PARTNER", is_announcement ? partner : NULL},
        {"TRUST_KID", a->kid},
        {"TRUST_TOKEN_HASH", hash},
        {"TRUST_EXPIRES", ends},
    };
    return log_record(LOG_L_INFO, AUDIT_SIGNED, fields, ARRAY_LEN(fields),
        "signed %s%s, token %s, ends %s",
        is_announcement ? "an announcement for partner " : "our document",
        is_announcement ? partner : "", hash, ends);
}

int audit_key_use(const struct audit_key_use *a)
{
    char uid[16], pid[16];
    const bool refused = a->reason != REASON_OK;
    snprintf(uid, sizeof(uid), "%u", a->uid);
    snprintf(pid, sizeof(pid), "%d", a->pid);
    const struct log_field fields[] = {
        {"TRUST_KEY_USE", a->use},
        {"TRUST_THUMBPRINT", a->thumbprint},
        {"TRUST_PEER_UID", uid},
        {"TRUST_PEER_PID", pid},
        {"TRUST_REASON", refused ? reason_code(a->reason) : NULL},
    };
    return log_record(LOG_L_NOTICE, AUDIT_KEY_USE, fields, ARRAY_LEN(fields),
        "%s of a signing key by uid %s process %s%s%s: %s%s%s", a->use, uid, pid,
        a->thumbprint ? ", thumbprint " : "", a->thumbprint ? a->thumbprint : "",
        refused ? reason_sentence(a->reason) : "done", a->what[0] ? "; " : "", a->what);
}
