/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting there is. A row here is a row of s2sd.conf(5):
 * tests/unit/test_trust_settings_manual.c holds the two together. Defaults are those of the design;
 * a bound is what still makes sense. */
#include "settings_table.h"
#include "log.h"

#define MIN_S(m) ((int64_t)(m)*60)
#define HOURS_S(h) ((int64_t)(h)*3600)
#define DAYS_S(d) ((int64_t)(d)*86400)

#define S(field) offsetof(struct settings, field)
#define P(field) offsetof(struct partner, field)
#define C(field) offsetof(struct client_rule, field)

static const struct setting_word words_source[] = {
    {"managed", KEYS_MANAGED}, {"files", KEYS_FILES}, {"credential", KEYS_CREDENTIAL}, {NULL, 0}};
static const struct setting_word words_audit[] = {
    {"best-effort", AUDIT_BEST_EFFORT}, {"required", AUDIT_REQUIRED}, {NULL, 0}};
static const struct setting_word words_validate_by[] = {
    {"everyone", VALIDATE_EVERYONE}, {"rules", VALIDATE_RULES}, {NULL, 0}};
static const struct setting_word words_level[] = {{"err", LOG_L_ERR}, {"warning", LOG_L_WARNING},
    {"notice", LOG_L_NOTICE}, {"info", LOG_L_INFO}, {"debug", LOG_L_DEBUG}, {NULL, 0}};
static const struct setting_word words_product[] = {{"generic", PRODUCT_GENERIC},
    {"exchange", PRODUCT_EXCHANGE}, {"lync", PRODUCT_LYNC}, {"sharepoint", PRODUCT_SHAREPOINT},
    {"s2sd", PRODUCT_S2SD}, {NULL, 0}};
static const struct setting_word words_trust[] = {{"full", TRUST_FULL},
    {"application", TRUST_APPLICATION}, {"app-only", TRUST_APPLICATION}, {"user", TRUST_USER},
    {NULL, 0}};
static const struct setting_word words_expired[] = {
    {"refuse", EXPIRED_REFUSE}, {"warn", EXPIRED_WARN}, {NULL, 0}};
static const struct setting_word words_addresses[] = {
    {"any", ADDRESSES_ANY}, {"public", ADDRESSES_PUBLIC}, {NULL, 0}};
static const struct setting_word words_continuity[] = {{"tls", CONTINUITY_TLS},
    {"pinned", CONTINUITY_PINNED}, {"signed", CONTINUITY_SIGNED}, {NULL, 0}};
static const struct setting_word words_right[] = {{"mint", RIGHT_MINT},
    {"validate", RIGHT_VALIDATE}, {"explain", RIGHT_EXPLAIN}, {"status", RIGHT_STATUS},
    {"monitor", RIGHT_MONITOR}, {"refresh", RIGHT_REFRESH}, {"reload", RIGHT_RELOAD},
    {"roll", RIGHT_ROLL}, {"approve", RIGHT_APPROVE}, {"bar", RIGHT_BAR}, {"force", RIGHT_FORCE},
    {NULL, 0}};

static const struct setting_row identity_rows[] = {
    {.key = "ApplicationId",
        .kind = SK_APP_ID,
        .offset = S(identity.app_id),
        .mandatory = true,
        .need_restart = true,
        .help = "GUID of the application this server is"},
    {.key = "Realm",
        .kind = SK_REALM,
        .offset = S(identity.realm),
        .mandatory = true,
        .need_restart = true,
        .help = "Realm of the application, usually the organisation's first domain"},
    {.key = "Name",
        .kind = SK_TEXT,
        .offset = S(identity.name),
        .def = "s2sd",
        .need_restart = true,
        .help = "Free text shown in the metadata document"},
    {.key = "ServiceName",
        .kind = SK_TEXT,
        .offset = S(identity.service_name),
        .need_restart = true,
        .help = "Service name in the metadata document; default is ApplicationId="},
    {.key = "Hosts",
        .kind = SK_HOSTS,
        .offset = S(identity.hosts),
        .need_restart = true,
        .help = "Hosts a token may be addressed to; default is this machine's full host name"},
};

