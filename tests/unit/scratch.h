/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for a test that needs files; removed with everything in it at the end. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char scratch_dir[512];

static void scratch_make(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch_dir, sizeof scratch_dir, "%s/s2sd-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(scratch_dir));
}

static int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void scratch_remove(void)
{
    nftw(scratch_dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* "FOLDER/name"; four results may be in use at a time. */
static inline const char *scratch_path(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_dir, name);
    return path;
}

static inline void scratch_write(const char *name, const void *bytes, size_t n, mode_t mode)
{
    const char *path = scratch_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static inline void scratch_text(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text), 0644);
}

static inline void scratch_folder(const char *name, mode_t mode)
{
    ck_assert_int_eq(mkdir(scratch_path(name), 0700), 0);
    ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}
