/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: each comes back as it was put; cut at any length, with a byte more or of another type
 * it is refused. */
#include "msg_hint.h"
#include "unit.h"

static uint8_t room[FRAME_MAX];

/* One message under test: how it is written, and how it is read and compared with what was written.
 */
struct message {
    const char *name;
    enum msg_type type;
    void (*put)(struct frame_out *f);
    bool (*get)(struct frame_in *f); /* true: whole and equal */
    bool any_type;                   /* the caller has looked at the type */
};

static const struct msg_config config = {
    .ok = true, .digest = {1, 2, 3, 15}, .errors = SPAN("s2sd.conf:3: unknown key\n")};

static void put_config(struct frame_out *f)
{
    msg_config_put(f, &config);
}

static bool get_config(struct frame_in *f)
{
    struct msg_config m;
    return msg_config_get(f, &m) && m.ok && memcmp(m.digest, config.digest, 16) == 0 &&
           span_eq(m.errors, config.errors);
}

static const struct msg_mint mint = {.request = {.rule = SPAN("pbx"),
                                         .partner = SPAN("exch"),
                                         .host = SPAN("mail.contoso.example"),
                                         .user_kind = USER_SMTP,
                                         .user = SPAN("ann@contoso.example"),
                                         .lifetime_s = -1},
    .uid = 4294967294u,
    .pid = 77,
    .unit = SPAN("pbx.service")};

static void put_mint(struct frame_out *f)
{
    msg_mint_put(f, &mint);
}

static bool get_mint(struct frame_in *f)
{
    struct msg_mint m;
    return msg_mint_get(f, &m) && span_eq(m.request.rule, mint.request.rule) &&
           span_eq(m.request.partner, mint.request.partner) &&
           span_eq(m.request.host, mint.request.host) && m.request.user_kind == USER_SMTP &&
           span_eq(m.request.user, mint.request.user) && m.request.lifetime_s == -1 &&
           m.uid == mint.uid && m.pid == 77 && span_eq(m.unit, mint.unit);
}

static const struct msg_minted minted = {SPAN("a.b.c"), 1735700000, {7, 1, 9}};

static void put_minted(struct frame_out *f)
{
    msg_minted_put(f, &minted);
}

static bool get_minted(struct frame_in *f)
{
    struct msg_minted m;
    return msg_minted_get(f, &m) && span_eq(m.token, minted.token) &&
           m.expires_at == minted.expires_at && memcmp(m.x5t, minted.x5t, 20) == 0;
}

static const struct msg_refused refused = {REASON_QUOTA, 5, SPAN("too many")};

static void put_refused(struct frame_out *f)
{
    msg_refused_put(f, &refused);
}

static bool get_refused(struct frame_in *f)
{
    struct msg_refused m;
    return msg_refused_get(f, &m) && m.reason == REASON_QUOTA && m.retry_after_s == 5 &&
           span_eq(m.detail, refused.detail);
}

static const struct msg_fetch fetch = {.url = SPAN("https://exch/metadata/json/1"),
    .ca_file = SPAN("/etc/s2sd/ca.pem"),
    .etag = SPAN("\"x\""),
    .last_modified = SPAN("Tue, 24 Nov 2026 12:00:00 GMT"),
    .pins = {SPAN("sha256//a="), SPAN("sha256//b=")},
    .n_pins = 2,
    .public_addresses_only = true,
    .timeout_ms = 10000,
    .connect_timeout_ms = 5000,
    .max_bytes = 1048576,
    .announce = SPAN("a.b.c")};

static void put_fetch(struct frame_out *f)
{
    msg_fetch_put(f, &fetch);
}

static bool get_fetch(struct frame_in *f)
{
    struct msg_fetch m;
    return msg_fetch_get(f, &m) && span_eq(m.url, fetch.url) && span_eq(m.ca_file, fetch.ca_file) &&
           span_eq(m.etag, fetch.etag) && span_eq(m.last_modified, fetch.last_modified) &&
           m.n_pins == 2 && span_eq(m.pins[0], fetch.pins[0]) &&
           span_eq(m.pins[1], fetch.pins[1]) && m.public_addresses_only && m.timeout_ms == 10000 &&
           m.connect_timeout_ms == 5000 && m.max_bytes == 1048576 &&
           span_eq(m.announce, fetch.announce);
}

