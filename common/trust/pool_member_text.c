/* SPDX-License-Identifier: Apache-2.0 */
/* State files of the pool: what is known of each member, and who of the pool we are. */
#include "cleanup.h"
#include "digest.h"
#include "https_url.h"
#include "pool_member.h"
#include "sealed_text.h"

#include <stdio.h>

#define TITLE "s2sd pool member 1"
#define ID_TITLE "s2sd pool identity 1"
#define FILE_HOST_MAX 200

char *pool_file_name(const char *url, char out[POOL_FILE_MAX])
{
    struct https_url u = {0};
    char hash[TOKEN_HASH_LEN];
    size_t n = https_url_parse(span_of(url), &u) && u.host.n < FILE_HOST_MAX ? u.host.n : 0;
    snprintf(out, POOL_FILE_MAX, "%.*s-%s.state", (int)n, n ? u.host.p : "",
        digest_token_hash(span_of(url), hash));
    return out;
}

void pool_member_print(const struct pool_member *m, struct buf *out)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(POOL_STATE_MAX);
    text_put_span(&body, "URL", span_of(m->url));
    text_put_bytes(&body, "Member", m->id, sizeof(m->id));
    text_put_int(&body, "Self", m->is_self);
    text_put_time(&body, "GoodAt", m->good_at);
    text_put_time(&body, "LastTryAt", m->last_try_at);
    text_put_time(&body, "NextTryAt", m->next_try_at);
    text_put_span(&body, "LastReason", span_of(reason_code(m->last_reason)));
    text_put_span(&body, "LastDetail", span_of(m->last_detail));
    text_put_int(&body, "Failures", m->failures);
    text_put_span(&body, "ETag", span_of(m->etag));
    text_put_span(&body, "LastModified", span_of(m->last_modified));
    text_put_int(&body, "Published", (int64_t)m->n_published);
    for (size_t i = 0; i < m->n_published; i++)
        text_put_bytes(&body, "X5tS256", m->published[i], X5T_S256_LEN);
    text_put_int(&body, "OwnKeys", (int64_t)m->n_own);
    for (size_t i = 0; i < m->n_own; i++)
        text_put_pem(&body, span_bytes(m->own[i]->der, m->own[i]->der_len));
    if (body.failed)
        out->failed = true;
    else
        sealed_put(out, TITLE, NULL, buf_span(&body));
}

static size_t scan_count(struct text_in *in, const char *key, size_t max)
{
    int64_t n = text_int(in, key);
    if (n < 0 || (size_t)n > max)
        in->failed = true;
    return in->failed ? 0 : (size_t)n;
}

static void scan_bytes(struct text_in *in, const char *key, uint8_t *out, size_t n)
{
    if (text_bytes(in, key, out, n) != n)
        in->failed = true;
}

static void scan_last(struct text_in *in, struct pool_member *m)
{
    char code[64];
    text_str(in, "LastReason", code, sizeof(code));
    m->last_reason = reason_of_code(code);
    if (m->last_reason == REASON_COUNT)
        in->failed = true;
    text_str(in, "LastDetail", m->last_detail, sizeof(m->last_detail));
    m->failures = (unsigned)scan_count(in, "Failures", UINT32_MAX);
}

/* Every certificate is judged again by the key policy. */
static void scan_keys(struct text_in *in, struct pool_member *m)
{
    m->n_published = scan_count(in, "Published", METADATA_KEYS_MAX);
    for (size_t i = 0; i < m->n_published; i++)
        scan_bytes(in, "X5tS256", m->published[i], X5T_S256_LEN);
    size_t n = scan_count(in, "OwnKeys", POOL_OWN_KEYS_MAX);
    while (!in->failed && m->n_own < n) {
        struct cert *c = text_pem(in);
        if (c)
            m->own[m->n_own++] = c;
    }
}

static void scan_body(struct text_in *in, struct pool_member *m)
{
    char url[HTTPS_URL_MAX];
    text_str(in, "URL", url, sizeof(url));
    if (strcmp(url, m->url) != 0)
        in->failed = true;
    scan_bytes(in, "Member", m->id, sizeof(m->id));
    m->is_self = text_bool(in, "Self");
    m->good_at = text_time(in, "GoodAt");
    m->last_try_at = text_time(in, "LastTryAt");
    m->next_try_at = text_time(in, "NextTryAt");
    scan_last(in, m);
    text_str(in, "ETag", m->etag, sizeof(m->etag));
    text_str(in, "LastModified", m->last_modified, sizeof(m->last_modified));
    scan_keys(in, m);
    if (in->rest.n > 0)
        in->failed = true;
}

enum reason pool_member_scan(struct span text, const char *url, struct pool_member *ret)
{
    CLEANUP(pool_member_done) struct pool_member m = {.url = strdup(url)};
    struct text_in in = {0};
    if (!m.url)
        return REASON_OUT_OF_MEMORY;
    enum reason r = sealed_open(text, TITLE, NULL, &in.rest);
    if (r != REASON_OK)
        return r;
    scan_body(&in, &m);
    if (in.failed)
        return in.starved ? REASON_OUT_OF_MEMORY : REASON_DOCUMENT_FORM;
    *ret = m;
    m = (struct pool_member){0};
    return REASON_OK;
}

void pool_id_print(const uint8_t id[METADATA_MEMBER_LEN], struct buf *out)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(256);
    text_put_bytes(&body, "Member", id, METADATA_MEMBER_LEN);
    if (body.failed)
        out->failed = true;
    else
        sealed_put(out, ID_TITLE, NULL, buf_span(&body));
}

enum reason pool_id_scan(struct span text, uint8_t ret[METADATA_MEMBER_LEN])
{
    struct text_in in = {0};
    uint8_t id[METADATA_MEMBER_LEN] = {0};
    enum reason r = sealed_open(text, ID_TITLE, NULL, &in.rest);
    if (r != REASON_OK)
        return r;
    scan_bytes(&in, "Member", id, sizeof(id));
    if (in.failed || in.rest.n > 0)
        return REASON_DOCUMENT_FORM;
    memcpy(ret, id, METADATA_MEMBER_LEN);
    return REASON_OK;
}
