/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are replaced whole, the lock of a state folder, sealed memory files. */
#include "file.h"

#include "cleanup.h"
#include "file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* ".NAME.new-XXXXXXXX": hidden, and told apart from what others put there. */
#define TEMP_MARK ".new-"
#define TEMP_RANDOM 8

static int write_all(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = span_skip(s, (size_t)n);
    }
    return 0;
}

static int temp_name(const char *name, char out[NAME_MAX + 1])
{
    uint32_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return -EIO;
    int n = snprintf(out, NAME_MAX + 1, ".%s" TEMP_MARK "%0*x", name, TEMP_RANDOM, random);
    return n > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* Creates a file nobody else has open; its name goes to `temp`. Descriptor or -errno. */
static int temp_open(int dir, const char *name, char temp[NAME_MAX + 1])
{
    for (;;) {
        int e = temp_name(name, temp);
        if (e < 0)
            return e;
        int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            return -errno;
    }
}

/* The mode is set on the descriptor, so the umask has no say; then everything must be on the disk
 * (R44). */
static int fill(int fd, struct span content, mode_t mode)
{
    int e = write_all(fd, content);
    if (e == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        e = -errno;
    return e;
}

int file_replace(const char *dir, const char *name, struct span content, mode_t mode)
{
    if (!*name || strchr(name, '/'))
        return -EINVAL;
    CLEANUP(closep) int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d < 0)
        return -errno;
    char temp[NAME_MAX + 1];
    int opened = temp_open(d, name, temp);
    if (opened < 0)
        return opened;
    CLEANUP(closep) int fd = opened;
    int e = fill(fd, content, mode);
    if (e == 0 && renameat(d, temp, d, name) < 0)
        e = -errno;
    if (e < 0) {
        unlinkat(d, temp, 0);
        return e;
    }
    return fsync(d) < 0 ? -errno : 0;
}

static bool is_temp_name(const char *name)
{
    size_t n = strlen(name), tail = sizeof TEMP_MARK - 1 + TEMP_RANDOM;
    return name[0] == '.' && n > tail + 1 &&
           memcmp(name + n - tail, TEMP_MARK, sizeof TEMP_MARK - 1) == 0;
}

/* Whoever calls holds the lock, so a temporary file here belongs to a dead process. */
void file_sweep_dir(const char *dir)
{
    CLEANUP(closedirp) DIR *d = opendir(dir);
    if (!d)
        return;
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        if (is_temp_name(e->d_name))
            unlinkat(dirfd(d), e->d_name, 0);
}

/* What is locked: the file "lock"; where it cannot be written (or made), as it is, or the folder.
 */
static int lock_open(int dir)
{
    int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EROFS)
        fd = openat(dir, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 && (errno == EROFS || errno == ENOENT) ? fcntl(dir, F_DUPFD_CLOEXEC, 0) : fd;
}

int file_lock_dir(const char *dir)
{
    CLEANUP(closep) int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d < 0)
        return -errno;
    CLEANUP(closep) int fd = lock_open(d);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    file_sweep_dir(dir);
    return TAKE_FD(fd);
}

/* A sealed memory file's promise is that it never changes again, so a reader may check it once. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int file_memfd(const char *name, struct span content)
{
    CLEANUP(closep) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int e = write_all(fd, content);
    if (e < 0)
        return e;
    if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return -errno;
    return TAKE_FD(fd);
}

int file_read_memfd(int fd, size_t max, struct buf *ret)
{
    buf_reset(ret);
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return -EPERM; /* not a memory file at all, or one that may change under us */
    int e = file_read_all(fd, max, ret);
    if (e < 0)
        buf_reset(ret);
    else
        buf_put(ret, NULL, 0);
    return e;
}
