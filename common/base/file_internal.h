/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the file functions, shared by file*.c only. */
#pragma once

#include "file.h"

/* Appends everything from offset 0 to the end of fd to *ret; -EFBIG with more than max bytes. */
int file_read_all(int fd, size_t max, struct buf *ret);
