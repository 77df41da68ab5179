/* SPDX-License-Identifier: Apache-2.0 */
/* How the ring begins: from its file and the key files, or from nothing. */
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "ring_change.h"

#include <errno.h>

#define RING_TEXT_MAX (1024 * 1024)

struct key_rules own_keys_rules(const struct settings *s)
{
    struct key_rules rules = {.terms = {.source = s->signing_key.source,
                                  .lead_s = s->signing_key.publish_lead_s,
                                  .prepare_before_s = s->signing_key.prepare_before_s,
                                  .keep_s = s->signing_key.keep_published_after_s},
        .lifetime_s = s->signing_key.lifetime_s,
        .max_token_s = s->limits.max_token_lifetime_s,
        .has_root = s->signing_key.root};
    snprintf(rules.name, sizeof(rules.name), "%s", s->identity.name);
    return rules;
}

/* What is here now may have signed in a run before. */
static void note_past(struct own_keys *k)
{
    for (size_t i = 0; i < k->ring.n; i++)
        k->ring.slots[i].has_past = true;
}

/* The ring of the last run. *ret_found false: this is the first start. */
static int load_ring(struct own_keys *k, bool *ret_found, char why[OWN_KEYS_WHY_MAX])
{
    char path[KEY_FILES_PATH_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(RING_TEXT_MAX);
    snprintf(path, sizeof(path), "%s/" OWN_KEYS_RING, k->state_dir);
    int r = file_read(path, FILE_KEY, RING_TEXT_MAX, &text, why, OWN_KEYS_WHY_MAX);
    *ret_found = r == 0;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    enum reason reason = keyring_scan(buf_span(&text), &k->ring);
    if (reason == REASON_OK && keyring_current(&k->ring))
        return 0;
    if (reason == REASON_OUT_OF_MEMORY) {
        snprintf(why, OWN_KEYS_WHY_MAX, "%.512s: out of memory", path);
        return -ENOMEM;
    }
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%.512s is damaged: put back a copy, or remove it to start over with the keys that are "
        "there",
        path);
    return -EINVAL;
}

/* The ring names a key that is not here. Making another would be a new identity that no partner
 * knows: refuse. */
static int refuse_without_key(
    const struct own_keys *k, const char *what, char why[OWN_KEYS_WHY_MAX])
{
    char thumbprint[THUMBPRINT_TEXT_LEN], said[300];
    snprintf(said, sizeof(said), "%.299s", what);
    thumbprint_text(keyring_current(&k->ring)->cert->x5t, thumbprint);
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%.256s/%s names signing key %s, but %s: put that key back, or remove %s to begin with the "
        "keys that are there, which all partners must learn first",
        k->state_dir, OWN_KEYS_RING, thumbprint, said, OWN_KEYS_RING);
    return -ENOKEY;
}

/* The first edition kept its only key beside the ring. It is copied to its new place before it is
 * destroyed in the old one. */
static int take_over_old_file(struct own_keys *k, char why[OWN_KEYS_WHY_MAX])
{
    char path[KEY_FILES_PATH_MAX];
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    snprintf(path, sizeof(path), "%s/" KEY_FILES_OLD, k->state_dir);
    int r = key_files_read(path, &key, why);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = key_files_store(k->state_dir, key, why);
    if (r < 0)
        return r;
    r = file_wipe(k->state_dir, KEY_FILES_OLD);
    if (r < 0)
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot remove %.512s: %s", path, strerror(-r));
    return r;
}

static int load_root(struct own_keys *k, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(signkey_freep) struct signkey *root = NULL;
    if (!k->rules.has_root)
        return 0;
    int r = key_files_root(k->state_dir, k->rules.name, now, &root, why);
    if (r < 0)
        return r;
    k->ring.root = own_cert_copy(root);
    return k->ring.root ? 0 : -ENOMEM;
}

