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
/* Key files' texts, made once for all tests. */
static char *pem_a, *pem_b, *pem_brief;

static char *make_pem(const char *name, int64_t life_s)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    struct buf pem = {.max = 65536, .secret = true};
    if (signkey_generate(name, NOW - HOUR, NOW + life_s, &key) != REASON_OK ||
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

static struct own_keys_news news;
static void forget_news(void)
{
    signkey_freep(&news.old);
    news.todo = 0;
}

static void teardown(void)
{
    forget_news();
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

/* Files below the folder; `more` are lines of [SigningKey]. */
static struct settings *file_settings_with(const char *current, const char *next, const char *more)
{
    char text[1024];
    snprintf(text, sizeof(text), HEAD "[SigningKey]\nSource=files\nCurrent=%s\n%s%s\n%s",
        temp_dir_at(&dir, current), next ? "Next=" : "", next ? temp_dir_at(&dir, next) : "", more);
    return settings_of(text);
}

static struct settings *file_settings(const char *current, const char *next)
{
    return file_settings_with(current, next, "");
}

/* Where the only key of the ring has its private part, relative to the folder. */
static const char *key_file(const struct cert *c)
{
    static char name[THUMBPRINT_TEXT_LEN + 16];
    char thumbprint[THUMBPRINT_TEXT_LEN];
    snprintf(name, sizeof(name), KEY_FILES_FOLDER "/%s.pem", thumbprint_text(c->x5t, thumbprint));
    return name;
}

static const char *current_file(void)
{
    return key_file(keyring_current(&keys.ring)->cert);
}

static bool published(uint64_t generation, int64_t now)
{
    forget_news();
    own_keys_published(&keys, generation, now, &news);
    return news.todo & DO_PUBLISH;
}

static bool tick(int64_t now)
{
    forget_news();
    own_keys_tick(&keys, now, &news);
    return news.todo & DO_PUBLISH;
}

static void commit(int64_t now)
{
    forget_news();
    own_keys_commit(&keys, now, &news);
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
    ck_assert_int_eq(stat(temp_dir_at(&dir, current_file()), &st), 0);
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

/* The folder of the first edition: its only key lies beside the ring. */
START_TEST(the_key_of_the_first_edition_is_taken_over)
{
    CLEANUP(buf_done) struct buf own = {.max = 65536, .secret = true};
    uint8_t x5t[X5T_LEN];
    ck_assert_int_eq(start(managed, NOW), 0);
    memcpy(x5t, signkey_cert(keys.current)->x5t, X5T_LEN);
    read_text(current_file(), &own);
    /* Also when it was killed between the copy and the end of the original. */
    for (int has_copy = 0; has_copy < 2; has_copy++) {
        temp_dir_write(&dir, KEY_FILES_OLD, buf_span(&own), 0400);
        if (!has_copy)
            unlink(temp_dir_at(&dir, current_file()));
        ck_assert_msg(start(managed, NOW) == 0, "%s", why);
        ck_assert_mem_eq(signkey_cert(keys.current)->x5t, x5t, X5T_LEN);
        ck_assert(!temp_dir_has(&dir, KEY_FILES_OLD));
        ck_assert(temp_dir_has(&dir, current_file()));
    }
}
END_TEST

/* Nothing of these may end in a new identity. */
START_TEST(a_lost_or_damaged_key_refuses_to_start)
{
    static const struct {
        bool is_ring;
        const char *text; /* NULL: removed */
        mode_t mode;
        int error;
        const char *says;
    } rows[] = {
        {false, NULL, 0, -ENOKEY, "missing"},
        {false, "", 0400, -ENOKEY, "be read"},
        {false, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0400, -ENOKEY,
            "be read"},
        {false, "b", 0400, -ENOKEY, "another"},
        {false, "own", 0644, -ENOKEY, "0644"},
        {false, "own", 0660, -ENOKEY, "0660"},
        {true, "nonsense\n", 0600, -EINVAL, "damaged"},
        {true, "", 0600, -EINVAL, "damaged"},
    };
    char file[64];
    CLEANUP(buf_done) struct buf own = {.max = 65536, .secret = true};
    ck_assert_int_eq(start(managed, NOW), 0);
    read_text(current_file(), &own);
    snprintf(file, sizeof(file), "%s", rows[_i].is_ring ? OWN_KEYS_RING : current_file());
    const char *text = rows[_i].text;
    if (!text)
        unlink(temp_dir_at(&dir, file));
    else if (strcmp(text, "b") == 0)
        temp_dir_write(&dir, file, span_of(pem_b), rows[_i].mode);
    else if (strcmp(text, "own") == 0)
        temp_dir_write(&dir, file, buf_span(&own), rows[_i].mode);
    else
        temp_dir_write(&dir, file, span_of(text), rows[_i].mode);
    ck_assert_int_eq(start(managed, NOW), rows[_i].error);
    ck_assert_msg(strstr(why, rows[_i].says), "%s", why);
    ck_assert_ptr_nonnull(strstr(why, dir.path)); /* it says where */
    ck_assert_int_eq(temp_dir_has(&dir, file), text != NULL);
    /* And is not healed by trying again. */
    ck_assert_int_eq(start(managed, NOW), rows[_i].error);
}
END_TEST

/* The file of states was removed: keys that partners may know are all published again, the one that
 * they have known for longest signs. */
START_TEST(without_a_ring_all_keys_that_are_there_count)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(8192);
    struct msg_roll m = {.op = ROLL_PREPARE};
    uint8_t x5t[X5T_LEN];
    ck_assert_int_eq(start(managed, NOW), 0);
    memcpy(x5t, signkey_cert(keys.current)->x5t, X5T_LEN);
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW + 5, &lines, &news), REASON_OK);
    unlink(temp_dir_at(&dir, OWN_KEYS_RING));
    ck_assert_msg(start(managed, NOW + 10) == 0, "%s", why);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, x5t, X5T_LEN);
    ck_assert_uint_eq(keyring_count(&keys.ring, KEY_PREVIOUS), 1);
    ck_assert_uint_eq(keys.ring.n, 2);
}
END_TEST

