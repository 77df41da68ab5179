/* SPDX-License-Identifier: Apache-2.0 */
/* Worker processes: who gets what, replacement of the dead, hints, the pause of a reload. The
 * worker is this very program, started again by the real code; it reports every message it gets as
 * a MSG_CONFIG_READY. */
#include "workers.h"

#include "cleanup.h"
#include "clock.h"
#include "fds.h"
#include "link.h"
#include "settings_of.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#define CONF                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"
#define PARTNER(name, id)                                                                          \
    "[Partner " name "]\nMetadataURL=https://" name ".contoso.example/metadata/json/1\n"           \
    "ApplicationId=" id "-0000-0ff1-ce00-000000000000\nRealm=contoso.example\nTrust=full\n"
#define EXCH PARTNER("exch", "00000002")
#define SPS PARTNER("sps", "00000003")

/* The worker's side. */

enum { REPORT_START = 200 }; /* beside enum msg_type: which descriptors it was born with */

static void report(int fd, uint8_t type, bool has_fd, struct span text)
{
    uint8_t room[4096];
    struct frame_out f;
    struct msg_config m = {.ok = has_fd, .errors = text};
    m.digest[0] = type;
    frame_start(&f, room, sizeof(room), MSG_CONFIG_READY, 0);
    msg_config_put(&f, &m);
    if (send(fd, room, frame_finish(&f), MSG_NOSIGNAL) < 0)
        _exit(3);
}

/* Names the descriptors that came along. */
static void report_start(int fd)
{
    static const char *const names[] = {"counters", "config", "validate", "validate-varlink",
        "mint", "mint-varlink", "control", "https"};
    char text[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (fds_take(names[i]) >= 0)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", names[i]);
    report(fd, REPORT_START, false, span_of(text));
}

static void answer_ping(int fd, uint32_t id)
{
    uint8_t room[FRAME_HEAD];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_PONG, id);
    if (send(fd, room, frame_finish(&f), MSG_NOSIGNAL) < 0)
        _exit(3);
}

/* Tells what kind of message came, for which partner, and whether a descriptor was with it. */
static void report_frame(int fd, struct frame_in *f, bool has_fd)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = calloc(1, sizeof(*t));
    struct span name = {0};
    struct msg_health h = {0};
    struct msg_hint_done done;
    struct msg_suspended suspended;
    char text[512] = "";
    if (f->type == MSG_TRUST && partner_trust_get(f, t) == REASON_OK)
        snprintf(text, sizeof(text), "%s", t->name);
    else if (f->type == MSG_HINT_DONE && msg_hint_done_get(f, &done))
        snprintf(text, sizeof(text), "%.*s %s %u", (int)done.partner.n, done.partner.p,
            done.fetched ? "fetched" : "in vain", done.quiet_ms);
    else if (f->type == MSG_TRUST_GONE && msg_name_get(f, &name))
        snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
    else if (f->type == MSG_SUSPENDED && msg_suspended_get(f, &suspended))
        snprintf(text, sizeof(text), "%.*s %s", (int)suspended.partner.n, suspended.partner.p,
            suspended.suspended ? "suspended" : "free");
    else if (f->type == MSG_HEALTH && msg_health_get(f, &h))
        snprintf(text, sizeof(text), "%d%d", h.may_mint, h.may_validate);
    if (f->type == MSG_PING)
        answer_ping(fd, f->id);
    report(fd, (uint8_t)f->type, has_fd, span_of(text));
}

/* SIGUSR1 from the test: a token has named an unknown key of exch. */
static int hint_fd;
static void on_usr1(int signal)
{
    uint8_t room[256];
    struct frame_out f;
    struct msg_hint m = {.partner = SPAN("exch"), .key_id = {7}};
    (void)signal;
    frame_start(&f, room, sizeof(room), MSG_HINT, 1);
    msg_hint_put(&f, &m);
    (void)!send(hint_fd, room, frame_finish(&f), MSG_NOSIGNAL);
}

/* SIGUSR2: a minter has lost its link. */
static void on_usr2(int signal)
{
    uint8_t room[FRAME_HEAD];
    struct frame_out f;
    (void)signal;
    frame_start(&f, room, sizeof(room), MSG_SIGNER_LINK, 2);
    (void)!send(hint_fd, room, frame_finish(&f), MSG_NOSIGNAL);
}

