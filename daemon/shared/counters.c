/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

size_t counters_stride(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct counters) + page - 1) / page * page;
}

int counters_create(unsigned n)
{
    CLEANUP(closep) int fd = memfd_create("s2sd-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)(n * counters_stride())) < 0)
        return -errno;
    /* Nobody can shorten it under the others (SIGBUS). */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    return TAKE_FD(fd);
}

void *counters_map(int fd, unsigned n)
{
    void *p = mmap(NULL, n * counters_stride(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct counters *counters_at(void *map, unsigned i)
{
    return (struct counters *)((char *)map + i * counters_stride());
}
