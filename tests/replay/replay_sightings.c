/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides over weeks, under a clock that the test moves: a partner that announces itself and one
 * that does not refresh by itself; our witness, limits, validator and the signer's machine, all
 * real. Only sockets are played: a visit is a call, a lost judgement is one that is not made. */
#include "announce.h"
#include "announce_judge.h"
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "rollover.h"
#include "settings_of.h"
#include "temp_dir.h"
#include "token_maker.h"
#include "witness.h"

#include "unit/unit.h"

#define T0 INT64_C(1795500000)
#define DAY INT64_C(86400)
#define URL "https://lync.contoso.example/metadata/json/1"
#define PEER                                                                                       \
    "[Partner peer]\nMetadataURL=https://peer.example/metadata/json/1\n"                           \
    "ApplicationId=00000006-0000-0ff1-ce00-000000000000\nRealm=peer.example\nProduct=s2sd\n"
#define EXCH                                                                                       \
    "[Partner exch]\nMetadataURL=https://exch.example/metadata/json/1\n"                           \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=exch.example\nProduct=exchange\n"
#define US                                                                                         \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"

/* Made once: ours (0, 1, 2), the partner's, a forger's. */
static struct signkey *our_keys[3], *peer_key, *forger;

struct sheet {
    char text[4096];
    size_t n;
};

static struct stage {
    struct temp_dir dir;
    struct event_base *base;
    struct worker worker; /* the validator's settings and store */
    struct announce_judge *judge;
    struct announces *announces;
    struct witness *witness;
    struct keyring ring;
    struct roll_terms terms;
    int64_t now;
    /* tokens on their way to the validator */
    struct sheet said[8];
    uint64_t n_said, n_judged;
    /* what was said to the signer */
    unsigned holds;
    bool held, pool_holds;
} s;

static int on_judge(struct span token, uint64_t *ret_ticket, void *arg)
{
    (void)arg;
    struct sheet *sheet = &s.said[s.n_said % ARRAY_LEN(s.said)];
    ck_assert_uint_lt(token.n, sizeof(sheet->text));
    memcpy(sheet->text, token.p, token.n);
    sheet->n = token.n;
    *ret_ticket = s.n_said++;
    return 0;
}

static void on_word(const struct msg_announced *m, const struct edition *shown, void *arg)
{
    (void)arg;
    witness_heard(s.witness, m, shown);
}

/* The signer takes the broker's word. */
static void on_hold(const struct msg_hold *m, void *arg)
{
    (void)arg;
    unsigned todo;
    struct roll_arg roll = {.held = m->held, .x5t_s256 = m->x5t_s256};
    s.holds++;
    s.held = m->held;
    ck_assert_int_eq(m->held, m->why.n > 0);
    ck_assert_int_eq(rollover_step(&s.ring, EVENT_HOLD, &roll, &s.terms, s.now, &todo), REASON_OK);
}

static bool else_held(const uint8_t x5t_s256[X5T_S256_LEN], char *why, size_t why_len, void *arg)
{
    (void)x5t_s256;
    (void)arg;
    snprintf(why, why_len, "another member does not publish it yet");
    return s.pool_holds;
}

static const struct announces_ops announces_ops = {.judge = on_judge, .on_word = on_word};
static const struct witness_ops witness_ops = {.on_hold = on_hold, .else_held = else_held};

/* ---- our side ---- */

static void publish_peer_key(void)
{
    struct partner_trust t = {
        .name = maker_copy("peer", 4), .generation = 1, .good_at = s.now, .n_keys = 1};
    const struct cert *c = signkey_cert(peer_key);
    t.keys[0] = (struct partner_key){.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .key = pubkey_ref(c->key)};
    memcpy(t.keys[0].x5t, c->x5t, X5T_LEN);
    memcpy(t.keys[0].x5t_s256, c->x5t_s256, X5T_S256_LEN);
    ck_assert_int_eq(store_put(s.worker.store, &t), REASON_OK);
    partner_trust_done(&t);
}

static void set_time(int64_t now)
{
    s.now = now;
    clock_fake(now, (now - T0 + 1000) * 1000);
    publish_peer_key(); /* its document is fetched all the time */
}

static void start_broker(const char *conf)
{
    settings_freep(&s.worker.settings);
    s.worker.settings = settings_of(conf);
    s.announces = announces_new(&announces_ops, NULL);
    s.witness = witness_new(s.base, s.dir.path, &witness_ops, NULL);
    ck_assert(s.announces && s.witness);
    witness_use(s.witness, s.worker.settings);
    witness_ring(s.witness, &s.ring);
}

