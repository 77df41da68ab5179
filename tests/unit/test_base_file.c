/* SPDX-License-Identifier: Apache-2.0 */
/* Reading with suspicion, replacing whole, locking, sealed memory files. */
#include "file.h"

#include "cleanup.h"
#include "scratch.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int read_as(const char *name, enum file_trust trust, struct buf *b, char why[512])
{
    why[0] = '\0';
    return file_read(scratch_path(name), trust, b->max, b, why, 512);
}

/* Refused with e and a sentence that names the file and holds these words; the buffer stays empty.
 */
static void check_refused(const char *name, enum file_trust trust, int e, const char *words)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    char why[512];
    ck_assert_int_eq(read_as(name, trust, &b, why), e);
    ck_assert_msg(strstr(why, words) && strstr(why, scratch_dir), "%s", why);
    ck_assert_uint_eq(b.n, 0);
}

static void check_read(const char *name, enum file_trust trust, const char *want)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    char why[512];
    ck_assert_msg(read_as(name, trust, &b, why) == 0, "%s", why);
    ck_assert_str_eq(b.p, want);
    ck_assert_uint_eq(b.n, strlen(want));
}

/* Modes from strict to open, and who takes them. */
static const struct {
    mode_t mode;
    bool config, key;
} modes[] = {{0400, true, true}, {0600, true, true}, {0440, true, true}, {0640, true, true},
    {0644, true, false}, {0444, true, false}, {0604, true, false}, {0700, true, false},
    {0650, true, false}, {0641, true, false}, {0755, true, false}, {0660, false, false},
    {0620, false, false}, {0602, false, false}, {0666, false, false}, {04600, true, false}};

START_TEST(modes_from_strict_to_open)
{
    scratch_write("f", "text", 4, modes[_i].mode);
    check_read("f", FILE_PUBLIC, "text");
    if (modes[_i].config)
        check_read("f", FILE_CONFIG, "text");
    else
        check_refused("f", FILE_CONFIG, -EPERM, "writable by group or others");
    if (modes[_i].key)
        check_read("f", FILE_KEY, "text");
    else
        check_refused("f", FILE_KEY, -EPERM,
            modes[_i].config ? "too open for a key" : "writable by group or others");
}
END_TEST

START_TEST(other_owners_are_refused)
{
    if (geteuid() != 0)
        return; /* only root can give a file away */
    scratch_write("f", "text", 4, 0600);
    ck_assert_int_eq(chown(scratch_path("f"), 12345, 0), 0);
    check_read("f", FILE_PUBLIC, "text");
    check_refused("f", FILE_CONFIG, -EPERM, "belongs to user 12345");
    check_refused("f", FILE_KEY, -EPERM, "belongs to user 12345");
    ck_assert_int_eq(chown(scratch_path("f"), 0, 12345), 0);
    check_read("f", FILE_KEY, "text");
    scratch_folder("d", 0755);
    scratch_write("d/f", "text", 4, 0600);
    ck_assert_int_eq(chown(scratch_path("d"), 12345, 0), 0);
    check_refused("d/f", FILE_CONFIG, -EPERM, "d: the folder belongs to user 12345");
    /* further up it matters for keys only: a folder's owner may rename what is in it, sticky or not
     */
    scratch_folder("d/e", 0755);
    scratch_write("d/e/f", "text", 4, 0600);
    check_read("d/e/f", FILE_CONFIG, "text");
    check_refused("d/e/f", FILE_KEY, -EPERM, "d: the folder belongs to user 12345");
    ck_assert_int_eq(chmod(scratch_path("d"), 01777), 0);
    check_refused("d/e/f", FILE_KEY, -EPERM, "d: the folder belongs to user 12345");
}
END_TEST

