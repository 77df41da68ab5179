/* SPDX-License-Identifier: Apache-2.0 */
/* The two steps of a reload (DESIGN 2): all programs agree or all keep the old one. Workers and
 * signer are played. */
#include "reload.h"

#include "settings_of.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>

#define WORKERS 3
#define CONF                                                                                       \
    "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\nRealm=contoso.example\n"      \
    "Hosts=lync.contoso.example\n"

static struct temp_dir dir;
static struct event_base *base;
static struct reload *reload;

/* The other programs: what each was told last, and whether it runs. */
static enum msg_type told_signer, told_worker[WORKERS];
static uint32_t asked_as; /* id of the last frame */
static bool signer_away, worker_away[WORKERS], held;
static int signer_fault; /* instead of -ENOTCONN */

size_t workers_count(const struct workers *w)
{
    (void)w;
    return WORKERS;
}

const char *workers_kind_name(enum workers_kind k)
{
    return k == WORKERS_VALIDATOR ? "validator" : "minter";
}

struct worker_view workers_at(const struct workers *w, size_t slot)
{
    (void)w;
    return (struct worker_view){.kind = slot + 1 < WORKERS ? WORKERS_VALIDATOR : WORKERS_MINTER};
}

int workers_config(struct workers *w, size_t slot, enum msg_type type, uint32_t id)
{
    (void)w;
    asked_as = id;
    if (worker_away[slot])
        return -ENOTCONN;
    told_worker[slot] = type;
    return 0;
}

void workers_hold(struct workers *w, bool hold)
{
    (void)w;
    held = hold;
}

int signer_link_config(struct signer_link *sl, enum msg_type type, uint32_t id)
{
    (void)sl;
    asked_as = id;
    if (signer_away)
        return signer_fault ? signer_fault : -ENOTCONN;
    told_signer = type;
    return 0;
}

/* The broker. */
static unsigned commits, aborts, prepares;
static bool broker_refuses, busy;
static struct settings *in_force;

static bool on_prepare(const struct settings *next, struct conf_errors *errors, void *arg)
{
    (void)next;
    (void)arg;
    prepares++;
    if (broker_refuses)
        conf_error(errors, (struct conf_where){0}, "/etc/s2sd/tls/privkey.pem: no such file");
    return !broker_refuses;
}

static void on_commit(struct settings *next, void *arg)
{
    (void)arg;
    commits++;
    settings_free(in_force);
    in_force = next;
}

static void on_abort(void *arg)
{
    (void)arg;
    aborts++;
}

static void on_busy(bool now, void *arg)
{
    (void)arg;
    busy = now;
}

/* Who asked. */
static unsigned ends;
static char errors[4096];

static void on_done(struct span text, void *arg)
{
    (void)arg;
    ends++;
    snprintf(errors, sizeof(errors), "%.*s", (int)text.n, text.n ? text.p : "");
}

static void ask(void *who)
{
    ck_assert(reload_start(reload, on_done, who));
}

