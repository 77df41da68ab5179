/* SPDX-License-Identifier: Apache-2.0 */
/* s2sd-signer: options, walls, descriptors, then the loop of signer/signer.c. */
#include "fds.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "peer_user.h"
#include "process.h"
#include "signer.h"
#include "walls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_DIR "/var/lib/s2sd-signer"

enum option_code {
    OPT_CONFIG = 256,
    OPT_STATE,
    OPT_PEER,
    OPT_EOF,
    OPT_KEYS,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"config-dir", required_argument, NULL, OPT_CONFIG},
    {"state-dir", required_argument, NULL, OPT_STATE},
    {"peer-user", required_argument, NULL, OPT_PEER},
    {"until-eof", no_argument, NULL, OPT_EOF},
    {"keys-own-user", no_argument, NULL, OPT_KEYS},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: s2sd-signer [OPTION]...\n"
    "Holds the signing key of s2sd and signs what its configuration allows. Started by\n"
    "s2sd-signer.service or by s2sd --all with its sockets as passed descriptors.\n"
    "\n"
    "      --config-dir=DIR   configuration instead of /etc/s2sd\n"
    "      --state-dir=DIR    keys and key ring (default " STATE_DIR ")\n"
    "      --peer-user=NAME   the user whose processes may connect (default: our own)\n"
    "      --until-eof        end when the broker's link ends\n"
    "      --keys-own-user    our own user may bring and take keys, not only root\n"
    "      --version          print the version and exit\n"
    "      --help             print this help and exit\n"
    "\n"
    "Exit status: 0 ended in order, 1 fault, 64 usage, 78 configuration.\n";

/* -1: go on; else the exit status. */
static int set_option(int code, void *arg)
{
    struct signer_options *o = arg;
    switch (code) {
    case OPT_CONFIG:
        o->config_dir = optarg;
        return -1;
    case OPT_STATE:
        o->state_dir = optarg;
        return -1;
    case OPT_PEER:
        return peer_user_option("s2sd-signer", optarg, &o->peer_uid);
    case OPT_EOF:
        o->until_eof = true;
        return -1;
    case OPT_KEYS:
        o->keys_own_user = true;
        return -1;
    case OPT_VERSION:
        puts("s2sd-signer " S2SD_VERSION);
        return 0;
    default: /* OPT_HELP */
        fputs(help, stdout);
        return 0;
    }
}

int main(int argc, char **argv)
{
    struct signer_options o = {.state_dir = STATE_DIR, .peer_uid = geteuid()};
    int status = options_read(argc, argv, long_options, set_option, &o);
    if (status >= 0)
        return status;
    log_open("s2sd-signer");
    /* Before any key is read. */
    int r = walls_raise();
    if (r < 0) {
        log_err("cannot protect the process: %s", strerror(-r));
        return 1;
    }
    notify_open();
    fds_open();
    const struct signer_listeners l = {
        .ring = fds_take("ring"), .mint = fds_take("mint-link"), .keys = fds_take("keys")};
    fds_close_rest();
    if (l.ring < 0 || l.mint < 0) {
        log_err(
            "the sockets \"ring\" and \"mint-link\" were not passed: start s2sd-signer.service, "
            "or s2sd --all");
        return 1;
    }
    status = signer_run(&o, &l);
    process_let_checkers_look(); /* the keys are wiped and gone */
    return status;
}
