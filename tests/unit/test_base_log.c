/* SPDX-License-Identifier: Apache-2.0 */
/* Where a line goes and what is in it: journal datagrams, standard error, cutting, escaping, never
 * waiting. */
#include "log.h"

#include "buf.h"
#include "cleanup.h"
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

static int journal = -1;

static void journal_make(void)
{
    scratch_make();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", scratch_path("socket"));
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(journal, (const struct sockaddr *)&a, sizeof a), 0);
    log_role(NULL);
    log_set_level(LOG_L_INFO);
    log_open_at("s2sd", a.sun_path);
    ck_assert_int_ge(log_fd(), 0);
}

static void journal_remove(void)
{
    log_close();
    closep(&journal);
    scratch_remove();
}

/* The next datagram, NUL-terminated; "" when there is none. */
static size_t receive(char out[16384])
{
    ssize_t n = recv(journal, out, 16383, 0);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

START_TEST(the_journal_gets_fields)
{
    char got[16384];
    log_warning("disk %d %% full", 97);
    receive(got);
    ck_assert_str_eq(got, "MESSAGE=disk 97 % full\nPRIORITY=4\nSYSLOG_IDENTIFIER=s2sd\n");
    log_role("broker");
    struct log_field fields[] = {
        {"TRUST_PARTNER", "exch"}, {"TRUST_NONE", NULL}, {"TRUST_REASON", "expired"}};
    ck_assert_int_eq(
        log_record(LOG_L_NOTICE, "0123456789abcdef0123456789abcdef", fields, 3, "refused"), 0);
    receive(got);
    ck_assert_str_eq(got,
        "MESSAGE=refused\nPRIORITY=5\nSYSLOG_IDENTIFIER=s2sd\nTRUST_ROLE=broker\n"
        "MESSAGE_ID=0123456789abcdef0123456789abcdef\nTRUST_PARTNER=exch\nTRUST_REASON=expired\n");
}
END_TEST

/* A value with lines cannot become another field. */
START_TEST(values_with_lines_use_the_binary_form)
{
    char got[16384];
    struct log_field f = {"TRUST_TEXT", "a\nTRUST_FAKE=b"};
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, &f, 1, "m"), 0);
    size_t n = receive(got);
    static const char want[] = "MESSAGE=m\nPRIORITY=6\nSYSLOG_IDENTIFIER=s2sd\n"
                               "TRUST_TEXT\n\x0e\0\0\0\0\0\0\0a\nTRUST_FAKE=b\n";
    ck_assert_uint_eq(n, sizeof want - 1);
    ck_assert_mem_eq(got, want, n);
}
END_TEST

START_TEST(messages_are_one_line)
{
    char got[16384];
    log_info("a\nMESSAGE_ID=x\r\t\x1b[1m\x7f");
    receive(got);
    ck_assert_str_eq(got, "MESSAGE=a MESSAGE_ID=x   [1m \nPRIORITY=6\nSYSLOG_IDENTIFIER=s2sd\n");
}
END_TEST

