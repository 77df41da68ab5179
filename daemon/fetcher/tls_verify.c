/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_verify.h"

#include "attr.h"
#include "span.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#define TLS_SECURITY_LEVEL 2 /* 112 bits: no SHA-1 signatures, RSA from 2048 bits */
#define HOST_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool tls_verify_params(X509_VERIFY_PARAM *param, const char *host)
{
    X509_VERIFY_PARAM_set_hostflags(param, HOST_FLAGS);
    X509_VERIFY_PARAM_set_auth_level(param, TLS_SECURITY_LEVEL);
    if (!X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT))
        return false;
    if (!host)
        return true;
    return is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                            : X509_VERIFY_PARAM_set1_host(param, host, 0);
}

/* RSA, ECDSA and the Edwards curves; DSA passes OpenSSL's levels. */
static bool has_usable_key(X509 *cert)
{
    switch (EVP_PKEY_get_base_id(X509_get0_pubkey(cert))) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_EC:
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return true;
    default:
        return false;
    }
}

/* The purpose must be named: a certificate for nothing in particular, or for anything, is none for
 * a server. */
static bool names_purpose(X509 *cert, int purpose)
{
    uint32_t wanted = purpose == X509_PURPOSE_SSL_CLIENT ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    uint32_t usage = X509_get_extended_key_usage(cert);
    return (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) && (usage & wanted) &&
           !(usage & XKU_ANYEKU);
}

static bool looks_like_host(struct span text)
{
    bool has_dot = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = ascii_lower(text.p[i]);
        has_dot |= c == '.';
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return has_dot;
}

/* `name` is one of the alternative name's, or a domain above it ("example.com" above
 * "www.example.com"). */
static bool is_covered(struct span name, const ASN1_STRING *alternative)
{
    struct span a =
        span_bytes(ASN1_STRING_get0_data(alternative), (size_t)ASN1_STRING_length(alternative));
    if (a.n < name.n || !span_eq_nocase(span_skip(a, a.n - name.n), name))
        return false;
    return a.n == name.n || a.p[a.n - name.n - 1] == '.';
}

static void names_freep(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

/* True when there are alternative host names and none of them covers `cn`. */
static bool is_stray(X509 *cert, struct span cn)
{
    CLEANUP(names_freep)
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool has_hosts = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        has_hosts = true;
        if (is_covered(cn, name->d.dNSName))
            return false;
    }
    return has_hosts;
}

/* The common name is another host than the alternative names: two readers would see two servers
 * (CA/Browser Forum baseline requirements, 7.1.4.3). Free text there is harmless, nobody takes it
 * for a host. */
static bool has_stray_common_name(X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return false;
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    struct span cn = span_bytes(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    return looks_like_host(cn) && is_stray(cert, cn);
}

/* NULL, or what is wrong with the certificate of the server itself. */
static const char *judge_leaf(X509 *leaf, int purpose)
{
    if (X509_get_version(leaf) != X509_VERSION_3)
        return "the certificate is not of version 3";
    if (X509_get_extension_flags(leaf) & EXFLAG_CA)
        return "the certificate is that of a certification authority, not of a server";
    if (!names_purpose(leaf, purpose))
        return "the certificate's extended key usage is not serverAuth";
    if (has_stray_common_name(leaf))
        return "the certificate's common name is another host than its alternative names";
    return NULL;
}

static const char *judge(const STACK_OF(X509) * chain, int purpose)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (!has_usable_key(sk_X509_value(chain, i)))
            return "a key in the certificate chain is neither RSA nor of an elliptic curve";
    return judge_leaf(sk_X509_value(chain, 0), purpose);
}

int tls_verify_chain(X509_STORE_CTX *ctx, int purpose, const char **ret_why)
{
    if (X509_verify_cert(ctx) <= 0)
        return 0;
    const char *why = judge(X509_STORE_CTX_get0_chain(ctx), purpose);
    if (!why)
        return 1;
    *ret_why = why;
    X509_STORE_CTX_set_error_depth(ctx, 0);
    X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static int on_verify(X509_STORE_CTX *ctx, void *ret_why)
{
    return tls_verify_chain(ctx, X509_PURPOSE_SSL_SERVER, ret_why);
}

bool tls_verify_setup(SSL_CTX *ssl, const char *host, const char **ret_why)
{
    SSL_CTX_set_security_level(ssl, TLS_SECURITY_LEVEL);
    SSL_CTX_set_cert_verify_callback(ssl, on_verify, ret_why);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) &&
           tls_verify_params(SSL_CTX_get0_param(ssl), host);
}
