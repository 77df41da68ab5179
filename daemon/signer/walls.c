/* SPDX-License-Identifier: Apache-2.0 */
#include "walls.h"

#include "log.h"
#include "process.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Private numbers of two RSA-8192 keys and what is computed from them fit several times. */
#define KEY_MEMORY ((size_t)256 * 1024)
#define KEY_MEMORY_SMALLEST 32

/* Where OpenSSL's secure heap lies, found once; children lock it again. */
static struct {
    uintptr_t start;
    size_t n;
} key_memory;

/* OpenSSL does not tell, so ask the kernel which mapping an allocation lies in. */
static void find_key_memory(void)
{
    void *probe = OPENSSL_secure_malloc(KEY_MEMORY_SMALLEST);
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    while (probe && maps && fgets(line, sizeof(line), maps)) {
        uintptr_t from, to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 && from <= (uintptr_t)probe &&
            (uintptr_t)probe < to) {
            key_memory.start = from;
            key_memory.n = to - from;
        }
    }
    if (maps)
        fclose(maps);
    OPENSSL_secure_free(probe);
}

static int open_key_memory(void)
{
    int r = CRYPTO_secure_malloc_init(KEY_MEMORY, KEY_MEMORY_SMALLEST);
    if (r == 0)
        return -ENOMEM;
    if (r == 2)
        log_warning("the key memory cannot be locked and might reach the swap: raise LimitMEMLOCK= "
                    "of the unit above %zu bytes",
            KEY_MEMORY);
    else
        find_key_memory();
    return 0;
}

/* A unit may forbid the call and have set the limit itself. */
static void limit_to_zero(__rlimit_resource_t what)
{
    const struct rlimit none = {0, 0};
    (void)!setrlimit(what, &none);
}

int walls_raise(void)
{
    umask(077);
    int r = process_forbid_dumps();
    return r < 0 ? r : open_key_memory();
}

void walls_raise_child(int keep, int parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    /* The handlers are the parent's, and would speak to its loop. A child ends with its socket. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    /* The socket takes the place after standard error; nothing else stays open. */
    if (keep != STDERR_FILENO + 1 && dup2(keep, STDERR_FILENO + 1) < 0)
        _exit(1);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
        _exit(1);
    /* Not the only wall here, so a unit that forbids the call does not stop us. */
    limit_to_zero(RLIMIT_NOFILE);
    limit_to_zero(RLIMIT_NPROC);
    if (key_memory.n && mlock((void *)key_memory.start, key_memory.n) < 0)
        _exit(1);
}