START_TEST(folders_count_too)
{
    scratch_folder("d", 0755);
    scratch_folder("d/e", 0755);
    scratch_write("d/e/f", "text", 4, 0600);
    check_read("d/e/f", FILE_KEY, "text");
    ck_assert_int_eq(chmod(scratch_path("d/e"), 0775), 0);
    check_read("d/e/f", FILE_PUBLIC, "text");
    check_refused("d/e/f", FILE_CONFIG, -EPERM, "d/e: the folder is writable");
    check_refused("d/e/f", FILE_KEY, -EPERM, "d/e: the folder is writable");
    ck_assert_int_eq(chmod(scratch_path("d/e"), 01777), 0);
    check_refused("d/e/f", FILE_CONFIG, -EPERM, "d/e: the folder is writable");
    /* further up it matters for keys only, and the sticky bit protects what lies below */
    ck_assert_int_eq(chmod(scratch_path("d/e"), 0755), 0);
    ck_assert_int_eq(chmod(scratch_path("d"), 0777), 0);
    check_read("d/e/f", FILE_CONFIG, "text");
    check_refused("d/e/f", FILE_KEY, -EPERM, "d: the folder is writable by everybody");
    ck_assert_int_eq(chmod(scratch_path("d"), 01777), 0);
    check_read("d/e/f", FILE_KEY, "text");
}
END_TEST

START_TEST(links)
{
    scratch_folder("d", 0755);
    scratch_write("d/f", "text", 4, 0600);
    ck_assert_int_eq(symlink("d/f", scratch_path("l")), 0);
    check_read("l", FILE_PUBLIC, "text");
    check_read("l", FILE_CONFIG, "text");
    check_refused("l", FILE_KEY, -EPERM, "is a link");
    /* the folder of the file itself is judged, not only that of the link */
    ck_assert_int_eq(chmod(scratch_path("d"), 0777), 0);
    check_refused("l", FILE_CONFIG, -EPERM, "d: the folder is writable");
    ck_assert_int_eq(chmod(scratch_path("d"), 0755), 0);
    /* a folder on the way may be a link */
    ck_assert_int_eq(symlink("d", scratch_path("dl")), 0);
    check_read("dl/f", FILE_KEY, "text");
    /* a second name for a key may lie anywhere */
    ck_assert_int_eq(link(scratch_path("d/f"), scratch_path("g")), 0);
    check_read("d/f", FILE_CONFIG, "text");
    check_refused("d/f", FILE_KEY, -EPERM, "2 names");
    ck_assert_int_eq(symlink("nowhere", scratch_path("n")), 0);
    check_refused("n", FILE_PUBLIC, -ENOENT, "cannot open");
    ck_assert_int_eq(symlink("loop", scratch_path("loop")), 0);
    check_refused("loop", FILE_PUBLIC, -ELOOP, "cannot open");
}
END_TEST

/* Only regular files, and nothing that would make us wait. */
START_TEST(kinds)
{
    scratch_folder("d", 0755);
    ck_assert_int_eq(mkfifo(scratch_path("p"), 0600), 0);
    for (enum file_trust t = FILE_PUBLIC; t <= FILE_KEY; t++) {
        check_refused("d", t, -EPERM, "not a regular file");
        check_refused("p", t, -EPERM, "not a regular file");
        check_refused("absent", t, -ENOENT, "cannot open");
    }
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000);
    char why[512];
    ck_assert_int_eq(file_read("/dev/null", FILE_PUBLIC, 1000, &b, why, sizeof why), -EPERM);
}
END_TEST

START_TEST(the_size_limit_is_exact)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(5);
    char why[512];
    b.secret = true;
    scratch_write("f", "12345", 5, 0600);
    ck_assert_int_eq(read_as("f", FILE_KEY, &b, why), 0);
    ck_assert(span_eq(buf_span(&b), SPAN("12345")));
    scratch_write("f", "123456", 6, 0600);
    ck_assert_int_eq(read_as("f", FILE_KEY, &b, why), -EFBIG);
    ck_assert_ptr_nonnull(strstr(why, "larger than the 5 bytes allowed"));
    ck_assert_uint_eq(b.n, 0);
    for (size_t i = 0; i < b.cap; i++)
        ck_assert_int_eq(b.p[i], 0); /* nothing of a refused key stays */
    scratch_write("f", "", 0, 0600);
    ck_assert_int_eq(read_as("f", FILE_KEY, &b, why), 0);
    ck_assert_str_eq(b.p, "");
}
END_TEST

