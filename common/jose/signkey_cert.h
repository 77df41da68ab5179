/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates that we make ourselves. For signkey*.c only. */
#pragma once

#include "cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define SIGNKEY_NAME_MAX 64 /* bytes: X.520's bound for a common name */

enum cert_kind {
    CERT_SELF_SIGNED, /* leaf that vouches for itself */
    CERT_ISSUED,      /* leaf by a root */
    CERT_ROOT
};

/* Nothing in it is owned. */
struct cert_plan {
    enum cert_kind kind;
    EVP_PKEY *pkey;   /* that the certificate is about */
    const char *name; /* CN; longer than 64 bytes it is cut there */
    int64_t not_before, not_after;
    EVP_PKEY *issuer_pkey; /* CERT_ISSUED only: key and certificate of the root */
    const struct cert *issuer;
};

/* As signkey_generate, signkey_generate_root and signkey_issue say. REASON_OK, REASON_INTERNAL (a
 * name or date that a certificate cannot hold), REASON_OUT_OF_MEMORY. OpenSSL's errors stay queued.
 */
enum reason signkey_make_cert(const struct cert_plan *plan, struct cert **ret) WARN_UNUSED;
/* Adds a common name; false: no memory, or no name of a certificate. */
bool signkey_put_name(X509_NAME *name, const char *text) WARN_UNUSED;
