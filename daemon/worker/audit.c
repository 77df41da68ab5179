/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "clock.h"
#include "digest.h"
#include "log.h"

#include <stdio.h>

/* In the message catalogue: "A token was refused", "A local process was refused a token",
 * "A token was handed out again". */
#define RECORD_TOKEN_REFUSED "5c0a2f4e8b734a6f9d1e03c7b2a86f41"
#define RECORD_MINT_REFUSED "6f0c1b7c2f5e4e0f9d5d8c7a5b1e0a03"
#define RECORD_MINT_REUSED "91d7c3b05e2f4c8aa6470f8be5d29c13"

#define TEXT_MAX 300
#define TOKEN_RUN_MIN 40

/* The process, as fields. */
struct peer_texts {
    char uid[16], pid[16], unit[TEXT_MAX];
    bool has_unit;
};

static void peer_texts(const struct peer *peer, struct peer_texts *t)
{
    snprintf(t->uid, sizeof t->uid, "%u", (unsigned)peer->uid);
    snprintf(t->pid, sizeof t->pid, "%d", (int)peer->pid);
    t->has_unit = peer->unit != NULL;
    log_safe(span_of(peer->unit), t->unit, sizeof t->unit);
}

/* True when this record may be written; tells before how many of `what` were left out. */
static bool may_write(struct audit_limits *limits, enum reason reason, const char *what)
{
    unsigned left_out;
    if (!burst_take(&limits->of[reason], &left_out))
        return false;
    if (left_out > 0)
        log_notice("%u further %s were refused as %s", left_out, what, reason_code(reason));
    return true;
}

void audit_validation_refused(struct audit_limits *limits, const struct peer *peer,
    const struct token_checked *v, struct span token)
{
    enum log_level level = v->step < STEP_SIGNATURE ? LOG_L_DEBUG : LOG_L_NOTICE;
    if (level > log_get_level() || !may_write(limits, v->reason, "tokens"))
        return;
    struct peer_texts p;
    char hash[TOKEN_HASH_LEN], issuer[TEXT_MAX];
    peer_texts(peer, &p);
    digest_token_hash(token, hash);
    log_safe(span_of(v->issuer), issuer, sizeof issuer);
    const struct log_field fields[] = {
        {"TRUST_REASON", reason_code(v->reason)},
        {"TRUST_STEP", check_step_name(v->step)},
        {"TRUST_PARTNER", v->partner ? v->partner->name : NULL},
        {"TRUST_ISSUER", issuer[0] ? issuer : NULL},
        {"TRUST_TOKEN_HASH", hash},
        {"TRUST_PEER_UID", p.uid},
        {"TRUST_PEER_PID", p.pid},
        {"TRUST_PEER_UNIT", p.has_unit ? p.unit : NULL},
    };
    (void)log_record(level, RECORD_TOKEN_REFUSED, fields, ARRAY_LEN(fields),
        "token %s refused at step %s: %s (partner %s, asked by uid %s process %s)", hash,
        check_step_name(v->step), reason_code(v->reason), v->partner ? v->partner->name : "unknown",
        p.uid, p.pid);
}

/* Minting. */

struct mint_texts {
    struct peer_texts peer;
    char user[TEXT_MAX], resource[TEXT_MAX];
};

static bool is_of_token(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

/* A run of base64url that begins like a JOSE header ("{\"") and is longer than any word in a name.
 */
static bool holds_token(struct span s)
{
    for (size_t at = 0; at + TOKEN_RUN_MIN <= s.n; at++) {
        struct span rest = span_skip(s, at);
        size_t run = 0;
        if (!span_starts(rest, SPAN("eyJ")))
            continue;
        while (run < rest.n && is_of_token(rest.p[run]))
            run++;
        if (run >= TOKEN_RUN_MIN)
            return true;
    }
    return false;
}

/* What was asked for comes from the peer, who may have put his token where a name belongs. */
static void name_text(struct span name, char out[TEXT_MAX])
{
    log_safe(holds_token(name) ? SPAN("(a token)") : name, out, TEXT_MAX);
}

static void mint_texts(const struct audit_mint *m, struct mint_texts *t)
{
    peer_texts(m->peer, &t->peer);
    name_text(m->user, t->user);
    name_text(m->resource, t->resource);
}

void audit_mint_refused(struct audit_limits *limits, const struct audit_mint *m, enum reason reason)
{
    struct mint_texts t;
    if (!may_write(limits, reason, "orders"))
        return;
    mint_texts(m, &t);
    const struct log_field fields[] = {
        {"TRUST_REASON", reason_code(reason)},
        {"TRUST_PARTNER", m->partner},
        {"TRUST_HOST", m->host},
        {"TRUST_CLIENT", m->rule},
        {"TRUST_RESOURCE", t.resource},
        {"TRUST_USER", m->user.n ? t.user : NULL},
        {"TRUST_PEER_UID", t.peer.uid},
        {"TRUST_PEER_PID", t.peer.pid},
        {"TRUST_PEER_UNIT", t.peer.has_unit ? t.peer.unit : NULL},
    };
    (void)log_record(LOG_L_NOTICE, RECORD_MINT_REFUSED, fields, ARRAY_LEN(fields),
        "no token for \"%s\"%s%s, asked by uid %s process %s under rule %s: %s", t.resource,
        m->user.n ? " acting for " : "", m->user.n ? t.user : "", t.peer.uid, t.peer.pid,
        m->rule ? m->rule : "(none)", reason_code(reason));
}

void audit_mint_reused(const struct audit_mint *m, struct span token, int64_t expires_at)
{
    struct mint_texts t;
    char hash[TOKEN_HASH_LEN], ends[CLOCK_TEXT_LEN];
    mint_texts(m, &t);
    digest_token_hash(token, hash);
    clock_text(expires_at, ends);
    const struct log_field fields[] = {
        {"TRUST_PARTNER", m->partner},
        {"TRUST_HOST", m->host},
        {"TRUST_CLIENT", m->rule},
        {"TRUST_USER", m->user.n ? t.user : NULL},
        {"TRUST_TOKEN_HASH", hash},
        {"TRUST_EXPIRES", ends},
        {"TRUST_PEER_UID", t.peer.uid},
        {"TRUST_PEER_PID", t.peer.pid},
        {"TRUST_PEER_UNIT", t.peer.has_unit ? t.peer.unit : NULL},
    };
    (void)log_record(LOG_L_INFO, RECORD_MINT_REUSED, fields, ARRAY_LEN(fields),
        "handed out token %s for partner %s%s%s again, asked by uid %s process %s under rule %s, "
        "ends %s",
        hash, m->partner, m->user.n ? " acting for " : "", m->user.n ? t.user : "", t.peer.uid,
        t.peer.pid, m->rule, ends);
}
