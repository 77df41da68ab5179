/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: every default, every refusal with its line, what is derived, what prints back. */
#include "log.h"
#include "settings_of.h"
#include "settings_table.h"
#include "temp_dir.h"
#include "unit.h"

#define HOST "lync.contoso.example"
#define IDENTITY                                                                                   \
    "[Identity]\nApplicationId=00000004-0000-0FF1-CE00-000000000000\nRealm=Contoso.Example\n"
#define EXCH                                                                                       \
    "[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"                   \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"

static struct settings *minimal(void)
{
    return settings_of(IDENTITY);
}

START_TEST(test_identity_is_lowered_and_completed)
{
    CLEANUP(settings_freep) struct settings *s = minimal();
    ck_assert_str_eq(s->identity.app_id, "00000004-0000-0ff1-ce00-000000000000");
    ck_assert_str_eq(s->identity.realm, "contoso.example");
    ck_assert_str_eq(s->identity.issuer, "00000004-0000-0ff1-ce00-000000000000@contoso.example");
    ck_assert_str_eq(s->identity.name, "s2sd");
    ck_assert_str_eq(s->identity.service_name, s->identity.app_id);
    ck_assert_uint_eq(s->identity.n_hosts, 1);
    ck_assert_str_eq(s->identity.hosts[0], HOST);
    ck_assert_str_eq(s->metadata.url, "https://lync.contoso.example/metadata/json/1");
    ck_assert(identity_has_host(&s->identity, SPAN("LYNC.contoso.example")));
    ck_assert(!identity_has_host(&s->identity, SPAN("lync.contoso.exampl")));
    ck_assert(!identity_has_host(&s->identity, SPAN("")));
}
END_TEST

