/* SPDX-License-Identifier: Apache-2.0 */
/* One run of s2sctl: what was asked, how it is to look, what it says. */
#pragma once

#include "arguments.h"
#include "exits.h"
#include "screen.h"
#include "varlink_client.h"

#include <stdio.h>

struct command;

struct ctl {
    struct arguments args;
    const struct command *command;
    const char *const *operands; /* the words behind the command */
    size_t n_operands;
    struct style style;
    const char *runtime_dir;
    const char *signer_dir; /* where the signer's own door is */
    const char *config_dir; /* NULL: the standard folders */
    FILE *in;               /* standard input */
    struct buf out, err; /* what goes to standard output and standard error; out may hold tokens */
    struct varlink_client *link;
};

struct command {
    const char *group, *verb; /* "token", "mint"; verb NULL: the group is the command */
    bool by_default;          /* the group alone means this one */
    const char *operands;     /* "PARTNER", for help */
    size_t min, max;          /* how many operands */
    uint64_t options;         /* OPT() bits beside those every command has */
    enum exit_status (*run)(struct ctl *ctl);
    const char *summary;
    const char *examples[2];
};

extern const struct command commands[];
extern const size_t commands_n;

/* A line "s2sctl: ..." on standard error. Foreign text must have been made safe. */
void ctl_say(struct ctl *ctl, const char *fmt, ...) PRINTF(2, 3);
