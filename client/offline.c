/* SPDX-License-Identifier: Apache-2.0 */
#include "offline.h"
#include "check.h"
#include "file.h"
#include "metadata.h"
#include "principal.h"
#include "settings_table.h"
#include "update.h"
#include "verdict.h"

#include <errno.h>
#include <stdlib.h>

/* One --metadata. */
struct document {
    struct span name; /* of the partner; empty: the one whose issuer it names */
    const char *path;
    struct buf text;
    char issuer[USER_TEXT_MAX]; /* as the document says it, lower-cased */
};

struct offline {
    struct ctl *ctl;
    int64_t now;
    struct document documents[REPEATS_MAX];
    size_t n;
    struct settings *settings;
    struct store *store;
};

static void offline_done(struct offline *o)
{
    for (size_t i = 0; i < o->n; i++)
        buf_done(&o->documents[i].text);
    settings_freep(&o->settings);
    store_freep(&o->store);
}

static bool complain(struct offline *o, const char *what, struct span about, const char *why)
{
    struct buf *err = &o->ctl->err;
    buf_printf(err, "s2sctl: %s ", what);
    put_safe(err, about);
    buf_printf(err, ": %s\n", why);
    return false;
}

/* Documents. */

/* What the document says of itself; metadata_parse judges it again under the pins. */
static bool read_issuer(struct offline *o, struct document *d)
{
    const struct json_limits limits = {.bytes = METADATA_MAX, .names_nocase = true};
    struct json_doc *doc = json_doc_new();
    const struct json_value *v = NULL, *issuer = NULL;
    struct principal p;
    bool ok = doc && json_parse(doc, buf_span(&d->text), &limits, &v) == REASON_OK &&
              v->type == JSON_OBJECT;
    issuer = ok ? json_get_nocase(v, "issuer") : NULL;
    ok = issuer && issuer->type == JSON_STRING && issuer->text.n < sizeof(d->issuer) &&
         principal_parse_issuer(issuer->text, &p);
    for (size_t i = 0; ok && i < issuer->text.n; i++)
        d->issuer[i] = ascii_lower(issuer->text.p[i]);
    json_doc_free(doc);
    return ok || complain(o, "document", span_of(d->path), reason_sentence(REASON_DOCUMENT_FORM));
}

static bool read_document(struct offline *o, const char *text, struct document *d)
{
    char why[512];
    size_t equals = span_find(span_of(text), '=');
    bool named = text[equals] == '=' && setting_name_valid((struct span){text, equals});
    *d = (struct document){.path = named ? text + equals + 1 : text,
        .name = {text, named ? equals : 0},
        .text = BUF_INIT(METADATA_MAX)};
    if (file_read(d->path, FILE_PUBLIC, METADATA_MAX, &d->text, why, sizeof(why)) < 0) {
        buf_put_str(&o->ctl->err, "s2sctl: ");
        put_safe(&o->ctl->err, span_of(why));
        buf_put_char(&o->ctl->err, '\n');
        return false;
    }
    return read_issuer(o, d);
}

static bool read_documents(struct offline *o)
{
    const struct arguments *a = &o->ctl->args;
    for (size_t i = 0; i < a->n_metadata; i++) {
        o->n = i + 1;
        if (!read_document(o, a->metadata[i], &o->documents[i]))
            return false;
    }
    return true;
}

/* Settings: those of the machine, or such as --self and the documents make. */

static void put_errors(struct offline *o, const struct conf_errors *errors)
{
    struct span rest = buf_span(&errors->text);
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');
        put_safe(&o->ctl->err, (struct span){rest.p, n});
        buf_put_char(&o->ctl->err, '\n');
        rest = span_skip(rest, n < rest.n ? n + 1 : n);
    }
}

static void put_permitted(struct offline *o, const struct principal *self, struct buf *text)
{
    const struct arguments *a = &o->ctl->args;
    char pattern[300];
    for (size_t i = 0; i < a->n_permit; i++)
        buf_printf(text, "PermittedUsers=%s\n", a->permit[i]);
    snprintf(pattern, sizeof(pattern), "*@%.*s", (int)self->realm.n, self->realm.p);
    if (a->n_permit == 0 && pattern_valid(pattern))
        buf_printf(text, "PermittedUsers=%s\n", pattern);
}

/* Whoever names a document trusts it, so its own issuer is the pin. */
static void put_partner(struct offline *o, size_t i, const struct principal *self, struct buf *text)
{
    const struct document *d = &o->documents[i];
    struct principal p;
    if (!principal_parse_issuer(span_of(d->issuer), &p))
        return;
    if (d->name.n > 0)
        buf_printf(text, "[Partner %.*s]\n", (int)d->name.n, d->name.p);
    else if (i == 0)
        buf_put_str(text, "[Partner document]\n");
    else
        buf_printf(text, "[Partner document%zu]\n", i + 1);
    buf_printf(text, "ApplicationId=%.*s\nRealm=%.*s\n", (int)p.app_id.n, p.app_id.p,
        (int)p.realm.n, p.realm.p);
    buf_put_str(text, "MetadataURL=https://offline.invalid/metadata/json/1\nTrust=full\n");
    put_permitted(o, self, text);
}

static bool settings_of_self(struct offline *o)
{
    const char *self_text = o->ctl->args.values[OPT_SELF];
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(buf_done) struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct principal self;
    if (!principal_parse_audience(span_of(self_text), &self))
        return complain(
            o, "--self", span_of(self_text), "not of the form applicationid/host@realm");
    buf_printf(&text, "[Identity]\nApplicationId=%.*s\nHosts=%.*s\nRealm=%.*s\n",
        (int)self.app_id.n, self.app_id.p, (int)self.host.n, self.host.p, (int)self.realm.n,
        self.realm.p);
    for (size_t i = 0; i < o->n; i++)
        put_partner(o, i, &self, &text);
    if (text.failed || conf_parse(&set, "--self", buf_span(&text), &errors) < 0)
        return complain(o, "--self", span_of(self_text), "out of memory");
    if (settings_from_conf(&set, "", &errors, &o->settings))
        return true;
    put_errors(o, &errors);
    return false;
}

