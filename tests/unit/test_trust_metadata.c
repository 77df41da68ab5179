/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include "b64.h"
#include "file.h"
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

static char *good_document(void)
{
    CLEANUP(freep) char *one = entry(1);
    return document(HEAD, one);
}

/* ------------------------------------------------------------------------------------- captures */

static const struct {
    const char *file, *app_id, *realm;
    enum reason reason;
    const char *x5t[2];
} captures[] = {
    {"sharepoint-se-metadata-rapid7-2026.json", "00000003-0000-0ff1-ce00-000000000000",
        "af90cc03-4a26-45e9-906a-609cebcebbde", REASON_OK, {"i_gz5qfYp5YPWAK1__0YhZnipLI"}},
    {"exchange-online-metadata-doc-sample.json", "00000002-0000-0ff1-ce00-000000000000",
        "contoso.com", REASON_DOCUMENT_ISSUER, {0}},
    {"exchange-online-metadata-doc-sample.json", "00000002-0000-0ff1-ce00-000000000000", "*",
        REASON_DOCUMENT_ISSUER, {0}},
    {"synthetic/metadata-exchange-style-2keys.json", APP, REALM, REASON_OK,
        {"rOIhWDxMXP7zz5zCPm-AVF0JOQM", "L6z1dVCXlLPWPB6dRWTsuSSVgWc"}},
    {"synthetic/metadata-sharepoint-style.json", APP, REALM, REASON_OK,
        {"rOIhWDxMXP7zz5zCPm-AVF0JOQM"}},
    {"synthetic/metadata-acs-style.json", "00000001-0000-0000-c000-000000000000", REALM, REASON_OK,
        {"rOIhWDxMXP7zz5zCPm-AVF0JOQM"}},
};

static void read_vector(const char *name, struct buf *out)
{
    char path[256], why[256];
    snprintf(path, sizeof(path), "tests/vectors/%s", name);
    *out = BUF_INIT(METADATA_MAX);
    ck_assert_msg(
        file_read(path, FILE_PUBLIC, METADATA_MAX, out, why, sizeof(why)) == 0, "%s", why);
}

START_TEST(documents_seen_in_the_wild_are_read)
{
    CLEANUP(buf_done) struct buf text = {0};
    char issuer[128], x5t[X5T_TEXT_LEN];
    read_vector(captures[_i].file, &text);
    snprintf(issuer, sizeof(issuer), "%s@%s", captures[_i].app_id, captures[_i].realm);
    struct partner p = {.app_id = (char *)(uintptr_t)captures[_i].app_id,
        .realm = (char *)(uintptr_t)captures[_i].realm,
        .issuer = issuer};
    struct identity other = {.issuer = (char[]){"somebody@else"}};
    /* the captured SharePoint certificate begins in March 2026 */
    enum reason r = metadata_parse(buf_span(&text), &p, &other, T0 + 120 * DAY, &m);
    ck_assert_str_eq(reason_code(r), reason_code(captures[_i].reason));
    size_t n = 0;
    while (n < 2 && captures[_i].x5t[n])
        n++;
    ck_assert_uint_eq(m.n_certs, n);
    ck_assert(m.may_be_replayed);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(x5t_text(m.certs[i]->x5t, x5t), captures[_i].x5t[i]);
    ck_assert_uint_eq(m.x5t_mismatches, 0);
}
END_TEST

START_TEST(the_year_9999_is_a_year)
{
    CLEANUP(buf_done) struct buf text = {0};
    read_vector(captures[0].file, &text);
    struct partner p = {.app_id = (char[]){"00000003-0000-0ff1-ce00-000000000000"},
        .realm = (char[]){"af90cc03-4a26-45e9-906a-609cebcebbde"},
        .issuer =
            (char[]){"00000003-0000-0ff1-ce00-000000000000@af90cc03-4a26-45e9-906a-609cebcebbde"}};
    ck_assert_int_eq(
        metadata_parse(buf_span(&text), &p, &self, INT64_C(4102444800), &m), REASON_OK);
    ck_assert_int_eq(m.certs[0]->not_after, INT64_C(253370764800));
}
END_TEST

/* ------------------------------------------------------------------------------------- identity */

