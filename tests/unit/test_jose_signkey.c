/* SPDX-License-Identifier: Apache-2.0 */
#include "signkey.h"

#include "cleanup.h"
#include "der_maker.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define NOT_BEFORE 1735689600 /* 2025-01-01 */
#define NOT_AFTER 1798761600  /* 2027-01-01 */
#define PEM_MAX (256 * 1024)

static struct signkey *one, *two;

static X509 *x509_of(const struct signkey *key)
{
    const struct cert *c = signkey_cert(key);
    const unsigned char *p = (const unsigned char *)c->der;
    X509 *x = d2i_X509(NULL, &p, (long)c->der_len);
    ck_assert_ptr_nonnull(x);
    return x;
}

/* The shape of the certificate that Exchange makes for itself. */
START_TEST(a_new_certificate_looks_like_exchange_s)
{
    X509 *x = x509_of(one);
    char name[100];
    int critical = -1;
    ck_assert_int_eq(X509_get_version(x), X509_VERSION_3);
    ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(x)), 1);
    ck_assert_int_eq(X509_get_signature_nid(x), NID_sha256WithRSAEncryption);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)), 0);
    ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(x)), 1);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
    ck_assert_str_eq(name, "exch.contoso.com");
    ck_assert_uint_eq(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    ck_assert_int_eq(X509_check_ca(x), 0);
    ASN1_BIT_STRING_free(X509_get_ext_d2i(x, NID_key_usage, &critical, NULL));
    ck_assert_int_eq(critical, 1);
    BASIC_CONSTRAINTS_free(X509_get_ext_d2i(x, NID_basic_constraints, &critical, NULL));
    ck_assert_int_eq(critical, 1);
    ck_assert_int_eq(X509_get_ext_count(x), 3);
    ck_assert_uint_eq(pubkey_bits(signkey_cert(one)->key), 2048);
    ck_assert_int_eq(signkey_cert(one)->not_before, NOT_BEFORE);
    ck_assert_int_eq(signkey_cert(one)->not_after, NOT_AFTER);
    X509_free(x);
}
END_TEST

START_TEST(two_new_keys_share_nothing)
{
    X509 *a = x509_of(one), *b = x509_of(two);
    ck_assert(!pubkey_eq(signkey_cert(one)->key, signkey_cert(two)->key));
    ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)), 0);
    ck_assert_int_eq(ASN1_STRING_length(X509_get0_serialNumber(a)), 16);
    ck_assert_int_eq(ASN1_STRING_type(X509_get0_serialNumber(a)), V_ASN1_INTEGER); /* positive */
    ck_assert_int_eq(ASN1_STRING_length(X509_get0_serialNumber(b)), 16);
    ck_assert_int_eq(ASN1_STRING_get0_data(X509_get0_serialNumber(a))[0] & 0xC0, 0x40);
    ck_assert_int_eq(ASN1_STRING_get0_data(X509_get0_serialNumber(b))[0] & 0xC0, 0x40);
    X509_free(a);
    X509_free(b);
}
END_TEST

/* X.520 allows 64 characters; an UTF-8 character is not cut in two. */
START_TEST(a_long_name_is_cut)
{
    static const char *const names[][2] = {
        {"a123456789b123456789c123456789d123456789e123456789f123456789g1234",
            "a123456789b123456789c123456789d123456789e123456789f123456789g123"},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g12\xc3\xa4z",
            "a123456789b123456789c123456789d123456789e123456789f123456789g12"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        char name[100];
        ck_assert_int_eq(signkey_generate(names[i][0], 0, 1, &key), REASON_OK);
        X509 *x = x509_of(key);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
        ck_assert_str_eq(name, names[i][1]);
        X509_free(x);
    }
}
END_TEST

