/* SPDX-License-Identifier: Apache-2.0 */
/* The rollover of our own keys: which key is announced, which signs, which is still shown. A
 * transition table over the slots of a key ring (style note 9.4). Pure: time passed in, no key
 * material, no disk. The caller steps a copy, writes it down, and only then acts on it. */
#pragma once

#include "keyring.h"

/* NEXT is activated although held when CURRENT's certificate has only so long to go. */
#define ROLLOVER_LAST_RESORT_S (14 * 86400)
/* A managed NEXT begins to sign so long before CURRENT's certificate ends. */
#define ROLLOVER_ROLL_BEFORE_S (30 * 86400)

enum roll_event {
    EVENT_TICK,           /* time has passed */
    EVENT_STAGE,          /* a key is announced as NEXT; another NEXT goes */
    EVENT_PUBLISHED,      /* the broker serves arg->generation */
    EVENT_ROLL_NOW,       /* NEXT signs from now on */
    EVENT_ABORT,          /* NEXT goes */
    EVENT_CLEAR_PREVIOUS, /* every PREVIOUS goes */
    EVENT_WITHDRAW,       /* the key arg->x5t goes, whatever it is; with CURRENT NEXT takes over */
    EVENT_HOLD,           /* the broker's word about NEXT */
    EVENT_DATE,           /* NEXT gets another effective date */
    EVENT_COUNT
};

/* What a step asks for; bits. */
enum roll_do {
    DO_PERSIST = 1 << 0,     /* the ring differs from the one on disk */
    DO_PUBLISH = 1 << 1,     /* tell the broker (generation or times moved) */
    DO_SIGN = 1 << 2,        /* another key signs now */
    DO_WIPE = 1 << 3,        /* slots are RETIRED: destroy their private keys, keyring_sweep */
    DO_WARN_LATE = 1 << 4,   /* NEXT signs before its lead: the certificate of CURRENT ends */
    DO_WARN_FORCED = 1 << 5, /* NEXT signs before its lead: somebody said so */
    DO_MAKE_NEXT = 1 << 6    /* managed: make a key, then EVENT_STAGE */
};

/* The rules of the moment. */
struct roll_terms {
    enum key_source source;
    int64_t lead_s;           /* published for so long before the first signature */
    int64_t prepare_before_s; /* managed */
    int64_t keep_s;           /* a PREVIOUS is shown so long after its last token has ended */
    int64_t last_token_at;    /* when the last token that CURRENT has signed ends, wall seconds */
};

struct roll_arg {
    struct cert *cert;       /* STAGE: taken over on REASON_OK */
    int64_t effective_at;    /* STAGE, DATE: 0: default */
    bool force;              /* STAGE, DATE, ROLL_NOW, CLEAR_PREVIOUS, WITHDRAW */
    bool held;               /* HOLD */
    const uint8_t *x5t;      /* WITHDRAW: X5T_LEN */
    const uint8_t *x5t_s256; /* HOLD: X5T_S256_LEN; a word about another key changes nothing */
    uint64_t generation;     /* PUBLISHED */
};

/* Whether the event may happen now. REASON_OK, or REASON_ROLL_REFUSED / REASON_NO_SUCH_KEY. Either
 * way `lines` (may be NULL) gets sentences, each ended by a line feed: what would be done, or why
 * not and what to do. */
enum reason rollover_judge(const struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, struct buf *lines) WARN_UNUSED;
/* One event through the table. *ret_do is 0 when nothing changes. A refusal changes nothing. The
 * ring stays sound (asserted): exactly one CURRENT, at most one NEXT, no thumbprint twice. Slots
 * that end stay as RETIRED until keyring_sweep. */
enum reason rollover_step(struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, unsigned *ret_do) WARN_UNUSED;
/* The first moment at which EVENT_TICK would do something, INT64_MAX: never. */
int64_t rollover_next(const struct keyring *r, const struct roll_terms *t, int64_t now);
/* When NEXT will be activated by itself as things stand; 0: there is none, or not known yet (not
 * published). */
int64_t rollover_activation(const struct keyring *r, const struct roll_terms *t);