static const struct setting_row metadata_rows[] = {
    {.key = "URL",
        .kind = SK_URL,
        .offset = S(metadata.url),
        .help = "Where partners reach our document; default is /metadata/json/1 on the first host"},
    {.key = "CacheMaxAge",
        .kind = SK_DURATION,
        .offset = S(metadata.cache_max_age_s),
        .def = "1h",
        .max = DAYS_S(1),
        .help = "How long partners may keep our document (Cache-Control)"},
    {.key = "Signed",
        .kind = SK_BOOL,
        .offset = S(metadata.is_signed),
        .def = "no",
        .help = "yes: our document carries signed_metadata, for partners with Continuity=signed"},
};

static const struct setting_row signing_key_rows[] = {
    {.key = "Source",
        .kind = SK_WORD,
        .offset = S(signing_key.source),
        .def = "managed",
        .words = words_source,
        .need_restart = true,
        .help = "managed: the signer makes its keys itself; files, credential: Current= and Next="},
    {.key = "Current",
        .kind = SK_KEY,
        .offset = S(signing_key.current),
        .help = "PEM file, or name of the credential, with the signing key and its certificate"},
    {.key = "Next",
        .kind = SK_KEY,
        .offset = S(signing_key.next),
        .help = "The same of the key that signs next; published, not used before its time"},
    {.key = "NextEffective",
        .kind = SK_TIME,
        .offset = S(signing_key.next_effective_at),
        .help = "When Next= begins to sign; without it only on order, or before Current= ends"},
    {.key = "PrepareBefore",
        .kind = SK_DURATION,
        .offset = S(signing_key.prepare_before_s),
        .def = "30d",
        .min = 1,
        .max = DAYS_S(365),
        .help = "How long before it signs the signer makes and publishes its next key"},
    {.key = "PublishLead",
        .kind = SK_DURATION,
        .offset = S(signing_key.publish_lead_s),
        .max = DAYS_S(90),
        .help = "No key signs that was published for less; default is 1d, or 3 x CacheMaxAge="},
    {.key = "Root",
        .kind = SK_BOOL,
        .offset = S(signing_key.root),
        .def = "no",
        .need_restart = true,
        .help = "yes: the signer's keys are issued by a root certificate of its own"},
    {.key = "Lifetime",
        .kind = SK_DURATION,
        .offset = S(signing_key.lifetime_s),
        .def = "2y",
        .min = DAYS_S(1),
        .max = DAYS_S(3653),
        .help = "Life of a certificate that the signer makes; 5y with a partner of SelfRefresh=no"},
    {.key = "KeepPublishedAfter",
        .kind = SK_DURATION,
        .offset = S(signing_key.keep_published_after_s),
        .def = "1h",
        .max = DAYS_S(365),
        .help = "How long a previous key stays published after the last token it signed has ended"},
    {.key = "Audit",
        .kind = SK_WORD,
        .offset = S(signing_key.audit),
        .def = "best-effort",
        .words = words_audit,
        .help = "required: no signature without an audit record"},
};

static const struct setting_row tls_rows[] = {
    {.key = "Certificate",
        .kind = SK_FILE,
        .offset = S(tls.certificate),
        .help = "PEM file with the certificate chain of the public HTTPS door"},
    {.key = "PrivateKey",
        .kind = SK_FILE,
        .offset = S(tls.private_key),
        .help = "PEM file with the private key that belongs to it"},
};

