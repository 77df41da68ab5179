/* SPDX-License-Identifier: Apache-2.0 */
/* The messages between our roles. One struct and one put/get pair each, so that both ends share the
 * code. docs/links.md says the same in words. A get returns false when the frame is not exactly
 * that message. Spans point into the frame. */
#pragma once

#include "frame.h"
#include "keyring.h"
#include "policy.h"
#include "reason.h"

enum msg_type {
    /* broker -> signer (ring link) */
    MSG_RING_PUBLISHED = 1, /* u64 generation: the document with that ring is being served */
    /* signer -> broker */
    MSG_RING, /* msg_ring_put: pushed on connect and on each change */
    /* broker <-> every program that reads the configuration */
    MSG_CONFIG_PREPARE, /* parse again and report */
    MSG_CONFIG_READY,   /* struct msg_config */
    MSG_CONFIG_COMMIT,  /* use what was prepared */
    MSG_CONFIG_ABORT,   /* forget it */
    /* minter -> signer (mint link) */
    MSG_MINT, /* struct msg_mint */
    /* signer -> minter */
    MSG_MINTED,  /* struct msg_minted */
    MSG_REFUSED, /* struct msg_refused */
    /* broker -> fetcher */
    MSG_FETCH, /* struct msg_fetch */
    /* fetcher -> broker */
    MSG_FETCHED, /* struct msg_fetched; the body comes as a sealed memfd when status is 200 */
    /* broker -> worker */
    MSG_TRUST,        /* partner_trust_put; update_apply sees to it that it fits */
    MSG_TRUST_GONE,   /* str: partner name */
    MSG_TRUST_SYNCED, /* u64 trust generation: everything up to here was sent */
    MSG_SIGNER_LINK,  /* descriptor: connected mint link (minters only); without one: the signer is
                         away. From a minter, empty: it has none, though the signer is up */
    MSG_HEALTH,       /* u8 may_mint, u8 may_validate */
    MSG_HINT_DONE,    /* struct msg_hint_done: the answer to MSG_HINT */
    MSG_SIGNING_KEY,  /* 20 bytes x5t (minters only): the key that is first in our document now */
    /* worker -> broker */
    MSG_WORKER_READY, /* doors are open */
    MSG_HINT,         /* struct msg_hint: a newer document might make a token good */
    /* between broker and worker */
    MSG_PING, /* are you there? */
    MSG_PONG, /* the answer, with the same id */
    /* broker -> validator, and back with the same id */
    MSG_ANNOUNCE,  /* str token: somebody who fetched our document says who he is */
    MSG_ANNOUNCED, /* struct msg_announced */
    /* broker -> signer (ring link); the answers have the id of the question */
    MSG_RING_HOLD, /* struct msg_hold: on connect and when it changes, before MSG_RING_PUBLISHED */
    MSG_ROLL,      /* struct msg_roll */
    MSG_ROLLED,    /* struct msg_rolled */
    MSG_SIGN,      /* struct msg_sign */
    MSG_SIGNED,    /* struct msg_signed */
    MSG_SEAL,      /* struct msg_seal: signer -> signing child, answered like an order */
    /* broker -> minter */
    MSG_SUSPENDED /* struct msg_suspended: an administrator has suspended a partner, or resumed it.
                     Validators hear the same with MSG_TRUST */
};

#define MSG_DIGEST 16 /* of struct settings */

/* The public ring, and the digest of the configuration that the signer works by: it may have read
 * its files when nobody compared. *ring is the caller's to release after true only. */
void msg_ring_put(
    struct frame_out *f, const unsigned char digest[MSG_DIGEST], const struct keyring *ring);
bool msg_ring_get(struct frame_in *f, unsigned char ret_digest[MSG_DIGEST], struct keyring *ret)
    WARN_UNUSED;

/* The broker's word about NEXT: not to be activated by itself yet, or free to go. */
struct msg_hold {
    unsigned char x5t_s256[32]; /* of NEXT */
    bool held;
    struct span why; /* for the signer's log; empty when not held */
};
void msg_hold_put(struct frame_out *f, const struct msg_hold *m);
bool msg_hold_get(struct frame_in *f, struct msg_hold *m) WARN_UNUSED;

