/* SPDX-License-Identifier: Apache-2.0 */
/* The door that keys come in by: who may use it, what it answers, what it takes and gives. The
 * signer is a process of its own. */
#include "burst.h"
#include "keys_door.h"
#include "p12_maker.h"
#include "signer_world.h"
#include "signkey_file.h"
#include "unit.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/un.h>

#define PASSWORD "a password nobody sees"
#define CALL(method, parameters)                                                                   \
    "{\"method\":\"io.s2sd.keys." method "\",\"parameters\":{" parameters "}}"
#define DAY 86400

static int door = -1;
static char answer[KEYS_ANSWER_MAX + 1];
static int64_t now;

static int open_door(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", temp_dir_at(&dir, "io.s2sd.keys"));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static void setup(void)
{
    world_setup();
    now = clock_wall_s();
    start();
    door = open_door();
}

static void teardown(void)
{
    closep(&door);
    world_teardown();
}

/* Descriptors beside bytes. */
static void send_with(int fd, struct span bytes, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(char *)(uintptr_t)bytes.p, bytes.n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n > 0) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
            .cmsg_type = SCM_RIGHTS,
            .cmsg_len = CMSG_LEN(n * sizeof(int))};
        memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
    }
    ck_assert_int_eq(sendmsg(fd, &mh, MSG_NOSIGNAL), (ssize_t)bytes.n);
}

/* The next whole message; false: the other side has ended. */
static bool hear(int fd)
{
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n < sizeof(answer) && poll(&p, 1, ANSWER_MS) == 1) {
        ssize_t got = recv(fd, answer + n, 1, 0);
        if (got <= 0)
            return false;
        if (answer[n++] == '\0')
            return true;
    }
    ck_abort_msg("no answer");
}

static void call_with(const char *text, const int *fds, size_t n)
{
    send_with(door, span_bytes(text, strlen(text) + 1), fds, n);
    ck_assert_msg(hear(door), "closed after %s", text);
}

static void call(const char *text)
{
    call_with(text, NULL, 0);
}

static void answers(const char *what)
{
    ck_assert_msg(strstr(answer, what) != NULL, "no %s in %s", what, answer);
}

/* How many lines of the log hold that. */
static unsigned log_count(const char *what)
{
    char line[1024];
    unsigned n = 0;
    FILE *f = fopen(temp_dir_at(&dir, "log"), "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f))
        n += strstr(line, what) != NULL;
    fclose(f);
    return n;
}

static int memory(struct span content)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, content.p, content.n), (ssize_t)content.n);
    return fd;
}

/* A member of the answer that is a string, unescaped as far as line feeds. */
static void member(const char *name, struct buf *out)
{
    char head[64];
    snprintf(head, sizeof(head), "\"%s\":\"", name);
    const char *at = strstr(answer, head);
    ck_assert_msg(at != NULL, "no %s in %s", name, answer);
    for (at += strlen(head); *at != '"'; at++) {
        bool feed = at[0] == '\\' && at[1] == 'n';
        bool slash = at[0] == '\\' && at[1] == '/';
        buf_put_char(out, feed ? '\n' : at[slash]);
        at += feed || slash;
    }
}

/* --- the protocol --- */

START_TEST(the_service_describes_itself)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(KEYS_ANSWER_MAX), file = BUF_INIT(KEYS_ANSWER_MAX);
    call("{\"method\":\"org.varlink.service.GetInfo\"}");
    answers("\"interfaces\":[\"io.s2sd.keys\",\"org.varlink.service\"]");
    call("{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
         "{\"interface\":\"org.varlink.service\"}}");
    answers("method GetInfo()");
    call("{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
         "{\"interface\":\"io.s2sd.keys\"}}");
    FILE *f = fopen("docs/varlink/io.s2sd.keys.varlink", "re");
    if (f) { /* run from the top of the tree */
        char *at = buf_reserve(&file, 32768);
        file.n += fread(at, 1, 32768, f);
        fclose(f);
        member("description", &text);
        ck_assert(span_eq(buf_span(&text), buf_span(&file)));
    }
}
END_TEST

