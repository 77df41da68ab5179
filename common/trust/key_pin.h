/* SPDX-License-Identifier: Apache-2.0 */
/* PinnedKeys= and Expect=: which certificates an administrator has named. */
#pragma once

#include "cert.h"
#include "settings.h"

/* Is the certificate with these thumbprints and this key the one that `pin` names? A pin is 40
 * (SHA-1) or 64 (SHA-256) upper-case hexadecimal digits of the certificate, or "sha256//" and the
 * base64 of the SHA-256 of its public key (SubjectPublicKeyInfo), as the settings keep them. */
bool key_pin_is(const char *pin, const uint8_t x5t[X5T_LEN], const uint8_t x5t_s256[X5T_S256_LEN],
    const struct pubkey *key);
/* The same for any of a list. */
bool key_pin_in(const struct names *pins, const uint8_t x5t[X5T_LEN],
    const uint8_t x5t_s256[X5T_S256_LEN], const struct pubkey *key);
