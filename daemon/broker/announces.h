/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers say at the public door about themselves, on its way to a validator and back. The
 * broker never reads it: it limits how much is said, and remembers which keys the speaker had been
 * shown when he spoke. */
#pragma once

#include "keyring.h"
#include "msg.h"

/* In all, for addresses where a partner's own document lives and for all others apart: a stranger
 * cannot talk a partner down. And of one partner, unless it has been shown something new. */
#define ANNOUNCES_PER_S 5
#define ANNOUNCES_OF_PARTNER_S 10
#define ANNOUNCES_PENDING_MAX 32

/* The keys of a document that was served. */
struct edition {
    uint8_t x5t_s256[KEYRING_MAX][X5T_S256_LEN];
    size_t n;
};
void edition_of(const struct keyring *r, struct edition *ret); /* r NULL: none */

struct announces_ops {
    /* Lets somebody judge it: 0 and a ticket, or -errno. */
    int (*judge)(struct span token, uint64_t *ret_ticket, void *arg);
    /* Has the partner been shown a key that it was not known to have seen? NULL: never. */
    bool (*is_news)(const struct msg_announced *m, const struct edition *shown, void *arg);
    /* A partner's word, and what it had just been shown. */
    void (*on_word)(const struct msg_announced *m, const struct edition *shown, void *arg);
};

struct announces_counters {
    uint64_t taken, refused, suppressed;
};

struct announces;
/* `ops` outlives it. NULL: out of memory. */
struct announces *announces_new(const struct announces_ops *ops, void *arg) WARN_UNUSED;
void announces_free(struct announces *a); /* NULL is fine */

/* A partner's document came from that address (text). Thousands of partners are not looked through
 * for each stranger: announces_may_know is false when no partner's did, and seldom true by mistake.
 */
void announces_learn(struct announces *a, const char *address);
bool announces_may_know(const struct announces *a, const char *address);
/* Somebody who was shown `shown` said `token`; `known` when he came from an address where a
 * partner's document lives. */
void announces_say(struct announces *a, struct span token, bool known, const struct edition *shown);
/* The judgement. `heard_at`: when the partner's last word came, wall seconds, 0: never. */
void announces_judged(
    struct announces *a, uint64_t ticket, const struct msg_announced *m, int64_t heard_at);
const struct announces_counters *announces_counted(const struct announces *a);
