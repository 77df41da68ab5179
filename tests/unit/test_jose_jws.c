/* SPDX-License-Identifier: Apache-2.0 */
#include "jws.h"

#include "b64.h"
#include "cleanup.h"
#include "signkey.h"
#include "unit.h"

#include <stdio.h>

static struct signkey *signer, *other;
static struct jws_scratch *scratch;

static struct buf encoded(struct span bytes)
{
    struct buf b = BUF_INIT(1 << 20);
    b64url_put(&b, bytes.p, bytes.n);
    ck_assert(!b.failed);
    return b;
}

/* Rules R1 and R2. */
static const struct {
    const char *token;
    enum reason want;
} splits[] = {
    {"a.b.c", REASON_OK},
    {"a.b.", REASON_OK}, /* unsigned: an empty signature, but the dot is there */
    {"aa.bb.cc", REASON_OK},
    {"", REASON_TOKEN_SHAPE},
    {".", REASON_TOKEN_SHAPE},
    {"..", REASON_TOKEN_SHAPE},
    {"...", REASON_TOKEN_SHAPE},
    {"a", REASON_TOKEN_SHAPE},
    {"a.b", REASON_TOKEN_SHAPE},
    {".b.c", REASON_TOKEN_SHAPE},
    {"a..c", REASON_TOKEN_SHAPE}, /* detached payload */
    {"a.b.c.", REASON_TOKEN_SHAPE},
    {"a.b..", REASON_TOKEN_SHAPE},
    {"a.b.c.d", REASON_TOKEN_SHAPE},
    {"a.b.c.d.e", REASON_TOKEN_SHAPE}, /* JWE */
    {".a.b.c", REASON_TOKEN_SHAPE},
    {"{\"payload\":0}", REASON_TOKEN_SHAPE}, /* JSON serialization */
    {"a.b.c234567890", REASON_TOO_LARGE},    /* 14 characters where 13 are allowed */
    {"a.b.c23456789", REASON_OK},
    {"..............", REASON_TOO_LARGE},
};

START_TEST(a_token_is_three_parts_and_two_dots)
{
    struct jws_parts parts = {0};
    struct span token = span_of(splits[_i].token);
    enum reason r = jws_split(token, 13, &parts);
    ck_assert_msg(r == splits[_i].want, "%s: %s", splits[_i].token, reason_code(r));
    if (r != REASON_OK) {
        ck_assert_ptr_null(parts.header.p);
        return;
    }
    CLEANUP(buf_done) struct buf again = BUF_INIT(100);
    buf_put_span(&again, parts.header);
    buf_put_char(&again, '.');
    buf_put_span(&again, parts.payload);
    ck_assert(span_eq(buf_span(&again), parts.signing_input));
    ck_assert_ptr_eq(parts.signing_input.p, token.p);
    buf_put_char(&again, '.');
    buf_put_span(&again, parts.signature);
    ck_assert(span_eq(buf_span(&again), token));
}
END_TEST

static enum reason header(const char *json, struct jws_header *h)
{
    CLEANUP(buf_done) struct buf b64 = encoded(span_of(json));
    return jws_read_header(scratch, buf_span(&b64), h);
}

START_TEST(the_members_of_a_header)
{
    static const uint8_t x5t[X5T_LEN] = {0x8b, 0xf8, 0x33, 0xe6, 0xa7, 0xd8, 0xa7, 0x96, 0x0f, 0x58,
        0x02, 0xb5, 0xff, 0xfd, 0x18, 0x85, 0x99, 0xe2, 0xa4, 0xb2};
    static const uint8_t zeroes[X5T_S256_LEN];
    struct jws_header h = {0};
    ck_assert_int_eq(
        header("{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"i_gz5qfYp5YPWAK1__0YhZnipLI\"}", &h),
        REASON_OK);
    ck_assert(span_eq(h.typ, SPAN("JWT")) && span_eq(h.alg, SPAN("RS256")));
    ck_assert(h.has_typ && !h.has_kid && h.has_x5t && !h.has_x5t_s256 && !h.x5t_malformed);
    ck_assert_mem_eq(h.x5t, x5t, sizeof(x5t));
    ck_assert_uint_eq(h.members, 3);
    ck_assert_int_eq(
        header("{\"kid\":\"\",\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", &h),
        REASON_OK);
    ck_assert(!h.has_typ && h.has_kid && h.kid.p && h.kid.n == 0 && !h.has_x5t && h.has_x5t_s256);
    ck_assert(h.alg.n == 0 && !h.x5t_malformed);
    ck_assert_mem_eq(h.x5t_s256, zeroes, sizeof(zeroes));
    ck_assert_int_eq(header("{}", &h), REASON_OK);
    ck_assert(h.members == 0 && h.alg.n == 0);
}
END_TEST

