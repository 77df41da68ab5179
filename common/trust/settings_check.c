/* SPDX-License-Identifier: Apache-2.0 */
/* What the values mean together: mandatory ones, derived ones, contradictions. A setting that was
 * given but could not be read has been reported already; nothing is said about it twice. */
#include "cleanup.h"
#include "https_url.h"
#include "principal.h"
#include "settings_table.h"

struct settling {
    struct settings *s;
    const char *hostname;
    struct conf_errors *errors;
    bool out_of_memory;
};

/* Looking back at the lines. */

static bool same_section(const struct conf_entry *e, const char *section)
{
    return strcmp(e->section, section) == 0;
}

/* First line of a section without a name, or of the first file when there is none. */
static struct conf_where section_where(const struct settings *s, const char *section)
{
    struct conf_where where = {.file = "s2sd.conf", .line = 1};
    if (s->set.n > 0)
        where.file = s->set.entries[0].where.file;
    for (size_t i = 0; i < s->set.n; i++)
        if (same_section(&s->set.entries[i], section))
            return s->set.entries[i].where;
    return where;
}

/* The last line that gives a key of a section without a name; NULL when it is not given or was
 * emptied again. */
static const struct conf_entry *given(
    const struct settings *s, const char *section, const char *key)
{
    const struct conf_entry *last = NULL;
    for (size_t i = 0; i < s->set.n; i++) {
        const struct conf_entry *e = &s->set.entries[i];
        if (e->key && same_section(e, section) && strcmp(e->key, key) == 0)
            last = e->value[0] != '\0' ? e : NULL;
    }
    return last;
}

static struct conf_where given_where(const struct settings *s, const char *section, const char *key)
{
    const struct conf_entry *e = given(s, section, key);
    return e ? e->where : section_where(s, section);
}

/* One named section: its opening line and the lines that follow it. */
struct block {
    const struct conf_entry *open, *end;
};

static struct block block_at(const struct conf_set *set, size_t i)
{
    size_t end = i + 1;
    while (end < set->n && set->entries[end].key)
        end++;
    return (struct block){&set->entries[i], set->entries + end};
}

static const struct conf_entry *given_in(const struct block *b, const char *key)
{
    const struct conf_entry *last = NULL;
    for (const struct conf_entry *e = b->open + 1; e < b->end; e++)
        if (strcmp(e->key, key) == 0)
            last = e->value[0] != '\0' ? e : NULL;
    return last;
}

static struct conf_where in_where(const struct block *b, const char *key)
{
    const struct conf_entry *e = given_in(b, key);
    return e ? e->where : b->open->where;
}

/* Strings that are derived. */

static void derive(struct settling *t, char **field, const char *fmt, ...) PRINTF(3, 4);
static void derive(struct settling *t, char **field, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0) {
        t->out_of_memory = true;
        text = NULL;
    }
    va_end(ap);
    free(*field);
    *field = text;
}

static void derive_one(
    struct settling *t, const char *section, const char *key, void *base, const char *value)
{
    char why[128];
    const struct setting_row *row = setting_row_find(setting_section_find(section), key);
    if (!setting_parse(row, base, value, why, sizeof(why)))
        t->out_of_memory = true;
}

/* [Identity], [Metadata] */

static void need(struct settling *t, const char *section, const char *key)
{
    if (!given(t->s, section, key))
        conf_error(t->errors, section_where(t->s, section), "[%s] needs %s=", section, key);
}

static void settle_hosts(struct settling *t)
{
    struct identity *id = &t->s->identity;
    if (id->n_hosts > 0 || given(t->s, "Identity", "Hosts"))
        return;
    /* A short name is no name that a partner could write into a token. */
    if (host_valid(span_of(t->hostname)) && strchr(t->hostname, '.'))
        derive_one(t, "Identity", "Hosts", t->s, t->hostname);
    else
        conf_error(t->errors, section_where(t->s, "Identity"),
            "[Identity] needs Hosts=: the name of this machine is not a full host name");
}

