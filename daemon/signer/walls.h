/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer gives up before it reads a key (rule R42): no core file, nobody may trace it, no
 * new privileges, key memory that is neither swapped nor dumped. */
#pragma once

#include "attr.h"

/* The checklist for the whole process; the first thing main does. 0, or -errno when one of the
 * walls cannot be put up. */
int walls_raise(void) WARN_UNUSED;
/* In a signing child: its parent's death ends it, it opens nothing and starts nothing any more, all
 * descriptors but `keep` and standard error are closed, and the key memory is locked again
 * (mlock(2) is not inherited). */
void walls_raise_child(int keep, int parent);
