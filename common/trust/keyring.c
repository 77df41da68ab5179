/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include "cleanup.h"
#include "sealed_text.h"

#include <assert.h>

#define TITLE "s2sd key ring 1"
#define RING_TEXT_MAX (KEYRING_MAX * 2 * CERT_DER_MAX)

/* What a certificate is in the set that is asked for. */
enum role { ROLE_CURRENT, ROLE_NEXT, ROLE_NONE, ROLE_COUNT };

/* The transition table: state before x role in the new set -> state after. A state that is only
 * kept for tokens already signed (PREVIOUS) ends by time: see is_over(). */
static const enum key_state becomes[KEY_RETIRED][ROLE_COUNT] = {
    [KEY_NEXT] = {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS},
    [KEY_CURRENT] = {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS},
    [KEY_PREVIOUS] = {KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS},
};

/* Order of publication. Old readers take the first key only (protocol note 1.4). */
static const unsigned rank[] = {[KEY_CURRENT] = 0, [KEY_NEXT] = 1, [KEY_PREVIOUS] = 2};

static const char *const state_names[] = {"next", "current", "previous", "retired"};

const char *key_state_name(enum key_state s)
{
    return (unsigned)s < ARRAY_LEN(state_names) ? state_names[s] : "unknown";
}

void keyring_done(struct keyring *r)
{
    for (size_t i = 0; i < r->n; i++)
        cert_free(r->slots[i].cert);
    cert_free(r->root);
    *r = (struct keyring){0};
}

static bool same_cert(const struct cert *a, const struct cert *b)
{
    return memcmp(a->x5t_s256, b->x5t_s256, X5T_S256_LEN) == 0;
}

static struct ring_slot *find(struct keyring *r, const struct cert *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (same_cert(r->slots[i].cert, c))
            return &r->slots[i];
    return NULL;
}

static size_t count(const struct keyring *r, enum key_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->slots[i].state == state;
    return n;
}

/* What must be true of every ring that holds keys. Thumbprints are compared as partners see them.
 */
static bool is_sound(const struct keyring *r)
{
    if (r->n > KEYRING_MAX || count(r, KEY_CURRENT) != 1 || count(r, KEY_NEXT) > 1 ||
        count(r, KEY_RETIRED) != 0)
        return false;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < i; k++)
            if (memcmp(r->slots[i].cert->x5t, r->slots[k].cert->x5t, X5T_LEN) == 0)
                return false;
    return true;
}

const struct ring_slot *keyring_current(const struct keyring *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == KEY_CURRENT)
            return &r->slots[i];
    return NULL;
}

static void remove_at(struct keyring *r, size_t at)
{
    cert_free(r->slots[at].cert);
    memmove(&r->slots[at], &r->slots[at + 1], (r->n - at - 1) * sizeof(r->slots[0]));
    r->n--;
}

/* Nobody needs this one any more: the last token it signed has ended, or it never signed. */
static bool is_over(const struct ring_slot *slot, int64_t now)
{
    return slot->state == KEY_PREVIOUS && slot->until <= now;
}

static bool drop_over(struct keyring *r, int64_t now)
{
    size_t before = r->n;
    for (size_t i = r->n; i > 0; i--)
        if (is_over(&r->slots[i - 1], now))
            remove_at(r, i - 1);
    return r->n != before;
}

/* Retires the PREVIOUS key that would end first, so that a roll is never refused for want of room.
 */
static void drop_first_ending(struct keyring *r)
{
    size_t first = r->n;
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == KEY_PREVIOUS &&
            (first == r->n || r->slots[i].until < r->slots[first].until))
            first = i;
    assert(first < r->n); /* CURRENT and NEXT alone never fill the ring */
    remove_at(r, first);
}

/* Stable insertion sort: by rank, then the newest first. */
static void sort(struct keyring *r)
{
    for (size_t i = 1; i < r->n; i++)
        for (size_t k = i; k > 0; k--) {
            struct ring_slot *a = &r->slots[k - 1], *b = &r->slots[k], hold = *a;
            if (rank[a->state] < rank[b->state] ||
                (rank[a->state] == rank[b->state] && a->since >= b->since))
                break;
            *a = *b;
            *b = hold;
        }
}

/* Moves one slot to the state its role asks for; true when that is another one. */
static bool step(struct ring_slot *slot, enum role role, int64_t keep_until, int64_t now)
{
    enum key_state to = becomes[slot->state][role];
    if (to == slot->state)
        return false;
    if (slot->state == KEY_CURRENT)
        slot->until = keep_until; /* whatever it becomes: its tokens live on until then */
    else if (to == KEY_CURRENT)
        slot->until = 0;
    slot->state = to;
    slot->since = now;
    return true;
}