static const struct msg_fetched fetched = {.reason = REASON_FETCH_STATUS,
    .status = 503,
    .etag = SPAN("W/\"y\""),
    .last_modified = SPAN("then"),
    .max_age_s = -1,
    .retry_after_s = 120,
    .date = 1735700000,
    .date_seen_ms = 1735699999123,
    .round_trip_ms = 41,
    .detail = SPAN("exch: answered 503"),
    .address = SPAN("192.0.2.7")};

static void put_fetched(struct frame_out *f)
{
    msg_fetched_put(f, &fetched);
}

static bool get_fetched(struct frame_in *f)
{
    struct msg_fetched m;
    return msg_fetched_get(f, &m) && m.reason == REASON_FETCH_STATUS && m.status == 503 &&
           span_eq(m.etag, fetched.etag) && span_eq(m.last_modified, fetched.last_modified) &&
           m.max_age_s == -1 && m.retry_after_s == 120 && m.date == 1735700000 &&
           m.date_seen_ms == fetched.date_seen_ms && m.round_trip_ms == 41 &&
           span_eq(m.detail, fetched.detail) && span_eq(m.address, fetched.address);
}

static const struct msg_announced announced = {.partner = SPAN("exch"),
    .issued_at = 77,
    .x5ts = SPAN("0123456789012345678901234567890123456789")};

static void put_announced(struct frame_out *f)
{
    msg_announced_put(f, &announced);
}

static bool get_announced(struct frame_in *f)
{
    struct msg_announced m;
    return msg_announced_get(f, &m) && m.reason == REASON_OK &&
           span_eq(m.partner, announced.partner) && m.issued_at == 77 &&
           span_eq(m.x5ts, announced.x5ts);
}

static void put_number(struct frame_out *f)
{
    msg_number_put(f, UINT64_MAX - 1);
}

static bool get_number(struct frame_in *f)
{
    uint64_t v;
    return msg_number_get(f, &v) && v == UINT64_MAX - 1;
}

static void put_name(struct frame_out *f)
{
    msg_name_put(f, SPAN("exch"));
}

static bool get_name(struct frame_in *f)
{
    struct span s;
    return msg_name_get(f, &s) && span_eq_str(s, "exch");
}

static void put_health(struct frame_out *f)
{
    msg_health_put(f, &(struct msg_health){.may_mint = false, .may_validate = true});
}

static bool get_health(struct frame_in *f)
{
    struct msg_health m;
    return msg_health_get(f, &m) && !m.may_mint && m.may_validate;
}

static const struct msg_hint hint = {SPAN("exch"), {0xca, 0xfe, [19] = 7}, HINT_SIGNATURE};

static void put_hint(struct frame_out *f)
{
    msg_hint_put(f, &hint);
}

static bool get_hint(struct frame_in *f)
{
    struct msg_hint m;
    return msg_hint_get(f, &m) && span_eq(m.partner, hint.partner) && m.kind == HINT_SIGNATURE &&
           memcmp(m.key_id, hint.key_id, sizeof(m.key_id)) == 0;
}

static const struct msg_hint_done hint_done = {SPAN("exch"), true, 29000};

static void put_hint_done(struct frame_out *f)
{
    msg_hint_done_put(f, &hint_done);
}

static bool get_hint_done(struct frame_in *f)
{
    struct msg_hint_done m;
    return msg_hint_done_get(f, &m) && span_eq(m.partner, hint_done.partner) && m.fetched &&
           m.quiet_ms == 29000;
}

static const struct msg_hold hold = {{1, 2, [31] = 9}, true, SPAN("exch has not seen it")};

static void put_hold(struct frame_out *f)
{
    msg_hold_put(f, &hold);
}

static bool get_hold(struct frame_in *f)
{
    struct msg_hold m;
    return msg_hold_get(f, &m) && m.held && memcmp(m.x5t_s256, hold.x5t_s256, 32) == 0 &&
           span_eq(m.why, hold.why);
}

static const struct msg_roll roll = {.op = ROLL_WITHDRAW,
    .effective_at = 1735700000,
    .force = true,
    .dry_run = false,
    .x5t = {7, [19] = 8},
    .who = SPAN("uid 0: stolen")};

static void put_roll(struct frame_out *f)
{
    msg_roll_put(f, &roll);
}

static bool get_roll(struct frame_in *f)
{
    struct msg_roll m;
    return msg_roll_get(f, &m) && m.op == ROLL_WITHDRAW && m.effective_at == roll.effective_at &&
           m.force && !m.dry_run && memcmp(m.x5t, roll.x5t, 20) == 0 && span_eq(m.who, roll.who);
}