START_TEST(dates_that_cannot_be_are_refused)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    ck_assert_int_eq(signkey_generate("a", 1000, 1000, &key), REASON_INVALID_REQUEST);
    ck_assert_int_eq(signkey_generate("a", 1000, 999, &key), REASON_INVALID_REQUEST);
    ck_assert_int_eq(signkey_generate("", 0, 1, &key), REASON_INVALID_REQUEST);
    ck_assert_int_eq(signkey_generate("a", 0, INT64_C(253402300800), &key), REASON_INTERNAL);
    ck_assert_ptr_null(key);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_int_eq(signkey_generate("a", 0, INT64_C(253402300799), &key), REASON_OK);
    ck_assert_int_eq(signkey_cert(key)->not_after, INT64_C(253402300799));
}
END_TEST

static struct buf pem_of(const struct signkey *key)
{
    struct buf b = BUF_INIT(PEM_MAX);
    b.secret = true;
    ck_assert_int_eq(signkey_to_pem(key, &b), REASON_OK);
    return b;
}

static enum reason read_pem(struct span pem, struct signkey **ret)
{
    /* An exact copy on the heap lets the sanitizer see a step too far. */
    CLEANUP(freep) char *exact = malloc(pem.n ? pem.n : 1);
    if (pem.n)
        memcpy(exact, pem.p, pem.n);
    return signkey_from_pem((struct span){exact, pem.n}, ret);
}

START_TEST(a_key_comes_back_from_its_text)
{
    CLEANUP(buf_done) struct buf pem = pem_of(one), sig = BUF_INIT(1024);
    CLEANUP(signkey_freep) struct signkey *back = NULL;
    ck_assert(span_starts(buf_span(&pem), SPAN("-----BEGIN PRIVATE KEY-----\n")));
    ck_assert_int_eq(read_pem(buf_span(&pem), &back), REASON_OK);
    ck_assert_mem_eq(signkey_cert(back)->x5t, signkey_cert(one)->x5t, X5T_LEN);
    ck_assert_int_eq(signkey_sign_rs256(back, SPAN("text"), &sig), REASON_OK);
    ck_assert_int_eq(
        pubkey_verify_rs256(signkey_cert(one)->key, SPAN("text"), buf_span(&sig)), REASON_OK);
    CLEANUP(buf_done) struct buf again = pem_of(back);
    ck_assert_str_eq(again.p, pem.p);
}
END_TEST

START_TEST(a_key_is_written_to_secret_memory_only)
{
    CLEANUP(buf_done) struct buf plain = BUF_INIT(PEM_MAX), small = BUF_INIT(100);
    ck_assert_int_eq(signkey_to_pem(one, &plain), REASON_INTERNAL);
    ck_assert_uint_eq(plain.n, 0);
    small.secret = true;
    ck_assert_int_eq(signkey_to_pem(one, &small), REASON_OUT_OF_MEMORY);
}
END_TEST

START_TEST(signatures_are_appended)
{
    CLEANUP(buf_done)
    struct buf out = BUF_INIT(4096), other = BUF_INIT(4096), small = BUF_INIT(255);
    buf_put_str(&out, "before");
    ck_assert_int_eq(signkey_sign_rs256(one, SPAN("text"), &out), REASON_OK);
    ck_assert_int_eq(signkey_sign_rs256(two, SPAN("text"), &other), REASON_OK);
    ck_assert_uint_eq(out.n, 6 + 256);
    ck_assert(span_starts(buf_span(&out), SPAN("before")));
    struct span sig = span_skip(buf_span(&out), 6);
    ck_assert_int_eq(pubkey_verify_rs256(signkey_cert(one)->key, SPAN("text"), sig), REASON_OK);
    ck_assert_int_eq(
        pubkey_verify_rs256(signkey_cert(two)->key, SPAN("text"), sig), REASON_SIGNATURE);
    /* the message may stand in the same buffer */
    CLEANUP(buf_done) struct buf both = BUF_INIT(4096);
    buf_put_str(&both, "text");
    ck_assert_int_eq(signkey_sign_rs256(one, buf_span(&both), &both), REASON_OK);
    ck_assert(span_eq(span_skip(buf_span(&both), 4), sig)); /* RS256 has no randomness */
    ck_assert_int_eq(signkey_sign_rs256(one, SPAN("text"), &small), REASON_OUT_OF_MEMORY);
}
END_TEST

