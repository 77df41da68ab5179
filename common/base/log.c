/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "buf.h"
#include "cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 1024
#define RECORD_MAX 8192
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct {
    const char *ident, *role;
    enum log_level level;
    int journal; /* datagram socket, or -1: standard error */
    struct sockaddr_un address;
    bool prefix; /* standard error is read by a service manager: "<n>" in front */
} log_to = {.ident = "s2sd", .level = LOG_L_INFO, .journal = -1};

/* JOURNAL_STREAM is "device:inode" of the stream that systemd connected us to; when standard error
 * has been redirected since, it is not that stream any more and records belong there. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    char ours[64];
    snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, ours) == 0;
}

void log_open(const char *ident)
{
    log_open_at(ident, stderr_is_journal() ? JOURNAL_SOCKET : NULL);
}

void log_open_at(const char *ident, const char *journal)
{
    log_close();
    log_to.ident = ident;
    log_to.prefix = getenv("INVOCATION_ID") && !isatty(STDERR_FILENO);
    if (!journal || strlen(journal) >= sizeof log_to.address.sun_path)
        return;
    log_to.address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(log_to.address.sun_path, journal, strlen(journal) + 1);
    log_to.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void log_close(void)
{
    closep(&log_to.journal);
}

int log_fd(void)
{
    return log_to.journal;
}

void log_role(const char *role)
{
    log_to.role = role;
}

void log_set_level(enum log_level level)
{
    log_to.level = level;
}

enum log_level log_get_level(void)
{
    return log_to.level;
}

/* The sentence: cut to MESSAGE_MAX bytes between characters, on one line whatever was put into it.
 */
static void compose(char out[MESSAGE_MAX], const char *fmt, va_list ap) PRINTF(2, 0);
static void compose(char out[MESSAGE_MAX], const char *fmt, va_list ap)
{
    int n = vsnprintf(out, MESSAGE_MAX, fmt, ap);
    if (n < 0)
        out[0] = '\0';
    if (n >= MESSAGE_MAX) {
        size_t cut = MESSAGE_MAX - sizeof "...";
        while (cut > 0 && ((unsigned char)out[cut] & 0xc0) == 0x80)
            cut--;
        memcpy(out + cut, "...", sizeof "...");
    }
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

/* One field of the journal's protocol: NAME=value, or the binary form when the value has lines.
 * Leaves the record as it was and says false when the field does not fit. */
static bool put_field(struct buf *b, const char *name, const char *value)
{
    size_t n = strlen(value);
    if (b->n + strlen(name) + n + 16 > RECORD_MAX)
        return false;
    buf_put_str(b, name);
    if (!strchr(value, '\n')) {
        buf_put_char(b, '=');
    } else {
        buf_put_char(b, '\n');
        for (unsigned i = 0; i < 8; i++) /* 64 bits, little endian */
            buf_put_char(b, (char)((uint64_t)n >> (8 * i)));
    }
    buf_put(b, value, n);
    buf_put_char(b, '\n');
    return true;
}

static int send_journal(const struct buf *b)
{
    ssize_t n = sendto(log_to.journal, b->p, b->n, MSG_DONTWAIT | MSG_NOSIGNAL,
        (const struct sockaddr *)&log_to.address, sizeof log_to.address);
    return n < 0 ? -errno : 0;
}

/* A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting; a longer line is cut to
 * that. */
static int write_stderr(const struct buf *b)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&p, 1, 0) < 0)
        return -errno;
    if (!(p.revents & POLLOUT))
        return p.revents & (POLLERR | POLLHUP | POLLNVAL) ? -EPIPE : -EAGAIN;
    ssize_t n = write(STDERR_FILENO, b->p, b->n);
    return n < 0 ? -errno : (size_t)n == b->n ? 0 : -EIO;
}

/* What a record is made of, wherever it goes. */
struct record {
    enum log_level level;
    const char *message_id;
    const struct log_field *fields;
    size_t n;
    const char *message;
};