static int64_t until_of_previous(void)
{
    for (size_t i = 0; i < keys.ring.n; i++)
        if (keys.ring.slots[i].state == KEY_PREVIOUS)
            return keys.ring.slots[i].until;
    return 0;
}

/* A previous key is shown until the last token that it has really signed has ended, and
 * KeepPublishedAfter= longer. What an earlier run signed is not known. */
START_TEST(a_previous_key_is_kept_for_the_tokens_that_were_ordered)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(8192);
    struct msg_roll prepare = {.op = ROLL_PREPARE}, now = {.op = ROLL_NOW, .force = true};
    ck_assert_int_eq(start(managed, NOW), 0);
    own_keys_signed(&keys, NOW + 700);
    own_keys_signed(&keys, NOW + 300);
    ck_assert_int_eq(own_keys_roll(&keys, &prepare, NOW + 5, &lines, &news), REASON_OK);
    ck_assert_int_eq(own_keys_roll(&keys, &now, NOW + 6, &lines, &news), REASON_OK);
    signkey_freep(&news.old);
    ck_assert_int_eq(until_of_previous(), NOW + 700 + HOUR);
    ck_assert(tick(NOW + 700 + HOUR));
    ck_assert_int_eq(start(managed, NOW + 2 * HOUR), 0);
    ck_assert_int_eq(own_keys_roll(&keys, &prepare, NOW + 2 * HOUR, &lines, &news), REASON_OK);
    ck_assert_int_eq(own_keys_roll(&keys, &now, NOW + 2 * HOUR + 6, &lines, &news), REASON_OK);
    signkey_freep(&news.old);
    ck_assert_int_eq(until_of_previous(), NOW + 2 * HOUR + 6 + 8 * HOUR + HOUR);
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
    const int64_t lead = 24 * HOUR;
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings("a.pem", NULL),
                    *then_b = file_settings("a.pem", "b.pem"),
                    *only_b = file_settings("b.pem", NULL);
    ck_assert_msg(start(only_a, NOW) == 0, "%s", why);
    ck_assert_uint_eq(keys.ring.n, 1);
    ck_assert(!temp_dir_has(&dir, KEY_FILES_FOLDER)); /* nothing of ours is made */
    uint8_t a[X5T_LEN];
    memcpy(a, signkey_cert(keys.current)->x5t, X5T_LEN);
    uint64_t generation = keys.ring.generation;

    ck_assert_int_eq(own_keys_prepare(&keys, then_b, NOW, why), 0);
    tick(NOW + 5);
    ck_assert_uint_eq(keys.ring.n, 1); /* prepared is not wanted */
    commit(NOW + 10);
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert_uint_gt(keys.ring.generation, generation);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, a, X5T_LEN);
    ck_assert(published(keys.ring.generation, NOW + 20));
    ck_assert(!published(keys.ring.generation, NOW + 30));

    /* Too early: partners could not have read it. */
    ck_assert_int_eq(own_keys_prepare(&keys, only_b, NOW + 20 + lead - 1, why), -EKEYREJECTED);
    ck_assert_msg(strstr(why, "PublishLead"), "%s", why);
    ck_assert_int_eq(own_keys_prepare(&keys, only_b, NOW + 20 + lead, why), 0);
    int64_t rolled = NOW + 20 + lead;
    commit(rolled);
    ck_assert(news.todo & DO_SIGN);
    ck_assert_mem_eq(signkey_cert(news.old)->x5t, a, X5T_LEN);
    ck_assert_mem_ne(signkey_cert(keys.current)->x5t, a, X5T_LEN);
    ck_assert_uint_eq(keys.ring.n, 2); /* a's tokens can still be checked */
    ck_assert(!keyring_current(&keys.ring)->forced);

    /* A restart knows all of it, the stamp of b's publication too. */
    ck_assert_msg(start(only_b, rolled + 200) == 0, "%s", why);
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert_int_eq(keyring_current(&keys.ring)->published_since, NOW + 20);

    /* a is kept as long as its last token may live (that of the first run: 8 h at most, nothing was
     * signed for a day), and an hour. */
    int64_t until = rolled + HOUR;
    ck_assert(!tick(until - 1));
    ck_assert_uint_eq(keys.ring.n, 2);
    ck_assert(tick(until));
    ck_assert_uint_eq(keys.ring.n, 1);
    settings_free(only_a);
    settings_free(then_b);
    settings_free(only_b);
}
END_TEST

