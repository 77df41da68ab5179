/* SPDX-License-Identifier: Apache-2.0 */
/* The ladder against what others wrote: tokens and documents of tests/vectors, and the class of
 * each refusal in the token corpus of VECTORS (default ../shared/vectors). */
#include "metadata.h"
#include "policy_world.h"
#include "unit.h"

#define EXCHANGE                                                                                   \
    "[Identity]\nApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.com\n"          \
    "Hosts=mail.contoso.com\n"
#define LYNC                                                                                       \
    "[Partner lync]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.com\n"      \
    "MetadataURL=https://lync.contoso.com/metadata/json/1\nTrust=full\n"                           \
    "PermittedUsers=*@contoso.com\n"
#define FARM "af90cc03-4a26-45e9-906a-609cebcebbde"
#define SHAREPOINT                                                                                 \
    "[Partner sharepoint]\nApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=" FARM "\n"   \
    "MetadataURL=https://win-b0i6kv698ls.contoso.com/metadata/json/1\nTrust=full\n"                \
    "PermittedUsers=*@contoso.com\nAcceptSecurityIdentifier=yes\n"

static struct check_scratch *scratch;
static struct token_checked v;

static void setup(void)
{
    scratch = check_scratch_new();
    ck_assert(scratch);
}

static void teardown(void)
{
    check_scratch_freep(&scratch);
}

static void read_vector(const char *name, struct buf *ret)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/vectors/%s", name);
    ck_assert_msg(policy_read_file(path, ret), "%s", path);
    while (ret->n && ret->p[ret->n - 1] == '\n')
        ret->n--;
}

/* What the partner's document gives, all of it valid. */
static void install(struct store *store, const struct settings *s, const char *file, int64_t now)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);
    CLEANUP(metadata_done) struct metadata m = {0};
    struct partner_trust t = {.name = strdup(s->partners[0].name), .generation = 1, .good_at = now};
    read_vector(file, &text);
    ck_assert_msg(
        metadata_parse(buf_span(&text), &s->partners[0], &s->identity, now, &m) == REASON_OK,
        "%s: %s", file, m.detail);
    for (size_t i = 0; i < m.n_certs; i++) {
        struct partner_key *k = &t.keys[t.n_keys++];
        *k = (struct partner_key){.state = PKEY_VALID,
            .has_x5t = true,
            .not_before = m.certs[i]->not_before,
            .not_after = m.certs[i]->not_after,
            .key = pubkey_ref(m.certs[i]->key)};
        memcpy(k->x5t, m.certs[i]->x5t, X5T_LEN);
        memcpy(k->x5t_s256, m.certs[i]->x5t_s256, X5T_S256_LEN);
    }
    ck_assert_int_eq(store_put(store, &t), REASON_OK);
    partner_trust_done(&t);
}

static const struct vector_case {
    const char *token, *config, *document;
    int64_t now;
    enum reason reason;
    enum check_step step;
    const char *user;
} cases[] = {
#define TWO_KEYS EXCHANGE LYNC, "synthetic/metadata-exchange-style-2keys.json", 1735700000
#define ONE_KEY EXCHANGE LYNC, "synthetic/metadata-sharepoint-style.json", 1735700000
    {"synthetic/apponly-string-times.jwt", TWO_KEYS, REASON_OK, STEP_COUNT, ""},
    {"synthetic/apponly-number-times.jwt", TWO_KEYS, REASON_OK, STEP_COUNT, ""},
    {"synthetic/apponly-nextkey.jwt", TWO_KEYS, REASON_OK, STEP_COUNT, ""},
    {"synthetic/apponly-nextkey.jwt", ONE_KEY, REASON_UNKNOWN_KEY, STEP_KEY, ""},
    {"synthetic/actor.jwt", TWO_KEYS, REASON_OK, STEP_COUNT, ""},
    {"synthetic/actor.jwt", ONE_KEY, REASON_OK, STEP_COUNT, ""},
    {"synthetic/outer-unsigned.jwt", TWO_KEYS, REASON_OK, STEP_COUNT, "kenmyer@contoso.com"},
    {"synthetic/outer-unsigned.jwt", ONE_KEY, REASON_OK, STEP_COUNT, "kenmyer@contoso.com"},
    {"synthetic/reject-actor-not-trustedfordelegation.jwt", TWO_KEYS, REASON_NO_DELEGATION,
        STEP_ACTOR, ""},
    {"synthetic/reject-actor-sig-AAAA.jwt", TWO_KEYS, REASON_SIGNATURE, STEP_SIGNATURE, ""},
    {"synthetic/reject-alg-none-no-actor.jwt", TWO_KEYS, REASON_UNSIGNED, STEP_FORM, ""},
    {"synthetic/reject-outer-iss-mismatch.jwt", TWO_KEYS, REASON_OUTER_ISSUER, STEP_ACTOR, ""},
    {"synthetic/reject-x5t-of-other-key.jwt", TWO_KEYS, REASON_SIGNATURE, STEP_SIGNATURE, ""},
    /* Their last second is 1735718400. */
    {"synthetic/actor.jwt", EXCHANGE LYNC, "synthetic/metadata-exchange-style-2keys.json",
        1735718699, REASON_OK, STEP_COUNT, ""},
    {"synthetic/actor.jwt", EXCHANGE LYNC, "synthetic/metadata-exchange-style-2keys.json",
        1735718700, REASON_EXPIRED, STEP_TIME, ""},
    /* CVE-2026-55040 against the document of the server it was made for. */
    {"sharepoint-forged-MUST-REJECT-rapid7.jwt", EXCHANGE SHAREPOINT,
        "sharepoint-se-metadata-rapid7-2026.json", 1776766000, REASON_SIGNATURE, STEP_SIGNATURE,
        ""},
};

