/* SPDX-License-Identifier: Apache-2.0 */
/* Corpus driver: judges token lines with the functions that the daemon calls. Lines of layer jwt go
 * up the ladder under policy.json, lines of layer jws to jws_verify_rs256 with their own keys.
 * Prints ID, verdict and the reason or the principal, separated by tabs. */
#include "policy_world.h"

struct token_driver {
    struct policy_world world;
    struct json_doc *line_doc;
    struct check_scratch *scratch;
    struct jws_scratch *jws;
    struct token_checked v;
};

static void print_reject(struct span id, enum reason r)
{
    printf("%.*s\treject\t%s\n", (int)id.n, id.p, reason_code(r));
}

static void print_principal(struct span id, const struct token_checked *v)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 16);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "partner", v->partner->name);
    json_out_str(&j, "app", v->app);
    json_out_str(&j, "user", v->delegated ? v->user : NULL);
    json_out_object_end(&j);
    printf("%.*s\taccept\t%s\n", (int)id.n, id.p, b.p);
}

static void judge_jwt(struct token_driver *d, const struct json_value *line, struct span id)
{
    const struct check_against against = {.settings = d->world.settings,
        .store = d->world.store,
        .now = policy_number_of(line, "now")};
    if (!policy_says(line, "profile", "s2s")) {
        printf("%.*s\tskip\n", (int)id.n, id.p);
        return;
    }
    if (check_token(d->scratch, &against, policy_text_of(line, "token"), &d->v) == REASON_OK)
        print_principal(id, &d->v);
    else
        print_reject(id, d->v.reason);
}

/* An algorithm of a later edition and a key that fits it: nothing to say yet. */
static bool later_key(const struct json_value *key, struct span alg)
{
    static const struct {
        const char *alg, *kty;
    } later[] = {{"ES256", "EC"}, {"PS256", "RSA"}, {"EdDSA", "OKP"}};
    const struct json_value *of_key = json_get(key, "alg");
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (span_eq_str(alg, later[i].alg) && policy_says(key, "kty", later[i].kty))
            return !of_key || span_eq(of_key->text, alg);
    return false;
}

static bool later_edition(struct token_driver *d, const struct json_value *line)
{
    const struct json_value *one = json_get(line, "jwk"), *set = json_get(line, "jwks");
    struct jws_parts parts;
    struct jws_header h;
    if (jws_split(policy_text_of(line, "token"), JWS_TOKEN_MAX, &parts) != REASON_OK ||
        jws_read_header(d->jws, parts.header, &h) != REASON_OK)
        return false;
    if (one)
        return later_key(one, h.alg);
    JSON_EACH (key, json_get(set, "keys"))
        if (later_key(key, h.alg))
            return true;
    return false;
}

/* The line's own keys. Those that cannot be used are left out, as they are of a partner's set. */
static size_t read_keys(const struct json_value *line, struct jwk *room, size_t cap)
{
    const struct json_value *one = json_get(line, "jwk"), *set = json_get(line, "jwks");
    size_t n = 0;
    if (one)
        return jwk_read(one, room) == REASON_OK;
    JSON_EACH (v, json_get(set, "keys"))
        if (n < cap && jwk_read(v, &room[n]) == REASON_OK)
            n++;
    return n;
}

static void judge_jws(struct token_driver *d, const struct json_value *line, struct span id)
{
    struct jwk keys[16];
    const struct span token = policy_text_of(line, "token");
    const size_t n = read_keys(line, keys, ARRAY_LEN(keys));
    const enum reason r = jws_verify_rs256(d->jws, token, keys, n);
    if (r == REASON_OK)
        printf("%.*s\taccept\t{}\n", (int)id.n, id.p);
    else if (r == REASON_ALGORITHM && later_edition(d, line))
        printf("%.*s\tskip\n", (int)id.n, id.p);
    else
        print_reject(id, r);
    for (size_t i = 0; i < n; i++)
        pubkey_free(keys[i].key);
}

/* The name of a line that our JSON reader refuses: the text behind `{"id": "`. */
static struct span id_of_text(struct span text)
{
    static const struct span head = SPAN("{\"id\": \"");
    if (!span_starts(text, head))
        policy_die("a line without id");
    text = span_skip(text, head.n);
    return (struct span){text.p, span_find(text, '"')};
}

/* What the reader refuses reaches no ladder: the doors read their requests with the same one. */
static void judge_line(struct token_driver *d, struct span text)
{
    const struct json_value *line;
    const enum reason r = json_parse(d->line_doc, text, &policy_limits, &line);
    if (r != REASON_OK)
        print_reject(id_of_text(text), r);
    else if (policy_says(line, "layer", "jwt"))
        judge_jwt(d, line, policy_text_of(line, "id"));
    else
        judge_jws(d, line, policy_text_of(line, "id"));
}

int main(int argc, char **argv)
{
    struct token_driver d = {
        .line_doc = json_doc_new(), .scratch = check_scratch_new(), .jws = jws_scratch_new()};
    CLEANUP(freep) char *line = NULL;
    size_t room = 0;
    if (argc != 2)
        policy_die("usage: token FOLDER <CORPUS");
    if (!d.line_doc || !d.scratch || !d.jws)
        policy_die("out of memory");
    policy_world_open(&d.world, argv[1]);
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;)
        judge_line(&d, (struct span){line, (size_t)n - (line[n - 1] == '\n')});
    policy_world_close(&d.world);
    check_scratch_free(d.scratch);
    jws_scratch_free(d.jws);
    json_doc_free(d.line_doc);
    return 0;
}