static void settle_identity(struct settling *t)
{
    struct identity *id = &t->s->identity;
    need(t, "Identity", "ApplicationId");
    need(t, "Identity", "Realm");
    settle_hosts(t);
    if (id->app_id && id->realm)
        derive(t, &id->issuer, "%s@%s", id->app_id, id->realm);
    if (id->app_id && !id->service_name)
        derive(t, &id->service_name, "%s", id->app_id);
    if (!t->s->metadata.url && id->n_hosts > 0)
        derive(t, &t->s->metadata.url, "https://%s/metadata/json/1", id->hosts[0]);
}

/* [SigningKey], [TLS], [Refresh], [Limits] */

#define LEAD_DEFAULT_S 86400

static void misplaced(struct settling *t, const char *key, const char *source)
{
    if (given(t->s, "SigningKey", key))
        conf_error(t->errors, given_where(t->s, "SigningKey", key),
            "[SigningKey] %s= has a meaning only with Source=%s", key, source);
}

static void settle_managed(struct settling *t)
{
    const struct settings *s = t->s;
    misplaced(t, "Current", "files or credential");
    misplaced(t, "Next", "files or credential");
    misplaced(t, "NextEffective", "files or credential");
    /* A key must be able to be announced, to sign, and to be announced by its successor. */
    if (s->signing_key.publish_lead_s > s->signing_key.lifetime_s / 4)
        conf_error(t->errors,
            given_where(s, "SigningKey",
                given(s, "SigningKey", "PublishLead") ? "PublishLead" : "Lifetime"),
            "[SigningKey] Lifetime= must be at least four times PublishLead=");
}

/* Keys that the administrator brings: a path for files, a name for credentials. */
static void settle_brought(struct settling *t)
{
    static const char *const keys[] = {"Current", "Next"};
    const struct settings *s = t->s;
    bool is_file = s->signing_key.source == KEYS_FILES;
    const char *source = is_file ? "files" : "credential";
    if (s->signing_key.root)
        misplaced(t, "Root", "managed");
    if (!given(s, "SigningKey", "Current"))
        conf_error(t->errors, given_where(s, "SigningKey", "Source"),
            "[SigningKey] Source=%s needs Current=", source);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct conf_entry *e = given(s, "SigningKey", keys[i]);
        if (e && (e->value[0] == '/') != is_file)
            conf_error(t->errors, e->where, "[SigningKey] %s= must be %s with Source=%s", keys[i],
                is_file ? "an absolute path" : "the name of a credential", source);
    }
    if (given(s, "SigningKey", "NextEffective") && !given(s, "SigningKey", "Next"))
        conf_error(t->errors, given_where(s, "SigningKey", "NextEffective"),
            "[SigningKey] NextEffective= needs Next=");
}

static void settle_signing_key(struct settling *t)
{
    struct settings *s = t->s;
    if (!given(s, "SigningKey", "PublishLead"))
        s->signing_key.publish_lead_s = s->metadata.cache_max_age_s * 3 > LEAD_DEFAULT_S
                                            ? s->metadata.cache_max_age_s * 3
                                            : LEAD_DEFAULT_S;
    if (s->signing_key.source == KEYS_MANAGED)
        settle_managed(t);
    else
        settle_brought(t);
}

static void settle_tls(struct settling *t)
{
    bool certificate = given(t->s, "TLS", "Certificate"), key = given(t->s, "TLS", "PrivateKey");
    if (certificate && !key)
        conf_error(t->errors, given_where(t->s, "TLS", "Certificate"),
            "[TLS] Certificate= needs PrivateKey=");
    if (key && !certificate)
        conf_error(t->errors, given_where(t->s, "TLS", "PrivateKey"),
            "[TLS] PrivateKey= needs Certificate=");
}

/* One of two settings is wrong beside the other: named at the line that was written. */
static void contradiction(
    struct settling *t, const char *section, const char *key, const char *other, const char *what)
{
    const char *at = given(t->s, section, key) ? key : other;
    conf_error(
        t->errors, given_where(t->s, section, at), "[%s] %s= %s %s=", section, key, what, other);
}