static EVP_PKEY *pkey_of(const struct signkey *key)
{
    CLEANUP(buf_done) struct buf pem = pem_of(key);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(pkey);
    BIO_free(bio);
    return pkey;
}

static void put_bio(struct buf *out, BIO *bio)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    ck_assert_int_gt(n, 0);
    buf_put(out, text, (size_t)n);
    BIO_free(bio);
}

/* One block of PEM. */
static void put_block(struct buf *out, const char *label, struct span der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_gt(PEM_write_bio(bio, label, "", (const unsigned char *)der.p, (long)der.n), 0);
    put_bio(out, bio);
}

/* The texts that the trap rows are put together from. */
enum piece {
    CERT_1 = 'c',
    CERT_2 = 'd',
    KEY_1 = 'k', /* PKCS#8 */
    KEY_2 = 'l',
    KEY_1_RSA = 'r', /* RFC 8017, as old tools write it */
    KEY_1_PKCS8_ENCRYPTED = 'e',
    KEY_1_RSA_ENCRYPTED = 'f',
    KEY_EC = 'p', /* PKCS#8 of P-256 */
    KEY_EC_OLD = 'q',
    KEY_PSS = 's', /* PKCS#8 of an RSA key for PSS only */
    PUBLIC_1 = 'u',
    TEXT = 't',
    UNENDED = 'x',
};

static void put_pkey(struct buf *out, EVP_PKEY *pkey, bool traditional, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char word[] = "secret";
    int ok = traditional ? PEM_write_bio_PrivateKey_traditional(
                               bio, pkey, cipher, cipher ? word : NULL, 6, NULL, NULL)
                         : PEM_write_bio_PKCS8PrivateKey(
                               bio, pkey, cipher, "secret", cipher ? 6 : 0, NULL, NULL);
    ck_assert_int_eq(ok, 1);
    put_bio(out, bio);
    EVP_PKEY_free(pkey);
}

static EVP_PKEY *make_pss(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;
    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void put_cert(struct buf *out, const struct signkey *key)
{
    put_block(
        out, "CERTIFICATE", (struct span){signkey_cert(key)->der, signkey_cert(key)->der_len});
}

static void put_public(struct buf *out)
{
    EVP_PKEY *pkey = pkey_of(one);
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, pkey), 1);
    put_bio(out, bio);
    EVP_PKEY_free(pkey);
}

static void put_piece(struct buf *out, enum piece what)
{
    switch (what) {
    case CERT_1:
        return put_cert(out, one);
    case CERT_2:
        return put_cert(out, two);
    case KEY_1:
        return put_pkey(out, pkey_of(one), false, NULL);
    case KEY_2:
        return put_pkey(out, pkey_of(two), false, NULL);
    case KEY_1_RSA:
        return put_pkey(out, pkey_of(one), true, NULL);
    case KEY_1_PKCS8_ENCRYPTED:
        return put_pkey(out, pkey_of(one), false, EVP_aes_128_cbc());
    case KEY_1_RSA_ENCRYPTED:
        return put_pkey(out, pkey_of(one), true, EVP_aes_128_cbc());
    case KEY_EC:
        return put_pkey(out, EVP_EC_gen("P-256"), false, NULL);
    case KEY_EC_OLD:
        return put_pkey(out, EVP_EC_gen("P-256"), true, NULL);
    case KEY_PSS:
        return put_pkey(out, make_pss(), false, NULL);
    case PUBLIC_1:
        return put_public(out);
    case TEXT:
        return buf_put_str(out, "Certificate:\n    Data:\n        Version: 3 (0x2)\n");
    case UNENDED:
        return buf_put_str(out, "-----BEGIN CERTIFICATE-----\n");
    }
}

