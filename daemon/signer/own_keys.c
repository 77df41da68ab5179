/* SPDX-License-Identifier: Apache-2.0 */
/* The events of the ring as the signer meets them. How it begins is own_keys_start.c. */
#include "own_keys.h"

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "ring_change.h"
#include "sealed_text.h"

#include <errno.h>

#define WAIT_MAX_S 600 /* a clock that was set is noticed so late at most */
#define RETRY_S 30
#define SEQUENCE_TITLE "s2sd document sequence 1"

void own_keys_forget(struct own_keys *k)
{
    brought_done(&k->prepared);
}

int own_keys_new(struct own_keys *k, int64_t now, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(signkey_freep) struct signkey *root = NULL;
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    const struct key_rules *rules = &k->rules;
    int64_t end = now + rules->lifetime_s;
    int r = rules->has_root ? key_files_root(k->state_dir, rules->name, now, &root, why) : 0;
    if (r < 0)
        return r;
    if (root && end > signkey_cert(root)->not_after)
        end = signkey_cert(root)->not_after;
    enum reason reason = root ? signkey_issue(root, rules->name, now, end, &key)
                              : signkey_generate(rules->name, now, end, &key);
    if (reason != REASON_OK) {
        snprintf(why, OWN_KEYS_WHY_MAX, "cannot make a signing key: %s", reason_sentence(reason));
        return -EIO;
    }
    *ret = TAKE(key);
    return 0;
}

int own_keys_make(struct own_keys *k, int64_t now, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    char thumbprint[THUMBPRINT_TEXT_LEN];
    int r = own_keys_new(k, now, &key, why);
    if (r == 0)
        r = key_files_store(k->state_dir, key, why);
    if (r < 0)
        return r;
    log_notice("made a new signing key %s", thumbprint_text(signkey_cert(key)->x5t, thumbprint));
    *ret = TAKE(key);
    return 0;
}

/* The private part of a key that the ring does not have after all. */
static void drop_key_file(struct own_keys *k, const struct cert *c)
{
    if (!keyring_find(&k->ring, c->x5t_s256) && key_files_wipe(k->state_dir, c) < 0)
        log_warning("a key file that is not used could not be destroyed");
}

/* Commits a change that announces `key`, whose file is there. */
static int commit_staged(
    struct own_keys *k, struct ring_change *c, const struct signkey *key, struct own_keys_news *ret)
{
    int r = ring_change_commit(c, ret);
    if (r < 0)
        drop_key_file(k, signkey_cert(key));
    return r;
}

/* A managed ring needs its next key. */
static void make_next(struct ring_change *c, struct own_keys_news *ret)
{
    struct own_keys *k = c->keys;
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    char why[OWN_KEYS_WHY_MAX];
    if (own_keys_make(k, c->now, &key, why) < 0) {
        log_err("%s; tried again", why);
        k->is_unwritten = true;
        (void)!ring_change_commit(c, ret);
        return;
    }
    struct roll_arg arg = {.cert = own_cert_copy(key)};
    if (!arg.cert || ring_change_step(c, EVENT_STAGE, &arg) != REASON_OK)
        drop_key_file(k, signkey_cert(key));
    (void)!ring_change_step(c, EVENT_TICK, NULL); /* when it is late, there is no time to lose */
    (void)!commit_staged(k, c, key, ret);
}

/* Which keys could sign: files come and go. */
static void find_private_parts(struct own_keys *k)
{
    for (size_t i = 0; k->rules.terms.source == KEYS_MANAGED && i < k->ring.n; i++)
        if (k->ring.slots[i].state != KEY_CURRENT)
            k->ring.slots[i].can_sign = !key_files_lost(k->state_dir, k->ring.slots[i].cert);
}

static void tick(struct own_keys *k, int64_t now, struct own_keys_news *ret)
{
    struct ring_change c;
    struct roll_arg served = {.generation = k->served};
    find_private_parts(k);
    ring_change_begin(&c, k, now);
    /* A stamp that could not be written when the broker's word came. */
    (void)!ring_change_step(&c, EVENT_PUBLISHED, &served);
    (void)!ring_change_step(&c, EVENT_TICK, NULL);
    if (c.todo & DO_MAKE_NEXT)
        make_next(&c, ret);
    else
        (void)!ring_change_commit(&c, ret); /* logged; the next tick tries again */
}

