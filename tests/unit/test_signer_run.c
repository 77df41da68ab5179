/* SPDX-License-Identifier: Apache-2.0 */
/* The running signer: what is signed, what is refused, what is recorded, and that children may die.
 */
#include "digest.h"
#include "signer_world.h"
#include "unit.h"

#include <dirent.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* An order of an administrator is answered when what it says is done has been told: the broker
 * knows the ring of the answer's generation before. */
START_TEST(the_ring_goes_before_the_answer)
{
    CLEANUP(keyring_done) struct keyring before = {0}, after = {0};
    const struct msg_roll m = {.op = ROLL_PREPARE, .who = SPAN("the test")};
    unsigned char digest[MSG_DIGEST];
    struct msg_rolled answer;
    struct frame_out out;
    struct frame_in f;
    start();
    receive_ring(&before);
    frame_start(&out, room, sizeof(room), MSG_ROLL, 77);
    msg_roll_put(&out, &m);
    send_frame(ring, &out);
    ck_assert(receive(ring, &f, ANSWER_MS));
    ck_assert_int_eq(f.type, MSG_RING);
    ck_assert(msg_ring_get(&f, digest, &after));
    ck_assert_ptr_nonnull(keyring_next(&after));
    ck_assert(receive(ring, &f, ANSWER_MS));
    ck_assert_int_eq(f.type, MSG_ROLLED);
    ck_assert(f.id == 77 && msg_rolled_get(&f, &answer));
    ck_assert_int_eq(answer.reason, REASON_OK);
    ck_assert_uint_eq(answer.generation, after.generation);
    ck_assert_uint_gt(after.generation, before.generation);
}
END_TEST

/* --- signing --- */

START_TEST(a_token_is_signed_by_the_published_key_and_recorded)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    start();
    receive_ring(&r);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ck_assert(is_signed_by(token, keyring_current(&r)->cert));
    char kid[X5T_TEXT_LEN], expected[128], hash[TOKEN_HASH_LEN];
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(log_says("TRUST_PARTNER=\"exch\""));
    ck_assert(log_says("TRUST_CLIENT=\"pbx\""));
    ck_assert(log_says("TRUST_HOST=\"exch.contoso.example\""));
    ck_assert(log_says("TRUST_PEER_UID=\"1001\" TRUST_PEER_PID=\"4711\""));
    ck_assert(log_says("TRUST_PEER_UNIT=\"pbx.service\""));
    ck_assert(log_says("TRUST_LIFETIME=\"3600\""));
    snprintf(expected, sizeof(expected), "TRUST_KID=\"%s\"",
        x5t_text(keyring_current(&r)->cert->x5t, kid));
    ck_assert(log_says(expected));
    ck_assert(log_says(digest_token_hash(span_of(token), hash)));
    ck_assert(!log_says("TRUST_USER"));
    ck_assert(!log_says(token)); /* the token itself never */
    token[60] = '\0';
    ck_assert(!log_says(token));
}
END_TEST

START_TEST(a_delegated_token_names_its_user_in_the_record)
{
    start();
    struct msg_mint m = order_of("pbx", "exch");
    m.request.user_kind = USER_SMTP;
    m.request.user = SPAN("ann@contoso.example");
    ck_assert_int_eq(ask(&m, token, sizeof(token)), REASON_OK);
    ck_assert_int_eq(token[strlen(token) - 1], '.'); /* unsigned outer token */
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(log_says("TRUST_USER=\"ann@contoso.example\""));
    ck_assert(log_says("TRUST_LIFETIME=\"600\""));
}
END_TEST

