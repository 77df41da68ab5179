/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a pool: whose keys are taken, who is waited for, what is published of all. */
#include "pool_member.h"
#include "update.h"

#include "trust_fixture.h"

#define APP "00000004-0000-0ff1-ce00-000000000000"
#define REALM "contoso.example"
#define URL1 "https://node1.contoso.example/metadata/json/1"
#define URL2 "https://node2.contoso.example/metadata/json/1"
#define STALE (7 * DAY)

static struct identity identity = {.app_id = (char[]){APP},
    .realm = (char[]){REALM},
    .name = (char[]){"s2sd"},
    .service_name = (char[]){APP},
    .issuer = (char[]){APP "@" REALM},
    .hosts = (char *[]){(char[]){"pool.contoso.example"}},
    .n_hosts = 1};
static const uint8_t our_id[METADATA_MEMBER_LEN] = {1}, their_id[METADATA_MEMBER_LEN] = {2};

static struct cert *certs[80]; /* by seed, made when first asked for */
static struct keyring ring;    /* borrows its certificates */
static struct pool_us us = {.identity = &identity, .id = our_id, .ring = &ring};

static struct cert *cert_of(unsigned seed)
{
    if (!certs[seed])
        certs[seed] = fixture_cert(seed);
    return certs[seed];
}

/* Our ring holds key 0, CURRENT. */
static void open_ring(void)
{
    ring = (struct keyring){
        .slots = {{.state = KEY_CURRENT, .cert = cert_of(0)}}, .n = 1, .generation = 1};
}

static void close_certs(void)
{
    for (size_t i = 0; i < ARRAY_LEN(certs); i++)
        cert_freep(&certs[i]);
}

/* The document of the member `id` with these keys, the first `own` its own; the caller frees. */
static char *document(const uint8_t *id, const unsigned *seeds, size_t n, size_t own)
{
    const struct cert *list[64];
    struct buf text = BUF_INIT(METADATA_MAX);
    for (size_t i = 0; i < n; i++)
        list[i] = cert_of(seeds[i]);
    struct metadata_own of = {.identity = &identity,
        .url = URL1,
        .certs = list,
        .n_certs = n,
        .member = id,
        .n_own = own};
    ck_assert_int_eq(metadata_render(&of, &text), REASON_OK);
    return buf_take(&text);
}

static struct pool_change tell(struct pool_member *m, const char *body, int64_t now)
{
    struct pool_change change;
    const struct pool_answer a = {
        .reason = REASON_OK, .status = 200, .body = span_of(body), .etag = SPAN("\"e\"")};
    pool_member_judge(m, &us, &a, now, &change);
    return change;
}

static struct pool_change tell_keys(
    struct pool_member *m, const unsigned *seeds, size_t n, size_t own)
{
    CLEANUP(freep) char *body = document(their_id, seeds, n, own);
    return tell(m, body, T0);
}
#define KEYS(m, own, ...)                                                                          \
    tell_keys(m, (const unsigned[]){__VA_ARGS__},                                                  \
        sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned), own)

static void miss(struct pool_member *m, enum reason reason, unsigned times)
{
    struct pool_change change;
    const struct pool_answer a = {.reason = reason};
    for (unsigned i = 0; i < times; i++)
        pool_member_judge(m, &us, &a, T0, &change);
}

static struct pool_member member(const char *url)
{
    return (struct pool_member){.url = strdup(url), .last_reason = REASON_NEVER_FETCHED};
}

/* Seeds of the union behind our ring: "1 2 ". */
static const char *union_of(struct pool_member *const *list, size_t n, int64_t now)
{
    static char text[512];
    const struct cert *out[METADATA_KEYS_MAX];
    size_t left_out, at = 0;
    struct pool_view v = {.members = (const struct pool_member *const *)list, .n = n, STALE, now};
    size_t count = pool_union(&v, &ring, out, &left_out);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        for (unsigned s = 0; s < ARRAY_LEN(certs); s++)
            if (certs[s] && memcmp(certs[s]->x5t_s256, out[i]->x5t_s256, X5T_S256_LEN) == 0)
                at += (size_t)snprintf(text + at, sizeof(text) - at, "%u ", s);
    if (left_out > 0)
        snprintf(text + at, sizeof(text) - at, "and %zu left out", left_out);
    return text;
}

