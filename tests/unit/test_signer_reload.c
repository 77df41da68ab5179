/* SPDX-License-Identifier: Apache-2.0 */
/* The running signer: configuration in two steps, keys from files, start and end. */
#include "signer_world.h"
#include "signkey.h"
#include "unit.h"

/* --- configuration --- */

static bool prepare(char *errors, size_t errors_len, uint8_t digest[16])
{
    struct frame_in f;
    struct msg_config m;
    send_empty(ring, MSG_CONFIG_PREPARE, 33);
    ck_assert(receive(ring, &f, ANSWER_MS));
    ck_assert_uint_eq(f.id, 33);
    ck_assert(msg_config_get(&f, &m));
    snprintf(errors, errors_len, "%.*s", (int)m.errors.n, m.errors.p ? m.errors.p : "");
    memcpy(digest, m.digest, 16);
    return m.ok;
}

#define MORE_RULES "[Client late]\nUser=0\nAllow=mint\n"

START_TEST(a_reload_counts_from_its_commit)
{
    char errors[1024];
    uint8_t digest[16];
    CLEANUP(conf_errors_done) struct conf_errors own_errors = {.text = BUF_INIT(65536)};
    CLEANUP(settings_freep) struct settings *own = NULL;
    CLEANUP(keyring_done) struct keyring r = {0};
    start();
    receive_ring(&r);
    ck_assert(settings_load(temp_dir_at(&dir, "conf"), &own_errors, &own));
    ck_assert_mem_eq(ring_digest, own->digest, 16); /* by what it works, for comparison */
    settings_freep(&own);
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_RULE_CHANGED);
    write_conf(IDENTITY PARTNER RULES PROCESSES MORE_RULES);
    ck_assert_msg(prepare(errors, sizeof(errors), digest), "%s", errors);
    ck_assert(settings_load(temp_dir_at(&dir, "conf"), &own_errors, &own));
    ck_assert_mem_eq(digest, own->digest, 16); /* the same as another program reads */
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_RULE_CHANGED);
    send_empty(ring, MSG_CONFIG_COMMIT, 0);
    keyring_done(&r);
    receive_ring(&r); /* says that it is done */
    ck_assert_mem_eq(ring_digest, digest, 16);
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_OK);
    ck_assert(is_signed_by(token, keyring_current(&r)->cert));
}
END_TEST

START_TEST(an_aborted_reload_changes_nothing)
{
    char errors[1024];
    uint8_t digest[16];
    struct frame_in f;
    start();
    ck_assert(receive(ring, &f, ANSWER_MS));
    write_conf(IDENTITY PARTNER RULES PROCESSES MORE_RULES);
    ck_assert(prepare(errors, sizeof(errors), digest));
    send_empty(ring, MSG_CONFIG_ABORT, 0);
    send_empty(ring, MSG_CONFIG_COMMIT, 0); /* of nothing */
    ck_assert(!receive(ring, &f, 200));
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_RULE_CHANGED);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
}
END_TEST

/* Whoever prepared is the only one to commit; with its link goes what it had prepared. */
START_TEST(what_was_prepared_goes_with_its_link)
{
    char errors[1024];
    uint8_t digest[16];
    struct frame_in f;
    start();
    ck_assert(receive(ring, &f, ANSWER_MS));
    write_conf(IDENTITY PARTNER RULES PROCESSES MORE_RULES);
    ck_assert(prepare(errors, sizeof(errors), digest));
    int second = connect_to("ring.link");
    ck_assert(receive(second, &f, ANSWER_MS));
    send_empty(second, MSG_CONFIG_ABORT, 0); /* not its own */
    send_empty(second, MSG_CONFIG_COMMIT, 0);
    ck_assert(!receive(second, &f, 200));
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_RULE_CHANGED);
    closep(&ring);
    usleep(100000);
    ring = second;
    send_empty(ring, MSG_CONFIG_COMMIT, 0);
    ck_assert(!receive(ring, &f, 200));
    ck_assert_int_eq(ask_simple("late", "sps"), REASON_RULE_CHANGED);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
}
END_TEST

