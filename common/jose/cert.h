/* SPDX-License-Identifier: Apache-2.0 */
/* An X.509 certificate as a carrier of a key: thumbprints, dates, key. Trust never comes from the
 * certificate itself (rule R12). Read by an own strict DER walk to the few fields that are needed;
 * OpenSSL's X509 is never held. */
#pragma once

#include "buf.h"
#include "pubkey.h"

#define X5T_LEN 20
#define X5T_S256_LEN 32
/* "8BF833E6..." in hex plus NUL; base64url of 20 bytes plus NUL */
#define THUMBPRINT_TEXT_LEN 41
#define X5T_TEXT_LEN 28
#define CERT_DER_MAX 16384

struct cert {
    uint8_t x5t[X5T_LEN];           /* SHA-1 of the DER (RFC 7515 4.1.7) */
    uint8_t x5t_s256[X5T_S256_LEN]; /* SHA-256 of the DER */
    int64_t not_before, not_after;  /* seconds since 1970; year 9999 works */
    struct pubkey *key;             /* owned; passed the key policy */
    char *der;                      /* owned */
    size_t der_len;
};

/* Parses one DER certificate; bytes after it refuse it. Returns REASON_OK, or REASON_KEY_* /
 * REASON_OUT_OF_MEMORY. */
enum reason cert_parse(struct span der, struct cert **ret) WARN_UNUSED;
/* The first CERTIFICATE block of a PEM text. */
enum reason cert_parse_pem(struct span pem, struct cert **ret) WARN_UNUSED;
void cert_free(struct cert *c);
void cert_freep(struct cert **c);
/* Upper-case hexadecimal SHA-1, as administrators read it; returns out. */
char *thumbprint_text(const uint8_t x5t[X5T_LEN], char out[THUMBPRINT_TEXT_LEN]);
/* base64url of the SHA-1, as headers carry it; returns out. */
char *x5t_text(const uint8_t x5t[X5T_LEN], char out[X5T_TEXT_LEN]);
