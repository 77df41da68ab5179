/* SPDX-License-Identifier: Apache-2.0 */
/* What io.s2sd.keys does. Key text and passwords live in secret buffers for the length of a call
 * and are in no answer but a sealed file, and in no log. */
#include "audit.h"
#include "b64.h"
#include "cleanup.h"
#include "clock.h"
#include "keys_door.h"
#include "keys_file.h"
#include "keys_requests.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>

#define NO_FILE (-1)
#define LINES_MAX ((size_t)16 * 1024)
#define PEM_LINE 64
#define PEM_MAX ((size_t)2 * CERT_DER_MAX)
#define SEALED_MAX ((size_t)64 * 1024)

/* Every use is told to the journal, refused ones too. False: it could not be, and Audit=required.
 */
static bool record(const struct keys_call *call, const char *use, const struct cert *c,
    enum reason r, const char *what)
{
    char thumbprint[THUMBPRINT_TEXT_LEN] = "";
    if (c)
        thumbprint_text(c->x5t, thumbprint);
    const struct audit_key_use a = {.uid = call->uid,
        .pid = call->pid,
        .use = use,
        .thumbprint = c ? thumbprint : NULL,
        .reason = r,
        .what = what};
    int e = audit_key_use(&a);
    if (e < 0)
        log_err("the audit record of a key's use could not be written: %s", strerror(-e));
    return e == 0 || call->signer->settings->signing_key.audit != AUDIT_REQUIRED;
}

/* Answers. */

static void put_lines(struct json_out *j, struct span lines)
{
    json_out_array(j, "lines");
    while (lines.n > 0) {
        size_t n = span_find(lines, '\n');
        json_out_span(j, NULL, (struct span){lines.p, n});
        lines = span_skip(lines, n < lines.n ? n + 1 : n);
    }
    json_out_array_end(j);
}

static void answer_refused(struct keys_call *call, enum reason r, struct span lines)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(KEYS_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "reason", reason_code(r));
    json_out_str(&j, "sentence", reason_sentence(r));
    json_out_str(&j, "advice", reason_advice(r));
    put_lines(&j, lines);
    json_out_object_end(&j);
    keys_error(call, "io.s2sd.keys.Refused", buf_span(&b));
}

static void answer_file_failed(struct keys_call *call, const char *parameter, const char *why)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(4096);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "parameter", parameter);
    json_out_str(&j, "sentence", why);
    json_out_object_end(&j);
    keys_error(call, "io.s2sd.keys.FileFailed", buf_span(&b));
}

/* The descriptor of that number, or -1 after an answer. */
static int fd_of(struct keys_call *call, int64_t index, const char *parameter)
{
    if (index >= 0 && (uint64_t)index < call->n_fds)
        return call->fds[index];
    keys_invalid(call, span_of(parameter));
    return -1;
}

/* Reads the file of that number into a secret buffer. False after an answer. */
static bool read_file(struct keys_call *call, int64_t index, const char *parameter, struct buf *ret)
{
    char why[KEYS_FILE_WHY_MAX];
    int fd = fd_of(call, index, parameter);
    if (fd < 0)
        return false;
    if (keys_file_read(fd, ret->max - 1, ret, why) == 0)
        return true;
    answer_file_failed(call, parameter, why);
    return false;
}

/* A password ends where its line does. */
static bool read_password(struct keys_call *call, int64_t index, struct buf *ret)
{
    if (index == NO_FILE)
        return true;
    if (!read_file(call, index, "password", ret))
        return false;
    if (ret->n > 0 && ret->p[ret->n - 1] == '\n')
        ret->n--;
    if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
        ret->n--;
    return true;
}

#define SECRET_BUF(max_) ((struct buf){.max = (max_), .secret = true})
/* with room for the end of the line */
#define PASSWORD_BUF SECRET_BUF(SIGNKEY_PASSWORD_MAX + 8)

/* Request */

struct request_args {
    struct span name;
};

static const struct json_field request_fields[] = {
    {"name", JSON_STRING, offsetof(struct request_args, name), JSON_OPTIONAL},
};

static void answer_request(struct keys_call *call, struct span request, const char *id)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(KEYS_ANSWER_MAX);
    struct json_out j;
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_span(&j, "request", request);
    json_out_str(&j, "id", id);
    json_out_object_end(&j);
    keys_reply(call, buf_span(&b));
}

