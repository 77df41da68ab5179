/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Size of a regular file, or -errno with a sentence. */
static long long size_of(int fd, char why[KEYS_FILE_WHY_MAX])
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        int e = errno;
        snprintf(why, KEYS_FILE_WHY_MAX, "cannot look at the file: %s", strerror(e));
        return -e;
    }
    if (S_ISREG(st.st_mode))
        return st.st_size;
    snprintf(why, KEYS_FILE_WHY_MAX, "it is no regular file");
    return -EINVAL;
}

int keys_file_read(int fd, size_t max, struct buf *ret, char why[KEYS_FILE_WHY_MAX])
{
    long long size = size_of(fd, why);
    if (size < 0)
        return (int)size;
    if ((size_t)size > max) {
        snprintf(why, KEYS_FILE_WHY_MAX, "it is larger than %zu bytes", max);
        return -EFBIG;
    }
    char *at = buf_reserve(ret, (size_t)size + 1);
    size_t n = 0;
    while (at && n < (size_t)size) {
        ssize_t got = pread(fd, at + n, (size_t)size - n, (off_t)n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int e = got < 0 ? errno : EIO;
            snprintf(why, KEYS_FILE_WHY_MAX, "cannot read it: %s", strerror(e));
            return -e;
        }
        n += (size_t)got;
    }
    ret->n += n;
    if (at)
        return 0;
    snprintf(why, KEYS_FILE_WHY_MAX, "out of memory");
    return -ENOMEM;
}

int keys_file_write(int fd, struct span content, char why[KEYS_FILE_WHY_MAX])
{
    long long size = size_of(fd, why);
    if (size < 0)
        return (int)size;
    if (size > 0) {
        snprintf(why, KEYS_FILE_WHY_MAX, "there is something in it already");
        return -EEXIST;
    }
    for (size_t n = 0; n < content.n;) {
        ssize_t put = pwrite(fd, content.p + n, content.n - n, (off_t)n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int e = put < 0 ? errno : EIO;
            snprintf(why, KEYS_FILE_WHY_MAX, "cannot write it: %s", strerror(e));
            return -e;
        }
        n += (size_t)put;
    }
    return 0;
}
