/* SPDX-License-Identifier: Apache-2.0 */
#include "cert.h"

#include "b64.h"
#include "cleanup.h"
#include "clock.h"
#include "der_maker.h"
#include "odd_modulus.h"
#include "signkey.h"
#include "unit.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

static struct signkey *signer;

static struct span good_der(void)
{
    return (struct span){signkey_cert(signer)->der, signkey_cert(signer)->der_len};
}

static int64_t seconds(const ASN1_TIME *t)
{
    struct tm tm;
    ck_assert_int_eq(ASN1_TIME_to_tm(t, &tm), 1);
    return timegm(&tm);
}

/* What OpenSSL reads from the same bytes must be what we read. */
static void compare(const struct cert *c, X509 *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    ck_assert_int_eq(X509_digest(x, EVP_sha1(), digest, &len), 1);
    ck_assert_uint_eq(len, X5T_LEN);
    ck_assert_mem_eq(c->x5t, digest, X5T_LEN);
    ck_assert_int_eq(X509_digest(x, EVP_sha256(), digest, &len), 1);
    ck_assert_uint_eq(len, X5T_S256_LEN);
    ck_assert_mem_eq(c->x5t_s256, digest, X5T_S256_LEN);
    ck_assert_int_eq(c->not_before, seconds(X509_get0_notBefore(x)));
    ck_assert_int_eq(c->not_after, seconds(X509_get0_notAfter(x)));
    BIGNUM *n = NULL, *e = NULL;
    unsigned char room[MODULUS_MAX];
    ck_assert_int_eq(EVP_PKEY_get_bn_param(X509_get0_pubkey(x), "n", &n), 1);
    ck_assert_int_eq(EVP_PKEY_get_bn_param(X509_get0_pubkey(x), "e", &e), 1);
    ck_assert(span_eq(pubkey_n(c->key), span_bytes(room, (size_t)BN_bn2bin(n, room))));
    ck_assert(span_eq(pubkey_e(c->key), span_bytes(room, (size_t)BN_bn2bin(e, room))));
    BN_free(n);
    BN_free(e);
}

static void compare_der(const struct cert *c)
{
    const unsigned char *p = (const unsigned char *)c->der;
    X509 *x = d2i_X509(NULL, &p, (long)c->der_len);
    ck_assert_ptr_nonnull(x);
    ck_assert_ptr_eq(p, c->der + c->der_len);
    compare(c, x);
    X509_free(x);
}

static enum reason parse(struct span der)
{
    /* An exact copy on the heap lets the sanitizer see a step too far. */
    CLEANUP(freep) char *copy = malloc(der.n + 1);
    CLEANUP(cert_freep) struct cert *c = NULL;
    if (der.n)
        memcpy(copy, der.p, der.n);
    char *exact = realloc(copy, der.n ? der.n : 1);
    copy = exact;
    enum reason r = cert_parse((struct span){exact, der.n}, &c);
    ck_assert_int_eq(r == REASON_OK, c != NULL);
    return r;
}

START_TEST(we_read_what_openssl_reads)
{
    CLEANUP(cert_freep) struct cert *c = NULL;
    ck_assert_int_eq(cert_parse(good_der(), &c), REASON_OK);
    ck_assert(span_eq((struct span){c->der, c->der_len}, good_der()));
    compare_der(c);
    cert_free(NULL);
}
END_TEST

