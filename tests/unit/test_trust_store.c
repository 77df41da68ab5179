/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "trust_fixture.h"

static struct store *st;

static void open_store(void)
{
    st = store_new();
    ck_assert_ptr_nonnull(st);
}

static void close_store(void)
{
    store_freep(&st);
}

static struct partner_key key_of(const struct cert *c, int64_t first_seen_at)
{
    struct partner_key k = {.state = PKEY_VALID,
        .has_x5t = true,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .first_seen_at = first_seen_at,
        .last_seen_at = first_seen_at + 1,
        .key = pubkey_ref(c->key)};
    memcpy(k.x5t, c->x5t, X5T_LEN);
    memcpy(k.x5t_s256, c->x5t_s256, X5T_S256_LEN);
    return k;
}

static struct partner_trust *trust(const char *name)
{
    struct partner_trust *t = calloc(1, sizeof(*t));
    ck_assert_ptr_nonnull(t);
    t->name = strdup(name);
    t->good_at = T0;
    t->clock = (struct partner_clock){true, -212};
    return t;
}

static struct partner_key *add(struct partner_trust *t, unsigned seed, int64_t first_seen_at)
{
    CLEANUP(cert_freep) struct cert *c = fixture_cert(seed);
    t->keys[t->n_keys] = key_of(c, first_seen_at);
    return &t->keys[t->n_keys++];
}

static void put(const struct partner_trust *t)
{
    ck_assert_int_eq(store_put(st, t), REASON_OK);
}

/* One partner with one key of that seed. */
static void put_one(const char *name, unsigned seed, int64_t first_seen_at)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust(name);
    add(t, seed, first_seen_at);
    put(t);
}

static const struct partner_trust *get(const char *name)
{
    const struct partner_trust *t = store_get(st, span_of(name));
    ck_assert_ptr_nonnull(t);
    return t;
}

START_TEST(what_is_put_is_a_copy)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("exch");
    add(t, 1, T0);
    t->generation = 3;
    put(t);
    const struct partner_trust *got = get("exch");
    ck_assert_ptr_ne(got, t);
    ck_assert_ptr_ne(got->name, t->name);
    ck_assert_uint_eq(got->generation, 3);
    ck_assert_int_eq(got->good_at, T0);
    ck_assert(got->clock.known);
    ck_assert_int_eq(got->clock.ahead_s, -212);
    partner_trust_freep(&t);
    /* the store's own reference keeps the key alive */
    ck_assert_uint_eq(pubkey_bits(got->keys[0].key), 2048);
}
END_TEST

START_TEST(names_are_found_exactly)
{
    const char *const names[] = {"m", "exch", "exch2", "exc", "a", "zz", "sps", "b", "c", "d"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        put_one(names[i], i, T0);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        ck_assert_str_eq(get(names[i])->name, names[i]);
    ck_assert_ptr_null(store_get(st, SPAN("exch3")));
    ck_assert_ptr_null(store_get(st, SPAN("ex")));
    ck_assert_ptr_null(store_get(st, SPAN("exch\0x")));
    ck_assert_ptr_null(store_get(st, SPAN("")));
}
END_TEST

START_TEST(removing_one_leaves_the_others)
{
    put_one("a", 1, T0);
    put_one("b", 2, T0);
    put_one("c", 3, T0);
    const struct partner_trust *c = get("c");
    store_remove(st, SPAN("b"));
    store_remove(st, SPAN("nobody"));
    ck_assert_ptr_null(store_get(st, SPAN("b")));
    ck_assert_str_eq(get("a")->name, "a");
    ck_assert_ptr_eq(get("c"), c);
}
END_TEST

START_TEST(partners_that_left_the_configuration_go)
{
    struct partner partners[] = {{.name = (char[]){"a"}}, {.name = (char[]){"new"}}};
    struct settings s = {.partners = partners, .n_partners = 2};
    put_one("a", 1, T0);
    put_one("b", 2, T0);
    put_one("c", 3, T0);
    store_keep_only(st, &s);
    ck_assert_str_eq(get("a")->name, "a");
    ck_assert_ptr_null(store_get(st, SPAN("b")));
    ck_assert_ptr_null(store_get(st, SPAN("c")));
}
END_TEST

START_TEST(the_generation_never_stands_still_when_keys_change)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("a");
    add(t, 1, T0);
    t->generation = 5;
    put(t);
    t->generation = 4; /* a state file from before */
    put(t);
    ck_assert_uint_eq(get("a")->generation, 5);
    add(t, 2, T0);
    put(t);
    ck_assert_uint_eq(get("a")->generation, 6);
    t->keys[0].state = PKEY_BARRED;
    put(t);
    ck_assert_uint_eq(get("a")->generation, 7);
    t->generation = 7; /* the same number, other keys */
    t->keys[0].state = PKEY_VALID;
    put(t);
    ck_assert_uint_eq(get("a")->generation, 8);
    t->generation = 20;
    put(t);
    ck_assert_uint_eq(get("a")->generation, 20);
}
END_TEST