static void stop_broker(void)
{
    witness_free(s.witness);
    announces_free(s.announces);
}

static void step(enum roll_event ev, struct roll_arg arg)
{
    unsigned todo;
    ck_assert_int_eq(rollover_step(&s.ring, ev, &arg, &s.terms, s.now, &todo), REASON_OK);
    keyring_sweep(&s.ring);
}

/* The signer has a new ring, the broker publishes it. */
static void push_ring(void)
{
    if (s.witness)
        witness_ring(s.witness, &s.ring);
    step(EVENT_PUBLISHED, (struct roll_arg){.generation = s.ring.generation});
}

/* Key `i` becomes NEXT, to sign in `days`. */
static void stage_next(size_t i, int64_t days)
{
    struct cert *copy;
    const struct cert *c = signkey_cert(our_keys[i]);
    ck_assert_int_eq(cert_parse((struct span){c->der, c->der_len}, &copy), REASON_OK);
    step(EVENT_STAGE, (struct roll_arg){.cert = copy, .effective_at = s.now + days * DAY});
    push_ring();
}

static void set_up(void)
{
    s = (struct stage){.terms = {.source = KEYS_FILES, .lead_s = DAY, .keep_s = 3600}};
    temp_dir_make(&s.dir);
    s.base = event_base_new();
    s.worker.store = store_new();
    s.judge = announce_judge_new();
    ck_assert(s.base && s.worker.store && s.judge);
    set_time(T0);
    ck_assert_int_eq(rollover_first(&s.ring, signkey_cert(our_keys[0]), T0), REASON_OK);
    s.ring.lead_s = DAY;
    push_ring();
    start_broker(US PEER EXCH);
}

static void tear_down(void)
{
    stop_broker();
    announce_judge_free(s.judge);
    keyring_done(&s.ring);
    store_free(s.worker.store);
    settings_free(s.worker.settings);
    event_base_free(s.base);
    temp_dir_remove(&s.dir);
}

/* ---- the partner's side ---- */

/* A token that says: I believe the keys of `keys` ("01"), signed by `by`, now. */
static struct buf announcement(const char *keys, struct signkey *by)
{
    char app[] = "00000006-0000-0ff1-ce00-000000000000", realm[] = "peer.example";
    char issuer[] = "00000006-0000-0ff1-ce00-000000000000@peer.example";
    struct identity peer = {.app_id = app, .realm = realm, .issuer = issuer};
    uint8_t list[4][X5T_LEN];
    CLEANUP(buf_done) struct buf claims = BUF_INIT(4096);
    CLEANUP(maker_object_done) struct maker_object header = {0}, body = {0};
    struct buf token = BUF_INIT(8192);
    char bare[X5T_TEXT_LEN], x5t[X5T_TEXT_LEN + 2];
    int64_t expires_at;
    struct announcement a = {.identity = &peer, .url = SPAN(URL), .trusts = list, .now = s.now};
    for (; keys[a.n_trusts]; a.n_trusts++)
        memcpy(list[a.n_trusts], signkey_cert(our_keys[keys[a.n_trusts] - '0'])->x5t, X5T_LEN);
    ck_assert_int_eq(announce_compose(&a, &claims, &expires_at), REASON_OK);
    ck_assert_int_eq(expires_at, s.now + ANNOUNCE_LIFE_S);
    buf_put_char(&claims, '\0');
    body.instead = maker_copy(claims.p, claims.n - 1);
    snprintf(x5t, sizeof(x5t), "\"%s\"", x5t_text(signkey_cert(peer_key)->x5t, bare));
    maker_edit(&header, "typ=\"" ANNOUNCE_TYP "\";alg=\"RS256\"");
    maker_set(&header, "x5t", x5t);
    maker_put_token(&token, &header, &body, SEAL_RIGHT, by);
    return token;
}

/* Somebody fetches our document and says that. */
static void visit(const struct buf *token)
{
    struct edition shown;
    edition_of(&s.ring, &shown);
    announces_say(s.announces, buf_span(token), true, &shown);
}

/* The validator judges what it was handed, and answers. */
static void validate(void)
{
    for (; s.n_judged < s.n_said; s.n_judged++) {
        const struct sheet *sheet = &s.said[s.n_judged % ARRAY_LEN(s.said)];
        struct msg_announced m;
        announce_judge_token(s.judge, &s.worker, (struct span){sheet->text, sheet->n}, &m);
        const struct partner_sightings *p =
            sightings_partner(witness_sightings(s.witness), m.partner);
        announces_judged(s.announces, s.n_judged, &m, p ? p->announced_at : 0);
    }
}

