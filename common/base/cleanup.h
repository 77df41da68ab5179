/* SPDX-License-Identifier: Apache-2.0 */
/* Scope releases for what libc hands out. Each takes a pointer to the variable and accepts nothing.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* free(3) for any pointer variable: `CLEANUP(freep) char *s = NULL;` */
static inline void freep(void *p)
{
    free(*(void **)p);
    *(void **)p = NULL;
}

/* close(2) unless the descriptor is negative. */
static inline void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static inline void fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
    *f = NULL;
}

static inline void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
    *d = NULL;
}
