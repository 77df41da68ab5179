/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's keys: made once, never replaced silently; files are judged before they count; what
 * changes is on disk first. */
#include "cleanup.h"
#include "file.h"
#include "own_keys.h"
#include "settings_of.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>
#include <sys/wait.h>

#define NOW INT64_C(1735700000)
#define HOUR 3600
#define HEAD                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Name=Contoso Lync\n"

static struct temp_dir dir;
static struct settings *managed;
static struct own_keys keys;
static char why[OWN_KEYS_WHY_MAX];
/* Two key files' texts, made once for all tests. */
static char *pem_a, *pem_b;

static char *make_pem(const char *name)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    struct buf pem = {.max = 65536, .secret = true};
    if (signkey_generate(name, NOW - HOUR, NOW + 365 * 24 * HOUR, &key) != REASON_OK ||
        signkey_to_pem(key, &pem) != REASON_OK)
        abort();
    return buf_take(&pem);
}

static void setup(void)
{
    temp_dir_make(&dir);
    managed = settings_of(HEAD);
    why[0] = '\0';
    keys = OWN_KEYS_NONE;
}

static void teardown(void)
{
    own_keys_done(&keys);
    settings_freep(&managed);
    temp_dir_remove(&dir);
}

static int start(const struct settings *s, int64_t now)
{
    own_keys_done(&keys);
    why[0] = '\0';
    return own_keys_start(&keys, s, dir.path, now, why);
}

static struct settings *file_settings(const char *current, const char *next)
{
    char text[1024];
    snprintf(text, sizeof(text), HEAD "[SigningKey]\nSource=files\nCurrent=%s\n%s%s\n",
        temp_dir_at(&dir, current), next ? "Next=" : "", next ? temp_dir_at(&dir, next) : "");
    return settings_of(text);
}

static void read_text(const char *name, struct buf *out)
{
    ck_assert_int_eq(file_read(temp_dir_at(&dir, name), FILE_KEY, 65536, out, why, sizeof(why)), 0);
}