static const struct setting_row refresh_rows[] = {
    {.key = "Interval",
        .kind = SK_DURATION,
        .offset = S(refresh.interval_s),
        .def = "1h",
        .min = MIN_S(5),
        .max = HOURS_S(24),
        .clamp = true,
        .help = "How often partners' documents are fetched; moved into 5min to 1d"},
    {.key = "RetryMin",
        .kind = SK_DURATION,
        .offset = S(refresh.retry_min_s),
        .def = "30s",
        .min = 1,
        .max = HOURS_S(1),
        .help = "First pause after a failed fetch; each further failure doubles it"},
    {.key = "RetryMax",
        .kind = SK_DURATION,
        .offset = S(refresh.retry_max_s),
        .def = "15min",
        .min = 1,
        .max = HOURS_S(24),
        .help = "Longest pause after failed fetches"},
    {.key = "StaleAfter",
        .kind = SK_DURATION,
        .offset = S(refresh.stale_after_s),
        .def = "7d",
        .min = MIN_S(10),
        .max = DAYS_S(365),
        .help = "Age of a partner's last good document at which its tokens are refused"},
    {.key = "WarnAfter",
        .kind = SK_DURATION,
        .offset = S(refresh.warn_after_s),
        .def = "1d",
        .min = MIN_S(5),
        .max = DAYS_S(365),
        .help = "Age of a partner's last good document at which a warning is given"},
    {.key = "Timeout",
        .kind = SK_DURATION,
        .offset = S(refresh.timeout_s),
        .def = "10s",
        .min = 1,
        .max = 60,
        .help = "Time for one fetch in all"},
    {.key = "ConnectTimeout",
        .kind = SK_DURATION,
        .offset = S(refresh.connect_timeout_s),
        .def = "5s",
        .min = 1,
        .max = 60,
        .help = "Time for name resolution, TCP and TLS of one fetch"},
    {.key = "UnknownKeyCooldown",
        .kind = SK_DURATION,
        .offset = S(refresh.unknown_key_cooldown_s),
        .def = "30s",
        .min = 1,
        .max = MIN_S(15),
        .help = "Shortest time between two fetches that tokens with an unknown key cause"},
    {.key = "MaxDocumentSize",
        .kind = SK_SIZE,
        .offset = S(refresh.max_document),
        .def = "1M",
        .min = 4096,
        .max = 1024 * 1024,
        .help = "Largest document that is read"},
    {.key = "Parallel",
        .kind = SK_UINT,
        .offset = S(refresh.parallel),
        .def = "8",
        .min = 1,
        .max = 64,
        .help = "Fetches at the same time"},
};

static const struct setting_row pool_rows[] = {
    {.key = "Members",
        .kind = SK_URLS,
        .offset = S(pool.members),
        .help = "Where the documents of the servers are that are the same application; this server "
                "may be among them"},
    {.key = "Interval",
        .kind = SK_DURATION,
        .offset = S(pool.interval_s),
        .def = "5min",
        .min = MIN_S(5),
        .max = HOURS_S(24),
        .clamp = true,
        .help = "How often the members' documents are fetched; moved into 5min to 1d"},
    {.key = "CAFile",
        .kind = SK_FILE,
        .offset = S(pool.ca_file),
        .help = "PEM file with the CAs that vouch for the members; default is the system's"},
    {.key = "PinnedPublicKey",
        .kind = SK_PINS,
        .offset = S(pool.pinned_keys),
        .help = "sha256//BASE64 of the members' TLS public keys; any of the list fits"},
};

static const struct setting_row listen_rows[] = {
    {.key = "HTTPS",
        .kind = SK_ENDPOINT,
        .offset = S(listen.https),
        .need_restart = true,
        .help = "Address and port of the public HTTPS door when systemd does not open it"},
    {.key = "ValidateBy",
        .kind = SK_WORD,
        .offset = S(listen.validate_by),
        .def = "everyone",
        .words = words_validate_by,
        .help = "Who may validate tokens when no [Client] rule matches"},
};