/* The signer's own reading of the rules decides, whatever the minter says. */
static const struct {
    const char *rule, *partner, *host, *user;
    int64_t lifetime_s;
    enum reason reason;
} refusals[] = {
    {"nobody", "exch", "", "", 0, REASON_RULE_CHANGED},
    {"", "exch", "", "", 0, REASON_RULE_CHANGED},
    {"reader", "exch", "", "", 0, REASON_NOT_PERMITTED},
    {"pbx", "sps", "", "", 0, REASON_NOT_PERMITTED},
    {"pbx", "nowhere", "", "", 0, REASON_NO_SUCH_PARTNER},
    {"pbx", "exch", "evil.example", "", 0, REASON_HOST_NOT_OF_PARTNER},
    {"pbx", "exch", "", "ann@other.example", 0, REASON_ACT_AS_REFUSED},
    {"slow", "exch", "", "ann@contoso.example", 0, REASON_ACT_AS_REFUSED},
    {"pbx", "exch", "", "not an address", 0, REASON_USER_FORM},
    {"pbx", "exch", "", "", -5, REASON_LIFETIME_REFUSED},
};

START_TEST(what_the_rules_do_not_cover_is_not_signed)
{
    start();
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct msg_mint m = order_of(refusals[i].rule, refusals[i].partner);
        m.request.host = span_of(refusals[i].host);
        m.request.user = span_of(refusals[i].user);
        m.request.user_kind = m.request.user.n ? USER_UPN : USER_NONE;
        m.request.lifetime_s = refusals[i].lifetime_s;
        enum reason r = ask(&m, token, sizeof(token));
        ck_assert_msg(r == refusals[i].reason, "row %zu: %s", i, reason_code(r));
    }
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(!log_says("TRUST_TOKEN_HASH"));
    ck_assert(log_says("refused to sign for partner"));
}
END_TEST

/* P07: a hostile minter. */
START_TEST(a_hostile_minter_gets_nothing)
{
    struct frame_in f;
    struct msg_refused refused;
    struct frame_out out;
    start();
    /* An order with a descriptor. */
    struct msg_mint m = order_of("pbx", "exch");
    frame_start(&out, room, sizeof(room), MSG_MINT, 5);
    msg_mint_put(&out, &m);
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {room, frame_finish(&out)};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &(int){0}, sizeof(int));
    ck_assert_int_gt(sendmsg(mint, &mh, 0), 0);
    ck_assert(receive(mint, &f, ANSWER_MS));
    ck_assert(f.id == 5 && msg_refused_get(&f, &refused));
    ck_assert_int_eq(refused.reason, REASON_INVALID_REQUEST);
    /* Bytes behind the order. */
    frame_start(&out, room, sizeof(room), MSG_MINT, 6);
    msg_mint_put(&out, &m);
    frame_put_u8(&out, 1);
    send_frame(mint, &out);
    ck_assert(receive(mint, &f, ANSWER_MS));
    ck_assert(f.id == 6 && msg_refused_get(&f, &refused));
    ck_assert_int_eq(refused.reason, REASON_INVALID_REQUEST);
    /* Messages that are none of a minter's, and no frames at all: silence. */
    send_empty(mint, MSG_CONFIG_PREPARE, 7);
    send_empty(mint, MSG_MINTED, 8);
    memset(room, 0xff, 100);
    send_bytes(mint, 100);
    memset(room, 0, sizeof(room));
    send_bytes(mint, 1);
    ck_assert(!receive(mint, &f, 200));
    /* And the next honest order is served. */
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
}
END_TEST

START_TEST(another_user_is_not_let_in)
{
    struct frame_in f;
    start_as(geteuid() + 1, false, -1);
    ck_assert(!receive(ring, &f, ANSWER_MS)); /* closed: no ring is told */
    char byte;
    ck_assert_int_le(recv(mint, &byte, 1, 0), 0);
}
END_TEST

START_TEST(the_rate_of_a_rule_is_kept)
{
    unsigned ok = 0, quota = 0;
    start();
    int64_t begin = clock_mono_ms();
    for (int i = 0; i < 20; i++) {
        enum reason r = ask_simple("slow", "exch");
        ok += r == REASON_OK;
        quota += r == REASON_QUOTA;
    }
    ck_assert_uint_eq(ok + quota, 20);
    ck_assert_uint_ge(ok, 2);
    ck_assert_uint_le(ok, 2 + (unsigned)((clock_mono_ms() - begin) * 2 / 1000 + 1));
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK); /* not another rule's matter */
}
END_TEST