static const struct {
    const char *head;
    enum reason reason;
} identities[] = {
    {HEAD, REASON_OK},
    {"\"ISSUER\":\"" APP "@" REALM "\"", REASON_OK},
    {HEAD ",\"realm\":\"contoso.com\",\"serviceName\":\"" APP "\"", REASON_OK},
    {HEAD ",\"Realm\":null,\"servicename\":null", REASON_OK},
    {HEAD ",\"serviceName\":\"lync.contoso.com\"", REASON_OK},
    {HEAD ",\"endpoints\":\"file:///etc/passwd\",\"x\":[[[{}]]]", REASON_OK},
    {HEAD ",\"realm\":\"fabrikam.com\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"realm\":\"CONTOSO.COM\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"realm\":\"*\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"realm\":\"\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"serviceName\":\"00000002-0000-0ff1-ce00-000000000000\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"serviceName\":\"00000004-0000-0FF1-CE00-000000000000\"", REASON_DOCUMENT_ISSUER},
    {HEAD ",\"realm\":7", REASON_DOCUMENT_FORM},
    {HEAD ",\"serviceName\":[]", REASON_DOCUMENT_FORM},
    {"\"issuer\":\"" APP "@*\"", REASON_DOCUMENT_ISSUER},
    {"\"issuer\":\"" APP "@Contoso.com\"", REASON_DOCUMENT_ISSUER},
    {"\"issuer\":\"" APP "@contoso.com \"", REASON_DOCUMENT_ISSUER},
    {"\"issuer\":\"" APP "@contoso.com\\u0000\"", REASON_JSON_SYNTAX},
    {"\"issuer\":\"" APP "\"", REASON_DOCUMENT_ISSUER},
    {"\"issuer\":\"00000003-0000-0ff1-ce00-000000000000@" REALM "\"", REASON_DOCUMENT_ISSUER},
    {"\"issuer\":\"00000002-0000-0ff1-ce00-000000000000@" REALM "\"", REASON_DOCUMENT_OURS},
    {"\"issuer\":null", REASON_DOCUMENT_FORM},
    {"\"issuer\":\"\"", REASON_DOCUMENT_FORM},
    {"\"issuer\":[\"" APP "@" REALM "\"]", REASON_DOCUMENT_FORM},
    {"\"serviceName\":\"" APP "\",\"realm\":\"" REALM "\"", REASON_DOCUMENT_FORM},
    {HEAD ",\"Issuer\":\"x\"", REASON_JSON_DUPLICATE},
    {HEAD ",\"i\\u0073suer\":\"x\"", REASON_JSON_DUPLICATE},
};

START_TEST(pins_decide_about_the_whole_document)
{
    CLEANUP(freep) char *one = entry(1);
    CLEANUP(freep) char *text = document(identities[_i].head, one);
    enum reason r = parse(text);
    ck_assert_msg(r == identities[_i].reason, "%s: %s", identities[_i].head, reason_code(r));
    ck_assert_uint_eq(m.n_certs, r == REASON_OK);
    ck_assert(r == REASON_OK || *m.detail);
}
END_TEST

/* A pinned realm of "*" cannot come from the configuration; if it did it would still match nothing,
 * not even a document that says the same and names no realm of its own. */
START_TEST(a_wildcard_is_never_a_realm)
{
    struct partner any = {
        .app_id = (char[]){APP}, .realm = (char[]){"*"}, .issuer = (char[]){APP "@*"}};
    CLEANUP(freep) char *one = entry(1);
    CLEANUP(freep) char *text = document("\"issuer\":\"" APP "@*\"", one);
    ck_assert_int_eq(metadata_parse(span_of(text), &any, &self, T0, &m), REASON_DOCUMENT_ISSUER);
}
END_TEST

START_TEST(what_differs_is_told_in_harmless_bytes)
{
    parse("{\"issuer\":\"evil\\n\\u001b[31m\\u00e9@x\",\"keys\":[]}");
    ck_assert_ptr_nonnull(strstr(m.detail, "pinned is \"" APP "@" REALM "\""));
    for (const char *p = m.detail; *p; p++)
        ck_assert(*p >= ' ' && *p <= '~');
}
END_TEST

/* ----------------------------------------------------------------------------------------- keys */