/* Real certificates of Exchange servers, where the corpora are. */
START_TEST(real_exchange_certificates_are_read)
{
    char path[4096], line[256];
    const char *vectors = getenv("VECTORS");
    vectors = vectors ? vectors : "../shared/vectors";
    snprintf(path, sizeof(path), "%s/exchange-auth-certs/INDEX.tsv", vectors);
    CLEANUP(fclosep) FILE *index = fopen(path, "r");
    if (!index) {
        printf("skipped: no %s\n", path);
        return;
    }
    int count = 0;
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), index));
    while (fgets(line, sizeof(line), index)) {
        char thumbprint[64], x5t[64], pem[8192], text[THUMBPRINT_TEXT_LEN];
        ck_assert_int_eq(sscanf(line, "%63s %63s", thumbprint, x5t), 2);
        snprintf(path, sizeof(path), "%s/exchange-auth-certs/%s.pem", vectors, thumbprint);
        CLEANUP(fclosep) FILE *f = fopen(path, "r");
        ck_assert_ptr_nonnull(f);
        size_t n = fread(pem, 1, sizeof(pem), f);
        CLEANUP(cert_freep) struct cert *c = NULL;
        ck_assert_int_eq(cert_parse_pem((struct span){pem, n}, &c), REASON_OK);
        compare_der(c);
        ck_assert_str_eq(thumbprint_text(c->x5t, text), thumbprint);
        ck_assert_str_eq(x5t_text(c->x5t, text), x5t);
        count++;
    }
    ck_assert_int_eq(count, 6);
}
END_TEST

START_TEST(a_certificate_ends_where_it_says)
{
    struct span der = good_der();
    for (size_t n = 0; n < der.n; n++)
        ck_assert_int_eq(parse((struct span){der.p, n}), REASON_KEY_FORM);
    CLEANUP(buf_done) struct buf longer = BUF_INIT(CERT_DER_MAX);
    buf_put_span(&longer, der);
    buf_put_char(&longer, '\0');
    ck_assert_int_eq(parse(buf_span(&longer)), REASON_KEY_FORM);
    ck_assert_int_eq(parse((struct span){longer.p, der.n}), REASON_OK);
}
END_TEST

/* Every value of every byte: no crash, and where both readers still say yes they say the same. */
START_TEST(one_changed_byte_never_makes_two_readings)
{
    struct span der = good_der();
    unsigned accepted = 0;
    for (size_t i = (size_t)_i; i < der.n; i += 4) {
        char room[CERT_DER_MAX];
        memcpy(room, der.p, der.n);
        for (int flip = 1; flip < 256; flip = flip * 2 + 1) {
            room[i] = (char)(der.p[i] ^ flip);
            CLEANUP(cert_freep) struct cert *c = NULL;
            if (cert_parse((struct span){room, der.n}, &c) != REASON_OK)
                continue;
            accepted++;
            ck_assert_mem_ne(c->x5t, signkey_cert(signer)->x5t, X5T_LEN);
            const unsigned char *p = (const unsigned char *)room;
            X509 *x = d2i_X509(NULL, &p, (long)der.n);
            if (x && X509_get0_pubkey(x))
                compare(c, x);
            X509_free(x);
        }
    }
    ck_assert_uint_gt(accepted, 100); /* names, serial number, signature */
}
END_TEST

/* Certificates made from parts: an ordinary one with one part replaced. */
static enum reason parse_parts(struct der_cert parts)
{
    CLEANUP(buf_done) struct buf spki = BUF_INIT(DER_MAX), der = BUF_INIT(DER_MAX);
    const struct pubkey *key = signkey_cert(signer)->key;
    der_put_spki(&spki, pubkey_n(key), pubkey_e(key));
    parts.spki = der_or(parts.spki, buf_span(&spki));
    der_put_cert(&der, &parts);
    return parse(buf_span(&der));
}

#define PART(part, text, want)                                                                     \
    {                                                                                              \
        {.part = {text, sizeof(text) - 1}}, want                                                   \
    }
#define NO REASON_KEY_FORM
#define YES REASON_OK

