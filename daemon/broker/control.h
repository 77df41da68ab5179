/* SPDX-License-Identifier: Apache-2.0 */
/* io.s2sd.control on its own socket, served by the broker itself so that no broken worker stands in
 * the way. Who may do what is asked of the kernel and of the configuration, for each call anew. */
#pragma once

#include "attr.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct broker;
struct control;
struct judged;
struct msg_rolled;
struct partner_entry;

/* `listener` is taken over; `b` outlives it. NULL: out of memory. */
struct control *control_new(struct broker *b, int listener) WARN_UNUSED;
/* Cuts all connections. NULL is fine. */
void control_free(struct control *c);
/* No new connections, and no reload any more: who waits for one is told so now. A refresh that is
 * under way is still answered. */
void control_stop(struct control *c);
bool control_waiting(const struct control *c); /* somebody waits for a refresh */

/* News for those who wait for a refresh. */
void control_on_ended(struct control *c, const struct partner_entry *e, const struct judged *j);
/* News from workers_fence. */
void control_on_fence(struct control *c, uint32_t passed);
/* The signer has answered an order, or is gone and will not. */
void control_on_rolled(struct control *c, uint32_t id, const struct msg_rolled *m);
void control_on_signer_lost(struct control *c);
void control_on_gone(struct control *c, const struct partner_entry *e);
