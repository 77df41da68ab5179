/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the lines of metadata.jsonl as the broker judges a fetched document: parse under the pins,
 * look for keys of others, apply, settle disputes. One line for each:
 * ID TAB install|refuse|refuse-keep TAB x5t,x5t,... */
#include "metadata.h"
#include "b64.h"
#include "cleanup.h"
#include "file.h"
#include "store.h"
#include "update.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#define LINE_MAX_BYTES (4 * 1024 * 1024)
#define OWNERS_MAX 16
#define DAY_S 86400

/* A certificate of policy.json that is contested: ours, or listed under two partners. The corpus
 * and policy.json may have been made with different keys under the same certificate names, so
 * whether a document shows one of them is told by issuer and serial number; the real functions then
 * meet that very certificate's key in the other owner's set. Other certificates of the corpus are
 * just material: lawful documents of one partner use those of another. */
struct contested {
    X509 *x;
    char *owners[2]; /* issuers of the partners; both NULL: ours */
};

struct world {
    struct json_doc *doc; /* of policy.json: owns the texts */
    int64_t now;
    char *self_issuer;
    struct contested certs[OWNERS_MAX];
    size_t n_certs;
};

static void fail(const char *what)
{
    fprintf(stderr, "metadata driver: %s\n", what);
    exit(2);
}

static char *copy(struct span s)
{
    char *text = strndup(s.p ? s.p : "", s.n);
    if (!text)
        fail("out of memory");
    return text;
}

static const struct json_value *must(const struct json_value *v, const char *name)
{
    const struct json_value *found = v ? json_get(v, name) : NULL;
    if (!found)
        fail(name);
    return found;
}

static const struct json_value *read_json(struct json_doc *doc, struct span text)
{
    const struct json_limits limits = {.bytes = LINE_MAX_BYTES};
    const struct json_value *v = NULL;
    if (json_parse(doc, text, &limits, &v) != REASON_OK)
        fail("a line is not JSON");
    return v;
}

static X509 *read_pem(struct span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!x)
        fail("a certificate of policy.json is not PEM");
    return x;
}

static struct contested *whose(struct world *w, const X509 *x)
{
    for (size_t i = 0; i < w->n_certs; i++)
        if (X509_issuer_and_serial_cmp(x, w->certs[i].x) == 0)
            return &w->certs[i];
    return NULL;
}

/* An empty issuer: ours. */
static void list(struct world *w, const struct json_value *pem, struct span issuer)
{
    X509 *x = read_pem(pem->text);
    struct contested *known = whose(w, x);
    if (known) {
        if (!known->owners[1])
            known->owners[1] = copy(issuer);
        X509_free(x);
        return;
    }
    if (w->n_certs == OWNERS_MAX)
        fail("too many certificates in policy.json");
    w->certs[w->n_certs++] = (struct contested){x, {issuer.n ? copy(issuer) : NULL, NULL}};
}

static void load_world(struct world *w, const char *folder)
{
    char path[4096], why[256];
    CLEANUP(buf_done) struct buf text = BUF_INIT(LINE_MAX_BYTES);
    snprintf(path, sizeof(path), "%s/policy.json", folder);
    if (file_read(path, FILE_PUBLIC, LINE_MAX_BYTES, &text, why, sizeof(why)) < 0)
        fail(why);
    w->doc = json_doc_new();
    if (!w->doc)
        fail("out of memory");
    const struct json_value *policy = read_json(w->doc, buf_span(&text));
    const struct json_value *self = must(policy, "self");
    if (!json_int(must(policy, "now")->text, &w->now))
        fail("now");
    w->self_issuer = copy(must(self, "iss")->text);
    list(w, must(self, "own_cert"), SPAN(""));
    JSON_EACH (partner, must(policy, "partners")) {
        struct span issuer = must(partner, "iss")->text;
        JSON_EACH (key, must(partner, "keys"))
            if (json_get(key, "cert"))
                list(w, json_get(key, "cert"), issuer);
    }
}

static void put(struct store *st, const char *name, struct partner_key key)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    const struct partner_trust *known = store_get(st, span_of(name));
    struct partner_trust fresh = {.name = (char *)(uintptr_t)name};
    if (partner_trust_copy(known ? known : &fresh, &t) != REASON_OK)
        fail("out of memory");
    key.key = pubkey_ref(key.key);
    t->keys[t->n_keys++] = key;
    if (store_put(st, t) != REASON_OK)
        fail("out of memory");
}

/* The other partner of a contested certificate has had it for a day. */
static void place(struct store *st, const char *issuer, const struct cert *c, int64_t now)
{
    struct partner_key key = {.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .first_seen_at = now - DAY_S,
        .key = c->key};
    memcpy(key.x5t, c->x5t, X5T_LEN);
    memcpy(key.x5t_s256, c->x5t_s256, X5T_S256_LEN);
    put(st, issuer, key);
}

