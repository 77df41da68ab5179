/* SPDX-License-Identifier: Apache-2.0 */
/* What we read back of our own: partner state files, key ring files, and both as frames. The first
 * byte says which; for files also whether the rest is a body that is still to be sealed, because a
 * digest would keep a mutated body from ever being read. What is accepted must print to something
 * that reads the same. */
#include "state.h"
#include "cleanup.h"
#include "rollover.h"
#include "sealed_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum kind {
    STATE_FILE,
    STATE_BODY,
    RING_FILE,
    RING_BODY,
    TRUST_FRAME,
    RING_FRAME,
    STATE_BODY_1,
    KINDS
};

#define TEXT_MAX (4 * 1024 * 1024)

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void state(struct span text)
{
    CLEANUP(partner_state_freep) struct partner_state *s = calloc(1, sizeof(*s));
    CLEANUP(partner_state_freep) struct partner_state *back = calloc(1, sizeof(*back));
    CLEANUP(buf_done) struct buf one = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_done) struct buf two = BUF_INIT(TEXT_MAX);
    if (!s || !back || partner_state_scan(text, SPAN("fuzz"), s) != REASON_OK)
        return;
    must(partner_state_print(s, &one) == REASON_OK);
    must(partner_state_scan(buf_span(&one), SPAN("fuzz"), back) == REASON_OK);
    must(partner_state_print(back, &two) == REASON_OK);
    must(span_eq(buf_span(&one), buf_span(&two)));
}

static void check_ring(struct keyring *r)
{
    CLEANUP(keyring_done) struct keyring back = {0};
    CLEANUP(buf_done) struct buf one = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_done) struct buf two = BUF_INIT(TEXT_MAX);
    keyring_print(r, &one);
    must(!one.failed && keyring_scan(buf_span(&one), &back) == REASON_OK);
    keyring_print(&back, &two);
    must(span_eq(buf_span(&one), buf_span(&two)));
    must(r->n == 0 || keyring_current(r) == &r->slots[0]);
    /* Whatever a text says, the machine goes on from it. */
    struct roll_terms terms = {.lead_s = 1, .keep_s = 1};
    unsigned todo;
    if (r->n && keyring_current(r))
        must(rollover_step(r, EVENT_TICK, NULL, &terms, INT64_MAX / 2, &todo) == REASON_OK);
    keyring_sweep(r);
}

static void ring_text(struct span text)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    if (keyring_scan(text, &r) == REASON_OK)
        check_ring(&r);
}

static void ring_frame(struct frame_in *f)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    if (keyring_get(f, &r) == REASON_OK && frame_end(f))
        check_ring(&r);
}

static void trust_frame(struct frame_in *f)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof(*t));
    CLEANUP(freep) uint8_t *room = malloc(FRAME_MAX);
    if (!t || !room || partner_trust_get(f, t) != REASON_OK || !frame_end(f))
        return;
    struct frame_out out;
    frame_start(&out, room, FRAME_MAX, f->type, f->id);
    partner_trust_put(&out, t);
    must(frame_finish(&out) > 0 && frame_finish(&out) <= f->n);
}

static void sealed(const char *title, const char *name, struct span body, void (*read)(struct span))
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
    sealed_put(&text, title, name, body);
    if (!text.failed)
        read(buf_span(&text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct frame_in f;
    if (n == 0)
        return 0;
    struct span rest = span_bytes(data + 1, n - 1);
    switch ((enum kind)(data[0] % KINDS)) {
    case STATE_FILE:
        state(rest);
        break;
    case STATE_BODY:
        sealed("s2sd partner state 2", "fuzz", rest, state);
        break;
    case STATE_BODY_1:
        sealed("s2sd partner state 1", "fuzz", rest, state);
        break;
    case RING_FILE:
        ring_text(rest);
        break;
    case RING_BODY:
        sealed("s2sd key ring 1", NULL, rest, ring_text);
        break;
    case TRUST_FRAME:
        if (frame_open(&f, rest.p, rest.n))
            trust_frame(&f);
        break;
    case RING_FRAME:
        if (frame_open(&f, rest.p, rest.n))
            ring_frame(&f);
        break;
    case KINDS:
        break;
    }
    return 0;
}
