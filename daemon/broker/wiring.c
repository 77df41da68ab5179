/* SPDX-License-Identifier: Apache-2.0 */
#include "wiring.h"

#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "notify.h"

#include <errno.h>

/* Keys of partners. */

void wiring_ignore_moved(struct partner_entry *e, void *broker)
{
    (void)e;
    (void)broker;
}

static void on_moved(struct partner_entry *e, void *broker)
{
    struct broker *b = broker;
    b->trust_generation++;
    workers_trust(b->workers, e, b->trust_generation);
}

static const struct keyring *ring_of(const struct broker *b)
{
    return b->signer ? signer_link_ring(b->signer) : NULL;
}

static void take_fellows(struct broker *b)
{
    const struct cert *const *certs;
    size_t n = pool_members_fellows(b->pool, &certs);
    partners_set_fellows(b->partners, certs, n);
}

enum reason wiring_settle_first(struct broker *b)
{
    take_fellows(b);
    return partners_settle(b->partners, NULL, NULL, wiring_ignore_moved, b);
}

/* Puts what is known into the store (of one partner, or all) and tells the workers what moved. */
static void settle(struct broker *b, struct partner_entry *e, partners_moved_fn *moved)
{
    take_fellows(b);
    enum reason r = partners_settle(b->partners, e, ring_of(b), moved, b);
    if (r != REASON_OK)
        log_err("the trust store could not be brought up to date: %s", reason_sentence(r));
}

static void on_trust(struct partner_entry *e, void *broker)
{
    settle(broker, e, on_moved);
}

void wiring_trust_moved(struct broker *b, struct partner_entry *e)
{
    settle(b, e, on_moved);
}

static void tell_status(const struct broker *b)
{
    size_t fresh = 0, n = partners_count(b->partners);
    for (size_t i = 0; i < n; i++) {
        const struct partner_entry *e = partners_at(b->partners, i);
        enum freshness f =
            judge_freshness(&e->state.trust, e->partner, b->settings, clock_wall_s());
        fresh += f == FRESH_FRESH || f == FRESH_DISABLED;
    }
    notify_status("%s; signer %s; %zu of %zu partners in order", b->settings->identity.issuer,
        b->health.may_mint ? "up" : "away", fresh, n);
}

static void on_ended(struct partner_entry *e, const struct judged *j, void *broker)
{
    struct broker *b = broker;
    announces_learn(b->announces, e->address);
    workers_ended(b->workers, e, j->good);
    control_on_ended(b->control, e, j);
    if (b->ready)
        tell_status(b);
}

/* Ages have not changed, but the words for them have. */
static void on_clock(void *broker)
{
    struct broker *b = broker;
    settle(b, NULL, wiring_ignore_moved);
    for (size_t i = 0; i < partners_count(b->partners); i++)
        on_moved(partners_at(b->partners, i), b);
}

static void on_freshness(void *broker)
{
    const struct broker *b = broker;
    if (b->ready)
        tell_status(b);
}

const struct refresher_ops wiring_refresher = {
    .on_trust = on_trust, .on_ended = on_ended, .on_clock = on_clock, .on_freshness = on_freshness};

void wiring_on_gone(struct partner_entry *e, void *broker)
{
    struct broker *b = broker;
    refresher_forget(b->refresher, e);
    workers_gone(b->workers, e->state.trust.name);
    control_on_gone(b->control, e);
}

/* Our own documents. */

/* Renders for this ring and these settings, and opens the doors the first time. */
static bool publish(struct broker *b, const struct settings *s, const struct keyring *ring)
{
    struct documents *documents = NULL;
    struct documents_of of = {
        .settings = s, .ring = ring, .signed_metadata = own_signature_token(b->own_signature)};
    pool_members_publish(b->pool, &of);
    enum reason r = documents_render(&of, &documents);
    if (r == REASON_OK)
        r = public_doors_serve(b->public, s, documents);
    b->is_published = r == REASON_OK;
    if (r != REASON_OK) {
        documents_free(documents);
        log_err("our documents cannot be published: %s", reason_sentence(r));
        return false;
    }
    return true;
}

/* Publishes the ring, unless its document waits for its signature; the signer hears when. */
static void publish_ring(struct broker *b, const struct keyring *ring)
{
    if (own_signature_waits(b->own_signature))
        b->is_published = false;
    else if (publish(b, b->settings, ring) && public_doors_any(b->public))
        signer_link_published(b->signer, ring->generation);
}

