/* SPDX-License-Identifier: Apache-2.0 */
/* The form of an unencrypted RSA private key, judged before OpenSSL sees it. For signkey.c only. */
#pragma once

#include "reason.h"
#include "span.h"

/* All point into the DER that was read. */
struct signkey_der {
    struct span rsa;  /* RSAPrivateKey (RFC 8017 A.1.2) with its head */
    struct span n, e; /* big-endian */
};

/* pkcs8: the DER is a PrivateKeyInfo (RFC 5208), else it is RSAPrivateKey itself. REASON_OK,
 * REASON_KEY_TYPE for another algorithm than rsaEncryption, REASON_KEY_FORM (also for keys of more
 * than two primes). */
enum reason signkey_der_read(struct span der, bool pkcs8, struct signkey_der *ret) WARN_UNUSED;
