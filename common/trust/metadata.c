/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include "b64.h"
#include "cleanup.h"
#include "jws.h"
#include "key_pin.h"
#include "log.h"
#include "principal.h"

#include <stdarg.h>

#define CLOCK_SKEW_S 300
#define SAFE_MAX 64  /* of a foreign text inside `detail` */
#define BEGINNING 24 /* bytes of what is no JSON that tell an administrator what it is */
/* A base64 text shorter than this holds no private key. */
#define PRIVATE_TEXT_MIN 64

/* One document while it is judged. */
struct reading {
    const struct partner *pins;
    int64_t now;
    struct metadata *m;
    unsigned unpinned; /* keys that PinnedKeys= does not name */
    unsigned in_force; /* keys that may be used at this moment */
    int64_t own_keys;  /* of a pool member's document: its first entries that are its own */
    size_t key_bytes;  /* of all moduli */
};

/* Appends a remark; what does not fit is cut off. */
static void PRINTF(2, 3) remark(struct metadata *m, const char *fmt, ...)
{
    size_t n = strlen(m->detail), room = sizeof(m->detail) - n;
    if (n && room > 2) {
        memcpy(m->detail + n, "; ", 3);
        n += 2;
        room -= 2;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->detail + n, room, fmt, ap);
    va_end(ap);
}

void metadata_done(struct metadata *m)
{
    for (size_t i = 0; i < m->n_certs; i++)
        cert_free(m->certs[i]);
    free(m->signed_metadata);
    *m = (struct metadata){0};
}

/* ------------------------------------------------------------------ who the document says it is */

/* A member that must be a string when it is there: empty span with p NULL when absent or null. */
static bool optional_text(const struct json_value *object, const char *name, struct span *ret)
{
    const struct json_value *v = json_get_nocase(object, name);
    *ret = (struct span){0};
    if (!v || v->type == JSON_NULL)
        return true;
    *ret = v->text;
    return v->type == JSON_STRING;
}

static enum reason other_identity(
    struct metadata *m, const char *what, struct span found, const char *pinned)
{
    char safe[SAFE_MAX];
    remark(m, "%s is \"%s\", pinned is \"%s\"", what, log_safe(found, safe, sizeof(safe)), pinned);
    return REASON_DOCUMENT_ISSUER;
}

/* Pins are compared byte for byte. A service name in words is the partner's own affair; one in the
 * form of an application id must be the pinned one. */
static enum reason judge_identity(
    const struct reading *r, const struct json_value *document, const struct identity *self)
{
    struct span issuer, realm, service;
    if (!optional_text(document, "issuer", &issuer) || issuer.n == 0 ||
        !optional_text(document, "realm", &realm) ||
        !optional_text(document, "serviceName", &service)) {
        remark(r->m, "issuer, realm or serviceName is missing or not a string");
        return REASON_DOCUMENT_FORM;
    }
    if (self && span_eq_str(issuer, self->issuer)) {
        remark(r->m, "issuer is our own");
        return REASON_DOCUMENT_OURS;
    }
    if (!span_eq_str(issuer, r->pins->issuer))
        return other_identity(r->m, "issuer", issuer, r->pins->issuer);
    if ((realm.p && !span_eq_str(realm, r->pins->realm)) || span_eq_str(realm, "*") ||
        span_eq_str(span_of(r->pins->realm), "*"))
        return other_identity(r->m, "realm", realm, r->pins->realm);
    if (guid_valid(service) && !span_eq_str(service, r->pins->app_id))
        return other_identity(r->m, "serviceName", service, r->pins->app_id);
    return REASON_OK;
}

/* ------------------------------------------------------------- what must never be in a document */

/* RFC 7518 6.3.2 and 6.4.1, and the one name that .NET writes otherwise. */
static bool is_private_name(struct span name)
{
    static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "inverseq", "oth", "k"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_eq_nocase(name, span_of(names[i])))
            return true;
    return false;
}

/* PKCS#8, PKCS#1, SEC1 and PFX all begin with a SEQUENCE whose first element is a small INTEGER; a
 * certificate or a public key begins with two SEQUENCEs. */
static bool is_private_der(struct span text)
{
    uint8_t head[9];
    if (text.n < PRIVATE_TEXT_MIN || b64_decode((struct span){text.p, 12}, head, 9) != 9 ||
        head[0] != 0x30)
        return false;
    size_t at = head[1] < 0x80 ? 2 : 2 + (head[1] & 0x7fu);
    return at + 2 < sizeof(head) && head[at] == 0x02 && head[at + 1] == 0x01;
}