static int worker_role(void)
{
    fds_open();
    int fd = fds_take("broker");
    if (getenv("S2SD_TEST_DIE"))
        return 5;
    hint_fd = fd;
    signal(SIGUSR1, on_usr1);
    signal(SIGUSR2, on_usr2);
    report_start(fd);
    for (;;) {
        static uint8_t room[FRAME_MAX];
        union {
            struct cmsghdr align;
            char room[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec iov = {room, sizeof(room)};
        struct msghdr mh = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = &control,
            .msg_controllen = sizeof(control.room)};
        ssize_t n = recvmsg(fd, &mh, MSG_WAITALL);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            usleep(1000);
            continue;
        }
        if (n <= 0)
            return 0;
        struct frame_in f;
        if (frame_open(&f, room, (size_t)n))
            report_frame(fd, &f, mh.msg_controllen > 0);
    }
}

/* The broker's side. */

static struct temp_dir dir;
static struct event_base *base;
static struct children *children;
static struct settings *settings;
static struct partners *partners;
static struct workers *workers;
static struct listeners doors;

struct said {
    size_t slot;
    uint8_t type;
    bool has_fd;
    char text[256];
};
static struct said said[512];
static size_t n_said;
static unsigned hints, deaths;
static enum hint_fate hint_verdict;

static enum hint_fate on_hint(struct partner_entry *e, const struct msg_hint *m, void *arg)
{
    (void)arg;
    ck_assert_str_eq(e->partner->name, "exch");
    ck_assert_uint_eq(m->key_id[0], 7);
    hints++;
    return hint_verdict;
}

static int64_t hint_pause_ms(const struct partner_entry *e, void *arg)
{
    (void)arg;
    ck_assert_str_eq(e->partner->name, "exch");
    return 12345;
}

static void on_config(size_t slot, uint32_t id, const struct msg_config *m, void *arg)
{
    (void)id;
    (void)arg;
    ck_assert_uint_lt(n_said, ARRAY_LEN(said));
    struct said *s = &said[n_said++];
    *s = (struct said){.slot = slot, .type = m->digest[0], .has_fd = m->ok};
    snprintf(s->text, sizeof(s->text), "%.*s", (int)m->errors.n, m->errors.n ? m->errors.p : "");
}

static void on_dead(size_t slot, void *arg)
{
    (void)slot;
    (void)arg;
    deaths++;
}

static uint32_t passed; /* the last fence */
static void on_fence(uint32_t fence, void *arg)
{
    (void)arg;
    passed = fence;
}

static int mint_link(void *arg)
{
    int pair[2];
    (void)arg;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    return pair[0];
}

