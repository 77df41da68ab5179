/* SPDX-License-Identifier: Apache-2.0 */
/* A token from a file or standard input; never from the command line, where every user could read
 * it. */
#pragma once

#include "ctl.h"

/* Reads the first operand, "-" or nothing being standard input. "Authorization: Bearer " in front
 * and blanks or line feeds behind are taken off. `ret` must be empty; it is marked secret.
 * EXIT_YES, or EXIT_NO after saying why. */
enum exit_status token_input(struct ctl *ctl, struct buf *ret) WARN_UNUSED;
