/* SPDX-License-Identifier: Apache-2.0 */
/* http-raw.jsonl through the plain public door of the broker: listener, connection, request reader
 * and documents are the daemon's own. One line for each: ID TAB status,status,... TAB calls=N TAB
 * close=0|1, where calls counts the documents handed out. */
#include "b64.h"
#include "clock.h"
#include "documents.h"
#include "policy_world.h"
#include "public_doors.h"
#include "rollover.h"
#include "signkey.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

/* How long an incomplete request may stay: the driver waits for the door to lose patience. */
#define REQUEST_TIMEOUT_S 1
#define RAW_MAX ((size_t)4 << 20)

struct http_driver {
    struct policy_world world;
    struct event_base *base;
    struct public_doors *doors;
    struct sockaddr_un address;
    socklen_t address_len;
    char etag[DOCUMENT_ETAG_LEN];
};

/* One line of the corpus under way. */
struct exchange {
    int fd;
    struct buf raw, got;
    size_t sent;
    bool closed;
};

static NORETURN void fail(const char *what)
{
    fprintf(stderr, "http driver: %s\n", what);
    exit(2);
}

static int listen_somewhere(struct http_driver *d)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    d->address.sun_family = AF_UNIX;
    int n = snprintf(
        d->address.sun_path + 1, sizeof(d->address.sun_path) - 1, "s2sd-http-%d", (int)getpid());
    d->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    if (fd < 0 || bind(fd, (struct sockaddr *)&d->address, d->address_len) < 0 ||
        listen(fd, 16) < 0)
        fail("cannot listen");
    return fd;
}

/* Our documents under a key of the hour: the corpus does not look at their bytes. */
static struct documents *render(const struct settings *s)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    struct keyring ring = {0};
    const struct documents_of of = {.settings = s, .ring = &ring};
    struct documents *documents;
    int64_t now = clock_wall_s();
    if (signkey_generate("s2sd", now - 86400, now + 86400, &key) != REASON_OK ||
        rollover_first(&ring, signkey_cert(key), now) != REASON_OK ||
        documents_render(&of, &documents) != REASON_OK)
        fail("the documents cannot be made");
    keyring_done(&ring);
    return documents;
}

static void driver_open(struct http_driver *d, const char *folder)
{
    struct listeners listeners = LISTENERS_NONE;
    policy_world_open(&d->world, folder);
    d->world.settings->limits.request_timeout_s = REQUEST_TIMEOUT_S;
    d->base = event_base_new();
    listeners.http = listen_somewhere(d);
    d->doors = d->base ? public_doors_new(d->base, &listeners) : NULL;
    struct documents *documents = render(d->world.settings);
    const struct document *doc = documents_find(documents, SPAN("/metadata/json/1"));
    memcpy(d->etag, doc->etag, sizeof(d->etag));
    if (!d->doors || public_doors_serve(d->doors, d->world.settings, documents) != REASON_OK)
        fail("the door cannot be opened");
}

static void driver_close(struct http_driver *d)
{
    public_doors_free(d->doors);
    event_base_free(d->base);
    policy_world_close(&d->world);
}

/* The bytes of the line, with our entity tag where it has a place for it. */
static void decode(const struct http_driver *d, struct span b64, struct buf *ret)
{
    static const char mark[] = "\"{ETAG}\"";
    CLEANUP(buf_done) struct buf raw = BUF_INIT(RAW_MAX);
    char *room = buf_reserve(&raw, B64_DECODED_MAX(b64.n));
    long n = room ? b64_decode(b64, (uint8_t *)room, B64_DECODED_MAX(b64.n)) : -1;
    if (n < 0)
        fail("raw_b64 is not base64");
    raw.n = (size_t)n;
    char *at = memmem(raw.p, raw.n, mark, sizeof(mark) - 1);
    size_t head = at ? (size_t)(at - raw.p) : raw.n;
    buf_put(ret, raw.p, head);
    if (at) {
        buf_put_str(ret, d->etag);
        buf_put(ret, at + sizeof(mark) - 1, raw.n - head - (sizeof(mark) - 1));
    }
    if (ret->failed)
        fail("a line is too large");
}

