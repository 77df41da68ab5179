/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7292: a MAC over a list of contents, each a list of bags, plain or encrypted; keys may be
 * encrypted once more by themselves. One level of bags is read, deeper ones are passed over. */
#include "pkcs12.h"

#include "evp_scope.h"
#include "signkey_internal.h"

#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define CONTENTS_MAX 16
#define BAGS_MAX 64 /* of all contents together */

/* One run over a file. */
struct opening {
    const char *password; /* NULL: the other way to write an empty one */
    int password_len;
    uint64_t rounds; /* asked for up to now */
    unsigned n_bags;
    struct key_parts *parts;
};

static void pkcs12_freep(PKCS12 **p)
{
    PKCS12_free(*p);
    *p = NULL;
}

static void pkcs7s_freep(STACK_OF(PKCS7) * *list)
{
    sk_PKCS7_pop_free(*list, PKCS7_free);
}

static void bags_freep(STACK_OF(PKCS12_SAFEBAG) * *list)
{
    sk_PKCS12_SAFEBAG_pop_free(*list, PKCS12_SAFEBAG_free);
}

static void p8_freep(PKCS8_PRIV_KEY_INFO **p8)
{
    PKCS8_PRIV_KEY_INFO_free(*p8); /* clears the key */
}

static void sig_freep(X509_SIG **sig)
{
    X509_SIG_free(*sig);
}

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

/* Counts rounds before they are run. `times`: how often the scheme runs them. Absent means 1. */
static enum reason charge(struct opening *o, const ASN1_INTEGER *rounds, unsigned times)
{
    uint64_t n = 1;
    if (rounds && (ASN1_INTEGER_get_uint64(&n, rounds) != 1 || n == 0))
        return REASON_KEY_FORM;
    if (n > PKCS12_ROUNDS_MAX || o->rounds + n * times > PKCS12_ROUNDS_MAX)
        return REASON_KEY_ROUNDS;
    o->rounds += n * times;
    return REASON_OK;
}

static const ASN1_OBJECT *object_of(const X509_ALGOR *a, const ASN1_TYPE **ret_parameter)
{
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&object, &type, &value, a);
    *ret_parameter = type == V_ASN1_SEQUENCE ? a->parameter : NULL;
    return object;
}

/* Appendix C of RFC 7292: key and vector are derived one after the other. */
static enum reason judge_pbe(struct opening *o, const ASN1_TYPE *parameter)
{
    PBEPARAM *p = parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), parameter) : NULL;
    enum reason r = p ? charge(o, p->iter, 2) : REASON_KEY_FORM;
    PBEPARAM_free(p);
    return r;
}

static enum reason judge_pbkdf2(struct opening *o, const X509_ALGOR *function)
{
    const ASN1_TYPE *parameter = NULL;
    if (OBJ_obj2nid(object_of(function, &parameter)) != NID_id_pbkdf2)
        return REASON_KEY_CIPHER;
    PBKDF2PARAM *p =
        parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter) : NULL;
    enum reason r = p ? charge(o, p->iter, 1) : REASON_KEY_FORM;
    PBKDF2PARAM_free(p);
    return r;
}

static bool is_known_cipher(const X509_ALGOR *a)
{
    const ASN1_TYPE *unused = NULL;
    switch (OBJ_obj2nid(object_of(a, &unused))) {
    case NID_aes_128_cbc:
    case NID_aes_192_cbc:
    case NID_aes_256_cbc:
    case NID_des_ede3_cbc:
        return true;
    default:
        return false;
    }
}

static enum reason judge_pbes2(struct opening *o, const ASN1_TYPE *parameter)
{
    PBE2PARAM *p =
        parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter) : NULL;
    enum reason r = !p                                ? REASON_KEY_FORM
                    : !is_known_cipher(p->encryption) ? REASON_KEY_CIPHER
                                                      : judge_pbkdf2(o, p->keyfunc);
    PBE2PARAM_free(p);
    return r;
}

/* May this be decrypted? */
static enum reason judge_encryption(struct opening *o, const X509_ALGOR *a)
{
    const ASN1_TYPE *parameter = NULL;
    switch (OBJ_obj2nid(object_of(a, &parameter))) {
    case NID_pbes2:
        return judge_pbes2(o, parameter);
    case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
        return judge_pbe(o, parameter);
    default:
        return REASON_KEY_CIPHER;
    }
}

