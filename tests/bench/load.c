/* SPDX-License-Identifier: Apache-2.0 */
/* The load of `make bench`: many Varlink connections, each with several calls in flight, one
 * thread, one epoll. load tokens KEY.pem APPID REALM PARTNER_APPID HOST PARTNER_REALM COUNT FILE
 * makes distinct app-only tokens load validate SOCKET FILE CONNECTIONS DEPTH COUNT     validates
 * COUNT tokens of FILE, going round load mint SOCKET RESOURCE CONNECTIONS DEPTH COUNT     mints
 * COUNT tokens, each for another user Prints "answered GOOD BAD SECONDS". */
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "mint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define ROOM 65536

struct conn {
    int fd;
    unsigned in_flight;
    struct buf out; /* written from `sent` on */
    size_t sent;
    char in[ROOM];
    size_t n_in;
};

struct load {
    const char *resource; /* minting */
    char **tokens;        /* validating */
    size_t n_tokens;
    unsigned depth;
    unsigned long asked, answered, good, count;
    int epoll;
    struct conn conns[CONNECTIONS_MAX];
    unsigned n_conns;
};

static unsigned long number(const char *text)
{
    uint64_t v = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        v = v * 10 + (uint64_t)(*text - '0');
    return v;
}

static int dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(a.sun_path))
        return -1;
    memcpy(a.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void ask(struct load *l, struct conn *c)
{
    if (l->tokens)
        buf_printf(&c->out,
            "{\"method\":\"io.s2sd.validate.Validate\",\"parameters\":{\"token\":\"%s\"}}",
            l->tokens[l->asked % l->n_tokens]);
    else
        buf_printf(&c->out,
            "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"%s\",\"user\":\"u%lu@"
            "contoso.example\","
            "\"userType\":\"upn\"}}",
            l->resource, (unsigned long)clock_mono_us() * 64 + l->asked % 64);
    buf_put_char(&c->out, '\0');
    c->in_flight++;
    l->asked++;
}

/* Sends what is due; false when the connection broke. */
static bool push(struct load *l, struct conn *c)
{
    while (c->in_flight < l->depth && l->asked < l->count)
        ask(l, c);
    while (c->sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN;
        c->sent += (size_t)n;
    }
    buf_reset(&c->out);
    c->sent = 0;
    return true;
}

static void judge(struct load *l, const char *answer, size_t n)
{
    const char *want = l->tokens ? "\"active\":true" : "\"token\":\"";
    l->answered++;
    l->good += memmem(answer, n, want, strlen(want)) != NULL;
}

static bool pull(struct load *l, struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->n_in, ROOM - c->n_in, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    c->n_in += (size_t)n;
    char *at = c->in, *end;
    while ((end = memchr(at, '\0', c->n_in - (size_t)(at - c->in)))) {
        judge(l, at, (size_t)(end - at));
        c->in_flight--;
        at = end + 1;
    }
    c->n_in -= (size_t)(at - c->in);
    memmove(c->in, at, c->n_in);
    return true;
}

static int open_conns(struct load *l, const char *path, unsigned n)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (l->n_conns = 0; l->n_conns < n && l->n_conns < CONNECTIONS_MAX; l->n_conns++) {
        struct conn *c = &l->conns[l->n_conns];
        c->out = BUF_INIT(4 * 1024 * 1024);
        c->fd = dial(path);
        if (c->fd < 0) {
            perror(path);
            return -1;
        }
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e);
    }
    return 0;
}

static int run(struct load *l)
{
    struct epoll_event events[64];
    int64_t start = (int64_t)clock_mono_us();
    for (unsigned i = 0; i < l->n_conns; i++)
        if (!push(l, &l->conns[i]))
            return 1;
    while (l->answered < l->count) {
        int n = epoll_wait(l->epoll, events, 64, 10000);
        if (n <= 0)
            return fprintf(stderr, "load: no answer for 10 s\n"), 1;
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (!pull(l, c) || !push(l, c))
                return fprintf(stderr, "load: a connection broke\n"), 1;
        }
    }
    printf("answered %lu %lu %.6f\n", l->good, l->answered - l->good,
        (double)((int64_t)clock_mono_us() - start) / 1e6);
    return l->good != l->answered;
}

static int read_tokens(struct load *l, const char *path)
{
    CLEANUP(fclosep) FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!f)
        return perror(path), -1;
    l->tokens = calloc(1000000, sizeof(*l->tokens));
    while (l->tokens && l->n_tokens < 1000000 && (n = getline(&line, &cap, f)) > 1) {
        line[n - 1] = '\0';
        l->tokens[l->n_tokens++] = strdup(line);
    }
    free(line);
    return l->n_tokens ? 0 : -1;
}

static int make_tokens(char **a)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    CLEANUP(fclosep) FILE *out = fopen(a[7], "w");
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    char why[256] = "";
    struct identity self = {.app_id = a[1], .realm = a[2]};
    char issuer[600];
    snprintf(issuer, sizeof(issuer), "%s@%s", a[1], a[2]);
    self.issuer = issuer;
    struct partner to = {.app_id = a[3], .realm = a[5]};
    if (!out || file_read(a[0], FILE_PUBLIC, 65536, &pem, why, sizeof(why)) ||
        signkey_from_pem(buf_span(&pem), &key) != REASON_OK)
        return fprintf(stderr, "load: %s %s\n", a[0], why), 1;
    unsigned long count = number(a[6]);
    for (unsigned long i = 0; i < count; i++) {
        /* the end of life tells them apart: one second each over 20 hours, then the start */
        struct mint_order order = {.identity = &self,
            .partner = &to,
            .host = a[4],
            .lifetime_s = 3600 + (int64_t)(i % 28000),
            .now = clock_wall_s() - (int64_t)(i / 28000)};
        struct minted m = {.token = BUF_INIT(65536)};
        if (mint_token(&order, key, &m) != REASON_OK)
            return fprintf(stderr, "load: cannot mint\n"), 1;
        fprintf(out, "%.*s\n", (int)m.token.n, m.token.p);
        minted_done(&m);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct load l;
    if (argc == 10 && strcmp(argv[1], "tokens") == 0)
        return make_tokens(argv + 2);
    if (argc != 7)
        return fprintf(stderr, "usage: see the head of load.c\n"), 2;
    if (strcmp(argv[1], "validate") == 0) {
        if (read_tokens(&l, argv[3]) != 0)
            return 1;
    } else {
        l.resource = argv[3];
    }
    l.depth = (unsigned)number(argv[5]);
    l.count = number(argv[6]);
    if (open_conns(&l, argv[2], (unsigned)number(argv[4])) != 0)
        return 1;
    return run(&l);
}
