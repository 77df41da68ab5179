/* SPDX-License-Identifier: Apache-2.0 */
/* The public door under peers that stay: nobody keeps the place of a partner who comes to read. */
#include "public_doors.h"

#include "far_end.h"
#include "settings_of.h"
#include "signkey.h"

#include <sys/resource.h>
#include <sys/un.h>

#define PLACES 16
#define US                                                                                         \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"
#define CONF US "[Limits]\nConnections=16\n"
#define GET "GET /metadata/json/1 HTTP/1.1\r\nHost: lync.contoso.example\r\n\r\n"

static struct event_base *base;
static struct public_doors *doors;
static struct settings *settings;
static struct sockaddr_un address;
static socklen_t address_len;

static int listen_somewhere(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sun_family = AF_UNIX;
    int n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "s2sd-public-%d", getpid());
    address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, address_len), 0);
    ck_assert_int_eq(listen(fd, 128), 0);
    return fd;
}

static struct documents *render(const char *conf)
{
    struct signkey *key;
    struct documents *documents;
    ck_assert_int_eq(signkey_generate("test", 1000000000, 2000000000, &key), REASON_OK);
    struct cert cert = *signkey_cert(key);
    struct keyring ring = {.n = 1, .slots = {{.state = KEY_CURRENT, .cert = &cert}}};
    settings = settings_of(conf);
    const struct documents_of of = {.settings = settings, .ring = &ring};
    ck_assert_int_eq(documents_render(&of, &documents), REASON_OK);
    signkey_free(key);
    return documents;
}

/* Puts other settings in force, as a start or a reload does. */
static void serve(const char *conf)
{
    struct settings *old = settings;
    struct documents *documents = render(conf);
    ck_assert_int_eq(public_doors_serve(doors, settings, documents), REASON_OK);
    settings_freep(&old);
}

static void doors_make(void)
{
    struct listeners l = LISTENERS_NONE;
    base = event_base_new();
    l.http = listen_somewhere();
    doors = public_doors_new(base, &l);
    ck_assert_ptr_nonnull(doors);
    serve(CONF);
}

static void doors_remove(void)
{
    public_doors_free(doors);
    settings_freep(&settings);
    event_base_free(base);
}

struct wait {
    unsigned connections;
};

static bool are_in(void *arg)
{
    return public_doors_connections(doors) == ((struct wait *)arg)->connections;
}

/* A peer that is let in; `n` are in then. */
static void come(struct far_end *f, unsigned n)
{
    struct wait w = {n};
    *f = (struct far_end){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        .got = BUF_INIT((size_t)16 * 1024 * 1024)};
    ck_assert_int_eq(connect(f->fd, (struct sockaddr *)&address, address_len), 0);
    loop_until(base, are_in, &w);
}

static void read_document(struct far_end *f)
{
    far_say(f, GET);
    far_await(base, f, "\r\nETag: ", 1);
}

static void fill_places(struct far_end all[PLACES])
{
    for (unsigned i = 0; i < PLACES; i++)
        come(&all[i], i + 1);
}

static void go(struct far_end *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        far_close(&f[i]);
}

/* The one at `gone` was closed, nobody else. */
static void expect_gone(struct far_end all[PLACES], unsigned gone)
{
    for (unsigned i = 0; i < PLACES; i++) {
        far_take(&all[i]);
        ck_assert_msg(all[i].closed == (i == gone), "connection %u", i);
    }
    ck_assert_uint_eq(public_doors_connections(doors), PLACES);
}

START_TEST(a_silent_peer_makes_room)
{
    struct far_end all[PLACES], partner;
    fill_places(all);
    come(&partner, PLACES);
    read_document(&partner);
    expect_gone(all, 0);
    go(all, PLACES);
    far_close(&partner);
}
END_TEST

START_TEST(so_does_one_that_sends_half_a_request)
{
    struct far_end all[PLACES], partner;
    fill_places(all);
    far_say(&all[0], "GET /metadata/json/1 HTT");
    loop_turn(base);
    come(&partner, PLACES);
    read_document(&partner);
    expect_gone(all, 0);
    go(all, PLACES);
    far_close(&partner);
}
END_TEST

START_TEST(and_one_that_was_answered_and_stays)
{
    struct far_end all[PLACES], partner;
    fill_places(all);
    for (unsigned i = 0; i < PLACES; i++)
        read_document(&all[i]);
    come(&partner, PLACES);
    read_document(&partner);
    expect_gone(all, 0);
    go(all, PLACES);
    far_close(&partner);
}
END_TEST

/* An answer that is on its way is not cut off. */
START_TEST(one_that_takes_its_answer_is_passed_over)
{
    struct far_end all[PLACES], partner;
    CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
    buf_put_str(&text, US);
    for (unsigned i = 0; i < 100; i++) /* a document that fills a socket when asked for often */
        buf_printf(&text, "Hosts=a-rather-long-name-of-host-number-%u.contoso.example\n", i);
    buf_put_str(&text, "[Limits]\nConnections=16\n");
    serve(text.p);
    fill_places(all);
    buf_reset(&text);
    for (unsigned i = 0; i < 90; i++)
        buf_put_str(&text, GET);
    far_send(&all[0], buf_span(&text));
    loop_turn(base);
    come(&partner, PLACES);
    read_document(&partner);
    far_take(&all[1]);
    ck_assert(all[1].closed);
    far_await(base, &all[0], "\r\nETag: ", 90);
    ck_assert(!all[0].closed);
    go(all, PLACES);
    far_close(&partner);
}
END_TEST

