/* SPDX-License-Identifier: Apache-2.0 */
#include "announce.h"

#include "b64.h"
#include "cleanup.h"
#include "json.h"
#include "token_seal.h"

enum reason announce_compose(
    const struct announcement *a, struct buf *claims, int64_t *ret_expires_at)
{
    struct json_out j;
    char x5t[X5T_TEXT_LEN];
    if (a->n_trusts > ANNOUNCE_KEYS_MAX || !token_time_valid(a->now + ANNOUNCE_LIFE_S) ||
        !token_time_valid(a->now))
        return REASON_INVALID_REQUEST;
    json_out_start(&j, claims);
    json_out_object(&j, NULL);
    json_out_str(&j, "iss", a->identity->issuer);
    json_out_span(&j, "aud", a->url);
    token_put_time(&j, "iat", a->now);
    token_put_time(&j, "exp", a->now + ANNOUNCE_LIFE_S);
    json_out_array(&j, ANNOUNCE_TRUSTS);
    for (size_t i = 0; i < a->n_trusts; i++)
        json_out_str(&j, NULL, x5t_text(a->trusts[i], x5t));
    json_out_array_end(&j);
    json_out_object_end(&j);
    if (claims->failed)
        return REASON_OUT_OF_MEMORY;
    *ret_expires_at = a->now + ANNOUNCE_LIFE_S;
    return REASON_OK;
}
