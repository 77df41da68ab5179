/* SPDX-License-Identifier: Apache-2.0 */
/* One line to the journal (its native datagram protocol) or, without one, to standard error, there
 * with the prefix <n> of sd-daemon(3) when a service manager reads it. A function logs or returns
 * an error, never both. Token and key text never gets here: there is no conversion for a span,
 * callers escape foreign text with log_safe(). */
#pragma once

#include "attr.h"
#include "span.h"

enum log_level {
    LOG_L_ERR = 3,
    LOG_L_WARNING = 4,
    LOG_L_NOTICE = 5,
    LOG_L_INFO = 6,
    LOG_L_DEBUG = 7
};

/* One TRUST_* field of a journal record. `value` is copied by the call; NULL leaves it out. */
struct log_field {
    const char *name; /* upper case, no digits: "TRUST_PARTNER" */
    const char *value;
};

/* Opens the way out. `ident` ("s2sd", "s2sd-signer") is kept, not copied. Uses the journal when
 * JOURNAL_STREAM names standard error, else standard error. Never fails. */
void log_open(const char *ident);
/* The same with the journal's datagram socket at the path `journal`, or with standard error when it
 * is NULL. */
void log_open_at(const char *ident, const char *journal);
void log_close(void);
/* The journal's socket, -1 when lines go to standard error. A child that closes all descriptors
 * calls log_close before. */
int log_fd(void);
/* The role shown in each line: "broker", "validator" ... kept, not copied. */
void log_role(const char *role);
/* Messages above this level are dropped. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* At most 1023 bytes, longer messages end with "..."; control characters become blanks. */
void log_msg(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
#define log_err(...) log_msg(LOG_L_ERR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_L_WARNING, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_L_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_L_DEBUG, __VA_ARGS__)

/* A structured record: `message_id` is 32 hex digits of the catalogue or NULL; fields end after n.
 * A record with a message id is written at every level, so that no audit depends on Level=. A
 * record has at most 8 KiB, on standard error 4 KiB; fields that do not fit are left out and told
 * by -EMSGSIZE. Never waits for the reader. Returns 0, or -errno when the record could not be
 * handed over (Audit=required looks at it). */
int log_record(enum log_level level, const char *message_id, const struct log_field *fields,
    size_t n, const char *fmt, ...) PRINTF(5, 6);

/* Foreign text made harmless for one line: controls, both quotes, backslash and non-ASCII bytes as
 * \xNN, cut with "..." to fit `out`. Returns out. */
char *log_safe(struct span text, char *out, size_t out_len);
