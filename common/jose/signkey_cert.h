/* SPDX-License-Identifier: Apache-2.0 */
/* The self-signed certificate of a fresh signing key. For signkey.c only. */
#pragma once

#include "cert.h"

#include <openssl/evp.h>

/* As signkey_generate says. A name longer than 64 bytes is cut there: X.520's bound for a common
 * name. REASON_OK, REASON_INTERNAL (a name or date that a certificate cannot hold),
 * REASON_OUT_OF_MEMORY. OpenSSL's errors stay queued. */
enum reason signkey_self_sign(EVP_PKEY *pkey, const char *name, int64_t not_before,
    int64_t not_after, struct cert **ret) WARN_UNUSED;
