/* SPDX-License-Identifier: Apache-2.0 */
/* Writes DER for tests, right or wrong on purpose: keys and certificates from parts, each of which
 * may be replaced. Everything is for one process that ends soon, so running out of memory aborts.
 */
#pragma once

#include "buf.h"
#include "der.h"

#include <stdlib.h>

#define DER_MAX 65536

/* One element; the content is copied. */
static inline void der_put(struct buf *out, uint8_t tag, struct span content)
{
    buf_put_char(out, (char)tag);
    if (content.n >= 0x100) {
        buf_put(out, "\x82", 1);
        buf_put_char(out, (char)(content.n >> 8));
    } else if (content.n >= 0x80) {
        buf_put(out, "\x81", 1);
    }
    buf_put_char(out, (char)content.n);
    buf_put_span(out, content);
    if (out->failed)
        abort();
}

/* A positive INTEGER, with the sign byte where it needs one. */
static inline void der_put_number(struct buf *out, struct span big_endian)
{
    struct buf content = BUF_INIT(DER_MAX);
    if (big_endian.n && (uint8_t)big_endian.p[0] & 0x80)
        buf_put_char(&content, '\0');
    buf_put_span(&content, big_endian);
    der_put(out, DER_INTEGER, buf_span(&content));
    buf_done(&content);
}

/* rsaEncryption with NULL, sha256WithRSAEncryption with NULL, as they stand in certificates. */
#define DER_ALG_RSA SPAN("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00")
#define DER_ALG_SHA256_RSA SPAN("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")

/* A SubjectPublicKeyInfo around an algorithm and a bit string's content (unused-bits byte and all).
 */
static inline void der_put_spki_raw(struct buf *out, struct span algorithm, struct span bits)
{
    struct buf content = BUF_INIT(DER_MAX);
    buf_put_span(&content, algorithm);
    der_put(&content, DER_BIT_STRING, bits);
    der_put(out, DER_SEQUENCE, buf_span(&content));
    buf_done(&content);
}

static inline void der_put_spki(struct buf *out, struct span n, struct span e)
{
    struct buf numbers = BUF_INIT(DER_MAX), bits = BUF_INIT(DER_MAX);
    der_put_number(&numbers, n);
    der_put_number(&numbers, e);
    buf_put_char(&bits, '\0');
    der_put(&bits, DER_SEQUENCE, buf_span(&numbers));
    der_put_spki_raw(out, DER_ALG_RSA, buf_span(&bits));
    buf_done(&numbers);
    buf_done(&bits);
}

/* The parts of a certificate; one with p NULL is written as an ordinary certificate has it. The key
 * is mandatory. */
struct der_cert {
    struct span version, serial, algorithm, issuer, validity, subject, spki, tail;
    struct span outer_algorithm, signature, after; /* `after`: behind the signature, inside */
};

#define DER_VALIDITY_2023_2028                                                                     \
    SPAN("\x30\x1e\x17\x0d"                                                                        \
         "230105135711Z\x17\x0d"                                                                   \
         "280105135711Z")

static inline struct span der_or(struct span given, struct span ordinary)
{
    return given.p ? given : ordinary;
}

static inline void der_put_cert(struct buf *out, const struct der_cert *c)
{
    struct buf tbs = BUF_INIT(DER_MAX), all = BUF_INIT(DER_MAX);
    const struct span name =
        SPAN("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"); /* CN=a */
    buf_put_span(&tbs, der_or(c->version, SPAN("\xa0\x03\x02\x01\x02")));
    buf_put_span(&tbs, der_or(c->serial, SPAN("\x02\x01\x05")));
    buf_put_span(&tbs, der_or(c->algorithm, DER_ALG_SHA256_RSA));
    buf_put_span(&tbs, der_or(c->issuer, name));
    buf_put_span(&tbs, der_or(c->validity, DER_VALIDITY_2023_2028));
    buf_put_span(&tbs, der_or(c->subject, name));
    buf_put_span(&tbs, c->spki);
    buf_put_span(&tbs, der_or(c->tail, SPAN("")));
    der_put(&all, DER_SEQUENCE, buf_span(&tbs));
    buf_put_span(&all, der_or(c->outer_algorithm, der_or(c->algorithm, DER_ALG_SHA256_RSA)));
    buf_put_span(&all, der_or(c->signature, SPAN("\x03\x03\x00\xab\xcd")));
    buf_put_span(&all, der_or(c->after, SPAN("")));
    der_put(out, DER_SEQUENCE, buf_span(&all));
    buf_done(&tbs);
    buf_done(&all);
}
