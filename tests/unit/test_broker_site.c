/* SPDX-License-Identifier: Apache-2.0 */
/* The public door's answers (DESIGN 6): Host, path, method, precondition, discovery. */
#include "site.h"

#include "cleanup.h"
#include "json.h"
#include "settings_of.h"
#include "signkey.h"
#include "unit.h"

#define CONF                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\nHosts=pool.contoso.example\n"                                     \
    "[Metadata]\nURL=https://public.contoso.example:8443/metadata/json/1\nCacheMaxAge=10min\n"
#define PARTNERS                                                                                   \
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/autodiscover/metadata/json/1\n"      \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"      \
    "[Partner off]\nMetadataURL=https://off.contoso.example/metadata/json/1\nEnabled=no\n"         \
    "ApplicationId=00000007-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"      \
    "[Partner sps]\nMetadataURL=https://sps.contoso.example/metadata/json/1\n"                     \
    "ApplicationId=00000003-0000-0ff1-ce00-000000000000\n"                                         \
    "Realm=b9c0dfdb-0000-4000-8000-3a6e2ab03c11\nTrust=full\n"

static struct signkey *key;
static struct settings *settings;
static struct documents *documents;
static struct site site;

static void open_site_with(const char *conf, struct cert *root)
{
    struct cert cert = *signkey_cert(key);
    struct keyring ring = {.n = 1, .slots = {{.state = KEY_CURRENT, .cert = &cert}}, .root = root};
    settings = settings_of(conf);
    const struct documents_of of = {.settings = settings, .ring = &ring};
    ck_assert_int_eq(documents_render(&of, &documents), REASON_OK);
    ck_assert_int_eq(site_open(&site, settings, documents), REASON_OK);
}

static void open_site(const char *conf)
{
    open_site_with(conf, NULL);
}

static void close_site(void)
{
    site_close(&site);
    documents_freep(&documents);
    settings_freep(&settings);
}

static void set_up(void)
{
    open_site(CONF PARTNERS);
}

/* Reads the text as the door would and answers it. */
static struct site_reply ask(const char *text)
{
    static struct http_request req;
    struct http_reader reader = {0};
    struct http_limits limits = {.header_max = 16384};
    struct site_reply r = SITE_REPLY_INIT;
    ck_assert_int_eq(http_read(&reader, span_of(text), &limits, &req), HTTP_DONE);
    site_answer(&site, &req, &r);
    ck_assert(!r.headers.failed && !r.body.failed);
    return r;
}

static struct site_reply ask_path(const char *method, const char *path, const char *headers)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: lync.contoso.example\r\n%s\r\n", method,
        path, headers);
    return ask(text);
}

static bool has_header(const struct site_reply *r, const char *line)
{
    return memmem(r->headers.p, r->headers.n, line, strlen(line)) != NULL;
}

static const struct {
    const char *path;
    unsigned status;
    int same_as; /* row with the same document, -1: none before */
} paths[] = {
    {"/metadata/json/1", 200, -1},
    {"/metadata/json/1/", 200, 0},
    {"/Metadata/JSON/1", 200, 0},
    {"/autodiscover/metadata/json/1", 200, 0},
    {"/AutoDiscover/metadata/json/1/", 200, 0},
    {"/_layouts/15/metadata/json/1", 200, 0},
    {"/metadata/json/1?realm=contoso.example", 200, 0},
    {"/.well-known/openid-configuration", 200, -1},
    {"/.well-known/jwks.json", 200, -1},
    {"/.well-known/jwks.json/", 404, -1},
    {"/.well-known/JWKS.json", 404, -1},
    {"/metadata/json/1/rootcertificate", 404, -1}, /* none: our certificates stand alone */
    {"/metadata/json/1//", 404, -1},
    {"/metadata/json/2", 404, -1},
    {"/metadata/json/11", 404, -1},
    {"//metadata/json/1", 404, -1},
    {"/metadata%2fjson/1", 404, -1},
    {"/", 404, -1},
};

/* Below each path of the document, as DER, and with a type of its own. */
START_TEST(the_root_certificate_is_served_where_there_is_one)
{
    static const char *const roots[] = {"/metadata/json/1/rootcertificate",
        "/autodiscover/metadata/json/1/RootCertificate",
        "/_layouts/15/metadata/json/1/rootcertificate/"};
    struct cert root = *signkey_cert(key);
    close_site();
    open_site_with(CONF PARTNERS, &root);
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        struct site_reply r = ask_path("GET", roots[i], "");
        ck_assert_uint_eq(r.status, 200);
        ck_assert_str_eq(r.document->content_type, "application/pkix-cert");
        ck_assert_uint_eq(r.document->len, root.der_len);
        ck_assert_mem_eq(evbuffer_pullup(r.document->body, -1), root.der, root.der_len);
        site_reply_done(&r);
    }
    struct site_reply r = ask_path("GET", "/metadata/json/1", "");
    ck_assert_str_eq(r.document->content_type, "application/json; charset=utf-8");
    site_reply_done(&r);
}
END_TEST