static const struct {
    const char *say, *hear;
} misfits[] = {
    {"{\"method\":\"io.s2sd.keys.Steal\"}", "org.varlink.service.MethodNotFound"},
    {"{\"method\":\"io.s2sd.control.Status\"}", "org.varlink.service.InterfaceNotFound"},
    {"{\"method\":\"Request\"}", "org.varlink.service.InterfaceNotFound"},
    {"{\"method\":\"\"}", "org.varlink.service.InterfaceNotFound"},
    {"{\"method\":\"io.s2sd.keys.Request\",\"upgrade\":true}",
        "org.varlink.service.MethodNotImplemented"},
    {CALL("Assign", ""), "\"parameter\":\"file\""},
    {CALL("Assign", "\"file\":\"0\""), "\"parameter\":\"file\""},
    {CALL("Assign", "\"file\":0"), "\"parameter\":\"file\""}, /* no descriptor came */
    {CALL("Assign", "\"file\":-7"), "\"parameter\":\"file\""},
    {CALL("Assign", "\"file\":9223372036854775807"), "\"parameter\":\"file\""},
    {CALL("Assign", "\"file\":0,\"key\":\"-----BEGIN\""), "\"parameter\":\"key\""},
    {CALL("Export", "\"file\":0"), "\"parameter\":\"file\""},
    {CALL("Export", "\"thumbprint\":\"00\""), "\"reason\":\"no_such_key\""},
    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
     "{\"interface\":\"io.s2sd.mint\"}}",
        "org.varlink.service.InterfaceNotFound"},
};

START_TEST(what_is_no_call_of_ours_is_answered)
{
    for (size_t i = 0; i < ARRAY_LEN(misfits); i++) {
        call(misfits[i].say);
        answers(misfits[i].hear);
    }
}
END_TEST

START_TEST(what_is_no_call_at_all_ends_the_connection)
{
    static char large[KEYS_MESSAGE_MAX + 2];
    memset(large, 'x', sizeof(large));
    const struct span said[] = {span_bytes("nonsense", 9), span_bytes("[]", 3), span_bytes("", 1),
        span_bytes("{\"method\":7}", 13), span_bytes(large, sizeof(large))};
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        CLEANUP(closep) int fd = open_door();
        send_with(fd, said[i], NULL, 0);
        while (hear(fd))
            answers("InvalidParameter");
    }
    call("{\"method\":\"org.varlink.service.GetInfo\"}"); /* others are not troubled */
}
END_TEST

START_TEST(messages_may_come_in_pieces_and_in_heaps)
{
    static const char one[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
    char heap[3 * sizeof(one)];
    for (size_t i = 0; i < sizeof(one); i++)
        send_with(door, (struct span){one + i, 1}, NULL, 0);
    ck_assert(hear(door));
    answers("interfaces");
    for (size_t i = 0; i < 3; i++)
        memcpy(heap + i * sizeof(one), one, sizeof(one));
    send_with(door, (struct span){heap, sizeof(heap)}, NULL, 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert(hear(door));
    send_with(door,
        SPAN("{\"method\":\"org.varlink.service.GetInfo\",\"oneway\":true}\0"
             "{\"method\":\"io.s2sd.keys.Steal\"}\0"),
        NULL, 0);
    ck_assert(hear(door));
    answers("MethodNotFound"); /* the first is not answered */
}
END_TEST

static unsigned count_fds(void)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)signer);
    CLEANUP(closedirp) DIR *d = opendir(path);
    while (d && readdir(d))
        n++;
    return n;
}

START_TEST(descriptors_are_few_and_do_not_stay)
{
    static const char two[] = "{\"method\":\"a.B\"}\0{\"method\":\"a.B\"}";
    CLEANUP(closep) int file = memory(SPAN("not a key"));
    const int fds[] = {file, file, file, file};
    call("{\"method\":\"org.varlink.service.GetInfo\"}");
    unsigned before = count_fds();
    for (int i = 0; i < 40; i++) {
        call_with(CALL("Assign", "\"file\":1"), fds, 2);
        answers("\"reason\":\"key_malformed\"");
        call_with("{\"method\":\"org.varlink.service.GetInfo\"}", fds, 2); /* nobody wants them */
    }
    call(CALL("Assign", "\"file\":0")); /* and they are not kept for the next */
    answers("InvalidParameter");
    ck_assert_uint_eq(count_fds(), before);
    const struct {
        struct span say;
        size_t n;
    } tricks[] = {
        {span_bytes("{\"method\":\"a.B\"}", 17), 3}, {span_bytes("{\"method\":\"a.B\"}", 17), 4},
        {span_bytes(two, sizeof(two)), 1}, /* whose is it? */
    };
    for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
        CLEANUP(closep) int fd = open_door();
        send_with(fd, tricks[i].say, fds, tricks[i].n);
        ck_assert(!hear(fd));
    }
    { /* one now, two later in the same message */
        CLEANUP(closep) int fd = open_door();
        send_with(fd, SPAN("{\"method\""), fds, 1);
        send_with(fd, span_bytes(":\"a.B\"}", 8), fds, 2);
        ck_assert(!hear(fd));
    }
    call("{\"method\":\"org.varlink.service.GetInfo\"}");
    ck_assert_uint_eq(count_fds(), before);
}
END_TEST

