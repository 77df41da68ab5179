/* SPDX-License-Identifier: Apache-2.0 */
/* Reading our configuration again, in two steps (DESIGN 2): every program parses and reports a
 * digest of what it read; when all agree it is committed everywhere, else everybody keeps the old
 * one and the reload fails naming program, file and line. One at a time. */
#pragma once

#include "signer_link.h"
#include "workers.h"

struct reload;

struct reload_ops {
    /* Judges what is the broker's own business (TLS files, what needs a restart) and keeps it for
     * the commit. Mistakes go to `errors`. */
    bool (*prepare)(const struct settings *next, struct conf_errors *errors, void *arg);
    void (*commit)(struct settings *next, void *arg); /* takes over */
    void (*abort)(void *arg);                         /* forget what prepare kept */
    /* Every start and every end, for systemd. */
    void (*on_busy)(bool busy, void *arg);
};

/* Everything is kept by reference. NULL: out of memory. */
struct reload *reload_new(struct event_base *base, const char *config_dir, struct workers *workers,
    struct signer_link *signer, const struct reload_ops *ops, void *arg) WARN_UNUSED;
void reload_free(struct reload *r); /* NULL is fine; nobody is told */

/* `errors` is empty when the new configuration is in force; lines "program: file:line: message"
 * otherwise. Ends with the call. */
typedef void reload_done_fn(struct span errors, void *arg);
/* Starts a reload; while one runs, another is made after it, since the files may have changed
 * meanwhile. `on_done` is always called from the loop, exactly once, unless cancelled. False: out
 * of memory. */
bool reload_start(struct reload *r, reload_done_fn *on_done, void *arg) WARN_UNUSED;
/* Whoever asked with that `arg` is gone. */
void reload_cancel(struct reload *r, const void *arg);
bool reload_busy(const struct reload *r);

/* What the others say. `id` of the frame: an answer to another reload than this one is dropped. */
void reload_on_signer(struct reload *r, uint32_t id, const struct msg_config *m);
void reload_on_ring(struct reload *r); /* after it was published */
void reload_on_signer_lost(struct reload *r);
void reload_on_worker(struct reload *r, size_t slot, uint32_t id, const struct msg_config *m);
void reload_on_worker_dead(struct reload *r, size_t slot);
