/* SPDX-License-Identifier: Apache-2.0 */
/* base64url as RFC 7515 section 2 wants it (strict: no padding, no blanks, unused bits zero: rule
 * R3), and the standard base64 of certificates (RFC 4648 section 4, padded, strict). */
#pragma once

#include "buf.h"

#include <stdint.h>

/* Bytes that `n` characters decode to at most; characters that `n` bytes encode to. */
#define B64_DECODED_MAX(n) ((n) / 4 * 3 + 3)
#define B64URL_ENCODED(n) (((n)*4 + 2) / 3)

/* Decodes all of `in` into out (cap bytes). Returns the number of bytes, or -1. */
long b64url_decode(struct span in, uint8_t *out, size_t cap) WARN_UNUSED;
/* Encodes n bytes without padding; out holds B64URL_ENCODED(n) characters, no NUL is written.
 * Returns their number. */
size_t b64url_encode(const uint8_t *in, size_t n, char *out);
void b64url_put(struct buf *b, const void *in, size_t n);
/* Standard alphabet with padding. */
long b64_decode(struct span in, uint8_t *out, size_t cap) WARN_UNUSED;
void b64_put(struct buf *b, const void *in, size_t n);
/* A thumbprint as partners write it: base64url or standard base64, padded or not (trap 30). Exactly
 * n bytes, else false. */
bool b64_thumbprint(struct span in, uint8_t *out, size_t n) WARN_UNUSED;