static const struct msg_rolled rolled = {REASON_OK, SPAN("a\nb\n"), UINT64_MAX};

static void put_rolled(struct frame_out *f)
{
    msg_rolled_put(f, &rolled);
}

static bool get_rolled(struct frame_in *f)
{
    struct msg_rolled m;
    return msg_rolled_get(f, &m) && m.reason == REASON_OK && span_eq(m.detail, rolled.detail) &&
           m.generation == UINT64_MAX;
}

static const struct msg_sign sign = {
    SIGN_ANNOUNCE, SPAN("exch"), SPAN("https://exch/metadata/json/1"), 2, {{1}, {[19] = 2}}};

static void put_sign(struct frame_out *f)
{
    msg_sign_put(f, &sign);
}

static bool get_sign(struct frame_in *f)
{
    struct msg_sign m;
    return msg_sign_get(f, &m) && m.kind == SIGN_ANNOUNCE && span_eq(m.partner, sign.partner) &&
           span_eq(m.url, sign.url) && m.n == 2 && memcmp(m.x5t, sign.x5t, 40) == 0;
}

static const struct msg_signed signed_ = {REASON_OK, SPAN("a.b.c"), 1735700060, SPAN("")};

static void put_signed(struct frame_out *f)
{
    msg_signed_put(f, &signed_);
}

static bool get_signed(struct frame_in *f)
{
    struct msg_signed m;
    return msg_signed_get(f, &m) && m.reason == REASON_OK && span_eq(m.token, signed_.token) &&
           m.expires_at == 1735700060 && m.detail.n == 0;
}

static const struct msg_seal seal = {SIGN_DOCUMENT, SPAN("{}"), 5};

static void put_seal(struct frame_out *f)
{
    msg_seal_put(f, &seal);
}

static bool get_seal(struct frame_in *f)
{
    struct msg_seal m;
    return msg_seal_get(f, &m) && m.kind == SIGN_DOCUMENT && span_eq(m.claims, seal.claims) &&
           m.expires_at == 5;
}

static void put_signing_key(struct frame_out *f)
{
    msg_signing_key_put(f, minted.x5t);
}

static bool get_signing_key(struct frame_in *f)
{
    unsigned char x5t[20];
    return msg_signing_key_get(f, x5t) && memcmp(x5t, minted.x5t, 20) == 0;
}

static const struct msg_suspended suspended = {SPAN("exch"), true};

static void put_suspended(struct frame_out *f)
{
    msg_suspended_put(f, &suspended);
}

static bool get_suspended(struct frame_in *f)
{
    struct msg_suspended m;
    return msg_suspended_get(f, &m) && span_eq(m.partner, suspended.partner) && m.suspended;
}

static const struct message messages[] = {
    {"config", MSG_CONFIG_READY, put_config, get_config, false},
    {"mint", MSG_MINT, put_mint, get_mint, false},
    {"minted", MSG_MINTED, put_minted, get_minted, false},
    {"refused", MSG_REFUSED, put_refused, get_refused, false},
    {"fetch", MSG_FETCH, put_fetch, get_fetch, false},
    {"fetched", MSG_FETCHED, put_fetched, get_fetched, false},
    {"number", MSG_RING_PUBLISHED, put_number, get_number, true},
    {"name", MSG_TRUST_GONE, put_name, get_name, true},
    {"health", MSG_HEALTH, put_health, get_health, false},
    {"hint", MSG_HINT, put_hint, get_hint, false},
    {"hint done", MSG_HINT_DONE, put_hint_done, get_hint_done, false},
    {"announced", MSG_ANNOUNCED, put_announced, get_announced, false},
    {"hold", MSG_RING_HOLD, put_hold, get_hold, false},
    {"roll", MSG_ROLL, put_roll, get_roll, false},
    {"rolled", MSG_ROLLED, put_rolled, get_rolled, false},
    {"sign", MSG_SIGN, put_sign, get_sign, false},
    {"signed", MSG_SIGNED, put_signed, get_signed, false},
    {"signing key", MSG_SIGNING_KEY, put_signing_key, get_signing_key, false},
    {"seal", MSG_SEAL, put_seal, get_seal, false},
    {"suspended", MSG_SUSPENDED, put_suspended, get_suspended, false},
};