/* Next= with a date: the signer activates it, and no restart or reload turns that back. */
START_TEST(a_next_file_signs_at_its_date)
{
    const int64_t date = INT64_C(1735948800); /* 2025-01-04 */
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *s = file_settings_with("a.pem", "b.pem", "NextEffective=2025-01-04\n"),
                    *only_b = file_settings("b.pem", NULL);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    uint8_t a[X5T_LEN], b[X5T_LEN];
    memcpy(a, signkey_cert(keys.current)->x5t, X5T_LEN);
    memcpy(b, keyring_next(&keys.ring)->cert->x5t, X5T_LEN);
    published(keys.ring.generation, NOW);
    tick(date - 1);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, a, X5T_LEN);
    ck_assert_int_eq(own_keys_wait_s(&keys, date - 1), 1);
    tick(date);
    ck_assert(news.todo & DO_SIGN);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, b, X5T_LEN);
    ck_assert_msg(start(s, date + 10) == 0, "%s", why);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, b, X5T_LEN);
    ck_assert_int_eq(own_keys_prepare(&keys, s, date + 20, why), 0);
    commit(date + 20);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, b, X5T_LEN);
    ck_assert_msg(own_keys_prepare(&keys, only_b, date + 30, why) == 0, "%s", why);
    commit(date + 30);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, b, X5T_LEN);
    settings_free(s);
    settings_free(only_b);
}
END_TEST

/* Source=credential: names below the folder that systemd has made. */
START_TEST(credentials_are_read_by_name)
{
    struct settings *s = settings_of(HEAD "[SigningKey]\nSource=credential\nCurrent=now\n");
    temp_dir_write(&dir, "now", span_of(pem_a), 0400);
    unsetenv("CREDENTIALS_DIRECTORY");
    ck_assert_int_eq(start(s, NOW), -EKEYREJECTED);
    ck_assert_msg(strstr(why, "LoadCredential=now"), "%s", why);
    setenv("CREDENTIALS_DIRECTORY", dir.path, 1);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    ck_assert_int_eq(keys.ring.source, KEYS_CREDENTIAL);
    unsetenv("CREDENTIALS_DIRECTORY");
    settings_free(s);
}
END_TEST