START_TEST(the_first_start_makes_a_key)
{
    struct stat st;
    ck_assert_msg(start(managed, NOW) == 0, "%s", why);
    const struct ring_slot *slot = keyring_current(&keys.ring);
    ck_assert_mem_eq(slot->cert->x5t, signkey_cert(keys.current)->x5t, X5T_LEN);
    ck_assert_int_eq(slot->cert->not_before, NOW);
    ck_assert_int_eq(slot->cert->not_after, NOW + managed->signing_key.lifetime_s);
    ck_assert_uint_eq(pubkey_bits(slot->cert->key), 2048);
    ck_assert_int_eq(stat(temp_dir_at(&dir, OWN_KEYS_FILE), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0400);
    ck_assert_int_eq(stat(temp_dir_at(&dir, OWN_KEYS_RING), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    CLEANUP(buf_done) struct buf ring = BUF_INIT(65536); /* the ring holds nothing private */
    read_text(OWN_KEYS_RING, &ring);
    ck_assert_ptr_null(strstr(ring.p, "PRIVATE"));
}
END_TEST

START_TEST(a_restart_keeps_key_and_ring)
{
    CLEANUP(buf_done) struct buf before = BUF_INIT(65536);
    CLEANUP(buf_done) struct buf after = BUF_INIT(65536);
    ck_assert_int_eq(start(managed, NOW), 0);
    read_text(OWN_KEYS_RING, &before);
    uint8_t x5t[X5T_LEN];
    memcpy(x5t, signkey_cert(keys.current)->x5t, X5T_LEN);
    ck_assert_msg(start(managed, NOW + 1000) == 0, "%s", why);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, x5t, X5T_LEN);
    read_text(OWN_KEYS_RING, &after);
    ck_assert_str_eq(before.p, after.p);
}
END_TEST

/* kill -9 between the two files: the key is there, the ring is not. */
START_TEST(a_key_without_a_ring_is_taken_up)
{
    uint8_t x5t[X5T_LEN];
    ck_assert_int_eq(start(managed, NOW), 0);
    memcpy(x5t, signkey_cert(keys.current)->x5t, X5T_LEN);
    unlink(temp_dir_at(&dir, OWN_KEYS_RING));
    ck_assert_msg(start(managed, NOW) == 0, "%s", why);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, x5t, X5T_LEN);
    ck_assert(temp_dir_has(&dir, OWN_KEYS_RING));
}
END_TEST

/* Nothing of these may end in a new identity. */
START_TEST(a_lost_or_damaged_key_refuses_to_start)
{
    static const struct {
        const char *file, *text; /* NULL: removed */
        mode_t mode;
        int error;
        const char *says;
    } rows[] = {
        {OWN_KEYS_FILE, NULL, 0, -ENOKEY, "missing"},
        {OWN_KEYS_FILE, "", 0400, -EINVAL, OWN_KEYS_FILE},
        {OWN_KEYS_FILE, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0400,
            -EINVAL, OWN_KEYS_FILE},
        {OWN_KEYS_FILE, "b", 0400, -ENOKEY, "another"},
        {OWN_KEYS_FILE, "own", 0644, -EPERM, "0644"},
        {OWN_KEYS_FILE, "own", 0660, -EPERM, "0660"},
        {OWN_KEYS_RING, "nonsense\n", 0600, -EINVAL, "damaged"},
        {OWN_KEYS_RING, "", 0600, -EINVAL, "damaged"},
    };
    ck_assert_int_eq(start(managed, NOW), 0);
    CLEANUP(buf_done) struct buf own = BUF_INIT(65536);
    read_text(OWN_KEYS_FILE, &own);
    const char *text = rows[_i].text;
    if (!text)
        unlink(temp_dir_at(&dir, rows[_i].file));
    else if (strcmp(text, "b") == 0)
        temp_dir_write(&dir, rows[_i].file, span_of(pem_b), rows[_i].mode);
    else if (strcmp(text, "own") == 0)
        temp_dir_write(&dir, rows[_i].file, buf_span(&own), rows[_i].mode);
    else
        temp_dir_write(&dir, rows[_i].file, span_of(text), rows[_i].mode);
    ck_assert_int_eq(start(managed, NOW), rows[_i].error);
    ck_assert_msg(strstr(why, rows[_i].says), "%s", why);
    ck_assert_ptr_nonnull(strstr(why, dir.path)); /* it says where */
    ck_assert_int_eq(temp_dir_has(&dir, OWN_KEYS_FILE), text != NULL || rows[_i].file[0] == 'r');
    /* And is not healed by trying again. */
    ck_assert_int_eq(start(managed, NOW), rows[_i].error);
}
END_TEST

START_TEST(no_key_is_made_where_none_can_be_kept)
{
    ck_assert_int_eq(rmdir(dir.path), 0);
    ck_assert_int_lt(start(managed, NOW), 0);
    ck_assert_ptr_nonnull(strstr(why, dir.path));
    ck_assert_ptr_null(keys.current);
    temp_dir_make(&dir);
}
END_TEST

START_TEST(key_files_are_judged_when_prepared)
{
    static const struct {
        const char *current, *next; /* a, b: that key; ab: mixed up; else the text itself */
        mode_t mode;
        int error;
    } rows[] = {
        {"a", NULL, 0400, 0},
        {"a", "b", 0640, 0},
        {"a", NULL, 0644, -EPERM},
        {"a", NULL, 0666, -EPERM},
        {"mixed", NULL, 0600, -EINVAL},
        {"", NULL, 0600, -EINVAL},
        {"junk", NULL, 0600, -EINVAL},
        {"a", "junk", 0600, -EINVAL},
    };
    char mixed[16384];
    const char *cert_b = strstr(pem_b, "-----BEGIN CERTIFICATE");
    const char *key_a = strstr(pem_a, "-----BEGIN PRIVATE");
    ck_assert(cert_b && key_a);
    const char *key_end = strstr(key_a, "-----END PRIVATE KEY-----\n") + 26;
    const char *cert_end = strstr(cert_b, "-----END CERTIFICATE-----\n") + 26;
    snprintf(mixed, sizeof(mixed), "%.*s%.*s", (int)(key_end - key_a), key_a,
        (int)(cert_end - cert_b), cert_b);
    const char *texts[2] = {rows[_i].current, rows[_i].next};
    for (int i = 0; i < 2 && texts[i]; i++) {
        const char *t = strcmp(texts[i], "a") == 0       ? pem_a
                        : strcmp(texts[i], "b") == 0     ? pem_b
                        : strcmp(texts[i], "mixed") == 0 ? mixed
                                                         : texts[i];
        temp_dir_write(&dir, i ? "next.pem" : "now.pem", span_of(t), rows[_i].mode);
    }
    struct settings *s = file_settings("now.pem", rows[_i].next ? "next.pem" : NULL);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW, why), rows[_i].error);
    ck_assert_int_eq(why[0] != '\0', rows[_i].error != 0);
    ck_assert_int_eq(keys.prepared.current != NULL, rows[_i].error == 0);
    settings_free(s);
}
END_TEST

