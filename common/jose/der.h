/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of DER (X.690 section 10): definite lengths in the fewest bytes, one-byte tags.
 * For the files of this folder. */
#pragma once

#include "reason.h"
#include "span.h"

#include <stdint.h>

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_1 = 0x81, /* [1] IMPLICIT of a primitive type */
    DER_CONTEXT_2 = 0x82,
    DER_CONTEXT_0_CONS = 0xA0, /* [0] EXPLICIT */
    DER_CONTEXT_3_CONS = 0xA3,
};

/* Takes one element off the front of *in. False: it is malformed or longer than what is there; *in
 * is then unchanged. ret_whole (may be NULL) gets the element with its head. */
bool der_next(struct span *in, uint8_t *ret_tag, struct span *ret_content, struct span *ret_whole)
    WARN_UNUSED;
/* The same when the tag must be this one. */
bool der_take(struct span *in, uint8_t tag, struct span *ret_content) WARN_UNUSED;
/* Whether the next element has this tag; takes nothing. */
bool der_peek(struct span in, uint8_t tag);
/* An INTEGER in the fewest bytes, as it stands (may be negative). */
bool der_integer(struct span *in, struct span *ret) WARN_UNUSED;
/* An INTEGER above zero: big-endian bytes without a sign byte. */
bool der_positive(struct span *in, struct span *ret) WARN_UNUSED;
/* A BIT STRING of whole bytes. */
bool der_bits(struct span *in, struct span *ret) WARN_UNUSED;
/* UTCTime "YYMMDDHHMMSSZ" (years 1950 to 2049) or GeneralizedTime "YYYYMMDDHHMMSSZ" (RFC 5280
 * section 4.1.2.5), a real date; seconds since 1970. */
bool der_time(struct span *in, int64_t *ret) WARN_UNUSED;
/* An AlgorithmIdentifier that says rsaEncryption with parameters NULL (RFC 3279 section 2.3.1).
 * REASON_OK, REASON_KEY_TYPE for another algorithm, REASON_KEY_FORM. */
enum reason der_rsa_algorithm(struct span *in) WARN_UNUSED;