/* %s is the base64 of a good certificate. */
static const struct {
    const char *entry;
    bool usable;
} shapes[] = {
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\"}}", true},
    {"{\"Usage\":\"Signing\",\"keyValue\":{\"type\":\"x509certificate\",\"Value\":\"%s\"}}", true},
    {"{\"USAGE\":\"SIGNING\",\"KEYVALUE\":{\"TYPE\":\"X509CERTIFICATE\",\"VALUE\":\"%s\"}}", true},
    {"{\"usage\":\"signing\",\"keyValue\":{\"type\":\"x509Certificate\",\"value\":\"%s\","
     "\"keyInfo\":{}}}",
        true},
    {"{\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\"}}", false},
    {"{\"usage\":\"encryption\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\"}}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"RSAKeyValue\",\"value\":\"%s\"}}", false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"value\":\"%s\"}}", false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\"},\"value\":\"%s\"}", false},
    {"{\"usage\":\"signing\",\"keyvalue\":[{\"type\":\"x509Certificate\",\"value\":\"%s\"}]}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":[\"%s\"]}}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\" %s\"}}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\\n\"}}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":"
     "\"-----BEGIN CERTIFICATE-----\\n%s\\n-----END CERTIFICATE-----\"}}",
        false},
    {"{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%sAAAA\"}}",
        false},
    {"\"%s\"", false},
};

START_TEST(each_shape_of_a_key_is_read_or_skipped)
{
    CLEANUP(freep) char *good = entry(2);
    CLEANUP(cert_freep) struct cert *c = fixture_cert(1);
    CLEANUP(freep) char *value = b64_of(c);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    const char *slot = strstr(shapes[_i].entry, "%s");
    buf_printf(&keys, "%s,", good);
    buf_put(&keys, shapes[_i].entry, (size_t)(slot - shapes[_i].entry));
    buf_printf(&keys, "%s%s", value, slot + 2);
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_msg(m.n_certs == 1u + shapes[_i].usable, "%s", shapes[_i].entry);
    ck_assert_uint_eq(m.skipped, !shapes[_i].usable);
    ck_assert_uint_eq(m.x5t_mismatches, 0);
    ck_assert(shapes[_i].usable || strstr(m.detail, "keys[1] "));
}
END_TEST

START_TEST(an_escaped_solidus_is_a_solidus)
{
    CLEANUP(freep) char *plain = good_document();
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    for (const char *p = plain; *p; p++)
        buf_put_str(&text, *p == '/' ? "\\/" : (char[]){*p, '\0'});
    ck_assert_int_eq(parse(text.p), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 1);
}
END_TEST

/* Where keyInfo stands, what it says, and whether that is worth a remark. %s is the true x5t. */
static const struct {
    const char *beside, *inside;
    unsigned mismatches;
} infos[] = {
    {"\"keyinfo\":{\"x5t\":\"%s\"},", "", 0},
    {"", ",\"keyInfo\":{\"x5t\":\"%s\"}", 0},
    {"\"keyinfo\":{\"x5t\":\"%s=\"},", "", 0},
    {"\"keyinfo\":{\"x5t\":null},", "", 0},
    {"\"keyinfo\":\"%s\",", "", 0},
    {"\"keyinfo\":{\"x5t\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"},", "", 1},
    {"", ",\"keyInfo\":{\"x5t\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", 1},
    {"\"keyinfo\":{\"x5t\":\"short\"},", "", 1},
    {"\"keyinfo\":{\"x5t\":7},", "", 1},
};

static void put_with(struct buf *b, const char *template, const char *value)
{
    const char *slot = strstr(template, "%s");
    if (!slot) {
        buf_put_str(b, template);
        return;
    }
    buf_put(b, template, (size_t)(slot - template));
    buf_printf(b, "%s%s", value, slot + 2);
}

