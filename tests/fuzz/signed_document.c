/* SPDX-License-Identifier: Apache-2.0 */
/* signed_metadata of partners' documents under foreign bytes. Input: a token; or, when it begins
 * with '{', header and claims on a line each, which are encoded and signed here with the partner's
 * own key, so that the rungs behind the signature are reached. What is believed must be what the
 * header file promises. */
#include "signed_document.h"
#include "check_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
    struct world w;
    struct jws_scratch *scratch, *oracle;
    struct signed_document d;
} fuzz;

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The key has a name that seeds can know. */
static void name_key(struct partner_trust *t)
{
    memcpy(t->keys[0].kid, "k", 2);
}

static void open_once(void)
{
    if (fuzz.scratch)
        return;
    world_open(&fuzz.w);
    world_edit(&fuzz.w, "peer", name_key);
    fuzz.scratch = jws_scratch_new();
    fuzz.oracle = jws_scratch_new();
    demand(fuzz.scratch && fuzz.oracle);
}

static void put_signed(struct buf *token, struct span in)
{
    CLEANUP(buf_done) struct buf signature = BUF_INIT(2048);
    size_t first = span_find(in, '\n');
    struct span claims = first < in.n ? span_skip(in, first + 1) : SPAN("");
    claims.n = span_find(claims, '\n');
    b64url_put(token, in.p, first);
    buf_put_char(token, '.');
    b64url_put(token, claims.p, claims.n);
    demand(!token->failed);
    demand(signkey_sign_rs256(fuzz.w.key, buf_span(token), &signature) == REASON_OK);
    buf_put_char(token, '.');
    b64url_put(token, signature.p, signature.n);
}

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
    const struct signed_document *d = &fuzz.d;
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
    struct span in = span_bytes(data, n);
    open_once();
    if (n > 0 && data[0] == '{')
        put_signed(&token, in);
    else
        buf_put_span(&token, in);
    struct signed_against a = against();
    if (signed_document_check(fuzz.scratch, buf_span(&token), &a, &fuzz.d) == REASON_OK)
        prove(buf_span(&token), &a);
    return 0;
}
