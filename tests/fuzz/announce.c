/* SPDX-License-Identifier: Apache-2.0 */
/* Announce tokens under foreign bytes. Input: a token; or, when it begins with '{', header and
 * claims on a line each, which are encoded and signed here with the partner's own key, so that the
 * rungs behind the signature are reached. What is believed must be what the header file promises.
 */
#include "check_announce.h"
#include "check_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
    struct world w;
    struct jws_scratch *scratch, *oracle;
    struct announce_checked v;
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

/* Read again by hand: everything that makes it an announcement to us. */
static void prove(struct span token)
{
    struct jws_parts parts;
    struct jws_header h;
    const struct json_value *p;
    demand(token.n <= ANNOUNCE_TOKEN_MAX);
    demand(jws_split(token, ANNOUNCE_TOKEN_MAX, &parts) == REASON_OK);
    demand(jws_read_header(fuzz.oracle, parts.header, &h) == REASON_OK);
    demand(span_eq(h.typ, SPAN("s2s-announce+jwt")) && span_eq(h.alg, SPAN("RS256")));
    demand(jws_read_payload(fuzz.oracle, parts.payload, &p) == REASON_OK);
    demand(span_eq_str(json_get(p, "iss")->text, fuzz.v.partner->issuer));
    struct span aud = json_get(p, "aud")->text;
    demand(
        aud.n >= 24 && span_eq_nocase((struct span){aud.p, 24}, SPAN("https://mail.contoso.com")));
    demand(!json_get(p, "nameid") && !json_get(p, "sub") && !json_get(p, "actortoken"));
    demand(json_get(p, "s2s_trusts")->count == fuzz.v.n_trusts);
    demand(fuzz.v.n_trusts <= ANNOUNCE_KEYS_MAX && fuzz.v.partner->enabled);
    demand(fuzz.v.issued_at <= WORLD_NOW + 300 && fuzz.v.issued_at > WORLD_NOW - 360);
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
    struct span text = buf_span(&token);
    if (check_announce(fuzz.scratch, fuzz.w.settings, fuzz.w.store, text, WORLD_NOW, &fuzz.v) ==
        REASON_OK)
        prove(text);
    else
        demand(!fuzz.v.partner && fuzz.v.n_trusts == 0);
    return 0;
}