/* The partner fetches, believing `keys`; it is an hour later then. */
static void fetch_believing(const char *keys)
{
    CLEANUP(buf_done) struct buf token = announcement(keys, peer_key);
    visit(&token);
    validate();
    set_time(s.now + 3600);
}

static const char *how(const char *partner, size_t key)
{
    const struct sighting *k = sightings_of(
        witness_sightings(s.witness), span_of(partner), signkey_cert(our_keys[key])->x5t_s256);
    return k ? sighting_how_name(k->how) : "unknown";
}

static void confirm(const char *partner)
{
    struct edition all;
    edition_of(&s.ring, &all);
    witness_saw(s.witness, span_of(partner), &all, SIGHTING_CONFIRMED);
}

static size_t current_is(void)
{
    const uint8_t *x5t = keyring_current(&s.ring)->cert->x5t;
    for (size_t i = 0; i < ARRAY_LEN(our_keys); i++)
        if (memcmp(signkey_cert(our_keys[i])->x5t, x5t, X5T_LEN) == 0)
            return i;
    return SIZE_MAX;
}

/* Days pass; each of them the signer's timer and the witness's fire. */
static void days(int n)
{
    for (int i = 0; i < n; i++) {
        set_time(s.now + DAY);
        step(EVENT_TICK, (struct roll_arg){0});
        witness_tick(s.witness);
    }
}

/* ---- scenarios ---- */

START_TEST(a_key_is_fetched_then_announced)
{
    fetch_believing("0");
    ck_assert_str_eq(how("peer", 0), "announced");
    stage_next(1, 30);
    ck_assert_str_eq(how("peer", 1), "unknown");
    fetch_believing("0"); /* is shown it by this fetch */
    ck_assert_str_eq(how("peer", 1), "fetched");
    fetch_believing("01");
    ck_assert_str_eq(how("peer", 1), "announced");
    ck_assert_uint_eq(announces_counted(s.announces)->taken, 3);
}
END_TEST

START_TEST(a_partner_that_was_shown_a_key_and_does_not_believe_it_is_waited_for)
{
    confirm("exch");
    fetch_believing("0");
    stage_next(1, 30);
    confirm("exch");
    ck_assert(!s.held);
    fetch_believing("0");
    ck_assert(!s.held);
    fetch_believing("0"); /* it has had the key for an hour */
    ck_assert_str_eq(how("peer", 1), "doubted");
    ck_assert(s.held);
    fetch_believing("01");
    ck_assert(!s.held);
}
END_TEST

START_TEST(a_lost_judgement_costs_one_announcement_and_nothing_else)
{
    CLEANUP(buf_done) struct buf token = announcement("0", peer_key);
    visit(&token);
    s.n_judged = s.n_said; /* that validator died */
    ck_assert_str_eq(how("peer", 0), "unknown");
    set_time(s.now + 3600);
    fetch_believing("0");
    ck_assert_str_eq(how("peer", 0), "announced");
}
END_TEST

START_TEST(a_forged_announcement_changes_nothing)
{
    CLEANUP(buf_done) struct buf forged = announcement("01", forger);
    stage_next(1, 30);
    visit(&forged);
    validate();
    ck_assert_str_eq(how("peer", 0), "unknown");
    ck_assert_str_eq(how("peer", 1), "unknown");
    ck_assert_uint_eq(announces_counted(s.announces)->refused, 1);
    ck_assert_uint_eq(announces_counted(s.announces)->taken, 0);
}
END_TEST

/* Who has caught one may say it again while it lives: nothing comes of it, not even for a key that
 * has been published meanwhile. */
START_TEST(a_repeated_announcement_is_harmless)
{
    CLEANUP(buf_done) struct buf caught = announcement("0", peer_key);
    visit(&caught);
    validate();
    stage_next(1, 30);
    for (int64_t later = 1; later < 500; later += 7) {
        set_time(T0 + later);
        visit(&caught);
        validate();
        ck_assert_str_eq(how("peer", 1), "unknown");
        ck_assert_str_eq(how("peer", 0), "announced");
    }
    /* after a restart, too */
    stop_broker();
    start_broker(US PEER EXCH);
    set_time(T0 + 100);
    visit(&caught);
    validate();
    ck_assert_str_eq(how("peer", 1), "unknown");
}
END_TEST

