/* SPDX-License-Identifier: Apache-2.0 */
/* The end of secrets on disk, and the folder they live in. */
#include "cleanup.h"
#include "file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int overwrite(int fd)
{
    static const char zeros[4096];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    for (off_t at = 0; at < st.st_size;) {
        off_t left = st.st_size - at;
        size_t want = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
        ssize_t n = pwrite(fd, zeros, want, at);
        if (n < 0 && errno != EINTR)
            return -errno;
        at += n > 0 ? n : 0;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int file_wipe(const char *dir, const char *name)
{
    CLEANUP(closep) int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d < 0)
        return errno == ENOENT ? 0 : -errno;
    struct stat st;
    if (fstatat(d, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISREG(st.st_mode) && st.st_nlink == 1) {
        /* A key file is read-only for its owner, too. */
        if (fchmodat(d, name, 0600, 0) < 0)
            return -errno;
        CLEANUP(closep) int fd = openat(d, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        int e = fd < 0 ? -errno : overwrite(fd);
        if (e < 0)
            return e;
    }
    if (unlinkat(d, name, 0) < 0 && errno != ENOENT)
        return -errno;
    return fsync(d) < 0 ? -errno : 0;
}

int file_make_dir(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (lstat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
