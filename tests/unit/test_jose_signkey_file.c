/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as administrators bring them and carry them away. The other end is OpenSSL: its library for
 * the traps, its command (where there is one) for what people really do. */
#include "signkey_file.h"

#include "cleanup.h"
#include "p12_maker.h"
#include "pkcs12.h"
#include "temp_dir.h"
#include "unit.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define NOT_BEFORE 1735689600 /* 2025-01-01 */
#define NOT_AFTER 1798761600  /* 2027-01-01 */
#define ROUNDS_WEIGHT_OLD 2   /* the old schemes run theirs for the key and for the vector */

static struct signkey *root, *one, *two;
static EVP_PKEY *key_1, *key_2, *key_ec, *key_small;
static X509 *cert_1, *cert_2, *cert_root, *cert_ec, *cert_small;

static enum reason open_p12(struct span der, struct span password, struct signkey **ret)
{
    /* An exact copy on the heap lets the sanitizer see a step too far. */
    CLEANUP(freep) char *exact = malloc(der.n ? der.n : 1);
    if (der.n)
        memcpy(exact, der.p, der.n);
    enum reason r = signkey_from_pkcs12((struct span){exact, der.n}, password, ret);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return r;
}

static bool is_same_key(const struct signkey *a, const struct signkey *b)
{
    CLEANUP(buf_done) struct buf sig = BUF_INIT(4096);
    struct signkey *signer = (struct signkey *)(uintptr_t)a;
    return memcmp(signkey_cert(a)->x5t_s256, signkey_cert(b)->x5t_s256, X5T_S256_LEN) == 0 &&
           signkey_sign_rs256(signer, SPAN("text"), &sig) == REASON_OK &&
           pubkey_verify_rs256(signkey_cert(b)->key, SPAN("text"), buf_span(&sig)) == REASON_OK;
}

/* What is in the file, and what comes of it. Letters: k, l keys of one, two; c, d their
 * certificates; r the root's; e, s an EC and a small RSA key; f, t certificates of those. */
static const struct {
    const char *content;
    int key_cipher, cert_cipher;
    enum reason want;
} files[] = {
    {"kc", NID_aes_256_cbc, NID_aes_256_cbc, REASON_OK},
    {"kc", NID_aes_128_cbc, NID_aes_192_cbc, REASON_OK},
    {"kc", NID_des_ede3_cbc, NID_des_ede3_cbc, REASON_OK},
    {"kc", NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
        REASON_OK},
    {"kc", NID_pbe_WithSHA1And2_Key_TripleDES_CBC, NID_pbe_WithSHA1And2_Key_TripleDES_CBC,
        REASON_OK},
    {"kc", 0, 0, REASON_OK}, /* behind the MAC nothing need be encrypted */
    {"kc", NID_aes_256_cbc, 0, REASON_OK},
    {"krc", NID_aes_256_cbc, NID_aes_256_cbc, REASON_OK}, /* the chain in front */
    {"kcrd", NID_aes_256_cbc, NID_aes_256_cbc, REASON_OK},
    {"kfc", NID_aes_256_cbc, NID_aes_256_cbc, REASON_OK}, /* an issuer of another kind */
    {"kcrrrrrrrrrrrrrrr", NID_aes_256_cbc, NID_aes_256_cbc, REASON_OK},
    {"kcrrrrrrrrrrrrrrrr", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_FORM},
    {"klc", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_FORM},
    {"k", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_FORM},
    {"c", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_ALONE},
    {"kd", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_MISMATCH},
    {"kdr", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_MISMATCH},
    {"ef", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_TYPE},
    {"ec", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_TYPE},
    {"st", NID_aes_256_cbc, NID_aes_256_cbc, REASON_KEY_SIZE},
};

static void plan_content(struct p12_plan *plan, const char *content)
{
    size_t keys = 0, certs = 0;
    for (; *content; content++) {
        switch (*content) {
        case 'k':
            plan->keys[keys++] = key_1;
            break;
        case 'l':
            plan->keys[keys++] = key_2;
            break;
        case 'e':
            plan->keys[keys++] = key_ec;
            break;
        case 's':
            plan->keys[keys++] = key_small;
            break;
        case 'c':
            plan->certs[certs++] = cert_1;
            break;
        case 'd':
            plan->certs[certs++] = cert_2;
            break;
        case 'f':
            plan->certs[certs++] = cert_ec;
            break;
        case 't':
            plan->certs[certs++] = cert_small;
            break;
        default:
            plan->certs[certs++] = cert_root;
        }
    }
}

