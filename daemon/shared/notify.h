/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) by a small file of ours: READY, RELOADING with MONOTONIC_USEC, STATUS, WATCHDOG,
 * STOPPING. Silent without NOTIFY_SOCKET. */
#pragma once

#include "attr.h"

#include <event2/event.h>
#include <stdbool.h>

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment. */
void notify_open(void);
void notify_ready(const char *status);
void notify_reloading(void);
void notify_status(const char *fmt, ...) PRINTF(1, 2);
void notify_stopping(void);
/* Pings at half of WATCHDOG_USEC from the loop as long as `healthy` (NULL: always) says true. */
int notify_watchdog(struct event_base *base, bool (*healthy)(void *arg), void *arg);
/* Ends the pings and closes the socket; for an orderly end and for tests. */
void notify_close(void);
