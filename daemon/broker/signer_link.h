/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the signer: the ring comes from there, the news that it is published goes there, and
 * the configuration is prepared and committed over it. Mint orders do not pass here: minters get a
 * link of their own. */
#pragma once

#include "keyring.h"
#include "msg.h"

#include <event2/event.h>

struct signer_link;

struct signer_link_ops {
    /* A ring has come: after each connect and after each change. */
    void (*on_ring)(const struct keyring *ring, void *arg);
    void (*on_lost)(void *arg); /* was up, is away now */
    /* The answer to MSG_CONFIG_PREPARE, with the id of the question. */
    void (*on_config)(uint32_t id, const struct msg_config *m, void *arg);
    /* The answers to signer_link_roll and signer_link_sign, with the id of the question; after
     * on_lost those that are outstanding never come. NULL: answers are not waited for. Spans point
     * into the frame; the token is a secret. */
    void (*on_rolled)(uint32_t id, const struct msg_rolled *m, void *arg);
    void (*on_signed)(uint32_t id, const struct msg_signed *m, void *arg);
};

/* The link sockets are `runtime_dir`/signer-ring.link and signer-mint.link. NULL: out of memory. */
struct signer_link *signer_link_new(struct event_base *base, const char *runtime_dir,
    const struct signer_link_ops *ops, void *arg) WARN_UNUSED;
void signer_link_free(struct signer_link *sl); /* NULL is fine */
/* Up means: connected and a ring has come over this connection. */
bool signer_link_up(const struct signer_link *sl);
/* The last ring that came, also while the signer is away; NULL: none yet. */
const struct keyring *signer_link_ring(const struct signer_link *sl);
/* The signer works by the configuration with that digest, or is away. */
bool signer_link_agrees(const struct signer_link *sl, const unsigned char digest[MSG_DIGEST]);
void signer_link_published(struct signer_link *sl, uint64_t generation);
/* Whether NEXT may be activated by itself. When a ring has come it is sent before
 * signer_link_published for that ring; the signer keeps it over a restart. 0 or -errno, -ENOTCONN
 * when away. */
int signer_link_hold(struct signer_link *sl, const struct msg_hold *m) WARN_UNUSED;
/* An order of an administrator, a signature for ourselves. *ret_id names the answer. 0 or -errno:
 * -ENOTCONN when away, -EMSGSIZE. */
int signer_link_roll(struct signer_link *sl, const struct msg_roll *m, uint32_t *ret_id)
    WARN_UNUSED;
int signer_link_sign(struct signer_link *sl, const struct msg_sign *m, uint32_t *ret_id)
    WARN_UNUSED;
/* MSG_CONFIG_PREPARE, _COMMIT or _ABORT. 0 or -errno, -ENOTCONN when away. */
int signer_link_config(struct signer_link *sl, enum msg_type type, uint32_t id) WARN_UNUSED;
/* Frames of the signer that were dropped. */
uint64_t signer_link_dropped(const struct signer_link *sl);
/* A fresh connected mint link: descriptor or -errno. */
int signer_link_mint(struct signer_link *sl) WARN_UNUSED;