START_TEST(a_file_holds_one_key_and_its_certificate_among_others)
{
    struct p12_plan plan = {
        .key_cipher = files[_i].key_cipher, .cert_cipher = files[_i].cert_cipher};
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    plan_content(&plan, files[_i].content);
    p12_make(plan, &der);
    enum reason r = open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key);
    ck_assert_msg(r == files[_i].want, "%s: %s", files[_i].content, reason_code(r));
    ck_assert_int_eq(r == REASON_OK, key != NULL);
    ck_assert(!key || is_same_key(key, one));
}
END_TEST

static void make_plain(struct buf *der, const char *password)
{
    struct p12_plan plan = {.keys = {key_1},
        .certs = {cert_1},
        .key_cipher = NID_aes_256_cbc,
        .cert_cipher = NID_aes_256_cbc,
        .password = password};
    p12_make(plan, der);
}

static const struct {
    const char *password;
    struct span given;
    enum reason want;
} passwords[] = {
    {P12_PASSWORD, SPAN(P12_PASSWORD), REASON_OK},
    {P12_PASSWORD, SPAN("Correct horse battery"), REASON_KEY_PASSWORD},
    {P12_PASSWORD, SPAN("correct horse batter"), REASON_KEY_PASSWORD},
    {P12_PASSWORD, SPAN(""), REASON_KEY_PASSWORD},
    {"", SPAN(""), REASON_OK},
    {"", SPAN("x"), REASON_KEY_PASSWORD},
    {"gr\xc3\xbc\xc3\x9f", SPAN("gr\xc3\xbc\xc3\x9f"), REASON_OK},
    {"gr\xc3\xbc\xc3\x9f", SPAN("gru\xc3\x9f"), REASON_KEY_PASSWORD},
};

START_TEST(only_its_password_opens_a_file)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    make_plain(&der, passwords[_i].password);
    ck_assert_int_eq(open_p12(buf_span(&der), passwords[_i].given, &key), passwords[_i].want);
    ck_assert_int_eq(key != NULL, passwords[_i].want == REASON_OK);
}
END_TEST

START_TEST(a_password_has_a_longest_length)
{
    static char word[SIGNKEY_PASSWORD_MAX + 2];
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    memset(word, 'p', SIGNKEY_PASSWORD_MAX + 1);
    make_plain(&der, word);
    ck_assert_int_eq(open_p12(buf_span(&der), span_of(word), &key), REASON_KEY_PASSWORD);
    word[SIGNKEY_PASSWORD_MAX] = '\0';
    buf_reset(&der);
    make_plain(&der, word);
    ck_assert_int_eq(open_p12(buf_span(&der), span_of(word), &key), REASON_OK);
}
END_TEST

/* The way the certificates are said to be encrypted; nothing of it is ever run. */
static X509_ALGOR *scrypt(void)
{
    return PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, 1024, 8, 1);
}

static X509_ALGOR *pbes2(const EVP_CIPHER *cipher, int rounds)
{
    return PKCS5_pbe2_set_iv(cipher, rounds, NULL, 0, NULL, NID_hmacWithSHA256);
}

START_TEST(a_method_we_do_not_use_has_a_reason_of_its_own)
{
    X509_ALGOR *const methods[] = {
        p12_old_scheme(NID_pbe_WithSHA1And40BitRC2_CBC, 1),
        p12_old_scheme(NID_pbe_WithSHA1And128BitRC2_CBC, 1),
        p12_old_scheme(NID_pbe_WithSHA1And128BitRC4, 1),
        p12_old_scheme(NID_pbeWithMD5AndDES_CBC, 1),
        pbes2(EVP_aes_256_cfb(), 1),
        scrypt(),
    };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        ck_assert_ptr_nonnull(methods[i]);
        p12_make((struct p12_plan){.keys = {key_1},
                     .certs = {cert_1},
                     .key_cipher = NID_aes_256_cbc,
                     .cert_cipher = NID_aes_256_cbc,
                     .cert_algorithm = methods[i]},
            &der);
        ck_assert_int_eq(open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key), REASON_KEY_CIPHER);
        ck_assert_ptr_null(key);
    }
}
END_TEST