static void on_signature(void *broker)
{
    struct broker *b = broker;
    const struct keyring *ring = signer_link_ring(b->signer);
    if (ring && !b->stopping)
        publish_ring(b, ring);
}

const struct own_signature_ops wiring_own_signature = {
    .sign = wiring_sign, .on_changed = on_signature};

/* The pool. */

static const struct keyring *pool_ring(void *broker)
{
    return ring_of(broker);
}

/* The keys of the other members are published with ours, and a partner that copies one of them is
 * as much in dispute as with ours. */
static void on_pool(bool documents, void *broker)
{
    struct broker *b = broker;
    const struct keyring *ring = ring_of(b);
    if (b->stopping)
        return;
    witness_look(b->witness);
    if (!documents || !ring)
        return;
    publish_ring(b, ring);
    settle(b, NULL, on_moved);
}

const struct pool_members_ops wiring_pool = {.ring = pool_ring, .on_changed = on_pool};

static void become_ready(struct broker *b)
{
    b->ready = true;
    notify_ready("serving");
    tell_status(b);
    log_notice("s2sd %s: %s is ready", S2SD_VERSION, b->settings->identity.issuer);
}

static void tell_ring(const struct keyring *ring)
{
    char thumb[THUMBPRINT_TEXT_LEN];
    for (size_t i = 0; i < ring->n; i++)
        log_info("our key %s: %s", thumbprint_text(ring->slots[i].cert->x5t, thumb),
            key_state_name(ring->slots[i].state));
}

/* A signer that comes back has read what the files said then, which need not be what was agreed
 * upon at the last reload. */
static void compare_signer(struct broker *b)
{
    if (reload_busy(b->reload))
        return; /* told when it ends */
    bool differs = !signer_link_agrees(b->signer, b->settings->digest);
    if (differs && !b->signer_differs)
        log_warning("s2sd-signer works by another configuration than the one in force here, since "
                    "its files were changed without a reload: systemctl reload s2sd");
    b->signer_differs = differs;
}

static void on_ring(const struct keyring *ring, void *broker)
{
    struct broker *b = broker;
    tell_ring(ring);
    workers_signing_key(b->workers, keyring_current(ring)->cert->x5t);
    witness_ring(b->witness, ring); /* its word goes before the next line's */
    own_signature_ring(b->own_signature, ring->generation);
    publish_ring(b, ring);
    settle(b, NULL, on_moved); /* a partner that copies our certificate */
    if (!b->health.may_mint) {
        b->health.may_mint = true;
        workers_signer(b->workers, true);
        workers_health(b->workers, b->health);
    }
    if (!b->ready && !b->stopping)
        become_ready(b);
    reload_on_ring(b->reload);
    compare_signer(b);
}

static void on_lost(void *broker)
{
    struct broker *b = broker;
    reload_on_signer_lost(b->reload);
    own_signature_lost(b->own_signature);
    fetch_link_signer_lost(b->fetcher);
    control_on_signer_lost(b->control);
    b->health.may_mint = false;
    workers_signer(b->workers, false);
    workers_health(b->workers, b->health);
    if (b->ready)
        tell_status(b);
}

static void on_signer_config(uint32_t id, const struct msg_config *m, void *broker)
{
    struct broker *b = broker;
    reload_on_signer(b->reload, id, m);
}

static void on_rolled(uint32_t id, const struct msg_rolled *m, void *broker)
{
    const struct broker *b = broker;
    control_on_rolled(b->control, id, m);
}

static void on_signed(uint32_t id, const struct msg_signed *m, void *broker)
{
    const struct broker *b = broker;
    if (!own_signature_signed(b->own_signature, id, m))
        fetch_link_signed(b->fetcher, id, m);
}

const struct signer_link_ops wiring_signer = {.on_ring = on_ring,
    .on_lost = on_lost,
    .on_config = on_signer_config,
    .on_rolled = on_rolled,
    .on_signed = on_signed};

/* Workers. */

static enum hint_fate on_hint(struct partner_entry *e, const struct msg_hint *m, void *broker)
{
    struct broker *b = broker;
    return refresher_hint(b->refresher, e, m);
}

static int64_t hint_pause_ms(const struct partner_entry *e, void *broker)
{
    const struct broker *b = broker;
    return refresher_hint_pause_ms(b->refresher, e);
}

