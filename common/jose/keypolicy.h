/* SPDX-License-Identifier: Apache-2.0 */
/* Rule R10 for RSA, by arithmetic modulo small primes only: no big numbers, a few microseconds. For
 * the files of this folder. */
#pragma once

#include "reason.h"
#include "span.h"

#define RSA_BYTES_MIN 256  /* 2048 bits */
#define RSA_BYTES_MAX 1024 /* 8192 bits */
#define RSA_E_BYTES_MAX 4

/* Big-endian modulus and exponent. REASON_KEY_FORM for an empty number or one with leading zero
 * bytes, REASON_KEY_SIZE outside 2048..8192 bits or not a multiple of 8, REASON_KEY_WEAK for an
 * even modulus, a factor below 2^10, a square, the ROCA structure, or an exponent that is even,
 * below 65537 or not below 2^32. */
enum reason keypolicy_check_rsa(struct span n, struct span e) WARN_UNUSED;