START_TEST(what_cannot_be_written_does_not_count)
{
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings_with("a.pem", NULL, "PublishLead=0\n"),
                    *only_b = file_settings_with("b.pem", NULL, "PublishLead=0\n");
    ck_assert_int_eq(start(only_a, NOW), 0);
    uint64_t generation = keys.ring.generation;
    ck_assert_msg(own_keys_prepare(&keys, only_b, NOW, why) == 0, "%s", why);
    keys.state_dir = "/nonexistent/s2sd";
    commit(NOW + 10);
    ck_assert(!(news.todo & DO_SIGN));
    ck_assert_ptr_null(news.old);
    ck_assert_uint_eq(keys.ring.generation, generation);
    ck_assert_mem_eq(
        signkey_cert(keys.current)->x5t, keyring_current(&keys.ring)->cert->x5t, X5T_LEN);
    ck_assert(!published(generation, NOW));
    ck_assert_int_eq(keyring_current(&keys.ring)->published_since, 0);
    ck_assert_int_le(own_keys_wait_s(&keys, NOW), 30);
    /* A reload that comes meanwhile and is refused takes nothing back. */
    ck_assert_int_eq(own_keys_prepare(&keys, only_a, NOW, why), 0);
    own_keys_forget(&keys);
    keys.state_dir = dir.path; /* the disk is back: the next try succeeds */
    ck_assert(tick(NOW + 30));
    ck_assert(news.todo & DO_SIGN);
    ck_assert_ptr_nonnull(news.old);
    ck_assert_uint_gt(keys.ring.generation, generation);
    uint64_t after = keys.ring.generation;
    tick(NOW + 50); /* nothing is wanted any more */
    ck_assert_uint_eq(keys.ring.generation, after);
    ck_assert_ptr_null(news.old);
    settings_free(only_a);
    settings_free(only_b);
}
END_TEST

START_TEST(an_abort_forgets)
{
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    struct settings *only_a = file_settings("a.pem", NULL),
                    *then_b = file_settings("a.pem", "b.pem");
    ck_assert_int_eq(start(only_a, NOW), 0);
    uint64_t generation = keys.ring.generation;
    ck_assert_int_eq(own_keys_prepare(&keys, then_b, NOW, why), 0);
    own_keys_forget(&keys);
    commit(NOW + 10); /* of nothing */
    tick(NOW + 20);
    ck_assert_ptr_null(news.old);
    ck_assert_uint_eq(keys.ring.generation, generation);
    settings_free(only_a);
    settings_free(then_b);
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

/* NextEffective= is the date until somebody says another. */
START_TEST(an_order_without_a_date_keeps_the_date_there_is)
{
    const int64_t date = INT64_C(1735948800);
    struct settings *s = file_settings_with("a.pem", "b.pem", "NextEffective=2025-01-04\n");
    const struct msg_roll m = {.op = ROLL_PREPARE, .who = SPAN("uid 0")};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    forget_news();
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW + HOUR, &lines, &news), REASON_OK);
    ck_assert_int_eq(keyring_next(&keys.ring)->effective_at, date);
    buf_put_char(&lines, '\0');
    ck_assert_msg(strstr(lines.p, "2025-01-04"), "%s", lines.p);
    settings_free(s);
}
END_TEST

/* A date that was ordered stays over a reload and a restart of a configuration that has none; one
 * that the configuration has counts. */
START_TEST(a_reload_keeps_a_date_that_was_ordered)
{
    struct settings *s = file_settings("a.pem", "b.pem");
    struct settings *dated = file_settings_with("a.pem", "b.pem", "NextEffective=2025-01-04\n");
    const struct msg_roll m = {
        .op = ROLL_PREPARE, .effective_at = NOW + 48 * HOUR, .who = SPAN("uid 0")};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    forget_news();
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW, &lines, &news), REASON_OK);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW, why), 0);
    commit(NOW);
    ck_assert_int_eq(keyring_next(&keys.ring)->effective_at, m.effective_at);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    ck_assert_int_eq(keyring_next(&keys.ring)->effective_at, m.effective_at);
    ck_assert_int_eq(own_keys_prepare(&keys, dated, NOW, why), 0);
    commit(NOW);
    ck_assert_int_eq(keyring_next(&keys.ring)->effective_at, INT64_C(1735948800));
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW, why), 0); /* the line was taken out */
    commit(NOW);
    ck_assert_int_eq(keyring_next(&keys.ring)->effective_at, 0);
    settings_free(s);
    settings_free(dated);
}
END_TEST