static void on_worker_config(size_t slot, uint32_t id, const struct msg_config *m, void *broker)
{
    struct broker *b = broker;
    reload_on_worker(b->reload, slot, id, m);
}

static void on_worker_dead(size_t slot, void *broker)
{
    struct broker *b = broker;
    reload_on_worker_dead(b->reload, slot);
}

static void on_fence(uint32_t passed, void *broker)
{
    const struct broker *b = broker;
    control_on_fence(b->control, passed);
}

static void on_announced(uint64_t ticket, const struct msg_announced *m, void *broker)
{
    struct broker *b = broker;
    const struct partner_sightings *p =
        sightings_partner(witness_sightings(b->witness), m->partner);
    announces_judged(b->announces, ticket, m, p ? p->announced_at : 0);
}

static int mint_link(void *broker)
{
    struct broker *b = broker;
    return signer_link_mint(b->signer);
}

const struct workers_ops wiring_workers = {.on_hint = on_hint,
    .hint_pause_ms = hint_pause_ms,
    .on_config = on_worker_config,
    .on_announced = on_announced,
    .on_dead = on_worker_dead,
    .on_fence = on_fence,
    .mint_link = mint_link};

/* Reload. */

static bool on_prepare(const struct settings *next, struct conf_errors *errors, void *broker)
{
    struct broker *b = broker;
    char why[TLS_WHY_MAX];
    if (settings_need_restart(b->settings, next, why, sizeof(why)))
        conf_error(errors, (struct conf_where){0},
            "a change of %s needs a restart (systemctl restart s2sd-signer s2sd)", why);
    tls_freep(&b->next_tls);
    if (public_doors_need_tls(b->public) && tls_new(next, &b->next_tls, why) < 0)
        conf_error(errors, (struct conf_where){0}, "%s", why);
    return errors->count == 0;
}

static void on_abort(void *broker)
{
    struct broker *b = broker;
    tls_freep(&b->next_tls);
}

/* Half a configuration would be guessing (R45): the service manager starts us again with a whole
 * one. */
static void give_up(struct broker *b)
{
    log_err("out of memory in the middle of a reload: ending");
    b->exit_status = BROKER_EXIT_FAULT;
    event_base_loopbreak(b->base);
}

static void on_commit(struct settings *next, void *broker)
{
    struct broker *b = broker;
    struct settings *old = b->settings;
    const struct keyring *ring = signer_link_ring(b->signer);
    if (!partners_adopt(b->partners, next, wiring_on_gone, b)) {
        settings_free(next);
        give_up(b);
        return;
    }
    b->settings = next;
    log_set_level((enum log_level)next->log_level);
    if (b->next_tls)
        public_doors_set_tls(b->public, TAKE(b->next_tls));
    if (!pool_members_use(b->pool, next))
        give_up(b);
    settle(b, NULL, wiring_ignore_moved);
    b->trust_generation++;
    bool may_publish = ring && !own_signature_waits(b->own_signature);
    if ((may_publish && !publish(b, next, ring)) ||
        !workers_resync(b->workers, next, b->trust_generation))
        give_up(b);
    refresher_use(b->refresher, next);
    witness_use(b->witness, next);
    own_signature_use(b->own_signature, next);
    settings_free(old);
}

static void on_busy(bool busy, void *broker)
{
    struct broker *b = broker;
    if (busy)
        notify_reloading();
    else if (b->ready)
        notify_ready("serving");
    if (busy)
        return;
    if (b->ready)
        tell_status(b);
    compare_signer(b);
}

const struct reload_ops wiring_reload = {
    .prepare = on_prepare, .commit = on_commit, .abort = on_abort, .on_busy = on_busy};

void wiring_close(struct broker *b)
{
    control_free(b->control);
    reload_free(b->reload);
    refresher_free(b->refresher);
    b->control = NULL;
    b->reload = NULL;
    b->refresher = NULL;
    pool_members_free(b->pool); /* before the fetcher that it may be waiting for */
    b->pool = NULL;
    own_signature_free(b->own_signature);
    b->own_signature = NULL;
    if (b->witness)
        witness_ring(b->witness, NULL); /* it goes with the link */
    signer_link_free(b->signer);
    fetch_link_free(b->fetcher);
    b->signer = NULL;
    b->fetcher = NULL;
}