/* The whole roll with files: a signs, b is announced, b signs and a stays published, a is retired.
 */
START_TEST(a_roll_with_files)
{
    struct signkey *old = NULL;
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings("a.pem", NULL),
                    *then_b = file_settings("a.pem", "b.pem"),
                    *only_b = file_settings("b.pem", NULL);
    ck_assert_msg(start(only_a, NOW) == 0, "%s", why);
    ck_assert_uint_eq(keys.ring.n, 1);
    ck_assert(!temp_dir_has(&dir, OWN_KEYS_FILE)); /* nothing of ours is made */
    uint8_t a[X5T_LEN];
    memcpy(a, signkey_cert(keys.current)->x5t, X5T_LEN);
    uint64_t generation = keys.ring.generation;

    ck_assert_int_eq(own_keys_prepare(&keys, then_b, NOW, why), 0);
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 5, &old), 0);
    ck_assert_uint_eq(keys.ring.n, 1); /* prepared is not wanted */
    own_keys_commit(&keys);
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 10, &old), 0);
    signkey_freep(&old);
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert_uint_gt(keys.ring.generation, generation);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, a, X5T_LEN);
    ck_assert(own_keys_published(&keys, keys.ring.generation, NOW + 20));
    ck_assert(!own_keys_published(&keys, keys.ring.generation, NOW + 30));

    ck_assert_int_eq(own_keys_prepare(&keys, only_b, NOW, why), 0);
    own_keys_commit(&keys);
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 100, &old), 0);
    ck_assert_mem_eq(signkey_cert(old)->x5t, a, X5T_LEN);
    signkey_freep(&old);
    ck_assert_mem_ne(signkey_cert(keys.current)->x5t, a, X5T_LEN);
    ck_assert_uint_eq(keys.ring.n, 2); /* a's tokens can still be checked */

    /* A restart knows all of it, the stamp of b's publication too. */
    ck_assert_msg(start(only_b, NOW + 200) == 0, "%s", why);
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert_int_eq(keyring_current(&keys.ring)->published_since, NOW + 20);

    /* a is kept as long as its last token may live, and an hour. */
    int64_t until = NOW + 100 + 8 * HOUR + HOUR;
    ck_assert(!own_keys_tick(&keys, until - 1));
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert(own_keys_tick(&keys, until + 1));
    ck_assert_uint_eq(keys.ring.n, 1);
    settings_free(only_a);
    settings_free(then_b);
    settings_free(only_b);
}
END_TEST

START_TEST(what_cannot_be_written_does_not_count)
{
    struct signkey *old = NULL;
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings("a.pem", NULL), *only_b = file_settings("b.pem", NULL);
    ck_assert_int_eq(start(only_a, NOW), 0);
    uint64_t generation = keys.ring.generation;
    ck_assert_int_eq(own_keys_prepare(&keys, only_b, NOW, why), 0);
    own_keys_commit(&keys);
    keys.state_dir = "/nonexistent/s2sd";
    ck_assert_int_lt(own_keys_apply(&keys, NOW + 10, &old), 0);
    ck_assert_ptr_null(old);
    ck_assert_uint_eq(keys.ring.generation, generation);
    ck_assert_mem_eq(
        signkey_cert(keys.current)->x5t, keyring_current(&keys.ring)->cert->x5t, X5T_LEN);
    ck_assert(!own_keys_published(&keys, generation, NOW));
    ck_assert_int_eq(keyring_current(&keys.ring)->published_since, 0);
    /* A reload that comes meanwhile and is refused takes nothing back. */
    ck_assert_int_eq(own_keys_prepare(&keys, only_a, NOW, why), 0);
    own_keys_forget(&keys);
    keys.state_dir = dir.path;                 /* the disk is back: the second try succeeds */
    ck_assert(own_keys_tick(&keys, NOW + 30)); /* the stamp, too */
    ck_assert_int_eq(keyring_current(&keys.ring)->published_since, NOW + 30);
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 40, &old), 0);
    ck_assert_ptr_nonnull(old);
    signkey_freep(&old);
    ck_assert_uint_gt(keys.ring.generation, generation);
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 50, &old), 0); /* nothing is wanted any more */
    ck_assert_ptr_null(old);
    settings_free(only_a);
    settings_free(only_b);
}
END_TEST