/* Standard base64 matches as bytes; what is no thumbprint is remembered as matching nothing. */
START_TEST(thumbprints_of_a_header)
{
    static const struct {
        const char *json;
        bool malformed;
    } rows[] = {
        {"{\"x5t\":\"i/gz5qfYp5YPWAK1//0YhZnipLI=\"}", false},
        {"{\"x5t\":\"i_gz5qfYp5YPWAK1__0YhZnipL\"}", true},
        {"{\"x5t\":\"i_gz5qfYp5YPWAK1__0YhZnipLJ\"}", true},
        {"{\"x5t\":\"8BF833E6A7D8A7960F5802B5FFFD188599E2A4B2\"}", true},
        {"{\"x5t\":\"\"}", true},
        {"{\"x5t#S256\":\"i_gz5qfYp5YPWAK1__0YhZnipLI\"}", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jws_header h;
        ck_assert_int_eq(header(rows[i].json, &h), REASON_OK);
        ck_assert_msg(h.x5t_malformed == rows[i].malformed, "%s", rows[i].json);
    }
}
END_TEST

/* Rules R4 and R6. */
static const struct {
    const char *json;
    enum reason want;
} bad_headers[] = {
    {"{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"jwk\":{}}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"jku\":\"https://x.example/\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"x5u\":\"https://x.example/\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"x5c\":[\"AAAA\"]}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"zip\":\"DEF\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"b64\":false}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"enc\":\"A128GCM\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"cty\":\"JWT\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"X5T\":\"i_gz5qfYp5YPWAK1__0YhZnipLI\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"\":\"\"}", REASON_TOKEN_HEADER},
    {"{\"alg\":[\"RS256\"]}", REASON_TOKEN_HEADER},
    {"{\"alg\":null}", REASON_TOKEN_HEADER},
    {"{\"typ\":1}", REASON_TOKEN_HEADER},
    {"{\"kid\":true}", REASON_TOKEN_HEADER},
    {"{\"x5t\":[\"i_gz5qfYp5YPWAK1__0YhZnipLI\"]}", REASON_TOKEN_HEADER},
    {"{\"x5t#S256\":{}}", REASON_TOKEN_HEADER},
    {"[]", REASON_TOKEN_HEADER},
    {"\"RS256\"", REASON_TOKEN_HEADER},
    {"null", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\",\"alg\":\"none\"}", REASON_JSON_DUPLICATE},
    {"{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", REASON_JSON_DUPLICATE},
    {"{\"alg\":\"RS256\"", REASON_JSON_SYNTAX},
    {"{\"alg\":\"RS256\"}}", REASON_JSON_SYNTAX},
    {"\xef\xbb\xbf{\"alg\":\"RS256\"}", REASON_JSON_SYNTAX},
    {"{\"kid\":\"\\u0000\"}", REASON_JSON_SYNTAX},
};

START_TEST(a_header_has_only_what_is_allowed)
{
    struct jws_header h = {.members = 99};
    enum reason r = header(bad_headers[_i].json, &h);
    ck_assert_msg(r == bad_headers[_i].want, "%s: %s", bad_headers[_i].json, reason_code(r));
    ck_assert_uint_eq(h.members, 99);
}
END_TEST

/* {"kid":"aaa..."} of n bytes in all. */
static struct buf long_object(size_t n)
{
    struct buf text = BUF_INIT(1 << 20);
    buf_put_str(&text, "{\"kid\":\"");
    while (text.n < n - 2)
        buf_put_char(&text, 'a');
    buf_put_str(&text, "\"}");
    return text;
}

/* Rule R1: 2 KiB of header, 12 KiB of claims, decoded. */
START_TEST(header_and_claims_have_a_largest_size)
{
    for (size_t over = 0; over < 5; over++) {
        struct jws_header h;
        const struct json_value *object;
        CLEANUP(buf_done) struct buf text = long_object(JWS_HEADER_MAX + over);
        CLEANUP(buf_done) struct buf claims = long_object(JWS_CLAIMS_MAX + over);
        CLEANUP(buf_done) struct buf b64 = encoded(buf_span(&claims));
        ck_assert_int_eq(header(text.p, &h) == REASON_OK, over == 0);
        ck_assert_int_eq(
            jws_read_payload(scratch, buf_span(&b64), &object) == REASON_OK, over == 0);
    }
    struct jws_header h;
    CLEANUP(buf_done) struct buf text = long_object(2 * JWS_HEADER_MAX);
    ck_assert_int_eq(header(text.p, &h), REASON_TOO_LARGE);
}
END_TEST

START_TEST(parts_are_canonical_base64url)
{
    static const char *const odd[] = {"e30=", "e3 0", "e31", "e", "e30\n", "e3+/", "e30."};
    struct jws_header h;
    const struct json_value *object;
    struct span sig;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct span text = span_of(odd[i]);
        ck_assert_int_eq(jws_read_header(scratch, text, &h), REASON_TOKEN_ENCODING);
        ck_assert_int_eq(jws_read_payload(scratch, text, &object), REASON_TOKEN_ENCODING);
        ck_assert_int_eq(jws_read_signature(scratch, text, &sig), REASON_TOKEN_ENCODING);
    }
    ck_assert_int_eq(jws_read_header(scratch, SPAN("e30"), &h), REASON_OK);
}
END_TEST