START_TEST(a_file_without_mac_is_refused)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    p12_make((struct p12_plan){.keys = {key_1}, .certs = {cert_1}, .mac_rounds = -1}, &der);
    ck_assert_int_eq(open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key), REASON_KEY_CIPHER);
}
END_TEST

/* Rounds are counted over the whole file and before they are run: the test would not end in its
 * time if 2^31 of them were. */
START_TEST(rounds_are_bounded_before_they_are_run)
{
    const int most = PKCS12_ROUNDS_MAX;
    X509_ALGOR *const methods[] = {
        pbes2(EVP_aes_256_cbc(), most - 1), /* with one for MAC and one for the key: too many */
        pbes2(EVP_aes_256_cbc(), most),
        pbes2(EVP_aes_256_cbc(), INT32_MAX),
        p12_old_scheme(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, most / ROUNDS_WEIGHT_OLD),
        p12_old_scheme(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, INT32_MAX),
    };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        p12_make((struct p12_plan){.keys = {key_1},
                     .certs = {cert_1},
                     .key_cipher = NID_aes_256_cbc,
                     .cert_cipher = NID_aes_256_cbc,
                     .cert_algorithm = methods[i],
                     .mac_rounds = 2},
            &der);
        ck_assert_msg(
            open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key) == REASON_KEY_ROUNDS, "%zu", i);
    }
}
END_TEST

START_TEST(rounds_of_the_mac_are_bounded_too)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536), again = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    make_plain(&der, NULL);
    const unsigned char *at = (const unsigned char *)der.p;
    PKCS12 *p = d2i_PKCS12(NULL, &at, (long)der.n);
    unsigned char *out = NULL;
    ck_assert_int_eq(PKCS12_setup_mac(p, INT32_MAX, NULL, 0, EVP_sha256()), 1);
    int n = i2d_PKCS12(p, &out);
    buf_put(&again, out, (size_t)n);
    OPENSSL_free(out);
    PKCS12_free(p);
    ck_assert_int_eq(open_p12(buf_span(&again), SPAN(P12_PASSWORD), &key), REASON_KEY_ROUNDS);
}
END_TEST

START_TEST(damage_is_refused_wherever_it_is)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    make_plain(&der, NULL);
    for (size_t n = 0; n < der.n; n++)
        ck_assert_int_ne(open_p12((struct span){der.p, n}, SPAN(P12_PASSWORD), &key), REASON_OK);
    for (size_t i = 0; i < der.n; i++) {
        der.p[i] = (char)(der.p[i] ^ 0x10);
        enum reason r = open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key);
        /* Some bytes mean nothing, the number of the version among them; no other key comes out. */
        ck_assert_msg(r == REASON_OK ? is_same_key(key, one) : r != REASON_INTERNAL, "byte %zu", i);
        signkey_freep(&key);
        der.p[i] = (char)(der.p[i] ^ 0x10);
    }
    buf_put_char(&der, '\0');
    ck_assert_int_eq(open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key), REASON_KEY_FORM);
    CLEANUP(freep) char *huge = calloc(1, SIGNKEY_FILE_MAX + 1);
    ck_assert_int_eq(
        open_p12((struct span){huge, SIGNKEY_FILE_MAX + 1}, SPAN(""), &key), REASON_TOO_LARGE);
    ck_assert_int_eq(
        signkey_from_file((struct span){huge, SIGNKEY_FILE_MAX + 1}, SPAN(""), NULL, NULL, &key),
        REASON_TOO_LARGE);
    ck_assert_ptr_null(key);
}
END_TEST

/* Sealing. */