START_TEST(the_certificate_decides_not_the_published_thumbprint)
{
    CLEANUP(cert_freep) struct cert *c = fixture_cert(1);
    CLEANUP(freep) char *value = b64_of(c);
    char x5t[X5T_TEXT_LEN];
    CLEANUP(buf_done) struct buf e = BUF_INIT(65536);
    buf_put_str(&e, "{\"usage\":\"signing\",");
    put_with(&e, infos[_i].beside, x5t_text(c->x5t, x5t));
    buf_printf(&e, "\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\"", value);
    put_with(&e, infos[_i].inside, x5t);
    buf_put_str(&e, "}}");
    CLEANUP(freep) char *text = document(HEAD, e.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_uint_eq(m.x5t_mismatches, infos[_i].mismatches);
    ck_assert_mem_eq(m.certs[0]->x5t, c->x5t, X5T_LEN);
}
END_TEST

START_TEST(one_certificate_twice_is_one_key)
{
    CLEANUP(freep) char *one = entry(1);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    buf_printf(&keys, "%s,%s", one, one);
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 1);
}
END_TEST

START_TEST(keys_keep_the_documents_order)
{
    CLEANUP(freep) char *one = entry(7);
    CLEANUP(freep) char *two = entry(3);
    CLEANUP(cert_freep) struct cert *first = fixture_cert(7);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    buf_printf(&keys, "%s,%s", one, two);
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 2);
    ck_assert_mem_eq(m.certs[0]->x5t, first->x5t, X5T_LEN);
}
END_TEST

static const struct {
    unsigned n;
    enum reason reason;
} counts[] = {{64, REASON_OK}, {65, REASON_DOCUMENT_FORM}, {0, REASON_DOCUMENT_KEYS}};

START_TEST(sixty_four_entries_are_the_limit)
{
    CLEANUP(buf_done) struct buf keys = BUF_INIT(METADATA_MAX);
    buf_put_str(&keys, "");
    for (unsigned i = 0; i < counts[_i].n; i++) {
        CLEANUP(freep) char *one = entry(i);
        buf_printf(&keys, "%s%s", i ? "," : "", one);
    }
    CLEANUP(freep) char *text = document(HEAD, keys.n ? keys.p : "");
    ck_assert_int_eq(parse(text), counts[_i].reason);
    ck_assert_uint_eq(m.n_certs, counts[_i].reason == REASON_OK ? counts[_i].n : 0);
}
END_TEST

/* The fixture's certificate with a modulus of 8192 bits: longer by GROWTH, and so is everything
 * around it. */
#define GROWTH (1024 - 256)

static void grow(unsigned char *length)
{
    unsigned n = (unsigned)(length[0] << 8 | length[1]) + GROWTH;
    length[0] = (unsigned char)(n >> 8);
    length[1] = (unsigned char)n;
}

static struct cert *big_cert(unsigned seed)
{
    const struct cert *base = fixture_base();
    struct span n = pubkey_n(base->key);
    struct cert *made = NULL;
    for (unsigned attempt = 0; !made; attempt++) {
        CLEANUP(freep) unsigned char *der = malloc(base->der_len + GROWTH);
        memcpy(der, base->der, base->der_len);
        unsigned char *modulus = memmem(der, base->der_len, n.p, n.n);
        size_t before = (size_t)(modulus - der), middle = before + 128;
        /* Certificate, TBSCertificate; SubjectPublicKeyInfo, BIT STRING, RSAPublicKey, INTEGER */
        const size_t headers[] = {0, 4, before - 33, before - 14, before - 9, before - 5};
        for (size_t i = 0; i < ARRAY_LEN(headers); i++)
            grow(der + headers[i] + 2);
        memmove(der + middle + GROWTH, der + middle, base->der_len - middle);
        memset(der + middle, 0x5a, GROWTH);
        der[middle] = (unsigned char)seed;
        der[middle + 9] = (unsigned char)attempt;
        if (cert_parse(span_bytes(der, base->der_len + GROWTH), &made) != REASON_OK)
            made = NULL;
    }
    return made;
}

/* What a document may bring must fit into the frame that carries it to the workers. */
START_TEST(forty_keys_of_8192_bits_are_the_limit)
{
    CLEANUP(buf_done) struct buf keys = BUF_INIT(METADATA_MAX);
    for (unsigned i = 0; i < 42; i++) {
        CLEANUP(cert_freep) struct cert *c = big_cert(i);
        CLEANUP(freep) char *value = b64_of(c);
        ck_assert_uint_eq(pubkey_bits(c->key), 8192);
        buf_printf(&keys, "%s" ENTRY("%s"), i ? "," : "", value);
    }
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 40);
    ck_assert_uint_eq(m.skipped, 2);
}
END_TEST

