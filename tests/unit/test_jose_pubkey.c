/* SPDX-License-Identifier: Apache-2.0 */
#include "pubkey.h"

#include "cleanup.h"
#include "der_maker.h"
#include "digest.h"
#include "odd_modulus.h"
#include "signkey.h"
#include "unit.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>

#define E65537 SPAN("\1\0\1")

static struct signkey *signer, *other;

static enum reason policy(struct span n, struct span e)
{
    CLEANUP(pubkey_freep) struct pubkey *key = NULL;
    enum reason r = pubkey_new(n, e, &key);
    ck_assert_int_eq(r == REASON_OK, key != NULL);
    return r;
}

/* Rule R10: 2048..8192 bits, a multiple of 8. */
static const struct {
    int bits;
    enum reason want;
} sizes[] = {
    {512, REASON_KEY_SIZE},
    {1024, REASON_KEY_SIZE},
    {2040, REASON_KEY_SIZE},
    {2047, REASON_KEY_SIZE},
    {2048, REASON_OK},
    {2049, REASON_KEY_SIZE},
    {2052, REASON_KEY_SIZE},
    {2055, REASON_KEY_SIZE},
    {2056, REASON_OK},
    {3072, REASON_OK},
    {4096, REASON_OK},
    {8184, REASON_OK},
    {8191, REASON_KEY_SIZE},
    {8192, REASON_OK},
    {8193, REASON_KEY_SIZE},
    {8200, REASON_KEY_SIZE},
    {16384, REASON_KEY_SIZE},
};

START_TEST(sizes_of_the_modulus)
{
    struct modulus m;
    modulus_make(&m, sizes[_i].bits, 0);
    enum reason r = policy(modulus_span(&m), E65537);
    ck_assert_msg(r == sizes[_i].want, "%d bits: %s", sizes[_i].bits, reason_code(r));
}
END_TEST

START_TEST(what_is_known_of_a_good_key)
{
    struct modulus m;
    modulus_make(&m, 2056, 0);
    CLEANUP(pubkey_freep) struct pubkey *key = NULL;
    ck_assert_int_eq(pubkey_new(modulus_span(&m), E65537, &key), REASON_OK);
    ck_assert_uint_eq(pubkey_bits(key), 2056);
    ck_assert(span_eq(pubkey_n(key), modulus_span(&m)));
    ck_assert(span_eq(pubkey_e(key), E65537));
}
END_TEST

/* Every prime below 2^10 as a factor; the first one above is not looked for. */
START_TEST(a_small_factor_is_weak)
{
    for (BN_ULONG p = 3; p < 1024; p += 2) {
        struct modulus m;
        bool prime = true;
        for (BN_ULONG d = 3; d < p; d += 2)
            prime &= p % d != 0;
        if (!prime)
            continue;
        modulus_make(&m, 2048, p);
        ck_assert_msg(
            policy(modulus_span(&m), E65537) == REASON_KEY_WEAK, "factor %lu", (unsigned long)p);
    }
    struct modulus m;
    modulus_make(&m, 2048, 1031);
    ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_OK);
}
END_TEST

/* The residues of a modulus whose length is no multiple of the machine word come out right too. */
START_TEST(a_small_factor_is_found_at_every_length)
{
    for (int bits = 2048; bits < 2048 + 64; bits += 8) {
        struct modulus m;
        modulus_make(&m, bits, 757);
        ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_KEY_WEAK);
        modulus_make(&m, bits, 0);
        ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_OK);
    }
}
END_TEST

/* Even, with no odd divisor below 2^10 that would give it away. */
START_TEST(an_even_modulus_is_weak)
{
    struct modulus m;
    BIGNUM *n = BN_new();
    do {
        modulus_make(&m, 2048, 0);
        m.bytes[m.n - 1] ^= 1;
        ck_assert_ptr_nonnull(BN_bin2bn(m.bytes, (int)m.n, n));
    } while (modulus_small_factor(n) != 0);
    BN_free(n);
    ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_KEY_WEAK);
}
END_TEST

START_TEST(a_square_is_weak)
{
    struct modulus m;
    modulus_make_square(&m, 2048);
    ck_assert_uint_eq(m.n, 256);
    ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_KEY_WEAK);
}
END_TEST

