/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a fetch: libcurl's error and the answer's head become one of our reasons and a line
 * for people. */
#include "transfer.h"

#include <openssl/x509.h>

static long number_of(CURL *easy, CURLINFO what)
{
    long v = 0;
    curl_easy_getinfo(easy, what, &v);
    return v;
}

/* The certificate was refused: by OpenSSL, by a rule of ours, or by libcurl's own look at the name.
 */
static enum reason judge_certificate(const struct transfer *t, const char **ret_what)
{
    long verdict = number_of(t->easy, CURLINFO_SSL_VERIFYRESULT);
    if (t->tls_why)
        *ret_what = t->tls_why;
    else if (verdict != X509_V_OK)
        *ret_what = X509_verify_cert_error_string(verdict);
    if (!t->tls_why && (verdict == X509_V_OK || verdict == X509_V_ERR_HOSTNAME_MISMATCH ||
                           verdict == X509_V_ERR_IP_ADDRESS_MISMATCH))
        return REASON_FETCH_HOST_NAME;
    return REASON_FETCH_TLS;
}

/* Too late: where did it stand? */
static enum reason judge_timeout(const struct transfer *t)
{
    curl_off_t lookup_us = 0;
    curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
    if (lookup_us == 0)
        return REASON_FETCH_NAME;
    if (!t->is_connected)
        return REASON_FETCH_CONNECT;
    return REASON_FETCH_TIMEOUT;
}

static const struct {
    CURLcode code;
    enum reason reason;
} reasons[] = {
    {CURLE_COULDNT_RESOLVE_HOST, REASON_FETCH_NAME},
    {CURLE_OUT_OF_MEMORY, REASON_OUT_OF_MEMORY},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, REASON_FETCH_PIN},
    {CURLE_SSL_CONNECT_ERROR, REASON_FETCH_TLS},
    {CURLE_SSL_CACERT_BADFILE, REASON_FETCH_TLS},
    {CURLE_SSL_CIPHER, REASON_FETCH_TLS},
    {CURLE_SSL_CERTPROBLEM, REASON_FETCH_TLS},
    {CURLE_SSL_ISSUER_ERROR, REASON_FETCH_TLS},
    {CURLE_UNSUPPORTED_PROTOCOL, REASON_FETCH_HEADERS}, /* an answer without status line */
    {CURLE_WEIRD_SERVER_REPLY, REASON_FETCH_HEADERS},
    {CURLE_BAD_CONTENT_ENCODING, REASON_FETCH_ENCODING},
    {CURLE_PARTIAL_FILE, REASON_FETCH_TRUNCATED},
    {CURLE_GOT_NOTHING, REASON_FETCH_TRUNCATED},
    {CURLE_RECV_ERROR, REASON_FETCH_TRUNCATED},
    {CURLE_SEND_ERROR, REASON_FETCH_TRUNCATED},
};

static enum reason judge_error(const struct transfer *t, CURLcode code, const char **ret_what)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return judge_certificate(t, ret_what);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return judge_timeout(t);
    if (code == CURLE_COULDNT_CONNECT && t->is_refused && !t->is_tried)
        return REASON_FETCH_ADDRESS;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return REASON_FETCH_CONNECT;
}

/* A whole head that does not say 200. */
static enum reason judge_status(struct transfer *t)
{
    unsigned status = t->head.status;
    if (status == 304 && t->had_validator)
        return REASON_OK;
    if (status >= 300 && status < 400 && status != 304) {
        snprintf(t->detail, sizeof(t->detail), "%s: answered %u and points to %s", t->host, status,
            t->head.location[0] ? t->head.location : "nowhere");
        return REASON_FETCH_REDIRECT;
    }
    int n = snprintf(t->detail, sizeof(t->detail), "%s: answered %u", t->host, status);
    if (t->head.retry_after_s >= 0 && n > 0 && (size_t)n < sizeof(t->detail))
        snprintf(t->detail + n, sizeof(t->detail) - (size_t)n, ", to be asked again in %lld s",
            (long long)t->head.retry_after_s);
    return REASON_FETCH_STATUS;
}

static enum reason judge(struct transfer *t, CURLcode code)
{
    const char *what = NULL;
    enum reason r = REASON_OK;
    if (t->was_asked_wrong) {
        snprintf(t->detail, sizeof(t->detail), "not a URL that may be fetched");
        return REASON_INVALID_REQUEST;
    }
    if (t->head.reason != REASON_OK) {
        r = t->head.reason;
        what = t->head.why;
    } else if (t->head.is_whole && t->head.status != 200) {
        return judge_status(t);
    } else if (t->is_too_large) {
        r = REASON_FETCH_TOO_LARGE;
    } else if (t->body.failed) {
        r = REASON_OUT_OF_MEMORY;
    } else if (code != CURLE_OK) {
        what = curl_easy_strerror(code);
        r = judge_error(t, code, &what);
    } else if (!t->head.is_whole) {
        r = REASON_FETCH_TRUNCATED;
    }
    if (r != REASON_OK)
        snprintf(
            t->detail, sizeof(t->detail), "%s%s%s", t->host, what ? ": " : "", what ? what : "");
    return r;
}

/* The TCP connection is there after one packet each way, whatever the server has to think about
 * afterwards. */
static uint32_t round_trip_ms(CURL *easy)
{
    curl_off_t from_us = 0, to_us = 0;
    if (!easy || curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &from_us) != CURLE_OK ||
        curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &to_us) != CURLE_OK || to_us <= from_us)
        return 0;
    return (uint32_t)((to_us - from_us) / 1000);
}

/* A whole head means that certificate and name were right: the address is the server's own. */
static void note_address(struct transfer *t)
{
    const char *ip = NULL;
    t->address[0] = '\0';
    if (t->head.is_whole && curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip)
        snprintf(t->address, sizeof(t->address), "%s", ip);
}

void transfer_judge(struct transfer *t, CURLcode code, struct msg_fetched *ret)
{
    t->detail[0] = '\0';
    enum reason r = judge(t, code);
    note_address(t);
    *ret = (struct msg_fetched){.reason = r,
        .status = t->head.is_whole ? t->head.status : 0,
        .etag = span_of(t->head.etag),
        .last_modified = span_of(t->head.last_modified),
        .max_age_s = t->head.max_age_s,
        .retry_after_s = t->head.retry_after_s,
        .date = t->head.date,
        .date_seen_ms = t->date_seen_ms,
        .round_trip_ms = round_trip_ms(t->easy),
        .detail = span_of(t->detail),
        .address = span_of(t->address)};
}