START_TEST(a_sealed_key_comes_back_with_its_password_only)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536), small = BUF_INIT(100);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN(P12_PASSWORD), &der), REASON_OK);
    ck_assert_int_eq(open_p12(buf_span(&der), SPAN("another password"), &key), REASON_KEY_PASSWORD);
    ck_assert_int_eq(open_p12(buf_span(&der), SPAN(P12_PASSWORD), &key), REASON_OK);
    ck_assert(is_same_key(key, one));
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN("eleven char"), &der), REASON_PASSWORD_SHORT);
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN("twelve\0chars"), &der), REASON_PASSWORD_SHORT);
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN(P12_PASSWORD), &small), REASON_OUT_OF_MEMORY);
}
END_TEST

static void is_strong(const X509_ALGOR *a)
{
    const ASN1_OBJECT *object;
    const void *value;
    int type;
    X509_ALGOR_get0(&object, &type, &value, a);
    ck_assert_int_eq(OBJ_obj2nid(object), NID_pbes2);
    PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), a->parameter);
    ck_assert_int_eq(OBJ_obj2nid(p->encryption->algorithm), NID_aes_256_cbc);
    ck_assert_int_eq(OBJ_obj2nid(p->keyfunc->algorithm), NID_id_pbkdf2);
    PBKDF2PARAM *kdf =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), p->keyfunc->parameter);
    ck_assert_int_ge(ASN1_INTEGER_get(kdf->iter), 100000);
    ck_assert_int_eq(OBJ_obj2nid(kdf->prf->algorithm), NID_hmacWithSHA256);
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(p);
}

START_TEST(a_sealed_key_is_as_strong_as_was_promised)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN(P12_PASSWORD), &der), REASON_OK);
    const unsigned char *at = (const unsigned char *)der.p;
    PKCS12 *p = d2i_PKCS12(NULL, &at, (long)der.n);
    const ASN1_INTEGER *rounds;
    const X509_ALGOR *mac;
    const ASN1_OBJECT *digest;
    PKCS12_get0_mac(NULL, &mac, NULL, &rounds, p);
    X509_ALGOR_get0(&digest, NULL, NULL, mac);
    ck_assert_int_eq(OBJ_obj2nid(digest), NID_sha256);
    ck_assert_int_ge(ASN1_INTEGER_get(rounds), 100000);
    STACK_OF(PKCS7) *contents = PKCS12_unpack_authsafes(p);
    ck_assert_int_eq(sk_PKCS7_num(contents), 2);
    is_strong(sk_PKCS7_value(contents, 0)->d.encrypted->enc_data->algorithm);
    STACK_OF(PKCS12_SAFEBAG) *bags = PKCS12_unpack_p7data(sk_PKCS7_value(contents, 1));
    ck_assert_int_eq(sk_PKCS12_SAFEBAG_num(bags), 1);
    const X509_ALGOR *key;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(sk_PKCS12_SAFEBAG_value(bags, 0)), &key, NULL);
    is_strong(key);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(contents, PKCS7_free);
    PKCS12_free(p);
}
END_TEST

/* PEM. */

static void put_bio(struct buf *out, BIO *bio)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);
    ck_assert_int_gt(n, 0);
    buf_put(out, text, (size_t)n);
    BIO_free(bio);
}

static void put_key(struct buf *out, EVP_PKEY *pkey, const EVP_CIPHER *cipher, bool old)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int ok = old ? PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL)
                 : PEM_write_bio_PKCS8PrivateKey(
                       bio, pkey, cipher, P12_PASSWORD, (int)strlen(P12_PASSWORD), NULL, NULL);
    ck_assert_int_eq(ok, 1);
    put_bio(out, bio);
}

static void put_cert(struct buf *out, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
    put_bio(out, bio);
}

