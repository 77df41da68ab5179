/* SPDX-License-Identifier: Apache-2.0 */
/* A worker takes the configuration in force, not what the files say meanwhile: same entries, same
 * places, same digest. */
#include "config_snapshot.h"

#include "cleanup.h"
#include "file.h"
#include "temp_dir.h"
#include "unit.h"

#define MAIN                                                                                       \
    "# the main file\n\n[Identity]\n  ApplicationId = 00000004-0000-0ff1-ce00-000000000000  \n"    \
    "Realm=contoso.example\n; a comment\nHosts=old.contoso.example\nHosts=\n"                      \
    "Hosts=lync.contoso.example\nHosts=pool.contoso.example\n\n[Refresh]\nInterval=2h\n"
#define DROP_IN "[Refresh]\nInterval=3h\n"
#define EXCH                                                                                       \
    "\n\n[Partner exch]\nMetadataURL=https://exch.contoso.example/metadata/json/1\n"               \
    "ApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"      \
    "Description=a = b; c # d \"e\" \xc3\xa9\n"
#define RULE "[Client web]\nUser=root\nAllow=mint validate\nPartners=exch\n"

static struct temp_dir dir;

static void set_up(void)
{
    temp_dir_make(&dir);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "s2sd.conf.d"), 0755), 0);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "partners.d"), 0755), 0);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "clients.d"), 0755), 0);
    temp_dir_write(&dir, "s2sd.conf", SPAN(MAIN), 0644);
    temp_dir_write(&dir, "s2sd.conf.d/10-x.conf", SPAN(DROP_IN), 0644);
    temp_dir_write(&dir, "partners.d/exch.conf", SPAN(EXCH), 0644);
    temp_dir_write(&dir, "clients.d/web.conf", SPAN(RULE), 0644);
}

static void tear_down(void)
{
    temp_dir_remove(&dir);
}

static struct settings *load(void)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    struct settings *s = NULL;
    ck_assert_msg(settings_load(dir.path, &errors, &s), "%s", errors.text.p);
    return s;
}

static void check_same_text(const char *a, const char *b)
{
    ck_assert_int_eq(a == NULL, b == NULL);
    if (a && b)
        ck_assert_str_eq(a, b);
}

START_TEST(a_snapshot_is_the_same_configuration)
{
    CLEANUP(settings_freep) struct settings *s = load();
    CLEANUP(settings_freep) struct settings *copy = NULL;
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(closep) int fd = config_snapshot_make(s);
    ck_assert_int_ge(fd, 0);
    /* the files are broken meanwhile */
    temp_dir_write(&dir, "s2sd.conf", SPAN("[Nonsense\n"), 0644);
    ck_assert_msg(config_snapshot_read(fd, &errors, &copy), "%s", errors.text.p);
    ck_assert_mem_eq(copy->digest, s->digest, sizeof(s->digest));
    ck_assert_uint_eq(copy->set.n, s->set.n);
    for (size_t i = 0; i < s->set.n; i++) {
        const struct conf_entry *a = &s->set.entries[i], *b = &copy->set.entries[i];
        ck_assert_str_eq(a->where.file, b->where.file);
        ck_assert_uint_eq(a->where.line, b->where.line);
        ck_assert_str_eq(a->section, b->section);
        ck_assert_str_eq(a->name, b->name);
        check_same_text(a->key, b->key);
        check_same_text(a->value, b->value);
    }
    ck_assert_uint_eq(copy->identity.n_hosts, 2);
    ck_assert_int_eq(copy->refresh.interval_s, 10800);
    ck_assert_str_eq(copy->partners[0].description, "a = b; c # d \"e\" \xc3\xa9");
    ck_assert_uint_eq(copy->n_clients, 1);
}
END_TEST

/* The bytes of a snapshot, to be spoilt. */
static void read_bytes(struct buf *bytes)
{
    CLEANUP(settings_freep) struct settings *s = load();
    CLEANUP(closep) int fd = config_snapshot_make(s);
    *bytes = BUF_INIT(1 << 20);
    ck_assert_int_eq(file_read_memfd(fd, bytes->max, bytes), 0);
}

static bool is_taken(struct span bytes)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    CLEANUP(closep) int fd = file_memfd("spoilt", bytes);
    bool ok = config_snapshot_read(fd, &errors, &s);
    ck_assert_int_eq(ok, s != NULL);
    ck_assert_int_eq(ok, errors.count == 0);
    return ok;
}

START_TEST(anything_else_is_refused)
{
    CLEANUP(buf_done) struct buf bytes;
    read_bytes(&bytes);
    ck_assert(is_taken(buf_span(&bytes)));
    for (size_t n = 0; n < bytes.n; n += 7)
        ck_assert_msg(!is_taken((struct span){bytes.p, n}), "%zu bytes", n);
    /* one digit of a setting, the file's name kept */
    char *at = memmem(bytes.p, bytes.n, "Interval=3h", 11);
    ck_assert(at != NULL);
    if (at)
        at[9] = '4';
    ck_assert(!is_taken(buf_span(&bytes)));
}
END_TEST

START_TEST(unsealed_memory_is_refused)
{
    CLEANUP(buf_done) struct buf bytes;
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    struct settings *s = NULL;
    read_bytes(&bytes);
    temp_dir_write(&dir, "plain", buf_span(&bytes), 0600);
    CLEANUP(closep) int fd = open(temp_dir_at(&dir, "plain"), O_RDONLY | O_CLOEXEC);
    ck_assert(!config_snapshot_read(fd, &errors, &s));
    ck_assert_ptr_null(s);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_snapshot_is_the_same_configuration);
    tcase_add_test(tc, anything_else_is_refused);
    tcase_add_test(tc, unsealed_memory_is_refused);
}

int main(void)
{
    return unit_run("config_snapshot", fill);
}
