/* SPDX-License-Identifier: Apache-2.0 */
/* The whole signer: orders about its ring, the broker's hold, and tokens about ourselves. */
#include "announce.h"
#include "document_claims.h"
#include "signer_world.h"

#include "unit.h"

#define ANNOUNCING "Announce=yes\n"
#define SIGNED "[Metadata]\nSigned=yes\n"
#define EXCH_URL "https://exch.contoso.example/metadata/json/1"
#define CONF                                                                                       \
    IDENTITY SIGNED PROCESSES                                                                      \
        "[Partner exch]\nMetadataURL=" EXCH_URL "\nProduct=s2sd\n" ANNOUNCING                      \
        "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"              \
        "[Partner sps]\nMetadataURL=https://sps.contoso.example/metadata/json/1\n"                 \
        "ApplicationId=00000003-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"

static char answer_text[JWS_TOKEN_MAX];

/* The ring that was pushed last and not looked at yet. */
static struct keyring pushed;
static bool is_pushed;

static void note_ring(struct frame_in *f)
{
    keyring_done(&pushed);
    ck_assert(msg_ring_get(f, ring_digest, &pushed));
    is_pushed = true;
}

/* The answer of that type and id; rings that are pushed meanwhile are kept. */
static struct frame_in await(enum msg_type type, uint32_t id)
{
    struct frame_in f;
    for (;;) {
        ck_assert_msg(receive(ring, &f, ANSWER_MS), "no frame of type %d, id %u", type, id);
        if (f.type == type && f.id == id)
            return f;
        if (f.type == MSG_RING)
            note_ring(&f);
    }
}

static enum reason roll(enum roll_op op, bool dry_run)
{
    static uint32_t id = 100;
    struct msg_roll m = {.op = op, .dry_run = dry_run, .who = SPAN("uid 0")};
    struct msg_rolled r;
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_ROLL, ++id);
    msg_roll_put(&f, &m);
    send_frame(ring, &f);
    struct frame_in in = await(MSG_ROLLED, id);
    ck_assert(msg_rolled_get(&in, &r));
    ck_assert_uint_gt(r.detail.n, 0);
    ck_assert_uint_lt(r.detail.n, sizeof(answer_text));
    memcpy(answer_text, r.detail.p, r.detail.n);
    answer_text[r.detail.n] = '\0';
    return r.reason;
}

static void next_ring(struct keyring *ret)
{
    struct frame_in f;
    while (!is_pushed) {
        ck_assert_msg(receive(ring, &f, ANSWER_MS), "no ring");
        if (f.type == MSG_RING)
            note_ring(&f);
    }
    keyring_done(ret);
    *ret = pushed;
    pushed = (struct keyring){0};
    is_pushed = false;
}

static enum reason sign(const struct msg_sign *m)
{
    static uint32_t id = 900;
    struct msg_signed s;
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_SIGN, ++id);
    msg_sign_put(&f, m);
    send_frame(ring, &f);
    struct frame_in in = await(MSG_SIGNED, id);
    ck_assert(msg_signed_get(&in, &s));
    ck_assert_uint_lt(s.token.n, sizeof(token));
    if (s.token.n)
        memcpy(token, s.token.p, s.token.n);
    token[s.token.n] = '\0';
    return s.reason;
}

START_TEST(orders_are_done_and_told)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    write_conf(CONF);
    start();
    next_ring(&r);
    ck_assert_int_eq(r.source, KEYS_MANAGED);
    ck_assert_int_eq(r.lead_s, 86400);
    ck_assert_int_eq(roll(ROLL_NOW, false), REASON_ROLL_REFUSED);
    ck_assert_ptr_nonnull(strstr(answer_text, "--prepare"));
    ck_assert_int_eq(roll(ROLL_PREPARE, true), REASON_OK);
    ck_assert_int_eq(roll(ROLL_ABORT, false), REASON_ROLL_REFUSED); /* that was only to look */
    ck_assert_int_eq(roll(ROLL_PREPARE, false), REASON_OK);
    next_ring(&r);
    ck_assert_ptr_nonnull(keyring_next(&r));
    ck_assert_int_eq(roll(ROLL_NOW, false), REASON_ROLL_REFUSED); /* not published */
    ck_assert_int_eq(roll(ROLL_ABORT, false), REASON_OK);
    next_ring(&r);
    ck_assert_ptr_null(keyring_next(&r));
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(log_says("next -> retired"));
}
END_TEST