/* A reload may leave fewer places than there are connections. */
START_TEST(fewer_places_are_kept_from_the_next_peer_on)
{
    struct far_end all[PLACES + 4], partner;
    serve(US "[Limits]\nConnections=20\n");
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        come(&all[i], i + 1);
    serve(CONF);
    ck_assert_uint_eq(public_doors_connections(doors), PLACES + 4);
    come(&partner, PLACES);
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        far_take(&all[i]);
        ck_assert_msg(all[i].closed == (i < 5), "connection %u", i);
    }
    go(all, ARRAY_LEN(all));
    far_close(&partner);
}
END_TEST

/* H05: what strangers hold leaves descriptors for links, workers and state files. */
START_TEST(strangers_do_not_take_the_last_descriptors)
{
    const struct rlimit tight = {64, 64};
    struct listeners l = LISTENERS_NONE;
    struct far_end all[PLACES], partner;
    public_doors_free(doors);
    settings_freep(&settings);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    l.http = listen_somewhere();
    doors = public_doors_new(base, &l);
    serve(US "[Limits]\nConnections=512\n");
    fill_places(all);
    come(&partner, PLACES);
    read_document(&partner);
    expect_gone(all, 0);
    ck_assert_uint_eq(public_doors_cut_off(doors), 1);
    go(all, PLACES);
    far_close(&partner);
}
END_TEST

/* What the broker is told of those who were shown our keys. */
static unsigned visits;
static struct public_visit last_visit;

static void on_visit(const struct public_visit *v, void *arg)
{
    ck_assert_ptr_eq(arg, &visits);
    visits++;
    last_visit = *v;
}

#define HOST "Host: lync.contoso.example\r\n"
#define JWKS "/.well-known/jwks.json"

START_TEST(who_is_shown_our_keys_is_told)
{
    static char longest[PUBLIC_ANNOUNCE_MAX], too_long[PUBLIC_ANNOUNCE_MAX + 1];
    memset(longest, 'a', sizeof(longest) - 1);
    memset(too_long, 'a', sizeof(too_long) - 1);
    const struct {
        const char *request, *announce, *more;
        bool told;
        const char *said;
    } rows[] = {
        {"GET /metadata/json/1", NULL, "", true, ""},
        {"GET /_layouts/15/metadata/json/1", "a.b.c", "", true, "a.b.c"},
        {"GET " JWKS, "a.b.c", "", true, "a.b.c"},
        {"GET /metadata/json/1", "a.b.c", "If-None-Match: *\r\n", true, "a.b.c"}, /* 304 */
        {"GET /metadata/json/1", "a.b.c", "S2S-Announce: d.e.f\r\n", true, ""},   /* two words */
        {"GET /metadata/json/1", longest, "", true, longest},
        {"GET /metadata/json/1", too_long, "", true, ""},
        {"HEAD /metadata/json/1", "a.b.c", "", false, ""},                 /* was not shown them */
        {"GET /.well-known/openid-configuration", "a.b.c", "", false, ""}, /* holds none */
        {"GET /nothing", "a.b.c", "", false, ""},
        {"POST /metadata/json/1", "a.b.c", "Content-Length: 0\r\n", false, ""},
    };
    public_doors_on_visit(doors, on_visit, &visits);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(65536);
        struct far_end f;
        unsigned before = visits;
        buf_printf(&text, "%s HTTP/1.1\r\n" HOST "%s", rows[i].request, rows[i].more);
        if (rows[i].announce)
            buf_printf(&text, "S2S-Announce: %s\r\n", rows[i].announce);
        buf_put_str(&text, "\r\n");
        come(&f, 1);
        far_send(&f, buf_span(&text));
        far_await(base, &f, "\r\n\r\n", 1);
        ck_assert_msg((visits > before) == rows[i].told, "row %zu", i);
        if (rows[i].told)
            ck_assert_str_eq(last_visit.announce, rows[i].said);
        ck_assert_str_eq(last_visit.address, ""); /* a Unix socket has none */
        far_close(&f);
        struct wait w = {0};
        loop_until(base, are_in, &w);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, doors_make, doors_remove);
    tcase_add_test(tc, who_is_shown_our_keys_is_told);
    tcase_add_test(tc, a_silent_peer_makes_room);
    tcase_add_test(tc, so_does_one_that_sends_half_a_request);
    tcase_add_test(tc, and_one_that_was_answered_and_stays);
    tcase_add_test(tc, one_that_takes_its_answer_is_passed_over);
    tcase_add_test(tc, strangers_do_not_take_the_last_descriptors);
    tcase_add_test(tc, fewer_places_are_kept_from_the_next_peer_on);
}

int main(void)
{
    return unit_run("broker_public", fill);
}
