/* SPDX-License-Identifier: Apache-2.0 */
/* s2sd-fetcher: options, descriptors, then the loop of fetcher/fetcher.c. */
#include "fds.h"
#include "fetcher.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "peer_user.h"
#include "process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum option_code { OPT_PEER = 256, OPT_EOF, OPT_VERSION, OPT_HELP };

static const struct option long_options[] = {
    {"peer-user", required_argument, NULL, OPT_PEER},
    {"until-eof", no_argument, NULL, OPT_EOF},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: s2sd-fetcher [OPTION]...\n"
    "Fetches the partners' documents for s2sd over HTTPS. Started by s2sd-fetcher.service or by\n"
    "s2sd --all with its socket as a passed descriptor. It has no configuration.\n"
    "\n"
    "      --peer-user=NAME   the user whose processes may connect (default: our own)\n"
    "      --until-eof        end when the broker's link ends\n"
    "      --version          print the version and exit\n"
    "      --help             print this help and exit\n"
    "\n"
    "Exit status: 0 ended in order, 1 fault, 64 usage.\n";

/* -1: go on; else the exit status. */
static int set_option(int code, void *arg)
{
    struct fetcher_options *o = arg;
    switch (code) {
    case OPT_PEER:
        return peer_user_option("s2sd-fetcher", optarg, &o->peer_uid);
    case OPT_EOF:
        o->until_eof = true;
        return -1;
    case OPT_VERSION:
        puts("s2sd-fetcher " S2SD_VERSION);
        return 0;
    default: /* OPT_HELP */
        fputs(help, stdout);
        return 0;
    }
}

int main(int argc, char **argv)
{
    struct fetcher_options o = {.peer_uid = geteuid()};
    int status = options_read(argc, argv, long_options, set_option, &o);
    if (status >= 0)
        return status;
    log_open("s2sd-fetcher");
    int r = process_forbid_dumps();
    if (r < 0) {
        log_err("cannot protect the process: %s", strerror(-r));
        return 1;
    }
    notify_open();
    fds_open();
    int listener = fds_take("fetch");
    fds_close_rest();
    if (listener < 0) {
        log_err("the socket \"fetch\" was not passed: start s2sd-fetcher.service, or s2sd --all");
        return 1;
    }
    status = fetcher_run(&o, listener);
    process_let_checkers_look();
    return status;
}
