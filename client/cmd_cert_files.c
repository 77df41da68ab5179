/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are brought and taken away: cert request, assign, export. Key files and passwords go to
 * the signer's own door as descriptors. */
#include "cleanup.h"
#include "commands.h"
#include "file.h"
#include "password.h"
#include "present.h"
#include "show.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define KEY_FILE_MAX ((size_t)128 * 1024) /* the signer takes no more */
#define READ_STEP 16384
#define PEM_LINE 64

static struct question question_keys(const struct ctl *ctl, const char *method)
{
    return (struct question){.interface = "io.s2sd.keys",
        .method = method,
        .parameters = SPAN("{}"),
        .timeout_ms = ASK_TIMEOUT_MS,
        .dir = ctl->signer_dir};
}

static void say_about(struct ctl *ctl, const char *what, const char *path, int error)
{
    buf_printf(&ctl->err, "s2sctl: cannot %s ", what);
    put_safe(&ctl->err, span_of(path));
    buf_printf(&ctl->err, ": %s\n", strerror(error));
}

static enum exit_status misfit(struct ctl *ctl)
{
    buf_reset(&ctl->out);
    return ask_misunderstood(ctl);
}

/* request */

enum exit_status run_cert_request(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(4096);
    struct question q = question_keys(ctl, "Request");
    const struct json_value *reply = NULL;
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "name", ctl->args.values[OPT_NAME]);
    json_out_object_end(&j);
    if (parameters.failed) {
        ctl_say(ctl, "no certificate has so long a name");
        return EXIT_USAGE;
    }
    q.parameters = buf_span(&parameters);
    enum exit_status status = ask(ctl, &q, &reply);
    if (status != EXIT_YES)
        return status;
    const struct json_value *request = json_get(reply, "request"), *id = json_get(reply, "id");
    if (!request || request->type != JSON_STRING || !id || id->type != JSON_STRING)
        return misfit(ctl);
    if (has(&ctl->args, OPT_JSON)) {
        put_json_line(ctl, reply);
        return EXIT_YES;
    }
    buf_put_span(&ctl->out, request->text);
    ctl_say(ctl, "the key waits in the signer; bring its certificate with s2sctl cert assign FILE");
    return EXIT_YES;
}

/* assign */

/* The whole file; larger ones are cut, the signer will say so. */
static int read_all(int fd, struct buf *ret)
{
    for (;;) {
        size_t room = ret->max - ret->n < READ_STEP ? ret->max - ret->n : READ_STEP;
        char *at = room ? buf_reserve(ret, room) : NULL;
        ssize_t n = at ? read(fd, at, room) : 0;
        if (n < 0)
            return -errno;
        if (n == 0)
            return room && !at ? -ENOMEM : 0;
        ret->n += (size_t)n;
    }
}

/* PKCS#12 and encrypted PEM need a password; a certificate alone does not. */
static bool needs_password(struct span file)
{
    static const struct span mark = SPAN("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    if (file.n > 0 && (uint8_t)file.p[0] == 0x30)
        return true;
    for (size_t i = 0; i + mark.n <= file.n; i++)
        if (memcmp(file.p + i, mark.p, mark.n) == 0)
            return true;
    return false;
}

/* Others who may read a private key have it. */
static void warn_about_mode(struct ctl *ctl, const char *path, const struct stat *st)
{
    if (!(st->st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH)))
        return;
    buf_put_str(&ctl->err, "s2sctl: others may read ");
    put_safe(&ctl->err, span_of(path));
    buf_put_str(&ctl->err, "; if it holds a private key: chmod 600, or remove it afterwards\n");
}

/* The file as a descriptor to pass: itself, or a copy in memory of what comes through a pipe.
 * `content` gets what is in it. Descriptor or -errno. */
static int open_key_file(struct ctl *ctl, const char *path, struct buf *content)
{
    bool is_stdin = strcmp(path, "-") == 0;
    CLEANUP(closep)
    int fd = is_stdin ? fcntl(fileno(ctl->in), F_DUPFD_CLOEXEC, 3)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    int r = read_all(fd, content);
    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return file_memfd("s2sctl-key", buf_span(content));
    warn_about_mode(ctl, path, &st);
    return TAKE_FD(fd);
}

