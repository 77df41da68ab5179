/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: a private folder for the life of one test, and files in it. */
#pragma once

#include "span.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct temp_dir {
    char path[64];
};

static inline void temp_dir_make(struct temp_dir *d)
{
    snprintf(d->path, sizeof(d->path), "/tmp/s2sd-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(d->path));
}

static inline int temp_dir_remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void temp_dir_remove(struct temp_dir *d)
{
    nftw(d->path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* "FOLDER/NAME" in a buffer that the next call but seven overwrites. */
static inline const char *temp_dir_at(const struct temp_dir *d, const char *name)
{
    static char paths[8][160];
    static unsigned turn;
    char *out = paths[turn++ % 8];
    snprintf(out, sizeof(paths[0]), "%s/%s", d->path, name);
    return out;
}

/* Writes a file with exactly that mode, whatever was there before. */
static inline void temp_dir_write(
    const struct temp_dir *d, const char *name, struct span text, mode_t mode)
{
    const char *path = temp_dir_at(d, name);
    unlink(path);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s", path);
    ck_assert_int_eq(write(fd, text.p, text.n), (ssize_t)text.n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static inline bool temp_dir_has(const struct temp_dir *d, const char *name)
{
    return access(temp_dir_at(d, name), F_OK) == 0;
}