START_TEST(long_messages_are_cut_between_characters)
{
    for (size_t lead = 1015; lead < 1025; lead++) {
        char text[2048], got[16384];
        memset(text, 'a', lead);
        snprintf(text + lead, sizeof text - lead, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac%0200d", 0);
        log_info("%s", text);
        receive(got);
        char *end = strchr(got, '\n');
        *end = '\0';
        const char *message = got + strlen("MESSAGE=");
        size_t n = strlen(message);
        ck_assert_uint_le(n, 1023);
        ck_assert_uint_ge(n, 1020);
        ck_assert_str_eq(message + n - 3, "...");
        ck_assert_int_eq(message[lead < n - 3 ? lead : 0], lead < n - 3 ? '\xe2' : 'a');
        ck_assert(message[n - 4] == 'a' || message[n - 4] == '\xac');
    }
}
END_TEST

START_TEST(the_level_drops_lines_but_no_audit)
{
    char got[16384];
    log_set_level(LOG_L_WARNING);
    ck_assert_int_eq(log_get_level(), LOG_L_WARNING);
    log_notice("no");
    log_debug("no");
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, NULL, 0, "no"), 0);
    ck_assert_uint_eq(receive(got), 0);
    log_warning("yes");
    ck_assert_uint_gt(receive(got), 0);
    ck_assert_int_eq(log_record(LOG_L_INFO, "0123456789abcdef0123456789abcdef", NULL, 0, "yes"), 0);
    ck_assert_uint_gt(receive(got), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_and_told)
{
    static char big[8000], bigger[9000], got[16384];
    memset(big, 'b', sizeof big - 1);
    memset(bigger, 'b', sizeof bigger - 1);
    struct log_field fields[] = {
        {"TRUST_A", "before"}, {"TRUST_BIG", bigger}, {"TRUST_Z", "after"}};
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, fields, 3, "m"), -EMSGSIZE);
    receive(got);
    ck_assert_ptr_null(strstr(got, "TRUST_BIG"));
    ck_assert_ptr_nonnull(strstr(got, "\nTRUST_A=before\nTRUST_Z=after\n"));
    fields[1].value = big;
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, fields, 3, "m"), 0);
    ck_assert_uint_gt(receive(got), 8000);
}
END_TEST

/* A journal that does not read, or is gone, costs an error code and no time. */
START_TEST(nobody_waits_for_the_journal)
{
    int e = 0;
    for (unsigned i = 0; i < 10000 && e == 0; i++)
        e = log_record(LOG_L_INFO, NULL, NULL, 0, "record %u", i);
    ck_assert_int_eq(e, -EAGAIN);
    closep(&journal);
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, NULL, 0, "m"), -ECONNREFUSED);
    ck_assert_int_eq(unlink(scratch_path("socket")), 0);
    errno = 77;
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, NULL, 0, "m"), -ENOENT);
    ck_assert_int_eq(errno, 77);
}
END_TEST

/* Standard error becomes a pipe; returns its reading end. */
static int stderr_pipe(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

static void check_line(int fd, const char *want)
{
    char got[8192];
    ssize_t n = read(fd, got, sizeof got - 1);
    got[n > 0 ? n : 0] = '\0';
    ck_assert_str_eq(got, want);
}

START_TEST(standard_error_without_a_manager)
{
    unsetenv("INVOCATION_ID");
    CLEANUP(closep) int fd = stderr_pipe();
    log_open_at("s2sd-signer", NULL);
    ck_assert_int_eq(log_fd(), -1);
    log_info("one");
    check_line(fd, "s2sd-signer: one\n");
    log_role("child");
    struct log_field f = {"TRUST_USER", "a\"b\n"};
    ck_assert_int_eq(log_record(LOG_L_ERR, NULL, &f, 1, "two"), 0);
    check_line(fd, "s2sd-signer[child]: two TRUST_USER=\"a\\x22b\\x0a\"\n");
}
END_TEST

START_TEST(standard_error_under_a_manager)
{
    setenv("INVOCATION_ID", "x", 1);
    CLEANUP(closep) int fd = stderr_pipe();
    log_open_at("s2sd", NULL);
    log_info("one");
    check_line(fd, "<6>one\n");
    log_role("broker");
    log_err("two");
    check_line(fd, "<3>broker: two\n");
}
END_TEST

/* As in the journal: what does not fit a line is left out and told, never cut in silence. */
START_TEST(standard_error_leaves_out_what_does_not_fit)
{
    static char big[4096], line[4200];
    unsetenv("INVOCATION_ID");
    CLEANUP(closep) int fd = stderr_pipe();
    log_open_at("s2sd", NULL);
    struct log_field fields[] = {{"TRUST_A", "before"}, {"TRUST_BIG", big}, {"TRUST_Z", "after"}};
    memset(big, 'x', 3000);
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, fields, 3, "m"), 0);
    snprintf(
        line, sizeof line, "s2sd: m TRUST_A=\"before\" TRUST_BIG=\"%s\" TRUST_Z=\"after\"\n", big);
    check_line(fd, line);
    memset(big, 'x', 4095);
    ck_assert_int_eq(log_record(LOG_L_INFO, NULL, fields, 3, "m"), -EMSGSIZE);
    check_line(fd, "s2sd: m TRUST_A=\"before\" TRUST_Z=\"after\"\n");
}
END_TEST