static enum reason copy_unless_there(
    struct keyring *r, const struct cert *c, struct cert **ret_copy)
{
    if (!c || find(r, c))
        return REASON_OK;
    return cert_parse((struct span){c->der, c->der_len}, ret_copy);
}

static void append(struct keyring *r, enum key_state state, struct cert *cert, int64_t now)
{
    r->slots[r->n++] = (struct ring_slot){.state = state, .cert = cert, .since = now};
}

/* Two certificates with one SHA-1 thumbprint could not be told apart by whoever reads x5t. */
static bool collide(const struct cert *a, const struct cert *b)
{
    return memcmp(a->x5t, b->x5t, X5T_LEN) == 0 && !same_cert(a, b);
}

static bool collides(const struct keyring *r, const struct cert *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (collide(r->slots[i].cert, c))
            return true;
    return false;
}

/* Every slot takes the step of the table; what is over leaves. True when anything moved. */
static bool step_all(struct keyring *r, const struct cert *current, const struct cert *next,
    int64_t keep_until, int64_t now)
{
    bool changed = false;
    for (size_t i = 0; i < r->n; i++) {
        enum role role = ROLE_NONE;
        if (same_cert(r->slots[i].cert, current))
            role = ROLE_CURRENT;
        else if (next && same_cert(r->slots[i].cert, next))
            role = ROLE_NEXT;
        changed |= step(&r->slots[i], role, keep_until, now);
    }
    return drop_over(r, now) || changed;
}

enum reason keyring_set(struct keyring *r, const struct cert *current, const struct cert *next,
    int64_t keep_s, int64_t now, bool *ret_changed)
{
    if (next && same_cert(next, current))
        next = NULL;
    if (collides(r, current) || (next && (collides(r, next) || collide(next, current))))
        return REASON_KEY_FORM;
    CLEANUP(cert_freep) struct cert *current_copy = NULL;
    CLEANUP(cert_freep) struct cert *next_copy = NULL;
    enum reason reason = copy_unless_there(r, current, &current_copy);
    if (reason == REASON_OK)
        reason = copy_unless_there(r, next, &next_copy);
    if (reason != REASON_OK)
        return reason;
    bool changed = step_all(r, current, next, now + keep_s, now) || current_copy || next_copy;
    while (r->n + (current_copy != NULL) + (next_copy != NULL) > KEYRING_MAX)
        drop_first_ending(r);
    if (current_copy)
        append(r, KEY_CURRENT, TAKE(current_copy), now);
    if (next_copy)
        append(r, KEY_NEXT, TAKE(next_copy), now);
    sort(r);
    r->generation += changed;
    assert(is_sound(r));
    *ret_changed = changed;
    return REASON_OK;
}

bool keyring_tick(struct keyring *r, int64_t now)
{
    if (!drop_over(r, now))
        return false;
    r->generation++;
    assert(is_sound(r));
    return true;
}

bool keyring_published(struct keyring *r, uint64_t generation, int64_t now)
{
    bool changed = false;
    for (size_t i = 0; generation == r->generation && i < r->n; i++)
        if (!r->slots[i].published_since) {
            r->slots[i].published_since = now;
            changed = true;
        }
    return changed;
}

size_t keyring_published_certs(const struct keyring *r, const struct cert *out[KEYRING_MAX])
{
    for (size_t i = 0; i < r->n; i++)
        out[i] = r->slots[i].cert;
    return r->n;
}

/* The last rung of reading: takes the ring over when it is sound. */
static enum reason accept(struct keyring *read, struct keyring *ret)
{
    if (read->n && !is_sound(read))
        return REASON_KEY_FORM;
    sort(read);
    *ret = *read;
    *read = (struct keyring){0};
    return REASON_OK;
}

void keyring_put(struct frame_out *f, const struct keyring *r)
{
    frame_put_u64(f, r->generation);
    frame_put_u32(f, (uint32_t)r->n);
    for (size_t i = 0; i < r->n; i++) {
        const struct ring_slot *slot = &r->slots[i];
        frame_put_u8(f, (uint8_t)slot->state);
        frame_put_i64(f, slot->since);
        frame_put_i64(f, slot->published_since);
        frame_put_i64(f, slot->until);
        frame_put_i64(f, slot->effective_at);
        frame_put_u8(f, slot->held);
        frame_put_u8(f, slot->forced);
        frame_put_span(f, (struct span){slot->cert->der, slot->cert->der_len});
    }
    frame_put_span(f, r->root ? (struct span){r->root->der, r->root->der_len} : SPAN(""));
    frame_put_i64(f, r->lead_s);
    frame_put_u8(f, (uint8_t)r->source);
}

static bool get_truth(struct frame_in *f)
{
    uint8_t v = frame_u8(f);
    if (v > 1)
        f->failed = true;
    return v == 1;
}

