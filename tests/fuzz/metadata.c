/* SPDX-License-Identifier: Apache-2.0 */
/* A partner's document from the network: parsed under pins, applied to what is known, published
 * again. What was accepted must hold the promises of the header and survive the way through our own
 * writer. */
#include "cleanup.h"
#include "update.h"

#define NOW INT64_C(1767225600)
#define APP "00000004-0000-0ff1-ce00-000000000000"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct partner pins = {.app_id = (char[]){APP},
    .realm = (char[]){"contoso.com"},
    .issuer = (char[]){APP "@contoso.com"},
    .expired_keys = EXPIRED_WARN};

static struct identity self = {.issuer = (char[]){"00000002-0000-0ff1-ce00-000000000000@us"}};

static struct identity publisher = {.app_id = (char[]){APP},
    .realm = (char[]){"contoso.com"},
    .name = (char[]){"fuzz"},
    .service_name = (char[]){APP},
    .issuer = (char[]){APP "@contoso.com"}};

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void publish_again(const struct metadata *m)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(2 * METADATA_MAX);
    CLEANUP(metadata_done) struct metadata back = {0};
    struct metadata_own own = {.identity = &publisher,
        .url = "https://lync.contoso.com/metadata/json/1",
        .certs = (const struct cert *const *)m->certs,
        .n_certs = m->n_certs};
    must(metadata_render(&own, &text) == REASON_OK);
    must(metadata_parse(buf_span(&text), &pins, &self, NOW, &back) == REASON_OK);
    must(back.n_certs == m->n_certs && back.skipped == 0 && back.x5t_mismatches == 0);
    for (size_t i = 0; i < m->n_certs; i++)
        must(memcmp(back.certs[i]->x5t_s256, m->certs[i]->x5t_s256, X5T_S256_LEN) == 0);
}

static const struct update_rules plain;

static void apply(const struct metadata *m)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof(*t));
    struct update_changes changes;
    must(t && (t->name = strdup("fuzz")));
    must(update_apply(t, m, &plain, NOW, &changes) == REASON_OK);
    must(t->n_keys == m->n_certs && changes.n == m->n_certs && t->generation == 1);
    must(update_apply(t, m, &plain, NOW + 1, &changes) == REASON_OK);
    must(changes.n == 0 && t->generation == 1);
}

/* The same bytes as the document of a pool member: no more keys are its own than there are, and the
 * keys are judged alike. */
static void read_as_member(const struct metadata *as_partner, struct span text)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    enum reason r = metadata_parse(text, &pins, NULL, NOW, &m);
    must(m.n_own <= m.n_certs && (m.says_own_keys || m.n_own == 0));
    must(r == REASON_OK ? m.n_certs == as_partner->n_certs : m.n_certs == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(metadata_done) struct metadata m = {0};
    enum reason r = metadata_parse(span_bytes(data, n), &pins, &self, NOW, &m);
    for (const char *p = m.detail; *p; p++)
        must(*p >= ' ' && *p <= '~');
    must((r == REASON_OK) == (m.n_certs > 0));
    if (r != REASON_OK)
        return 0;
    read_as_member(&m, span_bytes(data, n));
    apply(&m);
    publish_again(&m);
    return 0;
}