static void run(void)
{
    for (int i = 0; i < 5; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

static void set_up(void)
{
    static const struct reload_ops ops = {
        .prepare = on_prepare, .commit = on_commit, .abort = on_abort, .on_busy = on_busy};
    temp_dir_make(&dir);
    temp_dir_write(&dir, "s2sd.conf", SPAN(CONF), 0644);
    base = event_base_new();
    reload = reload_new(base, dir.path, NULL, NULL, &ops, NULL);
    ck_assert_ptr_nonnull(reload);
}

static void tear_down(void)
{
    reload_free(reload);
    settings_freep(&in_force);
    event_base_free(base);
    temp_dir_remove(&dir);
}

/* What a program reads when it reads the same files. */
static struct msg_config same_reading(void)
{
    CLEANUP(conf_errors_done) struct conf_errors e = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    struct msg_config m = {.ok = true};
    ck_assert(settings_load(dir.path, &e, &s));
    memcpy(m.digest, s->digest, sizeof(m.digest));
    return m;
}

/* All answer well but `signer` and the last worker, who say what is given. */
static void answer(const struct msg_config *signer, const struct msg_config *minter)
{
    struct msg_config m = same_reading();
    for (size_t i = 0; i + 1 < WORKERS; i++)
        reload_on_worker(reload, i, asked_as, &m);
    reload_on_worker(reload, WORKERS - 1, asked_as, minter ? minter : &m);
    reload_on_signer(reload, asked_as, signer ? signer : &m);
}

static void check_all_told(enum msg_type type)
{
    ck_assert_int_eq(told_signer, type);
    for (size_t i = 0; i < WORKERS; i++)
        ck_assert_int_eq(told_worker[i], type);
}

START_TEST(all_agree_and_the_new_one_is_in_force)
{
    ask(NULL);
    ck_assert_uint_eq(ends, 0); /* never before it returns */
    run();
    check_all_told(MSG_CONFIG_PREPARE);
    ck_assert(busy && held && reload_busy(reload));
    ck_assert_uint_eq(commits, 0);
    answer(NULL, NULL);
    check_all_told(MSG_CONFIG_COMMIT);
    ck_assert_uint_eq(commits, 1);
    ck_assert_uint_eq(ends, 0); /* the signer's ring is on its way */
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 1);
    ck_assert_str_eq(errors, "");
    ck_assert(!busy && !held && !reload_busy(reload));
}
END_TEST

START_TEST(mistakes_here_ask_nobody)
{
    temp_dir_write(&dir, "s2sd.conf", SPAN(CONF "Colour=blue\n[Nonsense]\n"), 0644);
    ask(NULL);
    run();
    ck_assert_uint_eq(ends, 1);
    ck_assert_ptr_nonnull(strstr(errors, "s2sd: "));
    ck_assert_ptr_nonnull(strstr(errors, "s2sd.conf:5: "));
    ck_assert_ptr_nonnull(strstr(errors, "s2sd.conf:6: "));
    ck_assert_int_eq(told_signer, 0);
    ck_assert_uint_eq(prepares, 0);
    ck_assert_uint_eq(commits, 0);
    ck_assert_uint_eq(aborts, 1);
    ck_assert(!busy && !held);
}
END_TEST

START_TEST(what_the_broker_cannot_use_is_refused)
{
    broker_refuses = true;
    ask(NULL);
    run();
    ck_assert_str_eq(errors, "s2sd: /etc/s2sd/tls/privkey.pem: no such file\n");
    ck_assert_int_eq(told_signer, 0);
    ck_assert_uint_eq(commits, 0);
}
END_TEST

START_TEST(one_refusal_keeps_all_on_the_old_one)
{
    struct msg_config no = {.errors = SPAN("current.pem: key and certificate differ\nsecond\n")};
    ask(NULL);
    run();
    answer(&no, NULL);
    check_all_told(MSG_CONFIG_ABORT);
    ck_assert_uint_eq(commits, 0);
    ck_assert_uint_eq(aborts, 1);
    ck_assert_str_eq(
        errors, "s2sd-signer: current.pem: key and certificate differ\ns2sd-signer: second\n");
    ck_assert(!busy);
}
END_TEST

START_TEST(other_files_under_our_hands_are_noticed)
{
    struct msg_config other = same_reading();
    other.digest[3] ^= 1;
    ask(NULL);
    run();
    answer(NULL, &other);
    check_all_told(MSG_CONFIG_ABORT);
    ck_assert_ptr_nonnull(strstr(errors, "minter: has read other files"));
    ck_assert_uint_eq(commits, 0);
}
END_TEST

START_TEST(who_is_away_is_not_waited_for)
{
    signer_away = worker_away[0] = true;
    ask(NULL);
    run();
    struct msg_config m = same_reading();
    reload_on_worker(reload, 1, asked_as, &m);
    ck_assert_uint_eq(ends, 0);
    reload_on_worker(reload, 2, asked_as, &m);
    ck_assert_uint_eq(ends, 1); /* no signer, no ring to wait for */
    ck_assert_uint_eq(commits, 1);
    ck_assert_int_eq(told_worker[0], 0);
    ck_assert_int_eq(told_worker[1], MSG_CONFIG_COMMIT);
}
END_TEST

START_TEST(who_dies_meanwhile_is_not_waited_for)
{
    struct msg_config m = same_reading();
    ask(NULL);
    run();
    reload_on_worker(reload, 0, asked_as, &m);
    reload_on_worker(reload, 1, asked_as, &m);
    reload_on_worker_dead(reload, 2);
    ck_assert_uint_eq(commits, 0);
    reload_on_signer_lost(reload);
    ck_assert_uint_eq(commits, 1);
    ck_assert_uint_eq(ends, 1);
    ck_assert_int_eq(told_signer, MSG_CONFIG_PREPARE);
    ck_assert_int_eq(told_worker[2], MSG_CONFIG_PREPARE);
}
END_TEST

START_TEST(a_signer_that_dies_after_the_commit_ends_the_wait)
{
    ask(NULL);
    run();
    answer(NULL, NULL);
    ck_assert_uint_eq(ends, 0);
    reload_on_signer_lost(reload);
    ck_assert_uint_eq(ends, 1);
    ck_assert_str_eq(errors, "");
}
END_TEST

START_TEST(late_and_strange_answers_count_for_nothing)
{
    struct msg_config m = same_reading(), no = {.errors = SPAN("x\n")};
    reload_on_signer(reload, asked_as, &no); /* nobody asked */
    reload_on_worker(reload, 0, asked_as, &no);
    reload_on_ring(reload);
    ask(NULL);
    run();
    reload_on_worker(reload, 0, asked_as, &m);
    reload_on_worker(reload, 0, asked_as, &no); /* has answered already */
    reload_on_worker(reload, 99, asked_as, &no);
    reload_on_worker(reload, 1, asked_as, &m);
    reload_on_worker(reload, 2, asked_as, &m);
    reload_on_signer(reload, asked_as, &m);
    ck_assert_uint_eq(commits, 1);
}
END_TEST

START_TEST(a_second_request_gets_a_reload_of_its_own)
{
    int first, second;
    ask(&first);
    run();
    ask(&second); /* the files may have changed since */
    ask(&second);
    answer(NULL, NULL);
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 1);
    run();
    ck_assert_uint_eq(prepares, 2);
    check_all_told(MSG_CONFIG_PREPARE);
    answer(NULL, NULL);
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 3);
    ck_assert_uint_eq(commits, 2);
    run();
    ck_assert(!reload_busy(reload));
}
END_TEST

