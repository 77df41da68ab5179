/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a token without a daemon: the daemon's own ladder over documents that the caller names.
 * This is the only place where a time may be given. */
#pragma once

#include "ctl.h"

/* Judges `token` under --metadata, --self or --config-dir, --permit, --audience and --at. EXIT_YES:
 * the reply of io.s2sd.validate stands in `reply` as JSON. Else what went wrong stands in ctl->err.
 */
enum exit_status offline_verdict(struct ctl *ctl, struct span token, struct buf *reply) WARN_UNUSED;