static size_t put(const struct message *m, unsigned type)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, 9);
    m->put(&f);
    return frame_finish(&f);
}

static bool get(const struct message *m, size_t n)
{
    struct frame_in f;
    return frame_open(&f, room, n) && m->get(&f);
}

START_TEST(every_message_comes_back)
{
    const struct message *m = &messages[_i];
    size_t n = put(m, m->type);
    ck_assert_msg(n > FRAME_HEAD && get(m, n), "%s", m->name);
}
END_TEST

START_TEST(no_shorter_or_longer_one_is_taken)
{
    const struct message *m = &messages[_i];
    size_t n = put(m, m->type);
    for (size_t cut = 0; cut < n; cut++)
        ck_assert_msg(!get(m, cut), "%s cut to %zu of %zu", m->name, cut, n);
    room[n] = 0;
    ck_assert_msg(!get(m, n + 1), "%s with a byte more", m->name);
}
END_TEST

START_TEST(another_type_is_not_taken)
{
    const struct message *m = &messages[_i];
    ck_assert_int_eq(get(m, put(m, m->type + 1u)), m->any_type);
}
END_TEST

/* No room: the frame says so instead of being cut. */
START_TEST(a_message_that_does_not_fit_fails)
{
    const struct message *m = &messages[_i];
    size_t n = put(m, m->type);
    for (size_t cap = FRAME_HEAD; cap < n; cap++) {
        struct frame_out f;
        frame_start(&f, room, cap, (uint16_t)m->type, 9);
        m->put(&f);
        ck_assert_msg(frame_finish(&f) == 0, "%s in %zu bytes", m->name, cap);
    }
}
END_TEST

/* Starts a frame for fields that no put would write. */
static struct frame_out start(enum msg_type type)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, 9);
    return f;
}

static struct frame_in reopen(const struct frame_out *f)
{
    struct frame_in in;
    ck_assert(frame_open(&in, room, frame_finish(f)));
    return in;
}

