/* SPDX-License-Identifier: Apache-2.0 */
#include "own_keys.h"

#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"

#include <errno.h>

#define KEY_TEXT_MAX 65536
#define RING_TEXT_MAX (1024 * 1024)
#define PATH_TEXT_MAX 4200

static void own_path(const struct own_keys *k, const char *name, char out[PATH_TEXT_MAX])
{
    snprintf(out, PATH_TEXT_MAX, "%s/%s", k->state_dir, name);
}

/* Reads a key file with all the care of R43. */
static int load_key(const char *path, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(buf_done) struct buf pem = {.max = KEY_TEXT_MAX, .secret = true};
    int r = file_read(path, FILE_KEY, KEY_TEXT_MAX, &pem, why, OWN_KEYS_WHY_MAX);
    if (r < 0)
        return r;
    enum reason reason = signkey_from_pem(buf_span(&pem), ret);
    if (reason == REASON_OK)
        return 0;
    snprintf(why, OWN_KEYS_WHY_MAX, "%.512s: %s. %s", path, reason_sentence(reason),
        reason_advice(reason));
    return -EINVAL;
}

static int write_ring(const struct own_keys *k, const struct keyring *ring)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(RING_TEXT_MAX);
    keyring_print(ring, &text);
    if (text.failed)
        return -ENOMEM;
    return file_replace(k->state_dir, OWN_KEYS_RING, buf_span(&text), 0600);
}

/* A second ring with the same content, so that a change can be written before it counts. */
static int copy_ring(const struct keyring *ring, struct keyring *ret)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(RING_TEXT_MAX);
    if (ring->n == 0) {
        *ret = (struct keyring){.generation = ring->generation};
        return 0;
    }
    keyring_print(ring, &text);
    return text.failed || keyring_scan(buf_span(&text), ret) != REASON_OK ? -ENOMEM : 0;
}

static void replace_ring(struct own_keys *k, struct keyring *with)
{
    keyring_done(&k->ring);
    k->ring = *with;
    *with = (struct keyring){0};
}

static void report_change(const struct keyring *was, const struct keyring *is)
{
    char old[THUMBPRINT_TEXT_LEN] = "none", new[THUMBPRINT_TEXT_LEN];
    const struct ring_slot *before = was->n ? keyring_current(was) : NULL;
    const struct ring_slot *now = keyring_current(is);
    if (before)
        thumbprint_text(before->cert->x5t, old);
    thumbprint_text(now->cert->x5t, new);
    log_notice("key ring generation %llu -> %llu, signing key %s -> %s",
        (unsigned long long)was->generation, (unsigned long long)is->generation, old, new);
    if (before && memcmp(before->cert->x5t, now->cert->x5t, X5T_LEN) != 0 && !now->published_since)
        log_warning(
            "signing key %s was never published before it signs: partners refuse its tokens "
            "until they have read our document again; name it in Next= for a while first",
            new);
}

static void key_set_done(struct own_key_set *set)
{
    signkey_freep(&set->current);
    cert_freep(&set->next);
    *set = (struct own_key_set){0};
}

int own_keys_apply(struct own_keys *k, int64_t now, struct signkey **ret_old)
{
    struct own_key_set *w = &k->wanted;
    *ret_old = NULL;
    if (!w->current)
        return 0;
    CLEANUP(keyring_done) struct keyring ring = {0};
    bool changed = false;
    int r = copy_ring(&k->ring, &ring);
    if (r < 0)
        return r;
    if (keyring_set(&ring, signkey_cert(w->current), w->next, w->keep_s, now, &changed) !=
        REASON_OK)
        return -ENOMEM;
    if (changed) {
        r = write_ring(k, &ring);
        if (r < 0)
            return r;
        report_change(&k->ring, &ring);
        replace_ring(k, &ring);
    }
    *ret_old = k->current;
    k->current = TAKE(w->current);
    key_set_done(w);
    return 0;
}

void own_keys_forget(struct own_keys *k)
{
    key_set_done(&k->prepared);
}

void own_keys_commit(struct own_keys *k)
{
    if (!k->prepared.current)
        return;
    key_set_done(&k->wanted);
    k->wanted = k->prepared;
    k->prepared = (struct own_key_set){0};
}

