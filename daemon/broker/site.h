/* SPDX-License-Identifier: Apache-2.0 */
/* What the public door answers: pure, a request in, an answer out (DESIGN 6). Refusals close the
 * connection. */
#pragma once

#include "documents.h"
#include "http.h"

#define SITE_HEADERS_MAX 16384
#define SITE_BODY_MAX 512

struct site {
    const struct settings *settings;
    const struct documents *documents;
    struct span url_host; /* host of [Metadata] URL=, empty: none */
    char *challenge;      /* "WWW-Authenticate: ...\r\n", owned */
};

struct site_reply {
    unsigned status;
    const struct document *document; /* with 200 and 304 */
    struct buf headers;              /* "Name: value\r\n" lines */
    struct buf body;                 /* JSON of a refusal */
    bool close;
};
void site_reply_done(struct site_reply *r);

/* Makes the answers that do not depend on the request. `documents` and `s` outlive it. */
enum reason site_open(
    struct site *site, const struct settings *s, const struct documents *documents) WARN_UNUSED;
void site_close(struct site *site);

/* Host, then path and method, then the precondition. `ret` is started by the caller with
 * SITE_REPLY_INIT. */
#define SITE_REPLY_INIT                                                                            \
    ((struct site_reply){.headers = BUF_INIT(SITE_HEADERS_MAX), .body = BUF_INIT(SITE_BODY_MAX)})
void site_answer(const struct site *site, const struct http_request *req, struct site_reply *ret);

/* {"error":..,"error_description":..} for a status that the request reader gave. */
void site_refusal(unsigned status, const char *why, struct buf *body);