START_TEST(a_refused_reload_names_file_and_line)
{
    static const struct {
        const char *conf, *says;
    } rows[] = {
        {IDENTITY "[Client x]\nAllow=mint\nUser=0\nColour=blue\n", "s2sd.conf:10:"},
        {"[Identity]\nApplicationId=00000009-0000-0ff1-ce00-000000000000\n"
         "Realm=contoso.example\nHosts=lync.contoso.example\n" PROCESSES,
            "restart"},
        {IDENTITY PARTNER RULES "[Processes]\nSigners=3\n", "restart"},
    };
    char errors[1024];
    uint8_t digest[16];
    struct frame_in f;
    start();
    ck_assert(receive(ring, &f, ANSWER_MS));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_conf(rows[i].conf);
        ck_assert(!prepare(errors, sizeof(errors), digest));
        ck_assert_msg(strstr(errors, rows[i].says), "row %zu: %s", i, errors);
        send_empty(ring, MSG_CONFIG_COMMIT, 0); /* must not count */
    }
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
}
END_TEST

START_TEST(a_broken_configuration_does_not_start)
{
    int status;
    write_conf("[Identity]\nColour=blue\n");
    signer = fork();
    if (signer == 0) {
        dup2(open(temp_dir_at(&dir, "log"), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
        run_signer(geteuid(), false);
    }
    ck_assert_int_eq(waitpid(TAKE_FD(signer), &status, 0) > 0, 1);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 78);
    ck_assert(log_says("s2sd.conf:2:"));
}
END_TEST

/* --- keys from files --- */

static void write_key(const char *name)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    CLEANUP(buf_done) struct buf pem = {.max = 65536, .secret = true};
    int64_t now = clock_wall_s();
    ck_assert_int_eq(signkey_generate(name, now - 60, now + 86400, &key), REASON_OK);
    ck_assert_int_eq(signkey_to_pem(key, &pem), REASON_OK);
    temp_dir_write(&dir, name, buf_span(&pem), 0400);
}

static void write_file_conf(const char *current, const char *next)
{
    char text[4096];
    snprintf(text, sizeof(text),
        IDENTITY PARTNER RULES PROCESSES
        "[SigningKey]\nSource=files\nPublishLead=0\nCurrent=%s\n%s%s\n",
        temp_dir_at(&dir, current), next ? "Next=" : "", next ? temp_dir_at(&dir, next) : "");
    write_conf(text);
}

static void write_signed_conf(const char *current)
{
    char text[4096];
    snprintf(text, sizeof(text),
        IDENTITY PARTNER RULES PROCESSES
        "[Metadata]\nSigned=yes\n[SigningKey]\nSource=files\nPublishLead=0\nCurrent=%s\n",
        temp_dir_at(&dir, current));
    write_conf(text);
}

static void reload(struct keyring *ret)
{
    char errors[1024];
    uint8_t digest[16];
    ck_assert_msg(prepare(errors, sizeof(errors), digest), "%s", errors);
    send_empty(ring, MSG_CONFIG_COMMIT, 0);
    keyring_done(ret);
    receive_ring(ret);
}

static void publish(uint64_t generation)
{
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_RING_PUBLISHED, 1);
    msg_number_put(&f, generation);
    send_frame(ring, &f);
}

START_TEST(a_roll_with_files_keeps_signing)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    char errors[1024], first[X5T_TEXT_LEN], second[X5T_TEXT_LEN];
    uint8_t digest[16];
    write_key("a.pem");
    write_key("b.pem");
    write_file_conf("a.pem", NULL);
    start();
    receive_ring(&r);
    x5t_text(keyring_current(&r)->cert->x5t, first);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);

    write_file_conf("a.pem", "b.pem"); /* announced */
    reload(&r);
    ck_assert_uint_eq(r.n, 2);
    ck_assert_str_eq(x5t_text(keyring_current(&r)->cert->x5t, second), first);
    publish(r.generation);
    keyring_done(&r);
    receive_ring(&r); /* with the stamp */
    ck_assert_int_gt(keyring_current(&r)->published_since, 0);

    write_file_conf("b.pem", NULL); /* swapped */
    reload(&r);
    ck_assert_uint_eq(r.n, 2);
    ck_assert_str_ne(x5t_text(keyring_current(&r)->cert->x5t, second), first);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ck_assert(is_signed_by(token, keyring_current(&r)->cert));

    chmod(temp_dir_at(&dir, "b.pem"), 0644); /* too open: refused, the old goes on */
    ck_assert(!prepare(errors, sizeof(errors), digest));
    ck_assert_msg(strstr(errors, "b.pem"), "%s", errors);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert(!log_says("never published"));
}
END_TEST

