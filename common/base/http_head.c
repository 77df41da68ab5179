/* SPDX-License-Identifier: Apache-2.0 */
/* Syntax of a complete head: request line, target, header lines, Host (RFC 9110, 9112, 3986). */
#include "http_internal.h"

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alnum(s.p[i]) && !is_one_of(s.p[i], "!#$%&'*+-.^_`|~"))
            return false;
    return s.n > 0;
}

static bool is_hex(char c)
{
    return ascii_hex(c) >= 0;
}

/* The characters of RFC 3986 without '#', and '%' only with two digits. */
static bool is_target_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool escape = c == '%' && s.n - i > 2 && is_hex(s.p[i + 1]) && is_hex(s.p[i + 2]);
        if (!escape && !ascii_is_alnum(c) && !is_one_of(c, "-._~:/?[]@!$&'()*+,;="))
            return false;
    }
    return true;
}

/* Cuts s at the first c: the part before is returned, *s keeps what follows (nothing when there is
 * no c). */
static struct span cut(struct span *s, char c)
{
    size_t n = span_find(*s, c);
    struct span head = {s->p, n};
    *s = span_skip(*s, n < s->n ? n + 1 : n);
    return head;
}

static enum http_method method_of(struct span text)
{
    static const char *const names[] = {[HTTP_GET] = "GET",
        [HTTP_HEAD] = "HEAD",
        [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS",
        [HTTP_PATCH] = "PATCH",
        [HTTP_TRACE] = "TRACE",
        [HTTP_CONNECT] = "CONNECT"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (span_eq_str(text, names[i]))
            return (enum http_method)i;
    return HTTP_OTHER;
}

static struct http_refusal parse_version(struct span v, struct http_request *req)
{
    if (span_eq(v, SPAN("HTTP/1.1")))
        req->minor = 1;
    else if (span_eq(v, SPAN("HTTP/1.0")))
        req->minor = 0;
    else if (v.n == 8 && span_starts(v, SPAN("HTTP/")) && ascii_is_digit(v.p[5]) && v.p[6] == '.' &&
             ascii_is_digit(v.p[7]))
        return HTTP_REFUSE(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
    else
        return HTTP_REFUSE(400, "The request line does not end with a version");
    return HTTP_GOOD;
}

/* "METHOD target version" with one blank between; `*ret_target` is not judged yet. */
static struct http_refusal parse_request_line(
    struct span line, struct http_request *req, struct span *ret_target)
{
    req->method_text = cut(&line, ' ');
    *ret_target = cut(&line, ' ');
    if (!is_token(req->method_text))
        return HTTP_REFUSE(400, "The method is not a token");
    req->method = method_of(req->method_text);
    if (ret_target->n == 0 || !is_target_text(*ret_target))
        return HTTP_REFUSE(400, "The target holds characters that must be escaped");
    return parse_version(line, req);
}

static struct span trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* A line that begins with a blank would continue the one before (obs-fold); its name is not a token
 * either. */
static struct http_refusal parse_header(struct span line, struct http_request *req)
{
    size_t colon = span_find(line, ':');
    struct span name = {line.p, colon};
    if (colon == line.n || !is_token(name))
        return HTTP_REFUSE(400, "A header line is not \"name: value\"");
    if (req->n_headers == HTTP_HEADERS_MAX)
        return HTTP_REFUSE(431, "There are too many headers");
    req->headers[req->n_headers++] = (struct http_header){name, trim(span_skip(line, colon + 1))};
    return HTTP_GOOD;
}

/* One to five digits, at most 65535. */
static bool is_port(struct span s)
{
    unsigned v = 0;
    for (size_t i = 0; i < s.n && i < 6; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    return s.n >= 1 && s.n <= 5 && v <= 65535;
}

/* Length of the host at the front of an authority: a name, an IPv4 address or a bracketed IPv6
 * address. 0: none. Escapes, which RFC 3986 would allow in a name, have no use in one that DNS
 * knows. */
static size_t host_len(struct span s)
{
    bool bracket = s.n > 0 && s.p[0] == '[';
    size_t i = bracket;
    if (bracket) {
        while (i < s.n && (is_hex(s.p[i]) || s.p[i] == ':' || s.p[i] == '.'))
            i++;
        return i > 1 && i < s.n && s.p[i] == ']' ? i + 1 : 0;
    }
    while (i < s.n && (ascii_is_alnum(s.p[i]) || is_one_of(s.p[i], "-._")))
        i++;
    return i <= 255 ? i : 0;
}

static struct http_refusal parse_host(struct http_request *req, struct span *ret_authority)
{
    unsigned n;
    struct span authority = http_header(req, "Host", &n);
    if (n > 1)
        return HTTP_REFUSE(400, "Host occurs twice");
    if (n == 0)
        return req->minor == 0 ? HTTP_GOOD : HTTP_REFUSE(400, "Host is missing");
    size_t len = host_len(authority);
    struct span rest = span_skip(authority, len);
    if (len == 0 || (rest.n > 0 && (rest.p[0] != ':' || !is_port(span_skip(rest, 1)))))
        return HTTP_REFUSE(400, "Host is not a host name with an optional port");
    req->host = (struct span){authority.p, len};
    *ret_authority = authority;
    return HTTP_GOOD;
}

/* Takes "http://authority" off an absolute-form target; false when there is none. */
static bool take_absolute(struct span *target, struct span *ret_authority)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (unsigned i = 0; i < ARRAY_LEN(schemes); i++) {
        struct span scheme = span_of(schemes[i]);
        if (target->n < scheme.n || !span_eq_nocase((struct span){target->p, scheme.n}, scheme))
            continue;
        struct span rest = span_skip(*target, scheme.n);
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
            n++;
        *ret_authority = (struct span){rest.p, n};
        *target = span_skip(rest, n);
        return true;
    }
    return false;
}

static struct http_refusal parse_target(
    struct span target, struct span authority, struct http_request *req)
{
    struct span named;
    bool absolute = take_absolute(&target, &named);
    if (absolute && (authority.n == 0 || !span_eq_nocase(named, authority)))
        return HTTP_REFUSE(400, "The target names another host than Host");
    if (absolute && (target.n == 0 || target.p[0] == '?')) {
        req->path = SPAN("/");
        req->query = span_skip(target, target.n > 0);
        return HTTP_GOOD;
    }
    if (target.n == 0 || target.p[0] != '/')
        return HTTP_REFUSE(400, "The target is not a path");
    req->path = cut(&target, '?');
    req->query = target;
    return HTTP_GOOD;
}

/* True when one of the comma-parted words of any Connection header is `word`. */
static bool connection_says(const struct http_request *req, const char *word)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        if (!span_eq_nocase(req->headers[i].name, SPAN("Connection")))
            continue;
        struct span rest = req->headers[i].value;
        while (rest.n > 0)
            if (span_eq_nocase(trim(cut(&rest, ',')), span_of(word)))
                return true;
    }
    return false;
}

struct http_refusal http_parse_head(struct span head, struct http_request *req)
{
    struct span target, authority = {0};
    req->n_headers = 0;
    req->host = req->query = req->body = (struct span){0};
    struct span line = cut(&head, '\r');
    struct http_refusal bad = parse_request_line(line, req, &target);
    for (;;) {
        head = span_skip(head, 1); /* the LF */
        line = cut(&head, '\r');
        if (bad.status || line.n == 0)
            break;
        bad = parse_header(line, req);
    }
    if (!bad.status)
        bad = parse_host(req, &authority);
    if (!bad.status)
        bad = parse_target(target, authority, req);
    if (!bad.status)
        req->keep_alive = !connection_says(req, "close") &&
                          (req->minor == 1 || connection_says(req, "keep-alive"));
    return bad;
}