/* DESIGN 5, "Defaults". */
START_TEST(test_defaults)
{
    CLEANUP(settings_freep) struct settings *s = minimal();
    const struct {
        const char *what;
        int64_t is, shall;
    } table[] = {
        {"CacheMaxAge", s->metadata.cache_max_age_s, 3600},
        {"Source", s->signing_key.source, KEYS_MANAGED},
        {"Lifetime", s->signing_key.lifetime_s, 2 * 31557600},
        {"PrepareBefore", s->signing_key.prepare_before_s, 30 * 86400},
        {"PublishLead", s->signing_key.publish_lead_s, 86400},
        {"KeepPublishedAfter", s->signing_key.keep_published_after_s, 3600},
        {"Audit", s->signing_key.audit, AUDIT_BEST_EFFORT},
        {"Interval", s->refresh.interval_s, 3600},
        {"RetryMin", s->refresh.retry_min_s, 30},
        {"RetryMax", s->refresh.retry_max_s, 900},
        {"StaleAfter", s->refresh.stale_after_s, 7 * 86400},
        {"WarnAfter", s->refresh.warn_after_s, 86400},
        {"Timeout", s->refresh.timeout_s, 10},
        {"ConnectTimeout", s->refresh.connect_timeout_s, 5},
        {"UnknownKeyCooldown", s->refresh.unknown_key_cooldown_s, 30},
        {"MaxDocumentSize", (int64_t)s->refresh.max_document, 1048576},
        {"Parallel", s->refresh.parallel, 8},
        {"ValidateBy", s->listen.validate_by, VALIDATE_EVERYONE},
        {"Connections", s->limits.connections, 512},
        {"ConnectionsPerUser", s->limits.connections_per_uid, 256},
        {"Waiters", s->limits.waiters, 256},
        {"RequestTimeout", s->limits.request_timeout_s, 10},
        {"IdleTimeout", s->limits.idle_timeout_s, 60},
        {"ClockSkew", s->limits.clock_skew_s, 300},
        {"InboundLifetime", s->limits.inbound_lifetime_s, 90000},
        {"TokenLifetime", s->limits.token_lifetime_s, 3600},
        {"MaxTokenLifetime", s->limits.max_token_lifetime_s, 8 * 3600},
        {"Validators", s->processes.validators, 0},
        {"Minters", s->processes.minters, 1},
        {"Signers", s->processes.signers, 0},
        {"Level", s->log_level, LOG_L_NOTICE},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        ck_assert_msg(table[i].is == table[i].shall, "%s: %lld, not %lld", table[i].what,
            (long long)table[i].is, (long long)table[i].shall);
    ck_assert_ptr_null(s->listen.https);
    ck_assert_ptr_null(s->tls.certificate);
}
END_TEST

START_TEST(test_partner_defaults)
{
    CLEANUP(settings_freep) struct settings *s = settings_of(IDENTITY EXCH);
    const struct partner *p = settings_partner(s, SPAN("exch"));
    ck_assert_ptr_nonnull(p);
    ck_assert_str_eq(p->issuer, "00000002-0000-0ff1-ce00-000000000000@contoso.example");
    ck_assert_int_eq(p->product, PRODUCT_GENERIC);
    ck_assert_int_eq(p->trust, TRUST_APPLICATION);
    ck_assert_uint_eq(p->permitted_users.n, 0);
    ck_assert_uint_eq(p->audience_hosts.n, 1);
    ck_assert_str_eq(p->audience_hosts.list[0], "exch.contoso.example");
    ck_assert_int_eq(p->expired_keys, EXPIRED_REFUSE);
    ck_assert_int_eq(p->addresses, ADDRESSES_ANY);
    ck_assert_int_eq(p->grace_s, 0);
    ck_assert_int_eq(p->hold_down_s, 0);
    ck_assert_int_eq(p->continuity, CONTINUITY_TLS);
    ck_assert_uint_eq(p->pinned_certs.n, 0);
    ck_assert_ptr_null(p->expect);
    ck_assert(!s->metadata.is_signed);
    ck_assert_int_eq(p->delegation_lifetime_s, 600);
    ck_assert(p->unsigned_outer && p->enabled && !p->accept_sid && !p->trust_broker);
    ck_assert_uint_eq(p->where.line, 4);
}
END_TEST

/* What a partner's audience host is when nobody says (protocol note 2.2), and UnsignedOuter=. */
START_TEST(test_partner_derived)
{
    static const struct {
        const char *lines, *host;
        bool unsigned_outer;
    } table[] = {
        {"MetadataURL=https://Exch.Contoso.Example:8443/x\n", "exch.contoso.example", true},
        {"MetadataURL=https://sp.example:8443/x\nProduct=sharepoint\n", "sp.example:8443", true},
        {"MetadataURL=https://sp.example:443/x\nProduct=sharepoint\n", "sp.example", true},
        {"MetadataURL=https://sp.example/x\nProduct=sharepoint\n", "sp.example", true},
        {"MetadataURL=https://a.example/x\nMetadataURL=https://b.example/x\n", "a.example", true},
        {"MetadataURL=https://a.example/x\nAudienceHost=B.example c.example\n", "b.example", true},
        {"MetadataURL=https://a.example/x\nProduct=s2sd\n", "a.example", false},
        {"MetadataURL=https://a.example/x\nProduct=s2sd\nUnsignedOuter=yes\n", "a.example", true},
        {"MetadataURL=https://a.example/x\nUnsignedOuter=no\n", "a.example", false},
        {"Certificate=/etc/s2sd/p.pem\nAudienceHost=air.example\n", "air.example", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
            IDENTITY "[Partner p]\nApplicationId=11111111-2222-3333-4444-555555555555\n"
                     "Realm=p.example\n%s",
            table[i].lines);
        CLEANUP(settings_freep) struct settings *s = settings_of(text);
        const struct partner *p = settings_partner(s, SPAN("p"));
        ck_assert_str_eq(p->audience_hosts.list[0], table[i].host);
        ck_assert_int_eq(p->unsigned_outer, table[i].unsigned_outer);
    }
}
END_TEST

START_TEST(test_values_of_every_kind)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY
        "Name=Our server, 1st\nHosts=a.example B.example\nHosts=c.example:8443\n"
        "[SigningKey]\nSource=files\nCurrent=/k/current.pem\nNext=/k/next.pem\n"
        "[Refresh]\nInterval=1h 30min\nMaxDocumentSize=256K\nParallel=3\n"
        "[Listen]\nHTTPS=[::]:8443\nValidateBy=rules\n[Log]\nLevel=debug\n" EXCH
        "Description=Exchange, main site\nTrust=app-only\nProduct=exchange\n"
        "PermittedUsers=*@Contoso.Example\nRefusedUsers=admin@contoso.example\n"
        "PinnedPublicKey=sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
        "TrustBroker=yes\nApplications=C3AB8885-458f-4864-8804-1608145e2ac4@Contoso.Example\n"
        "[Client pbx]\nUser=root\nGroup=0\nUnit=pbx.service\nAllow=mint validate\nAllow=explain\n"
        "Partners=exch\nActAs=*@contoso.example\nRefuseActAs=ceo@contoso.example\nDelegation=yes\n"
        "MaxLifetime=30min\nRateLimit=50/s\nAudience=C.example:8443\n");
    ck_assert_str_eq(s->identity.name, "Our server, 1st");
    ck_assert_uint_eq(s->identity.n_hosts, 3);
    ck_assert_str_eq(s->identity.hosts[1], "b.example");
    ck_assert_str_eq(s->identity.hosts[2], "c.example:8443");
    ck_assert_str_eq(s->metadata.url, "https://a.example/metadata/json/1");
    ck_assert_str_eq(s->signing_key.next, "/k/next.pem");
    ck_assert_int_eq(s->refresh.interval_s, 5400);
    ck_assert_uint_eq(s->refresh.max_document, 262144);
    ck_assert_uint_eq(s->refresh.parallel, 3);
    ck_assert_str_eq(s->listen.https, "[::]:8443");
    ck_assert_int_eq(s->listen.validate_by, VALIDATE_RULES);
    ck_assert_int_eq(s->log_level, LOG_L_DEBUG);
    const struct partner *p =
        settings_partner_of_issuer(s, SPAN("00000002-0000-0ff1-ce00-000000000000@contoso.example"));
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(p->trust, TRUST_APPLICATION);
    ck_assert_str_eq(trust_level_name(p->trust), "application");
    ck_assert_int_eq(p->product, PRODUCT_EXCHANGE);
    ck_assert_str_eq(p->permitted_users.list[0], "*@contoso.example");
    ck_assert_uint_eq(p->pinned_keys.n, 1);
    ck_assert_str_eq(
        p->applications.list[0], "c3ab8885-458f-4864-8804-1608145e2ac4@contoso.example");
    const struct client_rule *c = settings_client(s, SPAN("pbx"));
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->uid, 0);
    ck_assert_uint_eq(c->gid, 0);
    ck_assert_uint_eq(c->rights, RIGHT_MINT | RIGHT_VALIDATE | RIGHT_EXPLAIN);
    ck_assert_int_eq(c->max_lifetime_s, 1800);
    ck_assert_uint_eq(c->rate_per_s, 50);
    ck_assert_ptr_null(settings_partner_of_issuer(
        s, SPAN("00000002-0000-0ff1-ce00-000000000000@Contoso.example")));
    ck_assert_ptr_null(settings_partner(s, SPAN("exc")));
    ck_assert_ptr_null(settings_client(s, SPAN("PBX")));
}
END_TEST

