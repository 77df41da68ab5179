/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include "cleanup.h"
#include "file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#define TLS_FILE_MAX ((size_t)256 * 1024)

static void bio_freep(BIO **b)
{
    BIO_free(*b);
}

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

void tls_freep(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
    *ctx = NULL;
}

/* Keys are never asked a passphrase for. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static int refuse(char *why, const char *path, const char *what)
{
    ERR_clear_error();
    snprintf(why, TLS_WHY_MAX, "%s: %s", path, what);
    return -EINVAL;
}

/* The leaf, then the chain, until the file ends. */
static int use_certificates(SSL_CTX *ctx, const char *path, struct span pem, char *why)
{
    CLEANUP(bio_freep) BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    CLEANUP(x509_freep)
    X509 *leaf = in ? PEM_read_bio_X509_AUX(in, NULL, no_passphrase, NULL) : NULL;
    if (!leaf)
        return refuse(why, path, "no certificate in PEM form at the start of the file");
    if (SSL_CTX_use_certificate(ctx, leaf) != 1)
        return refuse(why, path, "the certificate cannot be used for TLS (too weak a key?)");
    for (;;) {
        X509 *link = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
        if (!link)
            break;
        if (SSL_CTX_add0_chain_cert(ctx, link) != 1) {
            X509_free(link);
            return refuse(why, path, "a certificate of the chain cannot be used");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(why, path, "a certificate of the chain cannot be read");
    ERR_clear_error();
    return 0;
}

static int use_key(SSL_CTX *ctx, const char *path, struct span pem, char *why)
{
    CLEANUP(bio_freep) BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    CLEANUP(pkey_freep)
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    if (!key)
        return refuse(why, path, "no unencrypted private key in PEM form");
    if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        return refuse(why, path, "the private key does not belong to the certificate");
    return 0;
}

/* The broker is not root, and files of a web server often are root's alone. */
static int advise(int r, char *why)
{
    size_t n = strlen(why);
    if (r == -EACCES)
        snprintf(why + n, TLS_WHY_MAX - n,
            "; s2sd runs as uid %u here: let its group read the file (chgrp, chmod 0640) and pass "
            "its folders (chmod g+x)",
            (unsigned)geteuid());
    return r;
}

/* A name that is a link is followed, since certbot and its like keep the newest key behind one
 * (live/HOST/privkey.pem -> ../../archive/HOST/privkey7.pem); the file at its end is judged as
 * strictly as any key. */
static int read_key(const char *path, struct buf *ret, char *why)
{
    char text[128];
    CLEANUP(freep) char *real = realpath(path, NULL);
    if (!real) {
        int e = errno;
        snprintf(why, TLS_WHY_MAX, "%s: cannot find the file: %s", path,
            strerror_r(e, text, sizeof(text)));
        return -e;
    }
    return file_read(real, FILE_KEY, TLS_FILE_MAX, ret, why, TLS_WHY_MAX);
}

static int read_files(SSL_CTX *ctx, const struct settings *s, char *why)
{
    CLEANUP(buf_done) struct buf certificate = BUF_INIT(TLS_FILE_MAX);
    CLEANUP(buf_done) struct buf key = BUF_INIT(TLS_FILE_MAX);
    key.secret = true;
    if (!s->tls.certificate || !s->tls.private_key)
        return refuse(why, "[TLS]",
            "Certificate= and PrivateKey= are needed to serve the public documents over HTTPS; "
            "where "
            "another server does that: systemctl mask --now s2sd.socket");
    int r =
        file_read(s->tls.certificate, FILE_CONFIG, TLS_FILE_MAX, &certificate, why, TLS_WHY_MAX);
    if (r == 0)
        r = read_key(s->tls.private_key, &key, why);
    if (r < 0)
        return advise(r, why);
    r = use_certificates(ctx, s->tls.certificate, buf_span(&certificate), why);
    if (r == 0)
        r = use_key(ctx, s->tls.private_key, buf_span(&key), why);
    return r;
}

/* RFC 7301: http/1.1 or nothing; a peer that offers only others is turned away in the handshake. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_policy(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

int tls_new(const struct settings *s, SSL_CTX **ret, char why[TLS_WHY_MAX])
{
    CLEANUP(tls_freep) SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !set_policy(ctx)) {
        ERR_clear_error();
        snprintf(why, TLS_WHY_MAX, "OpenSSL has no memory or no TLS 1.2");
        return -ENOMEM;
    }
    int r = read_files(ctx, s, why);
    if (r == 0)
        *ret = TAKE(ctx);
    return r;
}
