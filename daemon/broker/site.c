/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include "cleanup.h"
#include "json.h"
#include "principal.h"

/* Room for one header line that common HTTP readers still take. */
#define CHALLENGE_MAX 8000

void site_reply_done(struct site_reply *r)
{
    buf_done(&r->headers);
    buf_done(&r->body);
}

static const char *error_of(unsigned status)
{
    switch (status) {
    case 401:
        return "unauthorized";
    case 404:
        return "not_found";
    case 405:
        return "method_not_allowed";
    case 408:
        return "request_timeout";
    case 413:
    case 431:
        return "too_large";
    case 421:
        return "misdirected_request";
    case 501:
    case 505:
        return "not_implemented";
    default:
        return "invalid_request";
    }
}

void site_refusal(unsigned status, const char *why, struct buf *body)
{
    struct json_out j;
    json_out_start(&j, body);
    json_out_object(&j, NULL);
    json_out_str(&j, "error", error_of(status));
    json_out_str(&j, "error_description", why);
    json_out_object_end(&j);
}

static void refuse(struct site_reply *r, unsigned status, const char *why)
{
    r->status = status;
    r->close = true;
    buf_put_str(&r->headers, "Cache-Control: no-store\r\n");
    site_refusal(status, why, &r->body);
}

/* The issuers of all enabled partners in one quoted string, no such attribute when there is none.
 * What does not fit into a header is left out: such a partner has to be told our realm by its
 * administrator. */
static void put_issuers(struct buf *b, const struct settings *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_partners; i++) {
        const struct partner *p = &s->partners[i];
        if (!p->enabled || b->n + strlen(p->issuer) > CHALLENGE_MAX)
            continue;
        buf_printf(b, "%s%s", n++ ? "," : ", trusted_issuers=\"", p->issuer);
    }
    if (n > 0)
        buf_put_char(b, '"');
}

/* The S2S discovery challenge (protocol note 3). Readers of the TokenHelper kind look for `Bearer
 * realm="` and take the 36 characters behind it: a realm that is a GUID stands there, any other at
 * the end. */
static enum reason make_challenge(const struct settings *s, char **ret)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(SITE_HEADERS_MAX - 256);
    const struct identity *id = &s->identity;
    bool guid = app_id_valid(span_of(id->realm));
    buf_put_str(&b, "WWW-Authenticate: Bearer ");
    if (guid)
        buf_printf(&b, "realm=\"%s\", ", id->realm);
    buf_printf(&b, "client_id=\"%s\"", id->app_id);
    put_issuers(&b, s);
    if (!guid)
        buf_printf(&b, ", realm=\"%s\"", id->realm);
    buf_put_str(&b, "\r\n");
    *ret = buf_take(&b);
    return *ret ? REASON_OK : REASON_OUT_OF_MEMORY;
}

/* The host of an https URL, without its port. */
static struct span host_of(const char *url)
{
    struct span s = span_of(url);
    if (!span_starts(s, SPAN("https://")))
        return SPAN("");
    s = span_skip(s, 8);
    s.n = span_find(s, '/');
    s.n = span_find(s, ':');
    return s;
}

enum reason site_open(
    struct site *site, const struct settings *s, const struct documents *documents)
{
    char *challenge;
    enum reason r = make_challenge(s, &challenge);
    if (r != REASON_OK)
        return r;
    *site = (struct site){.settings = s,
        .documents = documents,
        .url_host = host_of(s->metadata.url),
        .challenge = challenge};
    return REASON_OK;
}

void site_close(struct site *site)
{
    free(site->challenge);
    *site = (struct site){0};
}

/* `Authorization: Bearer` with nothing behind it, exactly once. */
static bool asks_for_discovery(const struct http_request *req)
{
    unsigned n;
    struct span v = http_header(req, "Authorization", &n);
    return n == 1 && span_eq_nocase(v, SPAN("Bearer"));
}

/* Weak comparison (RFC 9110 13.1.2) of a list with our tag; "*" means any. */
static bool holds_tag(struct span list, const char *etag)
{
    if (span_eq(list, SPAN("*")))
        return true;
    while (list.n > 0) {
        size_t n = span_find(list, ',');
        struct span tag = {list.p, n};
        list = span_skip(list, n < list.n ? n + 1 : n);
        while (tag.n > 0 && (*tag.p == ' ' || *tag.p == '\t'))
            tag = span_skip(tag, 1);
        while (tag.n > 0 && (tag.p[tag.n - 1] == ' ' || tag.p[tag.n - 1] == '\t'))
            tag.n--;
        if (span_starts(tag, SPAN("W/")))
            tag = span_skip(tag, 2);
        if (span_eq_str(tag, etag))
            return true;
    }
    return false;
}

static bool is_current(const struct http_request *req, const struct document *doc)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (span_eq_nocase(req->headers[i].name, SPAN("If-None-Match")) &&
            holds_tag(req->headers[i].value, doc->etag))
            return true;
    return false;
}

static void answer_document(const struct site *site, const struct document *doc,
    const struct http_request *req, struct site_reply *r)
{
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
        buf_put_str(&r->headers, "Allow: GET, HEAD\r\n");
        refuse(r, 405, "This document can only be read: GET or HEAD");
        return;
    }
    r->status = is_current(req, doc) ? 304 : 200;
    r->document = doc;
    buf_printf(&r->headers, "ETag: %s\r\nCache-Control: max-age=%lld\r\n", doc->etag,
        (long long)documents_max_age_s(site->documents));
}

void site_answer(const struct site *site, const struct http_request *req, struct site_reply *r)
{
    if (!identity_has_host(&site->settings->identity, req->host) &&
        !(req->host.n > 0 && span_eq_nocase(req->host, site->url_host))) {
        refuse(r, 421, "This server does not answer for that host");
        return;
    }
    const struct document *doc = documents_find(site->documents, req->path);
    if (doc) {
        answer_document(site, doc, req, r);
    } else if (asks_for_discovery(req)) {
        buf_put_str(&r->headers, site->challenge);
        refuse(r, 401, "A server-to-server token is needed");
        r->close = false; /* an answer, not a refusal: the token comes next */
    } else {
        refuse(r, 404, "There is nothing at this path");
    }
}