static enum reason add_p8(struct opening *o, const PKCS8_PRIV_KEY_INFO *p8)
{
    int n = i2d_PKCS8_PRIV_KEY_INFO(p8, NULL);
    if (n <= 0)
        return REASON_KEY_FORM;
    uint8_t *der = OPENSSL_secure_malloc((size_t)n);
    uint8_t *at = der;
    if (!der)
        return REASON_OUT_OF_MEMORY;
    i2d_PKCS8_PRIV_KEY_INFO(p8, &at);
    enum reason r = key_parts_add_key(o->parts, span_bytes(der, (size_t)n), true);
    OPENSSL_secure_clear_free(der, (size_t)n);
    return r;
}

static enum reason add_shrouded(struct opening *o, const PKCS12_SAFEBAG *bag)
{
    const X509_ALGOR *algorithm = NULL;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
    enum reason r = judge_encryption(o, algorithm);
    if (r != REASON_OK)
        return r;
    CLEANUP(p8_freep)
    PKCS8_PRIV_KEY_INFO *p8 = PKCS12_decrypt_skey(bag, o->password, o->password_len);
    return p8 ? add_p8(o, p8) : REASON_KEY_FORM;
}

/* One that cannot be read is passed over: it will be missed if it was the one of the key. */
static enum reason add_cert_bag(struct opening *o, const PKCS12_SAFEBAG *bag)
{
    CLEANUP(x509_freep) X509 *x = PKCS12_SAFEBAG_get1_cert(bag);
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : 0; /* as it came: X509 keeps what it was read from */
    enum reason r = n > 0 ? key_parts_add_cert(o->parts, span_bytes(der, (size_t)n)) : REASON_OK;
    OPENSSL_free(der);
    return r;
}

static enum reason add_bag(struct opening *o, const PKCS12_SAFEBAG *bag)
{
    if (++o->n_bags > BAGS_MAX)
        return REASON_KEY_FORM;
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return add_p8(o, PKCS12_SAFEBAG_get0_p8inf(bag));
    case NID_pkcs8ShroudedKeyBag:
        return add_shrouded(o, bag);
    case NID_certBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate ? add_cert_bag(o, bag)
                                                                      : REASON_OK;
    default:
        return REASON_OK; /* lists of revoked certificates, secrets, bags in bags */
    }
}

static enum reason add_bags(struct opening *o, const STACK_OF(PKCS12_SAFEBAG) * bags)
{
    enum reason r = REASON_OK;
    for (int i = 0; r == REASON_OK && i < sk_PKCS12_SAFEBAG_num(bags); i++)
        r = add_bag(o, sk_PKCS12_SAFEBAG_value(bags, i));
    return r;
}

static enum reason add_content(struct opening *o, PKCS7 *content)
{
    CLEANUP(bags_freep) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    if (PKCS7_type_is_data(content)) {
        bags = PKCS12_unpack_p7data(content);
    } else if (PKCS7_type_is_encrypted(content) && content->d.encrypted) {
        enum reason r = judge_encryption(o, content->d.encrypted->enc_data->algorithm);
        if (r != REASON_OK)
            return r;
        bags = PKCS12_unpack_p7encdata(content, o->password, o->password_len);
    } else {
        return REASON_KEY_CIPHER; /* for a public key, which nobody makes */
    }
    return bags ? add_bags(o, bags) : REASON_KEY_FORM;
}

static bool is_known_digest(const ASN1_OBJECT *object)
{
    switch (OBJ_obj2nid(object)) {
    case NID_sha1:
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        return true;
    default:
        return false; /* PBMAC1 of RFC 9579 among them, which OpenSSL 3.0 cannot check */
    }
}

/* An empty password is written in two ways. */
static bool is_right_password(struct opening *o, PKCS12 *p)
{
    if (PKCS12_verify_mac(p, o->password, o->password_len) == 1)
        return true;
    if (o->password_len > 0)
        return false;
    o->password = NULL;
    return PKCS12_verify_mac(p, NULL, 0) == 1;
}

