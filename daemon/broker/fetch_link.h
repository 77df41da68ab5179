/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the fetcher: one HTTPS request under every limit, made by a process that has the
 * network and nothing else. Each request is answered exactly once, whatever happens to the fetcher.
 */
#pragma once

#include "buf.h"
#include "msg.h"

#include <event2/event.h>

struct fetch_link;
struct fetch;

/* `a` is the fetcher's word, `body` the document when status is 200; both end with the call. Always
 * called from the loop, never before fetch_start returns. */
typedef void fetch_done_fn(const struct msg_fetched *a, struct span body, void *arg);

/* The link socket is `runtime_dir`/fetcher.link. NULL: out of memory. */
struct fetch_link *fetch_link_new(struct event_base *base, const char *runtime_dir) WARN_UNUSED;
/* Forgets all requests without answering them. NULL is fine. */
void fetch_link_free(struct fetch_link *fl);
bool fetch_link_up(const struct fetch_link *fl);
/* Frames of the fetcher that were dropped. */
uint64_t fetch_link_dropped(const struct fetch_link *fl);

/* Asks. A request that finds the fetcher away waits three seconds for it, one that loses it on the
 * way is asked once more; then the answer is REASON_FETCH_AWAY. NULL: out of memory. The texts of
 * `m` are copied. */
struct fetch *fetch_start(struct fetch_link *fl, const struct msg_fetch *m, fetch_done_fn *on_done,
    void *arg) WARN_UNUSED;
/* The answer is no longer wanted. NULL is fine. */
void fetch_cancel(struct fetch *f);
