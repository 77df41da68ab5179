/* SPDX-License-Identifier: Apache-2.0 */
/* Coming in: fair shares between workers, caps over all of them, a reason for who is turned away,
 * rest when descriptors run out, and leaving without losing an answer. */
#include "worker_fixture.h"

#include "door.h"
#include "hints.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/un.h>

#define CAPS(all, user) US "[Limits]\nConnections=" all "\nConnectionsPerUser=" user "\n"

/* A listening socket under an abstract name of our own. */
static struct sockaddr_un address;
static socklen_t address_len;

static int listen_somewhere(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sun_family = AF_UNIX;
    int n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "s2sd-test-%d", getpid());
    address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, address_len), 0);
    ck_assert_int_eq(listen(fd, 128), 0);
    return fd;
}

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, address_len), 0);
    return fd;
}

/* door.c alone. */

struct gate {
    unsigned asked, taken;
    bool shut;
    int fds[64];
};

static bool may_accept(void *arg)
{
    struct gate *g = arg;
    g->asked++;
    return !g->shut;
}

static void on_peer(int fd, void *arg)
{
    struct gate *g = arg;
    int flags = fcntl(fd, F_GETFL), fd_flags = fcntl(fd, F_GETFD);
    ck_assert((flags & O_NONBLOCK) && (fd_flags & FD_CLOEXEC));
    ck_assert_uint_lt(g->taken, ARRAY_LEN(g->fds));
    g->fds[g->taken++] = fd;
}

static const struct door_ops gate_ops = {may_accept, on_peer};

static void gate_done(struct gate *g)
{
    for (unsigned i = 0; i < g->taken; i++)
        close(g->fds[i]);
}

START_TEST(one_peer_is_taken_for_each_wake_up)
{
    struct event_base *base = event_base_new();
    struct gate g = {0};
    struct door *d = door_open(base, listen_somewhere(), &gate_ops, &g);
    int peers[3];
    ck_assert_ptr_nonnull(d);
    for (int i = 0; i < 3; i++)
        peers[i] = dial();
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
        ck_assert_uint_eq(g.taken, i);
    }
    for (int i = 0; i < 3; i++)
        close(peers[i]);
    gate_done(&g);
    door_close(d);
    event_base_free(base);
}
END_TEST

static bool is_taken(void *arg)
{
    return ((struct gate *)arg)->taken > 0;
}

static bool was_asked_often(void *arg)
{
    return ((struct gate *)arg)->asked >= 4;
}

START_TEST(a_peer_left_to_others_is_looked_at_again)
{
    struct event_base *base = event_base_new();
    struct gate g = {.shut = true};
    struct door *d = door_open(base, listen_somewhere(), &gate_ops, &g);
    int peer = dial();
    loop_until(base, was_asked_often, &g);
    ck_assert_uint_eq(g.taken, 0);
    g.shut = false;
    loop_until(base, is_taken, &g);
    close(peer);
    gate_done(&g);
    door_close(d);
    event_base_free(base);
}
END_TEST

START_TEST(without_descriptors_the_door_rests_and_recovers)
{
    struct event_base *base = event_base_new();
    struct gate g = {0};
    struct door *d = door_open(base, listen_somewhere(), &gate_ops, &g);
    int peer = dial();
    int taken[1024];
    size_t n = 0;
    const struct rlimit few = {64, 64};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < ARRAY_LEN(taken) && (taken[n] = dup(peer)) >= 0)
        n++;
    loop_turn(base);
    ck_assert_uint_eq(g.taken, 0);
    unsigned asked = g.asked;
    loop_turn(base); /* comes back: no busy loop, and nobody is asked meanwhile */
    ck_assert_uint_eq(g.asked, asked);
    while (n > 0)
        close(taken[--n]);
    loop_until(base, is_taken, &g);
    close(peer);
    gate_done(&g);
    door_close(d);
    event_base_free(base);
}
END_TEST

/* The doors of a worker. */

static struct counters *page(unsigned i)
{
    return counters_at(world.w.pages, i);
}

static bool has_visitor(void *arg)
{
    (void)arg;
    return doors_visitors(world.w.doors) > 0;
}

