/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the HTTP reader, shared by http*.c only. */
#pragma once

#include "http.h"

/* A refusal: the status to answer and one static sentence; status 0 means none. */
struct http_refusal {
    unsigned status;
    const char *why;
};

#define HTTP_GOOD ((struct http_refusal){0, NULL})
#define HTTP_REFUSE(status_, why_) ((struct http_refusal){(status_), (why_)})

/* Reads request line and header lines of a complete head (CRLF CRLF included, every CR and LF is
 * one of a pair) into *req: syntax of each part, Host and target, nothing of the framing. */
struct http_refusal http_parse_head(struct span head, struct http_request *req);
