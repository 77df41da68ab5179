/* SPDX-License-Identifier: Apache-2.0 */
/* The rollover of our own keys: which key is announced, which signs, which is still shown. A
 * transition table over the slots of a key ring (style note 9.4). Pure: time passed in, no key
 * material, no disk. The caller steps a copy, writes it down, and only then acts on it. */
#pragma once

#include "keyring.h"

/* These shrink with certificates of a short life. */
#define ROLLOVER_LAST_RESORT_S (14 * 86400) /* to CURRENT's end: a hold counts no more */
#define ROLLOVER_ROLL_BEFORE_S (30 * 86400) /* to CURRENT's end: when a managed NEXT signs */
#define ROLLOVER_LAST_MOMENT_S 3600         /* to CURRENT's end: any NEXT is better than none */
/* A key that gave way because its certificate has ended is kept for so long at least: the clock may
 * be wrong, and what is destroyed does not come back when it is set right. */
#define ROLLOVER_DOUBT_S (7 * 86400)
#define ROLLOVER_NEVER INT64_MAX

enum roll_event {
    EVENT_TICK,           /* time has passed */
    EVENT_STAGE,          /* a key is announced as NEXT */
    EVENT_ADOPT,          /* a key that the administrator has put in place signs (files) */
    EVENT_PUBLISHED,      /* the broker serves arg->generation */
    EVENT_ROLL_NOW,       /* NEXT signs from now on */
    EVENT_ABORT,          /* NEXT goes */
    EVENT_CLEAR_PREVIOUS, /* every PREVIOUS goes */
    EVENT_WITHDRAW,       /* the key arg->x5t goes, whatever it is; for CURRENT NEXT takes over */
    EVENT_HOLD,           /* the broker's word about NEXT */
    EVENT_DATE,           /* NEXT gets another effective date */
    EVENT_COUNT
};

/* What a step asks for; bits. */
enum roll_do {
    DO_PERSIST = 1 << 0,     /* the ring differs from the one on disk */
    DO_PUBLISH = 1 << 1,     /* tell the broker */
    DO_SIGN = 1 << 2,        /* another key signs now */
    DO_WIPE = 1 << 3,        /* slots are RETIRED: destroy their private keys, keyring_sweep */
    DO_WARN_LATE = 1 << 4,   /* NEXT signs before its lead: CURRENT's certificate ends */
    DO_WARN_FORCED = 1 << 5, /* NEXT signs before its lead: somebody said so */
    DO_WARN_DATES = 1 << 6,  /* a PREVIOUS signs again: CURRENT is outside its dates */
    DO_MAKE_NEXT = 1 << 7    /* managed: make a key, then EVENT_STAGE; nothing has changed */
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
    /* STAGE, ADOPT: taken over on REASON_OK (freed when the ring has it already); not touched on
     * refusal. */
    struct cert *cert;
    int64_t effective_at; /* STAGE, DATE: 0: default; DATE: the one there is, if any */
    bool replace;         /* STAGE: another NEXT goes */
    bool force;         /* STAGE, DATE: sign at that date though the lead is not over; STAGE, ADOPT,
                           ROLL_NOW, CLEAR_PREVIOUS, WITHDRAW: though it breaks partners */
    bool held;          /* HOLD */
    const uint8_t *x5t; /* WITHDRAW: X5T_LEN */
    const uint8_t *x5t_s256; /* HOLD: X5T_S256_LEN; a word about another key changes nothing */
    uint64_t generation;     /* PUBLISHED */
};

/* The first key of an empty ring, copied: it signs at once, there is no other. REASON_OK or
 * REASON_OUT_OF_MEMORY. */
enum reason rollover_first(struct keyring *r, const struct cert *cert, int64_t now) WARN_UNUSED;
/* Whether the event may happen now. REASON_OK, or REASON_ROLL_REFUSED, REASON_NO_SUCH_KEY,
 * REASON_KEY_FORM (two certificates with one SHA-1 thumbprint). Either way `lines` (NULL: not
 * wanted) gets sentences, each ended by a line feed: what would be done, or why not and what to
 * do. */
enum reason rollover_judge(const struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, struct buf *lines) WARN_UNUSED;
/* One event through the table. *ret_do is 0 when nothing changes; a refusal (rollover_judge)
 * changes nothing. The ring stays sound (asserted). Slots that end stay as RETIRED until
 * keyring_sweep. A clock that goes back makes nothing due, and no stamp ever goes back. */
enum reason rollover_step(struct keyring *r, enum roll_event ev, const struct roll_arg *arg,
    const struct roll_terms *t, int64_t now, unsigned *ret_do) WARN_UNUSED;
/* The first moment at which EVENT_TICK would do something, ROLLOVER_NEVER: none. May lie in the
 * past when the key to activate has no private part. */
int64_t rollover_next(const struct keyring *r, const struct roll_terms *t);
/* When NEXT will be activated by itself as things stand. ROLLOVER_NEVER: there is none. */
int64_t rollover_activation(const struct keyring *r, const struct roll_terms *t);
/* When NEXT may sign for all that the lead says; ROLLOVER_NEVER: not published yet, or none. */
int64_t rollover_earliest(const struct keyring *r, const struct roll_terms *t);
/* The effective date of a managed NEXT that is announced at `now` and given no other. */
int64_t rollover_default_date(const struct keyring *r, const struct roll_terms *t, int64_t now);
/* The key was published for the lead, or there is none. */
bool rollover_is_led(const struct ring_slot *slot, const struct roll_terms *t, int64_t now);
/* The last second at which NEXT can take over in peace. */
int64_t rollover_last_moment(const struct ring_slot *current);
