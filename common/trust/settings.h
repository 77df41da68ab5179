/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as a struct. One table (settings_table.c) makes parser, defaults,
 * --print-config and s2sd.conf(5). */
#pragma once

#include "conf.h"
#include "identity.h"
#include "pattern.h"

#include <sys/types.h>

enum key_source { KEYS_MANAGED, KEYS_FILES, KEYS_CREDENTIAL };
enum trust_level { TRUST_FULL, TRUST_APPLICATION, TRUST_USER };
enum product { PRODUCT_GENERIC, PRODUCT_EXCHANGE, PRODUCT_LYNC, PRODUCT_SHAREPOINT, PRODUCT_S2SD };
enum expired_keys { EXPIRED_REFUSE, EXPIRED_WARN };
enum continuity { CONTINUITY_TLS, CONTINUITY_PINNED, CONTINUITY_SIGNED };
enum addresses { ADDRESSES_ANY, ADDRESSES_PUBLIC };
enum validate_by { VALIDATE_EVERYONE, VALIDATE_RULES };
enum audit_mode { AUDIT_BEST_EFFORT, AUDIT_REQUIRED };

/* Rights of Allow=, a bit each. */
enum right {
    RIGHT_MINT = 1 << 0,
    RIGHT_VALIDATE = 1 << 1,
    RIGHT_EXPLAIN = 1 << 2,
    RIGHT_STATUS = 1 << 3,
    RIGHT_MONITOR = 1 << 4,
    RIGHT_REFRESH = 1 << 5,
    RIGHT_RELOAD = 1 << 6,
    RIGHT_ROLL = 1 << 7,
    RIGHT_APPROVE = 1 << 8,
    RIGHT_BAR = 1 << 9,
    RIGHT_FORCE = 1 << 10
};

#define SETTINGS_PARTNERS_MAX 10000
#define SETTINGS_CLIENTS_MAX 1000
#define SETTINGS_LIST_MAX 256 /* entries of one list */
#define SETTINGS_PINS_MAX 16  /* PinnedPublicKey= or PinnedKeys= of one partner */
#define SETTINGS_POOL_MAX 16  /* Members= of a pool */

/* Strings of a list, owned by the settings. */
struct names {
    char **list;
    size_t n;
};

/* [Partner NAME]: the record that pins who the partner is. */
struct partner {
    char *name;
    char *description;
    struct names metadata_urls; /* https, tried in order; or empty with certificate set */
    char *certificate;          /* PEM file of an air-gapped partner, instead of a URL */
    char *app_id, *realm;       /* pins */
    char *issuer;               /* app_id@realm, made from the pins */
    enum product product;
    enum trust_level trust;
    struct patterns permitted_users, refused_users;
    struct names audience_hosts; /* first is the default; default: host of the first metadata URL */
    char *ca_file;               /* NULL: the system's CAs */
    struct names pinned_keys;    /* "sha256//BASE64=" */
    enum expired_keys expired_keys;
    enum addresses addresses;
    int64_t grace_s;
    int64_t hold_down_s; /* see partner_hold_down_s */
    enum continuity continuity;
    struct names pinned_certs; /* PinnedKeys=, with CONTINUITY_PINNED: see key_pin.h */
    char *expect;              /* thumbprint of the first document's key, with CONTINUITY_SIGNED */
    int64_t delegation_lifetime_s; /* default 600 */
    bool unsigned_outer;           /* default yes, no for PRODUCT_S2SD */
    bool accept_sid;
    bool announce;     /* our fetches say who asks */
    bool self_refresh; /* fetches our document by itself; default no for exchange and lync */
    bool trust_broker;
    struct names applications; /* appid@realm a trust broker may speak for */
    bool enabled;
    struct conf_where where;
};

/* [Client NAME]: which process of this machine may do what. */
struct client_rule {
    char *name;
    char *user, *group, *unit; /* conditions; NULL: not asked */
    uid_t uid;                 /* resolved when user is set */
    gid_t gid;                 /* resolved when group is set */
    unsigned rights;           /* enum right */
    struct names partners;     /* section names; empty: all */
    struct patterns act_as, refuse_act_as;
    bool delegation;
    int64_t max_lifetime_s; /* 0: the general limit */
    unsigned rate_per_s;    /* 0: none */
    struct names audiences; /* our hosts this client may validate for; empty: all */
    struct conf_where where;
};