/* A killed writer leaves a key that nothing speaks of. */
static void drop_orphan(const char *thumbprint, void *keys)
{
    struct own_keys *k = keys;
    char known[THUMBPRINT_TEXT_LEN], dir[KEY_FILES_PATH_MAX], name[THUMBPRINT_TEXT_LEN + 8];
    for (size_t i = 0; i < k->ring.n; i++)
        if (strcmp(thumbprint_text(k->ring.slots[i].cert->x5t, known), thumbprint) == 0)
            return;
    snprintf(dir, sizeof(dir), "%s/" KEY_FILES_FOLDER, k->state_dir);
    snprintf(name, sizeof(name), "%s.pem", thumbprint);
    int r = file_wipe(dir, name);
    log_notice(
        "key file %s belongs to no key of ours: %s", name, r == 0 ? "destroyed" : strerror(-r));
}

/* The ring and the key files of the last run. */
static int resume(struct own_keys *k, char why[OWN_KEYS_WHY_MAX])
{
    char said[OWN_KEYS_WHY_MAX];
    int r = key_files_load(k->state_dir, keyring_current(&k->ring)->cert, &k->current, said);
    if (r == -ENOMEM)
        snprintf(why, OWN_KEYS_WHY_MAX, "out of memory");
    if (r < 0)
        return r == -ENOMEM
                   ? r
                   : refuse_without_key(k, r == -ENOENT ? "its file is missing" : said, why);
    for (size_t i = 0; i < k->ring.n; i++)
        k->ring.slots[i].can_sign = !key_files_lost(k->state_dir, k->ring.slots[i].cert);
    own_keys_bury(k);
    key_files_each(k->state_dir, drop_orphan, k);
    return 0;
}

/* Keys without a ring: the file of states was removed or is not written yet. */
struct found_keys {
    struct own_keys *keys;
    struct signkey *list[KEYRING_MAX];
    size_t n;
    int error;
    char *why;
};

static void found_keys_done(struct found_keys *f)
{
    while (f->n > 0)
        signkey_free(f->list[--f->n]);
}

/* The one that partners have known for longest comes first. */
static void note_found(const char *thumbprint, void *found)
{
    struct found_keys *f = found;
    char path[KEY_FILES_PATH_MAX];
    struct signkey *key = NULL;
    snprintf(path, sizeof(path), "%s/" KEY_FILES_FOLDER "/%s.pem", f->keys->state_dir, thumbprint);
    int r = key_files_read(path, &key, f->why);
    if (r < 0)
        f->error = r;
    if (r < 0 || f->n == KEYRING_MAX) {
        signkey_free(key);
        return;
    }
    size_t at = f->n++;
    while (at > 0 && signkey_cert(f->list[at - 1])->not_before > signkey_cert(key)->not_before) {
        f->list[at] = f->list[at - 1];
        at--;
    }
    f->list[at] = key;
}

static struct signkey **first_valid(struct found_keys *f, int64_t now)
{
    for (size_t i = 0; i < f->n; i++)
        if (signkey_cert(f->list[i])->not_before <= now &&
            now < signkey_cert(f->list[i])->not_after)
            return &f->list[i];
    return f->n ? &f->list[0] : NULL;
}

/* Tokens of the others may be alive. */
static int publish_others(struct ring_change *c, const struct found_keys *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (keyring_find(&c->ring, signkey_cert(f->list[i])->x5t_s256))
            continue;
        struct cert *copy = own_cert_copy(f->list[i]);
        if (!copy)
            return -ENOMEM;
        c->ring.slots[c->ring.n++] = (struct ring_slot){.state = KEY_PREVIOUS,
            .cert = copy,
            .since = c->now,
            .until = c->now + c->keys->rules.max_token_s + c->keys->rules.terms.keep_s,
            .can_sign = true};
    }
    keyring_sort(&c->ring);
    return keyring_is_sound(&c->ring) ? 0 : -EINVAL;
}

/* Begins a ring with `key`; takes it over. */
static int begin(struct own_keys *k, struct signkey **key, const struct found_keys *others,
    int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    struct ring_change c;
    struct own_keys_news none = {0};
    ring_change_begin(&c, k, now);
    int r = rollover_first(&c.ring, signkey_cert(*key), now) == REASON_OK ? 0 : -ENOMEM;
    if (r == 0)
        r = publish_others(&c, others);
    if (r < 0) {
        ring_change_undo(&c);
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot begin a key ring: %s", strerror(-r));
        return r;
    }
    c.todo = DO_PERSIST | DO_SIGN;
    c.loaded = TAKE(*key);
    r = ring_change_commit(&c, &none);
    if (r < 0)
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot write %.512s/%s: %s", k->state_dir, OWN_KEYS_RING,
            strerror(-r));
    return r;
}

