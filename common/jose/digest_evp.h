/* SPDX-License-Identifier: Apache-2.0 */
/* For the other files of this folder only: the fetched algorithm behind digest_sha256. */
#pragma once

#include <openssl/evp.h>

/* SHA-256, fetched once and kept; NULL when OpenSSL has no memory. Never freed by the caller. */
const EVP_MD *digest_evp_sha256(void);
