/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share of OpenSSL: scope releases, the fetched SHA-256, and the
 * settings of RS256. */
#pragma once

#include "attr.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>

/* SHA-256, fetched once and kept; NULL when OpenSSL has no memory. Never freed by the caller. */
const EVP_MD *digest_evp_sha256(void);

static inline void evp_pkey_freep(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
    *pkey = NULL;
}

static inline void evp_pkey_ctx_freep(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
    *ctx = NULL;
}

/* Empties OpenSSL's queue of errors, where detours leave some even when they lead somewhere. True
 * when one of them tells that memory ran out: then nothing has been proven. */
static inline bool evp_forget_errors(void)
{
    bool starved = false;
    for (unsigned long e = ERR_get_error(); e; e = ERR_get_error())
        starved |= ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    return starved;
}

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3), on a context whose operation has been
 * chosen. */
static inline bool evp_set_rs256(EVP_PKEY_CTX *ctx)
{
    const EVP_MD *md = digest_evp_sha256();
    return md && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
}