/* Adds a password as a descriptor. EXIT_YES, or another status after saying why. */
static enum exit_status pass_password(
    struct ctl *ctl, const char *prompt, bool twice, struct varlink_fds *fds)
{
    CLEANUP(buf_done) struct buf password = {0};
    enum exit_status status = password_input(ctl, prompt, twice, &password);
    if (status != EXIT_YES)
        return status;
    int fd = file_memfd("s2sctl-password", buf_span(&password));
    if (fd < 0) {
        ctl_say(ctl, "cannot keep the password in memory: %s", strerror(-fd));
        return EXIT_NO;
    }
    fds->fds[fds->n++] = fd;
    return EXIT_YES;
}

static void close_fds(struct varlink_fds *fds)
{
    while (fds->n > 0)
        closep(&fds->fds[--fds->n]);
}

static bool put_effective(struct ctl *ctl, struct json_out *j)
{
    int64_t at;
    if (!has(&ctl->args, OPT_EFFECTIVE))
        return true;
    if (!when_read(ctl->args.values[OPT_EFFECTIVE], ctl->style.now, ctl->style.utc, &at)) {
        ctl_say(ctl, "--effective wants a date such as " WHEN_FORMS);
        return false;
    }
    if (at < ctl->style.now) {
        ctl_say(ctl, "--effective is in the past; s2sctl cert roll --now lets the next key sign at "
                     "once");
        return false;
    }
    json_out_int(j, "effectiveAt", at);
    return true;
}

/* EXIT_YES: both descriptors stand in *fds. */
static enum exit_status pass_key(struct ctl *ctl, struct varlink_fds *fds)
{
    CLEANUP(buf_done) struct buf content = {.max = KEY_FILE_MAX, .secret = true};
    const char *path = ctl->operands[0];
    int fd = open_key_file(ctl, path, &content);
    if (fd < 0) {
        say_about(ctl, "read", path, -fd);
        return EXIT_NO;
    }
    fds->fds[fds->n++] = fd;
    if (!has(&ctl->args, OPT_PASSWORD_FILE) && !needs_password(buf_span(&content)))
        return EXIT_YES;
    return pass_password(ctl, "Password of the key file: ", false, fds);
}

static enum exit_status show_assigned(struct ctl *ctl, const struct json_value *reply)
{
    const struct json_value *thumbprint = json_get(reply, "thumbprint");
    enum exit_status status = present(ctl, reply, show_changed);
    if (status != EXIT_YES || has(&ctl->args, OPT_JSON))
        return status;
    if (!thumbprint || thumbprint->type != JSON_STRING)
        return misfit(ctl);
    if (has(&ctl->args, OPT_DRY_RUN)) {
        buf_put_str(&ctl->out, "This was --dry-run.\n");
        return EXIT_YES;
    }
    buf_put_str(&ctl->out, "Thumbprint ");
    put_safe(&ctl->out, thumbprint->text);
    buf_put_str(&ctl->out, "\nTo go back before it signs: s2sctl cert roll --abort\n");
    return EXIT_YES;
}

enum exit_status run_cert_assign(struct ctl *ctl)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(4096);
    CLEANUP(close_fds) struct varlink_fds fds = {.n = 0};
    struct question q = question_keys(ctl, "Assign");
    const struct json_value *reply = NULL;
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_int(&j, "file", 0);
    if (!put_effective(ctl, &j))
        return EXIT_USAGE;
    enum exit_status status = pass_key(ctl, &fds);
    if (status != EXIT_YES)
        return status;
    if (fds.n == 2)
        json_out_int(&j, "password", 1);
    if (has(&ctl->args, OPT_FORCE))
        json_out_bool(&j, "force", true);
    if (has(&ctl->args, OPT_DRY_RUN))
        json_out_bool(&j, "dryRun", true);
    json_out_object_end(&j);
    q.parameters = buf_span(&parameters);
    q.fds = &fds;
    status = ask(ctl, &q, &reply);
    return status == EXIT_YES ? show_assigned(ctl, reply) : status;
}

/* export */

/* A thumbprint as people copy it, with blanks and colons, becomes 40 upper-case digits. */
static bool read_thumbprint(const char *text, char out[41])
{
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ' ' || *text == ':')
            continue;
        if (ascii_hex(*text) < 0 || n == 40)
            return false;
        out[n++] = "0123456789ABCDEF"[ascii_hex(*text)];
    }
    out[n] = '\0';
    return n == 40;
}

static bool text_is(const struct json_value *v, const char *text)
{
    return v && v->type == JSON_STRING && span_eq_str(v->text, text);
}

/* The key of that thumbprint, or the one that signs (NULL). */
static const struct json_value *find_key(const struct json_value *keys, const char *thumbprint)
{
    if (!keys || keys->type != JSON_ARRAY)
        return NULL;
    JSON_EACH (key, keys)
        if (key->type == JSON_OBJECT &&
            (thumbprint ? text_is(json_get(key, "thumbprint"), thumbprint)
                        : text_is(json_get(key, "state"), "current")))
            return key;
    return NULL;
}