/* Fills the store with what others hold of the document's certificates; returns how many are ours.
 */
static size_t place_others(struct world *w, struct store *st, const struct metadata *m,
    const char *pinned, const struct pubkey **own_keys)
{
    size_t n_own = 0;
    for (size_t i = 0; i < m->n_certs; i++) {
        const unsigned char *p = (const unsigned char *)m->certs[i]->der;
        X509 *x = d2i_X509(NULL, &p, (long)m->certs[i]->der_len);
        const struct contested *c = x ? whose(w, x) : NULL;
        X509_free(x);
        if (c && !c->owners[0])
            own_keys[n_own++] = m->certs[i]->key;
        for (size_t k = 0; c && c->owners[1] && k < 2; k++)
            if (strcmp(c->owners[k], pinned) != 0)
                place(st, c->owners[k], m->certs[i], w->now);
    }
    return n_own;
}

static void print_installed(const struct store *st, const char *name, int64_t now)
{
    const struct partner_trust *t = store_get(st, span_of(name));
    const char *between = "";
    printf("\tinstall\t");
    for (size_t i = 0; t && i < t->n_keys; i++) {
        char x5t[X5T_TEXT_LEN];
        if (partner_key_judge(&t->keys[i], now, 300) != REASON_OK)
            continue;
        printf("%s%s", between, x5t_text(t->keys[i].x5t, x5t));
        between = ",";
    }
    printf("\n");
}

/* What the broker does with a body that was fetched. */
static enum reason install(struct world *w, struct store *st, const struct partner *pins,
    struct span body, const struct identity *self)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    enum reason r = metadata_parse(body, pins, self, w->now, &m);
    if (r != REASON_OK)
        return r;
    const struct pubkey *own_keys[METADATA_KEYS_MAX];
    size_t n_own = place_others(w, st, &m, pins->issuer, own_keys);
    struct store_claim claim = {pins->issuer, m.certs, m.n_certs, own_keys, n_own};
    if (store_count_undisputed(st, &claim) == 0)
        return REASON_DOCUMENT_KEYS;
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    struct partner_trust fresh = {.name = pins->issuer};
    struct update_changes changes;
    r = partner_trust_copy(&fresh, &t);
    if (r == REASON_OK)
        r = update_apply(t, &m, &(struct update_rules){.grace_s = 0}, w->now, &changes);
    if (r == REASON_OK)
        r = store_put(st, t);
    if (r == REASON_OK)
        store_settle_disputes(st, own_keys, n_own);
    return r;
}

static void judge(struct world *w, struct json_doc *doc, struct span line)
{
    const struct json_value *v = read_json(doc, line);
    const struct json_value *pinned = must(v, "pinned");
    CLEANUP(freep) char *issuer = copy(must(pinned, "issuer")->text);
    CLEANUP(freep) char *realm = copy(must(pinned, "realm")->text);
    CLEANUP(freep) char *app_id = copy(must(pinned, "serviceName")->text);
    struct partner pins = {.name = issuer, .issuer = issuer, .realm = realm, .app_id = app_id};
    struct identity self = {.issuer = w->self_issuer};
    struct span text = must(v, "body_b64")->text;
    CLEANUP(freep) uint8_t *body = malloc(B64_DECODED_MAX(text.n));
    CLEANUP(store_freep) struct store *st = store_new();
    long n = body ? b64_decode(text, body, B64_DECODED_MAX(text.n)) : -1;
    if (n < 0 || !st)
        fail("a body is not base64");
    printf("%.*s", (int)must(v, "id")->text.n, must(v, "id")->text.p);
    enum reason r = install(w, st, &pins, span_bytes(body, (size_t)n), &self);
    bool keep = r == REASON_DOCUMENT_KEYS || r == REASON_DOCUMENT_REPLAY;
    if (r == REASON_OK)
        print_installed(st, issuer, w->now);
    else
        printf("\t%s\t\n", keep ? "refuse-keep" : "refuse");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("usage: metadata FOLDER-OF-POLICY < metadata.jsonl");
    struct world w = {0};
    load_world(&w, argv[1]);
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; doc && (n = getline(&line, &cap, stdin)) > 0;)
        judge(&w, doc, (struct span){line, (size_t)n});
    for (size_t i = 0; i < w.n_certs; i++) {
        X509_free(w.certs[i].x);
        free(w.certs[i].owners[0]);
        free(w.certs[i].owners[1]);
    }
    free(w.self_issuer);
    json_doc_free(w.doc);
    return 0;
}
