/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's end of the link to the broker: trust, health, settings and the signer's link come
 * in, hints go out. When the link ends the worker does. */
#pragma once

#include "msg_hint.h"
#include "state.h"

struct broker_link;

/* Takes over `fd`. `on_synced` is called once when everything known at our start has arrived,
 * `on_end` when the broker is gone. NULL: out of memory, fd closed. */
struct broker_link_ops {
    const char *config_dir; /* read again for a reload; NULL: the standard folders */
    void (*on_synced)(struct worker *w);
    void (*on_end)(struct worker *w);
};
struct broker_link *broker_link_new(struct worker *w, int fd, const struct broker_link_ops *ops)
    WARN_UNUSED;
void broker_link_free(struct broker_link *b);
/* Our doors are open. */
void broker_link_ready(struct broker_link *b);
/* Tells the broker of a key that nobody here knows. False: not sent (`b` may be NULL). */
bool broker_link_hint(struct broker_link *b, const struct msg_hint *m);
/* A minter has no link to the signer though that is up: asks for one (`b` may be NULL). */
void broker_link_ask_signer(struct broker_link *b);