static void settle_times(struct settling *t)
{
    struct settings *s = t->s;
    if (s->refresh.retry_min_s > s->refresh.retry_max_s)
        contradiction(t, "Refresh", "RetryMin", "RetryMax", "must not be longer than");
    if (s->refresh.stale_after_s <= s->refresh.interval_s)
        contradiction(t, "Refresh", "StaleAfter", "Interval", "must be longer than");
    if (s->limits.token_lifetime_s > s->limits.max_token_lifetime_s)
        contradiction(t, "Limits", "TokenLifetime", "MaxTokenLifetime", "must not be longer than");
    /* A shorter StaleAfter= or Timeout= takes the other default with it. */
    if (s->refresh.warn_after_s > s->refresh.stale_after_s)
        s->refresh.warn_after_s = s->refresh.stale_after_s;
    if (s->refresh.connect_timeout_s > s->refresh.timeout_s)
        s->refresh.connect_timeout_s = s->refresh.timeout_s;
}

/* [Partner] */

static void partner_error(struct settling *t, const struct partner *p, struct conf_where where,
    const char *fmt, ...) PRINTF(4, 5);
static void partner_error(
    struct settling *t, const struct partner *p, struct conf_where where, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    conf_error(t->errors, where, "[Partner %s] %s", p->name, text);
}

static void check_partner_source(struct settling *t, const struct partner *p, const struct block *b)
{
    bool url = given_in(b, "MetadataURL"), certificate = given_in(b, "Certificate");
    if (!url && !certificate)
        partner_error(t, p, p->where, "needs MetadataURL= (or Certificate=)");
    if (url && certificate)
        partner_error(t, p, in_where(b, "Certificate"),
            "Certificate= stands instead of MetadataURL=, not beside it");
    if (certificate && !url && !given_in(b, "AudienceHost"))
        partner_error(t, p, p->where, "Certificate= needs AudienceHost=");
}

static void check_partner_broker(struct settling *t, const struct partner *p, const struct block *b)
{
    bool applications = given_in(b, "Applications");
    if (p->trust_broker && !applications)
        partner_error(t, p, in_where(b, "TrustBroker"), "TrustBroker=yes needs Applications=");
    if (applications && !p->trust_broker)
        partner_error(t, p, in_where(b, "Applications"), "Applications= needs TrustBroker=yes");
}

/* One setting of the partner has a meaning only beside a word of another. */
static void check_only_with(struct settling *t, const struct partner *p, const struct block *b,
    const char *key, const char *word)
{
    if (given_in(b, key) && strcmp(continuity_name(p->continuity), word) != 0)
        partner_error(
            t, p, in_where(b, key), "%s= has a meaning only with Continuity=%s", key, word);
}

static void check_partner_continuity(
    struct settling *t, const struct partner *p, const struct block *b)
{
    check_only_with(t, p, b, "PinnedKeys", "pinned");
    check_only_with(t, p, b, "Expect", "signed");
    if (p->continuity == CONTINUITY_PINNED && !given_in(b, "PinnedKeys"))
        partner_error(t, p, in_where(b, "Continuity"), "Continuity=pinned needs PinnedKeys=");
    if (p->continuity != CONTINUITY_TLS && p->certificate)
        partner_error(t, p, in_where(b, "Continuity"),
            "Continuity= is about documents: beside Certificate= it has no meaning");
    /* A document of new keys only is no good one until then: the partner would go stale first. */
    if (p->hold_down_s >= t->s->refresh.stale_after_s)
        partner_error(t, p, in_where(b, "HoldDown"),
            "HoldDown= must be shorter than StaleAfter= of [Refresh]");
}

/* SharePoint writes the authority of its URL into audiences, port included (protocol note 2.2); the
 * others the bare host. */