/* The first sentences of a refusal in one line. */
static void join_lines(struct buf *lines, char why[OWN_KEYS_WHY_MAX])
{
    size_t n = lines->n < OWN_KEYS_WHY_MAX ? lines->n : OWN_KEYS_WHY_MAX - 1;
    if (n)
        memcpy(why, lines->p, n);
    while (n && why[n - 1] == '\n')
        n--;
    why[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (why[i] == '\n')
            why[i] = ' ';
}

/* --- keys that are brought --- */

static bool is_key_of(const struct signkey *key, const struct ring_slot *slot)
{
    return key && slot &&
           memcmp(signkey_cert(key)->x5t_s256, slot->cert->x5t_s256, X5T_S256_LEN) == 0;
}

static enum reason step_with(struct ring_change *c, enum roll_event ev, const struct signkey *key,
    struct roll_arg arg, struct buf *lines)
{
    arg.cert = own_cert_copy(key);
    if (!arg.cert)
        return REASON_OUT_OF_MEMORY;
    enum reason reason = rollover_judge(&c->ring, ev, &arg, &c->keys->rules.terms, c->now, lines);
    if (reason != REASON_OK) {
        cert_free(arg.cert);
        return reason;
    }
    return ring_change_step(c, ev, &arg);
}

/* The date of before, as far as the configuration does not say another. */
static bool is_dated(const struct brought *b, const struct ring_slot *next)
{
    return next->effective_at == b->next_effective_at || (b->next_effective_at == 0 && !b->undates);
}

static enum reason announce(struct ring_change *c, const struct brought *b, struct buf *lines)
{
    const struct ring_slot *next = keyring_next(&c->ring);
    struct roll_arg arg = {.effective_at = b->next_effective_at, .replace = true};
    if (is_key_of(b->next, keyring_current(&c->ring)))
        return REASON_OK; /* activated already, whatever Current= says */
    if (!b->next)
        return next ? ring_change_step(c, EVENT_ABORT, NULL) : REASON_OK;
    if (is_key_of(b->next, next) && is_dated(b, next)) {
        keyring_find(&c->ring, next->cert->x5t_s256)->can_sign = true;
        return REASON_OK;
    }
    return step_with(c, EVENT_STAGE, b->next, arg, lines);
}

/* At a start, or after it was judged: Current= signs whatever there is against Next=. */
static enum reason announce_if_it_can_be(struct ring_change *c, const struct brought *b)
{
    const struct brought none = {0};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    char why[OWN_KEYS_WHY_MAX];
    enum reason reason = announce(c, b, &lines);
    if (reason == REASON_OK || reason == REASON_OUT_OF_MEMORY)
        return reason;
    join_lines(&lines, why);
    log_warning("Next= is not announced as it stands: %s", why);
    const struct ring_slot *next = keyring_next(&c->ring);
    if (!is_key_of(b->next, next))
        return announce(c, &none, NULL);
    keyring_find(&c->ring, next->cert->x5t_s256)->can_sign = true;
    return REASON_OK;
}

/* The key of a former Next= signs and is named nowhere, the one before it is: forgotten. */
static bool is_forgotten(const struct ring_change *c, const struct brought *b, struct buf *lines)
{
    const struct ring_slot *known = NULL;
    for (size_t i = 0; i < c->ring.n; i++)
        if (is_key_of(b->current, &c->ring.slots[i]))
            known = &c->ring.slots[i];
    if (!b->next || !known || known->state != KEY_PREVIOUS)
        return false;
    if (lines)
        buf_put_str(lines, "Current= names a key that has given way already: move the key that "
                           "signs now into Current= before another one is named in Next=.\n");
    return true;
}

/* What the configuration names against what the ring remembers: a key of Next= that has been
 * activated stays in force until the administrator names another. */
enum reason own_keys_bring(
    struct ring_change *c, const struct brought *b, bool force, struct buf *lines)
{
    const struct ring_slot *current = keyring_current(&c->ring);
    struct roll_arg arg = {.force = force};
    enum reason reason = REASON_OK;
    if (!current) {
        reason = rollover_first(&c->ring, signkey_cert(b->current), c->now);
        c->todo |= DO_PERSIST | DO_PUBLISH | DO_SIGN;
    } else if (!is_key_of(b->next, current) && !is_key_of(b->current, current) &&
               !b->keeps_current) {
        if (!force && is_forgotten(c, b, lines))
            return REASON_ROLL_REFUSED;
        reason = step_with(c, EVENT_ADOPT, b->current, arg, lines);
    }
    if (reason != REASON_OK)
        return reason;
    return force ? announce_if_it_can_be(c, b) : announce(c, b, lines);
}

/* Whether it could be done, by the rules that come with it. */
static int judge_brought(struct own_keys *k, struct brought *b, const struct key_rules *rules,
    int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    struct key_rules in_force = k->rules;
    struct ring_change c;
    k->rules = *rules;
    ring_change_begin(&c, k, now);
    enum reason reason = own_keys_bring(&c, b, false, &lines);
    b->keeps_current = !(c.todo & DO_SIGN);
    ring_change_undo(&c);
    k->rules = in_force;
    if (reason == REASON_OK)
        return 0;
    buf_put_str(&lines, lines.n ? "" : reason_sentence(reason));
    join_lines(&lines, why);
    return reason == REASON_OUT_OF_MEMORY ? -ENOMEM : -EKEYREJECTED;
}

int own_keys_prepare(
    struct own_keys *k, const struct settings *s, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(brought_done) struct brought b = {0};
    struct key_rules rules = own_keys_rules(s);
    if (s->signing_key.source != KEYS_MANAGED) {
        int r = brought_read(s, &b, why);
        if (r == 0)
            r = brought_judge_dates(&b, s, now, why);
        if (r == 0)
            r = judge_brought(k, &b, &rules, now, why);
        if (r < 0)
            return r;
    }
    own_keys_forget(k);
    k->prepared_rules = rules;
    k->prepared = b;
    b = (struct brought){0};
    return 0;
}

void own_keys_settle_brought(struct own_keys *k)
{
    const struct ring_slot *current = keyring_current(&k->ring);
    struct signkey **both[] = {&k->brought.current, &k->brought.next};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (!is_key_of(*both[i], current))
            continue;
        if (!k->current)
            k->current = TAKE(*both[i]);
        signkey_freep(both[i]);
    }
}