static const struct setting_row limits_rows[] = {
    {.key = "Connections",
        .kind = SK_UINT,
        .offset = S(limits.connections),
        .def = "512",
        .min = 16,
        .max = 65536,
        .help = "Connections of all kinds together"},
    {.key = "ConnectionsPerUser",
        .kind = SK_UINT,
        .offset = S(limits.connections_per_uid),
        .def = "256",
        .min = 1,
        .max = 65536,
        .help = "Local connections of one user"},
    {.key = "Waiters",
        .kind = SK_UINT,
        .offset = S(limits.waiters),
        .def = "256",
        .min = 1,
        .max = 4096,
        .help = "Requests of one partner or one user that may wait for an unknown key"},
    {.key = "RequestTimeout",
        .kind = SK_DURATION,
        .offset = S(limits.request_timeout_s),
        .def = "10s",
        .min = 1,
        .max = MIN_S(10),
        .help = "Time from the first to the last byte of one request"},
    {.key = "IdleTimeout",
        .kind = SK_DURATION,
        .offset = S(limits.idle_timeout_s),
        .def = "1min",
        .min = 1,
        .max = HOURS_S(24),
        .help = "Time after which a connection without a request is closed"},
    {.key = "ClockSkew",
        .kind = SK_DURATION,
        .offset = S(limits.clock_skew_s),
        .def = "5min",
        .max = MIN_S(10),
        .help = "Difference of clocks that is forgiven, in both directions"},
    {.key = "InboundLifetime",
        .kind = SK_DURATION,
        .offset = S(limits.inbound_lifetime_s),
        .def = "25h",
        .min = MIN_S(5),
        .max = HOURS_S(25),
        .help = "Longest life of a partner's token that is accepted"},
    {.key = "TokenLifetime",
        .kind = SK_DURATION,
        .offset = S(limits.token_lifetime_s),
        .def = "1h",
        .min = MIN_S(1),
        .max = HOURS_S(24),
        .help = "Life of a minted token when the caller does not say"},
    {.key = "MaxTokenLifetime",
        .kind = SK_DURATION,
        .offset = S(limits.max_token_lifetime_s),
        .def = "8h",
        .min = MIN_S(1),
        .max = HOURS_S(24),
        .help = "Longest life of a minted token; longer wishes are shortened"},
    {.key = "TokenCache",
        .kind = SK_UINT,
        .offset = S(limits.token_cache),
        .def = "4096",
        .max = 1048576,
        .help = "Minted tokens that each minter keeps for reuse; 0 keeps none"},
    {.key = "VerdictCache",
        .kind = SK_UINT,
        .offset = S(limits.verdict_cache),
        .def = "4096",
        .max = 1048576,
        .help = "Verdicts on signed tokens that each validator remembers; 0 remembers none"},
};

static const struct setting_row processes_rows[] = {
    {.key = "Validators",
        .kind = SK_UINT,
        .offset = S(processes.validators),
        .def = "0",
        .max = 256,
        .need_restart = true,
        .help = "Validator processes; 0 is one for each CPU"},
    {.key = "Minters",
        .kind = SK_UINT,
        .offset = S(processes.minters),
        .def = "1",
        .min = 1,
        .max = 64,
        .need_restart = true,
        .help = "Minter processes"},
    {.key = "Signers",
        .kind = SK_UINT,
        .offset = S(processes.signers),
        .def = "0",
        .max = 256,
        .need_restart = true,
        .help = "Signing processes below the signer; 0 is one for each CPU"},
};

static const struct setting_row log_rows[] = {
    {.key = "Level",
        .kind = SK_WORD,
        .offset = S(log_level),
        .def = "notice",
        .words = words_level,
        .help = "Least important messages that are logged"},
};

