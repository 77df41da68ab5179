/* SPDX-License-Identifier: Apache-2.0 */
#include "document_claims.h"

#include "b64.h"
#include "cleanup.h"
#include "json.h"
#include "token_seal.h"

static void put_keys(struct json_out *j, const struct keyring *ring)
{
    const struct cert *certs[KEYRING_MAX];
    size_t n = keyring_published_certs(ring, certs);
    json_out_array(j, SIGNED_DOCUMENT_KEYS);
    for (size_t i = 0; i < n; i++) {
        CLEANUP(buf_done) struct buf digest = BUF_INIT(64);
        b64url_put(&digest, (const char *)certs[i]->x5t_s256, X5T_S256_LEN);
        json_out_span(j, NULL, buf_span(&digest));
    }
    json_out_array_end(j);
}

enum reason document_claims_compose(
    const struct document_claims *d, struct buf *claims, int64_t *ret_expires_at)
{
    struct json_out j;
    if (!token_time_valid(d->now) || !token_time_valid(d->now + DOCUMENT_CLAIMS_LIFE_S))
        return REASON_INVALID_REQUEST;
    json_out_start(&j, claims);
    json_out_object(&j, NULL);
    json_out_str(&j, "iss", d->identity->issuer);
    token_put_time(&j, "iat", d->now);
    token_put_time(&j, "exp", d->now + DOCUMENT_CLAIMS_LIFE_S);
    json_out_int(&j, SIGNED_DOCUMENT_SEQUENCE, d->sequence);
    put_keys(&j, d->ring);
    json_out_object_end(&j);
    if (claims->failed)
        return REASON_OUT_OF_MEMORY;
    *ret_expires_at = d->now + DOCUMENT_CLAIMS_LIFE_S;
    return REASON_OK;
}
