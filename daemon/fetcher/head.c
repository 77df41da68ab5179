/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include "attr.h"
#include "log.h"

#include <curl/curl.h>

void head_start(struct head *h)
{
    *h = (struct head){.reason = REASON_OK,
        .wants_status = true,
        .length = -1,
        .max_age_s = -1,
        .retry_after_s = -1};
}

static bool refuse(struct head *h, enum reason reason, const char *why)
{
    h->reason = reason;
    h->why = why;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Decimal digits and nothing else; what does not fit is as good as the largest. */
static bool number_of(struct span s, int64_t *ret)
{
    int64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v > INT32_MAX ? v : v * 10 + (s.p[i] - '0');
    }
    *ret = v;
    return true;
}

static bool date_of(struct span s, int64_t *ret)
{
    char text[HEAD_DATE_MAX];
    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    time_t t = curl_getdate(text, NULL);
    *ret = t;
    return t > 0;
}

/* Keeps a value that we shall send back as it is: printable ASCII that fits, else nothing. */
static void keep(struct span s, char *out, size_t max)
{
    out[0] = '\0';
    if (s.n >= max)
        return;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
}

/* RFC 9111 section 5.2.2: no-store and no-cache are an age of nothing. */
static void on_cache_control(struct head *h, struct span v, int64_t now)
{
    (void)now;
    while (v.n > 0) {
        size_t end = span_find(v, ',');
        struct span d = trim((struct span){v.p, end});
        struct span key = {d.p, span_find(d, '=')};
        int64_t age;
        v = span_skip(v, end < v.n ? end + 1 : end);
        if (span_eq_nocase(key, SPAN("no-store")) || span_eq_nocase(key, SPAN("no-cache")))
            h->max_age_s = 0;
        else if (span_eq_nocase(key, SPAN("max-age")) && key.n < d.n &&
                 number_of(span_skip(d, key.n + 1), &age) && h->max_age_s < 0)
            h->max_age_s = age;
    }
}

static void on_retry_after(struct head *h, struct span v, int64_t now)
{
    int64_t at;
    if (number_of(v, &h->retry_after_s))
        return;
    if (date_of(v, &at))
        h->retry_after_s = at > now ? at - now : 0;
}

static void on_date(struct head *h, struct span v, int64_t now)
{
    (void)now;
    if (!date_of(v, &h->date))
        h->date = 0;
}

static void on_etag(struct head *h, struct span v, int64_t now)
{
    (void)now;
    keep(v, h->etag, sizeof(h->etag));
}

static void on_last_modified(struct head *h, struct span v, int64_t now)
{
    (void)now;
    keep(v, h->last_modified, sizeof(h->last_modified));
}

static void on_location(struct head *h, struct span v, int64_t now)
{
    (void)now;
    log_safe(v, h->location, sizeof(h->location));
}

static void on_length(struct head *h, struct span v, int64_t now)
{
    (void)now;
    if (h->length >= 0 || !number_of(v, &h->length))
        refuse(h, REASON_FETCH_HEADERS, "Content-Length comes twice or is not a number");
}

/* libcurl would undo gzip here, asked or not. */
static void on_transfer_encoding(struct head *h, struct span v, int64_t now)
{
    (void)now;
    if (h->has_coding)
        refuse(h, REASON_FETCH_HEADERS, "Transfer-Encoding comes twice");
    else if (!span_eq_nocase(v, SPAN("chunked")))
        refuse(h, REASON_FETCH_ENCODING, "Transfer-Encoding is not chunked");
    h->has_coding = true;
}

static void on_content_encoding(struct head *h, struct span v, int64_t now)
{
    (void)now;
    if (v.n > 0 && !span_eq_nocase(v, SPAN("identity")))
        refuse(h, REASON_FETCH_ENCODING, "Content-Encoding is set though none was asked for");
}

static const struct {
    struct span name;
    void (*on_value)(struct head *h, struct span value, int64_t now);
} fields[] = {
    {SPAN("cache-control"), on_cache_control},
    {SPAN("content-encoding"), on_content_encoding},
    {SPAN("content-length"), on_length},
    {SPAN("date"), on_date},
    {SPAN("etag"), on_etag},
    {SPAN("last-modified"), on_last_modified},
    {SPAN("location"), on_location},
    {SPAN("retry-after"), on_retry_after},
    {SPAN("transfer-encoding"), on_transfer_encoding},
};

/* A token (RFC 9110 5.6.2) without blanks around. */
static bool is_field_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c <= ' ' || c > 0x7e || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return s.n > 0;
}

static bool field_line(struct head *h, struct span line, int64_t now)
{
    size_t colon = span_find(line, ':');
    struct span name = {line.p, colon};
    if (colon == line.n || !is_field_name(name))
        return refuse(h, REASON_FETCH_HEADERS, "a header line has no proper name");
    struct span value = trim(span_skip(line, colon + 1));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (span_eq_nocase(name, fields[i].name))
            fields[i].on_value(h, value, now);
    return h->reason == REASON_OK;
}

/* "HTTP/1.1 200 OK": begins a new head; what an interim answer (1xx) said is forgotten. */
static bool status_line(struct head *h, struct span line)
{
    int64_t status = 0;
    bool is_one = span_starts(line, SPAN("HTTP/1.1")) || span_starts(line, SPAN("HTTP/1.0"));
    struct span rest = is_one ? span_skip(line, 8) : line;
    if (!is_one || rest.n < 4 || rest.p[0] != ' ' || (rest.n > 4 && rest.p[4] != ' ') ||
        !number_of((struct span){rest.p + 1, 3}, &status) || status < 100 || status > 599)
        return refuse(h, REASON_FETCH_HEADERS, "the status line is not one of HTTP/1.1");
    unsigned lines = h->lines;
    size_t bytes = h->bytes;
    head_start(h);
    h->lines = lines;
    h->bytes = bytes;
    h->status = (unsigned)status;
    h->wants_status = false;
    return true;
}

/* A document that lasts until the connection closes is refused: one that was cut off would look
 * whole, for libcurl does not tell a proper end of TLS from a lost one. */
static bool end_of_head(struct head *h)
{
    if (h->length >= 0 && h->has_coding)
        return refuse(h, REASON_FETCH_HEADERS, "both Content-Length and Transfer-Encoding are set");
    if (h->status == 200 && h->length < 0 && !h->has_coding)
        return refuse(h, REASON_FETCH_HEADERS, "neither Content-Length nor chunks tell its end");
    h->is_whole = h->status >= 200;
    h->wants_status = !h->is_whole;
    return true;
}

/* Takes the line end off: CR LF, or a bare LF, which libcurl has accepted as one. */
static struct span without_end(struct span line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n')
        line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static bool has_control(struct span line)
{
    for (size_t i = 0; i < line.n; i++)
        if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
            return true;
    return false;
}

bool head_line(struct head *h, struct span line, int64_t now)
{
    h->bytes += line.n;
    if (h->bytes > HEAD_BYTES_MAX)
        return refuse(h, REASON_FETCH_HEADERS, "the headers are larger than 32 KiB");
    line = without_end(line);
    if (line.n > 0 && !h->wants_status && ++h->lines > HEAD_LINES_MAX)
        return refuse(h, REASON_FETCH_HEADERS, "there are more than 100 header lines");
    if (has_control(line))
        return refuse(h, REASON_FETCH_HEADERS, "a header line holds a control character");
    if (h->is_whole) /* trailers mean nothing to us */
        return true;
    if (h->wants_status)
        return status_line(h, line);
    return line.n == 0 ? end_of_head(h) : field_line(h, line, now);
}