static const struct {
    const char *text;
    enum reason reason;
} malformed[] = {
    {"", REASON_JSON_SYNTAX},
    {"<html>login</html>", REASON_JSON_SYNTAX},
    {"[]", REASON_DOCUMENT_FORM},
    {"\"" HEAD "\"", REASON_JSON_SYNTAX},
    {"{" HEAD "}", REASON_DOCUMENT_FORM},
    {"{" HEAD ",\"keys\":null}", REASON_DOCUMENT_FORM},
    {"{" HEAD ",\"keys\":{}}", REASON_DOCUMENT_FORM},
    {"{" HEAD ",\"keys\":\"x\"}", REASON_DOCUMENT_FORM},
    {"{" HEAD ",\"keys\":[null]}", REASON_DOCUMENT_KEYS},
    {"{" HEAD ",\"keys\":[" ENTRY("MIIC") "]}", REASON_DOCUMENT_KEYS},
    {"{" HEAD ",\"keys\":[]} x", REASON_JSON_SYNTAX},
};

START_TEST(what_is_no_document_is_refused)
{
    enum reason r = parse(malformed[_i].text);
    ck_assert_msg(r == malformed[_i].reason, "%s: %s", malformed[_i].text, reason_code(r));
    ck_assert_uint_eq(m.n_certs, 0);
    ck_assert_str_ne(m.detail, "");
}
END_TEST

START_TEST(a_login_page_is_recognised_from_the_log)
{
    ck_assert_int_eq(parse("<html>\n\x1b]login and much more"), REASON_JSON_SYNTAX);
    ck_assert_str_eq(m.detail, "28 bytes that begin with \"<html>\\x0a\\x1b]login and much \"");
}
END_TEST

START_TEST(a_document_above_one_mebibyte_is_refused)
{
    CLEANUP(freep) char *good = good_document();
    size_t n = strlen(good);
    CLEANUP(freep) char *text = malloc(METADATA_MAX + 2);
    memcpy(text, good, n);
    memset(text + n, ' ', METADATA_MAX + 1 - n);
    text[METADATA_MAX + 1] = '\0';
    ck_assert_int_eq(parse(text), REASON_TOO_LARGE);
    text[METADATA_MAX] = '\0';
    ck_assert_int_eq(parse(text), REASON_OK);
}
END_TEST

/* ---------------------------------------------------------------------------------------- dates */

static const struct {
    int64_t from, to; /* of the certificate, from now */
    enum expired_keys expired_keys;
    enum reason reason;
} dates[] = {
    {-DAY, DAY, EXPIRED_REFUSE, REASON_OK},
    {-DAY, -300, EXPIRED_REFUSE, REASON_OK},
    {-DAY, -301, EXPIRED_REFUSE, REASON_DOCUMENT_KEYS},
    {-DAY, -301, EXPIRED_WARN, REASON_OK},
    {300, DAY, EXPIRED_REFUSE, REASON_OK},
    {301, DAY, EXPIRED_REFUSE, REASON_DOCUMENT_KEYS},
    {301, DAY, EXPIRED_WARN, REASON_DOCUMENT_KEYS},
};

START_TEST(a_key_outside_its_dates_makes_no_set)
{
    CLEANUP(signkey_freep)
    struct signkey *key = fixture_signkey("dated", T0 + dates[_i].from, T0 + dates[_i].to);
    CLEANUP(freep) char *value = b64_of(signkey_cert(key));
    CLEANUP(buf_done) struct buf e = BUF_INIT(65536);
    buf_printf(&e, ENTRY("%s"), value);
    CLEANUP(freep) char *text = document(HEAD, e.p);
    pins.expired_keys = dates[_i].expired_keys;
    enum reason r = parse(text);
    pins.expired_keys = EXPIRED_REFUSE;
    ck_assert_str_eq(reason_code(r), reason_code(dates[_i].reason));
    ck_assert(r == REASON_OK || *m.detail);
}
END_TEST