START_TEST(test_empty_value_starts_over)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "Hosts=a.example\nHosts=\nHosts=b.example\n"
                                              "[Refresh]\nTimeout=20s\nTimeout=\n"
                                              "[Client c]\nUser=root\nAllow=mint\nAllow=\n"
                                              "Allow=status\n");
    ck_assert_uint_eq(s->identity.n_hosts, 1);
    ck_assert_str_eq(s->identity.hosts[0], "b.example");
    ck_assert_int_eq(s->refresh.timeout_s, 10);
    ck_assert_uint_eq(s->clients[0].rights, RIGHT_STATUS);
}
END_TEST

START_TEST(test_interval_is_clamped)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } table[] = {{"1s", 300}, {"5min", 300}, {"301s", 301}, {"2d", 86400}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[512];
        snprintf(text, sizeof(text), IDENTITY "[Refresh]\nInterval=%s\n", table[i].value);
        CLEANUP(settings_freep) struct settings *s = settings_of(text);
        ck_assert_int_eq(s->refresh.interval_s, table[i].seconds);
    }
}
END_TEST

/* What was emptied again was not given. */
START_TEST(test_emptied_is_not_given)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "[SigningKey]\nCurrent=/k.pem\nCurrent=\n" EXCH
                                              "Certificate=/p.pem\nCertificate=\n"
                                              "AudienceHost=x.example\nAudienceHost=\n");
    ck_assert_ptr_null(s->signing_key.current);
    ck_assert_str_eq(s->partners[0].audience_hosts.list[0], "exch.contoso.example");
    struct settings_read r = settings_read(IDENTITY "Realm=\n", HOST);
    ck_assert_ptr_null(r.settings);
    ck_assert_str_eq(r.errors.text.p, "t.conf:1: [Identity] needs Realm=\n");
    settings_read_done(&r);
}
END_TEST

/* A shorter limit takes the default beside it along. */
START_TEST(test_limits_pull_their_neighbours)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "[Refresh]\nStaleAfter=12h\nTimeout=3s\n");
    ck_assert_int_eq(s->refresh.warn_after_s, 12 * 3600);
    ck_assert_int_eq(s->refresh.connect_timeout_s, 3);
}
END_TEST

START_TEST(test_lists_are_bounded_sets)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "Hosts=a.example A.example\nHosts=a.example\n");
    ck_assert_uint_eq(s->identity.n_hosts, 1);
    for (int more = 0; more < 2; more++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
        buf_put_str(&text, IDENTITY);
        for (int i = 0; i < SETTINGS_LIST_MAX + more; i++)
            buf_printf(&text, "Hosts=h%d.example\n", i);
        struct settings_read r = settings_read(text.p, HOST);
        ck_assert_int_eq(r.settings != NULL, !more);
        if (more)
            ck_assert_str_eq(
                r.errors.text.p, "t.conf:260: [Identity] Hosts=: more than 256 entries\n");
        settings_read_done(&r);
    }
}
END_TEST

START_TEST(test_text_is_bounded)
{
    for (size_t n = 256; n <= 257; n++) {
        char text[1024], name[300];
        memset(name, 'n', n);
        name[n] = '\0';
        snprintf(text, sizeof(text), IDENTITY "Name=%s\n", name);
        struct settings_read r = settings_read(text, HOST);
        ck_assert_int_eq(r.settings != NULL, n == 256);
        settings_read_done(&r);
    }
}
END_TEST

START_TEST(test_extensions_are_ignored)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "X-Owner=alice\n[X-Inventory]\nRack=7\n"
                                              "[X-Inventory two]\nRack=8\n");
    ck_assert_uint_eq(s->n_partners, 0);
}
END_TEST

START_TEST(test_drop_in_adds_to_a_section)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY "[Limits]\nConnections=100\n[Log]\nLevel=info\n"
                                              "[Limits]\nConnections=200\nWaiters=7\n");
    ck_assert_uint_eq(s->limits.connections, 200);
    ck_assert_uint_eq(s->limits.waiters, 7);
}
END_TEST

#define SHA1_TEXT "8BF833E64A9C9D4F1F4FBB36C1E4E1B0B0D6A9C1"

/* Thumbprints as tools print them; a hold-down only where nothing better vouches for the partner.
 */
