/* SPDX-License-Identifier: Apache-2.0 */
/* s2sctl: asks the daemon over Varlink and shows what it says. */
#include "clock.h"
#include "commands.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *variable(const char *name)
{
    return getenv(name);
}

/* 0: standard output is no terminal, or it does not say. */
static unsigned terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* A reader that has gone (a pipe to head) is no failure of ours. */
static void print(FILE *to, struct buf *text)
{
    if (text->n > 0)
        fwrite(text->p, 1, text->n, to);
    fflush(to);
}

int main(int argc, char **argv)
{
    struct ctl ctl;
    const struct surroundings world = {.in = stdin,
        .terminal = isatty(STDOUT_FILENO) == 1,
        .variable = variable,
        .now = clock_wall_s(),
        .columns = terminal_columns()};
    enum exit_status status = ctl_run(&ctl, argc, argv, &world);
    print(stdout, &ctl.out);
    print(stderr, &ctl.err);
    ctl_done(&ctl);
    return (int)status;
}