/* As above, and K: key of one, encrypted; o: in the old form; R: a request in between. */
static const struct {
    const char *pieces, *password;
    enum reason want;
} pems[] = {
    {"kc", "", REASON_OK},
    {"kcr", "", REASON_OK},
    {"rck", "", REASON_OK},
    {"fckr", "", REASON_OK},
    {"oc", "", REASON_OK},
    {"Kc", P12_PASSWORD, REASON_OK},
    {"cK", P12_PASSWORD, REASON_OK},
    {"Kc", "", REASON_KEY_PASSWORD},
    {"Kc", "wrong password", REASON_KEY_PASSWORD},
    {"kKc", P12_PASSWORD, REASON_KEY_FORM},
    {"kkc", "", REASON_KEY_FORM},
    {"k", "", REASON_KEY_FORM},
    {"c", "", REASON_KEY_ALONE},
    {"cr", "", REASON_KEY_ALONE},
    {"f", "", REASON_KEY_TYPE},
    {"kd", "", REASON_KEY_MISMATCH},
    {"ec", "", REASON_KEY_TYPE},
    {"st", "", REASON_KEY_SIZE},
    {"Rkc", "", REASON_KEY_FORM},
    {"", "", REASON_KEY_FORM},
};

static void put_piece(struct buf *out, char what)
{
    switch (what) {
    case 'k':
        return put_key(out, key_1, NULL, false);
    case 'K':
        return put_key(out, key_1, EVP_aes_256_cbc(), false);
    case 'o':
        return put_key(out, key_1, NULL, true);
    case 'e':
        return put_key(out, key_ec, NULL, false);
    case 's':
        return put_key(out, key_small, NULL, false);
    case 'c':
        return put_cert(out, cert_1);
    case 'd':
        return put_cert(out, cert_2);
    case 'f':
        return put_cert(out, cert_ec);
    case 't':
        return put_cert(out, cert_small);
    case 'R':
        return buf_put_str(
            out, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    default:
        return put_cert(out, cert_root);
    }
}

START_TEST(a_text_may_bring_its_chain)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(SIGNKEY_FILE_MAX);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    for (const char *p = pems[_i].pieces; *p; p++)
        put_piece(&pem, *p);
    enum reason r = signkey_from_file(buf_span(&pem), span_of(pems[_i].password), NULL, NULL, &key);
    ck_assert_msg(r == pems[_i].want, "%s: %s", pems[_i].pieces, reason_code(r));
    ck_assert_int_eq(r == REASON_OK, key != NULL);
    ck_assert(!key || is_same_key(key, one));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* The signer's key memory is 256 KiB: the largest file must not need more of it than its key. */
START_TEST(a_large_text_fits_the_key_memory)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(SIGNKEY_FILE_MAX), der = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL, *sealed = NULL;
    for (const char *p = "krrrrrrrrrrrrrrrc"; *p; p++)
        put_piece(&pem, *p);
    while (pem.n < SIGNKEY_FILE_MAX - 100)
        buf_put_str(&pem, "Certificate:\n    Data:\n        Version: 3 (0x2)\n");
    ck_assert_int_eq(CRYPTO_secure_malloc_init(1 << 16, 32), 1);
    ck_assert_int_eq(signkey_from_file(buf_span(&pem), SPAN(""), NULL, NULL, &key), REASON_OK);
    ck_assert_int_eq(signkey_to_pkcs12(key, SPAN(P12_PASSWORD), &der), REASON_OK);
    ck_assert_int_eq(open_p12(buf_span(&der), SPAN(P12_PASSWORD), &sealed), REASON_OK);
    ck_assert(is_same_key(sealed, one));
    signkey_freep(&key);
    signkey_freep(&sealed);
    ck_assert_uint_eq(CRYPTO_secure_used(), 0);
}
END_TEST

/* Requests. */