/* What was committed becomes the ring. */
static void apply_brought(struct own_keys *k, int64_t now, struct own_keys_news *ret)
{
    struct ring_change c;
    ring_change_begin(&c, k, now);
    /* It was judged at PREPARE; should the clock say otherwise by now, the administrator's word
     * counts. */
    enum reason reason = own_keys_bring(&c, &k->brought, true, NULL);
    if (reason == REASON_OK) {
        k->is_wanted = ring_change_commit(&c, ret) < 0;
        if (!k->is_wanted)
            own_keys_settle_brought(k);
        return;
    }
    ring_change_undo(&c);
    k->is_wanted = reason == REASON_OUT_OF_MEMORY;
    log_err("the keys that the configuration names cannot be used: %s", reason_sentence(reason));
}

void own_keys_commit(struct own_keys *k, int64_t now, struct own_keys_news *ret)
{
    k->rules = k->prepared_rules;
    k->ring.lead_s = k->rules.terms.lead_s;
    ret->todo |= DO_PUBLISH;
    if (!k->prepared.current)
        return;
    bool was_dated = k->brought.next_effective_at != 0;
    brought_done(&k->brought);
    k->brought = k->prepared;
    k->brought.undates = was_dated && k->brought.next_effective_at == 0;
    k->prepared = (struct brought){0};
    apply_brought(k, now, ret);
}

/* --- events --- */

void own_keys_tick(struct own_keys *k, int64_t now, struct own_keys_news *ret)
{
    bool was_unwritten = k->is_unwritten;
    k->is_unwritten = false;
    if (k->is_wanted)
        apply_brought(k, now, ret);
    else
        tick(k, now, ret);
    if (was_unwritten)
        own_keys_bury(k);
}