START_TEST(a_payload_is_one_object_of_at_most_64_members)
{
    const struct json_value *object = NULL;
    ck_assert_int_eq(jws_read_payload(scratch, SPAN("e30"), &object), REASON_OK);
    ck_assert_int_eq(object->type, JSON_OBJECT);
    object = NULL;
    ck_assert_int_eq(jws_read_payload(scratch, SPAN("W10"), &object), REASON_JSON_FIELD);
    ck_assert_int_eq(jws_read_payload(scratch, SPAN("MQ"), &object), REASON_JSON_FIELD);
    ck_assert_int_eq(jws_read_payload(scratch, SPAN("Zm9v"), &object), REASON_JSON_SYNTAX);
    ck_assert_ptr_null(object);
    for (unsigned n = 64; n <= 65; n++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
        for (unsigned i = 0; i < n; i++)
            buf_printf(&text, "%c\"m%u\":1", i ? ',' : '{', i);
        buf_put_char(&text, '}');
        CLEANUP(buf_done) struct buf b64 = encoded(buf_span(&text));
        ck_assert_int_eq(jws_read_payload(scratch, buf_span(&b64), &object) == REASON_OK, n == 64);
    }
}
END_TEST

/* Header and payload of one token stay readable next to each other, and after the text is gone. */
START_TEST(header_and_payload_live_side_by_side)
{
    struct jws_header h;
    const struct json_value *object;
    CLEANUP(freep) char *text = strdup("eyJhbGciOiJSUzI1NiJ9");
    CLEANUP(freep) char *claims = strdup("eyJpc3MiOiJpc3N1ZXIifQ");
    ck_assert_int_eq(jws_read_header(scratch, span_of(text), &h), REASON_OK);
    ck_assert_int_eq(jws_read_payload(scratch, span_of(claims), &object), REASON_OK);
    memset(text, 'x', strlen(text));
    memset(claims, 'x', strlen(claims));
    ck_assert(span_eq(h.alg, SPAN("RS256")));
    ck_assert(span_eq(json_get(object, "iss")->text, SPAN("issuer")));
}
END_TEST