/* What a validator found is either a partner's word or a refusal, and its list has a cap. */
START_TEST(half_an_announcement_is_refused)
{
    static char many[(MSG_ANNOUNCE_KEYS_MAX + 1) * X5T_LEN];
    static const struct {
        struct msg_announced m;
        bool taken;
    } rows[] = {
        {{REASON_SIGNATURE, SPAN(""), 0, SPAN("")}, true},
        {{REASON_SIGNATURE, SPAN("exch"), 0, SPAN("")}, false},
        {{REASON_OK, SPAN(""), 0, SPAN("")}, false},
        {{REASON_OK, SPAN("exch"), 0, SPAN("0123456789")}, false},
        {{REASON_OK, SPAN("exch"), 0, {many, sizeof(many) - X5T_LEN}}, true},
        {{REASON_OK, SPAN("exch"), 0, {many, sizeof(many)}}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct msg_announced m;
        struct frame_out f = start(MSG_ANNOUNCED);
        msg_announced_put(&f, &rows[i].m);
        struct frame_in in = reopen(&f);
        ck_assert_msg(msg_announced_get(&in, &m) == rows[i].taken, "row %zu", i);
    }
}
END_TEST

START_TEST(values_outside_their_range_are_refused)
{
    struct msg_refused r;
    struct msg_health h;
    struct msg_fetch fe;
    struct msg_config c;
    struct msg_hint hi;

    struct frame_out f = start(MSG_REFUSED);
    msg_refused_put(&f, &(struct msg_refused){.reason = REASON_COUNT});
    struct frame_in in = reopen(&f);
    ck_assert(!msg_refused_get(&in, &r));

    f = start(MSG_REFUSED); /* refused, and all is well: one of the two is wrong */
    msg_refused_put(&f, &(struct msg_refused){.reason = REASON_OK});
    in = reopen(&f);
    ck_assert(!msg_refused_get(&in, &r));

    f = start(MSG_HEALTH); /* a truth is 0 or 1 */
    frame_put_u8(&f, 2);
    frame_put_u8(&f, 1);
    in = reopen(&f);
    ck_assert(!msg_health_get(&in, &h));

    f = start(MSG_FETCH); /* more pins than there is room for */
    for (int i = 0; i < 4; i++)
        frame_put_str(&f, "x");
    frame_put_u32(&f, MSG_PINS_MAX + 1);
    in = reopen(&f);
    ck_assert(!msg_fetch_get(&in, &fe));

    f = start(MSG_FETCH);
    struct msg_fetch many = fetch;
    many.n_pins = MSG_PINS_MAX + 1;
    msg_fetch_put(&f, &many);
    ck_assert_uint_eq(frame_finish(&f), 0);

    f = start(MSG_CONFIG_READY); /* a digest of another length */
    frame_put_u8(&f, 1);
    frame_put_str(&f, "short");
    frame_put_str(&f, "");
    in = reopen(&f);
    ck_assert(!msg_config_get(&in, &c));

    f = start(MSG_HINT); /* a thumbprint of another length */
    frame_put_str(&f, "exch");
    frame_put_str(&f, "short");
    in = reopen(&f);
    ck_assert(!msg_hint_get(&in, &hi));
}
END_TEST

START_TEST(what_a_signature_is_for_is_whole)
{
    static const struct {
        struct msg_sign m;
        bool taken;
    } rows[] = {
        {{SIGN_DOCUMENT, SPAN(""), SPAN(""), 0, {{0}}}, true},
        {{SIGN_ANNOUNCE, SPAN("exch"), SPAN("https://e/m"), 0, {{0}}}, true},
        {{SIGN_ANNOUNCE, SPAN(""), SPAN("https://e/m"), 0, {{0}}}, false},
        {{SIGN_ANNOUNCE, SPAN("exch"), SPAN(""), 0, {{0}}}, false},
        {{SIGN_DOCUMENT, SPAN("exch"), SPAN(""), 0, {{0}}}, false},
        {{SIGN_DOCUMENT, SPAN(""), SPAN(""), 1, {{0}}}, false},
        {{(enum sign_kind)2, SPAN("exch"), SPAN("https://e/m"), 0, {{0}}}, false},
        {{SIGN_ANNOUNCE, SPAN("exch"), SPAN("https://e/m"), MSG_SIGN_KEYS_MAX, {{0}}}, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct msg_sign got;
        struct frame_out f = start(MSG_SIGN);
        msg_sign_put(&f, &rows[i].m);
        struct frame_in in = reopen(&f);
        ck_assert_msg(msg_sign_get(&in, &got) == rows[i].taken, "row %zu", i);
    }
    struct msg_roll r = roll, back;
    r.op = (enum roll_op)(ROLL_CLEAR_PREVIOUS + 1);
    struct frame_out f = start(MSG_ROLL);
    msg_roll_put(&f, &r);
    struct frame_in in = reopen(&f);
    ck_assert(!msg_roll_get(&in, &back));

    struct msg_signed s = {REASON_QUOTA, SPAN("a.b.c"), 0, SPAN("")}, sb; /* refused and signed */
    f = start(MSG_SIGNED);
    msg_signed_put(&f, &s);
    in = reopen(&f);
    ck_assert(!msg_signed_get(&in, &sb));
}
END_TEST

START_TEST(an_order_names_user_and_kind_together)
{
    static const struct {
        enum user_kind kind;
        const char *user;
        bool taken;
    } rows[] = {
        {USER_NONE, "", true},
        {USER_UPN, "ann@contoso.example", true},
        {USER_SIP, "ann@contoso.example", true},
        {USER_NONE, "ann@contoso.example", false},
        {USER_UPN, "", false},
        {(enum user_kind)(USER_SIP + 1), "ann@contoso.example", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct msg_mint m = mint, got;
        m.request.user_kind = rows[i].kind;
        m.request.user = span_of(rows[i].user);
        struct frame_out f = start(MSG_MINT);
        msg_mint_put(&f, &m);
        struct frame_in in = reopen(&f);
        ck_assert_int_eq(msg_mint_get(&in, &got), rows[i].taken);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, every_message_comes_back, 0, ARRAY_LEN(messages));
    tcase_add_loop_test(tc, no_shorter_or_longer_one_is_taken, 0, ARRAY_LEN(messages));
    tcase_add_loop_test(tc, another_type_is_not_taken, 0, ARRAY_LEN(messages));
    tcase_add_loop_test(tc, a_message_that_does_not_fit_fails, 0, ARRAY_LEN(messages));
    tcase_add_test(tc, values_outside_their_range_are_refused);
    tcase_add_test(tc, half_an_announcement_is_refused);
    tcase_add_test(tc, an_order_names_user_and_kind_together);
    tcase_add_test(tc, what_a_signature_is_for_is_whole);
}

int main(void)
{
    return unit_run("shared_msg", fill);
}
