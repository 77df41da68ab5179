/* SPDX-License-Identifier: Apache-2.0 */
/* s2sctl cert request, assign, export: what is asked, what is passed, what is said; and a password
 * that is typed. */
#include "ctl_fixture.h"
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#define THUMBPRINT "681F71C3614D1A9F2B7C3D4E5F60718293A4B5C6"
#define ASSIGN(more) "{\"method\":\"io.s2sd.keys.Assign\",\"parameters\":{\"file\":0" more "}}"
#define ASSIGNED                                                                                   \
    "{\"parameters\":{\"thumbprint\":\"" THUMBPRINT "\",\"notBefore\":1,\"notAfter\":2,\"lines\":" \
    "[\"It is published now.\"],\"changed\":true}}"
#define LOOKED_AT                                                                                  \
    "{\"parameters\":{\"thumbprint\":\"" THUMBPRINT "\",\"notBefore\":1,\"notAfter\":2,\"lines\":" \
    "[\"It would be published.\"],\"changed\":false}}"
#define SEAL "{\"method\":\"io.s2sd.keys.Export\",\"parameters\":{\"file\":0,\"password\":1}}"
#define SEALED                                                                                     \
    "{\"parameters\":{\"thumbprint\":\"" THUMBPRINT "\",\"certificate\":\"x\",\"sealed\":true}}"
#define LIST "{\"method\":\"io.s2sd.control.ListKeys\",\"parameters\":{}}"
#define KEYS                                                                                       \
    "{\"parameters\":{\"keys\":[{\"thumbprint\":\"AA" THUMBPRINT "\",\"state\":\"next\"},"         \
    "{\"thumbprint\":\"" THUMBPRINT "\",\"state\":\"current\",\"certificate\":"                    \
    "\"MIIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBBB\"}]}}"
#define PEM                                                                                        \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nBBBB\n"                     \
    "-----END CERTIFICATE-----\n"

/* '@' in a line is the test's folder, where these lie: certificate (0600), open (0644), sealed
 * (PKCS#12 by its first byte), locked (encrypted PEM), word (a password). */