/* A Next= that has ended is refused by a reload, but is no reason not to sign with Current=. */
START_TEST(a_start_goes_on_though_next_has_ended)
{
    struct settings *s = file_settings("a.pem", "brief.pem");
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "brief.pem", span_of(pem_brief), 0400);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    tick(NOW + 2 * HOUR);
    ck_assert_msg(start(s, NOW + 2 * HOUR) == 0, "%s", why);
    ck_assert_ptr_null(keyring_next(&keys.ring));
    ck_assert_ptr_nonnull(keys.current);
    ck_assert_int_eq(own_keys_prepare(&keys, s, NOW + 2 * HOUR, why), -EKEYREJECTED);
    settings_free(s);
}
END_TEST

/* A date that Current= does not reach any more, the same. The key stays announced. */
START_TEST(a_start_goes_on_though_the_date_is_too_late)
{
    struct settings *s = file_settings("brief.pem", "a.pem");
    struct settings *late = file_settings_with("brief.pem", "a.pem", "NextEffective=2025-01-04\n");
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "brief.pem", span_of(pem_brief), 0400);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    ck_assert_msg(start(late, NOW) == 0, "%s", why);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert(keyring_next(&keys.ring)->can_sign);
    settings_free(s);
    settings_free(late);
}
END_TEST

/* The key of Next= signs; another Next= and the old Current= would bring the old key back. */
START_TEST(a_current_that_was_forgotten_does_not_come_back)
{
    struct settings *s = file_settings_with("a.pem", "b.pem", "NextEffective=2025-01-04\n"),
                    *other = file_settings("a.pem", "brief.pem");
    temp_dir_write(&dir, "a.pem", span_of(pem_a), 0400);
    temp_dir_write(&dir, "b.pem", span_of(pem_b), 0400);
    temp_dir_write(&dir, "brief.pem", span_of(pem_brief), 0400);
    ck_assert_msg(start(s, NOW) == 0, "%s", why);
    published(keys.ring.generation, NOW - 48 * HOUR);
    struct roll_terms *t = &keys.rules.terms;
    t->lead_s = 0;
    const struct msg_roll m = {.op = ROLL_NOW, .who = SPAN("uid 0")};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    forget_news();
    /* A reload that was judged before the roll and committed after it does not undo it. */
    ck_assert_msg(own_keys_prepare(&keys, other, NOW, why) == 0, "%s", why);
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW, &lines, &news), REASON_OK);
    const uint8_t *b = keyring_current(&keys.ring)->cert->x5t;
    commit(NOW);
    ck_assert_mem_eq(signkey_cert(keys.current)->x5t, b, X5T_LEN);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert_int_eq(own_keys_prepare(&keys, other, NOW, why), -EKEYREJECTED);
    ck_assert_msg(strstr(why, "Current="), "%s", why);
    settings_free(s);
    settings_free(other);
}
END_TEST

/* Nothing could ever sign with it: it makes room for one that can. */
START_TEST(a_next_key_that_is_lost_is_replaced)
{
    const struct msg_roll m = {.op = ROLL_PREPARE, .who = SPAN("uid 0")};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    ck_assert_int_eq(start(managed, NOW), 0);
    forget_news();
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW, &lines, &news), REASON_OK);
    tick(NOW + HOUR);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert_int_eq(unlink(temp_dir_at(&dir, key_file(keyring_next(&keys.ring)->cert))), 0);
    tick(NOW + 2 * HOUR);
    ck_assert_ptr_null(keyring_next(&keys.ring));
    int64_t late = keyring_current(&keys.ring)->cert->not_after - 40 * 24 * HOUR;
    tick(late);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert_int_eq(unlink(temp_dir_at(&dir, key_file(keyring_next(&keys.ring)->cert))), 0);
    tick(late + HOUR);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert(keyring_next(&keys.ring)->can_sign);
}
END_TEST

