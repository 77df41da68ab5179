/* SPDX-License-Identifier: Apache-2.0 */
/* The ladder under foreign bytes, with an oracle: whatever is believed was signed by the one who
 * held the key, so its signed token is one of the seeds, byte for byte. A believed token that is
 * none of them is a forgery and aborts.
 * Input: a token; or, when it begins with '{', header, claims and signature on lines of their own
 * (the first and the last line feed cut), which are encoded here. */
#include "check_world.h"
#include "token_seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct {
    struct settings *settings;
    struct store *store;
    struct check_scratch *scratch;
    struct jws_scratch *reader; /* of the oracle */
    struct buf token;
    struct token_checked v;
} fuzz;

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void publish(const char *partner, const struct cert *c)
{
    struct partner_trust t = {
        .name = maker_copy(partner, strlen(partner)), .generation = 1, .good_at = SEED_NOW};
    world_add_key(&t, c);
    demand(store_put(fuzz.store, &t) == REASON_OK, "memory");
    partner_trust_done(&t);
}

static void open_once(void)
{
    CLEANUP(cert_freep) struct cert *c = NULL;
    if (fuzz.scratch)
        return;
    fuzz.settings = settings_of(world_text);
    fuzz.store = store_new();
    fuzz.scratch = check_scratch_new();
    fuzz.reader = jws_scratch_new();
    fuzz.token = BUF_INIT(1 << 22);
    demand(fuzz.store && fuzz.scratch && fuzz.reader, "memory");
    demand(cert_parse_pem(span_of(seed_certificate), &c) == REASON_OK, "the seeds' certificate");
    for (size_t i = 0; i < fuzz.settings->n_partners; i++)
        publish(fuzz.settings->partners[i].name, c);
}

static struct span input_to_token(struct span in)
{
    size_t last = in.n;
    const size_t first = span_find(in, '\n');
    if (in.n == 0 || in.p[0] != '{')
        return in;
    while (last > first && in.p[last - 1] != '\n')
        last--;
    buf_reset(&fuzz.token);
    b64url_put(&fuzz.token, in.p, first);
    buf_put_char(&fuzz.token, '.');
    if (last > first + 1)
        b64url_put(&fuzz.token, in.p + first + 1, last - first - 2);
    buf_put_char(&fuzz.token, '.');
    if (last > first)
        buf_put(&fuzz.token, in.p + last, in.n - last);
    return buf_span(&fuzz.token);
}

/* The token that carries the signature: the whole one, or what it holds as actortoken. */
static struct span signed_part(struct span token)
{
    struct jws_parts parts;
    const struct json_value *payload;
    if (!fuzz.v.delegated || fuzz.v.user_signed)
        return token;
    demand(jws_split(token, JWS_TOKEN_MAX, &parts) == REASON_OK, "shape");
    demand(jws_read_payload(fuzz.reader, parts.payload, &payload) == REASON_OK, "payload");
    return json_get(payload, "actortoken")->text;
}

static void demand_seed(struct span token)
{
    const struct span inner = signed_part(token);
    bool seed = false;
    for (size_t i = 0; i < ARRAY_LEN(seed_signed); i++)
        seed |= span_eq_str(inner, seed_signed[i]);
    demand(seed, "a forgery is believed");
}

static void demand_printable(const char *text)
{
    for (; *text; text++)
        demand(*text >= ' ' && *text <= '~', "a text of the verdict is printable");
}

static void judge_verdict(struct span token)
{
    const struct token_checked *v = &fuzz.v;
    const char *const texts[] = {v->issuer, v->app, v->audience, v->user, v->nameid, v->nii, v->upn,
        v->smtp, v->sip, v->detail};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        demand_printable(texts[i]);
    demand((v->reason == REASON_OK) == (v->step == STEP_COUNT), "the step fits the reason");
    if (v->reason != REASON_OK) {
        demand(reason_number(v->reason) != 0, "a refusal has a number");
        return;
    }
    demand_seed(token);
    demand(v->signature_believed && v->partner && v->partner->enabled, "believed for a reason");
    demand(v->exp > SEED_NOW - 300 && v->nbf <= SEED_NOW + 300, "believed within its time");
    demand(v->delegated == (v->user[0] != '\0'), "a user if and only if delegated");
    demand(!v->delegated || patterns_allow(&v->partner->permitted_users, &v->partner->refused_users,
                                span_of(v->user)),
        "the user is permitted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    open_once();
    const struct check_against against = {
        .settings = fuzz.settings, .store = fuzz.store, .now = SEED_NOW};
    const struct span token = input_to_token((struct span){(const char *)data, n});
    const enum reason first = check_token(fuzz.scratch, &against, token, &fuzz.v);
    judge_verdict(token);
    demand(check_token(fuzz.scratch, &against, token, &fuzz.v) == first, "the same verdict twice");
    return 0;
}
