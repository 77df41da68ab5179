/* SPDX-License-Identifier: Apache-2.0 */
/* signed_metadata of partners' documents under foreign bytes. What is believed must be what the
 * header file promises. */
#include "signed_document.h"
#include "signed_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct signed_document document;

static struct signed_against against(void)
{
    const struct partner_trust *t = store_get(fuzz.w.store, SPAN("peer"));
    const struct partner *p = settings_partner(fuzz.w.settings, SPAN("peer"));
    return (struct signed_against){
        .issuer = p->issuer, .keys = t->keys, .n_keys = t->n_keys, .now = WORLD_NOW, .skew_s = 300};
}

/* Read again by hand: everything that makes it the partner's word. */
static void prove(struct span token, const struct signed_against *a)
{
    const struct signed_document *d = &document;
    struct jws_parts parts;
    struct jws_header h;
    const struct json_value *p;
    demand(jws_split(token, JWS_TOKEN_MAX, &parts) == REASON_OK);
    demand(jws_read_header(fuzz.oracle, parts.header, &h) == REASON_OK);
    demand(span_eq(h.typ, SPAN("s2s-metadata+jwt")) && span_eq(h.alg, SPAN("RS256")));
    demand(jws_read_payload(fuzz.oracle, parts.payload, &p) == REASON_OK);
    demand(span_eq_str(json_get(p, "iss")->text, a->issuer));
    demand(json_get(p, "keys")->count == d->n_keys);
    demand(d->n_keys >= 1 && d->n_keys <= SIGNED_DOCUMENT_KEYS_MAX && d->sequence >= 1);
    demand(d->issued_at <= a->now + 300 && d->expires_at > a->now - 300);
    demand(d->expires_at - d->issued_at <= SIGNED_DOCUMENT_LIFE_MAX_S);
    demand(d->signed_by == &a->keys[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 22);
    token_of_input(data, n, &token);
    struct signed_against a = against();
    if (signed_document_check(fuzz.scratch, buf_span(&token), &a, &document) == REASON_OK)
        prove(buf_span(&token), &a);
    return 0;
}
