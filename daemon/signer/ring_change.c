/* SPDX-License-Identifier: Apache-2.0 */
#include "ring_change.h"

#include "cleanup.h"
#include "file.h"
#include "log.h"

#include <errno.h>

#define RING_TEXT_MAX (1024 * 1024)

struct cert *own_cert_copy(const struct signkey *key)
{
    struct cert *copy = NULL;
    const struct cert *c = signkey_cert(key);
    return cert_parse(span_bytes(c->der, c->der_len), &copy) == REASON_OK ? copy : NULL;
}

/* When the last token of CURRENT ends. What it signed in a run before is not known: unless it was
 * made in this one, the longest life is assumed. */
static int64_t last_token_at(const struct own_keys *k, int64_t now)
{
    int64_t longest = now + k->rules.max_token_s;
    const struct ring_slot *current = keyring_current(&k->ring);
    if (current && current->has_past)
        return longest; /* whatever the clock has said when this run began */
    return k->signed_until < longest ? k->signed_until : longest;
}

void ring_change_begin(struct ring_change *c, struct own_keys *k, int64_t now)
{
    *c = (struct ring_change){.keys = k, .now = now, .ring = k->ring};
    k->rules.terms.last_token_at = last_token_at(k, now);
}

enum reason ring_change_step(struct ring_change *c, enum roll_event ev, const struct roll_arg *arg)
{
    unsigned todo = 0;
    enum reason reason = rollover_step(&c->ring, ev, arg, &c->keys->rules.terms, c->now, &todo);
    if (reason != REASON_OK && arg)
        cert_free(arg->cert);
    c->todo |= todo;
    return reason;
}

static bool is_ours(const struct keyring *r, const struct cert *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].cert == c)
            return true;
    return false;
}

void ring_change_undo(struct ring_change *c)
{
    for (size_t i = 0; i < c->ring.n; i++)
        if (!is_ours(&c->keys->ring, c->ring.slots[i].cert))
            cert_free(c->ring.slots[i].cert);
    signkey_freep(&c->loaded);
    c->ring = (struct keyring){0};
}

static int write_ring(const struct own_keys *k, const struct keyring *ring)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(RING_TEXT_MAX);
    keyring_print(ring, &text);
    int r =
        text.failed ? -ENOMEM : file_replace(k->state_dir, OWN_KEYS_RING, buf_span(&text), 0600);
    if (r < 0)
        log_err("cannot write %s/%s: %s; tried again", k->state_dir, OWN_KEYS_RING, strerror(-r));
    return r;
}

static bool is_key_of(const struct signkey *key, const struct cert *c)
{
    return key && memcmp(signkey_cert(key)->x5t_s256, c->x5t_s256, X5T_S256_LEN) == 0;
}

/* Where the private part of the key is that shall sign. NULL: it cannot be had, which is logged. */
static struct signkey **find_signer(struct ring_change *c)
{
    struct own_keys *k = c->keys;
    const struct cert *cert = keyring_current(&c->ring)->cert;
    char why[OWN_KEYS_WHY_MAX] = "its private part is not here";
    if (is_key_of(k->brought.current, cert))
        return &k->brought.current;
    if (is_key_of(k->brought.next, cert))
        return &k->brought.next;
    if (is_key_of(c->loaded, cert) || key_files_load(k->state_dir, cert, &c->loaded, why) == 0)
        return &c->loaded;
    log_err("the next key cannot sign: %s", why);
    return NULL;
}

static void report_slots(const struct keyring *was, const struct keyring *is)
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    for (size_t i = 0; i < is->n; i++) {
        const struct ring_slot *slot = &is->slots[i], *before = NULL;
        for (size_t j = 0; j < was->n; j++)
            if (was->slots[j].cert == slot->cert)
                before = &was->slots[j];
        if (!before || before->state != slot->state)
            log_notice("own key %s: %s -> %s", thumbprint_text(slot->cert->x5t, thumbprint),
                before ? key_state_name(before->state) : "none", key_state_name(slot->state));
    }
}

/* One writer, and this is what it has done. */
static void report(const struct keyring *was, const struct keyring *is, unsigned todo)
{
    char old[THUMBPRINT_TEXT_LEN] = "none", new[THUMBPRINT_TEXT_LEN];
    const struct ring_slot *before = keyring_current(was);
    if (before)
        thumbprint_text(before->cert->x5t, old);
    thumbprint_text(keyring_current(is)->cert->x5t, new);
    report_slots(was, is);
    if (was->generation != is->generation)
        log_notice("key ring generation %llu -> %llu, signing key %s -> %s",
            (unsigned long long)was->generation, (unsigned long long)is->generation, old, new);
    if (todo & DO_WARN_LATE)
        log_warning("signing key %s was not published for PublishLead= before it signs, since the "
                    "certificate of %s ends: partners refuse its tokens until they have read our "
                    "document",
            new, old);
    if (todo & DO_WARN_FORCED)
        log_warning("signing key %s was not published for PublishLead= before it signs, on order: "
                    "partners refuse its tokens until they have read our document",
            new);
    if (todo & DO_WARN_DATES)
        log_warning("signing key %s is outside its dates: %s signs again", old, new);
}

static void install(struct ring_change *c, struct signkey **signer, struct own_keys_news *ret)
{
    struct own_keys *k = c->keys;
    k->ring = c->ring; /* every certificate of before is in it, RETIRED at worst */
    ret->todo |= c->todo;
    if (!signer)
        return;
    ret->old = k->current;
    k->current = TAKE(*signer);
}

int ring_change_commit(struct ring_change *c, struct own_keys_news *ret)
{
    struct own_keys *k = c->keys;
    struct signkey **signer = NULL;
    int r = 0;
    if (!(c->todo & DO_PERSIST)) {
        k->ring = c->ring; /* at most what is here has become known */
        return 0;
    }
    if (c->todo & DO_SIGN) {
        signer = find_signer(c);
        r = signer ? 0 : -ENOKEY;
    }
    if (r == 0)
        r = write_ring(k, &c->ring);
    k->is_unwritten = r < 0;
    if (r < 0) {
        ring_change_undo(c);
        return r;
    }
    report(&k->ring, &c->ring, c->todo);
    install(c, signer, ret);
    signkey_freep(&c->loaded);
    if (c->todo & DO_WIPE)
        own_keys_bury(k);
    return 0;
}

/* The same key may have been announced again. */
static bool is_published(const struct keyring *r, const struct cert *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state != KEY_RETIRED && memcmp(r->slots[i].cert->x5t, c->x5t, X5T_LEN) == 0)
            return true;
    return false;
}

void own_keys_bury(struct own_keys *k)
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    if (keyring_count(&k->ring, KEY_RETIRED) == 0)
        return;
    for (size_t i = 0; i < k->ring.n; i++) {
        const struct ring_slot *slot = &k->ring.slots[i];
        if (slot->state != KEY_RETIRED || is_published(&k->ring, slot->cert))
            continue;
        int r = key_files_wipe(k->state_dir, slot->cert);
        if (r < 0) {
            log_err("cannot destroy the private part of %s: %s; tried again",
                thumbprint_text(slot->cert->x5t, thumbprint), strerror(-r));
            return;
        }
    }
    keyring_sweep(&k->ring);
    k->is_unwritten |= write_ring(k, &k->ring) < 0;
}