START_TEST(large_files_and_null_bytes_are_read_whole)
{
    enum { N = 300001 };
    CLEANUP(freep) char *bytes = malloc(N);
    for (size_t i = 0; i < N; i++)
        bytes[i] = (char)(i * 7 >> 3);
    scratch_write("f", bytes, N, 0600);
    CLEANUP(buf_done) struct buf b = BUF_INIT(1000000);
    char why[512];
    ck_assert_int_eq(file_read(scratch_path("f"), FILE_PUBLIC, 1000000, &b, why, sizeof why), 0);
    ck_assert(span_eq(buf_span(&b), (struct span){bytes, N}));
}
END_TEST

static unsigned count_files(void)
{
    unsigned n = 0;
    CLEANUP(closedirp) DIR *d = opendir(scratch_dir);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    return n;
}

START_TEST(replacing_gives_content_and_mode)
{
    umask(0777);
    ck_assert_int_eq(file_replace(scratch_dir, "f", SPAN("one"), 0640), 0);
    umask(022);
    struct stat st;
    check_read("f", FILE_KEY, "one");
    ck_assert_int_eq(stat(scratch_path("f"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ino_t first = st.st_ino;
    ck_assert_int_eq(file_replace(scratch_dir, "f", SPAN("two"), 0400), 0);
    check_read("f", FILE_KEY, "two");
    ck_assert_int_eq(stat(scratch_path("f"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0400);
    ck_assert_uint_ne(
        st.st_ino, first); /* another file: a reader of the old one is not disturbed */
    ck_assert_int_eq(file_replace(scratch_dir, "f", (struct span){0}, 0600), 0);
    check_read("f", FILE_KEY, "");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(a_failed_replacement_leaves_no_trace)
{
    char long_name[256];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    scratch_folder("f", 0755);
    ck_assert_int_eq(file_replace(scratch_dir, "f", SPAN("x"), 0600), -EISDIR);
    ck_assert_int_eq(file_replace(scratch_dir, "a/b", SPAN("x"), 0600), -EINVAL);
    ck_assert_int_eq(file_replace(scratch_dir, "", SPAN("x"), 0600), -EINVAL);
    ck_assert_int_eq(file_replace(scratch_dir, long_name, SPAN("x"), 0600), -ENAMETOOLONG);
    ck_assert_int_eq(file_replace(scratch_path("absent"), "f", SPAN("x"), 0600), -ENOENT);
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* A disk that is full: the limit on file size stands in for it (write(2) then says EFBIG). */
START_TEST(a_full_disk_keeps_the_old_file)
{
    static char big[65536];
    ck_assert_int_eq(file_replace(scratch_dir, "f", SPAN("old"), 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000});
        _exit(
            file_replace(scratch_dir, "f", (struct span){big, sizeof big}, 0600) == -EFBIG ? 0 : 1);
    }
    int status = 1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    check_read("f", FILE_KEY, "old");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(one_lock_for_each_folder)
{
    CLEANUP(closep) int fd = file_lock_dir(scratch_dir);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(file_lock_dir(scratch_dir), -EWOULDBLOCK);
    closep(&fd);
    fd = file_lock_dir(scratch_dir);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(file_lock_dir(scratch_path("absent")), -ENOENT);
}
END_TEST

/* What a killed writer left goes away, and nothing else. */
/* L09: a disk that came up read-only stops nobody from reading what is known. */
START_TEST(a_folder_that_cannot_be_written_can_be_locked)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", scratch_dir, "tmpfs", 0, NULL) < 0)
        return;                               /* only root may make such a disk */
    for (int round = 0; round < 2; round++) { /* without the file "lock", and with it */
        if (round)
            scratch_text("lock", "");
        ck_assert_int_eq(mount(NULL, scratch_dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
        CLEANUP(closep) int fd = file_lock_dir(scratch_dir);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_lock_dir(scratch_dir), -EWOULDBLOCK);
        ck_assert_int_eq(file_replace(scratch_dir, "x", SPAN("y"), 0600), -EROFS);
        closep(&fd);
        ck_assert_int_eq(mount(NULL, scratch_dir, NULL, MS_REMOUNT, NULL), 0);
    }
    ck_assert_int_eq(umount2(scratch_dir, MNT_DETACH), 0);
}
END_TEST

START_TEST(the_lock_sweeps_leftovers)
{
    static const char *const kept[] = {
        ".hidden", ".f.new-12345", "f.new-12345678", ".new-12345678", "f"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        scratch_text(kept[i], "");
    scratch_text(".f.new-0badcafe", "half a fi");
    scratch_text("lock", "");
    CLEANUP(closep) int other = file_lock_dir(scratch_dir);
    ck_assert_int_ge(other, 0);
    ck_assert_uint_eq(count_files(), ARRAY_LEN(kept) + 1);
    ck_assert_int_ne(access(scratch_path(".f.new-0badcafe"), F_OK), 0);
    scratch_text(".f.new-0badcafe", "in work");
    ck_assert_int_eq(
        file_lock_dir(scratch_dir), -EWOULDBLOCK); /* without the lock nothing is touched */
    ck_assert_int_eq(access(scratch_path(".f.new-0badcafe"), F_OK), 0);
}
END_TEST

START_TEST(memory_files_are_sealed)
{
    CLEANUP(closep) int fd = file_memfd("test", SPAN("a\0b"));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(ftruncate(fd, 100), -1);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_ptr_eq(mmap(NULL, 3, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    CLEANUP(buf_done) struct buf b = BUF_INIT(10);
    for (unsigned i = 0; i < 2; i++) { /* the file position does not matter */
        ck_assert_int_eq(file_read_memfd(fd, 3, &b), 0);
        ck_assert(span_eq(buf_span(&b), SPAN("a\0b")));
    }
    ck_assert_int_eq(file_read_memfd(fd, 2, &b), -EFBIG);
    ck_assert_uint_eq(b.n, 0);
    CLEANUP(closep) int empty = file_memfd("test", SPAN(""));
    ck_assert_int_eq(file_read_memfd(empty, 10, &b), 0);
    ck_assert_str_eq(b.p, "");
}
END_TEST

START_TEST(unsealed_files_are_refused)
{
    static const int some[] = {0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK,
        F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK, F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW,
        F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK};
    CLEANUP(buf_done) struct buf b = BUF_INIT(10);
    for (size_t i = 0; i < ARRAY_LEN(some); i++) {
        CLEANUP(closep) int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        ck_assert_int_eq(write(fd, "abc", 3), 3);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, some[i]), 0);
        ck_assert_int_eq(file_read_memfd(fd, 10, &b), -EPERM);
    }
    scratch_text("f", "abc");
    CLEANUP(closep) int fd = open(scratch_path("f"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(file_read_memfd(fd, 10, &b), -EPERM);
    ck_assert_int_eq(file_read_memfd(-1, 10, &b), -EPERM);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_loop_test(tc, modes_from_strict_to_open, 0, (int)ARRAY_LEN(modes));
    tcase_add_test(tc, other_owners_are_refused);
    tcase_add_test(tc, folders_count_too);
    tcase_add_test(tc, links);
    tcase_add_test(tc, kinds);
    tcase_add_test(tc, the_size_limit_is_exact);
    tcase_add_test(tc, large_files_and_null_bytes_are_read_whole);
    tcase_add_test(tc, replacing_gives_content_and_mode);
    tcase_add_test(tc, a_failed_replacement_leaves_no_trace);
    tcase_add_test(tc, a_full_disk_keeps_the_old_file);
    tcase_add_test(tc, one_lock_for_each_folder);
    tcase_add_test(tc, a_folder_that_cannot_be_written_can_be_locked);
    tcase_add_test(tc, the_lock_sweeps_leftovers);
    tcase_add_test(tc, memory_files_are_sealed);
    tcase_add_test(tc, unsealed_files_are_refused);
}

int main(void)
{
    return unit_run("base_file", fill);
}