START_TEST(connections_are_few)
{
    int fds[KEYS_PEERS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fds) - 1; i++)
        fds[i] = open_door(); /* with ours: all there may be */
    call("{\"method\":\"org.varlink.service.GetInfo\"}");
    CLEANUP(closep) int one_more = open_door();
    ck_assert(!hear(one_more));
    for (size_t i = 0; i < ARRAY_LEN(fds) - 1; i++)
        closep(&fds[i]);
    call("{\"method\":\"org.varlink.service.GetInfo\"}");
}
END_TEST

/* As root another user is played; else we are the other user. */
START_TEST(nobody_but_root_and_us_comes_in)
{
    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chmod(dir.path, 0755), 0);
    ck_assert_int_eq(chmod(temp_dir_at(&dir, "io.s2sd.keys"), 0666), 0);
    pid_t other = fork();
    if (other == 0) {
        if (setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        int fd = open_door();
        (void)!send(fd, "{\"method\":\"org.varlink.service.GetInfo\"}", 41, MSG_NOSIGNAL);
        _exit(hear(fd) && strstr(answer, "io.s2sd.keys.NotPermitted") && !hear(fd) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(status, 0);
    ck_assert(log_says("uid 65534 process"));
}
END_TEST

/* Who is turned away cannot fill the journal. */
START_TEST(of_those_turned_away_few_lines_are_written)
{
    enum { KNOCKS = 20 * BURST_MAX };
    int fds[KEYS_PEERS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fds) - 1; i++)
        fds[i] = open_door(); /* with ours: all there may be */
    int64_t begun = clock_wall_s();
    for (int i = 0; i < KNOCKS; i++) {
        CLEANUP(closep) int one_more = open_door();
        ck_assert(!hear(one_more));
    }
    unsigned lines = log_count("may not bring or take keys");
    ck_assert_uint_ge(lines, 1);
    ck_assert_uint_le(lines, BURST_MAX * (unsigned)(clock_wall_s() - begun + 2));
    ck_assert_uint_lt(lines, KNOCKS);
    for (size_t i = 0; i < ARRAY_LEN(fds) - 1; i++)
        closep(&fds[i]);
}
END_TEST

/* --- requests --- */

static X509 *certify(const char *request, int64_t from, int64_t until)
{
    BIO *bio = BIO_new_mem_buf(request, -1);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(req);
    ck_assert_int_eq(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    EVP_PKEY *issuer = EVP_RSA_gen(2048);
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_set_version(x, X509_VERSION_3);
    X509_set_subject_name(x, X509_REQ_get_subject_name(req));
    X509_set_issuer_name(x, X509_REQ_get_subject_name(req));
    X509_set_pubkey(x, X509_REQ_get0_pubkey(req));
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), until);
    ck_assert_int_gt(X509_sign(x, issuer, EVP_sha256()), 0);
    EVP_PKEY_free(issuer);
    X509_REQ_free(req);
    BIO_free(bio);
    return x;
}

static void put_cert(struct buf *out, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
    long n = BIO_get_mem_data(bio, &text);
    buf_put(out, text, (size_t)n);
    BIO_free(bio);
}

/* The keys that wait in the state folder, and whether all of them are for their owner only. */
static unsigned waiting(void)
{
    CLEANUP(closedirp) DIR *d = opendir(temp_dir_at(&dir, "state/keys"));
    unsigned n = 0;
    struct stat st;
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        if (strncmp(e->d_name, "request-", 8) != 0)
            continue;
        ck_assert_int_eq(fstatat(dirfd(d), e->d_name, &st, 0), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0400);
        n++;
    }
    return n;
}

/* Waits for the ring in which a certificate is next. */
static void await_next(const uint8_t x5t[X5T_LEN])
{
    for (;;) {
        CLEANUP(keyring_done) struct keyring r = {0};
        receive_ring(&r);
        for (size_t i = 0; i < r.n; i++)
            if (r.slots[i].state == KEY_NEXT && memcmp(r.slots[i].cert->x5t, x5t, X5T_LEN) == 0)
                return;
    }
}

