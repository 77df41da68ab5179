/* SPDX-License-Identifier: Apache-2.0 */
/* What a signing key is made of. For signkey*.c and pkcs12.c only. */
#pragma once

#include "signkey.h"

#include <openssl/evp.h>

struct signkey {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signer; /* made once: see the performance note on EVP set-up in pubkey.c */
    struct cert *cert;
};

/* The reason to give after calls to OpenSSL, whose queue of errors is emptied: of what stands there
 * only want of memory matters. */
enum reason signkey_settled(enum reason r);
/* Takes over both, whatever happens. */
enum reason signkey_assemble(EVP_PKEY *pkey, struct cert *cert, struct signkey **ret) WARN_UNUSED;
/* A private key in DER (`pkcs8`: PrivateKeyInfo, else RSAPrivateKey) with its certificate, which is
 * taken over whatever happens. Reasons as signkey_from_pem; OpenSSL's errors stay queued. */
enum reason signkey_from_der(struct span der, bool pkcs8, struct cert *cert, struct signkey **ret)
    WARN_UNUSED;
/* The same from a body of PEM. */
enum reason signkey_from_pem_body(
    struct span body, bool pkcs8, struct cert *cert, struct signkey **ret) WARN_UNUSED;