static void write_some(struct exchange *x)
{
    while (x->sent < x->raw.n && !x->closed) {
        ssize_t n = send(x->fd, x->raw.p + x->sent, x->raw.n - x->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            x->sent = x->raw.n; /* the door takes no more; what it answered is still to be read */
        else
            x->sent += (size_t)n;
    }
}

static void read_some(struct exchange *x)
{
    char *room;
    while (!x->closed && (room = buf_reserve(&x->got, 65536)) != NULL) {
        ssize_t n = recv(x->fd, room, 65536, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0)
            x->got.n += (size_t)n;
        else
            x->closed = true;
    }
}

/* Everything is said and answered when all is sent, and either the door has closed or it has
 * answered and has nothing more to do. Without any answer the door's patience decides. */
static void run(struct http_driver *d, struct exchange *x)
{
    for (;;) {
        size_t before = x->got.n, sent = x->sent;
        write_some(x);
        if (event_base_loop(d->base, EVLOOP_NONBLOCK) < 0)
            fail("the loop is broken");
        read_some(x);
        if (x->closed)
            return;
        if (x->got.n != before || x->sent != sent)
            continue;
        if (x->sent == x->raw.n && x->got.n > 0)
            return;
        if (event_base_loop(d->base, EVLOOP_ONCE) < 0)
            fail("the loop is broken");
    }
}

/* Length of the head at the beginning of `rest`, 0 when there is no whole one. */
static size_t head_length(struct span rest)
{
    const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
    return end ? (size_t)(end - rest.p) + 4 : 0;
}

static size_t number_behind(struct span text, const char *name)
{
    size_t n = strlen(name), value = 0;
    const char *at = memmem(text.p, text.n, name, n);
    for (at = at ? at + n : NULL; at && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (size_t)(*at - '0');
    return value;
}

/* Walks the answers; a body is there unless the request was HEAD or the answer is 304. */
static void print_answers(struct span id, const struct exchange *x)
{
    struct span rest = buf_span(&x->got);
    bool is_head = x->raw.n >= 5 && memcmp(x->raw.p, "HEAD ", 5) == 0;
    unsigned calls = 0;
    printf("%.*s\t", (int)id.n, id.p);
    for (const char *between = ""; rest.n > 0; between = ",") {
        size_t n = head_length(rest);
        if (n == 0 || !span_starts(rest, SPAN("HTTP/1.1 ")))
            fail("an answer that is none");
        struct span head = {rest.p, n};
        size_t status = number_behind(head, "HTTP/1.1 ");
        size_t body = is_head || status == 304 ? 0 : number_behind(head, "\r\nContent-Length: ");
        if (n + body > rest.n)
            fail("an answer is not complete");
        printf("%s%zu", between, status);
        calls += status == 200 || status == 304;
        rest = span_skip(rest, n + body);
    }
    printf("\tcalls=%u\tclose=%d\n", calls, x->closed);
}

static void judge(struct http_driver *d, struct span id, struct span b64)
{
    struct exchange x = {.raw = BUF_INIT(RAW_MAX), .got = BUF_INIT(RAW_MAX * 4)};
    x.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    decode(d, b64, &x.raw);
    if (x.fd < 0 || connect(x.fd, (struct sockaddr *)&d->address, d->address_len) < 0)
        fail("cannot connect");
    run(d, &x);
    print_answers(id, &x);
    close(x.fd);
    (void)event_base_loop(d->base, EVLOOP_NONBLOCK);
    buf_done(&x.raw);
    buf_done(&x.got);
}

int main(int argc, char **argv)
{
    static struct http_driver d;
    const struct json_limits limits = {.bytes = RAW_MAX};
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (argc != 2 || !doc)
        fail("usage: http FOLDER < http-raw.jsonl");
    signal(SIGPIPE, SIG_IGN);
    driver_open(&d, argv[1]);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        const struct json_value *object;
        if (json_parse(doc, (struct span){line, (size_t)n}, &limits, &object) != REASON_OK)
            fail("a line is not JSON");
        judge(&d, policy_text_of(object, "id"), policy_text_of(object, "raw_b64"));
    }
    driver_close(&d);
    return 0;
}