int64_t own_keys_wait_s(const struct own_keys *k, int64_t now)
{
    int64_t at = rollover_next(&k->ring, &k->rules.terms);
    if (k->is_wanted || k->is_unwritten || at <= now) /* it has been tried, and did not work */
        return RETRY_S;
    return at - now < WAIT_MAX_S ? at - now : WAIT_MAX_S;
}

static void one_event(struct own_keys *k, enum roll_event ev, const struct roll_arg *arg,
    int64_t now, struct own_keys_news *ret)
{
    struct ring_change c;
    ring_change_begin(&c, k, now);
    (void)!ring_change_step(&c, ev, arg);
    (void)!ring_change_commit(&c, ret);
}

void own_keys_published(
    struct own_keys *k, uint64_t generation, int64_t now, struct own_keys_news *ret)
{
    struct roll_arg arg = {.generation = generation};
    k->served = generation;
    one_event(k, EVENT_PUBLISHED, &arg, now, ret);
}

void own_keys_hold(
    struct own_keys *k, const struct msg_hold *m, int64_t now, struct own_keys_news *ret)
{
    const struct ring_slot *next = keyring_next(&k->ring);
    struct roll_arg arg = {.held = m->held, .x5t_s256 = m->x5t_s256};
    char thumbprint[THUMBPRINT_TEXT_LEN], why[256];
    if (!next || memcmp(next->cert->x5t_s256, m->x5t_s256, X5T_S256_LEN) != 0 ||
        next->held == m->held)
        return;
    log_notice("next key %s: %s%s%s", thumbprint_text(next->cert->x5t, thumbprint),
        m->held ? "waits" : "is free to sign", m->held ? ": " : "",
        m->held ? log_safe(m->why, why, sizeof(why)) : "");
    one_event(k, EVENT_HOLD, &arg, now, ret);
}

void own_keys_signed(struct own_keys *k, int64_t expires_at)
{
    if (expires_at > k->signed_until)
        k->signed_until = expires_at;
}

static int read_sequence(const struct own_keys *k, int64_t *ret)
{
    char path[KEY_FILES_PATH_MAX], why[OWN_KEYS_WHY_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    struct text_in in = {0};
    snprintf(path, sizeof(path), "%s/" OWN_KEYS_SEQUENCE, k->state_dir);
    int r = file_read(path, FILE_KEY, 4096, &text, why, sizeof(why));
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (sealed_open(buf_span(&text), SEQUENCE_TITLE, NULL, &in.rest) != REASON_OK)
        return 0; /* damaged: the clock is above whatever it said */
    *ret = text_int(&in, "Sequence");
    return 0;
}

/* Seconds since 1970 or one more than the last, whichever is higher: it rises also when this file
 * is lost, and when the clock goes back. */
int own_keys_sequence(struct own_keys *k, int64_t now, int64_t *ret)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(256);
    CLEANUP(buf_done) struct buf text = BUF_INIT(4096);
    int64_t last = 0;
    int r = read_sequence(k, &last);
    if (r < 0)
        return r;
    int64_t seq = last < now ? now : last + 1;
    text_put_int(&body, "Sequence", seq);
    sealed_put(&text, SEQUENCE_TITLE, NULL, buf_span(&body));
    if (body.failed || text.failed)
        return -ENOMEM;
    r = file_replace(k->state_dir, OWN_KEYS_SEQUENCE, buf_span(&text), 0600);
    if (r == 0)
        *ret = seq;
    return r;
}

int own_keys_load(const struct own_keys *k, const uint8_t x5t[X5T_LEN], struct signkey **ret,
    char why[OWN_KEYS_WHY_MAX])
{
    for (size_t i = 0; i < k->ring.n; i++)
        if (k->ring.slots[i].state != KEY_RETIRED &&
            memcmp(k->ring.slots[i].cert->x5t, x5t, X5T_LEN) == 0)
            return key_files_load(k->state_dir, k->ring.slots[i].cert, ret, why);
    snprintf(why, OWN_KEYS_WHY_MAX, "no published key of ours has that thumbprint");
    return -ENOENT;
}