static void derive_audience(struct settling *t, struct partner *p)
{
    struct https_url url;
    if (p->audience_hosts.n > 0 || p->metadata_urls.n == 0 ||
        !https_url_parse(span_of(p->metadata_urls.list[0]), &url))
        return;
    struct span host =
        p->product == PRODUCT_SHAREPOINT && url.port != 443 ? url.authority : url.host;
    CLEANUP(freep) char *text = strndup(host.p, host.n);
    if (text)
        derive_one(t, "Partner", "AudienceHost", p, text);
    else
        t->out_of_memory = true;
}

static void settle_partner(struct settling *t, struct partner *p, const struct block *b)
{
    static const char *const pins[] = {"ApplicationId", "Realm"};
    for (size_t i = 0; i < ARRAY_LEN(pins); i++)
        if (!given_in(b, pins[i]))
            partner_error(t, p, p->where, "needs %s=", pins[i]);
    check_partner_source(t, p, b);
    check_partner_broker(t, p, b);
    check_partner_continuity(t, p, b);
    if (!given_in(b, "UnsignedOuter"))
        p->unsigned_outer = p->product != PRODUCT_S2SD;
    if (!given_in(b, "SelfRefresh"))
        p->self_refresh = p->product != PRODUCT_EXCHANGE && p->product != PRODUCT_LYNC;
    if (p->announce && given_in(b, "Certificate"))
        partner_error(
            t, p, in_where(b, "Announce"), "Announce=yes has a meaning only with MetadataURL=");
    if (!given_in(b, "AudienceHost"))
        derive_audience(t, p);
    if (!p->app_id || !p->realm)
        return;
    derive(t, &p->issuer, "%s@%s", p->app_id, p->realm);
    if (p->issuer && t->s->identity.issuer && strcmp(p->issuer, t->s->identity.issuer) == 0)
        partner_error(t, p, in_where(b, "ApplicationId"),
            "has our own ApplicationId= and Realm=: a server is not its own partner");
}

/* The n-th opening of a named section is the n-th struct of it, unless one was refused. */
static void settle_partners(struct settling *t)
{
    struct settings *s = t->s;
    size_t next = 0;
    for (size_t i = 0; i < s->set.n && next < s->n_partners; i++) {
        const struct conf_entry *e = &s->set.entries[i];
        struct partner *p = &s->partners[next];
        if (e->key || e->where.file != p->where.file || e->where.line != p->where.line)
            continue;
        struct block b = block_at(&s->set, i);
        settle_partner(t, p, &b);
        next++;
    }
}

/* [Client] */

static void client_error(struct settling *t, const struct client_rule *c, struct conf_where where,
    const char *fmt, ...) PRINTF(4, 5);
static void client_error(
    struct settling *t, const struct client_rule *c, struct conf_where where, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    conf_error(t->errors, where, "[Client %s] %s", c->name, text);
}

static void check_client_lists(
    struct settling *t, const struct client_rule *c, const struct block *b)
{
    for (size_t i = 0; i < c->partners.n; i++)
        if (!settings_partner(t->s, span_of(c->partners.list[i])))
            client_error(t, c, in_where(b, "Partners"), "Partners=: there is no [Partner %s]",
                c->partners.list[i]);
    for (size_t i = 0; i < c->audiences.n; i++)
        if (!identity_has_host(&t->s->identity, span_of(c->audiences.list[i])))
            client_error(t, c, in_where(b, "Audience"),
                "Audience=: %s is not in Hosts= of [Identity]", c->audiences.list[i]);
}

static void settle_client(struct settling *t, const struct client_rule *c, const struct block *b)
{
    /* A forgotten condition would give the rights to everybody on the machine. */
    if (!given_in(b, "User") && !given_in(b, "Group") && !given_in(b, "Unit"))
        client_error(t, c, c->where, "needs a condition: User=, Group= or Unit=");
    if (c->act_as.n > 0 && !c->delegation)
        client_error(t, c, in_where(b, "ActAs"),
            "ActAs= needs Delegation=yes: the outer token is unsigned, so whoever holds such a "
            "token "
            "can act for any user of the realm until it ends");
    check_client_lists(t, c, b);
}

