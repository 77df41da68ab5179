/* SPDX-License-Identifier: Apache-2.0 */
/* The whole fetcher in a process of its own against servers that do everything wrong: each fault
 * has its own reason, and the next fetch works. */
#include "b64.h"
#include "cleanup.h"
#include "clock.h"
#include "digest.h"
#include "fetcher.h"
#include "file.h"
#include "link.h"
#include "log.h"
#include "msg.h"
#include "temp_dir.h"
#include "tls_tricks.h"
#include "transfer.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>

#define ANSWER_MS 15000
#define DAY 86400

static struct temp_dir dir;
static struct tls_cert ca, other_ca, good, by_address, other_host, expired, no_usage, any_usage,
    is_ca, untrusted, stray;
static pid_t fetcher = -1;
static int broker = -1;
static uint8_t room[FRAME_MAX];

/* --- the server's tricks --- */

/* A row of the table: what the server does under that path, and what must come of it. */
static const struct trick {
    const char *path;
    void (*say)(struct tls_talk *t);
    enum reason reason;
    uint32_t status;
} tricks[] = {
    {"/ok", say_ok, REASON_OK, 200},
    {"/chunks", say_in_chunks, REASON_OK, 200},
    {"/interim", say_interim_once, REASON_OK, 200},
    {"/304-unasked", say_304_unasked, REASON_FETCH_STATUS, 304},
    {"/redirect", say_redirect, REASON_FETCH_REDIRECT, 302},
    {"/10-mib", say_10_mib, REASON_FETCH_TOO_LARGE, 200},
    {"/endless-chunks", say_chunks_without_end, REASON_FETCH_TOO_LARGE, 200},
    {"/until-close", say_until_close, REASON_FETCH_HEADERS, 0},
    {"/slow", say_slowly, REASON_FETCH_TIMEOUT, 200},
    {"/silent", say_nothing, REASON_FETCH_TIMEOUT, 0},
    {"/closed", close_at_once, REASON_FETCH_TRUNCATED, 0},
    {"/half", say_half, REASON_FETCH_TRUNCATED, 200},
    {"/half-chunks", say_half_chunks, REASON_FETCH_TRUNCATED, 200},
    {"/cut", cut_without_close_notify, REASON_FETCH_TRUNCATED, 200},
    {"/half-head", say_half_a_head, REASON_FETCH_TRUNCATED, 0},
    {"/gzip", say_gzip, REASON_FETCH_ENCODING, 0},
    {"/transfer-gzip", say_transfer_gzip, REASON_FETCH_ENCODING, 0},
    {"/503", say_503, REASON_FETCH_STATUS, 503},
    {"/404", say_404_and_10_mib, REASON_FETCH_STATUS, 404},
    {"/204", say_204, REASON_FETCH_STATUS, 204},
    {"/206", say_206, REASON_FETCH_STATUS, 206},
    {"/junk", say_junk, REASON_FETCH_HEADERS, 0},
    {"/two-lengths", say_two_lengths, REASON_FETCH_HEADERS, 0},
    {"/many-headers", say_many_headers, REASON_FETCH_HEADERS, 0},
    {"/large-header", say_a_large_header, REASON_FETCH_HEADERS, 0},
    {"/interim-for-ever", say_interim_for_ever, REASON_FETCH_HEADERS, 0},
};

