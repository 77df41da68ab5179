/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include "unit.h"

/* FIPS 180-4's examples for "abc", and the empty message. */
static const uint8_t sha1_abc[SHA1_LEN] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba,
    0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
static const uint8_t sha256_abc[SHA256_LEN] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41,
    0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4,
    0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
static const uint8_t sha256_empty[SHA256_LEN] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

/* One context serves both algorithms, in any order and any number of times. */
START_TEST(digests_are_right_whatever_came_before)
{
    uint8_t one[SHA1_LEN], two[SHA256_LEN];
    for (int i = 0; i < 3; i++) {
        ck_assert(digest_sha256(SPAN("abc"), two));
        ck_assert_mem_eq(two, sha256_abc, sizeof(two));
        ck_assert(digest_sha1(SPAN("abc"), one));
        ck_assert_mem_eq(one, sha1_abc, sizeof(one));
        ck_assert(digest_sha256((struct span){0}, two));
        ck_assert_mem_eq(two, sha256_empty, sizeof(two));
    }
}
END_TEST

START_TEST(a_token_is_named_by_the_first_half_of_its_digest)
{
    char name[TOKEN_HASH_LEN];
    ck_assert_str_eq(digest_token_hash(SPAN("abc"), name), "ba7816bf8f01cfea");
    ck_assert_str_eq(digest_token_hash(SPAN("abd"), name), "a52d159f262b2c6d");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, digests_are_right_whatever_came_before);
    tcase_add_test(tc, a_token_is_named_by_the_first_half_of_its_digest);
}

int main(void)
{
    return unit_run("jose_digest", fill);
}