START_TEST(test_continuity)
{
    static const struct {
        const char *lines;
        int64_t hold_down_s;
    } table[] = {
        {"HoldDown=1d\n", 86400},
        {"HoldDown=1d\nCAFile=/ca.pem\n", 0},
        {"HoldDown=1d\nContinuity=signed\nExpect=8b:f8:33:e6:4a:9c:9d:4f:1f:4f:bb:36:c1:e4:e1:b0:"
         "b0:d6:a9:c1\n",
            0},
        {"HoldDown=1d\nContinuity=pinned\nPinnedKeys=" SHA1_TEXT " sha256//"
         "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            0},
        {"HoldDown=1d\nPinnedPublicKey=sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[1024];
        snprintf(text, sizeof(text), IDENTITY EXCH "%s", table[i].lines);
        CLEANUP(settings_freep) struct settings *s = settings_of(text);
        const struct partner *p = &s->partners[0];
        ck_assert_int_eq(partner_hold_down_s(p), table[i].hold_down_s);
        if (p->continuity == CONTINUITY_SIGNED)
            ck_assert_str_eq(p->expect, SHA1_TEXT);
        if (p->continuity == CONTINUITY_PINNED) {
            ck_assert_uint_eq(p->pinned_certs.n, 2);
            ck_assert_str_eq(p->pinned_certs.list[0], SHA1_TEXT);
        }
    }
}
END_TEST

/* Texts behind IDENTITY (three lines), and all that must be said about them. */
static const struct {
    const char *text, *says;
} mistakes[] = {
    {"[Partner]\n", "t.conf:4: [Partner NAME] needs a name of 1 to 64 letters, digits, '.', '-' or "
                    "'_'\n"},
    {"[Partner ../x]\n", "t.conf:4: [Partner NAME] needs a name of 1 to 64 letters, digits, '.', "
                         "'-' or '_'\n"},
    {"[Identity two]\n", "t.conf:4: [Identity] takes no name\n"},
    {"[Partnr exch]\nTrust=full\n",
        "t.conf:4: unknown section [Partnr]; did you mean [Partner]?\n"},
    {"[TokenServer sts]\n", "t.conf:4: unknown section [TokenServer]\n"},
    {EXCH "PermittedUser=*@contoso.example\n",
        "t.conf:8: unknown setting PermittedUser= in [Partner exch]; did you mean "
        "PermittedUsers=?\n"},
    {EXCH "Continuity=yes\n",
        "t.conf:8: [Partner exch] Continuity=: \"yes\" is not one of tls, pinned, signed\n"},
    {EXCH "Continuity=pinned\n", "t.conf:8: [Partner exch] Continuity=pinned needs PinnedKeys=\n"},
    {EXCH "Continuity=signed\nPinnedKeys=" SHA1_TEXT "\n",
        "t.conf:9: [Partner exch] PinnedKeys= has a meaning only with Continuity=pinned\n"},
    {EXCH "Expect=" SHA1_TEXT "\n",
        "t.conf:8: [Partner exch] Expect= has a meaning only with Continuity=signed\n"},
    {EXCH "Continuity=signed\nExpect=8BF8\n",
        "t.conf:9: [Partner exch] Expect=: not the SHA-1 or SHA-256 of a certificate (40 or 64 "
        "hexadecimal digits)\n"},
    {EXCH "Continuity=pinned\nPinnedKeys=sha256//AAAA\n",
        "t.conf:9: [Partner exch] PinnedKeys=: not of the form sha256//BASE64= (44 characters of "
        "base64)\n"},
    {EXCH "Continuity=pinned\nPinnedKeys=x\n",
        "t.conf:9: [Partner exch] PinnedKeys=: \"x\" is neither 40 or 64 hexadecimal digits of a "
        "certificate's hash nor sha256//BASE64=\n"},
    {EXCH "HoldDown=7d\n",
        "t.conf:8: [Partner exch] HoldDown= must be shorter than StaleAfter= of [Refresh]\n"},
    {"[Partner p]\nApplicationId=11111111-2222-3333-4444-555555555555\nRealm=p.example\n"
     "AudienceHost=p.example\nCertificate=/p.pem\nContinuity=signed\n",
        "t.conf:9: [Partner p] Continuity= is about documents: beside Certificate= it has no "
        "meaning\n"},
    {"[Log]\nLevel=loud\n",
        "t.conf:5: [Log] Level=: \"loud\" is not one of err, warning, notice, info, debug\n"},
    {EXCH "Trust=Full\n", "t.conf:8: [Partner exch] Trust=: \"Full\" is not one of full, "
                          "application, app-only, user\n"},
    {EXCH "Enabled=maybe\n", "t.conf:8: [Partner exch] Enabled=: neither yes nor no\n"},
    {EXCH "Grace=soon\n", "t.conf:8: [Partner exch] Grace=: not a time span such as 30min or \"1h "
                          "30min\"\n"},
    {EXCH "PermittedUsers=*contoso.example\n",
        "t.conf:8: [Partner exch] PermittedUsers=: \"*contoso.example\" is neither *@domain nor a "
        "whole address\n"},
    {EXCH "MetadataURL=http://exch.contoso.example/x\n",
        "t.conf:8: [Partner exch] MetadataURL=: not of the form https://host[:port]/path\n"},
    {EXCH "MetadataURL=https://exch.contoso.example\n",
        "t.conf:8: [Partner exch] MetadataURL=: has no path; documents usually are at "
        "/metadata/json/1\n"},
    {EXCH "AudienceHost=a_b/c\n", "t.conf:8: [Partner exch] AudienceHost=: \"a_b/c\" is not a host "
                                  "name\n"},
    {EXCH "CAFile=ca.pem\n", "t.conf:8: [Partner exch] CAFile=: not an absolute path\n"},
    {EXCH "PinnedPublicKey=sha256//AAAA\n",
        "t.conf:8: [Partner exch] PinnedPublicKey=: not of the form sha256//BASE64= (44 characters "
        "of base64)\n"},
    {EXCH "Certificate=/p.pem\n", "t.conf:8: [Partner exch] Certificate= stands instead of "
                                  "MetadataURL=, not beside it\n"},
    {EXCH "TrustBroker=yes\n", "t.conf:8: [Partner exch] TrustBroker=yes needs Applications=\n"},
    {EXCH "Applications=00000002-0000-0ff1-ce00-000000000000@contoso.example\n",
        "t.conf:8: [Partner exch] Applications= needs TrustBroker=yes\n"},
    {EXCH "TrustBroker=yes\nApplications=exch@contoso.example\n",
        "t.conf:9: [Partner exch] Applications=: \"exch@contoso.example\" is not of the form "
        "applicationid@realm\n"},
    {"[Partner p]\n", "t.conf:4: [Partner p] needs ApplicationId=\n"
                      "t.conf:4: [Partner p] needs Realm=\n"
                      "t.conf:4: [Partner p] needs MetadataURL= (or Certificate=)\n"},
    {"[Partner p]\nApplicationId=1\nRealm=a b\nMetadataURL=x\n",
        "t.conf:5: [Partner p] ApplicationId=: not an application id (8-4-4-4-12 hexadecimal "
        "digits)\n"
        "t.conf:6: [Partner p] Realm=: not a realm (a domain or tenant id: letters, digits, '.', "
        "'-', '_')\n"
        "t.conf:7: [Partner p] MetadataURL=: not of the form https://host[:port]/path\n"},
    {"[Partner p]\nApplicationId=11111111-2222-3333-4444-555555555555\nRealm=r\n"
     "Certificate=/p.pem\n",
        "t.conf:4: [Partner p] Certificate= needs AudienceHost=\n"},
    {"[Partner p]\nMetadataURL=https://p.example/x\n"
     "ApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.EXAMPLE\n",
        "t.conf:6: [Partner p] has our own ApplicationId= and Realm=: a server is not its own "
        "partner\n"},
    {EXCH "[Partner other]\nMetadataURL=https://other.example/x\n"
          "ApplicationId=00000002-0000-0FF1-ce00-000000000000\nRealm=contoso.example\n",
        "t.conf:8: [Partner other] has the issuer of [Partner exch] (t.conf:4): "
        "00000002-0000-0ff1-ce00-000000000000@contoso.example\n"},
    {EXCH EXCH, "t.conf:8: [Partner exch] is there already, in t.conf:4\n"},
    {"[Client a]\nUser=root\n[Client a]\nUser=root\n",
        "t.conf:6: [Client a] is there already, in t.conf:4\n"},
    {"[Client a]\nAllow=mint\n",
        "t.conf:4: [Client a] needs a condition: User=, Group= or Unit=\n"},
    {"[Client a]\nUser=no-such-user-here\n",
        "t.conf:5: [Client a] User=: no such user on this machine\n"},
    {"[Client a]\nGroup=4294967295\n",
        "t.conf:5: [Client a] Group=: no such group on this machine\n"},
    {"[Client a]\nUnit=pbx\n",
        "t.conf:5: [Client a] Unit=: not a full unit name such as pbx.service\n"},
    {"[Client a]\nUnit=a/b.service\n", "t.conf:5: [Client a] Unit=: not a unit name\n"},
    {"[Client a]\nUser=root\nAllow=mint everything\n",
        "t.conf:6: [Client a] Allow=: \"everything\" is not one of mint, validate, explain, "
        "status, "
        "monitor, refresh, reload, roll, approve, bar, force\n"},
    {"[Client a]\nUser=root\nActAs=*@contoso.example\n",
        "t.conf:6: [Client a] ActAs= needs Delegation=yes: the outer token is unsigned, so whoever "
        "holds such a token can act for any user of the realm until it ends\n"},
    {"[Client a]\nUser=root\nPartners=nobody\n",
        "t.conf:6: [Client a] Partners=: there is no [Partner nobody]\n"},
    {"[Client a]\nUser=root\nAudience=other.example\n",
        "t.conf:6: [Client a] Audience=: other.example is not in Hosts= of [Identity]\n"},
    {"[Client a]\nUser=root\nRateLimit=0/s\n",
        "t.conf:6: [Client a] RateLimit=: not a rate such as 50/s\n"},
    {"[Client a]\nUser=root\nMaxLifetime=30s\n",
        "t.conf:6: [Client a] MaxLifetime=: must lie between 1min and 1d\n"},
    {"[SigningKey]\nSource=files\n", "t.conf:5: [SigningKey] Source=files needs Current=\n"},
    {"[SigningKey]\nSource=credential\nCurrent=/k.pem\n",
        "t.conf:6: [SigningKey] Current= must be the name of a credential with "
        "Source=credential\n"},
    {"[SigningKey]\nSource=files\nCurrent=/k.pem\nNext=n\n",
        "t.conf:7: [SigningKey] Next= must be an absolute path with Source=files\n"},
    {"[SigningKey]\nSource=files\nCurrent=/k.pem\nNextEffective=2027-03-01\n",
        "t.conf:7: [SigningKey] NextEffective= needs Next=\n"},
    {"[SigningKey]\nSource=files\nCurrent=/k.pem\nRoot=yes\n",
        "t.conf:7: [SigningKey] Root= has a meaning only with Source=managed\n"},
    {"[SigningKey]\nNextEffective=2027-03-01\n", "t.conf:5: [SigningKey] NextEffective= has a "
                                                 "meaning only with Source=files or credential\n"},
    {"[SigningKey]\nLifetime=1d\n",
        "t.conf:5: [SigningKey] Lifetime= must be at least four times PublishLead=\n"},
    {"[SigningKey]\nPublishLead=90d\nLifetime=300d\n",
        "t.conf:5: [SigningKey] Lifetime= must be at least four times PublishLead=\n"},
    {"[SigningKey]\nCurrent=/k.pem\n",
        "t.conf:5: [SigningKey] Current= has a meaning only with Source=files or credential\n"},
    {"[TLS]\nCertificate=/c.pem\n", "t.conf:5: [TLS] Certificate= needs PrivateKey=\n"},
    {"[TLS]\nPrivateKey=/k.pem\n", "t.conf:5: [TLS] PrivateKey= needs Certificate=\n"},
    {"[Refresh]\nRetryMin=20min\n",
        "t.conf:5: [Refresh] RetryMin= must not be longer than RetryMax=\n"},
    {"[Refresh]\nStaleAfter=1h\n",
        "t.conf:5: [Refresh] StaleAfter= must be longer than Interval=\n"},
    {"[Refresh]\nMaxDocumentSize=2M\n",
        "t.conf:5: [Refresh] MaxDocumentSize=: must lie between 4K and 1M\n"},
    {"[Limits]\nTokenLifetime=9h\n",
        "t.conf:5: [Limits] TokenLifetime= must not be longer than MaxTokenLifetime=\n"},
    {"[Limits]\nInboundLifetime=26h\n",
        "t.conf:5: [Limits] InboundLifetime=: must lie between 5min and 1d 1h\n"},
    {"[Limits]\nConnections=-1\n", "t.conf:5: [Limits] Connections=: not a whole number\n"},
    {"[Processes]\nMinters=0\n", "t.conf:5: [Processes] Minters=: must lie between 1 and 64\n"},
    {"[Listen]\nHTTPS=localhost:8443\n",
        "t.conf:5: [Listen] HTTPS=: not a numeric address; IPv6 stands in brackets\n"},
    {"[Listen]\nHTTPS=::1:8443\n",
        "t.conf:5: [Listen] HTTPS=: not a numeric address; IPv6 stands in brackets\n"},
    {"[Listen]\nHTTPS=8443\n", "t.conf:5: [Listen] HTTPS=: not of the form ADDRESS:PORT\n"},
    {"[Listen]\nHTTPS=127.0.0.1:0\n", "t.conf:5: [Listen] HTTPS=: not of the form ADDRESS:PORT\n"},
};

START_TEST(test_mistakes)
{
    char text[2048];
    snprintf(text, sizeof(text), IDENTITY "%s", mistakes[_i].text);
    struct settings_read r = settings_read(text, HOST);
    ck_assert_ptr_null(r.settings);
    ck_assert_ptr_nonnull(r.errors.text.p);
    ck_assert_str_eq(r.errors.text.p, mistakes[_i].says);
    settings_read_done(&r);
}
END_TEST

START_TEST(test_identity_is_needed)
{
    struct settings_read r = settings_read("[Log]\nLevel=info\n", "web1");
    ck_assert_ptr_null(r.settings);
    ck_assert_str_eq(r.errors.text.p, "t.conf:1: [Identity] needs ApplicationId=\n"
                                      "t.conf:1: [Identity] needs Realm=\n"
                                      "t.conf:1: [Identity] needs Hosts=: the name of this machine "
                                      "is not a full host name\n");
    settings_read_done(&r);
}
END_TEST

/* Five mistakes of five kinds, in one run, one line each. */
START_TEST(test_five_mistakes_five_lines)
{
    struct settings_read r = settings_read("[Identity]\n"
                                           "ApplicationId=lync\n"
                                           "Realm=contoso.example\n"
                                           "Colour=blue\n"
                                           "[Refresh]\n"
                                           "Timeout=never\n"
                                           "[Partner exch]\n"
                                           "MetadataURL=https://exch.contoso.example/metadata\n"
                                           "ApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
                                           "[Client pbx]\n"
                                           "User=root\n"
                                           "Partners=sps\n",
        HOST);
    ck_assert_ptr_null(r.settings);
    ck_assert_uint_eq(r.errors.count, 5);
    ck_assert_str_eq(r.errors.text.p,
        "t.conf:2: [Identity] ApplicationId=: not an application id (8-4-4-4-12 hexadecimal "
        "digits)\n"
        "t.conf:4: unknown setting Colour= in [Identity]\n"
        "t.conf:6: [Refresh] Timeout=: not a time span such as 30min or \"1h 30min\"\n"
        "t.conf:7: [Partner exch] needs Realm=\n"
        "t.conf:12: [Client pbx] Partners=: there is no [Partner sps]\n");
    settings_read_done(&r);
}
END_TEST

/* Where each change of our key is work by hand it comes seldom; whoever says otherwise is heard. */
START_TEST(partners_that_must_be_told_make_keys_live_longer)
{
    static const struct {
        const char *text;
        int64_t life_s;
    } rows[] = {
        {IDENTITY EXCH, 2 * INT64_C(31557600)},
        {IDENTITY EXCH "SelfRefresh=no\n", 5 * INT64_C(31557600)},
        {IDENTITY EXCH "Product=exchange\n", 5 * INT64_C(31557600)},
        {IDENTITY EXCH "Product=exchange\nSelfRefresh=yes\n", 2 * INT64_C(31557600)},
        {IDENTITY EXCH "SelfRefresh=no\nEnabled=no\n", 2 * INT64_C(31557600)},
        {IDENTITY "[SigningKey]\nLifetime=1y\n" EXCH "SelfRefresh=no\n", INT64_C(31557600)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(settings_freep) struct settings *s = settings_of(rows[i].text);
        ck_assert_msg(s->signing_key.lifetime_s == rows[i].life_s, "row %zu", i);
    }
}
END_TEST

static void print_to(const struct settings *s, struct buf *out)
{
    settings_print(s, out);
    ck_assert(!out->failed);
}

START_TEST(test_print_shows_origin)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY EXCH
        "Trust=full\n"
        "[Partner sps]\nMetadataURL=https://sps.contoso.example/x\nRealm=contoso.example\n"
        "ApplicationId=00000003-0000-0ff1-ce00-000000000000\n[Client a]\nUser=root\n");
    CLEANUP(buf_done) struct buf out = BUF_INIT(65536);
    print_to(s, &out);
    buf_put_char(&out, '\0');
    static const char *const parts[] = {
        "[Identity]\n# t.conf:2\nApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
        "# t.conf:3\nRealm=contoso.example\n# default\nName=s2sd\n"
        "ServiceName=00000004-0000-0ff1-ce00-000000000000\nHosts=lync.contoso.example\n",
        ("\n[SigningKey]\n# default\nSource=managed\n#Current=\n#Next=\n#NextEffective=\n"
         "PrepareBefore=30d\nPublishLead=1d\nRoot=no\nLifetime=2y\n"),
        "\n[Partner exch]\n# default\n#Description=\n# t.conf:5\nMetadataURL=https://exch.contoso",
        "# t.conf:8\nTrust=full\n# default\n#PermittedUsers=\n",
        "[Partner sps]\n# default\n#Description=\n# t.conf:10\nMetadataURL=https://sps.contoso",
        "\n[Client a]\n# t.conf:14\nUser=root\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        ck_assert_msg(strstr(out.p, parts[i]) != NULL, "missing:\n%s\nin:\n%s", parts[i], out.p);
}
END_TEST

/* Reading what was printed gives the same settings: the comments differ, nothing else. */
static void drop_comments(struct buf *text)
{
    struct buf kept = BUF_INIT(text->max);
    struct span rest = buf_span(text);
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n') + 1;
        n = n > rest.n ? rest.n : n;
        if (rest.p[0] != '#')
            buf_put(&kept, rest.p, n);
        rest = span_skip(rest, n);
    }
    buf_put_char(&kept, '\0');
    buf_done(text);
    *text = kept;
}

START_TEST(test_print_reads_back)
{
    CLEANUP(settings_freep)
    struct settings *s = settings_of(IDENTITY
        "Hosts=a.example b.example\n[SigningKey]\nSource=files\nCurrent=/c.pem\nLifetime=400d\n"
        "[Refresh]\nInterval=90min\nMaxDocumentSize=5000\n[Limits]\nVerdictCache=0\n" EXCH
        "Trust=user\nGrace=2h\nProduct=s2sd\nPermittedUsers=*@a.example b@c.example\n"
        "[Client z]\nUser=root\nAllow=mint status\nRateLimit=7\nPartners=exch\n"
        "[Client a]\nUnit=a.service\nMaxLifetime=5min\nAudience=b.example\n");
    CLEANUP(buf_done) struct buf first = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf second = BUF_INIT(65536);
    print_to(s, &first);
    drop_comments(&first);
    CLEANUP(settings_freep) struct settings *again = settings_of(first.p);
    print_to(again, &second);
    drop_comments(&second);
    ck_assert_str_eq(first.p, second.p);
    ck_assert_str_eq(again->clients[0].name, "z"); /* the first match decides: order is kept */
}
END_TEST

START_TEST(test_need_restart)
{
    static const struct {
        const char *after, *what; /* NULL: none needed */
    } table[] = {
        {IDENTITY, NULL},
        {IDENTITY EXCH "[Log]\nLevel=debug\n[Listen]\nValidateBy=rules\n", NULL},
        {IDENTITY "[Refresh]\nInterval=2h\n[TLS]\nCertificate=/c\nPrivateKey=/k\n", NULL},
        {IDENTITY "Name=other\n", "[Identity] Name="},
        {IDENTITY "Hosts=a.example\n", "[Identity] Hosts="},
        {IDENTITY "[SigningKey]\nSource=files\nCurrent=/k\n", "[SigningKey] Source="},
        {IDENTITY "[Listen]\nHTTPS=127.0.0.1:8443\n", "[Listen] HTTPS="},
        {IDENTITY "[Processes]\nValidators=3\nSigners=2\n",
            "[Processes] Validators=, [Processes] Signers="},
    };
    CLEANUP(settings_freep) struct settings *before = minimal();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char what[256] = "x";
        CLEANUP(settings_freep) struct settings *after = settings_of(table[i].after);
        bool need = settings_need_restart(before, after, what, sizeof(what));
        ck_assert_int_eq(need, table[i].what != NULL);
        ck_assert_str_eq(what, table[i].what ? table[i].what : "");
    }
}
END_TEST

