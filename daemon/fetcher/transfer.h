/* SPDX-License-Identifier: Apache-2.0 */
/* One fetch: a libcurl handle under every limit, and the verdict on what came of it. */
#pragma once

#include "buf.h"
#include "head.h"
#include "msg.h"

#include <curl/curl.h>

#define TRANSFER_URL_MAX 2048
#define TRANSFER_BYTES_MAX (16u * 1024 * 1024)
#define TRANSFER_TIMEOUT_MAX_MS 120000u

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct head head;
    struct buf body;
    char host[256];     /* of the URL, without brackets */
    bool had_validator; /* If-None-Match or If-Modified-Since went out: a 304 is an answer */
    bool public_only;
    bool is_refused, is_tried; /* an address was refused; another one was not */
    bool is_connected;         /* TLS has begun */
    bool is_too_large;
    int64_t date_seen_ms; /* when the Date header came, 0: it has not */
    bool was_asked_wrong; /* not a URL that may be fetched, or a field that does not fit */
    const char *tls_why;  /* our own reason to refuse a certificate */
    char detail[640];     /* for people, safe to log */
    char address[64];     /* that was connected to, as text */
};

/* Makes the handle for what the broker asks; it is not started. NULL: out of memory. A transfer
 * that was asked wrongly has no handle. */
struct transfer *transfer_new(const struct msg_fetch *m) WARN_UNUSED;
void transfer_free(struct transfer *t);
/* After its end: fills *ret (spans point into t). */
void transfer_judge(struct transfer *t, CURLcode code, struct msg_fetched *ret);
