/* SPDX-License-Identifier: Apache-2.0 */
/* A password from a file or from the terminal, where it is not shown; never from the command line,
 * where every user could read it. */
#pragma once

#include "ctl.h"

#define PASSWORD_TEXT_MAX 1024

/* Reads the first line of --password-file=, or asks `prompt` on the terminal; `twice`: and once
 * more to be sure. `ret` must be empty; it is marked secret and gets the password without a line
 * end. EXIT_YES, or another status after saying why. */
enum exit_status password_input(struct ctl *ctl, const char *prompt, bool twice, struct buf *ret)
    WARN_UNUSED;