static enum reason get_slot(struct frame_in *f, struct ring_slot *ret)
{
    uint8_t state = frame_u8(f);
    if (f->failed || state >= KEY_RETIRED)
        return REASON_KEY_FORM;
    ret->state = (enum key_state)state;
    ret->since = frame_i64(f);
    ret->published_since = frame_i64(f);
    ret->until = frame_i64(f);
    ret->effective_at = frame_i64(f);
    ret->held = get_truth(f);
    ret->forced = get_truth(f);
    return cert_parse(frame_span(f), &ret->cert);
}

static enum reason get_rest(struct frame_in *f, struct keyring *ret)
{
    struct span root = frame_span(f);
    ret->lead_s = frame_i64(f);
    uint8_t source = frame_u8(f);
    if (f->failed || source > KEYS_CREDENTIAL)
        return REASON_KEY_FORM;
    ret->source = (enum key_source)source;
    return root.n ? cert_parse(root, &ret->root) : REASON_OK;
}

enum reason keyring_get(struct frame_in *f, struct keyring *ret)
{
    CLEANUP(keyring_done) struct keyring r = {.generation = frame_u64(f)};
    uint32_t n = frame_u32(f);
    if (n > KEYRING_MAX)
        return REASON_KEY_FORM;
    while (r.n < n) {
        enum reason reason = get_slot(f, &r.slots[r.n]);
        if (reason != REASON_OK)
            return reason;
        r.n++;
    }
    enum reason reason = get_rest(f, &r);
    if (reason != REASON_OK)
        return reason;
    return f->failed ? REASON_KEY_FORM : accept(&r, ret);
}

static void slot_print(const struct ring_slot *slot, struct buf *out)
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    buf_printf(out, "\n[%s]\nThumbprint=%s\n", key_state_name(slot->state),
        thumbprint_text(slot->cert->x5t, thumbprint));
    text_put_time(out, "NotBefore", slot->cert->not_before);
    text_put_time(out, "NotAfter", slot->cert->not_after);
    text_put_time(out, "Since", slot->since);
    text_put_time(out, "PublishedSince", slot->published_since);
    text_put_time(out, "Until", slot->until);
    text_put_pem(out, (struct span){slot->cert->der, slot->cert->der_len});
}

void keyring_print(const struct keyring *r, struct buf *out)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(RING_TEXT_MAX);
    text_put_int(&body, "Generation", (int64_t)r->generation);
    text_put_int(&body, "Keys", (int64_t)r->n);
    for (size_t i = 0; i < r->n; i++)
        slot_print(&r->slots[i], &body);
    out->failed |= body.failed;
    sealed_put(out, TITLE, NULL, buf_span(&body));
}

static enum key_state scan_state(struct text_in *in)
{
    struct span name = text_after(in, "[");
    for (unsigned s = KEY_NEXT; s < KEY_RETIRED; s++) {
        size_t n = strlen(state_names[s]);
        if (span_starts(name, span_of(state_names[s])) && span_eq_str(span_skip(name, n), "]"))
            return (enum key_state)s;
    }
    in->failed = true;
    return KEY_RETIRED;
}

/* Lines that repeat the certificate for the reader must say what it says. */
static void slot_scan(struct text_in *in, struct ring_slot *slot)
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    text_literal(in, "");
    slot->state = scan_state(in);
    struct span printed = text_after(in, "Thumbprint=");
    int64_t not_before = text_time(in, "NotBefore"), not_after = text_time(in, "NotAfter");
    slot->since = text_time(in, "Since");
    slot->published_since = text_time(in, "PublishedSince");
    slot->until = text_time(in, "Until");
    slot->cert = text_pem(in);
    if (slot->cert && (slot->cert->not_before != not_before || slot->cert->not_after != not_after ||
                          !span_eq_str(printed, thumbprint_text(slot->cert->x5t, thumbprint))))
        in->failed = true;
}

enum reason keyring_scan(struct span text, struct keyring *ret)
{
    struct text_in in = {0};
    enum reason opened = sealed_open(text, TITLE, NULL, &in.rest);
    if (opened != REASON_OK)
        return opened == REASON_OUT_OF_MEMORY ? opened : REASON_KEY_FORM;
    CLEANUP(keyring_done) struct keyring r = {.generation = (uint64_t)text_int(&in, "Generation")};
    int64_t n = text_int(&in, "Keys");
    if (n < 0 || n > KEYRING_MAX)
        return REASON_KEY_FORM;
    while (!in.failed && r.n < (size_t)n)
        slot_scan(&in, &r.slots[r.n++]);
    if (in.failed || in.rest.n != 0)
        return in.starved ? REASON_OUT_OF_MEMORY : REASON_KEY_FORM;
    return accept(&r, ret);
}