static const struct setting_row partner_rows[] = {
    {.key = "Description",
        .kind = SK_TEXT,
        .offset = P(description),
        .help = "Free text for people"},
    {.key = "MetadataURL",
        .kind = SK_URLS,
        .offset = P(metadata_urls),
        .help = "Where the partner publishes its document; several are tried in order"},
    {.key = "Certificate",
        .kind = SK_FILE,
        .offset = P(certificate),
        .help = "PEM file with the partner's certificate, instead of MetadataURL="},
    {.key = "ApplicationId",
        .kind = SK_APP_ID,
        .offset = P(app_id),
        .mandatory = true,
        .help = "GUID the partner must have; a document that says another is refused"},
    {.key = "Realm",
        .kind = SK_REALM,
        .offset = P(realm),
        .mandatory = true,
        .help = "Realm the partner must have; a document that says another is refused"},
    {.key = "Product",
        .kind = SK_WORD,
        .offset = P(product),
        .def = "generic",
        .words = words_product,
        .help = "What the partner is; s2sd partners exchange user tokens that are signed whole"},
    {.key = "Trust",
        .kind = SK_WORD,
        .offset = P(trust),
        .def = "application",
        .words = words_trust,
        .help = "full: may be itself and act for users; application: only itself; user: neither "
                "without a token server"},
    {.key = "PermittedUsers",
        .kind = SK_PATTERNS,
        .offset = P(permitted_users),
        .help = "Users the partner may act for; without it no user token is accepted"},
    {.key = "RefusedUsers",
        .kind = SK_PATTERNS,
        .offset = P(refused_users),
        .help = "Users the partner may not act for, even when PermittedUsers= names them"},
    {.key = "AudienceHost",
        .kind = SK_HOSTS,
        .offset = P(audience_hosts),
        .help = "Hosts of the partner that tokens may be minted for, the default one first"},
    {.key = "CAFile",
        .kind = SK_FILE,
        .offset = P(ca_file),
        .help = "PEM file with the CAs that may sign the partner's TLS certificate"},
    {.key = "PinnedPublicKey",
        .kind = SK_PINS,
        .offset = P(pinned_keys),
        .help = "SHA-256 of the public key of the partner's TLS certificate"},
    {.key = "ExpiredKeys",
        .kind = SK_WORD,
        .offset = P(expired_keys),
        .def = "refuse",
        .words = words_expired,
        .help = "warn: a published certificate outside its dates is still believed"},
    {.key = "Addresses",
        .kind = SK_WORD,
        .offset = P(addresses),
        .def = "any",
        .words = words_addresses,
        .help = "public: private and loopback addresses of the partner are refused"},
    {.key = "Grace",
        .kind = SK_DURATION,
        .offset = P(grace_s),
        .def = "0",
        .max = DAYS_S(30),
        .help = "How long a key that has left the document is still believed"},
    {.key = "HoldDown",
        .kind = SK_DURATION,
        .offset = P(hold_down_s),
        .def = "0",
        .max = DAYS_S(30),
        .help = "How long a new key must stand in the document before it is believed; counts only "
                "where the system's CAs alone vouch for the partner"},
    {.key = "Continuity",
        .kind = SK_WORD,
        .offset = P(continuity),
        .def = "tls",
        .words = words_continuity,
        .help = "What makes the keys of a new document believed. tls: that TLS is verified; "
                "pinned: PinnedKeys=; signed: the document is signed by a key believed already"},
    {.key = "PinnedKeys",
        .kind = SK_KEY_PINS,
        .offset = P(pinned_certs),
        .help = "The only keys that are believed (Continuity=pinned): thumbprints, SHA-256 of "
                "certificates, or sha256//BASE64 of public keys"},
    {.key = "Expect",
        .kind = SK_THUMBPRINT,
        .offset = P(expect),
        .help = "Thumbprint of the key that signs the first document (Continuity=signed)"},
    {.key = "DelegationLifetime",
        .kind = SK_DURATION,
        .offset = P(delegation_lifetime_s),
        .def = "10min",
        .min = MIN_S(1),
        .max = HOURS_S(24),
        .help = "Longest life of a token that acts for a user"},
    {.key = "UnsignedOuter",
        .kind = SK_BOOL,
        .offset = P(unsigned_outer),
        .help = "Accept user tokens in an unsigned outer token; default is no for Product=s2sd, "
                "else yes"},
    {.key = "AcceptSecurityIdentifier",
        .kind = SK_BOOL,
        .offset = P(accept_sid),
        .def = "no",
        .help = "Accept a user who is named by SID or PUID alone"},
    {.key = "Announce",
        .kind = SK_BOOL,
        .offset = P(announce),
        .def = "no",
        .help = "Say who asks when the partner's document is fetched, and which of its keys are "
                "believed"},
    {.key = "SelfRefresh",
        .kind = SK_BOOL,
        .offset = P(self_refresh),
        .help = "The partner fetches our document by itself; default is no for Product=exchange "
                "and lync, else yes"},
    {.key = "TrustBroker",
        .kind = SK_BOOL,
        .offset = P(trust_broker),
        .def = "no",
        .help = "The partner may speak for the applications of Applications="},
    {.key = "Applications",
        .kind = SK_PRINCIPALS,
        .offset = P(applications),
        .help = "applicationid@realm that a trust broker may speak for"},
    {.key = "Enabled",
        .kind = SK_BOOL,
        .offset = P(enabled),
        .def = "yes",
        .help = "no: the partner's tokens are refused and none are minted for it"},
};

