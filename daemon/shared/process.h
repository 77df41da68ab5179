/* SPDX-License-Identifier: Apache-2.0 */
/* What each of our processes gives up for good before it reads a secret or a foreign byte. */
#pragma once

#include "attr.h"

/* No core file, no debugger or reader of memory of the same user, no new privileges (rule R42).
 * 0 or -errno. */
int process_forbid_dumps(void) WARN_UNUSED;
/* Built with a sanitizer: lets its leak checker trace us, at the very end; else does nothing. */
void process_let_checkers_look(void);

/* For a process that lives on what it was passed: from now on it makes no socket of the kind that
 * links are (SOCK_SEQPACKET), so it cannot connect to one, whatever its user may; it writes,
 * makes and removes no file and starts no program. Sockets of other kinds stay allowed: the C
 * library asks for users and groups over them. 0, or -errno when the wall in front of the links
 * cannot be put up; a kernel without Landlock is told in the log. */
int process_forbid_links(void) WARN_UNUSED;

/* Raises the limit on open descriptors as far as allowed; returns what it is then. */
unsigned long process_raise_descriptors(void);
