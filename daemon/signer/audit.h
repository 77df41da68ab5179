/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a signature: who got which token for whom. One for each, before the token leaves
 * the signer. */
#pragma once

#include "msg.h"

/* What is recorded beside the order. */
struct audit_signature {
    const struct msg_mint *asked; /* rule, partner, user, uid, pid, unit */
    struct span host;             /* that the token is for */
    int64_t lifetime_s;           /* granted */
    const char *kid;              /* x5t text of the key that signed */
    struct span token;            /* only its hash is written */
    int64_t expires_at;
};

/* A signature about ourselves. */
struct audit_seal {
    enum sign_kind kind;
    struct span partner; /* whom an announcement is for */
    const char *kid;
    struct span token; /* only its hash is written */
    int64_t expires_at;
};

/* Somebody asked for a key, brought one or took one away. */
struct audit_key_use {
    unsigned uid;
    int pid;
    const char *use;        /* "request", "assign", "export" */
    const char *thumbprint; /* NULL: of none */
    enum reason reason;     /* REASON_OK: it was done */
    const char *what;       /* more words, or "" */
};

/* 0, or -errno when the record could not be handed over. */
int audit_signature(const struct audit_signature *a) WARN_UNUSED;
int audit_seal(const struct audit_seal *a) WARN_UNUSED;
int audit_key_use(const struct audit_key_use *a) WARN_UNUSED;