/* CVE-2017-15361, and its fingerprint spoilt at one prime only. */
START_TEST(the_roca_structure_is_weak)
{
    struct modulus m;
    modulus_make_roca(&m, 2048, false);
    ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_KEY_WEAK);
    modulus_make_roca(&m, 2048, true);
    ck_assert_int_eq(policy(modulus_span(&m), E65537), REASON_OK);
}
END_TEST

static const struct {
    struct span e;
    enum reason want;
} exponents[] = {
    {SPAN(""), REASON_KEY_FORM},
    {SPAN("\0"), REASON_KEY_FORM},
    {SPAN("\0\1\0\1"), REASON_KEY_FORM}, /* RFC 7518 section 2: fewest bytes */
    {SPAN("\1"), REASON_KEY_WEAK},
    {SPAN("\2"), REASON_KEY_WEAK},
    {SPAN("\3"), REASON_KEY_WEAK},
    {SPAN("\x11"), REASON_KEY_WEAK},
    {SPAN("\1\1"), REASON_KEY_WEAK},
    {SPAN("\xff\xff"), REASON_KEY_WEAK},
    {SPAN("\1\0\0"), REASON_KEY_WEAK},
    {SPAN("\1\0\1"), REASON_OK},
    {SPAN("\1\0\2"), REASON_KEY_WEAK},
    {SPAN("\1\0\3"), REASON_OK},
    {SPAN("\xff\xff\xff\xff"), REASON_OK},
    {SPAN("\1\0\0\0\1"), REASON_KEY_WEAK},
    {SPAN("\1\0\1\0\1"), REASON_KEY_WEAK}, /* 65537 in its low 32 bits */
    {SPAN("\1\0\0\0\0\0\0\0\x0d"), REASON_KEY_WEAK},
};

START_TEST(the_exponent_is_odd_and_65537_or_more_and_fits_32_bits)
{
    struct modulus m;
    modulus_make(&m, 2048, 0);
    ck_assert_int_eq(policy(modulus_span(&m), exponents[_i].e), exponents[_i].want);
}
END_TEST

START_TEST(a_number_is_in_its_fewest_bytes)
{
    struct modulus m;
    modulus_make(&m, 2048, 0);
    CLEANUP(buf_done) struct buf padded = BUF_INIT(300);
    buf_put_char(&padded, '\0');
    buf_put_span(&padded, modulus_span(&m));
    ck_assert_int_eq(policy(buf_span(&padded), E65537), REASON_KEY_FORM);
    ck_assert_int_eq(policy((struct span){0}, E65537), REASON_KEY_FORM);
    ck_assert_int_eq(policy(SPAN("\0"), E65537), REASON_KEY_FORM);
}
END_TEST

START_TEST(keys_are_equal_by_both_numbers)
{
    struct modulus m, other_m;
    modulus_make(&m, 2048, 0);
    modulus_make(&other_m, 2048, 0);
    CLEANUP(pubkey_freep) struct pubkey *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    ck_assert_int_eq(pubkey_new(modulus_span(&m), E65537, &a), REASON_OK);
    ck_assert_int_eq(pubkey_new(modulus_span(&m), E65537, &b), REASON_OK);
    ck_assert_int_eq(pubkey_new(modulus_span(&m), SPAN("\1\0\3"), &c), REASON_OK);
    ck_assert_int_eq(pubkey_new(modulus_span(&other_m), E65537, &d), REASON_OK);
    ck_assert(pubkey_eq(a, b) && !pubkey_eq(a, c) && !pubkey_eq(a, d));
}
END_TEST

/* The last owner releases; the sanitizer sees it when that is early or never. */
START_TEST(a_key_lives_as_long_as_its_last_owner)
{
    struct pubkey *key = pubkey_ref(signkey_cert(signer)->key);
    pubkey_free(key);
    struct modulus m;
    modulus_make(&m, 2048, 0);
    ck_assert_int_eq(pubkey_new(modulus_span(&m), E65537, &key), REASON_OK);
    struct pubkey *again = pubkey_ref(key);
    pubkey_free(key);
    ck_assert_uint_eq(pubkey_bits(again), 2048);
    pubkey_free(again);
    pubkey_free(NULL);
}
END_TEST

/* Bits of a SubjectPublicKeyInfo that is right but for one thing. */
static void put_bits(struct buf *out, struct span numbers, uint8_t unused, bool trailing)
{
    buf_put_char(out, (char)unused);
    der_put(out, DER_SEQUENCE, numbers);
    if (trailing)
        buf_put_char(out, '\0');
}