static void run_request(struct keys_call *call, const void *args)
{
    const struct request_args *a = args;
    const struct signer *s = call->signer;
    char name[256], id[SIGNKEY_REQUEST_ID_LEN], why[KEYS_REQUESTS_WHY_MAX];
    CLEANUP(buf_done) struct buf key = SECRET_BUF(SIGNKEY_FILE_MAX), text = BUF_INIT(PEM_MAX);
    if (a->name.n >= sizeof(name)) {
        keys_invalid(call, SPAN("name"));
        return;
    }
    if (a->name.n > 0)
        snprintf(name, sizeof(name), "%.*s", (int)a->name.n, a->name.p);
    else
        snprintf(name, sizeof(name), "%s", s->settings->identity.name);
    enum reason r = signkey_request(name, &key, &text);
    if (r == REASON_OK && keys_requests_add(s->options->state_dir, buf_span(&key), id, why) < 0) {
        (void)record(call, "request", NULL, REASON_QUOTA, why);
        answer_refused(call, REASON_QUOTA, span_of(why));
        return;
    }
    (void)record(call, "request", NULL, r, r == REASON_OK ? id : "");
    if (r == REASON_OK)
        answer_request(call, buf_span(&text), id);
    else
        answer_refused(call, r, SPAN(""));
}

/* Assign */

struct assign_args {
    int64_t file, password, effective_at;
    bool force, dry_run;
};

static const struct assign_args assign_initial = {.file = NO_FILE, .password = NO_FILE};

static const struct json_field assign_fields[] = {
    {"file", JSON_NUMBER, offsetof(struct assign_args, file), JSON_MANDATORY},
    {"password", JSON_NUMBER, offsetof(struct assign_args, password), JSON_OPTIONAL},
    {"effectiveAt", JSON_NUMBER, offsetof(struct assign_args, effective_at), JSON_OPTIONAL},
    {"force", JSON_BOOL, offsetof(struct assign_args, force), JSON_OPTIONAL},
    {"dryRun", JSON_BOOL, offsetof(struct assign_args, dry_run), JSON_OPTIONAL},
};

static void answer_assigned(
    struct keys_call *call, const struct cert *c, struct span lines, bool changed)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(KEYS_ANSWER_MAX);
    struct json_out j;
    char thumbprint[THUMBPRINT_TEXT_LEN];
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "thumbprint", thumbprint_text(c->x5t, thumbprint));
    json_out_int(&j, "notBefore", c->not_before);
    json_out_int(&j, "notAfter", c->not_after);
    put_lines(&j, lines);
    json_out_bool(&j, "changed", changed);
    json_out_object_end(&j);
    keys_reply(call, buf_span(&b));
}

/* `key` stays the caller's when it was not staged. */
static void stage(struct keys_call *call, const struct assign_args *a, struct signkey **key)
{
    struct signer *s = call->signer;
    CLEANUP(buf_done) struct buf lines = BUF_INIT(LINES_MAX);
    CLEANUP(cert_freep) struct cert *c = NULL;
    char who[64];
    const struct cert *brought = signkey_cert(*key);
    snprintf(who, sizeof(who), "uid %u process %d, cert assign", call->uid, call->pid);
    const struct key_order order = {
        .effective_at = a->effective_at, .force = a->force, .dry_run = a->dry_run, .who = who};
    /* A copy: what is staged belongs to the ring. */
    enum reason r = cert_parse(span_bytes(brought->der, brought->der_len), &c);
    if (r == REASON_OK)
        r = signer_stage(s, key, &order, &lines);
    (void)record(call, "assign", c, r, a->dry_run ? "dry run" : "");
    if (r != REASON_OK) {
        answer_refused(call, r, buf_span(&lines));
        return;
    }
    if (!a->dry_run)
        keys_requests_drop(s->options->state_dir, c->key);
    answer_assigned(call, c, buf_span(&lines), !a->dry_run);
}

static void run_assign(struct keys_call *call, const void *args)
{
    const struct assign_args *a = args;
    CLEANUP(buf_done) struct buf file = SECRET_BUF(SIGNKEY_FILE_MAX), password = PASSWORD_BUF;
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    char *state_dir = (char *)(uintptr_t)call->signer->options->state_dir;
    if (!read_file(call, a->file, "file", &file) || !read_password(call, a->password, &password))
        return;
    enum reason r = signkey_from_file(
        buf_span(&file), buf_span(&password), keys_requests_find, state_dir, &key);
    if (r == REASON_OK) {
        stage(call, a, &key);
        return;
    }
    (void)record(call, "assign", NULL, r, "");
    answer_refused(call, r, SPAN(""));
}

/* Export */

struct export_args {
    struct span thumbprint;
    int64_t file, password;
};

static const struct export_args export_initial = {.file = NO_FILE, .password = NO_FILE};

