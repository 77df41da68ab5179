/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include "cleanup.h"
#include "sealed_text.h"

#define TITLE "s2sd key ring 2"
#define TITLE_1 "s2sd key ring 1" /* without dates and hold */
#define RING_TEXT_MAX (KEYRING_SLOTS * 2 * CERT_DER_MAX)

/* Order of publication. Old readers take the first key only (protocol note 1.4). */
static const unsigned rank[] = {
    [KEY_CURRENT] = 0, [KEY_NEXT] = 1, [KEY_PREVIOUS] = 2, [KEY_RETIRED] = 3};

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

struct ring_slot *keyring_find(struct keyring *r, const uint8_t x5t_s256[X5T_S256_LEN])
{
    for (size_t i = 0; i < r->n; i++)
        if (memcmp(r->slots[i].cert->x5t_s256, x5t_s256, X5T_S256_LEN) == 0)
            return &r->slots[i];
    return NULL;
}

static const struct ring_slot *first_of(const struct keyring *r, enum key_state state)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].state == state)
            return &r->slots[i];
    return NULL;
}

const struct ring_slot *keyring_current(const struct keyring *r)
{
    return first_of(r, KEY_CURRENT);
}

const struct ring_slot *keyring_next(const struct keyring *r)
{
    return first_of(r, KEY_NEXT);
}

size_t keyring_count(const struct keyring *r, enum key_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->slots[i].state == state;
    return n;
}

/* Thumbprints are compared as partners see them. */
static bool is_twice(const struct keyring *r, size_t at)
{
    for (size_t k = 0; k < at; k++)
        if (r->slots[k].state != KEY_RETIRED && r->slots[at].state != KEY_RETIRED &&
            memcmp(r->slots[at].cert->x5t, r->slots[k].cert->x5t, X5T_LEN) == 0)
            return true;
    return false;
}

bool keyring_is_sound(const struct keyring *r)
{
    if (r->n > KEYRING_SLOTS || r->n - keyring_count(r, KEY_RETIRED) > KEYRING_MAX ||
        keyring_count(r, KEY_CURRENT) != 1 || keyring_count(r, KEY_NEXT) > 1)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (is_twice(r, i))
            return false;
    return true;
}

/* Stable insertion sort: by rank, then the newest first. */
void keyring_sort(struct keyring *r)
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

void keyring_sweep(struct keyring *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->slots[i].state == KEY_RETIRED)
            cert_free(r->slots[i].cert);
        else
            r->slots[kept++] = r->slots[i];
    }
    r->n = kept;
}

size_t keyring_published_certs(const struct keyring *r, const struct cert *out[KEYRING_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < r->n && n < KEYRING_MAX; i++)
        if (r->slots[i].state != KEY_RETIRED)
            out[n++] = r->slots[i].cert;
    return n;
}

/* The last rung of reading: takes the ring over when it is sound. */
static enum reason accept(struct keyring *read, struct keyring *ret)
{
    if (read->n && !keyring_is_sound(read))
        return REASON_KEY_FORM;
    keyring_sort(read);
    *ret = *read;
    *read = (struct keyring){0};
    return REASON_OK;
}

void keyring_put(struct frame_out *f, const struct keyring *r)
{
    frame_put_u64(f, r->generation);
    frame_put_u32(f, (uint32_t)(r->n - keyring_count(r, KEY_RETIRED)));
    for (size_t i = 0; i < r->n; i++) {
        const struct ring_slot *slot = &r->slots[i];
        if (slot->state == KEY_RETIRED)
            continue;
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
    text_put_time(out, "EffectiveAt", slot->effective_at);
    text_put_int(out, "Held", slot->held);
    text_put_int(out, "Forced", slot->forced);
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
    for (unsigned s = KEY_NEXT; s <= KEY_RETIRED; s++) {
        size_t n = strlen(state_names[s]);
        if (span_starts(name, span_of(state_names[s])) && span_eq_str(span_skip(name, n), "]"))
            return (enum key_state)s;
    }
    in->failed = true;
    return KEY_RETIRED;
}

/* Lines that repeat the certificate for the reader must say what it says. */
static void slot_scan(struct text_in *in, bool is_first_edition, struct ring_slot *slot)
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    text_literal(in, "");
    slot->state = scan_state(in);
    struct span printed = text_after(in, "Thumbprint=");
    int64_t not_before = text_time(in, "NotBefore"), not_after = text_time(in, "NotAfter");
    slot->since = text_time(in, "Since");
    slot->published_since = text_time(in, "PublishedSince");
    slot->until = text_time(in, "Until");
    if (!is_first_edition) {
        slot->effective_at = text_time(in, "EffectiveAt");
        slot->held = text_bool(in, "Held");
        slot->forced = text_bool(in, "Forced");
    }
    slot->cert = text_pem(in);
    if (slot->cert && (slot->cert->not_before != not_before || slot->cert->not_after != not_after ||
                          !span_eq_str(printed, thumbprint_text(slot->cert->x5t, thumbprint))))
        in->failed = true;
}

enum reason keyring_scan(struct span text, struct keyring *ret)
{
    struct text_in in = {0};
    enum reason opened = sealed_open(text, TITLE, NULL, &in.rest);
    bool is_first_edition =
        opened == REASON_DOCUMENT_FORM && sealed_open(text, TITLE_1, NULL, &in.rest) == REASON_OK;
    if (opened != REASON_OK && !is_first_edition)
        return opened == REASON_OUT_OF_MEMORY ? opened : REASON_KEY_FORM;
    CLEANUP(keyring_done) struct keyring r = {.generation = (uint64_t)text_int(&in, "Generation")};
    int64_t n = text_int(&in, "Keys");
    if (n < 0 || n > KEYRING_SLOTS)
        return REASON_KEY_FORM;
    while (!in.failed && r.n < (size_t)n)
        slot_scan(&in, is_first_edition, &r.slots[r.n++]);
    if (in.failed || in.rest.n != 0)
        return in.starved ? REASON_OUT_OF_MEMORY : REASON_KEY_FORM;
    return accept(&r, ret);
}
