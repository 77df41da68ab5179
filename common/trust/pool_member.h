/* SPDX-License-Identifier: Apache-2.0 */
/* The other servers of our pool (same application id and realm, each with a signing key of its
 * own): what is known of each, what it means for our document, and for whom a new key has to wait.
 * Only the keys that a member calls its own are taken from it, never what it repeats of others:
 * else a key that was withdrawn would live on by hearsay. Pure: time passed in, no disk. */
#pragma once

#include "keyring.h"
#include "metadata.h"

/* A ring has no more slots than that. */
#define POOL_OWN_KEYS_MAX KEYRING_MAX
/* Certificates of the other members in our document, in bytes of DER, so that the document stays
 * below METADATA_MAX. */
#define POOL_DER_MAX ((size_t)512 * 1024)
/* A member that did not answer so often in a row is away, and is not waited for. */
#define POOL_AWAY_AFTER 3
/* Bytes of a state file at most. */
#define POOL_STATE_MAX ((size_t)1024 * 1024)

struct pool_member {
    char *url;                           /* owned */
    uint8_t id[METADATA_MEMBER_LEN];     /* who it said it is; zero: never answered */
    bool is_self;                        /* that address leads to this very server */
    struct cert *own[POOL_OWN_KEYS_MAX]; /* owned, in the order of its document */
    size_t n_own;
    /* All keys of its last good document, by SHA-256: does it publish ours? */
    uint8_t published[METADATA_KEYS_MAX][X5T_S256_LEN];
    size_t n_published;
    char etag[256], last_modified[64];
    int64_t good_at;                  /* wall time of the last good document (or 304), 0: never */
    int64_t last_try_at, next_try_at; /* wall time, 0: none */
    enum reason last_reason;
    char last_detail[256]; /* safe to log */
    unsigned failures;     /* attempts in a row that were not good */
};
void pool_member_done(struct pool_member *m);

/* Our side of what is judged. */
struct pool_us {
    const struct identity *identity;
    const uint8_t *id;          /* METADATA_MEMBER_LEN bytes */
    const struct keyring *ring; /* NULL: not known yet */
};

/* How one attempt ended. */
struct pool_answer {
    enum reason reason; /* REASON_OK for 200 and 304, else a REASON_FETCH_* */
    unsigned status;    /* HTTP */
    struct span body;   /* with 200 */
    struct span etag, last_modified, detail;
};

struct pool_change {
    enum reason reason;  /* REASON_OK, or why what was known stays in force */
    bool keys;           /* the member's own keys are others than before */
    bool published;      /* the set of keys that it publishes is another one */
    bool another_server; /* at this address another member answered than before */
    bool twin; /* it has our id and other keys than we: a copied state folder. It counts as another
                  member */
};

/* Judges what came. 304 confirms what is known. A document that is refused changes nothing but the
 * last reason and detail. A key that its owner no longer calls its own is gone at once. */
void pool_member_judge(struct pool_member *m, const struct pool_us *us, const struct pool_answer *a,
    int64_t now, struct pool_change *ret);

/* The wall clock was set by so many seconds: what is kept as wall time moves along, so that a step
 * changes no age and no plan. */
void pool_member_clock_move(struct pool_member *m, int64_t by_s);

enum pool_state {
    POOL_SELF,
    POOL_NEW,     /* has not answered yet */
    POOL_UP,      /* answers, with a good document */
    POOL_REFUSED, /* answers, but not with a document that is taken */
    POOL_AWAY,    /* does not answer: not waited for, its last keys stay published */
    POOL_STALE    /* the same for StaleAfter=: its keys have left our document */
};
enum pool_state pool_member_state(const struct pool_member *m, int64_t stale_after_s, int64_t now);
const char *pool_state_name(enum pool_state s); /* "self", "new", "up", ... */
/* The certificate with that SHA-256 is in its last good document. */
bool pool_member_publishes(const struct pool_member *m, const uint8_t x5t_s256[X5T_S256_LEN]);

/* The members and the rules of the moment. */
struct pool_view {
    const struct pool_member *const *members;
    size_t n;
    int64_t stale_after_s, now;
};
/* Certificates of the other members that belong behind our own `ring` in our document: first the
 * first key of each, then the second of each, so that signing keys are the last to be left out. Not
 * among them: what has run out, what is there already, what has the thumbprint of another. Returns
 * how many; they belong to the members. *ret_left_out: those for which there was no room. */
size_t pool_union(const struct pool_view *v, const struct keyring *ring,
    const struct cert *out[METADATA_KEYS_MAX], size_t *ret_left_out);
/* Every other member that is to be waited for (NEW, UP, REFUSED) publishes that certificate. False:
 * `why` says who does not. */
bool pool_is_everywhere(
    const struct pool_view *v, const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len);

/* "node1.contoso.example-0123456789abcdef.state": host and hash of the URL. Returns out. */
#define POOL_FILE_MAX 256
char *pool_file_name(const char *url, char out[POOL_FILE_MAX]);
/* The text of the state file (out->max: POOL_STATE_MAX). A failure is out->failed. */
void pool_member_print(const struct pool_member *m, struct buf *out);
/* Reads it back: REASON_DOCUMENT_FORM when header, digest or a line is wrong, or it is of another
 * URL; REASON_OUT_OF_MEMORY. *ret (empty before) is written on success only. */
enum reason pool_member_scan(struct span text, const char *url, struct pool_member *ret)
    WARN_UNUSED;
/* The file that keeps who of the pool we are. */
void pool_id_print(const uint8_t id[METADATA_MEMBER_LEN], struct buf *out);
enum reason pool_id_scan(struct span text, uint8_t ret[METADATA_MEMBER_LEN]) WARN_UNUSED;