static const struct json_field export_fields[] = {
    {"thumbprint", JSON_STRING, offsetof(struct export_args, thumbprint), JSON_OPTIONAL},
    {"file", JSON_NUMBER, offsetof(struct export_args, file), JSON_OPTIONAL},
    {"password", JSON_NUMBER, offsetof(struct export_args, password), JSON_OPTIONAL},
};

static const struct cert *find_cert(const struct keyring *ring, struct span thumbprint)
{
    char text[THUMBPRINT_TEXT_LEN];
    if (thumbprint.n == 0)
        return ring->n ? keyring_current(ring)->cert : NULL;
    for (size_t i = 0; i < ring->n; i++)
        if (span_eq_nocase(thumbprint, span_of(thumbprint_text(ring->slots[i].cert->x5t, text))))
            return ring->slots[i].cert;
    return NULL;
}

static void put_pem(struct buf *out, const struct cert *c)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(PEM_MAX);
    b64_put(&text, c->der, c->der_len);
    buf_put_str(out, "-----BEGIN CERTIFICATE-----\n");
    for (struct span rest = buf_span(&text); rest.n > 0;) {
        size_t n = rest.n < PEM_LINE ? rest.n : PEM_LINE;
        buf_put(out, rest.p, n);
        buf_put_char(out, '\n');
        rest = span_skip(rest, n);
    }
    buf_put_str(out, "-----END CERTIFICATE-----\n");
}

static void answer_exported(struct keys_call *call, const struct cert *c, bool sealed)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(KEYS_ANSWER_MAX), pem = BUF_INIT(PEM_MAX);
    struct json_out j;
    char thumbprint[THUMBPRINT_TEXT_LEN];
    put_pem(&pem, c);
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    json_out_str(&j, "thumbprint", thumbprint_text(c->x5t, thumbprint));
    json_out_span(&j, "certificate", buf_span(&pem));
    json_out_bool(&j, "sealed", sealed);
    json_out_object_end(&j);
    keys_reply(call, buf_span(&b));
}

/* The private key of `c` in its seal. REASON_OK, or another with a line in `lines`. */
static enum reason seal(
    const struct signer *s, const struct cert *c, struct span password, struct buf *out, char *why)
{
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    if (own_keys_load(&s->keys, c->x5t, &key, why) < 0)
        return REASON_NO_SUCH_KEY;
    return signkey_to_pkcs12(key, password, out);
}

static void export_sealed(struct keys_call *call, const struct export_args *a, const struct cert *c)
{
    char why[OWN_KEYS_WHY_MAX] = "", file_why[KEYS_FILE_WHY_MAX];
    CLEANUP(buf_done) struct buf password = PASSWORD_BUF, sealed = SECRET_BUF(SEALED_MAX);
    int fd = fd_of(call, a->file, "file");
    if (fd < 0 || !read_password(call, a->password, &password))
        return;
    enum reason r = seal(call->signer, c, buf_span(&password), &sealed, why);
    if (!record(call, "export", c, r, "with its private key") && r == REASON_OK)
        r = REASON_AUDIT_FAILED;
    if (r != REASON_OK)
        answer_refused(call, r, span_of(why));
    else if (keys_file_write(fd, buf_span(&sealed), file_why) < 0)
        answer_file_failed(call, "file", file_why);
    else
        answer_exported(call, c, true);
}

static void run_export(struct keys_call *call, const void *args)
{
    const struct export_args *a = args;
    const struct cert *c = find_cert(&call->signer->keys.ring, a->thumbprint);
    if (!c) {
        (void)record(call, "export", NULL, REASON_NO_SUCH_KEY, "");
        answer_refused(call, REASON_NO_SUCH_KEY, SPAN(""));
        return;
    }
    if (a->file != NO_FILE || a->password != NO_FILE) {
        export_sealed(call, a, c);
        return;
    }
    (void)record(call, "export", c, REASON_OK, "certificate only");
    answer_exported(call, c, false);
}

const struct keys_method keys_methods[] = {
    {.name = "Request",
        .fields = request_fields,
        .n_fields = ARRAY_LEN(request_fields),
        .size = sizeof(struct request_args),
        .run = run_request},
    {.name = "Assign",
        .fields = assign_fields,
        .n_fields = ARRAY_LEN(assign_fields),
        .size = sizeof(struct assign_args),
        .initial = &assign_initial,
        .run = run_assign},
    {.name = "Export",
        .fields = export_fields,
        .n_fields = ARRAY_LEN(export_fields),
        .size = sizeof(struct export_args),
        .initial = &export_initial,
        .run = run_export},
};
const size_t keys_methods_n = ARRAY_LEN(keys_methods);