START_TEST(a_withdrawn_key_is_forgotten)
{
    stage_next(1, 30);
    fetch_believing("01");
    confirm("exch");
    ck_assert_str_eq(how("peer", 1), "announced");
    step(EVENT_WITHDRAW, (struct roll_arg){.x5t = signkey_cert(our_keys[1])->x5t});
    push_ring();
    ck_assert_str_eq(how("peer", 1), "unknown");
    ck_assert_str_eq(how("exch", 1), "unknown");
    ck_assert_str_eq(how("peer", 0), "announced");
}
END_TEST

START_TEST(a_restart_keeps_everything)
{
    stage_next(1, 30);
    fetch_believing("01");
    confirm("exch");
    witness_flush(s.witness);
    stop_broker();
    start_broker(US PEER EXCH);
    ck_assert_str_eq(how("peer", 1), "announced");
    ck_assert_str_eq(how("exch", 1), "confirmed");
    /* A partner that leaves the configuration is forgotten, and does not come back with its past.
     */
    stop_broker();
    start_broker(US PEER);
    stop_broker();
    start_broker(US PEER EXCH);
    ck_assert_str_eq(how("peer", 1), "announced");
    ck_assert_str_eq(how("exch", 1), "unknown");
}
END_TEST

/* Every byte of the file, one at a time: never a crash, never half a truth. */
START_TEST(a_damaged_file_is_put_aside)
{
    stage_next(1, 30);
    fetch_believing("01");
    witness_flush(s.witness);
    CLEANUP(buf_done) struct buf file = BUF_INIT(65536);
    char why[256];
    const char *path = temp_dir_at(&s.dir, "sightings.state");
    ck_assert_int_eq(file_read(path, FILE_PUBLIC, 65536, &file, why, sizeof(why)), 0);
    stop_broker();
    for (size_t i = 0; i < file.n; i += 13) {
        file.p[i] ^= 4;
        ck_assert_int_eq(file_replace(s.dir.path, "sightings.state", buf_span(&file), 0600), 0);
        file.p[i] ^= 4;
        start_broker(US PEER EXCH);
        ck_assert_str_eq(how("peer", 1), "unknown");
        stop_broker();
        ck_assert_int_ne(access(path, F_OK), 0);
    }
    start_broker(US PEER EXCH);
    fetch_believing("01");
    ck_assert_str_eq(how("peer", 1), "announced");
}
END_TEST

START_TEST(held_until_confirmed)
{
    const char *why;
    stage_next(1, 10);
    ck_assert(s.held && witness_held(s.witness, &why));
    ck_assert_ptr_nonnull(strstr(why, "Set-PartnerApplication \"s2sd\" -RefreshAuthMetadata"));
    ck_assert_ptr_nonnull(strstr(why, "s2sctl partners confirm exch"));
    days(60);
    ck_assert_uint_eq(current_is(), 0);
    confirm("exch");
    ck_assert(!s.held && !witness_held(s.witness, &why));
    days(1);
    ck_assert_uint_eq(current_is(), 1);
}
END_TEST

/* A partner whose evidence is only an address is not a partner that has the key. */
START_TEST(a_guess_frees_nothing)
{
    struct edition shown;
    stage_next(1, 10);
    edition_of(&s.ring, &shown);
    witness_saw(s.witness, SPAN("exch"), &shown, SIGHTING_ADDRESS);
    ck_assert_str_eq(how("exch", 1), "address");
    ck_assert(s.held);
    days(30);
    ck_assert_uint_eq(current_is(), 0);
}
END_TEST

/* A forgotten confirmation must not end in an expired key: 14 days before the end it signs. */
START_TEST(the_last_resort)
{
    stage_next(1, 10);
    const int64_t end = keyring_current(&s.ring)->cert->not_after;
    ck_assert_int_eq(rollout_activation(&s.ring, true), end - 14 * DAY);
    while (current_is() == 0) {
        days(1);
        ck_assert_int_le(s.now, end - 13 * DAY);
    }
    ck_assert_int_ge(s.now, end - 14 * DAY);
    ck_assert_uint_eq(current_is(), 1);
}
END_TEST

/* Who waits for a pool is told, with the same word. */
START_TEST(a_pool_member_that_lags_holds_it)
{
    s.pool_holds = true;
    stage_next(1, 10);
    confirm("exch");
    ck_assert(s.held);
    days(20);
    ck_assert_uint_eq(current_is(), 0);
    s.pool_holds = false;
    witness_look(s.witness);
    ck_assert(!s.held);
    days(1);
    ck_assert_uint_eq(current_is(), 1);
}
END_TEST

