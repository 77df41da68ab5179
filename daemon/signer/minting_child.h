/* SPDX-License-Identifier: Apache-2.0 */
/* A signing child: forked from the signer without exec, so it has the settings and the key of that
 * moment; it reads an order (MSG_MINT), judges it again, signs, answers (MSG_MINTED or MSG_REFUSED,
 * same id), and ends with its socket. */
#pragma once

#include "settings.h"
#include "signkey.h"

/* Runs the child on its end of the socket pair; `parent` is the signer's pid. */
NORETURN void minting_child_run(
    int sock, int parent, const struct settings *s, struct signkey *key);
/* One order: reads `f`, writes the finished answer into `out` (room of FRAME_MAX, id already put).
 * Apart for tests. */
struct frame_in;
struct frame_out;
void minting_child_answer(const struct settings *s, struct signkey *key, struct frame_in *f,
    void *room, struct frame_out *out);
