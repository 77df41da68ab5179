/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes, and descriptors beside them, into the door of the signer that keys come in by: each answer
 * is a JSON object of its own, never more answers than messages and one refusal; no descriptor
 * stays. The first byte of an input says into how many pieces the rest is cut and how many
 * descriptors come with the first. */
#include "cleanup.h"
#include "file.h"
#include "keys_door.h"
#include "log.h"
#include "settings_of.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define CONF                                                                                       \
    "[Identity]\nApplicationId=00000002-0000-0ff1-ce00-000000000000\nRealm=contoso.com\n"          \
    "Hosts=mail.contoso.com\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct sockaddr_un *address(socklen_t *ret_len)
{
    static struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (!sa.sun_path[1]) /* abstract: no file stays behind */
        snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "s2sd-fuzz-keys-%d", (int)getpid());
    *ret_len = sizeof(sa);
    return &sa;
}

/* A signer without keys, whose state folder is not there. */
static struct signer *world(void)
{
    static struct signer_options options = {
        .state_dir = "/nonexistent/s2sd", .keys_own_user = true};
    static struct signer s;
    socklen_t len;
    if (s.base)
        return &s;
    signal(SIGPIPE, SIG_IGN);
    log_open_at("fuzz", "/nonexistent/s2sd/journal");
    s = (struct signer){
        .options = &options, .base = event_base_new(), .settings = settings_of(CONF)};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr *sa = (const struct sockaddr *)address(&len);
    if (bind(listener, sa, len) < 0 || listen(listener, 8) < 0)
        abort();
    s.keys_door = keys_door_new(&s, listener, true);
    if (!s.base || !s.keys_door)
        abort();
    return &s;
}

static void turn(struct signer *s)
{
    for (int i = 0; i < 3; i++)
        event_base_loop(s->base, EVLOOP_NONBLOCK);
}

static void send_piece(int fd, struct span bytes, int file, size_t n_fds)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    const int fds[] = {file, file, file, file};
    struct iovec iov = {(char *)(uintptr_t)bytes.p, bytes.n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0 && bytes.n > 0) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
    }
    (void)!sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void hear(int fd, struct buf *got)
{
    for (;;) {
        char *at = buf_reserve(got, 4096);
        ssize_t n = at ? recv(fd, at, 4096, MSG_DONTWAIT) : -1;
        if (n <= 0)
            return;
        got->n += (size_t)n;
    }
}

static unsigned count_answers(struct span rest)
{
    static struct json_doc *doc;
    const struct json_limits limits = {.bytes = 1 << 20};
    const struct json_value *v;
    unsigned n = 0;
    if (!doc)
        doc = json_doc_new();
    for (; rest.n > 0; n++) {
        size_t end = span_find(rest, '\0');
        if (end == rest.n ||
            json_parse(doc, (struct span){rest.p, end}, &limits, &v) != REASON_OK ||
            v->type != JSON_OBJECT || !json_get(v, "parameters"))
            abort();
        rest = span_skip(rest, end + 1);
    }
    return n;
}

static void say(struct signer *s, int fd, struct span all, uint8_t how, struct buf *got)
{
    CLEANUP(closep) int file = file_memfd("fuzz", SPAN("not a key\n"));
    size_t pieces = (how & 7) + 1U, step = all.n / pieces + 1, n_fds = how >> 3 & 3;
    while (all.n > 0) {
        struct span piece = {all.p, all.n < step ? all.n : step};
        send_piece(fd, piece, file, n_fds);
        turn(s);
        hear(fd, got);
        all = span_skip(all, piece.n);
        n_fds = 0;
    }
}

static int lowest_free(void)
{
    int probe = dup(STDERR_FILENO);
    close(probe);
    return probe;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct signer *s = world();
    const int before = lowest_free(); /* the fuzzer itself opens files between two inputs */
    CLEANUP(buf_done) struct buf got = BUF_INIT(16 << 20);
    unsigned asked = 1;
    socklen_t len;
    const struct sockaddr *sa = (const struct sockaddr *)address(&len);
    if (n == 0)
        return 0;
    for (size_t i = 1; i < n; i++)
        asked += data[i] == 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, sa, len) < 0)
        abort();
    turn(s);
    say(s, fd, span_bytes(data + 1, n - 1), data[0], &got);
    if (count_answers(buf_span(&got)) > asked)
        abort();
    close(fd);
    turn(s);
    if (lowest_free() != before)
        abort(); /* somebody stays */
    return 0;
}
