/* SPDX-License-Identifier: Apache-2.0 */
/* The doors for strangers: HTTPS on TLS bufferevents, and the same in plain for a web server in
 * front. They stay shut until there is something to serve. When [Limits] Connections= are open, the
 * one that has waited longest without a question makes room for the next. */
#pragma once

#include "listeners.h"
#include "site.h"
#include "tls.h"

#include <event2/event.h>

#define PUBLIC_ADDRESS_MAX 64
#define PUBLIC_ANNOUNCE_MAX 8193 /* with its NUL */

struct public_doors;

/* Takes the listeners out of `doors` (sets them to -1 there). NULL: out of memory. */
struct public_doors *public_doors_new(struct event_base *base, struct listeners *doors) WARN_UNUSED;
void public_doors_free(struct public_doors *p); /* NULL is fine; open connections are cut */

/* Somebody was given a document that holds our keys, or was told that he has the present one. */
struct public_visit {
    char address[PUBLIC_ADDRESS_MAX];   /* his IP address as text; "" behind a web server */
    char announce[PUBLIC_ANNOUNCE_MAX]; /* what he says about himself, not judged; "" nothing */
};
typedef void public_visit_fn(const struct public_visit *v, void *arg);
/* Called when the answer is in the hands of the connection; NULL: nobody. */
void public_doors_on_visit(struct public_doors *p, public_visit_fn *on_visit, void *arg);

/* Has any listener. */
bool public_doors_any(const struct public_doors *p);
bool public_doors_need_tls(const struct public_doors *p);
/* The certificate for new connections from now on; taken over. */
void public_doors_set_tls(struct public_doors *p, SSL_CTX *tls);
/* What to serve from now on. The first call opens the doors. `s` must outlive the next call;
 * `documents` is taken over on success. */
enum reason public_doors_serve(
    struct public_doors *p, const struct settings *s, struct documents *documents) WARN_UNUSED;
/* No new connections; those that are there are closed when their answer is out. */
void public_doors_stop(struct public_doors *p);
unsigned public_doors_connections(const struct public_doors *p);
/* How many were ended because all places were taken and somebody else stood at the door. */
uint64_t public_doors_cut_off(const struct public_doors *p);