START_TEST(nobody_waits_for_standard_error)
{
    CLEANUP(closep) int fd = stderr_pipe();
    log_open_at("s2sd", NULL);
    int e = 0;
    for (unsigned i = 0; i < 100000 && e == 0; i++)
        e = log_record(LOG_L_INFO, NULL, NULL, 0, "line %u", i);
    ck_assert_int_eq(e, -EAGAIN);
    closep(&fd);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_lt(log_record(LOG_L_INFO, NULL, NULL, 0, "line"), 0);
}
END_TEST

/* JOURNAL_STREAM must name the very stream that standard error is now. */
START_TEST(the_journal_is_chosen_by_its_stream)
{
    CLEANUP(closep) int fd = stderr_pipe();
    ck_assert_int_ge(fd, 0);
    struct stat st;
    char stream[64];
    ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("s2sd");
    ck_assert_int_ge(log_fd(), 0);
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_open("s2sd");
    ck_assert_int_eq(log_fd(), -1);
    unsetenv("JOURNAL_STREAM");
    log_open("s2sd");
    ck_assert_int_eq(log_fd(), -1);
}
END_TEST

static const struct {
    struct span text;
    size_t room;
    const char *want;
} safe[] = {
    {SPAN(""), 10, ""},
    {SPAN("plain text;=<>"), 32, "plain text;=<>"},
    {SPAN("a\nb\r\x1b\0\x7f"), 32, "a\\x0ab\\x0d\\x1b\\x00\\x7f"},
    {SPAN("\"'\\"), 32, "\\x22\\x27\\x5c"},
    {SPAN("\xc3\xa9\xff"), 32, "\\xc3\\xa9\\xff"},
    {SPAN("123456789"), 10, "123456789"},
    {SPAN("1234567890"), 10, "123456..."},
    {SPAN("12345\n"), 10, "12345\\x0a"},
    {SPAN("123456\n"), 10, "123456..."},
    {SPAN("12\n456"), 9, "12..."},
    {SPAN("12\n456"), 10, "12\\x0a456"},
    {SPAN("abcd"), 4, "..."},
    {SPAN("abcd"), 3, ".."},
    {SPAN("abc"), 4, "abc"},
    {SPAN("a"), 1, ""},
};

START_TEST(foreign_text_is_made_harmless)
{
    char out[33];
    memset(out, 'X', sizeof out);
    ck_assert_str_eq(log_safe(safe[_i].text, out, safe[_i].room), safe[_i].want);
    ck_assert_int_eq(out[safe[_i].room], 'X');
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, journal_make, journal_remove);
    tcase_add_test(tc, the_journal_gets_fields);
    tcase_add_test(tc, values_with_lines_use_the_binary_form);
    tcase_add_test(tc, messages_are_one_line);
    tcase_add_test(tc, long_messages_are_cut_between_characters);
    tcase_add_test(tc, the_level_drops_lines_but_no_audit);
    tcase_add_test(tc, what_does_not_fit_is_left_out_and_told);
    tcase_add_test(tc, nobody_waits_for_the_journal);
    tcase_add_test(tc, standard_error_without_a_manager);
    tcase_add_test(tc, standard_error_under_a_manager);
    tcase_add_test(tc, standard_error_leaves_out_what_does_not_fit);
    tcase_add_test(tc, nobody_waits_for_standard_error);
    tcase_add_test(tc, the_journal_is_chosen_by_its_stream);
    tcase_add_loop_test(tc, foreign_text_is_made_harmless, 0, (int)ARRAY_LEN(safe));
}

int main(void)
{
    return unit_run("base_log", fill);
}