static enum exit_status find_settings(struct offline *o)
{
    const struct arguments *a = &o->ctl->args;
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    if (has(a, OPT_SELF))
        return settings_of_self(o) ? EXIT_YES : EXIT_USAGE;
    if (settings_load(o->ctl->config_dir, &errors, &o->settings))
        return EXIT_YES;
    put_errors(o, &errors);
    return EXIT_CONFIG;
}

/* The store: what each document, or Certificate=, says a partner's keys are. */

static bool install(struct offline *o, const struct partner *p, const struct metadata *m)
{
    struct partner_trust trust = {.name = strdup(p->name)};
    struct update_changes changes;
    const struct update_rules rules = {.grace_s = p->grace_s};
    enum reason r = trust.name ? REASON_OK : REASON_OUT_OF_MEMORY;
    if (r == REASON_OK)
        r = update_apply(&trust, m, &rules, o->now, &changes);
    if (r == REASON_OK)
        r = store_put(o->store, &trust);
    partner_trust_done(&trust);
    return r == REASON_OK || complain(o, "partner", span_of(p->name), reason_sentence(r));
}

static const struct partner *partner_of(struct offline *o, const struct document *d)
{
    if (d->name.n > 0)
        return settings_partner(o->settings, d->name);
    return settings_partner_of_issuer(o->settings, span_of(d->issuer));
}

static bool install_document(struct offline *o, const struct document *d)
{
    const struct partner *p = partner_of(o, d);
    CLEANUP(metadata_done) struct metadata m = {0};
    if (!p)
        return complain(o, "document", span_of(d->path), "no [Partner] of that name or issuer");
    if (store_get(o->store, span_of(p->name)))
        return complain(o, "document", span_of(d->path), "a second one of the same partner");
    enum reason r = metadata_parse(buf_span(&d->text), p, &o->settings->identity, o->now, &m);
    if (r == REASON_OK)
        return install(o, p, &m);
    complain(o, "document", span_of(d->path), reason_sentence(r));
    if (m.detail[0] != '\0')
        buf_printf(&o->ctl->err, "%s\n", m.detail);
    return false;
}

/* A partner without a document has its keys in a file of the configuration. */
static bool install_certificate(struct offline *o, const struct partner *p)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    char why[512];
    if (file_read(p->certificate, FILE_CONFIG, pem.max, &pem, why, sizeof(why)) < 0)
        return complain(o, "partner", span_of(p->name), why);
    enum reason r = cert_parse_pem(buf_span(&pem), &m.certs[0]);
    if (r != REASON_OK)
        return complain(o, "partner", span_of(p->name), reason_sentence(r));
    m.n_certs = 1;
    return install(o, p, &m);
}

static bool fill_store(struct offline *o)
{
    const struct settings *s = o->settings;
    o->store = store_new();
    if (!o->store)
        return complain(o, "verdict", SPAN("offline"), "out of memory");
    for (size_t i = 0; i < o->n; i++)
        if (!install_document(o, &o->documents[i]))
            return false;
    for (size_t i = 0; i < s->n_partners; i++)
        if (s->partners[i].certificate && !install_certificate(o, &s->partners[i]))
            return false;
    store_settle_disputes(o->store, NULL, 0);
    return true;
}

static bool judge(struct offline *o, struct span token, struct buf *reply)
{
    CLEANUP(check_scratch_freep) struct check_scratch *scratch = check_scratch_new();
    struct token_checked v;
    struct json_out j;
    const struct check_against against = {.settings = o->settings,
        .store = o->store,
        .audience = span_of(o->ctl->args.values[OPT_AUDIENCE]),
        .now = o->now};
    if (!scratch)
        return complain(o, "verdict", SPAN("offline"), "out of memory");
    (void)!check_token(scratch, &against, token, &v); /* the reason is in v */
    json_out_start(&j, reply);
    json_out_object(&j, NULL);
    verdict_put(&j, &v, o->now, true);
    json_out_object_end(&j);
    return true;
}

static bool read_clock(struct offline *o)
{
    const char *text = o->ctl->args.values[OPT_AT];
    uint64_t at;
    o->now = o->ctl->style.now;
    if (!text)
        return true;
    if (!conf_uint(text, 253402300799, &at)) /* the year 9999 */
        return complain(o, "--at", span_of(text), "not a number of seconds since 1970");
    o->now = (int64_t)at;
    return true;
}

enum exit_status offline_verdict(struct ctl *ctl, struct span token, struct buf *reply)
{
    CLEANUP(offline_done) struct offline o = {.ctl = ctl};
    if (has(&ctl->args, OPT_SELF) && has(&ctl->args, OPT_CONFIG_DIR)) {
        ctl_say(ctl, "--self stands instead of --config-dir");
        return EXIT_USAGE;
    }
    if (has(&ctl->args, OPT_PERMIT) && !has(&ctl->args, OPT_SELF)) {
        ctl_say(ctl, "--permit has a meaning only with --self");
        return EXIT_USAGE;
    }
    if (!read_clock(&o) || !read_documents(&o))
        return EXIT_USAGE;
    enum exit_status status = find_settings(&o);
    if (status != EXIT_YES)
        return status;
    if (!fill_store(&o) || !judge(&o, token, reply))
        return EXIT_USAGE;
    ctl->style.now = o.now; /* "expired 8 min ago" is seen from the time that was given */
    return EXIT_YES;
}