/* What an administrator asks of the ring. */
enum roll_op {
    ROLL_PREPARE,       /* make (managed) NEXT, or give the NEXT that is there another date */
    ROLL_NOW,           /* NEXT signs from now on */
    ROLL_ABORT,         /* drop NEXT */
    ROLL_WITHDRAW,      /* drop the key with that thumbprint */
    ROLL_CLEAR_PREVIOUS /* drop every PREVIOUS */
};
struct msg_roll {
    enum roll_op op;
    int64_t effective_at;  /* PREPARE: wall seconds, 0: default */
    bool force;            /* do what would break a partner */
    bool dry_run;          /* say what would be done, change nothing */
    unsigned char x5t[20]; /* WITHDRAW: which; else zero */
    struct span who;       /* uid and reason, for the log */
};
void msg_roll_put(struct frame_out *f, const struct msg_roll *m);
bool msg_roll_get(struct frame_in *f, struct msg_roll *m) WARN_UNUSED;

#define MSG_ROLLED_DETAIL_MAX 8192
struct msg_rolled {
    enum reason reason;  /* REASON_OK: done, or would be */
    struct span detail;  /* sentences, one a line: what was or would be done, or why not and what
                            to do */
    uint64_t generation; /* of the ring after it */
};
void msg_rolled_put(struct frame_out *f, const struct msg_rolled *m);
bool msg_rolled_get(struct frame_in *f, struct msg_rolled *m) WARN_UNUSED;

/* A signature for ourselves, not for a local process. */
enum sign_kind {
    SIGN_ANNOUNCE, /* who fetches: partner, url (one of its MetadataURL=), its keys we hold VALID */
    SIGN_DOCUMENT  /* signed_metadata of our document; no fields */
};
#define MSG_SIGN_KEYS_MAX 64
struct msg_sign {
    enum sign_kind kind;
    struct span partner, url; /* section name; empty for SIGN_DOCUMENT */
    uint32_t n;               /* 0 for SIGN_DOCUMENT */
    unsigned char x5t[MSG_SIGN_KEYS_MAX][20];
};
void msg_sign_put(struct frame_out *f, const struct msg_sign *m);
bool msg_sign_get(struct frame_in *f, struct msg_sign *m) WARN_UNUSED;

struct msg_signed {
    enum reason reason;
    struct span token;  /* secret; empty unless REASON_OK */
    int64_t expires_at; /* wall seconds */
    struct span detail; /* why not, safe to log */
};
void msg_signed_put(struct frame_out *f, const struct msg_signed *m);
bool msg_signed_get(struct frame_in *f, struct msg_signed *m) WARN_UNUSED;

/* Between the signer and its child: claims that the signer has composed itself. */
struct msg_seal {
    enum sign_kind kind;
    struct span claims; /* JSON */
    int64_t expires_at;
};
void msg_seal_put(struct frame_out *f, const struct msg_seal *m);
bool msg_seal_get(struct frame_in *f, struct msg_seal *m) WARN_UNUSED;

struct msg_config {
    bool ok;
    unsigned char digest[MSG_DIGEST];
    struct span errors; /* "file:line: message" lines, at most MSG_CONFIG_ERRORS_MAX bytes */
};
#define MSG_CONFIG_ERRORS_MAX 32768
void msg_config_put(struct frame_out *f, const struct msg_config *m);
bool msg_config_get(struct frame_in *f, struct msg_config *m) WARN_UNUSED;

struct msg_mint {
    struct mint_request request;
    uint32_t uid, pid; /* of the local process, for the audit record */
    struct span unit;
};
void msg_mint_put(struct frame_out *f, const struct msg_mint *m);
bool msg_mint_get(struct frame_in *f, struct msg_mint *m) WARN_UNUSED;

