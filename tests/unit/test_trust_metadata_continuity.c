/* SPDX-License-Identifier: Apache-2.0 */
/* Documents under Continuity=: pins, and the member that carries a signature. */
#include "metadata.h"

#include "b64.h"
#include "trust_fixture.h"

#define APP "00000004-0000-0ff1-ce00-000000000000"
#define REALM "contoso.com"

static struct identity self = {.app_id = (char[]){"00000002-0000-0ff1-ce00-000000000000"},
    .realm = (char[]){REALM},
    .issuer = (char[]){"00000002-0000-0ff1-ce00-000000000000@" REALM}};

static struct partner pins = {.name = (char[]){"lync"},
    .app_id = (char[]){APP},
    .realm = (char[]){REALM},
    .issuer = (char[]){APP "@" REALM}};

static struct metadata m;

static void close_metadata(void)
{
    metadata_done(&m);
}

static enum reason parse(const char *text)
{
    return metadata_parse(span_of(text), &pins, &self, T0, &m);
}

/* base64 of a certificate; the caller frees it. */
static char *b64_of(const struct cert *c)
{
    struct buf text = BUF_INIT(65536);
    b64_put(&text, c->der, c->der_len);
    return buf_take(&text);
}

/* A document with these members before a keys array of these entries. */
static char *document(const char *head, const char *keys)
{
    struct buf text = BUF_INIT(2 * METADATA_MAX);
    buf_printf(&text, "{%s,\"keys\":[%s]}", head, keys);
    char *done = buf_take(&text);
    ck_assert_ptr_nonnull(done);
    return done;
}

#define HEAD "\"issuer\":\"" APP "@" REALM "\""
#define ENTRY(value)                                                                               \
    "{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"" value "\"}}"

/* The certificate `seed` as an entry in Exchange's shape. */
static char *entry(unsigned seed)
{
    CLEANUP(cert_freep) struct cert *c = fixture_cert(seed);
    CLEANUP(freep) char *value = b64_of(c);
    struct buf text = BUF_INIT(65536);
    buf_printf(&text, ENTRY("%s"), value);
    return buf_take(&text);
}

static struct identity ours = {.app_id = (char[]){APP},
    .realm = (char[]){REALM},
    .name = (char[]){"s2sd \"one\""},
    .service_name = (char[]){APP},
    .issuer = (char[]){APP "@" REALM},
    .hosts = (char *[]){(char[]){"lync.contoso.com"}, (char[]){"pool1.contoso.com"}},
    .n_hosts = 2};

/* Continuity=pinned: the configuration decides which of the published keys count. */
START_TEST(keys_that_are_not_pinned_are_left_out)
{
    CLEANUP(freep) char *one = entry(1);
    CLEANUP(freep) char *two = entry(2);
    CLEANUP(cert_freep) struct cert *second = fixture_cert(2);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    char pin[THUMBPRINT_TEXT_LEN];
    char *list[] = {thumbprint_text(second->x5t, pin)};
    struct partner pinned = pins;
    pinned.continuity = CONTINUITY_PINNED;
    pinned.pinned_certs = (struct names){list, 1};
    buf_printf(&keys, "%s,%s", one, two);
    CLEANUP(freep) char *both = document(HEAD, keys.p);
    ck_assert_int_eq(metadata_parse(span_of(both), &pinned, &self, T0, &m), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 1);
    ck_assert_mem_eq(m.certs[0]->x5t, second->x5t, X5T_LEN);
    ck_assert_uint_eq(m.skipped, 1);
    ck_assert_str_eq(m.detail, "keys[0] is not one of PinnedKeys=");
    metadata_done(&m);
    CLEANUP(freep) char *first = document(HEAD, one);
    ck_assert_int_eq(metadata_parse(span_of(first), &pinned, &self, T0, &m), REASON_DOCUMENT_PINS);
    ck_assert_uint_eq(m.n_certs, 0);
    metadata_done(&m);
    CLEANUP(freep) char *none = document(HEAD, "");
    ck_assert_int_eq(metadata_parse(span_of(none), &pinned, &self, T0, &m), REASON_DOCUMENT_KEYS);
}
END_TEST

/* Whoever does not ask for a signature is not disturbed by what stands there. */
START_TEST(a_signature_is_handed_on_and_nothing_else)
{
    static const struct {
        const char *member, *taken;
    } rows[] = {{"", NULL}, {",\"signed_metadata\":\"a.b.c\"", "a.b.c"},
        {",\"signed_metadata\":\"\"", NULL}, {",\"signed_metadata\":7", NULL},
        {",\"signed_metadata\":null", NULL}, {",\"signed_metadata\":{\"a\":\"b\"}", NULL},
        {",\"Signed_Metadata\":\"a.b.c\"", NULL}};
    CLEANUP(freep) char *one = entry(1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char head[256];
        snprintf(head, sizeof(head), HEAD "%s", rows[i].member);
        CLEANUP(freep) char *text = document(head, one);
        ck_assert_int_eq(parse(text), REASON_OK);
        ck_assert_int_eq(m.signed_metadata != NULL, rows[i].taken != NULL);
        if (rows[i].taken)
            ck_assert_str_eq(m.signed_metadata, rows[i].taken);
        metadata_done(&m);
    }
}
END_TEST

START_TEST(a_signature_longer_than_any_token_is_none)
{
    CLEANUP(freep) char *one = entry(1);
    static const struct {
        size_t n;
        bool taken;
    } rows[] = {{16384, true}, {16385, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf head = BUF_INIT(32768);
        buf_put_str(&head, HEAD ",\"signed_metadata\":\"");
        for (size_t k = 0; k < rows[i].n; k++)
            buf_put_char(&head, 'x');
        buf_put_str(&head, "\"");
        buf_put_char(&head, '\0');
        CLEANUP(freep) char *text = document(head.p, one);
        ck_assert_int_eq(parse(text), REASON_OK);
        ck_assert_int_eq(m.signed_metadata != NULL, rows[i].taken);
        metadata_done(&m);
    }
}
END_TEST

START_TEST(our_document_carries_its_signature)
{
    CLEANUP(cert_freep) struct cert *a = fixture_cert(1);
    CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);
    CLEANUP(buf_done) struct buf plain = BUF_INIT(METADATA_MAX);
    struct metadata_own own = {.identity = &ours,
        .url = "https://lync.contoso.com/metadata/json/1",
        .certs = (const struct cert *[]){a},
        .n_certs = 1};
    ck_assert_int_eq(metadata_render(&own, &plain), REASON_OK);
    buf_put_char(&plain, '\0');
    ck_assert_ptr_null(strstr(plain.p, "signed_metadata"));
    own.signed_metadata = SPAN("a.b.c");
    ck_assert_int_eq(metadata_render(&own, &text), REASON_OK);
    ck_assert_int_eq(metadata_parse(buf_span(&text), &pins, &self, T0, &m), REASON_OK);
    ck_assert_str_eq(m.signed_metadata, "a.b.c");
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, close_metadata);
    tcase_add_test(tc, keys_that_are_not_pinned_are_left_out);
    tcase_add_test(tc, a_signature_is_handed_on_and_nothing_else);
    tcase_add_test(tc, a_signature_longer_than_any_token_is_none);
    tcase_add_test(tc, our_document_carries_its_signature);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_metadata_continuity", add_tests);
}