START_TEST(a_dispute_outlives_a_new_copy)
{
    put_one("a", 1, T0);
    put_one("b", 1, T0 + 1);
    ck_assert_uint_eq(store_settle_disputes(st, NULL, 0), 1);
    put_one("b", 1, T0 + 1);
    ck_assert(get("b")->keys[0].disputed);
}
END_TEST

/* DESIGN 7: the newcomer's copy only, both when both were there from the start. */
static const struct {
    int64_t a, b, c; /* when each first published the key, 0: never */
    bool a_out, b_out, c_out;
} disputes[] = {
    {10, 20, 0, false, true, false},
    {20, 10, 0, true, false, false},
    {10, 10, 0, true, true, false},
    {10, 20, 30, false, true, true},
    {10, 20, 20, false, true, true},
    {30, 20, 20, true, true, true},
    {10, 0, 0, false, false, false},
};

static void expect(const char *name, bool disputed)
{
    const struct partner_trust *t = store_get(st, span_of(name));
    if (t)
        ck_assert_msg(t->keys[0].disputed == disputed, "%s", name);
}

START_TEST(a_key_of_two_partners_is_the_newcomers_loss)
{
    if (disputes[_i].a)
        put_one("a", 1, disputes[_i].a);
    if (disputes[_i].b)
        put_one("b", 1, disputes[_i].b);
    if (disputes[_i].c)
        put_one("c", 1, disputes[_i].c);
    put_one("other", 2, 5);
    size_t n = store_settle_disputes(st, NULL, 0);
    ck_assert_uint_eq(n, (size_t)disputes[_i].a_out + disputes[_i].b_out + disputes[_i].c_out);
    expect("a", disputes[_i].a_out);
    expect("b", disputes[_i].b_out);
    expect("c", disputes[_i].c_out);
    expect("other", false);
}
END_TEST

START_TEST(a_dispute_is_about_the_key_not_the_certificate)
{
    CLEANUP(cert_freep) struct cert *one = fixture_cert_of(1, 1);
    CLEANUP(cert_freep) struct cert *two = fixture_cert_of(1, 2);
    ck_assert_mem_ne(one->x5t, two->x5t, X5T_LEN);
    CLEANUP(partner_trust_freep) struct partner_trust *a = trust("a");
    CLEANUP(partner_trust_freep) struct partner_trust *b = trust("b");
    a->keys[a->n_keys++] = key_of(one, T0);
    b->keys[b->n_keys++] = key_of(two, T0 + 1);
    put(a);
    put(b);
    ck_assert_uint_eq(store_settle_disputes(st, NULL, 0), 1);
    expect("b", true);
}
END_TEST

START_TEST(our_own_key_is_never_a_partners)
{
    CLEANUP(cert_freep) struct cert *ours = fixture_cert_of(1, 9);
    const struct pubkey *own[] = {ours->key};
    put_one("a", 1, T0);
    put_one("b", 2, T0);
    ck_assert_uint_eq(store_settle_disputes(st, own, 1), 1);
    expect("a", true);
    expect("b", false);
}
END_TEST