static void put_pem(struct buf *out, struct span base64)
{
    buf_put_str(out, "-----BEGIN CERTIFICATE-----\n");
    while (base64.n > 0) {
        size_t n = base64.n < PEM_LINE ? base64.n : PEM_LINE;
        put_safe(out, (struct span){base64.p, n});
        buf_put_char(out, '\n');
        base64 = span_skip(base64, n);
    }
    buf_put_str(out, "-----END CERTIFICATE-----\n");
}

/* The certificate is no secret: who may see the keys may have it. */
static enum exit_status export_public(struct ctl *ctl, const char *thumbprint)
{
    struct question q = question_control;
    const struct json_value *reply = NULL;
    q.method = "ListKeys";
    enum exit_status status = ask(ctl, &q, &reply);
    if (status != EXIT_YES)
        return status;
    const struct json_value *key = find_key(json_get(reply, "keys"), thumbprint);
    const struct json_value *certificate = key ? json_get(key, "certificate") : NULL;
    if (!key) {
        ctl_say(ctl,
            thumbprint ? "none of our keys is %s; s2sctl cert list shows them"
                       : "there is no key that signs%s",
            thumbprint ? thumbprint : "");
        return EXIT_NO;
    }
    if (!certificate || certificate->type != JSON_STRING)
        return misfit(ctl);
    if (has(&ctl->args, OPT_JSON))
        put_json_line(ctl, key);
    else
        put_pem(&ctl->out, certificate->text);
    return EXIT_YES;
}

static enum exit_status ask_to_seal(
    struct ctl *ctl, const char *thumbprint, const struct varlink_fds *fds)
{
    CLEANUP(buf_done) struct buf parameters = BUF_INIT(4096);
    struct question q = question_keys(ctl, "Export");
    const struct json_value *reply = NULL;
    struct json_out j;
    json_out_start(&j, &parameters);
    json_out_object(&j, NULL);
    json_out_str(&j, "thumbprint", thumbprint);
    json_out_int(&j, "file", 0);
    json_out_int(&j, "password", 1);
    json_out_object_end(&j);
    q.parameters = buf_span(&parameters);
    q.fds = fds;
    enum exit_status status = ask(ctl, &q, &reply);
    if (status != EXIT_YES)
        return status;
    const struct json_value *sealed = json_get(reply, "thumbprint");
    if (!sealed || sealed->type != JSON_STRING)
        return misfit(ctl);
    if (has(&ctl->args, OPT_JSON)) {
        put_json_line(ctl, reply);
        return EXIT_YES;
    }
    buf_put_str(&ctl->out, "Sealed key ");
    put_safe(&ctl->out, sealed->text);
    buf_put_str(&ctl->out, ". Whoever has the file and its password can sign as this server.\n");
    return EXIT_YES;
}

/* A new file that only we may read; what is there already is never overwritten. */
static enum exit_status export_sealed(struct ctl *ctl, const char *thumbprint)
{
    const char *path = ctl->args.values[OPT_SEALED];
    CLEANUP(close_fds) struct varlink_fds fds = {.n = 0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        say_about(ctl, "make the file", path, errno);
        return EXIT_NO;
    }
    fds.fds[fds.n++] = fd;
    enum exit_status status = pass_password(ctl, "Password to seal the key with: ", true, &fds);
    if (status == EXIT_YES)
        status = ask_to_seal(ctl, thumbprint, &fds);
    if (status == EXIT_YES && fsync(fd) < 0) {
        say_about(ctl, "write", path, errno);
        status = EXIT_NO;
    }
    if (status != EXIT_YES) {
        buf_reset(&ctl->out);
        unlink(path);
    }
    return status;
}

enum exit_status run_cert_export(struct ctl *ctl)
{
    char text[41];
    const char *thumbprint = ctl->n_operands > 0 ? text : NULL;
    if (thumbprint && !read_thumbprint(ctl->operands[0], text)) {
        ctl_say(ctl, "a thumbprint is 40 hexadecimal digits; s2sctl cert list shows them");
        return EXIT_USAGE;
    }
    if (has(&ctl->args, OPT_SEALED))
        return export_sealed(ctl, thumbprint);
    if (!has(&ctl->args, OPT_PASSWORD_FILE))
        return export_public(ctl, thumbprint);
    ctl_say(ctl, "--password-file stands beside --sealed");
    return EXIT_USAGE;
}
