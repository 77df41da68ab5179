/* SPDX-License-Identifier: Apache-2.0 */
/* s2sd: options, then the role: broker, or a worker that the broker has started. */
#include "broker.h"
#include "cleanup.h"
#include "fds.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "process.h"
#include "worker.h"

#include <stdio.h>
#include <sys/prctl.h>

#define RUNTIME_DIR "/run/s2sd"
#define STATE_DIR "/var/lib/s2sd"

enum option_code {
    OPT_CONFIG = 256,
    OPT_RUNTIME,
    OPT_STATE,
    OPT_ALL,
    OPT_CHECK,
    OPT_PRINT,
    OPT_WORKER,
    OPT_INDEX,
    OPT_OF,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"config-dir", required_argument, NULL, OPT_CONFIG},
    {"runtime-dir", required_argument, NULL, OPT_RUNTIME},
    {"state-dir", required_argument, NULL, OPT_STATE},
    {"all", no_argument, NULL, OPT_ALL},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"print-config", no_argument, NULL, OPT_PRINT},
    {"worker", required_argument, NULL, OPT_WORKER},
    {"index", required_argument, NULL, OPT_INDEX},
    {"of", required_argument, NULL, OPT_OF},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: s2sd [OPTION]...\n"
    "Gives this server an identity that other servers trust: publishes its metadata document,\n"
    "keeps those of its partners current, mints and validates server-to-server tokens.\n"
    "Started by s2sd.service, or without systemd with --all.\n"
    "\n"
    "      --config-dir=DIR   configuration instead of /etc/s2sd\n"
    "      --runtime-dir=DIR  where the local sockets are (default " RUNTIME_DIR ")\n"
    "      --state-dir=DIR    what is known of the partners (default " STATE_DIR ")\n"
    "      --all              start signer and fetcher too and make every socket\n"
    "      --check-config     show all mistakes of the configuration and exit\n"
    "      --print-config     print the configuration in force and exit\n"
    "      --version          print the version and exit\n"
    "      --help             print this help and exit\n"
    "\n"
    "Exit status: 0 ended in order, 1 fault, 64 usage, 78 configuration. See s2sd(8).\n";

struct options {
    struct broker_options broker;
    bool check, print;
    const char *worker; /* kind, or NULL */
    uint64_t index, of;
};

/* -1: go on; else the exit status. */
static int set_number(const char *text, uint64_t *ret)
{
    return conf_uint(text, 4096, ret) ? -1 : options_usage("s2sd", "not a number of workers");
}

static int set_option(int code, void *arg)
{
    struct options *o = arg;
    switch (code) {
    case OPT_CONFIG:
        o->broker.config_dir = optarg;
        return -1;
    case OPT_RUNTIME:
        o->broker.runtime_dir = optarg;
        return -1;
    case OPT_STATE:
        o->broker.state_dir = optarg;
        return -1;
    case OPT_ALL:
        o->broker.all = true;
        return -1;
    case OPT_CHECK:
        o->check = true;
        return -1;
    case OPT_PRINT:
        o->print = true;
        return -1;
    case OPT_WORKER:
        o->worker = optarg;
        return -1;
    case OPT_INDEX:
        return set_number(optarg, &o->index);
    case OPT_OF:
        return set_number(optarg, &o->of);
    case OPT_VERSION:
        puts("s2sd " S2SD_VERSION);
        return 0;
    default: /* OPT_HELP */
        fputs(help, stdout);
        return 0;
    }
}

/* --check-config and --print-config. */
static int show_config(const struct options *o)
{
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    if (!settings_load(o->broker.config_dir, &errors, &s)) {
        fwrite(errors.text.p, 1, errors.text.n, stderr);
        fprintf(stderr, "%u mistake%s\n", errors.count, errors.count == 1 ? "" : "s");
        return BROKER_EXIT_CONFIG;
    }
    if (!o->print) {
        printf("The configuration is in order: %zu partner%s, %zu client rule%s.\n", s->n_partners,
            s->n_partners == 1 ? "" : "s", s->n_clients, s->n_clients == 1 ? "" : "s");
        return 0;
    }
    CLEANUP(buf_done) struct buf text = BUF_INIT((size_t)64 * 1024 * 1024);
    settings_print(s, &text);
    if (text.failed || fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
        return BROKER_EXIT_FAULT;
    return 0;
}

static int run_worker(const struct options *o)
{
    char name[16];
    snprintf(name, sizeof(name), "s2sd-%s", o->worker);
    prctl(PR_SET_NAME, name); /* what ps and the kernel's log call it */
    return worker_main(o->worker, (unsigned)o->index, (unsigned)o->of, o->broker.config_dir);
}

static int run_broker(const struct options *o)
{
    log_role("broker");
    int r = process_forbid_dumps(); /* the key of the public door is in this memory */
    if (r < 0) {
        log_err("cannot protect the process: %s", strerror(-r));
        return BROKER_EXIT_FAULT;
    }
    notify_open();
    return broker_run(&o->broker);
}

int main(int argc, char **argv)
{
    struct options o = {.broker = {.runtime_dir = RUNTIME_DIR, .state_dir = STATE_DIR}, .of = 1};
    int status = options_read(argc, argv, long_options, set_option, &o);
    if (status >= 0)
        return status;
    if (o.check || o.print)
        return show_config(&o);
    log_open("s2sd");
    fds_open();
    status = o.worker ? run_worker(&o) : run_broker(&o);
    process_let_checkers_look();
    return status;
}
