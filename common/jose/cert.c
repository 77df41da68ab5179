/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate of RFC 5280 section 4.1, walked to validity and key. Names, serial number, extensions
 * and the signature are looked at only as far as their form goes: trust comes from the document
 * that carried the certificate (rule R12). An X509 of OpenSSL costs 4 KB and 125 us; this with
 * thumbprints and key policy costs a twentieth of the time. */
#include "cert.h"

#include "b64.h"
#include "cleanup.h"
#include "der.h"
#include "digest.h"
#include "pem.h"

#define VERSION_1 0
#define VERSION_2 1
#define VERSION_3 2

/* What the walk is for. */
struct found {
    int64_t not_before, not_after;
    struct span spki; /* with its head */
};

/* An AlgorithmIdentifier: object identifier and at most one parameter. */
static bool take_algorithm(struct span *in, struct span *ret_whole)
{
    uint8_t tag;
    struct span content, oid, parameter;
    if (!der_next(in, &tag, &content, ret_whole) || tag != DER_SEQUENCE)
        return false;
    if (!der_take(&content, DER_OID, &oid) || oid.n == 0)
        return false;
    return content.n == 0 || (der_next(&content, &tag, &parameter, NULL) && content.n == 0);
}

/* Absent means version 1, which must then not be written out. */
static bool take_version(struct span *in, int *ret)
{
    struct span explicit, v;
    *ret = VERSION_1;
    if (!der_peek(*in, DER_CONTEXT_0_CONS))
        return true;
    if (!der_take(in, DER_CONTEXT_0_CONS, &explicit) || !der_integer(&explicit, &v) || explicit.n)
        return false;
    *ret = v.p[0];
    return v.n == 1 && (*ret == VERSION_2 || *ret == VERSION_3);
}

static bool take_validity(struct span *in, struct found *f)
{
    struct span validity;
    return der_take(in, DER_SEQUENCE, &validity) && der_time(&validity, &f->not_before) &&
           der_time(&validity, &f->not_after) && validity.n == 0;
}

/* Unique identifiers and extensions: in this order, each at most once, nothing behind. */
static bool tail_is_lawful(struct span in, int version)
{
    struct span content, extensions;
    if (der_peek(in, DER_CONTEXT_1) &&
        (version < VERSION_2 || !der_take(&in, DER_CONTEXT_1, &content)))
        return false;
    if (der_peek(in, DER_CONTEXT_2) &&
        (version < VERSION_2 || !der_take(&in, DER_CONTEXT_2, &content)))
        return false;
    if (!der_peek(in, DER_CONTEXT_3_CONS))
        return in.n == 0;
    return version == VERSION_3 && der_take(&in, DER_CONTEXT_3_CONS, &content) && in.n == 0 &&
           der_take(&content, DER_SEQUENCE, &extensions) && content.n == 0;
}

static bool walk_tbs(struct span tbs, struct span outer_algorithm, struct found *f)
{
    int version = VERSION_1;
    uint8_t tag;
    struct span serial, algorithm, name, key;
    if (!take_version(&tbs, &version) || !der_integer(&tbs, &serial))
        return false;
    if (!take_algorithm(&tbs, &algorithm) || !span_eq(algorithm, outer_algorithm))
        return false;
    if (!der_take(&tbs, DER_SEQUENCE, &name) || !take_validity(&tbs, f) ||
        !der_take(&tbs, DER_SEQUENCE, &name))
        return false;
    if (!der_next(&tbs, &tag, &key, &f->spki) || tag != DER_SEQUENCE)
        return false;
    return tail_is_lawful(tbs, version);
}

static bool walk(struct span der, struct found *f)
{
    struct span certificate, tbs, algorithm, signature;
    if (!der_take(&der, DER_SEQUENCE, &certificate) || der.n)
        return false;
    if (!der_take(&certificate, DER_SEQUENCE, &tbs) || !take_algorithm(&certificate, &algorithm) ||
        !der_bits(&certificate, &signature) || certificate.n)
        return false;
    return walk_tbs(tbs, algorithm, f);
}

enum reason cert_parse(struct span der, struct cert **ret)
{
    struct found f = {0};
    if (der.n > CERT_DER_MAX || !walk(der, &f))
        return REASON_KEY_FORM;
    CLEANUP(cert_freep) struct cert *c = calloc(1, sizeof(*c));
    if (!c)
        return REASON_OUT_OF_MEMORY;
    enum reason r = pubkey_from_spki(f.spki, &c->key);
    if (r != REASON_OK)
        return r;
    c->der = malloc(der.n);
    if (!c->der || !digest_sha1(der, c->x5t) || !digest_sha256(der, c->x5t_s256))
        return REASON_OUT_OF_MEMORY;
    memcpy(c->der, der.p, der.n);
    c->der_len = der.n;
    c->not_before = f.not_before;
    c->not_after = f.not_after;
    *ret = TAKE(c);
    return REASON_OK;
}

static enum reason parse_body(struct span body, struct cert **ret)
{
    if (body.n > 2 * CERT_DER_MAX)
        return REASON_KEY_FORM;
    CLEANUP(freep) uint8_t *der = malloc(body.n + 1);
    if (!der)
        return REASON_OUT_OF_MEMORY;
    long n = pem_decode(body, der);
    return n < 0 ? REASON_KEY_FORM : cert_parse(span_bytes(der, (size_t)n), ret);
}

enum reason cert_parse_pem(struct span pem, struct cert **ret)
{
    struct span label, body;
    while (pem_next(&pem, &label, &body) == PEM_BLOCK)
        if (span_eq(label, SPAN("CERTIFICATE")))
            return parse_body(body, ret);
    return REASON_KEY_FORM;
}

void cert_free(struct cert *c)
{
    if (!c)
        return;
    pubkey_free(c->key);
    free(c->der);
    free(c);
}

void cert_freep(struct cert **c)
{
    cert_free(*c);
    *c = NULL;
}

char *thumbprint_text(const uint8_t x5t[X5T_LEN], char out[THUMBPRINT_TEXT_LEN])
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < X5T_LEN; i++) {
        out[2 * i] = hex[x5t[i] >> 4];
        out[2 * i + 1] = hex[x5t[i] & 15];
    }
    out[THUMBPRINT_TEXT_LEN - 1] = '\0';
    return out;
}

char *x5t_text(const uint8_t x5t[X5T_LEN], char out[X5T_TEXT_LEN])
{
    out[b64url_encode(x5t, X5T_LEN, out)] = '\0';
    return out;
}
