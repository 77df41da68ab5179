/* SPDX-License-Identifier: Apache-2.0 */
#include "check_key.h"

#include "digest.h"

static bool kid_matches(const struct partner_key *key, struct span kid)
{
    char text[X5T_TEXT_LEN];
    if (kid.n == 0)
        return false;
    return span_eq_str(kid, key->kid) ||
           (key->has_x5t && span_eq_str(kid, x5t_text(key->x5t, text)));
}

bool check_key_matches(const struct partner_key *key, const struct jws_header *h)
{
    if (h->x5t_malformed || ((h->has_x5t || h->has_x5t_s256) && !key->has_x5t))
        return false;
    return (!h->has_kid || kid_matches(key, h->kid)) &&
           (!h->has_x5t || memcmp(h->x5t, key->x5t, X5T_LEN) == 0) &&
           (!h->has_x5t_s256 || memcmp(h->x5t_s256, key->x5t_s256, X5T_S256_LEN) == 0);
}

bool check_key_is_pinned(const struct partner_key *key, const struct jws_header *h)
{
    char text[X5T_TEXT_LEN];
    return h->has_x5t || h->has_x5t_s256 ||
           (key->has_x5t && h->has_kid && span_eq_str(h->kid, x5t_text(key->x5t, text)));
}

bool check_key_id(const struct jws_header *h, uint8_t ret[X5T_LEN])
{
    uint8_t hash[SHA256_LEN];
    if (h->x5t_malformed || (!h->has_x5t && !h->has_x5t_s256 && !h->has_kid))
        return false;
    if (h->has_x5t)
        memcpy(ret, h->x5t, X5T_LEN);
    else if (h->has_x5t_s256)
        memcpy(ret, h->x5t_s256, X5T_LEN);
    else if (digest_sha256(h->kid, hash))
        memcpy(ret, hash, X5T_LEN);
    else
        return false;
    return true;
}

static bool is_there(const struct partner_key *key)
{
    return key->state != PKEY_NEW && key->state != PKEY_GONE;
}

enum reason check_key_find(
    const struct partner_trust *t, const struct jws_header *h, const struct partner_key **ret)
{
    const struct partner_key *found = NULL;
    if (!h->has_kid && !h->has_x5t && !h->has_x5t_s256)
        return REASON_NO_KEY_ID;
    for (size_t i = 0; t && i < t->n_keys; i++) {
        if (!is_there(&t->keys[i]) || !check_key_matches(&t->keys[i], h))
            continue;
        if (found)
            return REASON_UNKNOWN_KEY;
        found = &t->keys[i];
    }
    if (!found)
        return REASON_UNKNOWN_KEY;
    *ret = found;
    return REASON_OK;
}