/* Partners that answer 304 are not read again on the day a next key becomes valid. */
START_TEST(a_key_whose_time_has_not_come_is_kept_beside_a_good_one)
{
    CLEANUP(signkey_freep) struct signkey *key = fixture_signkey("next", T0 + DAY, T0 + 9 * DAY);
    CLEANUP(freep) char *value = b64_of(signkey_cert(key));
    CLEANUP(freep) char *good = entry(1);
    CLEANUP(buf_done) struct buf e = BUF_INIT(65536);
    buf_printf(&e, "%s," ENTRY("%s"), good, value);
    CLEANUP(freep) char *text = document(HEAD, e.p);
    ck_assert_int_eq(parse(text), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 2);
    ck_assert_int_eq(m.certs[1]->not_before, T0 + DAY);
}
END_TEST

/* --------------------------------------------------------------------------------- private keys */

#define PKCS8 "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDEMZY8q0Dhg65f"
#define PKCS8_EC "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2"
#define PFX "MIIJ2QIBAzCCCZUGCSqGSIb3DQEHAaCCCYYEggmCMIIJfjCCBfIGCSqGSIb3DQEH"

static const char *const private_entries[] = {
    "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}",
    "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"oth\":[]}",
    "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",
    "{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"RSAKeyValue\",\"D\":\"AQAB\"}}",
    "{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"RSAKeyValue\",\"InverseQ\":\"AQAB\"}}",
    ENTRY("-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----"),
    ENTRY("-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----"),
    ENTRY("<RSAKeyValue><Modulus>AQAB</Modulus><D>AQAB</D></RSAKeyValue>"),
    ENTRY(PKCS8),
    ENTRY(PKCS8_EC),
    ENTRY(PFX),
    "{\"usage\":\"signing\",\"keyvalue\":{\"type\":\"x\",\"more\":[[{\"pfx\":\"" PFX "\"}]]}}",
};

START_TEST(a_published_private_key_is_an_alarm)
{
    CLEANUP(freep) char *good = entry(1);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    buf_printf(&keys, "%s,%s", good, private_entries[_i]);
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_msg(parse(text) == REASON_DOCUMENT_PRIVATE, "%s", private_entries[_i]);
    ck_assert_uint_eq(m.n_certs, 0);
}
END_TEST

static const char *const harmless_entries[] = {
    "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"kid\":\"d\"}",
    "{\"usage\":\"signing\",\"d\":null,\"p\":7,\"k\":\"\"}",
    ENTRY("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxDGWPKtA4YOuXxgVgw0woJiA0sdVdSDH"),
};

START_TEST(what_only_looks_private_is_no_alarm)
{
    CLEANUP(freep) char *good = entry(1);
    CLEANUP(buf_done) struct buf keys = BUF_INIT(65536);
    buf_printf(&keys, "%s,%s", good, harmless_entries[_i]);
    CLEANUP(freep) char *text = document(HEAD, keys.p);
    ck_assert_msg(parse(text) == REASON_OK, "%s", harmless_entries[_i]);
    ck_assert_uint_eq(m.n_certs, 1);
}
END_TEST

/* ------------------------------------------------------------------------------------ our own */

static struct identity ours = {.app_id = (char[]){APP},
    .realm = (char[]){REALM},
    .name = (char[]){"s2sd \"one\""},
    .service_name = (char[]){APP},
    .issuer = (char[]){APP "@" REALM},
    .hosts = (char *[]){(char[]){"lync.contoso.com"}, (char[]){"pool1.contoso.com"}},
    .n_hosts = 2};

#define URL "https://Lync.contoso.com:8443/metadata/json/1"

static void render(const struct cert *const *certs, size_t n, struct buf *out)
{
    struct metadata_own own = {.identity = &ours, .url = URL, .certs = certs, .n_certs = n};
    *out = BUF_INIT(METADATA_MAX);
    ck_assert_int_eq(metadata_render(&own, out), REASON_OK);
}