START_TEST(a_request_becomes_the_next_key_by_its_certificate)
{
    CLEANUP(buf_done) struct buf csr = BUF_INIT(65536), pem = BUF_INIT(65536);
    CLEANUP(cert_freep) struct cert *c = NULL;
    call(CALL("Request", "\"name\":\"signing.contoso.example\""));
    member("request", &csr);
    buf_put_char(&csr, '\0');
    ck_assert_ptr_null(strstr(answer, "PRIVATE"));
    ck_assert_uint_eq(waiting(), 1);
    X509 *x = certify(csr.p, now - DAY, now + 400 * DAY);
    put_cert(&pem, x);
    X509_free(x);
    CLEANUP(closep) int file = memory(buf_span(&pem));
    call_with(CALL("Assign", "\"file\":0,\"dryRun\":true"), &file, 1);
    answers("\"changed\":false");
    ck_assert_uint_eq(waiting(), 1);
    call_with(CALL("Assign", "\"file\":0"), &file, 1);
    answers("\"changed\":true");
    ck_assert_int_eq(cert_parse_pem(buf_span(&pem), &c), REASON_OK);
    await_next(c->x5t);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert(log_says("TRUST_KEY_USE=\"request\""));
    ck_assert(log_says("TRUST_KEY_USE=\"assign\""));
    char thumbprint[THUMBPRINT_TEXT_LEN];
    ck_assert(log_says(thumbprint_text(c->x5t, thumbprint)));
    ck_assert(!log_says("PRIVATE KEY"));
}
END_TEST

START_TEST(requests_that_wait_are_counted)
{
    for (int i = 0; i < 16; i++) {
        call(CALL("Request", ""));
        answers("BEGIN CERTIFICATE REQUEST");
    }
    call(CALL("Request", ""));
    answers("\"reason\":\"over_quota\"");
    answers("16 requests wait");
    ck_assert_uint_eq(waiting(), 16);
}
END_TEST

/* --- assign --- */

static struct signkey *make_key(int64_t from, int64_t until)
{
    struct signkey *key = NULL;
    ck_assert_int_eq(signkey_generate("brought", from, until, &key), REASON_OK);
    return key;
}

static int sealed_file(const struct signkey *key)
{
    CLEANUP(buf_done) struct buf der = BUF_INIT(65536);
    ck_assert_int_eq(signkey_to_pkcs12(key, SPAN(PASSWORD), &der), REASON_OK);
    return memory(buf_span(&der));
}

START_TEST(a_sealed_key_becomes_the_next_one)
{
    CLEANUP(signkey_freep) struct signkey *key = make_key(now - DAY, now + 400 * DAY);
    CLEANUP(closep) int file = sealed_file(key), password = memory(SPAN(PASSWORD "\n"));
    const int fds[] = {file, password};
    char expected[128], thumbprint[THUMBPRINT_TEXT_LEN];
    call_with(CALL("Assign", "\"file\":0,\"password\":1"), fds, 2);
    snprintf(expected, sizeof(expected), "\"thumbprint\":\"%s\"",
        thumbprint_text(signkey_cert(key)->x5t, thumbprint));
    answers(expected);
    answers("\"changed\":true");
    await_next(signkey_cert(key)->x5t);
    ck_assert(!log_says(PASSWORD));
}
END_TEST

START_TEST(what_cannot_be_used_is_refused_with_a_reason)
{
    CLEANUP(signkey_freep) struct signkey *key = make_key(now - DAY, now + 400 * DAY);
    CLEANUP(signkey_freep) struct signkey *old = make_key(now - 20 * DAY, now - DAY);
    CLEANUP(closep) int file = sealed_file(key), expired = sealed_file(old);
    CLEANUP(closep) int password = memory(SPAN(PASSWORD)), wrong = memory(SPAN("wrong\n"));
    CLEANUP(closep) int garbage = memory(SPAN("garbage")), empty = memory(SPAN(""));
    CLEANUP(closep) int folder = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int large = memory(SPAN(""));
    int pipes[2];
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    ck_assert_int_eq(ftruncate(large, 64 * 1024 * 1024), 0);
    const struct {
        int fds[2];
        const char *hear;
    } rows[] = {
        {{file, wrong}, "\"reason\":\"wrong_password\""},
        {{file, empty}, "\"reason\":\"wrong_password\""},
        {{expired, password}, "\"reason\":\"roll_refused\""},
        {{garbage, password}, "\"reason\":\"key_malformed\""},
        {{empty, password}, "\"reason\":\"key_malformed\""},
        {{large, password}, "it is larger than"},
        {{file, large}, "\"parameter\":\"password\",\"sentence\":\"it is larger than"},
        {{pipes[0], password}, "it is no regular file"}, /* nobody waits for a pipe */
        {{file, pipes[0]}, "it is no regular file"},
        {{folder, password}, "it is no regular file"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        call_with(CALL("Assign", "\"file\":0,\"password\":1"), rows[i].fds, 2);
        answers(rows[i].hear);
    }
    close(pipes[0]);
    close(pipes[1]);
    call(CALL("Export", "")); /* and the old key still signs */
    answers("BEGIN CERTIFICATE");
    ck_assert(log_says("TRUST_REASON=\"wrong_password\""));
    ck_assert(!log_says(PASSWORD));
}
END_TEST

/* --- export --- */

START_TEST(the_certificate_is_given_out_in_pem)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(buf_done) struct buf pem = BUF_INIT(65536);
    CLEANUP(cert_freep) struct cert *c = NULL;
    char text[200], thumbprint[THUMBPRINT_TEXT_LEN];
    receive_ring(&r);
    call(CALL("Export", ""));
    member("certificate", &pem);
    ck_assert_int_eq(cert_parse_pem(buf_span(&pem), &c), REASON_OK);
    ck_assert_mem_eq(c->x5t_s256, keyring_current(&r)->cert->x5t_s256, X5T_S256_LEN);
    answers("\"sealed\":false");
    snprintf(text, sizeof(text), CALL("Export", "\"thumbprint\":\"%s\""),
        thumbprint_text(c->x5t, thumbprint));
    call(text);
    answers(thumbprint);
}
END_TEST

