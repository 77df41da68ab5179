/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "cleanup.h"
#include "file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A refusal in words: where it goes, and how large that place is. */
struct reply {
    char *why;
    size_t len;
};

static int refuse(const struct reply *r, int e, const char *fmt, ...) PRINTF(3, 4);
static int refuse(const struct reply *r, int e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->why && r->len)
        vsnprintf(r->why, r->len, fmt, ap);
    va_end(ap);
    return e;
}

static int system_error(const struct reply *r, const char *path, const char *what, int e)
{
    char text[128];
    return refuse(r, -e, "%s: %s: %s", path, what, strerror_r(e, text, sizeof text));
}

static bool owner_is_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Whoever owns a folder may rename what is in it, sticky or not. */
static int check_owner(const char *folder, struct stat *ret, const struct reply *r)
{
    if (stat(folder, ret) < 0)
        return system_error(r, folder, "cannot look at the folder", errno);
    if (!owner_is_trusted(ret))
        return refuse(r, -EPERM,
            "%s: the folder belongs to user %u; it must belong to root or the user of this program",
            folder, (unsigned)ret->st_uid);
    return 0;
}

/* The folder decides as much as the file: who may write there can replace the file. */
static int check_folder(const char *folder, const struct reply *r)
{
    struct stat st;
    int e = check_owner(folder, &st, r);
    if (e < 0)
        return e;
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return refuse(
            r, -EPERM, "%s: the folder is writable by group or others; chmod go-w it", folder);
    return 0;
}

/* R43: whoever may rename a folder on the way can put another in its place. `path` is real and is
 * cut up. */
static int check_ancestors(char *path, const struct reply *r)
{
    struct stat st;
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        slash[slash == path] = '\0';
        int e = check_owner(path, &st, r);
        if (e < 0)
            return e;
        if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
            return refuse(r, -EPERM,
                "%s: the folder is writable by everybody; a key below it can be replaced; chmod "
                "o-w it",
                path);
        if (slash == path)
            break;
    }
    return 0;
}

/* Folder part of a path, as a new string. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The folder the path names, and when a link leads elsewhere also the folder of the file itself. */
static int check_folders(const char *path, enum file_trust trust, const struct reply *r)
{
    CLEANUP(freep) char *real = realpath(path, NULL);
    if (!real)
        return system_error(r, path, "cannot follow the path", errno);
    CLEANUP(freep) char *named = folder_of(path);
    CLEANUP(freep) char *actual = folder_of(real);
    if (!named || !actual)
        return refuse(r, -ENOMEM, "%s: out of memory", path);
    int e = check_folder(named, r);
    if (e == 0)
        e = check_folder(actual, r);
    if (e == 0 && trust == FILE_KEY)
        e = check_ancestors(real, r);
    return e;
}

static int check_file(
    const char *path, enum file_trust trust, const struct stat *st, const struct reply *r)
{
    if (!S_ISREG(st->st_mode))
        return refuse(r, -EPERM, "%s: not a regular file", path);
    if (trust == FILE_PUBLIC)
        return 0;
    unsigned mode = st->st_mode & 07777;
    if (!owner_is_trusted(st))
        return refuse(r, -EPERM,
            "%s: belongs to user %u; it must belong to root or the user of this program", path,
            (unsigned)st->st_uid);
    if (mode & (S_IWGRP | S_IWOTH))
        return refuse(
            r, -EPERM, "%s: writable by group or others (mode %04o); chmod go-w it", path, mode);
    if (trust == FILE_KEY && (mode & ~0640U))
        return refuse(r, -EPERM,
            "%s: mode %04o is too open for a key; chmod it to 0400, 0600, 0440 or 0640", path,
            mode);
    if (trust == FILE_KEY && st->st_nlink != 1)
        return refuse(r, -EPERM, "%s: the file has %ju names; a key must have one", path,
            (uintmax_t)st->st_nlink);
    return check_folders(path, trust, r);
}

int file_read_all(int fd, size_t max, struct buf *ret)
{
    off_t at = 0;
    for (;;) {
        size_t room = max - ret->n < 16384 ? max - ret->n : 16384;
        char beyond;
        char *to = room ? buf_reserve(ret, room) : &beyond;
        if (!to)
            return -ENOMEM;
        ssize_t n = pread(fd, to, room ? room : 1, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (room == 0)
            return -EFBIG;
        ret->n += (size_t)n;
        at += n;
    }
}

static int open_and_read(
    const char *path, enum file_trust trust, size_t max, struct buf *ret, const struct reply *r)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* a FIFO must not hold us */
    CLEANUP(closep) int fd = open(path, flags | (trust == FILE_KEY ? O_NOFOLLOW : 0));
    if (fd < 0 && errno == ELOOP && trust == FILE_KEY)
        return refuse(r, -EPERM, "%s: is a link; name the key file itself", path);
    if (fd < 0)
        return system_error(r, path, "cannot open", errno);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return system_error(r, path, "cannot look at it", errno);
    int e = check_file(path, trust, &st, r);
    if (e < 0)
        return e;
    e = file_read_all(fd, max, ret);
    if (e == -EFBIG)
        return refuse(r, e, "%s: larger than the %zu bytes allowed", path, max);
    return e < 0 ? system_error(r, path, "cannot read", -e) : 0;
}

int file_read(
    const char *path, enum file_trust trust, size_t max, struct buf *ret, char *why, size_t why_len)
{
    buf_reset(ret);
    int e = open_and_read(path, trust, max, ret, &(struct reply){why, why_len});
    if (e < 0)
        buf_reset(ret);
    else
        buf_put(ret, NULL, 0); /* an empty file is an empty text, not no text */
    return e;
}
