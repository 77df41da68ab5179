/* SPDX-License-Identifier: Apache-2.0 */
/* Files that decide about trust: opened with care, replaced whole or not at all. */
#pragma once

#include "buf.h"

#include <sys/types.h>

enum file_trust {
    FILE_PUBLIC, /* any readable regular file */
    FILE_CONFIG, /* owner root or the effective user, not writable by group or others, folder
                    likewise */
    FILE_KEY, /* as FILE_CONFIG, one link, mode without any right for others and no group write or
                 execute (0400, 0600, 0440, 0640), every parent folder of a trusted owner too and
                 not writable by others unless sticky (rule R43) */
};

/* Reads a whole regular file of at most `max` bytes into *ret (whose max must allow it; set
 * ret->secret before for keys). Opened once with O_NOFOLLOW|O_CLOEXEC (FILE_PUBLIC and FILE_CONFIG
 * follow links) and judged by fstat. Returns 0, or -errno with a sentence for the administrator in
 * `why` (what, which path, what to do): -EPERM for a refused owner, mode or kind, -EFBIG when
 * larger than max. */
int file_read(const char *path, enum file_trust trust, size_t max, struct buf *ret, char *why,
    size_t why_len) WARN_UNUSED;

/* Replaces `name` in the folder `dir`: temporary file in the same folder, write, fsync, rename,
 * fsync of the folder. On failure nothing of the old file is lost, the temporary file is gone, and
 * -errno is returned; only when the fsync of the folder fails may the new content be in place. */
int file_replace(const char *dir, const char *name, struct span content, mode_t mode) WARN_UNUSED;

/* Takes an exclusive lock on `dir`/lock for the life of the returned descriptor, so that two
 * daemons never share a state folder; then removes what a killed file_replace left in it. Works on
 * a read-only file system too. Returns the descriptor, or -errno (-EWOULDBLOCK: another holds it).
 */
int file_lock_dir(const char *dir) WARN_UNUSED;
/* Removes what a killed file_replace left in `dir`, a folder below one whose lock the caller holds;
 * it need not exist. */
void file_sweep_dir(const char *dir);

/* Overwrites `dir`/`name` with zeros, then removes it, both down to the disk. Where the file system
 * writes elsewhere instead of over, that is the best there is. 0 (also when it is not there) or
 * -errno. */
int file_wipe(const char *dir, const char *name) WARN_UNUSED;
/* Makes the folder `path` with mode 0700 unless it is there. 0 or -errno; -ENOTDIR when something
 * else has the name. */
int file_make_dir(const char *path) WARN_UNUSED;

/* A sealed memory file with these bytes (read-only, of fixed size): descriptor or -errno. */
int file_memfd(const char *name, struct span content) WARN_UNUSED;
/* Reads a sealed memory file of at most max bytes; -EPERM for an unsealed one. 0 or -errno. */
int file_read_memfd(int fd, size_t max, struct buf *ret) WARN_UNUSED;
