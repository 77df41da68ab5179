/* SPDX-License-Identifier: Apache-2.0 */
/* A payload's JSON to claims, as each kind of token; whatever is read keeps the promises of
 * claims.h. */
#include "claims.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void judge_identity(struct span s)
{
    demand(!s.p || (s.n >= 1 && s.n <= CLAIM_TEXT_MAX), "1 to 512 characters");
    for (size_t i = 0; i < s.n; i++)
        demand(s.p[i] >= ' ' && s.p[i] <= '~', "printable ASCII");
}

static void judge_claims(const struct claims *c, enum claims_of of)
{
    const struct span texts[] = {
        c->iss, c->aud, c->nameid, c->nii, c->upn, c->smtp, c->sip, c->sub, c->actor};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        judge_identity(texts[i]);
    demand(c->nbf >= 0 && c->nbf <= INT64_C(9999999999), "nbf has 1 to 10 digits");
    demand(c->exp >= 0 && c->exp <= INT64_C(9999999999), "exp has 1 to 10 digits");
    demand(of == CLAIMS_OUTER || (!c->actortoken.p && !c->has_forbidden), "outer only");
    demand(of == CLAIMS_USER || (!c->sub.p && !c->actor.p), "user tokens only");
    demand(of != CLAIMS_OUTER || c->trusted_for_delegation == DELEGATION_ABSENT, "never outer");
}

static void read_as(const struct json_value *payload, enum claims_of of)
{
    struct claims c;
    struct span bad = {0};
    const enum reason r = claims_read(payload, of, &c, &bad);
    demand((r == REASON_OK) == (bad.n == 0), "a refusal names its claim");
    demand(r == REASON_OK || reason_number(r) != 0, "a refusal has a number");
    if (r == REASON_OK)
        judge_claims(&c, of);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct json_limits limits = {.bytes = JWS_CLAIMS_MAX, .members = 64};
    static struct json_doc *doc;
    const struct json_value *payload;
    if (!doc)
        doc = json_doc_new();
    if (!doc || json_parse(doc, span_bytes(data, n), &limits, &payload) != REASON_OK ||
        payload->type != JSON_OBJECT)
        return 0;
    read_as(payload, CLAIMS_SIGNED);
    read_as(payload, CLAIMS_OUTER);
    read_as(payload, CLAIMS_USER);
    return 0;
}
