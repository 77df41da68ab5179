/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: PKCS#12 files of every kind, made by OpenSSL, lawful ones and traps. */
#pragma once

#include "signkey.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#define P12_PASSWORD "correct horse battery"

static inline X509 *p12_x509_of(const struct signkey *key)
{
    const struct cert *c = signkey_cert(key);
    const unsigned char *p = (const unsigned char *)c->der;
    X509 *x = d2i_X509(NULL, &p, (long)c->der_len);
    ck_assert_ptr_nonnull(x);
    return x;
}

static inline EVP_PKEY *p12_pkey_of(const struct signkey *key)
{
    struct buf pem = {.max = 65536, .secret = true};
    ck_assert_int_eq(signkey_to_pem(key, &pem), REASON_OK);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(pkey);
    BIO_free(bio);
    buf_done(&pem);
    return pkey;
}

/* What goes into a file. */
struct p12_plan {
    EVP_PKEY *keys[2];
    X509 *certs[20];
    int key_cipher, cert_cipher; /* NID; 0: plain */
    int rounds;                  /* 0: one */
    int mac_rounds;              /* 0: one; -1: no MAC */
    const char *password;        /* NULL: P12_PASSWORD */
    X509_ALGOR *cert_algorithm;  /* written over that of the certificates' content; taken over */
};

static inline void p12_add_certs(const struct p12_plan *plan, STACK_OF(PKCS7) * *safes)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    for (size_t i = 0; i < ARRAY_LEN(plan->certs) && plan->certs[i]; i++)
        ck_assert_ptr_nonnull(PKCS12_add_cert(&bags, plan->certs[i]));
    if (!bags)
        return;
    ck_assert_int_eq(PKCS12_add_safe(safes, bags, plan->cert_cipher ? plan->cert_cipher : -1,
                         plan->rounds, plan->password),
        1);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    if (!plan->cert_algorithm)
        return;
    PKCS7_ENC_CONTENT *content = sk_PKCS7_value(*safes, 0)->d.encrypted->enc_data;
    X509_ALGOR_free(content->algorithm);
    content->algorithm = plan->cert_algorithm;
}

static inline void p12_add_keys(const struct p12_plan *plan, STACK_OF(PKCS7) * *safes)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    for (size_t i = 0; i < ARRAY_LEN(plan->keys) && plan->keys[i]; i++)
        ck_assert_ptr_nonnull(PKCS12_add_key(&bags, plan->keys[i], 0, plan->rounds,
            plan->key_cipher ? plan->key_cipher : -1, plan->password));
    if (!bags)
        return;
    ck_assert_int_eq(PKCS12_add_safe(safes, bags, -1, 0, NULL), 1);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

/* Appends the file to `out`. */
static inline void p12_make(struct p12_plan plan, struct buf *out)
{
    STACK_OF(PKCS7) *safes = NULL;
    unsigned char *der = NULL;
    if (!plan.password)
        plan.password = P12_PASSWORD;
    if (!plan.rounds)
        plan.rounds = 1;
    p12_add_certs(&plan, &safes);
    p12_add_keys(&plan, &safes);
    PKCS12 *p = PKCS12_add_safes(safes, 0);
    ck_assert_ptr_nonnull(p);
    if (plan.mac_rounds >= 0)
        ck_assert_int_eq(PKCS12_set_mac(p, plan.password, -1, NULL, 0,
                             plan.mac_rounds ? plan.mac_rounds : 1, EVP_sha256()),
            1);
    int n = i2d_PKCS12(p, &der);
    ck_assert_int_gt(n, 0);
    buf_put(out, der, (size_t)n);
    ck_assert(!out->failed);
    OPENSSL_free(der);
    PKCS12_free(p);
    sk_PKCS7_pop_free(safes, PKCS7_free);
}

/* An algorithm as a file could name it: one of the old schemes with rounds, PBES2, or PBES2 with
 * scrypt. */
static inline X509_ALGOR *p12_old_scheme(int nid, int rounds)
{
    X509_ALGOR *a = PKCS5_pbe_set(nid, rounds, NULL, 0);
    ck_assert_ptr_nonnull(a);
    return a;
}