START_TEST(only_its_own_keys_are_taken)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    struct pool_change c = KEYS(&m, 2, 1, 2, 0, 3);
    ck_assert_int_eq(c.reason, REASON_OK);
    ck_assert(c.keys && c.published && !c.twin && !c.another_server);
    ck_assert_uint_eq(m.n_own, 2);
    ck_assert_str_eq(union_of((struct pool_member *[]){&m}, 1, T0), "1 2 ");
    /* but what else it publishes is known: a key of ours waits for that */
    ck_assert(pool_member_publishes(&m, cert_of(0)->x5t_s256));
    ck_assert(pool_member_publishes(&m, cert_of(3)->x5t_s256));
    ck_assert(!pool_member_publishes(&m, cert_of(4)->x5t_s256));
}
END_TEST

START_TEST(a_key_that_vanished_is_gone_at_once)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    KEYS(&m, 2, 1, 2, 0);
    ck_assert(!KEYS(&m, 2, 1, 2, 0).keys);
    struct pool_change c = KEYS(&m, 1, 2, 0, 1); /* repeated by hearsay only */
    ck_assert(c.keys);
    ck_assert_str_eq(union_of((struct pool_member *[]){&m}, 1, T0), "2 ");
}
END_TEST

/* What is refused changes neither keys nor what it publishes. */
START_TEST(a_document_that_does_not_say_is_refused)
{
    static const char *const bodies[] = {"{", "[]", "{\"issuer\":\"x@y\",\"keys\":[]}",
        "{\"issuer\":\"" APP "@" REALM "\",\"s2s_own_keys\":1,\"s2s_member\":\"x\",\"keys\":[1]}",
        "{\"issuer\":\"" APP "@" REALM "\",\"s2s_own_keys\":2,\"s2s_member\":"
        "\"AgAAAAAAAAAAAAAAAAAAAA\",\"keys\":[1]}",
        "{\"issuer\":\"" APP "@" REALM "\",\"s2s_own_keys\":\"1\",\"s2s_member\":"
        "\"AgAAAAAAAAAAAAAAAAAAAA\",\"keys\":[1]}"};
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    KEYS(&m, 1, 1, 0);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct pool_change c = tell(&m, bodies[i], T0);
        ck_assert_int_ne(c.reason, REASON_OK);
        ck_assert(!c.keys && !c.published);
        ck_assert_uint_eq(m.failures, i + 1);
    }
    CLEANUP(freep) char *without = document(NULL, (const unsigned[]){5}, 1, 1);
    ck_assert_int_eq(tell(&m, without, T0).reason, REASON_POOL_DOCUMENT);
    CLEANUP(freep)
    char *many = document(their_id, (const unsigned[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 9, 9);
    ck_assert_int_eq(tell(&m, many, T0).reason, REASON_DOCUMENT_FORM);
    ck_assert_str_eq(union_of((struct pool_member *[]){&m}, 1, T0), "1 ");
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_REFUSED);
    ck_assert(!KEYS(&m, 1, 1, 0).keys);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_UP);
}
END_TEST

START_TEST(we_know_ourselves)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    CLEANUP(freep) char *ours = document(our_id, (const unsigned[]){0, 1, 2}, 3, 1);
    struct pool_change c = tell(&m, ours, T0);
    ck_assert(m.is_self && !c.twin);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_SELF);
    ck_assert_str_eq(union_of((struct pool_member *[]){&m}, 1, T0), "");
    /* a machine made from a copy of ours has the id, but not the key: it must not be lost */
    CLEANUP(freep) char *copy = document(our_id, (const unsigned[]){1, 0}, 2, 1);
    c = tell(&m, copy, T0);
    ck_assert(!m.is_self && c.twin && c.keys);
    ck_assert_str_eq(union_of((struct pool_member *[]){&m}, 1, T0), "1 ");
    /* another server at the same address */
    c = KEYS(&m, 1, 3, 0);
    ck_assert(c.another_server && !c.twin);
}
END_TEST

START_TEST(away_only_after_some_tries)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_NEW);
    miss(&m, REASON_FETCH_CONNECT, POOL_AWAY_AFTER - 1);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_NEW);
    miss(&m, REASON_FETCH_CONNECT, 1);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_AWAY);
    KEYS(&m, 1, 1, 0);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_UP);
    miss(&m, REASON_FETCH_TLS, POOL_AWAY_AFTER - 1);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_UP);
    miss(&m, REASON_FETCH_TLS, 1);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_AWAY);
    /* that our own fetcher is away tells nothing of the member */
    miss(&m, REASON_FETCH_AWAY, 5);
    ck_assert_int_eq(pool_member_state(&m, STALE, T0), POOL_UP);
}
END_TEST

START_TEST(last_keys_stay_until_stale)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    struct pool_member *list[] = {&m};
    KEYS(&m, 1, 1, 0);
    miss(&m, REASON_FETCH_TIMEOUT, 9);
    ck_assert_str_eq(union_of(list, 1, T0 + STALE - 1), "1 ");
    ck_assert_str_eq(union_of(list, 1, T0 + STALE), "");
    ck_assert_int_eq(pool_member_state(&m, STALE, T0 + STALE), POOL_STALE);
    /* a certificate that has run out is of no use to anybody */
    ck_assert_str_eq(union_of(list, 1, T0 + 701 * DAY), "");
}
END_TEST