static int begin_managed(struct own_keys *k, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(found_keys_done) struct found_keys found = {.keys = k, .why = why};
    CLEANUP(signkey_freep) struct signkey *made = NULL;
    key_files_each(k->state_dir, note_found, &found);
    if (found.error < 0)
        return found.error;
    struct signkey **first = first_valid(&found, now);
    int r = first ? 0 : own_keys_make(k, now, &made, why);
    if (r < 0)
        return r;
    if (!first)
        first = &made;
    struct signkey *key = *first;
    /* The list keeps its order and its length; only the owner changes. */
    if (first != &made) {
        size_t at = (size_t)(first - found.list);
        memmove(&found.list[at], &found.list[at + 1], (found.n - at - 1) * sizeof(key));
        found.n--;
    } else {
        made = NULL;
    }
    r = begin(k, &key, &found, now, why);
    if (first != &made)
        note_past(k);
    signkey_free(key);
    return r;
}

static int start_managed(struct own_keys *k, bool has_ring, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    int r = key_files_open(k->state_dir, why);
    if (r == 0)
        r = take_over_old_file(k, why);
    if (r == 0)
        r = load_root(k, now, why);
    if (r < 0)
        return r;
    return has_ring ? resume(k, why) : begin_managed(k, now, why);
}

/* At start the configuration's word counts: the key of before may not be at hand any more. */
static int start_brought(
    struct own_keys *k, const struct settings *s, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    struct own_keys_news none = {0};
    struct ring_change c;
    int r = brought_read(s, &k->brought, why);
    if (r < 0)
        return r == -ENOMEM ? r : -EKEYREJECTED;
    ring_change_begin(&c, k, now);
    enum reason reason = own_keys_bring(&c, &k->brought, true, NULL);
    if (reason != REASON_OK) {
        ring_change_undo(&c);
        snprintf(why, OWN_KEYS_WHY_MAX, "the keys that the configuration names: %s",
            reason_sentence(reason));
        return reason == REASON_OUT_OF_MEMORY ? -ENOMEM : -EKEYREJECTED;
    }
    r = ring_change_commit(&c, &none);
    if (r < 0)
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot write %.512s/%s: %s", k->state_dir, OWN_KEYS_RING,
            strerror(-r));
    else
        own_keys_settle_brought(k);
    return r;
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

/* Refusing to start would not mend it. */
static void warn_of_dates(const struct own_keys *k, int64_t now)
{
    char from[CLOCK_TEXT_LEN], until[CLOCK_TEXT_LEN];
    const struct cert *c = signkey_cert(k->current);
    if (now < c->not_before || c->not_after < now)
        log_warning("the signing key: partners refuse what it signs, its certificate is good from "
                    "%s until %s",
            clock_text(c->not_before, from), clock_text(c->not_after, until));
}

int own_keys_start(struct own_keys *k, const struct settings *s, const char *state_dir, int64_t now,
    char why[OWN_KEYS_WHY_MAX])
{
    bool has_ring = false;
    *k = OWN_KEYS_NONE;
    k->state_dir = state_dir;
    k->rules = k->prepared_rules = own_keys_rules(s);
    int r = lock_folder(k, why);
    if (r == 0)
        r = load_ring(k, &has_ring, why);
    if (r < 0)
        return r;
    note_past(k);
    k->ring.source = s->signing_key.source;
    k->ring.lead_s = s->signing_key.publish_lead_s;
    r = s->signing_key.source == KEYS_MANAGED ? start_managed(k, has_ring, now, why)
                                              : start_brought(k, s, now, why);
    if (r == 0)
        warn_of_dates(k, now);
    return r;
}

void own_keys_done(struct own_keys *k)
{
    brought_done(&k->prepared);
    brought_done(&k->brought);
    signkey_freep(&k->current);
    keyring_done(&k->ring);
    closep(&k->lock);
}
