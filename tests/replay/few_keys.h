/* SPDX-License-Identifier: Apache-2.0 */
/* Making an RSA key is played: a few of them are used again and again, each time under another
 * certificate. For the one file of a program that includes it. */
#pragma once

#include "attr.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

/* In place of OpenSSL's: the keys are real, and few. */
static EVP_PKEY *few_keys[4];
EVP_PKEY *EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *props, const char *type, ...)
{
    static unsigned turn;
    (void)ctx;
    (void)props;
    (void)type;
    EVP_PKEY *key = few_keys[turn++ % ARRAY_LEN(few_keys)];
    EVP_PKEY_up_ref(key);
    return key;
}

static inline void few_keys_make(void)
{
    for (size_t i = 0; i < ARRAY_LEN(few_keys); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 ||
            EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) != 1 ||
            EVP_PKEY_generate(ctx, &few_keys[i]) != 1)
            abort();
        EVP_PKEY_CTX_free(ctx);
    }
}
