/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"

#include "cleanup.h"
#include "digest.h"
#include "metadata.h"

enum kind { KIND_METADATA, KIND_OPENID, KIND_JWKS, KIND_ROOT, KIND_COUNT };

struct documents {
    struct document list[KIND_COUNT];
    int64_t max_age_s;
};

static const struct {
    const char *path;
    enum kind kind;
} paths[] = {
    {"/.well-known/openid-configuration", KIND_OPENID},
    {"/.well-known/jwks.json", KIND_JWKS},
};

/* SharePoint's trusted root authorities are fed from there (protocol note 1.1). */
static bool is_root_path(struct span path)
{
    const struct span tail = SPAN("/rootcertificate");
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n <= tail.n || !span_eq_nocase(span_skip(path, path.n - tail.n), tail))
        return false;
    path.n -= tail.n;
    return path.p[path.n - 1] != '/' && metadata_is_path(path);
}

const struct document *documents_find(const struct documents *d, struct span path)
{
    if (metadata_is_path(path))
        return &d->list[KIND_METADATA];
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (span_eq_str(path, paths[i].path))
            return &d->list[paths[i].kind];
    if (is_root_path(path) && d->list[KIND_ROOT].body)
        return &d->list[KIND_ROOT];
    return NULL;
}

int64_t documents_max_age_s(const struct documents *d)
{
    return d->max_age_s;
}

void documents_free(struct documents *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (d->list[i].body)
            evbuffer_free(d->list[i].body);
    free(d);
}

void documents_freep(struct documents **d)
{
    documents_free(*d);
    *d = NULL;
}

static bool set_etag(struct document *doc, struct span text)
{
    uint8_t digest[SHA256_LEN];
    if (!digest_sha256(text, digest))
        return false;
    char *at = doc->etag;
    *at++ = '"';
    for (size_t i = 0; i < 16; i++)
        at += snprintf(at, 3, "%02x", digest[i]);
    *at++ = '"';
    *at = '\0';
    return true;
}

static void release(const void *bytes, size_t n, void *arg)
{
    (void)bytes;
    (void)n;
    free(arg);
}

/* Hands the text over to a buffer that frees it with its last reader. */
static enum reason freeze(struct buf *text, const char *content_type, struct document *doc)
{
    size_t n = text->n;
    if (!set_etag(doc, buf_span(text)))
        return REASON_OUT_OF_MEMORY;
    CLEANUP(freep) char *bytes = buf_take(text);
    doc->body = evbuffer_new();
    if (!bytes || !doc->body || evbuffer_add_reference(doc->body, bytes, n, release, bytes) < 0)
        return REASON_OUT_OF_MEMORY;
    bytes = NULL;
    doc->len = n;
    doc->content_type = content_type;
    return REASON_OK;
}

/* Our own keys, then those of the other members of a pool. */
static void gather(const struct documents_of *of, const struct cert *certs[METADATA_KEYS_MAX],
    struct metadata_own *own)
{
    own->n_own = own->n_certs = keyring_published_certs(of->ring, certs);
    for (size_t i = 0; i < of->n_fellows && own->n_certs < METADATA_KEYS_MAX; i++)
        certs[own->n_certs++] = of->fellows[i];
}

static enum reason freeze_root(const struct keyring *ring, struct document *doc)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(CERT_DER_MAX);
    if (!ring->root)
        return REASON_OK;
    buf_put(&der, ring->root->der, ring->root->der_len);
    return freeze(&der, "application/pkix-cert", doc);
}

enum reason documents_render(const struct documents_of *of, struct documents **ret)
{
    static enum reason (*const render[])(const struct metadata_own *, struct buf *) = {
        [KIND_METADATA] = metadata_render,
        [KIND_OPENID] = metadata_render_openid,
        [KIND_JWKS] = metadata_render_jwks};
    const struct cert *certs[METADATA_KEYS_MAX];
    struct metadata_own own = {.identity = &of->settings->identity,
        .url = of->settings->metadata.url,
        .certs = certs,
        .signed_metadata = of->signed_metadata,
        .member = of->member};
    gather(of, certs, &own);
    CLEANUP(documents_freep) struct documents *d = calloc(1, sizeof(*d));
    if (!d)
        return REASON_OUT_OF_MEMORY;
    d->max_age_s = of->settings->metadata.cache_max_age_s;
    for (size_t i = 0; i < ARRAY_LEN(render); i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(METADATA_MAX);
        enum reason r = render[i](&own, &text);
        if (r == REASON_OK)
            r = freeze(&text, "application/json; charset=utf-8", &d->list[i]);
        if (r != REASON_OK)
            return r;
        d->list[i].holds_keys = i != KIND_OPENID;
    }
    enum reason r = freeze_root(of->ring, &d->list[KIND_ROOT]);
    if (r != REASON_OK)
        return r;
    *ret = TAKE(d);
    return REASON_OK;
}