static enum reason check_mac(struct opening *o, PKCS12 *p)
{
    const ASN1_INTEGER *rounds = NULL;
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *digest = NULL;
    if (PKCS12_mac_present(p) != 1)
        return REASON_KEY_CIPHER; /* nobody could tell a wrong password from damage */
    PKCS12_get0_mac(NULL, &algorithm, NULL, &rounds, p);
    X509_ALGOR_get0(&digest, NULL, NULL, algorithm);
    if (!is_known_digest(digest))
        return REASON_KEY_CIPHER;
    enum reason r = charge(o, rounds, o->password_len > 0 ? 1 : 2);
    if (r != REASON_OK)
        return r;
    return is_right_password(o, p) ? REASON_OK : REASON_KEY_PASSWORD;
}

/* Decodes the whole of `der` or nothing: a file with something behind is not what its maker wrote.
 */
static PKCS12 *decode(struct span der)
{
    const unsigned char *at = (const unsigned char *)der.p;
    PKCS12 *p = d2i_PKCS12(NULL, &at, (long)der.n);
    if (p && at == (const unsigned char *)der.p + der.n)
        return p;
    PKCS12_free(p);
    return NULL;
}

enum reason pkcs12_open(struct span der, struct span password, struct key_parts *ret)
{
    struct opening o = {
        .password = password.n ? password.p : "", .password_len = (int)password.n, .parts = ret};
    CLEANUP(pkcs12_freep) PKCS12 *p = decode(der);
    if (!p)
        return REASON_KEY_FORM;
    enum reason r = check_mac(&o, p);
    if (r != REASON_OK)
        return r;
    CLEANUP(pkcs7s_freep) STACK_OF(PKCS7) *contents = PKCS12_unpack_authsafes(p);
    if (!contents || sk_PKCS7_num(contents) > CONTENTS_MAX)
        return REASON_KEY_FORM;
    for (int i = 0; r == REASON_OK && i < sk_PKCS7_num(contents); i++)
        r = add_content(&o, sk_PKCS7_value(contents, i));
    return r;
}

enum reason pkcs12_open_pkcs8(struct span der, struct span password, struct key_parts *ret)
{
    struct opening o = {.parts = ret};
    const unsigned char *at = (const unsigned char *)der.p;
    const X509_ALGOR *algorithm = NULL;
    CLEANUP(sig_freep) X509_SIG *sig = d2i_X509_SIG(NULL, &at, (long)der.n);
    if (!sig || at != (const unsigned char *)der.p + der.n)
        return REASON_KEY_FORM;
    X509_SIG_get0(sig, &algorithm, NULL);
    enum reason r = judge_encryption(&o, algorithm);
    if (r != REASON_OK)
        return r;
    CLEANUP(p8_freep)
    PKCS8_PRIV_KEY_INFO *p8 = PKCS8_decrypt(sig, password.n ? password.p : "", (int)password.n);
    return p8 ? add_p8(&o, p8) : REASON_KEY_PASSWORD; /* there is no MAC: damage looks the same */
}

/* Sealing. */

static void secret_freep(char **text)
{
    OPENSSL_secure_clear_free(*text, *text ? strlen(*text) : 0);
}

static PKCS12 *make(const struct signkey *key, const char *password)
{
    const struct cert *c = key->cert;
    const unsigned char *at = (const unsigned char *)c->der;
    CLEANUP(x509_freep) X509 *x = d2i_X509(NULL, &at, (long)c->der_len);
    if (!x)
        return NULL;
    /* PBES2 of OpenSSL 3 is PBKDF2 with HMAC-SHA256. */
    PKCS12 *p = PKCS12_create(password, NULL, key->pkey, x, NULL, NID_aes_256_cbc, NID_aes_256_cbc,
        PKCS12_SEAL_ROUNDS, -1, 0);
    if (p && PKCS12_set_mac(p, password, -1, NULL, 0, PKCS12_SEAL_ROUNDS, digest_evp_sha256()) != 1)
        pkcs12_freep(&p);
    return p;
}

enum reason pkcs12_seal(const struct signkey *key, struct span password, struct buf *out)
{
    CLEANUP(secret_freep) char *text = OPENSSL_secure_zalloc(password.n + 1);
    if (!text)
        return REASON_OUT_OF_MEMORY;
    memcpy(text, password.p, password.n);
    CLEANUP(pkcs12_freep) PKCS12 *p = make(key, text);
    unsigned char *der = NULL;
    int n = p ? i2d_PKCS12(p, &der) : 0;
    buf_put(out, der, n > 0 ? (size_t)n : 0);
    OPENSSL_free(der);
    return n > 0 && !out->failed ? REASON_OK : REASON_OUT_OF_MEMORY;
}
