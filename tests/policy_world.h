/* SPDX-License-Identifier: Apache-2.0 */
/* policy.json of the token corpora as a configuration and a trust store. Anything that cannot be
 * read ends the program. */
#pragma once

#include "check.h"
#include "cleanup.h"
#include "settings_of.h"

#include <inttypes.h>

#define POLICY_TEXT_MAX (8u << 20)

struct policy_world {
    struct json_doc *doc;
    struct settings *settings;
    struct store *store;
};

static const struct json_limits policy_limits = {.bytes = POLICY_TEXT_MAX, .members = 4096};

static inline void policy_die(const char *what)
{
    fprintf(stderr, "policy: %s\n", what);
    exit(1);
}

static inline struct span policy_text_of(const struct json_value *object, const char *name)
{
    const struct json_value *v = json_get(object, name);
    return v && v->type == JSON_STRING ? v->text : (struct span){0};
}

static inline bool policy_truth_of(const struct json_value *object, const char *name)
{
    const struct json_value *v = json_get(object, name);
    return v && v->type == JSON_BOOL && v->truth;
}

static inline int64_t policy_number_of(const struct json_value *object, const char *name)
{
    const struct json_value *v = json_get(object, name);
    int64_t n = 0;
    if (!v || v->type != JSON_NUMBER || !json_int(v->text, &n))
        policy_die(name);
    return n;
}

static inline bool policy_says(const struct json_value *object, const char *name, const char *text)
{
    return span_eq_str(policy_text_of(object, name), text);
}

/* ---- policy.json as a configuration ---- */

static inline void policy_put_setting(struct buf *b, const char *key, struct span value)
{
    buf_printf(b, "%s=%.*s\n", key, (int)value.n, value.p);
}

static inline void policy_put_list(
    struct buf *b, const char *key, const char *before, const struct json_value *list)
{
    if (!list)
        return;
    JSON_EACH (v, list)
        buf_printf(b, "%s=%s%.*s\n", key, before, (int)v->text.n, v->text.p);
}

/* A partner that may not delegate is trusted for itself only. */
static inline void policy_put_partner(struct buf *b, const struct json_value *p)
{
    const struct span name = policy_text_of(p, "name");
    buf_printf(b, "[Partner %.*s]\n", (int)name.n, name.p);
    policy_put_setting(b, "ApplicationId", policy_text_of(p, "appid"));
    policy_put_setting(b, "Realm", policy_text_of(p, "realm"));
    buf_printf(b, "MetadataURL=https://%.*s.example/metadata/json/1\n", (int)name.n, name.p);
    buf_printf(b, "Trust=%s\n", policy_truth_of(p, "delegation") ? "full" : "application");
    policy_put_list(b, "PermittedUsers", "*@", json_get(p, "user_domains"));
    if (policy_truth_of(p, "trust_broker"))
        buf_put_str(b, "TrustBroker=yes\n");
    policy_put_list(b, "Applications", "", json_get(p, "apps"));
}

static inline struct settings *policy_settings(const struct json_value *policy)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);
    const struct json_value *self = json_get(policy, "self");
    buf_put_str(&b, "[Identity]\n");
    policy_put_setting(&b, "ApplicationId", policy_text_of(self, "appid"));
    policy_put_setting(&b, "Realm", policy_text_of(self, "realm"));
    policy_put_list(&b, "Hosts", "", json_get(self, "hosts"));
    buf_printf(&b, "[Limits]\nClockSkew=%" PRId64 "\nInboundLifetime=%" PRId64 "\n",
        policy_number_of(policy, "skew"), policy_number_of(policy, "max_lifetime"));
    JSON_EACH (p, json_get(policy, "partners"))
        if (policy_says(p, "profile", "s2s"))
            policy_put_partner(&b, p);
    if (b.failed)
        policy_die("policy.json is too large");
    return settings_of(b.p);
}

static inline bool policy_add_certificate(struct partner_trust *t, struct span pem)
{
    CLEANUP(cert_freep) struct cert *c = NULL;
    if (cert_parse_pem(pem, &c) != REASON_OK)
        return false;
    struct partner_key *k = &t->keys[t->n_keys++];
    *k = (struct partner_key){.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .key = pubkey_ref(c->key)};
    memcpy(k->x5t, c->x5t, X5T_LEN);
    memcpy(k->x5t_s256, c->x5t_s256, X5T_S256_LEN);
    return true;
}

static inline bool policy_add_jwk(struct partner_trust *t, const struct json_value *v)
{
    struct jwk jwk;
    struct partner_key *k = &t->keys[t->n_keys];
    if (jwk_read(v, &jwk) != REASON_OK || jwk.kid.n >= sizeof(k->kid))
        return false;
    *k = (struct partner_key){.state = PKEY_VALID, .not_after = INT64_MAX, .key = jwk.key};
    if (jwk.kid.n)
        memcpy(k->kid, jwk.kid.p, jwk.kid.n);
    t->n_keys++;
    return true;
}

/* All keys of all partners were there from the start, so one in two documents is disputed in both.
 */
static inline void policy_publish(
    struct policy_world *w, const struct json_value *partner, int64_t now)
{
    struct partner_trust t = {.generation = 1, .good_at = now};
    const struct span name = policy_text_of(partner, "name");
    t.name = strndup(name.p, name.n);
    JSON_EACH (v, json_get(partner, "keys")) {
        const struct span pem = policy_text_of(v, "cert");
        if (t.n_keys == PARTNER_KEYS_MAX ||
            !(pem.p ? policy_add_certificate(&t, pem) : policy_add_jwk(&t, v)))
            policy_die("a key of policy.json cannot be read");
        t.keys[t.n_keys - 1].first_seen_at = t.keys[t.n_keys - 1].last_seen_at = now;
    }
    if (!t.name || store_put(w->store, &t) != REASON_OK)
        policy_die("out of memory");
    partner_trust_done(&t);
}

static inline bool policy_read_file(const char *path, struct buf *ret)
{
    CLEANUP(fclosep) FILE *f = fopen(path, "rb");
    char chunk[4096];
    for (size_t n; f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        buf_put(ret, chunk, n);
    return f && !ferror(f) && !ret->failed;
}

static inline void policy_world_open(struct policy_world *w, const char *folder)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    CLEANUP(cert_freep) struct cert *own = NULL;
    char path[4096];
    const struct json_value *policy;
    *w = (struct policy_world){.doc = json_doc_new(), .store = store_new()};
    if (!w->doc || !w->store)
        policy_die("out of memory");
    snprintf(path, sizeof(path), "%s/policy.json", folder);
    if (!policy_read_file(path, &text) ||
        json_parse(w->doc, buf_span(&text), &policy_limits, &policy) != REASON_OK)
        policy_die("policy.json cannot be read");
    w->settings = policy_settings(policy);
    JSON_EACH (p, json_get(policy, "partners"))
        if (policy_says(p, "profile", "s2s"))
            policy_publish(w, p, policy_number_of(policy, "now"));
    if (cert_parse_pem(policy_text_of(json_get(policy, "self"), "own_cert"), &own) != REASON_OK)
        policy_die("our own certificate cannot be read");
    store_settle_disputes(w->store, (const struct pubkey *[]){own->key}, 1);
}

static inline void policy_world_close(struct policy_world *w)
{
    settings_freep(&w->settings);
    store_freep(&w->store);
    json_doc_freep(&w->doc);
}