START_TEST(test_digest_tells_configurations_apart)
{
    CLEANUP(settings_freep) struct settings *a = minimal();
    CLEANUP(settings_freep) struct settings *b = minimal();
    CLEANUP(settings_freep) struct settings *c = settings_of(IDENTITY "Name=s2sd\n");
    ck_assert_mem_eq(a->digest, b->digest, sizeof(a->digest));
    ck_assert_mem_ne(a->digest, c->digest, sizeof(a->digest));
}
END_TEST

/* Files */

static void write_file(const struct temp_dir *d, const char *name, const char *text)
{
    temp_dir_write(d, name, span_of(text), 0644);
}

static void make_config(struct temp_dir *d)
{
    temp_dir_make(d);
    ck_assert_int_eq(mkdir(temp_dir_at(d, "partners.d"), 0755), 0);
    ck_assert_int_eq(mkdir(temp_dir_at(d, "clients.d"), 0755), 0);
}

START_TEST(test_load_a_folder)
{
    struct temp_dir dir;
    struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    make_config(&dir);
    write_file(&dir, "s2sd.conf", IDENTITY "Hosts=lync.contoso.example\n");
    write_file(&dir, "partners.d/exch.conf", EXCH);
    write_file(&dir, "clients.d/b.conf", "[Client second]\nUser=root\n");
    write_file(&dir, "clients.d/a.conf", "[Client first]\nUser=root\nPartners=exch\n");
    bool ok = settings_load(dir.path, &errors, &s);
    temp_dir_remove(&dir);
    ck_assert_msg(ok, "%s", errors.text.p);
    ck_assert_uint_eq(s->n_partners, 1);
    ck_assert_uint_eq(s->n_clients, 2);
    ck_assert_str_eq(s->clients[0].name, "first");
    conf_errors_done(&errors);
}
END_TEST

