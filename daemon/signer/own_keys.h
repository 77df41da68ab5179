/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's keys on disk and in memory: the private key that signs, and the ring of certificates
 * that everybody else sees. Every event of the ring goes the same way: a copy takes the step
 * (rollover.h), the copy is on disk (ring.state, replaced whole), and only then it counts. */
#pragma once

#include "key_files.h"
#include "msg.h"
#include "rollover.h"

#define OWN_KEYS_RING "ring.state"
#define OWN_KEYS_SEQUENCE "sequence.state"
#define OWN_KEYS_WHY_MAX KEY_FILES_WHY_MAX

/* Keys that the administrator brings in files or credentials. */
struct brought {
    struct signkey *current;   /* owned; NULL: nothing was read */
    struct signkey *next;      /* owned; NULL: none */
    int64_t next_effective_at; /* 0: on order only */
    bool undates;              /* the configuration before named a date, this one does not */
    bool keeps_current;        /* as judged: the key that signs goes on; a roll may come between */
};
void brought_done(struct brought *b);
/* Reads what `s` names. 0, or -errno with a sentence. */
int brought_read(const struct settings *s, struct brought *ret, char why[OWN_KEYS_WHY_MAX])
    WARN_UNUSED;
/* 0, or -EKEYEXPIRED with a sentence: no key of these could sign at `now`. */
int brought_judge_dates(const struct brought *b, const struct settings *s, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;

struct own_keys {
    int lock;              /* of the state folder; -1: none */
    const char *state_dir; /* not owned */
    /* What of the configuration matters here; `rules` are those in force. */
    struct key_rules {
        struct roll_terms terms;
        int64_t lifetime_s, max_token_s;
        char name[320];
        bool has_root;
    } rules, prepared_rules;
    struct signkey *current; /* signs */
    struct keyring ring;
    struct brought prepared; /* read at PREPARE, waits for its COMMIT */
    struct brought brought;  /* what of it is not in the ring yet, and the private part of NEXT */
    bool is_wanted;          /* `brought` was committed and is not on disk yet: tried again */
    bool is_unwritten;       /* the last step could not be written: tried again */
    uint64_t served;         /* generation that the broker serves, 0: not known */
    int64_t signed_until;    /* end of the last token that was ordered in this run */
};
#define OWN_KEYS_NONE ((struct own_keys){.lock = -1})

/* What has happened and has to be followed. */
struct own_keys_news {
    unsigned todo;       /* DO_PUBLISH: tell the brokers; DO_SIGN: start new children */
    struct signkey *old; /* DO_SIGN: signed before; free it when no child uses it */
};

/* Start: locks and reads the state folder and, as Source= says, the key files; makes the first key
 * (and the root) in managed mode. 0, or -errno with a sentence in `why`, -EKEYREJECTED when the key
 * files that the configuration names cannot be used: nothing is ever replaced that the ring still
 * names. */
int own_keys_start(struct own_keys *k, const struct settings *s, const char *state_dir, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
void own_keys_done(struct own_keys *k);

/* PREPARE: reads and judges the key files of `s`; a signing key outside its dates at `now` is
 * refused, and one that was not published for the lead. 0 or -errno with a sentence. */
int own_keys_prepare(struct own_keys *k, const struct settings *s, int64_t now,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
void own_keys_forget(struct own_keys *k); /* ABORT: what was prepared */
/* COMMIT: what was prepared becomes the ring on disk, then in memory. A write that fails is logged
 * and tried again by own_keys_tick. */
void own_keys_commit(struct own_keys *k, int64_t now, struct own_keys_news *ret);
/* Time has passed: what is due is done, what could not be written is tried again. */
void own_keys_tick(struct own_keys *k, int64_t now, struct own_keys_news *ret);
/* Seconds from `now` to the next own_keys_tick that has something to do: 1 to 600. */
int64_t own_keys_wait_s(const struct own_keys *k, int64_t now);
/* The broker serves this generation. */
void own_keys_published(
    struct own_keys *k, uint64_t generation, int64_t now, struct own_keys_news *ret);
void own_keys_hold(
    struct own_keys *k, const struct msg_hold *m, int64_t now, struct own_keys_news *ret);
/* An administrator's order. `lines` gets sentences, one a line. REASON_OK, a refusal, or
 * REASON_INTERNAL when it could not be written (then nothing has changed). */
enum reason own_keys_roll(struct own_keys *k, const struct msg_roll *m, int64_t now,
    struct buf *lines, struct own_keys_news *ret) WARN_UNUSED;
/* A token that ends then at the latest will be signed. Called before it is. */
void own_keys_signed(struct own_keys *k, int64_t expires_at);
/* The sequence number of the next signed document: rises for ever, on disk before it is used. 0 or
 * -errno. */
int own_keys_sequence(struct own_keys *k, int64_t now, int64_t *ret) WARN_UNUSED;

/* What an administrator wants of the ring, beside the key itself. */
struct key_order {
    int64_t effective_at; /* wall seconds, 0: default */
    bool force, dry_run;
    const char *who; /* uid and reason, for the log */
};
/* A key that was brought (managed only) becomes NEXT: key file first, ring next, then it counts. It
 * is judged: dates, thumbprint, effective date, no other key half way (unless force). Taken over
 * (*key = NULL) when it was staged; not on refusal or dry run. `lines` gets sentences, one a line:
 * what was or would be done, or why not and what to do. REASON_OK, REASON_ROLL_REFUSED,
 * REASON_KEY_FORM, REASON_OUT_OF_MEMORY, REASON_INTERNAL (disk). signer_stage does this and tells
 * the broker. */
enum reason own_keys_stage(struct own_keys *k, struct signkey **key, const struct key_order *o,
    int64_t now, struct buf *lines, struct own_keys_news *ret) WARN_UNUSED;
/* The private key of a certificate in the ring, from its file (managed only). 0 or -errno with a
 * sentence: -ENOENT when the ring has no such key or its private part is not here. The caller frees
 * it. */
int own_keys_load(const struct own_keys *k, const uint8_t x5t[X5T_LEN], struct signkey **ret,
    char why[OWN_KEYS_WHY_MAX]) WARN_UNUSED;