static int some_listener(const char *name)
{
    int fd = link_listen(temp_dir_at(&dir, name), SOCK_STREAM, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void ignore_moved(struct partner_entry *e, void *arg)
{
    (void)e;
    (void)arg;
}

static void ignore_gone(struct partner_entry *e, void *arg)
{
    (void)e;
    (void)arg;
}

static void use(const char *conf)
{
    struct settings *old = settings;
    settings = settings_of(conf);
    ck_assert(partners_adopt(partners, settings, ignore_gone, NULL));
    ck_assert_int_eq(partners_settle(partners, NULL, NULL, ignore_moved, NULL), REASON_OK);
    settings_free(old);
}

static void set_up(void)
{
    static const struct workers_ops ops = {.on_hint = on_hint,
        .hint_pause_ms = hint_pause_ms,
        .on_config = on_config,
        .on_dead = on_dead,
        .on_fence = on_fence,
        .mint_link = mint_link};
    temp_dir_make(&dir);
    base = event_base_new();
    children = children_new(base);
    partners = partners_new(dir.path);
    workers = workers_new(base, children, partners, &ops, NULL);
    ck_assert(children && partners && workers);
    use(CONF EXCH SPS);
    doors = LISTENERS_NONE;
    doors.validate = some_listener("v");
    doors.validate_varlink = some_listener("vv");
    doors.mint = some_listener("m");
    unsetenv("S2SD_TEST_DIE");
}

static void tear_down(void)
{
    workers_stop(workers);
    for (int i = 0; i < 500 && children_count(children) > 0; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(10000);
    }
    ck_assert_uint_eq(
        children_count(children), 0); /* they ended with their links, and were reaped */
    workers_free(workers);
    partners_free(partners);
    children_free(children);
    event_base_free(base);
    settings_freep(&settings);
    listeners_close(&doors);
    temp_dir_remove(&dir);
}

static void start(unsigned validators, unsigned minters)
{
    struct workers_plan plan = {.config_dir = "/etc/s2sd",
        .settings = settings,
        .validators = validators,
        .minters = minters};
    ck_assert_int_eq(workers_start(workers, &plan, &doors), 0);
}

/* Index of the next report of that kind from `slot`, at or after `from`; waits for it up to `ms`;
 * n_said: none came. */
static size_t await_report(size_t slot, uint8_t type, size_t from, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    do {
        for (size_t i = from; i < n_said; i++)
            if (said[i].slot == slot && said[i].type == type)
                return i;
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(2000);
    } while (clock_mono_ms() < end);
    return n_said;
}

/* The same, where one must come. */
static size_t reported(size_t slot, uint8_t type, size_t from)
{
    size_t i = await_report(slot, type, from, 10000);
    ck_assert_msg(i < n_said, "worker %zu has not reported %u", slot, type);
    return i;
}

static unsigned count_reports(size_t slot, uint8_t type)
{
    unsigned n = 0;
    for (size_t i = 0; i < n_said; i++)
        n += said[i].slot == slot && said[i].type == type;
    return n;
}

START_TEST(validators_get_trust_and_minters_get_the_signer)
{
    workers_health(workers, (struct msg_health){.may_validate = true});
    start(2, 1);
    for (size_t v = 0; v < 2; v++) {
        ck_assert_str_eq(
            said[reported(v, REPORT_START, 0)].text, "counters config validate validate-varlink ");
        size_t synced = reported(v, MSG_TRUST_SYNCED, 0);
        ck_assert_uint_eq(count_reports(v, MSG_TRUST), 2);
        ck_assert_str_eq(said[reported(v, MSG_TRUST, 0)].text, "exch");
        ck_assert_uint_lt(reported(v, MSG_TRUST, 0), synced);
        ck_assert_str_eq(said[reported(v, MSG_HEALTH, 0)].text, "01");
        ck_assert_uint_eq(count_reports(v, MSG_SIGNER_LINK), 0);
    }
    ck_assert_str_eq(said[reported(2, REPORT_START, 0)].text, "counters config mint ");
    reported(2, MSG_TRUST_SYNCED, 0);
    ck_assert_uint_eq(count_reports(2, MSG_TRUST), 0);
    ck_assert(!said[reported(2, MSG_SIGNER_LINK, 0)].has_fd); /* it is away */
    size_t from = n_said;
    workers_signer(workers, true);
    ck_assert(said[reported(2, MSG_SIGNER_LINK, from)].has_fd);
    from = n_said;
    workers_signer(workers, false);
    ck_assert(!said[reported(2, MSG_SIGNER_LINK, from)].has_fd);
    ck_assert_uint_eq(count_reports(0, MSG_SIGNER_LINK), 0);
    ck_assert_uint_eq(count_reports(1, MSG_SIGNER_LINK), 0);
}
END_TEST

/* Everything that was asked so far is answered. */
static void await_answers(unsigned pings)
{
    for (size_t slot = 0; slot < 2; slot++)
        for (int i = 0; count_reports(slot, MSG_PING) < pings && i < 5000; i++) {
            event_base_loop(base, EVLOOP_NONBLOCK);
            usleep(2000);
        }
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* A fence is passed when all have answered: then everybody knows. */
static bool await_fence(uint32_t fence, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (passed < fence && clock_mono_ms() < end) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(2000);
    }
    return passed >= fence;
}

START_TEST(a_suspension_is_told_to_both_kinds_and_outlives_a_worker)
{
    struct partner_entry *e = partners_find(partners, SPAN("exch"));
    start(1, 1);
    reported(0, MSG_TRUST_SYNCED, 0);
    size_t synced = reported(1, MSG_TRUST_SYNCED, 0);
    ck_assert_str_eq(said[reported(1, MSG_SUSPENDED, 0)].text, "exch free");
    ck_assert_uint_lt(reported(1, MSG_SUSPENDED, 0), synced);
    size_t from = n_said;
    e->state.trust.suspended = true;
    ck_assert_int_eq(partners_settle(partners, e, NULL, ignore_moved, NULL), REASON_OK);
    workers_trust(workers, e, 7);
    workers_suspended(workers, e);
    uint32_t fence = workers_fence(workers);
    ck_assert_uint_gt(fence, 0);
    ck_assert(await_fence(fence, 10000));
    ck_assert_uint_lt(await_report(0, MSG_TRUST, from, 0), n_said);
    ck_assert_str_eq(said[await_report(1, MSG_SUSPENDED, from, 0)].text, "exch suspended");

    from = n_said;
    kill(workers_at(workers, 1).pid, SIGKILL);
    synced = reported(1, MSG_TRUST_SYNCED, from);
    ck_assert_str_eq(said[reported(1, MSG_SUSPENDED, from)].text, "exch suspended");
    ck_assert_uint_lt(reported(1, MSG_SUSPENDED, from), synced);

    from = n_said;
    workers_gone(workers, "exch"); /* whoever gets that name later is another */
    ck_assert_str_eq(said[reported(1, MSG_SUSPENDED, from)].text, "exch free");
}
END_TEST

START_TEST(a_fence_waits_for_the_slow_and_not_for_the_dead)
{
    start(2, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    reported(1, MSG_TRUST_SYNCED, 0);
    pid_t slow = workers_at(workers, 1).pid;
    ck_assert_int_eq(kill(slow, SIGSTOP), 0);
    uint32_t fence = workers_fence(workers);
    ck_assert(!await_fence(fence, 300));
    ck_assert_uint_eq(workers_fence(workers), fence + 1);
    ck_assert_int_eq(kill(slow, SIGCONT), 0);
    ck_assert(await_fence(fence + 1, 10000));
    ck_assert_int_eq(kill(slow, SIGSTOP), 0);
    fence = workers_fence(workers);
    ck_assert(!await_fence(fence, 300));
    ck_assert_int_eq(kill(slow, SIGKILL), 0);
    ck_assert(await_fence(fence, 10000));
}
END_TEST

START_TEST(where_nobody_is_there_is_no_fence)
{
    ck_assert_uint_eq(workers_fence(workers), 0);
}
END_TEST

START_TEST(a_worker_that_hangs_is_replaced_and_no_other)
{
    start(1, 1);
    reported(0, MSG_TRUST_SYNCED, 0);
    reported(1, MSG_TRUST_SYNCED, 0);
    pid_t hangs = workers_at(workers, 0).pid, lives = workers_at(workers, 1).pid;
    for (unsigned i = 1; i <= 5; i++) { /* whoever answers is asked for ever */
        workers_ping(workers);
        await_answers(i);
    }
    ck_assert_uint_eq(deaths, 0);
    size_t from = n_said;
    ck_assert_int_eq(kill(hangs, SIGSTOP), 0);
    for (unsigned i = 6; i <= 9; i++) {
        ck_assert_uint_eq(deaths, 0);
        workers_ping(workers);
        ck_assert_int_eq(await_report(1, MSG_PING, from, 10000) < n_said, true);
        from = n_said;
    }
    for (int i = 0; deaths == 0 && i < 5000; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(2000);
    }
    ck_assert_uint_eq(deaths, 1);
    ck_assert_int_ne(workers_at(workers, 0).pid, hangs);
    ck_assert_int_eq(workers_at(workers, 1).pid, lives);
    reported(0, MSG_TRUST_SYNCED, from);
}
END_TEST

START_TEST(a_kind_without_a_door_is_left_out)
{
    closep(&doors.mint);
    start(1, 1);
    ck_assert_uint_eq(workers_count(workers), 1);
    ck_assert_int_eq(workers_at(workers, 0).kind, WORKERS_VALIDATOR);
}
END_TEST

START_TEST(a_dead_worker_is_replaced_and_told_everything)
{
    start(1, 1);
    reported(0, MSG_TRUST_SYNCED, 0);
    pid_t before = workers_at(workers, 0).pid;
    size_t from = n_said;
    ck_assert_int_eq(kill(before, SIGKILL), 0);
    reported(0, MSG_TRUST_SYNCED, from);
    ck_assert_uint_eq(deaths, 1);
    ck_assert_int_ne(workers_at(workers, 0).pid, before);
    ck_assert_uint_eq(count_reports(0, MSG_TRUST), 4);
    ck_assert_uint_eq(children_count(children), 2);
}
END_TEST

START_TEST(one_that_keeps_dying_is_braked)
{
    setenv("S2SD_TEST_DIE", "1", 1);
    start(1, 0);
    int64_t end = clock_mono_ms() + 1500;
    while (clock_mono_ms() < end) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(1000);
    }
    ck_assert_uint_ge(deaths, 3); /* it is tried again ... */
    ck_assert_uint_le(deaths, 9); /* ... but not in a circle */
    unsetenv("S2SD_TEST_DIE");
    reported(0, MSG_TRUST_SYNCED, 0);
}
END_TEST

START_TEST(a_hint_that_causes_a_fetch_is_answered_after_the_trust)
{
    start(2, 1);
    reported(0, MSG_TRUST_SYNCED, 0);
    reported(1, MSG_TRUST_SYNCED, 0);
    const struct partner_entry *e = partners_find(partners, SPAN("exch"));
    hint_verdict = HINT_FETCHES;
    size_t from = n_said;
    kill(workers_at(workers, 0).pid, SIGUSR1);
    ck_assert_uint_eq(await_report(0, MSG_HINT_DONE, from, 300), n_said);
    ck_assert_uint_eq(hints, 1);
    workers_trust(workers, e, 8);
    workers_ended(workers, e, true);
    size_t done = reported(0, MSG_HINT_DONE, from);
    ck_assert_str_eq(said[done].text, "exch fetched 12345");
    ck_assert_uint_lt(reported(0, MSG_TRUST, from), done);
    reported(1, MSG_TRUST, from); /* all learn the keys, only who asked is called back */
    ck_assert_uint_eq(await_report(1, MSG_HINT_DONE, from, 100), n_said);
    ck_assert_uint_eq(count_reports(2, MSG_TRUST), 0); /* a minter never parses a token */
    from = n_said;
    workers_ended(workers, e, true); /* another attempt: nobody waits */
    ck_assert_uint_eq(await_report(0, MSG_HINT_DONE, from, 100), n_said);
}
END_TEST

START_TEST(a_hint_that_causes_nothing_is_answered_at_once)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    hint_verdict = HINT_IN_VAIN;
    kill(workers_at(workers, 0).pid, SIGUSR1);
    ck_assert_str_eq(said[reported(0, MSG_HINT_DONE, 0)].text, "exch in vain 12345");
}
END_TEST

/* Its key may be in a document that was on the way before it asked, or not: nothing is proven. */
START_TEST(a_hint_that_joins_is_not_told_that_it_was_looked_for)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    const struct partner_entry *e = partners_find(partners, SPAN("exch"));
    static const enum hint_fate fates[] = {HINT_JOINS, HINT_FETCHES, HINT_FETCHES};
    static const bool goods[] = {true, false, true};
    for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
        hint_verdict = fates[i];
        size_t from = n_said;
        kill(workers_at(workers, 0).pid, SIGUSR1);
        ck_assert_uint_eq(await_report(0, MSG_HINT_DONE, from, 100), n_said);
        workers_ended(workers, e, goods[i]);
        ck_assert_str_eq(said[reported(0, MSG_HINT_DONE, from)].text,
            i == 2 ? "exch fetched 12345" : "exch in vain 12345");
    }
}
END_TEST

