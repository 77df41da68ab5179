/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-1 (thumbprints only) and SHA-256 with a context that is made once. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define SHA1_LEN 20
#define SHA256_LEN 32

/* True unless OpenSSL has no memory or no such digest. */
bool digest_sha1(struct span in, uint8_t out[SHA1_LEN]);
bool digest_sha256(struct span in, uint8_t out[SHA256_LEN]);
/* First 16 hex digits of the SHA-256: names a token in logs and reveals nothing. Returns out. */
#define TOKEN_HASH_LEN 17
char *digest_token_hash(struct span token, char out[TOKEN_HASH_LEN]);