static const struct {
    const char *pieces;
    enum reason want;
} pems[] = {
    {"kc", REASON_OK},
    {"ck", REASON_OK},
    {"rc", REASON_OK},
    {"tcttkt", REASON_OK}, /* the text that openssl x509 -text puts around */
    {"", REASON_KEY_FORM},
    {"t", REASON_KEY_FORM},
    {"k", REASON_KEY_FORM},
    {"c", REASON_KEY_FORM},
    {"kkc", REASON_KEY_FORM},
    {"klc", REASON_KEY_FORM},
    {"krc", REASON_KEY_FORM},
    {"kcc", REASON_KEY_FORM},
    {"kcd", REASON_KEY_FORM},
    {"kdc", REASON_KEY_FORM},
    {"kcu", REASON_KEY_FORM},
    {"uc", REASON_KEY_FORM},
    {"kcx", REASON_KEY_FORM},
    {"ec", REASON_KEY_FORM},
    {"fc", REASON_KEY_FORM},
    {"pc", REASON_KEY_TYPE},
    {"qc", REASON_KEY_TYPE},
    {"sc", REASON_KEY_TYPE},
    {"kd", REASON_KEY_MISMATCH},
    {"lc", REASON_KEY_MISMATCH},
    {"ld", REASON_OK},
};

START_TEST(a_text_holds_one_plain_key_and_its_certificate)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    for (const char *p = pems[_i].pieces; *p; p++)
        put_piece(&pem, (enum piece)(unsigned char)*p);
    enum reason r = read_pem(buf_span(&pem), &key);
    ck_assert_msg(r == pems[_i].want, "%s: %s", pems[_i].pieces, reason_code(r));
    ck_assert_int_eq(r == REASON_OK, key != NULL);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(a_text_cut_anywhere_is_refused)
{
    CLEANUP(buf_done) struct buf pem = pem_of(one);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    size_t end = pem.n - 1; /* the last line end may be missing */
    for (size_t n = 0; n < end; n++)
        ck_assert_int_eq(read_pem((struct span){pem.p, n}, &key), REASON_KEY_FORM);
    ck_assert_int_eq(read_pem((struct span){pem.p, end}, &key), REASON_OK);
    CLEANUP(buf_done) struct buf large = BUF_INIT(PEM_MAX);
    buf_put_span(&large, buf_span(&pem));
    while (large.n < 200 * 1024)
        buf_put_str(&large, "text\n");
    ck_assert_int_eq(read_pem(buf_span(&large), &key), REASON_KEY_FORM);
}
END_TEST

/* The numbers of an RSAPrivateKey: version, n, e, d, p, q, dp, dq, qi. */
#define NUMBERS 9

struct numbers {
    unsigned char room[NUMBERS][512];
    size_t n[NUMBERS];
};

static void numbers_of(const struct signkey *from, struct numbers *out)
{
    static const char *const names[NUMBERS] = {"", "n", "e", "d", "rsa-factor1", "rsa-factor2",
        "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1"};
    EVP_PKEY *pkey = pkey_of(from);
    *out = (struct numbers){.n = {1}};
    for (int i = 1; i < NUMBERS; i++) {
        BIGNUM *bn = NULL;
        ck_assert_int_eq(EVP_PKEY_get_bn_param(pkey, names[i], &bn), 1);
        out->n[i] = (size_t)BN_bn2bin(bn, out->room[i]);
        BN_clear_free(bn);
    }
    EVP_PKEY_free(pkey);
}

static struct span number(const struct numbers *k, int i)
{
    return span_bytes(k->room[i], k->n[i]);
}

static void put_rsa_key(struct buf *out, const struct numbers *k, struct span behind)
{
    CLEANUP(buf_done) struct buf content = BUF_INIT(DER_MAX);
    for (int i = 0; i < NUMBERS; i++)
        der_put_number(&content, number(k, i));
    buf_put_span(&content, behind);
    der_put(out, DER_SEQUENCE, buf_span(&content));
}

static enum reason read_der(const char *label, struct span der)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    put_block(&pem, label, der);
    put_cert(&pem, one);
    return read_pem(buf_span(&pem), &key);
}