static const struct talk talks[] = {
    {"cert request", "", "io.s2sd.keys",
        {{"{\"method\":\"io.s2sd.keys.Request\",\"parameters\":{}}",
            "{\"parameters\":{\"request\":\"-----BEGIN\\nAA\\n\",\"id\":\"7f\"}}"}},
        EXIT_YES, "-----BEGIN\nAA\n",
        "s2sctl: the key waits in the signer; bring its certificate with s2sctl cert assign "
        "FILE\n"},
    {"cert request --name a.b --json", "", "io.s2sd.keys",
        {{"{\"method\":\"io.s2sd.keys.Request\",\"parameters\":{\"name\":\"a.b\"}}",
            "{\"parameters\":{\"request\":\"x\",\"id\":\"7f\"}}"}},
        EXIT_YES, "{\"request\":\"x\",\"id\":\"7f\"}\n", ""},
    {"cert request", "", "io.s2sd.keys", {{NULL, "{\"parameters\":{\"request\":\"x\"}}"}},
        EXIT_UNREACHABLE, "",
        "s2sctl: the answer of s2sd is not of the documented form; are both of the same "
        "version?\n"},
    {"cert request", "", "io.s2sd.keys",
        {{NULL, ERROR("io.s2sd.keys.NotPermitted", "\"sentence\":\"Only root\"")}}, EXIT_FORBIDDEN,
        "", "s2sctl: Only root\n"},
    {"cert request", "", "io.s2sd.keys",
        {{NULL, ERROR("io.s2sd.keys.Refused", "\"reason\":\"over_quota\",\"sentence\":\"Words\","
                                              "\"advice\":\"more\",\"lines\":[\"one\",\"two\"]")}},
        EXIT_NO, "",
        "s2sctl: Words (over_quota)\n  one\n  two\nWait, or raise RateLimit= of the rule.\n"},
    {"cert assign @/certificate", "", "io.s2sd.keys", {{ASSIGN(""), ASSIGNED}}, EXIT_YES,
        "It is published now.\n\xe2\x9c\x93 Done.\nThumbprint " THUMBPRINT
        "\nTo go back before it signs: s2sctl cert roll --abort\n",
        ""},
    {"cert assign - --force --json", "a certificate", "io.s2sd.keys",
        {{ASSIGN(",\"force\":true"), ASSIGNED}}, EXIT_YES,
        "{\"thumbprint\":\"" THUMBPRINT "\",\"notBefore\":1,\"notAfter\":2,\"lines\":[\"It is "
        "published now.\"],\"changed\":true}\n",
        ""},
    {"cert assign @/certificate --effective 2027-04-02 --utc --dry-run", "", "io.s2sd.keys",
        {{ASSIGN(",\"effectiveAt\":1806624000,\"dryRun\":true"), LOOKED_AT}}, EXIT_YES,
        "It would be published.\n- Nothing was changed.\nThis was --dry-run.\n", ""},
    {"cert assign @/sealed --password-file @/word", "", "io.s2sd.keys",
        {{ASSIGN(",\"password\":1"), ASSIGNED}}, EXIT_YES,
        "It is published now.\n\xe2\x9c\x93 Done.\nThumbprint " THUMBPRINT
        "\nTo go back before it signs: s2sctl cert roll --abort\n",
        ""},
    {"cert assign @/certificate", "", "io.s2sd.keys",
        {{NULL, ERROR("io.s2sd.keys.FileFailed",
                    "\"parameter\":\"file\",\"sentence\":\"it is no regular file\"")}},
        EXIT_NO, "", "s2sctl: the signer cannot use the file: it is no regular file\n"},
    {"cert export", "", "io.s2sd.control", {{LIST, KEYS}}, EXIT_YES, PEM, ""},
    {"cert export 68:1f:71:c3:61:4d:1a:9f:2b:7c:3d:4e:5f:60:71:82:93:a4:b5:c6", "",
        "io.s2sd.control", {{LIST, KEYS}}, EXIT_YES, PEM, ""},
    {"cert export 00" THUMBPRINT, "", "io.s2sd.control", {{NULL, KEYS}}, EXIT_USAGE, "",
        "s2sctl: a thumbprint is 40 hexadecimal digits; s2sctl cert list shows them\n"},
    {"cert export 0000000000000000000000000000000000000000", "", "io.s2sd.control", {{LIST, KEYS}},
        EXIT_NO, "",
        "s2sctl: none of our keys is 0000000000000000000000000000000000000000; s2sctl cert list "
        "shows them\n"},
    {"cert export", "", "io.s2sd.control", {{LIST, "{\"parameters\":{\"keys\":[]}}"}}, EXIT_NO, "",
        "s2sctl: there is no key that signs\n"},
    {"cert export --sealed @/new --password-file @/word", "", "io.s2sd.keys", {{SEAL, SEALED}},
        EXIT_YES,
        "Sealed key " THUMBPRINT
        ". Whoever has the file and its password can sign as this server.\n",
        ""},
    {"cert export " THUMBPRINT " --sealed @/new --password-file @/word --json", "", "io.s2sd.keys",
        {{"{\"method\":\"io.s2sd.keys.Export\",\"parameters\":{\"thumbprint\":\"" THUMBPRINT
          "\",\"file\":0,\"password\":1}}",
            SEALED}},
        EXIT_YES, "{\"thumbprint\":\"" THUMBPRINT "\",\"certificate\":\"x\",\"sealed\":true}\n",
        ""},
};

/* '@' -> the folder */
static const char *placed(const char *line, char out[1024])
{
    size_t n = 0;
    for (; *line; line++)
        n += (size_t)snprintf(
            out + n, 1024 - n, "%.*s", *line == '@' ? 64 : 1, *line == '@' ? folder.path : line);
    return out;
}