static void serve(struct tls_talk *t)
{
    if (!t->ssl) { /* like a web server that is spoken to in another language */
        recv(t->fd, t->request, sizeof(t->request), 0);
        tls_say_text(t, "HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    }
    if (!tls_hear(t))
        return;
    if (strcmp(t->path, "/conditional") == 0)
        say_not_modified(t);
    if (strcmp(t->path, "/request") == 0)
        say_request(t);
    for (size_t i = 0; i < ARRAY_LEN(tricks); i++)
        if (strcmp(t->path, tricks[i].path) == 0)
            tricks[i].say(t);
}

/* --- start, ask --- */

static struct tls_peer server;

static void start_server(const struct tls_cert *cert, int max_version)
{
    const struct tls_peer_form form = {cert, max_version, serve};
    tls_peer_start(&server, &form);
}

static void start_fetcher(bool until_eof)
{
    const char *path = temp_dir_at(&dir, "fetcher.link");
    fetcher = fork();
    if (fetcher == 0) {
        struct fetcher_options o = {.peer_uid = geteuid(), .until_eof = until_eof};
        dup2(open(temp_dir_at(&dir, "log"), O_CREAT | O_APPEND | O_WRONLY, 0600), STDERR_FILENO);
        log_open("fetcher");
        _exit(fetcher_run(&o, link_listen(path, SOCK_SEQPACKET, 0600)));
    }
    for (int i = 0; i < 1000 && broker < 0; i++) {
        broker = link_connect(path);
        if (broker < 0)
            usleep(10000);
    }
    ck_assert_int_ge(broker, 0);
}

static const struct tls_cert_form ca_form = {
    .cn = "Test authority", .is_ca = true, .from_s = -DAY, .to_s = DAY};

static void make_certs(void)
{
    const char *host = "DNS:localhost", *usage = "serverAuth";
    struct tls_cert_form f = {"localhost", host, usage, false, -DAY, DAY};
    tls_cert_make(&ca, &ca_form, NULL);
    tls_cert_make(&other_ca, &ca_form, NULL);
    tls_cert_make(&good, &f, &ca);
    tls_cert_make(&untrusted, &f, &other_ca);
    f.usage = NULL;
    tls_cert_make(&no_usage, &f, &ca);
    f.usage = "serverAuth,anyExtendedKeyUsage";
    tls_cert_make(&any_usage, &f, &ca);
    f.usage = usage;
    f.is_ca = true;
    tls_cert_make(&is_ca, &f, &ca);
    f.is_ca = false;
    f.to_s = -60;
    tls_cert_make(&expired, &f, &ca);
    f.to_s = DAY;
    f.names = "DNS:other.example";
    tls_cert_make(&other_host, &f, &ca); /* its common name says localhost */
    f.names = "IP:127.0.0.1";
    f.cn = "by address";
    tls_cert_make(&by_address, &f, &ca);
    f.names = "DNS:localhost,DNS:www.example.com";
    f.cn = "mail.example.com";
    tls_cert_make(&stray, &f, &ca);
    tls_cert_write(&ca, temp_dir_at(&dir, "ca.pem"));
}

static void setup(void)
{
    temp_dir_make(&dir);
    make_certs();
    setenv("https_proxy", "http://127.0.0.1:9", 1); /* must not be used */
    setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
    start_fetcher(false);
}

static void teardown(void)
{
    struct tls_cert *certs[] = {&ca, &other_ca, &good, &by_address, &other_host, &expired,
        &no_usage, &any_usage, &is_ca, &untrusted, &stray};
    tls_peer_stop(&server);
    closep(&broker);
    if (fetcher > 0) {
        kill(fetcher, SIGKILL);
        waitpid(fetcher, NULL, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(certs); i++)
        tls_cert_done(certs[i]);
    temp_dir_remove(&dir);
}

static char url[512], ca_path[160];

/* An order for a path on the server under test. */
static struct msg_fetch order_of(const char *host, const char *path)
{
    snprintf(url, sizeof(url), "https://%s:%u%s", host, server.port, path);
    snprintf(ca_path, sizeof(ca_path), "%s", temp_dir_at(&dir, "ca.pem"));
    return (struct msg_fetch){.url = span_of(url),
        .ca_file = span_of(ca_path),
        .timeout_ms = 2000,
        .connect_timeout_ms = 1000,
        .max_bytes = 1048576};
}

static void send_order(uint32_t id, const struct msg_fetch *m)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_FETCH, id);
    msg_fetch_put(&f, m);
    ck_assert_int_eq(send(broker, room, frame_finish(&f), 0), (ssize_t)frame_finish(&f));
}

/* The next answer; spans live until the next call. The body, when there is one, is read out of its
 * sealed file. */
static uint32_t hear(struct msg_fetched *ret, struct buf *body)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {room, sizeof(room)};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.room)};
    struct pollfd p = {.fd = broker, .events = POLLIN};
    struct frame_in f;
    ck_assert_int_eq(poll(&p, 1, ANSWER_MS), 1);
    ssize_t n = recvmsg(broker, &mh, MSG_CMSG_CLOEXEC);
    ck_assert_int_gt(n, 0);
    ck_assert(frame_open(&f, room, (size_t)n) && msg_fetched_get(&f, ret));
    CLEANUP(closep) int fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    if (c)
        memcpy(&fd, CMSG_DATA(c), sizeof(int));
    ck_assert_int_eq(fd >= 0, ret->reason == REASON_OK && ret->status == 200);
    if (fd >= 0)
        ck_assert_int_eq(file_read_memfd(fd, body->max, body), 0);
    return f.id;
}

