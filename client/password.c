/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>

#define READ_ONCE 256

/* Signals that end us must find the terminal as it was: they are noted and sent again. They come
 * only while ppoll(2) waits for what is typed, so that none slips in between a look and a read. */
static volatile sig_atomic_t noted;

static void note(int sig)
{
    noted = sig;
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct caught {
    struct sigaction old[ARRAY_LEN(ends)];
    sigset_t mask; /* that was in force */
};

static void catch_ends(struct caught *c)
{
    const struct sigaction mine = {.sa_handler = note};
    sigset_t block;
    noted = 0;
    sigemptyset(&block);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        sigaddset(&block, ends[i]);
    sigprocmask(SIG_BLOCK, &block, &c->mask);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        sigaction(ends[i], &mine, &c->old[i]);
}

static void release_ends(const struct caught *c)
{
    sigprocmask(SIG_SETMASK, &c->mask, NULL); /* what came meanwhile is noted now */
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        sigaction(ends[i], &c->old[i], NULL);
    if (noted)
        raise(noted);
}

/* Until something is typed: 0, or -EINTR when we are to end. */
static int await_typing(int tty, const struct caught *c)
{
    struct pollfd p = {.fd = tty, .events = POLLIN};
    int r = ppoll(&p, 1, NULL, &c->mask);
    return noted ? -EINTR : r < 0 ? -errno : 0;
}

/* Up to the end of a line or of the file. 0 or -errno; -EFBIG: no password is that long. */
static int read_line(int fd, struct buf *ret)
{
    for (;;) {
        char *at = buf_reserve(ret, READ_ONCE);
        ssize_t n = at ? read(fd, at, READ_ONCE) : -1;
        if (!at)
            return -EFBIG;
        if (n < 0)
            return -errno;
        const char *end = memchr(at, '\n', (size_t)n);
        ret->n += end ? (size_t)(end - at) : (size_t)n;
        if (end || n == 0)
            return 0;
    }
}

static void drop_return(struct buf *b)
{
    if (b->n > 0 && b->p[b->n - 1] == '\r')
        b->n--;
}

static int say(int tty, const char *text)
{
    return write(tty, text, strlen(text)) < 0 ? -errno : 0;
}

static int ask_line(int tty, const char *prompt, const struct caught *c, struct buf *ret)
{
    int r = say(tty, prompt);
    if (r == 0)
        r = await_typing(tty, c);
    if (r == 0)
        r = read_line(tty, ret);
    (void)say(tty, "\n");
    return r;
}

/* Asks without echo; -EAGAIN: the two differ. */
static int ask_hidden(int tty, const char *prompt, bool twice, struct buf *ret)
{
    struct termios before, hidden;
    struct caught caught;
    CLEANUP(buf_done) struct buf again = {.max = ret->max, .secret = true};
    if (tcgetattr(tty, &before) < 0)
        return -errno;
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    catch_ends(&caught);
    int r = tcsetattr(tty, TCSAFLUSH, &hidden) < 0 ? -errno : ask_line(tty, prompt, &caught, ret);
    if (r == 0 && twice)
        r = ask_line(tty, "Once more: ", &caught, &again);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    release_ends(&caught);
    bool differ = twice && !span_eq(buf_span(ret), buf_span(&again));
    return r == 0 && differ ? -EAGAIN : r;
}

static enum exit_status from_terminal(
    struct ctl *ctl, const char *prompt, bool twice, struct buf *ret)
{
    CLEANUP(closep) int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int r = tty < 0 ? -errno : ask_hidden(tty, prompt, twice, ret);
    if (r == 0)
        return EXIT_YES;
    if (r == -EAGAIN)
        ctl_say(ctl, "the two passwords are not the same");
    else if (tty < 0)
        ctl_say(ctl, "there is no terminal to ask for the password: --password-file=FILE names it");
    else
        ctl_say(ctl, "cannot read the password: %s", strerror(-r));
    return EXIT_NO;
}

static enum exit_status from_file(struct ctl *ctl, const char *path, struct buf *ret)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : read_line(fd, ret);
    if (r == 0)
        return EXIT_YES;
    buf_put_str(&ctl->err, "s2sctl: cannot read the password from ");
    put_safe(&ctl->err, span_of(path));
    buf_printf(&ctl->err, ": %s\n", strerror(-r));
    return EXIT_NO;
}

enum exit_status password_input(struct ctl *ctl, const char *prompt, bool twice, struct buf *ret)
{
    const char *path = ctl->args.values[OPT_PASSWORD_FILE];
    *ret = (struct buf){.max = PASSWORD_TEXT_MAX + READ_ONCE, .secret = true};
    enum exit_status status =
        path ? from_file(ctl, path, ret) : from_terminal(ctl, prompt, twice, ret);
    drop_return(ret);
    return status;
}
