/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS side of the public door: TLS 1.2 and 1.3, forward secrecy and AEAD only, no
 * renegotiation, no compression, no sessions, no tickets; ALPN http/1.1. */
#pragma once

#include "settings.h"

#include <openssl/types.h>

#define TLS_WHY_MAX 512

/* From [TLS] Certificate= (chain, leaf first) and PrivateKey=, read with the care of key files; a
 * name may be a link, the file it leads to is judged. 0, or -EINVAL or another -errno with a
 * sentence for the administrator in `why`. The caller frees with tls_freep. */
int tls_new(const struct settings *s, SSL_CTX **ret, char why[TLS_WHY_MAX]) WARN_UNUSED;
void tls_freep(SSL_CTX **ctx);