static const struct {
    struct der_cert parts;
    enum reason want;
} part_rows[] = {
    PART(version, "\xa0\x03\x02\x01\x02", YES),
    PART(version, "", YES), /* version 1 */
    PART(version, "\xa0\x03\x02\x01\x01", YES),
    PART(version, "\xa0\x03\x02\x01\x00", NO), /* version 1 written out */
    PART(version, "\xa0\x03\x02\x01\x03", NO),
    PART(version, "\xa0\x04\x02\x02\x00\x02", NO),
    PART(version, "\xa0\x04\x02\x01\x02\x00", NO),
    PART(version, "\xa0\x00", NO),
    PART(version, "\x02\x01\x02", NO),
    PART(serial, "\x02\x02\x00\x80", YES),
    PART(serial, "\x02\x01\xff", YES), /* negative: seen in the wild, of no weight */
    PART(serial, "\x02\x01\x00", YES),
    PART(serial, "\x02\x00", NO),
    PART(serial, "\x02\x02\x00\x05", NO),
    PART(serial, "\x02\x02\xff\xff", NO),
    PART(serial, "\x04\x01\x05", NO),
    PART(serial, "\x02\x81\x01\x05", NO),     /* length in more bytes than it needs */
    PART(serial, "\x02\x82\x00\x01\x05", NO), /* the same */
    PART(serial, "\x02\x84\x00\x00\x00\x01\x05", NO),
    PART(serial, "\x02\x80\x05\x00\x00", NO), /* indefinite */
    PART(serial, "\x02\xff\x05", NO),
    PART(serial, "\x1f\x02\x01\x05", NO), /* tag in more bytes */
    PART(serial, "", NO),
    PART(algorithm, "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", YES),
    PART(algorithm, "\x30\x00", NO),
    PART(algorithm, "\x30\x02\x06\x00", NO),
    PART(algorithm, "\x30\x02\x05\x00", NO),
    PART(algorithm, "\x30\x05\x06\x01\x2a\x05\x00", YES),
    PART(algorithm, "\x30\x06\x06\x01\x2a\x1f\x01\x05", NO), /* tag in more bytes */
    PART(algorithm, "\x30\x07\x06\x01\x2a\x05\x00\x05\x00", NO),
    PART(algorithm, "\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", NO),
    PART(algorithm, "", NO),
    /* RFC 5280 4.1.1.2: the same inside and outside */
    PART(outer_algorithm, "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", NO),
    PART(outer_algorithm, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00", NO),
    PART(outer_algorithm, "", NO),
    PART(issuer, "\x30\x00", YES),
    PART(issuer, "\x31\x00", NO),
    PART(issuer, "", NO),
    PART(subject, "\x30\x00", YES),
    PART(subject, "", NO),
    PART(tail, "\x81\x02\x00\x01", YES),
    PART(tail, "\x81\x02\x00\x01\x82\x02\x00\x01\xa3\x02\x30\x00", YES),
    PART(tail, "\xa3\x02\x30\x00", YES),
    PART(tail, "\xa3\x00", NO),
    PART(tail, "\xa3\x04\x30\x00\x30\x00", NO),
    PART(tail, "\xa3\x02\x31\x00", NO),
    PART(tail, "\xa3\x02\x30\x00\xa3\x02\x30\x00", NO),
    PART(tail, "\xa3\x02\x30\x00\x81\x02\x00\x01", NO),
    PART(tail, "\x82\x02\x00\x01\x81\x02\x00\x01", NO),
    PART(tail, "\x05\x00", NO),
    PART(signature, "\x03\x01\x00", YES),
    PART(signature, "\x03\x02\x01\x02", NO), /* unused bits */
    PART(signature, "\x03\x00", NO),
    PART(signature, "\x04\x02\x00\x01", NO),
    PART(signature, "", NO),
    PART(after, "\x05\x00", NO),
    PART(spki, "", NO),
    PART(spki, "\x30\x00", NO),
};

START_TEST(every_part_is_strict)
{
    enum reason r = parse_parts(part_rows[_i].parts);
    ck_assert_msg(r == part_rows[_i].want, "row %d: %s", _i, reason_code(r));
}
END_TEST

/* 128 and 256 are the first lengths of their forms; one byte fewer or more of length is a second
 * spelling. */
START_TEST(lengths_are_in_their_fewest_bytes)
{
    static const struct {
        struct span head;
        size_t n;
        enum reason want;
    } rows[] = {
        {SPAN("\x02\x7f"), 127, YES},
        {SPAN("\x02\x81\x7f"), 127, NO},
        {SPAN("\x02\x81\x80"), 128, YES},
        {SPAN("\x02\x82\x00\x80"), 128, NO},
        {SPAN("\x02\x81\xff"), 255, YES},
        {SPAN("\x02\x82\x00\xff"), 255, NO},
        {SPAN("\x02\x82\x01\x00"), 256, YES},
        {SPAN("\x02\x83\x00\x01\x00"), 256, NO},
        {SPAN("\x02\x84\x00\x00\x01\x00"), 256, NO},
        {SPAN("\x02\x82\x01\x01"), 256, NO},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf serial = BUF_INIT(DER_MAX);
        buf_put_span(&serial, rows[i].head);
        for (size_t k = 0; k < rows[i].n; k++)
            buf_put_char(&serial, 1);
        enum reason r = parse_parts((struct der_cert){.serial = buf_span(&serial)});
        ck_assert_msg(r == rows[i].want, "row %zu: %s", i, reason_code(r));
    }
}
END_TEST

START_TEST(the_size_limit_is_exact)
{
    CLEANUP(buf_done) struct buf signature = BUF_INIT(DER_MAX), spki = BUF_INIT(DER_MAX);
    const struct pubkey *key = signkey_cert(signer)->key;
    der_put_spki(&spki, pubkey_n(key), pubkey_e(key));
    static const uint8_t zeros[CERT_DER_MAX];
    size_t n = CERT_DER_MAX - 1024; /* then as many as are missing */
    for (size_t want = CERT_DER_MAX; want <= CERT_DER_MAX + 1;) {
        CLEANUP(buf_done) struct buf der = BUF_INIT(2 * CERT_DER_MAX);
        buf_reset(&signature);
        der_put(&signature, 0x03, span_bytes(zeros, n));
        der_put_cert(
            &der, &(struct der_cert){.spki = buf_span(&spki), .signature = buf_span(&signature)});
        ck_assert(!der.failed);
        if (der.n != want) {
            n += want - der.n;
            continue;
        }
        ck_assert_int_eq(parse(buf_span(&der)), want == CERT_DER_MAX ? YES : NO);
        want++;
    }
}
END_TEST

/* Identifiers came with version 2, extensions with 3. */
START_TEST(a_version_has_what_it_had)
{
    static const struct span ids = SPAN("\x81\x02\x00\x01"), extensions = SPAN("\xa3\x02\x30\x00");
    static const struct span v1 = SPAN(""), v2 = SPAN("\xa0\x03\x02\x01\x01");
    ck_assert_int_eq(parse_parts((struct der_cert){.version = v1, .tail = ids}), REASON_KEY_FORM);
    ck_assert_int_eq(parse_parts((struct der_cert){.version = v2, .tail = ids}), REASON_OK);
    ck_assert_int_eq(
        parse_parts((struct der_cert){.version = v1, .tail = extensions}), REASON_KEY_FORM);
    ck_assert_int_eq(
        parse_parts((struct der_cert){.version = v2, .tail = extensions}), REASON_KEY_FORM);
}
END_TEST

static const struct {
    uint8_t tag;
    const char *text;
    int64_t want; /* -1: refused */
} times[] = {
    {DER_UTC_TIME, "700101000000Z", 0},
    {DER_UTC_TIME, "230105135711Z", 1672927031},
    {DER_UTC_TIME, "000229235959Z", 951868799},
    {DER_UTC_TIME, "491231235959Z", 2524607999},
    {DER_UTC_TIME, "500101000000Z", -631152000},
    {DER_GENERALIZED_TIME, "20230105135711Z", 1672927031},
    {DER_GENERALIZED_TIME, "20380119031408Z", 2147483648},
    {DER_GENERALIZED_TIME, "20500101000000Z", 2524608000},
    {DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
    {DER_UTC_TIME, "2301051357Z", -1},
    {DER_UTC_TIME, "230105135711", -1},
    {DER_UTC_TIME, "230105135711z", -1},
    {DER_UTC_TIME, "230105135711+0000", -1},
    {DER_UTC_TIME, "230105135711Z ", -1},
    {DER_UTC_TIME, "20230105135711Z", -1},
    {DER_UTC_TIME, "23010513571 Z", -1},
    {DER_UTC_TIME, "2301051357-1Z", -1},
    {DER_UTC_TIME, "+30105135711Z", -1},
    {DER_UTC_TIME, "230005135711Z", -1},
    {DER_UTC_TIME, "231305135711Z", -1},
    {DER_UTC_TIME, "230100135711Z", -1},
    {DER_UTC_TIME, "230132135711Z", -1},
    {DER_UTC_TIME, "230229135711Z", -1},
    {DER_UTC_TIME, "230431135711Z", -1},
    {DER_UTC_TIME, "230105245711Z", -1},
    {DER_UTC_TIME, "230105136011Z", -1},
    {DER_UTC_TIME, "230105135760Z", -1},
    {DER_UTC_TIME, "", -1},
    {DER_GENERALIZED_TIME, "230105135711Z", -1},
    {DER_GENERALIZED_TIME, "20230105135711.5Z", -1},
    {DER_GENERALIZED_TIME, "20230105135711", -1},
    {DER_GENERALIZED_TIME, "21000229000000Z", -1},
    {DER_GENERALIZED_TIME, "2023010513571aZ", -1},
    {DER_GENERALIZED_TIME, "x0230105135711Z", -1},
    {DER_OCTET_STRING, "230105135711Z", -1},
};

/* As notBefore and as notAfter, the other one being ordinary. */
START_TEST(times_are_of_the_two_forms_and_real_dates)
{
    CLEANUP(buf_done)
    struct buf odd = BUF_INIT(100), both = BUF_INIT(200), validity = BUF_INIT(200);
    CLEANUP(buf_done) struct buf spki = BUF_INIT(DER_MAX), der = BUF_INIT(DER_MAX);
    CLEANUP(cert_freep) struct cert *c = NULL;
    const struct pubkey *key = signkey_cert(signer)->key;
    const size_t row = (size_t)_i / 2;
    const bool first = _i % 2;
    der_put(&odd, times[row].tag, span_of(times[row].text));
    buf_put_span(&both, first ? buf_span(&odd)
                              : SPAN("\x17\x0d"
                                     "500101000000Z"));
    buf_put_span(&both, first ? SPAN("\x17\x0d"
                                     "491231235959Z")
                              : buf_span(&odd));
    der_put(&validity, DER_SEQUENCE, buf_span(&both));
    der_put_spki(&spki, pubkey_n(key), pubkey_e(key));
    der_put_cert(
        &der, &(struct der_cert){.spki = buf_span(&spki), .validity = buf_span(&validity)});
    enum reason r = cert_parse(buf_span(&der), &c);
    ck_assert_msg((r == REASON_OK) == (times[row].want != -1), "%s", times[row].text);
    if (r != REASON_OK)
        return;
    ck_assert_int_eq(first ? c->not_before : c->not_after, times[row].want);
    compare_der(c);
}
END_TEST

START_TEST(a_validity_is_two_times_and_no_more)
{
#define T1                                                                                         \
    "\x17\x0d"                                                                                     \
    "230105135711Z"
    ck_assert_int_eq(parse_parts((struct der_cert){.validity = SPAN("\x30\x1e" T1 T1)}), REASON_OK);
    ck_assert_int_eq(
        parse_parts((struct der_cert){.validity = SPAN("\x30\x0f" T1)}), REASON_KEY_FORM);
    ck_assert_int_eq(
        parse_parts((struct der_cert){.validity = SPAN("\x30\x2d" T1 T1 T1)}), REASON_KEY_FORM);
    ck_assert_int_eq(
        parse_parts((struct der_cert){.validity = SPAN("\x31\x1e" T1 T1)}), REASON_KEY_FORM);
#undef T1
}
END_TEST

static EVP_PKEY *make_rsa(int bits, unsigned e)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    EVP_PKEY *pkey = NULL;
    BIGNUM *exponent = BN_new();
    ck_assert(BN_set_word(exponent, e));
    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent), 1);
    ck_assert_int_eq(EVP_PKEY_generate(ctx, &pkey), 1);
    BN_free(exponent);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* A certificate of that key as OpenSSL writes it; takes the key. */
