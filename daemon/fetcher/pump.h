/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface on the event loop: one handle for the life of the process (it keeps the
 * system's certificates parsed). */
#pragma once

#include "attr.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>

struct pump;

/* A transfer has ended; it has already left the pump. */
typedef void pump_done_fn(CURL *easy, CURLcode code, void *arg);

struct pump *pump_new(struct event_base *base, pump_done_fn *on_done, void *arg) WARN_UNUSED;
void pump_free(struct pump *p); /* no transfer may be in it any more */
bool pump_add(struct pump *p, CURL *easy) WARN_UNUSED;
/* Takes a transfer out before its end; on_done is not called. */
void pump_remove(struct pump *p, CURL *easy);