static void setup_files(void)
{
    setup();
    temp_dir_write(&folder, "certificate", SPAN("a certificate"), 0600);
    temp_dir_write(&folder, "open", SPAN("a certificate"), 0644);
    temp_dir_write(&folder, "sealed", SPAN("\x30\x82"), 0600);
    temp_dir_write(&folder, "locked", SPAN("text\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), 0600);
    temp_dir_write(&folder, "word", SPAN("a password\r\nnot of it\n"), 0600);
}

/* Runs a line of '@' against whoever listens there. */
static enum exit_status run_placed(struct ctl *ctl, const char *line, const char *input)
{
    char text[1024], with_folder[512];
    snprintf(with_folder, sizeof(with_folder), "--runtime-dir=@ %s", line);
    return run(ctl, placed(with_folder, text), input);
}

START_TEST(commands_say_and_hear)
{
    char line[1024];
    struct talk t = talks[_i];
    t.line = placed(t.line, line);
    check_talk(&t);
}
END_TEST

/* Without a daemon: what is noticed before it is asked. */
static const struct {
    const char *line;
    enum exit_status status;
    const char *err;
} alone[] = {
    {"cert assign @/nowhere", EXIT_NO, "cannot read @/nowhere: No such file or directory\n"},
    {"cert assign @/certificate --effective yesterday", EXIT_USAGE,
        "--effective wants a date such as 2027-04-02, 2027-04-02T08:00, 2027-04-02T08:00:00Z or "
        "+30d\n"},
    {"cert assign @/certificate --effective 2020-01-01", EXIT_USAGE,
        "--effective is in the past; s2sctl cert roll --now lets the next key sign at once\n"},
    {"cert assign @/sealed --password-file @/nowhere", EXIT_NO,
        "cannot read the password from @/nowhere: No such file or directory\n"},
    {"cert export --sealed @/word --password-file @/word", EXIT_NO,
        "cannot make the file @/word: File exists\n"},
    {"cert export --password-file @/word", EXIT_USAGE, "--password-file stands beside --sealed\n"},
    {"cert assign", EXIT_USAGE, "usage: s2sctl cert assign FILE\n"},
    {"cert request --sealed x", EXIT_USAGE, "cert request takes no option --sealed\n"},
};

START_TEST(what_cannot_be_asked_is_not)
{
    struct ctl ctl;
    char err[1024], expected[1100];
    enum exit_status status = run_placed(&ctl, alone[_i].line, "");
    snprintf(expected, sizeof(expected), "s2sctl: %s", placed(alone[_i].err, err));
    ck_assert_str_eq(text_of(&ctl.err), expected);
    ck_assert_int_eq(status, alone[_i].status);
    ctl_done(&ctl);
}
END_TEST

/* An open key file is taken, and its owner told. */
START_TEST(an_open_key_file_is_told)
{
    struct ctl ctl;
    char expected[1024];
    const struct fake_exchange x = {.reply = ASSIGNED};
    struct fake_daemon d = fake_daemon_start(folder.path, "io.s2sd.keys", &x, 1);
    ck_assert_int_eq(run_placed(&ctl, "cert assign @/open", ""), EXIT_YES);
    fake_daemon_stop(&d);
    ck_assert_str_eq(text_of(&ctl.err),
        placed("s2sctl: others may read @/open; if it holds a private key: chmod 600, or remove it "
               "afterwards\n",
            expected));
    ctl_done(&ctl);
}
END_TEST

/* A file that could not be filled does not stay. */
START_TEST(a_sealed_file_that_failed_is_removed)
{
    struct ctl ctl;
    const struct fake_exchange x = {
        .reply = ERROR("io.s2sd.keys.Refused", "\"reason\":\"password_short\"")};
    struct fake_daemon d = fake_daemon_start(folder.path, "io.s2sd.keys", &x, 1);
    ck_assert_int_eq(
        run_placed(&ctl, "cert export --sealed @/new --password-file @/word", ""), EXIT_NO);
    fake_daemon_stop(&d);
    ck_assert(!temp_dir_has(&folder, "new"));
    ctl_done(&ctl);
}
END_TEST

/* A daemon that answers with what it read from the descriptors that came. */
static pid_t start_reader(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/io.s2sd.keys", folder.path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    pid_t pid = fork();
    if (pid > 0) {
        close(listener);
        return pid;
    }
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    char text[4096], read_1[64] = "", read_2[64] = "", reply[512];
    struct iovec iov = {text, sizeof(text)};
    struct msghdr mh = {.msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control.room)};
    int fd = accept(listener, NULL, NULL), fds[2];
    if (recvmsg(fd, &mh, 0) <= 0 || control.align.cmsg_type != SCM_RIGHTS ||
        control.align.cmsg_len != CMSG_LEN(sizeof(fds)))
        _exit(1);
    memcpy(fds, CMSG_DATA(&control.align), sizeof(fds));
    (void)!pread(fds[0], read_1, sizeof(read_1) - 1, 0);
    (void)!pread(fds[1], read_2, sizeof(read_2) - 1, 0);
    snprintf(reply, sizeof(reply),
        "{\"parameters\":{\"thumbprint\":\"x\",\"lines\":[\"%s\",\"%s\"],\"changed\":true}}",
        read_1, read_2);
    (void)!write(fd, reply, strlen(reply) + 1);
    _exit(0);
}

/* The file from its beginning although s2sctl has read it, and the password without its line end.
 */
START_TEST(file_and_password_arrive_as_descriptors)
{
    static const char *const from[] = {"@/certificate", "-"};
    for (size_t i = 0; i < ARRAY_LEN(from); i++) {
        struct ctl ctl;
        char args[128];
        int status;
        pid_t reader = start_reader();
        snprintf(args, sizeof(args), "cert assign %s --password-file @/word", from[i]);
        ck_assert_int_eq(run_placed(&ctl, args, "a certificate"), EXIT_YES);
        ck_assert_int_eq(waitpid(reader, &status, 0), reader);
        ck_assert_int_eq(status, 0);
        ck_assert_ptr_nonnull(strstr(text_of(&ctl.out), "a certificate\n"));
        ck_assert_ptr_nonnull(strstr(text_of(&ctl.out), "\na password\n"));
        ctl_done(&ctl);
        unlink(temp_dir_at(&folder, "io.s2sd.keys"));
    }
}
END_TEST

/* At a terminal of its own; returns the exit status of `ask`. What the terminal showed is in
 * `shown`. */
static int at_terminal(int (*ask)(void), const char *const *typed, char shown[4096])
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), status;
    size_t n = 0, turn = 0;
    ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        signal(SIGINT, SIG_DFL);                              /* Check has a handler of its own */
        _exit(open(ptsname(master), O_RDWR) < 0 ? 9 : ask()); /* the first one is our terminal */
    }
    for (;;) {
        ssize_t got = read(master, shown + n, 4095 - n);
        if (got <= 0)
            break; /* EIO: the child has gone */
        n += (size_t)got;
        shown[n] = '\0';
        /* The prompt comes when nothing is shown any more. */
        if (typed[turn] && n >= 2 && strcmp(shown + n - 2, ": ") == 0) {
            ck_assert_int_gt(write(master, typed[turn], strlen(typed[turn])), 0);
            turn++;
        }
    }
    close(master);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool echoes(void)
{
    struct termios t;
    CLEANUP(closep) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    return tcgetattr(tty, &t) == 0 && t.c_lflag & ECHO;
}