START_TEST(a_withdrawn_key_is_no_longer_anybodys)
{
    CLEANUP(partner_trust_freep) struct partner_trust *a = trust("a");
    add(a, 1, T0)->state = PKEY_GONE;
    put(a);
    put_one("b", 1, T0 + 1);
    ck_assert_uint_eq(store_settle_disputes(st, NULL, 0), 0);
}
END_TEST

START_TEST(settling_moves_the_generation_of_those_that_changed)
{
    put_one("a", 1, T0);
    put_one("b", 1, T0 + 1);
    store_settle_disputes(st, NULL, 0);
    ck_assert_uint_eq(get("a")->generation, 0);
    ck_assert_uint_eq(get("b")->generation, 1);
    store_settle_disputes(st, NULL, 0);
    ck_assert_uint_eq(get("b")->generation, 1);
    store_remove(st, SPAN("a"));
    ck_assert_uint_eq(store_settle_disputes(st, NULL, 0), 0);
    ck_assert_uint_eq(get("b")->generation, 2);
    expect("b", false);
}
END_TEST

START_TEST(a_document_of_others_keys_claims_nothing)
{
    CLEANUP(cert_freep) struct cert *theirs = fixture_cert(1);
    CLEANUP(cert_freep) struct cert *ours = fixture_cert(2);
    CLEANUP(cert_freep) struct cert *new = fixture_cert(3);
    struct cert *certs[] = {theirs, ours, new};
    const struct pubkey *own[] = {ours->key};
    put_one("a", 1, T0);
    put_one("b", 4, T0);
    struct store_claim claim = {"b", certs, 3, own, 1};
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 1);
    claim.n_certs = 2;
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 0);
    claim.name = "a"; /* the owner may bring its own key again */
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 1);
    put_one("b", 1, T0 + 1); /* also when somebody has copied it meanwhile */
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 1);
    claim.name = "b";
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 0);
    put_one("b", 1, T0); /* both from the start: nobody's */
    ck_assert_uint_eq(store_count_undisputed(st, &claim), 0);
}
END_TEST

static const struct {
    enum partner_key_state state;
    bool disputed;
    int64_t now;
    enum reason reason;
} judged[] = {
    {PKEY_VALID, false, 1000, REASON_OK},
    {PKEY_MISSING, false, 1000, REASON_OK},
    {PKEY_NEW, false, 1000, REASON_UNKNOWN_KEY},
    {PKEY_GONE, false, 1000, REASON_UNKNOWN_KEY},
    {PKEY_BARRED, false, 1000, REASON_KEY_BARRED},
    {PKEY_BARRED, true, 1000, REASON_KEY_BARRED},
    {PKEY_VALID, true, 1000, REASON_KEY_DISPUTED},
    {PKEY_VALID, false, 699, REASON_KEY_EXPIRED},
    {PKEY_VALID, false, 700, REASON_OK},
    {PKEY_VALID, false, 2300, REASON_OK},
    {PKEY_VALID, false, 2301, REASON_KEY_EXPIRED},
};

START_TEST(state_dispute_and_dates_decide_about_a_key)
{
    struct partner_key k = {.state = judged[_i].state,
        .disputed = judged[_i].disputed,
        .not_before = 1000,
        .not_after = 2000};
    ck_assert_str_eq(
        reason_code(partner_key_judge(&k, judged[_i].now, 300)), reason_code(judged[_i].reason));
}
END_TEST

START_TEST(a_bare_key_has_no_dates)
{
    struct partner_key k = {.state = PKEY_VALID, .not_before = 0, .not_after = INT64_MAX};
    ck_assert_int_eq(partner_key_judge(&k, T0, 300), REASON_OK);
    ck_assert_int_eq(partner_key_judge(&k, INT64_C(253402300800), 300), REASON_OK);
}
END_TEST

static struct partner_trust *sample(void)
{
    struct partner_trust *t = trust("exch");
    t->generation = 42;
    t->suspended = true;
    add(t, 1, T0);
    add(t, 2, T0 + 5)->state = PKEY_MISSING;
    add(t, 3, T0 + 6)->state = PKEY_GONE;
    struct partner_key *barred = add(t, 4, T0 + 7);
    barred->state = PKEY_BARRED;
    barred->disputed = true;
    barred->has_x5t = false;
    barred->missing_at = T0 + 8;
    snprintf(barred->kid, sizeof(barred->kid), "kid-1");
    return t;
}

