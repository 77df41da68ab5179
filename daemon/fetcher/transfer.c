/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include "address.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "tls_verify.h"

#include <sys/socket.h>
#include <unistd.h>

/* A request header, an announce token in the longest. */
#define TRANSFER_HEADER_MAX 9000
#define USER_AGENT "s2sd/" S2SD_VERSION
/* The system's certificates are parsed once an hour (23 ms of CPU each time); a partner's own file
 * at each fetch. */
#define SYSTEM_CA_CACHE_S 3600L

/* A span as C string; false when it does not fit or holds a NUL. */
static bool to_text(struct span s, char *out, size_t max)
{
    if (s.n >= max || (s.n > 0 && memchr(s.p, '\0', s.n)))
        return false;
    if (s.n > 0)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static void urlp(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void curl_freep(char **p)
{
    curl_free(*p);
}

static bool has_part(CURLU *u, CURLUPart part)
{
    CLEANUP(curl_freep) char *text = NULL;
    return curl_url_get(u, part, &text, 0) == CURLUE_OK;
}

/* What a certificate could name and a log line may show. */
static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr(".-_:", c))
            return false;
    }
    return s.n > 0;
}

/* https, a host, no user and no password. Takes the host out. */
static bool read_url(struct transfer *t, const char *url)
{
    CLEANUP(urlp) CURLU *u = curl_url();
    CLEANUP(curl_freep) char *scheme = NULL;
    CLEANUP(curl_freep) char *host = NULL;
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    struct span h = span_of(host);
    if (h.n > 2 && h.p[0] == '[')
        h = (struct span){h.p + 1, h.n - 2};
    if (h.n > 1 && h.p[h.n - 1] == '.') /* the root, which certificates do not write */
        h.n--;
    return span_eq_str(span_of(scheme), "https") && is_host(h) && !has_part(u, CURLUPART_USER) &&
           !has_part(u, CURLUPART_PASSWORD) && to_text(h, t->host, sizeof(t->host));
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    int64_t date = t->head.date;
    bool ok = head_line(&t->head, (struct span){p, size * n}, clock_wall_s());
    if (t->head.date != date)
        t->date_seen_ms = t->head.date ? clock_wall_ms() : 0;
    return ok ? size * n : 0;
}

/* The body of anything but 200 is not read: returning less than n ends the transfer. */
static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    if (!t->head.is_whole || t->head.status != 200)
        return 0;
    t->is_too_large = t->head.length > (int64_t)t->body.max || t->body.n + size * n > t->body.max;
    if (t->is_too_large)
        return 0;
    buf_put(&t->body, p, size * n);
    return t->body.failed ? 0 : size * n;
}

/* The address that is about to be connected to, after all name resolution. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = arg;
    (void)purpose;
    if (!address_is_allowed(&a->addr, t->public_only)) {
        t->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    t->is_tried = true;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static CURLcode on_tls(CURL *easy, void *ssl, void *arg)
{
    struct transfer *t = arg;
    (void)easy;
    t->is_connected = true;
    return tls_verify_setup(ssl, t->host, &t->tls_why) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

/* Options are set by these three so that a failed one is not missed. */
static void set_long(CURL *e, CURLoption o, long v, bool *ok)
{
    *ok &= curl_easy_setopt(e, o, v) == CURLE_OK;
}

static void set_ptr(CURL *e, CURLoption o, const void *v, bool *ok)
{
    *ok &= curl_easy_setopt(e, o, v) == CURLE_OK;
}

static void set_functions(struct transfer *t, bool *ok)
{
    CURL *e = t->easy;
    *ok &= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    *ok &= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    *ok &= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK;
    *ok &= curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK;
    set_ptr(e, CURLOPT_HEADERDATA, t, ok);
    set_ptr(e, CURLOPT_WRITEDATA, t, ok);
    set_ptr(e, CURLOPT_OPENSOCKETDATA, t, ok);
    set_ptr(e, CURLOPT_SSL_CTX_DATA, t, ok);
    set_ptr(e, CURLOPT_PRIVATE, t, ok);
}

/* What holds for every fetch: one request of HTTP/1.1 over a connection of its own, nobody's proxy,
 * no redirect. */
static void set_protocol(CURL *e, bool *ok)
{
    set_ptr(e, CURLOPT_PROTOCOLS_STR, "https", ok);
    set_ptr(e, CURLOPT_PROXY, "", ok);
    set_ptr(e, CURLOPT_NOPROXY, "*", ok);
    set_ptr(e, CURLOPT_USERAGENT, USER_AGENT, ok);
    set_long(e, CURLOPT_FOLLOWLOCATION, 0, ok);
    set_long(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1, ok);
    set_long(e, CURLOPT_HTTP09_ALLOWED, 0, ok);
    set_long(e, CURLOPT_HTTP_CONTENT_DECODING, 0, ok);
    /* A reused connection would skip address and certificate. */
    set_long(e, CURLOPT_FRESH_CONNECT, 1, ok);
    set_long(e, CURLOPT_FORBID_REUSE, 1, ok);
    set_long(e, CURLOPT_NOSIGNAL, 1, ok);
    /* Never wait for a resolver thread that hangs (F13). */
    set_long(e, CURLOPT_QUICK_EXIT, 1, ok);
}