START_TEST(an_abort_forgets)
{
    struct signkey *old = NULL;
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings("a.pem", NULL), *only_b = file_settings("b.pem", NULL);
    ck_assert_int_eq(start(only_a, NOW), 0);
    uint64_t generation = keys.ring.generation;
    ck_assert_int_eq(own_keys_prepare(&keys, only_b, NOW, why), 0);
    own_keys_forget(&keys);
    own_keys_commit(&keys); /* of nothing */
    ck_assert_int_eq(own_keys_apply(&keys, NOW + 10, &old), 0);
    ck_assert_ptr_null(old);
    ck_assert_uint_eq(keys.ring.generation, generation);
    settings_free(only_a);
    settings_free(only_b);
}
END_TEST

/* Partners would refuse every token; the dates are the message. */
START_TEST(a_signing_key_outside_its_dates_is_not_taken)
{
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    struct settings *s = file_settings("a.pem", NULL);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW - 2 * HOUR, why), -EKEYEXPIRED);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW + 366 * 24 * HOUR, why), -EKEYEXPIRED);
    ck_assert_ptr_nonnull(strstr(why, "a.pem"));
    ck_assert_ptr_null(keys.prepared.current);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW, why), 0);
    /* A start goes on with it: what is published already must stay so. */
    ck_assert_int_eq(start(s, NOW + 366 * 24 * HOUR), 0);
    settings_free(s);
}
END_TEST

/* R44. A kill in the middle of the first start leaves half a private key behind. */
START_TEST(the_state_folder_is_for_one_signer)
{
    temp_dir_write(&dir, "." OWN_KEYS_FILE ".new-0123abcd", SPAN("half a key"), 0600);
    ck_assert_int_eq(start(managed, NOW), 0);
    ck_assert(!temp_dir_has(&dir, "." OWN_KEYS_FILE ".new-0123abcd"));
    struct own_keys second = OWN_KEYS_NONE;
    ck_assert_int_eq(own_keys_start(&second, managed, dir.path, NOW, why), -EWOULDBLOCK);
    ck_assert_ptr_nonnull(strstr(why, "another s2sd-signer"));
    own_keys_done(&second);
    own_keys_done(&keys);
    ck_assert_int_eq(own_keys_start(&second, managed, dir.path, NOW, why), 0);
    own_keys_done(&second);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_first_start_makes_a_key);
    tcase_add_test(tc, a_restart_keeps_key_and_ring);
    tcase_add_test(tc, a_key_without_a_ring_is_taken_up);
    tcase_add_loop_test(tc, a_lost_or_damaged_key_refuses_to_start, 0, 8);
    tcase_add_test(tc, no_key_is_made_where_none_can_be_kept);
    tcase_add_loop_test(tc, key_files_are_judged_when_prepared, 0, 8);
    tcase_add_test(tc, a_roll_with_files);
    tcase_add_test(tc, what_cannot_be_written_does_not_count);
    tcase_add_test(tc, an_abort_forgets);
    tcase_add_test(tc, a_signing_key_outside_its_dates_is_not_taken);
    tcase_add_test(tc, the_state_folder_is_for_one_signer);
}

int main(void)
{
    pem_a = make_pem("a");
    pem_b = make_pem("b");
    int status = unit_run("signer_keys", fill);
    free(pem_a);
    free(pem_b);
    return status;
}