static size_t frame(const struct partner_trust *t, uint8_t *room, size_t cap)
{
    struct frame_out f;
    frame_start(&f, room, cap, 1, 1);
    partner_trust_put(&f, t);
    return frame_finish(&f);
}

START_TEST(a_frame_carries_what_workers_need)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = sample();
    struct partner_trust back = {0};
    struct frame_in f;
    ck_assert(frame_open(&f, room, frame(t, room, sizeof(room))));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_OK);
    ck_assert(frame_end(&f));
    ck_assert_str_eq(back.name, "exch");
    ck_assert_uint_eq(back.generation, 42);
    ck_assert_int_eq(back.good_at, T0);
    ck_assert(back.suspended);
    ck_assert(back.clock.known);
    ck_assert_int_eq(back.clock.ahead_s, -212);
    ck_assert_uint_eq(back.n_keys, 3); /* not the withdrawn one */
    const struct partner_key *want[] = {&t->keys[0], &t->keys[1], &t->keys[3]};
    for (size_t i = 0; i < 3; i++) {
        struct partner_key got = back.keys[i];
        ck_assert(pubkey_eq(got.key, want[i]->key));
        ck_assert_ptr_ne(got.key, want[i]->key);
        ck_assert(partner_key_same(&got, want[i]));
        ck_assert_mem_eq(got.x5t, want[i]->x5t, X5T_LEN);
        ck_assert_int_eq(got.state, want[i]->state);
        ck_assert_int_eq(got.disputed, want[i]->disputed);
        ck_assert_str_eq(got.kid, want[i]->kid);
        ck_assert_int_eq(got.not_before, want[i]->not_before);
        ck_assert_int_eq(got.not_after, want[i]->not_after);
        ck_assert_int_eq(got.first_seen_at, want[i]->first_seen_at);
        ck_assert_int_eq(got.last_seen_at, want[i]->last_seen_at);
        ck_assert_int_eq(got.missing_at, want[i]->missing_at);
    }
    partner_trust_done(&back);
}
END_TEST

START_TEST(a_frame_cut_anywhere_is_refused)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = sample();
    struct partner_trust back = {0};
    size_t n = frame(t, room, sizeof(room));
    for (size_t cut = FRAME_HEAD; cut < n; cut++) {
        struct frame_in f;
        ck_assert(frame_open(&f, room, cut));
        ck_assert_int_ne(partner_trust_get(&f, &back), REASON_OK);
        ck_assert_ptr_null(back.name);
    }
}
END_TEST

START_TEST(a_key_in_a_frame_passes_the_policy_or_the_frame_fails)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("a");
    add(t, 1, T0);
    struct partner_trust back = {0};
    size_t n = frame(t, room, sizeof(room));
    struct span modulus = pubkey_n(t->keys[0].key);
    uint8_t *at = memmem(room, n, modulus.p, modulus.n);
    at[modulus.n - 1] &= 0xfe; /* an even modulus */
    struct frame_in f;
    ck_assert(frame_open(&f, room, n));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_KEY_WEAK);
}
END_TEST

START_TEST(a_state_that_does_not_exist_fails_the_frame)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("a");
    struct partner_trust back = {0};
    struct frame_in f;
    add(t, 1, T0)->state = (enum partner_key_state)(PKEY_BARRED + 1);
    ck_assert(frame_open(&f, room, frame(t, room, sizeof(room))));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_DOCUMENT_FORM);
}
END_TEST

/* "a", generation, good_at, suspended, clock, then the number of keys and the first key's state and
 * two flags.
 */
enum { COUNT_AT = FRAME_HEAD + 4 + 1 + 8 + 8 + 1 + 9, STATE_AT = COUNT_AT + 4 };

