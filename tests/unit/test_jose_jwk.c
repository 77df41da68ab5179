/* SPDX-License-Identifier: Apache-2.0 */
#include "jwk.h"

#include "b64.h"
#include "cleanup.h"
#include "signkey.h"
#include "unit.h"

static struct signkey *signer;
static struct json_doc *doc;

/* Single quotes for double ones, # and % for the numbers of our key, @ for the first with a zero
 * byte in front. */
static struct buf written(const char *text)
{
    const struct pubkey *key = signkey_cert(signer)->key;
    struct buf json = BUF_INIT(1 << 20), padded = BUF_INIT(1024);
    buf_put_char(&padded, '\0');
    buf_put_span(&padded, pubkey_n(key));
    for (; *text; text++) {
        if (*text == '#')
            b64url_put(&json, pubkey_n(key).p, pubkey_n(key).n);
        else if (*text == '%')
            b64url_put(&json, pubkey_e(key).p, pubkey_e(key).n);
        else if (*text == '@')
            b64url_put(&json, padded.p, padded.n);
        else
            buf_put_char(&json, *text == '\'' ? '"' : *text);
    }
    buf_done(&padded);
    ck_assert(!json.failed);
    return json;
}

static const struct json_value *parsed(const char *text)
{
    static const struct json_limits limits = {.bytes = 1 << 20};
    const struct json_value *v = NULL;
    CLEANUP(buf_done) struct buf json = written(text);
    ck_assert_msg(json_parse(doc, buf_span(&json), &limits, &v) == REASON_OK, "%s", json.p);
    return v;
}

#define RSA "'kty':'RSA','n':'#','e':'%'"

static const struct {
    const char *json;
    enum reason want;
} rows[] = {
    {"{" RSA "}", REASON_OK},
    {"{" RSA
     ",'use':'sig','alg':'RS256','kid':'a','key_ops':['verify'],'x5c':['AAAA'],'foo':{'bar':1}}",
        REASON_OK},
    {"{" RSA ",'key_ops':['sign','verify']}", REASON_OK},
    /* rule R11: private or symmetric members come first, whatever else is wrong */
    {"{" RSA ",'d':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'p':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'q':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'dp':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'dq':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'qi':'AQ'}", REASON_KEY_PRIVATE},
    {"{" RSA ",'oth':[]}", REASON_KEY_PRIVATE},
    {"{" RSA ",'d':null}", REASON_KEY_PRIVATE},
    {"{'kty':'oct','k':'AAAA'}", REASON_KEY_PRIVATE},
    {"{'kty':'EC','crv':'P-256','x':'AA','y':'AA','d':'AQ'}", REASON_KEY_PRIVATE},
    {"{'d':1}", REASON_KEY_PRIVATE},
    {"{'kty':'EC','crv':'P-256','x':'AA','y':'AA'}", REASON_KEY_TYPE},
    {"{'kty':'rsa','n':'#','e':'%'}", REASON_KEY_TYPE},
    {"{'kty':1,'n':'#','e':'%'}", REASON_KEY_TYPE},
    {"{'n':'#','e':'%'}", REASON_KEY_TYPE},
    {"{}", REASON_KEY_TYPE},
    {"{" RSA ",'alg':'RS512'}", REASON_KEY_TYPE},
    {"{" RSA ",'alg':'none'}", REASON_KEY_TYPE},
    {"{" RSA ",'alg':'rs256'}", REASON_KEY_TYPE},
    {"{" RSA ",'alg':1}", REASON_KEY_TYPE},
    {"{" RSA ",'alg':null}", REASON_KEY_TYPE},
    {"{" RSA ",'use':'enc'}", REASON_KEY_USE},
    {"{" RSA ",'use':'SIG'}", REASON_KEY_USE},
    {"{" RSA ",'use':''}", REASON_KEY_USE},
    {"{" RSA ",'use':null}", REASON_KEY_USE},
    {"{" RSA ",'use':['sig']}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':[]}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':['sign']}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':'verify'}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':{'verify':1}}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':{'a':'verify'}}", REASON_KEY_USE},
    {"{" RSA ",'key_ops':[['verify']]}", REASON_KEY_USE},
    {"{" RSA ",'kid':1}", REASON_KEY_FORM},
    {"{'kty':'RSA','e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'','e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#','e':''}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':['#'],'e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#','e':65537}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#==','e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#\\n','e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'@','e':'%'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#','e':'AAEAAQ'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'#','e':'AQABAB'}", REASON_KEY_FORM},
    {"{'kty':'RSA','n':'AQAB','e':'%'}", REASON_KEY_SIZE},
    {"{'kty':'RSA','n':'#','e':'Aw'}", REASON_KEY_WEAK},
    {"[]", REASON_KEY_FORM},
    {"null", REASON_KEY_FORM},
    {"'RSA'", REASON_KEY_FORM},
};

START_TEST(a_key_is_public_rsa_for_rs256)
{
    struct jwk k = {0};
    enum reason r = jwk_read(parsed(rows[_i].json), &k);
    ck_assert_msg(r == rows[_i].want, "%s: %s", rows[_i].json, reason_code(r));
    ck_assert_int_eq(r == REASON_OK, k.key != NULL);
    if (k.key)
        ck_assert(pubkey_eq(k.key, signkey_cert(signer)->key));
    jwk_done(&k);
    jwk_done(&k);
}
END_TEST

