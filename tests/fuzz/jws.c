/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes as a compact token, from the dots to the signature. One key, which signed one
 * token ever: whatever else is believed is a forgery. */
#include "jws.h"
#include "b64.h"
#include "jose_seeds.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct jws_scratch *scratch;
static struct jwk key;

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static void start(void)
{
    uint8_t modulus[256];
    scratch = jws_scratch_new();
    expect(scratch && b64url_decode(SPAN(seed_modulus), modulus, sizeof(modulus)) == 256);
    expect(pubkey_new(span_bytes(modulus, 256), SPAN("\1\0\1"), &key.key) == REASON_OK);
    key.kid = SPAN("seed");
    expect(jws_verify_rs256(scratch, SPAN(seed_token), &key, 1) == REASON_OK);
}

/* The parts, joined again, are the token. */
static void check_parts(struct span token, const struct jws_parts *p)
{
    expect(p->header.n && p->payload.n && p->header.p == token.p);
    expect(p->header.n + 1 + p->payload.n == p->signing_input.n && p->signing_input.p == token.p);
    expect(p->signing_input.n + 1 + p->signature.n == token.n);
    expect(p->payload.p == token.p + p->header.n + 1);
    expect(p->signature.p == token.p + p->signing_input.n + 1);
    expect(span_find(p->signature, '.') == p->signature.n);
}

static void read_all(const struct jws_parts *p)
{
    struct jws_header h;
    const struct json_value *payload;
    struct span sig;
    if (jws_read_header(scratch, p->header, &h) == REASON_OK)
        expect(h.members <= 5 && (!h.x5t_malformed || h.has_x5t || h.has_x5t_s256));
    if (jws_read_payload(scratch, p->payload, &payload) == REASON_OK)
        expect(payload->type == JSON_OBJECT && payload->count <= 64);
    if (jws_read_signature(scratch, p->signature, &sig) == REASON_OK)
        expect(sig.n <= 1024 && B64URL_ENCODED(sig.n) == p->signature.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span token = span_bytes(data, n);
    struct jws_parts parts;
    if (!scratch)
        start();
    if (jws_split(token, JWS_TOKEN_MAX, &parts) == REASON_OK) {
        check_parts(token, &parts);
        read_all(&parts);
    }
    if (jws_verify_rs256(scratch, token, &key, 1) == REASON_OK)
        expect(span_eq(token, SPAN(seed_token)));
    return 0;
}