static bool contains(struct span text, struct span part)
{
    return text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

/* Depth is bounded by the JSON reader. */
static bool holds_private_key(const struct json_value *v)
{
    if (v->type == JSON_STRING)
        return is_private_der(v->text) || contains(v->text, SPAN("PRIVATE KEY-----")) ||
               contains(v->text, SPAN("<D>"));
    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return false;
    JSON_EACH (member, v) {
        bool said = member->type == JSON_STRING ? member->text.n > 0 : member->type == JSON_ARRAY;
        if ((v->type == JSON_OBJECT && said && is_private_name(member->name)) ||
            holds_private_key(member))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------------- its keys */

/* The certificate's text of an entry in any of the shapes (protocol note 1.4), or why there is
 * none. */
static const char *find_certificate(
    const struct json_value *entry, struct span *ret_value, const struct json_value **ret_key_value)
{
    struct span usage, type, value;
    if (!entry || entry->type != JSON_OBJECT)
        return "is not an object";
    if (!optional_text(entry, "usage", &usage) || !span_eq_nocase(usage, SPAN("signing")))
        return "is not for signing";
    const struct json_value *kv = json_get_nocase(entry, "keyValue");
    if (!kv || kv->type != JSON_OBJECT || !optional_text(kv, "type", &type) ||
        !span_eq_nocase(type, SPAN("x509Certificate")))
        return "is not an x509Certificate";
    if (!optional_text(kv, "value", &value) || value.n == 0)
        return "has no value";
    *ret_value = value;
    *ret_key_value = kv;
    return NULL;
}

/* keyInfo stands beside keyValue (Exchange) or inside it (ACS), or nowhere (SharePoint). What is
 * there is compared only: the certificate decides. */
static bool thumbprint_differs(
    const struct json_value *entry, const struct json_value *key_value, const struct cert *c)
{
    const struct json_value *info = json_get_nocase(entry, "keyInfo");
    if (!info)
        info = json_get_nocase(key_value, "keyInfo");
    const struct json_value *x5t =
        info && info->type == JSON_OBJECT ? json_get_nocase(info, "x5t") : NULL;
    if (!x5t || x5t->type == JSON_NULL)
        return false;
    uint8_t published[X5T_LEN];
    return x5t->type != JSON_STRING || !b64_thumbprint(x5t->text, published, X5T_LEN) ||
           memcmp(published, c->x5t, X5T_LEN) != 0;
}

/* Adds a certificate, unless its dates or its neighbours are against it; takes it over then. A key
 * whose time has not come is kept: its dates are judged at each use, and the document may not
 * change on that day. */
static const char *install(struct reading *r, struct cert **c)
{
    struct metadata *m = r->m;
    bool expired = r->now - CLOCK_SKEW_S > (*c)->not_after;
    if (expired && r->pins->expired_keys != EXPIRED_WARN)
        return "has expired";
    if (r->pins->continuity == CONTINUITY_PINNED &&
        !key_pin_in(&r->pins->pinned_certs, (*c)->x5t, (*c)->x5t_s256, (*c)->key)) {
        r->unpinned++;
        return "is not one of PinnedKeys=";
    }
    for (size_t i = 0; i < m->n_certs; i++)
        if (memcmp(m->certs[i]->x5t, (*c)->x5t, X5T_LEN) == 0)
            return memcmp(m->certs[i]->x5t_s256, (*c)->x5t_s256, X5T_S256_LEN) == 0
                       ? "is there twice"
                       : "has the thumbprint of another";
    size_t bytes = (pubkey_bits((*c)->key) + 7) / 8;
    if (r->key_bytes + bytes > METADATA_KEY_BYTES_MAX)
        return "is one too many of this size";
    r->key_bytes += bytes;
    r->in_force += r->now + CLOCK_SKEW_S >= (*c)->not_before;
    m->certs[m->n_certs++] = TAKE(*c);
    return NULL;
}

static enum reason judge_key(
    struct reading *r, const struct json_value *entry, const char **ret_skipped)
{
    uint8_t der[CERT_DER_MAX];
    struct span value;
    const struct json_value *key_value;
    *ret_skipped = find_certificate(entry, &value, &key_value);
    if (*ret_skipped)
        return REASON_OK;
    long n = b64_decode(value, der, sizeof(der));
    if (n < 0) {
        *ret_skipped = "is not base64 of a certificate";
        return REASON_OK;
    }
    CLEANUP(cert_freep) struct cert *c = NULL;
    enum reason reason = cert_parse(span_bytes(der, (size_t)n), &c);
    if (reason == REASON_OUT_OF_MEMORY)
        return reason;
    if (reason != REASON_OK) {
        *ret_skipped = reason_code(reason);
        return REASON_OK;
    }
    bool differs = thumbprint_differs(entry, key_value, c);
    r->m->x5t_mismatches += differs;
    if (differs)
        remark(r->m, "a published x5t is not its certificate's");
    *ret_skipped = install(r, &c);
    return REASON_OK;
}

static enum reason judge_keys(struct reading *r, const struct json_value *keys)
{
    if (!keys || keys->type != JSON_ARRAY || keys->count > METADATA_KEYS_MAX) {
        remark(r->m, "keys is not an array of at most %d", METADATA_KEYS_MAX);
        return REASON_DOCUMENT_FORM;
    }
    if (holds_private_key(keys)) {
        remark(r->m, "a private key is published");
        return REASON_DOCUMENT_PRIVATE;
    }
    unsigned position = 0;
    JSON_EACH (entry, keys) {
        const char *skipped = NULL;
        enum reason reason = judge_key(r, entry, &skipped);
        if (reason != REASON_OK)
            return reason;
        r->m->skipped += skipped != NULL;
        if (skipped)
            remark(r->m, "keys[%u] %s", position, skipped);
        position++;
        if (position <= r->own_keys)
            r->m->n_own = r->m->n_certs;
    }
    if (r->in_force)
        return REASON_OK;
    if (r->m->n_certs)
        remark(r->m, "%zu keys are not valid yet", r->m->n_certs);
    else if (position == 0)
        remark(r->m, "keys is empty");
    return r->m->n_certs == 0 && r->unpinned ? REASON_DOCUMENT_PINS : REASON_DOCUMENT_KEYS;
}

/* ---------------------------------------------------------------------------- members of a pool */

/* Which keys are the member's own, and who of the pool it is. Absent is for the caller to judge. */
static enum reason judge_pool(struct reading *r, const struct json_value *document)
{
    const struct json_value *own = json_get(document, "s2s_own_keys");
    const struct json_value *who = json_get(document, "s2s_member");
    const struct json_value *keys = json_get_nocase(document, "keys");
    struct metadata *m = r->m;
    if (!own && !who)
        return REASON_OK;
    if (!own || own->type != JSON_NUMBER || !json_int(own->text, &r->own_keys) || r->own_keys < 1 ||
        !keys || r->own_keys > keys->count) {
        remark(m, "s2s_own_keys does not count the first of the keys");
        return REASON_DOCUMENT_FORM;
    }
    if (!who || who->type != JSON_STRING ||
        b64url_decode(who->text, m->member, METADATA_MEMBER_LEN) != METADATA_MEMBER_LEN) {
        remark(m, "s2s_member is not base64url of %d bytes", METADATA_MEMBER_LEN);
        return REASON_DOCUMENT_FORM;
    }
    m->says_own_keys = true;
    return REASON_OK;
}

/* ---------------------------------------------------------------------------------- its signature
 */

/* RFC 8414 2.1. What does not look like a token is as good as none: readers who do not ask for it
 * ignore it. */
static enum reason take_signature(struct reading *r, const struct json_value *document)
{
    const struct json_value *v = json_get(document, "signed_metadata");
    if (!v || v->type != JSON_STRING || v->text.n == 0 || v->text.n > JWS_TOKEN_MAX ||
        memchr(v->text.p, 0, v->text.n))
        return REASON_OK;
    r->m->signed_metadata = strndup(v->text.p, v->text.n);
    return r->m->signed_metadata ? REASON_OK : REASON_OUT_OF_MEMORY;
}

/* ---------------------------------------------------------------------------------- the ladder */

static enum reason judge(
    struct reading *r, struct json_doc *doc, struct span text, const struct identity *self)
{
    const struct json_limits limits = {.bytes = METADATA_MAX, .names_nocase = true};
    const struct json_value *document;
    enum reason reason = json_parse(doc, text, &limits, &document);
    if (reason != REASON_OK) {
        char safe[SAFE_MAX];
        struct span head = {text.p, text.n < BEGINNING ? text.n : BEGINNING};
        remark(
            r->m, "%zu bytes that begin with \"%s\"", text.n, log_safe(head, safe, sizeof(safe)));
        return reason;
    }
    if (document->type != JSON_OBJECT) {
        remark(r->m, "the document is not a JSON object");
        return REASON_DOCUMENT_FORM;
    }
    reason = judge_identity(r, document, self);
    if (reason == REASON_OK && !self)
        reason = judge_pool(r, document);
    r->m->of_pool = json_get(document, "s2s_own_keys") != NULL;
    if (reason == REASON_OK)
        reason = take_signature(r, document);
    if (reason != REASON_OK)
        return reason;
    return judge_keys(r, json_get_nocase(document, "keys"));
}

enum reason metadata_parse(struct span text, const struct partner *pins,
    const struct identity *self, int64_t now, struct metadata *ret)
{
    *ret = (struct metadata){.may_be_replayed = true};
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    if (!doc)
        return REASON_OUT_OF_MEMORY;
    struct reading r = {.pins = pins, .now = now, .m = ret};
    enum reason reason = judge(&r, doc, text, self);
    if (reason != REASON_OK) {
        for (size_t i = 0; i < ret->n_certs; i++)
            cert_freep(&ret->certs[i]);
        ret->n_certs = ret->n_own = 0;
    }
    return reason;
}

void metadata_filter(struct metadata *m, bool (*keep)(const struct cert *c, const void *arg),
    const void *arg, const char *why)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_certs; i++) {
        if (keep(m->certs[i], arg)) {
            m->certs[n++] = m->certs[i];
            continue;
        }
        char thumb[THUMBPRINT_TEXT_LEN];
        remark(m, "key %s %s", thumbprint_text(m->certs[i]->x5t, thumb), why);
        cert_freep(&m->certs[i]);
        m->skipped++;
    }
    m->n_certs = n;
}