struct settings {
    struct identity identity;
    struct {
        char *url; /* where partners reach us */
        int64_t cache_max_age_s;
        bool is_signed; /* our document carries signed_metadata */
    } metadata;
    struct {
        enum key_source source;
        char *current, *next; /* PEM files for KEYS_FILES, names of credentials for KEYS_CREDENTIAL
                               */
        int64_t next_effective_at; /* when next begins to sign; 0: on order only */
        int64_t prepare_before_s;  /* managed: the next key is published so long before it signs */
        int64_t publish_lead_s;    /* nothing signs that was published for less */
        bool root;                 /* managed: leaves are issued by a root of ours */
        int64_t lifetime_s;        /* of a certificate the signer makes itself */
        int64_t keep_published_after_s; /* after the last token of a previous key has ended: a key
                                           stays PREVIOUS for limits.max_token_lifetime_s + this */
        enum audit_mode audit;
    } signing_key;
    struct {
        char *certificate, *private_key;
    } tls;
    struct {
        int64_t interval_s, retry_min_s, retry_max_s, stale_after_s, warn_after_s, timeout_s,
            connect_timeout_s;
        int64_t unknown_key_cooldown_s;
        uint64_t max_document; /* bytes */
        unsigned parallel;     /* fetches at once */
    } refresh;
    struct {
        struct names members; /* document URLs of the servers that are the same application; empty:
                                 no pool. This server may be among them */
        int64_t interval_s;
        char *ca_file; /* NULL: the system's CAs */
        struct names pinned_keys;
    } pool;
    struct {
        char *https; /* "[::]:8443", only without socket activation */
        enum validate_by validate_by;
    } listen;
    struct {
        unsigned connections, connections_per_uid, waiters;
        int64_t request_timeout_s, idle_timeout_s, clock_skew_s, inbound_lifetime_s;
        int64_t token_lifetime_s, max_token_lifetime_s;
        unsigned token_cache, verdict_cache; /* entries per worker, 0: none */
    } limits;
    struct {
        unsigned validators, minters, signers; /* 0: one for each CPU (minters: 1) */
    } processes;
    int log_level;
    struct partner *partners; /* sorted by name */
    size_t n_partners;
    struct client_rule *clients; /* in the order of the files: the first match decides */
    size_t n_clients;
    const struct partner **by_issuer; /* index of partners, sorted by issuer */
    unsigned char digest[16];         /* conf_digest of what was read */
    struct conf_set set;              /* owns the texts */
};

/* Judges a set and fills *ret (caller frees with settings_free). `set` is taken over on success.
 * All mistakes are collected in `errors`; returns true when there is none, those of conf_load that
 * already stand in it included. `hostname` is the full host name for the defaults; one without a
 * dot is not used, Hosts= is then mandatory. */
bool settings_from_conf(struct conf_set *set, const char *hostname, struct conf_errors *errors,
    struct settings **ret) WARN_UNUSED;
/* conf_load + settings_from_conf. `config_dir` NULL: the three standard folders. */
bool settings_load(const char *config_dir, struct conf_errors *errors, struct settings **ret)
    WARN_UNUSED;
void settings_free(struct settings *s);
void settings_freep(struct settings **s);
/* The effective configuration in the same syntax: above each setting a comment tells where it comes
 * from, what is not set is commented out. Reading it again gives the same settings. */
void settings_print(const struct settings *s, struct buf *out);
/* True when `b` differs from `a` in what needs a restart ([Identity], key source, process counts,
 * [Listen] addresses); writes what into `what`. */
bool settings_need_restart(
    const struct settings *a, const struct settings *b, char *what, size_t what_len);

/* By section name; the second by its issuer, exact bytes. NULL: none. */
const struct partner *settings_partner(const struct settings *s, struct span name);
const struct partner *settings_partner_of_issuer(const struct settings *s, struct span issuer);
const struct client_rule *settings_client(const struct settings *s, struct span name);
const char *key_source_name(enum key_source s);   /* managed, files, credential */
const char *trust_level_name(enum trust_level t); /* full, application, user */
const char *continuity_name(enum continuity c);   /* tls, pinned, signed */
/* HoldDown= where it counts: for a partner vouched for by the system's CAs alone, with neither
 * CAFile=, PinnedPublicKey= nor Continuity=pinned or signed. Else 0. */
int64_t partner_hold_down_s(const struct partner *p);
/* The word of one right, as Allow= has it. */
const char *right_name(enum right r);