/* What an authority does with a request: OpenSSL's hand, our root's key. */
static X509 *certify(const char *request)
{
    BIO *bio = BIO_new_mem_buf(request, -1);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(req);
    ck_assert_int_eq(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    X509 *x = X509_new();
    EVP_PKEY *issuer = p12_pkey_of(root);
    STACK_OF(X509_EXTENSION) *wished = X509_REQ_get_extensions(req);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_set_version(x, X509_VERSION_3);
    X509_set_subject_name(x, X509_REQ_get_subject_name(req));
    X509_set_issuer_name(x, X509_get_subject_name(cert_root));
    X509_set_pubkey(x, X509_REQ_get0_pubkey(req));
    ASN1_TIME_set(X509_getm_notBefore(x), NOT_BEFORE);
    ASN1_TIME_set(X509_getm_notAfter(x), NOT_AFTER);
    for (int i = 0; i < sk_X509_EXTENSION_num(wished); i++)
        X509_add_ext(x, sk_X509_EXTENSION_value(wished, i), -1);
    ck_assert_int_gt(X509_sign(x, issuer, EVP_sha256()), 0);
    sk_X509_EXTENSION_pop_free(wished, X509_EXTENSION_free);
    EVP_PKEY_free(issuer);
    X509_REQ_free(req);
    BIO_free(bio);
    return x;
}

/* Keys that wait: one. */
struct waiting {
    struct span pem;
    char id[SIGNKEY_REQUEST_ID_LEN];
    unsigned asked;
};

static bool find_waiting(const struct pubkey *key, struct buf *ret, void *arg)
{
    struct waiting *w = arg;
    char id[SIGNKEY_REQUEST_ID_LEN];
    w->asked++;
    if (strcmp(signkey_request_id(key, id), w->id) != 0)
        return false;
    buf_put_span(ret, w->pem);
    return true;
}

static void request(const char *name, struct buf *key, struct buf *csr, struct waiting *ret)
{
    CLEANUP(pubkey_freep) struct pubkey *half = NULL;
    ck_assert_int_eq(signkey_request(name, key, csr), REASON_OK);
    ck_assert_int_eq(signkey_public_half(buf_span(key), &half), REASON_OK);
    *ret = (struct waiting){.pem = buf_span(key)};
    ck_assert_ptr_nonnull(signkey_request_id(half, ret->id));
    ck_assert_uint_eq(strlen(ret->id), SIGNKEY_REQUEST_ID_LEN - 1);
}

START_TEST(a_certificate_finds_the_key_that_waited_for_it)
{
    CLEANUP(buf_done) struct buf key = {.max = 65536, .secret = true}, csr = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *whole = NULL, *chained = NULL, *bare = NULL, *no = NULL;
    struct waiting w;
    request("exch.contoso.com", &key, &csr, &w);
    X509 *x = certify(csr.p);
    put_cert(&pem, x);
    ck_assert_int_eq(
        signkey_from_file(buf_span(&pem), SPAN(""), find_waiting, &w, &whole), REASON_OK);
    put_cert(&pem, cert_root); /* the authority's own in the same file */
    ck_assert_int_eq(
        signkey_from_file(buf_span(&pem), SPAN(""), find_waiting, &w, &chained), REASON_OK);
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    ck_assert_int_eq(
        signkey_from_file(span_bytes(der, (size_t)n), SPAN(""), find_waiting, &w, &bare),
        REASON_OK);
    ck_assert(is_same_key(whole, chained) && is_same_key(whole, bare));
    buf_reset(&pem);
    put_cert(&pem, cert_2);
    put_cert(&pem, cert_root);
    w.asked = 0;
    ck_assert_int_eq(
        signkey_from_file(buf_span(&pem), SPAN(""), find_waiting, &w, &no), REASON_KEY_ALONE);
    ck_assert_uint_eq(w.asked, 2);
    OPENSSL_free(der);
    X509_free(x);
}
END_TEST

START_TEST(a_request_asks_for_what_we_make_ourselves)
{
    static const struct {
        const char *name, *dns;
    } rows[] = {
        {"exch.contoso.com", "exch.contoso.com"},
        {"contoso", NULL},
        {"Contoso Exchange", NULL},
        {"-a.contoso.com", NULL},
        {"a..contoso.com", NULL},
        {"a.b,email:x@y", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf key = {.max = 65536, .secret = true}, csr = BUF_INIT(65536);
        struct waiting w;
        char cn[100];
        request(rows[i].name, &key, &csr, &w);
        X509 *x = certify(csr.p);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof(cn));
        ck_assert_str_eq(cn, rows[i].name);
        ck_assert_uint_eq(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
        ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
        ck_assert_int_eq(EVP_PKEY_get_bits(X509_get0_pubkey(x)), 2048);
        GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
        ck_assert_msg((names != NULL) == (rows[i].dns != NULL), "%s", rows[i].name);
        if (names)
            ck_assert_int_eq(
                X509_check_host(x, rows[i].dns, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
        GENERAL_NAMES_free(names);
        X509_free(x);
    }
    CLEANUP(buf_done) struct buf plain = BUF_INIT(65536), csr = BUF_INIT(65536);
    ck_assert_int_eq(signkey_request("a", &plain, &csr), REASON_INTERNAL);
    plain.secret = true;
    ck_assert_int_eq(signkey_request("", &plain, &csr), REASON_INVALID_REQUEST);
    ck_assert_uint_eq(plain.n + csr.n, 0);
}
END_TEST

/* The command that administrators have. */

static struct temp_dir room;

static bool has_openssl(void)
{
    return system("openssl version >/dev/null 2>&1") == 0;
}

static int run(const char *what)
{
    char line[1024];
    snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1", room.path, what);
    return system(line);
}

static void take_file(const char *name, struct buf *out)
{
    FILE *f = fopen(temp_dir_at(&room, name), "re");
    ck_assert_ptr_nonnull(f);
    char *at = buf_reserve(out, 32768);
    out->n += fread(at, 1, 32768, f);
    fclose(f);
}

static void put_out(void)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536), der = BUF_INIT(65536);
    put_key(&pem, key_1, NULL, false);
    put_cert(&pem, cert_1);
    temp_dir_write(&room, "one.pem", buf_span(&pem), 0600);
    buf_reset(&pem);
    put_cert(&pem, cert_root);
    temp_dir_write(&room, "chain.pem", buf_span(&pem), 0600);
    ck_assert_int_eq(signkey_to_pkcs12(one, SPAN("correct horse"), &der), REASON_OK);
    temp_dir_write(&room, "ours.pfx", buf_span(&der), 0600);
}

static const struct {
    const char *options;
    enum reason want;
} exports[] = {
    {"", REASON_OK},
    {"-legacy -certpbe PBE-SHA1-3DES", REASON_OK},
    {"-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1", REASON_OK},
    {"-certpbe NONE", REASON_OK},
    {"-iter 100000 -macalg sha512", REASON_OK},
    {"-iter 400000", REASON_KEY_ROUNDS},
    {"-legacy", REASON_KEY_CIPHER}, /* RC2-40 around the certificates */
    {"-nomac", REASON_KEY_CIPHER},
    {"-nokeys", REASON_KEY_ALONE},
};

START_TEST(what_openssl_exports_is_understood)
{
    for (size_t i = 0; i < ARRAY_LEN(exports) && has_openssl(); i++) {
        char line[512];
        CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        snprintf(line, sizeof(line),
            "openssl pkcs12 -export -in one.pem -certfile chain.pem -passout pass:word %s "
            "-out out.pfx",
            exports[i].options);
        /* OpenSSL without its legacy provider cannot make such a file. */
        if (run(line) != 0 && strstr(exports[i].options, "-legacy"))
            continue;
        take_file("out.pfx", &der);
        enum reason r = signkey_from_file(buf_span(&der), SPAN("word"), NULL, NULL, &key);
        ck_assert_msg(r == exports[i].want, "%s: %s", exports[i].options, reason_code(r));
        ck_assert(!key || is_same_key(key, one));
    }
}
END_TEST

START_TEST(openssl_understands_what_we_seal)
{
    if (!has_openssl())
        return;
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    ck_assert_int_eq(run("openssl pkcs12 -in ours.pfx -passin pass:'correct horse' -nodes "
                         "-out back.pem"),
        0);
    ck_assert_int_ne(run("openssl pkcs12 -in ours.pfx -passin pass:'wrong horse' -nodes"), 0);
    take_file("back.pem", &pem);
    ck_assert_int_eq(signkey_from_file(buf_span(&pem), SPAN(""), NULL, NULL, &key), REASON_OK);
    ck_assert(is_same_key(key, one));
}
END_TEST

START_TEST(an_authority_run_with_openssl_answers_our_request)
{
    if (!has_openssl())
        return;
    CLEANUP(buf_done) struct buf key = {.max = 65536, .secret = true}, csr = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    CLEANUP(signkey_freep) struct signkey *whole = NULL;
    struct waiting w;
    request("exch.contoso.com", &key, &csr, &w);
    temp_dir_write(&room, "ours.csr", buf_span(&csr), 0600);
    ck_assert_int_eq(run("openssl req -in ours.csr -verify -noout"), 0);
    ck_assert_int_eq(run("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=ca "
                         "-days 9 -out ca.pem"),
        0);
    ck_assert_int_eq(run("openssl x509 -req -in ours.csr -CA ca.pem -CAkey ca.key -set_serial 5 "
                         "-days 5 -out ours.pem"),
        0);
    take_file("ours.pem", &pem);
    ck_assert_int_eq(
        signkey_from_file(buf_span(&pem), SPAN(""), find_waiting, &w, &whole), REASON_OK);
}
END_TEST

static X509 *self_sign(EVP_PKEY *pkey)
{
    X509 *x = X509_new();
    ASN1_TIME_set(X509_getm_notBefore(x), NOT_BEFORE);
    ASN1_TIME_set(X509_getm_notAfter(x), NOT_AFTER);
    X509_set_pubkey(x, pkey);
    return X509_sign(x, pkey, EVP_sha256()) > 0 ? x : NULL;
}

static void make_world(void)
{
    ck_assert_int_eq(signkey_generate_root("authority", NOT_BEFORE, NOT_AFTER, &root), REASON_OK);
    ck_assert_int_eq(
        signkey_issue(root, "exch.contoso.com", NOT_BEFORE, NOT_AFTER, &one), REASON_OK);
    ck_assert_int_eq(signkey_generate("lync.contoso.com", NOT_BEFORE, NOT_AFTER, &two), REASON_OK);
    key_1 = p12_pkey_of(one);
    key_2 = p12_pkey_of(two);
    key_ec = EVP_EC_gen("P-256");
    key_small = EVP_RSA_gen(1024);
    cert_1 = p12_x509_of(one);
    cert_2 = p12_x509_of(two);
    cert_root = p12_x509_of(root);
    cert_ec = self_sign(key_ec);
    cert_small = self_sign(key_small);
    temp_dir_make(&room);
    put_out();
    ck_assert(cert_ec && cert_small);
}

static void end_world(void)
{
    X509 *const certs[] = {cert_1, cert_2, cert_root, cert_ec, cert_small};
    EVP_PKEY *const keys[] = {key_1, key_2, key_ec, key_small};
    for (size_t i = 0; i < ARRAY_LEN(certs); i++)
        X509_free(certs[i]);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        EVP_PKEY_free(keys[i]);
    temp_dir_remove(&room);
    signkey_free(root);
    signkey_free(one);
    signkey_free(two);
}

static void fill(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_world, end_world);
    tcase_add_loop_test(
        tc, a_file_holds_one_key_and_its_certificate_among_others, 0, ARRAY_LEN(files));
    tcase_add_loop_test(tc, only_its_password_opens_a_file, 0, ARRAY_LEN(passwords));
    tcase_add_test(tc, a_password_has_a_longest_length);
    tcase_add_test(tc, a_method_we_do_not_use_has_a_reason_of_its_own);
    tcase_add_test(tc, a_file_without_mac_is_refused);
    tcase_add_test(tc, rounds_are_bounded_before_they_are_run);
    tcase_add_test(tc, rounds_of_the_mac_are_bounded_too);
    tcase_add_test(tc, damage_is_refused_wherever_it_is);
    tcase_add_test(tc, a_sealed_key_comes_back_with_its_password_only);
    tcase_add_test(tc, a_sealed_key_is_as_strong_as_was_promised);
    tcase_add_loop_test(tc, a_text_may_bring_its_chain, 0, ARRAY_LEN(pems));
    tcase_add_test(tc, a_certificate_finds_the_key_that_waited_for_it);
    tcase_add_test(tc, a_request_asks_for_what_we_make_ourselves);
    tcase_add_test(tc, what_openssl_exports_is_understood);
    tcase_add_test(tc, openssl_understands_what_we_seal);
    tcase_add_test(tc, an_authority_run_with_openssl_answers_our_request);
    tcase_add_test(tc, a_large_text_fits_the_key_memory);
}

int main(void)
{
    return unit_run("signkey_file", fill);
}