/* --- many orders, dying children --- */

/* Sends orders 1..n without reading, then counts the answers: each id exactly once. */
static void flood(uint32_t n, unsigned *ret_ok, unsigned *ret_quota, void (*midway)(void))
{
    static uint8_t seen[4096];
    struct msg_mint m = order_of("pbx", "exch");
    struct frame_in f;
    memset(seen, 0, sizeof(seen));
    *ret_ok = *ret_quota = 0;
    for (uint32_t i = 1; i <= n; i++)
        send_order(mint, i, &m);
    for (uint32_t i = 0; i < n; i++) {
        struct msg_refused refused;
        if (midway && i == n / 4)
            midway();
        ck_assert_msg(receive(mint, &f, ANSWER_MS), "answer %u of %u is missing", i + 1, n);
        ck_assert(f.id >= 1 && f.id <= n && !seen[f.id]);
        seen[f.id] = 1;
        if (f.type == MSG_MINTED) {
            ++*ret_ok;
        } else {
            ck_assert(msg_refused_get(&f, &refused));
            ck_assert_msg(refused.reason == REASON_QUOTA, "%s", reason_code(refused.reason));
            ck_assert_uint_gt(refused.retry_after_s, 0);
            ++*ret_quota;
        }
    }
    ck_assert(!receive(mint, &f, 50)); /* none twice */
}

START_TEST(the_queue_of_a_link_has_an_end)
{
    unsigned ok, quota;
    start();
    flood(1000, &ok, &quota, NULL);
    ck_assert_uint_ge(ok, SIGNER_ORDERS_PER_LINK);
    ck_assert_uint_gt(quota, 0);
    flood(200, &ok, &quota, NULL); /* and recovers */
    ck_assert_uint_eq(ok, 200);
}
END_TEST

static void kill_a_child(void)
{
    pid_t pids[16];
    unsigned n = children_of(signer, pids, 16);
    ck_assert_uint_gt(n, 0);
    kill(pids[0], SIGKILL);
}

START_TEST(a_dying_child_loses_no_order)
{
    unsigned ok, quota;
    pid_t pids[16];
    start();
    for (int i = 0; i < 5; i++) {
        flood(200, &ok, &quota, kill_a_child);
        ck_assert_uint_eq(ok, 200);
    }
    usleep(300000);
    ck_assert_uint_eq(children_of(signer, pids, 16), 2); /* replaced, no zombie */
    ck_assert_int_eq(end_with(SIGTERM), 0);
}
END_TEST

static void stop_all_children(void)
{
    pid_t pids[16];
    unsigned n = children_of(signer, pids, 16);
    for (unsigned i = 0; i < n; i++)
        kill(pids[i], SIGSTOP);
}

#define PEER_WAITS_MS 3000 /* no request waits longer for an answer */

/* A child that hangs (here: stopped) is replaced after POOL_ORDER_MS, its orders are signed by
 * another, in time for whoever asked. */
START_TEST(a_stuck_child_is_replaced)
{
    struct frame_in f;
    struct msg_mint m = order_of("pbx", "exch");
    start();
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    stop_all_children();
    int64_t begin = clock_mono_ms();
    send_order(mint, 1, &m);
    ck_assert(receive(mint, &f, PEER_WAITS_MS));
    ck_assert_uint_eq(f.type, MSG_MINTED);
    ck_assert_int_ge(clock_mono_ms() - begin, POOL_ORDER_MS);
}
END_TEST

START_TEST(the_orders_of_a_minter_that_has_gone_are_dropped)
{
    struct msg_mint m = order_of("pbx", "exch");
    start();
    for (uint32_t i = 1; i <= 200; i++)
        send_order(mint, i, &m);
    closep(&mint);
    mint = connect_to("mint.link");
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ck_assert_int_eq(end_with(SIGTERM), 0);
}
END_TEST