START_TEST(a_new_key_waits_for_who_is_up)
{
    CLEANUP(pool_member_done) struct pool_member a = member(URL1);
    CLEANUP(pool_member_done) struct pool_member b = member(URL2);
    const struct pool_member *list[] = {&a, &b};
    const struct pool_view v = {list, 2, STALE, T0};
    char why[256];
    KEYS(&a, 1, 1, 0);
    ck_assert(!pool_is_everywhere(&v, cert_of(0)->x5t_s256, why, sizeof(why)));
    ck_assert_str_eq(why, URL2 " of our pool does not publish it yet"); /* never asked so far */
    KEYS(&b, 1, 2, 0);
    ck_assert(pool_is_everywhere(&v, cert_of(0)->x5t_s256, why, sizeof(why)));
    ck_assert(!pool_is_everywhere(&v, cert_of(9)->x5t_s256, why, sizeof(why)));
    ck_assert_str_eq(why, URL1 " of our pool, and others, does not publish it yet");
    miss(&b, REASON_FETCH_CONNECT, POOL_AWAY_AFTER);
    KEYS(&a, 1, 1, 0, 9);
    ck_assert(pool_is_everywhere(&v, cert_of(9)->x5t_s256, why, sizeof(why)));
    KEYS(&b, 1, 2, 0); /* back, and behind */
    ck_assert(!pool_is_everywhere(&v, cert_of(9)->x5t_s256, why, sizeof(why)));
}
END_TEST

/* First what signs, and no key twice (two members may share one, see s2sctl cert export). */
START_TEST(the_union_takes_turns)
{
    CLEANUP(pool_member_done) struct pool_member a = member(URL1);
    CLEANUP(pool_member_done) struct pool_member b = member(URL2);
    struct pool_member *list[] = {&a, &b};
    KEYS(&a, 3, 1, 2, 5, 0);
    KEYS(&b, 3, 3, 0, 5, 4);
    ck_assert_str_eq(union_of(list, 2, T0), "1 3 2 5 ");
}
END_TEST

START_TEST(the_union_fits_into_a_document)
{
    struct pool_member members[10], *list[10];
    for (unsigned i = 0; i < 10; i++) {
        unsigned seeds[7];
        for (unsigned k = 0; k < 7; k++)
            seeds[k] = 1 + i * 7 + k;
        members[i] = member(URL1);
        list[i] = &members[i];
        tell_keys(list[i], seeds, 7, 7);
    }
    const char *text = union_of(list, 10, T0);
    ck_assert_msg(strncmp(text, "1 8 15 22 29 36 43 50 57 64 2 9 ", 32) == 0, "%s", text);
    ck_assert_msg(strstr(text, "and 7 left out") != NULL, "%s", text); /* 1 + 63 of 70 */
    for (unsigned i = 0; i < 10; i++)
        pool_member_done(&members[i]);
}
END_TEST

START_TEST(state_reads_back_and_damage_is_seen)
{
    CLEANUP(pool_member_done) struct pool_member m = member(URL1);
    CLEANUP(pool_member_done) struct pool_member back = {0};
    CLEANUP(buf_done) struct buf text = BUF_INIT(POOL_STATE_MAX);
    CLEANUP(buf_done) struct buf again = BUF_INIT(POOL_STATE_MAX);
    KEYS(&m, 2, 1, 2, 0);
    miss(&m, REASON_FETCH_NAME, 2);
    m.next_try_at = T0 + 60;
    pool_member_print(&m, &text);
    ck_assert(!text.failed);
    ck_assert_int_eq(pool_member_scan(buf_span(&text), URL2, &back), REASON_DOCUMENT_FORM);
    ck_assert_int_eq(pool_member_scan(buf_span(&text), URL1, &back), REASON_OK);
    pool_member_print(&back, &again);
    ck_assert(span_eq(buf_span(&text), buf_span(&again)));
    ck_assert_str_eq(union_of((struct pool_member *[]){&back}, 1, T0), "1 2 ");
    for (size_t i = 0; i < text.n; i += 37) {
        struct pool_member broken = {0};
        text.p[i] ^= 1;
        ck_assert_int_eq(pool_member_scan(buf_span(&text), URL1, &broken), REASON_DOCUMENT_FORM);
        text.p[i] ^= 1;
    }
}
END_TEST

