/* SPDX-License-Identifier: Apache-2.0 */
/* One context for the whole process: there are no threads, and setting up a fresh one costs as much
 * as hashing a token. The algorithms are fetched once, because EVP_sha256() is looked up again at
 * every use. */
#include "digest.h"

#include "evp_scope.h"

#include <openssl/err.h>

static EVP_MD_CTX *md_ctx;
static EVP_MD *md_sha1, *md_sha256;

static const EVP_MD *fetch_once(EVP_MD **slot, const char *name)
{
    if (!*slot)
        *slot = EVP_MD_fetch(NULL, name, NULL);
    return *slot;
}

const EVP_MD *digest_evp_sha256(void)
{
    return fetch_once(&md_sha256, "SHA256");
}

static bool digest(const EVP_MD *md, struct span in, uint8_t *out)
{
    if (!md_ctx)
        md_ctx = EVP_MD_CTX_new();
    bool ok = md && md_ctx && EVP_DigestInit_ex2(md_ctx, md, NULL) == 1 &&
              EVP_DigestUpdate(md_ctx, in.p, in.n) == 1 &&
              EVP_DigestFinal_ex(md_ctx, out, NULL) == 1;
    if (!ok)
        ERR_clear_error();
    return ok;
}

bool digest_sha1(struct span in, uint8_t out[SHA1_LEN])
{
    return digest(fetch_once(&md_sha1, "SHA1"), in, out);
}

bool digest_sha256(struct span in, uint8_t out[SHA256_LEN])
{
    return digest(digest_evp_sha256(), in, out);
}

char *digest_token_hash(struct span token, char out[TOKEN_HASH_LEN])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[SHA256_LEN] = {0};
    /* Without memory the name is all zeroes: a log line is never worth a failure. */
    (void)digest_sha256(token, hash);
    for (size_t i = 0; i < (TOKEN_HASH_LEN - 1) / 2; i++) {
        out[2 * i] = hex[hash[i] >> 4];
        out[2 * i + 1] = hex[hash[i] & 15];
    }
    out[TOKEN_HASH_LEN - 1] = '\0';
    return out;
}