/* One word for each change, and one for each ring; a quiet week says nothing. */
START_TEST(the_signer_is_not_talked_at)
{
    stage_next(1, 200);
    unsigned before = s.holds;
    days(7);
    ck_assert_uint_eq(s.holds, before);
    witness_ring(s.witness, &s.ring); /* a new link: said again */
    ck_assert_uint_eq(s.holds, before + 1);
    confirm("exch");
    confirm("exch");
    ck_assert_uint_eq(s.holds, before + 2);
}
END_TEST

/* A flood of strangers leaves room for who comes from a partner's address; the same second counts.
 */
START_TEST(strangers_cannot_talk_a_partner_down)
{
    CLEANUP(buf_done) struct buf forged = announcement("01", forger);
    CLEANUP(buf_done) struct buf good = announcement("0", peer_key);
    struct edition shown;
    edition_of(&s.ring, &shown);
    for (int i = 0; i < 1000; i++)
        announces_say(s.announces, buf_span(&forged), false, &shown);
    ck_assert_uint_eq(s.n_said, ANNOUNCES_PER_S);
    visit(&good);
    ck_assert_uint_eq(s.n_said, ANNOUNCES_PER_S + 1);
    validate();
    ck_assert_str_eq(how("peer", 0), "announced");
    ck_assert_uint_eq(announces_counted(s.announces)->suppressed, 1000 - ANNOUNCES_PER_S);
}
END_TEST

/* Nobody is looked for among ten thousand partners in vain, and none of them is missed. */
START_TEST(addresses_of_partners_are_known)
{
    char address[64];
    unsigned by_mistake = 0;
    for (int i = 0; i < 10000; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.7", i / 256, i % 256);
        announces_learn(s.announces, address);
    }
    announces_learn(s.announces, ""); /* not fetched yet: no address */
    for (int i = 0; i < 10000; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.7", i / 256, i % 256);
        ck_assert(announces_may_know(s.announces, address));
        snprintf(address, sizeof(address), "2001:db8::%x", i);
        by_mistake += announces_may_know(s.announces, address);
    }
    ck_assert_uint_lt(by_mistake, 1500);
    ck_assert(!announces_may_know(s.announces, ""));
}
END_TEST

/* A talkative partner is heard once in ten seconds. */
START_TEST(one_partner_is_not_heard_all_the_time)
{
    fetch_believing("0");
    for (int i = 0; i < 20; i++) {
        CLEANUP(buf_done) struct buf token = announcement("0", peer_key);
        visit(&token);
        validate();
        set_time(s.now + 1);
    }
    ck_assert_uint_eq(announces_counted(s.announces)->taken, 1 + 2);
    ck_assert_uint_eq(announces_counted(s.announces)->suppressed, 18);
}
END_TEST

static void make_keys(void)
{
    for (size_t i = 0; i < ARRAY_LEN(our_keys); i++)
        ck_assert_int_eq(
            signkey_generate("ours", T0 - DAY, T0 + 365 * DAY, &our_keys[i]), REASON_OK);
    ck_assert_int_eq(signkey_generate("peer", T0 - DAY, T0 + 900 * DAY, &peer_key), REASON_OK);
    ck_assert_int_eq(signkey_generate("peer", T0 - DAY, T0 + 900 * DAY, &forger), REASON_OK);
}

static void fill(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_keys, NULL);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_key_is_fetched_then_announced);
    tcase_add_test(tc, a_partner_that_was_shown_a_key_and_does_not_believe_it_is_waited_for);
    tcase_add_test(tc, a_lost_judgement_costs_one_announcement_and_nothing_else);
    tcase_add_test(tc, a_forged_announcement_changes_nothing);
    tcase_add_test(tc, a_repeated_announcement_is_harmless);
    tcase_add_test(tc, a_withdrawn_key_is_forgotten);
    tcase_add_test(tc, a_restart_keeps_everything);
    tcase_add_test(tc, a_damaged_file_is_put_aside);
    tcase_add_test(tc, held_until_confirmed);
    tcase_add_test(tc, a_guess_frees_nothing);
    tcase_add_test(tc, the_last_resort);
    tcase_add_test(tc, a_pool_member_that_lags_holds_it);
    tcase_add_test(tc, the_signer_is_not_talked_at);
    tcase_add_test(tc, strangers_cannot_talk_a_partner_down);
    tcase_add_test(tc, addresses_of_partners_are_known);
    tcase_add_test(tc, one_partner_is_not_heard_all_the_time);
}

int main(void)
{
    return unit_run("replay_sightings", fill);
}
