/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a JSON text as one key and as a key set. What is accepted has passed the policy. */
#include "jwk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define SET_MAX 8

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void check_key(struct jwk *k)
{
    const unsigned bits = pubkey_bits(k->key);
    const struct span modulus = pubkey_n(k->key), e = pubkey_e(k->key);
    expect(bits >= 2048 && bits <= 8192 && modulus.n == bits / 8);
    expect((uint8_t)modulus.p[0] & 0x80 && modulus.p[modulus.n - 1] & 1);
    expect(e.n >= 3 && e.n <= 4 && e.p[0] != 0 && e.p[e.n - 1] & 1);
    expect(!k->alg.p || span_eq(k->alg, SPAN("RS256")));
    jwk_done(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct json_limits limits = {.bytes = 65536};
    static struct json_doc *doc;
    const struct json_value *v;
    struct jwk one, set[SET_MAX];
    size_t count = SET_MAX + 1;
    if (!doc)
        doc = json_doc_new();
    if (!doc || json_parse(doc, span_bytes(data, n), &limits, &v) != REASON_OK)
        return 0;
    if (jwk_read(v, &one) == REASON_OK)
        check_key(&one);
    enum reason r = jwks_read(v, set, SET_MAX, &count);
    expect(r == REASON_OK ? count <= SET_MAX : count == SET_MAX + 1);
    for (size_t i = 0; r == REASON_OK && i < count; i++)
        check_key(&set[i]);
    return 0;
}