/* Tokens of the old key must stay checkable until the last one has ended, and a while longer. */
static int64_t keep_of(const struct settings *s)
{
    return s->limits.max_token_lifetime_s + s->signing_key.keep_published_after_s;
}

static int read_files(const struct settings *s, struct own_key_set *ret, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(key_set_done) struct own_key_set set = {.keep_s = keep_of(s)};
    CLEANUP(signkey_freep) struct signkey *next = NULL;
    int r = load_key(s->signing_key.current, &set.current, why);
    if (r == 0 && s->signing_key.next)
        r = load_key(s->signing_key.next, &next, why);
    if (r < 0)
        return r;
    if (next) {
        /* Only its certificate is announced; its private part is not needed before it signs. */
        const struct cert *c = signkey_cert(next);
        if (cert_parse(span_bytes(c->der, c->der_len), &set.next) != REASON_OK)
            return -ENOMEM;
    }
    *ret = set;
    set = (struct own_key_set){0};
    return 0;
}

/* NULL, or a sentence: tokens of such a key are refused by every partner. */
static const char *judge_dates(
    const struct signkey *key, const char *what, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    char from[CLOCK_TEXT_LEN], until[CLOCK_TEXT_LEN];
    const struct cert *c = signkey_cert(key);
    if (c->not_before <= now && now <= c->not_after)
        return NULL;
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%.512s: partners refuse what it signs, its certificate is good from %s until %s", what,
        clock_text(c->not_before, from), clock_text(c->not_after, until));
    return why;
}

int own_keys_prepare(
    struct own_keys *k, const struct settings *s, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(key_set_done) struct own_key_set set = {0};
    if (s->signing_key.source != KEYS_FILES)
        return 0;
    int r = read_files(s, &set, why);
    if (r < 0)
        return r;
    if (judge_dates(set.current, s->signing_key.current, now, why))
        return -EKEYEXPIRED;
    own_keys_forget(k);
    k->prepared = set;
    set = (struct own_key_set){0};
    return 0;
}

/* The ring of the last run. *ret_found false: this is the first start. */
static int load_ring(struct own_keys *k, bool *ret_found, char why[OWN_KEYS_WHY_MAX])
{
    char path[PATH_TEXT_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(RING_TEXT_MAX);
    own_path(k, OWN_KEYS_RING, path);
    int r = file_read(path, FILE_KEY, RING_TEXT_MAX, &text, why, OWN_KEYS_WHY_MAX);
    *ret_found = r == 0;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    switch (keyring_scan(buf_span(&text), &k->ring)) {
    case REASON_OK:
        return 0;
    case REASON_OUT_OF_MEMORY:
        snprintf(why, OWN_KEYS_WHY_MAX, "%.512s: out of memory", path);
        return -ENOMEM;
    default:
        break;
    }
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%.512s is damaged: put back a copy, or remove it to start over with the keys that are "
        "there",
        path);
    return -EINVAL;
}

/* Writes our own key before anything speaks of it. */
static int make_first_key(
    struct own_keys *k, const struct settings *s, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    CLEANUP(buf_done) struct buf pem = {.max = KEY_TEXT_MAX, .secret = true};
    enum reason reason =
        signkey_generate(s->identity.name, now, now + s->signing_key.lifetime_s, &key);
    if (reason == REASON_OK)
        reason = signkey_to_pem(key, &pem);
    if (reason != REASON_OK) {
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot make a signing key: %s", reason_sentence(reason));
        return -EIO;
    }
    int r = file_replace(k->state_dir, OWN_KEYS_FILE, buf_span(&pem), 0400);
    if (r < 0) {
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot write %s/%s: %s", k->state_dir, OWN_KEYS_FILE,
            strerror(-r));
        return r;
    }
    log_notice("made a new signing key for %s", s->identity.issuer);
    k->wanted.current = TAKE(key);
    return 0;
}

/* The ring names a key that is not here. Making another would be a new identity that no partner
 * knows: refuse. */