struct msg_minted {
    struct span token;
    int64_t expires_at;
    unsigned char x5t[20]; /* of the key that signed it */
};
void msg_minted_put(struct frame_out *f, const struct msg_minted *m);
bool msg_minted_get(struct frame_in *f, struct msg_minted *m) WARN_UNUSED;

struct msg_refused {
    enum reason reason;
    uint32_t retry_after_s; /* 0: do not retry */
    struct span detail;
};
void msg_refused_put(struct frame_out *f, const struct msg_refused *m);
bool msg_refused_get(struct frame_in *f, struct msg_refused *m) WARN_UNUSED;

#define MSG_PINS_MAX 16
struct msg_fetch {
    struct span url, ca_file, etag, last_modified; /* empty: none */
    struct span pins[MSG_PINS_MAX];                /* "sha256//..." */
    uint32_t n_pins;
    bool public_addresses_only;
    uint32_t timeout_ms, connect_timeout_ms;
    uint32_t max_bytes;
    struct span announce; /* token that says who asks (secret); empty: none */
};
void msg_fetch_put(struct frame_out *f, const struct msg_fetch *m);
bool msg_fetch_get(struct frame_in *f, struct msg_fetch *m) WARN_UNUSED;

struct msg_fetched {
    enum reason reason; /* REASON_OK for 200 and 304 */
    uint32_t status;    /* HTTP status, 0 when there was none */
    struct span etag, last_modified;
    int64_t max_age_s;      /* Cache-Control max-age, -1: none */
    int64_t retry_after_s;  /* -1: none */
    int64_t date;           /* of the Date header, wall seconds, 0: none */
    int64_t date_seen_ms;   /* our wall clock in milliseconds when that header came, 0: none did */
    uint32_t round_trip_ms; /* how long a packet there and back takes: of the TCP connection */
    struct span detail;     /* what to show the administrator, safe to log */
    struct span address;    /* textual IP address that was connected to, empty: none was */
};
void msg_fetched_put(struct frame_out *f, const struct msg_fetched *m);
bool msg_fetched_get(struct frame_in *f, struct msg_fetched *m) WARN_UNUSED;

/* What a validator found in an announce token. */
#define MSG_ANNOUNCE_KEYS_MAX 64
struct msg_announced {
    enum reason reason;  /* REASON_OK: it is that partner's word */
    struct span partner; /* section name, empty unless REASON_OK */
    int64_t issued_at;   /* wall seconds, by the partner's clock */
    struct span x5ts;    /* SHA-1 thumbprints of our keys that the partner trusts, 20 bytes each */
};
void msg_announced_put(struct frame_out *f, const struct msg_announced *m);
bool msg_announced_get(struct frame_in *f, struct msg_announced *m) WARN_UNUSED;

/* MSG_RING_PUBLISHED, MSG_TRUST_SYNCED: one number. The caller has looked at the type. */
void msg_number_put(struct frame_out *f, uint64_t number);
bool msg_number_get(struct frame_in *f, uint64_t *ret) WARN_UNUSED;
/* MSG_SIGNING_KEY: SHA-1 of the certificate of CURRENT. */
void msg_signing_key_put(struct frame_out *f, const unsigned char x5t[20]);
bool msg_signing_key_get(struct frame_in *f, unsigned char ret_x5t[20]) WARN_UNUSED;
/* MSG_TRUST_GONE: a partner's section name; MSG_ANNOUNCE: a token. Never empty. The
 * caller has looked at the type. */
void msg_name_put(struct frame_out *f, struct span partner);
bool msg_name_get(struct frame_in *f, struct span *ret) WARN_UNUSED;

struct msg_health {
    bool may_mint, may_validate;
};
void msg_health_put(struct frame_out *f, const struct msg_health *m);
bool msg_health_get(struct frame_in *f, struct msg_health *m) WARN_UNUSED;

struct msg_suspended {
    struct span partner; /* section name */
    bool suspended;
};
void msg_suspended_put(struct frame_out *f, const struct msg_suspended *m);
bool msg_suspended_get(struct frame_in *f, struct msg_suspended *m) WARN_UNUSED;