START_TEST(the_document_is_exactly_exchanges)
{
    CLEANUP(cert_freep) struct cert *c = fixture_cert(1);
    CLEANUP(freep) char *value = b64_of(c);
    char x5t[X5T_TEXT_LEN];
    CLEANUP(buf_done) struct buf want = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf got = {0};
    render((const struct cert *[]){c}, 1, &got);
    ck_assert(span_starts(buf_span(&got), SPAN("{\"id\":\"_")));
    buf_printf(&want,
        "\",\"version\":\"1.0\",\"name\":\"s2sd \\\"one\\\"\",\"realm\":\"contoso.com\","
        "\"serviceName\":\"" APP "\",\"issuer\":\"" APP "@contoso.com\",\"allowedAudiences\":["
        "\"" APP "@contoso.com\",\"" APP "/lync.contoso.com@contoso.com\","
        "\"" APP "/pool1.contoso.com@contoso.com\"],\"keys\":[{\"usage\":\"signing\","
        "\"keyinfo\":{\"x5t\":\"%s\"},\"keyvalue\":{\"type\":\"x509Certificate\",\"value\":\"%s\"}"
        "}],\"endpoints\":[{\"location\":\"" URL "\",\"protocol\":\"OAuth2\","
        "\"usage\":\"metadata\"}]}",
        x5t_text(c->x5t, x5t), value);
    ck_assert_uint_eq(got.n, strlen("{\"id\":\"_") + 36 + want.n);
    ck_assert_str_eq(got.p + got.n - want.n, want.p);
}
END_TEST

START_TEST(the_id_is_a_uuid_of_issuer_and_keys)
{
    CLEANUP(cert_freep) struct cert *a = fixture_cert(1);
    CLEANUP(cert_freep) struct cert *b = fixture_cert(2);
    CLEANUP(buf_done) struct buf one = {0};
    CLEANUP(buf_done) struct buf again = {0};
    CLEANUP(buf_done) struct buf other = {0};
    CLEANUP(buf_done) struct buf swapped = {0};
    CLEANUP(buf_done) struct buf issuer = {0};
    render((const struct cert *[]){a, b}, 2, &one);
    render((const struct cert *[]){a, b}, 2, &again);
    render((const struct cert *[]){a}, 1, &other);
    render((const struct cert *[]){b, a}, 2, &swapped);
    ours.issuer[0] = '9';
    render((const struct cert *[]){a, b}, 2, &issuer);
    ours.issuer[0] = '0';
    ck_assert_str_eq(one.p, again.p);
    const char *id = one.p + strlen("{\"id\":\"_");
    for (int i = 0; i < 36; i++)
        ck_assert((i == 8 || i == 13 || i == 18 || i == 23) == (id[i] == '-'));
    ck_assert_int_eq(id[14], '5');
    ck_assert_ptr_nonnull(strchr("89ab", id[19]));
    ck_assert_mem_ne(id, other.p + strlen("{\"id\":\"_"), 36);
    ck_assert_mem_ne(id, issuer.p + strlen("{\"id\":\"_"), 36);
    ck_assert_mem_ne(id, swapped.p + strlen("{\"id\":\"_"), 36);
}
END_TEST

START_TEST(a_partner_reads_what_we_publish)
{
    CLEANUP(cert_freep) struct cert *a = fixture_cert(1);
    CLEANUP(cert_freep) struct cert *b = fixture_cert(2);
    CLEANUP(buf_done) struct buf text = {0};
    render((const struct cert *[]){b, a}, 2, &text);
    ck_assert_int_eq(parse(text.p), REASON_OK);
    ck_assert_uint_eq(m.n_certs, 2);
    ck_assert_uint_eq(m.skipped, 0);
    ck_assert_uint_eq(m.x5t_mismatches, 0);
    ck_assert_str_eq(m.detail, "");
    ck_assert_mem_eq(m.certs[0]->der, b->der, b->der_len);
    ck_assert_mem_eq(m.certs[1]->der, a->der, a->der_len);
}
END_TEST

START_TEST(discovery_names_the_origin)
{
    struct metadata_own own = {.identity = &ours, .url = URL, .certs = NULL, .n_certs = 0};
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    ck_assert_int_eq(metadata_render_openid(&own, &text), REASON_OK);
    ck_assert_str_eq(text.p,
        "{\"issuer\":\"https://lync.contoso.com:8443\",\"jwks_uri\":"
        "\"https://lync.contoso.com:8443/.well-known/jwks.json\",\"response_types_supported\":[],"
        "\"subject_types_supported\":[\"public\"],"
        "\"id_token_signing_alg_values_supported\":[\"RS256\"]}");
    own.url = "http://lync.contoso.com/";
    ck_assert_int_eq(metadata_render_openid(&own, &text), REASON_INVALID_REQUEST);
}
END_TEST