static void set_tls(CURL *e, const char *ca_file, const char *pins, bool *ok)
{
    set_long(e, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, ok);
    set_long(e, CURLOPT_SSL_VERIFYPEER, 1, ok);
    set_long(e, CURLOPT_SSL_VERIFYHOST, 2, ok);
    set_long(e, CURLOPT_SSL_SESSIONID_CACHE, 0, ok);
    /* Without a folder of certificates libcurl keeps the parsed file. */
    set_ptr(e, CURLOPT_CAPATH, NULL, ok);
    set_long(e, CURLOPT_CA_CACHE_TIMEOUT, ca_file[0] ? 0 : SYSTEM_CA_CACHE_S, ok);
    if (ca_file[0])
        set_ptr(e, CURLOPT_CAINFO, ca_file, ok);
    if (pins[0])
        set_ptr(e, CURLOPT_PINNEDPUBLICKEY, pins, ok);
}

static long at_most(uint32_t v, uint32_t max)
{
    return v == 0 || v > max ? (long)max : (long)v;
}

static void set_limits(CURL *e, const struct msg_fetch *m, bool *ok)
{
    set_long(e, CURLOPT_TIMEOUT_MS, at_most(m->timeout_ms, TRANSFER_TIMEOUT_MAX_MS), ok);
    set_long(
        e, CURLOPT_CONNECTTIMEOUT_MS, at_most(m->connect_timeout_ms, TRANSFER_TIMEOUT_MAX_MS), ok);
}

static bool add_header(struct transfer *t, const char *name, struct span value)
{
    CLEANUP(buf_done) struct buf line = {.max = TRANSFER_HEADER_MAX, .secret = true};
    buf_put_str(&line, name);
    buf_put_span(&line, value);
    buf_put_char(&line, '\0');
    struct curl_slist *more = line.failed ? NULL : curl_slist_append(t->headers, line.p);
    if (more)
        t->headers = more;
    return more != NULL;
}

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

static bool set_headers(struct transfer *t, const struct msg_fetch *m)
{
    bool ok = add_header(t, "Accept: ", SPAN("application/json, */*;q=0.1"));
    t->had_validator = m->etag.n > 0 || m->last_modified.n > 0;
    if (m->etag.n > 0)
        ok &= is_printable(m->etag) && add_header(t, "If-None-Match: ", m->etag);
    if (m->last_modified.n > 0)
        ok &= is_printable(m->last_modified) &&
              add_header(t, "If-Modified-Since: ", m->last_modified);
    if (m->announce.n > 0)
        ok &= is_printable(m->announce) && add_header(t, "S2S-Announce: ", m->announce);
    set_ptr(t->easy, CURLOPT_HTTPHEADER, t->headers, &ok);
    return ok;
}

/* "sha256//a;sha256//b": any of them fits. */
static bool join_pins(const struct msg_fetch *m, char *out, size_t max)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < m->n_pins; i++) {
        if (at + m->pins[i].n + 2 > max || !to_text(m->pins[i], out + at + (i > 0), max - at - 1))
            return false;
        if (i > 0)
            out[at] = ';';
        at += m->pins[i].n + (i > 0);
    }
    return true;
}

static bool prepare(struct transfer *t, const struct msg_fetch *m)
{
    char url[TRANSFER_URL_MAX], ca_file[4096], pins[MSG_PINS_MAX * 80];
    bool ok = true;
    if (!to_text(m->url, url, sizeof(url)) || !read_url(t, url) ||
        !to_text(m->ca_file, ca_file, sizeof(ca_file)) || !join_pins(m, pins, sizeof(pins)))
        return false;
    t->public_only = m->public_addresses_only;
    t->body = BUF_INIT((size_t)at_most(m->max_bytes, TRANSFER_BYTES_MAX));
    set_ptr(t->easy, CURLOPT_URL, url, &ok);
    set_functions(t, &ok);
    set_protocol(t->easy, &ok);
    set_tls(t->easy, ca_file, pins, &ok);
    set_limits(t->easy, m, &ok);
    return ok && set_headers(t, m);
}

struct transfer *transfer_new(const struct msg_fetch *m)
{
    struct transfer *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    head_start(&t->head);
    t->easy = curl_easy_init();
    if (!t->easy) {
        free(t);
        return NULL;
    }
    t->was_asked_wrong = !prepare(t, m);
    return t;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* an announce token */
    curl_slist_free_all(t->headers);
    buf_done(&t->body);
    free(t);
}