START_TEST(a_sealed_export_opens_with_its_password_only)
{
    CLEANUP(keyring_done) struct keyring r = {0};
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    CLEANUP(closep) int file = memory(SPAN("")), password = memory(SPAN(PASSWORD));
    static char der[65536];
    receive_ring(&r);
    call_with(CALL("Export", "\"file\":1,\"password\":0"), (const int[]){password, file}, 2);
    answers("\"sealed\":true");
    ck_assert_ptr_null(strstr(answer, "PRIVATE"));
    ssize_t n = pread(file, der, sizeof(der), 0);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(
        signkey_from_pkcs12(span_bytes(der, (size_t)n), SPAN("another password"), &key),
        REASON_KEY_PASSWORD);
    ck_assert_int_eq(
        signkey_from_pkcs12(span_bytes(der, (size_t)n), SPAN(PASSWORD), &key), REASON_OK);
    ck_assert_mem_eq(
        signkey_cert(key)->x5t_s256, keyring_current(&r)->cert->x5t_s256, X5T_S256_LEN);
    ck_assert(log_says("with its private key"));
}
END_TEST

START_TEST(a_key_leaves_in_a_good_seal_or_not_at_all)
{
    CLEANUP(closep) int file = memory(SPAN("")), full = memory(SPAN("something"));
    CLEANUP(closep) int password = memory(SPAN(PASSWORD)), shorter = memory(SPAN("too short"));
    CLEANUP(closep) int closed = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const struct {
        int fds[2];
        const char *parameters, *hear;
    } rows[] = {
        {{file, shorter}, "\"file\":0,\"password\":1", "\"reason\":\"password_short\""},
        {{file, password}, "\"file\":0", "\"reason\":\"password_short\""},
        {{file, password}, "\"password\":1", "\"parameter\":\"file\""},
        {{full, password}, "\"file\":0,\"password\":1", "there is something in it already"},
        {{closed, password}, "\"file\":0,\"password\":1", "it is no regular file"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        snprintf(text, sizeof(text), CALL("Export", "%s"), rows[i].parameters);
        call_with(text, rows[i].fds, 2);
        answers(rows[i].hear);
    }
    struct stat st;
    ck_assert_int_eq(fstat(file, &st), 0);
    ck_assert_int_eq(st.st_size, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_service_describes_itself);
    tcase_add_test(tc, what_is_no_call_of_ours_is_answered);
    tcase_add_test(tc, what_is_no_call_at_all_ends_the_connection);
    tcase_add_test(tc, messages_may_come_in_pieces_and_in_heaps);
    tcase_add_test(tc, descriptors_are_few_and_do_not_stay);
    tcase_add_test(tc, connections_are_few);
    tcase_add_test(tc, nobody_but_root_and_us_comes_in);
    tcase_add_test(tc, of_those_turned_away_few_lines_are_written);
    tcase_add_test(tc, a_request_becomes_the_next_key_by_its_certificate);
    tcase_add_test(tc, requests_that_wait_are_counted);
    tcase_add_test(tc, a_sealed_key_becomes_the_next_one);
    tcase_add_test(tc, what_cannot_be_used_is_refused_with_a_reason);
    tcase_add_test(tc, the_certificate_is_given_out_in_pem);
    tcase_add_test(tc, a_sealed_export_opens_with_its_password_only);
    tcase_add_test(tc, a_key_leaves_in_a_good_seal_or_not_at_all);
}

int main(void)
{
    return unit_run("keys_door", fill);
}