START_TEST(who_we_are_reads_back)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    uint8_t id[METADATA_MEMBER_LEN] = {0};
    pool_id_print(their_id, &text);
    ck_assert_int_eq(pool_id_scan(buf_span(&text), id), REASON_OK);
    ck_assert_mem_eq(id, their_id, sizeof(id));
    text.p[text.n - 3] ^= 1;
    ck_assert_int_eq(pool_id_scan(buf_span(&text), id), REASON_DOCUMENT_FORM);
}
END_TEST

START_TEST(file_names_tell_addresses_apart)
{
    char a[POOL_FILE_MAX], b[POOL_FILE_MAX];
    pool_file_name(URL1, a);
    ck_assert_uint_eq(strlen(a), strlen("node1.contoso.example-.state") + 16);
    ck_assert(strncmp(a, "node1.contoso.example-", 22) == 0);
    ck_assert_str_ne(a, pool_file_name(URL1 "x", b));
    ck_assert_ptr_null(strchr(a, '/'));
}
END_TEST

/* The other side: what a partner of the pool makes of it. */

static enum reason partner_reads(
    struct partner_trust *t, const unsigned *seeds, size_t n, const uint8_t *id, int64_t now)
{
    const struct identity other = {.app_id = (char[]){"00000002-0000-0ff1-ce00-000000000000"},
        .realm = (char[]){REALM},
        .issuer = (char[]){"00000002-0000-0ff1-ce00-000000000000@" REALM}};
    const struct partner pins = {.name = (char[]){"lync"},
        .app_id = identity.app_id,
        .realm = identity.realm,
        .issuer = identity.issuer};
    const struct update_rules rules = {0};
    CLEANUP(freep) char *body = document(id, seeds, n, 1);
    CLEANUP(metadata_done) struct metadata m = {0};
    struct update_changes changes;
    ck_assert_int_eq(metadata_parse(span_of(body), &pins, &other, now, &m), REASON_OK);
    ck_assert_int_eq(m.of_pool, id != NULL);
    return update_apply(t, &m, &rules, now, &changes);
}

static bool believes(const struct partner_trust *t, unsigned seed)
{
    for (size_t i = 0; i < t->n_keys; i++)
        if (memcmp(t->keys[i].x5t_s256, cert_of(seed)->x5t_s256, X5T_S256_LEN) == 0)
            return t->keys[i].state == PKEY_VALID;
    return false;
}

/* One member announces key 3; a partner reads that member, then one that does not know it yet, then
 * the first again. From one server that would be a withdrawal, and its undoing in need of proof. */
START_TEST(a_partner_bears_members_that_lag)
{
    for (int pool = 0; pool < 2; pool++) {
        CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof(*t));
        const uint8_t *a = pool ? our_id : NULL, *b = pool ? their_id : NULL;
        t->name = strdup("lync");
        ck_assert_int_eq(partner_reads(t, (const unsigned[]){1, 3, 2}, 3, a, T0), REASON_OK);
        ck_assert_int_eq(partner_reads(t, (const unsigned[]){2, 1}, 2, b, T0 + 300), REASON_OK);
        ck_assert(!believes(t, 3)); /* withdrawn is withdrawn as long as it lasts */
        ck_assert_int_eq(partner_reads(t, (const unsigned[]){1, 3, 2}, 3, a, T0 + 3900), REASON_OK);
        ck_assert_int_eq(believes(t, 3), pool);
        ck_assert_int_eq(partner_reads(t, (const unsigned[]){2, 1}, 2, b, T0 + 4000), REASON_OK);
        ck_assert_int_eq(
            partner_reads(t, (const unsigned[]){1, 3, 2}, 3, a, T0 + 4000 + DAY), REASON_OK);
        ck_assert(!believes(t, 3)); /* a day later it looks like a document that somebody kept */
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, open_ring, close_certs);
    tcase_add_test(tc, only_its_own_keys_are_taken);
    tcase_add_test(tc, a_key_that_vanished_is_gone_at_once);
    tcase_add_test(tc, a_document_that_does_not_say_is_refused);
    tcase_add_test(tc, we_know_ourselves);
    tcase_add_test(tc, away_only_after_some_tries);
    tcase_add_test(tc, last_keys_stay_until_stale);
    tcase_add_test(tc, a_new_key_waits_for_who_is_up);
    tcase_add_test(tc, the_union_takes_turns);
    tcase_add_test(tc, the_union_fits_into_a_document);
    tcase_add_test(tc, state_reads_back_and_damage_is_seen);
    tcase_add_test(tc, who_we_are_reads_back);
    tcase_add_test(tc, a_partner_bears_members_that_lag);
    tcase_add_test(tc, file_names_tell_addresses_apart);
}

int main(void)
{
    return unit_run("pool_member", fill);
}