static enum reason parse_of_openssl(EVP_PKEY *pkey, struct cert **ret)
{
    X509 *x = X509_new();
    unsigned char *der = NULL;
    ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notBefore(x), 1700000000));
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(x), 253402300799));
    ck_assert_int_eq(X509_set_pubkey(x, pkey), 1);
    ck_assert_int_gt(X509_sign(x, pkey, EVP_sha1()), 0);
    int n = i2d_X509(x, &der);
    ck_assert_int_gt(n, 0);
    enum reason r = cert_parse(span_bytes(der, (size_t)n), ret);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(pkey);
    return r;
}

START_TEST(the_key_passes_the_policy)
{
    CLEANUP(cert_freep) struct cert *c = NULL, *none = NULL;
    ck_assert_int_eq(parse_of_openssl(make_rsa(2048, 65537), &c), REASON_OK);
    compare_der(c);
    ck_assert_int_eq(c->not_after, 253402300799);
    ck_assert_int_eq(parse_of_openssl(make_rsa(1024, 65537), &none), REASON_KEY_SIZE);
    ck_assert_int_eq(parse_of_openssl(make_rsa(2048, 3), &none), REASON_KEY_WEAK);
    ck_assert_int_eq(parse_of_openssl(EVP_EC_gen("P-256"), &none), REASON_KEY_TYPE);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(a_certificate_has_a_largest_size)
{
    CLEANUP(buf_done) struct buf name = BUF_INIT(DER_MAX), padding = BUF_INIT(DER_MAX);
    while (padding.n < 15000)
        buf_put_char(&padding, 'a');
    der_put(&name, DER_SEQUENCE, buf_span(&padding));
    ck_assert_int_eq(parse_parts((struct der_cert){.issuer = buf_span(&name)}), REASON_OK);
    buf_reset(&name);
    while (padding.n < CERT_DER_MAX)
        buf_put_char(&padding, 'a');
    der_put(&name, DER_SEQUENCE, buf_span(&padding));
    ck_assert_int_eq(parse_parts((struct der_cert){.issuer = buf_span(&name)}), REASON_KEY_FORM);
}
END_TEST

/* PEM texts around our own certificate; $ stands for its base64 in lines of 64. */
static const struct {
    const char *text;
    bool good;
} pems[] = {
    {"-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n", true},
    {"-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----", true},
    {"Issuer: CN=a\n-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\nmore text\n", true},
    {"-----BEGIN CERTIFICATE-----\r\n$-----END CERTIFICATE-----\r\n", true},
    {"-----BEGIN CERTIFICATE-----  \n$-----END CERTIFICATE-----  \n", true},
    {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
     "-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n",
        true},
    {"-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n"
     "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        true}, /* the first decides */
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
     "-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n",
        false},
    {"-----BEGIN X-----\n-----BEGIN X-----\nAAAA\n-----END X-----\n"
     "-----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n",
        false},
    {"", false},
    {"$", false},
    {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false},
    {"-----BEGIN CERTIFICATE-----\n$", false},
    {"-----BEGIN CERTIFICATE-----\n$-----END X509 CRL-----\n", false},
    {"-----BEGIN CERTIFICATE-----\n$-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        false},
    {"-----BEGIN CERTIFICATE----\n$-----END CERTIFICATE-----\n", false},
    {" -----BEGIN CERTIFICATE-----\n$-----END CERTIFICATE-----\n", false},
    {"-----BEGIN TRUSTED CERTIFICATE-----\n$-----END TRUSTED CERTIFICATE-----\n", false},
    {"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n$-----END CERTIFICATE-----\n", false},
    {"-----BEGIN CERTIFICATE-----\n$=\n-----END CERTIFICATE-----\n", false},
    {"-----BEGIN CERTIFICATE-----\n $-----END CERTIFICATE-----\n", false},
    {"-----BEGIN CERTIFICATE-----\n$AAAA\n-----END CERTIFICATE-----\n", false},
    {"-----BEGIN -----\n$-----END -----\n", false},
    {"-----BEGIN CERTIFICATE-----", false},
};

static void put_pem(struct buf *out, const char *text)
{
    CLEANUP(buf_done) struct buf b64 = BUF_INIT(DER_MAX);
    b64_put(&b64, good_der().p, good_der().n);
    for (const char *p = text; *p; p++) {
        if (*p != '$') {
            buf_put_char(out, *p);
            continue;
        }
        for (size_t i = 0; i < b64.n; i += 64) {
            buf_put(out, b64.p + i, b64.n - i < 64 ? b64.n - i : 64);
            buf_put_str(out, strstr(text, "\r\n") ? "\r\n" : "\n");
        }
    }
}

START_TEST(the_first_certificate_of_a_pem_text)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(DER_MAX);
    CLEANUP(cert_freep) struct cert *c = NULL;
    put_pem(&pem, pems[_i].text);
    CLEANUP(freep) char *exact = malloc(pem.n + 1);
    if (pem.n)
        memcpy(exact, pem.p, pem.n);
    enum reason r = cert_parse_pem((struct span){exact, pem.n}, &c);
    ck_assert_msg((r == REASON_OK) == pems[_i].good, "row %d: %s", _i, reason_code(r));
    if (c)
        ck_assert_mem_eq(c->x5t, signkey_cert(signer)->x5t, X5T_LEN);
}
END_TEST

START_TEST(thumbprints_as_people_and_headers_write_them)
{
    static const uint8_t x5t[X5T_LEN] = {0x8b, 0xf8, 0x33, 0xe6, 0xa7, 0xd8, 0xa7, 0x96, 0x0f, 0x58,
        0x02, 0xb5, 0xff, 0xfd, 0x18, 0x85, 0x99, 0xe2, 0xa4, 0xb2};
    char hex[THUMBPRINT_TEXT_LEN], b64[X5T_TEXT_LEN];
    ck_assert_str_eq(thumbprint_text(x5t, hex), "8BF833E6A7D8A7960F5802B5FFFD188599E2A4B2");
    ck_assert_str_eq(x5t_text(x5t, b64), "i_gz5qfYp5YPWAK1__0YhZnipLI");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, we_read_what_openssl_reads);
    tcase_add_test(tc, real_exchange_certificates_are_read);
    tcase_add_test(tc, a_certificate_ends_where_it_says);
    tcase_add_loop_test(tc, one_changed_byte_never_makes_two_readings, 0, 4);
    tcase_add_loop_test(tc, every_part_is_strict, 0, ARRAY_LEN(part_rows));
    tcase_add_test(tc, lengths_are_in_their_fewest_bytes);
    tcase_add_test(tc, the_size_limit_is_exact);
    tcase_add_test(tc, a_version_has_what_it_had);
    tcase_add_loop_test(tc, times_are_of_the_two_forms_and_real_dates, 0, 2 * ARRAY_LEN(times));
    tcase_add_test(tc, a_validity_is_two_times_and_no_more);
    tcase_add_test(tc, the_key_passes_the_policy);
    tcase_add_test(tc, a_certificate_has_a_largest_size);
    tcase_add_loop_test(tc, the_first_certificate_of_a_pem_text, 0, ARRAY_LEN(pems));
    tcase_add_test(tc, thumbprints_as_people_and_headers_write_them);
}

int main(void)
{
    if (signkey_generate("signer", 1672927031, 1830607031, &signer) != REASON_OK)
        return 1;
    int status = unit_run("jose_cert", fill);
    signkey_free(signer);
    return status;
}
