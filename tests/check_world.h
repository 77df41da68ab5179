/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for tests of the ladder: we are an Exchange-like server with a partner of each
 * kind. All of them publish one certificate, only `far` has another and `fresh` was never fetched.
 */
#pragma once

#include "check.h"
#include "settings_of.h"
#include "token_maker.h"

#define WORLD_NOW INT64_C(1735700000)

static const char world_text[] =
    "[Identity]\n"
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
    "Realm=contoso.com\n"
    "Hosts=mail.contoso.com autodiscover.contoso.com\n"
    "[Partner lync]\n"
    "ApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
    "Realm=lync.contoso.com\n"
    "MetadataURL=https://lync.contoso.com/metadata/json/1\n"
    "Trust=full\n"
    "PermittedUsers=*@contoso.com guest@partner.example\n"
    "RefusedUsers=boss@contoso.com\n"
    "[Partner wiki]\n"
    "ApplicationId=00000003-0000-0ff1-ce00-000000000000\n"
    "Realm=wiki.contoso.com\n"
    "MetadataURL=https://wiki.contoso.com/metadata/json/1\n"
    "Trust=application\n"
    "PermittedUsers=*@contoso.com\n"
    "[Partner users]\n"
    "ApplicationId=00000005-0000-0ff1-ce00-000000000000\n"
    "Realm=users.contoso.com\n"
    "MetadataURL=https://users.contoso.com/metadata/json/1\n"
    "Trust=user\n"
    "PermittedUsers=*@contoso.com\n"
    "[Partner peer]\n"
    "ApplicationId=00000006-0000-0ff1-ce00-000000000000\n"
    "Realm=peer.contoso.com\n"
    "MetadataURL=https://peer.contoso.com/metadata/json/1\n"
    "Product=s2sd\n"
    "Trust=full\n"
    "PermittedUsers=*@contoso.com\n"
    "RefusedUsers=boss@contoso.com\n"
    "[Partner farm]\n"
    "ApplicationId=00000007-0000-0ff1-ce00-000000000000\n"
    "Realm=farm.contoso.com\n"
    "MetadataURL=https://farm.contoso.com/metadata/json/1\n"
    "Trust=full\n"
    "TrustBroker=yes\n"
    "Applications=c3ab8885-458f-4864-8804-1608145e2ac4@farm.contoso.com\n"
    "PermittedUsers=*@contoso.com\n"
    "[Partner off]\n"
    "ApplicationId=00000008-0000-0ff1-ce00-000000000000\n"
    "Realm=off.contoso.com\n"
    "MetadataURL=https://off.contoso.com/metadata/json/1\n"
    "Trust=full\n"
    "Enabled=no\n"
    "[Partner far]\n"
    "ApplicationId=00000009-0000-0ff1-ce00-000000000000\n"
    "Realm=far.example\n"
    "MetadataURL=https://far.example/metadata/json/1\n"
    "Trust=full\n"
    "[Partner bare]\n"
    "ApplicationId=0000000a-0000-0ff1-ce00-000000000000\n"
    "Realm=bare.example\n"
    "Certificate=/etc/s2sd/bare.pem\n"
    "AudienceHost=www.bare.example\n"
    "Trust=full\n"
    "[Partner fresh]\n"
    "ApplicationId=0000000b-0000-0ff1-ce00-000000000000\n"
    "Realm=fresh.example\n"
    "MetadataURL=https://fresh.example/metadata/json/1\n"
    "Trust=full\n";

struct world {
    struct settings *settings;
    struct store *store;
    struct check_scratch *scratch;
    struct signkey *key, *other; /* partners' key, and the key of `far` */
    struct check_against against;
    struct token_checked v;
};

static inline void world_add_key(struct partner_trust *t, const struct cert *c)
{
    struct partner_key *k = &t->keys[t->n_keys++];
    *k = (struct partner_key){.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .first_seen_at = WORLD_NOW - 86400,
        .last_seen_at = WORLD_NOW,
        .key = pubkey_ref(c->key)};
    memcpy(k->x5t, c->x5t, X5T_LEN);
    memcpy(k->x5t_s256, c->x5t_s256, X5T_S256_LEN);
}

/* Publishes `key` for the partner: one certificate, or none. */
static inline void world_publish(struct world *w, const char *partner, struct signkey *key)
{
    struct partner_trust t = {.name = maker_copy(partner, strlen(partner)),
        .generation = 1,
        .good_at = key ? WORLD_NOW - 3600 : 0};
    if (key)
        world_add_key(&t, signkey_cert(key));
    if (store_put(w->store, &t) != REASON_OK)
        abort();
    partner_trust_done(&t);
}

/* Replaces what is known of a partner by an edited copy. */
static inline void world_edit(
    struct world *w, const char *partner, void (*edit)(struct partner_trust *t))
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    if (partner_trust_copy(store_get(w->store, span_of(partner)), &t) != REASON_OK)
        abort();
    edit(t);
    if (store_put(w->store, t) != REASON_OK)
        abort();
}

static inline struct signkey *world_key(const char *name)
{
    struct signkey *key;
    if (signkey_generate(name, WORLD_NOW - 86400 * 30, WORLD_NOW + 86400 * 365, &key) != REASON_OK)
        abort();
    return key;
}

/* Settings and keys stay; the store and the context are made anew. */
static inline void world_reset(struct world *w)
{
    static const char *const common[] = {"lync", "wiki", "users", "peer", "farm", "off", "bare"};
    settings_freep(&w->settings);
    store_freep(&w->store);
    w->settings = settings_of(world_text);
    w->store = store_new();
    if (!w->store)
        abort();
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        world_publish(w, common[i], w->key);
    world_publish(w, "far", w->other);
    world_publish(w, "fresh", NULL);
    w->against =
        (struct check_against){.settings = w->settings, .store = w->store, .now = WORLD_NOW};
}

static inline void world_open(struct world *w)
{
    *w = (struct world){.key = world_key("S2S A"), .other = world_key("S2S B")};
    w->scratch = check_scratch_new();
    if (!w->scratch)
        abort();
    world_reset(w);
}

static inline void world_close(struct world *w)
{
    settings_freep(&w->settings);
    store_freep(&w->store);
    check_scratch_freep(&w->scratch);
    signkey_freep(&w->key);
    signkey_freep(&w->other);
}
