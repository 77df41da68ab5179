/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#12 and encrypted PKCS#8 opened under limits. OpenSSL decodes and decrypts, after we have
 * looked at what it would do. For signkey_file.c only. */
#pragma once

#include "signkey_parts.h"

/* Rounds of all password functions of one file together. The signer's loop stands still meanwhile:
 * at most a second. */
#define PKCS12_ROUNDS_MAX 1000000
#define PKCS12_SEAL_ROUNDS 150000 /* for each of MAC, key and certificate */

/* Adds everything that is in it to `ret`. REASON_OK and the reasons of signkey_from_pkcs12;
 * OpenSSL's errors stay queued. */
enum reason pkcs12_open(struct span der, struct span password, struct key_parts *ret) WARN_UNUSED;
/* The same for an EncryptedPrivateKeyInfo (RFC 5958 section 3). */
enum reason pkcs12_open_pkcs8(struct span der, struct span password, struct key_parts *ret)
    WARN_UNUSED;
/* As signkey_to_pkcs12, whose bounds `password` has passed; OpenSSL's errors stay queued. */
enum reason pkcs12_seal(const struct signkey *key, struct span password, struct buf *out)
    WARN_UNUSED;