static int ask_for(bool twice)
{
    struct ctl ctl = {.err = BUF_INIT(4096)};
    struct buf b = {0};
    if (password_input(&ctl, "Password: ", twice, &b) != EXIT_YES)
        return echoes() && strstr(text_of(&ctl.err), "not the same") ? 2 : 3;
    return echoes() && span_eq_str(buf_span(&b), "hidden word") ? 0 : 4;
}

static int ask_once(void)
{
    return ask_for(false);
}

static int ask_twice(void)
{
    return ask_for(true);
}

START_TEST(a_typed_password_is_not_shown)
{
    static char shown[4096];
    ck_assert_int_eq(at_terminal(ask_once, (const char *const[]){"hidden word\n", NULL}, shown), 0);
    ck_assert_ptr_null(strstr(shown, "hidden"));
    ck_assert_int_eq(at_terminal(ask_twice,
                         (const char *const[]){"hidden word\n", "hidden word\n", NULL}, shown),
        0);
    ck_assert_ptr_null(strstr(shown, "hidden"));
    ck_assert_int_eq(at_terminal(ask_twice,
                         (const char *const[]){"hidden word\n", "hidden wort\n", NULL}, shown),
        2);
}
END_TEST

/* Ctrl-C ends us, with the terminal as it was. */
static int ask_beside(void)
{
    int status;
    signal(SIGINT, SIG_IGN); /* it goes to both */
    pid_t asking = fork();
    if (asking == 0) {
        signal(SIGINT, SIG_DFL);
        _exit(ask_once());
    }
    if (waitpid(asking, &status, 0) != asking)
        return 8;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGINT && echoes() ? 0 : 7;
}

START_TEST(an_interrupted_question_leaves_the_terminal_as_it_was)
{
    static char shown[4096];
    ck_assert_int_eq(at_terminal(ask_beside, (const char *const[]){"hid\x03", NULL}, shown), 0);
}
END_TEST

/* What needs a password says so where there is nobody to ask. */
START_TEST(without_a_terminal_a_password_must_be_named)
{
    static const char *const lines[] = {"cert assign @/sealed", "cert assign @/locked"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct ctl ctl;
            setsid();
            bool ok = run_placed(&ctl, lines[i], "") == EXIT_NO &&
                      strstr(text_of(&ctl.err), "--password-file=FILE names it");
            _exit(!ok);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup_files, teardown);
    tcase_add_loop_test(tc, commands_say_and_hear, 0, ARRAY_LEN(talks));
    tcase_add_loop_test(tc, what_cannot_be_asked_is_not, 0, ARRAY_LEN(alone));
    tcase_add_test(tc, an_open_key_file_is_told);
    tcase_add_test(tc, a_sealed_file_that_failed_is_removed);
    tcase_add_test(tc, file_and_password_arrive_as_descriptors);
    tcase_add_test(tc, without_a_terminal_a_password_must_be_named);
    tcase_add_test(tc, a_typed_password_is_not_shown);
    tcase_add_test(tc, an_interrupted_question_leaves_the_terminal_as_it_was);
}

int main(void)
{
    return unit_run("client_cert_files", fill);
}