START_TEST(a_flag_is_0_or_1)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("a");
    struct partner_trust back = {0};
    struct frame_in f;
    add(t, 1, T0);
    size_t n = frame(t, room, sizeof(room));
    static const size_t flags[] = {COUNT_AT - 10, COUNT_AT - 9, STATE_AT + 1, STATE_AT + 2};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        size_t flag = flags[i];
        uint8_t was = room[flag];
        room[flag] = 2;
        ck_assert(frame_open(&f, room, n));
        ck_assert_int_eq(partner_trust_get(&f, &back), REASON_DOCUMENT_FORM);
        room[flag] = was;
    }
    ck_assert(frame_open(&f, room, n));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_OK);
    partner_trust_done(&back);
}
END_TEST

START_TEST(sixty_four_keys_fit_into_one_frame)
{
    static uint8_t room[FRAME_MAX];
    CLEANUP(partner_trust_freep) struct partner_trust *t = trust("a");
    struct partner_trust back = {0};
    struct frame_in f;
    for (unsigned i = 0; i < PARTNER_KEYS_MAX; i++)
        add(t, i, T0);
    size_t n = frame(t, room, sizeof(room));
    ck_assert_uint_ne(n, 0);
    ck_assert(frame_open(&f, room, n));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_OK);
    ck_assert_uint_eq(back.n_keys, PARTNER_KEYS_MAX);
    partner_trust_done(&back);
    /* a sixty-fifth, like the last */
    size_t one = (n - STATE_AT) / PARTNER_KEYS_MAX;
    memcpy(room + n, room + n - one, one);
    room[COUNT_AT]++;
    ck_assert(frame_open(&f, room, n + one));
    ck_assert_int_eq(partner_trust_get(&f, &back), REASON_DOCUMENT_FORM);
    ck_assert_uint_eq(frame(t, room, 4096), 0);
}
END_TEST

START_TEST(states_have_names_both_ways)
{
    for (unsigned s = PKEY_NEW; s <= PKEY_BARRED; s++) {
        enum partner_key_state back;
        const char *name = partner_key_state_name((enum partner_key_state)s);
        ck_assert(partner_key_state_of(span_of(name), &back));
        ck_assert_uint_eq(back, s);
    }
    enum partner_key_state none;
    ck_assert(!partner_key_state_of(SPAN("Valid"), &none));
    ck_assert(!partner_key_state_of(SPAN(""), &none));
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_checked_fixture(tc, open_store, close_store);
    tcase_add_test(tc, what_is_put_is_a_copy);
    tcase_add_test(tc, names_are_found_exactly);
    tcase_add_test(tc, removing_one_leaves_the_others);
    tcase_add_test(tc, partners_that_left_the_configuration_go);
    tcase_add_test(tc, the_generation_never_stands_still_when_keys_change);
    tcase_add_test(tc, a_dispute_outlives_a_new_copy);
    tcase_add_loop_test(tc, a_key_of_two_partners_is_the_newcomers_loss, 0, ARRAY_LEN(disputes));
    tcase_add_test(tc, a_dispute_is_about_the_key_not_the_certificate);
    tcase_add_test(tc, our_own_key_is_never_a_partners);
    tcase_add_test(tc, a_withdrawn_key_is_no_longer_anybodys);
    tcase_add_test(tc, settling_moves_the_generation_of_those_that_changed);
    tcase_add_test(tc, a_document_of_others_keys_claims_nothing);
    tcase_add_loop_test(tc, state_dispute_and_dates_decide_about_a_key, 0, ARRAY_LEN(judged));
    tcase_add_test(tc, a_bare_key_has_no_dates);
    tcase_add_test(tc, a_frame_carries_what_workers_need);
    tcase_add_test(tc, a_frame_cut_anywhere_is_refused);
    tcase_add_test(tc, a_key_in_a_frame_passes_the_policy_or_the_frame_fails);
    tcase_add_test(tc, a_state_that_does_not_exist_fails_the_frame);
    tcase_add_test(tc, a_flag_is_0_or_1);
    tcase_add_test(tc, sixty_four_keys_fit_into_one_frame);
    tcase_add_test(tc, states_have_names_both_ways);
}

int main(void)
{
    fixture_base(); /* made once, before the tests fork */
    return unit_run("trust_store", add_tests);
}