/* A program that was too slow for the first reload answers when the second has asked. */
START_TEST(an_answer_to_an_earlier_question_is_none)
{
    struct msg_config m = same_reading();
    ask(NULL);
    run();
    uint32_t first = asked_as;
    ck_assert_uint_ne(first, 0);
    answer(&(struct msg_config){.ok = false}, NULL);
    ck_assert_uint_eq(aborts, 1);
    ask(NULL);
    run();
    ck_assert_uint_ne(asked_as, first);
    for (size_t i = 0; i < WORKERS; i++)
        reload_on_worker(reload, i, first, &m);
    reload_on_signer(reload, first, &m);
    ck_assert_uint_eq(commits, 0);
    answer(NULL, NULL);
    ck_assert_uint_eq(commits, 1);
}
END_TEST

static void ask_again(struct span text, void *who)
{
    on_done(text, who);
    ask(who);
}

/* Whoever hears of the end may ask again at once; that is a question of its own. */
START_TEST(asking_from_the_answer_makes_another_reload)
{
    int who;
    ck_assert(reload_start(reload, ask_again, &who));
    run();
    answer(NULL, NULL);
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 1);
    run();
    ck_assert_uint_eq(prepares, 2);
    answer(NULL, NULL);
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 2);
}
END_TEST

START_TEST(a_signer_that_cannot_be_asked_refuses_the_reload)
{
    struct msg_config m = same_reading();
    signer_away = true;
    signer_fault = -ENOBUFS;
    ask(NULL);
    run();
    for (size_t i = 0; i < WORKERS; i++)
        reload_on_worker(reload, i, asked_as, &m);
    ck_assert_uint_eq(commits, 0);
    ck_assert_ptr_nonnull(strstr(errors, "s2sd-signer: "));
    signer_fault = -EPIPE; /* has only just gone */
    ask(NULL);
    run();
    for (size_t i = 0; i < WORKERS; i++)
        reload_on_worker(reload, i, asked_as, &m);
    ck_assert_uint_eq(commits, 1);
}
END_TEST

START_TEST(who_has_gone_is_not_told)
{
    int first, second;
    ask(&first);
    ask(&second);
    run();
    reload_cancel(reload, &first);
    answer(NULL, NULL);
    reload_on_ring(reload);
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(commits, 1);
}
END_TEST

START_TEST(silence_refuses_the_reload)
{
    ask(NULL);
    run();
    struct msg_config m = same_reading();
    reload_on_worker(reload, 0, asked_as, &m);
    for (int i = 0; i < 150 && ends == 0; i++) {
        usleep(100000);
        run();
    }
    ck_assert_uint_eq(ends, 1);
    ck_assert_str_eq(errors, "s2sd-signer: no answer in time\nvalidator: no answer in time\n"
                             "minter: no answer in time\n");
    check_all_told(MSG_CONFIG_ABORT);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, all_agree_and_the_new_one_is_in_force);
    tcase_add_test(tc, mistakes_here_ask_nobody);
    tcase_add_test(tc, what_the_broker_cannot_use_is_refused);
    tcase_add_test(tc, one_refusal_keeps_all_on_the_old_one);
    tcase_add_test(tc, other_files_under_our_hands_are_noticed);
    tcase_add_test(tc, who_is_away_is_not_waited_for);
    tcase_add_test(tc, who_dies_meanwhile_is_not_waited_for);
    tcase_add_test(tc, a_signer_that_dies_after_the_commit_ends_the_wait);
    tcase_add_test(tc, late_and_strange_answers_count_for_nothing);
    tcase_add_test(tc, a_second_request_gets_a_reload_of_its_own);
    tcase_add_test(tc, an_answer_to_an_earlier_question_is_none);
    tcase_add_test(tc, asking_from_the_answer_makes_another_reload);
    tcase_add_test(tc, a_signer_that_cannot_be_asked_refuses_the_reload);
    tcase_add_test(tc, who_has_gone_is_not_told);
    tcase_add_test(tc, silence_refuses_the_reload);
}

int main(void)
{
    return unit_run("reload", fill);
}