static void settle_clients(struct settling *t)
{
    struct settings *s = t->s;
    size_t next = 0;
    for (size_t i = 0; i < s->set.n && next < s->n_clients; i++) {
        const struct conf_entry *e = &s->set.entries[i];
        const struct client_rule *c = &s->clients[next];
        if (e->key || e->where.file != c->where.file || e->where.line != c->where.line)
            continue;
        struct block b = block_at(&s->set, i);
        settle_client(t, c, &b);
        next++;
    }
}

/* Nothing twice; the indexes that the lookups search. */

static int by_name(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order == 0)
        order = strcmp(x->where.file, y->where.file);
    return order ? order : (x->where.line > y->where.line) - (x->where.line < y->where.line);
}

static int by_issuer(const void *a, const void *b)
{
    const struct partner *x = *(const struct partner *const *)a;
    const struct partner *y = *(const struct partner *const *)b;
    int order = strcmp(x->issuer ? x->issuer : "", y->issuer ? y->issuer : "");
    return order ? order : by_name(x, y);
}

static void sort_partners(struct settling *t)
{
    struct settings *s = t->s;
    if (s->n_partners == 0)
        return;
    qsort(s->partners, s->n_partners, sizeof(*s->partners), by_name);
    for (size_t i = 1; i < s->n_partners; i++)
        if (strcmp(s->partners[i - 1].name, s->partners[i].name) == 0)
            partner_error(t, &s->partners[i], s->partners[i].where, "is there already, in %s:%u",
                s->partners[i - 1].where.file, s->partners[i - 1].where.line);
}

static void index_issuers(struct settling *t)
{
    struct settings *s = t->s;
    if (s->n_partners == 0)
        return;
    s->by_issuer = calloc(s->n_partners, sizeof(struct partner *));
    if (!s->by_issuer) {
        t->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < s->n_partners; i++)
        s->by_issuer[i] = &s->partners[i];
    qsort(s->by_issuer, s->n_partners, sizeof(struct partner *), by_issuer);
    for (size_t i = 1; i < s->n_partners; i++) {
        const struct partner *a = s->by_issuer[i - 1], *b = s->by_issuer[i];
        if (a->issuer && b->issuer && strcmp(a->issuer, b->issuer) == 0 &&
            strcmp(a->name, b->name) != 0)
            partner_error(t, b, b->where, "has the issuer of [Partner %s] (%s:%u): %s", a->name,
                a->where.file, a->where.line, b->issuer);
    }
}

static void find_client_twins(struct settling *t)
{
    const struct settings *s = t->s;
    for (size_t i = 1; i < s->n_clients; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(s->clients[i].name, s->clients[j].name) == 0) {
                client_error(t, &s->clients[i], s->clients[i].where, "is there already, in %s:%u",
                    s->clients[j].where.file, s->clients[j].where.line);
                break;
            }
}

/* Each change of our key is work for the administrators of partners that do not fetch our document
 * by themselves: it comes seldom then. */
#define LIFETIME_BY_HAND "5y"
static void settle_lifetime(struct settling *t)
{
    const struct settings *s = t->s;
    for (size_t i = 0; i < s->n_partners; i++)
        if (s->partners[i].enabled && !s->partners[i].self_refresh &&
            !given(s, "SigningKey", "Lifetime")) {
            derive_one(t, "SigningKey", "Lifetime", t->s, LIFETIME_BY_HAND);
            return;
        }
}

bool settings_settle(struct settings *s, const char *hostname, struct conf_errors *errors)
{
    struct settling t = {.s = s, .hostname = hostname, .errors = errors};
    settle_identity(&t);
    settle_signing_key(&t);
    settle_tls(&t);
    settle_times(&t);
    settle_partners(&t);
    settle_lifetime(&t);
    sort_partners(&t);
    index_issuers(&t);
    settings_settle_pool(s, errors);
    settle_clients(&t);
    find_client_twins(&t);
    if (t.out_of_memory)
        conf_error(errors, section_where(s, "Identity"), "out of memory");
    return !t.out_of_memory;
}