START_TEST(test_vectors)
{
    const struct vector_case *c = &cases[_i];
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 16);
    CLEANUP(settings_freep) struct settings *settings = settings_of(c->config);
    CLEANUP(store_freep) struct store *store = store_new();
    const struct check_against against = {.settings = settings, .store = store, .now = c->now};
    install(store, settings, c->document, c->now);
    read_vector(c->token, &token);
    const enum reason got = check_token(scratch, &against, buf_span(&token), &v);
    ck_assert_msg(got == c->reason && v.step == c->step, "%s: %s at %s (%s)", c->token,
        reason_code(got), check_step_name(v.step), v.detail);
    ck_assert_str_eq(v.user, c->user);
}
END_TEST

/* The forged token names its victim as issuer: there, nobody is asked about any key. */
START_TEST(test_forged_at_its_victim)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 16);
    CLEANUP(settings_freep)
    struct settings *settings = settings_of(
        "[Identity]\nApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=" FARM "\n"
        "Hosts=win-b0i6kv698ls\n" LYNC);
    CLEANUP(store_freep) struct store *store = store_new();
    const struct check_against against = {.settings = settings, .store = store, .now = 1776766000};
    read_vector("sharepoint-forged-MUST-REJECT-rapid7.jwt", &token);
    ck_assert_int_eq(check_token(scratch, &against, buf_span(&token), &v), REASON_UNKNOWN_ISSUER);
    ck_assert_int_eq(v.step, STEP_ISSUER);
}
END_TEST

/* ---- the class of each refusal (test V01) ---- */

/* `rule` of a corpus line, or its beginning, and the codes that say so. The corpus judges a few
 * things in another order: we say first that an unsigned token has no actor (R20), that an
 * algorithm is none of ours (R8), and that the inner signature is wrong (DESIGN 7). */
static const struct class_row {
    const char *rule;
    const char *codes;
} classes[] = {
    {"alg", "algorithm_not_allowed"},
    {"aud mismatch", "outer_audience_mismatch"},
    {"aud", "wrong_audience wrong_realm audience_malformed"},
    {"b64", "token_encoding"},
    {"claim actortoken", "actor_token"},
    {"claim", "claim_invalid"},
    {"delegation", "delegation_not_granted trust_level"},
    {"dup", "json_duplicate"},
    {"expired", "expired"},
    {"forbidden outer claim",
        "forbidden_claim unsigned_token invalid_signature unknown_key key_expired"},
    {"header value type", "token_header"},
    {"key id", "unknown_key key_disputed key_expired"},
    {"lifetime", "lifetime_too_long"},
    {"missing exp", "time_malformed"},
    {"missing nbf", "time_malformed"},
    {"missing iss", "claim_invalid"},
    {"missing nameid", "user_malformed"},
    {"nameid not an app of the partner", "actor_not_of_partner"},
    {"nested actor", "nested_actor"},
    {"no key id", "algorithm_not_allowed"},
    {"not yet valid", "not_yet_valid"},
    {"nul", "json_syntax"},
    {"outer header member", "outer_shape"},
    {"outer iss != inner nameid", "outer_issuer_mismatch"},
    {"segments", "token_shape actor_token"},
    {"signature on none", "outer_shape"},
    {"signature", "invalid_signature"},
    {"tfd", "delegation_not_granted"},
    {"time string", "time_malformed"},
    {"typ", "token_type"},
    {"unknown issuer", "unknown_issuer"},
    {"upn differs from nameid", "user_ambiguous"},
    {"user domain", "user_refused user_malformed"},
};

static bool has_word(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static bool in_class(struct span rule, const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (span_starts(rule, span_of(classes[i].rule)))
            return has_word(classes[i].codes, code);
    return false;
}

static void judge_line(const struct policy_world *w, const struct json_value *line)
{
    const struct check_against against = {
        .settings = w->settings, .store = w->store, .now = policy_number_of(line, "now")};
    const struct span rule = policy_text_of(line, "rule"), id = policy_text_of(line, "id");
    const enum reason got = check_token(scratch, &against, policy_text_of(line, "token"), &v);
    ck_assert_msg(got != REASON_OK && in_class(rule, reason_code(got)), "%.*s (%.*s): %s",
        (int)id.n, id.p, (int)rule.n, rule.p, reason_code(got));
}

START_TEST(test_classes)
{
    const char *folder = getenv("VECTORS") ? getenv("VECTORS") : "../shared/vectors";
    char path[4096];
    snprintf(path, sizeof(path), "%s/jws-negative.jsonl", folder);
    CLEANUP(fclosep) FILE *corpus = fopen(path, "r");
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *text = NULL;
    struct policy_world world;
    size_t room = 0, judged = 0;
    if (!corpus) {
        printf("no corpus at %s: 270 lines skipped\n", path);
        return;
    }
    policy_world_open(&world, folder);
    for (ssize_t n; (n = getline(&text, &room, corpus)) > 0;) {
        const struct json_value *line;
        const struct span whole = {text, (size_t)n};
        if (json_parse(doc, whole, &policy_limits, &line) != REASON_OK ||
            !policy_says(line, "profile", "s2s"))
            continue;
        judge_line(&world, line);
        judged++;
    }
    policy_world_close(&world);
    ck_assert_uint_eq(judged, 270);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, test_vectors, 0, ARRAY_LEN(cases));
    tcase_add_test(tc, test_forged_at_its_victim);
    tcase_add_test(tc, test_classes);
}

int main(void)
{
    return unit_run("trust_check_vectors", fill);
}
