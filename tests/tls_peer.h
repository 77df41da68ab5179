/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: a certification authority, server certificates of every kind, and a TLS server that says
 * exactly what a test wants. */
#pragma once

#include "span.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct tls_cert {
    X509 *cert;
    EVP_PKEY *key;
};

static inline void tls_cert_done(struct tls_cert *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
    *c = (struct tls_cert){0};
}

static inline void tls_cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ck_assert_msg(e && X509_add_ext(cert, e, -1), "%s", value);
    X509_EXTENSION_free(e);
}

/* What a certificate is like; `names` for subjectAltName, `usage` for extendedKeyUsage (NULL: left
 * out). */
struct tls_cert_form {
    const char *cn, *names, *usage;
    bool is_ca;
    long from_s, to_s; /* relative to now */
};

/* Signed by `by`, or by itself when NULL. */
static inline void tls_cert_make(
    struct tls_cert *out, const struct tls_cert_form *form, const struct tls_cert *by)
{
    static long serial = 1;
    out->key = EVP_EC_gen("P-256");
    out->cert = X509_new();
    X509 *c = out->cert, *issuer = by ? by->cert : c;
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c), form->from_s);
    X509_gmtime_adj(X509_getm_notAfter(c), form->to_s);
    X509_set_pubkey(c, out->key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(c), "CN", MBSTRING_UTF8, (const unsigned char *)form->cn, -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(issuer));
    tls_cert_extend(c, issuer, NID_subject_key_identifier, "hash");
    tls_cert_extend(
        c, issuer, NID_basic_constraints, form->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    tls_cert_extend(c, issuer, NID_key_usage,
        form->is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (by)
        tls_cert_extend(c, issuer, NID_authority_key_identifier, "keyid:always");
    if (form->names)
        tls_cert_extend(c, issuer, NID_subject_alt_name, form->names);
    if (form->usage)
        tls_cert_extend(c, issuer, NID_ext_key_usage, form->usage);
    ck_assert(X509_sign(c, by ? by->key : out->key, EVP_sha256()) > 0);
}

static inline void tls_cert_write(const struct tls_cert *c, const char *path)
{
    FILE *f = fopen(path, "w");
    ck_assert(f && PEM_write_X509(f, c->cert));
    fclose(f);
}

/* One connection after its handshake (or before, when there is no TLS). */
struct tls_talk {
    SSL *ssl; /* NULL: plain */
    int fd;
    char request[8192];
    char path[256]; /* of the request line */
};

static inline bool tls_say(struct tls_talk *t, const void *bytes, size_t n)
{
    if (n == 0)
        return true;
    return t->ssl ? SSL_write(t->ssl, bytes, (int)n) == (int)n
                  : send(t->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static inline bool tls_say_text(struct tls_talk *t, const char *text)
{
    return tls_say(t, text, strlen(text));
}

static inline bool tls_hear(struct tls_talk *t)
{
    size_t n = 0;
    while (n + 1 < sizeof(t->request)) {
        int r = t->ssl ? SSL_read(t->ssl, t->request + n, (int)(sizeof(t->request) - n - 1))
                       : (int)recv(t->fd, t->request + n, sizeof(t->request) - n - 1, 0);
        if (r <= 0)
            return false;
        n += (size_t)r;
        t->request[n] = '\0';
        if (strstr(t->request, "\r\n\r\n"))
            return sscanf(t->request, "GET %255s HTTP/1.1", t->path) == 1;
    }
    return false;
}

/* A server in a process of its own, on a port of its own. */
struct tls_peer {
    pid_t pid;
    unsigned port;
};

struct tls_peer_form {
    const struct tls_cert *cert; /* NULL: no TLS */
    int max_version;             /* 0: the newest */
    void (*serve)(struct tls_talk *t);
};

static inline void tls_peer_answer(const struct tls_peer_form *form, SSL_CTX *ctx, int fd)
{
    struct tls_talk t = {.fd = fd};
    if (ctx) {
        t.ssl = SSL_new(ctx);
        SSL_set_fd(t.ssl, fd);
        if (SSL_accept(t.ssl) <= 0)
            return;
    }
    form->serve(&t);
    if (t.ssl)
        SSL_shutdown(t.ssl);
}

static inline SSL_CTX *tls_peer_context(const struct tls_peer_form *form)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_use_certificate(ctx, form->cert->cert);
    SSL_CTX_use_PrivateKey(ctx, form->cert->key);
    SSL_CTX_set_min_proto_version(ctx, 0);
    SSL_CTX_set_max_proto_version(ctx, form->max_version);
    return ctx;
}

static inline void tls_peer_start(struct tls_peer *p, const struct tls_peer_form *form)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(sa);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(listener, 128), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &n), 0);
    p->port = ntohs(sa.sin_port);
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        /* Nothing of the test's may be kept open here: its other ends wait for the end of file. */
        listener = dup2(listener, STDERR_FILENO + 1);
        close_range(STDERR_FILENO + 2, ~0U, 0);
        SSL_CTX *ctx = form->cert ? tls_peer_context(form) : NULL;
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            pid_t one = fork();
            if (one == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                tls_peer_answer(form, ctx, fd);
                _exit(0);
            }
            close(fd);
        }
    }
    close(listener);
}

static inline void tls_peer_stop(struct tls_peer *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
}