/* 78: starting it again cannot help. */
START_TEST(key_files_that_cannot_be_used_do_not_start)
{
    int status;
    write_key("a.pem");
    ck_assert_int_eq(chmod(temp_dir_at(&dir, "a.pem"), 0644), 0);
    write_file_conf("a.pem", NULL);
    signer = fork();
    if (signer == 0) {
        dup2(open(temp_dir_at(&dir, "log"), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
        run_signer(geteuid(), false);
    }
    ck_assert_int_eq(waitpid(TAKE_FD(signer), &status, 0) > 0, 1);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 78);
    ck_assert(log_says("a.pem"));
}
END_TEST

START_TEST(orders_under_way_survive_a_roll)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    struct msg_mint m = order_of("pbx", "exch");
    struct frame_in f;
    char errors[1024];
    uint8_t digest[16];
    write_key("a.pem");
    write_key("b.pem");
    write_file_conf("a.pem", NULL);
    start();
    receive_ring(&r);
    write_file_conf("b.pem", NULL);
    ck_assert_msg(prepare(errors, sizeof(errors), digest), "%s", errors);
    for (uint32_t i = 1; i <= 200; i++)
        send_order(mint, i, &m);
    send_empty(ring, MSG_CONFIG_COMMIT, 0);
    for (uint32_t i = 1; i <= 200; i++) {
        ck_assert_msg(receive(mint, &f, ANSWER_MS), "answer %u", i);
        ck_assert_uint_eq(f.type, MSG_MINTED);
    }
    usleep(200000);
    pid_t pids[16];
    ck_assert_uint_eq(children_of(signer, pids, 16), 2); /* the old ones have ended */
}
END_TEST

/* Nobody gets a token of the new key before the document that has it first is served, and nobody
 * waits for a broker that hangs. */
START_TEST(orders_wait_for_the_document_with_the_new_key)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    struct msg_mint m = order_of("pbx", "exch");
    struct msg_minted minted;
    struct frame_in f;
    write_key("a.pem");
    write_key("b.pem");
    write_file_conf("a.pem", NULL);
    start();
    receive_ring(&r);
    write_file_conf("b.pem", NULL);
    reload(&r);
    send_order(mint, 1, &m);
    ck_assert(!receive(mint, &f, 200));
    publish(r.generation - 1); /* not that one */
    ck_assert(!receive(mint, &f, 200));
    publish(r.generation);
    ck_assert(receive(mint, &f, 400)); /* well before it would go on by itself */
    ck_assert(f.type == MSG_MINTED && msg_minted_get(&f, &minted));
    ck_assert_mem_eq(minted.x5t, keyring_current(&r)->cert->x5t, X5T_LEN);
    keyring_done(&r);
    receive_ring(&r); /* with the stamp */
    write_file_conf("a.pem", NULL);
    reload(&r);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ck_assert(log_says("does not serve the document"));
}
END_TEST

/* The broker publishes a document with its signature ([Metadata] Signed=yes): that one cannot wait
 * for the publication. */
START_TEST(the_documents_signature_does_not_wait_for_the_document)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    const struct msg_sign sign = {.kind = SIGN_DOCUMENT};
    struct msg_mint m = order_of("pbx", "exch");
    struct msg_signed got;
    struct frame_out out;
    struct frame_in f;
    write_key("a.pem");
    write_key("b.pem");
    write_signed_conf("a.pem");
    start();
    receive_ring(&r);
    write_signed_conf("b.pem");
    reload(&r);
    send_order(mint, 1, &m); /* came first and waits */
    frame_start(&out, room, sizeof(room), MSG_SIGN, 7);
    msg_sign_put(&out, &sign);
    send_frame(ring, &out);
    ck_assert(receive(ring, &f, SIGNER_PUBLISH_MS / 2));
    ck_assert(f.type == MSG_SIGNED && msg_signed_get(&f, &got) && got.reason == REASON_OK);
    snprintf(token, sizeof(token), "%.*s", (int)got.token.n, got.token.p);
    ck_assert(is_signed_by(token, keyring_current(&r)->cert));
    ck_assert(!receive(mint, &f, 100));
    publish(r.generation);
    ck_assert(receive(mint, &f, SIGNER_PUBLISH_MS / 4));
    ck_assert_uint_eq(f.type, MSG_MINTED);
}
END_TEST