static const struct setting_row client_rows[] = {
    {.key = "User",
        .kind = SK_USER,
        .offset = C(user),
        .help = "Name or number of the user the process runs as"},
    {.key = "Group",
        .kind = SK_GROUP,
        .offset = C(group),
        .help = "Name or number of a group the process is in"},
    {.key = "Unit",
        .kind = SK_UNIT,
        .offset = C(unit),
        .help = "systemd unit the process belongs to"},
    {.key = "Allow",
        .kind = SK_RIGHTS,
        .offset = C(rights),
        .words = words_right,
        .help = "What the process may do; nothing without it"},
    {.key = "Partners",
        .kind = SK_PARTNERS,
        .offset = C(partners),
        .help = "Partners that tokens may be minted for; default is all"},
    {.key = "ActAs",
        .kind = SK_PATTERNS,
        .offset = C(act_as),
        .help = "Users the process may act for; needs Delegation=yes"},
    {.key = "RefuseActAs",
        .kind = SK_PATTERNS,
        .offset = C(refuse_act_as),
        .help = "Users the process may not act for, even when ActAs= names them"},
    {.key = "Delegation",
        .kind = SK_BOOL,
        .offset = C(delegation),
        .def = "no",
        .help = "Accept that a user token of a Microsoft product opens every user to its holder"},
    {.key = "MaxLifetime",
        .kind = SK_DURATION,
        .offset = C(max_lifetime_s),
        .min = MIN_S(1),
        .max = HOURS_S(24),
        .help = "Longest life of a token minted under this rule; default is MaxTokenLifetime="},
    {.key = "RateLimit",
        .kind = SK_RATE,
        .offset = C(rate_per_s),
        .help = "Signatures per second under this rule; default is no limit"},
    {.key = "Audience",
        .kind = SK_HOSTS,
        .offset = C(audiences),
        .help = "Our hosts that the process may validate tokens for; default is all"},
};

#define SECTION(text, named_, rows_, help_)                                                        \
    {                                                                                              \
        .name = (text), .named = (named_), .rows = (rows_), .n_rows = ARRAY_LEN(rows_),            \
        .help = (help_)                                                                            \
    }

const struct setting_section setting_sections[] = {
    SECTION("Identity", false, identity_rows, "Who this server is"),
    SECTION("Metadata", false, metadata_rows, "The document that partners read"),
    SECTION("SigningKey", false, signing_key_rows, "The key that signs tokens"),
    SECTION("TLS", false, tls_rows, "The certificate of the public HTTPS door"),
    SECTION("Refresh", false, refresh_rows, "How partners' documents are kept current"),
    SECTION("Pool", false, pool_rows, "Servers that are the same application, each with its key"),
    SECTION("Listen", false, listen_rows, "Doors, and who may use them"),
    SECTION("Limits", false, limits_rows, "What nobody may exceed"),
    SECTION("Processes", false, processes_rows, "How many processes share the work"),
    SECTION("Log", false, log_rows, "What is logged"),
    SECTION("Partner", true, partner_rows, "A server that tokens are exchanged with"),
    SECTION("Client", true, client_rows, "Which process of this machine may do what"),
};
const size_t setting_sections_n = ARRAY_LEN(setting_sections);

const struct setting_section *setting_section_find(const char *name)
{
    for (size_t i = 0; i < setting_sections_n; i++)
        if (strcmp(setting_sections[i].name, name) == 0)
            return &setting_sections[i];
    return NULL;
}

const struct setting_row *setting_row_find(const struct setting_section *section, const char *key)
{
    for (size_t i = 0; i < section->n_rows; i++)
        if (strcmp(section->rows[i].key, key) == 0)
            return &section->rows[i];
    return NULL;
}

static bool name_byte(char c, bool first)
{
    return ascii_is_alnum(c) || (!first && (c == '.' || c == '_' || c == '-'));
}

bool setting_name_valid(struct span name)
{
    if (name.n == 0 || name.n > 64)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!name_byte(name.p[i], i == 0))
            return false;
    return true;
}

const char *continuity_name(enum continuity c)
{
    return setting_word_of(words_continuity, (int)c);
}

const char *key_source_name(enum key_source s)
{
    return setting_word_of(words_source, (int)s);
}

const char *trust_level_name(enum trust_level t)
{
    return setting_word_of(words_trust, (int)t);
}

const char *right_name(enum right r)
{
    return setting_word_of(words_right, (int)r);
}
