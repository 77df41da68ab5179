/* SPDX-License-Identifier: Apache-2.0 */
/* One strict HTTP/1.1 request reader (RFC 9112) for the public HTTPS and the local doors alike.
 * Pure: bytes in, a request or a refusal out. Every shape that two readers could understand
 * differently is refused: bare LF or CR, folding, space before the colon, two Hosts, any
 * Transfer-Encoding, Content-Length that is not plain digits or comes twice, controls and NUL,
 * absolute-form targets that name another host. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdint.h>

#define HTTP_HEADERS_MAX 64
#define HTTP_REQUEST_LINE_MAX 8192 /* bytes without CRLF; longer: 414 */

struct http_limits {
    size_t header_max; /* bytes of request line and headers together: 16 KiB public, 32 KiB local */
    size_t body_max;   /* bytes; 0: a request with a body is refused */
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_TRACE,
    HTTP_CONNECT,
    HTTP_OTHER
};

struct http_header {
    struct span name;  /* a token, as sent */
    struct span value; /* without surrounding blanks */
};

struct http_request {
    enum http_method method;
    struct span method_text;
    struct span path;  /* of the target, before '?', undecoded */
    struct span query; /* after '?', empty when none */
    struct span host;  /* the Host header without port; empty on HTTP/1.0 without one */
    int minor;         /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;   /* what the client wants and the version allows */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    struct span body;
    size_t consumed; /* bytes of the input this request took */
};

enum http_step { HTTP_MORE, HTTP_DONE, HTTP_REFUSED };

/* Where the reader stands between calls with a growing input; zero it for each new request. */
struct http_reader {
    size_t scanned;  /* bytes of the head that were looked at */
    size_t line;     /* where the current line begins */
    size_t head;     /* length of the whole head, 0 while it is not complete */
    size_t body;     /* what Content-Length says, once the head is complete */
    unsigned status; /* after HTTP_REFUSED: 400, 411, 413, 414, 417, 431, 501 or 505 */
    const char *why; /* after HTTP_REFUSED: one English sentence, static */
};

/* Reads one request from the bytes received so far (spans point into them). HTTP_MORE: not
 * complete, call again with more. HTTP_REFUSED: answer r->status and close; *ret is then undefined.
 * Never reads more than header_max + body_max. The verdict does not depend on how the bytes were
 * cut into calls. One CRLF before the request is skipped. */
enum http_step http_read(struct http_reader *r, struct span in, const struct http_limits *limits,
    struct http_request *ret);

/* The only header of that name (ASCII case ignored); empty span with p NULL when absent; *ret_count
 * says how many there were, so a caller can refuse two. */
struct span http_header(const struct http_request *req, const char *name, unsigned *ret_count);

/* application/x-www-form-urlencoded: finds `name` in `form`, decodes into `out` (cap bytes, at
 * least 1, always NUL-terminated). Returns the number of times the name occurs (0 and 2 or more:
 * out is ""), or -1 for broken encoding or NUL anywhere in the form, or a value that does not fit.
 * Names are compared after decoding. */
int http_form_get(struct span form, const char *name, char *out, size_t cap);

/* The standard phrase: "OK", "Not Found" ... */
const char *http_phrase(unsigned status);
