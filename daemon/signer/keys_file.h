/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that an administrator passed: whole regular files, nothing that could make us wait.
 */
#pragma once

#include "buf.h"

#define KEYS_FILE_WHY_MAX 256

/* Appends the whole file, of at most `max` bytes, to `ret`. 0, or -errno with a sentence. */
int keys_file_read(int fd, size_t max, struct buf *ret, char why[KEYS_FILE_WHY_MAX]) WARN_UNUSED;
/* Fills an empty file. 0, or -errno with a sentence; what was written of it then is for the owner
 * of the file to remove. */
int keys_file_write(int fd, struct span content, char why[KEYS_FILE_WHY_MAX]) WARN_UNUSED;