static int refuse_other_key(const struct own_keys *k, const char *what, char why[OWN_KEYS_WHY_MAX])
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    thumbprint_text(keyring_current(&k->ring)->cert->x5t, thumbprint);
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%s/%s names signing key %s, but %s: put that key back, or remove %s to begin with another "
        "key that all partners must learn first",
        k->state_dir, OWN_KEYS_RING, thumbprint, what, OWN_KEYS_RING);
    return -ENOKEY;
}

static int start_managed(struct own_keys *k, const struct settings *s, int64_t now, bool has_ring,
    char why[OWN_KEYS_WHY_MAX])
{
    char path[PATH_TEXT_MAX];
    own_path(k, OWN_KEYS_FILE, path);
    int r = load_key(path, &k->wanted.current, why);
    if (r == -ENOENT && has_ring)
        return refuse_other_key(k, OWN_KEYS_FILE " is missing", why);
    if (r == -ENOENT)
        r = make_first_key(k, s, now, why);
    if (r < 0)
        return r;
    if (has_ring && memcmp(keyring_current(&k->ring)->cert->x5t_s256,
                        signkey_cert(k->wanted.current)->x5t_s256, X5T_S256_LEN) != 0)
        return refuse_other_key(k, OWN_KEYS_FILE " holds another one", why);
    k->wanted.keep_s = keep_of(s);
    return 0;
}

static int start_files(struct own_keys *k, const struct settings *s, char why[OWN_KEYS_WHY_MAX])
{
    int r = read_files(s, &k->wanted, why);
    return r < 0 && r != -ENOMEM ? -EKEYREJECTED : r;
}

/* Two signers must not share a folder (rule R44). */
static int lock_folder(struct own_keys *k, char why[OWN_KEYS_WHY_MAX])
{
    k->lock = file_lock_dir(k->state_dir);
    if (k->lock < 0)
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot use the state folder %.512s: %s", k->state_dir,
            k->lock == -EWOULDBLOCK ? "another s2sd-signer runs there" : strerror(-k->lock));
    return k->lock < 0 ? k->lock : 0;
}

int own_keys_start(struct own_keys *k, const struct settings *s, const char *state_dir, int64_t now,
    char why[OWN_KEYS_WHY_MAX])
{
    bool has_ring = false;
    struct signkey *none = NULL;
    *k = OWN_KEYS_NONE;
    k->state_dir = state_dir;
    int r = lock_folder(k, why);
    if (r == 0)
        r = load_ring(k, &has_ring, why);
    if (r == 0 && s->signing_key.source == KEYS_MANAGED)
        r = start_managed(k, s, now, has_ring, why);
    else if (r == 0)
        r = start_files(k, s, why);
    if (r < 0)
        return r;
    if (judge_dates(k->wanted.current, "the signing key", now, why))
        log_warning("%s", why); /* refusing to start would not mend it */
    r = own_keys_apply(k, now, &none);
    if (r < 0)
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot write %s/%s: %s", state_dir, OWN_KEYS_RING,
            strerror(-r));
    return r;
}

void own_keys_done(struct own_keys *k)
{
    own_keys_forget(k);
    key_set_done(&k->wanted);
    signkey_freep(&k->current);
    keyring_done(&k->ring);
    closep(&k->lock);
}

/* Applies `change` to a copy and installs it once it is on disk. */
static bool change_ring(struct own_keys *k, struct keyring *changed)
{
    int r = write_ring(k, changed);
    if (r < 0) {
        log_err("cannot write %s/%s: %s", k->state_dir, OWN_KEYS_RING, strerror(-r));
        return false;
    }
    replace_ring(k, changed);
    return true;
}

bool own_keys_tick(struct own_keys *k, int64_t now)
{
    CLEANUP(keyring_done) struct keyring ring = {0};
    if (copy_ring(&k->ring, &ring) < 0)
        return false;
    bool stamped = keyring_published(&ring, k->served, now);
    bool dropped = keyring_tick(&ring, now);
    return (stamped || dropped) && change_ring(k, &ring);
}

bool own_keys_published(struct own_keys *k, uint64_t generation, int64_t now)
{
    CLEANUP(keyring_done) struct keyring ring = {0};
    k->served = generation;
    if (copy_ring(&k->ring, &ring) < 0 || !keyring_published(&ring, generation, now))
        return false;
    return change_ring(k, &ring);
}