START_TEST(a_signature_is_at_most_an_8192_bit_number)
{
    CLEANUP(freep) char *bytes = calloc(1, 1100);
    struct span sig = SPAN("untouched");
    for (size_t n = 1023; n <= 1030; n++) {
        CLEANUP(buf_done) struct buf b64 = encoded((struct span){bytes, n});
        enum reason r = jws_read_signature(scratch, buf_span(&b64), &sig);
        ck_assert_int_eq(r, n <= 1024 ? REASON_OK : REASON_SIGNATURE);
        if (r == REASON_OK)
            ck_assert(span_eq(sig, (struct span){bytes, n}));
    }
    ck_assert_int_eq(jws_read_signature(scratch, SPAN(""), &sig), REASON_OK);
    ck_assert_uint_eq(sig.n, 0);
}
END_TEST

/* Tokens against key sets. Keys: 's' ours, 'o' the other; '1' gives it kid "one", '2' "two", '-'
 * none. */
static const struct {
    const char *header, *payload, *keys;
    enum reason want;
} tokens[] = {
    {"{\"alg\":\"RS256\"}", "{}", "s-", REASON_OK},
    {"{\"alg\":\"RS256\"}", "any bytes", "s-", REASON_OK},
    {"{\"alg\":\"RS256\"}", "{}", "s1", REASON_OK},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "s1", REASON_OK},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "s1o2", REASON_OK},
    {"{\"alg\":\"RS256\",\"kid\":\"two\"}", "{}", "o1s2", REASON_OK},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "s1o-", REASON_OK},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "o1s2",
        REASON_SIGNATURE}, /* never tried in turn */
    {"{\"alg\":\"RS256\"}", "{}", "o-", REASON_SIGNATURE},
    {"{\"alg\":\"RS256\"}", "{}", "s1o2", REASON_NO_KEY_ID},
    {"{\"alg\":\"RS256\"}", "{}", "", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"One\"}", "{}", "s1", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"on\"}", "{}", "s1", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "s-", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"\"}", "{}", "s-", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", "{}", "s1o1", REASON_UNKNOWN_KEY}, /* two of one name */
    {"{\"alg\":\"RS256\",\"x5t\":\"i_gz5qfYp5YPWAK1__0YhZnipLI\"}", "{}", "s-", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"RS256\",\"x5t#S256\":\"\"}", "{}", "s-", REASON_UNKNOWN_KEY},
    {"{\"alg\":\"none\"}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"rs256\"}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"RS256 \"}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"RS512\"}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"HS256\"}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"\"}", "{}", "s-", REASON_ALGORITHM},
    {"{}", "{}", "s-", REASON_ALGORITHM},
    {"{\"alg\":\"RS256\",\"crit\":[]}", "{}", "s-", REASON_TOKEN_HEADER},
    {"{\"alg\":\"RS256\"}", "", "s-", REASON_TOKEN_SHAPE},
};

static size_t key_set(const char *text, struct jwk keys[4])
{
    size_t n = 0;
    for (; *text; text += 2) {
        const struct cert *c = signkey_cert(text[0] == 's' ? signer : other);
        keys[n++] = (struct jwk){.key = c->key,
            .kid = text[1] == '1'   ? SPAN("one")
                   : text[1] == '2' ? SPAN("two")
                                    : (struct span){0}};
    }
    return n;
}

/* header "." payload "." and the signature of our key. */
static struct buf token_of(const char *header_json, struct span payload)
{
    struct buf token = BUF_INIT(1 << 20);
    CLEANUP(buf_done) struct buf sig = BUF_INIT(1024);
    b64url_put(&token, header_json, strlen(header_json));
    buf_put_char(&token, '.');
    b64url_put(&token, payload.p, payload.n);
    ck_assert_int_eq(signkey_sign_rs256(signer, buf_span(&token), &sig), REASON_OK);
    buf_put_char(&token, '.');
    b64url_put(&token, sig.p, sig.n);
    return token;
}

