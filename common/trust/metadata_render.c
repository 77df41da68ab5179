/* SPDX-License-Identifier: Apache-2.0 */
#include "b64.h"
#include "cleanup.h"
#include "digest.h"
#include "https_url.h"
#include "jwk.h"
#include "metadata.h"

#define URN_TEXT_LEN 38 /* "_" + 36 + NUL */

/* RFC 9562 5.5 in shape: version 5, variant 10, from SHA-1 of issuer and certificates, so the same
 * document always has the same id and another one never. */
static bool document_id(const struct metadata_own *own, char out[URN_TEXT_LEN])
{
    uint8_t h[SHA1_LEN];
    CLEANUP(buf_done) struct buf name = BUF_INIT(4096);
    buf_put_str(&name, own->identity->issuer);
    for (size_t i = 0; i < own->n_certs; i++)
        buf_put(&name, own->certs[i]->x5t_s256, X5T_S256_LEN);
    if (name.failed || !digest_sha1(buf_span(&name), h))
        return false;
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x50);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    snprintf(out, URN_TEXT_LEN,
        "_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1], h[2],
        h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14], h[15]);
    return true;
}

static void put_audience(struct json_out *j, const struct identity *id, const char *host)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    if (host)
        buf_printf(&text, "%s/%s@%s", id->app_id, host, id->realm);
    else
        buf_printf(&text, "%s@%s", id->app_id, id->realm);
    j->b->failed |= text.failed;
    json_out_span(j, NULL, buf_span(&text));
}

static void put_audiences(struct json_out *j, const struct identity *id)
{
    json_out_array(j, "allowedAudiences");
    put_audience(j, id, NULL);
    for (size_t i = 0; i < id->n_hosts; i++)
        put_audience(j, id, id->hosts[i]);
    json_out_array_end(j);
}

static void put_key(struct json_out *j, const struct cert *c)
{
    char x5t[X5T_TEXT_LEN];
    CLEANUP(buf_done) struct buf der = BUF_INIT(CERT_DER_MAX * 2);
    b64_put(&der, c->der, c->der_len);
    j->b->failed |= der.failed;
    json_out_object(j, NULL);
    json_out_str(j, "usage", "signing");
    json_out_object(j, "keyinfo");
    json_out_str(j, "x5t", x5t_text(c->x5t, x5t));
    json_out_object_end(j);
    json_out_object(j, "keyvalue");
    json_out_str(j, "type", "x509Certificate");
    json_out_span(j, "value", buf_span(&der));
    json_out_object_end(j);
    json_out_object_end(j);
}

static void put_endpoint(struct json_out *j, const char *url)
{
    json_out_array(j, "endpoints");
    json_out_object(j, NULL);
    json_out_str(j, "location", url);
    json_out_str(j, "protocol", "OAuth2");
    json_out_str(j, "usage", "metadata");
    json_out_object_end(j);
    json_out_array_end(j);
}

static enum reason finish(const struct buf *out)
{
    return out->failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

/* What the other members of a pool take from our document, and nobody else looks at. */
static void put_pool(struct json_out *j, const struct metadata_own *own)
{
    if (!own->member)
        return;
    CLEANUP(buf_done) struct buf text = BUF_INIT(64);
    b64url_put(&text, own->member, METADATA_MEMBER_LEN);
    j->b->failed |= text.failed;
    json_out_int(j, "s2s_own_keys", (int64_t)own->n_own);
    json_out_span(j, "s2s_member", buf_span(&text));
}

enum reason metadata_render(const struct metadata_own *own, struct buf *out)
{
    const struct identity *id = own->identity;
    char document[URN_TEXT_LEN];
    if (!document_id(own, document))
        return REASON_OUT_OF_MEMORY;
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_str(&j, "id", document);
    json_out_str(&j, "version", "1.0");
    json_out_str(&j, "name", id->name);
    json_out_str(&j, "realm", id->realm);
    json_out_str(&j, "serviceName", id->service_name);
    json_out_str(&j, "issuer", id->issuer);
    put_audiences(&j, id);
    json_out_array(&j, "keys");
    for (size_t i = 0; i < own->n_certs; i++)
        put_key(&j, own->certs[i]);
    json_out_array_end(&j);
    put_endpoint(&j, own->url);
    if (own->signed_metadata.n > 0)
        json_out_span(&j, "signed_metadata", own->signed_metadata);
    put_pool(&j, own);
    json_out_object_end(&j);
    return finish(out);
}

enum reason metadata_render_jwks(const struct metadata_own *own, struct buf *out)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_array(&j, "keys");
    for (size_t i = 0; i < own->n_certs; i++)
        jwk_write(&j, own->certs[i]);
    json_out_array_end(&j);
    json_out_object_end(&j);
    return finish(out);
}

static void put_list(struct json_out *j, const char *name, const char *only)
{
    json_out_array(j, name);
    if (only)
        json_out_str(j, NULL, only);
    json_out_array_end(j);
}

enum reason metadata_render_openid(const struct metadata_own *own, struct buf *out)
{
    struct https_url url;
    if (!https_url_parse(span_of(own->url), &url))
        return REASON_INVALID_REQUEST;
    CLEANUP(buf_done) struct buf text = BUF_INIT(2 * HTTPS_URL_MAX);
    buf_put_str(&text, "https://");
    for (size_t i = 0; i < url.authority.n; i++)
        buf_put_char(&text, ascii_lower(url.authority.p[i]));
    size_t origin = text.n;
    buf_put_str(&text, "/.well-known/jwks.json");
    if (text.failed)
        return REASON_OUT_OF_MEMORY;
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_span(&j, "issuer", (struct span){text.p, origin});
    json_out_span(&j, "jwks_uri", buf_span(&text));
    put_list(&j, "response_types_supported", NULL);
    put_list(&j, "subject_types_supported", "public");
    put_list(&j, "id_token_signing_alg_values_supported", "RS256");
    json_out_object_end(&j);
    return finish(out);
}

bool metadata_is_path(struct span path)
{
    static const char *const paths[] = {
        "/metadata/json/1", "/autodiscover/metadata/json/1", "/_layouts/15/metadata/json/1"};
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (span_eq_nocase(path, span_of(paths[i])))
            return true;
    return false;
}