START_TEST(test_load_names_every_file)
{
    struct temp_dir dir;
    char expected[512];
    struct conf_errors errors = {0};
    struct settings *s = NULL;
    make_config(&dir);
    write_file(&dir, "s2sd.conf", IDENTITY "Hosts=a.example\nno equals sign\n");
    write_file(&dir, "partners.d/exch.conf", EXCH "Trust=none\n");
    bool ok = settings_load(dir.path, &errors, &s);
    temp_dir_remove(&dir);
    ck_assert(!ok);
    ck_assert_uint_eq(errors.count, 2);
    snprintf(
        expected, sizeof(expected), "%s/partners.d/exch.conf:5: [Partner exch] Trust=:", dir.path);
    ck_assert_ptr_nonnull(strstr(errors.text.p, expected));
    snprintf(expected, sizeof(expected), "%s/s2sd.conf:5: ", dir.path);
    ck_assert_ptr_nonnull(strstr(errors.text.p, expected));
    conf_errors_done(&errors);
}
END_TEST

START_TEST(test_load_without_files)
{
    struct conf_errors errors = {0};
    struct settings *s = NULL;
    ck_assert(!settings_load("/nonexistent/s2sd", &errors, &s));
    ck_assert_uint_eq(errors.count, 1);
    ck_assert_ptr_nonnull(strstr(errors.text.p, "/nonexistent/s2sd/s2sd.conf"));
    conf_errors_done(&errors);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, test_identity_is_lowered_and_completed);
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_partner_defaults);
    tcase_add_test(t, test_partner_derived);
    tcase_add_test(t, test_values_of_every_kind);
    tcase_add_test(t, test_continuity);
    tcase_add_test(t, test_empty_value_starts_over);
    tcase_add_test(t, test_interval_is_clamped);
    tcase_add_test(t, test_emptied_is_not_given);
    tcase_add_test(t, test_limits_pull_their_neighbours);
    tcase_add_test(t, test_lists_are_bounded_sets);
    tcase_add_test(t, test_text_is_bounded);
    tcase_add_test(t, test_extensions_are_ignored);
    tcase_add_test(t, test_drop_in_adds_to_a_section);
    tcase_add_loop_test(t, test_mistakes, 0, (int)ARRAY_LEN(mistakes));
    tcase_add_test(t, test_identity_is_needed);
    tcase_add_test(t, test_five_mistakes_five_lines);
    tcase_add_test(t, partners_that_must_be_told_make_keys_live_longer);
    tcase_add_test(t, test_print_shows_origin);
    tcase_add_test(t, test_print_reads_back);
    tcase_add_test(t, test_need_restart);
    tcase_add_test(t, test_digest_tells_configurations_apart);
    tcase_add_test(t, test_load_a_folder);
    tcase_add_test(t, test_load_names_every_file);
    tcase_add_test(t, test_load_without_files);
}

int main(void)
{
    return unit_run("settings", fill);
}