/* --- walls --- */

static unsigned count_open_fds(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    CLEANUP(closedirp) DIR *d = opendir(path);
    if (!d)
        return 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    return n;
}

static bool status_says(pid_t pid, const char *line)
{
    char path[64], text[8192];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return strstr(text, line) != NULL;
}

/* A child that has just been forked raises its walls before it takes its first order. */
static unsigned await_open_fds(pid_t pid, unsigned want)
{
    int64_t until = clock_mono_ms() + ANSWER_MS;
    while (count_open_fds(pid) != want && clock_mono_ms() < until)
        usleep(2000);
    return count_open_fds(pid);
}

START_TEST(children_hold_their_socket_and_nothing_else)
{
    pid_t pids[16];
    start();
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    unsigned n = children_of(signer, pids, 16);
    ck_assert_uint_eq(n, 2);
    for (unsigned i = 0; i < n; i++) {
        if (geteuid() == 0)                                   /* not dumpable: only root may look */
            ck_assert_uint_eq(await_open_fds(pids[i], 2), 2); /* standard error and the socket */
        ck_assert(status_says(pids[i], "NoNewPrivs:\t1"));
        ck_assert(status_says(pids[i], "Umask:\t0077"));
    }
    /* Not dumpable: what belongs to such a process belongs to root in /proc, and nobody else may
     * look into it. */
    struct stat st;
    ck_assert_int_eq(stat("/proc/self/fd", &st), 0);
    end_with(SIGKILL);
    usleep(200000);
    for (unsigned i = 0; i < n; i++) /* they end with their parent */
        ck_assert(kill(pids[i], 0) < 0 || status_says(pids[i], "State:\tZ"));
}
END_TEST

START_TEST(no_core_and_no_tracer)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit core;
        bool ok = walls_raise() == 0 && getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
                  prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                  umask(0) == 077 && CRYPTO_secure_malloc_initialized();
        _exit(!ok);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* --- audit --- */

/* Standard error is a pipe that nobody reads any more: no record can be written. */
static void start_without_log(const char *conf)
{
    int ends[2];
    write_conf(conf);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    start_as(geteuid(), false, ends[1]);
    close(ends[1]);
}

START_TEST(no_record_no_token_when_audit_is_required)
{
    start_without_log(IDENTITY PARTNER RULES PROCESSES "[SigningKey]\nAudit=required\n");
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_AUDIT_FAILED);
}
END_TEST

START_TEST(a_lost_record_stops_nobody_by_default)
{
    start_without_log(IDENTITY PARTNER RULES PROCESSES);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, world_setup, world_teardown);
    tcase_add_test(tc, the_ring_goes_before_the_answer);
    tcase_add_test(tc, a_token_is_signed_by_the_published_key_and_recorded);
    tcase_add_test(tc, a_delegated_token_names_its_user_in_the_record);
    tcase_add_test(tc, what_the_rules_do_not_cover_is_not_signed);
    tcase_add_test(tc, a_hostile_minter_gets_nothing);
    tcase_add_test(tc, another_user_is_not_let_in);
    tcase_add_test(tc, the_rate_of_a_rule_is_kept);
    tcase_add_test(tc, the_queue_of_a_link_has_an_end);
    tcase_add_test(tc, a_dying_child_loses_no_order);
    tcase_add_test(tc, a_stuck_child_is_replaced);
    tcase_add_test(tc, the_orders_of_a_minter_that_has_gone_are_dropped);
    tcase_add_test(tc, children_hold_their_socket_and_nothing_else);
    tcase_add_test(tc, no_core_and_no_tracer);
    tcase_add_test(tc, no_record_no_token_when_audit_is_required);
    tcase_add_test(tc, a_lost_record_stops_nobody_by_default);
}

int main(void)
{
    return unit_run("signer_run", fill);
}