START_TEST(other_partners_are_told_whole)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    size_t from = n_said;
    workers_gone(workers, "exch");
    use(CONF SPS PARTNER("zzz", "00000009"));
    ck_assert(workers_resync(workers, settings, 5));
    reported(0, MSG_TRUST_SYNCED, from);
    ck_assert_str_eq(said[reported(0, MSG_TRUST_GONE, from)].text, "exch");
    size_t first = reported(0, MSG_TRUST, from);
    ck_assert_str_eq(said[first].text, "sps");
    ck_assert_str_eq(said[reported(0, MSG_TRUST, first + 1)].text, "zzz");
}
END_TEST

START_TEST(the_dead_wait_while_a_reload_is_under_way)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    workers_hold(workers, true);
    size_t from = n_said;
    kill(workers_at(workers, 0).pid, SIGKILL);
    ck_assert_uint_eq(await_report(0, REPORT_START, from, 400), n_said);
    ck_assert_uint_eq(deaths, 1);
    ck_assert_int_eq(workers_at(workers, 0).pid, 0);
    ck_assert_int_eq(workers_config(workers, 0, MSG_CONFIG_PREPARE, 1), -ENOTCONN);
    workers_hold(workers, false);
    reported(0, MSG_TRUST_SYNCED, from);
}
END_TEST