static struct msg_fetched fetch(const struct msg_fetch *m, struct buf *body)
{
    static uint32_t last_id;
    struct msg_fetched got;
    send_order(++last_id, m);
    ck_assert_uint_eq(hear(&got, body), last_id);
    return got;
}

static enum reason fetch_reason(const struct msg_fetch *m)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    return fetch(m, &body).reason;
}

/* --- tests --- */

START_TEST(a_document_is_fetched)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    start_server(&good, 0);
    int64_t before_ms = clock_wall_ms();
    struct msg_fetch m = order_of("localhost", "/ok");
    struct msg_fetched got = fetch(&m, &body);
    ck_assert_int_eq(got.reason, REASON_OK);
    ck_assert_uint_eq(got.status, 200);
    ck_assert(span_eq_str(buf_span(&body), DOCUMENT));
    ck_assert(span_eq_str(got.etag, "\"v1\""));
    ck_assert(span_eq_str(got.last_modified, "Tue, 24 Nov 2026 12:00:00 GMT"));
    ck_assert_int_eq(got.max_age_s, 600);
    ck_assert_int_eq(got.retry_after_s, -1);
    ck_assert_int_eq(got.date, INT64_C(1735700000));
    ck_assert_int_ge(got.date_seen_ms, before_ms);
    ck_assert_int_le(got.date_seen_ms, clock_wall_ms());
    ck_assert_uint_le(got.round_trip_ms, clock_wall_ms() - before_ms);
    ck_assert_uint_eq(got.detail.n, 0);
}
END_TEST

START_TEST(every_trick_has_its_reason)
{
    const struct trick *trick = &tricks[_i];
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    char detail[640];
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", trick->path);
    struct msg_fetched got = fetch(&m, &body);
    ck_assert_msg(got.reason == trick->reason, "%s: %s (%.*s)", trick->path,
        reason_code(got.reason), (int)got.detail.n, got.detail.p);
    ck_assert_msg(got.status == trick->status, "%s: status %u", trick->path, got.status);
    snprintf(detail, sizeof(detail), "%.*s", (int)got.detail.n, got.detail.p ? got.detail.p : "");
    if (got.reason == REASON_OK)
        ck_assert(span_eq_str(buf_span(&body), DOCUMENT));
    else
        ck_assert_msg(strncmp(detail, "localhost", 9) == 0 &&
                          !strstr(detail, reason_sentence(got.reason)), /* is shown beside it */
            "%s", detail);
    if (trick->say == say_503) {
        ck_assert_int_eq(got.retry_after_s, 120);
        ck_assert_str_eq(detail, "localhost: answered 503, to be asked again in 120 s");
    }
    if (trick->say == say_redirect)
        ck_assert_ptr_nonnull(strstr(detail, "points to https://127.0.0.1/x"));
    /* Whatever happened, the next one is served. */
    struct msg_fetch after = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&after), REASON_OK);
}
END_TEST

START_TEST(what_is_sent_is_as_the_manual_says)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    char expected[512];
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/request");
    struct msg_fetched got = fetch(&m, &body);
    ck_assert_int_eq(got.reason, REASON_OK);
    snprintf(expected, sizeof(expected),
        "GET /request HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: s2sd/" S2SD_VERSION "\r\n"
        "Accept: application/json, */*;q=0.1\r\n\r\n",
        server.port);
    ck_assert_str_eq(body.p, expected);
    ck_assert(span_eq_str(got.address, "127.0.0.1") || span_eq_str(got.address, "::1"));
}
END_TEST

/* Who asks is said in one more header, as long as an announcement can get. */
START_TEST(an_announcement_goes_out_as_it_is)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    static char token[1500], expected[2048];
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/request");
    memset(token, 'a', sizeof(token) - 1);
    token[700] = token[900] = '.';
    m.announce = span_of(token);
    ck_assert_int_eq(fetch(&m, &body).reason, REASON_OK);
    snprintf(expected, sizeof(expected), "\r\nS2S-Announce: %s\r\n\r\n", token);
    ck_assert_ptr_nonnull(strstr(body.p, expected));
    m.announce = SPAN("a.b.c\r\nX-Injected: yes");
    ck_assert_int_eq(fetch_reason(&m), REASON_INVALID_REQUEST);
}
END_TEST

