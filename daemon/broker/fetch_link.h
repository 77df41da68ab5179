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
/* The same, but says who asks: the signer is asked first for the token that `sign` describes. It
 * delays the request by FETCH_SIGN_MS at most; without a token the request goes out all the same.
 */
#define FETCH_SIGN_MS 1000
struct fetch *fetch_start_announced(struct fetch_link *fl, const struct msg_fetch *m,
    const struct msg_sign *sign, fetch_done_fn *on_done, void *arg) WARN_UNUSED;
/* Who asks the signer: 0 and the id of the question, or -errno. Before the first of the above. */
typedef int fetch_sign_fn(const struct msg_sign *m, uint32_t *ret_id, void *arg);
void fetch_link_signer(struct fetch_link *fl, fetch_sign_fn *sign, void *arg);
/* The signer's answer; one that nobody waits for is ignored. */
void fetch_link_signed(struct fetch_link *fl, uint32_t id, const struct msg_signed *m);
/* Answers that are outstanding never come. */
void fetch_link_signer_lost(struct fetch_link *fl);
/* The answer is no longer wanted. NULL is fine. */
void fetch_cancel(struct fetch *f);
