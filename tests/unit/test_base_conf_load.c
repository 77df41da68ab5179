/* SPDX-License-Identifier: Apache-2.0 */
/* Which files count: precedence, masking, sorting, refusals. */
#include "conf.h"

#include "cleanup.h"
#include "scratch.h"

/* Loads from the places etc, run and lib of the scratch folder; "file=value" of every k= in order.
 */
static void load(struct buf *got, struct conf_errors *errors)
{
    CLEANUP(conf_set_done) struct conf_set set = {0};
    const char *const dirs[] = {
        scratch_path("etc"), scratch_path("run"), scratch_path("lib"), NULL};
    ck_assert_int_eq(conf_load(&set, dirs, errors), 0);
    for (size_t i = 0; i < set.n; i++)
        if (set.entries[i].key)
            buf_printf(got, "%s=%s ", set.entries[i].where.file + strlen(scratch_dir) + 1,
                set.entries[i].value);
}

static void check_load(const char *want)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(buf_done) struct buf got = BUF_INIT(10000);
    load(&got, &errors);
    ck_assert_str_eq(errors.text.p ? errors.text.p : "", "");
    ck_assert_str_eq(got.p ? got.p : "", want);
}

/* Exactly one mistake, which holds these words. */
static void check_error(const char *want)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(buf_done) struct buf got = BUF_INIT(10000);
    load(&got, &errors);
    ck_assert_uint_eq(errors.count, 1);
    ck_assert_msg(strstr(errors.text.p, want) != NULL, "%s", errors.text.p);
}

static void make_places(void)
{
    static const char *const folders[] = {"etc", "etc/s2sd.conf.d", "etc/partners.d",
        "etc/clients.d", "run", "run/s2sd.conf.d", "lib", "lib/s2sd.conf.d", "lib/partners.d"};
    scratch_make();
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        scratch_folder(folders[i], 0755);
}

START_TEST(the_first_main_file_counts_alone)
{
    scratch_text("lib/s2sd.conf", "[A]\nk=lib\n");
    check_load("lib/s2sd.conf=lib ");
    scratch_text("run/s2sd.conf", "[A]\nk=run\n");
    check_load("run/s2sd.conf=run ");
    scratch_text("etc/s2sd.conf", "[A]\nk=etc\n");
    check_load("etc/s2sd.conf=etc ");
    scratch_text("etc/s2sd.conf", "");
    check_load("");
    ck_assert_int_eq(unlink(scratch_path("etc/s2sd.conf")), 0);
    ck_assert_int_eq(symlink("/dev/null", scratch_path("etc/s2sd.conf")), 0);
    check_load("");
}
END_TEST

START_TEST(drop_ins_are_merged_by_name)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_text("etc/s2sd.conf.d/20-b.conf", "[A]\nk=2\n");
    scratch_text("lib/s2sd.conf.d/10-a.conf", "[A]\nk=1\n");
    scratch_text("run/s2sd.conf.d/30-c.conf", "[A]\nk=3\n");
    scratch_text("lib/s2sd.conf.d/20-b.conf", "[A]\nk=replaced\n");
    scratch_text("run/s2sd.conf.d/20-b.conf", "[A]\nk=replaced\n");
    check_load("etc/s2sd.conf=main lib/s2sd.conf.d/10-a.conf=1 etc/s2sd.conf.d/20-b.conf=2 "
               "run/s2sd.conf.d/30-c.conf=3 ");
}
END_TEST

START_TEST(empty_files_and_null_links_mask)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_text("lib/s2sd.conf.d/a.conf", "[A]\nk=a\n");
    scratch_text("lib/s2sd.conf.d/b.conf", "[A]\nk=b\n");
    scratch_text("lib/s2sd.conf.d/c.conf", "[A]\nk=c\n");
    scratch_text("run/s2sd.conf.d/a.conf", "");
    ck_assert_int_eq(symlink("/dev/null", scratch_path("etc/s2sd.conf.d/b.conf")), 0);
    check_load("etc/s2sd.conf=main lib/s2sd.conf.d/c.conf=c ");
}
END_TEST

START_TEST(partners_and_clients_come_after)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_text("etc/clients.d/a.conf", "[C]\nk=c\n");
    scratch_text("lib/partners.d/z.conf", "[P]\nk=z\n");
    scratch_text("etc/partners.d/y.conf", "[P]\nk=y\n");
    scratch_text("etc/s2sd.conf.d/z.conf", "[A]\nk=d\n");
    check_load("etc/s2sd.conf=main etc/s2sd.conf.d/z.conf=d etc/partners.d/y.conf=y "
               "lib/partners.d/z.conf=z "
               "etc/clients.d/a.conf=c ");
}
END_TEST