START_TEST(a_token_is_verified_by_the_one_key_it_names)
{
    struct jwk keys[4];
    size_t n = key_set(tokens[_i].keys, keys);
    CLEANUP(buf_done) struct buf token = token_of(tokens[_i].header, span_of(tokens[_i].payload));
    enum reason r = jws_verify_rs256(scratch, buf_span(&token), keys, n);
    ck_assert_msg(r == tokens[_i].want, "%s under %s: %s", tokens[_i].header, tokens[_i].keys,
        reason_code(r));
}
END_TEST

/* Another letter at any place of a good token. A letter that stands for the same bytes does not
 * exist (rule R3). */
START_TEST(every_character_of_a_token_counts)
{
    struct jwk keys[4];
    size_t n = key_set("s-", keys);
    CLEANUP(buf_done) struct buf token = token_of("{\"alg\":\"RS256\"}", SPAN("{}"));
    for (size_t i = 0; i < token.n; i++)
        for (int step = 1; step < 16; step *= 2) {
            char was = token.p[i];
            token.p[i] = (char)(was ^ step);
            ck_assert_int_ne(jws_verify_rs256(scratch, buf_span(&token), keys, n), REASON_OK);
            token.p[i] = was;
        }
    ck_assert_int_eq(jws_verify_rs256(scratch, buf_span(&token), keys, n), REASON_OK);
    buf_put_char(&token, '=');
    ck_assert_int_eq(jws_verify_rs256(scratch, buf_span(&token), keys, n), REASON_TOKEN_ENCODING);
    for (size_t cut = 0; cut + 1 < token.n; cut++) {
        CLEANUP(freep) char *exact = malloc(cut + 1);
        memcpy(exact, token.p, cut);
        ck_assert_int_ne(jws_verify_rs256(scratch, (struct span){exact, cut}, keys, n), REASON_OK);
    }
}
END_TEST

START_TEST(a_token_has_a_largest_size)
{
    struct jwk keys[4];
    size_t n = key_set("s-", keys);
    CLEANUP(buf_done) struct buf text = long_object(JWS_CLAIMS_MAX);
    CLEANUP(buf_done)
    struct buf fits = token_of("{\"alg\":\"RS256\"}", buf_span(&text)); /* 16,748 */
    ck_assert_uint_gt(fits.n, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_verify_rs256(scratch, buf_span(&fits), keys, n), REASON_TOO_LARGE);
    buf_done(&text);
    buf_done(&fits);
    text = long_object(12000);
    fits = token_of("{\"alg\":\"RS256\"}", buf_span(&text));
    ck_assert_uint_le(fits.n, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_verify_rs256(scratch, buf_span(&fits), keys, n), REASON_OK);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, a_token_is_three_parts_and_two_dots, 0, ARRAY_LEN(splits));
    tcase_add_test(tc, the_members_of_a_header);
    tcase_add_test(tc, thumbprints_of_a_header);
    tcase_add_loop_test(tc, a_header_has_only_what_is_allowed, 0, ARRAY_LEN(bad_headers));
    tcase_add_test(tc, header_and_claims_have_a_largest_size);
    tcase_add_test(tc, parts_are_canonical_base64url);
    tcase_add_test(tc, a_payload_is_one_object_of_at_most_64_members);
    tcase_add_test(tc, header_and_payload_live_side_by_side);
    tcase_add_test(tc, a_signature_is_at_most_an_8192_bit_number);
    tcase_add_loop_test(tc, a_token_is_verified_by_the_one_key_it_names, 0, ARRAY_LEN(tokens));
    tcase_add_test(tc, every_character_of_a_token_counts);
    tcase_add_test(tc, a_token_has_a_largest_size);
}

int main(void)
{
    scratch = jws_scratch_new();
    if (!scratch || signkey_generate("signer", 0, 1000, &signer) != REASON_OK ||
        signkey_generate("other", 0, 1000, &other) != REASON_OK)
        return 1;
    int status = unit_run("jose_jws", fill);
    jws_scratch_freep(&scratch);
    signkey_free(signer);
    signkey_free(other);
    return status;
}