static int to_journal(const struct record *r)
{
    char priority[4];
    snprintf(priority, sizeof priority, "%d", (int)r->level);
    CLEANUP(buf_done) struct buf b = BUF_INIT(RECORD_MAX);
    bool whole = put_field(&b, "MESSAGE", r->message) && put_field(&b, "PRIORITY", priority) &&
                 put_field(&b, "SYSLOG_IDENTIFIER", log_to.ident);
    if (log_to.role)
        whole &= put_field(&b, "TRUST_ROLE", log_to.role);
    if (r->message_id)
        whole &= put_field(&b, "MESSAGE_ID", r->message_id);
    for (size_t i = 0; i < r->n; i++)
        if (r->fields[i].value)
            whole &= put_field(&b, r->fields[i].name, r->fields[i].value);
    if (b.failed)
        return -ENOMEM;
    int e = send_journal(&b);
    return e < 0 ? e : whole ? 0 : -EMSGSIZE;
}

#define LINE_MAX_BYTES 4096 /* PIPE_BUF: written whole or not at all */

/* ` NAME="value"`, or nothing and false when it does not fit with the line feed that follows. */
static bool put_word(struct buf *b, const struct log_field *f)
{
    char safe[LINE_MAX_BYTES + 16]; /* so that a value log_safe had to cut does not fit either */
    log_safe(span_of(f->value), safe, sizeof safe);
    if (b->n + strlen(f->name) + strlen(safe) + sizeof " =\"\"" > LINE_MAX_BYTES)
        return false;
    buf_printf(b, " %s=\"%s\"", f->name, safe);
    return true;
}

static int to_stderr(const struct record *r)
{
    bool whole = true;
    CLEANUP(buf_done) struct buf b = BUF_INIT(LINE_MAX_BYTES);
    if (log_to.prefix)
        buf_printf(&b, "<%d>", (int)r->level);
    else
        buf_put_str(&b, log_to.ident);
    if (log_to.role)
        buf_printf(&b, log_to.prefix ? "%s" : "[%s]", log_to.role);
    if (log_to.role || !log_to.prefix)
        buf_put_str(&b, ": ");
    buf_put_str(&b, r->message);
    for (size_t i = 0; i < r->n; i++)
        if (r->fields[i].value)
            whole &= put_word(&b, &r->fields[i]);
    buf_put_char(&b, '\n');
    if (b.failed)
        return -ENOMEM;
    int e = write_stderr(&b);
    return e < 0 ? e : whole ? 0 : -EMSGSIZE;
}

static int deliver(const struct record *r)
{
    int saved = errno; /* a log line must not change what its caller is about to report */
    int e = log_to.journal >= 0 ? to_journal(r) : to_stderr(r);
    errno = saved;
    return e;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
    if (level > log_to.level)
        return;
    char message[MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    compose(message, fmt, ap);
    va_end(ap);
    deliver(&(struct record){.level = level, .message = message});
}

int log_record(enum log_level level, const char *message_id, const struct log_field *fields,
    size_t n, const char *fmt, ...)
{
    if (level > log_to.level && !message_id)
        return 0;
    char message[MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    compose(message, fmt, ap);
    va_end(ap);
    return deliver(&(struct record){level, message_id, fields, n, message});
}

static size_t put_safe(char *out, size_t room, unsigned char c)
{
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\') {
        if (room < 1)
            return 0;
        out[0] = (char)c;
        return 1;
    }
    static const char hex[] = "0123456789abcdef";
    if (room < 4)
        return 0;
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

char *log_safe(struct span text, char *out, size_t out_len)
{
    static const char dots[] = "...";
    if (out_len == 0)
        return out;
    size_t at = 0, cut = 0; /* cut: the last place where the dots still fit */
    for (size_t i = 0; i < text.n; i++) {
        size_t n = put_safe(out + at, out_len - 1 - at, (unsigned char)text.p[i]);
        if (n == 0) {
            size_t n_dots = out_len > sizeof dots ? sizeof dots - 1 : out_len - 1;
            memcpy(out + cut, dots, n_dots);
            at = cut + n_dots;
            break;
        }
        at += n;
        if (at + sizeof dots <= out_len)
            cut = at;
    }
    out[at] = '\0';
    return out;
}
