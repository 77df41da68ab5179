/* SPDX-License-Identifier: Apache-2.0 */
#include "jwk.h"

#include "attr.h"
#include "b64.h"
#include "keypolicy.h"

/* Members that only a private or a symmetric key has (RFC 7518 6.3.2, 6.2.2, 6.4.1). */
static bool has_private_members(const struct json_value *object)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (json_get(object, names[i]))
            return true;
    return false;
}

/* True when the member is there and is exactly this string. */
static bool is_string(const struct json_value *v, const char *text)
{
    return v && v->type == JSON_STRING && span_eq_str(v->text, text);
}

static bool may_verify(const struct json_value *object)
{
    const struct json_value *use = json_get(object, "use"), *ops = json_get(object, "key_ops");
    if (use && !is_string(use, "sig"))
        return false;
    if (!ops)
        return true;
    bool found = false;
    if (ops->type == JSON_ARRAY)
        JSON_EACH (op, ops)
            found |= is_string(op, "verify");
    return found;
}

/* An absent member leaves an empty span; false when it is no string. */
static bool optional_string(const struct json_value *object, const char *name, struct span *ret)
{
    const struct json_value *v = json_get(object, name);
    if (v && v->type != JSON_STRING)
        return false;
    if (v)
        *ret = v->text;
    return true;
}

static bool read_number(
    const struct json_value *object, const char *name, uint8_t *room, size_t cap, struct span *ret)
{
    const struct json_value *v = json_get(object, name);
    long n = v && v->type == JSON_STRING ? b64url_decode(v->text, room, cap) : -1;
    if (n < 0)
        return false;
    *ret = span_bytes(room, (size_t)n);
    return true;
}

/* Room for more than the policy allows, so that it is the policy that speaks about size. */
#define NUMBER_ROOM (4 * RSA_BYTES_MAX)

static enum reason read_rsa(const struct json_value *object, struct pubkey **ret)
{
    uint8_t n_room[NUMBER_ROOM], e_room[NUMBER_ROOM];
    struct span n, e;
    if (!read_number(object, "n", n_room, sizeof(n_room), &n) ||
        !read_number(object, "e", e_room, sizeof(e_room), &e))
        return REASON_KEY_FORM;
    return pubkey_new(n, e, ret);
}

enum reason jwk_read(const struct json_value *v, struct jwk *ret)
{
    struct jwk k = {0};
    if (v->type != JSON_OBJECT)
        return REASON_KEY_FORM;
    if (has_private_members(v))
        return REASON_KEY_PRIVATE;
    const struct json_value *alg = json_get(v, "alg");
    if (!is_string(json_get(v, "kty"), "RSA") || (alg && !is_string(alg, "RS256")))
        return REASON_KEY_TYPE;
    if (!may_verify(v))
        return REASON_KEY_USE;
    if (!optional_string(v, "kid", &k.kid) || !optional_string(v, "alg", &k.alg))
        return REASON_KEY_FORM;
    enum reason r = read_rsa(v, &k.key);
    if (r != REASON_OK)
        return r;
    *ret = k;
    return REASON_OK;
}

void jwk_done(struct jwk *k)
{
    pubkey_free(k->key);
    *k = (struct jwk){0};
}

/* Fills `keys` and counts in *n; the caller releases them when the set is refused. */
static enum reason read_set(const struct json_value *list, struct jwk *keys, size_t cap, size_t *n)
{
    if (list->count > cap)
        return REASON_TOO_LARGE;
    JSON_EACH (v, list) {
        enum reason r = jwk_read(v, &keys[*n]);
        if (r == REASON_KEY_PRIVATE || r == REASON_OUT_OF_MEMORY)
            return r;
        if (r == REASON_OK)
            (*n)++;
    }
    return REASON_OK;
}

enum reason jwks_read(const struct json_value *v, struct jwk *keys, size_t cap, size_t *ret_n)
{
    const struct json_value *list = v->type == JSON_OBJECT ? json_get(v, "keys") : NULL;
    if (!list || list->type != JSON_ARRAY)
        return REASON_KEY_FORM;
    size_t n = 0;
    enum reason r = read_set(list, keys, cap, &n);
    if (r != REASON_OK) {
        while (n)
            jwk_done(&keys[--n]);
        return r;
    }
    *ret_n = n;
    return REASON_OK;
}

/* A member whose value is base64 of bytes: `put` is b64url_put or b64_put. Out of memory is told by
 * the output buffer, as with every other member. */
static void write_bytes(struct json_out *j, const char *name, struct span bytes,
    void (*put)(struct buf *, const void *, size_t))
{
    struct buf text = BUF_INIT(2 * CERT_DER_MAX);
    put(&text, bytes.p, bytes.n);
    if (text.failed)
        j->b->failed = true;
    else
        json_out_span(j, name, buf_span(&text));
    buf_done(&text);
}

void jwk_write(struct json_out *j, const struct cert *c)
{
    char x5t[X5T_TEXT_LEN];
    x5t_text(c->x5t, x5t);
    json_out_object(j, NULL);
    json_out_str(j, "kty", "RSA");
    json_out_str(j, "use", "sig");
    json_out_str(j, "alg", "RS256");
    json_out_str(j, "kid", x5t);
    json_out_str(j, "x5t", x5t);
    write_bytes(j, "x5t#S256", span_bytes(c->x5t_s256, X5T_S256_LEN), b64url_put);
    write_bytes(j, "n", pubkey_n(c->key), b64url_put);
    write_bytes(j, "e", pubkey_e(c->key), b64url_put);
    json_out_array(j, "x5c");
    write_bytes(j, NULL, span_bytes(c->der, c->der_len), b64_put);
    json_out_array_end(j);
    json_out_object_end(j);
}