START_TEST(the_key_set_holds_the_same_keys_in_the_same_order)
{
    CLEANUP(cert_freep) struct cert *a = fixture_cert(1);
    CLEANUP(cert_freep) struct cert *b = fixture_cert(2);
    struct metadata_own own = {
        .identity = &ours, .url = URL, .certs = (const struct cert *[]){b, a}, .n_certs = 2};
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    const struct json_limits limits = {.bytes = 65536};
    const struct json_value *v, *keys;
    char x5t[X5T_TEXT_LEN];
    ck_assert_int_eq(metadata_render_jwks(&own, &text), REASON_OK);
    ck_assert_int_eq(json_parse(doc, buf_span(&text), &limits, &v), REASON_OK);
    keys = json_get(v, "keys");
    ck_assert_uint_eq(keys->count, 2);
    const struct json_value *kid = json_get(keys->child, "kid");
    ck_assert(span_eq_str(kid->text, x5t_text(b->x5t, x5t)));
    kid = json_get(keys->child->next, "kid");
    ck_assert(span_eq_str(kid->text, x5t_text(a->x5t, x5t)));
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_told)
{
    CLEANUP(cert_freep) struct cert *a = fixture_cert(1);
    struct metadata_own own = {
        .identity = &ours, .url = URL, .certs = (const struct cert *[]){a}, .n_certs = 1};
    CLEANUP(buf_done) struct buf text = BUF_INIT(100);
    ck_assert_int_eq(metadata_render(&own, &text), REASON_OUT_OF_MEMORY);
    buf_done(&text);
    text = BUF_INIT(100);
    ck_assert_int_eq(metadata_render_jwks(&own, &text), REASON_OUT_OF_MEMORY);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, close_metadata);
    tcase_add_loop_test(tc, documents_seen_in_the_wild_are_read, 0, ARRAY_LEN(captures));
    tcase_add_test(tc, the_year_9999_is_a_year);
    tcase_add_loop_test(tc, pins_decide_about_the_whole_document, 0, ARRAY_LEN(identities));
    tcase_add_test(tc, a_wildcard_is_never_a_realm);
    tcase_add_test(tc, what_differs_is_told_in_harmless_bytes);
    tcase_add_loop_test(tc, each_shape_of_a_key_is_read_or_skipped, 0, ARRAY_LEN(shapes));
    tcase_add_test(tc, an_escaped_solidus_is_a_solidus);
    tcase_add_loop_test(
        tc, the_certificate_decides_not_the_published_thumbprint, 0, ARRAY_LEN(infos));
    tcase_add_test(tc, one_certificate_twice_is_one_key);
    tcase_add_test(tc, keys_keep_the_documents_order);
    tcase_add_loop_test(tc, sixty_four_entries_are_the_limit, 0, ARRAY_LEN(counts));
    tcase_add_test(tc, forty_keys_of_8192_bits_are_the_limit);
    tcase_add_loop_test(tc, what_is_no_document_is_refused, 0, ARRAY_LEN(malformed));
    tcase_add_test(tc, a_login_page_is_recognised_from_the_log);
    tcase_add_test(tc, a_document_above_one_mebibyte_is_refused);
    tcase_add_loop_test(tc, a_key_outside_its_dates_makes_no_set, 0, ARRAY_LEN(dates));
    tcase_add_test(tc, a_key_whose_time_has_not_come_is_kept_beside_a_good_one);
    tcase_add_loop_test(tc, a_published_private_key_is_an_alarm, 0, ARRAY_LEN(private_entries));
    tcase_add_loop_test(tc, what_only_looks_private_is_no_alarm, 0, ARRAY_LEN(harmless_entries));
    tcase_add_test(tc, the_document_is_exactly_exchanges);
    tcase_add_test(tc, the_id_is_a_uuid_of_issuer_and_keys);
    tcase_add_test(tc, a_partner_reads_what_we_publish);
    tcase_add_test(tc, discovery_names_the_origin);
    tcase_add_test(tc, the_key_set_holds_the_same_keys_in_the_same_order);
    tcase_add_test(tc, a_buffer_that_is_too_small_is_told);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_metadata", add);
}