/* A folder that cannot be looked into just now has lost nothing. */
START_TEST(a_next_key_is_lost_for_certain_or_not_at_all)
{
    const struct msg_roll m = {.op = ROLL_PREPARE, .who = SPAN("uid 0")};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    ck_assert_int_eq(start(managed, NOW), 0);
    forget_news();
    ck_assert_int_eq(own_keys_roll(&keys, &m, NOW, &lines, &news), REASON_OK);
    ck_assert_int_eq(rename(temp_dir_at(&dir, "keys"), temp_dir_at(&dir, "elsewhere")), 0);
    temp_dir_write(&dir, "keys", SPAN("no folder"), 0600); /* ENOTDIR */
    tick(NOW + HOUR);
    ck_assert_ptr_nonnull(keyring_next(&keys.ring));
    ck_assert(keyring_next(&keys.ring)->can_sign);
}
END_TEST

/* Tokens of the run before were signed by a clock that was right, which this start's was not. */
START_TEST(a_clock_that_was_wrong_at_start_ends_no_token_early)
{
    const struct msg_roll m[] = {{.op = ROLL_PREPARE, .who = SPAN("uid 0")},
        {.op = ROLL_NOW, .force = true, .who = SPAN("uid 0")}};
    CLEANUP(buf_done) struct buf lines = BUF_INIT(4096);
    ck_assert_int_eq(start(managed, NOW), 0);
    ck_assert_int_eq(start(managed, NOW - 365 * 24 * HOUR), 0);
    for (size_t i = 0; i < ARRAY_LEN(m); i++) {
        forget_news();
        ck_assert_int_eq(own_keys_roll(&keys, &m[i], NOW + HOUR, &lines, &news), REASON_OK);
    }
    ck_assert_int_ge(until_of_previous(), NOW + HOUR + keys.rules.max_token_s);
}
END_TEST

/* R44. A kill in the middle of the first start leaves half a private key behind. */
START_TEST(the_state_folder_is_for_one_signer)
{
    static const char half[] = KEY_FILES_FOLDER "/.AB.pem.new-0123abcd";
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, KEY_FILES_FOLDER), 0700), 0);
    temp_dir_write(&dir, half, SPAN("half a key"), 0600);
    ck_assert_int_eq(start(managed, NOW), 0);
    ck_assert(!temp_dir_has(&dir, half));
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
    tcase_add_test(tc, a_previous_key_is_kept_for_the_tokens_that_were_ordered);
    tcase_add_test(tc, no_key_is_made_where_none_can_be_kept);
    tcase_add_loop_test(tc, key_files_are_judged_when_prepared, 0, 8);
    tcase_add_test(tc, the_key_of_the_first_edition_is_taken_over);
    tcase_add_test(tc, without_a_ring_all_keys_that_are_there_count);
    tcase_add_test(tc, a_next_file_signs_at_its_date);
    tcase_add_test(tc, credentials_are_read_by_name);
    tcase_add_test(tc, a_roll_with_files);
    tcase_add_test(tc, what_cannot_be_written_does_not_count);
    tcase_add_test(tc, an_abort_forgets);
    tcase_add_test(tc, a_signing_key_outside_its_dates_is_not_taken);
    tcase_add_test(tc, the_state_folder_is_for_one_signer);
    tcase_add_test(tc, an_order_without_a_date_keeps_the_date_there_is);
    tcase_add_test(tc, a_reload_keeps_a_date_that_was_ordered);
    tcase_add_test(tc, a_start_goes_on_though_next_has_ended);
    tcase_add_test(tc, a_start_goes_on_though_the_date_is_too_late);
    tcase_add_test(tc, a_current_that_was_forgotten_does_not_come_back);
    tcase_add_test(tc, a_next_key_that_is_lost_is_replaced);
    tcase_add_test(tc, a_next_key_is_lost_for_certain_or_not_at_all);
    tcase_add_test(tc, a_clock_that_was_wrong_at_start_ends_no_token_early);
}

int main(void)
{
    pem_a = make_pem("a", 365 * 24 * HOUR);
    pem_b = make_pem("b", 365 * 24 * HOUR);
    pem_brief = make_pem("brief", HOUR);
    int status = unit_run("signer_keys", fill);
    free(pem_a);
    free(pem_b);
    free(pem_brief);
    return status;
}
