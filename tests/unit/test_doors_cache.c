/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded table and what is kept in it. */
#include "cache.h"
#include "cleanup.h"
#include "token_cache.h"
#include "unit.h"

/* Entries that count their releases. */
struct thing {
    uint64_t key;
    unsigned *released;
};

static bool is_thing(const void *entry, const void *key)
{
    return ((const struct thing *)entry)->key == *(const uint64_t *)key;
}

static void release_thing(void *entry)
{
    struct thing *t = entry;
    (*t->released)++;
    free(t);
}

static const struct cache_ops ops = {is_thing, release_thing};
static unsigned released;

/* A hash that spreads. */
static uint64_t hash_of(uint64_t key)
{
    return (key + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static void put(struct cache *c, uint64_t key, uint64_t hash, int64_t ends_at)
{
    struct thing *t = malloc(sizeof *t);
    *t = (struct thing){key, &released};
    cache_put(c, hash, &key, t, ends_at);
}

static bool has(const struct cache *c, uint64_t key, uint64_t hash)
{
    const struct thing *t = cache_find(c, hash, &key);
    return t && t->key == key;
}

START_TEST(what_is_put_is_found_until_it_is_dropped)
{
    struct cache *c = cache_new(64, &ops);
    for (uint64_t k = 0; k < 8; k++)
        put(c, k, hash_of(k), 1);
    for (uint64_t k = 0; k < 8; k++)
        ck_assert(has(c, k, hash_of(k)));
    ck_assert(!has(c, 8, hash_of(8)));
    uint64_t three = 3;
    cache_drop(c, hash_of(3), &three);
    cache_drop(c, hash_of(3), &three);
    ck_assert(!has(c, 3, hash_of(3)));
    ck_assert_uint_eq(released, 1);
    ck_assert_uint_eq(cache_count(c), 7);
    cache_clear(c);
    ck_assert_uint_eq(cache_count(c), 0);
    ck_assert_uint_eq(released, 8);
    cache_free(c);
}
END_TEST

START_TEST(without_slots_nothing_is_remembered)
{
    struct cache *c = cache_new(0, &ops);
    put(c, 7, hash_of(7), 1);
    ck_assert_uint_eq(released, 1);
    ck_assert(!has(c, 7, hash_of(7)));
    ck_assert_uint_eq(cache_count(c), 0);
    cache_free(c);
}
END_TEST

START_TEST(the_same_key_is_replaced)
{
    struct cache *c = cache_new(4, &ops);
    put(c, 7, hash_of(7), 1);
    put(c, 7, hash_of(7), 2);
    ck_assert_uint_eq(cache_count(c), 1);
    ck_assert_uint_eq(released, 1);
    cache_free(c);
    ck_assert_uint_eq(released, 2);
}
END_TEST

START_TEST(equal_hashes_of_different_keys_stand_side_by_side)
{
    struct cache *c = cache_new(16, &ops);
    for (uint64_t k = 0; k < 8; k++)
        put(c, k, 5, 1);
    for (uint64_t k = 0; k < 8; k++)
        ck_assert(has(c, k, 5));
    ck_assert_uint_eq(released, 0);
    cache_free(c);
}
END_TEST

START_TEST(a_full_neighbourhood_gives_up_what_ends_first)
{
    struct cache *c = cache_new(16, &ops);
    for (uint64_t k = 0; k < 8; k++)
        put(c, k, 5, k == 6 ? 10 : 20 + (int64_t)k);
    put(c, 100, 5, 30);
    ck_assert(has(c, 100, 5));
    ck_assert(!has(c, 6, 5));
    for (uint64_t k = 0; k < 8; k++)
        ck_assert(k == 6 || has(c, k, 5));
    cache_free(c);
}
END_TEST

START_TEST(it_never_holds_more_than_its_slots)
{
    static const size_t sizes[] = {1, 2, 7, 8, 9, 100};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct cache *c = cache_new(sizes[i], &ops);
        for (uint64_t k = 0; k < 1000; k++) {
            put(c, k, hash_of(k), (int64_t)k);
            ck_assert(has(c, k, hash_of(k)));
            ck_assert_uint_le(cache_count(c), sizes[i]);
        }
        unsigned found = 0;
        for (uint64_t k = 0; k < 1000; k++)
            found += has(c, k, hash_of(k));
        ck_assert_uint_eq(found, cache_count(c));
        cache_free(c);
    }
    ck_assert_uint_eq(released, 6 * 1000);
}
END_TEST

/* Tokens. */

static struct client_rule rule = {.name = (char[]){"rule"}};
static struct partner partner = {.name = (char[]){"partner"}};

static struct token_key key_of(
    const char *host, int64_t lifetime_s, enum user_kind kind, const char *user)
{
    const struct mint_grant g = {
        .rule = &rule, .partner = &partner, .host = host, .lifetime_s = lifetime_s};
    struct token_key k = {0};
    ck_assert_int_eq(token_key_make(&g, kind, span_of(user), &k), REASON_OK);
    return k;
}

START_TEST(keys_differ_in_each_part)
{
    static const struct {
        const char *host;
        int64_t lifetime_s;
        enum user_kind kind;
        const char *user;
    } rows[] = {{"h", 60, USER_NONE, ""}, {"g", 60, USER_NONE, ""}, {"h", 61, USER_NONE, ""},
        {"h", 60, USER_UPN, "a@b.c"}, {"h", 60, USER_SMTP, "a@b.c"}, {"h", 60, USER_UPN, "b@b.c"},
        {"h6", 0, USER_NONE, ""}, {"h", 6, USER_NONE, "0"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            CLEANUP(token_key_done)
            struct token_key a =
                key_of(rows[i].host, rows[i].lifetime_s, rows[i].kind, rows[i].user);
            CLEANUP(token_key_done)
            struct token_key b =
                key_of(rows[j].host, rows[j].lifetime_s, rows[j].kind, rows[j].user);
            ck_assert_int_eq(token_key_eq(&a, &b), i == j);
        }
    CLEANUP(token_key_done) struct token_key low = key_of("h", 60, USER_UPN, "kim@b.c");
    CLEANUP(token_key_done) struct token_key high = key_of("h", 60, USER_UPN, "KIM@b.C");
    ck_assert(token_key_eq(&low, &high));
}
END_TEST

START_TEST(a_token_is_found_while_enough_of_it_is_left)
{
    struct cache *c = token_cache_new(8);
    CLEANUP(token_key_done) struct token_key k = key_of("h", 60, USER_NONE, "");
    struct span token = {0};
    int64_t ends = 0;
    ck_assert(!token_cache_find(c, &k, 1000, 0, &token, &ends));
    token_cache_put(c, &k, SPAN("a.b.c"), 1060);
    ck_assert(token_cache_find(c, &k, 1000, 60, &token, &ends));
    ck_assert(span_eq(token, SPAN("a.b.c")));
    ck_assert_int_eq(ends, 1060);
    ck_assert(!token_cache_find(c, &k, 1000, 61, &token, &ends));
    ck_assert(token_cache_find(c, &k, 1059, 0, &token, &ends));
    ck_assert(!token_cache_find(c, &k, 1060, 0, &token, &ends));
    ck_assert_uint_eq(cache_count(c), 0); /* what has ended is gone */
    cache_free(c);
}
END_TEST

static void set_up(void)
{
    released = 0;
}

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, what_is_put_is_found_until_it_is_dropped);
    tcase_add_test(tc, without_slots_nothing_is_remembered);
    tcase_add_test(tc, the_same_key_is_replaced);
    tcase_add_test(tc, equal_hashes_of_different_keys_stand_side_by_side);
    tcase_add_test(tc, a_full_neighbourhood_gives_up_what_ends_first);
    tcase_add_test(tc, it_never_holds_more_than_its_slots);
    tcase_add_test(tc, keys_differ_in_each_part);
    tcase_add_test(tc, a_token_is_found_while_enough_of_it_is_left);
}

int main(void)
{
    return unit_run("doors_cache", fill);
}
