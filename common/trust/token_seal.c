/* SPDX-License-Identifier: Apache-2.0 */
#include "token_seal.h"

#include "b64.h"
#include "cleanup.h"
#include "jws.h"

#include <inttypes.h>
#include <stdio.h>

void token_put_time(struct json_out *j, const char *name, int64_t t)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, t);
    json_out_str(j, name, text);
}

static enum reason write_header(const char *typ, const struct signkey *key, struct buf *ret)
{
    char x5t[X5T_TEXT_LEN];
    struct json_out j;
    json_out_start(&j, ret);
    json_out_object(&j, NULL);
    json_out_str(&j, "typ", typ);
    json_out_str(&j, "alg", key ? "RS256" : "none");
    if (key)
        json_out_str(&j, "x5t", x5t_text(signkey_cert(key)->x5t, x5t));
    json_out_object_end(&j);
    return ret->failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

enum reason token_seal(const char *typ, struct span claims, struct signkey *key, struct buf *token)
{
    CLEANUP(buf_done) struct buf header = BUF_INIT(JWS_HEADER_MAX);
    enum reason reason = write_header(typ, key, &header);
    if (reason != REASON_OK)
        return reason;
    b64url_put(token, header.p, header.n);
    buf_put_char(token, '.');
    b64url_put(token, claims.p, claims.n);
    CLEANUP(buf_done) struct buf signature = {.max = 1024, .secret = true};
    if (key && !token->failed) {
        reason = signkey_sign_rs256(key, buf_span(token), &signature);
        if (reason != REASON_OK)
            return reason;
    }
    buf_put_char(token, '.');
    b64url_put(token, signature.p, signature.n);
    return token->failed || signature.failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}