START_TEST(the_name_of_a_key_is_kept)
{
    struct jwk k = {0};
    ck_assert_int_eq(jwk_read(parsed("{" RSA ",'kid':'a\\'b','alg':'RS256'}"), &k), REASON_OK);
    ck_assert(span_eq(k.kid, SPAN("a\"b")) && span_eq(k.alg, SPAN("RS256")));
    jwk_done(&k);
    ck_assert_int_eq(jwk_read(parsed("{" RSA ",'kid':''}"), &k), REASON_OK);
    ck_assert(k.kid.p && k.kid.n == 0 && !k.alg.p);
    jwk_done(&k);
    ck_assert_int_eq(jwk_read(parsed("{" RSA "}"), &k), REASON_OK);
    ck_assert_ptr_null(k.kid.p);
    jwk_done(&k);
}
END_TEST

static const struct {
    const char *json;
    enum reason want;
    size_t usable;
} sets[] = {
    {"{'keys':[]}", REASON_OK, 0},
    {"{'keys':[{" RSA "}]}", REASON_OK, 1},
    {"{'keys':[{" RSA ",'kid':'a'},{" RSA ",'kid':'b'},{" RSA "}],'other':1}", REASON_OK, 3},
    /* a key that cannot be used is passed over */
    {"{'keys':[{'kty':'EC'},{" RSA "},{" RSA ",'use':'enc'},null]}", REASON_OK, 1},
    {"{'keys':[{'kty':'RSA','n':'AQAB','e':'AQAB'}]}", REASON_OK, 0},
    /* a private key anywhere spoils the set */
    {"{'keys':[{" RSA "},{" RSA ",'d':'AQ'}]}", REASON_KEY_PRIVATE, 0},
    {"{'keys':[{" RSA "},{'kty':'oct','k':'AAAA'}]}", REASON_KEY_PRIVATE, 0},
    {"{'keys':[1,2,3,4,5]}", REASON_TOO_LARGE, 0},
    {"{'keys':{" RSA "}}", REASON_KEY_FORM, 0},
    {"{'keys':null}", REASON_KEY_FORM, 0},
    {"{'Keys':[]}", REASON_KEY_FORM, 0},
    {"{}", REASON_KEY_FORM, 0},
    {"[{" RSA "}]", REASON_KEY_FORM, 0},
};

START_TEST(a_set_is_its_usable_keys)
{
    struct jwk keys[4];
    size_t n = 0;
    enum reason r = jwks_read(parsed(sets[_i].json), keys, ARRAY_LEN(keys), &n);
    ck_assert_msg(r == sets[_i].want, "%s: %s", sets[_i].json, reason_code(r));
    ck_assert_uint_eq(n, sets[_i].usable);
    while (n)
        jwk_done(&keys[--n]);
}
END_TEST

static bool is_b64url(const struct json_value *v, struct span bytes)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(65536);
    b64url_put(&b, bytes.p, bytes.n);
    return v && v->type == JSON_STRING && span_eq(v->text, buf_span(&b));
}

/* What we publish is what we would read. */
START_TEST(our_own_key_as_a_jwk)
{
    static const struct json_limits limits = {.bytes = 1 << 20};
    const struct cert *c = signkey_cert(signer);
    CLEANUP(buf_done) struct buf b = BUF_INIT(65536);
    const struct json_value *v;
    struct json_out j;
    struct jwk k;
    json_out_start(&j, &b);
    jwk_write(&j, c);
    ck_assert(!b.failed);
    ck_assert_int_eq(json_parse(doc, buf_span(&b), &limits, &v), REASON_OK);
    ck_assert_uint_eq(v->count, 9);
    ck_assert_int_eq(jwk_read(v, &k), REASON_OK);
    ck_assert(pubkey_eq(k.key, c->key) && span_eq(k.alg, SPAN("RS256")));
    ck_assert(is_b64url(json_get(v, "kid"), span_bytes(c->x5t, X5T_LEN)));
    ck_assert(is_b64url(json_get(v, "x5t"), span_bytes(c->x5t, X5T_LEN)));
    ck_assert(is_b64url(json_get(v, "x5t#S256"), span_bytes(c->x5t_s256, X5T_S256_LEN)));
    ck_assert(span_eq(json_get(v, "use")->text, SPAN("sig")));
    const struct json_value *x5c = json_get(v, "x5c");
    ck_assert(x5c->type == JSON_ARRAY && x5c->count == 1);
    uint8_t der[CERT_DER_MAX];
    ck_assert_int_eq(b64_decode(x5c->child->text, der, sizeof(der)), (long)c->der_len);
    ck_assert_mem_eq(der, c->der, c->der_len);
    jwk_done(&k);
}
END_TEST

START_TEST(a_full_buffer_is_told_by_the_buffer)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(500);
    struct json_out j;
    json_out_start(&j, &b);
    jwk_write(&j, signkey_cert(signer));
    ck_assert(b.failed);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, a_key_is_public_rsa_for_rs256, 0, ARRAY_LEN(rows));
    tcase_add_test(tc, the_name_of_a_key_is_kept);
    tcase_add_loop_test(tc, a_set_is_its_usable_keys, 0, ARRAY_LEN(sets));
    tcase_add_test(tc, our_own_key_as_a_jwk);
    tcase_add_test(tc, a_full_buffer_is_told_by_the_buffer);
}

int main(void)
{
    doc = json_doc_new();
    if (!doc || signkey_generate("signer", 0, 1000, &signer) != REASON_OK)
        return 1;
    int status = unit_run("jose_jwk", fill);
    json_doc_free(doc);
    signkey_free(signer);
    return status;
}
