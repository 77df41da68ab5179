/* SPDX-License-Identifier: Apache-2.0 */
/* How a partner's TLS certificate is judged (rule R33): OpenSSL's chain check with its strict
 * flags, host names without the common name and without partial wildcards, and what OpenSSL lets
 * through by itself: any or no extended key usage, version 1, a CA certificate as the server's, a
 * common name that is no alternative name, DSA keys. */
#pragma once

#include "attr.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>

/* Puts the rules into a TLS context for one connection to `host` (a DNS name or an IP address
 * without brackets). *ret_why, which must outlive the connection, gets a static sentence when a
 * rule of ours refuses. */
bool tls_verify_setup(SSL_CTX *ssl, const char *host, const char **ret_why) WARN_UNUSED;

/* The two halves of it, shared with whoever has certificates but no connection: rules into the
 * parameters (host NULL: no name is checked) ... */
bool tls_verify_params(X509_VERIFY_PARAM *param, const char *host) WARN_UNUSED;
/* ... and the verdict on the chain in `ctx` for X509_PURPOSE_SSL_SERVER (or _CLIENT): 1 believed, 0
 * refused with the error set in ctx; *ret_why as above. */
int tls_verify_chain(X509_STORE_CTX *ctx, int purpose, const char **ret_why);