START_TEST(an_unchanged_document_is_not_sent_again)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/conditional");
    m.etag = SPAN("\"v1\"");
    m.last_modified = SPAN("Tue, 24 Nov 2026 12:00:00 GMT");
    struct msg_fetched got = fetch(&m, &body);
    ck_assert_int_eq(got.reason, REASON_OK);
    ck_assert_uint_eq(got.status, 304);
    ck_assert_uint_eq(body.n, 0);
    ck_assert_int_eq(got.date, 0); /* it does not say */
    ck_assert_int_eq(got.date_seen_ms, 0);
}
END_TEST

/* F09, F10: who the server is. */
static const struct {
    const struct tls_cert *cert;
    const char *host;
    int max_version;
    enum reason reason;
    const char *says;
} servers[] = {
    {&good, "localhost", 0, REASON_OK, ""}, {&good, "LocalHost", 0, REASON_OK, ""},
    {&good, "localhost", TLS1_2_VERSION, REASON_OK, ""},
    {&good, "127.0.0.1", 0, REASON_FETCH_HOST_NAME, ""},
    {&by_address, "127.0.0.1", 0, REASON_OK, ""},
    {&by_address, "localhost", 0, REASON_FETCH_HOST_NAME, ""},
    {&other_host, "localhost", 0, REASON_FETCH_HOST_NAME, ""},
    {&expired, "localhost", 0, REASON_FETCH_TLS, "expired"},
    {&untrusted, "localhost", 0, REASON_FETCH_TLS, "certificate"},
    {&other_ca, "localhost", 0, REASON_FETCH_TLS, ""},
    {&no_usage, "localhost", 0, REASON_FETCH_TLS, "serverAuth"},
    {&any_usage, "localhost", 0, REASON_FETCH_TLS, "serverAuth"},
    {&is_ca, "localhost", 0, REASON_FETCH_TLS, "unsuitable certificate purpose"},
    {&stray, "localhost", 0, REASON_FETCH_TLS, "common name"},
    {&good, "localhost", TLS1_1_VERSION, REASON_FETCH_TLS, ""},
    {NULL, "localhost", 0, REASON_FETCH_TLS, ""}, /* plain HTTP */
};

START_TEST(only_the_right_server_is_believed)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    char detail[640];
    start_server(servers[_i].cert, servers[_i].max_version);
    struct msg_fetch m = order_of(servers[_i].host, "/ok");
    struct msg_fetched got = fetch(&m, &body);
    snprintf(detail, sizeof(detail), "%.*s", (int)got.detail.n, got.detail.p ? got.detail.p : "");
    ck_assert_msg(
        got.reason == servers[_i].reason, "row %d: %s (%s)", _i, reason_code(got.reason), detail);
    ck_assert_msg(strstr(detail, servers[_i].says), "row %d: %s", _i, detail);
}
END_TEST

/* Without CAFile= the system's authorities count, and ours is none of them. */
START_TEST(our_own_authority_is_not_the_systems)
{
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    m.ca_file = SPAN("");
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TLS);
    m.ca_file = SPAN("/nonexistent/ca.pem");
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TLS);
    m.ca_file = span_of(ca_path);
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
}
END_TEST

/* A new CAFile= counts at once, not when some cache runs out. */
START_TEST(a_changed_authority_file_counts_at_once)
{
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    tls_cert_write(&other_ca, ca_path);
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TLS);
    tls_cert_write(&ca, ca_path);
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
}
END_TEST

static void pin_of(const struct tls_cert *c, char *out, size_t out_len)
{
    uint8_t *der = NULL, sum[SHA256_LEN];
    CLEANUP(buf_done) struct buf b64 = BUF_INIT(128);
    int n = i2d_PUBKEY(c->key, &der);
    ck_assert(n > 0 && digest_sha256(span_bytes(der, (size_t)n), sum));
    b64_put(&b64, sum, sizeof(sum));
    snprintf(out, out_len, "sha256//%s", b64.p);
    OPENSSL_free(der);
}