START_TEST(a_hold_is_kept_over_a_restart)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    struct msg_hold m = {.held = true, .why = SPAN("exch has not seen it")};
    struct frame_out f;
    write_conf(CONF);
    start();
    ck_assert_int_eq(roll(ROLL_PREPARE, false), REASON_OK);
    next_ring(&r);
    memcpy(m.x5t_s256, keyring_next(&r)->cert->x5t_s256, sizeof(m.x5t_s256));
    frame_start(&f, room, sizeof(room), MSG_RING_HOLD, 0);
    msg_hold_put(&f, &m);
    send_frame(ring, &f);
    next_ring(&r);
    ck_assert(keyring_next(&r)->held);
    ck_assert_int_eq(end_with(SIGTERM), 0);
    closep(&ring);
    closep(&mint);
    start();
    next_ring(&r);
    ck_assert(keyring_next(&r)->held);
    ck_assert(log_says("exch has not seen it"));
}
END_TEST

/* Only to a partner that the configuration names for it, and at its own address. */
START_TEST(announcements_are_for_those_who_are_configured)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    static const struct {
        struct span partner, url;
        enum reason reason;
    } rows[] = {
        {SPAN("exch"), SPAN(EXCH_URL), REASON_OK},
        {SPAN("exch"), SPAN(EXCH_URL "/"), REASON_SIGN_REFUSED},
        {SPAN("sps"), SPAN("https://sps.contoso.example/metadata/json/1"), REASON_SIGN_REFUSED},
        {SPAN("nobody"), SPAN(EXCH_URL), REASON_SIGN_REFUSED},
    };
    write_conf(CONF);
    start();
    next_ring(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct msg_sign m = {
            .partner = rows[i].partner, .url = rows[i].url, .n = 1, .x5t = {{1, 2, 3}}};
        ck_assert_int_eq(sign(&m), rows[i].reason);
        ck_assert_int_eq(token[0] != '\0', rows[i].reason == REASON_OK);
        if (rows[i].reason == REASON_OK)
            ck_assert(is_signed_by(token, keyring_current(&r)->cert));
    }
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(log_says("signed an announcement for partner exch"));
}
END_TEST

/* What a partner's ladder reads of our own word: every published key, and a sequence that rises,
 * over a restart too. */
START_TEST(the_document_is_signed_in_a_rising_sequence)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    const struct msg_sign m = {.kind = SIGN_DOCUMENT};
    struct signed_document d;
    struct jws_scratch *scratch = jws_scratch_new();
    int64_t last = 0;
    write_conf(CONF);
    for (int run = 0; run < 2; run++) {
        start();
        next_ring(&r);
        struct partner_key key = {.key = keyring_current(&r)->cert->key,
            .not_before = keyring_current(&r)->cert->not_before,
            .not_after = keyring_current(&r)->cert->not_after,
            .has_x5t = true,
            .state = PKEY_VALID};
        memcpy(key.x5t, keyring_current(&r)->cert->x5t, X5T_LEN);
        struct signed_against against = {
            .issuer = "00000004-0000-0ff1-ce00-000000000000@contoso.example",
            .keys = &key,
            .n_keys = 1,
            .now = clock_wall_s(),
            .skew_s = 300};
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(sign(&m), REASON_OK);
            ck_assert_int_eq(
                signed_document_check(scratch, span_of(token), &against, &d), REASON_OK);
            ck_assert_int_gt(d.sequence, last);
            ck_assert(signed_document_has(&d, keyring_current(&r)->cert));
            last = d.sequence;
        }
        ck_assert_int_eq(end_with(SIGTERM), 0);
        closep(&ring);
        closep(&mint);
    }
    jws_scratch_free(scratch);
    write_conf(IDENTITY PARTNER RULES PROCESSES);
    start();
    ck_assert_int_eq(sign(&m), REASON_SIGN_REFUSED); /* Signed=no */
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, world_setup, world_teardown);
    tcase_add_test(tc, orders_are_done_and_told);
    tcase_add_test(tc, a_hold_is_kept_over_a_restart);
    tcase_add_test(tc, announcements_are_for_those_who_are_configured);
    tcase_add_test(tc, the_document_is_signed_in_a_rising_sequence);
}

int main(void)
{
    return unit_run("signer_roll", fill);
}
