/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that wait for the certificate they were requested for: STATE/keys/request-ID.pem, 0400. */
#pragma once

#include "key_files.h"
#include "signkey_file.h"

#define KEYS_REQUESTS_MAX 16
#define KEYS_REQUESTS_WHY_MAX 768

/* Keeps `pem`, a key of signkey_request; *ret_id names it. 0, or -errno with a sentence in `why`:
 * -EDQUOT when so many wait already. */
int keys_requests_add(const char *state_dir, struct span pem, char ret_id[SIGNKEY_REQUEST_ID_LEN],
    char why[KEYS_REQUESTS_WHY_MAX]) WARN_UNUSED;
/* A signkey_pending_fn; `state_dir` is the argument. A file that cannot be used is logged. */
bool keys_requests_find(const struct pubkey *key, struct buf *ret, void *state_dir);
/* The key has its certificate and is kept elsewhere. Nothing when it never waited. */
void keys_requests_drop(const char *state_dir, const struct pubkey *key);
