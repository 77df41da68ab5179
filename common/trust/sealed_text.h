/* SPDX-License-Identifier: Apache-2.0 */
/* Text that we write for ourselves and for a person to read: a title, whom it is about, length and
 * SHA-256 of what follows, an empty line, then lines `Key=value` in a fixed order (rule R44). The
 * digest guards against torn and damaged files, not against whoever may write the folder. */
#pragma once

#include "buf.h"
#include "cert.h"

/* Appends header and body. `name` NULL: no Name= line. A failure is out->failed. */
void sealed_put(struct buf *out, const char *title, const char *name, struct span body);
/* REASON_OK when `text` is exactly the header that sealed_put writes for this title, name and the
 * body that follows; *ret_body points into `text`. REASON_DOCUMENT_FORM, REASON_OUT_OF_MEMORY. */
enum reason sealed_open(
    struct span text, const char *title, const char *name, struct span *ret_body) WARN_UNUSED;

/* Writing lines. */
void text_put_int(struct buf *out, const char *key, int64_t v);
/* Seconds since 1970, and the same as a date for the reader. */
void text_put_time(struct buf *out, const char *key, int64_t wall_s);
/* Any bytes: controls, backslash and non-ASCII as \xNN. */
void text_put_span(struct buf *out, const char *key, struct span value);
/* base64url of n bytes. */
void text_put_bytes(struct buf *out, const char *key, const void *bytes, size_t n);
/* A CERTIFICATE block of DER. */
void text_put_pem(struct buf *out, struct span der);

/* Reading the lines back in the same order. A line that is not the expected one is sticky: values
 * are then 0 or empty and `failed` is set. */
struct text_in {
    struct span rest;
    bool failed;
    bool starved; /* failed for want of memory: the text may be right */
};
/* The line must be exactly this. */
void text_literal(struct text_in *in, const char *line);
/* The rest of a line that begins with `prefix`, which may be "". */
struct span text_after(struct text_in *in, const char *prefix);
int64_t text_int(struct text_in *in, const char *key);
int64_t text_time(struct text_in *in, const char *key);
bool text_bool(struct text_in *in, const char *key); /* 0 or 1 */
/* A value of text_put_span as a C string of at most max-1 bytes without NUL; always terminated. */
void text_str(struct text_in *in, const char *key, char *out, size_t max);
/* base64url of at least 1 and at most max bytes; returns how many. */
size_t text_bytes(struct text_in *in, const char *key, uint8_t *out, size_t max);
/* A CERTIFICATE block, judged by the key policy. NULL (and failed) when it is not one. The caller
 * releases it with cert_free. */
struct cert *text_pem(struct text_in *in);