START_TEST(one_of_the_pins_must_fit)
{
    char right[64], wrong[64];
    pin_of(&good, right, sizeof(right));
    pin_of(&ca, wrong, sizeof(wrong));
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    m.pins[0] = span_of(wrong);
    m.n_pins = 1;
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_PIN);
    m.pins[1] = span_of(right);
    m.n_pins = 2;
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    m.pins[0] = span_of(right);
    m.n_pins = 1;
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    /* A pin is no substitute for a trusted certificate. */
    tls_peer_stop(&server);
    pin_of(&untrusted, right, sizeof(right));
    start_server(&untrusted, 0);
    m = order_of("localhost", "/ok");
    m.pins[0] = span_of(right);
    m.n_pins = 1;
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TLS);
}
END_TEST

/* F11: addresses and URLs that are never fetched. */
static const struct {
    const char *url;
    bool public_only;
    enum reason reason;
} places[] = {
    {"https://169.254.169.254/latest/meta-data/", false, REASON_FETCH_ADDRESS},
    {"https://2852039166/", false, REASON_FETCH_ADDRESS}, /* the same, decimal */
    {"https://0xa9fea9fe/", false, REASON_FETCH_ADDRESS},
    {"https://[fe80::1]/", false, REASON_FETCH_ADDRESS},
    {"https://[::ffff:169.254.169.254]/", false, REASON_FETCH_ADDRESS},
    {"https://0.0.0.0/", false, REASON_FETCH_ADDRESS},
    {"https://224.0.0.1/", false, REASON_FETCH_ADDRESS},
    {"https://localhost/", true, REASON_FETCH_ADDRESS},
    {"https://127.0.0.1/", true, REASON_FETCH_ADDRESS},
    {"https://[::1]/", true, REASON_FETCH_ADDRESS},
    {"https://10.1.2.3/", true, REASON_FETCH_ADDRESS},
    {"http://localhost/", false, REASON_INVALID_REQUEST},
    {"ftp://localhost/", false, REASON_INVALID_REQUEST},
    {"file:///etc/passwd", false, REASON_INVALID_REQUEST},
    {"https://user@localhost/", false, REASON_INVALID_REQUEST},
    {"https://user:secret@localhost/", false, REASON_INVALID_REQUEST},
    {"https://", false, REASON_INVALID_REQUEST},
    {"localhost", false, REASON_INVALID_REQUEST},
    {"https://local host/", false, REASON_INVALID_REQUEST},
    {"https://127.0.0.1:1/", false, REASON_FETCH_CONNECT},
    {"https://no-such-host.invalid/", false, REASON_FETCH_NAME},
};

START_TEST(some_places_are_never_fetched)
{
    struct msg_fetch m = order_of("localhost", "/");
    m.url = span_of(places[_i].url);
    m.public_addresses_only = places[_i].public_only;
    enum reason r = fetch_reason(&m);
    ck_assert_msg(r == places[_i].reason, "%s: %s", places[_i].url, reason_code(r));
}
END_TEST

START_TEST(orders_that_are_none_are_refused)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    struct msg_fetched got;
    struct frame_out f;
    static char long_url[TRANSFER_URL_MAX + 64];
    struct msg_fetch m = order_of("localhost", "/ok");
    m.url = SPAN("https://localhost/\0hidden");
    ck_assert_int_eq(fetch_reason(&m), REASON_INVALID_REQUEST);
    memset(long_url, 'x', sizeof(long_url));
    memcpy(long_url, "https://", 8);
    m.url = span_bytes(long_url, sizeof(long_url));
    ck_assert_int_eq(fetch_reason(&m), REASON_INVALID_REQUEST);
    m = order_of("localhost", "/ok");
    m.etag = SPAN("\"x\"\r\nX-Injected: yes");
    ck_assert_int_eq(fetch_reason(&m), REASON_INVALID_REQUEST);
    frame_start(&f, room, sizeof(room), MSG_FETCH, 99); /* not the fields of an order */
    frame_put_u8(&f, 1);
    ck_assert_int_gt(send(broker, room, frame_finish(&f), 0), 0);
    ck_assert_uint_eq(hear(&got, &body), 99);
    ck_assert_int_eq(got.reason, REASON_INVALID_REQUEST);
    frame_start(&f, room, sizeof(room), MSG_MINT, 100); /* not said to a fetcher at all */
    ck_assert_int_gt(send(broker, room, frame_finish(&f), 0), 0);
    start_server(&good, 0);
    m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
}
END_TEST