START_TEST(a_minter_that_lost_its_link_gets_another_and_a_validator_gets_none)
{
    start(1, 1);
    workers_signer(workers, true);
    reported(1, MSG_SIGNER_LINK, 0);
    reported(1, MSG_TRUST_SYNCED, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    size_t from = n_said;
    kill(workers_at(workers, 0).pid, SIGUSR2);
    kill(workers_at(workers, 1).pid, SIGUSR2);
    ck_assert(said[reported(1, MSG_SIGNER_LINK, from)].has_fd);
    ck_assert_uint_eq(await_report(0, MSG_SIGNER_LINK, from, 200), n_said);
}
END_TEST

/* It would go on with a configuration that nobody else has. */
START_TEST(who_cannot_be_told_of_a_commit_is_replaced)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    pid_t before = workers_at(workers, 0).pid;
    size_t from = n_said;
    int r = 0;
    kill(before, SIGSTOP);
    for (int i = 0; i < 1000000 && r == 0; i++)
        r = workers_config(workers, 0, MSG_CONFIG_COMMIT, 1);
    ck_assert_int_eq(r, -ENOBUFS);
    reported(0, MSG_TRUST_SYNCED, from);
    ck_assert_int_ne(workers_at(workers, 0).pid, before);
}
END_TEST