static enum reason spki(struct span algorithm, struct span bits)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(DER_MAX);
    CLEANUP(pubkey_freep) struct pubkey *key = NULL;
    der_put_spki_raw(&der, algorithm, bits);
    return pubkey_from_spki(buf_span(&der), &key);
}

static enum reason spki_of_numbers(struct span numbers, uint8_t unused, bool trailing)
{
    CLEANUP(buf_done) struct buf bits = BUF_INIT(DER_MAX);
    put_bits(&bits, numbers, unused, trailing);
    return spki(DER_ALG_RSA, buf_span(&bits));
}

START_TEST(the_algorithm_of_a_key_is_rsa_encryption_with_null)
{
    static const struct {
        struct span algorithm;
        enum reason want;
    } rows[] = {
        {SPAN("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"), REASON_OK},
        {SPAN("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), REASON_KEY_FORM},
        {SPAN("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x30\x00"), REASON_KEY_FORM},
        {SPAN("\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x01\x00"), REASON_KEY_FORM},
        {SPAN("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x05\x00"),
            REASON_KEY_FORM},
        {SPAN("\x30\x00"), REASON_KEY_FORM},
        /* RSASSA-PSS, and an elliptic key on P-256 */
        {SPAN("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), REASON_KEY_TYPE},
        {SPAN("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
              "\x07"),
            REASON_KEY_TYPE},
    };
    CLEANUP(buf_done) struct buf numbers = BUF_INIT(DER_MAX), bits = BUF_INIT(DER_MAX);
    struct modulus m;
    modulus_make(&m, 2048, 0);
    der_put_number(&numbers, modulus_span(&m));
    der_put_number(&numbers, E65537);
    put_bits(&bits, buf_span(&numbers), 0, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_msg(spki(rows[i].algorithm, buf_span(&bits)) == rows[i].want, "row %zu", i);
}
END_TEST

START_TEST(the_numbers_of_a_key_are_strict_der)
{
    struct modulus m;
    modulus_make(&m, 2048, 0);
    struct span n = modulus_span(&m);
    CLEANUP(buf_done) struct buf good = BUF_INIT(DER_MAX), three = BUF_INIT(DER_MAX);
    CLEANUP(buf_done) struct buf negative = BUF_INIT(DER_MAX), padded = BUF_INIT(DER_MAX);
    CLEANUP(buf_done) struct buf weak = BUF_INIT(DER_MAX), zeroes = BUF_INIT(DER_MAX);
    der_put_number(&good, n);
    der_put_number(&good, E65537);
    ck_assert_int_eq(spki_of_numbers(buf_span(&good), 0, false), REASON_OK);
    ck_assert_int_eq(spki_of_numbers(buf_span(&good), 0, true), REASON_KEY_FORM);
    ck_assert_int_eq(spki_of_numbers(buf_span(&good), 1, false), REASON_KEY_FORM);
    buf_put_span(&three, buf_span(&good));
    der_put_number(&three, E65537);
    ck_assert_int_eq(spki_of_numbers(buf_span(&three), 0, false), REASON_KEY_FORM);
    der_put(&negative, DER_INTEGER, n); /* no sign byte: below zero */
    der_put_number(&negative, E65537);
    ck_assert_int_eq(spki_of_numbers(buf_span(&negative), 0, false), REASON_KEY_FORM);
    der_put_number(&padded, n);
    der_put(&padded, DER_INTEGER, SPAN("\0\1\0\1"));
    ck_assert_int_eq(spki_of_numbers(buf_span(&padded), 0, false), REASON_KEY_FORM);
    der_put_number(&weak, n);
    der_put_number(&weak, SPAN("\3"));
    ck_assert_int_eq(spki_of_numbers(buf_span(&weak), 0, false), REASON_KEY_WEAK);
    der_put(&zeroes, DER_INTEGER, SPAN("\0"));
    der_put_number(&zeroes, E65537);
    ck_assert_int_eq(spki_of_numbers(buf_span(&zeroes), 0, false), REASON_KEY_FORM);
}
END_TEST

/* The whole of a key info, cut anywhere or with one byte more, is none. */
START_TEST(a_key_info_ends_where_it_says)
{
    const struct pubkey *key = signkey_cert(signer)->key;
    CLEANUP(buf_done) struct buf der = BUF_INIT(DER_MAX);
    CLEANUP(pubkey_freep) struct pubkey *back = NULL, *none = NULL;
    der_put_spki(&der, pubkey_n(key), pubkey_e(key));
    ck_assert_int_eq(pubkey_from_spki(buf_span(&der), &back), REASON_OK);
    ck_assert(pubkey_eq(back, key));
    for (size_t n = 0; n < der.n; n++) {
        CLEANUP(freep) char *copy = malloc(n + 1);
        memcpy(copy, der.p, n);
        ck_assert_int_eq(pubkey_from_spki((struct span){copy, n}, &none), REASON_KEY_FORM);
    }
    CLEANUP(buf_done) struct buf content = BUF_INIT(DER_MAX), more = BUF_INIT(DER_MAX);
    struct span inner, rest = buf_span(&der);
    ck_assert(der_take(&rest, DER_SEQUENCE, &inner));
    buf_put_span(&content, inner);
    buf_put(&content, "\x05\x00", 2);
    der_put(&more, DER_SEQUENCE, buf_span(&content));
    ck_assert_int_eq(pubkey_from_spki(buf_span(&more), &none), REASON_KEY_FORM);
    buf_put_char(&der, '\0');
    ck_assert_int_eq(pubkey_from_spki(buf_span(&der), &none), REASON_KEY_FORM);
    ck_assert_ptr_null(none);
}
END_TEST

static const struct span message = {"header.payload", 14};

static bool verifies(struct span sig)
{
    return pubkey_verify_rs256(signkey_cert(signer)->key, message, sig) == REASON_OK;
}

/* After every refusal the same contexts must still say yes to the right one. */
START_TEST(one_changed_byte_anywhere_is_refused)
{
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
    ck_assert_int_eq(signkey_sign_rs256(signer, message, &sig), REASON_OK);
    ck_assert_uint_eq(sig.n, 256);
    for (size_t i = 0; i < sig.n; i++) {
        sig.p[i] = (char)(sig.p[i] ^ 0x10);
        ck_assert(!verifies(buf_span(&sig)));
        sig.p[i] = (char)(sig.p[i] ^ 0x10);
        ck_assert(verifies(buf_span(&sig)));
    }
    struct pubkey *key = signkey_cert(signer)->key;
    ck_assert_int_eq(
        pubkey_verify_rs256(key, SPAN("header.payloae"), buf_span(&sig)), REASON_SIGNATURE);
    ck_assert_int_eq(
        pubkey_verify_rs256(key, SPAN("header.payload."), buf_span(&sig)), REASON_SIGNATURE);
    ck_assert_int_eq(pubkey_verify_rs256(key, (struct span){0}, buf_span(&sig)), REASON_SIGNATURE);
    ck_assert_int_eq(
        pubkey_verify_rs256(signkey_cert(other)->key, message, buf_span(&sig)), REASON_SIGNATURE);
    ck_assert(verifies(buf_span(&sig)));
}
END_TEST

/* A signature of the wrong length, as big-endian games make it. */
START_TEST(the_signature_is_exactly_as_long_as_the_modulus)
{
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024), longer = BUF_INIT(1024);
    ck_assert_int_eq(signkey_sign_rs256(signer, message, &sig), REASON_OK);
    buf_put_char(&longer, '\0');
    buf_put_span(&longer, buf_span(&sig));
    ck_assert(!verifies(buf_span(&longer)));
    buf_put_char(&sig, '\0');
    ck_assert(!verifies(buf_span(&sig)));
    ck_assert(verifies((struct span){sig.p, 256}));
    ck_assert(!verifies((struct span){sig.p, 255}));
    ck_assert(!verifies((struct span){0}));
    ck_assert(!verifies(SPAN("AAAA")));
}
END_TEST

/* A signature that begins with a zero byte is lawful with it and refused without. */
START_TEST(a_leading_zero_byte_belongs_to_the_signature)
{
    struct pubkey *key = signkey_cert(signer)->key;
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
    char text[16];
    for (int i = 0; !sig.n || sig.p[0] != 0; i++) {
        buf_reset(&sig);
        snprintf(text, sizeof(text), "try %d", i);
        ck_assert_int_eq(signkey_sign_rs256(signer, span_of(text), &sig), REASON_OK);
    }
    ck_assert_int_eq(pubkey_verify_rs256(key, span_of(text), buf_span(&sig)), REASON_OK);
    ck_assert_int_eq(
        pubkey_verify_rs256(key, span_of(text), span_skip(buf_span(&sig), 1)), REASON_SIGNATURE);
}
END_TEST

static void to_span(const BIGNUM *n, unsigned char out[256], struct span *ret)
{
    ck_assert_int_eq(BN_bn2binpad(n, out, 256), 256);
    *ret = span_bytes(out, 256);
}

/* s + n is the same number modulo n; where it still fits the length it must be refused by its
 * value. */
START_TEST(the_signature_is_below_the_modulus)
{
    struct pubkey *key = signkey_cert(signer)->key;
    struct span n_bytes = pubkey_n(key), s;
    unsigned char room[256];
    char text[16];
    BIGNUM *n = BN_bin2bn((const unsigned char *)n_bytes.p, (int)n_bytes.n, NULL), *sum = BN_new();
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
    int found = 0;
    for (int i = 0; found < 3; i++) {
        buf_reset(&sig);
        snprintf(text, sizeof(text), "try %d", i);
        ck_assert_int_eq(signkey_sign_rs256(signer, span_of(text), &sig), REASON_OK);
        ck_assert_ptr_nonnull(BN_bin2bn((const unsigned char *)sig.p, 256, sum));
        ck_assert(BN_add(sum, sum, n));
        if (BN_num_bits(sum) > 2048)
            continue;
        to_span(sum, room, &s);
        ck_assert_int_eq(pubkey_verify_rs256(key, span_of(text), buf_span(&sig)), REASON_OK);
        ck_assert_int_eq(pubkey_verify_rs256(key, span_of(text), s), REASON_SIGNATURE);
        found++;
    }
    BN_free(sum);
    for (int d = -1; d <= 1; d++) {
        BIGNUM *near = BN_dup(n);
        ck_assert(d < 0 ? BN_sub_word(near, 1) : BN_add_word(near, (BN_ULONG)d));
        to_span(near, room, &s);
        ck_assert(!verifies(s));
        BN_free(near);
    }
    for (unsigned char v = 0; v < 3; v++) {
        memset(room, 0, sizeof(room));
        room[255] = v;
        ck_assert(!verifies(span_bytes(room, sizeof(room))));
    }
    BN_free(n);
}
END_TEST

/* Forgeries of the padding (RFC 8017 9.2): each block is brought through the private operation, so
 * the arithmetic is right and only the block is wrong. */
struct block {
    const char *name;
    unsigned char type;
    struct span prefix; /* of the hash */
    struct span suffix; /* behind the hash */
    int fill_short;     /* so many FF bytes fewer than there should be, made up by zeroes behind */
    unsigned char fill;
    bool good;
};

#define SHA256_INFO "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

static const struct block blocks[] = {
    {"right", 1, SPAN(SHA256_INFO), SPAN(""), 0, 0xff, true},
    {"no NULL parameter", 1,
        SPAN("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"), SPAN(""), 0,
        0xff, false},
    {"no DigestInfo", 1, SPAN(""), SPAN(""), 0, 0xff, false},
    {"SHA-1's name", 1, SPAN("\x30\x2d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x20"),
        SPAN(""), 0, 0xff, false},
    {"SHA-512's name", 1,
        SPAN("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x20"),
        SPAN(""), 0, 0xff, false},
    {"long form length", 1,
        SPAN("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
        SPAN(""), 0, 0xff, false},
    {"bytes behind the hash", 1, SPAN(SHA256_INFO), SPAN("\0\0\0\0"), 0, 0xff, false},
    {"short padding, rubbish behind", 1, SPAN(SHA256_INFO), SPAN(""), 190, 0xff, false},
    {"block type 0", 0, SPAN(SHA256_INFO), SPAN(""), 0, 0xff, false},
    {"block type 2", 2, SPAN(SHA256_INFO), SPAN(""), 0, 0xff, false},
    {"other filling", 1, SPAN(SHA256_INFO), SPAN(""), 0, 0xfe, false},
};

static EVP_PKEY *private_key(const struct signkey *from)
{
    CLEANUP(buf_done) struct buf pem = BUF_INIT(1 << 16);
    pem.secret = true;
    ck_assert_int_eq(signkey_to_pem(from, &pem), REASON_OK);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(pkey);
    BIO_free(bio);
    return pkey;
}

static void build(const struct block *b, unsigned char em[256])
{
    uint8_t hash[SHA256_LEN];
    ck_assert(digest_sha256(message, hash));
    size_t tail = 1 + b->prefix.n + SHA256_LEN + b->suffix.n;
    unsigned char *p = em;
    memset(em, 0, 256);
    *p++ = 0;
    *p++ = b->type;
    size_t fill = 256 - 2 - tail - (size_t)b->fill_short;
    memset(p, b->fill, fill);
    p += fill + 1;
    memcpy(p, b->prefix.p, b->prefix.n);
    memcpy(p + b->prefix.n, hash, SHA256_LEN);
    memcpy(p + b->prefix.n + SHA256_LEN, b->suffix.p, b->suffix.n);
}

static void private_operation(
    EVP_PKEY_CTX *ctx, int padding, const unsigned char *in, size_t n, unsigned char sig[256])
{
    size_t len = 256;
    ck_assert_int_eq(EVP_PKEY_sign_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (padding != RSA_NO_PADDING)
        ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    ck_assert_int_eq(EVP_PKEY_sign(ctx, sig, &len, in, n), 1);
    ck_assert_uint_eq(len, 256);
}

START_TEST(only_the_one_padding_is_accepted)
{
    unsigned char em[256], sig[256];
    uint8_t hash[SHA256_LEN];
    EVP_PKEY *pkey = private_key(signer);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        build(&blocks[i], em);
        private_operation(ctx, RSA_NO_PADDING, em, sizeof(em), sig);
        ck_assert_msg(
            verifies(span_bytes(sig, sizeof(sig))) == blocks[i].good, "%s", blocks[i].name);
    }
    ck_assert(digest_sha256(message, hash));
    private_operation(ctx, RSA_PKCS1_PSS_PADDING, hash, sizeof(hash), sig);
    ck_assert(!verifies(span_bytes(sig, sizeof(sig))));
    private_operation(ctx, RSA_PKCS1_PADDING, hash, sizeof(hash), sig);
    ck_assert(verifies(span_bytes(sig, sizeof(sig))));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}
END_TEST

/* Nothing that OpenSSL thought of a bad signature is left for the next one who asks. */
START_TEST(the_error_queue_stays_empty)
{
    char zeroes[256] = {0};
    zeroes[255] = 1;
    ck_assert(!verifies(span_bytes(zeroes, sizeof(zeroes))));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, sizes_of_the_modulus, 0, ARRAY_LEN(sizes));
    tcase_add_test(tc, what_is_known_of_a_good_key);
    tcase_add_test(tc, a_small_factor_is_weak);
    tcase_add_test(tc, a_small_factor_is_found_at_every_length);
    tcase_add_test(tc, an_even_modulus_is_weak);
    tcase_add_test(tc, a_square_is_weak);
    tcase_add_test(tc, the_roca_structure_is_weak);
    tcase_add_loop_test(
        tc, the_exponent_is_odd_and_65537_or_more_and_fits_32_bits, 0, ARRAY_LEN(exponents));
    tcase_add_test(tc, a_number_is_in_its_fewest_bytes);
    tcase_add_test(tc, keys_are_equal_by_both_numbers);
    tcase_add_test(tc, a_key_lives_as_long_as_its_last_owner);
    tcase_add_test(tc, the_algorithm_of_a_key_is_rsa_encryption_with_null);
    tcase_add_test(tc, the_numbers_of_a_key_are_strict_der);
    tcase_add_test(tc, a_key_info_ends_where_it_says);
    tcase_add_test(tc, one_changed_byte_anywhere_is_refused);
    tcase_add_test(tc, the_signature_is_exactly_as_long_as_the_modulus);
    tcase_add_test(tc, a_leading_zero_byte_belongs_to_the_signature);
    tcase_add_test(tc, the_signature_is_below_the_modulus);
    tcase_add_test(tc, only_the_one_padding_is_accepted);
    tcase_add_test(tc, the_error_queue_stays_empty);
}

int main(void)
{
    if (signkey_generate("signer", 0, 1000, &signer) != REASON_OK ||
        signkey_generate("other", 0, 1000, &other) != REASON_OK)
        return 1;
    int status = unit_run("jose_pubkey", fill);
    signkey_free(signer);
    signkey_free(other);
    return status;
}