/* One number of the key at a time is off by two: each must be noticed. */
START_TEST(a_key_that_contradicts_itself_is_refused)
{
    for (int i = -1; i < NUMBERS; i++) {
        struct numbers k;
        CLEANUP(buf_done) struct buf der = BUF_INIT(DER_MAX);
        numbers_of(one, &k);
        if (i >= 0)
            k.room[i][k.n[i] - 1] ^= 2;
        put_rsa_key(&der, &k, SPAN(""));
        enum reason r = read_der("RSA PRIVATE KEY", buf_span(&der));
        enum reason want = i < 0              ? REASON_OK
                           : i == 1 || i == 2 ? REASON_KEY_MISMATCH
                                              : REASON_KEY_FORM;
        ck_assert_msg(r == want, "number %d: %s", i, reason_code(r));
    }
}
END_TEST

/* Forms around right numbers. */
START_TEST(a_private_key_is_strict_der)
{
    struct numbers k;
    CLEANUP(buf_done) struct buf rsa = BUF_INIT(DER_MAX), more = BUF_INIT(DER_MAX);
    numbers_of(one, &k);
    put_rsa_key(&rsa, &k, SPAN(""));
    put_rsa_key(&more, &k, SPAN("\x02\x01\x05"));
    ck_assert_int_eq(read_der("RSA PRIVATE KEY", buf_span(&rsa)), REASON_OK);
    ck_assert_int_eq(read_der("PRIVATE KEY", buf_span(&rsa)), REASON_KEY_FORM);
    ck_assert_int_eq(read_der("RSA PRIVATE KEY", buf_span(&more)), REASON_KEY_FORM);
    buf_put_char(&rsa, '\0');
    ck_assert_int_eq(read_der("RSA PRIVATE KEY", buf_span(&rsa)), REASON_KEY_FORM);
    k.room[0][0] = 1; /* version 1: more than two primes */
    buf_reset(&more);
    put_rsa_key(&more, &k, SPAN(""));
    ck_assert_int_eq(read_der("RSA PRIVATE KEY", buf_span(&more)), REASON_KEY_FORM);
}
END_TEST

static const struct {
    struct span version, algorithm, behind;
    enum reason want;
} pkcs8s[] = {
    {SPAN("\x02\x01\x00"), DER_ALG_RSA, SPAN(""), REASON_OK},
    {SPAN("\x02\x01\x00"), DER_ALG_RSA, SPAN("\xa0\x00"), REASON_OK}, /* attributes */
    {SPAN("\x02\x01\x00"), DER_ALG_RSA, SPAN("\xa0\x00\xa0\x00"), REASON_KEY_FORM},
    {SPAN("\x02\x01\x00"), DER_ALG_RSA, SPAN("\x05\x00"), REASON_KEY_FORM},
    {SPAN("\x02\x01\x01"), DER_ALG_RSA, SPAN(""), REASON_KEY_FORM},
    {SPAN("\x02\x02\x00\x00"), DER_ALG_RSA, SPAN(""), REASON_KEY_FORM},
    {SPAN(""), DER_ALG_RSA, SPAN(""), REASON_KEY_FORM},
    {SPAN("\x02\x01\x00"), DER_ALG_SHA256_RSA, SPAN(""), REASON_KEY_TYPE},
    {SPAN("\x02\x01\x00"), SPAN("\x30\x00"), SPAN(""), REASON_KEY_FORM},
    {SPAN("\x02\x01\x00"), SPAN(""), SPAN(""), REASON_KEY_FORM},
};

START_TEST(the_wrapping_of_a_private_key_is_strict_der)
{
    struct numbers k;
    CLEANUP(buf_done) struct buf rsa = BUF_INIT(DER_MAX), content = BUF_INIT(DER_MAX);
    CLEANUP(buf_done) struct buf der = BUF_INIT(DER_MAX);
    numbers_of(one, &k);
    put_rsa_key(&rsa, &k, SPAN(""));
    buf_put_span(&content, pkcs8s[_i].version);
    buf_put_span(&content, pkcs8s[_i].algorithm);
    der_put(&content, DER_OCTET_STRING, buf_span(&rsa));
    buf_put_span(&content, pkcs8s[_i].behind);
    der_put(&der, DER_SEQUENCE, buf_span(&content));
    enum reason r = read_der("PRIVATE KEY", buf_span(&der));
    ck_assert_msg(r == pkcs8s[_i].want, "row %d: %s", _i, reason_code(r));
    buf_put_char(&der, '\0');
    ck_assert_int_ne(read_der("PRIVATE KEY", buf_span(&der)), REASON_OK);
}
END_TEST