START_TEST(paths_lead_to_documents)
{
    struct site_reply r = ask_path("GET", paths[_i].path, "");
    ck_assert_msg(r.status == paths[_i].status, "%s: %u", paths[_i].path, r.status);
    if (paths[_i].same_as >= 0) {
        struct site_reply same = ask_path("GET", paths[paths[_i].same_as].path, "");
        ck_assert_ptr_eq(r.document, same.document);
        site_reply_done(&same);
    }
    if (r.status == 200) {
        ck_assert(has_header(&r, r.document->etag));
        ck_assert(has_header(&r, "Cache-Control: max-age=600\r\n"));
        ck_assert_uint_eq(r.document->len, evbuffer_get_length(r.document->body));
        ck_assert(!r.close);
    } else {
        ck_assert_ptr_null(r.document);
        ck_assert(r.close);
        ck_assert(has_header(&r, "Cache-Control: no-store\r\n"));
    }
    site_reply_done(&r);
}
END_TEST

static const struct {
    const char *method, *path, *headers;
    unsigned status;
    const char *says; /* in the headers */
    bool close;
} requests[] = {
    {"HEAD", "/metadata/json/1", "", 200, "ETag: \"", false},
    {"POST", "/metadata/json/1", "Content-Length: 0\r\n", 405, "Allow: GET, HEAD\r\n", true},
    {"DELETE", "/.well-known/jwks.json", "", 405, "Allow: GET, HEAD\r\n", true},
    {"BREW", "/metadata/json/1", "", 405, "Allow: GET, HEAD\r\n", true},
    {"OPTIONS", "/metadata/json/1", "Authorization: Bearer\r\n", 405, "Allow: GET, HEAD\r\n", true},
    {"GET", "/EWS/Exchange.asmx", "Authorization: Bearer\r\n", 401, "WWW-Authenticate: Bearer ",
        false},
    {"POST", "/autodiscover/autodiscover.svc", "Authorization: bearer  \r\nContent-Length: 0\r\n",
        401, "WWW-Authenticate: Bearer ", false},
    {"OPTIONS", "/x", "Authorization: BEARER\r\n", 401, "WWW-Authenticate: Bearer ", false},
    {"GET", "/x", "Authorization: Bearer abc\r\n", 404, "Cache-Control: no-store\r\n", true},
    {"GET", "/x", "Authorization: Basic\r\n", 404, "Cache-Control: no-store\r\n", true},
    {"GET", "/x", "Authorization: Bearer\r\nAuthorization: Bearer\r\n", 404, "", true},
    {"GET", "/metadata/json/1", "Authorization: Bearer\r\n", 200, "ETag: \"", false},
};

START_TEST(methods_and_discovery)
{
    struct site_reply r = ask_path(requests[_i].method, requests[_i].path, requests[_i].headers);
    ck_assert_uint_eq(r.status, requests[_i].status);
    ck_assert_int_eq(r.close, requests[_i].close);
    ck_assert(has_header(&r, requests[_i].says));
    site_reply_done(&r);
}
END_TEST

static const struct {
    const char *host; /* NULL: no such header, HTTP/1.0 */
    unsigned status;
} hosts[] = {
    {"lync.contoso.example", 200},
    {"LYNC.Contoso.Example:8443", 200},
    {"pool.contoso.example", 200},
    {"public.contoso.example", 200},
    {"public.contoso.example:443", 200},
    {"evil.example", 421},
    {"lync.contoso.example.evil.example", 421},
    {"xlync.contoso.example", 421},
    {"contoso.example", 421},
    {NULL, 421},
};

START_TEST(only_our_hosts_are_answered_for)
{
    char text[256];
    if (hosts[_i].host)
        snprintf(text, sizeof(text), "GET /metadata/json/1 HTTP/1.1\r\nHost: %s\r\n\r\n",
            hosts[_i].host);
    else
        snprintf(text, sizeof(text), "GET /metadata/json/1 HTTP/1.0\r\n\r\n");
    struct site_reply r = ask(text);
    ck_assert_msg(r.status == hosts[_i].status, "%s: %u", hosts[_i].host, r.status);
    site_reply_done(&r);
}
END_TEST

/* %s is our tag. */
static const struct {
    const char *headers;
    unsigned status;
} conditions[] = {
    {"If-None-Match: %s\r\n", 304},
    {"If-None-Match: W/%s\r\n", 304},
    {"If-None-Match: \"a\", %s ,\"b\"\r\n", 304},
    {"If-None-Match: \"a\"\r\nIf-None-Match: %s\r\n", 304},
    {"If-None-Match: *\r\n", 304},
    {"If-None-Match: \"a\"\r\n", 200},
    {"If-None-Match: \"%s\"\r\n", 200},
    {"If-None-Match:\r\n", 200},
    {"If-Match: %s\r\n", 200},
};

