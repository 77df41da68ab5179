/* SPDX-License-Identifier: Apache-2.0 */
/* A root of our own and the leaves under it, judged by OpenSSL's path validation. */
#include "cleanup.h"
#include "signkey.h"
#include "unit.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define NOT_BEFORE 1735689600 /* 2025-01-01 */
#define NOT_AFTER 2366841600  /* 2045-01-01 */
#define LEAF_END 1798761600   /* 2027-01-01 */
#define DURING 1750000000

static struct signkey *root, *leaf;

static X509 *x509_of(const struct signkey *key)
{
    const struct cert *c = signkey_cert(key);
    const unsigned char *p = (const unsigned char *)c->der;
    X509 *x = d2i_X509(NULL, &p, (long)c->der_len);
    ck_assert_ptr_nonnull(x);
    return x;
}

/* OpenSSL's verdict on a path from `end` over `between` (may be NULL) to the root. */
static int judge_path(const struct signkey *end, const struct signkey *between)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null();
    X509 *anchor = x509_of(root), *x = x509_of(end);
    ck_assert_int_eq(X509_STORE_add_cert(store, anchor), 1);
    if (between)
        ck_assert_int_gt(sk_X509_push(middle, x509_of(between)), 0);
    ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, x, middle), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, DURING);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    int verdict = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(middle, X509_free);
    X509_free(anchor);
    X509_free(x);
    ERR_clear_error();
    return verdict;
}

START_TEST(a_root_may_issue_leaves_and_nothing_else)
{
    X509 *x = x509_of(root);
    int critical = -1;
    ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(x)), 1);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)), 0);
    ck_assert_uint_eq(X509_get_key_usage(x), KU_KEY_CERT_SIGN);
    ck_assert_int_eq(X509_get_pathlen(x), 0);
    ck_assert_int_eq(X509_check_ca(x), 1);
    ASN1_BIT_STRING_free(X509_get_ext_d2i(x, NID_key_usage, &critical, NULL));
    ck_assert_int_eq(critical, 1);
    BASIC_CONSTRAINTS_free(X509_get_ext_d2i(x, NID_basic_constraints, &critical, NULL));
    ck_assert_int_eq(critical, 1);
    ck_assert_int_eq(X509_get_ext_count(x), 3);
    ck_assert_uint_eq(pubkey_bits(signkey_cert(root)->key), 3072);
    ck_assert_int_eq(signkey_cert(root)->not_before, NOT_BEFORE);
    ck_assert_int_eq(signkey_cert(root)->not_after, NOT_AFTER);
    X509_free(x);
}
END_TEST

START_TEST(a_leaf_is_ours_but_for_its_issuer)
{
    X509 *x = x509_of(leaf), *above = x509_of(root);
    ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(above)), 1);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(above)), 0);
    ck_assert_int_ne(X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(above)), 0);
    ck_assert_int_eq(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x), X509_get0_subject_key_id(above)), 0);
    ck_assert_uint_eq(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    ck_assert_int_eq(X509_check_ca(x), 0);
    ck_assert_uint_eq(pubkey_bits(signkey_cert(leaf)->key), 2048);
    X509_free(x);
    X509_free(above);
}
END_TEST

START_TEST(a_path_to_the_root_holds_for_one_step)
{
    CLEANUP(signkey_freep) struct signkey *further = NULL, *alone = NULL;
    ck_assert_int_eq(judge_path(leaf, NULL), X509_V_OK);
    ck_assert_int_eq(signkey_issue(leaf, "further", NOT_BEFORE, LEAF_END, &further), REASON_OK);
    ck_assert_int_ne(judge_path(further, leaf), X509_V_OK);
    ck_assert_int_eq(signkey_generate("exch.contoso.com", NOT_BEFORE, LEAF_END, &alone), REASON_OK);
    ck_assert_int_ne(judge_path(alone, NULL), X509_V_OK);
}
END_TEST

START_TEST(a_leaf_lives_inside_its_root)
{
    static const struct {
        int64_t from, until;
        enum reason want;
    } rows[] = {
        {NOT_BEFORE, NOT_AFTER, REASON_OK},
        {NOT_BEFORE - 1, LEAF_END, REASON_INVALID_REQUEST},
        {NOT_BEFORE, NOT_AFTER + 1, REASON_INVALID_REQUEST},
        {LEAF_END, LEAF_END, REASON_INVALID_REQUEST},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        ck_assert_int_eq(signkey_issue(root, "a", rows[i].from, rows[i].until, &key), rows[i].want);
        ck_assert_int_eq(key != NULL, rows[i].want == REASON_OK);
    }
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    ck_assert_int_eq(signkey_issue(root, "", NOT_BEFORE, LEAF_END, &key), REASON_INVALID_REQUEST);
    ck_assert_int_eq(signkey_generate_root("", 0, 1, &key), REASON_INVALID_REQUEST);
    ck_assert_int_eq(signkey_generate_root("a", 1, 1, &key), REASON_INVALID_REQUEST);
}
END_TEST

START_TEST(a_root_and_a_leaf_come_back_from_their_texts)
{
    const struct signkey *const keys[] = {root, leaf};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CLEANUP(buf_done) struct buf pem = {.max = 65536, .secret = true};
        CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
        CLEANUP(signkey_freep) struct signkey *back = NULL, *under = NULL;
        ck_assert_int_eq(signkey_to_pem(keys[i], &pem), REASON_OK);
        ck_assert_int_eq(signkey_from_pem(buf_span(&pem), &back), REASON_OK);
        ck_assert_mem_eq(signkey_cert(back)->x5t, signkey_cert(keys[i])->x5t, X5T_LEN);
        ck_assert_int_eq(signkey_sign_rs256(back, SPAN("text"), &sig), REASON_OK);
        ck_assert_int_eq(
            pubkey_verify_rs256(signkey_cert(keys[i])->key, SPAN("text"), buf_span(&sig)),
            REASON_OK);
        if (keys[i] == root) {
            ck_assert_int_eq(signkey_issue(back, "a", NOT_BEFORE, LEAF_END, &under), REASON_OK);
            ck_assert_int_eq(judge_path(under, NULL), X509_V_OK);
        }
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_root_may_issue_leaves_and_nothing_else);
    tcase_add_test(tc, a_leaf_is_ours_but_for_its_issuer);
    tcase_add_test(tc, a_path_to_the_root_holds_for_one_step);
    tcase_add_test(tc, a_leaf_lives_inside_its_root);
    tcase_add_test(tc, a_root_and_a_leaf_come_back_from_their_texts);
}

int main(void)
{
    if (signkey_generate_root("exch.contoso.com root", NOT_BEFORE, NOT_AFTER, &root) != REASON_OK ||
        signkey_issue(root, "exch.contoso.com", NOT_BEFORE, LEAF_END, &leaf) != REASON_OK)
        return EXIT_FAILURE;
    int status = unit_run("root", fill);
    signkey_free(root);
    signkey_free(leaf);
    return status;
}