/* --- the end --- */

START_TEST(it_ends_with_the_broker_when_told_so)
{
    int status;
    struct frame_in f;
    start_as(geteuid(), true, -1);
    ck_assert(receive(ring, &f, ANSWER_MS));
    closep(&ring);
    ck_assert_int_eq(waitpid(TAKE_FD(signer), &status, 0) > 0, 1);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(it_outlives_the_broker_otherwise)
{
    struct frame_in f;
    start();
    ck_assert(receive(ring, &f, ANSWER_MS));
    closep(&ring);
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    ring = connect_to("ring.link");
    ck_assert(receive(ring, &f, ANSWER_MS)); /* a new broker is told the ring at once */
    ck_assert_uint_eq(f.type, MSG_RING);
}
END_TEST

/* SIGTERM: what was taken is finished, what comes later is refused, and it ends in order. */
START_TEST(a_stop_finishes_what_was_taken)
{
    struct msg_mint m = order_of("pbx", "exch");
    struct frame_in f;
    unsigned answers = 0;
    start();
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    for (uint32_t i = 1; i <= 100; i++)
        send_order(mint, i, &m);
    ck_assert(receive(mint, &f, ANSWER_MS)); /* they are being taken */
    kill(signer, SIGTERM);
    while (receive(mint, &f, ANSWER_MS))
        answers++;
    ck_assert_uint_ge(answers, 1);
    ck_assert_int_eq(end_with(0), 0); /* one signal is enough */
}
END_TEST

/* Orders of a minter that is dead keep nobody. */
START_TEST(a_stop_does_not_wait_for_those_who_have_gone)
{
    struct msg_mint m = order_of("pbx", "exch");
    pid_t pids[16];
    start();
    ck_assert_int_eq(ask_simple("pbx", "exch"), REASON_OK);
    unsigned n = children_of(signer, pids, 16);
    for (unsigned i = 0; i < n; i++)
        kill(pids[i], SIGSTOP); /* so that they stay in flight */
    for (uint32_t i = 1; i <= 4; i++)
        send_order(mint, i, &m);
    usleep(100000);
    closep(&mint);
    usleep(100000);
    int64_t before = clock_mono_ms();
    ck_assert_int_eq(end_with(SIGTERM), 0);
    ck_assert_int_lt(clock_mono_ms() - before, 1500);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, world_setup, world_teardown);
    tcase_add_test(tc, a_reload_counts_from_its_commit);
    tcase_add_test(tc, an_aborted_reload_changes_nothing);
    tcase_add_test(tc, what_was_prepared_goes_with_its_link);
    tcase_add_test(tc, key_files_that_cannot_be_used_do_not_start);
    tcase_add_test(tc, a_stop_does_not_wait_for_those_who_have_gone);
    tcase_add_test(tc, a_refused_reload_names_file_and_line);
    tcase_add_test(tc, a_broken_configuration_does_not_start);
    tcase_add_test(tc, a_roll_with_files_keeps_signing);
    tcase_add_test(tc, orders_under_way_survive_a_roll);
    tcase_add_test(tc, orders_wait_for_the_document_with_the_new_key);
    tcase_add_test(tc, the_documents_signature_does_not_wait_for_the_document);
    tcase_add_test(tc, it_ends_with_the_broker_when_told_so);
    tcase_add_test(tc, it_outlives_the_broker_otherwise);
    tcase_add_test(tc, a_stop_finishes_what_was_taken);
}

int main(void)
{
    return unit_run("signer_reload", fill);
}
