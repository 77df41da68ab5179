/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "log.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER true
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER false
#endif

int process_forbid_dumps(void)
{
    struct rlimit core = {0, 0};
    /* A unit may forbid the call and have set the limit itself: what counts is that it is zero. */
    bool no_core = setrlimit(RLIMIT_CORE, &core) == 0 ||
                   (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
    if (!no_core || prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return 0;
}

void process_let_checkers_look(void)
{
    if (UNDER_SANITIZER)
        prctl(PR_SET_DUMPABLE, 1);
}

#if defined(__x86_64__)
#define ARCH_NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH_NATIVE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH_NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCH_NATIVE AUDIT_ARCH_S390X
#elif defined(__i386__)
#define ARCH_NATIVE AUDIT_ARCH_I386
#elif defined(__arm__)
#define ARCH_NATIVE AUDIT_ARCH_ARM
#else
#error "name the architecture of this machine for seccomp(2)"
#endif

/* The low half of an argument, on a machine of either order of bytes. */
#define LOW_HALF (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define LOAD_LOW(what)                                                                             \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what) + LOW_HALF)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
/* Two lines each: where the value is not that one, the second is skipped. */
#define REFUSE_IF(value)                                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), RETURN(SECCOMP_RET_ERRNO | EPERM)
#define REFUSE_UNLESS(value)                                                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW_UNLESS_ONE_OF(a, b)                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, a, 2, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, b, 1, 0),    \
        RETURN(SECCOMP_RET_ALLOW)

/* Every way to a SOCK_SEQPACKET socket: the two calls by their second argument; io_uring and the
 * old multiplexer of some machines at all; the system call tables of other architectures at all. */
static int forbid_seqpacket(void)
{
    struct sock_filter lines[] = {
        LOAD(arch),
        REFUSE_UNLESS(ARCH_NATIVE),
        LOAD(nr),
#ifdef __x86_64__
        /* the x32 table */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        RETURN(SECCOMP_RET_ERRNO | EPERM),
#endif
#ifdef __NR_socketcall
        REFUSE_IF(__NR_socketcall),
#endif
        REFUSE_IF(__NR_io_uring_setup),
        ALLOW_UNLESS_ONE_OF(__NR_socket, __NR_socketpair),
        LOAD_LOW(args[1]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf), /* SOCK_TYPE_MASK: flags stand above it */
        REFUSE_IF(SOCK_SEQPACKET),
        RETURN(SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {ARRAY_LEN(lines), lines};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

/* Everything that changes the file system, and starting programs; nothing is excepted. A
 * sanitizer's report may need its symbolizer. */
static int forbid_files(void)
{
    const struct landlock_ruleset_attr all = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                             LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                             LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                             LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                             LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
                             (UNDER_SANITIZER ? 0 : LANDLOCK_ACCESS_FS_EXECUTE)};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    if (rules < 0)
        return -errno;
    int r = syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
    close(rules);
    return r;
}

int process_forbid_links(void)
{
    int r = forbid_files();
    if (r < 0)
        log_info("this process keeps its user's right to write files: Landlock: %s", strerror(-r));
    return forbid_seqpacket();
}

unsigned long process_raise_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return 1024;
    struct rlimit most = {r.rlim_max, r.rlim_max};
    if (r.rlim_cur < r.rlim_max && setrlimit(RLIMIT_NOFILE, &most) == 0)
        r.rlim_cur = r.rlim_max;
    return r.rlim_cur;
}