START_TEST(only_conf_files_are_read)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_text("etc/partners.d/a.conf~", "broken");
    scratch_text("etc/partners.d/.a.conf", "broken");
    scratch_text("etc/partners.d/a.conf.bak", "broken");
    scratch_text("etc/partners.d/README", "broken");
    scratch_text("etc/partners.d/.conf", "broken");
    check_load("etc/s2sd.conf=main ");
}
END_TEST

START_TEST(links_to_files_elsewhere_are_followed)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_folder("store", 0755);
    scratch_text("store/x.conf", "[P]\nk=x\n");
    ck_assert_int_eq(symlink("../../store/x.conf", scratch_path("etc/partners.d/x.conf")), 0);
    check_load("etc/s2sd.conf=main etc/partners.d/x.conf=x ");
    ck_assert_int_eq(chmod(scratch_path("store"), 0777), 0);
    check_error("store: the folder is writable by group or others");
}
END_TEST

START_TEST(missing_folders_are_no_mistake_a_missing_main_file_is)
{
    scratch_remove();
    scratch_make();
    check_error("etc/s2sd.conf: there is no such file");
    scratch_folder("etc", 0755);
    check_error("etc/s2sd.conf: there is no such file");
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    check_load("etc/s2sd.conf=main ");
}
END_TEST

/* Whatever is wrong with a file is told with its name; the others are still read. */
START_TEST(what_cannot_be_trusted_is_refused)
{
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    scratch_write("etc/partners.d/a.conf", "[P]\nk=a\n", 8, 0664);
    check_error("etc/partners.d/a.conf: writable by group or others (mode 0664)");
    scratch_write("etc/partners.d/a.conf", "[P]\nk=a\n", 8, 0646);
    check_error("etc/partners.d/a.conf: writable by group or others (mode 0646)");
    ck_assert_int_eq(unlink(scratch_path("etc/partners.d/a.conf")), 0);
    scratch_folder("etc/partners.d/a.conf", 0755);
    check_error("etc/partners.d/a.conf: not a regular file");
    ck_assert_int_eq(rmdir(scratch_path("etc/partners.d/a.conf")), 0);
    ck_assert_int_eq(symlink("nowhere", scratch_path("etc/partners.d/a.conf")), 0);
    check_error("etc/partners.d/a.conf: cannot open");
    ck_assert_int_eq(unlink(scratch_path("etc/partners.d/a.conf")), 0);
    scratch_text("etc/partners.d/a.conf", "[P]\nk\n");
    check_error("etc/partners.d/a.conf:2: not a section, a comment or Key=value");
    ck_assert_int_eq(unlink(scratch_path("etc/partners.d/a.conf")), 0);
    ck_assert_int_eq(chmod(scratch_path("etc"), 0775), 0);
    check_error("etc: the folder is writable by group or others");
}
END_TEST

START_TEST(a_file_larger_than_the_limit_is_refused)
{
    CLEANUP(buf_done) struct buf big = BUF_INIT(CONF_FILE_MAX + 1);
    scratch_text("etc/s2sd.conf", "[A]\nk=main\n");
    while (big.n < CONF_FILE_MAX)
        buf_put_char(&big, '\n');
    scratch_write("etc/partners.d/a.conf", big.p, big.n, 0644);
    check_load("etc/s2sd.conf=main ");
    buf_put_char(&big, '\n');
    scratch_write("etc/partners.d/a.conf", big.p, big.n, 0644);
    check_error("etc/partners.d/a.conf: larger than the 1048576 bytes allowed");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, make_places, scratch_remove);
    tcase_add_test(tc, the_first_main_file_counts_alone);
    tcase_add_test(tc, drop_ins_are_merged_by_name);
    tcase_add_test(tc, empty_files_and_null_links_mask);
    tcase_add_test(tc, partners_and_clients_come_after);
    tcase_add_test(tc, only_conf_files_are_read);
    tcase_add_test(tc, links_to_files_elsewhere_are_followed);
    tcase_add_test(tc, missing_folders_are_no_mistake_a_missing_main_file_is);
    tcase_add_test(tc, what_cannot_be_trusted_is_refused);
    tcase_add_test(tc, a_file_larger_than_the_limit_is_refused);
}

int main(void)
{
    return unit_run("base_conf_load", fill);
}