START_TEST(a_worker_with_more_than_its_share_leaves_peers_to_others)
{
    struct far_end far;
    world_open_many(WORKER_VALIDATOR, US, 2);
    knock(&far, DOOR_HTTP);
    ck_assert_uint_eq(page(0)->connections, 1);
    ck_assert_int_eq(doors_open(world.w.doors, listen_somewhere(), DOOR_HTTP), 0);
    int peer = dial();
    ck_assert_int_ge(event_base_loop(world.base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(doors_visitors(world.w.doors), 1); /* 1 of 1: the other has its turn */
    page(1)->connections = 1;                            /* and took one elsewhere */
    while (doors_visitors(world.w.doors) < 2)
        ck_assert_int_ge(event_base_loop(world.base, EVLOOP_ONCE), 0);
    close(peer);
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(a_peer_is_not_left_to_workers_that_never_come)
{
    struct far_end far;
    world_open_many(WORKER_VALIDATOR, US, 2);
    knock(&far, DOOR_HTTP);
    ck_assert_int_eq(doors_open(world.w.doors, listen_somewhere(), DOOR_HTTP), 0);
    int peer = dial();
    while (doors_visitors(world.w.doors) < 2) /* the other's page stays at 0 */
        ck_assert_int_ge(event_base_loop(world.base, EVLOOP_ONCE), 0);
    close(peer);
    far_close(&far);
    world_close();
}
END_TEST

START_TEST(both_doors_are_open_and_speak_their_language)
{
    struct far_end far = {.got = BUF_INIT(65536)};
    world_open(WORKER_VALIDATOR, US);
    ck_assert_int_eq(doors_open(world.w.doors, listen_somewhere(), DOOR_VARLINK), 0);
    far.fd = dial();
    loop_until(world.base, has_visitor, NULL);
    say_varlink(&far, "{\"method\":\"org.varlink.service.GetInfo\"}");
    ck_assert(far_has(&far, "\"interfaces\":[\"io.s2sd.validate\",\"org.varlink.service\"]"));
    far_close(&far);
    world_close();
}
END_TEST

#define MANY 64

/* So many are let in; the next are turned away with a reason, from root a few later. */
static void expect_cap(unsigned cap)
{
    static struct far_end far[MANY];
    unsigned in = cap + (getuid() == 0 ? 16 : 0);
    for (unsigned i = 0; i < in; i++) {
        knock(&far[i], DOOR_HTTP);
        loop_turn(world.base);
        far_take(&far[i]);
        ck_assert_msg(far[i].got.n == 0, "connection %u: %s", i, far[i].got.p);
    }
    ck_assert_uint_eq(page(0)->connections, in);
    knock(&far[in], DOOR_HTTP);
    far_say(&far[in], "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await_close(world.base, &far[in]);
    ck_assert(far_has(&far[in], "\r\nRetry-After: 1\r\n"));
    expect_http(&far[in], 503,
        "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Too many connections\","
        "\"reason\":\"over_quota\"}");
    knock(&far[in + 1], DOOR_VARLINK);
    far_await_close(world.base, &far[in + 1]);
    ck_assert_str_eq(far[in + 1].got.p,
        "{\"error\":\"io.s2sd.validate.NotReady\",\"parameters\":{\"reason\":\"over_quota\","
        "\"retryAfter\":1}}");
    ck_assert_uint_eq(page(0)->refused_connections, 2);
    ck_assert_uint_eq(page(0)->accepted, in);
    ck_assert_uint_eq(page(0)->connections, in);
    far_close(&far[0]); /* one goes: one may come */
    loop_turn(world.base);
    ck_assert_uint_eq(page(0)->connections, in - 1);
    knock(&far[0], DOOR_HTTP);
    ck_assert_uint_eq(page(0)->connections, in);
    for (unsigned i = 0; i < in + 2; i++)
        far_close(&far[i]);
    loop_turn(world.base);
    ck_assert_uint_eq(page(0)->connections, 0);
    ck_assert_uint_eq(page(0)->uids[0].uid_plus_one, 0);
}

START_TEST(connections_in_all_are_capped_over_all_workers)
{
    world_open_many(WORKER_VALIDATOR, CAPS("20", "4000"), 2);
    page(1)->connections = 5;
    expect_cap(15);
    world_close();
}
END_TEST

START_TEST(connections_of_one_user_are_capped_over_all_workers)
{
    world_open_many(WORKER_VALIDATOR, CAPS("4000", "10"), 2);
    page(1)->uids[3].uid_plus_one = getuid() + 1;
    page(1)->uids[3].connections = 4;
    page(1)->uids[2].uid_plus_one = getuid() + 2; /* somebody else */
    page(1)->uids[2].connections = 50;
    expect_cap(6);
    world_close();
}
END_TEST

/* Those who are being told so must not stand in the way of anybody who may come in. */
START_TEST(whoever_may_come_in_does_so_past_those_who_are_turned_away)
{
    static struct far_end many[40];
    struct far_end welcome;
    world_open_many(WORKER_VALIDATOR, CAPS("4000", "10"), 2);
    page(1)->uids[0].uid_plus_one = getuid() + 1;
    page(1)->uids[0].connections = 1000;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        knock(&many[i], DOOR_HTTP);
    ck_assert_uint_eq(page(0)->accepted, 0);
    ck_assert_uint_eq(page(0)->refused_connections, ARRAY_LEN(many));
    page(1)->uids[0].connections = 0;
    ask_http(&welcome, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_http(&welcome, 200, "{\"status\":\"alive\"}");
    ck_assert_uint_eq(page(0)->accepted, 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        far_close(&many[i]);
    far_close(&welcome);
    world_close();
}
END_TEST

START_TEST(a_worker_that_is_asked_says_that_it_is_there)
{
    static const enum worker_kind kinds[] = {WORKER_VALIDATOR, WORKER_MINTER};
    uint8_t room[FRAME_MAX];
    struct frame_out out;
    struct frame_in in;
    world_open(kinds[_i], US);
    frame_start(&out, room, sizeof room, MSG_PING, 77);
    send_frame(&world.broker, &out);
    ck_assert(next_frame(&world.broker, room, &in));
    ck_assert_uint_eq(in.type, MSG_PONG);
    ck_assert_uint_eq(in.id, 77);
    ck_assert(frame_end(&in));
    world_close();
}
END_TEST

/* Leaving. */

START_TEST(a_leaving_worker_ends_idle_peers_and_answers_the_others)
{
    struct far_end idle, http, varlink;
    CLEANUP(buf_done) struct buf conf = BUF_INIT(4096);
    buf_printf(&conf, "%s[Client me]\nUser=%s\nAllow=mint\n", US LYNC_PARTNER, own_name());
    world_open(WORKER_MINTER, conf.p);
    struct far_end signer;
    minter_on_signer_link(&world.w, far_open(&signer, SOCK_SEQPACKET));
    knock(&idle, DOOR_HTTP);
    post(&http, "/token", "grant_type=client_credentials&resource=lync");
    knock(&varlink, DOOR_VARLINK);
    say_varlink(
        &varlink, "{\"method\":\"io.s2sd.mint.Mint\",\"parameters\":{\"resource\":\"lync\"}}");
    world.w.leaving = true;
    doors_leave(world.w.doors);
    far_await_close(world.base, &idle);
    ck_assert_uint_eq(idle.got.n, 0);
    ck_assert_uint_eq(doors_visitors(world.w.doors), 2);
    uint8_t room[FRAME_MAX];
    struct frame_in in;
    struct frame_out out;
    ck_assert(next_frame(&signer, room, &in));
    const struct msg_minted m = {.token = SPAN("a.b.c"), .expires_at = NOW + 60};
    uint32_t id = in.id;
    frame_start(&out, room, sizeof room, MSG_MINTED, id);
    msg_minted_put(&out, &m);
    send_frame(&signer, &out);
    far_await_close(world.base, &http);
    far_await_close(world.base, &varlink);
    ck_assert(far_has(&http, "a.b.c") && far_has(&http, "Connection: close\r\n"));
    ck_assert(far_has(&varlink, "a.b.c"));
    far_close(&idle);
    far_close(&http);
    far_close(&varlink);
    loop_turn(world.base);
    ck_assert_uint_eq(doors_visitors(world.w.doors), 0);
    world_close();
    far_close(&signer);
}
END_TEST

START_TEST(time_limits_of_a_reload_count_for_open_connections)
{
    struct far_end far;
    world_open(WORKER_VALIDATOR, US "[Limits]\nIdleTimeout=1h\n");
    clock_real();
    knock(&far, DOOR_HTTP);
    far_say(&far, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await(world.base, &far, "alive", 1);
    worker_commit(&world.w, settings_of(US "[Limits]\nIdleTimeout=1s\n"));
    far_say(&far, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    far_await(world.base, &far, "alive", 2);
    far_await_close(world.base, &far);
    far_close(&far);
    world_close();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, one_peer_is_taken_for_each_wake_up);
    tcase_add_test(tc, a_peer_left_to_others_is_looked_at_again);
    tcase_add_test(tc, without_descriptors_the_door_rests_and_recovers);
    tcase_add_test(tc, a_worker_with_more_than_its_share_leaves_peers_to_others);
    tcase_add_test(tc, a_peer_is_not_left_to_workers_that_never_come);
    tcase_add_test(tc, both_doors_are_open_and_speak_their_language);
    tcase_add_test(tc, connections_in_all_are_capped_over_all_workers);
    tcase_add_test(tc, connections_of_one_user_are_capped_over_all_workers);
    tcase_add_test(tc, whoever_may_come_in_does_so_past_those_who_are_turned_away);
    tcase_add_loop_test(tc, a_worker_that_is_asked_says_that_it_is_there, 0, 2);
    tcase_add_test(tc, a_leaving_worker_ends_idle_peers_and_answers_the_others);
    tcase_add_test(tc, time_limits_of_a_reload_count_for_open_connections);
}

int main(void)
{
    return unit_run("doors_accept", fill);
}
