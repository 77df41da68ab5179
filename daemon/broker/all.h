/* SPDX-License-Identifier: Apache-2.0 */
/* --all: what systemd does elsewhere. Makes every socket in the runtime folder, starts signer and
 * fetcher with their listeners and starts them again when they die. The broker then goes on as
 * ever: same names, same links. */
#pragma once

#include "children.h"
#include "listeners.h"
#include "settings.h"

struct all;

struct all_plan {
    const char *config_dir;  /* NULL: the standard folders */
    const char *runtime_dir; /* made with mode 0700 when it is not there */
    const char *state_dir;   /* made likewise; the signer's is its sub-folder "signer" */
    const char *https;       /* [Listen] HTTPS=, NULL: no public door */
};

/* Makes the folders, so that the state can be locked before anything of a running daemon is
 * touched; one that is there must be ours or root's alone to write. 0, or -errno after saying in
 * the log what failed. */
int all_make_folders(const struct all_plan *plan) WARN_UNUSED;
/* Makes the sockets, starts both programs, fills `ret_listeners`. 0, or -errno after saying
 * in the log what failed. */
int all_start(struct event_base *base, struct children *children, const struct all_plan *plan,
    struct all **ret, struct listeners *ret_listeners) WARN_UNUSED;
/* From now on nobody is started again. */
void all_stop(struct all *a);
/* Removes the socket files. NULL is fine. */
void all_free(struct all *a);
