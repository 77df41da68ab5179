/* SPDX-License-Identifier: Apache-2.0 */
/* Announce tokens under foreign bytes. What is believed must be what the header file promises. */
#include "check_announce.h"
#include "signed_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct announce_checked checked;

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
    demand(span_eq_str(json_get(p, "iss")->text, checked.partner->issuer));
    struct span aud = json_get(p, "aud")->text;
    demand(
        aud.n >= 24 && span_eq_nocase((struct span){aud.p, 24}, SPAN("https://mail.contoso.com")));
    demand(!json_get(p, "nameid") && !json_get(p, "sub") && !json_get(p, "actortoken"));
    demand(json_get(p, "s2s_trusts")->count == checked.n_trusts);
    demand(checked.n_trusts <= ANNOUNCE_KEYS_MAX && checked.partner->enabled);
    demand(checked.issued_at <= WORLD_NOW + 300 && checked.issued_at > WORLD_NOW - 360);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 22);
    token_of_input(data, n, &token);
    struct span text = buf_span(&token);
    if (check_announce(fuzz.scratch, fuzz.w.settings, fuzz.w.store, text, WORLD_NOW, &checked) ==
        REASON_OK)
        prove(text);
    else
        demand(!checked.partner && checked.n_trusts == 0);
    return 0;
}
