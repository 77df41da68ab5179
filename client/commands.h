/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of commands, and how a command line becomes a run of one of them. */
#pragma once

#include "ctl.h"

/* What a run sees of the world; tests give their own. */
struct surroundings {
    FILE *in;
    bool terminal;                             /* standard output is one */
    const char *(*variable)(const char *name); /* getenv(3) */
    int64_t now;                               /* wall seconds */
    unsigned columns; /* of the terminal; 0: standard output is none. COLUMNS goes before it */
};

/* Runs the command line; fills out and err of *ctl, which need not be initialised. The caller
 * prints both and calls ctl_done. Returns the exit status. */
enum exit_status ctl_run(
    struct ctl *ctl, int argc, char *const *argv, const struct surroundings *w);
void ctl_done(struct ctl *ctl);

/* The runs, each in cmd_*.c. */
enum exit_status run_status(struct ctl *ctl);
enum exit_status run_partners_list(struct ctl *ctl);
enum exit_status run_partners_show(struct ctl *ctl);
enum exit_status run_partners_refresh(struct ctl *ctl);
enum exit_status run_partners_bar(struct ctl *ctl);
enum exit_status run_partners_unbar(struct ctl *ctl);
enum exit_status run_partners_suspend(struct ctl *ctl);
enum exit_status run_partners_resume(struct ctl *ctl);
enum exit_status run_partners_approve(struct ctl *ctl);
enum exit_status run_partners_confirm(struct ctl *ctl);
enum exit_status run_cert_list(struct ctl *ctl);
enum exit_status run_cert_roll(struct ctl *ctl);
enum exit_status run_cert_withdraw(struct ctl *ctl);
enum exit_status run_cert_clear_previous(struct ctl *ctl);
enum exit_status run_pool_list(struct ctl *ctl);
enum exit_status run_pool_refresh(struct ctl *ctl);
enum exit_status run_cert_request(struct ctl *ctl);
enum exit_status run_cert_assign(struct ctl *ctl);
enum exit_status run_cert_export(struct ctl *ctl);
enum exit_status run_token_mint(struct ctl *ctl);
enum exit_status run_token_inspect(struct ctl *ctl);
enum exit_status run_token_verify(struct ctl *ctl);
enum exit_status run_reload(struct ctl *ctl);
enum exit_status run_config_check(struct ctl *ctl);
enum exit_status run_config_show(struct ctl *ctl);
enum exit_status run_explain(struct ctl *ctl);
enum exit_status run_help(struct ctl *ctl);
enum exit_status run_version(struct ctl *ctl);

/* Help of one command, of one group, of everything (both NULL). False: no such command. */
bool put_help(struct buf *out, const char *group, const char *verb);