/* The certificate decides about size and exponent: the policy for partners' keys is ours too. */
START_TEST(a_weak_key_of_our_own_is_refused)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    EVP_PKEY *pkey = EVP_RSA_gen(1024);
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert(
        ASN1_TIME_set(X509_getm_notBefore(x), 0) && ASN1_TIME_set(X509_getm_notAfter(x), 1000));
    ck_assert_int_eq(X509_set_pubkey(x, pkey), 1);
    ck_assert_int_gt(X509_sign(x, pkey, EVP_sha256()), 0);
    ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
    put_bio(&pem, bio);
    put_pkey(&pem, pkey, false, NULL);
    ck_assert_int_eq(read_pem(buf_span(&pem), &key), REASON_KEY_SIZE);
    X509_free(x);
}
END_TEST

/* The private numbers, five of half the modulus and one of its length, are in the secure heap, made
 * or read; released, it is as empty as before. */
START_TEST(private_numbers_live_in_the_secure_heap)
{
    ck_assert_int_eq(CRYPTO_secure_malloc_init(1 << 18, 16), 1);
    CLEANUP(buf_done) struct buf pem = pem_of(one);
    size_t before = CRYPTO_secure_used();
    struct signkey *made = NULL, *read = NULL;
    ck_assert_int_eq(signkey_generate("a", 0, 1000, &made), REASON_OK);
    size_t used = CRYPTO_secure_used() - before;
    ck_assert_uint_ge(used, 256 + 5 * 128);
    ck_assert_int_eq(read_pem(buf_span(&pem), &read), REASON_OK);
    ck_assert_uint_ge(CRYPTO_secure_used() - before, used + 256 + 5 * 128);
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
    ck_assert_int_eq(signkey_sign_rs256(read, SPAN("text"), &sig), REASON_OK);
    signkey_free(made);
    signkey_free(read);
    signkey_free(NULL);
    ck_assert_uint_eq(CRYPTO_secure_used(), before);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_new_certificate_looks_like_exchange_s);
    tcase_add_test(tc, two_new_keys_share_nothing);
    tcase_add_test(tc, a_long_name_is_cut);
    tcase_add_test(tc, dates_that_cannot_be_are_refused);
    tcase_add_test(tc, a_key_comes_back_from_its_text);
    tcase_add_test(tc, a_key_is_written_to_secret_memory_only);
    tcase_add_test(tc, signatures_are_appended);
    tcase_add_loop_test(tc, a_text_holds_one_plain_key_and_its_certificate, 0, ARRAY_LEN(pems));
    tcase_add_test(tc, a_text_cut_anywhere_is_refused);
    tcase_add_test(tc, a_key_that_contradicts_itself_is_refused);
    tcase_add_test(tc, a_private_key_is_strict_der);
    tcase_add_loop_test(tc, the_wrapping_of_a_private_key_is_strict_der, 0, ARRAY_LEN(pkcs8s));
    tcase_add_test(tc, a_weak_key_of_our_own_is_refused);
    tcase_add_test(tc, private_numbers_live_in_the_secure_heap);
}

int main(void)
{
    if (signkey_generate("exch.contoso.com", NOT_BEFORE, NOT_AFTER, &one) != REASON_OK ||
        signkey_generate("lync.contoso.com", NOT_BEFORE, NOT_AFTER, &two) != REASON_OK)
        return 1;
    int status = unit_run("jose_signkey", fill);
    signkey_free(one);
    signkey_free(two);
    return status;
}