START_TEST(a_known_tag_gives_304)
{
    char headers[256];
    struct site_reply r = ask_path("GET", "/metadata/json/1", "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(headers, sizeof(headers), conditions[_i].headers, r.document->etag);
#pragma GCC diagnostic pop
    site_reply_done(&r);
    static const char *const methods[] = {"GET", "HEAD"};
    for (size_t i = 0; i < 2; i++) {
        r = ask_path(methods[i], "/metadata/json/1", headers);
        ck_assert_msg(r.status == conditions[_i].status, "%s: %u", headers, r.status);
        ck_assert(has_header(&r, r.document->etag) && has_header(&r, "max-age=600"));
        site_reply_done(&r);
    }
}
END_TEST

START_TEST(refusals_are_json)
{
    static const unsigned statuses[] = {400, 401, 404, 405, 408, 413, 421, 431, 501, 505};
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    struct json_limits limits = {.bytes = 4096};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        CLEANUP(buf_done) struct buf body = BUF_INIT(SITE_BODY_MAX);
        const struct json_value *v = NULL;
        site_refusal(statuses[i], "why \"not\"", &body);
        ck_assert_int_eq(json_parse(doc, buf_span(&body), &limits, &v), REASON_OK);
        ck_assert(json_get(v, "error")->text.n > 0);
        ck_assert(span_eq_str(json_get(v, "error_description")->text, "why \"not\""));
    }
}
END_TEST

START_TEST(the_challenge_names_us_and_whom_we_trust)
{
    ck_assert_str_eq(site.challenge,
        "WWW-Authenticate: Bearer client_id=\"00000004-0000-0ff1-ce00-000000000000\", "
        "trusted_issuers=\"00000002-0000-0ff1-ce00-000000000000@contoso.example,"
        "00000003-0000-0ff1-ce00-000000000000@b9c0dfdb-0000-4000-8000-3a6e2ab03c11\", "
        "realm=\"contoso.example\"\r\n");
    close_site();
    /* a realm that is a GUID stands where TokenHelper looks for it; nobody trusted: no such word */
    open_site("[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
              "Realm=b9c0dfdb-0000-4000-8000-3a6e2ab03c11\nHosts=lync.contoso.example\n");
    ck_assert_str_eq(site.challenge,
        "WWW-Authenticate: Bearer realm=\"b9c0dfdb-0000-4000-8000-3a6e2ab03c11\", "
        "client_id=\"00000004-0000-0ff1-ce00-000000000000\"\r\n");
}
END_TEST

START_TEST(a_crowd_of_partners_fits_into_one_header)
{
    CLEANUP(buf_done) struct buf conf = BUF_INIT(1 << 20);
    close_site();
    buf_put_str(&conf, CONF);
    for (unsigned i = 0; i < 300; i++)
        buf_printf(&conf,
            "[Partner p%u]\nMetadataURL=https://p%u.contoso.example/metadata/json/1\n"
            "ApplicationId=%08x-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n",
            i, i, i + 16);
    CLEANUP(freep) char *text = buf_take(&conf);
    open_site(text);
    size_t n = strlen(site.challenge);
    ck_assert_uint_gt(n, 7000);
    ck_assert_uint_lt(n, 8192);
    static const char end[] = "\", realm=\"contoso.example\"\r\n";
    ck_assert_str_eq(site.challenge + n - (sizeof(end) - 1), end);
}
END_TEST

/* The tag of the metadata document under that configuration. */
static void tag_under(const char *conf, char out[DOCUMENT_ETAG_LEN])
{
    close_site();
    open_site(conf);
    struct site_reply r = ask_path("GET", "/metadata/json/1", "");
    snprintf(out, DOCUMENT_ETAG_LEN, "%s", r.document->etag);
    site_reply_done(&r);
}

START_TEST(the_tag_is_that_of_the_bytes)
{
    char first[DOCUMENT_ETAG_LEN], again[DOCUMENT_ETAG_LEN], other[DOCUMENT_ETAG_LEN];
    tag_under(CONF PARTNERS, first);
    tag_under(CONF PARTNERS, again);
    tag_under(CONF PARTNERS "[Identity]\nName=Other\n", other);
    ck_assert_str_eq(first, again);
    ck_assert_str_ne(first, other);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, close_site);
    tcase_add_test(tc, the_root_certificate_is_served_where_there_is_one);
    tcase_add_loop_test(tc, paths_lead_to_documents, 0, (int)ARRAY_LEN(paths));
    tcase_add_loop_test(tc, methods_and_discovery, 0, (int)ARRAY_LEN(requests));
    tcase_add_loop_test(tc, only_our_hosts_are_answered_for, 0, (int)ARRAY_LEN(hosts));
    tcase_add_loop_test(tc, a_known_tag_gives_304, 0, (int)ARRAY_LEN(conditions));
    tcase_add_test(tc, refusals_are_json);
    tcase_add_test(tc, the_challenge_names_us_and_whom_we_trust);
    tcase_add_test(tc, a_crowd_of_partners_fits_into_one_header);
    tcase_add_test(tc, the_tag_is_that_of_the_bytes);
}

int main(void)
{
    if (signkey_generate("lync", 1700000000, 1900000000, &key) != REASON_OK)
        return EXIT_FAILURE;
    int status = unit_run("site", fill);
    signkey_free(key);
    return status;
}