START_TEST(the_limit_on_size_is_exact)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    m.max_bytes = 19;
    ck_assert_int_eq(fetch(&m, &body).reason, REASON_OK);
    m.max_bytes = 18;
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TOO_LARGE);
    m = order_of("localhost", "/chunks");
    m.max_bytes = 18;
    ck_assert_int_eq(fetch_reason(&m), REASON_FETCH_TOO_LARGE);
}
END_TEST

static unsigned count_fds(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    CLEANUP(closedirp) DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    return n;
}

/* Many at once: each is answered under its own id, the cap holds, the slow ones hold up nobody,
 * nothing leaks. */
START_TEST(many_at_once)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(1 << 20);
    bool seen[FETCHER_PER_LINK + 11] = {false};
    unsigned quota = 0, ok = 0, slow = 0;
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    unsigned before = count_fds(fetcher);
    for (uint32_t id = 1; id <= FETCHER_PER_LINK + 10; id++) {
        m = order_of("localhost", id % 8 == 0 ? "/silent" : "/ok");
        m.timeout_ms = m.connect_timeout_ms = 10000;
        send_order(id, &m);
    }
    for (unsigned i = 0; i < FETCHER_PER_LINK + 10; i++) {
        struct msg_fetched got;
        uint32_t id = hear(&got, &body);
        ck_assert(id >= 1 && id <= FETCHER_PER_LINK + 10 && !seen[id]);
        seen[id] = true;
        quota += got.reason == REASON_QUOTA;
        ok += got.reason == REASON_OK;
        slow += got.reason == REASON_FETCH_TIMEOUT;
        ck_assert(got.reason != REASON_OK || slow == 0); /* nobody waits for the silent ones */
        buf_reset(&body);
    }
    ck_assert_uint_ge(quota, 1);
    ck_assert_uint_le(quota, 10);
    ck_assert_uint_ge(slow, 1);
    ck_assert_uint_eq(ok + quota + slow, FETCHER_PER_LINK + 10);
    m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    usleep(100000);
    ck_assert_uint_le(count_fds(fetcher), before);
}
END_TEST

START_TEST(a_broker_that_has_gone_leaves_nothing_behind)
{
    start_server(&good, 0);
    struct msg_fetch m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    unsigned before = count_fds(fetcher);
    m = order_of("localhost", "/silent");
    for (uint32_t id = 1; id <= 10; id++)
        send_order(id, &m);
    usleep(200000);
    closep(&broker);
    broker = link_connect(temp_dir_at(&dir, "fetcher.link"));
    ck_assert_int_ge(broker, 0);
    m = order_of("localhost", "/ok");
    ck_assert_int_eq(fetch_reason(&m), REASON_OK);
    usleep(200000);
    ck_assert_uint_le(count_fds(fetcher), before);
}
END_TEST

static int wait_for_end(void)
{
    int status;
    ck_assert_int_eq(waitpid(TAKE_FD(fetcher), &status, 0) > 0, 1);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(it_ends_in_order)
{
    kill(fetcher, SIGTERM);
    ck_assert_int_eq(wait_for_end(), 0);
    closep(&broker);
    start_fetcher(true);
    usleep(100000);
    closep(&broker);
    ck_assert_int_eq(wait_for_end(), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_document_is_fetched);
    tcase_add_loop_test(tc, every_trick_has_its_reason, 0, ARRAY_LEN(tricks));
    tcase_add_test(tc, what_is_sent_is_as_the_manual_says);
    tcase_add_test(tc, an_announcement_goes_out_as_it_is);
    tcase_add_test(tc, an_unchanged_document_is_not_sent_again);
    tcase_add_loop_test(tc, only_the_right_server_is_believed, 0, ARRAY_LEN(servers));
    tcase_add_test(tc, our_own_authority_is_not_the_systems);
    tcase_add_test(tc, a_changed_authority_file_counts_at_once);
    tcase_add_test(tc, one_of_the_pins_must_fit);
    tcase_add_loop_test(tc, some_places_are_never_fetched, 0, ARRAY_LEN(places));
    tcase_add_test(tc, orders_that_are_none_are_refused);
    tcase_add_test(tc, the_limit_on_size_is_exact);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, a_broker_that_has_gone_leaves_nothing_behind);
    tcase_add_test(tc, it_ends_in_order);
}

int main(void)
{
    return unit_run("fetcher_run", fill);
}