START_TEST(a_new_worker_starts_its_counters_of_connections_anew)
{
    start(1, 0);
    reported(0, MSG_TRUST_SYNCED, 0);
    struct counters *c = counters_at((void *)(uintptr_t)workers_at(workers, 0).counters, 0);
    atomic_store(&c->connections, 7);
    atomic_store(&c->validations, 9);
    atomic_store(&c->uids[3].uid_plus_one, 1001);
    atomic_store(&c->uids[3].connections, 7);
    size_t from = n_said;
    kill(workers_at(workers, 0).pid, SIGKILL);
    reported(0, MSG_TRUST_SYNCED, from);
    ck_assert_uint_eq(atomic_load(&c->connections), 0);
    ck_assert_uint_eq(atomic_load(&c->uids[3].connections), 0);
    ck_assert_uint_eq(atomic_load(&c->validations), 9);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, validators_get_trust_and_minters_get_the_signer);
    tcase_add_test(tc, a_suspension_is_told_to_both_kinds_and_outlives_a_worker);
    tcase_add_test(tc, a_fence_waits_for_the_slow_and_not_for_the_dead);
    tcase_add_test(tc, where_nobody_is_there_is_no_fence);
    tcase_add_test(tc, a_worker_that_hangs_is_replaced_and_no_other);
    tcase_add_test(tc, a_kind_without_a_door_is_left_out);
    tcase_add_test(tc, a_dead_worker_is_replaced_and_told_everything);
    tcase_add_test(tc, one_that_keeps_dying_is_braked);
    tcase_add_test(tc, a_hint_that_causes_a_fetch_is_answered_after_the_trust);
    tcase_add_test(tc, a_hint_that_causes_nothing_is_answered_at_once);
    tcase_add_test(tc, a_hint_that_joins_is_not_told_that_it_was_looked_for);
    tcase_add_test(tc, other_partners_are_told_whole);
    tcase_add_test(tc, the_dead_wait_while_a_reload_is_under_way);
    tcase_add_test(tc, a_minter_that_lost_its_link_gets_another_and_a_validator_gets_none);
    tcase_add_test(tc, who_cannot_be_told_of_a_commit_is_replaced);
    tcase_add_test(tc, a_new_worker_starts_its_counters_of_connections_anew);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--worker=", 9) == 0)
        return worker_role();
    return unit_run("workers", fill);
}
